"""The whole distribution of the order in which a decoder reveals, for a few sites.

An order is the sequence of the sets that its rounds reveal. Contexts with the same order so far are
followed together; there are up to V^k of them after k sites, and the orders of n sites can be n! or
more. `sims.order` has the means that need no path.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sims.exact import as_observed, as_revealing, as_temperature
from sims.policies import Decoder, Policy, TokenPolicy
from sims.policies.base import Ask, Select, check_chances, checked_chances
from sims.prediction import WithDraws, predictor
from theory import MASK
from theory.arrays import require_memory, to_host
from theory.distributions.base import Distribution, check_distribution
from theory.forward import Denoiser
from theory.plurals import counted
from theory.scatter import distinct_rows

__all__ = ["orders"]

Sets = tuple[tuple[int, ...], ...]


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
        likeliest first. Fractions if `p` is exact. Steps of a clock that reveal nothing leave no
        set.

    Raises
    ------
    InvalidInput
        As `output_distribution`, and for decoders that take tokens back.
    TooLarge

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
        2 * p.vocab**p.length * p.length, f"all sequences of {counted(p.length, 'site')}"
    )
    start = to_host(p.assignments(given))
    chances = to_host(p.evidence(start))
    possible = chances != 0
    found: dict[Sets, Any] = {}
    waiting: list[tuple[Sets, int, np.ndarray, np.ndarray]] = [
        ((), 0, start[possible], chances[possible])
    ]
    while waiting:
        path, index, x, mass = waiting.pop()
        if (x != MASK).all():
            found[path] = found.get(path, 0) + mass.sum()
            continue
        follow = _select if isinstance(decoder, Policy) and not decoder.looks_at_tokens else _write
        for sites, after, weight in follow(decoder, x, mass, index, ask):
            waiting.append(((*path, sites) if sites else path, index + 1, after, weight))
    tidy: Any = (lambda v: v) if p.exact else float
    ranked = sorted(found.items(), key=lambda item: (-float(item[1]), item[0]))
    return {path: tidy(chance) for path, chance in ranked}


Outcome = Iterator[tuple[tuple[int, ...], np.ndarray, np.ndarray]]


def _select(policy: Any, x: np.ndarray, mass: np.ndarray, index: int, ask: Ask) -> Outcome:
    """Sets of sites, the sequences after them, and their masses."""
    predictions, draws = ask(x)
    total: Any = 0
    for chance, reveal in policy.law(x, predictions, index):
        chance, used = checked_chances(policy, x, chance, reveal, exact=mass.dtype == object)
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
    check_chances(total, x)


def _write(policy: Any, x: np.ndarray, mass: np.ndarray, index: int, ask: Ask) -> Outcome:
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
