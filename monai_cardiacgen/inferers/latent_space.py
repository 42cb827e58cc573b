"""The latent space of an anatomical autoencoder, with the training hearts in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from ..anatomy.check import AnatomyCheck
from ..anatomy.heart_size import measure_hearts
from ..anatomy.label_moments import check_is_heart
from ..anatomy.labels import LabelScheme
from ..anatomy.placement import centre_heart, place_heart
from ..checks import check_spacing
from ..errors import InputError, LabelError, ShapeError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from .heart_attributes import Target
from .heart_gate import heart_faults
from .hearts import Hearts, room_to_move
from .proposals import covariance_factor

#: Distance in standard deviations by which a heart of another condition is further away.
_FAR = 1e4


class Proposed(NamedTuple):
    """Hearts to be tried: latents `(B, L)`, offsets `(B, dims)`, and conditions `(B, K)` where there are any."""

    latent: torch.Tensor
    offset: torch.Tensor
    condition: torch.Tensor | None = None


#: Rows that are missing -> what to try for them at this attempt.
Propose = Callable[[list[int], int], Proposed]


class LatentSpace(nn.Module):
    """Encodes and decodes hearts, and draws until they are valid.

    A point is a latent joined with the offset of the heart from the middle of its map, every value scaled to unit
    standard deviation over the training hearts. On the CPU rows are decoded one at a time, which costs nothing
    there and makes a row bit for bit independent of its batch; elsewhere together, equal up to rounding.

    A conditional autoencoder is told the condition of each heart, for example its view and phase; a heart whose
    condition nobody tells is taken as of that training condition under which the autoencoder renders it best.

    Args:
        vae: the trained autoencoder; it stays in evaluation mode here.
        scheme: codes and order of the structures.
        spacing: pixel size in mm along the axes of the label maps.
        latents: encoded training hearts `(N, L)`.
        offsets: their hearts' offsets from the middle in pixels, `(N, dims)`.
        check: the anatomy gate, which judges 2D maps; None for none.
        max_draws: draws a row before giving up.
        conditions: of the training hearts `(N, K)`, for a conditional autoencoder only.

    Raises:
        InputError: for fewer than one draw.
        LabelError: for a scheme with the ultrasound sector.
        ShapeError: when latents, offsets and conditions do not fit each other or the autoencoder.
    """

    def __init__(
        self,
        vae: AnatomicalVAE,
        scheme: LabelScheme,
        spacing: Sequence[float],
        latents: torch.Tensor,
        offsets: torch.Tensor,
        *,
        check: AnatomyCheck | None,
        max_draws: int,
        conditions: torch.Tensor | None = None,
    ) -> None:
        super().__init__()
        conditions = torch.zeros(len(latents), 0) if conditions is None else conditions
        _check_arguments(vae, latents, offsets, conditions, max_draws)
        check_is_heart(scheme)
        if scheme.num_classes != vae.num_classes:
            raise LabelError(
                f"Expected a scheme of {vae.num_classes} classes, the autoencoder's, got {scheme.name!r}; pass its own."
            )
        self.vae = vae
        self.scheme = scheme
        self.spacing = check_spacing(spacing, vae.spatial_dims)
        self.check = check
        self.max_draws = max_draws
        latents = latents.detach().to("cpu", torch.float32)
        offsets = offsets.detach().to("cpu", torch.int64)
        _, location, scale = standardised(latents, offsets)
        self.register_buffer("latents", latents)
        self.register_buffer("offsets", offsets)
        self.register_buffer("location", location)
        self.register_buffer("scale", scale)
        self.register_buffer("spread", covariance_factor(latents))
        self.register_buffer("conditions", conditions.detach().to("cpu", torch.float32))
        self.latents: torch.Tensor
        self.conditions: torch.Tensor
        self.offsets: torch.Tensor
        self.location: torch.Tensor
        self.scale: torch.Tensor
        self.spread: torch.Tensor
        self.to(next(vae.parameters()).device)
        self.eval()

    def train(self, mode: bool = True) -> LatentSpace:
        """Stay in evaluation mode: batch norm must not follow what is drawn here."""
        super().train(False)
        return self

    def encode(self, label: torch.Tensor, condition: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return latents `(B, L)` and offsets `(B, dims)` of label maps `(B, *spatial)`, codes.

        Args:
            label: the maps.
            condition: `(B, K)` for a conditional autoencoder; see `likeliest_condition` where it is not known.

        Raises:
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when maps or conditions do not have the autoencoder's size, or there are none.
        """
        return encode_hearts(self.vae, self.scheme, label, condition)

    def decode(self, latent: torch.Tensor, offset: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the label maps `(B, *spatial)`, codes, of latents `(B, L)` at offsets `(B, dims)`."""
        return place_heart(self._decode_centred(latent, condition), offset)

    @torch.no_grad()
    def likeliest_condition(self, label: torch.Tensor) -> torch.Tensor | None:
        """Return under which training condition `(B, K)` the autoencoder renders each map best; None without any.

        Args:
            label: maps `(B, *spatial)`, codes, each with a heart.
        """
        if not self.vae.condition_size:
            return None
        channels = self.scheme.to_channels(centre_heart(label.as_subclass(torch.Tensor).to(self.latents.device))[0])
        known = self.conditions.unique(dim=0)
        losses = []
        for told in known:
            every = told.expand(len(label), -1)
            logits = self._logits(self.encode(label, every)[0], every)
            losses.append(F.cross_entropy(logits, channels, reduction="none").flatten(1).mean(dim=1))
        likeliest: torch.Tensor = known[torch.stack(losses).argmin(dim=0)]
        return likeliest

    def points(self) -> torch.Tensor:
        """Return the standardised points of the training hearts, `(N, L + dims)`."""
        return self.points_of(self.latents, self.offsets)

    def points_of(self, latent: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        """Return the standardised points `(B, L + dims)` of latents `(B, L)` and offsets `(B, dims)`."""
        return (torch.cat((latent, offset.to(latent)), dim=1) - self.location) / self.scale

    def latent_and_place(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return latents `(B, L)` and whole offsets `(B, dims)` of standardised points."""
        latent, place = (points * self.scale + self.location).split(
            (self.vae.latent_size, len(self.vae.spatial_size)), dim=1
        )
        return latent, place.round().to(torch.int64)

    def nearest_training_hearts(self, hearts: Hearts, count: int) -> torch.Tensor:
        """Return which training hearts are most like given ones in shape and place.

        Args:
            hearts: of `sample` or `near`.
            count: how many for each; fewer where there are fewer training hearts.

        Returns:
            Row numbers of `latents` `(n, min(count, N))`, the nearest first.
        """
        given, known = self.points_of(hearts.latent, hearts.offset), self.points()
        distance = torch.cdist(given, known)
        if self.vae.condition_size:  # those of another condition come last
            distance = distance + _FAR * torch.cdist(hearts.condition, self.conditions)
        nearest: torch.Tensor = distance.topk(min(count, len(known)), largest=False).indices
        return nearest

    @torch.no_grad()
    def draw_until_valid(
        self, n: int, propose: Propose, may_move: bool, targets: Sequence[Target] | None = None
    ) -> Hearts:
        """Draw until every row is valid or out of draws.

        Args:
            n: number of rows.
            propose: gives latents and offsets of the rows that are missing.
            may_move: move a heart that a border would cut, rather than reject it.
            targets: of each row; ranges of sizes that the drawn heart must have.
        """
        size, latent_size = self.vae.spatial_size, self.vae.latent_size
        hearts = Hearts.empty(n, size, latent_size, self.latents.device, self.vae.condition_size)
        missing = list(range(n))
        for attempt in range(self.max_draws):
            if not missing:
                break
            latent, offset, condition = propose(missing, attempt)
            label = self._decode_centred(latent, condition)
            if may_move:
                least, most = room_to_move(label)
                offset = offset.clamp(least, most)
            broken = heart_faults(label, offset, self.spacing, self.check)
            if targets is not None:
                for faults, more in zip(broken, self._misses(label, [targets[row] for row in missing]), strict=True):
                    faults += more
            hearts.draws[missing] += 1
            for position, row in enumerate(missing):
                hearts.rejections.update(broken[position])
                if not broken[position]:
                    hearts.label[row] = place_heart(label[position : position + 1], offset[position : position + 1])[0]
                    hearts.latent[row], hearts.offset[row] = latent[position], offset[position]
                    if condition is not None:
                        hearts.condition[row] = condition[position]
                    hearts.valid[row] = True
            missing = [row for position, row in enumerate(missing) if broken[position]]
        return hearts

    def _misses(self, label: torch.Tensor, targets: Sequence[Target]) -> list[list[str]]:
        """Return which measured sizes of each map lie outside their target."""
        sizes = {name: values.tolist() for name, values in measure_hearts(label, self.scheme, self.spacing).items()}
        misses: list[list[str]] = []
        for row, target in enumerate(targets):
            ranges = {name: wanted for name, wanted in target.items() if name in sizes and not isinstance(wanted, str)}
            outside = [name for name, (low, high) in ranges.items() if not low <= sizes[name][row] <= high]
            misses.append([f"{name} outside its target" for name in outside])
        return misses

    def _decode_centred(self, latent: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return self.scheme.to_codes(self._logits(latent, condition).argmax(dim=1))

    @torch.no_grad()
    def _logits(self, latent: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        together = max(1, len(latent) if latent.device.type != "cpu" else 1)
        some = latent.split(together)
        told = [None] * len(some) if condition is None else condition.split(together)
        return torch.cat([self.vae.decode(one, its) for one, its in zip(some, told, strict=True)])


def or_unchanged(
    hearts: Hearts,
    label: torch.Tensor,
    latent: torch.Tensor,
    offset: torch.Tensor,
    condition: torch.Tensor | None = None,
) -> Hearts:
    """Return the hearts, those that are not valid as they were: `label`, `latent` and so on of each row."""
    unchanged = ~hearts.valid
    hearts.label[unchanged] = label.as_subclass(torch.Tensor).to(hearts.label)[unchanged]
    hearts.latent[unchanged] = latent[unchanged]
    hearts.offset[unchanged] = offset[unchanged]
    if condition is not None:
        hearts.condition[unchanged] = condition[unchanged]
    return hearts


def standardised(latents: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return latents joined with offsets at unit standard deviation `(N, D)`, their means and deviations `(D,)`."""
    joined = torch.cat((latents, offsets.to(latents)), dim=1)
    location, scale = joined.mean(dim=0), joined.std(dim=0).clamp_min(1e-6)
    return (joined - location) / scale, location, scale


@torch.no_grad()
def encode_hearts(
    vae: AnatomicalVAE, scheme: LabelScheme, label: torch.Tensor, condition: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return latents `(B, L)` and offsets `(B, dims)` of label maps `(B, *spatial)`; see `LatentSpace.encode`."""
    if not len(label):
        raise ShapeError(f"Expected at least one label map (B, *spatial), got {tuple(label.shape)}.")
    device = next(vae.parameters()).device
    centred, offset = centre_heart(label.as_subclass(torch.Tensor).to(device))
    if condition is not None and len(condition) != len(label):
        raise ShapeError(f"Expected a condition for each of {len(label)} label maps, got {len(condition)}.")
    told = [None] * len(label) if condition is None else condition.to(device).split(1)
    latents = [vae.encode(scheme.one_hot(one[None]), its)[0] for one, its in zip(centred, told, strict=True)]
    return torch.cat(latents), offset


def _check_arguments(
    vae: AnatomicalVAE, latents: torch.Tensor, offsets: torch.Tensor, conditions: torch.Tensor, max_draws: int
) -> None:
    if conditions.shape != (len(latents), vae.condition_size):
        raise ShapeError(
            f"Expected conditions {(len(latents), vae.condition_size)} of the training hearts, as long as the "
            f"autoencoder's condition_size, got {tuple(conditions.shape)}; pass those that it was trained with."
        )
    if max_draws < 1:
        raise InputError(f"Expected max_draws of at least 1, got {max_draws}; 50 is usual.")
    expected = (vae.latent_size, vae.spatial_dims)
    found = (latents.shape[-1], offsets.shape[-1])
    fits = latents.ndim == offsets.ndim == 2 and len(latents) == len(offsets) and found == expected
    if not fits or len(latents) < 2:
        raise ShapeError(
            f"Expected latents (N, {expected[0]}) and offsets (N, {expected[1]}) of at least 2 hearts, got "
            f"{tuple(latents.shape)} and {tuple(offsets.shape)}; encode the training maps with this autoencoder."
        )
