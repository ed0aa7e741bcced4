"""Writes the instance on which a check fails, so that a person can read and retype it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from theory._core.arrays import MASK, to_host
from theory.distributions import JointTable, MarkovChain
from theory.distributions.base import Distribution

__all__ = ["describe"]

MAX_ROWS = 24


def describe(p: Distribution, parts: Mapping[str, Any], residual: float) -> str:
    """Write a distribution and the other parts of an instance as plain text.

    >>> from theory import JointTable
    >>> print(describe(JointTable([[1, 0], [1, 2]], exact=True), {"sizes": (1, 1)}, 0.5))
    JointTable with length 2, vocab 2
      tokens  probability
         0 0  1/4
         1 0  1/4
         1 1  1/2
    sizes = (1, 1)
    residual 0.5
    """
    lines = [f"{type(p).__name__} with length {p.length}, vocab {p.vocab}"]
    lines += _chain(p) if isinstance(p, MarkovChain) else _support(p)
    lines += [f"{name} = {_text(value)}" for name, value in parts.items()]
    lines.append(f"residual {residual:.3g}")
    return "\n".join(lines)


def _chain(p: MarkovChain) -> list[str]:
    rows = [("initial", p.initial), *((f"after {v}", p.transition[v, :]) for v in range(p.vocab))]
    return [f"  {name}: {' '.join(map(_number, to_host(row)))}" for name, row in rows]


def _support(p: Distribution) -> list[str]:
    table = to_host(p.table())
    rows = np.argwhere(table != 0)
    texts = [" ".join(map(str, row)) for row in rows[:MAX_ROWS]]
    width = max(len("tokens"), *map(len, texts))
    lines = [f"  {'tokens':>{width}}  probability"]
    for text, row in zip(texts, rows, strict=False):
        lines.append(f"  {text:>{width}}  {_number(table[tuple(row)])}")
    if len(rows) > MAX_ROWS:
        lines.append(f"  ... and {len(rows) - MAX_ROWS} more")
    return lines


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def _text(value: Any) -> str:
    if isinstance(value, JointTable):
        return "the table\n" + "\n".join(_support(value))
    if isinstance(value, np.ndarray) and value.dtype == np.int64 and value.ndim == 1:
        return "(" + ", ".join("MASK" if v == MASK else str(v) for v in value.tolist()) + ")"
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(_text, value)) + ")"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return _number(value)
