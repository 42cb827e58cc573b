"""New hearts from the anatomical latent space: drawn, decoded, checked, and drawn again until they are valid."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import nn

from ..anatomy.check import AnatomyCheck
from ..anatomy.labels import LabelScheme
from ..anatomy.placement import centre_heart, place_heart
from ..checks import check_spacing
from ..errors import InputError, SamplingError, ShapeError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..seeding import randn_rows, row_generators
from ..types import Generators
from .hearts import Hearts, cut_off, room_to_move
from .proposals import GaussianProposal, KernelDensityProposal, PriorProposal, covariance_factor

ProposalName = Literal["kernel_density", "gaussian", "prior"]
#: Side in mm of a square (in 3D: cube) than which no heart is smaller; ACDC's smallest slices have 130 mm^2.
SMALLEST_HEART = 10.0
#: Rows that are missing -> their latents `(B, L)` and offsets `(B, dims)`, at this attempt.
_Propose = Callable[[list[int], int], tuple[torch.Tensor, torch.Tensor]]


class LatentSampler(nn.Module):
    """Draws anatomically valid label maps from the latent space of an `AnatomicalVAE`.

    Shape and place are drawn together: a point is a latent joined with the offset of the heart from the middle
    of its map, every value scaled to unit standard deviation. It is decoded and
    checked: a heart is there, it breaks no criterion, and no border cuts it. Rows that fail are drawn again, each
    from its own generator. On the CPU rows are decoded one at a time, which costs nothing there and makes a row
    bit for bit independent of its batch; elsewhere together, equal up to rounding.

    Args:
        vae: the trained autoencoder, without a condition; it stays in evaluation mode here.
        scheme: codes and order of the structures.
        spacing: pixel size in mm along the axes of the label maps.
        latents: encoded training hearts `(N, L)`.
        offsets: their hearts' offsets from the middle in pixels, `(N, dims)`.
        proposal: `"kernel_density"` stays nearest to the training hearts, `"gaussian"` reaches further, `"prior"`
            is what the autoencoder's divergence asks for: with the usual small weight hearts fill only a part of
            it, and most of its draws are shapeless.
        check: the anatomy gate, which judges 2D maps; None for none.
        max_draws: draws a row before giving up.

    Raises:
        InputError: for an unknown proposal, a conditional autoencoder, or fewer than one draw.
        ShapeError: when latents and offsets do not fit each other or the autoencoder.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """

    def __init__(
        self,
        vae: AnatomicalVAE,
        scheme: LabelScheme,
        spacing: Sequence[float],
        latents: torch.Tensor,
        offsets: torch.Tensor,
        proposal: ProposalName = "kernel_density",
        *,
        check: AnatomyCheck | None,
        max_draws: int = 50,
    ) -> None:
        super().__init__()
        _check_arguments(vae, latents, offsets, proposal, max_draws)
        self.vae = vae
        self.scheme = scheme
        self.spacing = check_spacing(spacing, vae.spatial_dims)
        self.proposal = proposal
        self.check = check
        self.max_draws = max_draws
        latents = latents.detach().to("cpu", torch.float32)
        offsets = offsets.detach().to("cpu", torch.int64)
        joined = torch.cat((latents, offsets.to(torch.float32)), dim=1)
        location, scale = joined.mean(dim=0), joined.std(dim=0).clamp_min(1e-6)
        points = (joined - location) / scale
        self.density: PriorProposal | GaussianProposal | KernelDensityProposal
        if proposal == "prior":
            self.density = PriorProposal(points, vae.latent_size, location, scale)
        else:
            self.density = (GaussianProposal if proposal == "gaussian" else KernelDensityProposal)(points)
        self.register_buffer("latents", latents)
        self.register_buffer("offsets", offsets)
        self.register_buffer("location", location)
        self.register_buffer("scale", scale)
        self.register_buffer("spread", covariance_factor(latents))
        self.latents: torch.Tensor
        self.offsets: torch.Tensor
        self.location: torch.Tensor
        self.scale: torch.Tensor
        self.spread: torch.Tensor
        self.to(next(vae.parameters()).device)
        self.eval()

    @classmethod
    def fit(
        cls,
        vae: AnatomicalVAE,
        scheme: LabelScheme,
        spacing: Sequence[float],
        labels: torch.Tensor,
        proposal: ProposalName = "kernel_density",
        *,
        check: AnatomyCheck | None,
        max_draws: int = 50,
    ) -> LatentSampler:
        """Return a sampler for the hearts of training label maps `(N, *spatial)`, codes, each with a heart.

        Raises:
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when the maps do not have the autoencoder's size.
        """
        vae.eval()
        latents, offsets = _encode(vae, scheme, labels)
        return cls(vae, scheme, spacing, latents, offsets, proposal, check=check, max_draws=max_draws)

    def train(self, mode: bool = True) -> LatentSampler:
        """Stay in evaluation mode: batch norm must not follow what is drawn here."""
        super().train(False)
        return self

    def encode(self, label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return latents `(B, L)` and offsets `(B, dims)` of label maps `(B, *spatial)`, codes.

        Raises:
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when the maps do not have the autoencoder's size.
        """
        return _encode(self.vae, self.scheme, label)

    def decode(self, latent: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        """Return the label maps `(B, *spatial)`, codes, of latents `(B, L)` at offsets `(B, dims)`."""
        return place_heart(self._decode_centred(latent), offset)

    def sample(self, n: int, generator: Generators) -> Hearts:
        """Draw `n` new valid hearts.

        Args:
            n: number of hearts.
            generator: one generator, or one a row; a row depends on its own only.

        Raises:
            SamplingError: when a row has no valid heart after `max_draws` draws; it names the broken criteria.
        """
        rows = row_generators(generator, n)

        def propose(missing: list[int], attempt: int) -> tuple[torch.Tensor, torch.Tensor]:
            points = self.density.draw([rows[row] for row in missing]) * self.scale + self.location
            latent, place = points.split((self.vae.latent_size, len(self.vae.spatial_size)), dim=1)
            return latent, place.round().to(torch.int64)

        hearts, faults = self._draw(n, propose, may_move=True)
        if not bool(hearts.valid.all()):
            worst = ", ".join(f"{name} ({count}x)" for name, count in faults.most_common(3))
            raise SamplingError(
                f"Expected a valid heart for each of {n} rows within {self.max_draws} draws, but "
                f"{int((~hearts.valid).sum())} rows got none; most often broken: {worst}. Train the autoencoder "
                f"longer, or choose proposal 'kernel_density' or a larger max_draws."
            )
        return hearts

    def nearest_training_hearts(self, hearts: Hearts, count: int) -> torch.Tensor:
        """Return which training hearts are most like given ones in shape and place.

        Args:
            hearts: of `sample` or `near`.
            count: how many for each; fewer where there are fewer training hearts.

        Returns:
            Row numbers of `latents` `(n, min(count, N))`, the nearest first.
        """
        given, known = (
            (torch.cat((latent, offset.to(latent)), dim=1) - self.location) / self.scale
            for latent, offset in ((hearts.latent, hearts.offset), (self.latents, self.offsets))
        )
        nearest: torch.Tensor = torch.cdist(given, known).topk(min(count, len(known)), largest=False).indices
        return nearest

    def near(self, label: torch.Tensor, strength: float, generator: Generators) -> Hearts:
        """Deform hearts through the latent space; each stays at its place.

        A step from a heart's latent has the training latents' covariance, times `strength` as a standard
        deviation. After an invalid draw the next step is shorter, down to nearly none at the last of `max_draws`.
        A heart that has no valid neighbour then comes back unchanged, and is not `valid` in the result.

        Args:
            label: `(B, *spatial)`, codes, each with a heart.
            strength: in (0, 1].
            generator: one generator, or one a row; a row depends on its own only.

        Raises:
            InputError: for a strength outside (0, 1].
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when the maps do not have the autoencoder's size.
        """
        if not 0 < strength <= 1:
            raise InputError(f"Expected a strength in (0, 1], got {strength}.")
        rows = row_generators(generator, len(label))
        label = label.as_subclass(torch.Tensor).to(self.latents.device, torch.int64)
        start, place = self.encode(label)

        def propose(missing: list[int], attempt: int) -> tuple[torch.Tensor, torch.Tensor]:
            noise = randn_rows([rows[row] for row in missing], (self.vae.latent_size,)).to(self.spread)
            step = torch.stack([self.spread @ one for one in noise])
            return start[missing] + strength * (1 - attempt / self.max_draws) * step, place[missing]

        hearts, _ = self._draw(len(label), propose, may_move=False)
        unchanged = ~hearts.valid
        hearts.label[unchanged] = label[unchanged]
        hearts.latent[unchanged] = start[unchanged]
        hearts.offset[unchanged] = place[unchanged]
        return hearts

    @torch.no_grad()
    def _draw(self, n: int, propose: _Propose, may_move: bool) -> tuple[Hearts, Counter[str]]:
        """Draw until every row is valid or out of draws; return what there is, and how often what was broken."""
        device = self.latents.device
        hearts = Hearts.empty(n, self.vae.spatial_size, self.vae.latent_size, device)
        faults: Counter[str] = Counter()
        missing = list(range(n))
        for attempt in range(self.max_draws):
            if not missing:
                break
            latent, offset = propose(missing, attempt)
            label = self._decode_centred(latent)
            if may_move:
                least, most = room_to_move(label)
                offset = offset.clamp(least, most)
            broken = self._faults(label, offset)
            hearts.draws[missing] += 1
            for position, row in enumerate(missing):
                faults.update(broken[position])
                if not broken[position]:
                    hearts.label[row] = place_heart(label[position : position + 1], offset[position : position + 1])[0]
                    hearts.latent[row], hearts.offset[row] = latent[position], offset[position]
                    hearts.valid[row] = True
            missing = [row for position, row in enumerate(missing) if broken[position]]
        return hearts, faults

    def _faults(self, label: torch.Tensor, offset: torch.Tensor) -> list[list[str]]:
        """Return for each centred map what speaks against it at that offset."""
        faults: list[list[str]] = [[] for _ in label]
        if self.check is not None:
            report = self.check(label, self.spacing)
            for row, criterion in torch.nonzero(report.broken).tolist():
                faults[row].append(report.criteria[criterion].name)
        sizes = math.prod(self.spacing) * (label > 0).flatten(start_dim=1).sum(dim=1)
        present = (sizes >= SMALLEST_HEART ** label[0].ndim).tolist()
        cut = cut_off(label, offset).tolist()
        for row, found in enumerate(faults):
            if not present[row]:
                found.append("no heart")
            elif cut[row]:
                found.append("cut off at the border")
        return faults

    def _decode_centred(self, latent: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            together = len(latent) if latent.device.type != "cpu" else 1
            channels = [self.vae.decode(some).argmax(dim=1) for some in latent.split(max(1, together))]
        return self.scheme.to_codes(torch.cat(channels))


@torch.no_grad()
def _encode(vae: AnatomicalVAE, scheme: LabelScheme, label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    device = next(vae.parameters()).device
    centred, offset = centre_heart(label.as_subclass(torch.Tensor).to(device))
    latents = [vae.encode(scheme.one_hot(one[None]))[0] for one in centred]
    return torch.cat(latents), offset


def _check_arguments(
    vae: AnatomicalVAE, latents: torch.Tensor, offsets: torch.Tensor, proposal: str, max_draws: int
) -> None:
    if proposal not in get_args(ProposalName):
        raise InputError(f"Expected one of the proposals {get_args(ProposalName)}, got {proposal!r}.")
    if vae.condition_size:
        raise InputError(
            f"Expected an autoencoder without a condition, got condition_size {vae.condition_size}; "
            f"train one without it."
        )
    if max_draws < 1:
        raise InputError(f"Expected max_draws of at least 1, got {max_draws}.")
    expected = (vae.latent_size, vae.spatial_dims)
    found = (latents.shape[-1], offsets.shape[-1])
    fits = latents.ndim == offsets.ndim == 2 and len(latents) == len(offsets) and found == expected
    if not fits or len(latents) < 2:
        raise ShapeError(
            f"Expected latents (N, {expected[0]}) and offsets (N, {expected[1]}) of at least 2 hearts, got "
            f"{tuple(latents.shape)} and {tuple(offsets.shape)}; encode the training maps with this autoencoder."
        )
