"""The decision for the middle of a sequence of which both ends are observed.

Between l at distance a on the left and r at distance b on the right, the prediction is the bridge
``P^a(l, x) P^b(x, r) / P^(a+b)(l, r)``. Far from both ends it is governed by the classes that lie
between l and r: the one with the largest Perron root wins. If it is recurrent the limit is its
stationary distribution. If all of them are left again in the end, as the words of a text are, the
limit is quasi-stationary: the product of the right and left Perron vectors of the winner, what the
chain does on condition that it has not left.

Winners side by side share the middle, in parts that the ends decide, and so do the phases of a
winner that is periodic (`theory.homogenization.middle_limits`).

Two winners of equal root in succession are a draw: where the one changes to the other is then
uniform over the gap, so that neighbours become alike only like one over its length, and the two
ends are never forgotten. [ours, from textbook theory of non-negative matrices]
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from theory._core.exact import as_sympy
from theory._markov.root_moduli import same_number
from theory._markov.spectrum import Spectrum, largest
from theory.distributions import MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.decision import Decision
from theory.homogenization.middle_limits import MiddleLaws, alike, middle_laws, quasi_stationary
from theory.homogenization.reasons import middle_alike, middle_apart, middle_drawn
from theory.homogenization.structure import Structure, structure
from theory.validation.arguments import as_integer

__all__ = ["decide_middle"]

EQUAL = 1e-12
"""Perron roots of floats that differ by less, relatively, are taken for equal."""


class Between(NamedTuple):
    """What decides between the tokens of two classes.

    Attributes
    ----------
    ends : (int, int)
    path : list of int
        The classes on the way.
    root : number
        The largest Perron root of them.
    winners : list of int
        The classes that have it, as many in succession as possible.
    drawn : bool
        Whether some of them follow each other.
    rate : number
        How fast all else is forgotten, in the distance to the nearer end.
    """

    ends: tuple[int, int]
    path: list[int]
    root: Any
    winners: list[int]
    drawn: bool
    rate: Any


def decide_middle(p: MarkovChain, left: int | None = None, right: int | None = None) -> Decision:
    """Decide what predictions become in the middle, with the tokens at both ends observed.

    As in `decide`, but for a site at distances a and b from the nearest observed tokens, as
    ``min(a, b)`` grows: do the predictions of neighbouring sites approach each other, for all
    tokens at the ends that can be so far apart? Is the limit the same for all of them? The rate
    is in ``min(a, b)``, for the ends where it is slowest, and 1 where it is not geometric.

    Parameters
    ----------
    p : MarkovChain
    left, right : int, optional
        Decide for ends that communicate with these tokens; by default for all.

    Returns
    -------
    Decision
        `constant` is nan and `limits` is None.

    Raises
    ------
    InvalidInput
        If `p` is no chain, if nothing can be observed so far apart, or if it holds symbols that
        leave open which class is left more slowly.

    Examples
    --------
    A text of fair words that ends one time in eight: given a word on both sides, nothing but
    words stands between them.

    >>> from theory import gallery
    >>> decide_middle(gallery.end_of_text(9), left=0, right=1).limit
    array([0.5, 0.5, 0. ])
    """
    if not isinstance(p, MarkovChain):
        raise InvalidInput(f"the middle is decided for a MarkovChain, got {type(p).__name__}")
    s = structure(p)
    spectra = s.spectra()
    pairs = [
        _between(s, spectra, a, b)
        for a, b in _ends(s, left, right)
        if any(s.classes.periods[c] for c in _path(s, a, b))
    ]
    if not pairs:
        raise InvalidInput("no two tokens can be observed there arbitrarily far apart")
    one = s.steps[0, 0] * 0 + 1
    for pair in pairs:
        for c in pair.winners:
            if s.classes.periods[c] > 1 and c in pair.ends:
                return _decision(s, False, None, one, _apart(p, s, c))
    shared = [_shared(s, pair) for pair in pairs]
    for pair, laws in zip(pairs, shared, strict=True):
        if laws and not laws.homogenize:
            c = max(pair.winners, key=lambda c: s.classes.periods[c])
            return _decision(s, False, None, one, _apart(p, s, c))
    _refuse_undecided(s, pairs)
    if any(pair.drawn for pair in pairs):
        return _decision(s, True, None, one, middle_drawn())
    alone = {
        pair.winners[0]: pair.root for pair, laws in zip(pairs, shared, strict=True) if not laws
    }
    limits = [quasi_stationary(s, root, c) for c, root in alone.items()]
    limits += [law for laws in shared if laws for law in laws.every]
    limit = limits[0] if alike(limits) else None
    rate = largest([pair.rate for pair in pairs])
    return _decision(s, True, limit, rate, middle_alike(limit is not None, rate))


def _apart(p: MarkovChain, s: Structure, c: int) -> str:
    return middle_apart(s.classes.states[c].tolist(), s.classes.periods[c], p.symbols)


def _shared(s: Structure, pair: Between) -> MiddleLaws | None:
    """The laws of the middle; None if there is one winner without phases, or a draw."""
    alone = len(pair.winners) == 1 and s.classes.periods[pair.winners[0]] == 1
    if pair.drawn or alone:
        return None
    return middle_laws(s, pair.root, pair.winners, pair.path, pair.ends)


def _refuse_undecided(s: Structure, pairs: list[Between]) -> None:
    for pair in pairs:
        phased = [c for c in pair.winners if s.classes.periods[c] > 1]
        if pair.drawn and phased:
            raise InvalidInput(
                f"whether the period of {s.classes.states[phased[0]].tolist()} shows between these "
                f"ends is not decided, because another class that is left as slowly follows it"
            )


def _refuse_symbols(s: Structure, spectra: list[Spectrum], path: list[int]) -> None:
    """Of transient classes it must be known which is left more slowly; recurrent ones win."""
    if not set(path).isdisjoint(s.classes.recurrent):
        return
    roots = [spectra[c].root for c in path if s.classes.periods[c]]
    if len(roots) > 1 and any(getattr(root, "free_symbols", None) for root in roots):
        raise InvalidInput(
            f"which class is left more slowly depends on the symbols: {', '.join(map(str, roots))}"
        )


def _decision(
    s: Structure, homogenizes: bool, limit: np.ndarray | None, rate: Any, reason: str
) -> Decision:
    return Decision(homogenizes, limit is not None, rate, limit, None, s.recurrent, reason)


def _ends(s: Structure, left: int | None, right: int | None) -> list[tuple[int, int]]:
    """Pairs of classes of which the first leads to the second."""
    count = len(s.classes.states)
    first = range(count) if left is None else [_class_of(s, left, "left")]
    last = range(count) if right is None else [_class_of(s, right, "right")]
    return [(a, b) for a, b in itertools.product(first, last) if s.classes.leads[a, b]]


def _class_of(s: Structure, token: int, name: str) -> int:
    token = as_integer(token, name, 0)
    for c, states in enumerate(s.classes.states):
        if token in states:
            return c
    raise InvalidInput(f"{name} must be a token that is reached, got {token}")


def _path(s: Structure, a: int, b: int) -> list[int]:
    """The classes between two."""
    return np.flatnonzero(s.classes.leads[a] & s.classes.leads[:, b]).tolist()


def _between(s: Structure, spectra: list[Spectrum], a: int, b: int) -> Between:
    leads, path = s.classes.leads, _path(s, a, b)
    _refuse_symbols(s, spectra, path)
    if b in s.classes.recurrent:  # the last one on the way, and the only one that is never left
        largest_ones, top = [b], spectra[b].root
    else:
        top = largest([spectra[c].root for c in path])
        largest_ones = [c for c in path if _equal(spectra[c].root, top)]
    before = {c: _longest(leads.T, largest_ones, c) for c in largest_ones}
    after = {c: _longest(leads, largest_ones, c) for c in largest_ones}
    most = max(before[c] + after[c] for c in largest_ones)
    rates = [spectra[c].second / top for c in largest_ones]
    for c in path:
        if c not in largest_ones:
            behind = any(leads[c, w] or leads[w, c] for w in largest_ones)
            ratio = spectra[c].root / top
            # a class that no winner precedes or follows has to hold out over both distances
            rates.append(ratio if behind else ratio * ratio)
    winners = [c for c in largest_ones if before[c] + after[c] == most]
    return Between((a, b), path, top, winners, most > 2, largest(rates))


def _longest(leads: np.ndarray, among: list[int], c: int) -> int:
    """The length of the longest succession among some classes that begins with c."""
    return 1 + max((_longest(leads, among, d) for d in among if d != c and leads[c, d]), default=0)


def _equal(root: Any, top: Any) -> bool:
    if isinstance(root, (float, np.floating)):
        return bool(root >= top * (1 - EQUAL))
    return same_number(as_sympy(root), as_sympy(top))
