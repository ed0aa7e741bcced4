"""The verdict on samplers: right ones pass, and every planted fault is found."""

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from sims import Perturbed, output_distribution, policies
from sims.conformance import Oracle, check
from sims.conformance.check import _holm
from sims.conformance.ties import find_ties, untied
from sims.conformance.verdict import WIDTH
from tests.noted import each, refusals
from tests.sims.conformance.planned_samplers import PLAIN, sampler_of
from theory import JointTable, gallery
from theory._console.format import as_json


def random_table(seed, vocab, length):
    return JointTable(np.random.default_rng(seed).gamma(0.5, size=(vocab,) * length))


THREE = random_table(3, 3, 3)
AFTER = replace(PLAIN, select="after")
TOKENS = policies.TokenConfidence(1)

# Right samplers

RIGHT = {
    "top-k": (PLAIN, policies.TopK(1), {}),
    "top-k, the data": (PLAIN, None, {}),
    "two at once": (replace(PLAIN, k=2), policies.TopK(2), {}),
    "drawn tokens": (AFTER, TOKENS, {}),
    "tempered draws": (replace(AFTER, temperature=0.5), TOKENS, {"temperature": 0.5}),
    "prompt": (replace(PLAIN, prompt=(1,)), None, {"prompt": "1__"}),
    "a site drawn again": (replace(PLAIN, prompt=(1,), redraws="free"), None, {"prompt": "1__"}),
}

# Each with what it is taken for

FAULTS = {
    "draws first and selects after": (AFTER, policies.TopK(1), {}),
    "selects first and draws after": (PLAIN, TOKENS, {}),
    "draws from tempered scores": (replace(AFTER, temperature=0.5), TOKENS, {}),
    "tempers the score as well": (
        replace(AFTER, temperature=0.5, score_temperature=0.5),
        TOKENS,
        {"temperature": 0.5},
    ),
    "reveals two in the last step": (replace(PLAIN, two_last=True), policies.TopK(1), {}),
    "begins a round late": (replace(PLAIN, late=True), policies.TopK(1), {}),
    "remasks the prompt": (
        replace(PLAIN, prompt=(1,), redraws="any"),
        None,
        {"prompt": "1__"},
    ),
    "ignores the mask id": (replace(PLAIN, draws_masks=True), policies.TopK(1), {}),
}


@pytest.mark.parametrize("paths", [0, 100_000], ids=["drawn", "exact"])
@pytest.mark.parametrize("name", RIGHT)
def test_right_samplers_agree(name, paths):
    plan, against, settings = RIGHT[name]
    sampler = sampler_of(Oracle(THREE), plan)
    rng = np.random.default_rng(5)
    verdict = check(sampler, THREE, against, paths=paths, rng=rng, **settings)
    assert verdict.agrees
    assert verdict.exact == (paths > 0)
    assert verdict.reads_observed is False
    assert verdict.outside == 0
    if verdict.exact:
        assert verdict.tv < 1e-12
        assert (verdict.p_value, verdict.noise, verdict.draws) == (None, None, None)
    else:
        assert verdict.p_value is not None
        assert verdict.noise is not None
        assert verdict.p_value > 1e-3
        assert verdict.tv < verdict.noise.quantile * 1.2
        assert verdict.noise.mean < verdict.noise.quantile < 0.02


@pytest.mark.parametrize("paths", [0, 100_000], ids=["drawn", "exact"])
@pytest.mark.parametrize("name", FAULTS)
def test_planted_faults_are_found(name, paths):
    plan, against, settings = FAULTS[name]
    floor = -5 if plan.draws_masks else -math.inf
    sampler = sampler_of(Oracle(THREE, floor=floor), plan)
    paths = min(paths, 2000)  # with a floor there are many, of which the first decide
    rng = np.random.default_rng(5)
    verdict = check(sampler, THREE, against, paths=paths, rng=rng, **settings)
    assert not verdict
    assert verdict.exact == (paths > 0)
    assert verdict.tv > 1e-3
    assert (verdict.outside > 0) == plan.draws_masks


def test_noise_in_float32_is_found_where_a_token_is_certain():
    """A uniform number is 0 once in 2^24 draws; then all scores are infinite, and token 0 is taken.

    So draws show it and an enumeration, which takes noise for what it stands for, does not.
    """
    length = 8
    ones = JointTable(np.eye(2**length)[-1].reshape((2,) * length))
    model = Oracle(ones)

    def sampler(n, rng):
        x = np.full((1, length), model.mask_id)
        logits = model(x).logits[..., :2].astype(np.float32)
        with np.errstate(divide="ignore"):
            noise = -np.log(-np.log(rng.random((n, length, 2), dtype=np.float32)))
        return (logits + noise).argmax(axis=-1)

    settings = {"rng": np.random.default_rng(0), "extras": False, "batch": 2**17}
    assert check(sampler, ones, paths=0, draws=2**12, **settings)
    verdict = check(sampler, ones, paths=0, draws=2**22, **settings)
    assert not verdict
    assert 0 < verdict.tv < 1e-5
    assert check(sampler, ones, extras=False).tv == 0


