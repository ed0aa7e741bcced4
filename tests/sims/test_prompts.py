"""Decoders after a prompt: slow oracles on the joint given its tokens, and when Blocks write what.

A decoder is told where its prompt ends, so its oracle is, too: `behind` cuts the leading run of
given sites off, and lets the oracle decide about the rest.
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest

from sims import (
    decode,
    fixed_batches,
    frontier,
    order,
    orders,
    output_distribution,
    regret,
    split,
)
from sims.comparison.compare import compare
from sims.joints import Product
from sims.optimal.frontier import cost_of
from sims.policies import (
    BlockCorrector,
    Blocks,
    FirstHitting,
    GibbsCorrector,
    JointDraw,
    LeftToRight,
    Mirrored,
    Policy,
    RandomOrder,
    Remask,
    Tabulated,
    TokenConfidence,
    TopK,
)
from sims.training.visits import visited
from tests import oracles
from tests.cases import build_exact, close, few, prompted
from tests.noted import each, noted
from tests.sims import policy_oracles as slow
from tests.sims.optimal_oracle import Game, every_point, hull_at
from tests.sims.policy_table import (
    AFTER_ZERO,
    CLOCKS,
    EXACT,
    HALF,
    PRODUCT,
    SMALL,
    THIRD,
    Ends,
    Row,
    as_denoiser,
    assert_drawn_from,
    assert_output,
    both,
    ends,
    looked_up,
    one_of_each,
    over,
    tempering,
    wrong,
    zero_loss,
)
from tests.sims.policy_table import blocks as blocks_oracle
from tests.sims.test_decomposition import by_definition
from tests.sims.test_order import assert_order, expected, paths
from tests.sims.test_training_masks import calls_by_pattern, check_visited
from theory import MASK, InvalidInput, JointTable

# Decoders, each beside an oracle that knows the prompt


class Undecided(Policy):
    """A user's own: two sites; then everything the other way round, or all; then all."""

    remasks: ClassVar[bool] = True

    @property
    def steps(self):
        return 3

    def reveal_distribution(self, x, predictions, round_index):
        masked = x == MASK
        if round_index == 1:
            yield HALF, x == x
        first = masked & (masked.cumsum(axis=1) <= 2)
        yield 1 if round_index != 1 else HALF, first if round_index == 0 else masked


def undecided(pattern, sites, prediction, index):
    if index == 1:
        return [(HALF, tuple(range(len(pattern)))), (HALF, tuple(sites))]
    return [(Fraction(1), tuple(sites[:2] if index == 0 else sites))]


def leading(prompt):
    """How many sites are given before the first masked one."""
    return prompt.index(MASK)


def behind(oracle, prompt):
    """What an oracle does with the sites after the leading run, as if there were no others."""
    m = leading(prompt)

    def choice(pattern, sites, prediction, index):
        rest = oracle.choice(pattern[m:], [i - m for i in sites], prediction[m:], index)
        return [(probability, tuple(i + m for i in chosen)) for probability, chosen in rest]

    def draw(pattern, sites, ask):
        def ask_rest(rest):
            return [answer[m:] for answer in ask(pattern[:m] + rest)]

        for probability, after, calls in oracle.draw(pattern[m:], [i - m for i in sites], ask_rest):
            yield probability, pattern[:m] + after, calls

    if isinstance(oracle, slow.Drawing):
        return slow.Drawing(draw)
    return slow.Selecting(choice)


def tabulated_among(prompt, vocab):
    """A lookup that is about the masked sites alone."""
    sites = slow.masked_sites(prompt)
    bits = np.zeros((vocab + 1,) * len(sites), dtype=np.int64)
    for rest in oracles.all_patterns(len(sites), vocab):
        if MASK in rest:
            bits[rest] = sum(2**k for k in looked_up(3, rest))

    def choice(pattern, masked, prediction, index):
        chosen = looked_up(3, tuple(pattern[i] for i in sites))
        return [(Fraction(1), tuple(sites[k] for k in chosen))]

    return Row(Tabulated(bits, among=sites), slow.Selecting(choice))


