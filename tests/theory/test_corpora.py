"""Real text: every count against one made by hand or by brute force."""

import importlib.resources
import itertools
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.noted import each, refusals
from theory import MASK
from theory.errors import InvalidInput, TooLarge
from theory.text import corpora, make_corpora
from theory.text.tokenize import paragraphs_of, words_of

# a 3, rose 3, is 2, no 2, cat 1
ROSES = "A rose is a rose.\n\nA cat is no rose!\n\nNo?\n"


@pytest.fixture
def roses(tmp_path):
    path = tmp_path / "roses.txt"
    path.write_text(ROSES, encoding="utf-8")
    return corpora.from_text(path, frequent=3)


# Counts by hand


def test_chain_by_hand(roses):
    chain = roses.chain(3)
    assert (chain.length, chain.vocab, chain.symbols) == (3, 5, roses.vocabulary)
    # A text begins with "a" in 2 of 3 cases, "rose" follows in 2 of 3, the end in 2 of 3.
    assert float(chain.evidence([0, 1, 4])) == pytest.approx(8 / 27, rel=1e-14)
    assert np.asarray(chain.denoise([0, 1, MASK]))[2] == pytest.approx([0, 0, 1 / 3, 0, 2 / 3])
    assert float(chain.evidence([4, MASK, MASK])) == 0.0


def test_a_word_that_never_occurs_gets_a_row_all_the_same():
    corpus = corpora.from_paragraphs(["yes and no"])
    assert corpus.vocabulary == ("and", "no", "yes", "<unknown>", "<end>")
    assert corpus.pairs[3].tolist() == [0] * 5
    chain = corpus.chain(4)
    assert chain.denoise([2, 0, 1, MASK])[3].tolist() == [0, 0, 0, 0, 1]
    assert float(chain.evidence([MASK, MASK, MASK, 3])) == 0.0


TEXTS = st.lists(st.text(alphabet="abé -.", max_size=12), min_size=1, max_size=6)


@given(TEXTS, st.integers(1, 6))
def test_counts_agree_with_brute_force(texts, frequent):
    spoken = [re.findall("[abé]+", text) for text in texts]
    spoken = [words for words in spoken if words]
    if not spoken:
        with pytest.raises(InvalidInput, match="no words"):
            corpora.from_paragraphs(texts, frequent)
        return
    corpus = corpora.from_paragraphs(texts, frequent)
    assert corpus.words == Counter(itertools.chain(*spoken))
    assert list(corpus.words) == sorted(corpus.words, key=lambda w: (-corpus.words[w], w))
    assert {x.dtype for x in (corpus.pairs, corpus.starts, corpus.triples)} == {np.dtype(np.int64)}
    known = corpus.vocabulary[:-2]
    assert known == tuple(sorted(corpus.words, key=lambda w: (-corpus.words[w], w))[:frequent])
    walks = [[w if w in known else "<unknown>" for w in words] + ["<end>"] for words in spoken]
    pairs = Counter(pair for walk in walks for pair in itertools.pairwise(walk))
    starts = Counter(walk[0] for walk in walks)
    for i, word in enumerate(corpus.vocabulary):
        assert corpus.starts[i] == starts[word]
        for j, following in enumerate(corpus.vocabulary):
            assert corpus.pairs[i, j] == pairs[word, following]
    triples = Counter(
        triple for walk in walks for triple in zip(["<end>", *walk], walk, walk[1:], strict=False)
    )
    names = corpus.vocabulary
    found = {(names[u], names[v], names[w]): n for u, v, w, n in corpus.triples.tolist()}
    assert found == triples


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_letters_are_as_likely_as_in_the_text(roses, length):
    words = {word: n for word, n in roses.words.items() if len(word) == length}
    letters, alphabet = roses.letters(length), roses.alphabet(length)
    assert (letters.vocab, letters.symbols) == (len(alphabet), alphabet)
    for spelling in itertools.product(range(len(alphabet)), repeat=length):
        word = "".join(alphabet[i] for i in spelling)
        share = words.get(word, 0) / sum(words.values())
        assert float(letters.evidence(list(spelling))) == pytest.approx(share, abs=1e-15)


# What a word is, what a paragraph is


