"""B20: the error per token depends on the rounds, that of the sequence on the length over them."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from sims.chains.dispatch import on_chain
from sims.chains.gaps import Gaps
from sims.decoding.exact import output_distribution
from sims.policies import Bernoulli
from theory import MarkovChain, gallery, information, strategies
from theory._core.arrays import log, to_host, xlogx
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims import Claim, DoesNotApply, Provenance, Verdict
from theory.claims.kit.generators import shares, stationary_start
from theory.claims.kit.result import as_chain
from theory.distributions import Distribution

__all__ = ["B20"]

MEAN_GAPS = 60
"""Distances to the nearest known site are summed up to so many times the number of rounds."""

MAX_ENTRIES = 1000
"""Output distributions are computed of data with so many sequences."""

MAX_LENGTH, MAX_EXACT = 100, 12
"""Lengths up to which probabilities are computed, in floats and in fractions."""

B20 = Claim(
    id="B20",
    title="Error per token goes by the rounds, that of the sequence by the length over them",
    statement=(
        "Ancestral decoding in K equal steps. On a stationary Markov chain with I(d) = I(X_0; "
        "X_d) the path divergence is c_K L - I(1) and at most 2 E[a I(a)] more, a the distance to "
        "the nearest site on one side that is known before the step, with 0 for the first step: "
        "up to what both ends of the sequence add, c_K nats per token at every length. On any "
        "data -log(1 - SER) <= KL <= path KL <= sum_i I(X_i; all others) / K, SER the probability "
        "to write what the data never contain; on a stationary chain the last is at most (2 I(1) "
        "- I(X_0; X_2)) L / K. If two neighbours never hold some pairs of tokens, and e is the "
        "least probability that predictions of neighbours give to these, with no known site "
        "within d of them, -log(1 - SER) >= -floor(L/(2d+2)) log(1 - e s_K), s_K = sum_t (1 - "
        "t/K)^(2d) / K^2. So where e > 0 rounds in proportion to the length are enough for a "
        "sequence error, and needed. On the stationary golden-mean chain -log(1 - SER) K / L lies "
        "between 0.061 and 0.066 for L = 16, 32, 64 and K = 1, 2, 4, ..., 32."
    ),
    latex=(
        r"0 \le \mathrm{KL}_{\text{path}} - (c_K L - I(1)) \le 2\, \mathbb E\, a\, I(a),\quad "
        r"c_K = \mathbb E\, H(X_0 \mid X_{-a}, X_b) - H(X_1 \mid X_0);\qquad "
        r"-\Bigl\lfloor \tfrac{L}{2d+2} \Bigr\rfloor \log(1 - e\, s_K) \le -\log(1 - "
        r"\mathrm{SER}) \le \mathrm{KL} \le \frac1K \sum_i I(X_i; X_{\ne i})"
    ),
    says=(
        "near-optimal perplexity in a number of steps that does not depend on the length, while "
        "the sequence error needs steps linear in it (abstract; that of the later version adds: in "
        "the worst case)"
    ),
    note=(
        "The cost is that of a stale context (D10): sum over sites of H(X_i | known before its "
        "step), less H(X). What lies beyond an end of the sequence can lower an entropy by I(a) "
        "at most on either side. Lower bound: in a window of 2d+2 sites the middle ones are "
        "written in one step before the others with probability s_K, then hold a forbidden pair "
        "with probability e or more whatever is known elsewhere. e is 1/16 for the golden mean "
        "and d = 1, and 0 for d = 0; where nothing is forbidden no sequence is an error. That "
        "-log(1 - SER) K / L is nearly a constant is special. Of long sequences around a cycle of "
        "V tokens it falls from log V for one step to 1 - 1/V for many; at 64 sites of three "
        "tokens in a line, where a step leaves a token with probability 0.02 for the one beside "
        "it, from 0.1145 for one step to 0.0066 for 32. Nor do pieces multiply: of a token 1 that "
        "is followed by 0, and a 0 by 1 ten times of eleven, two sites in three steps are valid "
        "with probability r and four with more than r^2."
    ),
    source=("Feng et al., arXiv 2502.09622 (abstract seen); constants and bounds derived here"),
    provenance=Provenance.RESTATED,
    verdict=Verdict.CONDITIONAL,
)


def _equal_steps(steps: int) -> list[Fraction]:
    return [Fraction(k, steps) for k in range(steps + 1)]


def _valid_mass(p: MarkovChain, steps: int) -> Number:
    if p.length > (most := MAX_EXACT if p.exact else MAX_LENGTH):
        raise DoesNotApply(f"it computes what is valid for up to {most} sites")
    return on_chain(p, Bernoulli(_equal_steps(steps)), progress=False).valid_mass


def _stationary_chains(lengths: tuple[int, int]) -> Any:
    return strategies.chains(lengths=lengths, vocabs=(2, 3), exact=True).map(
        lambda p: MarkovChain(stationary_start(p), p.transition, p.length)
    )


def _as_stationary(p: Distribution) -> MarkovChain:
    chain = as_chain(p, 2)
    start = to_host(chain.initial).astype(np.float64)
    if abs(start @ to_host(chain.transition).astype(np.float64) - start).max() > 1e-9:
        raise DoesNotApply("it is about chains that are stationary")
    return chain


STEPS = {"steps": st.integers(1, 6)}

NAMED = {
    "golden_mean_chain(64)": gallery.golden_mean_chain(64),
    "binary_symmetric(100, 0.03)": gallery.binary_symmetric(100, 0.03),
    "periodic(40, 3, 2)": gallery.periodic(40, 3, 2),
}


# ---- nats per token ----------------------------------------------------------------------------


def _per_token(p: MarkovChain, steps: int) -> tuple[float, float, float]:
    """``c_K``, ``I(1)`` and ``2 E[a I(a)]``, from the entropies of a token given an earlier one.

    Entropies given both neighbours are ``h(a) + h(b) - h(a + b)``.
    """
    start = to_host(p.initial).astype(np.float64)
    alone = float(-xlogx(start).sum())
    distance = np.arange(1, MEAN_GAPS * steps + 1, dtype=np.int64)
    floats = MarkovChain(start, to_host(p.transition).astype(np.float64), p.length)
    h = to_host(floats.gap_entropies(distance.tolist())) @ start
    both, beyond = [alone], [0.0]
    for t in range(1, steps):
        known = t / steps
        one = known * (1 - known) ** (distance - 1)
        two = (distance - 1) * known**2 * (1 - known) ** np.maximum(distance - 2, 0)
        both.append(float(2 * one @ h - two @ h))
        beyond.append(float(2 * one @ (distance * (alone - h))))
    return math.fsum(both) / steps - h[0], alone - h[0], math.fsum(beyond) / steps


@B20.residual(
    "nats per token up to the ends of the sequence",
    floats=_stationary_chains((2, 12)),
    named=NAMED,
    parts=STEPS,
    at=[{"steps": steps} for steps in (1, 2, 4, 8)],
    tolerance=1e-9,
    first=0,
)
def per_token(p: Distribution, steps: int, first: int = 1) -> list[Bound]:
    p = _as_stationary(p)
    each, first_pair, ends = _per_token(p, steps)
    lost = float(information.gain_curve(p).grid_cost(_equal_steps(steps)))
    least = each * p.length - first * first_pair
    return [Bound(lost, least, upper=False), Bound(lost, least + ends)]


@B20.residual(
    "what both ends of the sequence add",
    named=NAMED,
    at=[{"steps": steps} for steps in (2, 4, 8)],
    tolerance=1e-9,
    share=50,
)
def ends_of_the_sequence(p: Distribution, steps: int, share: int = 1) -> Bound:
    """Tight where a token determines all later ones."""
    p = _as_stationary(p)
    each, first_pair, ends = _per_token(p, steps)
    lost = float(information.gain_curve(p).grid_cost(_equal_steps(steps)))
    return Bound(share * max(lost - each * p.length + first_pair, 0.0), ends)


# ---- the error of the sequence -----------------------------------------------------------------


@B20.residual(
    "the sequence error, the divergences and the information of each site with all others",
    exact=strategies.joint_tables(lengths=(1, 3), exact=True),
    floats=strategies.distributions(lengths=(1, 3)),
    parts={"steps": st.integers(1, 3)},
    tolerance=1e-10,
    share=2,
)
def from_above(p: Distribution, steps: int, share: int = 1) -> list[Bound]:
    if p.vocab**p.length > MAX_ENTRIES:
        raise DoesNotApply(f"it goes through all sequences, up to {MAX_ENTRIES} of them")
    q = output_distribution(p, Bernoulli(_equal_steps(steps)))
    error = -log(np.asarray([q.valid_mass]))[0]
    shared = sum(
        information.entropy(p, [i]) + information.entropy(p, others) - information.entropy(p)
        for i in range(p.length)
        if (others := [j for j in range(p.length) if j != i])
    )
    most: Any = shared * Fraction(1, steps) if p.exact else float(shared) / steps
    return [
        Bound(share * error, q.kl),
        Bound(share * q.kl, q.path_kl),
        Bound(share * q.path_kl, most),
    ]


@B20.residual(
    "the information of a site with its neighbours",
    floats=_stationary_chains((2, 12)),
    named=NAMED,
    parts=STEPS,
    at=[{"steps": steps} for steps in (1, 2, 16)],
    tolerance=1e-9,
    share=4,
)
def in_proportion(p: Distribution, steps: int, share: int = 1) -> list[Bound]:
    p = _as_stationary(p)
    start = to_host(p.initial)
    one, two = (float(start @ row) for row in to_host(p.gap_entropies([1, 2])))
    rate = float(-xlogx(start).sum()) - 2 * one + two  # 2 I(1) - I(2)
    lost = float(information.gain_curve(p).grid_cost(_equal_steps(steps)))
    error = -math.log(float(_valid_mass(p, steps)))
    return [Bound(error, lost), Bound(share * lost, rate * p.length / steps)]


def _least_forbidden(p: MarkovChain, apart: int) -> Any:
    """The least probability of a forbidden pair, with nothing known within `apart` sites."""
    gaps, never = Gaps(p), (to_host(p.transition) == 0) * 1
    least: Any = 1
    for sites in range(2, p.length + 1):
        rows, possible = to_host(gaps.marginals(sites)), to_host(gaps.evidence(sites)) > 0
        for left, right in zip(*np.nonzero(possible), strict=True):
            if left == right == p.vocab and sites < p.length:
                continue
            first = 0 if left == p.vocab else apart
            last = sites - 2 - (0 if right == p.vocab else apart)
            for i in range(first, last + 1):
                least = min(least, rows[left, right, i] @ never @ rows[left, right, i + 1])
    return least


def _sparse() -> Any:
    """Chains that may forbid something, stationary or not."""
    weights = st.lists(st.integers(0, 2), min_size=3, max_size=3).filter(any)
    rows = st.lists(weights, min_size=4, max_size=4)
    return st.builds(
        lambda length, w: MarkovChain(shares(w[:1])[0], shares(w[1:]), length, exact=True),
        st.integers(2, 6),
        rows,
    )


@B20.residual(
    "forbidden pairs of neighbours",
    exact=_sparse(),
    named=lambda: {
        f"golden_mean_chain({length})": gallery.golden_mean_chain(length) for length in (8, 32)
    },
    parts={"steps": st.integers(2, 4), "apart": st.integers(0, 1)},
    at=[{"steps": steps, "apart": 1} for steps in (2, 4, 8)],
    tolerance=1e-10,
    windows=40,
)
def from_below(p: Distribution, steps: int, apart: int, windows: int = 1) -> list[Bound]:
    """Valid masses and not their logarithms."""
    p = as_chain(p, 2)
    least = _least_forbidden(p, apart)
    both = sum(Fraction(steps - t, steps) ** (2 * apart) for t in range(1, steps + 1))
    together = both / steps**2 if p.exact else float(both) / steps**2
    most = (1 - least * together) ** (windows * (p.length // (2 * apart + 2)))
    return [Bound(_valid_mass(p, steps), most)]


# ---- nearly constant, and not --------------------------------------------------------------------


@B20.residual(
    "-log(1 - SER) K / L of the golden mean between two numbers",
    named=lambda: {
        f"golden_mean_chain({length})": gallery.golden_mean_chain(length) for length in (16, 32, 64)
    },
    at=[{"steps": 2**k} for k in range(6)],
    tolerance=1e-10,
    power=2,
)
def nearly_constant(p: Distribution, steps: int, power: int = 1) -> list[Bound]:
    p = as_chain(p)
    found = -math.log(float(_valid_mass(p, steps))) * steps**power / p.length
    return [Bound(found, 0.061, upper=False), Bound(found, 0.066)]


def _around_a_cycle(length: int, vocab: int, steps: int) -> Fraction:
    """The first step that reveals anything must agree; n sites do with probability V^(1-n)."""
    total = Fraction(0)
    for later in range(steps):
        agree = Fraction(1, vocab * steps) + Fraction(later, steps)
        total += agree**length - Fraction(later, steps) ** length
    return vocab * total


def _every_step(length: int, vocab: int, steps: int) -> Fraction:
    """Planted: a site is wrong or not by itself."""
    return (1 - (1 - Fraction(1, vocab)) / steps) ** length


@B20.residual(
    "a cycle of tokens in closed form",
    exact=st.builds(
        lambda length, vocab: gallery.periodic(length, vocab, exact=True),
        st.integers(1, 6),
        st.integers(2, 4),
    ),
    named=lambda: {f"periodic(48, {v})": gallery.periodic(48, v) for v in (2, 5)},
    parts={"steps": st.integers(1, 4)},
    at=[{"steps": steps} for steps in (1, 2, 8)],
    tolerance=1e-10,
    formula=_every_step,
)
def cycle(
    p: Distribution, steps: int, formula: Callable[[int, int, int], Fraction] = _around_a_cycle
) -> Any:
    """Quotient of valid masses; ``-log(1 - SER) K / L`` tends to ``-K log(1 - (1 - 1/V) / K)``."""
    p = as_chain(p)
    cycles = gallery.periodic(p.length, p.vocab)
    pairs = ((p.initial, cycles.initial), (p.transition, cycles.transition))
    if not all((to_host(mine) == of_cycle).all() for mine, of_cycle in pairs):
        raise DoesNotApply("it is about a cycle of tokens")
    found, expected = _valid_mass(p, steps), formula(p.length, p.vocab, steps)
    return found - expected if p.exact else float(found) / float(expected) - 1


def _in_a_line(length: int, leave: float) -> MarkovChain:
    """Three tokens, stationary; the outer ones never follow each other."""
    steps = [[1 - leave, leave, 0], [leave / 2, 1 - leave, leave / 2], [0, leave, 1 - leave]]
    return MarkovChain([0.25, 0.5, 0.25], steps, length)


@B20.residual(
    "-log(1 - SER) K / L of a chain that remembers long: far from constant",
    named=lambda: {"three tokens in a line, 64 sites": _in_a_line(64, 0.02)},
    tolerance=1e-10,
    steps=4,
)
def far_from_constant(p: Distribution, steps: int = 32) -> Bound:
    """For one step more than ten times what it is for so many."""
    one, many = (-math.log(float(_valid_mass(as_chain(p), k))) * k for k in (1, steps))
    return Bound(10 * many, one)


def _after_one_comes_zero(length: int) -> MarkovChain:
    """Stationary; a zero is followed by a one ten times of eleven."""
    steps = [[Fraction(1, 11), Fraction(10, 11)], [1, 0]]
    return MarkovChain([Fraction(11, 21), Fraction(10, 21)], steps, length, exact=True)


@B20.residual(
    "four sites that are valid more often than two and two",
    exact=st.just(_after_one_comes_zero(4)),
    steps=1,
)
def pieces(p: Distribution, steps: int = 3) -> int:
    p = as_chain(p)
    if to_host(p.transition).tolist() != _after_one_comes_zero(4).transition.tolist():
        raise DoesNotApply("it is about one chain")
    two, four = (_valid_mass(_after_one_comes_zero(length), steps) for length in (2, 4))
    return int(not four > two**2)
