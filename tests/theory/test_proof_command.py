"""The command that proves: what it prints, its exit codes, and how it says what is wrong."""

import json
from fractions import Fraction

import pytest

from tests.noted import each
from theory import JointTable, gallery
from theory.proofs import Certificate, Information, Proof, Refutation, Unknown
from theory.proofs.__main__ import main
from theory.proofs.statement import value_at
from theory.proofs.text import parse


def proof(text):
    """Of a statement whose conclusions are conditional informations."""
    statement = parse(text, 3)
    pair = Information((0,), (2,), (1,))
    terms = ((Fraction(3, 2), pair),)
    used = tuple((Fraction(1), given) for given in statement.assumptions)
    return Proof(statement, tuple(Certificate(c, terms, used) for c in statement.conclusions))


def refutation(p, text="2 DTC <= TC"):
    statement = parse(text, p.length)
    (conclusion,) = statement.conclusions
    return Refutation(statement, conclusion, p, value_at(conclusion.slack, p))


def unknown():
    statement = parse("H(0) <= H(1)", 2)
    ray = {1: Fraction(1), 3: Fraction(1)}
    return Unknown(statement, statement.conclusions[0], ray, Fraction(-1), ("codes", "tables"))


PROOF = proof("TC(0,2) >= 0 implies 3/2 I(0;2|1) + TC(0,2) >= 0")
PARITY = refutation(gallery.parity(3, exact=True))
ANSWERS = {
    0: PROOF,
    1: PARITY,
    3: unknown(),
}


@pytest.fixture
def answer_with(monkeypatch):
    """Let the command find an answer without a search, and tell what it asked for."""

    def answer_with(answer):
        asked = []

        def prove(text, **options):
            asked.append((text, options))
            return answer

        monkeypatch.setattr("theory.proofs.__main__.prove", prove)
        return asked

    return answer_with


def test_the_answers_of_these_tests_are_right():
    assert PROOF.check()
    assert PARITY.check()


@each("code", ANSWERS)
def test_an_answer_is_printed_and_has_its_exit_code(code, answer_with, capsys):
    asked = answer_with(ANSWERS[code])
    assert main(["TC <= 2 DTC", "--sites", "3"]) == code
    assert asked == [("TC <= 2 DTC", {"sites": 3, "profile": False})]
    assert capsys.readouterr().out == f"{ANSWERS[code]}\n"


def test_a_proof_as_latex_and_other_answers_as_text(answer_with, capsys):
    answer_with(PROOF)
    assert main(["TC <= 2 DTC", "--sites", "3", "--latex"]) == 0
    assert capsys.readouterr().out == (
        r"\tfrac{3}{2} I(X_{0}; X_{2} \mid X_{1}) + \bigl[\text{TC(0,2) >= 0}\bigr]" + "\n"
    )
    answer_with(PARITY)
    assert main(["TC <= 2 DTC", "--sites", "3", "--latex"]) == 1
    assert capsys.readouterr().out == f"{PARITY}\n"


