"""Points of a latent space whose hearts are likely to be as asked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..seeding import randn_rows
from .heart_attributes import HeartAttributes, Target

#: How far a training heart's number may lie from the wanted one, in standard deviations, before it is rarely chosen.
_NEAR = 0.25
#: Longest way that a point is moved, in standard deviations of the points in that direction.
_FURTHEST = 3.0
#: Part of the variance of a number below which it cannot be steered: the points hardly tell it.
_RIDGE = 1e-3


class TargetedProposal:
    r"""Draws near training hearts that are as asked for, and moves the point until its predicted numbers are.

    A training heart $i$ is chosen with a weight that falls with the distance of its numbers from the wanted ones
    $a$ (drawn evenly from their ranges) and is 0 for another category. Round it a normal step of the kernel
    density's bandwidth is taken. The point $p$ is then moved along the direction in which the numbers go with the
    points: with the regression $\hat a(p) = \bar a + c^T C^{-1} (p - \bar p)$, $C$ the covariance of the points
    and $c$ theirs with the numbers,

    $$p' = p + c\, (c^T C^{-1} c)^{-1} (a - \hat a(p)),$$

    the most likely point, for normal points, among those that are predicted to be as wanted. It is moved by three
    standard deviations at most.

    Args:
        points: standardised points of the training hearts `(N, D)`, on the CPU.
        bandwidth: standard deviation of a kernel.
        attributes: of the training hearts.
    """

    def __init__(self, points: torch.Tensor, bandwidth: float, attributes: HeartAttributes) -> None:
        self.points = points
        self.bandwidth = bandwidth
        self.attributes = attributes
        self.scales = {name: _spread(values) for name, values in attributes.numbers.items()}

    def draw(self, generators: Sequence[torch.Generator], targets: Sequence[Target]) -> torch.Tensor:
        """Return one point a generator and target, `(B, D)`."""
        return self.draw_near(generators, targets)[0]

    def draw_near(
        self, generators: Sequence[torch.Generator], targets: Sequence[Target]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return one point a generator and target, `(B, D)`, and which hearts they were drawn near, `(B,)`."""
        points, chosen = zip(*(self._draw(*pair) for pair in zip(generators, targets, strict=True)), strict=True)
        return torch.stack(points), torch.tensor(chosen)

    def _draw(self, generator: torch.Generator, target: Target) -> tuple[torch.Tensor, int]:
        ranges = {name: wanted for name, wanted in target.items() if not isinstance(wanted, str)}
        shares = torch.rand(len(ranges), generator=generator).tolist()
        wanted = {
            name: low + share * (high - low) for (name, (low, high)), share in zip(ranges.items(), shares, strict=True)
        }
        log_weights = torch.zeros(len(self.points))
        for name, value in wanted.items():
            away = (self.attributes.numbers[name] - value) / (_NEAR * self.scales[name])
            log_weights -= 0.5 * torch.nan_to_num(away.square(), nan=torch.inf)
        for name, category in target.items():
            if isinstance(category, str):
                same = [one == category for one in self.attributes.categories[name]]
                log_weights[~torch.tensor(same)] = -torch.inf
        # Far from every heart all weights vanish; the nearest is then as good as certain.
        weights = (log_weights - log_weights.max()).exp().nan_to_num(1.0)
        chosen = int(torch.multinomial(weights, 1, generator=generator))
        step = randn_rows([generator], self.points.shape[1:])[0]
        point = self.points[chosen] + self.bandwidth * step
        steered = [name for name in wanted if name in self.attributes.measured]
        return self._moved(point, steered, [wanted[name] for name in steered]) if steered else point, chosen

    def _moved(self, point: torch.Tensor, names: Sequence[str], wanted: Sequence[float]) -> torch.Tensor:
        numbers = torch.stack([self.attributes.measured[name] for name in names], dim=1)
        whole = torch.isfinite(numbers).all(dim=1)
        points, numbers = self.points[whole].double(), numbers[whole].double()
        middle, mean = points.mean(dim=0), numbers.mean(dim=0)
        spread = torch.tensor([self.scales[name] for name in names], dtype=torch.float64)
        deviations = (numbers - mean) / spread
        together = (points - middle).T @ deviations / (len(points) - 1)  # c, (D, A)
        covariance = torch.cov(points.T) + 1e-6 * torch.eye(points.shape[1], dtype=torch.float64)
        regression = torch.linalg.solve(covariance, together)  # C^-1 c, (D, A)
        explained = together.T @ regression + _RIDGE * torch.eye(len(names), dtype=torch.float64)
        predicted = (point.double() - middle) @ regression
        missing = (torch.tensor(wanted, dtype=torch.float64) - mean) / spread - predicted
        step = torch.linalg.solve(explained, missing)
        # In deviations of the points along the way: further out there are no hearts to learn from.
        length = float((step @ explained @ step).clamp_min(0).sqrt())
        moved: torch.Tensor = point.double() + min(1.0, _FURTHEST / max(length, 1e-9)) * (together @ step)
        return moved.to(point)


def _spread(values: torch.Tensor) -> float:
    finite = values[torch.isfinite(values)]
    return max(float(finite.std()) if len(finite) > 1 else 0.0, 1e-6)
