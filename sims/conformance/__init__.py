"""Samplers of others on a perfect model: their exact distribution, and a verdict."""

from sims.conformance.check import check
from sims.conformance.enumerated import EnumeratedDistribution
from sims.conformance.exact import exact_distribution
from sims.conformance.oracle import Oracle, answering
from sims.conformance.refute import Refutation, refute
from sims.conformance.replay import NotEnumerable
from sims.conformance.verdict import Verdict

__all__ = [
    "EnumeratedDistribution",
    "NotEnumerable",
    "Oracle",
    "Refutation",
    "Verdict",
    "answering",
    "check",
    "exact_distribution",
    "refute",
]
