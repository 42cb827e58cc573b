"""The label server under several clients that send good and bad requests at once.

```
python -m benchmarks.label_load --clients 8 --seconds 120
```

It runs in MONAI Label's environment (`make test-label` builds it), on phantom patients and on the loopback alone. Every
client sends its own sequence of requests, which follows from the seed. Afterwards every label that was answered with
success must come back bit by bit, and once more after the server was killed and started again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import requests

from monai_cardiacgen.phantom import write_acdc_phantom

from .label_server import LabelServer, served

BUNDLES = ("cardiac_segmentation", "cine_mr_vaegan")
#: What memory may grow from the third to the last quarter, in MiB (medians).
_FLAT = 16.0
#: What the server may hold more of at the end than at half time: connections that a client has just closed.
_MORE = {"threads": 2, "files": 8}
SHARED = "shared"


@dataclass
class Figures:
    """What was seen of the server.

    Attributes:
        statuses: answers by kind of request and status.
        faults: what should not have been, in words.
        labels: the last label that a client sent with success, by study and tag.
        shared: labels that any client sent with success under the one tag that all use, by study.
        held: the server's memory, threads and open files, second by second.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    labels: dict[tuple[str, str], bytes] = field(default_factory=dict)
    shared: dict[str, set[bytes]] = field(default_factory=dict)
    held: list[dict[str, int]] = field(default_factory=list)

    def growth(self) -> float:
        """Return by how many MiB memory grew from the third to the last quarter, by their medians."""
        memory = np.array([one["memory"] for one in self.held]) / 2**20
        quarter = max(len(memory) // 4, 1)
        return float(np.median(memory[-quarter:]) - np.median(memory[-2 * quarter : -quarter]))

    def more(self) -> dict[str, int]:
        """Return how many threads and files more the server held at the end than at half time."""
        half = self.held[: max(len(self.held) // 2, 1)]
        return {name: self.held[-1][name] - max(one[name] for one in half) for name in _MORE}


class Client:
    """One client: a seeded sequence of requests, and what it expects of each.

    Args:
        server: to ask.
        number: of the client.
        seed: of all.
        label: of each study, as `(header, codes)`.
        figures: where to write down what was seen.
        lock: of the figures.
    """

    def __init__(
        self,
        server: LabelServer,
        number: int,
        seed: int,
        label: dict[str, nib.Nifti1Image],
        figures: Figures,
        lock: threading.Lock,
    ) -> None:
        self.server, self.number, self.drawn = server, number, label
        self.figures, self.lock = figures, lock
        self.random = random.Random(f"{seed} {number}")
        self.made = 0
        self.good: dict[str, Callable[[str], requests.Response]] = {
            "info": lambda study: server.get("/info/"),
            "list": lambda study: server.get("/datastore/?output=all"),
            "next sample": lambda study: server.post("/activelearning/random"),
            "label": self._label,
            "shared label": self._shared_label,
            "segment": lambda study: server.infer("cardiac_segmentation", study, "image"),
            "synthesize": lambda study: server.infer("synthesize", study, "image", seed=self.random.randrange(10**6)),
            "vary": lambda study: server.infer("vary", study, seed=self.random.randrange(10**6)),
            "repair": lambda study: server.infer("repair", study, "image", label=self._distinct(study)),
            "case": self._case,
        }
        part = gzip.compress(b"x" * 1000)
        self.bad: dict[str, Callable[[str], requests.Response]] = {
            "unknown study": lambda study: server.infer("vary", "nobody"),
            "unknown task": lambda study: server.infer("nothing", study),
            "empty label": lambda study: server.put_label(study, "final", b""),
            "corrupt label": lambda study: server.put_label(study, "final", part),
            "cut label": lambda study: server.put_label(study, "final", self._distinct(study)[:300]),
            "wrong codes": lambda study: server.put_label(study, "final", self._distinct(study, 7)),
            "corrupt image": lambda study: server.put("/datastore/image?image=new", files={"file": ("a.nii", part)}),
            "path": lambda study: server.infer("vary", "/etc/passwd"),
            "way out": lambda study: server.put_label("..%2F..%2Fout", "final", self._distinct(study)),
            "tag way out": lambda study: server.put_label(study, "..%2Fx", self._distinct(study)),
            "no JSON": lambda study: server.post(f"/infer/vary?image={study}", data={"params": "{"}),
            "strength": lambda study: server.infer("vary", study, strength=9),
            "unknown label": lambda study: server.label(study, "nothing"),
            "unknown strategy": lambda study: server.post("/activelearning/nothing"),
        }

    def ask(self) -> None:
        """Send one request and write down its answer."""
        study = self.random.choice(sorted(self.drawn))
        good = self.random.random() < 0.6
        kind = self.random.choice(sorted(self.good if good else self.bad))
        try:
            answer = (self.good if good else self.bad)[kind](study)
        except requests.RequestException as error:
            self._fault(f"{kind}: no answer ({type(error).__name__})")
            return
        with self.lock:
            self.figures.statuses[kind, answer.status_code] += 1
        if answer.status_code not in ((200, 503) if good else range(400, 500)):
            self._fault(f"{kind}: {answer.status_code} {answer.text[:200]}")

    def _fault(self, told: str) -> None:
        with self.lock:
            self.figures.faults.append(f"client {self.number}, {told}")

    def _distinct(self, study: str, most: int = 3) -> bytes:
        """Return a label that nobody else sends: the drawn one, with codes changed at a few voxels."""
        codes = np.asarray(self.drawn[study].dataobj).astype(np.uint8, order="C")
        codes.reshape(-1)[self.random.sample(range(codes.size), 40)] = [*range(most + 1)] * (40 // (most + 1))
        return gzip.compress(nib.Nifti1Image(codes, self.drawn[study].affine).to_bytes(), 1)

    def _label(self, study: str) -> requests.Response:
        tag, content = f"client{self.number}", self._distinct(study)
        answer = self.server.put_label(study, tag, content)
        if answer.status_code == 200:
            with self.lock:
                self.figures.labels[study, tag] = content
            if self.server.label(study, tag).content != content:
                self._fault(f"label of {study} did not come back")
        return answer

    def _shared_label(self, study: str) -> requests.Response:
        content = self._distinct(study)
        with self.lock:  # before it is sent: another client may read it at once
            self.figures.shared.setdefault(study, set()).add(content)
        answer = self.server.put_label(study, SHARED, content)
        if self.server.label(study, SHARED).content not in self.figures.shared[study]:
            self._fault(f"what {study} has as {SHARED} was sent by nobody")
        return answer

    def _case(self, study: str) -> requests.Response:
        """Store a synthetic case, look whether it is there, and delete it."""
        self.made += 1
        seed = self.number * 100_000 + self.made
        answer = self.server.infer("synthesize", study, seed=seed, save_study=True)
        if answer.status_code != 200:
            return answer
        name = answer.json()["study"]
        if self.server.label(name, "final").status_code != 200:
            self._fault(f"the case {name} has no label")
        return self.server.delete(f"/datastore/image?id={name}")


def load(server: LabelServer, patients: Path, clients: int, seconds: float, requests_each: int, seed: int) -> Figures:
    """Send requests by several clients until the time is over or each has sent enough, and return what was seen."""
    drawn = {
        path.name.removesuffix("_gt.nii.gz"): nib.load(path) for path in sorted(patients.glob("patient*/*_gt.nii.gz"))
    }
    figures, lock = Figures(), threading.Lock()
    until, over = time.monotonic() + seconds, threading.Event()

    def one(client: Client) -> None:
        for _ in range(requests_each):
            if time.monotonic() > until:
                return
            client.ask()

    def watch() -> None:
        while not over.wait(min(1.0, seconds / 20)):
            if server.process.poll() is None:
                figures.held.append(server.held())

    watching = threading.Thread(target=watch)
    working = [
        threading.Thread(target=one, args=(Client(server, number, seed, drawn, figures, lock),))
        for number in range(clients)
    ]
    for thread in (watching, *working):
        thread.start()
    for thread in working:
        thread.join()
    over.set()
    watching.join()
    figures.faults += lost_labels(server, figures)
    if server.process.poll() is not None:
        figures.faults.append("the server is gone")
    else:
        figures.held.append(server.held())
    return figures


def lost_labels(server: LabelServer, figures: Figures) -> list[str]:
    """Return which labels that were answered with success do not come back as they were sent."""
    lost = [key for key, content in figures.labels.items() if server.label(*key).content != content]
    lost += [(one, SHARED) for one, sent in figures.shared.items() if server.label(one, SHARED).content not in sent]
    return [f"label of {study}, tag {tag}: lost or changed" for study, tag in lost]


def uploads(server: LabelServer) -> set[str]:
    """Return the files in the folder of uploads; MONAI Label keeps one of its own there."""
    return {path.name for path in (server.app / "uploads").iterdir()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a server, load it, print what was seen, and return 0 where nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--requests", type=int, default=10_000, help="of a client at most")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    bundles = [Path("bundles") / name for name in BUNDLES]
    with tempfile.TemporaryDirectory() as folder:
        patients, app = Path(folder) / "patients", Path(folder) / "app"
        for number in (1, 2):
            write_acdc_phantom(patients, number, 0)
        with served(patients, app, bundles) as server:
            begun, before = time.monotonic(), uploads(server)
            seen = load(server, patients, given.clients, given.seconds, given.requests, given.seed)
            taken = time.monotonic() - begun
            left = sorted(uploads(server) - before)
        with served(patients, app, bundles) as again:
            seen.faults += [f"after a new start, {told}" for told in lost_labels(again, seen)]
    _tell(seen, given.clients, taken)
    print(f"files left by requests: {len(left)}")
    grown = [name for name, most in _MORE.items() if seen.more()[name] > most]
    wrong = [*seen.faults, *(f"more {name}" for name in grown), *(f"left {name}" for name in left)]
    wrong += ["memory grew"] if seen.growth() > _FLAT else []
    print("\n".join(wrong[:40]) or "nothing was wrong")
    return 1 if wrong else 0


def _tell(seen: Figures, clients: int, seconds: float) -> None:
    by_status: Counter[int] = Counter()
    for (_, status), count in seen.statuses.items():
        by_status[status] += count
    print(
        f"{seen.statuses.total()} requests of {clients} clients in {seconds:.0f} s: {dict(sorted(by_status.items()))}"
    )
    kinds = {f"{kind} {status}": count for (kind, status), count in sorted(seen.statuses.items())}
    print(json.dumps(kinds, indent=1))
    print(f"labels looked for, before a kill and after: {len(seen.labels)} of one client, {len(seen.shared)} of all")
    memory = [one["memory"] / 2**20 for one in seen.held]
    eighths = [f"{np.median(part):.0f}" for part in np.array_split(np.array(memory), 8) if len(part)]
    print(f"memory in MiB, medians of eighths of the time: {', '.join(eighths)}")
    print(
        f"from the third to the last quarter {seen.growth():+.1f} MiB; more than before half time: {seen.more()}; "
        f"threads {seen.held[-1]['threads']}, open files {seen.held[-1]['files']}"
    )


if __name__ == "__main__":
    sys.exit(main())
