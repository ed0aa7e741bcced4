"""What a chart of inference strategies says about small blocks, in words made of its numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sims.comparison.strategies import BLOCKS, JOINTS, NOTHING, OPTIMUM, SELECTING, Row, least
from theory._core.plurals import counted
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer

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
    blocks : mapping
        What blocks of each size lose, each written in one round. Where this does not grow with
        the size, it counts where blocks end, for instance with the latents that decide the rest.
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
    blocks: Mapping[int, float]
    larger_better: tuple[int, int] | None
    right: bool
    sentence: str


def verdict(rows: Iterable[Row], size: int = 2) -> Verdict:
    """Compare contiguous blocks of one size with everything else on a chart.

    Parameters
    ----------
    rows : iterable of Row
        Of all `strategies` on one distribution, as `sims.comparison.strategies.chart` returns them.
    size : int
        Of blocks that the chart has.

    Raises
    ------
    InvalidInput
        If the chart lacks these blocks, the optimum, or everything to compare them with.

    Examples
    --------
    >>> from sims.comparison.strategies import chart, strategies
    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(4, 0.1)
    >>> found = verdict(chart(p, strategies(p, np.random.default_rng(0)))[0])
    >>> found.right, round(found.loss, 3), round(found.rivals["spread out"], 3)
    (False, 0.514, 0.222)
    >>> print(found.sentence.partition(";")[0])
    Blocks of 2, each in one round, lose 0.514 nats in 2 rounds
    """
    rows = _checked(rows)
    size = as_integer(size, "size", 1)
    losses = {_block(row): _tidy(row.path_kl) for row in rows if _block(row)}
    losses = dict(sorted(losses.items()))
    mine = next((row for row in rows if _block(row) == size), None)
    if mine is None:
        raise InvalidInput(f"the chart has blocks of {_listed(losses)} sites, not of {size}")
    rounds = mine.rounds
    rivals = {f: least(rows, f, rounds) for f in SELECTING if f != BLOCKS}
    drawn = {f: least(rows, f, rounds) for f in JOINTS}
    best = [(r.rounds, r.path_kl) for r in rows if r.family == OPTIMUM]
    optimum = _tidy(float(np.interp(rounds, [r for r, _ in best], [kl for _, kl in best])))
    serial = {f: _serial(rows, f) for f in (*SELECTING, OPTIMUM)}
    pair = next(
        (
            (small, large)
            for large in losses
            for small in losses
            if small < large and losses[small] > losses[large] + NOTHING
        ),
        None,
    )
    right = losses[size] <= min(rivals.values()) + NOTHING
    found = Verdict(
        size, rounds, losses[size], optimum, rivals, drawn, serial, losses, pair, right, ""
    )
    words = (_compared(found), _without_loss(found), _jointly(found), _by_size(found))
    sentence = "; ".join(part for part in words if part) + "."
    return replace(found, sentence=sentence[0].upper() + sentence[1:])


def _checked(rows: Iterable[Row]) -> list[Row]:
    rows = list(rows)
    for row in rows:
        if not isinstance(row, Row):
            raise InvalidInput(f"rows must be those of a chart, got {row!r}")
    families = {row.family for row in rows}
    lacks = [f for f in (OPTIMUM, BLOCKS) if f not in families]
    if not families & set(SELECTING) - {BLOCKS}:
        lacks.append("another family that selects first")
    if lacks:
        raise InvalidInput(
            f"a chart of {counted(len(rows), 'row')} that lacks {', '.join(lacks)} says nothing "
            "about blocks; make it from all `strategies`"
        )
    return rows


def _block(row: Row) -> int:
    """The size of the blocks of a row that writes each in one round, else 0."""
    inside = row.setting.removeprefix("LeftToRight(").removesuffix(")")
    return int(inside) if row.family == BLOCKS and inside.isdigit() else 0


def _serial(rows: list[Row], family: str) -> float:
    return min(
        (r.rounds for r in rows if r.family == family and r.path_kl < NOTHING), default=np.inf
    )


def _compared(v: Verdict) -> str:
    start = (
        f"blocks of {v.size}, each in one round, lose {_nats(v.loss)} in "
        f"{counted(v.rounds, 'round')}; "
    )
    better = {f: loss for f, loss in v.rivals.items() if loss < v.loss - NOTHING}
    if not better:
        return (
            start
            + f"no family that selects first loses less, and the optimum is {_nats(v.optimum)}"
        )
    named = ", ".join(f"{f} {_nats(loss)}" for f, loss in sorted(better.items(), key=_by_value))
    return start + f"with no more rounds {named}, and the optimum is {_nats(v.optimum)}"


def _without_loss(v: Verdict) -> str:
    fewest = min(v.serial[f] for f in v.rivals)
    family = next(f for f in v.rivals if v.serial[f] == fewest)
    named = [
        ("blocks of any kind", v.serial[BLOCKS]),
        (family, fewest),
        ("the optimum", v.serial[OPTIMUM]),
    ]
    finite = [(name, rounds) for name, rounds in named if np.isfinite(rounds)]
    if not finite:
        return ""
    (name, rounds), *rest = finite
    verb = "need" if name.startswith("blocks") else "needs"
    more = "".join(f", {other} {count:.4g}" for other, count in rest)
    return f"without loss {name} {verb} {counted(rounds, 'round')}{more}"


def _jointly(v: Verdict) -> str:
    named = ", ".join(f"{f} {_nats(loss)}" for f, loss in v.joints.items() if np.isfinite(loss))
    return f"drawn jointly within as many calls: {named}" if named else ""


def _by_size(v: Verdict) -> str:
    if v.larger_better is None:
        return ""
    losses = ", ".join("0" if loss < NOTHING else f"{loss:.3g}" for loss in v.blocks.values())
    return (
        "smaller is not always better, it counts where a block ends: "
        f"blocks of {_listed(v.blocks)} lose {losses} nats"
    )


def _listed(sizes: Iterable[int]) -> str:
    every = [str(size) for size in sizes]
    return every[0] if len(every) < 2 else f"{', '.join(every[:-1])} and {every[-1]}"


def _by_value(item: tuple[str, float]) -> float:
    return item[1]


def _tidy(value: float) -> float:
    return 0.0 if value < NOTHING else value


def _nats(value: float) -> str:
    return "nothing" if value < NOTHING else f"{value:.3g} nats"
