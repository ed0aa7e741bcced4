"""Claims on data they are about and on others: they hold, or say that they do not apply."""

import json

from tests.noted import each
from theory import JointTable, MarkovChain, claims, gallery
from theory.claims import Check, Claim, DoesNotApply, Level, Outcome, Provenance, Verdict
from theory.claims.kit.report import run_claims, to_json

RARE = 1e-12


def chain(start, steps, length=4):
    return MarkovChain(start, steps, length)


DATA = {
    "flips": gallery.binary_symmetric(5, 0.1),
    "periodic": gallery.periodic(5),
    "permutations": gallery.permutations(3, exact=True),
    "ends": gallery.end_of_text(3, exact=True),
    "one token": chain([1.0], [[1.0]]),
    "one site": MarkovChain([0.5, 0.5], [[0.5, 0.5], [1, 0]], 1),
    "identity": chain([0.5, 0.5], [[1, 0], [0, 1]]),
    "deterministic": chain([1, 0, 0], [[0, 1, 0], [0, 0, 1], [0, 0, 1]]),
    "never shown": chain([1, 0, 0], [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
    "rare flips": chain([0.5, 0.5], [[1 - RARE, RARE], [RARE, 1 - RARE]]),
    "nearly periodic": chain([1, 0], [[RARE, 1 - RARE], [1 - RARE, RARE]]),
    "rare ends": chain([1, 0], [[1 - RARE, RARE], [0, 1]]),
    "rare table": JointTable([[1 - RARE, 0], [0, RARE]]),
    "one bit": JointTable([1, 2], exact=True),
    "two bits": JointTable([[1, 2], [3, 4]], exact=True),
    "floats": JointTable([[0.1, 0.2], [0.3, 0.4]]),
}

HOLDS = {
    "D6": {"periodic", "ends", "rare ends"},
    "B15": {"permutations"},
    "B16": {"permutations"},
    "D2": {"flips", "ends"},
}
"""Where these claims are about something; other data may be as well."""


CASES = [(key, name) for key in ("D1", "D2", "D3", "D6", "D7") for name in DATA]
CASES += [(key, name) for key in ("B15", "B16") for name in ("permutations", "rare table")]


@each(("key", "name"), CASES)
def test_a_claim_holds_or_does_not_apply(key, name):
    result = claims.registry[key].check(DATA[name], examples=2)
    assert result.outcome != Outcome.FAILS, result.counterexample
    assert (result.outcome == Outcome.DOES_NOT_APPLY) == bool(result.reason)
    assert (result.instances == 0) == bool(result.reason)
    if name in HOLDS.get(key, ()):
        assert result.outcome == Outcome.HOLDS, result.reason


@each(
    ("key", "p", "reason"),
    [
        ("D6", DATA["flips"], "left for good"),
        ("D1", gallery.parity(3), "this is a JointTable"),
        ("D5", gallery.parity(3, exact=True), "this is a JointTable"),
        ("B15", DATA["rare table"], "no fraction"),
        ("E4", DATA["rare table"], "too few to be near the limit"),
        *(("A6", p, "two sites") for p in (DATA["one bit"], gallery.words(1))),
        ("B9", DATA["two bits"], "copying, replacing"),
        ("B9", DATA["floats"], "copying, replacing"),
        ("B10", DATA["two bits"], "all equally likely"),
        ("B10", DATA["floats"], "all equally likely"),
        ("B12", DATA["two bits"], "the Bernoulli walk"),
        ("B12", DATA["floats"], "the Bernoulli walk"),
        ("B17", DATA["two bits"], "three rounds at least"),
        ("D3", DATA["one site"], "it needs 3 sites"),
        ("D4", DATA["one bit"], "two masks"),
        ("E5", DATA["two bits"], "in floats"),
        ("E6", DATA["one bit"], "swaps two sites"),
        ("I1", DATA["one bit"], "nothing that it compares is there"),
    ],
)
def test_the_assumption_that_fails_is_named(key, p, reason):
    residuals = []
    for check in claims.registry[key].checks:
        if check.distributions and not check.of_its_own and check.level is not Level.SYMBOLIC:
            one = Claim(**{**vars(claims.registry[key]), "checks": (check,)})
            residuals.append(one.check(p, examples=2))
    assert any(reason in result.reason for result in residuals)
    assert all(result.passed for result in residuals)


@each(
    ("key", "p", "planted"),
    [
        ("D6", gallery.periodic(5), {"apart": 2}),
        ("D2", gallery.binary_symmetric(3, 0.1), {"rate": lambda found: found.rate**2}),
        ("E4", JointTable([[1, 2], [3, 4]]), {"factor": 1.1}),
        ("B16", gallery.balanced(4, exact=True), {"rounds": 2}),
        ("A6", gallery.parity(2), claims.registry["A6"].checks[0].planted),
        ("B9", gallery.permutations(3, exact=True), claims.registry["B9"].checks[1].planted),
        ("B10", gallery.permutations(3), claims.registry["B10"].checks[0].planted),
        ("B12", gallery.walk(3, exact=True), claims.registry["B12"].checks[0].planted),
        ("D3", gallery.two_classes(3, exact=True), claims.registry["D3"].checks[0].planted),
    ],
)
def test_what_is_planted_is_still_refuted(key, p, planted):
    # Of two examples, older versions of Hypothesis draw such parts as hide the violation of E4.
    assert claims.registry[key].check(p, examples=20, **planted).outcome == Outcome.FAILS


def about(residual):
    check = Check(
        level=Level.NUMERIC,
        residual=residual,
        named=lambda: {"parity(2)": gallery.parity(2)},
        planted={"more": 1},
        tolerance=1e-9,
    )
    return Claim(
        id="Z1",
        title="t",
        statement="s.",
        latex="x",
        source="here",
        provenance=Provenance.OURS,
        verdict=Verdict.HOLDS,
        checks=(check,),
    )


def test_the_table_and_json_show_what_does_not_apply(capsys):
    def nothing(p, more=0):
        if not more:
            raise DoesNotApply("it is about the sea")
        return more

    claim = about(nothing)
    results = run_claims([claim], examples=1)
    printed = capsys.readouterr().out
    assert "numeric does not apply" in printed
    assert "it is about the sea" in printed
    assert "1 do not apply" in printed
    (check,) = json.loads(to_json([claim], results))[0]["checks"]
    assert (check["outcome"], check["reason"]) == (
        "does not apply",
        "parity(2): it is about the sea",
    )


def test_a_check_that_applies_to_nothing_even_when_planted_does_not_pass():
    def never(p, more=0):
        raise DoesNotApply("it is about the sea")

    ((result,),) = run_claims([about(never)], examples=1, quiet=True).values()
    assert result.outcome == Outcome.FAILS


@each(("key", "name"), [(k, n) for k in ("B9", "B10", "B12") for n in ("two bits", "floats")])
def test_claims_about_special_data_say_nothing_of_others(key, name):
    assert claims.registry[key].check(DATA[name], examples=2).outcome == Outcome.DOES_NOT_APPLY


def test_a_residual_without_numbers_has_looked_at_nothing():
    claim = about(lambda p, more=0: [1.0] * more)
    assert claim.run(claim.checks[0]).outcome == Outcome.DOES_NOT_APPLY
    assert claim.run(claim.checks[0], planted=True).outcome == Outcome.FAILS


def test_instances_of_its_own_say_nothing_of_other_data():
    result = claims.registry["D5"].check(gallery.parity(3, exact=True), examples=2)
    assert result.outcome == Outcome.DOES_NOT_APPLY
