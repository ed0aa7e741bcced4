"""What is shown far from a context: against the dense chain, by hand, and the command itself."""

import functools
import math
import re
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
import rich.console

from sims.__main__ import main
from tests.sims.printed import strict, table_of
from theory import MASK, InvalidInput, MarkovChain, corpora
from theory.text import influence as remains
from theory.text.distance import DISTANCES, distances, usual_phrases
from theory.text.distance_report import to_json
from theory.text.influence import DRAWN_DISTANCES

TEXT = (
    "The garden was silent. Nobody was in the garden, and the garden was in the silent house.\n\n"
    "Nobody was there!\n\nThe house was there, and nobody was silent in the house.\n\n"
    "Was the house a garden? The house was.\n"
)
ENDS = ("restart", "absorbing")
CHAINS = [(order, end) for order in (1, 2) for end in ENDS]


@pytest.fixture
def corpus():
    return corpora.from_paragraphs(TEXT.split("\n\n"))


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
def command(capsys, found_once):
    """Run the command: its standard output, with exit code 0 and nothing on standard error."""

    def run(*arguments):
        assert main(arguments) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out

    return run


@pytest.fixture
def refused(capsys):
    """Run the command on something wrong: its error message, with exit code 2 and no output."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        captured = capsys.readouterr()
        assert stop.value.code == 2
        assert captured.out == ""
        assert captured.err.startswith("error: ")
        assert captured.err.endswith("\nusage: python -m sims [options] (--help lists them)\n")
        return " ".join(captured.err.split())

    return run


# ---- the numbers ----------------------------------------------------------------------------


def tv(p, q):
    return float(np.abs(p - q).sum()) / 2


def kl(p, q):
    some = p > 0
    return float(p[some] @ np.log(p[some] / q[some]))


def dense(corpus, end, length):
    """The chain of order 1, written down from the counts."""
    pairs, starts = corpus.pairs.astype(float), corpus.starts
    pairs[-1] = starts if end == "restart" else 0
    if end == "absorbing":
        pairs[-1, -1] = 1
    pairs[pairs.sum(axis=1) == 0, -1] = 1
    initial = np.append(corpus.pairs.sum(axis=1)[:-1], starts.sum() if end == "restart" else 0)
    steps = pairs / pairs.sum(axis=1, keepdims=True)
    return MarkovChain(initial / initial.sum(), steps, length, symbols=corpus.vocabulary)


@pytest.mark.parametrize("end", ENDS)
def test_rows_after_a_phrase_are_those_of_the_markov_chain(corpus, end):
    p, word = dense(corpus, end, 52), corpus.vocabulary.index("garden")
    evidence = np.full(52, MASK)
    without = p.denoise(evidence)
    evidence[0] = word
    predictions = p.denoise(evidence)
    killed = p.transition.copy()
    killed[:, -1] = 0
    limit = without[0] if end == "restart" else np.eye(p.vocab)[-1]
    found = distances(corpus, "garden", None, 1, end).after
    assert found is not None
    assert found.phrases == ["garden"]
    assert [row.left for row in found.rows] == list(DISTANCES)
    for row in found.rows:
        here = predictions[row.left]
        best = np.argsort(-here, kind="stable")[:4]
        best = best[here[best] > 0]
        assert [word for word, _ in row.likeliest] == [corpus.vocabulary[i] for i in best]
        assert [chance for _, chance in row.likeliest] == pytest.approx(here[best], abs=1e-13)
        assert row.top_mass == pytest.approx(here.max(), abs=1e-13)
        entropy = -sum(v * math.log(v) for v in here if v > 0)
        assert row.effective_vocabulary == pytest.approx(math.exp(entropy), rel=1e-12)
        assert row.limit_tv == pytest.approx(tv(here, limit), abs=1e-13)
        assert row.next_tv == pytest.approx(tv(here, predictions[row.left + 1]), abs=1e-13)
        assert row.information == pytest.approx(kl(here, without[row.left]), abs=1e-13)
        alive = np.linalg.matrix_power(killed, row.left)[word].sum()
        assert row.ended == pytest.approx(1 - alive, abs=1e-13)
        assert row.frequent == pytest.approx(here[: min(20, p.vocab - 2)].sum(), abs=1e-13)


@pytest.mark.parametrize("end", ENDS)
def test_rows_between_are_those_of_the_markov_chain(corpus, end):
    found = distances(corpus, None, ("nobody", "house"), 1, end).between
    assert found is not None
    left, right = map(corpus.vocabulary.index, found.phrases)
    places = [(row.left, row.right) for row in found.rows] + found.never
    assert sorted(places) == sorted(
        [(n, n) for n in DISTANCES] + [(n, 99 - n) for n in (1, 2, 5, 10)]
    )
    assert {(a + (b or 0)) % 2 for a, b in places} == {0, 1}
    for row in found.rows:
        assert row.right is not None
        p = dense(corpus, end, row.left + row.right + 1)
        evidence = np.full(p.length, MASK)
        evidence[0], evidence[-1] = left, right
        predictions = p.denoise(evidence)
        here = predictions[row.left]
        assert row.top_mass == pytest.approx(here.max(), abs=1e-12)
        killed = p.transition.copy()
        killed[:, -1] = 0
        going, every = (
            np.linalg.matrix_power(steps, p.length - 1)[left, right]
            for steps in (killed, p.transition)
        )
        assert row.ended == pytest.approx(1 - going / every, abs=1e-12)
        if row.right == 1:
            assert row.next_tv is None
        else:
            assert row.next_tv == pytest.approx(tv(here, predictions[row.left + 1]), abs=1e-12)
        middle = dense(corpus, end, 2001)
        evidence = np.full(2001, MASK)
        evidence[0], evidence[-1] = left, right
        limit = middle.denoise(evidence)[1000]
        assert row.limit_tv == pytest.approx(tv(here, limit), abs=1e-9)
        if np.all(limit[here > 0] > 1e-12):
            assert row.information == pytest.approx(kl(here, limit), abs=1e-8)
    gaps = {row.left: row.limit_tv or 0.0 for row in found.rows if row.left == row.right}
    assert found.measured == pytest.approx((gaps[50] / gaps[10]) ** (1 / 40), rel=1e-12)
    assert found.measured_at == (10, 50)


@pytest.mark.parametrize("end", ENDS)
def test_what_remains_is_the_mutual_information(corpus, end):
    p = dense(corpus, end, 51)
    found = distances(corpus, None, None, 1, end).remains
    for (n, told), (_, of_end) in zip(found.information, found.of_end, strict=True):
        joint = p.initial[:, None] * np.linalg.matrix_power(p.transition, n)
        whole = kl(joint.ravel(), np.outer(joint.sum(1), joint.sum(0)).ravel())
        assert told == pytest.approx(whole, abs=1e-12)
        short = np.stack([joint[:, :-1].sum(1), joint[:, -1]], axis=1)
        part = kl(short.ravel(), np.outer(short.sum(1), short.sum(0)).ravel())
        assert of_end == pytest.approx(part, abs=1e-12)
        assert of_end <= told + 1e-15
    per_word = {
        word: kl(np.linalg.matrix_power(p.transition, 10)[i], p.denoise([MASK] * 51)[10])
        for i, word in enumerate(corpus.vocabulary)
        if p.initial[i] > 0
    }
    best = sorted(per_word.values(), reverse=True)[:4]
    assert [value for _, value in found.felt] == pytest.approx(best, rel=1e-6)
    assert all(value == pytest.approx(per_word[word], rel=1e-6) for word, value in found.felt)


@pytest.mark.parametrize("frequent", [1, 3])
@pytest.mark.parametrize("end", ENDS)
def test_which_words_are_the_likeliest(end, frequent, monkeypatch):
    """Against fractions. Five words are told apart; "the" and "was" are equally frequent."""

    def likeliest(row):
        return next(i for i, chance in enumerate(row) if chance >= max(row) * (1 - 1e-12))

    monkeypatch.setattr(remains, "FREQUENT_WORDS", frequent)
    corpus = corpora.from_paragraphs(TEXT.split("\n\n"), 5)
    found = distances(corpus, None, None, 1, end).remains
    size = len(corpus.vocabulary)
    pairs, starts = corpus.pairs.tolist(), corpus.starts.tolist()
    pairs[-1] = starts if end == "restart" else [0] * (size - 1) + [1]
    steps = np.asarray([[Fraction(n, sum(row)) for n in row] for row in pairs])
    weights = corpus.pairs.sum(axis=1).tolist()
    weights[-1] = sum(starts) if end == "restart" else 0
    here = np.asarray([[Fraction(int(i == j)) for j in range(size)] for i in range(size)])
    at = 0
    assert [leading.distance for leading in found.leading] == list(DRAWN_DISTANCES)
    for leading in found.leading:
        for _ in range(leading.distance - at):
            here = here @ steps
        at = leading.distance
        shares = defaultdict(Fraction)
        of_words, possible = Fraction(0), Fraction(0)
        for weight, row in zip(weights, here.tolist(), strict=True):
            first = likeliest(row)
            kind = {size - 1: "end", size - 2: "unknown"}.get(first, "other")
            shares["frequent" if first < frequent else kind] += Fraction(weight, sum(weights))
            if any(row[:-2]):
                possible += weight
                of_words += weight * (likeliest(row[:-2]) < frequent)
        for kind in ("frequent", "unknown", "end", "other"):
            assert getattr(leading, kind) == pytest.approx(float(shares[kind]), abs=1e-12), kind
        assert leading.frequent_of_words == pytest.approx(float(of_words / possible), abs=1e-12)


def test_frequent_words_come_first_after_more_words_far_away():
    """Of Python's documentation, by powers of its dense chain."""
    corpus = corpora.english()
    p = dense(corpus, "restart", 2)
    found = distances(corpus, None, None).remains.leading
    for leading, share in zip(found[:3], (0.8213, 0.9927, 1.0), strict=True):
        rows = np.linalg.matrix_power(p.transition, leading.distance)
        first = rows[:, :-2].argmax(axis=1)
        assert leading.frequent_of_words == pytest.approx(p.initial[first < 20].sum(), abs=1e-12)
        assert leading.frequent_of_words == pytest.approx(share, abs=5e-5)
    assert found[-1].unknown == pytest.approx(1, abs=1e-12)


