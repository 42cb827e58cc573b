"""Curves against means by hand, and through a stop."""

from __future__ import annotations

from ignite.engine import Engine

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
