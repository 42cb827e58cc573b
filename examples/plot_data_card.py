"""
The data card of a synthetic set
================================

`cardiacgen card` says what a set holds, how good it is, and whether it copies patients. Here a set of phantoms with
three planted copies is judged against "real" patients, who are phantoms, too.
"""

# %%
# A set with copies
# -----------------
#
# Forty new phantom slices, and three slices of the training patients: one as it is, one flipped, one brightened.

from gallery_parts import KEPT, show_figure
from rich.console import Console

from monai_cardiacgen import __version__
from monai_cardiacgen.data import (
    CaseRecord,
    SetDescription,
    ShortAxisGrid,
    SyntheticSetWriter,
    load_slices,
    read_acdc,
    split_by_patient,
    write_split,
)
from monai_cardiacgen.inferers import PhantomSynthesizer
from monai_cardiacgen.phantom import write_acdc_phantom
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies import CardSettings, make_card
from monai_cardiacgen.studies.card.synthetic_card_page import nearness_figure, pairs_figure, verdict

real = write_acdc_phantom(KEPT / "card_patients", patients=8, seed=11)
split = split_by_patient(read_acdc(real), training=4, validation=2, seed=0)
write_split(KEPT / "card_split.json", split)
grid = ShortAxisGrid((3.0, 3.0), (48, 48))
theirs = load_slices(split.training, grid, hearts_only=True)
images = [theirs[number]["image"].as_tensor() for number in (3, 12, 16)]
labels = [theirs[number]["label"].as_tensor()[0] for number in (3, 12, 16)]
copies = [
    (images[0], labels[0]),
    (images[1].flip(1), labels[1].flip(0)),
    ((1.3 * images[2] + 0.1).clamp(0, 1), labels[2]),
]

phantoms = PhantomSynthesizer(spacing=(3.0, 3.0), spatial_size=(48, 48), patients=12, seed=12).fill()
made = phantoms.sample(40, seeded(0))
description = SetDescription(
    phantoms.scheme, (3.0, 3.0), bundle="phantom with copies", version=__version__, view="short axis", modality="MR"
)
with SyntheticSetWriter(KEPT / "card_set", description) as writer:
    for number in writer.missing(43):
        image, label = (made.image[number], made.label[number]) if number < 40 else copies[number - 40]
        writer.add(image, label, CaseRecord(number, seed=number, mode="new"))

# %%
# What the card says
# ------------------

settings = CardSettings(
    str(KEPT / "card_set"), str(real), str(KEPT / "card_split.json"), iterations=50, feature_iterations=40
)
card = make_card(settings, KEPT / "card", Console(quiet=True))
for sentence in verdict(card):
    print(sentence)

# %%
# Each measure stands beside what as many slices of real training patients have. This is the page's table, in short:

for measure in card.measures:
    print(f"{measure.name:44} set {measure.synthetic.mean:8.3f}    real training patients {measure.real.mean:8.3f}")

# %%
# The copies
# ----------
#
# Nearness is 1 for a case that is as far from the training slices as from other patients'. Cases to the right of the
# line are copies.

show_figure(nearness_figure(card.copies))

# %%
# From left: the case, the case moved onto the training slice, that slice, the nearest slice of other patients.

show_figure(pairs_figure(card.copies))