def test_no_word_is_the_likeliest_where_none_can_stand():
    found = distances(corpora.from_paragraphs(["one two three"]), None, None, 1, "absorbing")
    shares = {leading.distance: leading.frequent_of_words for leading in found.remains.leading}
    assert shares == {1: 1.0, 2: 1.0, 3: None, 5: None, 10: None, 50: None}
    assert [leading.end for leading in found.remains.leading] == pytest.approx(
        [1 / 3, 2 / 3, 1, 1, 1, 1]
    )


def test_information_is_the_same_in_pieces(corpus, monkeypatch):
    whole = distances(corpus, None, None, 2, "absorbing").remains
    monkeypatch.setattr(remains, "CHUNK", 2)
    steps = []
    pieces = distances(
        corpus, None, None, 2, "absorbing", progress=lambda items: steps.extend(items) or items
    ).remains
    assert steps == [0, 2, 4, 6, 8]
    assert pieces.leading == whole.leading
    assert dict(pieces.information) == pytest.approx(dict(whole.information), rel=1e-12)
    assert dict(pieces.of_end) == pytest.approx(dict(whole.of_end), rel=1e-12)
    assert pieces.felt == whole.felt


@pytest.mark.parametrize(("order", "end"), CHAINS)
def test_english_fades_like_its_eigenvalue(order, end):
    """Order 2, restarted, is not there yet at distance 50: 0.6625 against 0.6939."""
    found = of_english("object", ("object", "method"), order, end)
    assert found.after is not None
    near = 0.05 if (order, end) == (2, "restart") else 0.002
    assert found.after.measured == pytest.approx(found.after.rate, rel=near)
    assert found.between is not None
    assert found.between.measured == pytest.approx(found.between.rate, rel=0.06)
    assert not found.between.rounded
    assert found.after.rows[-1].top_mass > 0.2
    assert (found.reason is None) == (order == 2)
    assert found.states == (256 if order == 1 else 6256)


