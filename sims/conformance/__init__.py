"""Samplers of others on a perfect model: their exact distribution, and a verdict."""

from sims.conformance.oracle import Oracle, answering
from sims.conformance.replay import NotEnumerable

__all__ = ["NotEnumerable", "Oracle", "answering"]
