"""Decoders that rewrite what is written: path planning and edits, under three conventions."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from sims import Sampling, decode, estimate_path_kl, output_distribution, split
from sims.policies import (
    Blocks,
    Editing,
    GibbsCorrector,
    PathPlanning,
    Policy,
    Speculative,
    TokenConfidence,
    TokenPolicy,
    TopK,
)
from sims.training import visited
from tests.cases import build_exact, floats, prompted, random_weights, table
from tests.noted import each, refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import (
    SMALL,
    as_denoiser,
    assert_drawn_from,
    assert_output,
    both,
    over,
    tempering,
    wrong,
    zero_loss,
)
from theory import MASK, InvalidInput, JointTable, gallery

CONVENTIONS = ("one-hot", "leave-one-out", "flat")
ROWS = [
    *(both(PathPlanning, steps, o) for steps in (2, 3, 4) for o in CONVENTIONS),
    *(both(Editing, both(TokenConfidence, 1), 0.3, 4, o) for o in CONVENTIONS),
    both(Editing, both(TokenConfidence, 2), 0, 3, "leave-one-out"),
    both(Editing, both(Speculative, 2), 0.4, 3, "flat"),
]
TERNARY = table("three", random_weights(3, (3, 3, 3)))
BITS = table("bits", random_weights(4, (2, 2, 2)))


@over(ROWS)
@each("case", [TERNARY, BITS, SMALL["zeros"], SMALL["parity"]], ids=lambda case: case.name)
def test_outputs_are_exact(policy, decoder, case):
    expected = slow.expected_output(case.joint, case.vocab, decoder, zero_loss(case))
    assert_output(output_distribution(build_exact(case), policy), case, expected, decoder)


@over(ROWS)
@each(
    ("temperature", "temper"),
    [
        (0, tempering(0)),
        (0.5, tempering(0.5)),
        (Sampling(top_k=2), slow.sampled(1, 2)),
        ([1, 0], [tempering(1), tempering(0)]),
    ],
)
def test_outputs_at_other_temperatures_of_a_wrong_denoiser(policy, decoder, temperature, temper):
    predict = wrong(3, 3)
    expected = slow.expected_output(TERNARY.joint, 3, decoder, predict, temper)
    q = output_distribution(TERNARY.build(), policy, temperature, as_denoiser(predict, 3))
    assert_output(q, TERNARY, expected, decoder)


@over(ROWS[::2])
@each("prompt", [(MASK, 1, MASK), (0, MASK, MASK), (MASK, MASK, 0)])
def test_prompts_stay(policy, decoder, prompt):
    case = prompted(BITS, *prompt)
    expected = slow.expected_output(case.joint, 2, decoder, zero_loss(case), start=prompt)
    q = output_distribution(build_exact(BITS), policy, prompt=prompt)
    assert_output(q, case, expected, decoder)
    drawn = decode(BITS.build(), policy, np.random.default_rng(0), 99, prompt=prompt)
    shown = [i for i, token in enumerate(prompt) if token != MASK]
    assert (drawn.tokens[:, shown] == [prompt[i] for i in shown]).all()


@over(ROWS)
@each("temperature", [1, 0.5])
def test_draws(policy, decoder, temperature):
    p = TERNARY.build()
    q = output_distribution(p, policy, temperature)
    drawn = decode(p, policy, np.random.default_rng(7), 3000, temperature, batch=1600)
    counts = np.zeros((3, 3, 3))
    np.add.at(counts, tuple(drawn.tokens.T), 1)
    assert_drawn_from(counts, q.table)
    calls = {n: int((drawn.rounds == n).sum()) for n in {*q.rounds, *drawn.rounds.tolist()}}
    assert_drawn_from(calls, {n: q.rounds.get(n, 0) for n in calls})


def test_the_three_conventions_give_three_distributions():
    p = build_exact(TERNARY)
    for make in (lambda o: PathPlanning(3, o), lambda o: Editing(TokenConfidence(1), 0.3, 4, o)):
        tables = [output_distribution(p, make(o)).table for o in CONVENTIONS]
        for one, other in itertools.combinations(tables, 2):
            assert abs(one - other).sum() / 2 > Fraction(1, 100)


def test_with_one_hot_predictions_nothing_is_rewritten():
    """But for certain draws, of which these data have none: then it is token confidence."""
    p = build_exact(TERNARY)
    plain = output_distribution(p, TokenConfidence(1))
    planned = output_distribution(p, PathPlanning(3))
    edited = output_distribution(p, Editing(TokenConfidence(1), 0, 5))
    assert (planned.table == plain.table).all()
    assert (edited.table == plain.table).all()
    assert dict(planned.rounds) == {3: 1}
    assert dict(edited.rounds) == {4: 1}  # the last one finds nothing to edit


def test_edits_by_hand():
    """Two equal bits that are drawn at once differ with probability 1/2; each is then the other."""
    p = gallery.coupled_pairs(1, exact=True)
    for rounds in (2, 3, 4):
        q = output_distribution(p, Editing(TokenConfidence(2), 0.5, rounds, "leave-one-out"))
        assert q.valid_mass == Fraction(1, 2)
        assert dict(q.rounds) == (
            {2: 1} if rounds == 2 else {2: Fraction(1, 2), rounds: Fraction(1, 2)}
        )
    # a chain that keeps 3 of 4: given the ends 0 and 1 the middle is 1/2, given 0 and 0 it is 9/10
    chain = gallery.binary_symmetric(3, 0.25)
    edited = output_distribution(chain, Editing(TokenConfidence(3), 0.9, 2, "leave-one-out"))
    # 010 and 101, 1/8 each, have their middle redrawn: it changes with probability 9/10
    drop = 1 / 8 * (1 - 0.9)
    assert edited.table[0, 1, 0] == pytest.approx(1 / 8)
    at = output_distribution(chain, Editing(TokenConfidence(3), 0.89, 2, "leave-one-out"))
    assert at.table[0, 1, 0] == pytest.approx(drop)
    assert at.table[0, 0, 0] == pytest.approx(1 / 8 + 1 / 8 * 0.9)


def test_what_is_rewritten_may_be_corrected_afterwards():
    for policy in (PathPlanning(3, "flat"), Editing(TokenConfidence(1), 0.3, 4, "flat")):
        q, alone = (
            output_distribution(build_exact(BITS), decoder)
            for decoder in (GibbsCorrector(policy, 0), policy)
        )
        assert (q.table == alone.table).all()
        assert dict(q.rounds) == dict(alone.rounds)
        better = output_distribution(build_exact(BITS), GibbsCorrector(policy, 2))
        assert better.tv < q.tv
        drawn = decode(BITS.build(), GibbsCorrector(policy, 2), np.random.default_rng(3), 3000)
        counts = np.zeros((2, 2, 2))
        np.add.at(counts, tuple(drawn.tokens.T), 1)
        assert_drawn_from(counts, better.table)


def test_paths_of_a_policy_that_reads_predictions_at_written_sites():
    """Where the token that stands alone is likely, all others follow at once, else the next one."""

    class Trusting(Policy):
        randomised = False
        observed = "leave-one-out"

        def reveal_distribution(self, x, predictions, round_index):
            masked, tokens = x == MASK, np.where(x == MASK, 0, x)
            own = np.take_along_axis(predictions, tokens[..., None], axis=-1)[..., 0]
            trusted = (masked | (own.astype(float) > 0.5)).all(axis=1, keepdims=True)
            first = masked.cumsum(axis=1) == 1
            yield 1, masked & (first | (trusted & (round_index > 0)))

    p, policy = BITS.build(), Trusting()
    exact = split(p, policy)
    drawn = estimate_path_kl(p, policy, np.random.default_rng(0), 4000)
    assert abs(drawn.kl.mean - exact.path_kl) < 4 * drawn.kl.error
    assert output_distribution(p, policy).path_kl == pytest.approx(exact.path_kl)
    policy.observed = "one-hot"
    assert abs(split(p, policy).path_kl - exact.path_kl) > 0.001  # then everything is trusted


def test_plans_by_hand():
    """Of n = 3 sites in T steps ceil(3 i / T) are kept."""
    p = build_exact(TERNARY)
    for steps, calls in ((1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (7, 5)):
        assert dict(output_distribution(p, PathPlanning(steps, "flat")).rounds) == {calls: 1}
    once = output_distribution(p, PathPlanning(1))
    assert (once.table == output_distribution(p, TokenConfidence(3)).table).all()


class Restless(Policy):
    """A user's own that reads predictions at observed sites: masks what is not likely there."""

    remasks = True
    observed = "leave-one-out"

    @property
    def steps(self):
        return 3

    def reveal_distribution(self, x, predictions, round_index):
        tokens = np.where(x == MASK, 0, x)
        own = np.take_along_axis(predictions, tokens[..., None], axis=-1)[..., 0]
        again = (x != MASK) & (own.astype(float) < 0.4) & (round_index == 1)
        yield 1, (x == MASK) | again


