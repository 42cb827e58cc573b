"""Work done in a process that has imported PyTorch and MONAI, and nothing else: no test has run in it.

A process that is forked from one in which tests have run inherits what their libraries' threads held or waited for, but
not these threads.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: What forks such processes.
IMPORTED = multiprocessing.get_context("forkserver")
IMPORTED.set_forkserver_preload(["monai.bundle", "monai_cardiacgen.engines", "monai_cardiacgen.studies"])

_SECONDS = 240


def done_apart(said: Path, function: Callable[..., Any], *arguments: Any) -> None:
    """Call a module's function in a process of its own; one that raises, or hangs, fails the test and says where.

    Args:
        said: a file for what it prints; removed when all went well.
        function: found by name in a module that can be imported.
        arguments: of the function.
    """
    process = IMPORTED.Process(target=_call, args=(said, function, arguments))
    process.start()
    process.join(_SECONDS + 30)
    process.kill()
    process.join()
    assert process.exitcode == 0, said.read_text()[-6000:]
    said.unlink()


def _call(said: Path, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        faulthandler.dump_traceback_later(_SECONDS, exit=True, file=file)
        function(*arguments)
        faulthandler.cancel_dump_traceback_later()
