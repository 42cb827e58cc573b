"""Norm, modulation and activation of an image's pixels by table, in one pass: in plain PyTorch, or compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch.nn import functional as F

#: Writes to `out` `(M, C)` what pixels become; see `modulate`.
Modulate = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], None
]


def modulate(
    x: torch.Tensor,
    parent: torch.Tensor,
    lookup: torch.Tensor,
    scale: torch.Tensor,
    shift: torch.Tensor,
    slope: torch.Tensor,
    out: torch.Tensor,
) -> None:
    r"""Write LeakyReLU of the modulated pixels, $y_i = x_{p(i)} s_{u(i)} + t_{u(i)}$, to `out`.

    Args:
        x: pixels `(N, C)`.
        parent: `(M,)`, which of them each pixel of the output reads.
        lookup: `(M,)`, the table entry of each.
        scale: `(U, C)`.
        shift: `(U, C)`.
        slope: of values below 0, a tensor without axes on the CPU; 1 for no activation.
        out: `(M, C)`.
    """
    torch.index_select(x, 0, parent, out=out)
    torch.addcmul(shift.index_select(0, lookup), out, scale.index_select(0, lookup), out=out)
    if slope != 1:
        F.leaky_relu_(out, float(slope))


@cache
def compiled_modulate(device: torch.device, dtype: torch.dtype) -> Modulate:
    """Return `modulate` as one kernel that PyTorch's compiler makes: C++ for the CPU, Triton for a GPU.

    It takes some 20 s where PyTorch has not kept it from an earlier process. One kernel does for all sizes.

    Raises:
        RuntimeError: PyTorch's, where there is no compiler.
    """
    kernel: Modulate = torch.compile(
        _formula, dynamic=True, fullgraph=True, options={"assert_indirect_indexing": False, "compile_threads": 1}
    )
    # All sizes differ here: PyTorch takes those for equal that are equal in the first call.
    x, table, out = (torch.zeros(rows, 6, device=device, dtype=dtype) for rows in (4, 5, 12))
    parent, lookup = torch.arange(12, device=device) % 4, torch.arange(12, device=device) % 5
    with torch.no_grad():
        kernel(x, parent, lookup, table, table.clone(), torch.tensor(0.2), out)
    return kernel


def _formula(
    x: torch.Tensor,
    parent: torch.Tensor,
    lookup: torch.Tensor,
    scale: torch.Tensor,
    shift: torch.Tensor,
    slope: torch.Tensor,
    out: torch.Tensor,
) -> None:
    y = x.index_select(0, parent) * scale.index_select(0, lookup) + shift.index_select(0, lookup)
    out.copy_(torch.where(y > 0, y, slope * y))
