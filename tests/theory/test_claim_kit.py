"""Claims as such: false ones are refuted readably, broken ones are refused."""

import dataclasses
import json
import math
import re
import subprocess
import sys
import tomllib
from concurrent.futures import BrokenExecutor, Future
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import strategies as st

from tests.noted import refusals
from theory import JointTable, MarkovChain, TooLarge, bounds, gallery, information, strategies
from theory.__main__ import main
from theory._console.claim_files import claim_files
from theory._console.executors import InProcess
from theory._core.bound import Bound
from theory.claims import Check, Claim, Level, Provenance, Registry, Verdict, registry
from theory.claims.kit.certified import certified
from theory.claims.kit.describe import describe
from theory.claims.kit.generators import symbolic_table
from theory.claims.kit.inequality import closeness, excess
from theory.claims.kit.registry import GROUP
from theory.claims.kit.report import run_claims
from theory.proofs import (
    Certificate,
    Conclusion,
    FreeEntropies,
    FreeProfile,
    Information,
    Proof,
    Statement,
    Unknown,
)
from theory.proofs.free_entropies import profiles_and_schedules

ROOT = Path(__file__).parents[2]


def tc_exceeds_dtc(p, sign=1):
    """How far TC is above DTC: positive on the repeated bit, so the claim is false."""
    over = information.total_correlation(p) - information.dual_total_correlation(p)
    return max(float(over) * sign, 0.0)


def make(*checks: Check, **changes) -> Claim:  # checks=None: they are declared later
    fields = {
        "id": "X1",
        "title": "TC is at most DTC",
        "statement": "TC <= DTC.",
        "latex": "TC \\le DTC",
        "source": "nobody",
        "provenance": Provenance.OURS,
        "verdict": Verdict.HOLDS,
        "checks": checks,
    }
    return Claim(**{**fields, **changes})


def exactly(residual, planted, length=2, **options) -> Check:
    """A check of exact tables of so many bits."""
    bits: dict[str, Any] = {"lengths": (length, length), "vocabs": (2, 2)}
    options.setdefault("distributions", lambda: strategies.joint_tables(**bits, exact=True))
    return Check(level=Level.EXACT, residual=residual, planted=planted, **options)


def of_named(residual, planted, named, **options) -> Check:
    options |= {"level": Level.NUMERIC, "tolerance": 1e-9}
    return Check(residual=residual, planted=planted, named=lambda: named, **options)


def false_claim() -> Claim:
    return make(exactly(tc_exceeds_dtc, {"sign": -1}, length=3))


def test_a_false_claim_is_refuted_by_a_table_that_can_be_read():
    """The smallest counterexample has two sequences of probability 1/2 (see docs/extend.md)."""
    claim = false_claim()
    result = claim.run(claim.checks[0], examples=500)
    assert not result
    rows = [r.split() for r in result.counterexample.splitlines() if r.endswith("1/2")]
    assert [row[-1] for row in rows] == ["1/2", "1/2"]
    first, second = (list(map(int, row[:-1])) for row in rows)
    assert [a + b for a, b in zip(first, second, strict=True)] == [1, 1, 1]
    assert math.isclose(
        tc_exceeds_dtc(JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 1]]])), math.log(2)
    )


def test_a_residual_that_is_not_a_number_is_no_pass():
    bit = {"a bit": JointTable([1, 1])}
    check = of_named(lambda p, value=math.nan: value, {"value": 1.0}, bit)
    result = make(check).run(check)
    assert not result.passed
    assert "a bit" in result.counterexample
    assert make(check).run(check, planted=True).worst == 1.0


@pytest.mark.parametrize(
    ("residual", "passes"),
    [
        (sympy.log(6) - sympy.log(2) - sympy.log(3), True),
        (sympy.sqrt(8) - 2 * sympy.sqrt(2), True),
        (sympy.Symbol("x") - sympy.Symbol("x"), True),
        (sympy.Symbol("x") * (sympy.Symbol("x") + 1) - sympy.Symbol("x") ** 2, False),
        (sympy.Rational(1, 10**30), False),
        (np.asarray([0, 0]), True),
        ([0, [0, np.asarray([0.0, 1e-300])]], False),
    ],
)
def test_exact_means_exactly_zero(residual, passes):
    """Expressions count as zero if they simplify to it, and never because they are small."""
    check = exactly(lambda p: residual, {"anything": 0})
    result = make(check).run(check, examples=1)
    assert result.passed is passes


