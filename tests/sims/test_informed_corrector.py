"""Correctors that choose a site by what is written: what moves the data, and by how much."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from sims import decode, output_distribution
from sims.policies import BlockCorrector, InformedCorrector, TokenConfidence, TopK
from tests.noted import each, refusals
from theory import JointTable, gallery
from theory.claims.kit.generators import symbolic_table

DENSE = JointTable([[1, 2], [3, 4]], exact=True)


def drawn_tables():
    """The tables of claim C11: 20 of 3 sites and 3 tokens, drawn uniformly from all."""
    rng = np.random.default_rng(0)
    return [JointTable(rng.dirichlet(np.ones(27)).reshape(3, 3, 3)) for _ in range(20)]


@each(
    ("corrector", "mean", "most"),
    [
        (lambda: InformedCorrector(None, 100, "confidence"), 0.053, 0.086),
        (lambda: InformedCorrector(None, 100, "current"), 0.128, 0.186),
        (lambda: InformedCorrector(None, 100), 0.201, 0.318),
        (lambda: BlockCorrector(None, 2, 100), 0.178, 0.268),
        (lambda: InformedCorrector(None, 100, repair="accept"), 0, 1e-12),
        (lambda: InformedCorrector(None, 100, "confidence", repair="stay"), 0, 1e-12),
    ],
)
def test_stationary_distances_that_are_said(corrector, mean, most):
    found = [output_distribution(p, corrector()).tv for p in drawn_tables()]
    assert np.mean(found) == pytest.approx(mean, abs=6e-4)
    assert max(found) <= most


def test_what_is_not_given_is_not_printed():
    kinds = [((), ""), (("current",), ", 'current'"), (("margin", 0.5), ", 'margin', 0.5")]
    for arguments, printed in kinds:
        assert (
            repr(InformedCorrector(None, 2, *arguments)) == f"InformedCorrector(None, 2{printed})"
        )
    repaired = InformedCorrector(TopK(1), 2, repair="accept")
    assert repr(repaired) == "InformedCorrector(TopK(1, 'confidence'), 2, 'margin', 1.0, 'accept')"


def test_two_bits_by_hand():
    """At 00 the bits have 1/4 and 1/3, so the first is drawn again in 4 of 7 cases."""
    q = output_distribution(DENSE, InformedCorrector(None, 1, "current"))
    first = {(0, 0): Fraction(4, 7), (0, 1): Fraction(4, 6)}
    first |= {(1, 0): Fraction(4, 11), (1, 1): Fraction(6, 13)}
    p = DENSE.table()
    for a, b in first:
        by_first = sum(p[c, b] * first[c, b] for c in (0, 1)) * p[a, b] / p[:, b].sum()
        by_second = sum(p[a, c] * (1 - first[a, c]) for c in (0, 1)) * p[a, b] / p[a, :].sum()
        assert q.table[a, b] == by_first + by_second


class Fixed(InformedCorrector):
    """The same probabilities in every sequence."""

    def __init__(self, chosen):
        super().__init__(None, 1)
        self.chosen = np.asarray(chosen)

    def site_probabilities(self, tokens, predictions):
        return np.broadcast_to(self.chosen, tokens.shape)


def test_probabilities_of_ones_own():
    """What is left to 1 stays: with nothing chosen everything does."""
    for chosen in ([1, 0], [Fraction(1, 3), Fraction(1, 3)], [0, 0]):
        assert output_distribution(DENSE, Fixed(chosen)).tv == 0
    zeros = JointTable([[1, 0], [0, 0]], exact=True)
    quarter = Fixed([Fraction(1, 4), 0])
    q = output_distribution(
        DENSE, quarter, denoiser=lambda x: zeros.denoise(x, on_impossible="marginal")
    )
    assert q.table.tolist() == [
        [Fraction(7, 40), Fraction(3, 10)],
        [Fraction(9, 40), Fraction(3, 10)],
    ]


@each("selection", ["confidence", "current", "margin"])
@each("repair", [None, "accept"])
def test_zeros_are_never_written_and_data_without_doubt_stay(selection, repair):
    pairs = gallery.coupled_pairs(2, exact=True)
    corrector = InformedCorrector(None, 3, selection, repair=repair)
    assert output_distribution(pairs, corrector).tv == 0
    p = gallery.permutations(3)
    wrong = InformedCorrector(TokenConfidence(3), 2, selection, repair=repair)
    written = decode(p, wrong, np.random.default_rng(0), 200)
    assert written.rounds.tolist() == [3] * 200
    q = output_distribution(p, wrong)
    assert q.table.sum() == pytest.approx(1)
    assert (q.table[tuple(written.tokens.T)] > 0).all()


def test_what_is_left_out_of_a_prompt_is_corrected():
    p = gallery.words(4).given("t___")
    corrector = InformedCorrector(None, 5, "current")
    written = decode(gallery.words(4), corrector, np.random.default_rng(0), 50, prompt="t___")
    assert (written.tokens[:, 0] == 19).all()
    assert np.isfinite(p.log_evidence(written.tokens)).all()


def test_low_temperatures_do_not_overflow():
    p = JointTable([[1e-9, 0.5], [0.4, 0.1]])
    for selection in ("confidence", "current", "margin"):
        for temperature in (1e-3, 1e3):
            q = output_distribution(p, InformedCorrector(None, 4, selection, temperature))
            assert q.table.sum() == pytest.approx(1)
    hot = output_distribution(p, InformedCorrector(None, 20, "margin", 1e9))
    assert hot.tv == pytest.approx(0, abs=1e-8)


def test_symbols_that_need_not_be_compared():
    q = output_distribution(symbolic_table(), InformedCorrector(None, 1, "current"))
    assert sympy.simplify(q.table.sum()) == 1


test_what_is_refused = refusals(
    (
        "selection must be one of confidence, current",
        lambda s: InformedCorrector(None, 1, s),
        ["entropy"],
    ),
    ("repair must be None", lambda r: InformedCorrector(None, 1, repair=r), ["again"]),
    ("nothing stays for selection 'margin'", lambda: InformedCorrector(None, 1, repair="stay")),
    ("temperature must be", lambda t: InformedCorrector(None, 1, "margin", t), [0, -1, None]),
    (
        "temperature of 1/n, got 0.3",
        lambda: output_distribution(DENSE, InformedCorrector(None, 1, "margin", 0.3)),
    ),
    ("sum to 3/2, to more than 1", lambda: output_distribution(DENSE, Fixed([1, Fraction(1, 2)]))),
    ("must not be negative, got -1", lambda: output_distribution(DENSE, Fixed([2, -1]))),
    (
        "cannot be compared",
        lambda selection: output_distribution(
            symbolic_table(), InformedCorrector(None, 1, selection, repair="accept")
        ),
        ["confidence", "current"],
    ),
    (r"shape \(4, 1\); expected \(4, 2\)", lambda: output_distribution(DENSE, Short())),
)


class Short(InformedCorrector):
    def __init__(self):
        super().__init__(None, 1)

    def site_probabilities(self, tokens, predictions):
        return np.ones((len(tokens), 1))
