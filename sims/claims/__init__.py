"""Claims about decoders."""

from sims.claims.any_order import ANY_ORDER
from sims.claims.correctors import CORRECTORS
from sims.claims.cost_identity import COST_IDENTITY
from sims.claims.entropy_bound import ENTROPY_BOUND
from sims.claims.likeliest_product import LIKELIEST_PRODUCT
from sims.claims.position_scores import POSITION_SCORES
from sims.claims.random_order_cost import RANDOM_ORDER_COST
from sims.claims.rejection import REJECTION
from sims.claims.residual_energy import RESIDUAL_ENERGY
from sims.claims.serial_depth import SERIAL_DEPTH
from sims.claims.speculative import SPECULATIVE
from sims.claims.token_confidence import TOKEN_CONFIDENCE

__all__ = ["CLAIMS"]

CLAIMS = (
    ANY_ORDER,
    COST_IDENTITY,
    RANDOM_ORDER_COST,
    REJECTION,
    SERIAL_DEPTH,
    POSITION_SCORES,
    TOKEN_CONFIDENCE,
    LIKELIEST_PRODUCT,
    ENTROPY_BOUND,
    CORRECTORS,
    SPECULATIVE,
    RESIDUAL_ENERGY,
)
"""The claims about what decoders write."""
