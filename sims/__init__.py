"""What happens: decoders and experiments."""

from sims import policies
from sims.any_order import AnyOrder
from sims.exact import output_distribution
from sims.fixed_order import fixed_batches
from sims.imperfect import excess_loss, split
from sims.monte_carlo import Decoded, decode
from sims.optimal import Point, frontier, regret
from sims.order import Order, order, order_of
from sims.orders import orders
from sims.output import OutputDistribution
from sims.perturbed import Perturbed
from sims.truncated import Truncated

__all__ = [
    "AnyOrder",
    "Decoded",
    "Order",
    "OutputDistribution",
    "Perturbed",
    "Point",
    "Truncated",
    "decode",
    "excess_loss",
    "fixed_batches",
    "frontier",
    "order",
    "order_of",
    "orders",
    "output_distribution",
    "policies",
    "regret",
    "split",
]
