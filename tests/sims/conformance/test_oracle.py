"""The oracle against p.denoise: where ids go in, and where logits come out."""

import itertools
import math

import array_api_strict as strict
import numpy as np
import pytest

from sims.conformance import Oracle, answering
from sims.conformance import oracle as module
from sims.conformance.replay import END, AmbiguousRows, Replay, replaying
from tests.cases import to_device1
from tests.noted import each, refusals
from theory import MASK, InvalidInput, JointTable, gallery
from theory._core.arrays import array_namespace, device, to_host

WEIGHTS = np.asarray([[[5, 0], [0, 3]], [[0, 1], [4, 0]]])  # two thirds of the patterns impossible
P = JointTable(WEIGHTS / WEIGHTS.sum())
PATTERNS = np.asarray(list(itertools.product([0, 1, MASK], repeat=3)))


def probability(shown, site=None, token=None):
    """Of a pattern, and of a token beside it, from the definition."""
    return sum(
        WEIGHTS[x]
        for x in itertools.product(range(2), repeat=3)
        if all(o in (MASK, v) for o, v in zip(shown, x, strict=True))
        and (site is None or x[site] == token)
    ) / float(WEIGHTS.sum())


def prediction(pattern, site, observed):
    """Of both tokens at a site, by a convention."""
    pattern = tuple(pattern)
    if pattern[site] != MASK:
        if observed == "one-hot":
            return [float(v == pattern[site]) for v in range(2)]
        if observed == "flat":
            return [0.5, 0.5]
        pattern = (*pattern[:site], MASK, *pattern[site + 1 :])
    if probability(pattern) == 0:
        pattern = (MASK,) * 3
    return [probability(pattern, site, v) / probability(pattern) for v in range(2)]


def expected(x, observed="one-hot"):
    """Logits (B, L, V)."""
    with np.errstate(divide="ignore"):
        return np.log([[prediction(row, i, observed) for i in range(3)] for row in x])


def ids_of(x, mask_id):
    return np.where(x == MASK, mask_id, x)


@each("observed", ["one-hot", "leave-one-out", "flat"])
@each("tabulated", [True, False])
def test_logits_are_logarithms_of_predictions(observed, tabulated, monkeypatch):
    """Of all patterns, impossible ones too, looked up or computed; no other id is possible."""
    if not tabulated:
        monkeypatch.setattr(module, "TABULATED", 0)
    model = Oracle(P, observed=observed)
    logits = model(ids_of(PATTERNS, 2)).logits
    assert (logits.shape, logits.dtype) == ((27, 3, 3), np.float64)
    np.testing.assert_allclose(
        np.exp(logits[..., :2]), np.exp(expected(PATTERNS, observed)), rtol=1e-14, atol=1e-15
    )
    assert np.isneginf(logits[..., 2]).all()


def test_a_large_vocabulary_with_a_mask_in_it():
    model = Oracle(P, mask_id=126336, vocab_size=126464)
    logits = model(ids_of(PATTERNS[:4], 126336)).logits
    assert logits.shape == (4, 3, 126464)
    np.testing.assert_allclose(
        np.exp(logits[..., :2]), np.exp(expected(PATTERNS[:4])), rtol=1e-14, atol=1e-15
    )
    assert np.isneginf(logits[..., 2:]).all()


@each("mask_id, vocab_size, width", [(None, None, 3), (5, None, 6), (5, 4, 4), (None, 9, 9)])
def test_the_width_of_the_logits(mask_id, vocab_size, width):
    """A mask may have an id beyond the logits."""
    model = Oracle(P, mask_id=mask_id, vocab_size=vocab_size)
    assert model.mask_id == (2 if mask_id is None else mask_id)
    assert model([[0, model.mask_id, 1]]).logits.shape == (1, 3, width)


def test_the_floor_is_the_least():
    logits = Oracle(P, floor=-50, vocab_size=5)(ids_of(PATTERNS, 2)).logits
    np.testing.assert_allclose(logits[..., :2], np.maximum(expected(PATTERNS), -50), atol=1e-13)
    assert (logits[..., 2:] == -50).all()


