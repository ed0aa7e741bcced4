"""The whole distribution of the order in which a decoder reveals, for a few sites.

An order is the sequence of the sets that its rounds reveal. Contexts with the same order so far are
followed together; there are up to V^k of them after k sites, and the orders of n sites can be n! or
more. `sims.order` has the means that need no path.
"""

import contextlib
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sims.decoding.denoiser import WithDraws, predictor
from sims.decoding.exact import as_observed, as_revealing, as_temperature
from sims.policies import Decoder, Policy, TokenPolicy
from sims.policies.base import CallDenoiser, Select
from sims.policies.checks import check_total, checked_outcome
from theory import MASK
from theory._console.progress import tracked
from theory._core.arrays import require_memory, to_host, within_memory
from theory._core.exact import floats
from theory._core.plurals import counted
from theory._core.segments import distinct_rows
from theory._core.work import require_steps
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser

__all__ = ["orders"]

Sets = tuple[tuple[int, ...], ...]

Part = tuple[Sets, int, np.ndarray, np.ndarray]
"""A beginning of an order, its number of rounds, the contexts (N, L) after it, their masses."""

MOST_STEPS = 10**8
"""Some minutes of work: all orders of eight bits, one by one."""

STEPS_OF_A_PATH = 500
"""To go on from a beginning takes as long as so many of its contexts."""

PARTS = 32
"""Beginnings from which progress is counted."""


@within_memory("all orders")
def orders(
    p: Distribution,
    policy: Decoder | Select,
    temperature: float = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
) -> dict[Sets, Any]:
    """Compute the probability of every order, exactly.

    Parameters
    ----------
    p, policy, temperature, denoiser, observed
        As for `output_distribution`.

    Returns
    -------
    dict
        From the sets revealed in each round, such as ``((0,), (1, 2))``, to probabilities;
        likeliest first, or in the order of the sites if free symbols leave open which that is.
        Fractions if `p` is exact. Steps of a clock that reveal nothing leave no
        set.

    Raises
    ------
    InvalidInput
        As `output_distribution`, and for decoders that take tokens back.
    TooLarge
        If the orders are too many to be listed; they are counted first.

    Examples
    --------
    >>> from sims import policies
    >>> from theory import gallery
    >>> for found, chance in orders(gallery.parity(3, exact=True), policies.FirstHitting()).items():
    ...     print(found, chance)
    ((0,), (1,), (2,)) 1/6
    ((0,), (2,), (1,)) 1/6
    ((1,), (0,), (2,)) 1/6
    ((1,), (2,), (0,)) 1/6
    ((2,), (0,), (1,)) 1/6
    ((2,), (1,), (0,)) 1/6
    """
    check_distribution(p)
    decoder, given = as_revealing(policy), as_observed(observed, p.length)
    decoder.check(p.length - len(given), p.vocab)
    ask = WithDraws(predictor(p, denoiser), as_temperature(temperature, p))
    require_memory(
        2 * p.vocab**p.length * p.length, f"a list of all sequences of {counted(p.length, 'site')}"
    )
    start = to_host(p.assignments(given))
    chances = to_host(p.evidence(start))
    possible = chances != 0
    root: Part = ((), 0, start[possible], chances[possible])
    for thin in (True, False):
        _require_steps(p, decoder, ask, root, thin)
    found: dict[Sets, Any] = {}
    waiting = [root]
    while waiting and len(waiting) < PARTS:
        waiting = [after for part in waiting for after in _followed(part, decoder, ask, found)]
    for part in tracked(waiting, doing="following"):
        left = [part]
        while left:
            left.extend(_followed(left.pop(), decoder, ask, found))
    tidy: Any = (lambda v: v) if p.exact else float
    ranked = sorted(found.items())
    with contextlib.suppress(InvalidInput):  # of free symbols: they stay in the order of the sites
        ranked.sort(key=lambda item: -float(floats(item[1], "the likeliest order is not known")))
    return {path: tidy(chance) for path, chance in ranked}


def _followed(part: Part, decoder: Any, ask: CallDenoiser, found: dict[Sets, Any]) -> list[Part]:
    """What a beginning goes on to; one that is complete is added to what is found."""
    path, index, x, mass = part
    if (x != MASK).all():
        found[path] = found.get(path, 0) + mass.sum()
        return []
    return [
        ((*path, sites) if sites else path, index + 1, after, weight)
        for sites, after, weight in _outcomes(decoder, x, mass, index, ask)
    ]


