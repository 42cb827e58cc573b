"""Networks of the shape model, the image generator and segmentation; they know only tensors."""
