"""
From base to apex and through the cycle
=======================================

A phantom patient can be imaged at any contraction. The ventricle's volume follows a smooth curve: ejection, early
filling, diastasis, atrial contraction. Every frame of every slice comes with its label map.
"""

# %%
# Twelve frames of a patient with a normal heart.

import matplotlib.pyplot as plt
import torch
from gallery_parts import gif_of, name_structures, show

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.anatomy.cardiac_cycle import ejected_share
from monai_cardiacgen.phantom import draw_cine_patient
from monai_cardiacgen.seeding import seeded

FRAMES = 12
patient = draw_cine_patient("NOR", seeded(4))
times = torch.arange(FRAMES) / FRAMES
cine = [patient.image(float(share)) for share in ejected_share(times)]
spacing = patient.stack.spacing
brightest = float(torch.quantile(cine[0][0].flatten()[::7], 0.995))

# %%
# Base to apex
# ------------
#
# The stack at end diastole and at end systole. Above the planes of the valves, which move down in systole, cavities
# have no label.

inside = torch.nonzero((cine[0][1] > 0).flatten(0, 1).any(dim=0)).flatten()
shown = inside[torch.linspace(0, len(inside) - 1, 6).round().long()].tolist()
rows, columns = (torch.nonzero((cine[0][1] > 0).any(dim=2).any(dim=1 - axis)).flatten() for axis in (0, 1))
window = tuple(slice(max(0, int(ends[0]) - 14), int(ends[-1]) + 15) for ends in (rows, columns))


def slices(frame: int, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return image in [0, 1] and label of one slice of one frame, round the heart."""
    image, label = cine[frame]
    return (image[..., number][window] / brightest).clamp(0, 1), label[..., number][window]


figure, axes = plt.subplots(2, 6, figsize=(11, 4.6), layout="constrained", sharex=True, sharey=True)
for row, (name, frame) in zip(axes, (("end diastole", 0), ("end systole", 4)), strict=True):
    for axis, number in zip(row, shown, strict=True):
        image, label = slices(frame, number)
        show(axis, image, spacing[:2], label)
        axis.set_title(f"{name}\n{(number - shown[0]) * spacing[2]:.0f} mm below the base", fontsize=8)
name_structures(figure)
plt.show()

# %%
# Volumes
# -------
#
# Summed label voxels: the ejection fraction comes out of the label maps, it is not asked of a network. The right
# ventricle's curve has steps of one slice: its most basal one leaves the label as the tricuspid plane moves down.

voxel = float(torch.tensor(spacing).prod()) / 1000
names = ("left ventricular cavity", "right ventricular cavity", "myocardium")
figure, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name in names:
    volumes = [float((label == ACDC.code(name)).sum()) * voxel for _, label in cine]
    colour = next(structure.colour for structure in ACDC.structures if structure.name == name)
    axis.plot(100 * times, volumes, marker="o", color=colour, label=name)
    if name == names[0]:
        fraction = 1 - min(volumes) / max(volumes)
axis.set(xlabel="time (% of the cycle, 0 is end diastole)", ylabel="volume (mL)", ylim=(0, None))
axis.set_title(f"Ejection fraction of the left ventricle {fraction:.0%}", fontsize=10)
axis.legend(frameon=False, fontsize=8)
axis.grid(color="#dddddd")
plt.show()

# %%
# As a film
# ---------

frames = []
for frame in range(FRAMES):
    still, axes = plt.subplots(1, 3, figsize=(7.5, 3.1), layout="constrained", sharey=True)
    for axis, number, place in zip(axes, (shown[1], shown[2], shown[4]), ("base", "middle", "apex"), strict=True):
        image, label = slices(frame, number)
        show(axis, image, spacing[:2], label, title=f"{place}, {100 * float(times[frame]):.0f} % of the cycle")
    frames.append(still)
    plt.close(still)
gif = gif_of(frames, seconds=0.12)
