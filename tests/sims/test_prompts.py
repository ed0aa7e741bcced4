"""Decoders after a prompt: slow oracles on the joint given its tokens, and when Blocks write what.

A decoder is told where its prompt ends, so its oracle is, too (`slow.behind`, or blocks that are
counted from a start).
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sims import (
    decode,
    fixed_batches,
    frontier,
    order,
    order_of,
    orders,
    output_distribution,
    regret,
    split,
)
from sims.comparison.compare import compare, usual_decoders
from sims.decoding.arguments import left_to_write
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
from tests.cases import build_exact, close, few, prompted, to_device1, to_host
from tests.noted import each, noted, refusals
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
from tests.sims.printed import strict, table_of
from tests.sims.test_decomposition import by_definition
from tests.sims.test_devices import ON_THE_HOST, USERS, agree
from tests.sims.test_devices import table as on_host
from tests.sims.test_order import assert_order, expected, paths
from tests.sims.test_training_masks import calls_by_pattern, check_visited
from theory import (
    MASK,
    ImpossibleEvidence,
    InvalidInput,
    JointTable,
    TooLarge,
    gallery,
    information,
)

# Decoders, each beside an oracle that knows the prompt


class Undecided(Policy):
    """A user's own: two sites; then everything the other way round, or all; then all."""

    remasks = True

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

    blocks, turned = blocks_from(slow.leading(prompt)), blocks_from(slow.leading(prompt[::-1]))
    for policy, oracle in one_of_each(len(prompt), vocab, masked):
        if isinstance(policy, Blocks):
            yield Row(policy, slow.behind(oracle, prompt))
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
    yield both(Blocks, 2, both(Remask, CLOCKS[1], THIRD))
    yield both(Blocks, 3, both(Blocks, 2, both(Remask, CLOCKS[1], 1)))
    yield Row(Undecided(), slow.Selecting(undecided, 3, remasks=True))
    yield both(GibbsCorrector, None, 2)
    yield both(BlockCorrector, None, masked, 1)
    yield both(BlockCorrector, blocks(2, both(TopK, 2)), min(2, masked), 1)
    yield both(GibbsCorrector, both(Remask, CLOCKS[2], HALF), 1)
    yield both(GibbsCorrector, Row(Undecided(), slow.Selecting(undecided, 3, remasks=True)), 1)
    yield Row(Ends(None, 2), ends(None, 2))
    yield both(GibbsCorrector, both(BlockCorrector, None, 1, 1), 1)


def half_after(prompt, vocab):
    """Every second row, the others after other prompts."""
    return list(rows_after(prompt, vocab))[sum(prompt) % 2 :: 2]


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

    @over(half_after(prompt, case.vocab))
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

    @each("policy", [policy for policy, _ in half_after(prompt, p.vocab)])
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

    @over([r for r in half_after(prompt, case.vocab) if not r.policy.remasks])
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
        found = split(p, policy, denoiser=denoiser, prompt=prompt)
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
    decoders = [policy for policy, _ in half_after(prompt, case.vocab)]
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
            assert sorted(itertools.chain(*sets)) == slow.masked_sites(prompt)
            masked = slow.masked_sites(prompt)
            revealed = [[float(i in part) for i in masked] for part in sets]
            assert order(SIX, policy, prompt=prompt).revealed.tolist() == revealed
            written = decode(SIX, policy, rng, 3, prompt=prompt, trajectory=True, progress=False)
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
    rng = np.random.default_rng(0)
    for prompt, sizes in itertools.product(SHOWN[::2], [(1,), (2,), (1, 1), (3,), (1, 2)]):
        decoder = sized(policy, sizes)
        with noted(f"{decoder!r} after {prompt}"):
            fits = all(len(cell) == sum(sizes) for cell in cells_after(policy, prompt))
            call = functools.partial(output_distribution, SIX, decoder, prompt=prompt)
            with pytest.raises(Asked if fits else InvalidInput):
                call(denoiser=never)
            with pytest.raises(Asked if fits else InvalidInput):
                written = decode(SIX, decoder, rng, 2, denoiser=never, prompt=prompt)
            if fits:
                assert call().table.sum() == close(1)
                written = decode(SIX, decoder, rng, 5, prompt=prompt, progress=False)
                assert (written.tokens != MASK).all()


def lookup_table(*shape):
    """A table that reveals everything."""
    bits = np.full(shape, 2 ** len(shape) - 1, dtype=np.int64)
    return Tabulated(bits)


def written(policy, prompt):
    q = output_distribution(SIX, policy, prompt=prompt)
    return float(q.valid_mass)