def test_ids_of_the_prompt_are_free():
    model = Oracle(P, prompt=(7, 8))
    x = ids_of(PATTERNS, 2)
    front = np.stack([np.arange(27), -np.arange(27)], axis=1)
    logits = model(np.concatenate([front, x], axis=1)).logits
    assert logits.shape == (27, 5, 3)
    np.testing.assert_array_equal(logits[:, 2:], Oracle(P)(x).logits)
    assert np.isneginf(logits[:, :2, 2]).all()
    assert np.isfinite(logits[:, :2].max(axis=2)).all()


def test_shifted_logits_are_one_place_to_the_left():
    model, x = Oracle(P, prompt=(0,), shift=True), ids_of(PATTERNS, 2)
    logits = model(np.concatenate([np.zeros((27, 1), dtype=int), x], axis=1)).logits
    np.testing.assert_array_equal(logits[:, :3], Oracle(P)(x).logits)
    assert np.isfinite(logits[:, 3].max(axis=1)).all()  # beyond the end


@each("shift", [False, True])
def test_a_model_is_shown_the_first_blocks_alone(shift):
    """What comes after is masked; a shifted model predicts one site more."""
    model = Oracle(P, prompt=(0, 0), shift=shift)
    for width in range(4):
        front = np.full((2, 2 + width), model.mask_id)
        front[0, 2:] = [0, 1, 1][:width]
        logits = model(front).logits
        assert logits.shape == (2, 2 + width, 3)
        x = np.full((2, 3), MASK)
        x[0, :width] = [0, 1, 1][:width]
        seen = min(width + shift, 3)
        found = logits[:, 2 - shift : 2 - shift + seen, :2]
        want = expected(x)[:, :seen]
        np.testing.assert_allclose(np.exp(found), np.exp(want), rtol=1e-14, atol=1e-15)


@each("dtype", [np.float16, np.float32, "float64"])
def test_logits_are_rounded_to_a_type(dtype):
    logits = Oracle(P, dtype=dtype, floor=-1e6)(ids_of(PATTERNS, 2)).logits
    assert logits.dtype == np.dtype(dtype)
    floor, rounding = max(-1e6, -float(np.finfo(dtype).max)), float(np.finfo(dtype).eps)
    found = np.maximum(logits[..., :2].astype(float), floor)
    np.testing.assert_allclose(
        found, np.maximum(expected(PATTERNS), floor), rtol=rounding, atol=1e-15
    )


def test_answers_as_models_give_them():
    model = Oracle(P)
    answer = model([[2, 2, 2]])
    assert answer[0] is answer.logits
    assert answer.past_key_values is None
    with pytest.raises(IndexError):
        answer[1]
    model([[2, 2, 2]])
    assert model.calls == 2
    assert repr(model) == "Oracle(<JointTable: length 3, vocab 2>, mask_id=2, vocab_size=3)"


def test_answers_live_where_the_ids_do():
    ids = to_device1(ids_of(PATTERNS, 2))
    there = JointTable(to_device1(WEIGHTS / WEIGHTS.sum()))
    for p in (P, there):
        logits = Oracle(p)(ids).logits
        assert array_namespace(logits) is strict
        assert device(logits) == device(ids)
        np.testing.assert_allclose(to_host(logits), Oracle(P)(ids_of(PATTERNS, 2)).logits)
    assert isinstance(Oracle(there)([[2, 2, 2]]).logits, np.ndarray)


def test_exact_data_answer_in_floats():
    p = gallery.parity(3, exact=True)
    np.testing.assert_allclose(np.exp(Oracle(p)([[0, 0, 2]]).logits[0, 2]), [1, 0, 0], atol=0)


# Answering by something else


def test_conventions_and_data_are_replaced_for_a_while():
    other = gallery.parity(3)
    model, x = Oracle(P), ids_of(PATTERNS, 2)
    before = model(x).logits
    with answering(observed="flat"):
        np.testing.assert_array_equal(model(x).logits, Oracle(P, observed="flat")(x).logits)
        with answering(p=other):
            both = Oracle(other, observed="flat")
            np.testing.assert_array_equal(model(x).logits, both(x).logits)
            with answering(observed="one-hot"):
                np.testing.assert_array_equal(model(x).logits, Oracle(other)(x).logits)
        assert model(x).logits[0, 0, 0] == pytest.approx(math.log(0.5))
    np.testing.assert_array_equal(model(x).logits, before)


