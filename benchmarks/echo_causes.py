"""Which of the paper's settings did the harm? The study of docs/echo_causes.md: painters, and what they teach.

    OMP_NUM_THREADS=1 python -m benchmarks.echo_causes --data CAMUS/database_nifti [--out runs/echo_causes]

Painters are trained in the paper's settings, in ours, or in ours but for one; all paint the same hearts, which the
bundle's shape model draws. Segmentation networks learn from real frames, painted ones, or both. Stopped, the same
command goes on; `python -m benchmarks.echo_causes_page` then writes the tables and the figure.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset
from monai.transforms import Randomizable

from benchmarks.echo_arguments import BUNDLE, echo_arguments
from monai_cardiacgen.anatomy.schemes import CAMUS, CAMUS_SECTOR, LEFT_ATRIUM, ULTRASOUND_SECTOR
from monai_cardiacgen.data import EchoFrames, RoundSampler
from monai_cardiacgen.data.files import load_checkpoint, read_json, save_checkpoint
from monai_cardiacgen.data.split import Split, read_split, write_split
from monai_cardiacgen.engines import SPADEGANTrainer
from monai_cardiacgen.handlers import TrainingRounds
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.inferers.style_mixture import mixed_styles
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies import MirroredBatch
from monai_cardiacgen.studies.augmentation_study.cohort import ApicalCohort
from monai_cardiacgen.studies.augmentation_study.study import study_split
from monai_cardiacgen.studies.augmentation_study.study_settings import new_network, preset_settings
from monai_cardiacgen.studies.evaluation import write_scores
from monai_cardiacgen.studies.resumed_training import run_resumed
from monai_cardiacgen.studies.segmentation import segmentation_loss, train_segmentation
from monai_cardiacgen.studies.stages import keep_settings
from monai_cardiacgen.studies.strong_augmentation import StrongAugmentation

CONFIGS = BUNDLE / "configs"
#: What our painters change of the bundle's short, small training in the paper's settings; the last, one thing less.
OURS = ("train", "train_ours", "train_small", "train_short")
PAINTERS: Mapping[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "paper": (("train", "train_small", "train_short"), {}),
    "paper_style": (("train", "train_small", "train_short"), {"style_size": 64}),  # the paper's annex E
    "ours": (OURS, {}),
    "mirrored": (OURS, {"mirror": 0.5}),
    "no_sector": (OURS, {"scheme#name": "CAMUS"}),
    "no_atrium": (OURS, {}),  # the atrium is painted as any other part of the sector
    "not_told": (OURS, {"painter_condition_size": 0}),
    "no_diffaugment": (OURS, {"augment": None}),
    "no_noise": (OURS, {"layer_noise": False}),
    "no_style": (OURS, {"style_size": 0, "swapped": 0.0}),
}


@dataclass(frozen=True)
class Arm:
    """One training: whose painted frames replace real ones, how often, how long, on which maps, in how many steps."""

    painter: str = ""
    prob: float = 0.0
    fine_tuned: float = 0.0
    maps: str = "drawn"
    steps: float = 1.0


SHARE = 4634 / (1600 + 4634)  # the paper's
ARMS: Mapping[str, Arm] = {
    "real": Arm(),
    **{f"only_{name}": Arm(name, 1.0) for name in PAINTERS},
    **{f"added_{name}": Arm(name, SHARE) for name in ("paper", "ours", "no_diffaugment")},
    **{f"scheduled_{name}": Arm(name, 0.5, 0.4) for name in ("paper", "ours")},
    "short_real": Arm(steps=0.25),  # about as many real frames as beside painted ones
    **{f"only_{name}_real_maps": Arm(name, 1.0, maps="real") for name in ("paper", "ours")},
}


@dataclass(frozen=True)
class CausesSettings:
    """How much of everything; see docs/echo_causes.md."""

    side: int = 64
    validation: int = 20
    testing: int = 60
    hearts: int = 1000
    painter_iterations: int = 200
    painter_round: int = 50
    style_size: int = 64
    iterations: int = 400
    round: int = 100
    more: tuple[tuple[str, Any], ...] = ()  # of the bundle's configuration, for all painters


class Causes:
    """The study's data and its parts, each made once and kept in a folder."""

    def __init__(self, data: Path, bundle: Path, out: Path, settings: CausesSettings) -> None:
        self.out, self.settings = out, settings
        keep_settings(out / "settings.json", {**asdict(settings), "more": dict(settings.more)})
        self.cohort = ApicalCohort(settings.side)
        self.split = self._split(data)
        self.model = CardiacSynthesizer.from_bundle(bundle)  # of whom the shape model and the sectors are used
        self._frames: dict[str, list[dict[str, Any]]] = {}

    def _split(self, data: Path) -> Split:
        path, chosen = self.out / "split.json", self.settings
        if not path.exists():
            numbers = {"validation": chosen.validation, "testing": chosen.testing}
            write_split(path, study_split(preset_settings("echo", data, **numbers)))
        named = {patient for part in read_json(path).values() for patient in part}
        return read_split(path, [item for item in self.cohort.items(str(data)) if item["patient"] in named])

    def frames(self, part: str) -> list[dict[str, Any]]:
        """Return a part's frames, their label maps in `CAMUS_SECTOR`'s codes."""
        if part not in self._frames:
            items = getattr(self.split, part)
            folder = self.out / "patients" / part
            folder.mkdir(parents=True, exist_ok=True)
            for patient in {item["patient"]: Path(item["image"]).resolve().parent for item in items}.values():
                link = folder / patient.name
                if not link.exists():
                    link.symlink_to(patient)
            self._frames[part] = list(EchoFrames(folder, self.cohort.size, CAMUS_SECTOR))
        return self._frames[part]

    def hearts(self) -> dict[str, torch.Tensor]:
        """Return the drawn hearts in their sectors, their conditions, and the training hearts like each."""
        path = self.out / "hearts.pt"
        if not path.exists():
            rows = [seeded(number) for number in range(self.settings.hearts)]
            drawn = self.model.sampler.sample(len(rows), rows)
            assert self.model.sectors is not None
            label = self.model.sectors.around(drawn.label, rows)
            alike = self.model.sampler.nearest_training_hearts(drawn, CardiacSynthesizer.ALIKE)
            save_checkpoint(path, {"label": label, "condition": drawn.condition, "alike": alike})
        return load_checkpoint(path)

    def painter(self, name: str, seed: int) -> CardiacSynthesizer:
        """Return a trained painter, with the bundle's shape model."""
        (files, changes), chosen, frames = PAINTERS[name], self.settings, self.frames("training")
        parser = ConfigParser(ConfigParser.load_config_files([str(CONFIGS / f"{one}.json") for one in files]))
        # The short training leaves the condition out.
        told = {"side": chosen.side, "painter_condition_size": "@condition_size"}
        told |= {"style_size": chosen.style_size} if "train_ours" in files else {}
        parser.update({**told, **changes, **dict(chosen.more)})
        with torch.random.fork_rng():  # initial weights come from torch's own generator
            torch.manual_seed(seed)
            gan, scheme = parser.get_parsed_content("gan"), parser.get_parsed_content("scheme")
        optimizers = [parser.get_parsed_content(f"{one}_optimizer") for one in ("generator", "discriminator")]
        batch, length = parser.get_parsed_content("batch_size"), chosen.painter_round
        sampler = RoundSampler(len(frames), batch * length, seed)
        mirrored = MirroredBatch(parser.get_parsed_content("mirror"))
        seen = [{**one, "label": painted_label(one["label"], name, scheme)} for one in frames]
        trainer = SPADEGANTrainer(
            "cpu",
            chosen.painter_iterations // length,
            DataLoader(Dataset(seen), batch_size=batch, sampler=sampler, generator=seeded(seed)),
            gan,
            *optimizers,
            scheme,
            ema_decay=parser.get_parsed_content("ema_decay"),
            seed=seed,
            prepare_batch=mirrored,
            train_handlers=[TrainingRounds(sampler, mirrored, optimizers, constant=0.6)],
            amp=False,
        )
        path = self.out / "painters" / name / f"seed_{seed}" / "painter.pt"
        run_resumed(trainer, path, chosen.painter_iterations, None)
        trained, styles = trainer.average.module.eval(), torch.zeros(len(frames), 0)
        image = torch.stack([one["image"] for one in frames])
        if trained.style_encoder is not None:
            with torch.no_grad():
                styles = torch.cat([trained.style_encoder(some) for some in image.split(64)])
        if len(styles) != len(self.model.styles):  # a bundle of other patients, as in tests
            styles = styles[:1].expand(len(self.model.styles), -1)
        return CardiacSynthesizer(
            scheme,
            self.model.spacing,
            self.model.sampler,
            trained.generator,
            trained.style_encoder,
            styles,
            view="apical",
            sectors=self.model.sectors if scheme == CAMUS_SECTOR else None,
            heart_condition=self.model.heart_condition,
        )

    def painted(self, name: str, seed: int, maps: str = "drawn") -> dict[str, torch.Tensor]:
        """Return a painter's images on the drawn hearts, or on the maps of a part's real frames, kept in a file."""
        path = self.out / "painters" / name / f"seed_{seed}" / f"on_{maps}_maps.pt"
        if not path.exists():
            painter = self.painter(name, seed).optimize()
            if maps == "drawn":
                hearts = self.hearts()
                label, condition, alike = (hearts[key] for key in ("label", "condition", "alike"))
            else:
                frames = self.frames("training" if maps == "real" else maps)
                label = torch.cat([one["label"] for one in frames])
                condition = torch.stack([one["condition"] for one in frames])
                alike = torch.arange(len(painter.styles)).expand(len(label), -1)
            told = painted_label(label, name, painter.scheme)
            images = []
            for rows in torch.arange(len(label)).split(32):
                draws = [seeded(1_000_003 * seed + 7 * int(row)) for row in rows]
                style = mixed_styles(painter.styles, alike[rows], draws)
                images.append(painter.synthesize(told[rows], style, draws, condition[rows]))
            save_checkpoint(path, {"image": torch.cat(images), "label": heart_label(label)})
        return load_checkpoint(path)

    def segment(self, network: str, name: str, seed: int) -> None:
        """Train a segmentation network and test it, unless that is done."""
        folder, arm, chosen = self.segmentation(network, name, seed), ARMS[name], self.settings
        if (folder / "scores.csv").exists():
            return
        synth = Replaced(self.painted(arm.painter, seed, arm.maps), arm.prob) if arm.prob else None
        real = [{**one, "label": heart_label(one["label"])} for one in self.frames("training")]
        trained = train_segmentation(
            new_network(network, seed, CAMUS.num_classes),
            real,
            [{**one, "label": heart_label(one["label"])} for one in self.frames("validation")],
            folder,
            iterations=round(arm.steps * chosen.iterations / chosen.round) * chosen.round,
            iterations_per_round=chosen.round,
            batch_size=8,
            learning_rate=2e-3,
            seed=seed,
            scheme=CAMUS,
            synth=synth,
            fine_tuned=arm.fine_tuned,
            augment=StrongAugmentation((chosen.side,) * 2),
            loss=segmentation_loss(),
        )
        write_scores(folder / "scores.csv", self.cohort.test(trained, self.split.testing)[0])

    def segmentation(self, network: str, name: str, seed: int) -> Path:
        """Return the folder of a segmentation network."""
        return self.out / "segmentation" / network / name / f"seed_{seed}"


