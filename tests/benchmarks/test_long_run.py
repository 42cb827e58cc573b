"""A short run of the transform in workers, and figures that would tell a leak."""

from __future__ import annotations

import mmap
import sys

import numpy as np
import pytest

from benchmarks.long_run import growth_over_second_half, held, held_by_workers, more_than_in_first_half


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what a process holds")
def test_workers_hold_no_more_threads_and_files_after_many_samples(capsys):
    assert held_by_workers(samples=96, workers=2, flat=32.0)  # memory is still rising to its level
    assert "96 samples" in capsys.readouterr().out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what a process holds")
def test_an_open_file_and_a_growing_process_are_seen(tmp_path):
    before = held()
    with (tmp_path / "open").open("w"):
        kept = mmap.mmap(-1, 64 * 2**20)  # fresh pages, which count once they are written to
        kept.write(b"1" * len(kept))
        after = held()
    assert after["files"] == before["files"] + 1
    assert after["memory"] - before["memory"] > 60 * 2**20
    kept.close()


def test_a_line_of_known_slope():
    noise = np.random.default_rng(0).normal(0, 2**18, 2000)
    growth, scatter = growth_over_second_half(2**28 + 2**12 * np.arange(2000) + noise)  # 4 KiB a sample
    assert abs(growth - 1000 * 2**12 / 2**20) < 0.1
    assert abs(scatter - 0.25) < 0.02
    assert more_than_in_first_half([3, 4, 3, 4, 5, 4]) == 1
    assert more_than_in_first_half([3, 5, 3, 4, 5, 4]) == 0