def test_tables_within_blocks_are_asked_about_what_they_are_shown():
    """A block is shown with all that is before it, and a table has to be about so many sites."""
    six, two = lookup_table(*(3,) * 6), lookup_table(3, 3)
    among = Tabulated(two.choices, among=(4, 5))
    for policy in (Blocks(2, six), Blocks(9, six), Mirrored(Blocks(9, Mirrored(six)))):
        assert written(policy, (0, 0, 0, 0, MASK, MASK)) == 1
    assert written(Blocks(2, among), (0, 0, 0, 0, MASK, MASK)) == 1
    for policy, prompt in [
        (Blocks(2, two), (0, 0, 0, 0, MASK, MASK)),
        (Mirrored(Blocks(2, two)), (MASK, MASK, 0, 0, 0, 0)),
        (Blocks(1, among), (0, 0, 0, 0, MASK, MASK)),
        (Blocks(2, six), (0, 0, MASK, MASK, MASK, MASK)),
        (Blocks(4, six), (MASK, MASK, 0, 0, 0, 0)),
    ]:
        with noted(repr(policy)), pytest.raises(InvalidInput, match="is tabulated for"):
            output_distribution(SIX, policy, prompt=prompt, denoiser=never)


# Where the data live

ON_DEVICE = ((MASK, 1, MASK, MASK), (0, MASK, MASK, 1))


def on_any_backend(policy):
    """Whether nothing of it is written for NumPy, or draws from joints on the host."""
    while policy is not None:
        if isinstance(policy, ON_THE_HOST | Undecided):
            return False
        policy = getattr(policy, "inner", None)
    return True


@each("prompt", ON_DEVICE)
def test_on_another_device(prompt):
    host, away = on_host("four"), on_host("four", to_device1)
    policies = [policy for policy, _ in rows_after(prompt, 2) if on_any_backend(policy)]

    @each("policy", [*policies[ON_DEVICE.index(prompt) :: 2], *USERS])
    def agrees(policy):
        q = output_distribution(host, policy, prompt=prompt)
        agree(output_distribution(away, policy, prompt=to_device1(prompt)), q, away.like)
        if isinstance(policy, Policy) and not policy.remasks:
            found, other = (order(p, policy, prompt=prompt) for p in (away, host))
            np.testing.assert_allclose(found.revealed, other.revealed, atol=1e-12)

    agrees()
    for policy in (FirstHitting(), Blocks(2, TopK(1)), Remask(CLOCKS[2], 1)):
        drawn = [
            decode(p, policy, np.random.default_rng(0), 9, prompt=prompt, progress=False).tokens
            for p in (away, host)
        ]
        assert (to_host(drawn[0]) == drawn[1]).all()
        assert regret(away, policy, prompt=prompt) == close(regret(host, policy, prompt=prompt))
    for point, other in zip(
        frontier(away, [0, 1, math.inf], prompt=prompt),
        frontier(host, [0, 1, math.inf], prompt=prompt),
        strict=True,
    ):
        assert (float(point.rounds), float(point.kl)) == (close(other.rounds), close(other.kl))
        assert (to_host(point.policy.choices) == other.policy.choices).all()


# What is refused

P = gallery.permutations(3)
RNG = np.random.default_rng(0)
L2R = LeftToRight()

CALLS = {
    "output_distribution": lambda **given: output_distribution(P, L2R, **given),
    "decode": lambda **given: decode(P, L2R, RNG, 2, **given),
    "order": lambda **given: order(P, L2R, **given),
    "orders": lambda **given: orders(P, L2R, **given),
    "split": lambda **given: split(P, L2R, **given),
    "visited": lambda **given: visited(P, L2R, **given),
    "frontier": lambda **given: frontier(P, [1], **given),
    "regret": lambda **given: regret(P, L2R, **given),
    "compare": lambda **given: compare(P, [L2R], **given),
}
TAKE_SITES = list(CALLS)[:6]
NO_SITES: list[Any] = [{0: 2}, "2··", [2, MASK, MASK], (0.5,), [True, False, True]]


@each(("name", "observed"), itertools.product(TAKE_SITES, NO_SITES))
def test_tokens_given_as_sites_are_pointed_to_the_prompt(name, observed):
    with pytest.raises(InvalidInput, match=r"observed .*prompt=\[\.\.\.\]"):
        CALLS[name](observed=observed)


NO_PROMPTS: list[tuple[Any, str]] = [
    ([2, MASK], r"prompt must be one pattern of shape \(3,\), got shape \(2,\)"),
    ([[2, MASK, MASK]], r"prompt must be one pattern of shape \(3,\), got shape \(1, 3\)"),
    (2, r"prompt must be one pattern of shape \(3,\), got shape \(\)"),
    ([3, MASK, MASK], r"prompt: tokens must lie in 0..2 .* entry 0 is 3"),
    ([-2, MASK, MASK], r"prompt: tokens must lie in 0..2 .* entry 0 is -2"),
    ([0.5, MASK, MASK], "prompt: tokens must be integers"),
    ({0: 2}, "prompt"),
    ([2, None, None], "prompt"),
    ("9··", "'9' at site 0 is no symbol"),
    ("2···", "4 symbols for 3 sites"),
    ([2, 0, 1], "nothing is left to write"),
    ("201", "nothing is left to write"),
]


