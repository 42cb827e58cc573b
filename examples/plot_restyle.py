"""
One heart, many scans
=====================

`restyle` paints a label map anew, in a style between those of two training images: another patient's contrast and
texture round the same heart. `new` draws the heart, too.
"""

# %%
# The synthesizer is that of the bundle `cine_mr_vaegan`. Its weights were trained on ACDC (CC BY-NC-SA 4.0,
# non-commercial research, Bernard et al. 2018, DOI 10.1109/TMI.2018.2837502). The label maps are a phantom's: nothing
# here is cut from a patient's scan.

import matplotlib.pyplot as plt
from gallery_parts import mr_synthesizer, name_structures, show

from monai_cardiacgen.inferers import PhantomSynthesizer
from monai_cardiacgen.seeding import seeded

synthesizer = mr_synthesizer()
phantoms = PhantomSynthesizer("short axis", synthesizer.spacing, synthesizer.spatial_size, patients=3, seed=2)
case = phantoms.sample(3, seeded(5))

figure, axes = plt.subplots(3, 5, figsize=(10, 6.6), layout="constrained", sharex=True, sharey=True)
for row, image, label in zip(axes, case.image, case.label, strict=True):
    show(row[0], image[0], synthesizer.spacing, label, title="phantom")
    painted = synthesizer.restyle(image.expand(4, -1, -1, -1), label.expand(4, -1, -1), seeded(1))
    for axis, one in zip(row[1:], painted.image, strict=True):
        show(axis, one[0], synthesizer.spacing, title="restyled")
name_structures(figure)
figure.suptitle("Three label maps, each painted in four styles", fontsize=11)
plt.show()

# %%
# New hearts
# ----------
#
# Drawn from the latent space, kept by the anatomical check, painted in a style of training slices with similar
# hearts. The label is exact because the painter was told it; how well it obeys is measured on the synthesizer's page.

made = synthesizer.sample(10, seeded(3))
figure, axes = plt.subplots(2, 5, figsize=(10, 4.8), layout="constrained", sharex=True, sharey=True)
for axis, image, label in zip(axes.flat, made.image, made.label, strict=True):
    show(axis, image[0], synthesizer.spacing, label)
name_structures(figure)
figure.suptitle("Ten new hearts with their labels", fontsize=11)
plt.show()
