"""Claims of the literature as objects that can be checked."""

from theory.claims.claim import Check, Claim, Provenance, Verdict
from theory.claims.collect import Registry, registry
from theory.claims.conjecture import CONJECTURE
from theory.claims.conjecture_for_chains import CONJECTURE_FOR_CHAINS
from theory.claims.far_masks import FAR_MASKS
from theory.claims.fewer_rounds import FEWER_ROUNDS
from theory.claims.filter_stability import FILTER_STABILITY
from theory.claims.geometric_batches import GEOMETRIC_BATCHES
from theory.claims.geometric_rate import GEOMETRIC_RATE
from theory.claims.growth_complexity import GROWTH_COMPLEXITY
from theory.claims.identities import IDENTITIES
from theory.claims.joint_bounds import JOINT_BOUNDS
from theory.claims.largest_batch import LARGEST_BATCH
from theory.claims.many_steps import MANY_STEPS
from theory.claims.marginal_only import MARGINAL_ONLY
from theory.claims.optimality import OPTIMALITY
from theory.claims.result import DoesNotApply, Level, Outcome, Result
from theory.claims.score import SCORE
from theory.claims.smoothing import SMOOTHING
from theory.claims.the_middle import THE_MIDDLE
from theory.claims.time_agnostic import TIME_AGNOSTIC
from theory.claims.top_envelope import TOP_ENVELOPE
from theory.claims.value import VALUE

__all__ = [
    "CLAIMS",
    "Check",
    "Claim",
    "DoesNotApply",
    "Level",
    "Outcome",
    "Provenance",
    "Registry",
    "Result",
    "Verdict",
    "registry",
]

CLAIMS = (
    OPTIMALITY,
    VALUE,
    TIME_AGNOSTIC,
    SCORE,
    MARGINAL_ONLY,
    MANY_STEPS,
    GEOMETRIC_BATCHES,
    LARGEST_BATCH,
    GROWTH_COMPLEXITY,
    FEWER_ROUNDS,
    CONJECTURE_FOR_CHAINS,
    GEOMETRIC_RATE,
    THE_MIDDLE,
    TOP_ENVELOPE,
    SMOOTHING,
    CONJECTURE,
    FAR_MASKS,
    JOINT_BOUNDS,
    FILTER_STABILITY,
    IDENTITIES,
)
"""The claims that need no decoder."""
