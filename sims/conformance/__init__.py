"""Samplers of others on a perfect model: their exact distribution, and a verdict."""

from sims.conformance.enumerated import EnumeratedDistribution
from sims.conformance.exact import exact_distribution
from sims.conformance.oracle import Oracle, answering
from sims.conformance.replay import NotEnumerable

__all__ = ["EnumeratedDistribution", "NotEnumerable", "Oracle", "answering", "exact_distribution"]
