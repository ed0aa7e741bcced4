"""Samplers of others on a perfect model: their exact distribution, and a verdict."""

from sims.conformance.check import check
from sims.conformance.oracle import Oracle, answering
from sims.conformance.refute import Refutation, refute
from sims.conformance.replay import NotEnumerable
from sims.conformance.verdict import Verdict

__all__ = [
    "NotEnumerable",
    "Oracle",
    "Refutation",
    "Verdict",
    "answering",
    "check",
    "refute",
]