def test_english_far_away():
    """With texts packed, the words of the text; with an absorbing end, little but the end."""
    packed, over = (of_english("object", ("object", "method"), 1, end) for end in ENDS)
    assert packed.after is not None
    assert over.after is not None
    assert [word for word, _ in packed.after.rows[-1].likeliest] == ["<unknown>", "the", "a", "is"]
    assert packed.after.rows[-1].frequent == pytest.approx(packed.frequent, rel=1e-9)
    assert over.after.rows[-1].likeliest[0][0] == "<end>"
    assert over.after.rows[-1].effective_vocabulary < 4 < packed.after.rows[-1].effective_vocabulary
    (_, told), (_, of_end) = over.remains.information[-1], over.remains.of_end[-1]
    assert of_end > 0.99 * told
    assert packed.remains.information[-1][1] < 1e-30


def test_usual_phrases_are_long_and_frequent(corpus):
    assert usual_phrases(corpus) == ("garden", "nobody")
    assert usual_phrases(corpora.from_paragraphs(["so it is"])) == ("is", "it")
    assert usual_phrases(corpora.from_paragraphs(["so"])) == ("so", "so")


def test_phrases_that_are_never_said(corpus):
    with pytest.raises(InvalidInput, match="order 1 never says 'garden silent'"):
        distances(corpus, "garden silent", None)
    with pytest.raises(InvalidInput, match="'zebra' does not occur in the text"):
        distances(corpus, None, ("garden", "a zebra"))