# Declared by decorators


def declared(**arguments) -> Claim:
    """TC and its bound at every level, with twice TC as the planted violation."""
    tables = strategies.joint_tables(lengths=(2, 2), vocabs=(2, 2), exact=True)
    given: dict[str, Any] = {
        "exact": tables,
        "floats": lambda: strategies.distributions(lengths=(2, 3)),
        "named": {"coupled": gallery.coupled_pairs(1)},
        "share": 2,
    }
    claim = make(checks=None)

    @claim.residual("TC and its bound", **given | arguments)
    def residual(p, share=1, beside=0, upper=True):
        tc, bound = tc_and_bound(p)
        sides = (tc * share, bound) if upper else (bound, tc * share)
        return [beside * 0, [Bound(*sides, upper=upper)]]

    return claim


def proving(answers, scope="one site") -> Claim:
    """A claim whose one check returns these answers, or others where it is planted."""
    claim = make(checks=None)

    @claim.proved("as they say", scope=scope, wrong=True)
    def answer(wrong=False):
        return answers(wrong)

    return claim


def largest_batch(share):
    """The bound of B6 on every profile of two and three sites, or a share of it."""
    claim = make(checks=None)

    @claim.residual(
        "the largest batch",
        symbols=lambda: profiles_and_schedules(3),
        scope="up to 3 sites",
        share=share,
    )
    def residual(p, sizes, share=1):
        bound = bounds.largest_batch(p, sizes)
        return Bound(bound.quantity, share * bound.bound)

    return claim


def test_a_residual_is_declared_once_for_all_its_levels():
    claim = declared(symbols=lambda: [{"p": symbolic_table(), "upper": None}])
    names = [check.name.removeprefix("TC and its bound") for check in claim.checks]
    assert claim.levels == tuple(Level)[1:]
    assert names == [
        "",
        " on rational distributions",
        " on drawn distributions",
        " on named distributions",
    ]
    assert {check.tolerance for check in claim.checks[:2]} == {0.0}
    assert {check.tolerance for check in claim.checks[2:]} == {1e-10}
    assert all(check.planted == {"share": 2} for check in claim.checks)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("number", range(3))
def test_a_bound_gives_excess_and_tightness(number, upper):
    claim = declared(parts={"upper": st.just(upper)}, at=[{"upper": upper}])
    check = claim.checks[number]
    found, planted = (claim.run(check, examples=200, planted=planted) for planted in (False, True))
    assert (found.passed, found.tightest) == (True, pytest.approx(1.0))
    assert (planted.passed, math.isnan(planted.tightest)) == (False, True)


def test_a_tightness_of_its_own_comes_before_that_of_bounds():
    claim = declared(
        parts={"beside": lambda size: st.integers(size.length, size.length)},
        at=lambda p: [{"beside": beside} for beside in (0, 2, 4)],
        tightness=lambda p, beside: beside / 8 if beside else math.nan,
    )
    exact, floats, named = (claim.run(check, examples=30).tightest for check in claim.checks)
    assert (exact, floats, named) == (0.25, 0.375, 0.5)


def test_parts_of_a_size_are_made_once():
    seen = []
    claim = declared(parts={"beside": lambda size: seen.append(size) or st.just(0)}, at=[{}])
    for check in claim.checks[:2]:
        claim.run(check, examples=30)
    assert len(seen) == len(set(seen)) >= 2


def test_symbols_are_all_arguments_of_a_residual():
    claim, x = make(checks=None), sympy.Symbol("x")

    @claim.residual("squares", symbols=[{"p": x, "k": 1}, {"p": x, "k": 2}], planted={"at": 1})
    def squares(p, k, at=0):
        return (p + k) ** 2 - p**2 - 2 * k * p - k**2 + at

    (check,) = claim.checks
    assert (check.level, check.name) == (Level.SYMBOLIC, "squares")
    assert claim.run(check).passed
    assert not claim.run(check, planted=True).passed


