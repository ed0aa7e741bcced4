"""``python -m sims --distance``: what is printed are the numbers of `theory.text.distance`."""

import functools

import pytest
import rich.console

from sims.__main__ import main
from tests.noted import each
from tests.sims.printed import strict, table_of
from theory import corpora
from theory.text.distance import distances
from theory.text.distance_report import to_json

TEXT = (
    "The garden was silent. Nobody was in the garden, and the garden was in the silent house.\n\n"
    "Nobody was there!\n\nThe house was there, and nobody was silent in the house.\n\n"
    "Was the house a garden? The house was.\n"
)
ENDS = ("restart", "absorbing")


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


@functools.cache
def of_english(after, between, order, end):
    return distances(corpora.english(), after, between, order, end)


@pytest.fixture
def found_once(monkeypatch):
    """The numbers of a command that was given the same about English before are not found again."""

    def found(corpus, *given, progress):
        if corpus is corpora.english():
            return of_english(*given)
        return distances(corpus, *given, progress=progress)

    monkeypatch.setattr("theory.text.distance.distances", found)


@pytest.fixture
def command(found_once, command):
    return command


@pytest.mark.parametrize(("order", "end"), [(order, end) for order in (1, 2) for end in ENDS])
def test_json_has_the_numbers_of_the_package(order, end, command, text):
    options = ("--after", "the", "garden", "--between", "nobody", "the house")
    out = command(
        "--distance", "--text", text, *options, "--order", str(order), "--end", end, "--json"
    )
    corpus = corpora.from_text(text)
    found = distances(corpus, "the garden", ("nobody", "the house"), order, end)
    assert strict(out) == strict(to_json(text, corpus, order, [found]))
    said = strict(out)
    assert (said["text"], said["order"], said["unit"]) == (text, order, "nats")
    assert "the exact analogue of asking a large model" in said["what"]
    assert "arXiv 2510.03289" in said["what"]
    (only,) = said["ends"]
    assert (only["end"], only["after"]["phrases"]) == (end, ["the garden"])
    assert found.after is not None
    assert only["after"]["rate"] == found.after.rate
    assert only["after"]["rows"][0]["likeliest"] == [list(w) for w in found.after.rows[0].likeliest]


def test_both_ends_and_usual_phrases_are_the_default(command, text):
    said = strict(command("--text", text, "--distance", "--json"))
    assert [found["end"] for found in said["ends"]] == ["restart", "absorbing"]
    assert said["order"] == 1
    for found in said["ends"]:
        assert found["after"]["phrases"] == ["garden"]
        assert found["between"]["phrases"] == ["garden", "nobody"]


def test_only_what_is_asked_for_is_shown(command, refused, text):
    arguments = ("--text", text, "--distance", "--json")
    for options, after, between in (
        (("--after", "the", "house"), ["the house"], None),
        (("--between", "the", "house"), None, ["the", "house"]),
    ):
        for found in strict(command(*arguments, *options))["ends"]:
            assert (found["after"] and found["after"]["phrases"]) == after
            assert (found["between"] and found["between"]["phrases"]) == between
    for words in ("A zebra,", "zebra"):
        assert f"'zebra' does not occur in {text}" in refused(*arguments, "--after", words)


def test_words_that_are_not_told_apart_are_shown_as_unknown(command, text):
    arguments = ("--text", text, "--distance", "--frequent", "3", "--after", "was", "Silent!")
    out = command(*arguments)
    assert 'After "was <unknown>"' in out
    assert "39 words in 4 paragraphs; 3 of 10 different words distinguished." in out
    note = "'silent' occurs, but is not in the vocabulary; it is read as <unknown>."
    assert out.splitlines().count(note) == 1
    for found in strict(command(*arguments, "--json"))["ends"]:
        assert found["after"]["read_as_unknown"] == ["silent"]
    assert "is read as" not in command("--text", text, "--distance", "--after", "was", "Silent!")