def test_the_rate_of_false_alarms_is_kept():
    """300 right samplers on as many tables, tested as strictly as nobody would."""
    alpha, wrong, rng = 0.05, 0, np.random.default_rng(11)
    rows = [(PLAIN, policies.TopK(1)), (AFTER, TOKENS), (replace(PLAIN, k=2), policies.TopK(2))]
    shapes = [(2, 2), (3, 2), (2, 3)]
    for seed in range(300):
        plan, against = rows[seed % 3]
        p = random_table(seed, *shapes[seed // 3 % 3])
        sampler = sampler_of(Oracle(p), plan)
        wrong += not check(
            sampler, p, against, paths=0, draws=300, alpha=alpha, rng=rng, extras=False
        )
    spread = math.sqrt(300 * alpha * (1 - alpha))
    assert wrong <= 300 * alpha + 3.1 * spread
    assert wrong >= 300 * alpha - 3.1 * spread  # it is not the test that never fires


def test_p_values_are_adjusted_by_holm():
    assert _holm([0.03, 0.01, 0.02]) == [0.04, 0.03, 0.04]
    assert _holm([0.5, 0.6]) == [1.0, 1.0]
    assert _holm([]) == []


# What else is tried


def reader(model):
    """Draws everything at once, and where it wrote something once more, from what it now reads."""

    def sampler(n, rng):
        x = np.full((n, model.p.length), model.mask_id)
        for _ in range(2):
            logits = model(x).logits[..., : model.p.vocab]
            x = (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)
        return x

    return sampler


@pytest.mark.parametrize("paths", [0, 100_000], ids=["drawn", "exact"])
def test_what_reads_observed_sites_is_told_under_all_conventions(paths):
    """One-hot, the second draw changes nothing; flat, it writes anything."""
    p = gallery.repeated_bit(2, noise=0.25)
    stays = output_distribution(p, policies.RandomOrder((2,)))
    rng = np.random.default_rng(0)
    verdict = check(reader(Oracle(p)), p, stays, paths=paths, rng=rng)
    assert verdict.agrees
    assert verdict.reads_observed
    cases = verdict.conventions
    assert list(cases) == ["one-hot", "leave-one-out", "flat"]
    # Bits are fair, so flat is right all the same; not on a table that is not symmetric.
    assert [case.agrees for case in cases.values()] == [True, True, True]
    skew = JointTable([[5, 1], [1, 2]])
    expected = output_distribution(skew, policies.RandomOrder((2,)))
    verdict = check(reader(Oracle(skew)), skew, expected, paths=paths, rng=rng)
    cases = verdict.conventions
    assert [cases[name].agrees for name in ("one-hot", "flat")] == [True, False]
    flat = np.abs(expected.table - 0.25).sum() / 2
    assert cases["flat"].tv == pytest.approx(flat, abs=0.02 if paths == 0 else 1e-12)
    assert "are read" in " ".join(str(verdict).split())


def test_reading_once_in_two_thousand_times_is_found():
    """Where 01 is written, which is rare, the likelier second token is looked up once more."""
    p = JointTable(np.asarray([[1000, 1], [500, 499]]) / 2000)
    model = Oracle(p)
    plain = sampler_of(model)

    def sampler(n, rng):
        x = plain(n, rng)
        second = model(x).logits[:, 1, :2].argmax(axis=-1)
        x[:, 1] = np.where((x == [0, 1]).all(axis=1), second, x[:, 1])
        return x

    verdict = check(sampler, p)
    assert verdict.reads_observed
    found = {name: (case.agrees, case.tv) for name, case in verdict.conventions.items()}
    assert found["one-hot"] == (True, pytest.approx(0, abs=1e-12))
    assert found["leave-one-out"] == (False, pytest.approx(1 / 2000))


def test_a_reader_that_takes_one_sequence_is_found_as_well():
    p = JointTable([[5, 1], [1, 2]])

    def alone(sampler):
        def one(n, rng):
            if n > 1:
                raise RuntimeError("one at a time")
            return sampler(n, rng)

        return one

    model = Oracle(p)
    assert check(alone(reader(model)), p).reads_observed
    assert check(alone(sampler_of(model)), p).reads_observed is False


def highest(model):
    """Most confident first, of equal ones the highest index."""

    def sampler(n, rng):
        x = np.full((n, model.p.length), model.mask_id)
        for _ in range(model.p.length):
            logits = model(x).logits[..., : model.p.vocab]
            drawn = (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)
            score = np.exp(np.take_along_axis(logits, drawn[..., None], axis=-1)[..., 0])
            score = np.where(x == model.mask_id, np.round(score, 10), -1)
            best = x.shape[1] - 1 - score[:, ::-1].argmax(axis=1)
            x[np.arange(n), best] = drawn[np.arange(n), best]
        return x

    return sampler


@pytest.mark.parametrize("paths", [0, 100_000], ids=["drawn", "exact"])
def test_ties_that_decide_are_told(paths):
    p = gallery.binary_symmetric(3, 0.1)
    rng = np.random.default_rng(0)
    verdict = check(highest(Oracle(p)), p, TOKENS, paths=paths, rng=rng)
    assert not verdict
    assert verdict.tv > 0.05
    assert verdict.ties is not None
    assert verdict.untied is not None
    assert verdict.ties.tied > 0
    assert verdict.untied.agrees
    assert verdict.ties_decide
    assert "which of equals comes first" in " ".join(str(verdict).split())
    # One that is wrong is wrong without ties, too.
    verdict = check(sampler_of(Oracle(p), AFTER), p, policies.TopK(1), paths=paths, rng=rng)
    assert not verdict
    assert verdict.untied is not None
    assert not verdict.untied.agrees
    assert not verdict.ties_decide


def test_ties_are_counted_as_they_are_defined():
    p = gallery.binary_symmetric(3, 0.1)
    equal = contexts = 0
    for x in itertools.product((0, 1, -1), repeat=3):
        masked = [i for i in range(3) if x[i] < 0]
        if len(masked) < 2:
            continue
        contexts += 1
        rows = p.denoise(np.asarray(x))
        equal += any(
            abs(a - b) < 1e-9
            for i, j in itertools.combinations(masked, 2)
            for a in rows[i]
            for b in rows[j]
        )
    assert 0 < equal < contexts
    assert find_ties(p) == (equal, contexts)
    found = find_ties(random_table(0, 3, 3))
    assert found is not None
    assert found.tied == 0
    assert find_ties(gallery.binary_symmetric(64, 0.1)) is None


@each("p", [gallery.repeated_bit(4), gallery.permutations(3), gallery.parity(4), gallery.words(2)])
def test_a_distribution_without_ties_is_near(p):
    near = untied(p)
    assert near is not None
    left = find_ties(near)
    assert left is not None
    assert left.tied == 0
    assert 0 < np.abs(near.table() - p.table()).sum() / 2 < 0.08


def test_a_sampler_without_an_oracle_has_no_conventions():
    p = JointTable([[1, 1], [1, 1]])
    verdict = check(lambda n, rng: rng.integers(2, size=(n, 2)), p)
    assert verdict.agrees
    assert verdict.calls == 0
    assert (dict(verdict.conventions), verdict.reads_observed, verdict.untied) == ({}, None, None)


def test_another_model_belongs_to_its_data():
    """So there is no trial of it on a distribution nearby."""
    p = gallery.binary_symmetric(3, 0.1)
    model = Perturbed(p, temperature=0.5)
    verdict = check(sampler_of(Oracle(p), AFTER), p, TOKENS, denoiser=model)
    assert not verdict
    assert verdict.untied is None
    assert check(sampler_of(Oracle(p), AFTER), p, TOKENS).untied is not None


def test_what_is_not_the_same_twice_is_not_called_a_reader():
    """Of numbers of its own, it cannot be said whether a convention changed them."""
    own = np.random.default_rng(8)

    def sampler(n, rng):
        return sampler_of(Oracle(THREE))(n, own)

    rng = np.random.default_rng(0)
    verdict = check(sampler, THREE, paths=0, draws=2000, rng=rng)
    assert verdict.agrees
    assert verdict.reads_observed is None
    assert dict(verdict.conventions) == {}


# How it is done


def test_what_cannot_be_enumerated_is_named_and_drawn():
    p = JointTable([1, 3])

    def sampler(n, rng):
        return (rng.normal(size=(n, 1)) < 0.6744897501960817).astype(np.int64)  # the upper quartile

    verdict = check(sampler, p, np.asarray([0.25, 0.75]), rng=np.random.default_rng(0))
    assert verdict.agrees
    assert not verdict.exact
    assert verdict.why_drawn is not None
    assert "normal" in verdict.why_drawn
    assert "test_check.py:" in verdict.why_drawn


def test_where_too_many_paths_are_left_out_it_is_drawn():
    """Unless those that were run decide."""
    sampler, rng = sampler_of(Oracle(THREE)), np.random.default_rng(0)
    few = check(sampler, THREE, policies.TopK(1), paths=20, rng=rng, extras=False)
    assert few.agrees
    assert not few.exact
    assert "20 paths leave out" in str(few.why_drawn)
    wrong = check(sampler, THREE, JointTable(np.eye(27)[0].reshape(3, 3, 3)), paths=20)
    assert wrong.exact
    assert not wrong
    assert 0 < wrong.missing < 1
    whole = check(sampler, THREE, JointTable(np.eye(27)[0].reshape(3, 3, 3)))
    assert wrong.tv <= whole.tv <= wrong.tv + wrong.missing
    assert f"TV {wrong.tv:.3g} to {min(wrong.tv + wrong.missing, 1):.3g}>" in repr(wrong)


def test_the_furthest_sequence_is_that():
    p = JointTable([[1, 1], [1, 1]])
    q = JointTable([[4, 1], [1, 2]])
    verdict = check(lambda n, rng: rng.integers(2, size=(n, 2)), p, q)
    assert verdict.furthest == ((0, 0), 0.25, 0.5)
    assert verdict.tv == 0.25


@pytest.mark.parametrize("paths", [0, 100_000], ids=["drawn", "exact"])
def test_a_report_is_narrow_and_numbers_are_json(paths):
    p = gallery.words(3)
    rng, sampler = np.random.default_rng(0), lambda n, rng: np.full((n, 3), [19, 7, 4])
    verdict = check(sampler, p, paths=paths, rng=rng)
    page = str(verdict)
    assert max(map(len, page.splitlines())) <= WIDTH
    assert "\nthe " in page
    assert "disagrees" in repr(verdict)
    assert "\n" not in repr(verdict)
    found = json.loads(as_json(verdict.to_dict()))
    assert found["furthest"]["spelled"] == "the"
    assert found["agrees"] is False
    assert found["exact"] == (paths > 0)
    assert set(found) >= {"tv", "p_value", "noise", "missing", "outside", "calls", "conventions"}


def test_a_sampler_that_takes_one_sequence_is_drawn_one_by_one():
    p, asked = JointTable([1, 1]), []

    def sampler(n, rng):
        asked.append(n)
        if n > 1:
            raise RuntimeError("one at a time")
        return rng.integers(2, size=(1, 1))

    assert check(sampler, p, paths=0, draws=50, rng=np.random.default_rng(0))
    assert asked.count(1) >= 50
    assert set(asked) == {1, 2}


def test_fewer_are_drawn_at_once_with_a_large_vocabulary():
    p, most = JointTable([1, 1]), []
    model = Oracle(p, mask_id=2**14, vocab_size=2**14 + 1)

    def sampler(n, rng):
        most.append(n)
        logits = model(np.full((n, 1), model.mask_id)).logits
        return (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)

    assert check(sampler, p, paths=0, draws=1000, rng=np.random.default_rng(0), extras=False)
    assert max(most) == 2**22 // (2**14 + 1)


def test_the_generator_is_used_once():
    """Each check has draws of its own, and the same seed the same ones."""
    p = JointTable([1, 3])
    seen = []

    def sampler(n, rng):
        seen.append(rng.random(n))
        return (seen[-1] < 0.75).astype(np.int64)[:, None]

    for rng in (np.random.default_rng(0), np.random.default_rng(0)):
        for _ in range(2):
            check(sampler, p, paths=0, draws=500, batch=500, rng=rng)
    first, second, again, _ = seen
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


COIN = JointTable([1, 1])


def constant(answer):
    return lambda n, rng: answer


test_what_is_refused = refusals(
    (
        "draws must be an integer of at least 1, got {}",
        lambda n: check(constant(0), COIN, draws=n),
        [0, 1.5],
    ),
    ("alpha must be", lambda a: check(constant(0), COIN, alpha=a), [0, 0.7]),
    ("tolerance must be", lambda t: check(constant(0), COIN, tolerance=t), [-1e-9]),
    ("p must be a Distribution", lambda p: check(constant(0), p), [np.ones(2)]),
    ("paths=0 asks", lambda: check(constant(0), COIN, paths=0)),
    (
        "returned an array of shape",
        lambda a: check(constant(a), COIN, paths=0, rng=np.random.default_rng(0), batch=3),
        [np.zeros(3, dtype=int), np.zeros((2, 1), dtype=int)],
    ),
    (
        "tokens are integers",
        lambda a: check(constant(a), COIN, paths=0, draws=3, rng=np.random.default_rng(0), batch=3),
        [np.zeros((3, 1))],
    ),
    ("against must sum to 1", lambda a: check(constant(0), COIN, a), [np.ones(2)]),
    ("has shape", lambda a: check(constant(0), COIN, a), [np.ones(4) / 4, gallery.parity(2)]),
    ("temperature: only a policy", lambda: check(constant(0), COIN, temperature=0.5)),
    ("prompt goes with", lambda: check(constant(0), COIN, np.ones(2) / 2, prompt=[0])),
)
