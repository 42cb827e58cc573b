"""
Repair a segmentation
=====================

A network may draw what no heart can be. `RepairAnatomy` takes such a label map through the latent space to the
nearest valid one, and then back towards the map as far as the criteria allow. A repaired map is a heart; it is no
better a segmentation than it was.
"""

# %%
# Faults put into phantom hearts
# ------------------------------
#
# A hole in the wall, an open wall, and a piece of cavity far away. The check says in words what is wrong.

import matplotlib.pyplot as plt
import torch
from gallery_parts import name_structures, paint, phantom_hearts, phantom_maps

from monai_cardiacgen.anatomy import ACDC, AnatomyCheck
from monai_cardiacgen.transforms import RepairAnatomy

MYOCARDIUM, CAVITY = ACDC.code("myocardium"), ACDC.code("left ventricular cavity")
sampler = phantom_hearts()
maps = phantom_maps()
large = maps[(maps == CAVITY).sum(dim=(1, 2)).argsort(descending=True)[:30:10]]

faulty = large.clone()
wall = torch.nonzero(faulty[0] == MYOCARDIUM)
at = wall[len(wall) // 2]
faulty[0, at[0] - 1 : at[0] + 1, at[1]] = 0  # a hole
middle = torch.nonzero(faulty[1] == CAVITY).float().mean(dim=0).long()
faulty[1, middle[0] - 2 : middle[0] + 2, middle[1] :][
    faulty[1, middle[0] - 2 : middle[0] + 2, middle[1] :] == MYOCARDIUM
] = 0
faulty[2, 3:6, 3:6] = CAVITY  # a stray piece
check = AnatomyCheck()
report = check(faulty, sampler.spacing)
for number in range(3):
    print(f"map {number + 1}: {'; '.join(report.reasons(number))}")

# %%
# Before and after
# ----------------

repair = RepairAnatomy(sampler, spacing=sampler.spacing)
repaired = torch.stack([repair(one[None])[0] for one in faulty])
print("valid now:", check(repaired, sampler.spacing).valid.tolist())

figure, axes = plt.subplots(3, 4, figsize=(8.4, 6.9), layout="constrained")
for row, was, bad, good in zip(axes, large, faulty, repaired, strict=True):
    for axis, label, title in zip(row, (was, bad, good), ("phantom", "with a fault", "repaired"), strict=False):
        axis.imshow(paint(label), extent=(0, 144, 144, 0))
        axis.set_title(title, fontsize=9)
    row[3].imshow((good != was).T, cmap="gray_r", extent=(0, 144, 144, 0))
    row[3].set_title(f"{int((good != was).sum())} pixels differ from the phantom", fontsize=8)
for axis in axes.flat:
    axis.set(xlabel="mm", ylabel="mm")
    axis.label_outer()
name_structures(figure)
plt.show()