def rows_after(prompt, vocab):
    """One of each kind, and more of those for which a prompt makes a difference."""
    masked = prompt.count(MASK)

    def blocks_from(start):
        def row(size, inner):
            return Row(Blocks(size, inner.policy), blocks_oracle(size, inner.oracle, start))

        return row

    blocks, turned = blocks_from(leading(prompt)), blocks_from(leading(prompt[::-1]))
    for policy, oracle in one_of_each(len(prompt), vocab, masked):
        if isinstance(policy, Blocks):
            yield Row(policy, behind(oracle, prompt))
        elif not isinstance(policy, BlockCorrector):
            yield Row(policy, oracle)
    yield tabulated_among(prompt, vocab)
    yield both(Mirrored, turned(2, both(TopK, 1)))
    yield both(Mirrored, turned(3, AFTER_ZERO))
    yield blocks(2, AFTER_ZERO)
    yield blocks(3, blocks(2, both(FirstHitting)))
    yield blocks(2, both(JointDraw, both(LeftToRight, 2), PRODUCT))
    yield both(JointDraw, blocks(2, both(TopK, 2)), PRODUCT)
    yield blocks(3, blocks(2, both(TokenConfidence, 2)))
    yield from (both(Remask, times, share) for times in CLOCKS[1:3] for share in (0, THIRD, 1))
    yield Row(Undecided(), slow.Selecting(undecided, 3, remasks=True))
    yield both(GibbsCorrector, None, 2)
    yield both(BlockCorrector, None, masked, 1)
    yield both(BlockCorrector, blocks(2, both(TopK, 2)), min(2, masked), 1)
    yield both(GibbsCorrector, both(Remask, CLOCKS[2], HALF), 1)
    yield both(GibbsCorrector, Row(Undecided(), slow.Selecting(undecided, 3, remasks=True)), 1)
    yield Row(Ends(None, 2), ends(None, 2))
    yield both(GibbsCorrector, both(BlockCorrector, None, 1, 1), 1)


def prompts_of(case, most):
    """Some of the possible patterns with tokens and masks."""
    return few([x for x in case.possible if 0 < x.count(MASK) < case.length], most)


MOST = {"dense": 5, "zeros": 3, "three tokens": 3, "four sites": 5, "chain": 3}
TRIED = [(name, prompt) for name, most in MOST.items() for prompt in prompts_of(EXACT[name], most)]
IN_FLOATS = [
    (name, prompt)
    for name in ("hmm", "mixture", "empirical", "dense, three tokens", "four sites")
    for prompt in prompts_of(SMALL[name], 2)
]
EVERY = [(name, x, True) for name, x in TRIED] + [(name, x, False) for name, x in IN_FLOATS]


def built(case, exact):
    return build_exact(case) if exact else case.build()


def observed_in(prompt):
    return tuple(i for i, o in enumerate(prompt) if o != MASK)


# What is written


def assert_same(q, other):
    """Everything about two outputs is the same number."""
    assert (q.table == other.table).all()
    assert q.rounds == other.rounds
    for name in ("kl", "path_kl", "reverse_kl", "tv", "valid_mass", "expected_rounds"):
        ours, theirs = getattr(q, name), getattr(other, name)
        assert ours == theirs or (math.isnan(ours) and math.isnan(theirs)), name


@each(("name", "prompt", "exact"), EVERY)
def test_outputs(name, prompt, exact):
    """Against the oracle, and as of the data given the prompt with its sites observed."""
    case = prompted(SMALL[name], *prompt)
    p, given = built(SMALL[name], exact), built(case, exact)

    @over(list(rows_after(prompt, case.vocab)))
    def agrees(policy, decoder):
        q = output_distribution(p, policy, prompt=prompt)
        found = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case), start=prompt)
        assert_output(q, case, found, decoder)
        assert_same(q, output_distribution(given, policy, observed=observed_in(prompt)))

    agrees()


AWAY = [(0.5, None), (0, None), (1, "wrong"), (0.5, "wrong")]


