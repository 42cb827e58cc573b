"""Does inpainting draw the aorta where it is? Masked vessels of held-out patients, baselines, anomalies."""
