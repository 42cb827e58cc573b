"""Does it help? Arms, tests, intervals, figures and the page that tells."""

from .anatomy_overlay import anatomy_figure
from .augmentation import OrdinaryAugmentation
from .bootstrap import Interval, bootstrap_difference, bootstrap_mean
from .comparison import Comparison, compare_arms
from .echo_scores import EchoComparison, EchoScore, compare_echo, score_echo
from .evaluation import Score, evaluate_segmentation, load_test_volumes
from .mirrored_batch import MirroredBatch
from .report import Report, write_report
from .segmentation import dice_by_volume, train_segmentation
from .slice_scores import SliceScore, score_slices
from .style_diversity import StyleDiversity, measure_style_diversity
from .style_parts import StyleParts, measure_style_parts
from .synthesis import SynthesisBudget, train_synthesizer
from .wrong_conditioning import (
    WrongPainting,
    check_label_maps,
    impossible_maps,
    paint_wrong_maps,
    wrong_conditioning_figure,
)

__all__ = [
    "Comparison",
    "EchoComparison",
    "EchoScore",
    "Interval",
    "MirroredBatch",
    "OrdinaryAugmentation",
    "Report",
    "Score",
    "SliceScore",
    "StyleDiversity",
    "StyleParts",
    "SynthesisBudget",
    "WrongPainting",
    "anatomy_figure",
    "bootstrap_difference",
    "bootstrap_mean",
    "check_label_maps",
    "compare_arms",
    "compare_echo",
    "dice_by_volume",
    "evaluate_segmentation",
    "impossible_maps",
    "load_test_volumes",
    "measure_style_diversity",
    "measure_style_parts",
    "paint_wrong_maps",
    "score_echo",
    "score_slices",
    "train_segmentation",
    "train_synthesizer",
    "write_report",
    "wrong_conditioning_figure",
]
