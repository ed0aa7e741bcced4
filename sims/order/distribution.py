"""The distribution of the order in which a decoder reveals a few sites.

An order is the sequence of the sets that its rounds reveal. Contexts with the same order so far are
followed together; there are up to V^k of them after k sites, and the orders of n sites can be n! or
more. `sims.order.order` has the means that need no path.
"""

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.decoding.arguments import as_revealing
from sims.decoding.layers import Layer, Reveal
from sims.decoding.propagation import BATCH, Propagation, propagate
from sims.decoding.sampling import Temperature
from sims.policies import Decoder
from sims.policies.base import Select
from theory import MASK
from theory._console.progress import tracked
from theory._core.arrays import require_memory, within_memory
from theory._core.exact import floats
from theory._core.plurals import counted
from theory._core.segments import distinct_rows, segment_sum, sum_by_key
from theory._core.types import ArrayLike, Number
from theory._core.work import require_steps
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser

__all__ = ["orders"]

Sets = tuple[tuple[int, ...], ...]

MAX_STEPS = 10**8
"""All orders of eight bits, one by one, take most of them; nine bits take ten times as many."""

STEPS_OF_A_PATH = 500
"""What a beginning counts beside its contexts: its sets are written down, and kept."""

PARTS = 32
"""Beginnings from which progress is counted."""


@dataclass(frozen=True, eq=False)
class _Part:
    """Some beginnings of orders with equally many rounds, and the contexts after them.

    The label of a context (see `Layer`) is the index of its beginning in `paths`.
    """

    index: int
    paths: list[Sets]
    layer: Layer


@within_memory("all orders")
def orders(
    p: Distribution,
    policy: Decoder | Select,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
) -> dict[Sets, Number]:
    """Compute the probability of every order, exactly.

    Parameters
    ----------
    p, policy, temperature, denoiser, observed, prompt
        As for `output_distribution`.

    Returns
    -------
    dict
        From the sets revealed in each round, such as ``((0,), (1, 2))``, to probabilities;
        likeliest first, or in the order of the sites if free symbols leave open which that is.
        Fractions if `p` is exact. Steps of a clock that reveal nothing leave no set.

    Raises
    ------
    InvalidInput
        As `output_distribution`, and for decoders that remask.
    TooLarge
        If the orders are too many to be listed; they are counted first.

    Examples
    --------
    >>> from sims import policies
    >>> from theory import gallery
    >>> for found, prob in orders(gallery.parity(3, exact=True), policies.FirstHitting()).items():
    ...     print(found, prob)
    ((0,), (1,), (2,)) 1/6
    ((0,), (2,), (1,)) 1/6
    ((1,), (0,), (2,)) 1/6
    ((1,), (2,), (0,)) 1/6
    ((2,), (0,), (1,)) 1/6
    ((2,), (1,), (0,)) 1/6
    """
    check_distribution(p)
    decoder = as_revealing(policy)
    what = f"a list of all sequences of {counted(p.length, 'site')}"
    require_memory(2 * p.vocab**p.length * p.length, what)
    steps = propagate(
        p, decoder, temperature, denoiser, observed, prompt, ("decoder",), tabulated=False
    )
    for thin in (True, False):
        _require_steps(steps, thin)
    found: dict[Sets, Any] = {}
    waiting = [_Part(0, [()], steps.start())]
    while 0 < sum(len(part.paths) for part in waiting) < PARTS:
        waiting = [after for part in waiting for after in _followed(part, steps, found)]
    share = sum(part.layer.size for part in waiting) // PARTS + 1
    waiting = [one for part in waiting for one in _cut(part, steps, share)]
    for part in tracked(waiting, doing="following"):
        left = [part]
        while left:
            left.extend(_followed(left.pop(), steps, found))
    tidy: Any = (lambda v: v) if p.exact else float
    ranked = sorted(found.items())
    with contextlib.suppress(InvalidInput):  # of free symbols: they stay in the order of the sites
        ranked.sort(key=lambda item: -float(floats(item[1], "the likeliest order is not known")))
    return {path: tidy(probability) for path, probability in ranked}


def _followed(part: _Part, steps: Propagation, found: dict[Sets, Any]) -> list[_Part]:
    """The beginnings one round longer; those that are complete are added to what is found."""
    moves = [_moves(reveal) for reveal in steps.step(part.layer, part.index)]
    origins, sets, layer = _joined(moves, steps)
    paths = [
        (*part.paths[origin], tuple(np.flatnonzero(sites).tolist()))
        if sites.any()
        else part.paths[origin]
        for origin, sites in zip(origins.tolist(), sets, strict=True)
    ]
    labels, masses = layer.keys // steps.codes.cells, layer.masses[0]
    first = np.flatnonzero(np.diff(labels, prepend=-1))
    x = steps.codes.decode(layer.keys[first] % steps.codes.cells)
    complete = (x != MASK).all(axis=1)  # all contexts after a beginning know the same sites
    totals = segment_sum(labels, masses, len(paths))
    for k in np.flatnonzero(complete):
        found[paths[k]] = found.get(paths[k], 0) + totals[k]
    left = ~complete[labels]
    rest = Layer(layer.keys[left], (masses[left],))
    return list(_cut(_Part(part.index + 1, paths, rest), steps, BATCH))


