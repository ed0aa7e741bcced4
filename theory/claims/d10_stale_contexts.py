"""D10: what predictions that do not go by all that is written cost, as with a cache."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np

from theory import MASK, MarkovChain, gallery, homogenization, information, strategies
from theory._core.arrays import log, to_host
from theory._core.bound import Bound
from theory._core.types import Number
from theory.claims.kit.cached import (
    Round,
    divergences,
    followed,
    informations,
    mean_cost,
    together,
    written_cost,
)
from theory.claims.kit.claim import Claim, Provenance, Verdict
from theory.claims.kit.generators import Size, shares
from theory.claims.kit.result import DoesNotApply, as_chain
from theory.distributions import Distribution, JointTable
from theory.proofs.free_entropies import FreeEntropies

__all__ = ["D10"]

MAX_SITES = 4
"""Lengths up to which orders and contexts are checked with free entropies."""

MAX_ENTRIES = 1000
"""Checks that go through all sequences do so up to so many."""

D10 = Claim(
    id="D10",
    title="A stale context costs what is new of it, and a cache is a wider round",
    statement=(
        "If the predictions of a round go by some of the written tokens, the old ones, the path "
        "divergence is the sum over rounds of TC(X_S | all) + sum_{i in S} E KL(p(X_i | all) || "
        "p(X_i | old)). The second is E I(X_i; new | old) if neither the choice of sites nor what "
        "is old depends on new tokens; where the choice does, it can be more or less. More that "
        "is seen never costs more in a fixed order. A cache that is refreshed every c rounds, "
        "with a choice by what is seen in it, loses exactly what writing the sites of c rounds at "
        "once does, in any order. On a Markov chain a site costs at most tau^d H(X_j) for the "
        "nearest token on either side, d sites away, that is new, with j the left one of the two "
        "sites and tau Dobrushin's coefficient."
    ),
    latex=(
        r"\mathrm{KL} = \sum_t \Bigl[\mathbb E\, \mathrm{TC}(X_{S_t} \mid c_t) + \sum_{i \in S_t} "
        r"I(X_i; X_{\text{new}} \mid X_{\text{old}})\Bigr] = \sum_i H(X_i \mid X_{\text{old}(i)}) "
        r"- H(X);\quad I(X_i; X_{\text{new}} \mid X_{\text{old}}) \le "
        r"\sum_{u \in \text{new},\ \text{nearest}} \tau^{|i-u|}\, H(X_{\min(i,u)})"
    ),
    says=(
        "caches of keys and values that are renewed only now and then (Fast-dLLM, dKV-Cache); no "
        "formula was seen"
    ),
    note=(
        "A round of several sites is itself a stale context: one site after the other, none of "
        "which goes by those before it. The bound: given l, what X_u tells of X_i beyond r is "
        "I(X_u; X_i | X_l) - I(X_u; X_r | X_l), at most I(X_u; X_i), and information through n "
        "steps of a chain falls by tau^n at least (from memory). Attained by tokens that stay "
        "with probability tau and are else lost. With A fair, B = 0 given A = 0 and else fair, and "
        "C constant, after A in the first round: B if A = 0 and else C from a stale context costs "
        "log(4/3)/2 = 0.1438, B if A = 1 half of that, and E I(X_i; A) would be 0.1079. Attention "
        "that does not look at what follows is E3. A perfect model with a cache that is kept up to "
        "date loses nothing by it."
    ),
    source="derived here; contraction: textbook (from memory)",
    provenance=Provenance.OURS,
    verdict=Verdict.HOLDS,
)


# ---- fixed orders ----------------------------------------------------------------------------


def _subsets(sites: Sequence[int]) -> list[tuple[int, ...]]:
    sizes = range(len(sites) + 1)
    return [s for size in sizes for s in itertools.combinations(sites, size)]


def _batches(length: int, sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Sites from left to right in batches of these sizes; the last may be smaller."""
    ends = [*itertools.takewhile(lambda end: end < length, itertools.accumulate(sizes)), length]
    return [tuple(range(a, b)) for a, b in itertools.pairwise([0, *ends])]


def _all_orders(length: int) -> Iterator[list[tuple[int, ...]]]:
    """From left to right in all batches; free entropies do not tell sites apart."""
    for inner in _subsets(range(1, length)):
        yield [tuple(range(a, b)) for a, b in itertools.pairwise([0, *inner, length])]


