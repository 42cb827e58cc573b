"""A synthesizer that nothing was trained for: procedural patients, imaged by a simulated scanner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn

import torch

from .._version import __version__
from ..anatomy.heart_condition import APICAL_CONDITION, HeartCondition
from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ACDC, CAMUS
from ..checks import check_spacing
from ..data.acdc import PHASES
from ..data.preprocessing import IMAGE, LABEL, Preprocessing, apical_preprocessing, short_axis_preprocessing
from ..errors import InputError
from ..phantom.anatomy import GROUPS
from ..phantom.apical_heart import VIEWS
from ..phantom.apical_patient import draw_apical_heart
from ..phantom.cine_patient import draw_cine_patient
from ..phantom.echo import SPACING as ECHO_SPACING
from ..phantom.echo import ApicalEcho
from ..phantom.patient_folders import patient_generator
from ..seeding import row_generators
from ..types import Generators
from .synthetic_cases import SyntheticCases

PhantomView = Literal["short axis", "apical"]
#: Images `(N, 1, H, W)` float16 in [0, 1] and label maps `(N, H, W)` uint8.
Images = tuple[torch.Tensor, torch.Tensor]

#: How far the heart has contracted in each of `PHASES`: what the datasets annotate.
_CONTRACTIONS = (0.0, 1.0)


class PhantomSynthesizer:
    """Draws new hearts from formulas and images them as a scanner would: `RandCardiacSynth`'s mode `"new"`.

    Trained synthesizers know the hearts and surroundings of their training patients only. A phantom knows none of
    them, but it knows what anatomy and imaging allow: sizes, pathologies, positions, contrasts, coils and noise vary
    as in a whole population. With few training patients that is worth more (`docs/study.md`). Its hearts and their
    labels go through the preprocessing of real files. Mean sizes by pathology follow ACDC's labels, the outlines of
    apical hearts those of CAMUS.

    There are `patients` different patients with all of their slices (short axis) or views (apical), at end diastole
    and end systole. Each is drawn when it is first asked for, in about 0.7 s, apical ones in 3 s (`fill` draws all at
    once), and kept: 200 patients on 128 x 128 pixels take about 220 MB. Patient k depends on the seed and k only.

    Args:
        view: `"short axis"`, cine MR with the codes of ACDC, or `"apical"`, echocardiography of two and four chambers
            with those of CAMUS.
        spacing: pixel size of its grid in mm.
        spatial_size: pixels of its grid. Apical images are stretched to it, whatever the spacing, as `EchoFrames` does.
        patients: how many different patients there are.
        seed: of the patients.

    Raises:
        InputError: for an unknown view, or less than one patient.
        SpacingError: unless the spacing is two positive numbers.

    Example:
        >>> from monai_cardiacgen.seeding import seeded
        >>> synthesizer = PhantomSynthesizer(spacing=(4, 4), spatial_size=(48, 48), patients=1)
        >>> cases = synthesizer.sample(2, seeded(0))
        >>> cases.image.shape, cases.label.shape
        (torch.Size([2, 1, 48, 48]), torch.Size([2, 48, 48]))
    """

    def __init__(
        self,
        view: PhantomView = "short axis",
        spacing: Sequence[float] = (2.0, 2.0),
        spatial_size: Sequence[int] = (128, 128),
        patients: int = 200,
        seed: int = 0,
    ) -> None:
        if view not in ("short axis", "apical"):
            raise InputError(f"Expected the view 'short axis' or 'apical', got {view!r}; choose one.")
        if patients < 1:
            raise InputError(f"Expected at least 1 patient, got {patients}.")
        self.view: PhantomView = view
        self.spacing = check_spacing(spacing, 2)
        self.spatial_size = tuple(int(side) for side in spatial_size)
        self.patients = int(patients)
        self.seed = int(seed)
        self.scheme: LabelScheme = ACDC if view == "short axis" else CAMUS
        self.heart_condition: HeartCondition | None = APICAL_CONDITION if view == "apical" else None
        self.provenance: dict[str, Any] = {
            "name": f"phantom {view}",
            "version": __version__,
            "seed": self.seed,
            "patients": self.patients,
        }
        self._kept: dict[int, Images] = {}

    def fill(self, progress: Callable[[int, int], None] | None = None) -> PhantomSynthesizer:
        """Draw all patients now, and return this; copies in workers then have them, too.

        Args:
            progress: called with the number of patients drawn and their total.
        """
        for number in range(self.patients):
            self._patient(number)
            if progress is not None:
                progress(number + 1, self.patients)
        return self

    def sample(
        self, n: int, generator: Generators, condition: Sequence[Mapping[str, str]] | None = None
    ) -> SyntheticCases:
        """Return `n` cases: of each a patient is drawn, then one of its slices or views; all equally likely.

        Args:
            n: how many.
            generator: one for all, or one a row.
            condition: of apical images, the `view` and `phase` of each row, `"2CH"` or `"4CH"`, `"ED"` or `"ES"`.

        Raises:
            InputError: for another view or phase, or a condition of short-axis slices.
        """
        if condition is not None and self.heart_condition is None:
            raise InputError("Expected no condition of short-axis phantoms, which are drawn at any height and phase.")
        images, labels = [], []
        for number_of_row, row in enumerate(row_generators(generator, n)):
            image, label = self._patient(int(torch.randint(self.patients, (), generator=row)))
            number = int(torch.randint(len(image), (), generator=row))
            if condition is not None:
                number = _apical_number(condition[number_of_row])
            images.append(image[number].to(torch.float32))
            labels.append(label[number].to(torch.int64))
        return SyntheticCases(torch.stack(images), torch.stack(labels))

    def vary(self, image: torch.Tensor, label: torch.Tensor, strength: float, generator: Generators) -> NoReturn:
        """Raise `InputError`: a phantom knows nothing of a real heart."""
        raise _only_new("vary")

    def restyle(self, image: torch.Tensor, label: torch.Tensor, generator: Generators) -> NoReturn:
        """Raise `InputError`: a phantom images its own hearts alone."""
        raise _only_new("restyle")

    def _patient(self, number: int) -> Images:
        """Return all images and label maps of a patient."""
        if number not in self._kept:
            generator = patient_generator(self.seed, number)
            if self.view == "short axis":
                preprocessing = short_axis_preprocessing(self.spacing, self.spatial_size)
                self._kept[number] = _short_axis_cases(number, generator, preprocessing)
            else:
                self._kept[number] = _apical_cases(generator, apical_preprocessing(self.spatial_size))
        return self._kept[number]


def _apical_number(condition: Mapping[str, str]) -> int:
    """Return which of a patient's images shows this view and phase."""
    view, phase = condition.get("view"), condition.get("phase")
    if view not in VIEWS or phase not in PHASES:
        raise InputError(f"Expected a view of {VIEWS} and a phase of {PHASES}, got {view!r} and {phase!r}.")
    return VIEWS.index(view) * len(PHASES) + PHASES.index(phase)