@each(("name", "case"), itertools.product(CALLS, NO_PROMPTS))
def test_what_is_no_prompt_is_refused(name, case):
    prompt, message = case
    with pytest.raises(InvalidInput, match=message):
        CALLS[name](prompt=prompt)


@each("name", CALLS)
def test_impossible_prompts_are_named(name):
    with pytest.raises(ImpossibleEvidence, match="probability 0") as caught:
        CALLS[name](prompt=[1, 1, MASK])
    assert caught.value.pattern == (1, 1, MASK)


@each("name", CALLS)
def test_a_prompt_of_nothing_is_no_prompt(name):
    for nothing in ([MASK] * 3, "···", "___", ""):
        CALLS[name](prompt=nothing)


test_refusals = refusals(
    ("sum to the length 2", lambda: output_distribution(P, RandomOrder((1, 2)), prompt="2")),
    (
        "at most the length 2",
        lambda: output_distribution(P, BlockCorrector(None, 3, 1), prompt="2"),
    ),
    ("remasks", lambda: order(P, Remask((0, HALF, 1)), prompt="2")),
    ("remasks", lambda: split(P, Remask((0, HALF, 1)), prompt="2")),
    ("nothing is left", lambda: output_distribution(P, L2R, prompt="2", observed=[1, 2])),
    ("tabulated for the sites", lambda: output_distribution(P, BEST, prompt=[MASK, 2, MASK])),
    ("tabulated for the sites", lambda: output_distribution(P, Blocks(1, BEST), prompt="2")),
    ("tabulated for 2 sites", lambda: output_distribution(SIX, Blocks(2, lookup_table(3, 3)))),
)
THREE = BlockCorrector(None, 3, 1)
BEST = frontier(P, [1], prompt="2")[0].policy


def test_a_long_prompt_of_what_has_no_table():
    """The lattice of the whole sequence is too large; what is drawn needs none."""
    p = gallery.binary_symmetric(64, 0.1)
    prompt = np.full(64, MASK)
    prompt[:40], prompt[63] = 0, 1
    with pytest.raises(TooLarge, match="estimate_path_kl"):
        output_distribution(p, L2R, prompt=prompt)
    found = decode(p, Blocks(8, L2R), RNG, 200, prompt=prompt, progress=False, trajectory=True)
    assert (found.tokens[:, [*range(40), 63]] == prompt[[*range(40), 63]]).all()
    assert (found.revealed_at[:, 40:63] == np.arange(23)).all()
    assert order_of(found, [*range(40), 63]).left_to_right == 1


# The command


def test_the_command_after_a_prompt(command):
    p = gallery.words(4)
    said = strict(command("--gallery", "words", "--length", "4", "--prompt", "t__e", "--json"))
    prompt = p.read("t··e")
    found = compare(p, usual_decoders(left_to_write(p, prompt)[0]), prompt=prompt)
    assert said["distribution"] == "words(4) given t··e"
    assert [row["decoder"] for row in said["decoders"]] == [row.decoder for row in found.rows]
    for ours, row in zip(said["decoders"], found.rows, strict=True):
        assert (ours["kl"], ours["valid_mass"]) == (close(row.kl), close(row.valid_mass))
        assert ours["rounds"] == close(row.rounds)
        assert all(word[0] + word[3] == "te" for word in ours["examples"])
    assert said["entropy"] == close(float(information.entropy(p.given(prompt))))


def test_the_table_after_a_prompt(command):
    words = ("--gallery", "words", "--length", "4", "--policy", "TopK(2)", "--prompt")
    out = command(*words, "t__e")
    assert out == command(*words, "t··e") == command(*words, "t_·e")
    ((decoder, rounds, kl, *_, writes),) = table_of(out, always=1)
    q = output_distribution(gallery.words(4), TopK(2), prompt="t__e")
    assert (decoder, float(rounds)) == ("TopK(2, 'confidence')", 1.0)
    assert float(kl) == pytest.approx(float(q.kl), rel=1e-2)
    assert all(word[0] + word[3] == "te" for word in writes.split())
    assert "given t··e" in out


def test_symbols_of_several_letters_are_separated_by_spaces(command):
    for spelled in ("New _", "New ·", "New", " New   _ "):
        said = strict(command("--gallery", "cities", "--prompt", spelled, "--json"))
        assert said["distribution"] == "cities given New ·"
        q = output_distribution(gallery.cities(), L2R, prompt="New")
        assert said["decoders"][0]["kl"] == close(q.kl)
        written = {word for row in said["decoders"] for word in row["examples"]}
        assert written <= {"New York", "New Orleans"}


def test_prompts_that_the_command_refuses(refused):
    words = ("--gallery", "words(4)", "--prompt")
    assert "'T' at site 0 is no symbol" in refused(*words, "T__e")
    assert "5 symbols for 4 sites" in refused(*words, "there")
    assert "probability 0: qq··" in refused(*words, "qq")
    assert "nothing is left to write" in refused(*words, "them")
    assert "--prompt" in refused("--distance", "--text", "x", "--prompt", "t")
