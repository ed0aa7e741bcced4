"""What a figure is: numbers computed once, and a drawing that does no mathematics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

__all__ = ["Data", "Figure", "Relation"]

Data = Mapping[str, Mapping[str, list[Any]]]
"""The plotted numbers: panel -> column -> values, all columns of a panel equally long."""

Relation = Literal["reproduces", "analogue", "extends", "ours"]
"""What a figure is to the paper that it names."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Attributes
    ----------
    name : str
        Also the stem of its files.
    title, caption : str
    compute : callable
        Returns the plotted numbers; pure.
    draw : callable
        Turns them into a Matplotlib figure; no mathematics.
    relation : {"reproduces", "analogue", "extends", "ours"}
        What it is to `source`.
    source : str
        The paper it belongs to, and what of it.
    claims : tuple of str
        Ids of the claims that it illustrates.
    parameters : mapping
        Everything the numbers depend on, the seed included.
    long : bool
        It takes much longer than most: it is begun first, so that nobody waits for it at the end.
    relative_tolerance, absolute_tolerance : float
        By how much numbers may differ from the recorded ones in ``--check``. Rounding only:
        the numbers are exact up to double precision.
    """

    name: str
    title: str
    caption: str
    compute: Callable[[], Data]
    draw: "Callable[[Data], Drawing]"
    relation: Relation
    source: str
    claims: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    long: bool = False
    relative_tolerance: float = 1e-9
    absolute_tolerance: float = 1e-11