def printed(answer_with, capsys, answer, *arguments):
    answer_with(answer)
    code = main(["TC <= 2 DTC", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_json_has_the_exact_numbers_as_text(answer_with, capsys):
    about = {"statement": "TC <= 2 DTC", "sites": 3, "profile": False}
    assert printed(answer_with, capsys, PROOF, "--sites", "3") == (
        0,
        {
            **about,
            "answer": "proved",
            "certificates": [
                {
                    "conclusion": "3/2 I(0;2|1) + TC(0,2) >= 0",
                    "terms": [["3/2", "I(0;2|1)"]],
                    "assumptions": [["1", "TC(0,2) >= 0"]],
                }
            ],
        },
    )
    code, content = printed(answer_with, capsys, PARITY, "--profile", "--sites", "3")
    assert (code, content["answer"], content["profile"]) == (1, "refuted", True)
    assert (content["conclusion"], content["slack"]) == ("2 DTC <= TC", "-3*log(2)")
    quarter = {"probability": "1/4"}
    words = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert content["words"] == [{"word": word, **quarter} for word in words]
    code, content = printed(answer_with, capsys, ANSWERS[3], "--sites", "2")
    assert (code, content["answer"], content["slack"]) == (3, "unknown", "-1")
    assert content["ray"] == {"0": "1", "0,1": "1"}
    assert content["searched"] == ["codes", "tables"]


def test_without_sites_a_profile_is_of_every_length(capsys):
    assert main(["TC <= (n-1) DTC", "--profile"]) == 0
    assert "every n >= 2" in capsys.readouterr().out
    assert main(["TC <= (n-1) DTC", "--profile", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["sites"], content["from_length"], content["few_lengths"]) == (None, 2, [1])
    assert [part["conclusion"] for part in content["certificates"]] == ["TC <= (n-1) DTC"]
    assert main(["TC <= 2 DTC", "--profile", "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert (content["sites"], content["words"][1]["word"]) == (4, [1, 1, 1, 1])
    assert main(["TC <= 300000 DTC", "--profile", "--json"]) == 3
    content = json.loads(capsys.readouterr().out)
    assert content["sites"] is None
    assert "n = 1000002" in content["searched"][0]
    assert not {"slack", "ray"} & content.keys()


def test_what_is_asked_of_prove_without_sites(answer_with):
    asked = answer_with(PROOF)
    assert main(["TC <= (n-1) DTC", "--profile"]) == 0
    assert asked == [("TC <= (n-1) DTC", {"sites": None, "profile": True})]


# A refutation shows its table

QUARTERS = JointTable([[[1, 0], [0, 0]], [[0, 0], [0, 3]]], exact=True)


@each(
    "p, shown",
    [
        (PARITY.distribution, "uniform on 000, 011, 101, 110"),
        (QUARTERS, "000 1/4, 111 3/4"),
    ],
    ids=["parity", "quarters"],
)
def test_a_small_table_is_listed(p, shown):
    lines = str(refutation(p)).split("\n")
    assert lines[1] == f"{p}: {shown}"


def test_long_lists_are_cut_and_large_tables_left_out():
    (line,) = str(refutation(gallery.parity(6, exact=True))).split("\n")[1:]
    assert line.endswith(", 011110, ... (32 in all)")
    assert line.count(",") == 2 + 16
    wide = gallery.parity(15, exact=True)
    assert refutation(wide, "H(0) <= 0").words() == {}


# Wrong usage


def wrong(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    *lines, usage = err.splitlines()
    assert usage == "usage: python -m theory.proofs [options] (--help lists them)"
    return lines


@each(
    "arguments, complaint",
    [
        ([], "the following arguments are required: statement"),
        (["TC >= 0"], "--sites N is missing, or --profile for every number of sites"),
        (["TC >= 0", "--sites", "0"], "argument --sites: must be a whole number of at least 1"),
        (["TC >= 0", "--sites", "3", "--latex", "--json"], "argument --json: not allowed with"),
    ],
)
def test_wrong_usage(arguments, complaint, capsys):
    (line,) = wrong(arguments, capsys)
    assert line.startswith(f"error: {complaint}")


def test_an_error_of_the_text_keeps_its_caret(capsys):
    assert wrong(["TC <= H(0,4)", "--sites", "4"], capsys) == [
        "error: sites are 0..3 where n = 4, got 4",
        "  TC <= H(0,4)",
        "            ^",
    ]


# The command as it is called


@each(
    "text, sites, code",
    [
        ("TC <= (n-1) DTC", 4, 0),
        ("TC <= 2/3 (n-1) DTC", 4, 1),
        ("I(0;2|1) = 0 implies I(0;2) <= I(0;1)", 3, 0),
    ],
)
def test_statements_are_decided(text, sites, code, capsys):
    assert main([text, "--sites", str(sites)]) == code
    assert capsys.readouterr().out.startswith(("proved\n", "refuted: ")[code])


ZHANG_YEUNG = "2 I(2;3) <= I(0;1) + I(0;2,3) + 3 I(2;3|0) + I(2;3|1)"


def test_an_inequality_beyond_shannon_s_is_unknown(capsys):
    assert main([ZHANG_YEUNG, "--sites", "4"]) == 3
    assert capsys.readouterr().out.startswith("unknown: ")
