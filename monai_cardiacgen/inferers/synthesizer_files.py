"""A synthesizer as the files of a MONAI bundle: plain JSON and weights, nothing that could run code."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..anatomy.check import AnatomyCheck
from ..anatomy.heart_condition import HeartCondition
from ..anatomy.labels import LabelScheme, Structure
from ..checks import check_finite
from ..data.files import load_checkpoint, read_json, save_checkpoint, write_json
from ..errors import CheckpointError, DataError, InputError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..networks.nets.style_encoder import StyleEncoder
from .heart_attributes import HeartAttributes
from .latent_sampler import LatentSampler
from .painter_network import PainterNetwork, network_of, painter_description, painter_of
from .sector_proposal import SectorProposal

DESCRIPTION = Path("configs") / "synthesizer.json"
GENERATOR_WEIGHTS = Path("models") / "model.pt"  # MONAI's bundle tools look for the network's weights here
OTHER_WEIGHTS = Path("models") / "synthesizer.pt"
_FORMAT = 1
_METADATA = Path("configs") / "metadata.json"
#: What building from files that do not fit together may raise.
_UNFIT = (InputError, AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, RuntimeError)


def write_synthesizer(
    folder: Path,
    scheme: LabelScheme,
    spacing: tuple[float, ...],
    sampler: LatentSampler,
    generator: PainterNetwork,
    style_encoder: StyleEncoder | None,
    styles: torch.Tensor,
    view: str,
    provenance: Mapping[str, Any],
    sectors: SectorProposal | None = None,
    heart_condition: HeartCondition | None = None,
) -> None:
    """Write the parts of a synthesizer into a bundle's folder, the description last: without it, nothing is there."""
    save_checkpoint(folder / GENERATOR_WEIGHTS, _plain(network_of(generator)))
    others = {"vae": _plain(sampler.vae)}
    if style_encoder is not None:
        others["style_encoder"] = _plain(style_encoder)
    tensors = {"styles": styles.cpu(), "latents": sampler.latents.cpu(), "offsets": sampler.offsets.cpu()}
    known: dict[str, Any] = {} if sampler.attributes is None else {"attributes": sampler.attributes.state_dict()}
    if sampler.vae.condition_size:
        known["conditions"] = sampler.conditions.cpu()
    if sectors is not None:
        known["sectors"] = _packed(sectors.sectors)
    save_checkpoint(folder / OTHER_WEIGHTS, {**others, **tensors, **known})
    description = {
        "format": _FORMAT,
        "scheme": _described(scheme),
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
        "generator": painter_description(generator),
        "style_encoder": None if style_encoder is None else style_encoder.arguments,
    }
    if sectors is not None:
        description["sectors"] = {"heart_scheme": _described(sectors.heart_scheme), "outside": sectors.outside}
    if heart_condition is not None:
        description["condition"] = {name: list(values) for name, values in heart_condition.categories.items()}
    write_json(folder / DESCRIPTION, description)


def read_synthesizer(folder: Path) -> dict[str, Any]:
    """Read what `write_synthesizer` wrote: the arguments of `CardiacSynthesizer`, by name.

    Only JSON values and tensors are read; a bundle's other configuration files are never evaluated.

    Raises:
        CheckpointError: when the folder holds no synthesizer, or one that is damaged or does not fit together.
    """
    if (folder / _METADATA).exists() and not (folder / DESCRIPTION).exists():
        raise CheckpointError(
            f"Expected a synthesizer as plain values, {DESCRIPTION.as_posix()}, in {folder}, got a bundle that needs "
            f"more: MONAI evaluates its expressions, which is to run code; where you trust it, run it with "
            f"python -m monai.bundle."
        )
    try:
        description = read_json(folder / DESCRIPTION)
    except (DataError, RecursionError) as error:
        told = str(error).rstrip(".")
        raise CheckpointError(
            f"Expected a synthesizer in {folder}, but could not read it: {told}. Pass the bundle's folder, with "
            "configs/ in it."
        ) from error
    with fitting_parts(folder):
        others, weights = load_checkpoint(folder / OTHER_WEIGHTS), load_checkpoint(folder / GENERATOR_WEIGHTS)
        _check_plain(description)
        for name, state in ((OTHER_WEIGHTS, others), (GENERATOR_WEIGHTS, weights)):
            _check_finite(state, name.name)
        return _assembled(description, others, weights)


@contextmanager
def fitting_parts(folder: Path) -> Iterator[None]:
    """Turn whatever the block meets in files that do not fit together into one error.

    Raises:
        CheckpointError: when the block raises.
    """
    try:
        yield
    except _UNFIT as error:
        told = " ".join(str(error).split())[:500] or type(error).__name__
        raise CheckpointError(
            f"Expected a whole synthesizer of format {_FORMAT} in {folder}, but its parts do not fit together "
            f"({told}); fetch or train it again."
        ) from error


