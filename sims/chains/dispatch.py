"""Which decoders of chains fall apart into gaps, and what follows each of them."""

from typing import Any

import numpy as np

from sims.chains.ancestral import Ancestral
from sims.chains.choices import Blind, Bridges, Shown
from sims.chains.gaps import Gaps
from sims.chains.in_blocks import InBlocks
from sims.chains.on_chain import Gapwise, OnChain
from sims.chains.pieces import pieces_of
from sims.chains.trees import GapTree
from sims.decoding.arguments import as_decoder, as_run
from sims.order.fixed_batches import fixed_batches
from sims.policies import Blocks, Decoder, Policy, Steps
from sims.policies.base import Select
from theory import MASK
from theory._core.arrays import any_true, to_host, within_memory
from theory._core.exact import all_rational
from theory._core.types import ArrayLike
from theory.distributions import MarkovChain
from theory.distributions.base import Distribution
from theory.distributions.conditioned import Conditioned
from theory.errors import InvalidInput

__all__ = ["on_chain"]