@each(
    ("text", "words"),
    [
        (
            "\"Call me *Ishmael*,\" he said;\n'some years_ (ago)' -- 3rd",
            ["call", "me", "ishmael", "he", "said", "some", "years", "ago", "rd"],
        ),
        ("Die Straße, über Öl: GROẞ.", ["die", "strasse", "über", "öl", "gross"]),
        ("Ὁ Λόγος ἦν", ["ὁ", "λόγοσ", "ἦν"]),  # a final sigma is folded to a sigma
        ("Это — книга.", ["это", "книга"]),
        ("l'homme naïf", ["l", "homme", "naïf"]),
        ("cafe\u0301", ["café"]),  # an accent is composed with its letter
        ("東京。京都", ["東京", "京都"]),
        ("x2 ½ ² _ 3.14", ["x"]),
        # vowel signs, points and tones are marks and stay with their letters
        ("हिन्दी में है।", ["हिन्दी", "में", "है"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("שָׁלוֹם, עוֹלָם", ["שָׁלוֹם", "עוֹלָם"]),
        ("ที่นี่ นั้น", ["ที่นี่", "นั้น"]),
        ("x\u0304 = y\u0304", ["x\u0304", "ȳ"]),  # the first has no composed form
        # format signs are as if they were not there; a zero width space ends a word
        ("co\u00adoperate \ufeffre\u2060store\u200f", ["cooperate", "restore"]),
        ("e\u00ad\u0301t", ["ét"]),
        ("ខ្មែរ\u200bភាសា", ["ខ្មែរ", "ភាសា"]),
        # what case folding takes apart is composed again
        ("ǰ \u0390 ẖ", ["ǰ", "\u0390", "ẖ"]),
        # joiners hold a word together and are no part of its end
        ("ශ්\u200dරී ලංකා\u200d", ["ශ්\u200dරී", "ලංකා"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        # marks without a letter are no words, nor do they begin one
        ("❤\ufe0f 1\ufe0f\u20e3 \u0301 \u200d", []),
        ("2\u0301nd", ["nd"]),
    ],
)
def test_words_of_any_language(text, words):
    assert words_of(text) == words
    assert words_of(" ".join(words)) == words


def test_words_over_the_categories_of_unicode():
    """Between two letters: what is a word, part of one, invisible, or its end, by category."""
    rng = np.random.default_rng(0)
    signs = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    kinds = {}
    for sign in signs:
        kinds.setdefault(unicodedata.category(sign), []).append(sign)
    for kind, members in kinds.items():
        if kind not in ("Cf", "Cc", "Zs", "Zl", "Zp"):  # all of these
            members = rng.choice(members, min(60, len(members)), replace=False).tolist()
        for sign in members:
            words = words_of(f"a{sign}b")
            if kind[0] in "LM" or sign in "\u200c\u200d":
                assert len(words) == 1, hex(ord(sign))
                assert unicodedata.normalize("NFC", words[0]) == words[0]
            elif kind == "Cf" and sign != "\u200b":
                assert words == ["ab"], hex(ord(sign))
            else:
                assert words == ["a", "b"], hex(ord(sign))
            assert words_of(" ".join(words)) == words


@each(
    ("between", "paragraphs"),
    [
        *((end * 2, 2) for end in ("\n", "\r\n", "\r", "\v", "\x85", "\u2028")),
        *((end, 1) for end in ("\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\n\f")),
        ("\u2029", 2),
        ("\n \x85", 2),
        ("\n\n\f", 2),
        ("\x1c\x1d\x1e", 1),  # these end lines for str.splitlines, not for Unicode
    ],
)
def test_ends_of_lines_and_paragraphs(between, paragraphs):
    found = [words_of(p) for p in paragraphs_of(f"one{between}two")]
    assert found == ([["one", "two"]] if paragraphs == 1 else [["one"], ["two"]])


# Phrases


def test_phrases_are_read_like_the_text(roses):
    """The vocabulary is a, rose, is; no and cat are unknown."""
    assert roses.tokens("Is NO (rose) a -- cat?") == (2, 3, 1, 0, 3)
    assert roses.unknown("Is NO (rose) a -- cat? No!") == ("no", "cat")
    assert roses.unknown("is a rose") == ()


def test_symbols_may_be_written_out_in_a_phrase(roses):
    assert roses.tokens("<end> a <unknown>") == (4, 0, 3)
    assert roses.tokens("a<END><Unknown>") == (0, 4, 3)
    assert roses.unknown("<end> <unknown> a") == ()


def test_bytes_and_name_do_not_matter(tmp_path, roses):
    other = tmp_path / "other.txt"
    other.write_bytes(b"\xef\xbb\xbf" + ROSES.replace("\n", "\r\n").encode())
    again = corpora.from_text(str(other), frequent=3)
    assert again.words == roses.words
    assert (again.pairs == roses.pairs).all()


# The tables of the package


def committed(name):
    folder = importlib.resources.files("theory.text") / "data"
    return (folder / name).read_bytes().decode("utf-8")


@pytest.mark.parametrize("name", ["words.csv", "word_pairs.csv", "word_triples.csv"])
def test_committed_tables_are_what_the_script_makes(name):
    (made_with,) = re.findall("^# Made from: .* Python (.+)$", committed(name), re.MULTILINE)
    running = ".".join(map(str, sys.version_info[:3]))
    if made_with != running:
        pytest.skip(f"{name} is made of Python {made_with}'s documentation; this is {running}")
    assert make_corpora.tables()[name] == committed(name)


def test_the_tables_are_lossless(tmp_path, monkeypatch):
    # Written and read again, the counts of this Python's documentation are what they were.
    from pydoc_data.topics import topics

    make_corpora.main(tmp_path / "data")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    read = corpora.english.__wrapped__()
    for name, text in make_corpora.tables().items():
        assert (tmp_path / "data" / name).read_bytes() == text.encode("utf-8")
    made = corpora.from_paragraphs(make_corpora.prose(topics.values()))
    assert list(read.words.items()) == list(made.words.items())
    assert read.vocabulary == made.vocabulary
    assert (read.pairs == made.pairs).all()
    assert (read.starts == made.starts).all()
    assert np.array_equal(read.triples, made.triples)


def test_english_is_consistent():
    corpus = corpora.english()
    assert len(corpus.vocabulary) == corpora.FREQUENT + 2 == 256
    assert corpus.vocabulary[-2:] == (corpora.UNKNOWN, corpora.END)
    assert corpus.vocabulary[:254] == tuple(corpus.words)[:254]
    assert list(corpus.words) == sorted(corpus.words, key=lambda w: (-corpus.words[w], w))
    known = [corpus.words[word] for word in corpus.vocabulary[:-2]]
    unknown = sum(corpus.words.values()) - sum(known)
    assert corpus.pairs.sum(axis=1).tolist() == [*known, unknown, 0]
    assert (corpus.starts + corpus.pairs.sum(axis=0))[:-2].tolist() == known
    assert corpus.pairs[:, -1].sum() == corpus.starts.sum()


def test_triples_of_english_add_up_to_its_pairs():
    corpus = corpora.english()
    end = len(corpus.vocabulary) - 1
    ahead, behind = np.zeros((2, end + 1, end + 1), np.int64)
    first, second, third, count = corpus.triples.T
    np.add.at(ahead, (second, third), count)
    np.add.at(behind, (first, second), count)
    assert np.array_equal(ahead, corpus.pairs)
    assert np.array_equal(behind[:end, :end], corpus.pairs[:end, :end])
    assert np.array_equal(behind[end], corpus.starts)


def test_english_words_are_english_and_its_alphabet_is_always_a_to_z():
    corpus = corpora.english()
    assert set("".join(corpus.words)) <= set("abcdefghijklmnopqrstuvwxyz")
    for length in sorted(set(map(len, corpus.words))):
        assert "".join(corpus.alphabet(length)) == "abcdefghijklmnopqrstuvwxyz"
    assert {word for word in corpus.words if len(word) == 1} == {"a"}
    code = {"self", "attr", "expr", "func", "iter", "args", "init", "stmt", "elif", "isinstance"}
    assert not code & set(corpus.words)


def test_english_is_shared_and_nobody_can_change_it():
    corpus = corpora.english()
    assert corpora.english() is corpus
    with pytest.raises(TypeError, match="item assignment"):
        corpus.words["the"] = 0  # pyright: ignore[reportIndexIssue]
    for counts in (corpus.pairs, corpus.starts, corpus.triples):
        with pytest.raises(ValueError, match="read-only"):
            counts[0] = 1
    assert corpus.chain(2).sample(np.random.default_rng(0), 1).shape == (1, 2)


def test_importing_reads_no_table():
    code = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "from theory.text import corpora\n"
        "print(sum(name.endswith('.csv') for name in opened))\n"
        "corpora.english()\n"
        "print(sum(name.endswith('.csv') for name in opened))\n"
        "corpora.english().triples\n"
        "print(sum(name.endswith('.csv') for name in opened))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "2", "3"]


TOPIC = """The "global" statement
**********************

   global_stmt ::= "global" identifier ("," identifier)*

The "global" statement is a *declaration* which holds for the class's
entire current code-
block; *see* spam.eggs(x) and "f["a"]" but don't use NULL, "x"s or x_1 (a "b").

   Changed in version 3.8: A short note may follow here, too.

1. Items are also sentences, if they read like one [2].

   def function(a):
       return a + 1  # Is this really a sentence in the code?

   >>> this is no prose at all, it is a session.

* only a fragment which ends without a full stop

Some examples:

Changed in version 3.8: A short note may follow here, too.
"""


def test_prose_of_a_topic():
    assert list(make_corpora.prose([TOPIC, TOPIC])) == [
        "The statement is a which holds for the entire current code block and but use or a",
        "A short note may follow here too",
        "Items are also sentences if they read like one",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "for value in values: total is value and so on.",  # begins small
        "The values of a mapping are given by",  # goes on after an example
        "Some short examples here:",  # four words
        'A string like "abc is never closed in this one.',
        "X = Y + f(1) ** 2 and Z = (3, 4, 5).",
        "+---+ Operation | Result | Notes for all of them.",
    ],
)
def test_what_is_not_prose(text):
    assert list(make_corpora.prose([text])) == []


def reading(content, **options):
    """A call that reads a file of these bytes."""

    def call():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "text.txt"
            path.write_bytes(content)
            return corpora.from_text(path, **options)

    return call


def of(*paragraphs, **options):
    return corpora.from_paragraphs(list(paragraphs), **options)


LETTER = of("A rose is a rose.", "A cat is no rose!", "No?", frequent=3, name="a letter")
LENGTHS = "no word has 5 letters; the lengths that occur are 1, 2, 3, 4$"
NO_PARAGRAPHS = {
    "a list of paragraphs is needed, not one value of type str": "abc",
    "a list of paragraphs is needed, not one value of type bytes": b"abc",
    "paragraph 1 is no string but of type bytes": ["abc", b"abc"],
    "paragraph 0 holds a NUL": ["a\0b\0"],
}

test_what_is_refused = refusals(
    *((says, corpora.from_paragraphs, [given]) for says, given in NO_PARAGRAPHS.items()),
    *(
        (f"perhaps {name} without a byte-order mark", reading("A rose is a rose.".encode(name)))
        for name in ("UTF-16-LE", "UTF-16-BE", "UTF-32-LE", "UTF-32-BE")
    ),
    (r"holds NULs, the first at offset 6: .* or UTF-32", reading(b"A rose\0")),
    (r"text\.txt is not UTF-8.*offset 2\. Save it", reading("naïve".encode("latin-1"))),
    *(("no words", reading(text.encode())) for text in ("", "\n\n", "1984 -- 42 _ ²")),
    *(
        (f"frequent must be an integer.*, got {n}$", reading(b"one", frequent=n))
        for n in (0, -3, 2.0)
    ),
    (r"there is no file .*nowhere\.txt", lambda: corpora.from_text("/nowhere.txt")),
    ("the name of the text file is empty", lambda: corpora.from_text("")),
    ("is a directory", lambda: corpora.from_text("/")),
    ("^'zebra' does not occur in a letter$", LETTER.tokens, ["zebra", "A Zebra, a zebra!"]),
    ("^'gnu', 'zebra' do not occur in a letter$", lambda: LETTER.tokens("gnu no zebra")),
    ("^there is no word in '{}'", LETTER.tokens, ["1984", ""]),
    ("a phrase is a string", LETTER.tokens, [b"a rose", ["a", "rose"], None]),
    ("'end' does not occur", lambda: LETTER.tokens("< end >")),
    ("no <unknown>: all words of the text", lambda: of("yes").tokens("yes <unknown>")),
    ("'no' does not occur in the text$", lambda: of("yes").tokens("no")),
    ("in the prose of Python's", lambda: corpora.english().tokens("zebra")),
    (LENGTHS, LETTER.letters, [5]),
    (LENGTHS, LETTER.alphabet, [5]),
    *(
        ("length must be an integer.*, got {}$", getattr(LETTER, method), [0, -1, 1.5])
        for method in ("alphabet", "letters", "chain")
    ),
)


def test_more_pairs_than_there_is_room_for(monkeypatch):
    monkeypatch.setenv("ZEROLOSS_MEMORY", "1000")
    with pytest.raises(TooLarge, match="the pairs of 10 words"):
        corpora.from_paragraphs(["one two three four five six seven eight"])
