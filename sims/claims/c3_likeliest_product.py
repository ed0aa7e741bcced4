"""C3: when the likeliest tokens of the product are those of the joint."""

from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.claims.kit.families import equal_tokens
from sims.claims.kit.policies import path_steps
from sims.decoding.exact import output_distribution
from sims.policies import Threshold
from theory import JointTable, information, strategies
from theory._core.arrays import log, to_host, xlogx
from theory._core.bound import Bound
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import Size, bit_entropy, in_arithmetic_of
from theory.claims.kit.inequality import excess
from theory.distributions import Distribution

__all__ = ["C3"]

C3 = Claim(
    id="C3",
    title="Where all sites are confident enough, the likeliest tokens are jointly likeliest",
    statement=(
        "If the likeliest token of each of n sites has a probability above 1 - e and (n+1) e is "
        "at most 1, the sequence of these tokens is the likeliest of the joint, and 1/(n+1) is "
        "the best such constant. Then TV(p, product) < (3n-1) e / 2, and the divergence is below "
        "(n-1) (H_b(e) + e ln(V-1)). A decoder that reveals all sites whose likeliest token has a "
        "probability above tau, or else one, loses less than (n-1) h on any data of n >= 2 sites "
        "if 1/V <= tau < 1, and (n-1) h is the supremum, h = H_b(1-tau) + (1-tau) ln(V-1): a round "
        "of k sites costs at most (k-1) h."
    ),
    latex=(
        r"p_j(x_j^*) > 1 - e,\ (n+1)\,e \le 1 \Rightarrow \arg\max_x p(x) = x^*,\ "
        r"\mathrm{TV} < \tfrac{3n-1}{2} e,\ "
        r"\mathrm{KL} < (n-1)\bigl(H_b(e) + e \ln(V-1)\bigr);\quad "
        r"\sup_p \mathrm{KL}(p \,\|\, q_\tau) = "
        r"(n-1)\bigl(H_b(1-\tau) + (1-\tau) \ln(V-1)\bigr)"
    ),
    says="Theorem 1: the same, as the reason for decoding by a confidence factor",
    note=(
        "What a threshold loses is ours. Sites above tau have entropies below h, and TC(X_S | c) "
        "= sum of H(X_i | c) - H(X_S | c) is at most their sum without the largest; the sizes of "
        "the rounds, each less one, add up to at most n - 1 on every path. Equal tokens at all "
        "sites approach it: one of them has mass just above tau, the others share the rest; of "
        "bits these are a sequence and its complement. Three bits: 1.3460, 1.0008, 0.6502 at tau = "
        "0.6, 0.8, 0.9, and sims.worst_case finds these data. The supremum is attained if sites "
        "just at tau are revealed, too. Below 1/V all is revealed at once, and equal tokens lose "
        "(n-1) ln V."
    ),
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


def _most(tau: Any, vocab: int) -> Any:
    """The largest entropy of a site whose likeliest token has this probability, 1/V or more."""
    spread = log(np.asarray([vocab - 1]))[0] if vocab > 1 and tau != 1 else 0
    return bit_entropy(tau) + (1 - tau) * spread


def _thresholds(size: Size) -> Any:
    """From just above 1/V on; of exact distributions as Fractions."""
    least = min(20 // size.vocab + 1, 19)
    return in_arithmetic_of(size, st.integers(least, 19).map(lambda k: Fraction(k, 20)))


def _confident(exact: bool) -> Any:
    """Tables with one heavy entry, and equal tokens."""
    equal = [equal_tokens(n, v, 7, 3) for n in (2, 3) for v in (2, 3)]
    pool = _peaked(exact=True) | st.sampled_from(equal)
    return pool if exact else pool.map(lambda p: JointTable(p.weights.values))


@C3.residual(
    "what a threshold loses, round by round and in all",
    exact=_confident(exact=True),
    floats=_confident(exact=False),
    parts={"tau": _thresholds},
    tolerance=1e-12,
    fewer=1,
)
def threshold(p: Distribution, tau: Any, fewer: int = 0) -> list[Any]:
    if p.vocab * tau < 1:
        raise DoesNotApply("every site is above the threshold: tau is below 1/V")
    decoder, most = Threshold(float(tau)), _most(tau, p.vocab)
    found = [
        excess(information.total_correlation(p, sites, given=x), (len(sites) - 1 - fewer) * most)
        for _, _, sites, x in path_steps(p, decoder)
        if len(sites) > 1
    ]
    q = output_distribution(p, decoder)
    return [*found, excess(q.path_kl, (p.length - 1) * most), excess(q.kl, q.path_kl)]


BELOW = Fraction(1, 10**9)
"""How far a threshold lies below the mass of the likeliest of equal tokens."""


@C3.residual(
    "the supremum of what a threshold loses, approached by equal tokens",
    named=lambda: {
        f"{n} equal tokens of {v}, the likeliest {tau:g} and a little more": equal_tokens(
            n, v, round(10**9 * tau) * (v - 1) + v - 1, round(10**9 * (1 - tau)) - 1
        )
        for n, v in ((2, 2), (3, 2), (4, 2), (3, 3))
        for tau in (0.6, 0.8, 0.9)
    },
    tolerance=1e-12,
    below=0,
)
def supremum(p: Distribution, below: Any = BELOW) -> list[Any]:
    tau = to_host(p.marginals).max() - below
    lost = output_distribution(p, Threshold(float(tau))).path_kl
    bound = (p.length - 1) * _most(tau, p.vocab)
    return [Bound(lost, bound), excess(bound - Fraction(1, 10**7), lost)]


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
