"""Does synthesis help a segmentation? Arms, amounts of real patients, intervals and the page that tells."""
