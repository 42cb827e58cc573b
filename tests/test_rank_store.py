"""Ranks that share one list of work."""

from __future__ import annotations

from threading import Thread

import pytest
from torch.distributed import HashStore

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.rank_store import RankStore, _fresh


def test_pieces_are_handed_out_once_and_rank_0_is_first_and_last():
    store, had, order = HashStore(), [], []

    def work(rank):
        ranks = RankStore(store, rank, 3, rank)
        ranks.wait_for_begin()
        if ranks.leads:
            order.append("begun")
            ranks.begin()
        while (piece := ranks.next_piece()) < 50:
            had.append(piece)
            ranks.add_done(1)
        ranks.end()
        order.append(rank)

    threads = [Thread(target=work, args=(rank,)) for rank in (2, 1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(had) == list(range(50))
    assert RankStore(store, 0, 3, 0).add_done(0) == 50
    assert order[0] == "begun"


def test_without_a_launcher_there_is_one_rank(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    alone = RankStore.from_environment()
    assert (alone.rank, alone.world_size, alone.leads) == (0, 1, True)
    alone.wait_for_begin()
    alone.begin()
    alone.end()


def test_half_a_launcher_is_refused(monkeypatch):
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="torchrun"):
        RankStore.from_environment()


def test_every_start_has_a_fresh_part_of_a_store_that_outlives_it():
    launcher = HashStore()  # torchrun's agent keeps one store while its processes are killed and started again
    for world_size in (3, 3, 2):
        begun = {}

        def start(rank, world_size=world_size, begun=begun):
            begun[rank] = RankStore(_fresh(launcher, rank, world_size), rank, world_size, rank)

        threads = [Thread(target=start, args=(rank,)) for rank in reversed(range(world_size))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert [begun[rank].next_piece() for rank in range(world_size)] == list(range(world_size))
        assert [begun[rank].add_done(2) for rank in range(world_size)] == list(range(2, 2 * world_size + 1, 2))
