"""The package's generator and the published one with the same weights, and the ways to run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F

from monai_cardiacgen.inferers.fast_painter import FastPainter
from monai_cardiacgen.networks.blocks.label_patches import channels_of, is_hard
from monai_cardiacgen.networks.blocks.spade import fold_spectral_norm
from monai_cardiacgen.networks.nets import SPADEGenerator, spade_generator
from monai_cardiacgen.seeding import seeded

from .alternated import Way
from .hearts import heart_maps, one_hot
from .published_spade import HIDDEN, PROGRESSION, PublishedGenerator, published_weights

PUBLISHED, DENSE, OURS, OPTIMIZED = "published", "ours, dense", "ours", "ours, optimized"
COMPILED = "ours, compiled"
OPTIMIZED_BF16, COMPILED_BF16 = f"{OPTIMIZED}, bfloat16", f"{COMPILED}, bfloat16"
FLOOR, PEAK = "main convolutions alone", "one large convolution"
STYLE = 64
#: Label maps from which the tables of the optimized way are filled; never those that are timed.
PREFILL, PREFILL_SEED = 400, 10_000


@dataclass(frozen=True)
class Pair:
    """Two generators that make the same image.

    Attributes:
        ours: the package's.
        published: the paper's, with the same weights.
        size: side of the images in pixels.
        labels: classes of the label maps.
    """

    ours: SPADEGenerator
    published: PublishedGenerator
    size: int
    labels: int

    def inputs(
        self, turn: int, batch: int = 1, change: Callable[..., torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Return one-hot maps `(B, C, H, W)` of other patients in every turn, and styles `(B, STYLE)`."""
        generator = seeded(turn)
        label = heart_maps(batch, self.size, self.labels, generator)
        maps = one_hot(label, self.labels) if change is None else change(label, self.labels, generator)
        device = self.ours.to_image.weight.device
        return maps.to(device), torch.randn(batch, STYLE, generator=generator).to(device)


