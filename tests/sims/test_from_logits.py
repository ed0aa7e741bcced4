"""Denoisers made of models that answer with logits, and what a denoiser of the user's is handed."""

import math
import re
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sims import (
    Perturbed,
    decode,
    estimate_path_kl,
    from_logits,
    output_distribution,
    path_nll,
    policies,
    split,
)
from tests.cases import DEVICE1, close, to_device1, to_host
from tests.noted import each, refusals
from theory import MASK, InvalidInput, JointTable, gallery
from theory.loss.forward import loss_by_pattern
from theory.validation.tolerances import tolerance

P = JointTable([[[3, 1], [2, 2]], [[0, 4], [1, 5]]])
PATTERNS = np.asarray([[MASK, MASK, MASK], [0, MASK, 1], [1, 1, MASK]])


def exponents(ids, width):
    """Small whole numbers that depend on the row's ids, the site and the token."""
    site, token = np.arange(ids.shape[1])[:, None], np.arange(width)
    return ((7 * ids.sum(axis=1))[:, None, None] + 5 * site + 3 * token**2) % 11 - 5


def powers(width, dtype: Any = np.float64):
    """A model with logits ``k log 2``, of which the probabilities are known as fractions."""
    return lambda ids: (exponents(ids, width) * math.log(2)).astype(dtype)


def fractions(ids, width, tokens):
    """``2^k / sum of 2^k`` over the tokens, one by one."""
    found = np.empty((*ids.shape, len(tokens)), dtype=object)
    for row, site in np.ndindex(ids.shape):
        k = exponents(ids, width)[row, site].tolist()
        weights = [Fraction(2) ** k[token] for token in tokens]
        found[row, site] = [weight / sum(weights) for weight in weights]
    return found.astype(float)


# Probabilities


@each(
    ("width", "mask_id", "vocab", "tokens"),
    [
        (3, 2, None, [0, 1]),  # the mask is the last of the ids
        (3, 3, None, [0, 1, 2]),  # the mask has no logit
        (3, 9, None, [0, 1, 2]),
        (9, 2, 2, [0, 1]),  # special tokens come after the mask
        (9, 8, 3, [0, 1, 2]),  # and before it
        (9, 20, 9, list(range(9))),
        (2, 1, None, [0]),
    ],
    ids=str,
)
def test_the_softmax_over_the_tokens_alone(width, mask_id, vocab, tokens):
    x = np.minimum(PATTERNS, len(tokens) - 1)
    answer = from_logits(powers(width), mask_id=mask_id, vocab=vocab)(x)
    assert answer.dtype == np.float64
    ids = np.where(x == MASK, mask_id, x)
    np.testing.assert_allclose(answer, fractions(ids, width, tokens), rtol=1e-14)


def test_a_mask_among_the_tokens_is_never_predicted():
    x = np.asarray([[MASK, 0, 4]])
    answer = from_logits(powers(6), mask_id=2, vocab=5)(x)
    assert (answer[..., 2] == 0).all()
    expected = fractions(np.asarray([[2, 0, 4]]), 6, [0, 1, 3, 4])
    np.testing.assert_allclose(answer[..., [0, 1, 3, 4]], expected, rtol=1e-14)


@each("scale", [1.0, 30.0, 1e3, 1e300])
def test_logits_of_any_size(scale):
    """Against exponentials of differences, summed without rounding."""
    logits = np.random.default_rng(0).normal(scale=scale, size=(2, 3, 5))
    answer = from_logits(lambda ids: logits, mask_id=5)(np.full((2, 3), MASK))
    for row, site in np.ndindex(2, 3):
        values = logits[row, site].tolist()
        raised = [math.exp(v - max(values)) for v in values]
        for token in range(5):
            assert answer[row, site, token] == close(raised[token] / math.fsum(raised), 1e-14)


