"""Why echo is hard to synthesize: scores by contour, label maps, styles, upsampling grids, wrong maps."""
