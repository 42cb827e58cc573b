"""Does it help? Arms, tests, intervals, figures and the page that tells."""

from .anatomy_overlay import anatomy_figure
from .augmentation import OrdinaryAugmentation
from .augmentation_study.study_figures import SegmentedSlice
from .augmentation_study.study_page import write_study_page
from .augmentation_study.study_results import Run, read_runs
from .augmentation_study.study_statistics import Estimate, Part, arm_differences, arm_means
from .bootstrap import Interval, bootstrap_crossed, bootstrap_difference, bootstrap_mean
from .card.synthetic_card import CardSettings, make_card
from .card.synthetic_card_page import write_card_page
from .comparison import Comparison, compare_arms
from .echo.case_map import CaseMap, RegionalCoverage, block_features, coverage_by_region, map_cases
from .echo.case_map_figure import case_map_figure
from .echo.checkerboard_table import CheckerboardRow, TrainedOn, checkerboard_by_training, checkerboard_markdown
from .echo.echo_scores import EchoComparison, EchoScore, compare_echo, score_echo
from .echo.mirrored_batch import MirroredBatch
from .echo.style_diversity import StyleDiversity, measure_style_diversity
from .echo.style_parts import StyleParts, measure_style_parts
from .echo.wrong_conditioning import (
    WrongPainting,
    check_label_maps,
    impossible_maps,
    paint_wrong_maps,
    wrong_conditioning_figure,
)
from .evaluation import Score, evaluate_segmentation, load_test_volumes
from .report import Report, write_report
from .segmentation import dice_by_volume, train_segmentation
from .slice_scores import SliceScore, score_slices
from .synthesis import SynthesisBudget, train_synthesizer
from .trained_features import train_feature_space

__all__ = [
    "CardSettings",
    "CaseMap",
    "CheckerboardRow",
    "Comparison",
    "EchoComparison",
    "EchoScore",
    "Estimate",
    "Interval",
    "MirroredBatch",
    "OrdinaryAugmentation",
    "Part",
    "RegionalCoverage",
    "Report",
    "Run",
    "Score",
    "SegmentedSlice",
    "SliceScore",
    "StyleDiversity",
    "StyleParts",
    "SynthesisBudget",
    "TrainedOn",
    "WrongPainting",
    "anatomy_figure",
    "arm_differences",
    "arm_means",
    "block_features",
    "bootstrap_crossed",
    "bootstrap_difference",
    "bootstrap_mean",
    "case_map_figure",
    "check_label_maps",
    "checkerboard_by_training",
    "checkerboard_markdown",
    "compare_arms",
    "compare_echo",
    "coverage_by_region",
    "dice_by_volume",
    "evaluate_segmentation",
    "impossible_maps",
    "load_test_volumes",
    "make_card",
    "map_cases",
    "measure_style_diversity",
    "measure_style_parts",
    "paint_wrong_maps",
    "read_runs",
    "score_echo",
    "score_slices",
    "train_feature_space",
    "train_segmentation",
    "train_synthesizer",
    "write_card_page",
    "write_report",
    "write_study_page",
    "wrong_conditioning_figure",
]
