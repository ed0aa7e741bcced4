"""What a policy is shown in blocks: tokens and masks, nothing else."""

import numpy as np
import pytest

from sims import decode, joints, output_distribution
from sims.policies import (
    Blocks,
    JointDraw,
    LeftToRight,
    Policy,
    Rule,
    Speculative,
    TokenConfidence,
    TokenPolicy,
    TopK,
)
from sims.policies.eligible import shown_sites
from tests.noted import each
from theory import MASK, gallery

LENGTH, VOCAB, SIZE = 5, 2, 2
P = gallery.binary_symmetric(LENGTH, 0.2)


class Seen:
    """All sequences that were shown, and what was said of them."""

    def __init__(self) -> None:
        self.shown: list[tuple[np.ndarray, np.ndarray | None]] = []

    def note(self, x, predictions=None, eligible=None):
        assert ((x >= MASK) & (x < VOCAB)).all()
        if predictions is not None:
            assert predictions.shape == (*x.shape, VOCAB)
            assert (predictions[x != MASK] == np.eye(VOCAB)[x[x != MASK]]).all()
        self.shown.append((x.copy(), eligible))


class Old(TokenPolicy):
    """A token policy without the parameter `eligible`."""

    def __init__(self, inner, seen):
        self.inner, self.seen = inner, seen

    def called(self, call_denoiser):
        def call(x):
            predictions, sampling_probs = call_denoiser(x)
            assert sampling_probs.shape == predictions.shape
            self.seen.note(x, predictions)
            return predictions, sampling_probs

        return call

    def outcomes(self, x, ask, round_index):
        self.seen.note(x)
        return self.inner.outcomes(x, self.called(ask), round_index)

    def write(self, x, ask, round_index, rng):
        self.seen.note(x)
        return self.inner.write(x, self.called(ask), round_index, rng)


class New(Old):
    """The same with it."""

    def outcomes(self, x, ask, round_index, eligible=None):
        self.seen.note(x, eligible=eligible)
        return self.inner.outcomes(x, self.called(ask), round_index, eligible)

    def write(self, x, ask, round_index, rng, eligible=None):
        self.seen.note(x, eligible=eligible)
        return self.inner.write(x, self.called(ask), round_index, rng, eligible)


class Watched(Policy):
    def __init__(self, inner, seen):
        self.inner, self.seen = inner, seen

    def reveal_distribution(self, x, predictions, round_index):
        self.seen.note(x, predictions)
        return self.inner.reveal_distribution(x, predictions, round_index)


class WatchedJoint(joints.ResidualEnergy):
    """A joint is shown whole sequences."""

    def distribution(self, x, sites, marginals):
        assert x.shape[1] == LENGTH
        assert ((x >= MASK) & (x < VOCAB)).all()
        assert (np.take_along_axis(x, sites, axis=1) == MASK).all()
        return super().distribution(x, sites, marginals)


def watched_rule(seen):
    def rule(x, predictions):
        seen.note(x, predictions)
        masked = x == MASK
        return masked & (masked.cumsum(axis=1) == 1)

    return Rule(rule)


INNER = {
    "policy": (lambda seen: Watched(TopK(1), seen), TopK(1)),
    "rule": (watched_rule, LeftToRight(1)),
    "token policy": (lambda seen: Old(TokenConfidence(1), seen), TokenConfidence(1)),
    "several calls": (lambda seen: Old(Speculative(), seen), Speculative()),
    "that takes eligible": (lambda seen: New(TokenConfidence(1), seen), TokenConfidence(1)),
    "several calls, eligible": (lambda seen: New(Speculative(), seen), Speculative()),
    "joint draw": (
        lambda seen: JointDraw(Watched(LeftToRight(2), seen), WatchedJoint(P)),
        JointDraw(LeftToRight(2), joints.ResidualEnergy(P)),
    ),
}
RUNS = {
    "blocks": (lambda inner: Blocks(SIZE, inner), ()),
    "blocks in blocks": (lambda inner: Blocks(4, Blocks(SIZE, inner)), ()),
    "with what is given": (lambda inner: Blocks(SIZE, inner), (1, 3)),
}


@each(("make", "plain"), INNER.values(), ids=INNER)
@pytest.mark.parametrize(("outer", "observed"), RUNS.values(), ids=RUNS)
def test_an_inner_policy_is_shown_tokens_and_masks_only(outer, observed, make, plain):
    seen = Seen()
    found = output_distribution(P, outer(make(seen)), observed=observed).table
    np.testing.assert_allclose(
        found, output_distribution(P, outer(plain), observed=observed).table, rtol=0, atol=1e-15
    )
    assert seen.shown
    decode(P, outer(make(seen)), np.random.default_rng(0), 20, observed=observed)
    blocks = [{0, 1}, {2, 3}, {4}]
    told = [(x, eligible) for x, eligible in seen.shown if eligible is not None]
    if not told:  # what is masked is all of the block that is left
        assert max((x == MASK).sum(axis=1).max() for x, _ in seen.shown) == (
            1 if observed else SIZE
        )
    for x, eligible in told:
        assert x.shape[1] == LENGTH
        assert (x[eligible] == MASK).all()
        for row in eligible:
            assert any(set(np.flatnonzero(row).tolist()) <= block for block in blocks)


def test_what_is_left_out_is_what_is_masked_and_not_eligible():
    x = np.asarray([[0, MASK, MASK, 1], [MASK, 1, MASK, 1], [1, MASK, MASK, 0]])
    eligible = np.asarray([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], dtype=bool)
    found = {tuple(rows.tolist()): shown.part(x[rows]) for rows, shown in shown_sites(x, eligible)}
    expected = {(0, 1): [[0, MASK, 1], [MASK, 1, 1]], (2,): [[1, MASK, 0]]}
    assert {rows: part.tolist() for rows, part in found.items()} == expected
    for rows, shown in shown_sites(x, eligible):
        assert shown.whole(shown.part(x[rows]), MASK).tolist() == x[rows].tolist()
    ((rows, shown),) = shown_sites(x, None)
    assert rows.tolist() == [0, 1, 2]
    assert shown.part(x) is x
    assert shown.whole(x, MASK) is x
