"""Rows and sums over ranks, alone and between two processes."""

from __future__ import annotations

import json
import subprocess
import sys

import torch

from monai_cardiacgen.ranks import all_rows, mean_of_ranks, of_first_rank, own_rows, rank, world_size

ONE_OF_TWO = """
import json, sys, torch
from torch import distributed
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.ranks import all_rows, mean_of_ranks, of_first_rank, own_rows, rank, world_size

distributed.init_process_group("gloo", init_method=sys.argv[1], rank=int(sys.argv[2]), world_size=2)
mine = torch.tensor([[1.0, 2.0], [3.0, 4.0]]) + 10 * rank()
found = {
    "who": [rank(), world_size()],
    "all": all_rows(mine).tolist(),
    "own": own_rows(all_rows(mine)).tolist(),
    "mean": {name: float(value) for name, value in mean_of_ranks({"a": mine.sum(), "b": mine[0, 0]}).items()},
    "first": of_first_rank([rank(), "said"]),
}
try:
    all_rows(mine[: 1 + rank()])
except InputError as error:
    found["uneven"] = str(error)
print(json.dumps(found))
distributed.destroy_process_group()
"""


def test_one_process_has_all_rows():
    rows = torch.arange(6.0).view(3, 2)
    assert (rank(), world_size()) == (0, 1)
    assert own_rows(rows).equal(rows)
    assert all_rows(rows).equal(rows)
    assert mean_of_ranks({"loss": rows[1, 1]}) == {"loss": torch.tensor(3.0)}
    assert of_first_rank("said") == "said"


def test_two_ranks_share_rows_means_and_words(tmp_path):
    store = f"file://{tmp_path / 'store'}"
    command = [sys.executable, "-c", ONE_OF_TWO, store]
    started = [subprocess.Popen([*command, str(one)], stdout=subprocess.PIPE, text=True) for one in range(2)]
    try:
        first, second = (json.loads(one.communicate(timeout=100)[0].splitlines()[-1]) for one in started)
    finally:
        for one in started:
            one.kill()
    assert (first["who"], second["who"]) == ([0, 2], [1, 2])
    # As DistributedSampler deals: 0 to the first, 1 to the second, 2 to the first.
    assert first["all"] == second["all"] == [[1.0, 2.0], [11.0, 12.0], [3.0, 4.0], [13.0, 14.0]]
    assert first["own"] == [[1.0, 2.0], [3.0, 4.0]]
    assert second["own"] == [[11.0, 12.0], [13.0, 14.0]]
    assert first["mean"] == second["mean"] == {"a": (10.0 + 50.0) / 2, "b": (1.0 + 11.0) / 2}
    assert first["first"] == second["first"] == [0, "said"]
    assert "[1, 2]" in first["uneven"]
    assert first["uneven"] == second["uneven"]
