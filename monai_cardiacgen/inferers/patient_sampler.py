"""Whole synthetic patients: short-axis stacks at end diastole and end systole, and the cycle between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch

from ..anatomy.cardiac_cycle import ejected_share
from ..anatomy.check import AnatomyCheck
from ..anatomy.labels import LabelScheme
from ..anatomy.placement import place_heart
from ..anatomy.stack import StackCheck
from ..checks import check_spacing
from ..errors import InputError, SamplingError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..seeding import row_generators
from ..types import Generators
from .heart_attributes import HeartAttributes, Target
from .heart_gate import heart_faults
from .proposals import cross_validated_bandwidth
from .stack_trajectory import StackTrajectory
from .synthetic_patient import ShortAxisStack, SyntheticCine, SyntheticPatient, SyntheticPatients
from .targeted_proposal import TargetedProposal
from .valid_blend import shortest_valid_way

EJECTION_FRACTION = "ejection fraction"
DIASTOLIC_VOLUME = "end-diastolic volume"
#: Share of the training patients' variance that the drawn vectors keep; the rest is noise of single slices.
_VARIANCE = 0.95
#: Contraction beyond that of the drawn patient which a larger ejection fraction may ask for.
_STRONGEST = 1.5
#: How near a wanted ejection fraction must be met; one pixel more or less is about as much.
_TOLERANCE = 0.01
_FEWEST_SLICES = 6


class PatientSampler:
    """Draws consistent patients from the latent space of a conditional `AnatomicalVAE`.

    The autoencoder is told each slice's position between base and apex and its phase, so that a latent says what is
    the patient's own. A training patient becomes one vector (`StackTrajectory`): curves of low degree along the
    stack at both phases, and the two lengths. New vectors are drawn near those of training patients, within their
    principal components. Every slice is decoded from the curves, so neighbours in space and time fit together. A
    patient is valid when every slice keeps the criteria of `AnatomyCheck` and both stacks those of `StackCheck`; if
    not, another is drawn, and the result says how often and why; so is one whose ejection fraction, where none was
    asked for, is beyond those of all training patients.

    The slices follow the heart: a stack has as many at end systole as at end diastole, closer together.

    Args:
        vae: the trained autoencoder; its condition is position and phase, both in [-1, 1].
        scheme: codes and order of the structures, those of ventricles in short axis.
        spacing: mm along the axes of the label maps.
        trajectories: of the training patients.
        attributes: of the training patients; measured are `"ejection fraction"` and `"end-diastolic volume"` (mL).
        max_draws: draws a patient before giving up.

    Raises:
        InputError: for an autoencoder with another condition, or fewer than 3 patients.
    """

    def __init__(
        self,
        vae: AnatomicalVAE,
        scheme: LabelScheme,
        spacing: Sequence[float],
        trajectories: Sequence[StackTrajectory],
        attributes: HeartAttributes,
        max_draws: int = 50,
    ) -> None:
        if vae.condition_size != 2 or len(trajectories) < 3 or max_draws < 1:
            raise InputError(
                f"Expected an autoencoder that is told position and phase, at least 3 patients and 1 draw, got "
                f"condition_size {vae.condition_size}, {len(trajectories)} patients and {max_draws} draws."
            )
        height, width = check_spacing(spacing, 2)
        self.vae = vae.eval()
        self.scheme = scheme
        self.spacing = (height, width)
        self.check, self.stack_check = AnatomyCheck(scheme), StackCheck(scheme)
        self.attributes = attributes
        self.max_draws = max_draws
        vectors = torch.stack([one.vector() for one in trajectories])
        self.mean, self.scale = vectors.mean(dim=0), vectors.std(dim=0).clamp_min(1e-6)
        _, strength, axes = torch.linalg.svd((vectors - self.mean) / self.scale, full_matrices=False)
        share = strength.square().cumsum(0) / strength.square().sum()
        kept = min(int((share < _VARIANCE).sum()) + 1, len(vectors) - 1)
        self.axes = axes[:kept] * strength[:kept, None] / (len(vectors) - 1) ** 0.5  # scores of unit deviation
        scores = ((vectors - self.mean) / self.scale) @ torch.linalg.pinv(self.axes)
        self.proposal = TargetedProposal(scores, cross_validated_bandwidth(scores), attributes)

    def sample(
        self, n: int, generator: Generators, target: Target | None = None, slice_spacing: float = 10.0
    ) -> SyntheticPatients:
        """Draw `n` new patients.

        Args:
            n: number of patients.
            generator: one generator, or one a patient; a patient depends on its own only.
            target: what they shall be like, for example `{"ejection fraction": (0.55, 0.6), "group": "NOR"}`. The
                ejection fraction is met to 0.01: the heart contracts as far as it takes. The other attributes lead to
                training patients like that.
            slice_spacing: mm between slices at end diastole, to the nearest whole number of slices.

        Raises:
            InputError: for an unknown attribute or category, or a slice spacing that is not positive.
            SamplingError: when a patient is not valid after `max_draws` draws; it names the broken criteria.
        """
        target = dict(target or {})
        self.attributes.check(target)
        (slice_spacing,) = check_spacing((slice_spacing,), 1)
        result = SyntheticPatients([], [], Counter())
        for row in row_generators(generator, n):
            for attempt in range(1, self.max_draws + 1):
                patient, faults = self._draw(row, target, slice_spacing)
                result.rejections.update(faults)
                if not faults:
                    result.patients.append(patient)
                    result.draws.append(attempt)
                    break
            else:
                worst = ", ".join(f"{name} ({count}x)" for name, count in result.rejections.most_common(3))
                raise SamplingError(
                    f"Expected a valid patient within {self.max_draws} draws, got none; most often broken: {worst}. "
                    f"Train the autoencoder longer, or ask for what training patients are."
                )
        return result

    def cine(self, patient: SyntheticPatient, frames: int) -> SyntheticCine:
        """Return one cardiac cycle of a patient.

        The contraction follows `ejected_share`. A slice that is not valid at some frame gives way to the nearest
        valid map on the way to the same slice at end diastole or end systole.

        Args:
            patient: of `sample`.
            frames: number of frames, at least 2, evenly over the cycle; frame 0 is end diastole.

        Raises:
            InputError: for fewer than 2 frames.
        """
        if frames < 2:
            raise InputError(f"Expected at least 2 frames, got {frames}.")
        slices = patient.diastole.label.shape[2]
        shares = ejected_share(torch.arange(frames) / frames).tolist()
        labels, spacings, bridged = [], [], 0
        for share in shares:
            stack = self._stack(patient.trajectory, share * patient.contraction, slices)
            valid = self.check(stack.label.movedim(2, 0), self.spacing).valid
            for number in torch.nonzero(~valid).flatten().tolist():
                ends = (patient.diastole, patient.systole) if share < 0.5 else (patient.systole, patient.diastole)
                stack.label[..., number] = self._bridged(stack.label[..., number], number, ends)
                bridged += 1
            labels.append(stack.label)
            spacings.append(stack.spacing)
        return SyntheticCine(torch.stack(labels), spacings, bridged)

    def _bridged(self, label: torch.Tensor, number: int, ends: tuple[ShortAxisStack, ShortAxisStack]) -> torch.Tensor:
        start = self.scheme.to_channels(label)
        for end in ends:
            found = shortest_valid_way(start, self.scheme.to_channels(end.label[..., number]), self.spacing, self.check)
            if found is not None:
                return found
        return ends[0].label[..., number]  # valid as it is; cannot be reached, for the way includes its end

    def _draw(
        self, generator: torch.Generator, target: Mapping[str, tuple[float, float] | str], slice_spacing: float
    ) -> tuple[SyntheticPatient, list[str]]:
        """Return a patient and what speaks against it."""
        wanted = None
        asked = target.get(EJECTION_FRACTION)
        if asked is not None and not isinstance(asked, str):
            wanted = asked[0] + float(torch.rand((), generator=generator)) * (asked[1] - asked[0])
            target = {**target, EJECTION_FRACTION: (wanted, wanted)}
        score = self.proposal.draw([generator], [target])[0]
        trajectory = StackTrajectory.from_vector((score @ self.axes) * self.scale + self.mean)
        slices = max(_FEWEST_SLICES, round(trajectory.length(0) / slice_spacing) + 1)
        diastole = self._stack(trajectory, 0.0, slices)
        full = diastole.volume(self.scheme)
        contraction = 1.0 if wanted is None else self._contraction(trajectory, slices, full * (1 - wanted))
        systole = self._stack(trajectory, contraction, slices)
        fraction = 1 - systole.volume(self.scheme) / full if full else 0.0
        faults = self._faults(diastole) + self._faults(systole)
        if wanted is not None and abs(fraction - wanted) > _TOLERANCE:
            faults.append("ejection fraction out of reach")
        known = self.attributes.measured[EJECTION_FRACTION]
        if wanted is None and not float(known.min()) <= fraction <= float(known.max()):
            faults.append("ejection fraction beyond all training patients'")
        return SyntheticPatient(trajectory, contraction, diastole, systole, fraction), faults

    def _contraction(self, trajectory: StackTrajectory, slices: int, volume: float) -> float:
        """Return the contraction at which the left cavity holds `volume` mL, by bisection."""
        low, high = 0.0, _STRONGEST
        for _ in range(9):
            middle = (low + high) / 2
            if self._stack(trajectory, middle, slices).volume(self.scheme) > volume:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    @torch.no_grad()
    def _stack(self, trajectory: StackTrajectory, contraction: float, slices: int) -> ShortAxisStack:
        positions = torch.linspace(-1, 1, slices)
        features = trajectory.features(positions, contraction)
        latent, place = features.split((self.vae.latent_size, 2), dim=1)
        phase = torch.full_like(positions, 2 * contraction - 1)
        device = next(self.vae.parameters()).device
        logits = self.vae.decode(latent.to(device), torch.stack((positions, phase), dim=1).to(device))
        offset = (place / torch.tensor(self.spacing)).round().to(torch.int64)
        label = place_heart(self.scheme.to_codes(logits.argmax(dim=1)).cpu(), offset)
        between = max(trajectory.length(contraction), 1.0) / (slices - 1)
        return ShortAxisStack(label.movedim(0, 2), (*self.spacing, between))

    def _faults(self, stack: ShortAxisStack) -> list[str]:
        maps = stack.label.movedim(2, 0)
        nowhere = torch.zeros(len(maps), 2, dtype=torch.int64)
        faults = [name for row in heart_faults(maps, nowhere, self.spacing, self.check) for name in row]
        report = self.stack_check(stack.label[None], stack.spacing)
        faults += [report.criteria[number].name for number in torch.nonzero(report.broken[0]).flatten().tolist()]
        return faults
