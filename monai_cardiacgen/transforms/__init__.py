"""MONAI transforms; each in an array, a dictionary and a batch form."""

from .rand_cardiac_synth import RandCardiacSynth, RandCardiacSynthd

__all__ = ["RandCardiacSynth", "RandCardiacSynthd"]