def test_symbols_are_taken_in_phrases(command, refused, text):
    arguments = ("--distance", "--text", text, "--frequent", "3", "--json")
    for found in strict(command(*arguments, "--after", "<unknown> <end>"))["ends"]:
        assert found["after"]["phrases"] == ["<unknown> <end>"]
        assert found["after"]["read_as_unknown"] == []
    (found,) = strict(command(*arguments, "--after", "<end>", "the", "--end", "restart"))["ends"]
    assert found["after"]["phrases"] == ["<end> the"]
    assert "an absorbing <end> is followed by <end> only" in refused(
        *arguments, "--after", "<end>", "the"
    )
    assert "no <unknown>: all words" in refused(
        "--distance", "--text", text, "--after", "<unknown>"
    )


def test_the_tables_show_the_numbers_of_the_json(command):
    arguments = ("--distance", "--after", "object", "--end", "absorbing")
    rows = table_of(command(*arguments))
    (found,) = strict(command(*arguments, "--json"))["ends"]
    after, limit, influence = rows[:5], rows[5], rows[6:]
    assert limit[:2] == ["limit", "<end> 1"]
    for cells, row in zip(after, found["after"]["rows"], strict=True):
        word, probability = row["likeliest"][0]
        assert cells[:2] == [str(row["left"]), cells[1]]
        assert cells[1].startswith(f"{word} {probability:.2g}, ")
    numbers = ("effective_vocabulary", "frequent", "limit_tv", "next_tv", "information", "ended")
    shares = ("frequent", "unknown", "end", "other", "frequent_of_words")
    shown = [
        *zip((cells[2:] for cells in after), found["after"]["rows"], [numbers] * 5, strict=True),
        *zip(
            (cells[1:] for cells in influence),
            found["influence"],
            [("mutual_information", "about_end", *shares)] * 6,
            strict=True,
        ),
    ]
    for cells, row, keys in shown:
        for cell, key in zip(cells, keys, strict=True):
            assert float(cell) == pytest.approx(row[key], rel=0.06, abs=1e-12), key
            if key in shares:
                assert (cell == "1") == (row[key] > 1 - 1e-12)
                assert (cell == "0") == (row[key] == 0)


@pytest.fixture
def terminal(monkeypatch, capsys, found_once):
    """Run the command on a terminal of some width: its lines, without colours."""

    def run(width, *arguments):
        kind = functools.partial(rich.console.Console, force_terminal=True, color_system=None)
        monkeypatch.setattr("theory._console.console.Console", kind)
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(arguments) == 0
        return capsys.readouterr().out.splitlines()

    return run


@pytest.mark.parametrize("width", [45, 80, 160])
def test_on_narrow_terminals_nothing_is_broken(width, terminal):
    lines = terminal(width, "--distance")[1:]  # the name of the text may be long
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    heads = [line for line in lines if "┃" in line]
    assert sum("likeliest words" in head for head in heads) == 4
    assert all(("to limit" in head) == ("nats" in head) for head in heads[:2]) == (width > 80)
    for column in ("vocab", "frequent", "to limit", "to next", "nats", "ended", "words only"):
        assert any(column in head for head in heads)
    assert ("<unknown> 0.24, the 0.083, a 0.035, is 0.033 " in " ".join(lines)) == (width > 80)


def test_characters_are_followed_as_words_are(command, tmp_path):
    path = tmp_path / "text"
    path.write_text("古池や\n蛙飛びこむ\n水の音\n\n蛙の池", encoding="utf-8")
    arguments = ("--text", str(path), "--distance", "--tokens", "characters", "--after", "古池")
    out = command(*arguments)
    assert "14 characters in 2 paragraphs; 11 of 11 different characters distinguished." in out
    assert "Where words are spoken of, these are the characters of the text." in out
    said = strict(command(*arguments, "--json"))
    corpus = corpora.from_text(path, tokens="characters")
    assert (said["words"], said["tokens"]) == (sum(corpus.words.values()), "characters")
    found = distances(corpus, "古池", None)
    (restart,) = strict(to_json(str(path), corpus, 1, [found]))["ends"]
    assert said["ends"][0] == restart
    # of the two 池 one is followed by や, the other one is the last
    assert said["ends"][0]["after"]["rows"][0]["likeliest"] == [["や", 0.5], ["<end>", 0.5]]


