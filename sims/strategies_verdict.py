"""What a chart of inference strategies says about small blocks, in words made of its numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from sims.strategies_chart import BLOCKS, JOINTS, NOTHING, OPTIMUM, SELECTING, Row, least

__all__ = ["Verdict", "verdict"]


@dataclass(frozen=True)
class Verdict:
    """How contiguous blocks, each written in one round, compare with as many rounds.

    Attributes
    ----------
    size : int
        Sites of a block.
    rounds, loss : float
        What the blocks take, and the nats that they lose.
    optimum : float
        The least path KL with as many expected rounds (coins beforehand allowed).
    rivals, joints : mapping
        The least path KL within as many rounds, of every other family that selects before it
        draws, and of every family that draws jointly; infinite if it has no such member.
    serial : mapping
        The fewest rounds without loss, of the blocks, of every rival and of the optimum.
    larger_better : tuple of int or None
        Two block sizes of which the larger one loses less; None if there are none.
    right : bool
        Whether no rival loses less.
    sentence : str
    """

    size: int
    rounds: float
    loss: float
    optimum: float
    rivals: Mapping[str, float]
    joints: Mapping[str, float]
    serial: Mapping[str, float]
    larger_better: tuple[int, int] | None
    right: bool
    sentence: str


def verdict(rows: Iterable[Row], size: int = 2) -> Verdict:
    """Compare contiguous blocks of one size with everything else on a chart.

    Parameters
    ----------
    rows : iterable of Row
        Of all `strategies` on one distribution, as `chart` of `sims.strategies_chart` returns them.
    size : int

    Examples
    --------
    >>> from sims.strategies_chart import chart, strategies
    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(4, 0.1)
    >>> found = verdict(chart(p, strategies(p, np.random.default_rng(0)))[0])
    >>> found.right, round(found.loss, 3), round(found.rivals["spread out"], 3)
    (False, 0.514, 0.222)
    >>> print(found.sentence.partition(";")[0])
    Blocks of 2 lose 0.514 nats in 2 rounds
    """
    rows = list(rows)
    loss_of = {
        b: row
        for b in range(1, 1 + max(_block(row) for row in rows))
        for row in rows
        if _block(row) == b
    }
    mine = loss_of[size]
    rounds, loss = mine.rounds, _tidy(mine.path_kl)
    rivals = {f: least(rows, f, rounds) for f in SELECTING if f != BLOCKS}
    drawn = {f: least(rows, f, rounds) for f in JOINTS}
    best = [(r.rounds, r.path_kl) for r in rows if r.family == OPTIMUM]
    optimum = _tidy(float(np.interp(rounds, [r for r, _ in best], [kl for _, kl in best])))
    serial = {f: _serial(rows, f) for f in (*SELECTING, OPTIMUM)}
    pair = next(
        (
            (small, large)
            for large in loss_of
            for small in range(1, large)
            if loss_of[small].path_kl > loss_of[large].path_kl + NOTHING
        ),
        None,
    )
    right = loss <= min(rivals.values()) + NOTHING
    found = Verdict(size, rounds, loss, optimum, rivals, drawn, serial, pair, right, "")
    words = [_compared(found), _without_loss(found), _jointly(found)]
    if pair is not None:
        small, large = (_nats(loss_of[b].path_kl) for b in pair)
        words.append(
            f"smaller is not always better: blocks of {pair[0]} lose {small}, of {pair[1]} {large}"
        )
    sentence = "; ".join(words) + "."
    return Verdict(
        size,
        rounds,
        loss,
        optimum,
        rivals,
        drawn,
        serial,
        pair,
        right,
        sentence[0].upper() + sentence[1:],
    )


def _block(row: Row) -> int:
    """The size of the blocks of a row that writes each in one round, else 0."""
    inside = row.setting.removeprefix("LeftToRight(").removesuffix(")")
    return int(inside) if row.family == BLOCKS and inside.isdigit() else 0


def _serial(rows: list[Row], family: str) -> float:
    return min(
        (r.rounds for r in rows if r.family == family and r.path_kl < NOTHING), default=np.inf
    )


def _compared(v: Verdict) -> str:
    start = f"blocks of {v.size} lose {_nats(v.loss)} in {v.rounds:g} rounds; "
    better = {f: loss for f, loss in v.rivals.items() if loss < v.loss - NOTHING}
    if not better:
        return (
            start
            + f"no family that selects first loses less, and the optimum is {_nats(v.optimum)}"
        )
    named = ", ".join(f"{f} {_nats(loss)}" for f, loss in sorted(better.items(), key=_by_value))
    return start + f"with no more rounds {named}, and the optimum is {_nats(v.optimum)}"


def _without_loss(v: Verdict) -> str:
    fewest = min(rounds for f, rounds in v.serial.items() if f in v.rivals)
    family = next(f for f in v.rivals if v.serial[f] == fewest)
    return (
        f"without loss blocks need {v.serial[BLOCKS]:.4g} rounds, {family} {fewest:.4g}, "
        f"the optimum {v.serial[OPTIMUM]:.4g}"
    )


def _jointly(v: Verdict) -> str:
    named = ", ".join(f"{f} {_nats(loss)}" for f, loss in v.joints.items() if np.isfinite(loss))
    return f"drawn jointly within as many calls: {named}"


def _by_value(item: tuple[str, float]) -> float:
    return item[1]


def _tidy(value: float) -> float:
    return 0.0 if value < NOTHING else value


def _nats(value: float) -> str:
    return "nothing" if value < NOTHING else f"{value:.3g} nats"