def restless(pattern, sites, prediction, index):
    again = [i for i, v in enumerate(pattern) if v != MASK and float(prediction[i][v]) < 0.4]
    return [(Fraction(1), (*sites, *(again if index == 1 else [])))]


def test_a_policy_that_selects_may_read_them_too():
    oracle, other = (slow.Selecting(restless, 3, True, o) for o in ("leave-one-out", "one-hot"))
    expected = slow.expected_output(TERNARY.joint, 3, oracle, zero_loss(TERNARY))
    plain = slow.expected_output(TERNARY.joint, 3, other, zero_loss(TERNARY))
    q = output_distribution(build_exact(TERNARY), Restless())
    assert {x: q.table[x] for x in TERNARY.joint} == expected.table != plain.table
    drawn = decode(TERNARY.build(), Restless(), np.random.default_rng(1), 3000)
    counts = np.zeros((3, 3, 3))
    np.add.at(counts, tuple(drawn.tokens.T), 1)
    assert_drawn_from(counts, np.array(floats(q.table.tolist())))


class Vandal(TokenPolicy):
    """Writes 0 everywhere, also where something is given."""

    remasks = True
    steps = 2  # pyright: ignore

    def outcomes(self, x, call_denoiser, round_index, /):
        yield np.arange(len(x)), np.ones(len(x)), 0 * x, 1

    def write(self, x, call_denoiser, round_index, rng, /):
        return 0 * x, 1


