"""Claims about decoders."""

from sims.claims.adaptivity import ADAPTIVITY
from sims.claims.any_order import ANY_ORDER
from sims.claims.bernoulli_steps import BERNOULLI_STEPS
from sims.claims.both_sides import BOTH_SIDES
from sims.claims.coins import COINS
from sims.claims.correctors import CORRECTORS
from sims.claims.cost_identity import COST_IDENTITY
from sims.claims.entropy_bound import ENTROPY_BOUND
from sims.claims.expected_calls import EXPECTED_CALLS
from sims.claims.imperfect_denoisers import IMPERFECT_DENOISERS
from sims.claims.inference_strategies import INFERENCE_STRATEGIES
from sims.claims.likeliest_product import LIKELIEST_PRODUCT
from sims.claims.markov_bisection import MARKOV_BISECTION
from sims.claims.parallelbench import PARALLELBENCH
from sims.claims.permutation_policies import PERMUTATION_POLICIES
from sims.claims.position_scores import POSITION_SCORES
from sims.claims.random_order_cost import RANDOM_ORDER_COST
from sims.claims.rejection import REJECTION
from sims.claims.residual_energy import RESIDUAL_ENERGY
from sims.claims.reveal_order import REVEAL_ORDER
from sims.claims.sequence_alpha_loss import SEQUENCE_ALPHA_LOSS
from sims.claims.serial_depth import SERIAL_DEPTH
from sims.claims.speculative import SPECULATIVE
from sims.claims.structure import STRUCTURE
from sims.claims.token_confidence import TOKEN_CONFIDENCE
from sims.claims.training_masks import TRAINING_MASKS
from sims.claims.visited_masks import VISITED_MASKS
from sims.claims.walk_scan import WALK_SCAN

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
