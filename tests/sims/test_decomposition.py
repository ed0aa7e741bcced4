"""The parts of path KL, against a walk over all contexts by the definition of each part."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from sims import Perturbed, output_distribution, policies
from sims.imperfect.decomposition import excess_loss, split
from tests import oracles
from tests.cases import EXACT_CASES, FAMILIES, build_exact, random_weights
from tests.noted import each, refusals
from tests.sims import policy_oracles as slow
from tests.sims.policy_table import HALF, answers_of, one_of_each
from theory import (
    MASK,
    EmpiricalDistribution,
    JointTable,
    TooLarge,
    gallery,
)

FIFTH = Fraction(1, 5)

ROWS = [number for number, (_, oracle) in enumerate(one_of_each(3)) if slow.has_path(oracle)]
each_row = each("number", ROWS)


def divergence(truth, guess, exact):
    """KL of two rows."""
    terms = []
    for p, q in zip(truth, guess, strict=True):
        terms += [oracles.times_log(p, p, exact), -oracles.times_log(p, q, exact)]
    return oracles.total(terms, exact)


def by_definition(joint, vocab, decoder, ask, exact=False, start=None):
    """(learning, factorisation) of every step, over all contexts that the data lead to."""
    layer = start or {(MASK,) * oracles.length_of(joint): Fraction(1)}
    decoder, index, parts = slow.from_start(decoder, next(iter(layer))), 0, []
    scale = oracles.rational if exact else float
    while slow._going_on(decoder, layer, index) and any(MASK in pattern for pattern in layer):
        after, learning, factorisation = {}, [], []
        for pattern, mass in layer.items():
            if MASK not in pattern:
                after[pattern] = after.get(pattern, 0) + mass
                continue
            prediction, draws = ask(pattern)
            given = oracles.condition(joint, pattern)
            truth = oracles.site_marginals(given, vocab)
            for probability, sites in decoder.choice(
                pattern, slow.masked_sites(pattern), prediction, index
            ):
                weight = scale(mass * probability)
                learning += [weight * divergence(truth[i], draws[i], exact) for i in sites]
                if sites:
                    tc = oracles.total_correlation(joint, sites, pattern, exact)
                    factorisation.append(weight * tc)
                for tokens, share in oracles.marginal(given, sites).items():
                    if mass * probability * share != 0:
                        key = oracles.reveal(pattern, sites, tokens)
                        after[key] = after.get(key, 0) + mass * probability * share
        parts.append((oracles.total(learning, exact), oracles.total(factorisation, exact)))
        layer, index = after, index + 1
    return parts


EXACT = [c for c in EXACT_CASES if 2 <= c.length <= 3 and c.vocab >= 2 and len(c.patterns) <= 27]


@each_row
def test_exact_parts(number):
    for case in EXACT[:: max(1, len(EXACT) // 3)]:
        p = build_exact(case)
        policy, decoder = one_of_each(case.length, case.vocab)[number]
        denoiser = Perturbed(p, smoothing=FIFTH)
        found = split(p, policy, denoiser=denoiser)
        ask = slow.asking(answers_of(case, denoiser))
        expected = by_definition(case.joint, case.vocab, decoder, ask, exact=True)
        assert len(found.by_round) == len(expected)
        for ours, theirs in zip(found.by_round, expected, strict=True):
            assert [sympy.expand(a - b) for a, b in zip(ours, theirs, strict=True)] == [0, 0]
        assert found.path_kl == found.learning + found.factorisation


@each_row
@pytest.mark.parametrize("temperature", [1, 0.6])
def test_parts_in_floats(number, temperature):
    for case in FAMILIES[::2]:
        p = case.build()
        policy, decoder = one_of_each(case.length, case.vocab)[number]
        denoiser = Perturbed(p, noise=0.8, temperature=1.3, smoothing=0.1, seed=5)
        found = split(p, policy, denoiser=denoiser, temperature=temperature)
        ask = slow.asking(
            answers_of(case, denoiser), lambda row: oracles.tempered(row, temperature)
        )
        expected = by_definition(case.joint, case.vocab, decoder, ask)
        np.testing.assert_allclose(found.by_round, expected, rtol=1e-9, atol=1e-12)


@each_row
def test_path_kl_is_that_of_the_output_distribution(number):
    p = JointTable(random_weights(7, (2, 2, 2, 2, 2), zeros=0.3))
    denoiser = Perturbed(p, noise=0.8, smoothing=0.1, seed=5)
    for observed in ((), (1, 3)):
        made, _ = one_of_each(5, 2, 5 - len(observed))[number]
        if observed and isinstance(made, policies.Tabulated):
            continue  # it is for whole sequences
        found = split(p, made, denoiser=denoiser, observed=observed)
        q = output_distribution(p, made, denoiser=denoiser, observed=observed)
        assert found.path_kl == pytest.approx(q.path_kl, rel=1e-10)
        assert found.path_kl == pytest.approx(found.learning + found.factorisation, rel=1e-10)
        sums = [a + b for a, b in found.by_round]
        np.testing.assert_allclose(sums, q.round_costs, rtol=1e-9, atol=1e-12)


def test_a_prompt():
    """Parts given the tokens of a site, by the definition, from all its values."""
    case = next(c for c in EXACT if c.length == 3)
    p = build_exact(case)
    denoiser = Perturbed(p, smoothing=HALF)
    start = {
        oracles.reveal((MASK,) * 3, [1], tokens): probability
        for tokens, probability in oracles.marginal(case.joint, [1]).items()
        if probability != 0
    }
    ask = slow.asking(answers_of(case, denoiser))
    decoder = slow.Selecting(slow.left_to_right(2))
    expected = by_definition(case.joint, case.vocab, decoder, ask, exact=True, start=start)
    found = split(p, policies.LeftToRight(2), denoiser=denoiser, observed=[1])
    assert [sympy.expand(a - b) for a, b in zip(found.by_round[0], expected[0], strict=True)] == [
        0,
        0,
    ]


# What is true, and what is not


def test_the_temperature_of_the_draws_is_part_of_the_denoiser():
    p = gallery.binary_symmetric(4, 0.1)
    drawn_colder = split(p, policies.LeftToRight(2), temperature=0.5)
    colder = split(p, policies.LeftToRight(2), denoiser=Perturbed(p, temperature=0.5))
    assert drawn_colder.learning > 0.1
    np.testing.assert_allclose(drawn_colder.by_round, colder.by_round, rtol=1e-10, atol=1e-14)


def test_what_is_excluded_but_happens_is_an_infinite_part():
    p = gallery.coupled_pairs(1)
    found = split(p, policies.LeftToRight(), temperature=0)
    assert found.learning == math.inf == found.path_kl
    assert found.factorisation == 0
    exact = gallery.coupled_pairs(1, exact=True)
    assert split(exact, policies.LeftToRight(), temperature=0).learning == sympy.oo


@pytest.mark.parametrize("case", EXACT[::4], ids=lambda case: case.name)
def test_the_excess_loss(case):
    p = build_exact(case)
    denoiser = Perturbed(p, smoothing=FIFTH)
    loss = oracles.expected_continuous_nelbo(case.joint, answers_of(case, denoiser), exact=True)
    found = excess_loss(p, denoiser)
    assert sympy.expand(found - loss + oracles.entropy(case.joint, exact=True)) == 0
    assert sympy.expand(found - split(p, policies.FirstHitting(), denoiser=denoiser).learning) == 0
    assert excess_loss(p, p.denoise) == 0


def test_a_table_whose_lattice_does_not_fit(monkeypatch):
    """2^20 cells are a table, 3^20 no lattice; then the evidence of what is met is asked for."""
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(2**30))
    p = EmpiricalDistribution([[0] * 20, [0] * 10 + [1] * 10, [1] * 20])
    with pytest.raises(TooLarge, match="evidence lattice"):
        output_distribution(p, policies.LeftToRight(10))
    found = split(p, policies.LeftToRight(10), denoiser=Perturbed(p, smoothing=0.5))
    # the first half holds one bit ten times, and so does the other where the first is 0
    first = (2 * math.log(3 / 2) + math.log(3)) / 3
    expected = [9 * first, 9 * 2 / 3 * math.log(2)]
    np.testing.assert_allclose([b for _, b in found.by_round], expected, rtol=1e-12)
    assert found.path_kl == pytest.approx(found.learning + found.factorisation, rel=1e-12)
    with pytest.raises(TooLarge):
        split(EmpiricalDistribution([[0] * 40, [1] * 40]), policies.LeftToRight())


# What is refused

P = gallery.parity(3)
ANY: Any = policies.LeftToRight()


class Given(policies.Policy):
    """One site, with these probabilities."""

    def __init__(self, *probabilities, steps=None):
        self.probabilities, self._steps = probabilities, steps

    @property
    def steps(self):
        return self._steps

    def reveal_distribution(self, x, predictions, round_index):
        for probability in self.probabilities:
            yield probability, (x == MASK) & (np.cumsum(x == MASK, axis=1) == 1)


WITHOUT_A_PATH = [
    policies.TokenConfidence(1),
    policies.Speculative(),
    policies.Remask((0, HALF, 1), HALF),
    policies.GibbsCorrector(policies.LeftToRight(), 1),
]
test_refusals = refusals(
    ("path", lambda policy: split(P, policy), WITHOUT_A_PATH),
    ("policy", lambda policy: split(P, policy), ["left to right"]),
    ("Distribution", lambda p: split(p, ANY), [None]),
    ("Distribution", lambda p: excess_loss(p, P.denoise), [None]),
    ("temperature", lambda: split(P, ANY, temperature=-1)),
    ("nothing is left", lambda: split(P, ANY, observed=range(3))),
    ("sum", lambda: split(P, policies.RandomOrder((1, 1)))),
    ("no site", lambda: split(P, lambda x, predictions: np.zeros(x.shape, dtype=bool))),
    ("exact denoiser", lambda: split(gallery.parity(3, exact=True), ANY, denoiser=P.denoise)),
    ("Fractions", lambda: split(gallery.parity(3, exact=True), Given(0.5, 0.5))),
    ("sum to 0.9", lambda: split(P, Given(0.5, 0.4))),
    ("shape", lambda: split(P, Given(np.ones((2, 2))))),
    ("negative", lambda: split(P, Given(1.5, -0.5))),
    ("masked at the end", lambda: split(P, Given(1, steps=2))),
)


def test_it_can_be_read():
    assert repr(split(P, policies.LeftToRight(3))) == (
        "<KLDecomposition: path KL 0.6931 = learning 0 + factorisation 0.6931>"
    )
