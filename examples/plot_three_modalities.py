"""
MR, echo and CT side by side
============================

The phantom's patients can be imaged by four simulated scanners. Image and label map come from the same surfaces, so
the label is exact. Readers, preprocessing, anatomical check and the transform are the same for all.
"""

# %%
# Cine MR, short axis; apical echo, four chambers; whole-heart CT and MR of one and the same patient, axial.

import matplotlib.pyplot as plt
import torch
from gallery_parts import name_structures, show

from monai_cardiacgen.anatomy import ACDC, CAMUS, MM_WHS
from monai_cardiacgen.phantom import (
    ApicalEcho,
    axial_grid,
    ct_image,
    draw_apical_heart,
    draw_cine_patient,
    draw_ct_scan,
    draw_whole_heart_mr_scan,
    whole_heart_mr_image,
    whole_heart_phantom,
)
from monai_cardiacgen.seeding import seeded

cine = draw_cine_patient("NOR", seeded(2))
stack, stack_label = cine.image(contraction=0.0)
middle = stack.shape[-1] // 2

echo = ApicalEcho(draw_apical_heart(seeded(3)), "4CH", seeded(3))
frame, frame_label = echo.image(contraction=0.0)

_, patient = whole_heart_phantom(seed=4, number=1)
painting = patient.on(axial_grid((128, 128, 48), (2.0, 2.0, 3.0)))
ct = ct_image(painting, draw_ct_scan(seeded(5)), seeded(5))
mr = whole_heart_mr_image(painting, draw_whole_heart_mr_scan(seeded(6)), seeded(6))
volume_label = painting.label()
height = int((volume_label > 0).sum(dim=(0, 1)).argmax())


def scaled(image: torch.Tensor) -> torch.Tensor:
    """Return an image with its 0.5 and 99.5 percentiles at 0 and 1."""
    low, high = torch.quantile(image.float().flatten(), torch.tensor([0.005, 0.995]))
    return ((image - low) / (high - low)).clamp(0, 1)


shown = (
    ("cine MR, short axis", scaled(stack[..., middle]), stack_label[..., middle], cine.stack.spacing[:2], ACDC),
    ("echo, four chambers", scaled(frame), frame_label, (0.308, 0.308), CAMUS),
    ("CT, axial", scaled(ct[..., height].clamp(-200, 600)), volume_label[..., height], (2.0, 2.0), MM_WHS),
    ("MR of the same patient", scaled(mr[..., height]), volume_label[..., height], (2.0, 2.0), MM_WHS),
)
figure, axes = plt.subplots(2, 4, figsize=(12, 6.6), layout="constrained")
for column, (name, image, label, spacing, scheme) in zip(axes.T, shown, strict=True):
    show(column[0], image, spacing, title=name)
    show(column[1], image, spacing, label, scheme, title="with its label")
name_structures(figure, MM_WHS)
plt.show()
