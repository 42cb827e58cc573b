"""Spectral norm that takes a fraction of the passes over a layer's weights, forwards and backwards."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.amp.autocast_mode import is_autocast_available
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.utils import parametrize

_FIRST_ITERATIONS = 15
_EPSILON = 1e-12


def spectral_norm(layer: nn.Module) -> nn.Module:
    """Divide the layer's weight by an estimate of its largest singular value, as PyTorch's `spectral_norm` does.

    Values, gradients, random draws and the names in the state are those of
    `torch.nn.utils.parametrizations.spectral_norm`, but under autocast, where this one stays in full precision. Where a
    layer has many channels and the image few pixels, most of a training step is reading and writing weights, and this
    reads and writes them fewer times.

    Args:
        layer: with a `weight` of two dimensions or more, the output's channels first.

    Source:
        Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, arXiv:1802.05957.
    """
    weight = torch.as_tensor(layer.weight)
    parametrize.register_parametrization(layer, "weight", _SpectralNorm(weight))
    return layer


def weight_product(layer: nn.Module, columns: torch.Tensor) -> torch.Tensor:
    """Return `layer.weight.flatten(1) @ columns`; in training the divided weight is not written down for it.

    Args:
        layer: with or without spectral norm.
        columns: `(weights of an output, N)`.
    """
    if parametrize.is_parametrized(layer, "weight"):
        weights: Any = layer.parametrizations
        norm, weight = weights.weight[0], weights.weight.original
        if isinstance(norm, _SpectralNorm) and norm.training and not torch.is_autocast_enabled(weight.device.type):
            sigma = norm._iterate(weight.detach().flatten(1))
            product: torch.Tensor = _Product.apply(weight.flatten(1), columns, norm._u.clone(), norm._v.clone(), sigma)
            return product
    return torch.as_tensor(layer.weight).flatten(1) @ columns


def _in_full_precision(device_type: str) -> AbstractContextManager[object]:
    """Return a context without autocast, on devices that know it; the one of shapes alone, meta, does not."""
    return torch.autocast(device_type, enabled=False) if is_autocast_available(device_type) else nullcontext()


class _SpectralNorm(nn.Module):
    """One power iteration in every call in training mode; u and v stand still otherwise."""

    _u: torch.Tensor
    _v: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        self.register_buffer("_u", F.normalize(matrix.new_empty(len(matrix)).normal_(), dim=0, eps=_EPSILON))
        self.register_buffer("_v", F.normalize(matrix.new_empty(matrix.shape[1]).normal_(), dim=0, eps=_EPSILON))
        for _ in range(_FIRST_ITERATIONS):
            self._iterate(matrix)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return the weight divided by u^T W v."""
        # Sums over thousands of weights; under autocast they would be done in half precision.
        with _in_full_precision(weight.device.type):
            matrix = weight.flatten(1)
            if not self.training:
                still: torch.Tensor = weight / torch.vdot(self._u, torch.mv(matrix, self._v))
                return still
            sigma = self._iterate(matrix.detach())
            # The next call, perhaps before this one's backward pass, changes the buffers in place.
            divided: torch.Tensor = _Divided.apply(weight, self._u.clone(), self._v.clone(), sigma)
            return divided

    @torch.no_grad()
    def _iterate(self, matrix: torch.Tensor) -> torch.Tensor:
        """Move u and v on by one power iteration, and return u^T W v."""
        self._u.copy_(F.normalize(torch.mv(matrix, self._v), dim=0, eps=_EPSILON))
        product = torch.mv(matrix.T, self._u)
        sigma: torch.Tensor = torch.linalg.vector_norm(product)  # v is the product over its length, so this is u^T W v
        self._v.copy_(product / sigma.clamp_min(_EPSILON))
        return sigma


class _Divided(torch.autograd.Function):
    r"""$W / \sigma$ with $\sigma = u^\top W v$, where u and v are constants.

    Its gradient is $G / \sigma - \langle G, W \rangle / \sigma^2 \; u v^\top$: one pass that reads, one that writes.
    """

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, u: torch.Tensor, v: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Return the divided weight."""
        ctx.save_for_backward(weight, u, v)
        return weight / sigma

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the weight's gradient."""
        weight, u, v = ctx.saved_tensors
        with _in_full_precision(weight.device.type):
            matrix = weight.flatten(1)
            sigma = torch.vdot(u, torch.mv(matrix, v))  # anew, so that this can be differentiated once more
            gradient = gradient.flatten(1)
            share = torch.dot(gradient.flatten(), matrix.flatten()) / sigma
            return torch.addr(gradient, share * u, v, alpha=-1).div_(sigma).view_as(weight), None, None, None


class _Product(torch.autograd.Function):
    r"""$W c / \sigma$ with $\sigma = u^\top W v$, where u and v are constants, of a matrix and some columns c."""

    @staticmethod
    def forward(
        ctx: Any, weight: torch.Tensor, columns: torch.Tensor, u: torch.Tensor, v: torch.Tensor, sigma: torch.Tensor
    ) -> torch.Tensor:
        """Return the product."""
        out = (weight @ columns).div_(sigma)
        ctx.save_for_backward(weight, columns, u, v, sigma, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of the matrix and of the columns."""
        weight, columns, u, v, sigma, out = ctx.saved_tensors
        gradient = gradient / sigma
        of_weight = gradient @ columns.T
        of_weight.addr_(u * (gradient * out).sum(), v, alpha=-1)
        return of_weight, weight.T @ gradient, None, None, None
