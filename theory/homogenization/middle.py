"""Whether predictions in the middle of a gap become alike, with the tokens at both ends observed.

Between l at distance a on the left and r at distance b on the right, the prediction is the bridge
``P^a(l, x) P^b(x, r) / P^(a+b)(l, r)``. Far from both ends it is governed by the classes that lie
between l and r: the one with the largest Perron root dominates. If it is recurrent the limit is its
stationary distribution. If all of them are left again in the end, as the words of a text are, the
limit is quasi-stationary: the product of the right and left Perron vectors of the dominant class,
what the chain does on condition that it has not left.

Dominant classes side by side share the middle, in parts that the ends decide, and so do the phases
of a dominant class that is periodic (`theory.homogenization.middle_limits`).

Two dominant classes in succession are tied: where the one changes to the other is then uniform over
the gap, so that neighbours become alike only like one over its length, and the two ends are never
forgotten. [ours, from textbook theory of non-negative matrices]
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from theory._core.exact import as_sympy
from theory._core.types import Number
from theory._markov.root_moduli import same_number
from theory._markov.spectrum import Spectrum, largest
from theory.distributions import MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.decision import Decision, format_rate, format_states
from theory.homogenization.middle_limits import (
    MiddleLimits,
    all_equal,
    middle_limits,
    quasi_stationary,
)
from theory.homogenization.structure import Structure, structure
from theory.validation.arguments import as_integer

__all__ = ["decide_middle"]

ROOT_TOL = 1e-12
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
    dominant : list of int
        The classes that have it, as many in succession as possible.
    tied : bool
        Whether some of them follow each other.
    rate : number
        How fast all else is forgotten, in the distance to the nearer end.
    """

    ends: tuple[int, int]
    path: list[int]
    root: Number
    dominant: list[int]
    tied: bool
    rate: Number


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
    s = structure(p)
    periods, pairs = s.classes.periods, _pairs(s, left, right)
    apart = [c for pair in pairs for c in pair.dominant if periods[c] > 1 and c in pair.ends]
    shared = [(pair, None if apart else _shared_limits(s, pair)) for pair in pairs]
    apart += [
        max(pair.dominant, key=periods.__getitem__)
        for pair, several in shared
        if several and not several.homogenize
    ]
    if apart:
        reason = (
            f"The class {format_states(s.classes.states[apart[0]].tolist(), p.symbols)} has period "
            f"{periods[apart[0]]}, and some ends tell its phase: neighbouring predictions in the "
            f"middle stay apart."
        )
        return Decision(False, False, s.one, None, None, s.recurrent, reason)
    for pair in pairs:
        phased = [c for c in pair.dominant if periods[c] > 1]
        if pair.tied and phased:
            raise InvalidInput(
                f"whether the period of {s.classes.states[phased[0]].tolist()} shows between these "
                f"ends is not decided, because another class that is left as slowly follows it"
            )
    if any(pair.tied for pair in pairs):
        reason = (
            "Between some ends two classes that are left equally slowly follow each other: where "
            "one changes to the other is uniform over the gap, so that neighbours become alike "
            "only like one over its length, and the ends are not forgotten."
        )
        return Decision(True, False, s.one, None, None, s.recurrent, reason)
    alone = {pair.dominant[0]: pair.root for pair, several in shared if not several}
    limits = [quasi_stationary(s, root, c) for c, root in alone.items()]
    limits += [limit for _, several in shared if several for limit in several.every]
    limit = limits[0] if all_equal(limits) else None
    rate = largest([pair.rate for pair in pairs])
    fading = format_rate(rate, "distance n from the nearer end")
    reason = (
        f"The middle approaches a limit {fading}, so that neighbours become alike, but the ends, "
        f"or how far apart they are, decide which limit it is."
        if limit is None
        else f"Between all ends the middle approaches one limit {fading}."
    )
    return Decision(True, limit is not None, rate, limit, None, s.recurrent, reason)


def _pairs(s: Structure, left: int | None, right: int | None) -> list[Between]:
    """What decides between any two classes that can be arbitrarily far apart."""
    count, spectra, leads = len(s.classes.states), s.spectra(), s.classes.leads
    first = range(count) if left is None else [_class_of(s, left, "left")]
    last = range(count) if right is None else [_class_of(s, right, "right")]
    pairs = []
    for a, b in itertools.product(first, last):
        path = np.flatnonzero(leads[a] & leads[:, b]).tolist()
        if any(s.classes.periods[c] for c in path):
            pairs.append(_between(s, spectra, path, (a, b)))
    if not pairs:
        raise InvalidInput("no two tokens can be observed there arbitrarily far apart")
    return pairs


def _class_of(s: Structure, token: int, name: str) -> int:
    token = as_integer(token, name, 0)
    for c, states in enumerate(s.classes.states):
        if token in states:
            return c
    raise InvalidInput(f"{name} must be a token that is reached, got {token}")


def _between(
    s: Structure, spectra: list[Spectrum], path: list[int], ends: tuple[int, int]
) -> Between:
    leads, (_, b) = s.classes.leads, ends
    if b in s.classes.recurrent:  # the last one on the way, and the only one that is never left
        largest_ones, top = [b], spectra[b].root
    else:
        roots = [spectra[c].root for c in path if s.classes.periods[c]]
        if len(roots) > 1 and any(getattr(root, "free_symbols", None) for root in roots):
            raise InvalidInput(
                f"which class is left more slowly depends on the symbols: "
                f"{', '.join(map(str, roots))}"
            )
        top = largest(roots)
        largest_ones = [c for c in path if _equal(spectra[c].root, top)]
    before = {c: _longest(leads.T, largest_ones, c) for c in largest_ones}
    after = {c: _longest(leads, largest_ones, c) for c in largest_ones}
    most = max(before[c] + after[c] for c in largest_ones)
    rates = [spectra[c].second / top for c in largest_ones]
    for c in path:
        if c not in largest_ones:
            behind = any(leads[c, d] or leads[d, c] for d in largest_ones)
            ratio = spectra[c].root / top
            # a class that no dominant one precedes or follows has to hold out over both distances
            rates.append(ratio if behind else ratio * ratio)
    dominant = [c for c in largest_ones if before[c] + after[c] == most]
    return Between(ends, path, top, dominant, most > 2, largest(rates))


def _longest(leads: np.ndarray, among: list[int], c: int) -> int:
    """The length of the longest succession among some classes that begins with c."""
    return 1 + max((_longest(leads, among, d) for d in among if d != c and leads[c, d]), default=0)


def _equal(root: Any, top: Any) -> bool:
    if isinstance(root, (float, np.floating)):
        return bool(root >= top * (1 - ROOT_TOL))
    return same_number(as_sympy(root), as_sympy(top))


def _shared_limits(s: Structure, pair: Between) -> MiddleLimits | None:
    """The limits in the middle; None of one dominant class without phases, and of ties."""
    alone = len(pair.dominant) == 1 and s.classes.periods[pair.dominant[0]] == 1
    if pair.tied or alone:
        return None
    return middle_limits(s, pair.root, pair.dominant, pair.path, pair.ends)
