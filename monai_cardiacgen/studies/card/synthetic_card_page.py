"""The page of a synthetic-data card: one HTML file that needs no other and no network."""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib.figure import Figure

from ...data.files import whole_file
from ..bootstrap import Interval
from ..figure_parts import FIRST, SECOND, dress_axis, new_figure, show_slice
from ..figures import Cases, hearts_figure
from ..html_page import details, document, pairs_table, paragraphs, picture, split_table, table, text
from .card_copies import Copies
from .synthetic_card import SHOWN_PAIRS, Card

_SHEET = 16


def write_card_page(card: Card, path: Path) -> Path:
    """Write the page and return its path."""
    with whole_file(path) as beside:
        beside.write_text(card_page(card), encoding="utf-8")
    return path


def card_page(card: Card) -> str:
    """Return the page as HTML."""
    one = card.source.description
    title = f"Card of the synthetic set {card.source.folder.resolve().name}"
    rows = torch.linspace(0, len(card.made) - 1, min(_SHEET, len(card.made))).round().long()
    sheet = card.made.chosen(rows)
    body = [
        f"<h1>{text(title)}</h1>",
        f'<p class="lead">{text(f"{len(card.made)} labelled slices made by {one.bundle} {one.version}.")}</p>',
        f'<div class="verdict">{paragraphs(verdict(card))}</div>',
        picture(
            hearts_figure(Cases(sheet.image, sheet.label), one.scheme),
            f"{len(sheet)} cases, evenly through the set, none chosen by eye, with the contours of their labels.",
        ),
        "<h2>What it holds</h2>",
        *(pairs_table(heading, content) for heading, content in card.counts.items()),
        "<h2>Valid anatomy</h2>",
        *_validity_part(card),
        "<h2>Fidelity and diversity</h2>",
        _measures_table(card),
        f'<p class="note">{text(_measures_note(card))}</p>',
        "<h2>Memorisation</h2>",
        *_memorisation_part(card),
        *_downstream_part(card),
        "<h2>Provenance</h2>",
        pairs_table("", _provenance(card)),
        split_table(card.split),
        details("Environment", pairs_table("", card.environment)),
    ]
    return document(title, body)


def verdict(card: Card) -> list[str]:
    """Return what must be known before the set is passed on, in sentences."""
    copies = card.copies.cases
    if copies:
        first = (
            f"{len(copies)} of {len(card.made)} cases are copies of real slices: {', '.join(copies)}. "
            f"The set is not exported unless forced."
        )
    else:
        first = f"None of {len(card.made)} cases is a copy of a real slice, as far as this test sees."
    sentences = [first]
    if card.validity is not None:
        valid = card.validity.valid
        sentences.append(f"{valid.share:.1%} of the label maps keep all anatomical criteria ({_percent(valid)}).")
    if card.downstream is not None:
        change = card.downstream.difference
        sentences.append(
            f"A network trained on the set alone has a Dice of {_value(card.downstream.synthetic)} on held-out real "
            f"patients; trained on real patients {_value(card.downstream.real)}; difference {_value(change, True)}."
        )
    if not card.known:
        sentences.append(
            "Which patients the generator was trained on was not said: the patients that this card calls held out may "
            "be among them, and fidelity may look better than it is."
        )
    return sentences


def pairs_figure(copies: Copies) -> Figure:
    """Return the nearest cases, each moved onto its real slice, beside the nearest slice of the other patients."""
    shown = copies.pairs[:SHOWN_PAIRS]
    figure = new_figure(6.8, 1.75 * len(shown) + 0.4)
    axes = figure.subplots(len(shown), 4, squeeze=False)
    for row, pair in zip(axes, shown, strict=True):
        for axis, image in zip(row, pair.images, strict=True):
            show_slice(axis, image)
        colour = SECOND if pair.is_copy else FIRST
        row[0].set_title(pair.case, fontsize=8)
        row[1].set_title(
            f"nearness {_times(pair.nearness)}{', copy' if pair.is_copy else ''}", fontsize=8, color=colour
        )
        row[2].set_title(pair.real, fontsize=8)
        row[3].set_title("nearest of others", fontsize=8)
    return figure


def nearness_figure(copies: Copies) -> Figure:
    """Return how near the cases are beside how near held-out real slices are."""
    figure = new_figure(7.2, 2.6)
    axis = figure.subplots()
    made = torch.tensor([pair.nearness for pair in copies.pairs])
    known = torch.cat([made, copies.chance]).log10()
    edges = torch.logspace(min(-0.5, float(known.min()) - 0.05), max(0.6, float(known.max()) + 0.05), 40).tolist()
    for values, colour, name in ((copies.chance, FIRST, "held-out real slices"), (made, SECOND, "synthetic cases")):
        axis.hist(values.tolist(), edges, color=colour, alpha=0.65, density=False, label=name)
    for limit in copies.limits:
        axis.axvline(limit, color="#222222", linestyle="--", linewidth=1)
    axis.set_xscale("log")
    axis.set_yscale("symlog", linthresh=5)
    dress_axis(axis, "nearness: times nearer to a training slice than to any other patient's", "")
    axis.set_ylabel("slices", fontsize=9)
    axis.legend(frameon=False, fontsize=9)
    return figure


