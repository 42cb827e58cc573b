"""A random transform of whole batches, written once: array, dictionary and batch form come from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.engines import PrepareBatch
from monai.transforms import MapTransform, Randomizable, RandomizableTransform
from monai.utils import TransformBackends
from monai.utils.misc import get_seed

from ..errors import InputError
from ..seeding import row_generators, seeded
from .entries import told_entries
from .plain_tensor import plain_tensor
from .provenance import Record, write_records
from .spacing import told_spacings

#: What one row's transform is told: all that was drawn for it.
Choice = TypeVar("Choice")
Tensors = tuple[torch.Tensor, ...]
Told = Sequence[tuple[float, ...] | None]

_SEED_RANGE = 2**63 - 1


class RandBatchTransform(RandomizableTransform, ABC, Generic[Choice]):
    """Base of the array form: a random transform of tensors that belong together, such as image and label.

    A subclass writes two methods. `sample` draws all that is random for one row, on the CPU; `apply` turns
    whole batches into new ones and draws nothing. Where it needs to know what a sample tells beside its
    tensors, such as its view, `entries` names it and `told` joins it to the drawn choice. From one integer of
    MONAI's `self.R` comes a generator a row, so a row's result depends on its own pixels and draws, not on the
    rows beside it, and CPU and GPU draw alike.

    Args:
        prob: how often a sample is transformed, in [0, 1]; in a batch, each row for itself.

    Raises:
        InputError: when `prob` is not in [0, 1].
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own declaration

    def __init__(self, prob: float) -> None:
        if not 0.0 <= prob <= 1.0:
            raise InputError(f"Expected prob in [0, 1], got {prob!r}; 0.5 is every other sample.")
        super().__init__(prob)
        self._choices: list[Choice | None] = []

    @abstractmethod
    def sample(self, generator: torch.Generator) -> Choice:
        """Draw all that is random for one row."""

    @abstractmethod
    def apply(self, tensors: Tensors, spacings: Told, choices: Sequence[Choice]) -> tuple[Tensors, list[Record | None]]:
        """Transform a batch; nothing is drawn here, and nothing changed in place.

        Args:
            tensors: plain tensors `(B, C, *spatial)` on one device.
            spacings: mm of each row, None where the sample does not tell it.
            choices: what `sample` drew for each row.

        Returns:
            The new tensors, same shapes and dtypes; each row's record, None for a row that was left as it is.
        """

    @property
    @abstractmethod
    def spatial_dims(self) -> int:
        """How many of the spatial axes `spacings` tells."""

    @property
    def entries(self) -> tuple[str, ...]:
        """Names of what `told` wants to know of a sample: keys of its dictionary, or of its first tensor's meta."""
        return ()

    def told(self, choice: Choice, entries: Mapping[str, Any]) -> Choice:
        """Return a drawn choice joined with what the sample tells of itself, as far as it has the entries."""
        return choice

    def randomize(self, data: Any = None) -> None:
        """Draw for `data` rows (1 by default): one integer from `self.R`, a generator a row from it."""
        generators = row_generators(seeded(int(self.R.randint(_SEED_RANGE, dtype=np.int64))), data or 1)
        self._choices = [self._choose(generator) for generator in generators]
        self._do_transform = any(choice is not None for choice in self._choices)

    def transform_sample(
        self, arrays: Sequence[Any], choice: Choice | None, data: Mapping[Any, Any] | None = None
    ) -> tuple[Any, ...]:
        """Return one sample's arrays `(C, *spatial)`, transformed as `choice` says and of the same types.

        Args:
            arrays: the sample's tensors.
            choice: what was drawn; None leaves the sample as it is.
            data: the sample's dictionary, where it has one.
        """
        tensors = tuple(plain_tensor(array)[None] for array in arrays)
        if choice is not None:
            choice = self.told(choice, told_entries(self.entries, data or {}, arrays[0]))
        values, records = self._transform(tensors, told_spacings(arrays[0], 1, self.spatial_dims), [choice])
        return tuple(_as_came(value[0], array, records) for value, array in zip(values, arrays, strict=True))

    def transform_batch(
        self,
        batches: Sequence[torch.Tensor],
        choices: Sequence[Choice | None],
        data: Mapping[Any, Any] | None = None,
    ) -> Tensors:
        """Return a collated batch's tensors `(B, C, *spatial)`, each row transformed as its choice says."""
        tensors = tuple(plain_tensor(batch) for batch in batches)
        rows = {len(tensor) for tensor in tensors}
        if rows != {len(choices)}:
            raise InputError(
                f"Expected {len(choices)} rows in every tensor of the batch, got {sorted(rows)}; collate one batch."
            )
        choices = [
            None if choice is None else self.told(choice, told_entries(self.entries, data or {}, batches[0], row))
            for row, choice in enumerate(choices)
        ]
        values, records = self._transform(tensors, told_spacings(batches[0], len(choices), self.spatial_dims), choices)
        return tuple(_as_came(value, batch, records) for value, batch in zip(values, batches, strict=True))

    def draw_and_transform(self, arrays: Sequence[Any], data: Mapping[Any, Any] | None = None) -> tuple[Any, ...]:
        """Draw for one sample, and return its arrays transformed or, with `prob=0`, the very same objects."""
        self.randomize()
        return tuple(arrays) if self.prob == 0 else self.transform_sample(arrays, self._choices[0], data)

    def draw_and_transform_batch(
        self, batches: Sequence[torch.Tensor], data: Mapping[Any, Any] | None = None
    ) -> Tensors:
        """Draw for every row of a batch, and return its tensors transformed."""
        self.randomize(len(batches[0]))
        return tuple(batches) if self.prob == 0 else self.transform_batch(batches, self._choices, data)

    def move_to(self, device: torch.device) -> None:
        """Bring what computes to a batch's device; a transform without networks has nothing to bring."""

    def _choose(self, generator: torch.Generator) -> Choice | None:
        """Draw whether, and the rest in any case: `prob` changes which rows, never what they become."""
        drawn = float(torch.rand((), generator=generator)) < self.prob
        choice = self.sample(generator)
        return choice if drawn else None

    def _transform(
        self, tensors: Tensors, spacings: Told, choices: Sequence[Choice | None]
    ) -> tuple[Tensors, list[Record | None]]:
        """Transform the rows that were drawn and put them among the others."""
        drawn = [(row, choice) for row, choice in enumerate(choices) if choice is not None]
        records: list[Record | None] = [None] * len(choices)
        if not drawn:
            return tensors, records
        rows = [row for row, _ in drawn]
        index = [torch.tensor(rows, device=tensor.device) for tensor in tensors]
        chosen = tuple(tensor[at] for tensor, at in zip(tensors, index, strict=True))
        with torch.no_grad():
            made, new = self.apply(chosen, [spacings[row] for row in rows], [choice for _, choice in drawn])
            values = tuple(
                old.index_copy(0, at, one.to(old.device)) for old, at, one in zip(tensors, index, made, strict=True)
            )
        for row, record in zip(rows, new, strict=True):
            records[row] = record
        return values, records