def _conditional(p: Distribution, sites: Sequence[int], known: Sequence[int]) -> Number:
    both = tuple(sorted((*sites, *known)))
    before: Any = p.subset_entropy(tuple(sorted(known))) if known else 0
    return (p.subset_entropy(both) if both else 0) - before


def _of_one_site(p: Distribution, i: int, new: Sequence[int], old: Sequence[int]) -> Number:
    """``I(X_i; new | old)``."""
    return _conditional(p, [i], old) - _conditional(p, [i], [*old, *new])


def _nothing(p: Distribution, i: int, new: Sequence[int], old: Sequence[int]) -> Number:
    """Planted: as if a stale context cost nothing."""
    return 0 * _conditional(p, [i], old)


def _all_contexts(length: int) -> list[dict[str, Any]]:
    return [
        {"p": FreeEntropies(length), "batches": batches, "seen": list(seen)}
        for batches in _all_orders(length)
        for seen in itertools.product(*(_subsets(range(b[0])) for b in batches))
    ]


@st.composite
def _drawn_contexts(draw: st.DrawFn, size: Size) -> dict[str, Any]:
    """An order in batches, and for each batch some of what is known before it."""
    order = draw(st.permutations(range(size.length)))
    sizes = draw(st.lists(st.integers(1, 3), min_size=size.length, max_size=size.length))
    batches = [tuple(order[i] for i in batch) for batch in _batches(size.length, sizes)]
    known: list[int] = []
    seen = []
    for batch in batches:
        seen.append(draw(st.lists(st.sampled_from(known), unique=True)) if known else [])
        known += batch
    return {"batches": batches, "seen": seen}


def _contexts_of(p: Distribution) -> Any:
    return _drawn_contexts(Size(p.length, p.vocab, p.exact))


@D10.residual(
    "a fixed order: total correlations, and information between sites and what is new",
    symbols=lambda: [case for d in range(1, MAX_SITES + 1) for case in _all_contexts(d)],
    scope=f"up to {MAX_SITES} sites",
    exact=strategies.joint_tables(lengths=(2, 3), exact=True),
    floats=strategies.distributions(lengths=(2, 4)),
    parts=_contexts_of,
    tolerance=1e-10,
    of_a_site=_nothing,
)
def fixed_order(
    p: Distribution,
    batches: Sequence[Sequence[int]],
    seen: Sequence[Sequence[int]],
    of_a_site: Callable = _of_one_site,
) -> Any:
    lost, known = information.fixed_order_cost(p, batches, seen=seen), list[int]()
    for batch, old in zip(batches, seen, strict=True):
        new = [i for i in known if i not in old]
        together = sum(_conditional(p, [i], known) for i in batch) - _conditional(p, batch, known)
        lost = lost - together - sum(of_a_site(p, i, new, old) for i in batch)
        known += batch
    return lost


def _few_sequences(p: Distribution) -> None:
    if p.vocab**p.length > MAX_ENTRIES:
        raise DoesNotApply(f"it goes through all sequences, up to {MAX_ENTRIES} of them")


def _product_of_predictions(
    p: Distribution, batches: Sequence[Sequence[int]], seen: Sequence[Sequence[int]]
) -> np.ndarray:
    """The distribution that is written: each site from its prediction given what is seen."""
    written = to_host(p.table()) * 0
    for x in itertools.product(range(p.vocab), repeat=p.length):
        probability: Any = 1
        for batch, old in zip(batches, seen, strict=True):
            shown = np.asarray([x[i] if i in old else MASK for i in range(p.length)])
            rows = p.denoise(shown, on_impossible="marginal")
            for i in batch:
                probability = probability * rows[i, x[i]]
        written[x] = probability
    return written


@D10.residual(
    "a fixed order against the distribution that it writes",
    exact=strategies.joint_tables(lengths=(2, 3), vocabs=(2, 2), exact=True),
    floats=strategies.distributions(lengths=(2, 3), vocabs=(1, 3)),
    parts=_contexts_of,
    tolerance=1e-10,
    everything=True,
)
def written_in_a_fixed_order(
    p: Distribution,
    batches: Sequence[Sequence[int]],
    seen: Sequence[Sequence[int]],
    everything: bool = False,
) -> Any:
    _few_sequences(p)
    written = _product_of_predictions(p, batches, seen)
    lost = information.kl_divergence(to_host(p.table()), written)
    return lost - information.fixed_order_cost(p, batches, seen=None if everything else seen)