@each(("name", "prompt"), [TRIED[2], TRIED[-2], IN_FLOATS[0], IN_FLOATS[-1]])
@pytest.mark.parametrize(
    ("temperature", "denoiser"), [(0.5, None), (0, None), (1, "wrong"), (0.5, "wrong")]
)
def test_other_temperatures_and_denoisers(name, prompt, temperature, denoiser):
    case = prompted(SMALL[name], *prompt)
    p, temper = SMALL[name].build(), tempering(temperature)
    predict = zero_loss(case) if denoiser is None else wrong(case.length, case.vocab)
    asked = None if denoiser is None else as_denoiser(predict, case.vocab)

    @over(list(rows_after(prompt, case.vocab))[::2])
    def agrees(policy, decoder):
        q = output_distribution(p, policy, temperature, asked, prompt=prompt)
        found = slow.expected_output(case.joint, case.vocab, decoder, predict, temper, start=prompt)
        assert_output(q, case, found, decoder)

    agrees()


@each(("name", "prompt"), [("four sites", x) for x in prompts_of(SMALL["four sites"], 3)])
def test_more_sites_may_be_observed(name, prompt):
    """What is given besides the prompt is averaged over."""
    case = prompted(SMALL[name], *prompt)
    more = slow.masked_sites(prompt)[-1:]
    if prompt.count(MASK) == 1:
        return
    p = build_exact(SMALL[name])
    q = output_distribution(p, FirstHitting(), prompt=prompt, observed=more)
    other = output_distribution(
        build_exact(case), FirstHitting(), observed={*more, *observed_in(prompt)}
    )
    assert_same(q, other)


# What is drawn


@each(("name", "prompt"), [TRIED[1], TRIED[6], TRIED[-3], TRIED[-1], IN_FLOATS[1], IN_FLOATS[-1]])
def test_draws(name, prompt):
    p, shown, size = SMALL[name].build(), list(observed_in(prompt)), 2000
    cells = (p.vocab,) * p.length

    @each("policy", [policy for policy, _ in rows_after(prompt, p.vocab)])
    def agrees(policy):
        q = output_distribution(p, policy, prompt=prompt)
        rng = np.random.default_rng(4)
        found = decode(p, policy, rng, size, prompt=prompt, batch=900, trajectory=True)
        tokens = [prompt[i] for i in shown]
        assert found.states is not None
        assert (found.states[..., shown] == tokens).all()  # never masked, never drawn again
        assert (found.tokens[:, shown] == tokens).all()
        counts = np.bincount(
            np.ravel_multi_index(found.tokens.T, cells), minlength=math.prod(cells)
        )
        assert_drawn_from(counts, q.table.reshape(-1))
        calls = {n: int((found.rounds == n).sum()) for n in np.unique(found.rounds).tolist()}
        assert_drawn_from({n: calls.get(n, 0) for n in {*q.rounds, *calls}}, q.rounds)

    agrees()


# Orders, what is lost, what is asked


@each(("name", "prompt"), TRIED)
def test_orders(name, prompt):
    case = prompted(SMALL[name], *prompt)
    p, ask = build_exact(SMALL[name]), slow.asking(zero_loss(case))
    sites, given = tuple(slow.masked_sites(prompt)), observed_in(prompt)

    @over([r for r in rows_after(prompt, case.vocab) if not r.policy.remasks])
    def agrees(policy, decoder):
        found = list(paths(prompt, decoder, ask, case.vocab))
        assert_order(order(p, policy, prompt=prompt), sites, *expected(found, sites, given))
        probabilities: dict[Any, Any] = {}
        for probability, sets, _ in found:
            key = tuple(tuple(part) for part in sets if part)
            probabilities[key] = probabilities.get(key, 0) + probability
        assert orders(p, policy, prompt=prompt) == probabilities

    agrees()


@each(("name", "prompt"), TRIED)
def test_the_parts_of_what_is_lost(name, prompt):
    case = prompted(SMALL[name], *prompt)
    p, start = SMALL[name].build(), {prompt: Fraction(1)}
    predict = wrong(case.length, case.vocab)
    ask, denoiser = slow.asking(predict), as_denoiser(predict, case.vocab)

    @over([r for r in rows_after(prompt, case.vocab) if slow.has_path(r.oracle)])
    def agrees(policy, decoder):
        found = split(p, policy, denoiser, prompt=prompt)
        parts = by_definition(case.joint, case.vocab, decoder, ask, start=start)
        assert len(found.by_round) <= len(parts)
        for ours, theirs in itertools.zip_longest(found.by_round, parts, fillvalue=(0, 0)):
            assert ours == (close(theirs[0]), close(theirs[1]))
        assert found.path_kl == close(
            output_distribution(p, policy, denoiser=denoiser, prompt=prompt).path_kl
        )

    agrees()


