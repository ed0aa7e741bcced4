"""What decoders say that they depend on, and what is then computed for them."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sims import output_distribution, policies
from sims.comparison.compare import KINDS, compare, kind_of
from sims.order import fixed_batches
from sims.policies import Blocks, Corrector, Decoder, Mirrored, Policy, Rule
from sims.training import best_masks, expected_excess, rate, uniform_time
from tests.noted import each, refusals
from tests.sims.policy_table import ByConfidence, Ends, noisy, one_of_each, revising
from theory import MASK, InvalidInput, JointTable, gallery
from theory.information.fixed_order import fixed_order_cost


class OddFirst(Policy):
    """Sites 1, 3, 5, ... and then the others."""

    depends_on = "nothing"
    randomised = False

    def reveal_distribution(self, x, predictions, round_index):
        masked, odd = x == MASK, np.arange(x.shape[1]) % 2 == 1
        some = (masked & odd).any(axis=1, keepdims=True)
        yield 1, masked & np.where(some, odd, True)


def odd_first(x, predictions):
    ((_, reveal),) = OddFirst().reveal_distribution(x, predictions, 0)
    return reveal


class EitherEnd(Policy):
    """The first or the last masked site, with equal probabilities."""

    depends_on = "nothing"

    def reveal_distribution(self, x, predictions, round_index):
        masked = x == MASK
        yield Fraction(1, 2), masked & (masked.cumsum(axis=1) == 1)
        yield Fraction(1, 2), masked & (masked[:, ::-1].cumsum(axis=1)[:, ::-1] == 1)


OWN = {
    "a policy": (OddFirst(), ((1, 3), (0, 2, 4))),
    "in blocks": (Blocks(3, OddFirst()), ((1,), (0, 2), (3,), (4,))),
    "mirrored": (Mirrored(OddFirst()), ((1, 3), (0, 2, 4))),
    "mirrored, even": (Mirrored(Blocks(2, OddFirst())), ((3,), (4,), (1,), (2,), (0,))),
    "in blocks, mirrored": (Blocks(4, Mirrored(OddFirst())), ((0, 2), (1, 3), (4,))),
    "a function": (Rule(odd_first, depends_on="nothing"), None),
}


# Declarations

DEPENDS_ON = {
    "nothing": (
        *(policies.RandomOrder, policies.FirstHitting, policies.LeftToRight),
        *(policies.FixedOrder, policies.Bisection, policies.Steps),
    ),
    "revealed": (policies.Tabulated, policies.GapTabulated, policies.CountTabulated),
    "predictions": (
        policies.TopK,
        policies.Threshold,
        policies.Factor,
        policies.EntropyBounded,
        Rule,
    ),
    "drawn tokens": (
        *(policies.DrawThenKeep, policies.Speculative, policies.JointDraw),
        *(policies.PathPlanning, policies.Editing),
    ),
}
RANDOMISED = (
    *(policies.RandomOrder, policies.FirstHitting, policies.Steps),
    *(policies.Speculative, Corrector),
)
EVERY = [policy for policy, _ in [*one_of_each(4), *noisy(4), *revising(4)[12:]]]
EVERY = [policy for policy in EVERY if not isinstance(policy, ByConfidence | Ends)]  # the user's


def expected(decoder):
    """A wrapper depends on what is inside; to correct the data depends on nothing.

    To choose by what is written depends on predictions at least.
    """
    if isinstance(decoder, policies.InformedCorrector):
        inner = decoder.inner
        return "drawn tokens" if inner and inner.looks_at_tokens else "predictions"
    if isinstance(decoder, Blocks | Mirrored | Corrector):
        return "nothing" if decoder.inner is None else expected(decoder.inner)
    return next(name for name, kinds in DEPENDS_ON.items() if isinstance(decoder, kinds))


@each("decoder", EVERY, ids=repr)
def test_what_decoders_of_the_package_declare(decoder):
    inside = decoder.inner if isinstance(decoder, Blocks | Mirrored) else decoder
    if isinstance(inside, Blocks | Mirrored | policies.Editing):
        inside = inside.inner
    assert decoder.depends_on == expected(decoder)
    assert decoder.looks_at_tokens == (expected(decoder) == "drawn tokens")
    drawn_from = (
        getattr(inside, "score", "") == "uniform" or getattr(inside, "ties", "") == "random"
    )
    noise = np.any(getattr(inside, "noise", 0))
    assert decoder.randomised == (isinstance(inside, RANDOMISED) or drawn_from or bool(noise))


def test_every_decoder_of_the_package_is_declared_here():
    public = {getattr(policies, name) for name in policies.__all__}
    abstract = {Decoder, Policy, policies.TokenPolicy, Corrector}
    assert public - abstract == {type(decoder) for decoder in EVERY}


def contexts(length: int, vocab: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One context with several values of what is revealed and of the predictions."""
    rng = np.random.default_rng(0)
    for _ in range(8):
        x = np.full((1, length), MASK)
        x[0, 2:] = rng.integers(vocab, size=length - 2)
        predictions = rng.dirichlet(np.ones(vocab), size=(1, length))
        predictions[0, 2:] = np.eye(vocab)[x[0, 2:]]
        yield x, predictions


