"""Two schedulers of Diffusers on a perfect model: one is a policy of ours, one not what it says."""

import numpy as np
import pytest

from sims import output_distribution, policies
from sims.conformance import answering, check, exact_distribution
from tests.noted import each
from theory import JointTable

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from diffusers import BlockRefinementScheduler, DiscreteDDIMScheduler  # noqa: E402  # pyright: ignore

from sims.conformance.torch import TorchOracle  # noqa: E402

ROUNDING = 1e-6
"""Both take the softmax in float32."""


def table(length, vocab, seed=0):
    return JointTable(np.random.default_rng(seed).gamma(0.5, size=(vocab,) * length))


# Block refinement: tokens are drawn, and kept by their probability


def block_refinement(p, steps=None, **settings):
    """n -> tokens; one block, and unless said T = 1, one token a step, nothing edited."""
    model, steps = TorchOracle(p), steps or p.length
    usual = {"temperature": 1.0, "threshold": 2.0, "mask_token_id": model.mask_id}

    def sampler(n):
        scheduler = BlockRefinementScheduler()
        scheduler.set_timesteps(steps, block_length=p.length)
        x = torch.full((n, p.length), model.mask_id)
        for step in range(steps):
            x = scheduler.step(model(x).logits, step, x, **usual | settings).prev_sample
        return x

    return sampler


@each("seed", [0, 1, 2])
def test_block_refinement_is_token_confidence(seed):
    p = table(3, 3, seed)
    verdict = check(block_refinement(p), p, policies.TokenConfidence(1), tolerance=ROUNDING)
    assert verdict.agrees
    assert verdict.exact
    assert verdict.reads_observed is False
    assert output_distribution(p, policies.TokenConfidence(1)).tv > 0.2


def test_block_refinement_scores_by_what_is_drawn_from():
    """Below T = 1: unlike LLaDA, which scores by the predictions themselves."""
    p = table(3, 3)
    sampler = block_refinement(p, temperature=0.5)
    tempered = policies.DrawThenKeep(1, score="tempered")
    assert check(sampler, p, tempered, temperature=0.5, tolerance=ROUNDING, extras=False)
    untempered = policies.TokenConfidence(1)
    verdict = check(sampler, p, untempered, temperature=0.5, tolerance=ROUNDING, extras=False)
    assert verdict.tv > 0.01


@each(
    ("settings", "policy"),
    [
        ({"threshold": 0.6}, policies.DrawThenKeep(threshold=0.6, score="tempered")),
        ({"steps": 2}, policies.TokenConfidence(sizes=(2, 1))),
        ({"temperature": 0.0}, policies.TopK(1)),
    ],
)
def test_other_settings_of_block_refinement(settings, policy):
    p = table(3, 2)
    temperature = settings.get("temperature", 1)
    sampler = block_refinement(p, **settings)
    verdict = check(sampler, p, policy, temperature=temperature, tolerance=ROUNDING, extras=False)
    assert verdict.agrees
    assert verdict.exact


def test_with_editing_block_refinement_reads_observed_sites():
    p = table(3, 2)
    sampler = block_refinement(p, editing_threshold=0.5)
    written = {}
    for convention in ("one-hot", "leave-one-out"):
        with answering(observed=convention):
            written[convention] = exact_distribution(sampler, p).table
    expected = output_distribution(p, policies.TokenConfidence(1)).table
    np.testing.assert_allclose(written["one-hot"], expected, rtol=0, atol=ROUNDING)
    tv = abs(written["leave-one-out"] - expected).sum() / 2
    assert tv > 0.01
    verdict = check(sampler, p, policies.TokenConfidence(1), tolerance=ROUNDING)
    assert verdict.reads_observed
    assert verdict.conventions["leave-one-out"].tv == pytest.approx(tv)


# The corrector of discrete DDIM: one sweep, from the right distribution of its level of noise

STEPS = 10


def noisy(p, alpha):
    """Each token stays with probability alpha and is drawn uniformly else: joint (V^L, V^L)."""
    kernel = alpha * np.eye(p.vocab) + (1 - alpha) / p.vocab
    joint = np.diag(p.table().ravel())
    shape = (p.vocab,) * p.length
    joint = joint.reshape(shape + shape)
    for site in range(p.length, 2 * p.length):
        joint = np.moveaxis(np.moveaxis(joint, site, -1) @ kernel, -1, site)
    return joint


def corrector(p, level, selection, k=1):
    """n -> tokens, and the distribution that it starts from: that at alpha = level / STEPS."""
    alpha, length, vocab = level / STEPS, p.length, p.vocab
    joint = noisy(p, alpha)
    start = JointTable(joint.sum(axis=tuple(range(length))))
    clean = np.stack(
        [
            joint.sum(axis=tuple(j for j in range(length) if j != i)).reshape(vocab, -1)
            for i in range(length)
        ]
    )  # of site i, with each noisy sequence: (L, V, V^L)
    logits = torch.log(torch.tensor(clean.transpose(2, 0, 1)))
    weights = torch.tensor(start.table().ravel())
    scheduler = DiscreteDDIMScheduler(
        STEPS, corrector_steps=1, corrector_k=k, corrector_selection=selection
    )
    places = torch.tensor([vocab ** (length - 1 - i) for i in range(length)])

    def sampler(n):
        drawn = torch.multinomial(weights.expand(n, -1), 1)
        x = drawn // places % vocab
        # The step that is done is one less than the level that it reached.
        return scheduler.step_correct(logits[drawn[:, 0]], level - 1, x).prev_sample

    return sampler, start


@each("level", [5, 9])
def test_a_corrector_of_one_random_site_leaves_the_distribution(level):
    sampler, start = corrector(table(3, 2), level, "random")
    assert exact_distribution(sampler, start).tv < ROUNDING


@each("level", [5, 9])
@each(
    ("selection", "name"),
    [
        ("lowest_log_margin", "margin"),
        ("lowest_current_prob", "current"),
        ("lowest_maxprob", "confidence"),
    ],
)
def test_an_informed_corrector_does_not(level, selection, name):
    """Its own docstring says that it does; `InformedCorrector` is that corrector."""
    sampler, start = corrector(table(3, 2), level, selection)
    q = exact_distribution(sampler, start)
    assert q.tv > 0.001
    expected = output_distribution(start, policies.InformedCorrector(None, 1, name))
    np.testing.assert_allclose(q.table, expected.table, rtol=0, atol=ROUNDING)


def test_a_corrector_of_two_random_sites_does_not():
    sampler, start = corrector(table(3, 2), 9, "random", k=2)
    assert exact_distribution(sampler, start).tv > 0.001