@each(("name", "prompt"), TRIED)
def test_what_is_visited(name, prompt):
    case = prompted(SMALL[name], *prompt)
    if case.vocab != 2:
        return
    p, ask = build_exact(SMALL[name]), slow.asking(zero_loss(case))

    @over([r for r in rows_after(prompt, 2) if isinstance(r.oracle, slow.Selecting)])
    def agrees(policy, decoder):
        spared = slow.sparing(decoder, prompt)
        found = calls_by_pattern([(prompt, Fraction(1))], spared, ask, 2, case.length)
        check_visited(visited(p, policy, prompt=prompt), found)

    agrees()


# The best decoders


@each(("name", "prompt"), TRIED)
def test_the_best_decoders(name, prompt):
    """Against a recursion that begins at the prompt, and every policy for the masked sites."""
    case = prompted(SMALL[name], *prompt)
    p, game = build_exact(SMALL[name]), Game(case.joint)
    game.start = prompt
    points = frontier(p, [0, 0.5, 2, math.inf], prompt=prompt)
    for point in points:
        rounds, kl, _ = game.measured(point.policy.sites)
        assert float(point.rounds) == close(rounds)
        assert float(point.kl) == close(kl)
        if point.multiplier < math.inf:
            lost = float(point.rounds) + point.multiplier * float(point.kl)
            assert lost == close(game.optimum(point.multiplier), 1e-9)
        q = output_distribution(p, point.policy, prompt=prompt)
        assert (q.expected_rounds_on_data, float(q.path_kl)) == (close(rounds), close(kl))
    assert points[-1].rounds == game.depth()
    corners = [(float(c.rounds), float(c.kl)) for c in frontier(p, prompt=prompt)]
    assert corners == sorted(corners)


TWO_LEFT = [(name, x) for name, x in TRIED if x.count(MASK) < 3 and EXACT[name].vocab == 2]


@each(("name", "prompt"), TWO_LEFT[::2])
def test_regrets_and_comparisons(name, prompt):
    case, p = prompted(SMALL[name], *prompt), build_exact(SMALL[name])
    rest = oracles.marginal(case.joint, slow.masked_sites(prompt))
    points = every_point(rest, case.vocab)
    decoders = [policy for policy, _ in rows_after(prompt, case.vocab)]
    found = compare(p, decoders, prompt=prompt, corners=True)
    assert found.masked == prompt.count(MASK)
    assert found.left_out == {}
    for policy, row in zip(decoders, found.rows, strict=True):
        q = output_distribution(p, policy, prompt=prompt)
        rounds, kl = cost_of(q)
        above = kl - hull_at(points, rounds)
        with noted(repr(policy)):
            assert regret(p, policy, prompt=prompt) == close(above, 1e-9)
            assert row.regret == close(above, 1e-9)
            assert (row.kl, row.rounds) == (close(q.kl), close(rounds))
    corners = [(float(c.rounds), float(c.kl)) for c in found.corners or []]
    assert corners == [(float(c.rounds), float(c.kl)) for c in frontier(p, prompt=prompt)]
    assert corners[-1] == pytest.approx((float(min(r for r, kl in points if kl == 0)), 0))


# When Blocks write what

ALL = LeftToRight(99)
TOKENS = TokenConfidence(99)
JOINT = JointDraw(ALL, Product())


def cells(policy, seen, given, todo):
    """The sites that are written together, in order, where what is inside writes all it may.

    `seen` are the sites that the policy is shown, in the order in which it reads them; of these
    it may write those of `todo`, and those of `given` are the prompt's.
    """
    if not todo:
        return []
    if isinstance(policy, Mirrored):
        return cells(policy.inner, seen[::-1], given, todo)
    if isinstance(policy, JointDraw):
        return cells(policy.inner, seen, given, todo)
    if not isinstance(policy, Blocks):
        return [tuple(sorted(todo))]
    start = next(k for k, site in enumerate(seen) if site not in given)
    found = []
    for first in range(start, len(seen), policy.size):
        end = first + policy.size
        part = [site for site in seen[first:end] if site in todo]
        shown = seen[:end]
        if policy.looks_at_tokens:  # it is also shown what is given later
            shown = [*shown, *(site for site in seen[end:] if site in given)]
        found += cells(policy.inner, shown, given, part)
    return found


