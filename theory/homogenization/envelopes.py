"""Bounds on the top mass of predictions and on joint probabilities, each beside what it bounds.

What the paper that this package started from gives as its upper bound was not seen. These are
candidates, and all of them are OURS; where an inequality behind one is textbook (Dobrushin,
Fano, Pinsker, Frechet, Bonferroni: from memory), only its use here is.

The *top mass* is the probability of the likeliest token. Observing more can lower it, but never
for every value of what is observed: a mean is at most the largest of what it is the mean of.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from theory import information
from theory._core.arrays import MASK, require_memory, to_host, xlogx, xlogy
from theory._core.bound import Bound
from theory._core.exact import as_sympy
from theory._core.plurals import counted
from theory._core.types import Array, ArrayLike, Number
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.markov import MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.coefficients import dobrushin
from theory.homogenization.structure import stationary, structure
from theory.information.units import in_units
from theory.lattice.lattice import quotient
from theory.validation.arguments import as_integer, as_sites, as_tokens

__all__ = [
    "bonferroni",
    "chain_envelope",
    "dobrushin_envelope",
    "fano",
    "frechet",
    "pinsker",
    "top_envelope",
]


# ---- one site -------------------------------------------------------------------------------


def top_envelope(p: Distribution, x: ArrayLike, site: int, through: Iterable[int]) -> Bound:
    """Top mass at a masked site, at most the largest if the sites `through` are observed, too.

    Because ``p(x_i = v | x) = sum_u p(u | x) p(x_i = v | x, u)`` is a mean over the values u of
    these sites. With nothing observed in `x` it compares the marginal with the most confident
    prediction that they can give. [ours]

    Parameters
    ----------
    p : Distribution
    x : array_like of int, shape (L,)
    site : int
        Masked in `x`.
    through : iterable of int
        Masked sites; all their possible values are gone through.

    Returns
    -------
    Bound
        Probabilities: floats, or exact numbers if `p` is exact.

    Raises
    ------
    ImpossibleEvidence, TooLarge

    A bit that flips with probability 1/4, two steps after it was seen, and one:

    >>> from theory import gallery
    >>> top_envelope(gallery.binary_symmetric(3, 0.25), [0, MASK, MASK], 2, [1])
    Bound(quantity=0.625, bound=0.75, upper=True)

    Attained where these sites say nothing, as the other one of two pairs does:

    >>> top_envelope(gallery.coupled_pairs(2, exact=True), [MASK] * 4, 0, [2, 3])
    Bound(quantity=Fraction(1, 2), bound=Fraction(1, 2), upper=True)
    """
    x = _pattern(p, x)
    (site,), through = _masked(x, [site], "site"), _masked(x, through, "through")
    if site in through:
        raise InvalidInput(f"through must not hold the site {site} itself")
    now = _largest(to_host(p.denoise(x)[site, :]))
    return Bound(now, max(top for _, top in _top_masses(p, x, site, through)))


def chain_envelope(p: MarkovChain, steps: int) -> Bound:
    """Largest top mass of a chain at distance ``steps + 1``, at most that at distance `steps`.

    The largest over every token that can be observed: ``P^(n+1)(a, v)`` is the mean of
    ``P^n(u, v)`` over the successors u of a. So even the largest entry of each column of ``P^n``
    never increases with n. After one fixed token the top mass may well grow. [ours]

    >>> from theory import gallery
    >>> chain_envelope(gallery.binary_symmetric(2, 0.25), 1)
    Bound(quantity=0.625, bound=0.75, upper=True)

    Attained by what never fades, such as two alternating tokens, and by independent tokens:

    >>> chain_envelope(MarkovChain([1, 0], [[0, 1], [1, 0]], 2), 7)
    Bound(quantity=1.0, bound=1.0, upper=True)
    """
    steps, tokens = as_integer(steps, "steps", 0), structure(p).reached
    return Bound(*(_largest(to_host(p.power(n))[tokens, :]) for n in (steps + 1, steps)))


def dobrushin_envelope(p: MarkovChain, steps: int, token: int | None = None) -> Bound:
    """Top mass at a distance from `token`, at most ``max_v pi(v) + (1 - pi(token)) tau^steps``.

    With pi stationary and tau the coefficient of `theory.homogenization.dobrushin`. Because

        P^n(l, v) - pi(v)  =  sum over y != l of pi(y) (P^n(l, v) - P^n(y, v))

    and every difference is at most ``tau^n``. (With ``1 - pi(v)`` for ``1 - pi(l)`` it is false.)
    [ours; that tau contracts is textbook]

    Parameters
    ----------
    p : MarkovChain
        Only one recurrent class can be reached.
    steps : int
    token : int, optional
        What is observed; the worst of all that can be observed if not given, with the least
        ``pi(token)`` in the bound.

    Attained by chains of two tokens: with ``pi = (2/3, 1/3)`` and ``tau = 1/4``,

    >>> from fractions import Fraction
    >>> half, quarter = Fraction(1, 2), Fraction(1, 4)
    >>> p = MarkovChain([1, 0], [[3 * quarter, quarter], [half, half]], 2, exact=True)
    >>> dobrushin_envelope(p, 2, token=0)                          # 2/3 + 1/3 1/16
    Bound(quantity=Fraction(11, 16), bound=Fraction(11, 16), upper=True)
    >>> dobrushin_envelope(p, 2)
    Bound(quantity=Fraction(11, 16), bound=Fraction(17, 24), upper=True)
    """
    steps, tokens = as_integer(steps, "steps", 0), structure(p).reached
    if token is not None:
        if as_integer(token, "token", 0) not in tokens:
            raise InvalidInput(f"the chain never shows the token {token}")
        tokens = np.asarray([token], dtype=np.int64)
    limit = to_host(stationary(p))
    away = _largest(1 - limit[tokens])
    top = _largest(to_host(p.power(steps))[tokens, :])
    return Bound(top, _largest(limit) + away * dobrushin(p) ** steps)


# ---- one site, on average over what is observed ---------------------------------------------


def fano(
    p: Distribution, observed: Iterable[int], site: int, *, base: float | None = None
) -> Bound:
    """Entropy of a site, at most ``h(e) + e ln(V - 1)`` with ``1 - e`` its mean top mass.

    So what still has much entropy cannot be predicted with confidence: read backwards,
    ``H(X_i | X_S)`` bounds the mean top mass from above. [memory: Fano; its use here is ours]

    Parameters
    ----------
    p : Distribution
    observed : iterable of int
        The sites S, whose values are drawn from `p`; all of them are gone through.
    site : int
        Not observed.
    base : float, optional
        Unit: nats if not given, 2 for bits.

    Raises
    ------
    TooLarge

    Attained where the top mass is the same whatever is observed and all other tokens are equally
    likely; so by fair bits, at any distance:

    >>> from fractions import Fraction
    >>> from theory import gallery
    >>> bound = fano(gallery.binary_symmetric(4, Fraction(1, 4), exact=True), [0], 3)
    >>> bound.slack, round(float(bound.quantity), 4)                   # h(7/16)
    (0, 0.6853)
    """
    observed, site = _observed_and_site(p, observed, site)
    shares = np.asarray([1 - (top := _mean_top_mass(p, observed, site)), top])
    others = np.asarray([max(p.vocab - 1, 1)], dtype=object if p.exact else np.float64)
    most = xlogy(shares[:1], others).sum() - xlogx(shares).sum()
    entropy = information.entropy(p, (*observed, site)) - information.entropy(p, observed)
    return Bound(in_units(entropy, base), in_units(most, base))


def pinsker(p: Distribution, observed: Iterable[int], site: int) -> Bound:
    """Mean top mass at a site, at most that of its marginal plus ``sqrt(I / 2)``.

    With ``I = I(X_i; X_S)`` in nats. A prediction exceeds the marginal nowhere by more than the
    total variation between them, which is at most ``sqrt(KL / 2)``; the mean of KL is I. So where
    far tokens carry no information, predictions are no more confident than the marginal. Arguments
    and errors as for `fano`. [memory: Pinsker; its use here is ours]

    Attained where the sites are independent. For fair bits that are equal with probability
    ``(1 + d)/2`` both sides are 1/2 + d/2 in the limit of small d:

    >>> from theory import gallery
    >>> pinsker(gallery.coupled_pairs(2, exact=True), [0, 1], 2)
    Bound(quantity=Fraction(1, 2), bound=1/2, upper=True)
    >>> bound = pinsker(gallery.binary_symmetric(2, 0.45), [0], 1)
    >>> round(bound.quantity, 6), round(bound.bound, 6)
    (0.55, 0.550042)
    """
    observed, site = _observed_and_site(p, observed, site)
    together = information.entropy(p, (*observed, site))
    shared = information.entropy(p, [site]) + information.entropy(p, observed) - together
    marginal = _largest(to_host(p.marginals[site, :]))
    if p.exact:
        import sympy

        return Bound(_mean_top_mass(p, observed, site), as_sympy(marginal) + sympy.sqrt(shared / 2))
    return Bound(_mean_top_mass(p, observed, site), marginal + math.sqrt(max(0.0, shared) / 2))


# ---- several sites --------------------------------------------------------------------------


def frechet(
    p: Distribution,
    x: ArrayLike,
    sites: Iterable[int] | None = None,
    tokens: Sequence[int] | None = None,
) -> Bound:
    """Joint probability of tokens at masked sites, at most that of the least likely one.

    So no continuation of a block is likelier than the least top mass in it. [memory: Frechet; its
    use here is ours]

    Parameters
    ----------
    p : Distribution
    x : array_like of int, shape (L,)
    sites : iterable of int, optional
        Masked sites; all of them if not given.
    tokens : sequence of int, optional
        One for each of `sites`. If not given, the likeliest of all ``V^k`` continuations.

    Raises
    ------
    ImpossibleEvidence, TooLarge

    Attained where the sites are copies of each other:

    >>> from theory import gallery
    >>> frechet(gallery.repeated_bit(3), [MASK, MASK, MASK])
    Bound(quantity=0.5, bound=0.5, upper=True)
    >>> frechet(gallery.parity(3), [MASK, MASK, MASK])
    Bound(quantity=0.25, bound=0.5, upper=True)
    """
    x = _pattern(p, x)
    sites, tokens = _sites_and_tokens(p, x, sites, tokens)
    rows = to_host(p.denoise(x))
    if tokens is None:
        joint = _conditional_probabilities(p, x, p.assignments(sites, x))
        return Bound(_largest(joint), min(_largest(rows[i]) for i in sites))
    return Bound(_joint_probability(p, x, sites, tokens), -_largest(-rows[list(sites), tokens]))


def bonferroni(
    p: Distribution,
    x: ArrayLike,
    sites: Iterable[int] | None = None,
    tokens: Sequence[int] | None = None,
) -> Bound:
    """Joint probability of tokens at k masked sites, at least ``sum_i p(x_i) - k + 1``.

    Because the probability that some token is wrong is at most the sum of the probabilities that
    each is. So tokens that are likely enough one by one are right together. Arguments and errors as
    for `frechet`; without `tokens` they are the likeliest of each site, the first of equals: what a
    decoder writes that reveals all these sites at once. [memory: Bonferroni; its use here is
    ours]

    Attained where never more than one of the tokens is wrong:

    >>> from theory import gallery
    >>> bonferroni(gallery.one_hot(4, exact=True), [MASK, MASK, MASK, MASK], [0, 1, 2])
    Bound(quantity=Fraction(1, 4), bound=Fraction(1, 4), upper=False)
    """
    x = _pattern(p, x)
    sites, tokens = _sites_and_tokens(p, x, sites, tokens)
    rows = to_host(p.denoise(x))
    if tokens is None:
        tokens = tuple(rows[i].tolist().index(_largest(rows[i])) for i in sites)
    alone = sum(rows[list(sites), tokens].tolist())
    return Bound(_joint_probability(p, x, sites, tokens), alone - len(sites) + 1, upper=False)


# ---- what they share ------------------------------------------------------------------------


def _pattern(p: Distribution, x: ArrayLike) -> Array:
    """A checked pattern (L,)."""
    check_distribution(p)
    pattern, single = as_tokens(x, p.length, p.vocab, p.like)
    if not single:
        raise InvalidInput(f"x must have shape ({p.length},), got {tuple(pattern.shape)}")
    return pattern[0, ...]


def _masked(x: Array, sites: Iterable[int], name: str) -> tuple[int, ...]:
    """Sites in increasing order that are masked in a checked pattern."""
    held = to_host(x)
    sites = as_sites(sites, len(held))
    for i in sites:
        if held[i] != MASK:
            raise InvalidInput(f"{name} must be masked, but x holds the token {held[i]} at {i}")
    return sites


def _observed_and_site(
    p: Distribution, observed: Iterable[int], site: int
) -> tuple[tuple[int, ...], int]:
    """Observed sites in increasing order, and another one."""
    check_distribution(p)
    observed, (site,) = as_sites(observed, p.length), as_sites([site], p.length)
    if site in observed:
        raise InvalidInput(f"site {site} is among the observed ones {observed}")
    return observed, site


def _sites_and_tokens(
    p: Distribution, x: Array, sites: Iterable[int] | None, tokens: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Masked sites, at least one, in increasing order with their tokens."""
    masked = np.flatnonzero(to_host(x) == MASK).tolist()
    given = masked if sites is None else list(sites)
    sites = _masked(x, given, "sites")
    if not sites:
        raise InvalidInput("there must be at least one masked site")
    if tokens is None:
        return sites, None
    tokens = [as_integer(v, "a token", 0) for v in tokens]
    if len(tokens) != len(given) or max(tokens) >= p.vocab:
        raise InvalidInput(
            f"needs {counted(len(given), 'token')} in 0..{p.vocab - 1}, got {tokens}"
        )
    by_site = dict(zip(map(int, given), tokens, strict=True))
    return sites, tuple(by_site[i] for i in sites)


