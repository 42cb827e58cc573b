"""A task on many studies: on whatever device is there, and past those that cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from monailabel.interfaces.tasks.batch_infer import BatchInferTask

from ...errors import CardiacGenError
from ..task import number
from .checked_datastore import CheckedDatastore


class StudiesBatchInfer(BatchInferTask):
    """MONAI Label's batch inference, which by itself asks for GPUs and ends at the first study that fails."""

    def __call__(
        self, request: Mapping[str, Any], datastore: CheckedDatastore, infer: Callable[..., dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the answer for every study, `{"error": sentence}` where there is none.

        Raises:
            InputError: for a number of studies that is none.
        """
        gpus = torch.cuda.device_count()
        most = int(number({"max_batch_size": 0, **request}, "max_batch_size", 0, 10**9))
        asked = {
            **request,
            "max_batch_size": most,
            "max_workers": 1,
            "gpus": "all",
            "device": "cuda" if gpus else "cpu",
        }
        asked["multi_gpu"] = bool(request.get("multi_gpu")) and gpus > 1

        def tried(one: dict[str, Any], store: CheckedDatastore) -> dict[str, Any]:
            try:
                return infer(one, store)
            except CardiacGenError as error:
                return {"error": str(error)}

        answers: dict[str, Any] = super().__call__(asked, datastore, tried)
        return answers


__all__ = ["StudiesBatchInfer"]
