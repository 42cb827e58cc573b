"""The latent space of an anatomical autoencoder, with the training hearts in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ..anatomy.check import AnatomyCheck
from ..anatomy.heart_size import measure_hearts
from ..anatomy.labels import LabelScheme
from ..anatomy.placement import centre_heart, place_heart
from ..checks import check_spacing
from ..errors import InputError, ShapeError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from .heart_attributes import Target
from .heart_gate import heart_faults
from .hearts import Hearts, room_to_move
from .proposals import covariance_factor

#: Rows that are missing -> their latents `(B, L)` and offsets `(B, dims)`, at this attempt.
Propose = Callable[[list[int], int], tuple[torch.Tensor, torch.Tensor]]


class LatentSpace(nn.Module):
    """Encodes and decodes hearts, and draws until they are valid.

    A point is a latent joined with the offset of the heart from the middle of its map, every value scaled to unit
    standard deviation over the training hearts. On the CPU rows are decoded one at a time, which costs nothing
    there and makes a row bit for bit independent of its batch; elsewhere together, equal up to rounding.

    Args:
        vae: the trained autoencoder, without a condition; it stays in evaluation mode here.
        scheme: codes and order of the structures.
        spacing: pixel size in mm along the axes of the label maps.
        latents: encoded training hearts `(N, L)`.
        offsets: their hearts' offsets from the middle in pixels, `(N, dims)`.
        check: the anatomy gate, which judges 2D maps; None for none.
        max_draws: draws a row before giving up.

    Raises:
        InputError: for a conditional autoencoder, or fewer than one draw.
        ShapeError: when latents and offsets do not fit each other or the autoencoder.
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
    ) -> None:
        super().__init__()
        _check_arguments(vae, latents, offsets, max_draws)
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
        self.latents: torch.Tensor
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

    def encode(self, label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return latents `(B, L)` and offsets `(B, dims)` of label maps `(B, *spatial)`, codes.

        Raises:
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when the maps do not have the autoencoder's size, or there is none.
        """
        return encode_hearts(self.vae, self.scheme, label)

    def decode(self, latent: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        """Return the label maps `(B, *spatial)`, codes, of latents `(B, L)` at offsets `(B, dims)`."""
        return place_heart(self._decode_centred(latent), offset)

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
        nearest: torch.Tensor = torch.cdist(given, known).topk(min(count, len(known)), largest=False).indices
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
        hearts = Hearts.empty(n, self.vae.spatial_size, self.vae.latent_size, self.latents.device)
        missing = list(range(n))
        for attempt in range(self.max_draws):
            if not missing:
                break
            latent, offset = propose(missing, attempt)
            label = self._decode_centred(latent)
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

    def _decode_centred(self, latent: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            together = len(latent) if latent.device.type != "cpu" else 1
            channels = [self.vae.decode(some).argmax(dim=1) for some in latent.split(max(1, together))]
        return self.scheme.to_codes(torch.cat(channels))


def or_unchanged(hearts: Hearts, label: torch.Tensor, latent: torch.Tensor, offset: torch.Tensor) -> Hearts:
    """Return the hearts, those that are not valid as they were: `label`, `latent` and `offset` of each row."""
    unchanged = ~hearts.valid
    hearts.label[unchanged] = label.as_subclass(torch.Tensor).to(hearts.label)[unchanged]
    hearts.latent[unchanged] = latent[unchanged]
    hearts.offset[unchanged] = offset[unchanged]
    return hearts


def standardised(latents: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return latents joined with offsets at unit standard deviation `(N, D)`, their means and deviations `(D,)`."""
    joined = torch.cat((latents, offsets.to(latents)), dim=1)
    location, scale = joined.mean(dim=0), joined.std(dim=0).clamp_min(1e-6)
    return (joined - location) / scale, location, scale


@torch.no_grad()
def encode_hearts(vae: AnatomicalVAE, scheme: LabelScheme, label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return latents `(B, L)` and offsets `(B, dims)` of label maps `(B, *spatial)`; see `LatentSpace.encode`."""
    if not len(label):
        raise ShapeError(f"Expected at least one label map (B, *spatial), got {tuple(label.shape)}.")
    device = next(vae.parameters()).device
    centred, offset = centre_heart(label.as_subclass(torch.Tensor).to(device))
    latents = [vae.encode(scheme.one_hot(one[None]))[0] for one in centred]
    return torch.cat(latents), offset


def _check_arguments(vae: AnatomicalVAE, latents: torch.Tensor, offsets: torch.Tensor, max_draws: int) -> None:
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
