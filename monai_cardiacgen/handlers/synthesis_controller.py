"""Synthesis that polices itself: it stays in a training only where validation does not lose by it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, Protocol

import torch
from ignite.engine import Engine, Events
from scipy.stats import ttest_rel

from ..errors import InputError, ShapeError


class Replacing(Protocol):
    """A random transform, or its batch form, that replaces samples with probability `prob`."""

    prob: float


class Stateful(Protocol):
    """A network, an optimizer, a schedule: what a training changes."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that has changed."""
        ...

    def load_state_dict(self, state: Any) -> Any:
        """Put it back."""
        ...


class SynthesisController:
    """Tries at set epochs whether synthesis helps or hurts, and sets the transform's `prob` by the answer.

    A trial is a short A/B run from one state: `length` epochs with synthesis, then, from the same weights, as many
    without. Validation scores both, patient by patient. Where a one-sided paired t-test finds the side with synthesis
    worse, the training goes on without it, from the weights of the other side; else it goes on with synthesis, from its
    own weights. So one side's epochs are lost: plan `length` more for each trial.

    A trial sees what synthesis does within `length` epochs, not what it would do in the end. A later one may find
    otherwise: what hurts a network that knows little may help one that knows more, and the other way round. In a loader
    with persistent workers the workers' copies of the transform never hear of it: use the batch form there.

    Args:
        transform: `RandCardiacSynth(d)` or its `prepare_batch()`; its `prob` at the begin is that of the side with
            synthesis.
        parts: by name, all that is put back between the sides: network, optimizer, schedule, averages.
        validate: returns one score for each validation patient `(P,)`, in the same order each time, higher is better,
            NaN for none; it must leave `parts` as they are.
        trials: epochs after which a trial begins; 0 is the begin of the training.
        length: epochs of each side.
        level: share of harmless synthesizers that may be switched off, in (0, 1).

    Attributes:
        history: a dictionary a trial: `epoch` at its end, `with` and `without` (mean scores), `p_value` and the `prob`
            that it led to.

    Raises:
        InputError: when an argument is out of its range, trials overlap, or `transform` has no `prob` above 0.

    Example:
        ```python
        synth = RandCardiacSynthd(keys, synthesizer, prob=0.5).prepare_batch()
        trainer = SupervisedTrainer(..., prepare_batch=synth)
        parts = {"network": network, "optimizer": optimizer}
        SynthesisController(synth, parts, dice_of_each_patient, trials=(2, 10), length=2).attach(trainer)
        ```
    """

    def __init__(
        self,
        transform: Replacing,
        parts: Mapping[str, Stateful],
        validate: Callable[[], torch.Tensor],
        trials: Collection[int] = (1,),
        length: int = 1,
        level: float = 0.05,
    ) -> None:
        begins = sorted(trials)
        if length < 1 or not begins or begins[0] < 0 or not 0 < level < 1:
            raise InputError(
                f"Expected trials from epoch 0 on, a length of at least 1 and a level in (0, 1), got {tuple(trials)}, "
                f"{length} and {level}."
            )
        if any(later - earlier < 2 * length for earlier, later in itertools.pairwise(begins)):
            raise InputError(f"Expected at least {2 * length} epochs from one trial to the next, got {tuple(trials)}.")
        if not transform.prob > 0:
            raise InputError(f"Expected a transform with prob above 0 to try, got {transform.prob}.")
        self.transform, self.parts, self.validate = transform, dict(parts), validate
        self.trials, self.length, self.level = tuple(begins), length, level
        self.prob = float(transform.prob)
        self.history: list[dict[str, float]] = []
        self._side: Literal["", "with", "without"] = ""
        self._end = 0  # the side's last epoch
        self._begun: dict[str, Any] = {}  # the parts when the trial began
        self._with: dict[str, Any] = {}  # the parts at the end of the side with synthesis, and its scores

    def attach(self, engine: Engine) -> None:
        """Follow this engine."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._step)

    def state_dict(self) -> dict[str, Any]:
        """Return all that a stopped training needs to go on, a trial's weights included."""
        kept = ("history", "_side", "_end", "_begun", "_with")
        return copy.deepcopy({"prob": float(self.transform.prob), **{name: getattr(self, name) for name in kept}})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name, value in copy.deepcopy(dict(state)).items():
            if name != "prob":
                setattr(self, name, value)
        self.transform.prob = float(state["prob"])

    def _start(self, engine: Engine) -> None:
        if engine.state.epoch == 0 and 0 in self.trials:
            self._begin(0)

    def _step(self, engine: Engine) -> None:
        epoch = engine.state.epoch
        if self._side and epoch == self._end:
            self._end_of_side(epoch)
        if not self._side and epoch in self.trials:
            self._begin(epoch)

    def _begin(self, epoch: int) -> None:
        self._begun = self._state_of_parts()
        self._side, self._end = "with", epoch + self.length
        self.transform.prob = self.prob

    def _end_of_side(self, epoch: int) -> None:
        scores = self._scores()
        if self._side == "with":
            self._with = {"parts": self._state_of_parts(), "scores": scores}
            self._put_back(self._begun)
            self._side, self._end = "without", epoch + self.length
            self.transform.prob = 0.0
            return
        before = self._with["scores"]
        if before.shape != scores.shape:
            raise ShapeError(f"Expected a score for each of {len(before)} patients, got {len(scores)}.")
        both = ~(before.isnan() | scores.isnan())
        hurts, p_value = _is_less(before[both], scores[both], self.level)
        if not hurts:
            self._put_back(self._with["parts"])
            self.transform.prob = self.prob
        means = {"with": float(before[both].mean()), "without": float(scores[both].mean())}
        self.history.append({"epoch": epoch, **means, "p_value": p_value, "prob": float(self.transform.prob)})
        self._side, self._begun, self._with = "", {}, {}

    def _scores(self) -> torch.Tensor:
        scores = torch.as_tensor(self.validate(), dtype=torch.float64).detach().cpu()
        if scores.ndim != 1 or int((~scores.isnan()).sum()) < 2:
            raise ShapeError(
                f"Expected scores (P,) of at least 2 validation patients, got shape {tuple(scores.shape)} with "
                f"{int((~scores.isnan()).sum())} numbers; score each patient by itself."
            )
        return scores

    def _state_of_parts(self) -> dict[str, Any]:
        return {name: copy.deepcopy(part.state_dict()) for name, part in self.parts.items()}

    def _put_back(self, states: Mapping[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(copy.deepcopy(states[name]))


def _is_less(one: torch.Tensor, other: torch.Tensor, level: float) -> tuple[bool, float]:
    """Return whether `one` is smaller on the average, and the p value of the one-sided paired t-test."""
    difference = one - other
    if bool((difference == difference[0]).all()):  # no spread, no test
        return bool(difference[0] < 0), 0.0 if bool(difference[0] < 0) else 1.0
    p_value = float(ttest_rel(one.numpy(), other.numpy(), alternative="less").pvalue)
    return p_value < level, p_value


__all__ = ["SynthesisController"]