def test_phrases_that_stand_at_odd_distances_only():
    """A number and a letter in turn: the two are never an even number of sites apart."""
    corpus = corpora.from_paragraphs(["one a one b two a two b one b"])
    found = distances(corpus, None, ("one", "b"), 1, "absorbing").between
    assert found is not None
    assert found.never == [(n, n) for n in DISTANCES]
    assert [row.left for row in found.rows] == [1, 2, 5, 10]
    assert (found.measured, found.measured_at) == (None, None)


@pytest.mark.parametrize(
    ("text", "measured"), [("a " * 99 + "b " * 99, True), ("one two three", False)]
)
def test_what_may_be_rounding_is_said_to_be(text, measured):
    corpus = corpora.from_paragraphs([text])
    first, second = usual_phrases(corpus)
    found = distances(corpus, None, (first, second)).between
    assert found is not None
    assert found.rounded
    assert (found.measured is not None) == measured


def test_words_that_are_read_as_unknown(corpus):
    few = corpora.from_paragraphs(TEXT.split("\n\n"), 3)
    found = distances(few, "was silent", ("garden", "silent house"))
    assert found.after is not None
    assert found.between is not None
    assert found.after.read_as_unknown == ["silent"]
    assert found.between.read_as_unknown == ["garden", "silent"]
    assert found.between.phrases == ["<unknown>", "<unknown> house"]
    found = distances(corpus, "was silent", None).after
    assert found is not None
    assert found.read_as_unknown == []


# ---- the command ----------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "end"), CHAINS)
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


@pytest.mark.parametrize(
    ("options", "after", "between"),
    [
        (["--after", "the", "house"], ["the house"], None),
        (["--between", "the", "house"], None, ["the", "house"]),
        (["--after", "A zebra,"], None, None),
        (["--after", "zebra"], None, None),
    ],
)
def test_only_what_is_asked_for_is_shown(options, after, between, command, refused, text):
    arguments = ("--text", text, "--distance", "--json", *options)
    if after is None and between is None:
        assert f"'zebra' does not occur in {text}" in refused(*arguments)
        return
    for found in strict(command(*arguments))["ends"]:
        assert (found["after"] and found["after"]["phrases"]) == after
        assert (found["between"] and found["between"]["phrases"]) == between


def test_words_that_are_not_told_apart_are_shown_as_unknown(command, text):
    arguments = ("--text", text, "--distance", "--frequent", "3", "--after", "was", "Silent!")
    out = command(*arguments)
    assert 'After "was <unknown>"' in out
    assert "The 3 most frequent of its 10 different words are told apart, the other 7 are" in out
    note = "'silent' occurs, but is not among the 3 words told apart; it is read as <unknown>."
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Yes!", "1 word in 1 paragraph, one text. 1 different word, told apart."),
        ("Yes, yes!", "2 words in 1 paragraph, one text. 1 different word, told apart."),
        ("a.\n\nb", "2 words in 2 paragraphs, each a text of its own. 2 different words, told"),
    ],
)
def test_one_word_is_one_word(content, said, command, tmp_path):
    path = tmp_path / "text"
    path.write_text(content, encoding="utf-8")
    out = command("--distance", "--text", str(path))
    assert out.startswith(f"{path}: {said}")
    assert not re.search(r"\b1 \w+s\b", out.splitlines()[0])
    assert "frequent" not in out  # all words would be
    (*_, row) = table_of(out)
    assert row[0] == "50"
    assert [cell[-2:] for cell in row[2:]] == [" %"] * 3