def _only_new(mode: str) -> InputError:
    return InputError(
        f"Expected mode 'new' of a PhantomSynthesizer, which draws hearts of its own, got {mode!r}; use mode='new', or "
        f"a CardiacSynthesizer trained on real patients."
    )


def _short_axis_cases(number: int, generator: torch.Generator, preprocessing: Preprocessing) -> Images:
    patient = draw_cine_patient(GROUPS[number % len(GROUPS)], generator)
    stacks = [
        _prepared(*patient.image(contraction), patient.stack.spacing, preprocessing) for contraction in _CONTRACTIONS
    ]
    return torch.cat([image.movedim(-1, 0) for image, _ in stacks]), torch.cat(
        [code.movedim(-1, 0) for _, code in stacks]
    )


def _apical_cases(generator: torch.Generator, preprocessing: Preprocessing) -> Images:
    heart, frames = draw_apical_heart(generator), []
    for view in VIEWS:
        echo = ApicalEcho(heart, view, generator)
        frames += [
            _prepared(*echo.image(contraction), (ECHO_SPACING,) * 2, preprocessing) for contraction in _CONTRACTIONS
        ]
    return torch.stack([image for image, _ in frames]), torch.stack([code for _, code in frames])


def _prepared(
    image: torch.Tensor, label: torch.Tensor, spacing: Sequence[float], preprocessing: Preprocessing
) -> Images:
    """Return image `(1, H, W[, Z])` float16 and label `(H, W[, Z])` uint8 as a file of them would be read."""
    loaded = preprocessing.of_arrays(image, label, spacing)
    return loaded[IMAGE].as_tensor().to(torch.float16), loaded[LABEL].as_tensor()[0].to(torch.uint8)


__all__ = ["PhantomSynthesizer"]
