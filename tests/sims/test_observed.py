"""Decoding that starts from observed sites, against all that can happen from every prompt."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sims import decode, output_distribution, policies
from tests import oracles
from tests.noted import each
from tests.sims import policy_oracles as slow
from tests.sims.test_order import DECODERS, data
from theory import MASK, InvalidInput, JointTable, gallery, information


def written(pattern, decoder, ask, vocab, index=0):
    """(chance, sequence) of everything that is written from a pattern."""
    if MASK not in pattern:
        yield Fraction(1), pattern
        return
    for chance, after, _ in decoder.follow(pattern, ask, index, vocab):
        for share, end in written(after, decoder, ask, vocab, index + 1) if chance else ():
            yield chance * share, end


@each("pair", DECODERS, ids=lambda pair: repr(pair[0]))
@each("name", ["xor", "walk", "table", "chain"])
@each("observed", [(0,), (1,)])
def test_what_is_written(pair, name, observed):
    p, joint, vocab = data(name)

    def predict(pattern):
        if oracles.evidence(joint, pattern) == 0:
            return oracles.site_marginals(joint, vocab)
        return oracles.conditional_marginals(joint, pattern, vocab)

    table = np.zeros((vocab,) * p.length, dtype=object)
    for tokens, chance in oracles.marginal(joint, observed).items():
        start = oracles.reveal((MASK,) * p.length, observed, tokens)
        if chance:
            for share, end in written(start, pair[1], slow.asking(predict), vocab):
                table[end] += chance * share
    found = output_distribution(p, pair[0], observed=observed)
    assert (found.table == table).all()
    assert sum(found.rounds.values()) == 1


def test_the_cost_is_the_conditional_total_correlation():
    """Of three sites in one round, given the fourth: a mean over its values."""
    p = gallery.walk(3)
    expected = sum(
        p.evidence([v, MASK, MASK]) * information.total_correlation(p, [1, 2], [v, MASK, MASK])
        for v in range(p.vocab)
        if p.evidence([v, MASK, MASK]) > 0
    )
    found = output_distribution(p, policies.RandomOrder((2,)), observed=[0])
    assert found.path_kl == pytest.approx(expected, abs=1e-12)
    assert found.kl == pytest.approx(expected, abs=1e-12)
    assert found.expected_rounds == 1


def test_drawn_from_prompts():
    p = gallery.walk(3)
    exact = output_distribution(p, policies.LeftToRight(2), observed=[1])
    drawn = decode(p, policies.LeftToRight(2), np.random.default_rng(0), 4000, observed=[1]).tokens
    counts = np.zeros(exact.table.shape)
    np.add.at(counts, tuple(drawn.T), 1 / len(drawn))
    np.testing.assert_allclose(counts, exact.table, atol=0.03)


# The sequence read from right to left


@pytest.mark.parametrize(
    "policy",
    [policies.LeftToRight(2), policies.TopK(1), policies.FirstHitting(), policies.Bisection()],
    ids=repr,
)
def test_mirrored(policy):
    p = data("table")[0]
    turned = JointTable(p.table().T, exact=True)
    found = output_distribution(p, policies.Mirrored(policy))
    expected = output_distribution(turned, policy)
    assert (found.table == expected.table.T).all()
    assert (found.path_kl, found.rounds) == (expected.path_kl, expected.rounds)
    assert repr(policies.Mirrored(policy)) == f"Mirrored({policy!r})"


def test_what_cannot_be_mirrored():
    wrong: list[Any] = [policies.TokenConfidence(1), policies.Remask((0, 1)), 3]
    for inner in wrong:
        with pytest.raises(InvalidInput, match="must select sites before it draws"):
            policies.Mirrored(inner)
    wrong_choice: Any = lambda x, predictions: [[True]]  # noqa: E731
    with pytest.raises(InvalidInput, match="the policy returned list"):
        output_distribution(gallery.parity(3), policies.Mirrored(wrong_choice))
    with pytest.raises(InvalidInput, match="sum to the length"):
        output_distribution(gallery.parity(3), policies.Mirrored(policies.RandomOrder((2,))))
