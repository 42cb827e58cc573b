"""Instance norm and modulation by table in one pass, forwards and backwards."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

#: Values of a part of an image that is worked on at once: with a few tables beside it, it fits into a core's cache.
_PIECE = 1 << 18


class NormaliseAndModulate(torch.autograd.Function):
    r"""Instance norm, then a scale and a shift that are looked up for every pixel.

    $$y_{i} = \hat{x}_{i}\, (1 + \gamma_{u(i)}) + \beta_{u(i)}, \quad \hat{x} = (x - \mu) / \sigma$$

    with mean and standard deviation over the pixels of a row of the batch and one channel. As a table entry $u$
    belongs to one row, $y = x\, s_{u} + t_{u}$ with $s = (1 + \gamma) / \sigma$ and $t = \beta - \mu s$: the norm is
    applied to the table, and the image is read and written once. Backwards, the gradient of each table entry is
    the sum over its pixels, and the two means of instance norm's own gradient follow from these sums.

    The arguments of `apply` are `x` `(N, C)`, the pixels of all rows; `gamma` and `beta` `(U, C)`; `row` `(U,)`,
    the row of each entry; `lookup` `(N,)`, the entry of each pixel; and `batch`, the number of rows, which have
    `N / batch` pixels each, one after the other.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        row: torch.Tensor,
        lookup: torch.Tensor,
        batch: int,
    ) -> torch.Tensor:
        """Return `y`, `(N, C)`."""
        mean, deviation = channel_statistics(x, batch)
        scale = (1 + gamma) / deviation[row]
        ctx.save_for_backward(x, scale, mean, deviation, row, lookup)
        return modulated(x, scale, beta - mean[row] * scale, lookup)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, out: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of `x`, `gamma` and `beta`."""
        x, scale, mean, deviation, row, lookup = ctx.saved_tensors
        batch, pixels = len(mean), len(x) // len(mean)
        beta, product = table_sums(out, x, lookup, len(scale))
        gamma = (product - mean[row] * beta) / deviation[row]
        # The means of dL/dx^ and of x^ dL/dx^ over a row's pixels, both divided by sigma; dL/dx^ = (1 + gamma) dL/dy.
        average = torch.zeros_like(mean).index_add_(0, row, scale * beta) / pixels
        aligned = torch.zeros_like(mean).index_add_(0, row, scale * gamma) / pixels
        slope = aligned / deviation
        # dL/dx = dL/dy s - average - x^ aligned, as one table on dL/dy and one line on x for each row and channel.
        gradient = modulated(out, scale, (slope * mean - average)[row], lookup)
        gradient.view(batch, pixels, -1).sub_(slope.unsqueeze(1).to(x.dtype) * x.view(batch, pixels, -1))
        return gradient, gamma, beta, None, None, None


def modulated(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, lookup: torch.Tensor) -> torch.Tensor:
    """Return `x * scale[lookup] + shift[lookup]`, of pixels `(N, C)` and tables `(U, C)`."""
    scale, shift = scale.to(x.dtype), shift.to(x.dtype)
    out = torch.empty_like(x)
    for begin, end in pieces(x):
        at = lookup[begin:end]
        torch.addcmul(shift.index_select(0, at), x[begin:end], scale.index_select(0, at), out=out[begin:end])
    return out


def table_sums(
    out: torch.Tensor, x: torch.Tensor, lookup: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sums of `out` and of `out * x` `(N, C)` over the pixels of each of `size` table entries."""
    precise = torch.promote_types(x.dtype, torch.float32)
    plain = torch.zeros(size, x.shape[1], dtype=precise, device=x.device)
    product = torch.zeros_like(plain)
    for begin, end in pieces(x):
        at, gradient = lookup[begin:end], out[begin:end].to(precise)
        plain.index_add_(0, at, gradient)
        product.index_add_(0, at, gradient * x[begin:end])
    return plain, product


def channel_statistics(x: torch.Tensor, batch: int, epsilon: float = 1e-5) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation over the pixels `(N, C)` of each of `batch` rows, `(batch, C)`.

    The deviation is that of instance norm, `sqrt(variance + epsilon)`.
    """
    rows = x.to(torch.promote_types(x.dtype, torch.float32)).view(batch, -1, x.shape[1])
    if x.device.type == "cpu":
        # Batch norm's own sums, which for channels-last images are many times faster than a reduction.
        images = [row.view(1, -1, 1, x.shape[1]).movedim(-1, 1) for row in rows]
        both = [torch.batch_norm_update_stats(image, None, None, 0.0) for image in images]
        mean, variance = (torch.stack(values) for values in zip(*both, strict=True))
    else:
        variance, mean = torch.var_mean(rows, dim=1, correction=0)
    return mean, (variance + epsilon).sqrt()


def pieces(x: torch.Tensor, count: int | None = None) -> list[tuple[int, int]]:
    """Return where to cut pixels of the width of `x` `(N, C)`, as many as `x` has or `count`.

    On the CPU the parts are so small that intermediate results stay in its cache.
    """
    count = len(x) if count is None else count
    step = max(1, _PIECE // x.shape[1]) if x.device.type == "cpu" else count
    return [(begin, min(begin + step, count)) for begin in range(0, count, step)]