def _check_plain(description: Mapping[str, Any]) -> None:
    """Refuse expressions: nothing here evaluates them, so that one would be taken for a value."""
    if '"$' in json.dumps(description):
        raise InputError("Expected plain values, got an expression that begins with $; write its value.")


def _check_finite(state: Any, name: str) -> None:
    """Raise `IntensityError` where a tensor, at any depth of a checkpoint, is not finite."""
    inner = state.values() if isinstance(state, Mapping) else state if isinstance(state, list | tuple) else ()
    for one in inner:
        _check_finite(one, name)
    if isinstance(state, torch.Tensor):
        check_finite(state, name)


def _check_room(network: type[nn.Module], arguments: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
    """Raise `InputError` where a network would take other room than its weights have, before it takes any."""
    with torch.device("meta"):
        wanted = sum(one.numel() for one in network(**arguments).state_dict().values())
    there = sum(one.numel() for one in weights.values())
    if there < wanted / 2:  # folding spectral norms leaves some vectors out
        raise InputError(f"Expected a {network.__name__} of {there} numbers, got the description of one of {wanted}.")


def _check_widths(arguments: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
    """Raise `InputError` where a painter is described as wider than any of its weights; see `_check_room`.

    Spectral norm iterates as it is built, which it cannot do without memory.
    """
    values = (value for one in arguments.values() for value in (one if isinstance(one, list) else [one]))
    widest = max(value for value in values if isinstance(value, int))
    there = max((side for one in weights.values() for side in one.shape), default=0)
    if widest > there:
        raise InputError(f"Expected a painter of at most {there} numbers in a row, got the description of {widest}.")


def _assembled(
    description: Mapping[str, Any], others: Mapping[str, Any], generator_weights: Mapping[str, Any]
) -> dict[str, Any]:
    if description["format"] != _FORMAT:
        raise InputError(f"Expected format {_FORMAT}, got {description['format']!r}; update monai_cardiacgen.")
    scheme = _scheme_of(description["scheme"])
    spacing = tuple(float(value) for value in description["spacing"])
    _check_room(AnatomicalVAE, description["vae"], others["vae"])
    vae = AnatomicalVAE(**description["vae"])
    vae.load_state_dict(others["vae"])
    if "label_channels" in description["generator"]:
        _check_widths(description["generator"], generator_weights)
    generator = painter_of(description["generator"], generator_weights)
    style_encoder = None
    if description["style_encoder"] is not None:
        _check_room(StyleEncoder, description["style_encoder"], others["style_encoder"])
        style_encoder = StyleEncoder(**description["style_encoder"])
        style_encoder.load_state_dict(others["style_encoder"])
    hearts, sectors = scheme, None
    if "sectors" in description:
        hearts = _scheme_of(description["sectors"]["heart_scheme"])
        swept = _unpacked(others["sectors"], vae.spatial_size)
        sectors = SectorProposal(swept, hearts, scheme, float(description["sectors"]["outside"]))
    view = description["sampler"].get("anatomy_view", "short axis")
    sampler = LatentSampler(
        vae,
        hearts,
        spacing,
        others["latents"],
        others["offsets"],
        proposal=description["sampler"]["proposal"],
        check=AnatomyCheck(hearts, view) if description["sampler"]["anatomy_check"] else None,
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
        "provenance": dict(description["provenance"]),
        "sectors": sectors,
        "heart_condition": _condition_of(description["condition"]) if "condition" in description else None,
    }


def _described(scheme: LabelScheme) -> dict[str, Any]:
    structures = [[one.name, one.code, list(one.colour), list(one.parts)] for one in scheme.structures]
    return {"name": scheme.name, "structures": structures}


def _scheme_of(described: Mapping[str, Any]) -> LabelScheme:
    rows = described["structures"]
    return LabelScheme(
        described["name"],
        tuple(Structure(name, int(code), tuple(colour), *map(tuple, parts)) for name, code, colour, *parts in rows),
    )


def _condition_of(described: Mapping[str, Any]) -> HeartCondition:
    return HeartCondition({name: tuple(map(str, values)) for name, values in described.items()})


def _packed(sectors: torch.Tensor) -> torch.Tensor:
    """Return boolean sectors `(N, H, W)` as eight pixels a byte, `(N, bytes)`."""
    return torch.from_numpy(np.packbits(sectors.flatten(1).cpu().numpy(), axis=1))


def _unpacked(packed: torch.Tensor, spatial_size: tuple[int, ...]) -> torch.Tensor:
    pixels = np.unpackbits(packed.numpy(), axis=1, count=math.prod(spatial_size)).astype(bool)
    return torch.from_numpy(pixels).view(-1, *spatial_size)


def _plain(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu() for name, value in network.state_dict().items()}
