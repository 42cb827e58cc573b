"""
The latent space as a map of hearts
===================================

An anatomical autoencoder gives every heart a place in a space of few dimensions. Here is that space after a short
training on the label maps of ten phantom patients, and what is decoded along its two main directions.
"""

# %%
# Where the training hearts lie
# -----------------------------
#
# The two main directions are the first principal components of the encoded hearts. Colour is the area of the left
# cavity, which the autoencoder was never told.

import matplotlib.pyplot as plt
import torch
from gallery_parts import name_structures, paint, phantom_hearts

from monai_cardiacgen.anatomy import AnatomyCheck

sampler = phantom_hearts()
latents = sampler.latents
mean = latents.mean(dim=0)
_, spread, directions = torch.linalg.svd(latents - mean, full_matrices=False)
places = (latents - mean) @ directions[:2].T
share = spread[:2].square().sum() / spread.square().sum()
areas = sampler.attributes.numbers["cavity area"]

figure, axis = plt.subplots(figsize=(6.2, 4.6), layout="constrained")
dots = axis.scatter(places[:, 0], places[:, 1], c=areas / 100, s=14, cmap="viridis")
figure.colorbar(dots, label="area of the left cavity (cm²)")
axis.set_xlabel("first principal component of the latents")
axis.set_ylabel("second principal component")
axis.set_title(f"{len(latents)} phantom slices; both directions hold {share:.0%} of the variance", fontsize=10)
plt.show()

# %%
# What lies between them
# ----------------------
#
# Every point decodes to a label map. Those that break an anatomical criterion have a red frame: the sampler would
# refuse them.

across, down = (torch.linspace(*places[:, k].quantile(torch.tensor([0.03, 0.97])).tolist(), 7) for k in (0, 1))
points = torch.stack([mean + x * directions[0] + y * directions[1] for y in down.flip(0) for x in across])
with torch.no_grad():
    maps = sampler.scheme.to_codes(sampler.vae.decode(points).argmax(dim=1))
valid = AnatomyCheck()(maps, sampler.spacing).valid

figure, axes = plt.subplots(7, 7, figsize=(6.6, 7.2), layout="constrained")
for axis, label, good in zip(axes.flat, maps, valid, strict=True):
    axis.imshow(paint(label))
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set(color="white" if good else "red", linewidth=2)
axes[6, 3].set_xlabel("first principal component →", fontsize=10)
axes[3, 0].set_ylabel("second principal component →", fontsize=10)
figure.suptitle(f"Decoded hearts, 144 × 144 mm each; {int(valid.sum())} of {len(valid)} keep all criteria", fontsize=11)
name_structures(figure, sampler.scheme)
plt.show()
