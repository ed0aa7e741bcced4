"""Schedules that reveal and mask again, step by step, against their definitions."""

import itertools
from fractions import Fraction

import pytest

from sims import Sampling, output_distribution
from sims.policies import Bernoulli, Mirrored, Remask, RemaskLoop, Steps
from tests.noted import each, refusals
from tests.sims.policy_table import HALF, THIRD, TIMES
from theory import gallery

GRIDS = [TIMES, tuple(Fraction(k, 7) for k in range(8)), (0, Fraction(9, 10), 1), (0, 1)]


def moved(alpha_t, alpha_s, sigma):
    """The posterior of one site, from the revealed fraction alpha_t to alpha_s."""
    return (alpha_s - (1 - sigma) * alpha_t) / (1 - alpha_t), sigma


@each("times", GRIDS)
def test_cap_rescale_and_switch(times):
    for step, (a, b) in enumerate(itertools.pairwise(map(Fraction, times))):
        most = min(1, (1 - b) / a) if a else 1
        for eta in (Fraction(0), THIRD, Fraction(1)):
            rescaled, capped = Remask(times, eta), Remask(times, cap=eta)
            assert rescaled.probabilities(step) == moved(a, b, eta * most)
            assert capped.probabilities(step) == moved(a, b, min(eta, most))
            switched = Remask(times, cap=eta, switch=HALF)
            sigma = min(eta, most) if a >= HALF else 0
            assert switched.probabilities(step) == moved(a, b, sigma)
        assert Bernoulli(times).probabilities(step) == moved(a, b, 0)


def test_a_loop_of_twenty_steps_by_hand():
    """Time is 1, .95, ..., .05: nine steps above .55, ten in the loop, one from .05 on."""
    loop = RemaskLoop(20, 0.55, 0.05, 0.9, 0.02)
    assert loop.remask == (0,) * 9 + (Fraction(0.02),) * 10 + (0,)
    # after k of the first nine steps the fraction k / 9 of .9 is revealed
    rising = [0.1 / (1 - 0.1 * k) for k in range(9)]
    assert [float(p) for p in loop.reveal[:9]] == pytest.approx(rising)
    assert {round(float(p), 12) for p in loop.reveal[9:19]} == {0.18}
    assert loop.reveal[19:] == (1,)


def test_a_step_that_reaches_all_but_for_rounding():
    assert [float(p) for p in RemaskLoop(6, 0.55, 0.2, 0.9, 0.05).reveal[2:3]] == [1]


@each("start", [0, THIRD])
def test_expected_fractions_follow_the_schedule(start):
    """One site, whose token does not matter: the probability that it is shown after each step."""
    for times in GRIDS:
        shown = Fraction(0)
        for step, b in enumerate(times[1:]):
            reveal, remask = Remask(times, 1, cap=HALF, switch=start).probabilities(step)
            shown = shown * (1 - remask) + (1 - shown) * reveal
            assert shown == b
    loop, shown = RemaskLoop(8, HALF, Fraction(1, 4), Fraction(4, 5), THIRD / 2), Fraction(0)
    fractions = []
    for step in range(8):
        reveal, remask = loop.probabilities(step)
        shown = shown * (1 - remask) + (1 - shown) * reveal
        fractions.append(shown)
    fifths = [Fraction(k, 5) for k in range(1, 5)]
    assert fractions == [*fifths, Fraction(4, 5), Fraction(4, 5), Fraction(9, 10), 1]


