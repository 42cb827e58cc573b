"""Does it help? Arms, tests, intervals, figures and the page that tells."""

from .augmentation import OrdinaryAugmentation
from .bootstrap import Interval, bootstrap_difference, bootstrap_mean
from .evaluation import Score, by_patient, evaluate_segmentation, load_test_volumes
from .segmentation import dice_by_volume, train_segmentation

__all__ = [
    "Interval",
    "OrdinaryAugmentation",
    "Score",
    "bootstrap_difference",
    "bootstrap_mean",
    "by_patient",
    "dice_by_volume",
    "evaluate_segmentation",
    "load_test_volumes",
    "train_segmentation",
]
