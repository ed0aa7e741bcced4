"""C3: when the likeliest tokens of the product are those of the joint."""

from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import JointTable, information, strategies
from theory._core.arrays import log, to_host, xlogx
from theory._core.bound import Bound
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.distributions import Distribution

__all__ = ["C3"]

C3 = Claim(
    id="C3",
    title="Where all sites are confident enough, the likeliest tokens are jointly likeliest",
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
)


def _mode_and_error(p: Distribution) -> tuple[tuple[int, ...], Any]:
    """The likeliest token of each site, and the largest probability that one is missed by."""
    marginals = to_host(p.marginals)
    return tuple(marginals.argmax(axis=1).tolist()), (1 - marginals.max(axis=1)).max()


def _zeros_or_a_single_one(n: int, zeros: int, single: int, *, exact: bool = False) -> JointTable:
    """Weights of all zeros and of each sequence with one 1: ``(n + 1) e`` is close to 1."""
    ones = np.indices((2,) * n).sum(axis=0)
    weights = np.where(ones == 0, zeros, np.where(ones == 1, single, 0))
    return JointTable(weights, exact=exact)


def _peaked(exact: bool) -> Any:
    """Tables with one heavy entry: a quarter to six times as heavy as all others together."""

    def heavier(table: JointTable, quarters: int) -> JointTable:
        weights = 4 * np.array(table.weights.values)
        weights.reshape(-1)[0] = 0
        weights.reshape(-1)[0] = max(1, weights.sum() // 4 * quarters)
        return JointTable(weights, exact=exact)

    tables = strategies.joint_tables(lengths=(2, 3), vocabs=(2, 3), exact=True)
    nearly_tied = [_zeros_or_a_single_one(n, k, 4, exact=exact) for n in (2, 3) for k in (3, 5)]
    return st.builds(heavier, tables, st.integers(1, 24)) | st.sampled_from(nearly_tied)


@C3.residual(
    "the likeliest tokens as the likeliest sequence",
    exact=_peaked(exact=True),
    floats=_peaked(exact=False),
    tolerance=1e-12,
    beyond=0,
)
def modes_agree(p: Distribution, beyond: int = 1) -> Bound:
    mode, e = _mode_and_error(p)
    if (p.length + beyond) * e >= 1:
        raise DoesNotApply("the predictions are not confident enough: (n + 1) e is 1 or more")
    others = to_host(p.table()).copy()
    most, others[mode] = others[mode], 0
    return Bound(others.max(), most)


@C3.residual(
    "the bounds of TV and KL of the product",
    exact=_peaked(exact=True),
    floats=_peaked(exact=False),
    tolerance=1e-12,
    share=8,
)
def distances(p: Distribution, share: int = 1) -> list[Bound]:
    n, (_, e) = p.length, _mode_and_error(p)
    if (n + 1) * e > 1:
        raise DoesNotApply("the predictions are not confident enough: (n + 1) e is more than 1")
    marginals = to_host(p.marginals)
    product = marginals[0]
    for row in marginals[1:]:
        product = product[..., None] * row
    tv = abs(to_host(p.table()) - product).sum() / 2
    kl = information.total_correlation(p)
    binary = -xlogx(np.asarray([e, 1 - e])).sum()
    spread = e * log(np.asarray([p.vocab - 1]))[0] if e != 0 else 0
    return [
        Bound(share * tv, (3 * n - 1) * e / 2),
        Bound(share * kl, (n - 1) * (binary + spread)),
    ]


@C3.residual(
    "no better constant than 1 / (n + 1)",
    named=lambda: {
        f"all zeros or a single one, {n} sites": _zeros_or_a_single_one(n, 1, 1) for n in (2, 3, 5)
    },
    tolerance=1e-12,
    beyond=0,
)
def attained(p: Distribution, beyond: int = 1) -> list[Any]:
    mode, e = _mode_and_error(p)
    table = to_host(p.table())
    return [(p.length + beyond) * e - 1, table[mode] - np.sort(table.reshape(-1))[-2]]