@pytest.mark.parametrize(
    ("frequent", "said"),
    [
        ("1", "The most frequent of its 3 different words is told apart, the other 2 are <unkn"),
        ("2", "The 2 most frequent of its 3 different words are told apart, the other one is <u"),
    ],
)
def test_few_words_are_counted_in_words(frequent, said, command, tmp_path):
    path = tmp_path / "text"
    path.write_text("one two two three", encoding="utf-8")
    assert said in command("--distance", "--text", str(path), "--frequent", frequent)


def test_the_table_of_words_drawn_shows_the_numbers_of_the_json(command):
    arguments = ("--distance", "--after", "object", "--end", "absorbing")
    rows = table_of(command(*arguments))[5:]
    (found,) = strict(command(*arguments, "--json"))["ends"]
    assert len(rows) == len(DRAWN_DISTANCES)
    remains, keys = found["remains"], ("frequent", "unknown", "end", "other", "frequent_of_words")
    for cells, row, (n, told) in zip(rows, remains["leading"], remains["information"], strict=True):
        assert int(cells[0]) == row["distance"] == n
        assert float(cells[1]) == pytest.approx(told, rel=0.006)
        for cell, key in zip(cells[2:], keys, strict=True):
            shown = float(cell.removesuffix(" %")) / 100
            assert shown == pytest.approx(row[key], abs=0.005), key
            assert (shown == 1) == (row[key] > 1 - 1e-12)
            assert (shown == 0) == (row[key] < 1e-12)


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
    assert sum("likeliest words" in line for line in lines) >= 4  # nor are the heads broken
    rows = [line for line in lines if re.match(r"[│ ]*(50|10) .*0\.", line)]
    assert len(rows) >= 8
    seen = " ".join(lines)
    assert ("A wider output has more columns" in seen) == (width < 80)
    assert ("instance 0.13" in seen) == (width >= 80)
    assert ("<unknown> 0.24, the 0.083, a 0.035, is 0.033 " in seen) == (width >= 120)


def test_a_progress_bar_on_a_terminal_only(capsys, monkeypatch):
    assert main(["--distance"]) == 0
    assert capsys.readouterr().err == ""
    kind = functools.partial(rich.console.Console, force_terminal=True)
    monkeypatch.setattr(rich.console, "Console", kind)
    assert main(["--distance", "--json"]) == 0
    captured = capsys.readouterr()
    assert "following" in captured.err
    strict(captured.out)


def test_the_table_shows_the_numbers_of_the_json(command):
    arguments = ("--distance", "--after", "object", "--end", "absorbing")
    rows = table_of(command(*arguments))
    (found,) = strict(command(*arguments, "--json"))["ends"]
    assert len(found["after"]["rows"]) == 5
    for cells, row in zip(rows[:5], found["after"]["rows"], strict=True):
        assert int(cells[0]) == row["left"]
        assert cells[1].split(", ")[0].split() == [
            row["likeliest"][0][0],
            f"{row['likeliest'][0][1]:.2g}",
        ]
        keys = ("effective_vocabulary", "limit_tv", "next_tv", "information", "ended")
        for cell, key in zip(cells[2:], keys, strict=True):
            assert float(cell) == pytest.approx(row[key], rel=0.06), key


def test_sentences_of_english(command):
    out = " ".join(command("--distance").split())
    for end in ENDS:
        (found,) = strict(command("--distance", "--end", end, "--json"))["ends"]
        assert f"factor of {found['after']['rate']:.4f} per site in the long run" in out
        assert f"shrinks by {found['after']['measured']:.4f} per site" in out
        assert f"factor of {found['between']['rate']:.4f} per site in the long run" in out
        assert f"shrinks by {found['between']['measured']:.4f} per site" in out
        assert "between 10 and 50 sites from both" in out
        assert found["reason"] in out
        assert f"{100 * found['after']['rows'][-1]['frequent']:.0f} % at distance 50" in out
    assert "the exact analogue of asking a large model" in out
    assert "as arXiv 2510.03289 is said to have done (its experiment was not seen)" in out
    assert "The 20 most frequent words (the, a, is, of, to, ...) have 44 % of the mass" in out
    assert "some may be none: the, a, is, of, to, in, and" in out
    assert "between two phrases the comparison is with the limit" in out
    assert "one of them is the likeliest after 82 % of the words drawn at distance 1" in out
    assert "The two differ" not in out
    assert out.count("the limit is not reached") == 1
    assert "At distance 50 the limit is not reached: the total variation to it is still 0.19" in out
    assert "Far away <end> takes all the mass, 0.81 of it at distance 50" in out
    assert re.search(r"at distance 50, 100 % is about whether <end> stands there", out)