def test_a_schedule_that_leaves_sites_to_a_last_argmax():
    """Forward and backward: twice as much as is due, and as much masked; then what is left."""
    grid = [Fraction(k, 4) for k in range(5)]
    pairs = list(itertools.pairwise(grid))
    reveal = [min(1, 2 * (b - a) / (1 - a)) for a, b in pairs]
    remask = [min(1, (b - a) / a) if a else 1 for a, b in pairs]
    policy = Steps([*reveal, 1], [*remask, 0])
    assert policy.reveal == (HALF, 2 * THIRD, 1, 1, 1)
    assert policy.remask == (1, 1, HALF, THIRD, 0)
    p = gallery.coupled_pairs(1, exact=True)
    q = output_distribution(p, policy, Sampling(last_round="argmax"))
    drawn = output_distribution(p, policy)
    # a site is shown with probability 1/2, 1/3, 5/6 and 13/18 after the steps before the last one;
    # where both are masked then, 00 is written, the lowest of four equal ones
    both_masked = Fraction(5, 18) ** 2
    change = both_masked * Fraction(1, 4)
    assert (q.table - drawn.table).tolist() == [[3 * change, -change], [-change, -change]]


def test_equal_clocks_are_equal_decoders():
    p = gallery.permutations(3, exact=True)
    listed = Steps(Bernoulli(TIMES).reveal)
    for first, second in [
        (listed, Bernoulli(TIMES)),
        (Steps(Remask(TIMES, HALF).reveal, Remask(TIMES, HALF).remask), Remask(TIMES, HALF)),
        (Mirrored(listed), listed),
    ]:
        one, other = output_distribution(p, first), output_distribution(p, second)
        assert (one.table == other.table).all()
        assert dict(one.rounds) == dict(other.rounds)
    found = [output_distribution(p, policy).path_kl for policy in (listed, Bernoulli(TIMES))]
    assert found[0] == found[1]
    assert not listed.remasks


def test_how_they_are_shown():
    assert repr(Steps((HALF, 1))) == "Steps((1/2, 1))"
    assert repr(Steps((HALF, 1), (1, 0))) == "Steps((1/2, 1), (1, 0))"
    assert repr(Remask((0, HALF, 1), HALF)) == "Remask((0, 1/2, 1), 1/2)"
    assert repr(Remask((0, HALF, 1), 1)) == "Remask((0, 1/2, 1), 1)"
    assert repr(Remask((0, HALF, 1), cap=THIRD)) == "Remask((0, 1/2, 1), 1, 1/3)"
    assert repr(Remask((0, 1), switch=HALF)) == "Remask((0, 1), 1, 1, 1/2)"
    assert repr(RemaskLoop(4, 0.75, 0.25, 0.5, 0.2)) == "RemaskLoop(4, 3/4, 1/4, 1/2, 0.2)"
    assert repr(Steps((1,), (1,))) == "Steps((1,), (1,))"


test_what_is_refused = refusals(
    ("reveal .* {}", Steps, [None, 1]),
    ("probability to reveal .*{}", lambda p: Steps((p, 1)), [-0.1, 1.5, "1", None, True]),
    ("probability to remask .*{}", lambda p: Steps((1, 1), (p, 0)), [-0.1, 1.5]),
    ("2 steps and remask 1", lambda: Steps((1, 1), (0,))),
    ("last step .* 0.5", lambda: Steps((1, HALF))),
    ("last step .* 0.5", lambda: Steps((1, 1), (0, HALF))),
    ("last step .* none", lambda: Steps(())),
    ("strength .*{}", lambda s: Remask((0, 1), s), [2, -1, "1"]),
    ("cap .*{}", lambda s: Remask((0, 1), cap=s), [2, -1]),
    ("switch .*{}", lambda s: Remask((0, 1), switch=s), [2, None]),
    ("t_off < t_on", lambda: RemaskLoop(8, 0.25, 0.75, 0.5, 0.1)),
    ("alpha_on = 1", lambda: RemaskLoop(8, 0.75, 0.25, 1, 0.1)),
    ("none of 4 steps", lambda: RemaskLoop(4, 0.75, 0.2, 0.5, 0.1)),
    ("step 2 of 8 .* probability 4.5", lambda: RemaskLoop(8, 0.75, 0.25, 0.9, 0.5)),
)