class _Chance:
    """How often a form of a transform acts: what its array form says."""

    transform: RandBatchTransform[Any]

    @property
    def prob(self) -> float:
        """How often a sample is transformed; setting it changes the array form."""
        return float(self.transform.prob)

    @prob.setter
    def prob(self, prob: float) -> None:
        self.transform.prob = prob


class RandBatchTransformd(_Chance, Randomizable, MapTransform):
    """Base of the dictionary form; a subclass only states its signature and builds its array form.

    All keys share one draw. With `allow_missing_keys`, a dictionary that lacks a key passes as it is.

    Args:
        keys: the tensors in the order of the array form's arguments.
        transform: the array form.
        allow_missing_keys: whether a missing key is no error.
    """

    backend = RandBatchTransform.backend

    def __init__(
        self, keys: KeysCollection, transform: RandBatchTransform[Any], allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = transform

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> RandBatchTransformd:
        """Seed the array form, which draws for this one: the same seed gives the same result in both."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(seed, state)
        return self

    def randomize(self, data: Any = None) -> None:
        """Draw for `data` rows; see the array form."""
        self.transform.randomize(data)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the dictionary with the keys' tensors transformed and all else as it was.

        Raises:
            KeyError: when a key is missing and that was not allowed.
        """
        result = dict(data)
        if self._has_all(data):
            new = self.transform.draw_and_transform([data[key] for key in self.keys], data)
            result.update(zip(self.keys, new, strict=True))
        return result

    def prepare_batch(self) -> PrepareRandBatch:
        """Return the batch form, for MONAI's engines; it draws from this transform's random state."""
        return PrepareRandBatch(self.transform, self.keys)

    def _has_all(self, data: Mapping[Hashable, Any]) -> bool:
        missing = [key for key in self.keys if key not in data]
        if missing and not self.allow_missing_keys:
            raise KeyError(
                f"Expected the keys {self.keys}, got a dictionary without {missing}; "
                f"name your own keys, or pass allow_missing_keys=True."
            )
        return not missing


class PrepareRandBatch(_Chance, PrepareBatch):
    """The batch form: moves a collated batch to the engine's device and transforms it there.

    It runs where the engine runs, not in the loader's workers, so its draws do not depend on their number.
    Seed it with `set_random_state` of the transform; where that was never called, with the seed of
    `set_determinism`.

    Args:
        transform: the array form.
        keys: of the batch, in the order of the array form's arguments.
    """

    def __init__(self, transform: RandBatchTransform[Any], keys: Sequence[Hashable]) -> None:
        self.transform = transform
        self.keys = tuple(keys)
        seed = get_seed()
        if "R" not in vars(transform) and seed is not None:
            transform.set_random_state(seed=seed)

    def __call__(
        self,
        batchdata: Mapping[Any, Any],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> Tensors:
        """Return the keys' tensors `(B, C, *spatial)` on `device`, as the engine expects them.

        Args:
            batchdata: a collated batch.
            device: where to compute and return; by default, where the batch is.
            non_blocking: as in `Tensor.to`.
            kwargs: further arguments of `Tensor.to`, as MONAI's engines pass them.

        Raises:
            KeyError: when the batch lacks a key.
        """
        missing = [key for key in self.keys if key not in batchdata]
        if missing:
            raise KeyError(f"Expected a batch with the keys {self.keys}, got one without {missing}.")
        tensors = [batchdata[key].to(device=device, non_blocking=non_blocking, **kwargs) for key in self.keys]
        self.transform.move_to(tensors[0].device)
        return self.transform.draw_and_transform_batch(tensors, batchdata)


def _as_came(values: torch.Tensor, like: Any, records: Sequence[Record | None]) -> Any:
    """Return `values` as what they came as; only a `MetaTensor` can carry a record."""
    if isinstance(like, MetaTensor):
        return write_records(values, like, records)
    return values.numpy().astype(like.dtype, copy=False) if isinstance(like, np.ndarray) else values