def _require_steps(
    p: Distribution, decoder: Any, ask: CallDenoiser, root: Part, thin: bool
) -> None:
    """Count the beginnings of orders round by round, with equal contexts followed once.

    A beginning that ends in n contexts takes n steps and as long as `STEPS_OF_A_PATH` besides.
    At each context the number of beginnings that lead there is known, so that both are counted
    without following any; the count itself ends when there are too many. Of many contexts it takes
    long, too: a thin count goes on from one of those that reveal the same sites, with one token at
    each, and what it finds too many is too many.
    """
    _, index, x, mass = root
    ways = np.ones(len(x))
    steps = 0.0

    def require(steps: float, beginnings: float) -> None:
        what = f"listing the orders in which {decoder!r} reveals {counted(p.length, 'site')}"
        if steps > MOST_STEPS:
            begun = f"{counted(int(beginnings), 'beginning')} of {counted(index, 'round')}"
            what = f"{what}, with at least {begun},"
        require_steps(math.ceil(steps), MOST_STEPS, what)

    while len(x):
        revealed, which = distinct_rows(x != MASK)
        if thin:
            order = np.argsort(ways, kind="stable")
            most = np.zeros(len(revealed), dtype=np.int64)
            most[which[order]] = order  # the last one stays: it has the most beginnings
            x, ways, which = x[most], ways[most], np.arange(len(most), dtype=np.int64)
        paths = np.zeros(len(x))
        np.maximum.at(paths, which, ways)  # as many beginnings at least reveal these sites
        steps += float(ways.sum()) + STEPS_OF_A_PATH * float(paths.sum())
        require(steps, paths.sum())
        left = (x == MASK).sum(axis=1)
        parts, ahead = [(x[:0], ways[:0])], 0.0
        index += 1
        for size in np.unique(left[left > 0]).tolist():
            now = left == size
            for after, n in _counted(decoder, x[now], ways[now], mass, index - 1, ask, thin):
                parts.append((after, n))
                ahead += float(n.sum())
                require(steps + ahead * (STEPS_OF_A_PATH if thin else 1), ahead)
        x, which = distinct_rows(np.concatenate([after for after, _ in parts]))
        ways = np.bincount(which, np.concatenate([n for _, n in parts]))


def _counted(
    decoder: Any,
    x: np.ndarray,
    ways: np.ndarray,
    mass: np.ndarray,
    index: int,
    ask: CallDenoiser,
    thin: bool,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The contexts after one round, each with the number of ways to where it comes from."""
    for sites, after, _ in _outcomes(decoder, x, np.ones(len(x), mass.dtype), index, ask):
        before = after.copy()
        before[:, sites] = MASK
        _, which = distinct_rows(np.concatenate([x, before]))
        origin = np.empty(len(x), dtype=np.int64)
        origin[which[: len(x)]] = np.arange(len(x))
        whence = origin[which[len(x) :]]
        kept = np.unique(whence, return_index=True)[1] if thin else slice(None)
        yield after[kept], ways[whence[kept]]


Outcome = Iterator[tuple[tuple[int, ...], np.ndarray, np.ndarray]]


def _outcomes(
    decoder: Any, x: np.ndarray, mass: np.ndarray, index: int, ask: CallDenoiser
) -> Outcome:
    """The sets that one round may reveal in contexts with equally many masked sites."""
    selects = isinstance(decoder, Policy) and not decoder.looks_at_tokens
    return (_select if selects else _write)(decoder, x, mass, index, ask)


def _select(policy: Any, x: np.ndarray, mass: np.ndarray, index: int, ask: CallDenoiser) -> Outcome:
    """Sets of sites, the sequences after them, and their masses."""
    predictions, draws = ask(x)
    total: Any = 0
    for chance, reveal in policy.reveal_distribution(x, predictions, index):
        chance, used = checked_outcome(policy, x, chance, reveal, exact=mass.dtype == object)
        total, used = total + chance, np.broadcast_to(used, len(x))
        for pattern in distinct_rows(reveal[used])[0]:
            rows = used & (reveal == pattern).all(axis=1)
            sites = np.flatnonzero(pattern)
            after, weight = x[rows], (mass * chance)[rows]
            for i in sites:
                rates = draws[rows][:, i]
                repeat = len(after) // rates.shape[0]  # earlier sites of the set are innermost
                weight = (weight.reshape(-1, repeat, 1) * rates[:, None, :]).reshape(-1)
                after = np.repeat(after, rates.shape[1], axis=0)
                after[:, i] = np.tile(np.arange(rates.shape[1]), len(after) // rates.shape[1])
            kept = weight != 0
            yield tuple(sites.tolist()), after[kept], weight[kept]
    check_total(total, x)


def _write(policy: Any, x: np.ndarray, mass: np.ndarray, index: int, ask: CallDenoiser) -> Outcome:
    assert isinstance(policy, TokenPolicy)
    parts: dict[tuple[int, ...], list[tuple[np.ndarray, np.ndarray]]] = {}
    for rows, chance, after, _ in policy.outcomes(x, ask, index):
        weight = mass[rows] * chance
        revealed = (x[rows] == MASK) & (after != MASK)
        for pattern in distinct_rows(revealed)[0]:
            some = (revealed == pattern).all(axis=1) & (weight != 0)
            if some.any():
                sites = tuple(np.flatnonzero(pattern).tolist())
                parts.setdefault(sites, []).append((after[some], weight[some]))
    for sites, found in parts.items():
        every, where = distinct_rows(np.concatenate([a for a, _ in found]))
        total = np.zeros(len(every), dtype=mass.dtype)
        np.add.at(total, where, np.concatenate([w for _, w in found]))
        yield sites, every, total
