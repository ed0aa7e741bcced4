"""Training masks against the masks that decoders meet, and denoisers learnt from samples."""

from sims.training.efficiency import best_masks, expected_excess, rate
from sims.training.experiment import experiment, training_masks
from sims.training.fitted_chain import FittedChain
from sims.training.masks import (
    block_by_block,
    fixed_count,
    last_to_first,
    left_to_right,
    predicting,
    prefix_of_block,
    uniform_time,
)
from sims.training.samples import TrainingSet, draw_training_set
from sims.training.tabular import Tabular
from sims.training.visits import Mismatch, mismatch, share_on_prefixes, visited

__all__ = [
    "FittedChain",
    "Mismatch",
    "Tabular",
    "TrainingSet",
    "best_masks",
    "block_by_block",
    "draw_training_set",
    "expected_excess",
    "experiment",
    "fixed_count",
    "last_to_first",
    "left_to_right",
    "mismatch",
    "predicting",
    "prefix_of_block",
    "rate",
    "share_on_prefixes",
    "training_masks",
    "uniform_time",
    "visited",
]
