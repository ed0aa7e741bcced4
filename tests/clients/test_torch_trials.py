"""Samplers of torch on trial: enumerated and drawn.

``make clients`` runs them; where torch is not there they are skipped.
"""

import numpy as np
import pytest

from sims import policies
from sims.conformance import check, refute
from theory import JointTable, gallery

torch = pytest.importorskip("torch")

TABLE = JointTable(np.random.default_rng(3).gamma(0.5, size=(3, 3, 3)))


def low_confidence(p, k=1, temperature=1.0, in_score=0.0):
    """As samplers of torch are written: noise by division, masked sites by their id, top-k."""
    from sims.conformance.torch import TorchOracle

    model = TorchOracle(p)
    mask = p.vocab

    def sampler(n):
        x = torch.full((n, p.length), mask)
        for _ in range(p.length // k):
            logits = model(x).logits.double()
            noise = (-torch.log(torch.rand_like(logits))) ** temperature
            drawn = (logits.exp() / noise).argmax(dim=-1)
            score = torch.gather(logits.softmax(dim=-1), -1, drawn[..., None])[..., 0]
            if in_score:
                score = score + in_score * torch.randn_like(score)
            score = torch.where(x == mask, score, -torch.inf)
            best = torch.topk(score, k, dim=-1).indices
            keep = torch.zeros_like(x, dtype=torch.bool).scatter(1, best, value=True)
            x = torch.where(keep, drawn, x)
        return x

    return sampler


@pytest.mark.parametrize("paths", [0, 10_000], ids=["drawn", "exact"])
def test_a_right_sampler_agrees_and_leaves_the_generator_alone(paths):
    before = torch.random.get_rng_state()
    rng = np.random.default_rng(0)
    verdict = check(
        low_confidence(TABLE), TABLE, policies.TokenConfidence(1), paths=paths, draws=4000, rng=rng
    )
    assert verdict.agrees
    assert verdict.exact == (paths > 0)
    assert verdict.calls == 3
    assert verdict.reads_observed is False
    assert torch.equal(torch.random.get_rng_state(), before)
    if verdict.exact:
        assert verdict.tv < 1e-7
    else:
        again = check(
            low_confidence(TABLE),
            TABLE,
            policies.TokenConfidence(1),
            paths=0,
            draws=4000,
            rng=np.random.default_rng(0),
        )
        assert np.array_equal(again.written, verdict.written)


@pytest.mark.parametrize("paths", [0, 10_000], ids=["drawn", "exact"])
def test_a_wrong_one_does_not(paths):
    verdict = check(
        low_confidence(TABLE),
        TABLE,
        policies.TopK(1),
        paths=paths,
        draws=4000,
        rng=np.random.default_rng(0),
    )
    assert not verdict
    assert verdict.tv > 0.1


def test_normal_noise_in_a_score_is_named_and_drawn():
    """So large that it decides alone: sites in random order."""
    verdict = check(
        low_confidence(TABLE, in_score=1e9),
        TABLE,
        policies.RandomOrder((1, 1, 1)),
        draws=4000,
        rng=np.random.default_rng(0),
    )
    assert verdict.agrees
    assert not verdict.exact
    assert verdict.why_drawn is not None
    assert "randn" in verdict.why_drawn
    assert "test_torch_trials.py:" in verdict.why_drawn


def test_which_of_equals_comes_first_may_differ_and_is_told():
    p = gallery.binary_symmetric(4, 0.1)
    verdict = check(low_confidence(p, k=2), p, policies.TokenConfidence(2))
    assert verdict.exact
    assert verdict.untied is not None
    assert verdict.untied.agrees
    assert verdict.agrees or verdict.ties_decide


def test_the_smallest_table_is_that_of_the_same_sampler_in_numpy():
    found = refute(low_confidence, total=3)
    assert found is not None
    assert found.weights.tolist() == [[0, 1], [1, 1]]
    assert found.tv == pytest.approx(1 / 9, abs=1e-6)
