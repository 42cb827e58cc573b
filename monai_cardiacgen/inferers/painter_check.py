"""A fast painter, if it paints what its generator paints."""

from __future__ import annotations

import warnings

import torch

from ..networks.nets.spade_generator import SPADEGenerator
from ..seeding import randn_rows, row_generators, seeded
from .fast_painter import FastPainter
from .latent_sampler import LatentSampler
from .sector_proposal import SectorProposal

#: Largest difference from the generator's image, of values in [0, 1].
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 3e-2}
#: Training hearts whose label patches are computed ahead, and with how many of them the painter is tried.
_LEARNED, _TRIED = 32, 2


def verified_painter(
    generator: SPADEGenerator,
    sampler: LatentSampler,
    dtype: torch.dtype | None = None,
    compiled: bool = False,
    sectors: SectorProposal | None = None,
) -> FastPainter | None:
    """Return a painter for a generator, with the label patches of the sampler's hearts; none where it differs.

    One that differs in bfloat16 is tried in float32, which costs less than the plain generator, too.

    Args:
        generator: trained, spectral norms folded.
        sampler: whose training hearts the painter is tried on.
        dtype: number format of the feature maps; by default `fitting_format` of the generator's device.
        compiled: use PyTorch's compiler; where there is none, the painter does without.
        sectors: to be put round the hearts; None for none.

    Warns:
        UserWarning: where the images differ by more than `TOLERANCE`, by how much; where there is no compiler.
    """
    device = next(generator.parameters()).device
    if sampler.vae.spatial_dims == 2:
        sampler.vae.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # decodes faster, too
    some = torch.linspace(0, len(sampler.latents) - 1, _LEARNED).round().long().unique().to(device)
    conditions = sampler.conditions[some] if sampler.vae.condition_size else None
    hearts = sampler.decode(sampler.latents[some], sampler.offsets[some], conditions)
    if sectors is None:
        label = sampler.scheme.to_channels(hearts)
    else:
        label = sectors.scheme.to_channels(sectors.around(hearts, seeded(0)))
    every = max(1, len(label) // _TRIED)
    tried = label[::every][:_TRIED]
    told = conditions[::every][:_TRIED] if conditions is not None and generator.condition_size else None
    rows = row_generators(seeded(0), len(tried))
    style = randn_rows(rows, (generator.style_size,)).to(device)
    noise = [level.to(device) for level in generator.draw_noise(tried.shape[1:], rows)]
    one_hot = torch.nn.functional.one_hot(tried, generator.label_channels).movedim(-1, 1).to(torch.float32)
    with torch.no_grad():
        expected = generator(one_hot, style, noise, told)
    wanted = fitting_format(device) if dtype is None else dtype
    for number_format in dict.fromkeys((wanted, torch.float32)):
        painter = _painter(generator, number_format, compiled)
        painter.learn(label)
        difference = float((painter(tried, style, noise, told) - expected).abs().max())
        if difference <= TOLERANCE[number_format]:
            return painter
        warnings.warn(
            f"The fast painter's images differ from the generator's by {difference:.1e} in {str(number_format)[6:]}, "
            f"more than {TOLERANCE[number_format]:.0e}; "
            + ("float32 is tried." if number_format != torch.float32 else "the plain generator paints."),
            stacklevel=3,
        )
    return None


def _painter(generator: SPADEGenerator, dtype: torch.dtype, compiled: bool) -> FastPainter:
    try:
        return FastPainter(generator, dtype, compiled)
    except RuntimeError as error:  # PyTorch's, of a missing or failing compiler
        if not compiled:
            raise
        warnings.warn(f"PyTorch's compiler fails, so nothing is compiled: {str(error).splitlines()[0]}", stacklevel=4)
        return FastPainter(generator, dtype)


def fitting_format(device: torch.device) -> torch.dtype:
    """Return bfloat16 on GPUs that compute in it and on CPUs with AMX tiles, else float32.

    On CPUs without such tiles bfloat16 is no faster, or much slower.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "cpu" and torch.cpu._is_amx_tile_supported():
        return torch.bfloat16
    return torch.float32
