"""What is shown far from a context: against the dense chain, by hand, and the command itself."""

import math
import re

import numpy as np
import pytest

from sims import distance
from sims.__main__ import main
from sims.distance import DISTANCES, distances, usual_phrases
from sims.distance_report import to_json
from tests.sims.printed import strict, table_of
from theory import MASK, InvalidInput, MarkovChain, corpora

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


@pytest.fixture
def command(capsys):
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
        assert captured.err.startswith("usage: python -m sims")
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
        [(n, n) for n in DISTANCES] + [(n, 100 - n) for n in (1, 2, 5, 10)]
    )
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


def test_information_is_the_same_in_pieces(corpus, monkeypatch):
    whole = distances(corpus, None, None, 2, "absorbing").remains
    monkeypatch.setattr(distance, "CHUNK", 2)
    pieces = distances(corpus, None, None, 2, "absorbing").remains
    assert dict(pieces.information) == pytest.approx(dict(whole.information), rel=1e-12)
    assert dict(pieces.of_end) == pytest.approx(dict(whole.of_end), rel=1e-12)
    assert pieces.felt == whole.felt


@pytest.mark.parametrize(("order", "end"), CHAINS)
def test_english_fades_like_its_eigenvalue(order, end):
    """Order 2, restarted, is not there yet at distance 50: 0.6625 against 0.6939."""
    found = distances(corpora.english(), "object", ("object", "method"), order, end)
    assert found.after is not None
    near = 0.05 if (order, end) == (2, "restart") else 0.002
    assert found.after.measured == pytest.approx(found.after.rate, rel=near)
    assert found.after.rows[-1].top_mass > 0.2
    assert (found.reason is None) == (order == 2)
    assert found.states == (256 if order == 1 else 6256)


def test_english_far_away():
    """With texts packed, the words of the text; with an absorbing end, little but the end."""
    packed, over = (distances(corpora.english(), "object", None, 1, end) for end in ENDS)
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
    assert "analogue" in said["what"]
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
        assert "never says" in refused(*arguments)
        return
    for found in strict(command(*arguments))["ends"]:
        assert (found["after"] and found["after"]["phrases"]) == after
        assert (found["between"] and found["between"]["phrases"]) == between


def test_words_that_are_not_told_apart_are_shown_as_unknown(command, text):
    out = command("--text", text, "--distance", "--frequent", "3", "--after", "was", "Zebra!")
    assert 'After "was <unknown>"' in out
    assert "The 3 most frequent are told apart, 7 are <unknown>." in out


def test_the_table_shows_the_numbers_of_the_json(command):
    arguments = ("--distance", "--after", "object", "--end", "absorbing")
    rows = table_of(command(*arguments))
    (found,) = strict(command(*arguments, "--json"))["ends"]
    assert len(rows) == len(found["after"]["rows"]) == 5
    for cells, row in zip(rows, found["after"]["rows"], strict=True):
        assert int(cells[0]) == row["left"]
        assert cells[1].split(", ")[0].split() == [
            row["likeliest"][0][0],
            f"{row['likeliest'][0][1]:.2g}",
        ]
        keys = ("top_mass", "effective_vocabulary", "limit_tv", "next_tv", "information", "ended")
        for cell, key in zip(cells[2:], keys, strict=True):
            assert float(cell) == pytest.approx(row[key], rel=0.06), key


def test_sentences_of_english(command):
    out = " ".join(command("--distance").split())
    for end in ENDS:
        (found,) = strict(command("--distance", "--end", end, "--json"))["ends"]
        assert f"factor of {found['after']['rate']:.4f} per site in the long run" in out
        assert f"shrinks by {found['after']['measured']:.4f} per site" in out
        assert f"factor of {found['between']['rate']:.4f} per site in the long run" in out
        assert found["reason"] in out
        assert f"{100 * found['after']['rows'][-1]['frequent']:.0f} % at distance 50" in out
    assert "the analogue of asking a large model" in out
    assert "Far away <end> takes all the mass, 0.81 of it at distance 50" in out
    assert re.search(r"at distance 50, 100 % is about whether <end> stands there", out)


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
        (["--distance", "--frequent", "9"], "--frequent goes with --text"),
        (["--distance", "--order", "3"], "invalid choice: 3"),
        (["--distance", "--end", "stop"], "invalid choice: 'stop'"),
        (["--distance", "--between", "one"], "expected 2 arguments"),
        (["--distance", "--after"], "expected at least one argument"),
        (["--distance", "--after", "--between"], "expected at least one argument"),
        (["--distance", "--after", "1984"], "there is no word in '1984'"),
        (["--distance", "--between", "the", "?"], "there is no word in '?'"),
        (["--distance", "--after", "the", "be"], "the chain of order 1 never says 'the be'"),
        (["--distance", "--text", "no such file"], "there is no file no such file"),
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