def test_what_is_measured_may_differ_from_the_eigenvalue(command):
    """Order 2, packed: 0.6625 after "object" and 0.6584 from both, against 0.6939."""
    out = " ".join(command("--distance", "--order", "2", "--end", "restart").split())
    for measured, percent in ((0.6625, 5), (0.6584, 5)):
        assert f"shrinks by {measured} per site. The two differ by {percent} %: this is not" in out


def test_far_from_both_the_limit_may_not_be_reached(command):
    out = " ".join(
        command("--distance", "--between", "object", "<end>", "--end", "absorbing").split()
    )
    assert "At 50 sites from both the limit is not reached: the total variation" in out


@pytest.mark.parametrize("order", ["1", "2"])
@pytest.mark.parametrize("content", ["yes", "one two three", "a a a a", "a b.\n\nb a.\n\nab"])
def test_any_text_will_do(content, order, command, tmp_path):
    path = tmp_path / "[bold]text"
    path.write_text(content, encoding="utf-8")
    arguments = ("--distance", "--text", str(path), "--order", order)
    out = command(*arguments)
    assert out.startswith(f"{path}: ")
    strict(command(*arguments, "--json"))


def test_what_never_stands_there_is_said(command, tmp_path):
    path = tmp_path / "text"
    path.write_text("one two three", encoding="utf-8")
    arguments = ("--distance", "--text", str(path), "--between", "one", "three")
    out = " ".join(command(*arguments, "--end", "absorbing").split())
    assert "with these distances to a site: 2 and 2, 5 and 5" in out
    assert "The two never stand far from each other." in out
    out = " ".join(command(*arguments, "--end", "restart").split())
    assert "There is no limit far from both." in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--distance", "--gallery", "parity(3)"], "--gallery does not go with --distance"),
        (["--distance", "--table", "x.npy"], "--table does not go with --distance"),
        (["--distance", "--length", "4"], "--length does not go with --distance"),
        (["--distance", "--policy", "TopK(2)"], "--policy does not go with --distance"),
        (["--distance", "--temperature", "1"], "--temperature does not go with --distance"),
        (["--distance", "--examples", "0"], "--examples does not go with --distance"),
        (["--distance", "--seed", "0"], "--seed does not go with --distance"),
        (["--distance", "--plot", "x.png"], "--plot does not go with --distance"),
        (["--gallery", "parity(3)", "--after", "the"], "--after goes with --distance"),
        (["--gallery", "parity(3)", "--between", "a", "b"], "--between goes with --distance"),
        (["--gallery", "parity(3)", "--order", "2"], "--order goes with --distance"),
        (["--gallery", "parity(3)", "--end", "restart"], "--end goes with --distance"),
        (["--gallery", "parity(3)", "--frequent", "9"], "--frequent goes with --distance"),
        (
            ["--distance", "--frequent", "9"],
            "--frequent goes with --text: of the built-in prose the package has only the counts of",
        ),
        (["--distance", "--order", "3"], "invalid choice: 3"),
        (["--distance", "--end", "stop"], "invalid choice: 'stop'"),
        (["--distance", "--between", "one"], "expected 2 arguments"),
        (["--distance", "--after"], "expected at least one argument"),
        (["--distance", "--after", "--between"], "expected at least one argument"),
        (["--distance", "--after", "1984"], "there is no word in '1984'"),
        (["--distance", "--between", "the", "?"], "there is no word in '?'"),
        (["--distance", "--after", "the", "be"], "the chain of order 1 never says 'the be'"),
        (
            ["--distance", "--after", "zebra"],
            "error: 'zebra' does not occur in the prose of Python's documentation",
        ),
        (["--distance", "--between", "the", "a gnu"], "'gnu' does not occur in the prose"),
        (["--distance", "--text", "no such file"], "there is no file no such file"),
        (["--distance", "--text", ""], "argument --text: the name of the file is empty"),
        (["--table", ""], "argument --table: the name of the file is empty"),
    ],
)
def test_wrong_usage_gives_exit_code_2(arguments, complaint, refused):
    assert complaint in refused(*arguments)


def test_help_names_the_options(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for option in ("--distance", "--after", "--between", "--order", "--end", "--frequent"):
        assert option in out
