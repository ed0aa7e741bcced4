"""Predictions far from observed tokens: whether they become alike and how fast; bounds of them."""

from theory.homogenization.coefficients import birkhoff, dobrushin
from theory.homogenization.decide import decide
from theory.homogenization.decision import Decision, RecurrentClass
from theory.homogenization.envelopes import (
    bonferroni,
    chain_envelope,
    dobrushin_envelope,
    fano,
    frechet,
    pinsker,
    top_envelope,
)
from theory.homogenization.measures import Measures, average, measure, worst
from theory.homogenization.middle import decide_middle
from theory.homogenization.structure import stationary

__all__ = [
    "Decision",
    "Measures",
    "RecurrentClass",
    "average",
    "birkhoff",
    "bonferroni",
    "chain_envelope",
    "decide",
    "decide_middle",
    "dobrushin",
    "dobrushin_envelope",
    "fano",
    "frechet",
    "measure",
    "pinsker",
    "stationary",
    "top_envelope",
    "worst",
]