BLIND = [policies.RandomOrder((2, 2)), policies.FirstHitting(), policies.LeftToRight(2)]
BLIND += [policies.Bisection(), policies.Bernoulli((0, 0.5, 1)), policies.Remask((0, 0.5, 1), 0.5)]
BLIND += [policies.FixedOrder((2, 0, 3, 1)), policies.FixedOrder((1, 0, 2, 3), (0, 2, 2))]
BLIND += [Mirrored(policies.LeftToRight()), Blocks(2, Mirrored(policies.Bisection()))]


LOOKUPS = [
    policies.Tabulated(np.full((3,) * 4, 15)),
    policies.GapTabulated(np.ones((2, 3, 3, 5, 5), dtype=bool)),
]


@each("decoder", [*BLIND, *LOOKUPS], ids=repr)
def test_what_is_declared_is_true(decoder):
    """Nothing: one distribution for all contexts; revealed: one for all predictions."""
    depends_on = decoder.depends_on
    found = set()
    for x, predictions in contexts(4, 2):
        outcomes = decoder.reveal_distribution(x, predictions, 1)
        choice = tuple(
            (float(np.max(probability)), tuple(reveal[0])) for probability, reveal in outcomes
        )
        assert len(choice) == 1 or decoder.randomised
        found.add(choice if depends_on == "nothing" else (tuple(x[0]), choice))
    values = {tuple(x[0]) for x, _ in contexts(4, 2)}
    assert len(found) == (1 if depends_on == "nothing" else len(values))


def test_whoever_does_not_declare_may_depend_on_all_that_it_is_given():
    class Silent(Policy):
        def reveal_distribution(self, x, predictions, round_index):
            yield 1, x == MASK

    assert (Silent().depends_on, Silent().randomised) == ("predictions", True)
    assert (Rule(odd_first).depends_on, Rule(odd_first).randomised) == ("predictions", False)
    with pytest.raises(InvalidInput, match="one of nothing, revealed, predictions, got 'tokens'"):
        Rule(odd_first, depends_on="tokens")  # pyright: ignore[reportArgumentType]


def test_a_subclass_that_chooses_anew_declares_anew():
    class Longer(policies.LeftToRight):
        def __init__(self) -> None:
            super().__init__(3)

    class Otherwise(policies.LeftToRight):
        def reveal_distribution(self, x, predictions, round_index):
            yield 1, (x == MASK) & (predictions.max(axis=-1) > 0.5)

    class Drawn(policies.FirstHitting):
        def choose(self, x, predictions, round_index, rng):
            return x == MASK

    class Again(Otherwise):
        depends_on = "revealed"

    assert (Longer().depends_on, Longer().randomised) == ("nothing", False)
    for changed in (Otherwise, Drawn):
        assert (changed().depends_on, changed().randomised) == ("predictions", True)
    assert (Again().depends_on, Again().randomised) == ("revealed", True)


# A policy of the user's that depends on nothing


@each(("policy", "batches"), OWN.values(), ids=OWN)
def test_its_batches_are_fixed(policy, batches):
    found = fixed_batches(policy, 5)
    assert found == (batches or OWN["a policy"][1])
    p = gallery.binary_symmetric(5, 0.2)
    assert fixed_order_cost(p, found) == pytest.approx(output_distribution(p, policy).kl, abs=1e-12)
    given = fixed_batches(policy, 5, observed=(1, 2))
    assert sorted(site for batch in given for site in batch) == [0, 3, 4]


