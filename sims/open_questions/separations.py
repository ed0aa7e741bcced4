"""Kinds of policies that need fewer rounds than others at zero divergence, among tables of bits.

For each table the depths of `sims.open_questions.depths` are computed and compared. In all of
them one kind of policies contains the other, so a smaller number means that the larger kind is
better there. Searched are all supports up to symmetry, or random weights.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from sims.open_questions.depths import Depths, depths
from sims.open_questions.search import Record, Search
from theory import JointTable
from theory._core.linear_program import Uncertified
from theory._core.plurals import counted
from theory.errors import TooLarge
from theory.validation.arguments import as_integer

__all__ = ["KINDS", "Separations", "random_tables", "supports"]

KINDS: dict[str, tuple[str, Callable[[Depths], bool]]] = {
    "worst": (
        "looking at values saves rounds in the worst case (worst < fixed)",
        lambda d: d.worst < d.fixed,
    ),
    "mean": (
        "looking at values saves expected rounds (mean < fixed)",
        lambda d: d.mean < d.fixed,
    ),
    "randomised": (
        "randomising saves expected rounds where one looks at values (randomised < mean)",
        lambda d: d.randomised < d.mean,
    ),
    "orders": (
        "randomising saves expected rounds where one does not (orders < fixed)",
        lambda d: d.orders < d.fixed,
    ),
}
"""Separations by name: what one means, and how the depths show it."""

MAX_SITES = 4
"""Of 4 sites there are 2^16 supports, of 5 already 2^32."""

MAX_RANDOM_SITES = 5
"""Those of 6 sites have more contexts than `Moves` goes through."""


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
        return {**found._asdict(), "kinds": kinds}

    def found(self, records: Sequence[Record]) -> bool:
        return any(record.get("kinds") for record in records)

    def report(self, records: Sequence[Record]) -> str:
        uncertain = sum("uncertified" in record for record in records)
        lines = [
            "Rounds at zero divergence: in a fixed order, adaptive (worst case, mean), randomised "
            "adaptive, in a random order of sets (orders).",
            f"Searched: {self.what}; {counted(len(records), 'table')}.",
            "Arithmetic: integers and Fractions throughout. Randomised optima are basic "
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
        weights = {"".join(map(str, x)): int(table[x]) for x in np.ndindex(table.shape) if table[x]}
        if set(weights.values()) == {1}:
            return " ".join(weights)
        return ", ".join(f"{x} with weight {w}" for x, w in weights.items())


def _spell(record: Record) -> str:
    return ", ".join(
        f"{name} {record[name]}"
        + ("" if record[name].denominator == 1 else f" = {float(record[name]):.4f}")
        for name in Depths._fields
    )


def supports(length: int) -> list[np.ndarray]:
    """One table of zeros and ones for each class of non-empty supports in ``{0,1}^length``.

    Two supports are of one class if permuting the sites and flipping bits turns one into the
    other, which changes no number of rounds.

    Parameters
    ----------
    length : int
        Number of sites, 1 to 4.

    Returns
    -------
    list of ndarray of int64, shape (2,)*length
        By the number of ones. Of its class, each has the smallest code, with entry k worth 2^k.

    Raises
    ------
    InvalidInput
    TooLarge

    >>> [p.reshape(-1).tolist() for p in supports(2)]
    [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    """
    _check(length, MAX_SITES, "all supports")
    entries = np.arange(2**length, dtype=np.int64)
    cube = entries.reshape((2,) * length)
    images = np.asarray(
        [
            np.flip(cube.transpose(order), flipped).reshape(-1)
            for order in itertools.permutations(range(length))
            for count in range(length + 1)
            for flipped in itertools.combinations(range(length), count)
        ]
    )  # what each symmetry does to the entries of a table
    seen, found = np.zeros(2 ** len(entries), dtype=bool), []
    for code in range(1, len(seen)):
        if not seen[code]:
            support = code >> entries & 1
            seen[support[images] @ (1 << entries)] = True
            found.append(support.reshape(cube.shape))
    return sorted(found, key=lambda support: int(support.sum()))


def random_tables(length: int, count: int, most: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Tables of bits with integer weights 0 to `most`, uniform, not all zero.

    Parameters
    ----------
    length : int
        Number of sites, 1 to 5.
    count, most : int
        At least 1.
    rng : numpy.random.Generator

    Returns
    -------
    list of ndarray of int64, shape (2,)*length

    Raises
    ------
    InvalidInput
    TooLarge

    >>> (table,) = random_tables(2, 1, 3, np.random.default_rng(0))
    >>> table.shape, bool((table <= 3).all())
    ((2, 2), True)
    """
    _check(length, MAX_RANDOM_SITES, "random tables")
    as_integer(most, "most", 1)
    tables = []
    while len(tables) < count:
        table = rng.integers(0, most + 1, size=(2,) * length, dtype=np.int64)
        if table.any():
            tables.append(table)
    return tables


def _check(length: int, most: int, what: str) -> None:
    if as_integer(length, "length", 1) > most:
        raise TooLarge(f"{what} are searched up to {counted(most, 'site')}, not {length}")
