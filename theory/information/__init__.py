"""Entropies, total correlations, profiles and gain curves, in nats (in bits with ``base=2``).

For a set ``S`` of sites, ``H(S)`` is the entropy of their tokens and ``e_k`` the mean of ``H(S)``
over sets of k sites; L is the length and t the share of revealed sites::

    total correlation       TC  = sum_i H(X_i) - H(X)
    dual total correlation  DTC = H(X) - sum_i H(X_i | all others)
    profile                 f(j) = e_{j+1} - e_j,   j = 0..L-1
    gains                   h_j = L (f(0) - f(j))
    gain curve              h(t) = sum_j C(L-1, j) t^j (1-t)^(L-1-j) h_j
    growth complexity       G(a, b) = int_a^b t (1-t) h'(t) dt

The profile is the mean entropy of one more site given j random ones. It never increases, starts
at the mean marginal entropy, and sums to ``H(X)``. The gain curve is by how much the entropies of
the single sites fall, in all, when every other site is revealed with probability t.
"""

from theory.information.approximate import Bracket, Estimate, bracket, estimate_profile
from theory.information.entropies import (
    dual_total_correlation,
    entropy,
    kl_divergence,
    subset_entropies,
    total_correlation,
)
from theory.information.fixed_order import fixed_order_cost
from theory.information.gain_curve import GainCurve, gain_curve
from theory.information.growth import (
    block_complexity,
    cardinality_growth_complexity,
    continuum_complexity,
    effective_total_correlation,
    growth_complexity,
    tse_complexity,
)
from theory.information.infilling import Infilling, infilling, information_from_right
from theory.information.profile import gains, mean_entropies, path_cost, profile

__all__ = [
    "Bracket",
    "Estimate",
    "GainCurve",
    "Infilling",
    "block_complexity",
    "bracket",
    "cardinality_growth_complexity",
    "continuum_complexity",
    "dual_total_correlation",
    "effective_total_correlation",
    "entropy",
    "estimate_profile",
    "fixed_order_cost",
    "gain_curve",
    "gains",
    "growth_complexity",
    "infilling",
    "information_from_right",
    "kl_divergence",
    "mean_entropies",
    "path_cost",
    "profile",
    "subset_entropies",
    "total_correlation",
    "tse_complexity",
]