def test_many_tables_one_after_the_other():
    """More than are remembered; each is answered for itself."""
    model = Oracle(P)
    for k in range(1, 12):
        p = JointTable([[[k, 1], [1, 1]], [[1, 1], [1, 1]]])
        with answering(p=p):
            share = np.exp(model([[2, 2, 2]]).logits[0, 0, 0])
        assert share == pytest.approx((k + 3) / (k + 7))


# What a replay is told


def test_a_replay_is_told_of_each_call():
    """Rows that are finished when others are not have fewer."""
    model = Oracle(P, mask_id=9, prompt=(0,))
    with replaying(Replay(np.full((2, 1), END))) as run:
        model([[0, 9, 9, 9], [0, 9, 9, 9]])
        model([[0, 0, 0, 0], [0, 0, 9, 9]])
        model([[0, 0, 0, 0], [0, 0, 0, 9]])
        assert run.calls.tolist() == [3, 3]
        run.finish(np.asarray([[0, 0, 0], [0, 0, 1]]))
    assert run.calls.tolist() == [1, 3]
    assert run.remasks is False
    with replaying(Replay(np.full((2, 1), END))) as run:
        model([[0, 1, 9, 9], [0, 9, 9, 9]])
        model([[0, 9, 9, 9], [0, 9, 9, 9]])
        assert run.remasks is True
        with pytest.raises(AmbiguousRows, match="3 sequences in 2 rows"):
            model([[0, 9, 9, 9]] * 3)
        model([[0, 9, 9, 9]] * 4)  # with and without guidance
        assert run.calls.tolist() == [3, 3]


test_refused = refusals(
    ("p must be a Distribution", lambda k: Oracle(k), [WEIGHTS]),
    (
        "mask_id must be an integer of at least 2, got {}",
        lambda k: Oracle(P, mask_id=k),
        [0, 1, -1],
    ),
    ("vocab_size must be an integer of at least 2, got {}", lambda k: Oracle(P, vocab_size=k), [1]),
    ("an id of the prompt must be an integer", lambda k: Oracle(P, prompt=k), [[-1], [0.5]]),
    ("prompt=.0,.", lambda: Oracle(P, shift=True)),
    (
        "observed must be one of one-hot, leave-one-out, flat",
        lambda k: Oracle(P, observed=k),
        ["loo"],
    ),
    ("observed must be one of", lambda k: answering(observed=k).__enter__(), ["loo"]),
    ("p must be a Distribution", lambda k: answering(p=k).__enter__(), [WEIGHTS]),
    ("floor must be a number or -inf, got {}", lambda k: Oracle(P, floor=k), [math.nan, math.inf]),
    ("dtype must be a floating-point type, got int64", lambda: Oracle(P, dtype=np.int64)),
    ("ids must be integers of shape .B, m., got float64", lambda: Oracle(P)([[0.0, 1.0, 2.0]])),
    ("ids must be integers of shape .B, m., got int64 of shape .3,.", lambda: Oracle(P)([0, 1, 2])),
    (r"ids of shape \(1, 4\) for 3 sites after a prompt of 0", lambda: Oracle(P)([[0] * 4])),
    (r"ids of shape \(1, 1\) .* expected \(B, 5\)", lambda: Oracle(P, prompt=(0, 0))([[0]])),
    (
        r"ids of shape \(2, 3\) hold {} in row 1 at site 2, which is neither a token \(0 to 1\) "
        r"nor the mask \(2\)",
        lambda k: Oracle(P)([[0, 1, 2], [0, 0, k]]),
        [3, -1, 99],
    ),
)


def test_data_of_another_shape_are_refused_when_they_are_asked_for():
    with answering(p=gallery.parity(2)), pytest.raises(InvalidInput, match="of another shape"):
        Oracle(P)([[0, 1, 2]])
