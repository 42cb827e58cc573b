"""The rows that are painted at a time: a whole batch, a rank's rows of it, or a part of these."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..ranks import all_rows, own_rows, world_size


@dataclass(frozen=True)
class PaintDraw:
    """All that is random in painting one batch, drawn on the CPU: for all ranks' rows, on every rank the same.

    Attributes:
        style_noise: `(N, style_size)`, standard normal, N the rows of all ranks.
        noise: one `(B, 1, *size)` tensor a level of the generator, B the rows of this rank.
        donor: `(N,)`, the row whose style each row gets; a row that is its own donor is reconstructed.
        views: `(B, 2, K)`, how the discriminator sees each row of this rank when it is trained and when the generator
            is: draws of `DiffAugment`; None for images as they are.
    """

    style_noise: torch.Tensor
    noise: list[torch.Tensor]
    donor: torch.Tensor
    views: torch.Tensor | None = None


@dataclass(frozen=True)
class Guests:
    """Rows from elsewhere in the whole batch that only lend their styles.

    Attributes:
        image: `(G, 1, *spatial)`.
        style_noise: `(G, style_size)`.
    """

    image: torch.Tensor
    style_noise: torch.Tensor


@dataclass(frozen=True)
class Shares:
    """What the mean over some rows must be multiplied with to add up to the mean over the whole batch's.

    Each is `ranks * rows here / rows in the whole batch`, since the ranks' gradients are averaged; 1 for a whole batch.

    Attributes:
        rows: of a mean over all rows.
        own: of a mean over the rows in their own style; None where the whole batch has none.
        foreign: of a mean over the rows in a foreign style; None where the whole batch has none.
    """

    rows: float
    own: float | None
    foreign: float | None


@dataclass(frozen=True)
class PaintBatch:
    """Rows to be painted, on the device, with all that painting them needs.

    Attributes:
        image: real images `(B, 1, *spatial)` in [0, 1].
        one_hot: their label maps `(B, C, *spatial)`.
        style_noise: `(B, style_size)`, standard normal.
        noise: one `(B, 1, *size)` tensor a level of the generator.
        donor: `(B,)`, the row whose style each row gets, counted through the batch and on through its guests.
        guests: of the donors, those that are not in the batch; None where all are.
        shares: weights of the means over these rows.
        views: `(B, 2, K)`, draws of `DiffAugment` when the discriminator is trained and when the generator is; None
            for images as they are.
        condition: `(B, K)`, what the networks are told of each row beside its label map; None for nothing.
    """

    image: torch.Tensor
    one_hot: torch.Tensor
    style_noise: torch.Tensor
    noise: list[torch.Tensor]
    donor: torch.Tensor
    guests: Guests | None
    shares: Shares
    views: torch.Tensor | None = None
    condition: torch.Tensor | None = None


def paint_batches(
    image: torch.Tensor,
    one_hot: torch.Tensor,
    draw: PaintDraw,
    number: int = 1,
    condition: torch.Tensor | None = None,
) -> list[PaintBatch]:
    """Return this rank's rows in `number` parts, or as many as there are rows.

    Args:
        image: this rank's real images `(B, 1, *spatial)`.
        one_hot: this rank's label maps `(B, C, *spatial)`.
        draw: of the whole batch.
        number: of parts; one for all rows together.
        condition: this rank's conditions `(B, K)`; None for none.
    """
    everyone = torch.arange(len(draw.donor))
    mine = own_rows(everyone)
    has_foreign = bool((draw.donor != everyone).any())
    images = all_rows(image) if has_foreign else image  # of all ranks: any of them may lend its style
    return [
        _part(image, one_hot, images, draw, mine, here, condition)
        for here in torch.arange(len(image)).tensor_split(min(number, len(image)))
    ]


def _part(
    image: torch.Tensor,
    one_hot: torch.Tensor,
    images: torch.Tensor,
    draw: PaintDraw,
    mine: torch.Tensor,
    here: torch.Tensor,
    condition: torch.Tensor | None,
) -> PaintBatch:
    device, rows = image.device, mine[here]  # counted in this rank's batch, and in the whole one
    donors = draw.donor[rows]
    lent = donors[~torch.isin(donors, rows)].unique()
    guests = Guests(images[lent.to(device)], draw.style_noise[lent].to(device)) if len(lent) else None
    donor = (donors[:, None] == torch.cat([rows, lent])).int().argmax(dim=1)
    there = here.to(device)
    return PaintBatch(
        image[there],
        one_hot[there],
        draw.style_noise[rows].to(device),
        [level[here].to(device) for level in draw.noise],
        donor.to(device),
        guests,
        _shares(draw.donor, rows),
        None if draw.views is None else draw.views[here].to(device),
        None if condition is None else condition[there],
    )


def _shares(donor: torch.Tensor, rows: torch.Tensor) -> Shares:
    own = donor == torch.arange(len(donor))

    def share(wanted: torch.Tensor) -> float | None:
        whole = int(wanted.sum())
        return world_size() * int(wanted[rows].sum()) / whole if whole else None

    return Shares(world_size() * len(rows) / len(donor), share(own), share(~own))


__all__ = ["Guests", "PaintBatch", "PaintDraw", "Shares", "paint_batches"]
