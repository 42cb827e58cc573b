"""The standard error of a statistic of two samples, from what it is without each of their groups."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..errors import InputError


def jackknife_error(*without: Sequence[float]) -> float:
    r"""Return the jackknife standard error of a statistic of one or more independent samples.

    $$\mathrm{se}^2 = \sum_s \frac{G_s - 1}{G_s} \sum_{g=1}^{G_s} (\theta_{s(-g)} - \bar\theta_s)^2$$

    with $\theta_{s(-g)}$ the statistic without group $g$ of sample $s$.

    Args:
        without: for each sample the values without each of its groups, at least two.

    Raises:
        InputError: for fewer groups.

    Example:
        >>> values = torch.tensor([1.0, 2.0, 4.0, 7.0])
        >>> means = [(float(values.sum() - value)) / 3 for value in values]
        >>> abs(jackknife_error(means) - float(values.std()) / 2) < 1e-6  # a mean's own standard error
        True

    Source:
        Arvesen, "Jackknifing U-statistics", The Annals of Mathematical Statistics 1969, DOI 10.1214/aoms/1177697287.
    """
    variance = 0.0
    for values in without:
        known = torch.tensor(list(values), dtype=torch.float64)
        if len(known) < 2:
            raise InputError(f"Expected at least two groups in every sample, got {len(known)}; leave the error out.")
        variance += (len(known) - 1) * float(known.var(correction=0))
    return math.sqrt(variance)


__all__ = ["jackknife_error"]
