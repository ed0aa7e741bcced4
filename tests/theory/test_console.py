"""How tables give way, and how commands say that they were called wrongly."""

import io

import numpy as np
import pytest
from rich.table import Table

from tests.noted import each
from theory import JointTable, MarkovChain, corpora, schedules
from theory.__main__ import main
from theory._console.console import Fitting, output_console
from theory._core.plurals import counted
from theory.claims import Registry
from theory.errors import InvalidInput


def table():
    """At its widest 4 columns of 5, 10, 6 and 4 letters in a frame of 13."""
    made = Table()
    made.add_column("name", overflow="fold")
    for column in ("0123456789", "second", "last"):
        made.add_column(column, no_wrap=True)
    made.add_row("a bit", "1", "22", "333")
    return made


def heads(width, **options):
    """Of all tables that are printed, and what is said below them."""
    out = io.StringIO()
    output_console(file=out, width=width).print(Fitting(table(), **options))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    said = [line.strip() for line in lines if line.startswith("(")]
    return [[h.strip() for h in line[1:-1].split("┃")] for line in lines if "┃" in line], said


GIVES_WAY = ("second", "0123456789")


@each(
    "width, expected",
    [
        (38, ["name", "0123456789", "second", "last"]),
        (37, ["name", "0123456789", "last"]),
        (29, ["name", "0123456789", "last"]),
        (28, ["name", "last"]),
    ],
)
def test_columns_give_way_in_the_order_that_is_stated(width, expected):
    (shown,), said = heads(width, gives_way=GIVES_WAY)
    assert shown == expected
    assert bool(said) == (len(expected) < 4)


def test_what_gave_way_is_named():
    _, said = heads(29, gives_way=GIVES_WAY)
    assert said == ["(A wider output has more"]  # and goes on in the next line
    assert heads(60, gives_way=GIVES_WAY)[1] == []
    _, said = heads(20, gives_way=GIVES_WAY)  # where not even the others fit
    assert said == ["(A wider output has"]


@each("width, expected", [(37, [4]), (36, [3, 2]), (24, [2, 3]), (22, [2, 2, 2])])
def test_else_the_table_goes_on_below(width, expected):
    """With the first column again, and with all others once."""
    parts, said = heads(width, least=4)
    assert said == []
    assert list(map(len, parts)) == expected
    assert [part[0] for part in parts] == ["name"] * len(parts)
    assert [h for part in parts for h in part[1:]] == ["0123456789", "second", "last"]


def test_cells_are_broken_rather_than_cut():
    out = io.StringIO()
    output_console(file=out, width=12).print(Fitting(table()))
    assert "…" not in out.getvalue()
    cells = [line.split("┃")[2].strip() for line in out.getvalue().splitlines() if "┃" in line]
    assert "0123456789" in "".join(cells)


def test_the_width_is_that_of_columns_where_there_is_no_terminal(monkeypatch):
    assert output_console().width == 120
    monkeypatch.setenv("COLUMNS", "77")
    assert output_console().width == 77
    monkeypatch.setenv("COLUMNS", "0")
    assert output_console().width == 120


@each("number, said", [(0, "0 sites"), (1, "1 site"), (1.0, "1 site"), (2, "2 sites")])
def test_counts(number, said):
    assert counted(number, "site") == said


def test_without_claims_it_is_said_how_to_install(monkeypatch, capsys):
    monkeypatch.setattr("theory.claims.kit.registry.entry_points", lambda group: [])
    monkeypatch.setattr("theory._console.claim_files.entry_points", lambda group: [])
    monkeypatch.setattr("theory.claims.registry", Registry())
    for arguments in ([], ["--claim", "B6"], ["--list"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        first, second = capsys.readouterr().err.splitlines()
        assert first.startswith("error: no claims are registered, because zeroloss is not")
        assert "pip install -e ." in first
        assert second == "usage: python -m theory [options] (--help lists them)"
    with pytest.raises(KeyError, match="no claims are registered"):
        Registry()["B6"]


ROWS = [[0.5, 0.5], [0.25, 0.75]]
ZERO = np.asarray([-np.inf, 0.0])


@each(
    "make, name",
    [
        (lambda: JointTable(np.log(ROWS) - np.log(2)), "weights"),
        (lambda: JointTable(ZERO), "weights"),
        (lambda: MarkovChain([0.5, 0.5], np.log(ROWS), 3), "transition"),
        (lambda: MarkovChain(ZERO, ROWS, 3), "initial"),
    ],
)
def test_logarithms_of_probabilities_are_recognised(make, name):
    with pytest.raises(InvalidInput, match=f"{name} must be probabilities, not their logarithms"):
        make()


@each("weights", [[[-1.0, -2.0], [-3.0, -4.0]], [0.5, -0.5], [-np.inf, -np.inf], [0.0, 0.0]])
def test_other_numbers_are_not_taken_for_logarithms(weights):
    with pytest.raises(InvalidInput) as stop:
        JointTable(np.asarray(weights))
    assert "logarithms" not in str(stop.value)


def test_neither_rounds_nor_target_is_not_both():
    with pytest.raises(InvalidInput, match="neither is given"):
        schedules.optimal([1, 0, 0])
    with pytest.raises(InvalidInput, match="not both"):
        schedules.optimal([1, 0, 0], 2, target=0.5)


def test_a_corpus_is_written_in_one_line():
    """Three words, of which one occurs twice; the vocabulary has two more symbols."""
    corpus = corpora.from_paragraphs(["one two two three"])
    assert repr(corpus) == "<Corpus the text: 4 words, 3 different, vocab 5>"
    assert len(repr(corpora.english())) < 120
