"""Several processes that share one list of work: PyTorch's launcher starts them, its store hands the work out."""

from __future__ import annotations

import os
import secrets
import time

from torch.distributed import HashStore, PrefixStore, Store  # type: ignore[attr-defined]  # PyTorch exports them by another name
from torch.distributed.rendezvous import rendezvous

from .errors import InputError

_POLL = 0.05  # seconds


class RankStore:
    """What the ranks of one run tell each other: who begins, which piece of work is next, how much is done.

    Work is handed out piece by piece through a counter in the store, not cut beforehand: a slow machine takes less
    of it. When `torchrun` starts its processes again, because one was lost or a machine came, the counter begins anew.

    Args:
        store: shared by all ranks.
        rank: from 0.
        world_size: how many ranks there are.
        local_rank: the number among the ranks of this machine, which picks the device.

    Example:
        >>> alone = RankStore(HashStore(), rank=0, world_size=1, local_rank=0)
        >>> [alone.next_piece(), alone.next_piece(), alone.add_done(8), alone.add_done(8)]
        [0, 1, 8, 16]
    """

    def __init__(self, store: Store, rank: int, world_size: int, local_rank: int) -> None:
        self.store = store
        self.rank = rank
        self.world_size = world_size
        self.local_rank = local_rank

    @classmethod
    def from_environment(cls) -> RankStore:
        """Return what `torchrun`, or another launcher that sets PyTorch's variables, says; one rank without it.

        Raises:
            InputError: when the launcher's variables do not fit together.
        """
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls(HashStore(), 0, 1, 0)
        try:
            store, rank, world_size = next(rendezvous("env://"))
        except ValueError as error:
            raise InputError(
                f"Expected the variables RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT of a launcher ({error}); "
                f"start the command with torchrun."
            ) from error
        return cls(_fresh(store, rank, world_size), rank, world_size, int(os.environ.get("LOCAL_RANK", rank)))

    @property
    def leads(self) -> bool:
        """Whether this is rank 0, which begins, ends and reports."""
        return self.rank == 0

    def next_piece(self) -> int:
        """Return the number of a piece of work that no rank has had yet: 0, 1, 2, ..."""
        return int(self.store.add("pieces", 1)) - 1

    def add_done(self, count: int) -> int:
        """Add to what is done and return the sum of all ranks; 0 only asks."""
        return int(self.store.add("done", count))

    def begin(self) -> None:
        """As rank 0, let the others begin."""
        self.store.set("begun", "")

    def wait_for_begin(self) -> None:
        """As any other rank, wait until rank 0 lets it begin."""
        if not self.leads:
            _wait(self.store, ["begun"])

    def end(self) -> None:
        """Say that this rank has ended; as rank 0, wait until all have."""
        self.store.set(f"ended/{self.rank}", "")
        if self.leads:
            _wait(self.store, [f"ended/{rank}" for rank in range(self.world_size)])


def _fresh(store: Store, rank: int, world_size: int) -> Store:
    """Return a part of the launcher's store that no earlier start of the ranks has used.

    The store may outlive the processes, and nothing in their environment numbers their starts. So rank 0 thinks of a
    new name, and answers each rank's call with it until all have come; calls of ranks that are dead are answered in
    vain. The launcher stops all processes of one start before the next.
    """
    call = secrets.token_hex(8)
    if rank:
        store.set(f"call/{rank}", call)
        _wait(store, [f"answer/{call}"])
        name = store.get(f"answer/{call}").decode()
        store.set(f"{name}/come/{rank}", "")
        return PrefixStore(name, store)
    awaited = set(range(1, world_size))
    while awaited:
        for other in sorted(awaited):
            if store.check([f"call/{other}"]):
                store.set(f"answer/{store.get(f'call/{other}').decode()}", call)
        awaited = {other for other in awaited if not store.check([f"{call}/come/{other}"])}
        time.sleep(_POLL if awaited else 0)
    return PrefixStore(call, store)


def _wait(store: Store, keys: list[str]) -> None:
    """Wait until all keys are there, however long; the store's own `wait` would not let Ctrl-C or SIGTERM in."""
    while not store.check(keys):
        time.sleep(_POLL)


__all__ = ["RankStore"]
