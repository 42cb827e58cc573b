"""
A healthy version, and what differs
===================================

A conditional Wasserstein GAN has learned to make a hidden descending aorta of what is round it. The patient is compared
with what it makes. The bundle's weights were trained on phantoms.
"""

# %%
# A held-out phantom patient, whose aorta is widened by 5 mm of radius.

import matplotlib.pyplot as plt
from gallery_parts import BUNDLES, KEPT, show

from monai_cardiacgen.inferers import ConditionalInpainter
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.vessels.aortic_patches import AorticPatches
from monai_cardiacgen.studies.vessels.inpainting_networks import VesselInpainter
from monai_cardiacgen.studies.vessels.masked_vessels import mask_vessels
from monai_cardiacgen.studies.vessels.planted_vessels import plant

patches = AorticPatches(write_mmwhs_phantom(KEPT / "aorta", patients=1, seed=102, modality="mr"), step=8)
case = mask_vessels(patches.elements, patch_size=64, spacing=2.0, each=1, seed=1)[0]
widened = plant(case, by=5.0)

inpainter = ConditionalInpainter(VesselInpainter.from_bundle(BUNDLES / "aorta_wgan_gp").generator)
found = inpainter(widened, case.mask)

# %%
# The network sees the known pixels only: the same healthy version serves the patient with and without the fault.
# Z-scores are in standard deviations of what may be there, which the network tells, too.
# The dilation lights up as a ring; where the healthy version lies a little off, the healthy aorta has a crescent, too.

figure, axes = plt.subplots(2, 4, figsize=(11, 5.6), layout="constrained", sharex=True, sharey=True)
for row, patient, name in zip(axes, (case.image, widened), ("as it is", "aorta widened by 5 mm"), strict=True):
    known = patient[0].clone()
    known[case.mask] = 0
    show(row[0], patient[0], (2, 2), title=name)
    show(row[1], known, (2, 2), title="what the network sees")
    show(row[2], found.image[0], (2, 2), title="healthy version")
    scores = row[3].imshow(found.z_score_of(patient)[0].T, cmap="inferno", vmin=0, vmax=6, extent=(-1, 127, 127, -1))
    row[3].set_title("z-score", fontsize=9)
    row[3].tick_params(labelsize=7)
    row[3].set_xlabel("mm", fontsize=8)
    row[3].label_outer()
figure.colorbar(scores, ax=axes[:, 3], label="standard deviations")
plt.show()