def test_what_never_stands_there_is_said(command, tmp_path):
    path = tmp_path / "[bold]text"
    path.write_text("one two three", encoding="utf-8")
    arguments = ("--distance", "--text", str(path), "--between", "one", "three")
    out = command(*arguments, "--end", "absorbing")
    assert out.startswith(f"{path}: 3 words in 1 paragraph; 3 of 3 ")
    found = table_of(out)
    assert [row[0] for row in found[1:6]] == ["2, 2", "5, 5", "10, 10", "50, 50", "1, 98"]
    assert all(row[1:] == ["the two never stand there", *[""] * 6] for row in found[1:6])
    assert ["limit", "the two never stand far apart"] in [row[:2] for row in found]
    out = command(*arguments, "--end", "restart")
    assert ["limit", "none"] in [row[:2] for row in table_of(out)]
    assert "There is no limit." in out


def test_sentences_of_english(command):
    out = " ".join(command("--distance").split())
    for end in ENDS:
        (found,) = strict(command("--distance", "--end", end, "--json"))["ends"]
        for context in ("after", "between"):
            assert f"{found[context]['rate']:.4f} per site" in out
            assert f"{found[context]['measured']:.4f}." in out
        assert found["reason"] in out
        word, value = found["strongest"][0]
        assert f"{word} {value:.2g}, " in out
    assert out.count("the limit is not reached") == 1
    assert "The two differ" not in out
    out = " ".join(command("--distance", "--order", "2", "--end", "restart").split())
    assert out.count("The two differ by 5 %") == 2  # 0.6625 and 0.6584 against 0.6939


NOT_WITH = ("--gallery x", "--table x.npy", "--length 4", "--policy TopK(2)", "--temperature 1")
NOT_WITH += ("--examples 0", "--seed 0", "--plot x.png")
ONLY_WITH = ("--after the", "--between a b", "--order 2", "--end restart", "--frequent 9")
BUILT_IN = "--frequent goes with --text: of the built-in prose the package has only the counts of"


@each(
    ("arguments", "complaint"),
    [
        *((f"--distance {o}", f"{o.split()[0]} does not go with --distance") for o in NOT_WITH),
        *((f"--gallery parity(3) {o}", f"{o.split()[0]} goes with --distance") for o in ONLY_WITH),
        ("--distance --frequent 9", BUILT_IN),
        ("--distance --tokens characters", "--tokens goes with --text"),
        ("--gallery parity(3) --tokens words", "--tokens goes with --text"),
        ("--distance --text x --tokens letters", "invalid choice: 'letters'"),
        ("--distance --order 3", "invalid choice: 3"),
        ("--distance --end stop", "invalid choice: 'stop'"),
        ("--distance --between one", "expected 2 arguments"),
        ("--distance --after", "expected at least one argument"),
        ("--distance --after --between", "expected at least one argument"),
        ("--distance --after 1984", "there is no word in '1984'"),
        ("--distance --between the ?", "there is no word in '?'"),
        ("--distance --after the be", "the chain of order 1 never says 'the be'"),
        (
            "--distance --after zebra",
            "'zebra' does not occur in the prose of Python's",
        ),
        ("--distance --between the gnu", "'gnu' does not occur in the prose"),
        ("--distance --text no-such-file", "there is no file no-such-file"),
        ("--distance --text=", "argument --text: the name of the file is empty"),
        ("--table=", "argument --table: the name of the file is empty"),
    ],
)
def test_wrong_usage_gives_exit_code_2(arguments, complaint, refused):
    assert complaint in refused(*arguments.split())
