"""Gradient descent of many latents at once, each with a loss, a step length and an end of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..errors import InputError

#: Step lengths are halved this many times; where they would be once more, a descent has converged.
_HALVINGS = 6
#: Of a descent at most about this many latents are recorded.
_RECORDED = 1000


@dataclass(frozen=True)
class Descent:
    """What became of `S` latents.

    Attributes:
        latents: `(S, Z)`, those with the lowest loss on each way.
        losses: `(S,)`, their losses.
        trace: `(S, T)`, the loss before each of the T steps; NaN after a start has converged.
        steps: `(S,)`, int64, how many times the loss of each start was evaluated.
        path: `(S, P, Z)`, latents on the way, from the start to the one with the lowest loss; a converged one stays.
        path_steps: `(P,)`, int64, the steps at which the path was recorded.
    """

    latents: torch.Tensor
    losses: torch.Tensor
    trace: torch.Tensor
    steps: torch.Tensor
    path: torch.Tensor
    path_steps: torch.Tensor


def descend(
    objective: Callable[[torch.Tensor], torch.Tensor],
    start: torch.Tensor,
    steps: int = 8000,
    learning_rate: float = 0.05,
    window: int = 50,
    tolerance: float = 0.01,
) -> Descent:
    """Minimise an objective from several starts in one batch by Adam with a step length for each start.

    The starts do not influence each other: the sum of their losses is differentiated, and Adam works element by
    element. After every `window` steps without a lower loss (by the share `tolerance`) a start's step length is
    halved, six times; where it would be once more, the start has converged, and takes no more of the batch.

    Args:
        objective: maps latents `(B, Z)` to their losses `(B,)`, row by row and differentiably.
        start: `(S, Z)`; not changed.
        steps: the greatest number of steps.
        learning_rate: Adam's, before it is halved.
        window: steps over which the improvement is judged.
        tolerance: relative improvement of the lowest loss below which the step length is halved; 0 waits for any.

    Raises:
        InputError: when a number is not positive, or a loss at the start is not finite.

    Example:
        >>> target = torch.tensor([1.0, -2.0])
        >>> found = descend(lambda z: (z - target).abs().mean(dim=1), torch.tensor([[0.0, 0.0], [3.0, -3.0]]))
        >>> bool(torch.allclose(found.latents, target.expand(2, 2), atol=0.01))
        True

    Source:
        Kingma and Ba, Adam, ICLR 2015, arXiv:1412.6980.
    """
    if steps < 1 or window < 1 or learning_rate <= 0 or tolerance < 0:
        raise InputError(
            f"Expected steps and window of at least 1, a positive learning rate and a tolerance of at least 0, got "
            f"{steps}, {window}, {learning_rate} and {tolerance}."
        )
    # Callers may sit in `no_grad` or `inference_mode`, as transforms and evaluators do.
    with torch.inference_mode(False), torch.enable_grad():
        return _descend(objective, start.detach().clone(), steps, learning_rate, window, tolerance)


def _descend(
    objective: Callable[[torch.Tensor], torch.Tensor],
    latents: torch.Tensor,
    steps: int,
    learning_rate: float,
    window: int,
    tolerance: float,
) -> Descent:
    rows = len(latents)
    optimizer = torch.optim.Adam([latents], lr=learning_rate)
    latents.grad = torch.zeros_like(latents)
    rate = latents.new_ones(rows, 1)  # of `learning_rate`
    active = torch.arange(rows, device=latents.device)
    lowest = latents.new_full((rows,), torch.inf)
    before = lowest.clone()
    best = latents.clone()
    taken = torch.zeros(rows, dtype=torch.int64)
    trace, path, path_steps = [], [], []
    for step in range(steps):
        given = latents[active].requires_grad_()
        loss = objective(given)
        latents.grad[active] = torch.autograd.grad(loss.sum(), given)[0]
        with torch.no_grad():
            values = torch.full_like(lowest, torch.nan).index_copy_(0, active, loss.detach().to(lowest))
            if step == 0 and not bool(torch.isfinite(values).all()):
                raise InputError(f"Expected finite losses at the start, got {values.tolist()}; check the networks.")
            better = values < lowest  # false for NaN
            lowest = torch.where(better, values, lowest)
            best = torch.where(better[:, None], latents, best)
            taken[active.cpu()] += 1
            trace.append(values)
            if step % max(1, steps // _RECORDED) == 0:
                path.append(torch.where(rate > 0, latents, best))
                path_steps.append(step)
            here = latents.clone()
            optimizer.step()
            latents.copy_(here.lerp(latents, rate))  # Adam's step is linear in its rate
            if step % window == window - 1:
                improved = before - lowest > tolerance * lowest.abs()
                rate = torch.where(improved[:, None], rate, rate / 2)
                rate[rate < 0.5**_HALVINGS] = 0
                active = torch.nonzero(rate[:, 0]).flatten()
                before = lowest
                if not len(active):
                    break
    path.append(best)
    path_steps.append(len(trace))
    return Descent(best, lowest, torch.stack(trace, 1), taken, torch.stack(path, 1), torch.tensor(path_steps))
