"""D4: upper bounds on how sure predictions can be, far from what is observed."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import MASK, MarkovChain, gallery, strategies
from theory._core.arrays import times_log, to_host
from theory._core.bound import Bound
from theory.claims.kit.claim import Check, Claim, Provenance, Verdict
from theory.claims.kit.generators import Size, by_size, named_distributions
from theory.claims.kit.inequality import bound_closeness, bound_excess, excess
from theory.claims.kit.result import DoesNotApply, Level, as_chain
from theory.distributions import Distribution
from theory.errors import InvalidInput
from theory.homogenization.chains import stationary
from theory.homogenization.coefficients import dobrushin
from theory.homogenization.envelopes import (
    chain_envelope,
    dobrushin_envelope,
    fano,
    pinsker,
    top_envelope,
)

__all__ = ["TOP_ENVELOPE"]


def _largest(ratios: Sequence[float]) -> float:
    return max((ratio for ratio in ratios if ratio == ratio), default=float("nan"))


# ---- observing more -------------------------------------------------------------------------


def _pairs(x: np.ndarray) -> list[tuple[int, int]]:
    masked = np.flatnonzero(x == MASK).tolist()
    return [(i, j) for i in masked for j in masked if i != j]


def _more(p: Distribution, x: Any, bound: Callable[..., Bound] = top_envelope) -> list[Any]:
    """By how much a masked site is surer than it can get by observing another one."""
    if not _pairs(x):
        raise DoesNotApply("observing more takes two masks")
    return [bound_excess(bound(p, x, i, [j])) for i, j in _pairs(x)]


def _whatever_is_seen(p: Distribution, x: np.ndarray, site: int, through: list[int]) -> Bound:
    """Planted: as if observing more never lowered the top mass."""
    patterns = np.stack([x] * p.vocab)
    patterns[:, through[0]] = range(p.vocab)
    patterns = patterns[to_host(p.evidence(patterns)) != 0]
    tops = to_host(p.denoise(patterns))[:, site].max(axis=1)
    return Bound(to_host(p.denoise(x))[site].max(), tops.min())


def _more_closest(p: Distribution, x: Any) -> float:
    return _largest([bound_closeness(top_envelope(p, x, i, [j])) for i, j in _pairs(x)])


# ---- chains ---------------------------------------------------------------------------------


def _farther(p: Distribution, steps: int, bound: Callable[..., Bound] = chain_envelope) -> Any:
    """By how much the largest top mass grows with the distance."""
    return bound_excess(bound(as_chain(p), steps))


def _after_one_token(p: MarkovChain, steps: int) -> Bound:
    """Planted: as if the top mass fell after each token."""
    first = int(np.argmax(to_host(p.initial) != 0))
    return Bound(*(to_host(p.power(n))[first].max() for n in (steps + 1, steps)))


def _farther_closest(p: Distribution, steps: int) -> float:
    return bound_closeness(chain_envelope(p, steps)) if isinstance(p, MarkovChain) else float("nan")


def _contracted(p: Distribution, steps: int, bound: Callable[..., Bound]) -> list[Bound]:
    """The bounds after each token that the chain shows, and after the worst."""
    if not isinstance(p, MarkovChain):
        return []
    found = []
    for token in (None, *range(p.vocab)):
        try:
            found.append(bound(p, steps, token))
        except InvalidInput:
            continue  # never shown, or several recurrent classes
    return found


def _contraction(
    p: Distribution, steps: int, bound: Callable[..., Bound] = dobrushin_envelope
) -> list[Any]:
    found = _contracted(as_chain(p), steps, bound)
    if not found:
        raise DoesNotApply("it is about chains with one recurrent class")
    return [bound_excess(b) for b in found]


def _by_its_own_share(p: MarkovChain, steps: int, token: int | None) -> Bound:
    """Planted: ``max_v pi(v) + (1 - pi(v)) tau^n``."""
    pi = to_host(stationary(p))
    top = dobrushin_envelope(p, steps, token).quantity
    return Bound(top, (pi + (1 - pi) * dobrushin(p) ** steps).max())


def _contraction_closest(p: Distribution, steps: int) -> float:
    return _largest([bound_closeness(b) for b in _contracted(p, steps, dobrushin_envelope)])


def _of_others(pi: Any, token: int) -> Any:
    return 1 - pi[token]


def _own(pi: Any, token: int) -> Any:
    """Planted: the share of the token itself."""
    return pi[token]


def _two_tokens(weight: Callable[[Any, int], Any] = _of_others) -> list[Any]:
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


# ---- on average -----------------------------------------------------------------------------

AVERAGE = (fano, pinsker)


def _averaged(
    p: Distribution, site: int, seen: Sequence[bool], bounds: Sequence[Any] = AVERAGE
) -> list[Any]:
    observed = [i for i in range(p.length) if seen[i] and i != site]
    return [bound_excess(bound(p, observed, site)) for bound in bounds]


def _averaged_closest(p: Distribution, site: int, seen: Sequence[bool]) -> float:
    observed = [i for i in range(p.length) if seen[i] and i != site]
    return _largest([bound_closeness(bound(p, observed, site)) for bound in AVERAGE])


def _no_spread(p: Distribution, observed: list[int], site: int) -> Bound:
    """Planted: ``h(e)`` alone, as if all errors were the same token."""
    found, top = fano(p, observed, site), pinsker(p, observed, site).quantity
    others = np.asarray([max(p.vocab - 1, 1)], dtype=object if p.exact else np.float64)
    spread = times_log(np.asarray([1 - top]), others)[0]
    return Bound(found.quantity, found.bound - spread)


def _third(p: Distribution, observed: list[int], site: int) -> Bound:
    """Planted: a third of what the information adds."""
    found, marginal = pinsker(p, observed, site), pinsker(p, [], site).quantity
    return Bound(found.quantity, marginal + (found.bound - marginal) / 3)


WRONG = (_no_spread, _third)


# ---- where they are attained ----------------------------------------------------------------


def _same(p: MarkovChain) -> MarkovChain:
    return p


def _golden(p: MarkovChain) -> MarkovChain:
    """Planted: the chain of no two ones in a row, of the same length."""
    half = Fraction(1, 2)
    return MarkovChain([half, half], [[half, half], [1, 0]], p.length, exact=True)


def _attained(p: Distribution, data: Callable[[MarkovChain], MarkovChain] = _same) -> list[Any]:
    """The slack of the bounds where they are attained.

    Of the first two for independent tokens, of the second for tokens in turn, of Fano's for fair
    bits at all distances.
    """
    p = as_chain(p, 3)
    if not p.exact:
        raise DoesNotApply("where the bounds are attained is seen in exact numbers")
    steps, chain = to_host(p.transition), data(p)
    found: list[Any] = []
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


def _attaining() -> Any:
    shares = st.integers(1, 4).flatmap(
        lambda n: st.lists(st.integers(1, 5), min_size=n, max_size=n)
    )
    length = st.integers(3, 5)
    return st.one_of(
        st.builds(_independent, shares, length),
        st.builds(gallery.periodic, length, st.integers(2, 4), exact=st.just(True)),
        st.builds(gallery.binary_symmetric, length, strategies.rationals(), exact=st.just(True)),
    )


def _independent(weights: list[int], length: int) -> MarkovChain:
    row = [Fraction(w, sum(weights)) for w in weights]
    return MarkovChain(row, [row] * len(row), length, exact=True)


def _ends(p: Distribution, bounds: Sequence[Any] = AVERAGE) -> list[Any]:
    """The last site, from the first and from all others but one."""
    some = [True] + [False] * (p.length - 1)
    return _averaged(p, p.length - 1, some, bounds) + _averaged(p, 0, some[::-1], bounds)


def _ends_closest(p: Distribution) -> float:
    return _averaged_closest(p, p.length - 1, [True] + [False] * (p.length - 1))


def _evidence(p: Distribution) -> Any:
    return {"x": strategies.evidence(p)}


@by_size
def _steps(p: Size) -> dict[str, Any]:
    return {"steps": st.integers(0, 5)}


@by_size
def _sites(p: Size) -> dict[str, Any]:
    seen = strategies.masks(p.length, masked=(0, 3))
    return {"site": st.integers(0, p.length - 1), "seen": seen}


TOP_ENVELOPE = Claim(
    id="D4",
    title="Upper bounds on how sure predictions can be",
    statement=(
        "A prediction is at most as sure as the surest one that observing further sites can give. "
        "So on a chain the largest top mass, over all tokens that can be observed, never grows "
        "with the distance. After the token l it is at most max pi + (1 - pi(l)) tau^n, with pi "
        "stationary and tau the largest total variation between two rows. On average over what is "
        "observed, H(X_i | X_S) <= h(e) + e ln(V - 1) with 1 - e the mean top mass, which is at "
        "most that of the marginal plus sqrt(I(X_i; X_S)/2)."
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
    checks=(
        Check(
            level=Level.EXACT,
            residual=_more,
            distributions=lambda: strategies.joint_tables(lengths=(2, 3), exact=True),
            parts=_evidence,
            planted={"bound": _whatever_is_seen},
            tightness=_more_closest,
        ),
        Check(
            level=Level.EXACT,
            residual=_farther,
            distributions=lambda: strategies.chains(lengths=(1, 1), exact=True),
            parts=_steps,
            planted={"bound": _after_one_token},
            tightness=_farther_closest,
        ),
        Check(
            level=Level.EXACT,
            residual=_contraction,
            distributions=lambda: strategies.chains(lengths=(1, 1), exact=True),
            parts=_steps,
            planted={"bound": _by_its_own_share},
            tightness=_contraction_closest,
        ),
        Check(level=Level.SYMBOLIC, residual=_two_tokens, planted={"weight": _own}),
        Check(
            level=Level.EXACT,
            residual=_averaged,
            distributions=lambda: strategies.joint_tables(lengths=(1, 3), exact=True),
            parts=_sites,
            planted={"bounds": WRONG},
            tightness=_averaged_closest,
        ),
        Check(
            level=Level.EXACT,
            residual=_attained,
            distributions=_attaining,
            planted={"data": _golden},
        ),
        Check(
            level=Level.PROPERTY,
            residual=_more,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_evidence,
            planted={"bound": _whatever_is_seen},
            tolerance=1e-10,
            tightness=_more_closest,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_averaged,
            distributions=lambda: strategies.distributions(lengths=(1, 4)),
            parts=_sites,
            planted={"bounds": WRONG},
            tolerance=1e-10,
            tightness=_averaged_closest,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_ends,
            named=lambda: named_distributions(4),
            planted={"bounds": WRONG},
            tolerance=1e-10,
            tightness=_ends_closest,
        ),
    ),
)