def _conditional_probabilities(p: Distribution, x: Array, patterns: Array) -> np.ndarray:
    """Probabilities (N,) of patterns (N, L) given a possible pattern (L,) that they extend."""
    if p.exact:
        return quotient(p.evidence(patterns), p.evidence(x[None, :]))
    return np.exp(to_host(p.log_evidence(patterns)) - float(p.log_evidence(x)))


def _joint_probability(
    p: Distribution, x: Array, sites: tuple[int, ...], tokens: tuple[int, ...]
) -> Number:
    pattern = to_host(x).copy()
    pattern[list(sites)] = tokens
    return _conditional_probabilities(p, x, pattern[None, :]).tolist()[0]


def _top_masses(
    p: Distribution, x: Array, site: int, sites: tuple[int, ...]
) -> list[tuple[Number, Number]]:
    """The probability of every value of `sites`, and the top mass after it; 1/V if impossible."""
    size = f"{counted(len(sites), 'site')} over {counted(p.vocab, 'token')}"
    what = f"the predictions for all values of {size}"
    require_memory(p.vocab ** (len(sites) + 1) * p.length, what, p.like)
    patterns = p.assignments(sites, x)
    probabilities = _conditional_probabilities(p, x, patterns).tolist()
    rows = to_host(p.denoise(patterns, on_impossible="uniform")[:, site, :])
    return list(zip(probabilities, map(_largest, rows), strict=True))


def _mean_top_mass(p: Distribution, observed: tuple[int, ...], site: int) -> Number:
    nothing = _pattern(p, np.full(p.length, MASK, dtype=np.int64))
    return sum(probability * top for probability, top in _top_masses(p, nothing, site, observed))


def _largest(x: np.ndarray) -> Any:
    """The largest entry: a float, or an exact number."""
    try:
        return max(x.reshape(-1).tolist())
    except TypeError:
        raise InvalidInput("which of these symbols is the largest is not known") from None
