"""Do values or coins save rounds, if nothing may be lost? A search among small tables of bits.

For each table the depths of `sims.open_questions.depths` are computed and compared. In all of
them one kind of policies contains the other, so a smaller number means that the larger kind is
better there.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np

from sims.open_questions.depths import Depths, depths
from sims.open_questions.linear_program import Uncertified
from sims.open_questions.search import Record, Search
from theory import JointTable
from theory._core.plurals import counted

__all__ = ["KINDS", "Separations"]

KINDS: dict[str, tuple[str, Callable[[Depths], bool]]] = {
    "worst": (
        "looking at values saves rounds in the worst case (worst < fixed)",
        lambda d: d.worst < d.fixed,
    ),
    "mean": (
        "looking at values saves expected rounds (mean < fixed)",
        lambda d: d.mean < d.fixed,
    ),
    "coins": (
        "coins save expected rounds where one looks at values (coins < mean)",
        lambda d: d.coins < d.mean,
    ),
    "orders": (
        "coins save expected rounds where one does not (orders < fixed)",
        lambda d: d.orders < d.fixed,
    ),
}
"""Separations by name: what one means, and how the depths show it."""


class Separations(Search):
    """All separations among the depths of some tables of bits; a case for each table.

    Parameters
    ----------
    tables : sequence of ndarray of int64, shape (2,)*L
        Weights.
    what : str
        Which tables these are, for the report.
    parameters : dict
        What decides the tables, for the file.
    exhaustive : bool
        Whether the tables are all that there are of their kind.

    >>> search = Separations([np.asarray([[1, 1], [1, 0]])], "one table", {})
    >>> search.case(None, table=0)["worst"]
    2
    """

    def __init__(
        self,
        tables: Sequence[np.ndarray],
        what: str,
        parameters: dict[str, int],
        *,
        exhaustive: bool = False,
    ) -> None:
        self.tables, self.what, self.exhaustive = tables, what, exhaustive
        self.cases = [{**parameters, "table": k} for k in range(len(tables))]

    def case(self, rng: np.random.Generator | None, /, **case: int) -> Record:
        try:
            found = depths(JointTable(self.tables[case["table"]], exact=True))
        except Uncertified as error:
            return {"uncertified": str(error)}
        kinds = [kind for kind, (_, separates) in KINDS.items() if separates(found)]
        return {**vars(found), "kinds": kinds}

    def found(self, records: Sequence[Record]) -> bool:
        return any(record.get("kinds") for record in records)

    def report(self, records: Sequence[Record]) -> str:
        uncertain = sum("uncertified" in record for record in records)
        lines = [
            "Rounds without loss: in a fixed order, adaptive (worst case, mean), adaptive with "
            "coins, in an order drawn by a coin (orders).",
            f"Searched: {self.what}; {counted(len(records), 'table')}.",
            "Arithmetic: integers and Fractions throughout. The optima with coins are basic "
            "solutions that floats proposed, solved again and shown to be optimal by dual prices "
            f"in Fractions; this failed for {counted(uncertain, 'table')}, which are left out.",
        ]
        complete = self.exhaustive and not uncertain
        scope = "Exhaustive over these tables" if complete else "Among these tables"
        for kind, (meaning, _) in KINDS.items():
            shown = [k for k, record in enumerate(records) if kind in record.get("kinds", ())]
            lines.append(f"{scope}, {meaning}: {len(shown)}.")
            if shown:
                k = min(shown, key=self._size)
                lines.append(f"  Smallest: {self._spell(k)}: {_spell(records[k])}.")
        return "\n".join(lines)

    def _size(self, k: int) -> tuple[int, int]:
        return int(np.count_nonzero(self.tables[k])), int(self.tables[k].sum())

    def _spell(self, k: int) -> str:
        table = self.tables[k]
        cells = itertools.product((0, 1), repeat=table.ndim)
        weights = {"".join(map(str, x)): int(table[x]) for x in cells if table[x]}
        if set(weights.values()) == {1}:
            return " ".join(weights)
        return ", ".join(f"{x} with weight {w}" for x, w in weights.items())


def _spell(record: Record) -> str:
    values = {field.name: record[field.name] for field in fields(Depths)}
    return ", ".join(
        f"{name} {value}" + ("" if value.denominator == 1 else f" = {float(value):.4f}")
        for name, value in values.items()
    )