def test_parts_can_be_held_fixed():
    """With the violation held fixed, the check on one's own distribution fails."""
    claim = false_claim()
    same = gallery.parity(3, exact=True)  # TC 1 bit, DTC 2 bits
    assert claim.check(same)
    result = claim.check(same, sign=-1)
    assert not result
    assert math.isclose(result.worst, math.log(2))
    assert "sign = -1" in result.counterexample


def test_describe_writes_chains_as_matrices_and_cuts_long_tables():
    chain = describe(MarkovChain([1, 0], [[0.5, 0.5], [0, 1]], 9), {"x": np.asarray([0, -1])}, 1.0)
    assert "after 0: 0.5 0.5" in chain
    assert "x = (0, MASK)" in chain
    assert "... and 40 more" in describe(JointTable(np.ones((4,) * 3)), {}, 1.0)


# Proofs


HALVES = Conclusion("H(0) <= 2 H(0)", {1: Fraction(1)})
NEVER_NEGATIVE = Certificate(HALVES, ((Fraction(1), Information((0,))),))
STATEMENT = Statement("one site", 1, (HALVES,))
PROOF = Proof(STATEMENT, (NEVER_NEGATIVE,))
DOUBLED = Certificate(HALVES, ((Fraction(2), Information((0,))),))
OPEN = Unknown(STATEMENT, HALVES, {1: Fraction(1)}, Fraction(-1), ("nowhere",))


@pytest.mark.parametrize("answers", [PROOF, [PROOF, [PROOF]]])
def test_a_proof_is_kept_with_its_scope_and_certificate(answers):
    claim = proving(lambda wrong: OPEN if wrong else answers)
    (check,) = claim.checks
    assert claim.levels == (Level.PROVED,)
    result = claim.run(check)
    assert (result.passed, result.worst, result.scope) == (True, 0.0, "one site")
    assert result.certificate == "slack of H(0) <= 2 H(0):  H(0)"
    assert result.instances == (1 if answers is PROOF else 2)
    planted = claim.run(check, planted=True)
    assert not planted.passed
    assert planted.counterexample.startswith("unknown: H(0) <= 2 H(0) does not follow")


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([], "nothing is proved"),
        ([PROOF, OPEN], "unknown"),
        (Proof(STATEMENT, (DOUBLED,)), "does not add up"),
        (Proof(STATEMENT, ()), "does not add up"),
        (None, "None"),
    ],
)
def test_what_is_no_proof_does_not_pass(answers, says):
    claim = proving(lambda wrong: answers)
    result = claim.run(claim.checks[0])
    assert not result.passed
    assert says in result.counterexample


def test_a_residual_with_a_scope_is_proved_for_every_distribution():
    """Sum of falls by hand: 1/3 (f(0) - f(1)) and so on; half of the bound is refuted."""
    claim = largest_batch(Fraction(1, 2))
    result, planted = (claim.run(claim.checks[0], planted=planted) for planted in (False, True))
    assert (result.passed, result.instances, result.level) == (True, 6, "proved")
    # two sites of three at first: 2 f(0) - f(0) - f(1) <= (TC + DTC)/3 = f(0) - f(2)
    line = "slack of f(0) - f(1) <= f(0) - f(2):  (f(1) - f(2))"
    assert line in result.certificate.splitlines()
    assert not planted.passed
    assert "f(0) - f(1) <= 1/2 f(0) - 1/2 f(1)" in planted.counterexample


@pytest.mark.parametrize("share", [1, 2])
def test_an_identity_on_free_entropies_has_no_slack(share):
    """An equality is none where the slack is only nonnegative."""
    p = FreeEntropies(2)
    tc = information.total_correlation(p)
    gains = sum(information.gains(p)) * Fraction(share, 2)
    assert bool(certified("gains", tc - gains, p)) is (share == 1)
    q = FreeProfile(2)
    fall = information.profile(q)[0] - information.profile(q)[1]
    assert not certified("falls", fall, q)
    assert certified("falls", Bound(0, fall), q)
    assert not certified("falls", Bound(fall, 0), q)


