"""Claims of the literature about decoders, each with its source, verdict and checks."""

from sims.claims.a6_any_order import ANY_ORDER
from sims.claims.b1_cost_identity import COST_IDENTITY
from sims.claims.b2_random_order_cost import RANDOM_ORDER_COST
from sims.claims.b3_bernoulli_steps import BERNOULLI_STEPS
from sims.claims.b8_rejection import REJECTION
from sims.claims.b9_parallelbench import PARALLELBENCH
from sims.claims.b10_permutation_policies import PERMUTATION_POLICIES
from sims.claims.b11_markov_bisection import MARKOV_BISECTION
from sims.claims.b12_walk_scan import WALK_SCAN
from sims.claims.b13_structure import STRUCTURE
from sims.claims.b14_serial_depth import SERIAL_DEPTH
from sims.claims.b15_adaptivity import ADAPTIVITY
from sims.claims.b16_coins import COINS
from sims.claims.c1_position_scores import POSITION_SCORES
from sims.claims.c2_token_confidence import TOKEN_CONFIDENCE
from sims.claims.c3_likeliest_product import LIKELIEST_PRODUCT
from sims.claims.c4_entropy_bound import ENTROPY_BOUND
from sims.claims.c6_expected_calls import EXPECTED_CALLS
from sims.claims.c7_correctors import CORRECTORS
from sims.claims.c8_speculative import SPECULATIVE
from sims.claims.c9_residual_energy import RESIDUAL_ENERGY
from sims.claims.c10_sequence_alpha_loss import SEQUENCE_ALPHA_LOSS
from sims.claims.e1_visited_masks import VISITED_MASKS
from sims.claims.e2_reveal_order import REVEAL_ORDER
from sims.claims.e3_both_sides import BOTH_SIDES
from sims.claims.e4_training_masks import TRAINING_MASKS
from sims.claims.e5_inference_strategies import INFERENCE_STRATEGIES
from sims.claims.e6_imperfect_denoisers import IMPERFECT_DENOISERS

__all__ = ["CLAIMS"]

CLAIMS = (
    ANY_ORDER,
    COST_IDENTITY,
    RANDOM_ORDER_COST,
    BERNOULLI_STEPS,
    REJECTION,
    PARALLELBENCH,
    PERMUTATION_POLICIES,
    WALK_SCAN,
    MARKOV_BISECTION,
    STRUCTURE,
    SERIAL_DEPTH,
    ADAPTIVITY,
    COINS,
    POSITION_SCORES,
    TOKEN_CONFIDENCE,
    LIKELIEST_PRODUCT,
    ENTROPY_BOUND,
    EXPECTED_CALLS,
    CORRECTORS,
    SPECULATIVE,
    SEQUENCE_ALPHA_LOSS,
    RESIDUAL_ENERGY,
    VISITED_MASKS,
    REVEAL_ORDER,
    BOTH_SIDES,
    TRAINING_MASKS,
    INFERENCE_STRATEGIES,
    IMPERFECT_DENOISERS,
)
"""The claims about what decoders write."""
