"""The result of a check."""

from monai_cardiacgen.bundle_checks import Check


def test_it_has_passed_when_it_was_run_and_found_nothing():
    assert Check("a").passed
    assert not Check("a", ("wrong; do this.",)).passed
    assert not Check("a", missing="it needs b.").passed
