"""MONAI Label: segment, synthesize, vary, repair and inpaint from 3D Slicer, OHIF or plain requests.

What needs MONAI Label itself lies in `label/app/` and is imported by the server alone, which runs in an environment
of its own; everything else here is importable without it.
"""
