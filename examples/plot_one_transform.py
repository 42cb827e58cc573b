"""
One transform
=============

`RandCardiacSynthd` stands in a MONAI pipeline like any random transform. Half of the time a sample passes as it is;
else it becomes a synthetic case on the same grid, with the same keys, whose label is exact.
"""

# %%
# The samples here are slices of one phantom patient, who stands in for yours; `PhantomSynthesizer` draws other ones.
# Nothing was trained.

import matplotlib.pyplot as plt
from gallery_parts import KEPT, name_structures, show
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    LoadImaged,
    RandSpatialCropd,
    ResizeWithPadOrCropd,
    ScaleIntensityRangePercentilesd,
    Spacingd,
    SqueezeDimd,
)

from monai_cardiacgen.data import read_acdc
from monai_cardiacgen.inferers import PhantomSynthesizer
from monai_cardiacgen.phantom import write_acdc_phantom
from monai_cardiacgen.transforms import RandCardiacSynthd

keys = ("image", "label")
yours = read_acdc(write_acdc_phantom(KEPT / "patients", patients=2, seed=8))
phantoms = PhantomSynthesizer(spacing=(2.0, 2.0), spatial_size=(96, 96), patients=6, seed=1).fill()
train = Compose(
    [
        LoadImaged(keys),
        EnsureChannelFirstd(keys),
        ScaleIntensityRangePercentilesd("image", 0.5, 99.5, 0, 1, clip=True),
        Spacingd(keys, pixdim=(2.0, 2.0, -1), mode=("bilinear", "nearest")),
        ResizeWithPadOrCropd(keys, (96, 96, -1)),
        RandSpatialCropd(keys, (96, 96, 1), random_size=False),
        SqueezeDimd(keys, dim=-1),
        RandCardiacSynthd(keys, phantoms, prob=0.5),  # <- the one transform
    ]
)

# %%
# The record in the image's meta tells which sample is which, and is enough to make a synthetic one again.

train.set_random_state(3)
figure, axes = plt.subplots(2, 4, figsize=(9, 5.6), layout="constrained", sharex=True, sharey=True)
for axis in axes.flat:
    sample = train(yours[2])
    made = sample["image"].meta["cardiacgen"]["synthetic"]
    show(axis, sample["image"][0].as_tensor(), (2, 2), sample["label"][0].as_tensor())
    axis.set_title("synthetic" if made else "as loaded", fontsize=9, color="#c2410c" if made else "black")
name_structures(figure)
figure.suptitle("Eight draws of one sample, with the outlines of their labels", fontsize=11)
plt.show()