@each(("policy", "batches"), OWN.values(), ids=OWN)
def test_what_it_learns_is_known(policy, batches):
    """The one site per round of `LeftToRight` in another order has known masks, so do these."""
    p = JointTable(np.arange(1, 33).reshape((2,) * 5), exact=True)
    masks = uniform_time(5, exact=True)
    shown, expected = (), Fraction(0)
    for batch in fixed_batches(policy, 5):
        pattern = tuple(int(i in shown) for i in range(5))
        # one half for either token, in every context, at every site
        expected += Fraction(len(batch) * 2 ** len(shown), 2) / masks[pattern]
        shown += batch
    assert rate(p, policy, masks) == expected
    assert best_masks(p, policy)[(0,) * 5] > 0
    limit = 1e6 * expected_excess(p, policy, masks, 10**6)
    assert math.isclose(limit, float(expected), rel_tol=1e-3)


@each(
    "policy",
    [EitherEnd(), Blocks(2, EitherEnd()), Mirrored(EitherEnd())],
    ids=["a policy", "in blocks", "mirrored"],
)
def test_one_that_is_random_has_questions_and_no_fixed_batches(policy):
    p = JointTable([[1, 2], [2, 4]], exact=True)
    assert rate(p, policy, uniform_time(2, exact=True)) == rate(
        p, policies.FirstHitting(), uniform_time(2, exact=True)
    )
    with pytest.raises(InvalidInput, match="has no fixed batches"):
        fixed_batches(policy, 4)


def test_it_is_compared_as_such():
    p = gallery.binary_symmetric(5, 0.2)
    every = [policy for policy, _ in OWN.values()]
    silent = [Blocks(2, odd_first), Mirrored(odd_first)]
    kinds = [row.kind for row in compare(p, [*every, *silent]).rows]
    assert kinds == [KINDS[0]] * len(every) + [KINDS[1]] * 2
    assert kind_of(EitherEnd()) == KINDS[0]


# Declarations that are not true


class Liar(Policy):
    """Says that it depends on nothing; reveals sites one by one, the most confident first."""

    depends_on = "nothing"
    randomised = False

    def reveal_distribution(self, x, predictions, round_index):
        return policies.TopK(1).reveal_distribution(x, predictions, round_index)


class LaterLiar(Liar):
    """From left to right, until a 1 is written."""

    depends_on = "nothing"
    randomised = False

    def reveal_distribution(self, x, predictions, round_index):
        masked = x == MASK
        first = masked & (masked.cumsum(axis=1) == 1)
        yield 1, np.where((x == 1).any(axis=1, keepdims=True), masked, first)


@each("liar", [Liar(), LaterLiar(), Blocks(3, Liar()), Mirrored(LaterLiar())], ids=repr)
def test_one_that_depends_on_something_is_found_out(liar):
    p = gallery.binary_symmetric(4, 0.2)
    calls: list[Any] = [
        lambda: fixed_batches(liar, 4),
        lambda: rate(p, liar, uniform_time(4)),
        lambda: best_masks(p, liar),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match="is said to depend on nothing, but where the sites"):
            call()


class Weighted(Policy):
    """Probabilities that depend on the predictions."""

    depends_on = "nothing"

    def reveal_distribution(self, x, predictions, round_index):
        weights = np.where(x == MASK, predictions.max(axis=-1), 0)
        weights /= weights.sum(axis=1, keepdims=True)
        for site in range(x.shape[1]):
            yield weights[:, site], np.broadcast_to(np.arange(x.shape[1]) == site, x.shape)


class Either(EitherEnd):
    """Randomised after all."""

    depends_on = "nothing"
    randomised = False


class Silent(Policy):
    """Does not choose at all."""

    depends_on = "nothing"
    randomised = False

    def reveal_distribution(self, x, predictions, round_index):
        yield 0, x == MASK


class Two(Policy):
    """Nothing first, then everything."""

    depends_on = "nothing"
    randomised = False
    last = 1

    @property
    def steps(self):
        return 2

    def reveal_distribution(self, x, predictions, round_index):
        yield 1, (x == MASK) & (round_index == self.last)


class Never(Two):
    last = 2


def test_clocks():
    assert fixed_batches(Two(), 3) == ((0, 1, 2),)


test_others_that_are_found_out = refusals(
    (
        r"its choice differs .*: \[0\] with probability 0\.2",
        lambda: rate(gallery.parity(3), Weighted(), uniform_time(3)),
    ),
    (r"said not to be randomised, but after \[\] it may", lambda: fixed_batches(Either(), 3)),
    (r"probabilities of Silent\(\) sum to 0 in round 0", lambda: fixed_batches(Silent(), 3)),
    ("leaves sites masked at the end of its clock", lambda: fixed_batches(Never(), 3)),
)
