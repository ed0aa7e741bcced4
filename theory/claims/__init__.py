"""Claims of the literature that need no decoder, each with its source, verdict and checks."""

from theory.claims.a1_optimality import OPTIMALITY
from theory.claims.a2_value import VALUE
from theory.claims.a3_time_agnostic import TIME_AGNOSTIC
from theory.claims.a4_score import SCORE
from theory.claims.a5_marginal_only import MARGINAL_ONLY
from theory.claims.b4_many_steps import MANY_STEPS
from theory.claims.b5_geometric_batches import GEOMETRIC_BATCHES
from theory.claims.b6_largest_batch import LARGEST_BATCH
from theory.claims.b7_growth_complexity import GROWTH_COMPLEXITY
from theory.claims.b17_fewer_rounds import FEWER_ROUNDS
from theory.claims.d1_conjecture_for_chains import CONJECTURE_FOR_CHAINS
from theory.claims.d2_geometric_rate import GEOMETRIC_RATE
from theory.claims.d3_the_middle import THE_MIDDLE
from theory.claims.d4_top_envelope import TOP_ENVELOPE
from theory.claims.d5_smoothing import SMOOTHING
from theory.claims.d6_conjecture import CONJECTURE
from theory.claims.d7_far_masks import FAR_MASKS
from theory.claims.d8_joint_bounds import JOINT_BOUNDS
from theory.claims.d9_filter_stability import FILTER_STABILITY
from theory.claims.i1_identities import IDENTITIES
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.registry import Registry, registry
from theory.claims.kit.result import DoesNotApply, Level, Outcome, Result

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
