"""Against MONAI's own SPADE networks: the block, the generator, and a diffusion model of 50 steps."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from monai.networks.blocks import SPADE
from monai.networks.nets import SPADEDiffusionModelUNet, SPADENet

from monai_cardiacgen.networks.blocks.label_patches import distinct_patches
from monai_cardiacgen.networks.blocks.spade import SpatiallyAdaptiveNorm
from monai_cardiacgen.networks.nets import SPADEGenerator

from .alternated import Clock, Comparison, Way
from .painters import DENSE, HIDDEN, OPTIMIZED, OURS, Pair, no_gradients, painting_ways, pair_of
from .published_spade import PROGRESSION

#: Steps of the diffusion model for one image, as its users take with a fast sampler; one step is timed.
STEPS = 50
_LABELS = 4


def compare_with_monai(clock: Clock, size: int, filters: int) -> Iterator[Comparison]:
    """Compare with MONAI's SPADE block, its SPADE generator and 50 steps of its SPADE diffusion model."""
    yield _block(clock, size)
    pair = pair_of(filters, size, _LABELS, clock.device)
    yield _generator(clock, pair, filters)
    large = _diffusion((64, 128, 256, 256), clock.device)
    yield _steps(clock, pair, large, f"{filters} filters")
    compact = SPADEGenerator(2, _LABELS, style_size=64, start_size=(size // 16, size // 16)).eval().to(clock.device)
    pair_of_compact = Pair(compact, pair.published, size, _LABELS)
    yield _steps(clock, pair_of_compact, _diffusion((32, 64, 64, 64), clock.device), "the bundles' compact generator")


def _block(clock: Clock, size: int) -> Comparison:
    """Time the norm alone at full resolution; finding the patches, once for all norms of a level, is not timed."""
    features = 64
    theirs = SPADE(_LABELS, features, hidden_channels=HIDDEN).eval().to(clock.device)
    ours = SpatiallyAdaptiveNorm(2, features, _LABELS, HIDDEN, style_size=0).eval().to(clock.device)
    pair = pair_of(4, size, _LABELS, clock.device)

    def inputs(turn: int) -> tuple[torch.Tensor, ...]:
        maps, style = pair.inputs(turn)
        return (
            torch.randn(1, features, size, size, device=clock.device),
            maps,
            style,
            distinct_patches(maps.argmax(dim=1), _LABELS),
        )

    name = "MONAI's SPADE"
    ways: dict[str, Way] = {
        name: lambda x, maps, style, patches: theirs(x, maps),
        DENSE: lambda x, maps, style, patches: ours(x, maps, style),
        OURS: ours,
    }
    ways = {way: no_gradients(call, clock.device, torch.float32) for way, call in ways.items()}
    seconds, _ = clock.alternate(ways, inputs, name)
    return Comparison("MONAI's networks", f"one SPADE norm, {features} features, {size} x {size}", name, seconds)


def _generator(clock: Clock, pair: Pair, filters: int) -> Comparison:
    """Time MONAI's generator; it has no SPADE block at full resolution, which is why it is fast."""
    channels = [filters * times for times in reversed(PROGRESSION[1:])]  # one level less: it halves once more
    sides = [pair.size, pair.size]
    theirs = SPADENet(2, 1, 1, _LABELS, sides, channels=channels, z_dim=64, is_vae=False).eval().to(clock.device)
    name = "MONAI's SPADENet"
    ways = {name: no_gradients(lambda maps, style: theirs(maps)[0], clock.device, torch.float32)}
    ways |= painting_ways(pair, torch.float32)
    seconds, _ = clock.alternate(ways, pair.inputs, name)
    notes = {name: f"{_millions(theirs)} weights", OURS: f"{_millions(pair.ours)} weights"}
    case = f"{filters} filters, {pair.size} x {pair.size}"
    return Comparison("MONAI's networks", case, name, seconds, notes=notes)


def _diffusion(channels: tuple[int, ...], device: torch.device) -> torch.nn.Module:
    """Return MONAI's SPADE diffusion U-Net without attention at its levels, which would make it dearer."""
    none = (False,) * len(channels)
    network = SPADEDiffusionModelUNet(2, 1, 1, _LABELS, channels=channels, attention_levels=none, num_head_channels=32)
    return network.eval().to(device)


def _steps(clock: Clock, pair: Pair, theirs: torch.nn.Module, name_of_ours: str) -> Comparison:
    """Time one step of the diffusion model and count it 50 times."""
    name = f"{STEPS} steps of MONAI's SPADEDiffusionModelUNet"
    time_step = torch.tensor([500], device=clock.device)

    def one_step(maps: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        image: torch.Tensor = theirs(maps[:, :1], time_step, seg=maps)
        return image

    ways = {name: no_gradients(one_step, clock.device, torch.float32)}
    painted = painting_ways(pair, torch.float32)
    ways |= {way: painted[way] for way in (OURS, OPTIMIZED) if way in painted}
    seconds, _ = clock.alternate(ways, pair.inputs, name)
    seconds[name] = [STEPS * step for step in seconds[name]]
    notes = {name: f"{_millions(theirs)} weights; one step timed", OURS: f"{_millions(pair.ours)} weights"}
    return Comparison("MONAI's networks", f"{name_of_ours}, {pair.size} x {pair.size}", name, seconds, notes=notes)


def _millions(network: torch.nn.Module) -> str:
    return f"{sum(weight.numel() for weight in network.parameters()) / 1e6:.1f} M"
