"""Old names of what subclasses define and users call: they work and warn."""

import inspect
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import sims
from sims import joints, output_distribution
from sims.policies import Bernoulli, JointDraw, LeftToRight, Policy, Remask, Speculative, TopK
from theory import MASK, JointTable, gallery


def test_a_policy_that_defines_law_alone():
    with pytest.warns(DeprecationWarning, match=r"Own\.law is now called reveal_distribution"):

        class Own(LeftToRight):
            def law(self, x, predictions, round_index):
                yield from super().law(x, predictions, round_index)  # pyright: ignore

    own = Own(2)  # pyright: ignore[reportAbstractUsage]
    p = gallery.permutations(3, exact=True)
    with pytest.warns(DeprecationWarning, match=r"LeftToRight\.law is now called"):
        q = output_distribution(p, own)
    assert (q.table == output_distribution(p, LeftToRight(2)).table).all()
    assert own.depends_on == "predictions"  # it chooses anew and does not declare

    class Later(Own):
        def reveal_distribution(self, x, predictions, round_index):
            yield 1, x == MASK

    assert output_distribution(p, Later()).expected_rounds == 1


def test_who_calls_law():
    x, predictions = np.full((1, 2), MASK), np.full((1, 2, 2), 0.5)
    with pytest.warns(DeprecationWarning, match=r"TopK\.law is now called reveal_distribution"):
        ((probability, reveal),) = TopK(1).law(x, predictions, 0)  # pyright: ignore
    assert (probability, reveal.tolist()) == (1, [[True, False]])


def test_a_policy_that_revises():
    with pytest.warns(DeprecationWarning, match=r"Own\.revises is now called remasks"):

        class Own(Policy):
            revises = True

            @property
            def steps(self):
                return 2

            def reveal_distribution(self, x, predictions, round_index):
                yield 1, (x == MASK) if round_index else np.zeros(x.shape, dtype=bool)

    assert Own().remasks
    q = output_distribution(gallery.parity(2), Own())
    assert q.remasks
    with pytest.warns(DeprecationWarning, match=r"Distribution\.revises is now called remasks"):
        assert q.revises
    with pytest.warns(DeprecationWarning, match=r"Remask\.revises is now called remasks"):
        assert Remask((0, 1), 1).revises  # pyright: ignore
    with pytest.warns(DeprecationWarning, match=r"Policy\.revises is now called remasks"):
        assert not LeftToRight().revises  # pyright: ignore


def test_probabilities_of_a_step():
    with pytest.warns(DeprecationWarning, match=r"Bernoulli\.chance is now called probability"):
        assert Bernoulli((0, 0.5, 1)).chance(0) == Fraction(1, 2)  # pyright: ignore
    with pytest.warns(DeprecationWarning, match=r"Remask\.chances is now called probabilities"):
        assert Remask((0, 1), 1).chances(0) == (1, 1)  # pyright: ignore


def test_a_joint_that_defines_law_alone():
    with pytest.warns(DeprecationWarning, match=r"Own\.law is now called distribution"):

        class Own(joints.Joint):
            knows = "nothing"

            def law(self, x, sites, alone):
                return joints.outer(alone)

    p = gallery.permutations(3, exact=True)
    own = Own()  # pyright: ignore[reportAbstractUsage]
    q = output_distribution(p, JointDraw(LeftToRight(3), own))
    assert (q.table == output_distribution(p, LeftToRight(3)).table).all()
    with pytest.warns(DeprecationWarning, match=r"Product\.law is now called distribution"):
        joints.Product().law(np.full((1, 1), MASK), np.zeros((1, 1)), np.ones((1, 1, 1)))  # pyright: ignore


def test_the_denoiser_that_sees_a_window():
    with pytest.warns(DeprecationWarning, match="sims.Truncated is now called WindowedDenoiser"):
        assert sims.Truncated is sims.WindowedDenoiser
    with pytest.raises(AttributeError, match="module 'sims' has no attribute 'Truncate'"):
        sims.Truncate  # noqa: B018  # pyright: ignore


def test_a_draft_that_defines_refused():
    """It draws from p again after a rejection, which is not what p has left."""
    with pytest.warns(DeprecationWarning, match=r"Own\.refused is now called residual"):

        class Own(Speculative):
            def refused(self, p, accepted):
                return p * (1 - accepted.sum(axis=-1, keepdims=True))

    p = JointTable([[3, 1], [1, 3]], exact=True)
    assert output_distribution(p, Speculative()).kl == 0
    # after a 0: a draft of 0 is kept, one of 1 in half of the cases, and 1/4 is drawn from (3, 1)/4
    expected = Fraction(1, 2) + Fraction(1, 4) * Fraction(3, 4)
    assert output_distribution(p, Own()).table[0, 0] == expected / 2


def test_the_denoiser_before_the_temperature():
    """A model and a temperature that both change what is found."""
    p = gallery.binary_symmetric(4, 0.1)
    model, policy = sims.Perturbed(p, smoothing=0.3, noise=0.5), TopK(2)
    both = sims.split(p, policy, denoiser=model, temperature=0.5)
    named = sims.split(p, policy, temperature=0.5)
    plain = sims.split(p, policy, denoiser=model)
    assert len({both.path_kl, named.path_kl, plain.path_kl, sims.split(p, policy).path_kl}) == 4
    old: Any = sims.split
    for expected, call in (
        (both, lambda: old(p, policy, model, 0.5)),
        (both, lambda: old(p, policy, model, temperature=0.5)),
        (plain, lambda: old(p, policy, model)),
        (plain, lambda: old(p, policy, model, observed=())),
        (named, lambda: old(p, policy, None, 0.5)),
    ):
        with pytest.warns(DeprecationWarning, match="temperature before the denoiser") as noted:
            assert call().by_round == expected.by_round
        assert [warning.filename for warning in noted] == [__file__]
    for expected, found in (  # no warning
        (both, sims.split(p, policy, 0.5, model)),
        (named, sims.split(p, policy, 0.5)),
        (named, sims.split(p=p, policy=policy, temperature=0.5)),
        (plain, sims.split(p, policy, 1.0, denoiser=model)),
        (named, sims.split(p, policy, 0.5, None)),
    ):
        assert found.by_round == expected.by_round
    with (
        pytest.warns(DeprecationWarning, match="before the denoiser"),
        pytest.raises(TypeError, match="multiple values"),
    ):
        old(p, policy, model, denoiser=model)
    orders = [
        list(inspect.signature(f).parameters)[:4]
        for f in (sims.split, sims.order, sims.orders, sims.output_distribution)
    ]
    assert orders == [["p", "policy", "temperature", "denoiser"]] * 4
