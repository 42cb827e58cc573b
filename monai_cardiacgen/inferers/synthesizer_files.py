"""A synthesizer as the files of a MONAI bundle: plain JSON and weights, nothing that could run code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..anatomy.check import AnatomyCheck
from ..anatomy.labels import LabelScheme, Structure
from ..data.files import load_checkpoint, read_json, save_checkpoint, write_json
from ..errors import CheckpointError, DataError, InputError
from ..networks.blocks.spade import fold_spectral_norm
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..networks.nets.spade_generator import SPADEGenerator
from ..networks.nets.style_encoder import StyleEncoder
from .heart_attributes import HeartAttributes
from .latent_sampler import LatentSampler

DESCRIPTION = Path("configs") / "synthesizer.json"
GENERATOR_WEIGHTS = Path("models") / "model.pt"  # MONAI's bundle tools look for the network's weights here
OTHER_WEIGHTS = Path("models") / "synthesizer.pt"
_FORMAT = 1


def write_synthesizer(
    folder: Path,
    scheme: LabelScheme,
    spacing: tuple[float, ...],
    sampler: LatentSampler,
    generator: SPADEGenerator,
    style_encoder: StyleEncoder | None,
    styles: torch.Tensor,
    view: str,
    provenance: Mapping[str, Any],
) -> None:
    """Write the parts of a synthesizer into a bundle's folder, the description last: without it, nothing is there."""
    save_checkpoint(folder / GENERATOR_WEIGHTS, _plain(generator))
    others = {"vae": _plain(sampler.vae)}
    if style_encoder is not None:
        others["style_encoder"] = _plain(style_encoder)
    tensors = {"styles": styles.cpu(), "latents": sampler.latents.cpu(), "offsets": sampler.offsets.cpu()}
    known: dict[str, Any] = {} if sampler.attributes is None else {"attributes": sampler.attributes.state_dict()}
    if sampler.vae.condition_size:
        known["conditions"] = sampler.conditions.cpu()
    save_checkpoint(folder / OTHER_WEIGHTS, {**others, **tensors, **known})
    description = {
        "format": _FORMAT,
        "scheme": {
            "name": scheme.name,
            "structures": [[one.name, one.code, list(one.colour), list(one.parts)] for one in scheme.structures],
        },
        "spacing": list(spacing),
        "view": view,
        "provenance": dict(provenance),
        "vae": sampler.vae.arguments,
        "sampler": {
            "proposal": sampler.proposal,
            "max_draws": sampler.max_draws,
            "bandwidth": sampler.bandwidth,
            "anatomy_check": sampler.check is not None,
            **({} if sampler.check is None else {"anatomy_view": sampler.check.view}),
        },
        "generator": generator.arguments,
        "style_encoder": None if style_encoder is None else style_encoder.arguments,
    }
    write_json(folder / DESCRIPTION, description)


def read_synthesizer(folder: Path) -> dict[str, Any]:
    """Read what `write_synthesizer` wrote: the arguments of `CardiacSynthesizer`, by name.

    Only JSON values and tensors are read; a bundle's other configuration files are never evaluated.

    Raises:
        CheckpointError: when the folder holds no synthesizer, or one that is damaged or does not fit together.
    """
    try:
        description = read_json(folder / DESCRIPTION)
    except DataError as error:
        raise CheckpointError(
            f"Expected a synthesizer in {folder}: {error} Pass the bundle's folder, the one with configs/ in it."
        ) from error
    others = load_checkpoint(folder / OTHER_WEIGHTS)
    try:
        return _assembled(description, others, load_checkpoint(folder / GENERATOR_WEIGHTS))
    except (InputError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"Expected a whole synthesizer of format {_FORMAT} in {folder}, but its parts do not fit together "
            f"({error}); fetch or train it again."
        ) from error


def _assembled(
    description: Mapping[str, Any], others: Mapping[str, Any], generator_weights: Mapping[str, Any]
) -> dict[str, Any]:
    if description["format"] != _FORMAT:
        raise InputError(f"Expected format {_FORMAT}, got {description['format']!r}; update monai_cardiacgen.")
    structures = description["scheme"]["structures"]
    scheme = LabelScheme(
        description["scheme"]["name"],
        tuple(
            Structure(name, int(code), tuple(colour), *map(tuple, parts)) for name, code, colour, *parts in structures
        ),
    )
    spacing = tuple(float(value) for value in description["spacing"])
    vae = AnatomicalVAE(**description["vae"])
    vae.load_state_dict(others["vae"])
    generator = SPADEGenerator(**description["generator"])
    fold_spectral_norm(generator).load_state_dict(generator_weights)
    style_encoder = None
    if description["style_encoder"] is not None:
        style_encoder = StyleEncoder(**description["style_encoder"])
        style_encoder.load_state_dict(others["style_encoder"])
    view = description["sampler"].get("anatomy_view", "short axis")
    sampler = LatentSampler(
        vae,
        scheme,
        spacing,
        others["latents"],
        others["offsets"],
        proposal=description["sampler"]["proposal"],
        check=AnatomyCheck(scheme, view) if description["sampler"]["anatomy_check"] else None,
        max_draws=int(description["sampler"]["max_draws"]),
        bandwidth=description["sampler"].get("bandwidth"),
        attributes=HeartAttributes(**others["attributes"]) if "attributes" in others else None,
        conditions=others.get("conditions"),
    )
    return {
        "scheme": scheme,
        "spacing": spacing,
        "sampler": sampler,
        "generator": generator,
        "style_encoder": style_encoder,
        "styles": others["styles"],
        "view": description["view"],
        "provenance": description["provenance"],
    }


def _plain(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu() for name, value in network.state_dict().items()}