@each("dtype", ["float16", "float32", "float64", "int8", "int64", "bool"])
def test_the_softmax_is_taken_in_double_precision(dtype):
    """4,000 equal logits: in float16 their exponentials would sum to 2,048."""

    def model(ids):
        return np.ones((*ids.shape, 4000), dtype=dtype)

    answer = from_logits(model, mask_id=4000)(PATTERNS)
    assert answer.dtype == np.float64
    np.testing.assert_allclose(answer, 1 / 4000, rtol=1e-13)
    halves = from_logits(powers(3, "float16"), mask_id=3)(PATTERNS)
    ids = np.where(PATTERNS == MASK, 3, PATTERNS)
    rounded = np.exp(powers(3, "float16")(ids).astype(float))
    np.testing.assert_allclose(halves, rounded / rounded.sum(axis=2, keepdims=True), rtol=1e-13)


def test_a_logit_of_minus_infinity_excludes_a_token():
    row = np.asarray([-math.inf, math.log(1), math.log(3)])
    answer = from_logits(lambda ids: np.broadcast_to(row, (*ids.shape, 3)), mask_id=3)(PATTERNS)
    np.testing.assert_allclose(answer, np.broadcast_to([0, 0.25, 0.75], answer.shape), rtol=1e-15)


@each(
    "wrap",
    [
        lambda logits: SimpleNamespace(logits=logits, loss=None),
        lambda logits: (logits, "hidden states"),
        lambda logits: SimpleNamespace(logits=(logits,)),
        lambda logits: logits.tolist(),
        to_device1,
    ],
    ids=["object", "tuple", "both", "list", "on a device"],
)
def test_what_a_model_may_return(wrap):
    plain = from_logits(powers(2), mask_id=2)(PATTERNS)
    wrapped = from_logits(lambda ids: wrap(powers(2)(ids)), mask_id=2)(PATTERNS)
    assert isinstance(wrapped, np.ndarray)
    assert (wrapped == plain).all()


def test_patterns_on_a_device_are_answered_there():
    seen = []

    def model(ids):
        seen.append(type(ids))
        return powers(2)(ids)

    answer = from_logits(model, mask_id=2)(to_device1(PATTERNS))
    assert answer.device == DEVICE1
    assert seen == [np.ndarray]
    assert (to_host(answer) == from_logits(powers(2), mask_id=2)(PATTERNS)).all()


# Ids, and copies


def test_the_ids_that_a_model_sees():
    seen = []

    def model(ids):
        seen.append((ids.tolist(), ids.dtype, ids.flags.writeable))
        return powers(2)(ids)

    denoiser = from_logits(model, mask_id=7, vocab=2)
    for patterns in (PATTERNS, PATTERNS.tolist()):
        denoiser(patterns)
    expected = [[7, 7, 7], [0, 7, 1], [1, 1, 7]]
    assert seen == [(expected, np.int64, True)] * 2


def scribbling(answer):
    """Answer, and then write over everything that was handed over."""

    def called(x):
        found = answer(x.copy())
        assert x.flags.writeable
        x[...] = 0
        return found

    return called


def test_a_model_may_write_into_its_ids():
    patterns = PATTERNS.copy()
    patterns.flags.writeable = False
    answer = from_logits(scribbling(powers(2)), mask_id=2)(patterns)
    assert (answer == from_logits(powers(2), mask_id=2)(PATTERNS)).all()
    assert (patterns == PATTERNS).all()
    from_logits(scribbling(powers(2)), mask_id=2)(written := PATTERNS.copy())
    assert (written == PATTERNS).all()


@each("policy", [policies.TopK(2), policies.TokenConfidence(1), policies.GibbsCorrector(None, 1)])
def test_every_denoiser_may_write_into_its_patterns(policy):
    plain = Perturbed(P, smoothing=0.2)
    scribbled = scribbling(plain)
    for call in (
        lambda f: output_distribution(P, policy, denoiser=f).table,
        lambda f: decode(P, policy, np.random.default_rng(0), 20, denoiser=f).tokens,
        lambda f: loss_by_pattern(P, f),
    ):
        np.testing.assert_array_equal(call(scribbled), call(plain))


