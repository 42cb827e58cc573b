"""Generated label maps moved, scaled and turned until they lie as the training label maps do."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

from ..anatomy.label_moments import LabelMoments, heart_mask, label_moments
from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ULTRASOUND_SECTOR
from ..checks import check_spacing
from ..errors import InputError, ShapeError
from .gaussian_transport import GaussianTransport
from .label_form import LabelForm
from .plain_tensor import plain_tensor
from .spacing import resolve_spacing, told_spacings

#: Maps of a group with which four moments and their covariance can be fitted.
_FEWEST = 5


class AlignLabelDistribution(Transform):
    """Match position, size and orientation of generated label maps to those of the training label maps.

    Of each heart the centroid (two numbers), the size (logarithm of the square root of its area) and the angle of its
    long axis are taken, fitted as normal distributions over the generated and over the training maps, and carried
    from one to the other by `GaussianTransport`. The heart is then moved, scaled and turned as a whole, so that its
    shape stays: one-hot maps are interpolated linearly, and a pixel gets the class of most weight.

    Means, variances and correlations of the four moments match afterwards, not their whole distributions: where they
    have several modes, as two views together may have, pass `conditions`: then maps of each condition, such as a view
    and phase, are fitted and aligned by themselves. The ultrasound sector, where the scheme has it, stays where it
    is, and fills what the heart leaves.

    Label maps are 2D `(C, H, W)`; C is 1 for codes, or the scheme's number of classes for one-hot maps. Shape, dtype,
    affine and metadata come out as they came in.

    Args:
        generated: codes `(N, H, W)` of generated maps, at least 5, before alignment; from one grid.
        training: codes `(M, H, W)` of training maps, at least 5.
        scheme: of both.
        spacing: mm between pixels of both.
        label_codes: the codes of the maps that will come, in the scheme's order, background first; the scheme's own
            by default.
        conditions: of the generated and of the training maps, `(N, K)` and `(M, K)`, for example `Hearts.condition`
            and what `APICAL_CONDITION.encode` gives; maps with equal rows are a group, of at least 5 on both sides.

    Raises:
        LabelError: for unknown codes, an empty map, or a degenerate one: a line, or so round that it has no axis.
        ShapeError: unless the maps are `(N, H, W)`, with a condition each, if any.
        InputError: for too few maps of a group.
        SpacingError: unless the spacing has two positive values.

    Example:
        ```python
        hearts = sampler.sample(1000, seeded(0))  # a LatentSampler's, of a conditional autoencoder
        told = APICAL_CONDITION.encode(items)  # of the training maps
        align = AlignLabelDistribution(hearts.label, training, CAMUS, spacing, conditions=(hearts.condition, told))
        aligned = align.align(hearts.label, spacing, hearts.condition)
        ```

    Source:
        Annex F of Rançon, Vannier and Bernard, "cardiGAN", shows such a match; the transport is that of Peyré and
        Cuturi 2019, DOI 10.1561/2200000073.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own declaration

    def __init__(
        self,
        generated: torch.Tensor,
        training: torch.Tensor,
        scheme: LabelScheme,
        spacing: Sequence[float],
        label_codes: Sequence[int] | None = None,
        conditions: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> None:
        self.scheme = scheme
        self.spacing = check_spacing(spacing, 2)
        self.form = LabelForm(scheme, label_codes)
        drawn, known = (label_moments(maps, scheme, self.spacing) for maps in (generated, training))
        #: Conditions of the groups `(G, K)`; K is 0 where all maps are one group.
        self.groups, of_drawn, of_known = _groups(len(generated), len(training), conditions)
        self.fits = [_Fit.of(drawn, of_drawn == one, known, of_known == one) for one in range(len(self.groups))]

    def align(
        self, label: torch.Tensor, spacing: Sequence[float], condition: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return label maps `(B, H, W)`, codes of the scheme, aligned; int64; a row depends on itself only.

        Args:
            label: codes `(B, H, W)`.
            spacing: mm between pixels along H and W.
            condition: of each map `(B, K)`, where groups were fitted.

        Raises:
            LabelError: for unknown codes, an empty map, or a degenerate one.
            ShapeError: unless the maps are `(B, H, W)`.
            InputError: when a map is of none of the fitted groups.
        """
        moments = label_moments(label, self.scheme, spacing)
        before = torch.stack([moments.points(fit.upright) for fit in self.fits])  # (G, B, 4)
        group = self._group_of(len(label), condition)
        before = before[group, torch.arange(len(label))]
        after = torch.cat([self.fits[int(one)].transport(row) for one, row in zip(group, before.split(1), strict=True)])
        heart = heart_mask(label, self.scheme)
        one_hot = self.scheme.one_hot(label * heart)
        moved = _similar(one_hot, before, after, spacing).argmax(dim=1)
        if ULTRASOUND_SECTOR in self.scheme.names:
            in_sector = label == self.scheme.code(ULTRASOUND_SECTOR)
            swept = (in_sector | heart) & in_sector.flatten(1).any(dim=1).view(-1, 1, 1)
            moved = moved.masked_fill(swept & (moved == 0), self.scheme.channel(ULTRASOUND_SECTOR))
        return self.scheme.to_codes(moved)

    def __call__(self, label: Any, condition: torch.Tensor | None = None) -> Any:
        """Return the aligned map, of the type that came; its spacing is its affine's, else the one given here.

        Args:
            label: `(C, H, W)`.
            condition: `(K,)`, where groups were fitted.

        Raises:
            InputError: when it is of none of the fitted groups.
            ShapeError: unless the map is `(C, H, W)` with 1 or the scheme's channels.
            LabelError: for unknown codes, an empty map, a degenerate one, or channels that do not hold a single 1.
        """
        tensor = plain_tensor(label)
        if tensor.ndim != 3:
            raise ShapeError(
                f"Expected a label map (C, H, W), got {tuple(tensor.shape)}; add a channel axis, for example with "
                f"MONAI's EnsureChannelFirst, and pass stacks slice by slice."
            )
        told = told_spacings(label, 1, 2)
        spacing = resolve_spacing(told, self.spacing if told[0] is None else None, 2)[0].tolist()
        codes = self.scheme.to_codes(self.form.read(tensor[None]))
        group = None if condition is None else condition[None]
        channels = self.scheme.to_channels(self.align(codes, spacing, group))
        result = self.form.write(channels, like=tensor[None])[0]
        if isinstance(label, MetaTensor):
            return MetaTensor(result, meta=dict(label.meta), applied_operations=label.applied_operations)
        return result if isinstance(label, torch.Tensor) else result.numpy().astype(label.dtype, copy=False)

    def _group_of(self, rows: int, condition: torch.Tensor | None) -> torch.Tensor:
        """Return the number of each map's group, `(rows,)`."""
        told = torch.zeros(rows, 0) if condition is None else condition.to("cpu", self.groups.dtype)
        fits = told.ndim == 2 and told.shape == (rows, self.groups.shape[1])
        equal = (told[:, None] == self.groups).all(dim=2) if fits else torch.zeros(rows, 1, dtype=torch.bool)
        if not bool(equal.any(dim=1).all()):
            raise InputError(
                f"Expected for each of {rows} label maps one of the conditions that the alignment was fitted to, "
                f"{self.groups.tolist()}, got {None if condition is None else condition.tolist()}; pass the conditions "
                f"of the maps, or fit to such maps, too."
            )
        return equal.to(torch.int64).argmax(dim=1)


@dataclass(frozen=True)
class _Fit:
    """The alignment of one group: an angle near those of its hearts, and where their moments go."""

    upright: float
    transport: GaussianTransport

    @classmethod
    def of(cls, drawn: LabelMoments, some: torch.Tensor, known: LabelMoments, others: torch.Tensor) -> _Fit:
        upright = known.of_rows(others).upright()
        points = drawn.of_rows(some).points(upright), known.of_rows(others).points(upright)
        return cls(upright, GaussianTransport(*points))


def _groups(
    generated: int, training: int, conditions: tuple[torch.Tensor, torch.Tensor] | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the groups' conditions `(G, K)`, and the group of each generated and each training map."""
    drawn, known = conditions or (torch.zeros(generated, 0), torch.zeros(training, 0))
    shapes = tuple(drawn.shape), tuple(known.shape)
    if drawn.ndim != 2 or shapes != ((generated, drawn.shape[-1]), (training, drawn.shape[-1])):
        raise ShapeError(
            f"Expected conditions (N, K) and (M, K) of {generated} generated and {training} training maps, got "
            f"{shapes[0]} and {shapes[1]}."
        )
    if not drawn.shape[1]:
        return torch.zeros(1, 0), torch.zeros(generated, dtype=torch.int64), torch.zeros(training, dtype=torch.int64)
    both = torch.cat((drawn.cpu(), known.to("cpu", drawn.dtype)))
    groups, group = both.unique(dim=0, return_inverse=True)
    counts = [[int((part == one).sum()) for part in group.split((generated, training))] for one in range(len(groups))]
    if min(map(min, counts)) < _FEWEST:
        raise InputError(
            f"Expected at least {_FEWEST} generated and {_FEWEST} training maps of each condition, got {counts} of "
            f"{groups.tolist()}; draw more maps, or leave out conditions that hardly occur."
        )
    of_drawn, of_known = group.split((generated, training))
    return groups, of_drawn, of_known


class AlignLabelDistributiond(MapTransform):
    """Dictionary form of `AlignLabelDistribution`.

    Args:
        keys: of the label maps.
        generated: see `AlignLabelDistribution`.
        training: see `AlignLabelDistribution`.
        scheme: see `AlignLabelDistribution`.
        spacing: see `AlignLabelDistribution`.
        label_codes: see `AlignLabelDistribution`.
        allow_missing_keys: whether a missing key is no error.
        conditions: see `AlignLabelDistribution`.
        condition_key: of the maps' condition `(K,)`, where groups are fitted; `EncodeHeartConditiond` puts it there.
    """

    backend = AlignLabelDistribution.backend

    def __init__(
        self,
        keys: KeysCollection,
        generated: torch.Tensor,
        training: torch.Tensor,
        scheme: LabelScheme,
        spacing: Sequence[float],
        label_codes: Sequence[int] | None = None,
        allow_missing_keys: bool = False,
        conditions: tuple[torch.Tensor, torch.Tensor] | None = None,
        condition_key: str = "condition",
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = AlignLabelDistribution(generated, training, scheme, spacing, label_codes, conditions)
        self.condition_key = condition_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the dictionary with the keys' label maps aligned and all else as it was.

        Raises:
            InputError: when groups were fitted and the dictionary tells none of their conditions.
        """
        result = dict(data)
        told = data.get(self.condition_key) if self.transform.groups.shape[1] else None
        for key in self.key_iterator(result):
            result[key] = self.transform(result[key], told)
        return result


def _similar(
    one_hot: torch.Tensor, before: torch.Tensor, after: torch.Tensor, spacing: Sequence[float]
) -> torch.Tensor:
    """Return `(B, C, H, W)` moved, scaled and turned so that moments `before` `(B, 4)` become `after`."""
    size = torch.tensor(one_hot.shape[2:], dtype=torch.float64) * torch.tensor(list(spacing), dtype=torch.float64)
    angle, shrink = before[:, 3] - after[:, 3], (before[:, 2] - after[:, 2]).exp()
    cos, sin = shrink * angle.cos(), shrink * angle.sin()
    # From a place in the result to its origin, both in mm from the middle: before + turn (place - after).
    turn = torch.stack((torch.stack((cos, -sin), dim=1), torch.stack((sin, cos), dim=1)), dim=1)
    origin = before[:, :2] - torch.einsum("bij,bj->bi", turn, after[:, :2])
    # `affine_grid` counts in half sides of the image, last axis first.
    turn = (turn * size / size[:, None]).flip(1, 2)
    origin = (2 * origin / size).flip(1)
    theta = torch.cat((turn, origin[:, :, None]), dim=2).to(one_hot)
    grid = F.affine_grid(theta, list(one_hot.shape), align_corners=False)
    return F.grid_sample(one_hot, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


__all__ = ["AlignLabelDistribution", "AlignLabelDistributiond"]
