"""The order in which a decoder reveals sites: its distribution, its statistics, its cost."""

from sims.order.distribution import orders
from sims.order.fixed_batches import fixed_batches
from sims.order.order_costs import AnyOrder
from sims.order.statistics import Order, order, order_of

__all__ = ["AnyOrder", "Order", "fixed_batches", "order", "order_of", "orders"]
