"""C12: how often drawing first writes rare tokens, and why small blocks help."""

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.decoding.exact import output_distribution
from sims.policies import Blocks, Decoder, TokenConfidence, TopK
from theory import JointTable, drawn_first
from theory._core.arrays import to_host
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C12"]

Factory = Callable[[int], Decoder]
"""From how many tokens are kept. Planted is `TopK`, which chooses the site before it draws."""

C12 = Claim(
    id="C12",
    title="Drawing first writes few rare tokens, in small blocks more",
    statement=(
        "Independent, identically distributed sites, one of which keeps the likeliest of the "
        "tokens drawn at all of them: with m masks left, tokens less likely than v are written "
        "with the m-th power of their total probability, whatever is done about ties. So of coins "
        "with a rare side of probability r < 1/2 the whole text holds sum_{m=1..L} r^m < r/(1-r) "
        "rare ones, whatever its length: of 100 tosses 30 are due at r = 0.3, and 0.43 are "
        "written. In blocks of B, of which the length is a multiple, their share is "
        "(1/B) sum_{m=1..B} r^m: all that are due at B = 1, and fewer the larger the blocks. "
        "The divergence does depend on ties: at random it grows like (r L)^2 log(1/r) / 2, to the "
        "lowest site like r L^2 log(1/r) / 2. With Gumbel noise of size a on the logarithms, as "
        "MaskGIT has it, the first token tends with many masks to p^(1 + 1/a), normalised."
    ),
    latex=(
        r"\Pr(\text{rare} \mid m \text{ masks}) = r^m,\qquad \mathbb E\,\#\text{rare} = "
        r"\sum_{m=1}^{L} r^m = \frac{r (1 - r^L)}{1 - r} < \frac{r}{1 - r};\qquad "
        r"\frac{1}{B} \sum_{m=1}^{B} r^m \text{ in blocks of } B"
    ),
    says=(
        "nobody says it; small blocks are recommended, for reasons of dependence: on independent "
        "sites they help although nothing is parallel"
    ),
    note=(
        "Shares in blocks of 1, 2, 4, 8 at r = 0.3: 0.3, 0.195, 0.106, 0.054. Ties at random "
        "leave the arrangement of the rare tokens uniform; ties to the lowest site put them where "
        "few masks are left: 2.0671 against 3.1485 nats at L = 6, r = 0.3. Blocks may also "
        "overshoot where sites depend on each other (C13). Four-letter words, written one letter "
        "at a time, have 2.475 nats of entropy where 4.184 are due. The distance of the first "
        "token from its limit, for (0.5, 0.3, 0.15, 0.05) and a = 1, is 0.0866, 0.0184, 0.0044 "
        "and 0.0011 with 2, 8, 32 and 128 masks."
    ),
    source=(
        "derived here; Hayakawa et al., arXiv 2510.04525 (abstract seen), find an implicit "
        "temperature in MaskGIT"
    ),
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


def _equal_sites(row: list[int], length: int, exact: bool = True) -> JointTable:
    """Independent sites that have the same distribution."""
    weights = np.asarray(row, dtype=object if exact else np.float64)
    table = functools.reduce(np.multiply.outer, [weights] * length)
    return JointTable(table, exact=exact)


@st.composite
def _drawn_sites(draw: st.DrawFn, most_sites: int, tokens: tuple[int, int]) -> JointTable:
    row = st.lists(st.integers(0, 5), min_size=tokens[0], max_size=tokens[1]).filter(any)
    return _equal_sites(draw(row), draw(st.integers(1, most_sites)))


def _coins(rare: float, length: int) -> JointTable:
    return _equal_sites([1 - rare, rare], length, exact=False)  # pyright: ignore[reportArgumentType]


def _row_of(p: Distribution) -> np.ndarray:
    """The distribution (V,) of all sites, if they are independent and have the same one."""
    row = to_host(p.marginals)[0]
    product = functools.reduce(np.multiply.outer, [row] * p.length)
    if not (abs(to_host(p.table()) - product) <= (0 if p.exact else 1e-12)).all():
        raise DoesNotApply("it is about independent sites that have the same distribution")
    return row


def _rare_side(p: Distribution) -> tuple[Any, int]:
    """The probability of the rarer of two tokens, and which one it is."""
    row = _row_of(p)
    if p.vocab != 2 or abs(row[0] - row[1]) <= (0 if p.exact else 1e-9):
        raise DoesNotApply("it is about two tokens of which one is rarer")
    side = int(np.argmin(row))
    return row[side], side


def _mean_counts(q: np.ndarray) -> Any:
    """How many of each token there are on average, from probabilities of sequences (V,)*L."""
    sites = range(q.ndim)
    return sum(q.sum(axis=tuple(j for j in sites if j != i)) for i in sites)


@C12.residual(
    "mean numbers of all tokens, in blocks of each size",
    exact=_drawn_sites(4, (1, 3)),
    named=lambda: {"coins, 0.3": _coins(0.3, 8), "three tokens": _equal_sites([5, 3, 2], 5, False)},
    parts={"block": lambda size: st.integers(1, size.length)},
    at=lambda p: [{"block": block} for block in (1, 2, 3, p.length)],
    tolerance=1e-12,
    decoder=TopK,
)
def mean_counts(p: Distribution, block: int, decoder: Factory = TokenConfidence) -> Any:
    counts = drawn_first.token_counts(_row_of(p), p.length, block)
    written = [_mean_counts(output_distribution(p, Blocks(block, decoder(1))).table)]
    if block == p.length:
        written.append(_mean_counts(output_distribution(p, decoder(1)).table))
    return [found - counts for found in written]


@C12.residual(
    "everything that is written of coins, ties to the lowest site",
    exact=_drawn_sites(5, (2, 2)),
    named=lambda: {f"coins, 0.3, {length} sites": _coins(0.3, length) for length in (6, 8)},
    tolerance=1e-12,
    ties="random",
)
def coins(p: Distribution, ties: drawn_first.Ties = "lowest") -> list[Any]:
    """And, in floats, the divergence."""
    rare, side = _rare_side(p)
    q = output_distribution(p, TokenConfidence(1))
    table = drawn_first.coins_written(rare, p.length, ties)
    residuals = [(np.flip(q.table) if side == 0 else q.table) - table]
    return residuals if p.exact else [*residuals, q.kl - drawn_first.coins_kl(rare, p.length, ties)]


@C12.symbolic("the number of rare tokens in one to five tosses, for each rule for ties", start=2)
def rare_tokens(start: int = 1) -> list[Any]:
    """The mean number from the whole output, against the sum of powers and the geometric series."""
    import sympy

    r = sympy.Symbol("r", positive=True)
    residuals = []
    for length in range(1, 6):
        series = sum((r**m for m in range(start, length + start)), sympy.Integer(0))
        residuals.append(sympy.cancel(r * (1 - r**length) / (1 - r)) - series)
        for ties in drawn_first.TIES:
            table = drawn_first.coins_written(r, length, ties)
            residuals += [
                sympy.expand(table.sum()) - 1,
                sympy.expand(_mean_counts(table)[1] - series),
            ]
    return residuals


@C12.residual(
    "divergence of coins between two bounds, by the rule for ties",
    named=lambda: {f"coins, {r}": _coins(r, 12) for r in (0.05, 0.3, 0.45)},
    tolerance=1e-9,
    least=1,
)
def growth(p: Distribution, least: int = 2) -> list[Any]:
    """To the lowest site ``r L (L+1) log(1/r) / 2`` less one to two times the entropy.

    At random, of 1000 sites, ``(r L)^2 log(1/r) / 2`` to 30 %.
    """
    rare, length = float(_rare_side(p)[0]), p.length
    if not 0.04 <= rare <= 0.46:
        raise DoesNotApply("a thousand sites are many if one in 25 is rare, and one in two is not")
    rate = math.log(1 / rare) / 2
    entropy = length * -(rare * math.log(rare) + (1 - rare) * math.log1p(-rare))
    constant = math.fsum(math.log1p(-(rare**m)) for m in range(1, length + 1))
    kl, leading = drawn_first.coins_kl(rare, length), rare * length * (length + 1) * rate
    ratio = drawn_first.coins_kl(rare, 1000, "random") / ((rare * 1000) ** 2 * rate)
    return [
        excess(leading - least * entropy, kl),
        excess(kl, leading - entropy - constant),
        excess(abs(ratio - 1), 0.3),
    ]


@C12.residual(
    "the first token with Gumbel noise, nearer to its limit by four with four times the masks",
    named={"any table": JointTable([1, 1])},
    of_its_own=True,
    at=[
        {"row": row, "noise": noise}
        for row in ((0.5, 0.3, 0.15, 0.05), (0.6, 0.4))
        for noise in (0.5, 1.0, 2.0)
    ],
    tolerance=1e-12,
    more=0,
)
def first_token(p: Distribution, row: tuple[float, ...], noise: float, more: int = 1) -> list[Any]:
    """The distance from the limit with 8, 32 and 128 masks, of sites with these probabilities."""
    limit = np.asarray(row) ** (more + 1 / noise)
    limit = limit / limit.sum()
    distances = [
        abs(drawn_first.first_reveal(row, noise, masks) - limit).sum() / 2 for masks in (8, 32, 128)
    ]
    return [excess(far, near / 3.5) for near, far in itertools.pairwise(distances)]