class Replaced(Randomizable):
    """Replaces a frame with some probability by one of the painted cases."""

    def __init__(self, cases: Mapping[str, torch.Tensor], prob: float) -> None:
        self.cases, self.prob = cases, prob

    def __call__(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the frame, or a painted case in its place."""
        drawn, row = self.R.random(), self.R.randint(len(self.cases["image"]))
        if drawn >= self.prob:
            return one
        return {**one, "image": self.cases["image"][row], "label": self.cases["label"][row][None]}


def painted_label(label: torch.Tensor, painter: str, scheme: Any) -> torch.Tensor:
    """Return label maps as a painter is told them: without the sector, or without the atrium, where it is so."""
    if painter == "no_atrium":
        atrium, sector = CAMUS_SECTOR.code(LEFT_ATRIUM), CAMUS_SECTOR.code(ULTRASOUND_SECTOR)
        label = torch.where(label == atrium, sector, label)
    return label if scheme == CAMUS_SECTOR else heart_label(label)


def heart_label(label: torch.Tensor) -> torch.Tensor:
    """Return label maps in CAMUS's own codes, without the sector."""
    return CAMUS_SECTOR.to_scheme(label, CAMUS, without=(ULTRASOUND_SECTOR,))


#: The order of the trainings: what says most comes first.
PLAN: Sequence[tuple[str, str, int]] = [
    *(("unet", name, 0) for name in ("real", "only_paper", "only_ours", "added_paper", "added_ours")),
    *(("unet", name, 0) for name in ("only_ours_real_maps", "only_paper_real_maps", "short_real")),
    *(("unet", name, 0) for name in ("scheduled_paper", "scheduled_ours", "only_no_sector")),
    *(("unet", name, 0) for name in ("only_mirrored", "only_no_atrium", "only_not_told", "only_no_diffaugment")),
    *(("unet", name, 1) for name in ("real", "only_paper", "only_ours", "added_paper", "added_ours")),
    *(("unet", f"{name}_no_diffaugment", seed) for name, seed in (("added", 0), ("only", 1))),
    *(("enet", name, 0) for name in ("real", "added_paper", "added_ours")),
    *(("unet", name, 0) for name in ("only_no_noise", "only_no_style", "only_paper_style")),
    *(("enet", name, 0) for name in ("only_paper", "only_ours", "scheduled_paper", "scheduled_ours")),
    *(("unet", name, 1) for name in ("scheduled_paper", "scheduled_ours", "only_no_sector")),
]


def main(arguments: Sequence[str] | None = None, settings: CausesSettings | None = None) -> None:
    parser = echo_arguments(__doc__)
    parser.add_argument("--runs", type=int, default=len(PLAN), help="how many of the plan's trainings")
    given = parser.parse_args(arguments)
    study, begun = Causes(given.data, given.bundle, given.out, settings or CausesSettings()), time.monotonic()
    for number, (network, name, seed) in enumerate(PLAN[: given.runs], start=1):
        study.segment(network, name, seed)
        print(f"{time.monotonic() - begun:6.0f} s  {number} of {given.runs}: {network} {name} {seed}", flush=True)


if __name__ == "__main__":
    main()
