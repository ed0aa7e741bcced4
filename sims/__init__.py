"""Decoders of masked diffusion models: what they write, exactly, and experiments with them."""

from sims import policies
from sims.chains.dispatch import on_chain
from sims.chains.expected_rounds import FrontierBounds, frontier_bounds
from sims.chains.on_chain import OnChain
from sims.decoding.exact import output_distribution
from sims.decoding.from_logits import from_logits
from sims.decoding.monte_carlo import Decoded, decode
from sims.decoding.output import OutputDistribution
from sims.decoding.path_kl import PathKL, estimate_path_kl, path_nll
from sims.decoding.sampling import Sampling
from sims.imperfect.decomposition import excess_loss, split
from sims.imperfect.perturbed import Perturbed
from sims.imperfect.windowed import WindowedDenoiser
from sims.optimal.frontier import Point, frontier, regret
from sims.optimal.in_rounds import InRounds
from sims.optimal.worst_case import WorstCase, worst_case
from sims.order.distribution import orders
from sims.order.fixed_batches import fixed_batches
from sims.order.order_costs import AnyOrder
from sims.order.statistics import Order, order, order_of

__all__ = [
    "AnyOrder",
    "Decoded",
    "FrontierBounds",
    "InRounds",
    "OnChain",
    "Order",
    "OutputDistribution",
    "PathKL",
    "Perturbed",
    "Point",
    "Sampling",
    "WindowedDenoiser",
    "WorstCase",
    "decode",
    "estimate_path_kl",
    "excess_loss",
    "fixed_batches",
    "from_logits",
    "frontier",
    "frontier_bounds",
    "on_chain",
    "order",
    "order_of",
    "orders",
    "output_distribution",
    "path_nll",
    "policies",
    "regret",
    "split",
    "worst_case",
]


def __getattr__(name: str) -> object:
    if name == "Truncated":
        import warnings

        warnings.warn("sims.Truncated is now called WindowedDenoiser", DeprecationWarning, 2)
        return WindowedDenoiser
    raise AttributeError(f"module 'sims' has no attribute {name!r}")
