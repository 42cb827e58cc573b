"""New hearts from the anatomical latent space: drawn, decoded, checked, and drawn again until they are valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch

from ..anatomy.check import AnatomyCheck
from ..anatomy.heart_size import measure_hearts
from ..anatomy.labels import LabelScheme
from ..errors import InputError, ShapeError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..seeding import randn_rows, row_generators
from ..types import Generators
from .conditional_proposal import ConditionalProposal, Proposal
from .heart_attributes import HeartAttributes, Target
from .hearts import Hearts, all_valid
from .latent_space import LatentSpace, Proposed, encode_hearts, or_unchanged, standardised
from .proposals import GaussianProposal, KernelDensityProposal, PriorProposal, cross_validated_bandwidth
from .targeted_proposal import TargetedProposal

ProposalName = Literal["kernel_density", "gaussian", "prior"]


class LatentSampler(LatentSpace):
    """Draws anatomically valid label maps from the latent space of an `AnatomicalVAE`.

    Shape and place are drawn together, as points of a `LatentSpace`. A point is decoded and checked: a heart is
    there, it breaks no criterion, and no border cuts it. Rows that fail are drawn again, each from its own
    generator; the result says how many draws that took and what was wrong with the others.

    Args:
        vae: the trained autoencoder; it stays in evaluation mode here.
        scheme: codes and order of the structures.
        spacing: pixel size in mm along the axes of the label maps.
        latents: encoded training hearts `(N, L)`.
        offsets: their hearts' offsets from the middle in pixels, `(N, dims)`.
        proposal: `"kernel_density"` stays nearest to the training hearts, `"gaussian"` reaches further, `"prior"`
            is what the autoencoder's divergence asks for: with the usual small weight hearts fill only a part of
            it, and most of its draws are shapeless.
        check: the anatomy gate, which judges 2D maps; None for none.
        max_draws: draws a row before giving up.
        bandwidth: standard deviation of a kernel, of standardised points; by cross-validation when None.
        attributes: of the training hearts; without them nothing can be asked for.
        conditions: of the training hearts `(N, K)`, for a conditional autoencoder, as `HeartCondition` gives them.
            A heart is drawn together with the condition of a training heart and decoded under it.

    Raises:
        InputError: for an unknown proposal, or fewer than one draw.
        ShapeError: when latents, offsets and conditions do not fit each other or the autoencoder.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """

    def __init__(
        self,
        vae: AnatomicalVAE,
        scheme: LabelScheme,
        spacing: Sequence[float],
        latents: torch.Tensor,
        offsets: torch.Tensor,
        proposal: ProposalName = "kernel_density",
        *,
        check: AnatomyCheck | None,
        max_draws: int = 50,
        bandwidth: float | None = None,
        attributes: HeartAttributes | None = None,
        conditions: torch.Tensor | None = None,
    ) -> None:
        if proposal not in get_args(ProposalName):
            raise InputError(f"Expected one of the proposals {get_args(ProposalName)}, got {proposal!r}.")
        super().__init__(
            vae, scheme, spacing, latents, offsets, check=check, max_draws=max_draws, conditions=conditions
        )
        self.proposal = proposal
        self.attributes = attributes
        points = self.points().cpu()
        self.bandwidth = cross_validated_bandwidth(points) if bandwidth is None else float(bandwidth)
        self.density: Proposal | ConditionalProposal
        if vae.condition_size:
            self.density = ConditionalProposal(points, self.conditions.cpu(), self._proposal_of)
        else:
            self.density = self._proposal_of(points)
        self.to(self.latents.device)

    @classmethod
    def fit(
        cls,
        vae: AnatomicalVAE,
        scheme: LabelScheme,
        spacing: Sequence[float],
        labels: torch.Tensor,
        proposal: ProposalName = "kernel_density",
        *,
        check: AnatomyCheck | None,
        max_draws: int = 50,
        told: Mapping[str, Sequence[float] | Sequence[str]] | None = None,
        patients: Sequence[str] | None = None,
        conditions: torch.Tensor | None = None,
    ) -> LatentSampler:
        """Return a sampler for the hearts of training label maps `(N, *spatial)`, codes, each with a heart.

        Args:
            vae: the trained autoencoder.
            scheme: codes of the maps.
            spacing: mm along their axes.
            labels: the training maps.
            proposal: see the class.
            check: the anatomy gate; None for none.
            max_draws: draws a row before giving up.
            told: what the dataset tells of each map: numbers such as `"position"`, texts such as `"phase"` or
                `"group"`; they can be asked for beside the sizes, which the maps tell themselves.
            patients: whose map each is; then the bandwidth is cross-validated by leaving out patients (points, of
                one patient alone), for slices of one patient vouch for each other.
            conditions: see the class; told as categories too, they can be asked for.

        Raises:
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when the maps do not have the autoencoder's size.
            InputError: when `told` or `patients` do not have a value for every map.
        """
        vae.eval()
        labels = labels.as_subclass(torch.Tensor)
        latents, offsets = encode_hearts(vae, scheme, labels, conditions)
        attributes = HeartAttributes.of(measure_hearts(labels, scheme, spacing), told or {})
        bandwidth = None
        if patients is not None:
            points, _, _ = standardised(latents.cpu(), offsets.cpu())
            bandwidth = cross_validated_bandwidth(points, patients)
        return cls(
            vae,
            scheme,
            spacing,
            latents,
            offsets,
            proposal,
            check=check,
            max_draws=max_draws,
            bandwidth=bandwidth,
            attributes=attributes,
            conditions=conditions,
        )

    def sample(self, n: int, generator: Generators, condition: torch.Tensor | None = None) -> Hearts:
        """Draw `n` new valid hearts.

        Args:
            n: number of hearts.
            generator: one generator, or one a row; a row depends on its own only.
            condition: `(n, K)` of a conditional autoencoder, what each shall be; None draws those of training hearts.

        Raises:
            InputError: for a condition that no training heart has.
            SamplingError: when a row has no valid heart after `max_draws` draws; it names the broken criteria.
        """
        rows = row_generators(generator, n)

        def propose(missing: list[int], attempt: int) -> Proposed:
            drawn = [rows[row] for row in missing]
            if isinstance(self.density, ConditionalProposal):
                points, told = self.density.draw(drawn, None if condition is None else condition[missing])
                return Proposed(*self.latent_and_place(points), told)
            return Proposed(*self.latent_and_place(self.density.draw(drawn)))

        return all_valid(self.draw_until_valid(n, propose, may_move=True), self.max_draws)

    def targeted(self, n: int, generator: Generators, target: Target | Sequence[Target]) -> Hearts:
        """Draw `n` new valid hearts that are as asked for.

        What a label map tells of itself (sizes) is measured on each heart that is drawn, and one outside its range
        is rejected; what only the dataset tells (position, phase, group) is that of the training heart near which
        it was drawn.

        Args:
            n: number of hearts.
            generator: one generator, or one a row; a row depends on its own only.
            target: for each attribute that matters a range `(low, high)` or a category, for example
                `{"cavity area": (1500, 2000), "phase": "ED"}`; one for all rows, or one a row.

        Raises:
            InputError: when the target names an attribute or a category that no training heart has.
            SamplingError: when a row has no such heart after `max_draws` draws.
        """
        targets = [target] * n if isinstance(target, Mapping) else list(target)
        if self.attributes is None or len(targets) != n:
            raise InputError(
                f"Expected attributes of the training hearts and {n} targets, got {self.attributes} and "
                f"{len(targets)}; make the sampler with LatentSampler.fit."
            )
        for one in {id(target): target for target in targets}.values():
            self.attributes.check(one)
        rows = row_generators(generator, n)
        proposal = TargetedProposal(self.points().cpu(), self.bandwidth, self.attributes)

        def propose(missing: list[int], attempt: int) -> Proposed:
            drawn, near = proposal.draw_near([rows[row] for row in missing], [targets[row] for row in missing])
            condition = self.conditions[near.to(self.conditions.device)] if self.vae.condition_size else None
            return Proposed(*self.latent_and_place(drawn.to(self.scale)), condition)

        return all_valid(self.draw_until_valid(n, propose, may_move=True, targets=targets), self.max_draws)

    def balanced(self, n: int, generator: Generators, by: str) -> Hearts:
        """Draw `n` new valid hearts, each class of one attribute as likely as every other.

        Args:
            n: number of hearts.
            generator: one generator, or one a row; a row depends on its own only.
            by: an attribute; a number is divided into five equally wide ranges.

        Raises:
            InputError: for an attribute that is not known.
            SamplingError: as `targeted`.
        """
        if self.attributes is None:
            raise InputError("Expected attributes of the training hearts, got none; use LatentSampler.fit.")
        rows = row_generators(generator, n)
        classes = self.attributes.classes(by)
        return self.targeted(n, rows, [classes[int(torch.randint(len(classes), (), generator=row))] for row in rows])

    def near(
        self, label: torch.Tensor, strength: float, generator: Generators, condition: torch.Tensor | None = None
    ) -> Hearts:
        """Deform hearts through the latent space; each stays at its place.

        A step from a heart's latent has the training latents' covariance, times `strength` as a standard
        deviation. After an invalid draw the next step is shorter, down to nearly none at the last of `max_draws`.
        A heart that has no valid neighbour then comes back unchanged, and is not `valid` in the result.

        Args:
            label: `(B, *spatial)`, codes, each with a heart.
            strength: in (0, 1].
            generator: one generator, or one a row; a row depends on its own only.
            condition: `(B, K)` of a conditional autoencoder; None for the likeliest, see `likeliest_condition`.

        Raises:
            InputError: for a strength outside (0, 1].
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when the maps do not have the autoencoder's size, or there is none.
        """
        if not 0 < strength <= 1:
            raise InputError(f"Expected a strength in (0, 1], got {strength}.")
        told = self.likeliest_condition(label) if condition is None else condition.to(self.conditions)
        start, place = self.encode(label, told)
        rows = row_generators(generator, len(label))

        def propose(missing: list[int], attempt: int) -> Proposed:
            noise = randn_rows([rows[row] for row in missing], (self.vae.latent_size,)).to(self.spread)
            step = torch.stack([self.spread @ one for one in noise])
            latent = start[missing] + strength * (1 - attempt / self.max_draws) * step
            return Proposed(latent, place[missing], None if told is None else told[missing])

        return or_unchanged(self.draw_until_valid(len(label), propose, may_move=False), label, start, place, told)

    def between(self, first: torch.Tensor, second: torch.Tensor, generator: Generators) -> Hearts:
        """Draw for each pair of hearts one on the line between them, in shape and place.

        A heart between which nothing valid is found within `max_draws` draws comes back as the first of its pair,
        and is not `valid` in the result.

        Args:
            first: `(B, *spatial)`, codes, each with a heart.
            second: the other ends, likewise.
            generator: one generator, or one a row; a row depends on its own only.

        Raises:
            LabelError: when a map has no heart, or unknown codes.
            ShapeError: when the maps do not have the autoencoder's size, or there is none.
        """
        if first.shape != second.shape:
            raise ShapeError(
                f"Expected as many second hearts as first ones, got {tuple(first.shape)} and {tuple(second.shape)}; "
                f"pass pairs of one size."
            )
        rows = row_generators(generator, len(first))
        told, other = self.likeliest_condition(first), self.likeliest_condition(second)
        (start, start_place), (end, end_place) = self.encode(first, told), self.encode(second, other)

        def propose(missing: list[int], attempt: int) -> Proposed:
            drawn = torch.stack([torch.rand(1, generator=rows[row]) for row in missing]).to(start)
            place = torch.lerp(start_place[missing].to(drawn), end_place[missing].to(drawn), drawn)
            between = None if told is None or other is None else torch.lerp(told[missing], other[missing], drawn)
            return Proposed(torch.lerp(start[missing], end[missing], drawn), place.round().to(torch.int64), between)

        return or_unchanged(self.draw_until_valid(len(first), propose, may_move=True), first, start, start_place, told)

    def _proposal_of(self, points: torch.Tensor) -> Proposal:
        if self.proposal == "prior":
            return PriorProposal(points, self.vae.latent_size, self.location.cpu(), self.scale.cpu())
        if self.proposal == "gaussian":
            return GaussianProposal(points)
        return KernelDensityProposal(points, self.bandwidth)
