"""The data on which a decoder loses most, as far as a search finds them.

Tables of one shape are gone through by climbs (see `sims.optimal.climb`) in floats, many at once.
The one that loses most is rounded to small integers, and what is said of these is computed anew,
exactly. So it is true of the table that is returned, and a larger loss may exist.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sims.decoding.arguments import as_decoder
from sims.decoding.exact import output_distribution
from sims.decoding.output import OutputDistribution
from sims.optimal.climb import Climb, roundings
from sims.optimal.stacked import rounds_and_loss
from sims.policies import Corrector, Decoder, Policy, TokenPolicy
from sims.policies.base import Select
from theory import JointTable
from theory._console.progress import tracked
from theory._core.arrays import to_host, within_memory
from theory._core.bound import ZERO_TOL
from theory._core.exact import floats, short
from theory._core.plurals import counted
from theory._core.types import Number
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.sampling import check_draw
from theory.errors import InvalidInput, TooLarge
from theory.validation.arguments import as_integer, as_real

__all__ = ["WorstCase", "worst_case"]

PER = ("nats", "rounds")

MAX_SEQUENCES = 256
"""Probabilities of a table that are climbed in."""

DRAWN = 64
"""Tables that are drawn for a climb, which begins at the best of them."""

EXPLORING = 2
"""One part in so many of the tables is for finding out which climb is to go on."""

NEAR = 1e-6
"""How far tables are moved to see whether the decoder then chooses otherwise."""

CLEARLY = 0.05
"""A share of the value that no smooth change takes away so near."""


@dataclass(frozen=True, eq=False)
class WorstCase:
    """The data on which a decoder was found to lose most.

    Attributes
    ----------
    policy : Policy, TokenPolicy or Corrector
    per : {"nats", "rounds"}
    distribution : JointTable
        Exact, of small integer weights.
    value : number
        What is lost there: exact, or a float where the decoder itself computes in floats. The
        greatest loss of all is at least this.
    output : OutputDistribution
        What the decoder writes there, with its divergences and rounds.
    largest : float
        The largest value that was met, before rounding.
    on_edge : bool
        Whether the decoder chooses otherwise on tables that are as near as 1e-6, and then loses
        clearly less. Beside such an edge the greatest loss may be approached and not attained.
    tables : int
        How many tables were looked at.
    """

    policy: Policy | TokenPolicy | Corrector
    per: str
    distribution: JointTable
    value: Number
    output: OutputDistribution
    largest: float
    on_edge: bool
    tables: int

    def __repr__(self) -> str:
        unit = "nats" if self.per == "nats" else "nats per round"
        words = counted(int((to_host(self.distribution.table()) != 0).sum()), "sequence")
        return (
            f"<WorstCase of {self.policy!r}: {short(self.value)} {unit} on {words} of "
            f"{counted(self.distribution.length, 'site')}, the largest of "
            f"{counted(self.tables, 'table')}>"
        )


@within_memory("a search for the worst data")
def worst_case(
    policy: Decoder | Select,
    length: int,
    vocab: int,
    rng: np.random.Generator,
    *,
    per: Literal["nats", "rounds"] = "nats",
    start: Distribution | None = None,
    starts: int = 3,
    tables: int = 100_000,
    rounding: float = 1e-4,
    progress: bool | None = None,
) -> WorstCase:
    """Search the data of a shape for those on which a decoder loses most.

    The loss is the path KL (KL, where there is no path) with the zero-loss denoiser at temperature
    1. The search climbs, also along the edges where the decoder's choice of sites changes: there
    the loss jumps, and the worst data often lie on an edge. It proves nothing: what it returns is a
    lower bound of the greatest loss.

    Parameters
    ----------
    policy : Policy, TokenPolicy, Corrector, or a function as for `policies.Rule`
        It is given the contexts of many tables as the rows of one batch.
    length, vocab : int
        The shape of the tables; up to 256 sequences.
    rng : numpy.random.Generator
        Draws where climbs begin, and the moves. Equal generators find equal tables.
    per : {"nats", "rounds"}
        The loss in nats, or that divided by the expected number of rounds on the data (under the
        decoder, where there is no path).
    start : Distribution, optional
        Where the first climb begins, such as what an earlier search found. At the best of 64 drawn
        tables if not given, as the others.
    starts : int
        Climbs, of which the best goes on until nothing is gained or the tables are used up.
    tables : int
        About how many are looked at. Some tens of microseconds each; milliseconds for correctors
        and for decoders that call the denoiser with sequences of their own.
    rounding : float
        The share of the loss that may be lost by rounding to small integers.
    progress : bool, optional
        Whether to show progress on stderr; if not given, where it is looked at.

    Returns
    -------
    WorstCase

    Raises
    ------
    InvalidInput
        If the decoder does not fit the shape, or `start` has another one.
    TooLarge
        Above 256 sequences.

    Notes
    -----
    Known suprema are met on few sites [ours]: ``(n-1) H_b(1-tau)`` for `Threshold` at tau > 1/2 on
    n bits, which a sequence and its complement approach (claim C3); gamma for each round of
    `EntropyBounded` (claim C4); ``(n-1) log V`` for n sites in one round, by equal tokens. From
    some 64 sequences on climbs often stop below: look from several generators.

    Examples
    --------
    A pair of bits written at once loses at most log 2, on equal or unequal ones:

    >>> from sims import policies
    >>> found = worst_case(policies.LeftToRight(2), 2, 2, np.random.default_rng(0), starts=1)
    >>> found.value, sorted(found.distribution.table().reshape(-1).tolist())
    (log(2), [Fraction(0, 1), Fraction(0, 1), Fraction(1, 2), Fraction(1, 2)])

    Above a threshold of 2/3 there are two bits that are alike, of 2/3 and a little more:

    >>> found = worst_case(policies.Threshold(2 / 3), 2, 2, np.random.default_rng(0), starts=1)
    >>> print(f"{float(found.value):.4f} < {np.log(3) - 2 / 3 * np.log(2):.4f}", found.on_edge)
    0.6365 < 0.6365 True
    """
    decoder = as_decoder(policy)
    length, vocab = as_integer(length, "length", 1), as_integer(vocab, "vocab", 1)
    if vocab**length > MAX_SEQUENCES:
        raise TooLarge(
            f"{counted(length, 'site')} over {counted(vocab, 'token')} have {vocab**length:.3g} "
            f"sequences; the worst data are searched up to {MAX_SEQUENCES}"
        )
    decoder.with_given((), length).check(length, vocab)
    check_draw(rng, 1)
    starts, tables = as_integer(starts, "starts", 1), as_integer(tables, "tables", 1)
    rounding = as_real(rounding, "rounding", 0, 1, ends=False)
    if per not in PER:
        raise InvalidInput(f"per must be one of {', '.join(PER)}, got {per!r}")
    shape = (vocab,) * length

    def values(rows: np.ndarray) -> np.ndarray:
        rounds, loss = rounds_and_loss(rows.reshape((-1, *shape)), decoder)
        return loss / rounds if per == "rounds" else loss

    climb = Climb(values, length, vocab, rng)
    first = None if start is None else _as_vector(start, length, vocab)
    found = []
    for number in tracked(range(starts + 1), progress, "climbing"):
        if number < starts:
            table = climb.drawn(DRAWN) if first is None or number else first
            left = (tables // EXPLORING - climb.tried) // (starts - number)
        else:
            (table, _), left = max(found, key=lambda one: one[1]), tables - climb.tried
        found.append(climb.climb(table, left))
    best, value = max(found, key=lambda one: one[1])
    near = best + NEAR * (np.asarray([climb.moved(best) for _ in range(DRAWN)]) - best)
    on_edge = bool((climb.values(near) < (1 - CLEARLY) * value - ZERO_TOL).any())
    weights = _rounded(climb, best, value * (1 - rounding) - ZERO_TOL)
    p, q = _at(weights.reshape(shape), decoder)
    loss = _value(q, per)
    return WorstCase(decoder, per, p, loss, q, max(value, float(loss)), on_edge, climb.tried)


def _as_vector(start: Distribution, length: int, vocab: int) -> np.ndarray:
    """The probabilities of a distribution of the shape that is searched."""
    check_distribution(start)
    if (start.length, start.vocab) != (length, vocab):
        raise InvalidInput(
            f"start has {counted(start.length, 'site')} over {counted(start.vocab, 'token')}; "
            f"searched are {counted(length, 'site')} over {counted(vocab, 'token')}"
        )
    table = floats(to_host(start.table()), "what is lost there is not known")
    return np.asarray(table, dtype=np.float64).reshape(-1)


def _rounded(climb: Climb, table: np.ndarray, enough: float) -> np.ndarray:
    """The first weights near a table at which enough is lost, or those at which most is."""
    best, value = np.ones(0), -math.inf
    for weights in roundings(table):
        found = climb.values(weights / weights[0].sum())
        if found.max() > value:
            best, value = weights[found.argmax()], found.max()
        if value >= enough:
            break
    return best


def _at(
    weights: np.ndarray, decoder: Policy | TokenPolicy | Corrector
) -> tuple[JointTable, OutputDistribution]:
    """The exact table, and what is written there: in floats, where the decoder needs these."""
    p = JointTable(weights, exact=True)
    try:
        return p, output_distribution(p, decoder)
    except InvalidInput:
        return p, output_distribution(JointTable(weights), decoder)


def _value(q: OutputDistribution, per: str) -> Number:
    """The loss that is searched for, exact where the output is."""
    loss = q.kl if math.isnan(float(q.path_kl)) else q.path_kl
    if per == "nats":
        return loss
    known = not math.isnan(float(q.expected_rounds_on_data))
    return loss / (q.expected_rounds_on_data if known else q.expected_rounds)