def _cut(part: _Part, steps: Propagation, most: int) -> Iterator[_Part]:
    """The same beginnings in parts of about so many contexts, or with one beginning alone."""
    cells, keys, masses = steps.codes.cells, part.layer.keys, part.layer.masses[0]
    labels = keys // cells
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    cuts = starts[np.searchsorted(starts, np.arange(0, len(keys), most), side="right") - 1]
    for a, b in itertools.pairwise([*np.unique(cuts).tolist(), len(keys)]):
        first, last = labels[[a, b - 1]].tolist()
        layer = Layer(keys[a:b] - first * cells, (masses[a:b],))
        yield _Part(part.index, part.paths[first : last + 1], layer)


Moves = tuple[np.ndarray, np.ndarray, np.ndarray]
"""From labels and to sets of sites, as one number, the codes of contexts, and their masses."""


def _moves(reveal: Reveal, thin: bool = False) -> Moves:
    """What is revealed, without what has no mass; if it is thin, one context for each choice."""
    length, cells = reveal.sites.shape[1], reveal.codes.cells
    bits = 2 ** np.arange(length, dtype=np.int64)
    kinds = reveal.before // cells * 2**length + reveal.sites @ bits
    kinds = np.broadcast_to(kinds[:, None], reveal.after.shape)
    mass = reveal.masses_after[0]
    kept = mass != 0
    if thin:
        kept = kept & (np.cumsum(kept, axis=1) == 1)
    return kinds[kept], reveal.after[kept] % cells, mass[kept]


def _joined(moves: list[Moves], steps: Propagation) -> tuple[np.ndarray, np.ndarray, Layer]:
    """Labels and sets of sites (K, L) that are different, and what they lead to, labelled so."""
    kinds, codes, masses = (np.concatenate(parts) for parts in zip(*moves, strict=True))
    kinds, labels = np.unique(kinds, return_inverse=True)
    keys, mass = sum_by_key(labels.reshape(-1) * steps.codes.cells + codes, masses)
    length = steps.codes.length
    bits = 2 ** np.arange(length, dtype=np.int64)
    return kinds // 2**length, kinds[:, None] & bits > 0, Layer(keys, (mass,))


def _require_steps(steps: Propagation, thin: bool) -> None:
    """Count the beginnings of orders round by round, with equal contexts followed once.

    A beginning that ends in n contexts counts n steps and `STEPS_OF_A_PATH` besides.
    At each context the number of beginnings that lead there is known, so that both are counted
    without following any; the count itself ends when there are too many. With many contexts it
    takes long, too: a thin count goes on from one of those that reveal the same sites, with one
    token at each. It is a lower bound, so what it refuses is too much.
    """
    cells, length = steps.codes.cells, steps.p.length
    keys, index, taken = steps.start().keys, 0, 0.0
    ways = np.ones(len(keys))

    def require(taken: float, beginnings: float) -> None:
        what = f"listing the orders in which {steps.policy!r} reveals {counted(length, 'site')}"
        if taken > MAX_STEPS:
            begun = f"{counted(int(beginnings), 'beginning')} of {counted(index, 'round')}"
            what = f"{what}, with at least {begun},"
        require_steps(math.ceil(taken), MAX_STEPS, what)

    while len(keys):
        known = steps.codes.decode(keys) != MASK
        revealed, which = distinct_rows(known)
        if thin:
            order = np.argsort(ways, kind="stable")
            most = np.zeros(len(revealed), dtype=np.int64)
            most[which[order]] = order  # the last one stays: it has the most beginnings
            keys, ways, known = keys[most], ways[most], known[most]
            which = np.arange(len(most), dtype=np.int64)
        paths = np.zeros(len(keys))
        np.maximum.at(paths, which, ways)  # as many beginnings at least reveal these sites
        taken += float(ways.sum()) + STEPS_OF_A_PATH * float(paths.sum())
        require(taken, paths.sum())
        left = ~known.all(axis=1)
        keys, ways = keys[left], ways[left]
        parts, ahead = [(keys[:0], ways[:0])], 0.0
        index += 1
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            labels = np.arange(len(some), dtype=np.int64)
            one = np.ones(len(some), dtype=steps.dtype)
            moves, begun = [], ahead
            for reveal in steps.step(Layer(some + labels * cells, (one,)), index - 1):
                moves.append(_moves(reveal, thin))
                if steps.selects:  # else the same outcome may come again
                    begun += float(ways[start + (moves[-1][0] >> length)].sum())
                    require(taken + begun * (STEPS_OF_A_PATH if thin else 1), begun)
            origins, _, after = _joined(moves, steps)
            labels = after.keys // cells
            first = np.diff(labels, prepend=-1) > 0  # of the contexts after one choice
            kept = first if thin else slice(None)
            counts = ways[start + origins[labels[kept]]]
            parts.append((after.keys[kept] % cells, counts))
            ahead += float(counts.sum())
            require(taken + ahead * (STEPS_OF_A_PATH if thin else 1), ahead)
        keys, ways = sum_by_key(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
