"""Curves against means by hand, and through a stop."""

from __future__ import annotations

from ignite.engine import Engine

from monai_cardiacgen.data.files import read_csv
from monai_cardiacgen.handlers import LossCurves


def run(curves: LossCurves, losses: list[float], epochs: int) -> None:
    engine = Engine(lambda engine, value: {"loss": value, "twice": 2 * value, "image": "not a number"})
    curves.attach(engine)
    engine.run(losses, max_epochs=epochs)


def test_means_of_each_epoch():
    curves = LossCurves()
    run(curves, [1.0, 2.0, 6.0], epochs=2)
    assert curves.rows == [
        {"iteration": 3, "loss": 3.0, "twice": 6.0},
        {"iteration": 6, "loss": 3.0, "twice": 6.0},
    ]


def test_goes_on_after_a_stop():
    before, after = LossCurves(), LossCurves()
    run(before, [1.0], epochs=2)
    after.load_state_dict(before.state_dict())
    run(after, [5.0], epochs=1)
    assert [row["loss"] for row in after.rows] == [1.0, 1.0, 5.0]
    assert len(before.rows) == 2


def test_a_file_keeps_the_rows_through_a_stop_and_forgets_epochs_that_were_not_saved(tmp_path):
    path = tmp_path / "curves.csv"
    run(LossCurves(path), [1.0, 2.0], epochs=3)
    assert [float(row["loss"]) for row in read_csv(path)] == [1.5, 1.5, 1.5]
    curves = LossCurves(path)
    engine = Engine(lambda engine, value: {"loss": value})
    curves.attach(engine)
    # The last epoch of the run before was stopped before its training was saved.
    engine.load_state_dict({"epoch_length": 2, "max_epochs": 4, "epoch": 2})
    engine.run([5.0, 7.0], max_epochs=4)
    assert [(row["iteration"], row["loss"]) for row in curves.rows] == [(2, 1.5), (4, 1.5), (6, 6.0), (8, 6.0)]
    assert [int(row["iteration"]) for row in read_csv(path)] == [2, 4, 6, 8]


def test_a_new_training_begins_its_file_anew(tmp_path):
    for loss in (1.0, 2.0):
        run(LossCurves(tmp_path / "curves.csv"), [loss], epochs=1)
    assert [float(row["loss"]) for row in read_csv(tmp_path / "curves.csv")] == [2.0]


def test_decollated_outputs_give_the_same_rows():
    rows = {}
    for rows_a_batch in (None, 3):
        curves = LossCurves()
        engine = Engine(lambda engine, value, n=rows_a_batch: [{"loss": value}] * n if n else {"loss": value})
        curves.attach(engine)
        engine.run([1.0, 4.0], max_epochs=1)
        rows[rows_a_batch] = curves.rows
    assert rows[3] == rows[None] == [{"iteration": 2, "loss": 2.5}]
