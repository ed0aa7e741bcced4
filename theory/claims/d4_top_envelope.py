"""D4: upper bounds on the top mass of predictions, far from what is observed and on average."""

import contextlib
import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import MASK, MarkovChain, gallery, strategies
from theory._core.arrays import to_host, xlogy
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import named_distributions, shares
from theory.claims.kit.inequality import excess
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution
from theory.errors import InvalidInput
from theory.homogenization.coefficients import dobrushin
from theory.homogenization.envelopes import (
    chain_envelope,
    dobrushin_envelope,
    fano,
    pinsker,
    top_envelope,
)
from theory.homogenization.structure import stationary

__all__ = ["D4"]

D4 = Claim(
    id="D4",
    title="Upper bounds on how confident predictions can be",
    statement=(
        "A prediction is at most as confident as the most confident one that observing further "
        "sites can give. So on a chain the largest top mass, over all tokens that can be observed, "
        "never grows with the distance. After the token l it is at most max pi + (1 - pi(l)) "
        "tau^n, with pi stationary and tau the largest total variation between two rows. On "
        "average over what is observed, H(X_i | X_S) <= h(e) + e ln(V - 1) with 1 - e the mean top "
        "mass, which is at most that of the marginal plus sqrt(I(X_i; X_S)/2)."
    ),
    latex=(
        r"\max_v p(x_j = v \mid c) \le \max_u \max_v p(x_j = v \mid x_i = u, c),\qquad "
        r"\max_{a,v} P^{n+1}(a, v) \le \max_{a,v} P^n(a, v),\qquad "
        r"\max_v P^n(l, v) \le \max_v \pi(v) + (1 - \pi(l))\, \tau^n"
    ),
    says=(
        "'upper-bound estimates for probability distributions' are announced (restated); no "
        "formula was seen, and these are candidates"
    ),
    note=(
        "The inequalities of Dobrushin, Fano and Pinsker are textbook, from memory; their use here "
        "is ours. After one fixed token the top mass may well grow with the distance: on a -> {b, "
        "c} -> e it is 1/2 at distance 1, then 1. Attained: the first where the further site says "
        "nothing; the second by a periodic chain and by independent tokens; the third by every "
        "chain of two tokens, at every distance if its eigenvalue is positive (l the likelier "
        "token) and at odd ones if it is negative (l the other); Fano's by fair bits. Pinsker's is "
        "tight only in the limit of weak dependence. With 1 - pi(v) in place of 1 - pi(l) the "
        "third is false: on 0 -> 1 -> {0, 1} at distance 1 it would allow 5/6 for what is certain."
    ),
    source="derived here; a candidate for the bound of arXiv 2510.03289, which was not seen",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _whatever_is_seen(p: Distribution, x: np.ndarray, site: int, through: list[int]) -> Bound:
    """Planted: as if observing more never lowered the top mass."""
    patterns = np.stack([x] * p.vocab)
    patterns[:, through[0]] = range(p.vocab)
    patterns = patterns[to_host(p.evidence(patterns)) != 0]
    tops = to_host(p.denoise(patterns))[:, site].max(axis=1)
    return Bound(to_host(p.denoise(x))[site].max(), tops.min())


@D4.residual(
    "top mass with one more token observed",
    exact=strategies.joint_tables(lengths=(2, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts=lambda p: {"x": strategies.evidence(p)},
    bound=_whatever_is_seen,
)
def observing_more(p: Distribution, x: np.ndarray, bound: Callable = top_envelope) -> list[Bound]:
    masked = np.flatnonzero(x == MASK).tolist()
    if len(masked) < 2:
        raise DoesNotApply("observing more takes two masks")
    return [bound(p, x, i, [j]) for i, j in itertools.permutations(masked, 2)]


def _after_one_token(p: MarkovChain, steps: int) -> Bound:
    """Planted: as if the top mass fell after each token."""
    first = int(np.argmax(to_host(p.initial) != 0))
    return Bound(*(to_host(p.power(n))[first].max() for n in (steps + 1, steps)))


@D4.residual(
    "the largest top mass at one more step",
    exact=strategies.chains(lengths=(1, 1), exact=True),
    parts={"steps": st.integers(0, 5)},
    bound=_after_one_token,
)
def one_step_farther(p: Distribution, steps: int, bound: Callable = chain_envelope) -> Bound:
    return bound(as_chain(p), steps)


def _by_its_own_share(p: MarkovChain, steps: int, token: int | None) -> Bound:
    """Planted: ``max_v pi(v) + (1 - pi(v)) tau^n``."""
    pi = to_host(stationary(p))
    top = dobrushin_envelope(p, steps, token).quantity
    return Bound(top, (pi + (1 - pi) * dobrushin(p) ** steps).max())


@D4.residual(
    "top mass after each token, and after the worst",
    exact=strategies.chains(lengths=(1, 1), exact=True),
    parts={"steps": st.integers(0, 5)},
    bound=_by_its_own_share,
)
def contraction(p: Distribution, steps: int, bound: Callable = dobrushin_envelope) -> list[Bound]:
    found = []
    for token in (None, *range(as_chain(p).vocab)):
        with contextlib.suppress(InvalidInput):  # never shown, or several recurrent classes
            found.append(bound(p, steps, token))
    if not found:
        raise DoesNotApply("it is about chains with one recurrent class")
    return found


@D4.symbolic(
    "top mass of two tokens",
    weight=lambda pi, token: pi[token],  # the share of the token itself
)
def two_tokens(weight: Callable = lambda pi, token: 1 - pi[token]) -> list[Number]:
    """With eigenvalue z, ``P^n(l, v) = pi(v) + (1 - pi(l)) z^n``, and - for the other token."""
    import sympy

    a, b = sympy.symbols("a b", positive=True)
    p = MarkovChain([1, 0], [[1 - a, a], [b, 1 - b]], 2, exact=True)
    pi, z = [b / (a + b), a / (a + b)], 1 - a - b
    return [
        p.power(n)[token, 0] - pi[0] - sign * weight(pi, token) * z**n
        for n in range(1, 5)
        for token, sign in ((0, 1), (1, -1))
    ]


def _no_spread(p: Distribution, observed: list[int], site: int) -> Bound:
    """Planted: ``h(e)`` alone, as if all errors were the same token."""
    found, top = fano(p, observed, site), pinsker(p, observed, site).quantity
    others = np.asarray([max(p.vocab - 1, 1)], dtype=object if p.exact else np.float64)
    spread = xlogy(np.asarray([1 - top]), others)[0]
    return Bound(found.quantity, found.bound - spread)


def _third(p: Distribution, observed: list[int], site: int) -> Bound:
    """Planted: a third of what the information adds."""
    found, marginal = pinsker(p, observed, site), pinsker(p, [], site).quantity
    return Bound(found.quantity, marginal + (found.bound - marginal) / 3)


def _ends(p: Distribution) -> list[dict[str, Any]]:
    """The last site from the first, and the first from the last."""
    first = [True] + [False] * (p.length - 1)
    return [{"site": p.length - 1, "seen": first}, {"site": 0, "seen": first[::-1]}]


@D4.residual(
    "entropy and top mass on average",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 4)),
    parts={
        "site": lambda p: st.integers(0, p.length - 1),
        "seen": lambda p: strategies.masks(p.length, masked=(0, 3)),
    },
    named=lambda: named_distributions(4),
    at=_ends,
    bounds=(_no_spread, _third),
)
def on_average(
    p: Distribution, site: int, seen: Sequence[bool], bounds: Sequence[Callable] = (fano, pinsker)
) -> list[Bound]:
    observed = [i for i in range(p.length) if seen[i] and i != site]
    return [bound(p, observed, site) for bound in bounds]


def _independent(weights: list[int], length: int) -> MarkovChain:
    (row,) = shares([weights])
    return MarkovChain(row, [row] * len(row), length, exact=True)


def _attaining() -> Any:
    length = st.integers(3, 5)
    return st.one_of(
        st.builds(_independent, st.lists(st.integers(1, 5), min_size=1, max_size=4), length),
        st.builds(gallery.periodic, length, st.integers(2, 4), exact=st.just(True)),
        st.builds(gallery.binary_symmetric, length, strategies.rationals(), exact=st.just(True)),
    )


def _golden(p: MarkovChain) -> MarkovChain:
    """Planted: the chain of no two ones in a row, of the same length."""
    half = Fraction(1, 2)
    return MarkovChain([half, half], [[half, half], [1, 0]], p.length, exact=True)


@D4.residual("where the bounds are attained", exact=_attaining(), data=_golden)
def attained(p: Distribution, data: Callable = lambda p: p) -> list[Number]:
    """The slack of the bounds where they are attained.

    Of the first two for independent tokens, of the second for tokens in turn, of Fano's for fair
    bits at all distances.
    """
    p = as_chain(p, 3)
    if not p.exact:
        raise DoesNotApply("where the bounds are attained is seen in exact numbers")
    steps, chain = to_host(p.transition), data(p)
    found: list[Bound] = []
    if (steps == steps[0]).all():
        found.append(top_envelope(chain, [MASK] * p.length, 2, [0, 1]))
        found += [chain_envelope(chain, n) for n in (1, 2)]
    if all((row != 0).sum() == 1 for row in steps):
        found += [chain_envelope(chain, n) for n in (0, 1, 2)]
    if p.vocab == 2 and (steps == steps[::-1, ::-1]).all() and p.initial[0] == p.initial[1]:
        found += [fano(chain, [0], k) for k in range(1, p.length)]
    if not found:
        raise DoesNotApply("attained by independent tokens, tokens in turn, or fair bits")
    return [excess(b.bound, b.quantity) for b in found]