def _more_is_seen() -> Iterator[dict[str, Any]]:
    for length in range(2, MAX_SITES + 1):
        for case in _all_contexts(length):
            one_by_one = len(case["batches"]) == length  # the others are among them
            if one_by_one and sum(map(len, case["seen"])) < length * (length - 1) // 2:
                yield {"p": case["p"], "seen": case["seen"]}


@D10.residual(
    "what is seen beside other tokens lowers the cost",
    symbols=lambda: list(_more_is_seen()),
    scope=f"up to {MAX_SITES} sites",
    of_less=2,
)
def more_is_seen(p: Distribution, seen: Sequence[Sequence[int]], of_less: int = 1) -> list[Bound]:
    """With each further token that a site could see, at most the cost without it."""
    batches = [(i,) for i in range(p.length)]
    lost = information.fixed_order_cost(p, batches, seen=seen)
    bounds = []
    for i, old in enumerate(seen):
        for more in set(range(i)) - set(old):
            fresher = [*seen[:i], (*old, more), *seen[i + 1 :]]
            bounds.append(
                Bound(of_less * information.fixed_order_cost(p, batches, seen=fresher), lost)
            )
    return bounds


# ---- caches ----------------------------------------------------------------------------------


def _refreshed(batches: Sequence[Sequence[int]], every: int) -> list[list[int]]:
    """What a cache holds in each round: all that was written before its last refresh."""
    rounds = range(len(batches))
    return [list(itertools.chain(*batches[: t - t % every])) for t in rounds]


def _at_once(batches: Sequence[Sequence[int]], every: int) -> list[list[int]]:
    return [list(itertools.chain(*batches[t : t + every])) for t in range(0, len(batches), every)]


def _coarse_to_fine(length: int) -> list[tuple[int, ...]]:
    """Sites one by one, so that the gaps halve: 0, 1/2, 1/4, 3/4, ... of the way."""
    bits = (length - 1).bit_length()
    order = (int(f"{i:0{bits}b}"[::-1], 2) for i in range(2**bits))
    return [(i,) for i in order if i < length]


@D10.residual(
    "a cache against the sites of its rounds at once, at length",
    named=lambda: {
        "binary_symmetric(300, 0.1)": gallery.binary_symmetric(300, 0.1),
        "end_of_text(200)": gallery.end_of_text(200),
        "golden_mean_chain(256)": gallery.golden_mean_chain(256),
    },
    at=[{"every": every} for every in (1, 2, 5, 64)],
    tolerance=1e-12,
    later=1,
)
@D10.residual(
    "a cache against the sites of its rounds at once, in all batches",
    symbols=lambda: [
        {"p": FreeEntropies(d), "every": every, "batches": batches}
        for d in range(1, MAX_SITES + 1)
        for every in range(1, d + 1)
        for batches in _all_orders(d)
    ],
    scope=f"up to {MAX_SITES} sites",
    later=1,
)
def cache(
    p: Distribution,
    every: int,
    batches: Sequence[Sequence[int]] = (),
    later: int = 0,
) -> list[Number]:
    """One by one from left to right, and from coarse to fine, if no batches are given."""
    orders = (
        [batches] if batches else [_batches(p.length, [1] * p.length), _coarse_to_fine(p.length)]
    )
    return [
        information.fixed_order_cost(p, order, seen=_refreshed(order, every))
        - information.fixed_order_cost(p, _at_once(order, every + later))
        for order in orders
    ]


# ---- choices by what is written ----------------------------------------------------------------

RULED = {
    "rule": st.lists(st.integers(0, 50), min_size=2, max_size=4),
    "every": st.integers(1, 3),
}


@D10.residual(
    "sites chosen by what is new, too",
    exact=strategies.joint_tables(lengths=(2, 3), vocabs=(2, 2), exact=True),
    floats=strategies.joint_tables(lengths=(2, 4)),
    parts=RULED,
    of_a_round=informations,
)
def chosen_by_all(
    p: Distribution, rule: Sequence[int], every: int, of_a_round: Callable = divergences
) -> Number:
    """Total correlations and divergences against what is written."""
    _few_sequences(p)
    rounds = followed(p, rule, every, True)
    parts = [mean_cost(p, rounds, part) for part in (together, of_a_round)]
    return written_cost(p, rounds) - sum(parts)