def test_a_follower_and_a_text_may_be_written_over():
    plain = Perturbed(P, smoothing=0.2)
    for call in (
        lambda f, rng: estimate_path_kl(P, policies.TopK(2), rng, 20, denoiser=f).kl,
        lambda f, rng: path_nll([[0, 1, 1], [1, 0, 0]], policies.TopK(1), f, rng),
    ):
        found, expected = (call(f, np.random.default_rng(0)) for f in (scribbling(plain), plain))
        assert (found.mean, found.error) == (expected.mean, expected.error)


def test_a_denoiser_where_the_data_live_is_handed_a_copy():
    there = JointTable(to_device1(to_host(P.table())))

    def plain(x):
        return to_device1(np.full((*x.shape, 2), 0.5))

    def scribbled(x):
        x[...] = 0
        return plain(x)

    for call in (
        lambda f: output_distribution(there, policies.TopK(2), denoiser=f).table,
        lambda f: loss_by_pattern(there, f),
    ):
        assert (to_host(call(scribbled)) == to_host(call(plain))).all()


# As a denoiser


def logits_of(p):
    """The zero-loss denoiser as a model: logarithms, shifted, and a logit for the mask."""

    def model(ids):
        x = np.where(ids == p.vocab, MASK, ids)
        with np.errstate(divide="ignore"):
            logs = np.log(p.denoise(x, on_impossible="marginal")) + 3
        return np.concatenate([logs, np.full((*ids.shape, 1), 50.0)], axis=2)

    return model


@each("policy", [policies.TopK(2), policies.LeftToRight(), policies.Speculative()], ids=repr)
def test_a_perfect_model_is_the_perfect_denoiser(policy):
    p = gallery.words(4)
    q = output_distribution(p, policy, denoiser=from_logits(logits_of(p), mask_id=p.vocab))
    np.testing.assert_allclose(q.table, output_distribution(p, policy).table, atol=1e-14)


def test_the_parts_of_a_model_that_knows_nothing():
    """Logits of 0: one site at a time all of the loss is learning, ``3 log 2 - H(p)``."""
    model = from_logits(lambda ids: np.zeros((*ids.shape, 3)), mask_id=2)
    entropy = -sum(float(v) * math.log(v) for v in P.table().flat if v > 0)
    found = split(P, policies.LeftToRight(), denoiser=model)
    assert float(found.learning) == close(3 * math.log(2) - entropy)
    assert float(found.factorisation) == close(0)
    q = output_distribution(P, policies.LeftToRight(), denoiser=model)
    assert q.kl == close(3 * math.log(2) - entropy)


# What is refused


def calling(answer, **options):
    """The denoiser of a model with this answer, asked about two patterns of three sites."""
    mask_id = options.pop("mask_id", 2)
    from_logits(lambda ids: answer, mask_id=mask_id, **options)(np.full((2, 3), MASK))


def with_one(value, at=(1, 2, 0), shape=(2, 3, 2)):
    logits = np.zeros(shape)
    logits[at] = value
    return logits