def cells_after(policy, prompt):
    every, given = list(range(len(prompt))), observed_in(prompt)
    return cells(policy, every, given, slow.masked_sites(prompt))


LAYOUTS = [
    *(Blocks(size, inner) for size in (1, 2, 3, 9) for inner in (ALL, TOKENS, JOINT)),
    *(Blocks(size, Blocks(2, inner)) for size in (3, 4) for inner in (ALL, TOKENS)),
    Blocks(3, Blocks(2, Blocks(2, ALL))),
    *(Mirrored(Blocks(size, ALL)) for size in (1, 2, 3, 9)),
    Mirrored(Blocks(4, Blocks(3, ALL))),
    *(Blocks(size, Mirrored(Blocks(2, ALL))) for size in (3, 4)),
    Mirrored(Blocks(4, Mirrored(Blocks(3, ALL)))),
    JointDraw(Blocks(2, ALL), Product()),
    JointDraw(Mirrored(Blocks(2, ALL)), Product()),
    Blocks(4, JointDraw(Mirrored(Blocks(3, ALL)), Product())),
    Blocks(4, Blocks(3, JointDraw(Mirrored(Blocks(2, ALL)), Product()))),
]
SHOWN = [
    tuple(0 if character == "x" else MASK for character in text)
    for text in (
        *("x.....", "xx....", "xxx...", ".x....", "..x...", "x.x...", "xx..x.", ".....x"),
        *("....xx", "x....x", "x..xx.", "xx.xxx", ".xxxx.", "xxxxx.", ".xxxxx", ".x.x.x"),
    )
]
SIX = JointTable(np.eye(1, 64).reshape((2,) * 6))  # one sequence: one path


@each("policy", LAYOUTS)
def test_blocks_are_written_one_after_the_other(policy):
    rng = np.random.default_rng(0)
    for prompt in SHOWN:
        with noted(f"prompt {prompt}"):
            sets = tuple(cells_after(policy, prompt))
            assert set(itertools.chain(*sets)) == set(slow.masked_sites(prompt))
            assert orders(SIX, policy, prompt=prompt) == {sets: close(1)}
            written = decode(SIX, policy, rng, 3, prompt=prompt, trajectory=True)
            times = [next((t for t, s in enumerate(sets) if i in s), -1) for i in range(6)]
            assert (written.revealed_at == times).all()
            if policy.depends_on == "nothing":
                assert fixed_batches(policy, 6, observed=observed_in(prompt)) == sets


def sized(layout, sizes):
    """The same layout with random orders in these batches inside."""
    if layout in (ALL, JOINT):
        return RandomOrder(sizes) if layout is ALL else JointDraw(RandomOrder(sizes), Product())
    inner = sized(layout.inner, sizes)
    if isinstance(layout, JointDraw):
        return JointDraw(inner, layout.joint)
    return Mirrored(inner) if isinstance(layout, Mirrored) else Blocks(layout.size, inner)


def innermost(policy):
    while hasattr(policy, "inner"):
        policy = policy.inner
    return policy


class Asked(Exception):
    """The denoiser was called."""


def never(x):
    raise Asked


@each("policy", [x for x in (ALL, JOINT, *LAYOUTS) if innermost(x) is ALL])
def test_sizes_that_do_not_fit_are_refused_before_anything_is_computed(policy):
    for prompt, sizes in itertools.product(SHOWN, [(1,), (2,), (1, 1), (3,), (1, 2), (4,), (5,)]):
        decoder = sized(policy, sizes)
        with noted(f"{decoder!r} after {prompt}"):
            fits = all(len(cell) == sum(sizes) for cell in cells_after(policy, prompt))
            call = functools.partial(output_distribution, SIX, decoder, prompt=prompt)
            with pytest.raises(Asked if fits else InvalidInput):
                call(denoiser=never)
            with pytest.raises(Asked if fits else InvalidInput):
                decode(SIX, decoder, np.random.default_rng(0), 2, denoiser=never, prompt=prompt)
            if fits:
                assert call().table.sum() == close(1)
                written = decode(SIX, decoder, np.random.default_rng(0), 5, prompt=prompt)
                assert (written.tokens != MASK).all()