@D10.residual(
    "sites chosen by what is old",
    exact=strategies.joint_tables(lengths=(2, 3), vocabs=(2, 2), exact=True),
    floats=strategies.joint_tables(lengths=(2, 4)),
    parts=RULED,
    by_new=True,
)
def chosen_by_old(
    p: Distribution, rule: Sequence[int], every: int, by_new: bool = False
) -> list[Number]:
    """Informations in place of divergences, and the sites of all rounds of a cache at once."""
    _few_sequences(p)
    rounds = followed(p, rule, every, by_new)
    written = written_cost(p, rounds)
    apart = written - mean_cost(p, rounds, together) - mean_cost(p, rounds, informations)
    at_once: Any = 0
    for old in {r.old for r in rounds}:
        later = [r for r in rounds if r.old == old]
        sites = {i for r in later for i in r.sites}
        there = np.asarray(old)
        at_once += p.evidence(there) * information.total_correlation(p, sorted(sites), given=there)
    return [apart, written - at_once]


def _second_by_the_first() -> JointTable:
    """A fair bit, a bit that is 0 after a 0 and else fair, and a constant."""
    return JointTable([[[2, 0], [0, 0]], [[1, 0], [1, 0]]], exact=True)


EXAMPLE = _second_by_the_first()


@D10.residual(
    "a choice by the new token, where informations are not what is lost",
    exact=st.just(EXAMPLE),
    second_after=(1, 0),
)
def more_or_less(p: Distribution, second_after: Sequence[int] = (0, 1)) -> list[Number]:
    """The second site after this first token and the third after the other; both ways."""
    is_it = (p.length, p.vocab) == (3, 2) and to_host(
        p.table()
    ).tolist() == EXAMPLE.table().tolist()
    if not is_it:
        raise DoesNotApply("it is about a fair bit, a bit that is 0 after 0, and a constant")
    half, start = log(np.asarray([Fraction(4, 3)]))[0] / 2, (MASK,) * 3
    residuals = []
    for token, lost in zip(second_after, (half, half / 2), strict=True):
        rounds = [Round(start, (v, MASK, MASK), [1 if v == token else 2]) for v in range(2)]
        residuals.append(mean_cost(p, rounds, divergences) - lost)
        residuals.append(mean_cost(p, rounds, informations) - half * Fraction(3, 4))
    return residuals


# ---- chains ------------------------------------------------------------------------------------


def _erased(length: int, stay: Fraction) -> MarkovChain:
    """Two tokens that stay with this probability, and are else lost for good."""
    steps = [[stay, 0, 1 - stay], [0, stay, 1 - stay], [0, 0, 1]]
    return MarkovChain(shares([[1, 1, 0]])[0], steps, length, exact=True)


def _chains(exact: bool) -> Any:
    drawn = strategies.chains(lengths=(2, 5), vocabs=(2, 3), exact=exact)
    stays = st.builds(_erased, st.integers(2, 4), strategies.rationals())
    return drawn | stays if exact else drawn


@D10.residual(
    "the bound by Dobrushin's coefficient",
    exact=_chains(exact=True),
    floats=_chains(exact=False),
    parts=_contexts_of,
    coefficient=lambda p: homogenization.dobrushin(p) / 2,
)
def far_tokens_tell_little(
    p: Distribution,
    batches: Sequence[Sequence[int]],
    seen: Sequence[Sequence[int]],
    coefficient: Callable = homogenization.dobrushin,
) -> Bound:
    """One site after the other, each with what its batch sees."""
    p = as_chain(p, 2)
    tau, most, known = coefficient(p), 0, list[int]()
    order = [(i, old) for batch, old in zip(batches, seen, strict=True) for i in batch]
    for i, old in order:
        left, right = [u for u in known if u < i], [u for u in known if u > i]
        nearest = [*([max(left)] if left else []), *([min(right)] if right else [])]
        for u in nearest:
            if u not in old:
                most = most + tau ** abs(i - u) * p.subset_entropy((min(i, u),))
        known.append(i)
    lost = information.fixed_order_cost(p, [(i,) for i, _ in order], seen=[old for _, old in order])
    return Bound(lost, most)