test_refused = refusals(
    ("model must be a function", lambda model: from_logits(model, mask_id=1), [None, 3, "bert"]),
    ("mask_id must be an integer", lambda n: from_logits(max, mask_id=n), [-1, 0.5, None, "x"]),
    ("vocab must be an integer", lambda n: from_logits(max, mask_id=1, vocab=n), [0, -1, 2.5]),
    (
        r"logits of shape {} for ids of shape \(2, 3\); expected \(2, 3, W\)",
        lambda shape: calling(np.zeros(shape)),
        [(), (2, 3), (3, 2, 2), (2, 2, 2), (2, 3, 2, 1)],
    ),
    (r"logits of shape \(\) for ids", calling, [None, {"logits": 1}]),
    ("logits of type {}, not numbers", lambda t: calling(np.zeros((2, 3, 2), t)), ["complex128"]),
    ("row 1, site 2, token 0 is {}", lambda v: calling(with_one(v)), [math.nan, math.inf]),
    ("row 0, site 1, token 1 is nan", lambda: calling(with_one(math.nan, (0, 1, 1)))),
    (
        r"of shape \(2, 3, 2\) cannot be .* row 1, site 2, token 0 is -inf",
        lambda: calling(with_one(-math.inf, (1, 2))),
    ),
    ("the mask has id 2 of 5: give vocab", lambda: calling(np.zeros((2, 3, 5)))),
    ("the mask has id 0 of {}", lambda n: calling(np.zeros((2, 3, n)), mask_id=0), [1, 2]),
    ("the mask has id 2 of 0", lambda: calling(np.zeros((2, 3, 0)))),
    ("vocab is 3, and the model has 2", lambda: calling(np.zeros((2, 3, 2)), vocab=3)),
    (
        r"patterns must have shape \(B, L\), got {}",
        lambda shape: from_logits(powers(2), mask_id=2)(np.full(shape, MASK)),
        [(3,), (1, 2, 3)],
    ),
    (
        r"of shape \(1, 2\) hold the token 2, which is the model's mask",
        lambda: from_logits(powers(4), mask_id=2, vocab=4)(np.asarray([[MASK, 2]])),
    ),
    (
        r"shape \(1, 3, 3\) for patterns of shape \(1, 3\); expected \(1, 3, 2\)",
        lambda: output_distribution(
            P, policies.TopK(1), denoiser=from_logits(powers(3), mask_id=3)
        ),
    ),
)


class Network:
    """What a torch module has."""

    training = False

    def __call__(self, ids):
        return powers(2)(ids)


def test_a_model_in_training_mode():
    denoiser = from_logits(Network(), mask_id=2)
    denoiser(PATTERNS)
    denoiser.model.training = True
    for call in (lambda: denoiser(PATTERNS), lambda: from_logits(denoiser.model, mask_id=2)):
        with pytest.raises(InvalidInput, match=r"training mode.*model\.eval\(\)"):
            call()


@each("dtype", ["float16", "float32", "float64"])
def test_logits_in_place_of_probabilities(dtype):
    """The error names the row, its sum, the tolerance and what to do, and not 50,000 numbers."""
    p = JointTable(np.ones((50, 50)))
    logits = np.ones(50, dtype=dtype)

    with pytest.raises(InvalidInput) as refused:
        output_distribution(
            p, policies.TopK(1), denoiser=lambda x: np.broadcast_to(logits, (*x.shape, 50))
        )
    text = str(refused.value)
    allowed = max(tolerance(logits).sum, 1e-4)
    assert re.search(rf"row 0 for site 0 sum to 50 \({allowed:g} is taken for rounding\)", text)
    for word in ("softmax", "float32", "sims.from_logits"):
        assert word in text
    assert len(text) < 300


def test_the_row_is_the_first_that_is_wrong():
    def second_site_of_the_second_row(x):
        answer = np.full((*x.shape, 2), 0.5)
        answer[1:2, 1] = 0.75
        return answer

    with pytest.raises(InvalidInput, match=r"row 1 for site 1 sum to 1\.5 "):
        decode(
            P, policies.TopK(1), np.random.default_rng(0), 3, denoiser=second_site_of_the_second_row
        )


@each("answer", [(np.zeros((1, 3, 2)),), SimpleNamespace(logits=np.zeros((1, 3, 2)))], ids=type)
def test_an_answer_of_a_model_points_to_from_logits(answer):
    with pytest.raises(InvalidInput, match=f"{type(answer).__name__}, not .*sims.from_logits"):
        output_distribution(P, policies.TopK(1), denoiser=lambda x: answer)


def test_repr():
    assert repr(from_logits(max, mask_id=3, vocab=2)) == ("from_logits(max, mask_id=3, vocab=2)")
