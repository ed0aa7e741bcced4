"""Decoding policies, one a file: which masked sites are revealed next."""

from sims.policies.base import Decoder, Policy, Rule, TokenPolicy
from sims.policies.bernoulli import Bernoulli
from sims.policies.bisection import Bisection
from sims.policies.block_corrector import BlockCorrector
from sims.policies.blocks import Blocks
from sims.policies.corrector import Corrector
from sims.policies.count_tabulated import CountTabulated
from sims.policies.draw_then_keep import DrawThenKeep
from sims.policies.editing import Editing
from sims.policies.entropy_bounded import EntropyBounded
from sims.policies.factor import Factor
from sims.policies.first_hitting import FirstHitting
from sims.policies.fixed_order import FixedOrder
from sims.policies.gap_tabulated import GapTabulated
from sims.policies.gibbs_corrector import GibbsCorrector
from sims.policies.informed_corrector import InformedCorrector
from sims.policies.joint_draw import JointDraw
from sims.policies.left_to_right import LeftToRight
from sims.policies.mirrored import Mirrored
from sims.policies.path_planning import PathPlanning
from sims.policies.random_order import RandomOrder
from sims.policies.remask import Remask, RemaskLoop
from sims.policies.speculative import Speculative
from sims.policies.steps import Steps
from sims.policies.tabulated import Tabulated
from sims.policies.threshold import Threshold
from sims.policies.token_confidence import TokenConfidence
from sims.policies.top_k import TopK

__all__ = [
    "Bernoulli",
    "Bisection",
    "BlockCorrector",
    "Blocks",
    "Corrector",
    "CountTabulated",
    "Decoder",
    "DrawThenKeep",
    "Editing",
    "EntropyBounded",
    "Factor",
    "FirstHitting",
    "FixedOrder",
    "GapTabulated",
    "GibbsCorrector",
    "InformedCorrector",
    "JointDraw",
    "LeftToRight",
    "Mirrored",
    "PathPlanning",
    "Policy",
    "RandomOrder",
    "Remask",
    "RemaskLoop",
    "Rule",
    "Speculative",
    "Steps",
    "Tabulated",
    "Threshold",
    "TokenConfidence",
    "TokenPolicy",
    "TopK",
]