def _validity_part(card: Card) -> list[str]:
    if card.validity is None or card.real_validity is None:
        return [paragraphs([f"There are no anatomical criteria for the view {card.source.description.view!r}."])]
    rows = [
        [name, f"{one.valid.count} of {one.valid.total}", f"{one.valid.share:.1%}", _percent(one.valid)]
        for name, one in (("synthetic", card.validity), ("experts', held-out patients", card.real_validity))
    ]
    parts = [table("", ["label maps", "valid", "share", "95 % Wilson interval"], rows)]
    if card.validity.broken:
        parts.append(pairs_table("Criteria that synthetic label maps break", card.validity.broken))
    return parts


def _measures_table(card: Card) -> str:
    rows = [[one.name, _value(one.synthetic), _value(one.real), one.question] for one in card.measures]
    return table("", ["measure", "synthetic", "real in its place", "question"], rows)


def _measures_note(card: Card) -> str:
    notes = dict.fromkeys(f"{one.name}: {one.note}" for one in card.measures)
    return (
        "Real in its place: as many slices of training patients, against the same held-out patients; what a generator "
        "without fault would have. Brackets are 95 % intervals: bootstrap over patients, and for the two distances "
        "1.96 jackknife standard errors over patients and blocks of cases. " + "; ".join(notes) + "."
    )


def _memorisation_part(card: Card) -> list[str]:
    copies = card.copies
    limits = " and ".join(f"{limit:.3g}" for limit in copies.limits)
    sentences = [
        copies.compared,
        f"Nearness is how many times nearer a case is to a training slice than to any slice of the other patients, "
        f"over flips, shifts, brightness and contrast; held-out real slices reach {float(copies.chance.max()):.3g} by "
        f"chance. A case above {limits} counts as a copy. Turned or bent copies may pass.",
    ]
    return [
        paragraphs(sentences),
        picture(nearness_figure(copies), "Nearness of cases and of held-out real slices; dashed: the limit."),
        picture(
            pairs_figure(copies),
            "The nearest cases: as they are, moved onto the training slice, that slice, and the nearest slice of the "
            "other patients. Real slices are shown here: this page is bound by the terms of the real data.",
        ),
        _closest_table(copies),
    ]


def _closest_table(copies: Copies) -> str:
    """Return the cases that count as copies, and some that come next."""
    rows = []
    for pair in copies.pairs[: len(copies.cases) + SHOWN_PAIRS]:
        change = [f"flipped along axis {axis + 1}" for axis in pair.flipped]
        change += [f"moved by {pair.shift} pixels"] if any(pair.shift) else []
        verdict_of = "copy" if pair.is_copy else "no copy"
        rows.append(
            [pair.case, pair.real, _times(pair.nearness), f"{pair.correlation:.3f}", verdict_of, ", ".join(change)]
        )
    head = ["case", "nearest real slice", "nearness", "correlation", "", "to lie on it"]
    return details("The nearest cases, by name", table("", head, rows))


def _downstream_part(card: Card) -> list[str]:
    if card.downstream is None:
        return []
    one = card.downstream
    rows = [
        ["real training patients", _value(one.real)],
        ["this set", _value(one.synthetic)],
        ["difference, paired", _value(one.difference, True)],
    ]
    note = (
        f"ENet, {card.settings.iterations} steps each, on the set's grid; Dice over all structures and slices of a "
        f"patient, mean over {one.real.patients} held-out patients (95 % bootstrap interval). One training each."
    )
    return [
        "<h2>Train on synthetic, test on real</h2>",
        table("", ["trained on", "Dice"], rows),
        f'<p class="note">{text(note)}</p>',
    ]


def _provenance(card: Card) -> dict[str, str]:
    one = card.source.description
    origin = ", ".join(f"{key} {value}" for key, value in (one.origin or {}).items())
    return {
        "bundle": f"{one.bundle} {one.version}",
        "origin": origin or "not recorded",
        "grid": f"{' x '.join(map(str, card.made.image.shape[2:]))} pixels of {' x '.join(map(str, one.spacing))} mm",
        "view, modality, labels": f"{one.view or 'not recorded'}, {one.modality}, {one.scheme.name}",
        "manifest, SHA-256": card.manifest_sha256,
        "real data": card.settings.real,
        "training patients known": "yes" if card.known else "no: halves of the real patients stand in",
        "card": f"seed {card.settings.seed}, {card.settings.iterations} steps a network",
    }


def _times(nearness: float) -> str:
    return f"{nearness:,.0f}" if nearness >= 100 else f"{nearness:.2f}"


def _value(interval: Interval, signed: bool = False) -> str:
    def shown(value: float) -> str:
        digits = f"{value:+.3f}" if signed else f"{value:.3f}"
        return digits.replace("-", "−")

    if interval.low != interval.low:
        return shown(interval.mean)
    return f"{shown(interval.mean)} ({shown(interval.low)} to {shown(interval.high)})"


def _percent(share: object) -> str:
    low, high = (getattr(share, end) for end in ("low", "high"))
    return f"{low:.1%} to {high:.1%}"


__all__ = ["card_page", "nearness_figure", "pairs_figure", "verdict", "write_card_page"]