P = BITS.build()


def written(policy, **options):
    return output_distribution(P, policy, **options)


test_what_is_refused = refusals(
    ("steps .*{}", PathPlanning, [0, 1.5, None]),
    ("observed must be one of .*{}", lambda o: PathPlanning(2, o), ["hot", None]),
    ("observed must be one of .*{}", lambda o: Editing(TokenConfidence(1), 0.5, 2, o), ["hot"]),
    ("threshold .*{}", lambda t: Editing(TokenConfidence(1), t, 2), [2, -1, None]),
    ("steps .*{}", lambda n: Editing(TokenConfidence(1), 0.5, n), [0, 1.5]),
    ("inner must be", lambda inner: Editing(inner, 0.5, 2), [TopK(1), None, PathPlanning(2)]),
    ("may come back", lambda inner: Blocks(2, inner), [PathPlanning(2)]),
    ("masked at the end", written, [Editing(TokenConfidence(1), 0.5, 2)]),
    ("is given", lambda: written(Vandal(), prompt=(1, MASK, MASK))),
    ("not followed", lambda policy: visited(P, policy), [PathPlanning(2), GibbsCorrector(None, 1)]),
)


def test_given_tokens_stay_in_draws():
    with pytest.raises(InvalidInput, match="is given"):
        decode(P, Vandal(), np.random.default_rng(0), 3, prompt=(1, MASK, MASK))
    assert output_distribution(JointTable(np.ones((2, 2))), Vandal()).table[0, 0] == 1


def test_how_they_are_shown():
    assert repr(PathPlanning(3)) == "PathPlanning(3, 'one-hot')"
    editing = Editing(TokenConfidence(1), 0.5, 4, "flat")
    assert repr(editing) == "Editing(TokenConfidence(1), 0.5, 4, 'flat')"