def pair_of(filters: int, size: int, labels: int, device: torch.device) -> Pair:
    """Return generators of the published channels with equal weights, in evaluation mode.

    What the published architecture has not, the style in every norm, stays in ours at its full cost, with weights of
    zero. The last convolution is scaled so that the image has the contrast of a real one: differences then count.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        channels, start = [filters * times for times in PROGRESSION], size // 2 ** (len(PROGRESSION) - 1)
        ours = SPADEGenerator(
            2, labels, channels=channels, hidden_channels=HIDDEN, style_size=STYLE, start_size=(start, start)
        )
    for name, weight in ours.named_parameters():
        if ".style." in name:
            nn.init.zeros_(weight)
    pair = Pair(ours.eval(), PublishedGenerator(labels, channels, STYLE, start).eval(), size, labels)
    with torch.no_grad():
        logits = torch.logit(ours(*pair.inputs(turn=-1)))
        ours.to_image.weight /= logits.std()
        ours.to_image.bias -= logits.mean() / logits.std()
    pair.published.load_state_dict(published_weights(ours.state_dict()))
    pair.published.to(device), ours.to(device)
    return pair


def copied(generator: SPADEGenerator) -> SPADEGenerator:
    """Return the same generator anew: a deep copy would share the classes that hold the spectral norms."""
    other = SPADEGenerator(**generator.arguments).to(generator.to_image.weight.device).eval()
    other.load_state_dict(generator.state_dict())
    return other


def dense(generator: SPADEGenerator) -> Way:
    """Return the package's generator with the convolutions of every pixel: without the distinct patches."""

    def paint(maps: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        with mock.patch.object(spade_generator, "distinct_patches", return_value=None):
            return generator(maps, style)

    return paint


def painting_ways(pair: Pair, dtype: torch.dtype) -> dict[str, Way]:
    """Return the ways to paint without gradients; those of a network under autocast unless `dtype` is float32."""
    return network_ways(pair, dtype) | optimized_ways(pair)


def network_ways(pair: Pair, dtype: torch.dtype) -> dict[str, Way]:
    """Return the networks themselves without gradients, under autocast unless `dtype` is float32."""
    ways = {PUBLISHED: pair.published, DENSE: dense(pair.ours), OURS: pair.ours}
    return {name: no_gradients(way, pair.ours.to_image.weight.device, dtype) for name, way in ways.items()}


def optimized_ways(pair: Pair) -> dict[str, Way]:
    """Return the ways for inference; compiled where there is a compiler, bfloat16 where the machine gains by it."""
    device = pair.ours.to_image.weight.device
    known = heart_maps(PREFILL, pair.size, pair.labels, seeded(PREFILL_SEED)).to(device)
    wanted = [(OPTIMIZED, torch.float32, False), (COMPILED, torch.float32, True)]
    if device.type == "cuda" or torch.cpu._is_amx_tile_supported():
        wanted += [(OPTIMIZED_BF16, torch.bfloat16, False), (COMPILED_BF16, torch.bfloat16, True)]
    ways = {}
    for name, dtype, compiled in wanted:
        try:
            ways[name] = _optimized(pair.ours, known, dtype, compiled)
        except RuntimeError as error:
            print(f"{name} is left out: {error}")
    return ways


def _optimized(generator: SPADEGenerator, known: torch.Tensor, dtype: torch.dtype, compiled: bool) -> Way:
    """Return the generator made fast, its tables filled from known label maps; soft maps take the plain generator."""
    fast = FastPainter(fold_spectral_norm(copied(generator)), dtype, compiled)
    fast.learn(known)

    @torch.no_grad()
    def paint(maps: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        if not is_hard(maps):
            return generator(maps, style)
        return fast(channels_of(maps), style)

    return paint


def no_gradients(way: Way, device: torch.device, dtype: torch.dtype) -> Way:
    """Return the way without gradients, under autocast to `dtype` unless that is float32."""

    @torch.no_grad()
    def call(*inputs: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            result: torch.Tensor = way(*inputs)
        return result

    return call


def main_convolutions(pair: Pair, batch: int, dtype: torch.dtype) -> Way:
    """Return the convolutions of the residual blocks alone, on features that are there: the floor of any SPADE.

    Spectral norm is folded; norms, gamma and beta, activations and upsampling are left away.
    """
    device = pair.ours.to_image.weight.device
    published = PublishedGenerator(
        pair.labels, pair.ours.arguments["channels"], STYLE, pair.published.side
    )  # a copy of its own: folding changes it
    published.load_state_dict(pair.published.state_dict())
    fold_spectral_norm(published).to(device, dtype, memory_format=torch.channels_last)
    layers = []
    for block, size in zip(published.blocks, pair.ours.level_sizes((pair.size, pair.size)), strict=True):
        for layer in (block.conv_0, block.conv_1, *([block.conv_s] if block.learned else [])):
            x = torch.randn(batch, layer.in_channels, *size, device=device, dtype=dtype)
            layers.append((layer, x.contiguous(memory_format=torch.channels_last)))

    @torch.no_grad()
    def convolve(*_: object) -> None:
        for layer, x in layers:
            F.conv2d(x, layer.weight, layer.bias, padding=layer.padding)

    return convolve


def training_ways(pair: Pair) -> dict[str, Way]:
    """Return one forward and backward pass of each way; the result is the gradient of all weights that both have.

    Each has a network of its own: in training, every pass moves the power iteration of the spectral norm on.
    """
    shared = [name for name, _ in pair.published.named_parameters() if name in dict(pair.ours.named_parameters())]
    loss_weight = torch.randn(pair.size, pair.size, generator=seeded(1)).to(pair.ours.to_image.weight.device)

    def step(network: nn.Module, way: Way) -> Way:
        network.train()

        def forward_and_backward(maps: torch.Tensor, style: torch.Tensor) -> list[torch.Tensor]:
            network.zero_grad()
            (way(maps, style) * loss_weight).mean().backward()
            return [network.get_parameter(name).grad for name in shared]

        return forward_and_backward

    other = copied(pair.ours)
    return {
        PUBLISHED: step(pair.published, pair.published),
        DENSE: step(other, dense(other)),
        OURS: step(pair.ours, pair.ours),
    }
