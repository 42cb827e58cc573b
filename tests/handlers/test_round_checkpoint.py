"""Stopped anywhere, a training goes on from its last whole round."""

from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine, Events
from monai.engines import default_prepare_batch

from monai_cardiacgen.engines import ResumableTrainer
from monai_cardiacgen.errors import CheckpointError, DataError
from monai_cardiacgen.handlers import RoundCheckpoint


class Drawing(ResumableTrainer):
    """Adds draws to a weight; can be stopped by an error in the middle of an epoch."""

    def __init__(self, path, stop_at=None):
        self.network = torch.nn.Linear(1, 1)
        torch.nn.init.zeros_(self.network.weight)
        self.stop_at = stop_at
        super().__init__("cpu", 3, [0, 1, 2], {"network": self.network}, default_prepare_batch)
        RoundCheckpoint(path).attach(self)

    def _iteration(self, engine, batchdata):
        if engine.state.iteration == self.stop_at:
            raise KeyboardInterrupt
        with torch.no_grad():
            self.network.weight += torch.randn(1, 1, generator=self.generator)
        return {}


@pytest.mark.parametrize("stop_at", [2, 4, 9])
def test_stopped_and_started_again_it_ends_the_same(tmp_path, stop_at):
    whole = Drawing(tmp_path / "whole.pt")
    whole.run()
    with pytest.raises(KeyboardInterrupt):
        Drawing(tmp_path / "stopped.pt", stop_at).run()
    again = Drawing(tmp_path / "stopped.pt")
    again.run()
    assert torch.equal(again.network.weight, whole.network.weight)
    assert again.state.iteration == 9


def test_a_finished_training_is_not_trained_again(tmp_path):
    first = Drawing(tmp_path / "done.pt")
    first.run()
    again, iterations = Drawing(tmp_path / "done.pt"), []
    again.add_event_handler(Events.ITERATION_STARTED, lambda engine: iterations.append(1))
    again.run()
    assert not iterations
    assert torch.equal(again.network.weight, first.network.weight)


def test_a_damaged_checkpoint_is_told(tmp_path):
    (tmp_path / "damaged.pt").write_bytes(b"PK no more")
    with pytest.raises(CheckpointError, match=r"damaged\.pt"):
        Drawing(tmp_path / "damaged.pt").run()


def test_from_the_checkpoint_before_a_damaged_one_it_ends_the_same_and_says_so(tmp_path):
    whole = Drawing(tmp_path / "whole.pt")
    whole.run()
    with pytest.raises(KeyboardInterrupt):
        Drawing(tmp_path / "stopped.pt", stop_at=9).run()
    path = tmp_path / "stopped.pt"
    path.write_bytes(path.read_bytes()[:500])
    again, iterations = Drawing(path), []
    again.add_event_handler(Events.ITERATION_STARTED, lambda engine: iterations.append(engine.state.iteration))
    with pytest.warns(UserWarning, match=r"stopped\.pt is damaged .*stopped\.previous\.pt"):
        again.run()
    assert iterations == [4, 5, 6, 7, 8, 9]
    assert torch.equal(again.network.weight, whole.network.weight)


def test_a_folder_that_cannot_be_written_to_is_told_before_the_first_iteration(tmp_path):
    (tmp_path / "file").touch()
    one, iterations = Drawing(tmp_path / "file" / "training.pt"), []
    one.add_event_handler(Events.ITERATION_STARTED, lambda engine: iterations.append(1))
    with pytest.raises(DataError, match="system refuses"):
        one.run()
    assert not iterations


class Plain(Engine):
    """Adds draws of torch's own generator, begun anew each epoch, to a weight that is no part of the engine."""

    def __init__(self, path, stop_at=None, **more):
        self.network = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.network.weight)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.5, momentum=0.9)
        self.stop_at = stop_at
        super().__init__(self._step)
        self.add_event_handler(Events.EPOCH_STARTED, lambda: torch.manual_seed(self.state.epoch))
        RoundCheckpoint(path, {"network": self.network, "optimizer": self.optimizer, **more}).attach(self)

    def _step(self, engine, batchdata):
        if engine.state.iteration == self.stop_at:
            raise KeyboardInterrupt
        self.optimizer.zero_grad()
        (self.network.weight * torch.rand(1)).sum().backward()
        self.optimizer.step()


@pytest.mark.parametrize("stop_at", [2, 5])
def test_parts_of_another_engine_go_on_too(tmp_path, stop_at):
    whole, stopped, again = (
        Plain(tmp_path / f"{name}.pt", at) for name, at in zip("wss", (None, stop_at, None), strict=True)
    )
    whole.run([0, 1], max_epochs=3)
    with pytest.raises(KeyboardInterrupt):
        stopped.run([0, 1], max_epochs=3)
    again.run([0, 1], max_epochs=3)
    assert torch.equal(again.network.weight, whole.network.weight)
    assert (again.state.epoch, again.state.iteration) == (3, 6)
    with pytest.raises(CheckpointError, match="another training"):
        Plain(tmp_path / "w.pt", extra=torch.nn.Linear(1, 1)).run([0, 1], max_epochs=4)
