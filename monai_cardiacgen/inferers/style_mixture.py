"""New styles between those of training images."""

from __future__ import annotations

import torch


def mixed_styles(styles: torch.Tensor, candidates: torch.Tensor, rows: list[torch.Generator]) -> torch.Tensor:
    """Return for each row a random mixture of two of its candidates' styles, `(n, style_size)`.

    Args:
        styles: of the training images `(N, style_size)`.
        candidates: numbers of training images `(n, k)`.
        rows: a generator for each of the n.
    """
    mixed = []
    for some, row in zip(candidates, rows, strict=True):
        first, second = some[torch.randint(len(some), (2,), generator=row).to(some.device)].tolist()
        share = float(torch.rand((), generator=row))
        mixed.append(share * styles[first] + (1 - share) * styles[second])
    return torch.stack(mixed)


__all__ = ["mixed_styles"]
