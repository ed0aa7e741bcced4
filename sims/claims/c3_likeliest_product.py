"""C3: when the likeliest tokens of the product are those of the joint."""

import math
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import JointTable, information, strategies
from theory._core.arrays import log, to_host, xlogx
from theory.claims import Check, Claim, Level, Provenance, Verdict
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.result import DoesNotApply
from theory.distributions import Distribution

__all__ = ["LIKELIEST_PRODUCT"]


def _mode(p: Distribution) -> tuple[tuple[int, ...], Any]:
    """The likeliest token of each site, and the largest probability that one is missed by."""
    marginals = to_host(p.marginals)
    mode = tuple(int(np.argmax(row)) for row in marginals)
    return mode, max(1 - row[v] for row, v in zip(marginals, mode, strict=True))


def _modes_agree(p: Distribution, beyond: int = 1) -> Any:
    """By how much another sequence is likelier, where ``(n + 1) e < 1``."""
    mode, e = _mode(p)
    if (p.length + beyond) * e >= 1:
        raise DoesNotApply("the tokens are not sure enough: (n + 1) e is 1 or more")
    table = to_host(p.table())
    return excess(table.max(), table[mode])


def _runner_up(p: Distribution) -> float:
    """The probability of the likeliest other sequence as a share of that of the mode."""
    mode, e = _mode(p)
    if (p.length + 1) * e >= 1:
        return math.nan
    others = to_host(p.table()).copy()
    most, others[mode] = others[mode], 0
    return closeness(others.max(), most)


def _distances(p: Distribution, share: int = 1) -> Any:
    """By how much TV and KL of the product exceed their bounds, where ``(n + 1) e <= 1``."""
    found = [excess(distance * share, bound) for distance, bound in _bounded(p)]
    if not found:
        raise DoesNotApply("the tokens are not sure enough: (n + 1) e is more than 1")
    return found


def _share_of_bounds(p: Distribution) -> float:
    """The larger of the shares that TV and KL of the product have of their bounds."""
    return max((closeness(*pair) for pair in _bounded(p)), default=math.nan)


def _bounded(p: Distribution) -> list[tuple[Any, Any]]:
    """TV and KL of the product, each with its bound; nothing unless ``(n + 1) e <= 1``."""
    _, e = _mode(p)
    n = p.length
    if (n + 1) * e > 1:
        return []
    marginals = to_host(p.marginals)
    product = marginals[0]
    for row in marginals[1:]:
        product = product[..., None] * row
    tv = abs(to_host(p.table()) - product).sum() / 2
    binary = -xlogx(np.asarray([e, 1 - e])).sum()
    spread = e * log(np.asarray([p.vocab - 1]))[0] if e != 0 else 0
    kl = information.total_correlation(p)
    return [(tv, (3 * n - 1) * e / 2), (kl, (n - 1) * (binary + spread))]


def _peaked(exact: bool) -> Any:
    """Tables with one heavy cell: a quarter to six times as heavy as all others together."""
    tables = strategies.joint_tables(lengths=(2, 3), vocabs=(2, 3), exact=True)
    pairs = st.tuples(tables, st.integers(1, 24))

    def build(pair: tuple[JointTable, int]) -> JointTable:
        weights = np.array(pair[0].weights.values)
        weights.reshape(-1)[0] = 0
        others = weights.sum()
        weights = 4 * weights
        weights.reshape(-1)[0] = max(1, others * pair[1])
        return JointTable(weights, exact=exact)

    nearly_tied = [_neighbours(n, k, exact=exact) for n in (2, 3) for k in (3, 5)]
    return st.one_of(pairs.map(build), st.sampled_from(nearly_tied))


def _neighbours(length: int, mode: int, *, exact: bool) -> JointTable:
    """All zeros with weight `mode`; with a single one, 4: ``(n + 1) e`` is close to 1."""
    ones = np.indices((2,) * length).sum(axis=0)
    return JointTable(np.where(ones == 0, mode, np.where(ones == 1, 4, 0)), exact=exact)


def _one_flip() -> dict[str, Distribution]:
    """``(n + 1) e = 1``: the mode, and each of its neighbours, equally likely."""
    tables: dict[str, Distribution] = {}
    for n in (2, 3, 5):
        weights = np.zeros((2,) * n)
        for site in [None, *range(n)]:
            cell = [0] * n
            if site is not None:
                cell[site] = 1
            weights[tuple(cell)] = 1
        tables[f"all zeros or a single one, {n} sites"] = JointTable(weights)
    return tables


def _tight(p: Distribution, beyond: int = 1) -> Any:
    """Where ``(n + 1) e = 1`` the mode of the product may be no likelier than others."""
    mode, e = _mode(p)
    table = to_host(p.table())
    others = np.sort(table.reshape(-1))[-2]
    return [(p.length + beyond) * e - 1, table[mode] - others]


LIKELIEST_PRODUCT = Claim(
    id="C3",
    title="Where all sites are sure enough, the likeliest tokens are jointly likeliest",
    statement=(
        "If the likeliest token of each of n sites has a probability above 1 - e and (n+1) e is "
        "at most 1, the sequence of these tokens is the likeliest of the joint, and 1/(n+1) is "
        "the best such constant. Then TV(p, product) < (3n-1) e / 2, and the divergence is below "
        "(n-1) (H_b(e) + e ln(V-1))."
    ),
    latex=(
        r"p_j(x_j^*) > 1 - e,\ (n+1)\,e \le 1 \Rightarrow \arg\max_x p(x) = x^*,\ "
        r"\mathrm{TV} < \tfrac{3n-1}{2} e,\ "
        r"\mathrm{KL} < (n-1)\bigl(H_b(e) + e \ln(V-1)\bigr)"
    ),
    says="Theorem 1: the same, as the reason for decoding by a confidence factor",
    source="Fast-dLLM, arXiv 2505.22618, Theorem 1",
    provenance=Provenance.SOURCE,
    verdict=Verdict.HOLDS,
    checks=(
        Check(
            level=Level.EXACT,
            residual=_modes_agree,
            distributions=lambda: _peaked(exact=True),
            planted={"beyond": 0},
            tightness=_runner_up,
        ),
        Check(
            level=Level.EXACT,
            residual=_distances,
            distributions=lambda: _peaked(exact=True),
            planted={"share": 8},
            tightness=_share_of_bounds,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_modes_agree,
            distributions=lambda: _peaked(exact=False),
            planted={"beyond": 0},
            tolerance=1e-12,
            tightness=_runner_up,
        ),
        Check(
            level=Level.PROPERTY,
            residual=_distances,
            distributions=lambda: _peaked(exact=False),
            planted={"share": 8},
            tolerance=1e-12,
            tightness=_share_of_bounds,
        ),
        Check(
            level=Level.NUMERIC,
            residual=_tight,
            named=_one_flip,
            planted={"beyond": 0},
            tolerance=1e-12,
        ),
    ),
)