def test_the_verdict_says_what_is_proved_what_is_exact_and_what_is_searched(offer, capsys):
    claim = make(*proving(lambda wrong: OPEN if wrong else PROOF).checks, *true_claim().checks)
    assert claim.shown == "proved for one site, exact on instances, searched"
    offer(claim)
    assert main(["--examples", "5"]) == 0
    table = capsys.readouterr().out
    assert "holds (proved for one" in table
    assert main(["--claim", "X1", "--examples", "5"]) == 0
    printed = capsys.readouterr().out
    assert "proved for one site: as they say ok" in printed
    assert "X1, proved for one site: as they say\n  slack of H(0) <= 2 H(0):  H(0)\n" in printed
    assert main(["--examples", "5", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    first, second, _ = listed["checks"]
    assert (first["scope"], first["certificate"]) == (
        "one site",
        "slack of H(0) <= 2 H(0):  H(0)",
    )
    assert (second["scope"], second["certificate"]) == ("", "")


# Tightness


def tc_and_bound(p):
    """TC and the sum of the entropies without the largest: equal where one site fixes all."""
    entropies = [information.entropy(p, [i]) for i in range(p.length)]
    return information.total_correlation(p), sum(entropies) - max(entropies, key=float)


def tc_exceeds_bound(p, share=1):
    tc, bound = tc_and_bound(p)
    return excess(tc * share, bound)


def tc_of_bound(p):
    return closeness(*tc_and_bound(p))


def true_claim(tightness=tc_of_bound) -> Claim:
    named = {
        "certain": JointTable([[0, 1], [0, 0]]),
        "cities": gallery.cities(),
        "coupled": gallery.coupled_pairs(1),
    }
    return make(
        exactly(tc_exceeds_bound, {"share": 2}, tightness=tightness),
        of_named(tc_exceeds_bound, {"share": 2}, named, tightness=tightness),
    )


@pytest.mark.parametrize(
    ("least", "most", "ratio"),
    [
        (sympy.log(2), sympy.log(8), 1 / 3),
        (sympy.log(3) + sympy.log(2), sympy.log(2) + sympy.log(3), 1.0),
        (sympy.Rational(1, 10**30), sympy.Rational(1, 10**29), 0.1),
        (0, sympy.log(2), 0.0),
        (0, 0, math.nan),
        (1e-17, 1e-16, math.nan),
        (np.float64(0.5) + 1e-16, np.float64(0.5), 1.0),
        (0.3 + 1e-14, 0.3, 1.0),
        (0.6, 0.3, 2.0),
    ],
)
def test_closeness_is_the_ratio_of_the_sides(least, most, ratio):
    """Rounding takes it neither above 1 nor makes a ratio of what is 0 up to rounding."""
    assert closeness(least, most) == pytest.approx(ratio, rel=1e-14, nan_ok=True)
    assert (closeness(least, most) <= 1) or excess(least, most) != 0 or math.isnan(ratio)


def test_the_tightest_case_of_a_true_inequality_is_found():
    """For two bits TC is the smaller entropy if and only if the bits determine each other."""
    claim = true_claim()
    result = claim.run(claim.checks[0], examples=1000)
    assert result.passed
    assert result.tightest == 1.0
    rows = [line.split() for line in result.tightest_at.splitlines() if "/" in line]
    (a, b, _), (c, d, _) = rows
    assert a != c
    assert b != d


def test_climbing_finds_what_random_draws_do_not(monkeypatch):
    """One peak among a million numbers, with as many examples without `target`."""
    check = exactly(
        lambda p, k, planted=0: planted,
        {"planted": 1},
        distributions=lambda: st.just(gallery.parity(2, exact=True)),
        parts=lambda p: st.fixed_dictionaries({"k": st.integers(0, 10**6)}),
        tightness=lambda p, k: 1 - abs(k - 271_828) / 10**6,
    )
    climbed = make(check).run(check, examples=300)
    monkeypatch.setattr("hypothesis.target", lambda ratio: ratio)
    chanced = make(check).run(check, examples=300)
    assert chanced.tightest < climbed.tightest == 1
    assert "k = 271828" in climbed.tightest_at


def test_what_is_drawn_depends_on_the_claim_and_on_no_source_text(monkeypatch):
    """Hypothesis would take the digest of the function that it calls for a seed."""
    seen: list[bytes] = []

    def residual(p, planted=0):
        seen.append(p.table().tobytes())
        return planted

    check = Check(
        level=Level.PROPERTY,
        residual=residual,
        distributions=lambda: strategies.joint_tables(lengths=(3, 3)),
        planted={"planted": 1},
        tolerance=1e-9,
    )

    def drawn(key):
        seen.clear()
        make(check, id=key).run(check, examples=20)
        return list(seen)

    first = drawn("X1")
    assert drawn("X2") != first
    monkeypatch.setattr("hypothesis.core.function_digest", lambda function: b"another text")
    assert drawn("X1") == first


def test_planted_violations_are_not_measured():
    """Neither in a planted run nor where one's own parts put the violation in place; else it is."""

    def broken(p):
        raise ZeroDivisionError("no ratio")

    claim = true_claim(broken)
    for check in claim.checks:
        assert math.isnan(claim.run(check, examples=40, planted=True).tightest)
        with pytest.raises(ZeroDivisionError, match="no ratio"):
            claim.run(check, examples=5)
    result = claim.check(gallery.coupled_pairs(1, exact=True), share=2)
    assert not result.passed
    assert math.isnan(result.tightest)


@pytest.mark.parametrize("said", [math.nan, math.inf])
@pytest.mark.parametrize("k", [0, 1])
def test_without_a_finite_ratio_nothing_is_tightest(said, k):
    claim = true_claim(lambda p: said)
    result = claim.run(claim.checks[k], examples=40)
    assert result.passed
    assert math.isnan(result.tightest)
    assert result.tightest_at == ""


def test_parts_reach_the_tightness():
    """On one's own distribution the tightest over all parts and checks is kept."""
    check = exactly(
        lambda p, part, planted=0: planted,
        {"planted": 1},
        parts=lambda p: st.fixed_dictionaries({"part": st.integers(0, 8)}),
        tightness=lambda p, part: part / 10,
    )
    silent = dataclasses.replace(check, tightness=None)
    looser = dataclasses.replace(check, tightness=lambda p, part: part / 20)
    claim = make(silent, looser, check)
    p = gallery.parity(2, exact=True)
    result = claim.check(p, examples=60)
    assert result.tightest == 0.8
    assert "part = 8" in result.tightest_at
    assert claim.check(p, part=3).tightest == 0.3
    assert math.isnan(make(silent).check(p, part=3).tightest)


# Registry


class Point:
    """Stands for an installed entry point."""

    def __init__(self, name, load):
        self.name, self.value, self.load = name, f"{name}:CLAIMS", load


def registered(*points) -> Registry:
    """The registry where these entry points are installed, read once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theory.claims.kit.registry.entry_points", lambda group: points)
        registry = Registry()
        list(registry)
    return registry


def of_claims(*claims, name="mine") -> Registry:
    return registered(Point(name, lambda: claims))


@pytest.fixture
def offer(monkeypatch):
    """The command knows these claims and no others."""
    return lambda *claims: monkeypatch.setattr("theory.claims.registry", of_claims(*claims))


def not_loading():
    raise ImportError("no module named nowhere")


def test_ids_sort_by_number():
    registry = of_claims(*(make(false_claim().checks[0], id=key) for key in ("B1", "A10", "A2")))
    assert list(registry) == ["A2", "A10", "B1"]
    assert len(registry) == 3


def test_an_unknown_claim_lists_the_known_ones():
    with pytest.raises(KeyError, match="known are X1"):
        of_claims(false_claim())["Z9"]


def symbolic(residual) -> Check:
    return Check(level=Level.SYMBOLIC, residual=residual, planted={"slope": 2})


def declaring(**arguments):
    pools: dict[str, Any] = {"exact": st.nothing(), "floats": st.nothing(), "named": {}}

    def residual(p, beside=0, share=1):
        return 0

    make(checks=None).residual("nothing", **{**pools, "share": 2, **arguments})(residual)


def run_first(claim):
    return claim.run(claim.checks[0])


def squares(power):
    p = FreeEntropies(1)
    return certified("a power", information.entropy(p) ** power, p)


NOTHING = {"exact": None, "floats": None, "named": None}
TIGHT = {"level": "symbolic", "planted": {"a": 1}, "tightness": lambda: 1.0}
NO_DISTRIBUTIONS = [[[1, 0], [0, 1]], np.eye(2) / 2, None]
TWICE = [Point(name, lambda: [false_claim()]) for name in ("one", "two")]


def checking(**arguments):
    return lambda: Check(**{"residual": lambda: 0, "planted": {"a": 1}, **arguments})


test_what_is_refused = refusals(
    ("needs distributions", checking(level="exact")),
    ("needs named", checking(level="numeric", tolerance=1e-9)),
    ("planted", checking(level="symbolic", planted={})),
    ("no tolerance", checking(level="symbolic", tolerance=1e-9)),
    ("no tolerance", checking(level="proved", scope="one", tolerance=1e-9)),
    ("needs a scope", checking(level="proved")),
    ("has no scope", checking(level="symbolic", scope="every length")),
    ("to be tight on", checking(**{**TIGHT, "level": "proved", "scope": "every length"})),
    (
        "said to be proved for .*, and the proofs are of 1 sites",
        lambda scope: run_first(proving(lambda wrong: PROOF, scope)),
        ["every length", "up to 2 sites"],
    ),
    ("is no answer of a proof", lambda: run_first(proving(lambda wrong: True))),
    ("linear in entropies with rational coefficients", lambda power: squares(power), [2, 0]),
    ("plants 'rong', no part", lambda: make(checks=None).proved("a", scope="b", rong=1)(excess)),
    ("to be tight on", checking(**TIGHT)),
    ("no check", make),
    ("plants 'shares', no part of it", lambda: declaring(shares=2)),
    ("give them as `at`", lambda: declaring(parts={"beside": st.just(1)})),
    ("needs distributions or symbols", lambda: declaring(**NOTHING)),
    ("X1 of mine:CLAIMS has no check", lambda: of_claims(make(checks=None))),
    ("takes a distribution", lambda: make(symbolic(lambda slope=1: 0)).check(JointTable([1, 1]))),
    ("no part 'sing'; it has sign", lambda: false_claim().check(gallery.parity(3), sing=1)),
    ("must be a Distribution", false_claim().check, NO_DISTRIBUTIONS),
    (r"X1 is offered twice, by one:CLAIMS and by two:CLAIMS", lambda: registered(*TWICE)),
    ("broken:CLAIMS.*no module named nowhere", lambda: registered(Point("broken", not_loading))),
    ("odd:CLAIMS offers 42", lambda: of_claims(42, name="odd")),
)
# the words have 27^4 patterns and 26^4 cells
test_what_is_too_large_to_go_through_is_refused = refusals(
    (
        "it does so up to",
        lambda key: registry[key].check(gallery.words(4), examples=1),
        ["A1", "A3", "A5"],
    ),
    error=TooLarge,
)


# Command


def test_the_list_names_the_file_of_every_claim_and_imports_none(capsys):
    """The same ids and titles as in the registry, in the same order."""
    listed = claim_files()
    assert [(key, title) for key, title, _ in listed] == [
        (claim.id, claim.title) for claim in registry.values()
    ]
    for key, _, file in listed:
        assert file.name.startswith(key.lower() + "_")
    run = "import sys; from theory.__main__ import main; main(['--list']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    *lines, modules = done.stdout.splitlines()
    assert len(lines) == len(registry)
    assert lines[1].startswith("A2   Training cannot go below")
    heavy = {"hypothesis", "sympy", "scipy", "matplotlib", "theory.claims"}
    assert heavy.isdisjoint(modules.split())


def test_the_command_prints_a_table(capsys):
    assert main(["--claim", "A4", "--level", "symbolic"]) == 0
    out = capsys.readouterr().out
    assert "symbolic: the score of every token in every noisy sequence ok" in out
    assert "[memory]" in out
    assert "1 check of 1 claim on 1 instance: all pass." in out
    assert "tightest" not in out


@pytest.mark.parametrize("terminal", [True, False])
def test_on_a_terminal_a_bar_runs_and_the_table_is_printed_once(terminal, monkeypatch, capsys):
    """Printed again for every check it would take as long as the checks."""
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    else:
        monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert main(["--claim", "A4", "--level", "exact", "--examples", "3", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert out.count("What is claimed, and how it was checked") == 1
    assert ("checking" in err) is terminal


def test_the_table_has_a_column_of_tightest_cases_where_there_are_some(offer, capsys):
    offer(true_claim())
    assert main(["--claim", "X1", "--examples", "200"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 120
    assert re.search(r"worst ┃ tightest ┃", out)
    assert re.search(r"exact ok +│ +\d+ │ +0 │ +1 │", out)
    assert "X1 at the exact level, tightest 1, on JointTable with length 2, vocab 2" in out
    assert "X1 at the numeric level, tightest 1, on coupled" in out
    assert "tightest: greatest ratio" in " ".join(out.split())


def test_instances_are_shown_only_where_claims_are_chosen(offer, capsys):
    offer(true_claim())
    assert main(["--examples", "20"]) == 0
    out = capsys.readouterr().out
    assert "tightest" in out
    assert "X1 at the" not in out


@pytest.mark.parametrize("losses", [2, 3])
def test_a_check_whose_worker_ended_is_run_again(losses):
    """Twice; then it is named, and is none that fails."""
    left = [losses]

    class Losing(InProcess):
        def submit(self, fn, /, *args, **kwargs):
            if left[0] == 0:
                return super().submit(fn, *args, **kwargs)
            left[0] -= 1
            future: Future[None] = Future()
            future.set_exception(BrokenExecutor())
            return future

    claim = make(true_claim().checks[1])
    if losses == 2:
        found = run_claims([claim], examples=1, quiet=True, executor=Losing())
        assert [result.passed for result in found["X1"]] == [True]
        return
    with pytest.raises(BrokenExecutor, match=r"0 of 1 check had finished[\s\S]*\n  X1, check 0$"):
        run_claims([claim], examples=1, quiet=True, executor=Losing())


def test_json_has_the_tightest_case_or_null(offer, capsys):
    true, false = true_claim(), false_claim()
    offer(true, make(true.checks[0], id="X2"), make(false.checks[0], id="X3"))
    main(["--examples", "20", "--json"])
    text = capsys.readouterr().out
    listed = json.loads(text)
    assert (listed[0]["id"], listed[0]["provenance"]) == ("X1", "ours")
    one, two, three = (claim["checks"] for claim in listed)
    assert (one[0]["level"], one[0]["passed"], one[0]["worst"]) == ("exact", True, 0.0)
    assert one[0]["instances"] >= 1
    assert (one[1]["tightest"], one[1]["tightest_at"]) == (pytest.approx(1.0), "coupled")
    assert 0 < two[0]["tightest"] <= 1
    assert "vocab 2" in two[0]["tightest_at"]
    assert (three[0]["tightest"], three[0]["tightest_at"]) == (None, "")
    assert "NaN" not in text


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [(1.0, "1"), (1 - 1e-12, "1"), (0.99996, "0.999"), (0.7999999, "0.800"), (0.0, None)],
)
def test_only_what_is_attained_is_shown_as_1(ratio, shown, capsys):
    """And a ratio of 0 has no tightest instance."""
    check = dataclasses.replace(true_claim().checks[1], tightness=lambda p: ratio)
    run_claims([make(check)], examples=1, chosen=True)
    out = capsys.readouterr().out
    if shown is None:
        assert re.search(r"numeric ok +│ +3 │ [^│]+ │ +0 │", out)
        assert "X1 at the" not in out
    else:
        assert f"tightest {shown}, on certain" in out


def test_long_instances_lose_their_middle(capsys):
    """27 cells and a part: the part is still there."""
    check = exactly(
        lambda p, part, planted=0: planted,
        {"planted": 1},
        distributions=lambda: st.just(JointTable(np.ones((3, 3, 3), dtype=np.int64), exact=True)),
        parts=lambda p: st.just({"part": 7}),
        tightness=lambda p, part: 0.5,
    )
    run_claims([make(check)], examples=1, chosen=True)
    shown = capsys.readouterr().out.partition("X1 at the exact level")[2]
    block = shown.partition("1 check of")[0].rstrip().splitlines()
    assert len(block) <= 16
    assert "part = 7" in block[-2]
    assert "residual 0" in block[-1]


def test_a_failing_claim_gives_exit_code_1_and_its_counterexample(offer, capsys):
    offer(false_claim())
    assert main(["--examples", "500"]) == 1
    out = capsys.readouterr().out
    assert "exact FAILS" in out
    assert "X1 fails at the exact level" in out
    assert re.search(r"tokens\s+probability", out)
    assert "1/2" in out


def test_a_check_that_cannot_fail_does_not_pass(offer, capsys):
    """Its planted violation is none: the residual is 0 with it as well."""
    offer(make(exactly(lambda p, nothing=0: 0, {"nothing": 1})))
    assert main([]) == 1
    out = capsys.readouterr().out
    assert "does not reject its planted violation" in out
    assert "in doubt" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--claim", "A1", "--level", "numeric"], "numeric"),
        (["--examples", "many"], "--examples"),
        (["--examples", "0"], "--examples"),
        (["--claim", "Z9"], "Z9"),
        (["--level", "vague"], "--level"),
        (["--nonsense"], "--nonsense"),
        (["--workers", "0"], "--workers"),
        (["--slowest", "-1"], "--slowest"),
        (["--workers", "2", "--scheduler", "tcp://localhost:1"], "not both"),
        (["--claim", "A4", "--scheduler", "nowhere"], "no Dask scheduler answers at 'nowhere'"),
    ],
)
def test_wrong_usage_gives_exit_code_2(arguments, says, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "usage" in said
    assert says in said


def test_the_documented_claim_joins_the_table_through_its_entry_point(tmp_path):
    """The example of docs/extend.md, laid out as an installed package and run by the command."""
    page = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
    module = re.search(r"This is `my_claims.py`:\n\n```python\n(.*?)```", page, re.S)
    entry = re.search(r"```toml\n(.*?)```", page, re.S)
    assert module is not None
    assert entry is not None
    assert len(module[1].strip().splitlines()) <= 12
    (tmp_path / "my_claims.py").write_text(module[1], encoding="utf-8")
    info = tmp_path / "my_claims-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_claims\nVersion: 1.0\n")
    (name, target), *none = tomllib.loads(entry[1])["project"]["entry-points"][GROUP].items()
    assert not none
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {target}\n")
    run = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from theory.__main__ import main;"
        "sys.exit(main(['--claim', 'X1', '--examples', '5', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (claim,) = json.loads(done.stdout)
    assert claim["title"] == "The profile sums to the entropy"
    assert claim["checks"][0]["passed"]


def checked(arguments, capsys):
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return [[{**check, "seconds": 0} for check in claim["checks"]] for claim in found]


@pytest.mark.slow
def test_processes_find_what_one_finds(capsys):
    arguments = ["--claim", "A4", "--claim", "B8", "--examples", "10"]
    alone = checked(arguments, capsys)
    assert sum(map(len, alone)) >= 4
    assert checked([*arguments, "--workers", "2"], capsys) == alone


def test_the_slowest_checks_are_listed_on_request(capsys):
    arguments = ["--claim", "A4", "--level", "exact", "--level", "property", "--examples", "3"]
    assert main(arguments) == 0
    assert "Slowest" not in capsys.readouterr().out
    assert main([*arguments, "--slowest", "1"]) == 0
    listed = capsys.readouterr().out.split("Slowest")[1]
    assert len(re.findall(r"[│|] +\d+\.\d [│|] A4", listed)) == 1


X = sympy.Symbol("x", positive=True)


@pytest.mark.parametrize(
    ("residual", "passes", "found"),
    [
        # log(1/49) - log(1/7)
        (lambda slope=1: [sympy.log(X**slope) - sympy.log(X)], True, "is -1.94591 at x = 1/7"),
        (lambda slope=1: [sympy.log(2) * (slope - 1)], True, "is 0.693147"),
        # what vanishes at that point alone
        (lambda slope=1: [7 * X - 1, X - X * slope], False, "does not vanish: 7*x - 1"),
    ],
)
def test_symbols_are_refuted_at_a_point_or_as_expressions(residual, passes, found):
    claim = make(symbolic(residual))
    assert claim.run(claim.checks[0]).passed is passes
    result = claim.run(claim.checks[0], planted=passes)
    assert (result.passed, result.counterexample) == (False, found)


def test_a_planted_violation_of_named_distributions_ends_at_the_first_counterexample():
    named = {"one bit": gallery.parity(1), "two": gallery.parity(2), "three": gallery.parity(3)}
    check = of_named(lambda p, wrong=0: wrong, {"wrong": 1}, named)
    claim = make(check)
    assert claim.run(check).instances == 3
    found = claim.run(check, planted=True)
    assert (found.passed, found.instances) == (False, 1)
    assert found.counterexample == "on one bit: residual 1"
