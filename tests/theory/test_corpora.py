"""Real text: every count against one made by hand or by brute force."""

import importlib.resources
import itertools
import re
import subprocess
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.noted import each
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


# ---- counts by hand -------------------------------------------------------------------------


def test_words_are_counted_the_most_frequent_first_and_equals_alphabetically(roses):
    assert list(roses.words.items()) == [("a", 3), ("rose", 3), ("is", 2), ("no", 2), ("cat", 1)]


def test_vocabulary_is_the_most_frequent_words_then_unknown_and_end(roses):
    assert roses.vocabulary == ("a", "rose", "is", "<unknown>", "<end>")


def test_pairs_and_starts_by_hand(roses):
    # a rose is a rose END; a ? is ? rose END; ? END
    assert roses.pairs.tolist() == [
        [0, 2, 0, 1, 0],
        [0, 0, 1, 0, 2],
        [1, 0, 0, 1, 0],
        [0, 1, 1, 0, 1],
        [0, 0, 0, 0, 0],
    ]
    assert roses.starts.tolist() == [2, 0, 0, 1, 0]
    assert roses.pairs.dtype == roses.starts.dtype == np.int64


def test_triples_by_hand(roses):
    # END a rose, a rose is, rose is a, is a rose, a rose END; END a ?, a ? is, ? is ?, is ? rose,
    # ? rose END; END ? END
    assert roses.triples.tolist() == [
        *([0, 1, 2, 1], [0, 1, 4, 1], [0, 3, 2, 1], [1, 2, 0, 1], [2, 0, 1, 1], [2, 3, 1, 1]),
        *([3, 1, 4, 1], [3, 2, 3, 1], [4, 0, 1, 1], [4, 0, 3, 1], [4, 3, 4, 1]),
    ]
    assert roses.triples.dtype == np.int64
    assert roses.triples is roses.triples


def test_letters_by_hand(roses):
    assert roses.alphabet(2) == ("i", "n", "o", "s")
    letters = roses.letters(2)  # is 2, no 2
    assert (letters.length, letters.vocab, letters.symbols) == (2, 4, ("i", "n", "o", "s"))
    assert np.asarray(letters.evidence([[0, 3], [1, 2], [0, 2]])).tolist() == [0.5, 0.5, 0.0]
    assert letters.denoise([MASK, 2])[0].tolist() == [0.0, 1.0, 0.0, 0.0]


def test_chain_by_hand(roses):
    chain = roses.chain(3)
    assert (chain.length, chain.vocab, chain.symbols) == (3, 5, roses.vocabulary)
    # A text begins with "a" in 2 of 3 cases, "rose" follows in 2 of 3, the end in 2 of 3.
    assert float(chain.evidence([0, 1, 4])) == pytest.approx(8 / 27, rel=1e-14)
    assert np.asarray(chain.denoise([0, 1, MASK]))[2] == pytest.approx([0, 0, 1 / 3, 0, 2 / 3])
    assert float(chain.evidence([4, MASK, MASK])) == 0.0


def test_end_is_absorbing(roses):
    rows = roses.chain(30).sample(np.random.default_rng(1), 200)
    ended = np.cumsum(rows == 4, axis=1) > 0
    assert ended[:, -1].any()
    assert (rows[ended] == 4).all()


def test_a_word_that_never_occurs_gets_a_row_all_the_same():
    corpus = corpora.from_paragraphs(["yes and no"])
    assert corpus.vocabulary == ("and", "no", "yes", "<unknown>", "<end>")
    assert corpus.pairs[3].tolist() == [0] * 5
    chain = corpus.chain(4)
    assert chain.denoise([2, 0, 1, MASK])[3].tolist() == [0, 0, 0, 0, 1]
    assert float(chain.evidence([MASK, MASK, MASK, 3])) == 0.0


# ---- counts by brute force ------------------------------------------------------------------

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


@given(TEXTS.filter(lambda texts: re.search("[abé]", "".join(texts))), st.integers(1, 6))
def test_every_word_has_a_successor_and_every_row_a_sum(texts, frequent):
    # A word is followed by a word or by END, and preceded by a word or by the start: a word of
    # the vocabulary without a successor does not occur. Only <unknown> can be such a word.
    corpus = corpora.from_paragraphs(texts, frequent)
    known = [corpus.words[word] for word in corpus.vocabulary[:-2]]
    occurrences = [*known, sum(corpus.words.values()) - sum(known), 0]
    assert corpus.pairs.sum(axis=1).tolist() == occurrences
    assert (corpus.starts + corpus.pairs.sum(axis=0))[:-1].tolist() == occurrences[:-1]
    assert corpus.pairs[:, -1].sum() == corpus.starts.sum()
    assert min(known) > 0
    chain = corpus.chain(2)
    assert np.asarray(chain.transition).sum(axis=1) == pytest.approx(np.ones(chain.vocab))
    assert chain.transition[-1].tolist() == [0] * (chain.vocab - 1) + [1]


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_letters_are_as_likely_as_in_the_text(roses, length):
    words = {word: n for word, n in roses.words.items() if len(word) == length}
    letters, alphabet = roses.letters(length), roses.alphabet(length)
    for spelling in itertools.product(range(len(alphabet)), repeat=length):
        word = "".join(alphabet[i] for i in spelling)
        share = words.get(word, 0) / sum(words.values())
        assert float(letters.evidence(list(spelling))) == pytest.approx(share, abs=1e-15)


# ---- what a word is, what a paragraph is ----------------------------------------------------


def test_dialogue_keeps_all_its_words():
    text = "\"Call me *Ishmael*,\" he said;\n'some years ago_ (never mind)' -- 3rd item"
    assert words_of(text) == [
        *("call", "me", "ishmael", "he", "said", "some", "years", "ago", "never", "mind"),
        *("rd", "item"),
    ]


@each(
    ("text", "words"),
    [
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


@pytest.mark.parametrize("encoding", ["UTF-16-LE", "UTF-16-BE", "UTF-32-LE", "UTF-32-BE"])
def test_other_encodings_are_not_read_as_letters(tmp_path, encoding):
    path = tmp_path / "text"
    path.write_bytes("A rose is a rose.".encode(encoding))
    with pytest.raises(InvalidInput, match=f"perhaps {encoding} without a byte-order mark"):
        corpora.from_text(path)
    path.write_bytes(b"A rose\0")
    with pytest.raises(InvalidInput, match=r"holds NULs, the first at offset 6: .* or UTF-32"):
        corpora.from_text(path)


@each(
    ("paragraphs", "message"),
    [
        ("abc", "a list of paragraphs is needed, not one value of type str"),
        (b"abc", "a list of paragraphs is needed, not one value of type bytes"),
        (["abc", b"abc"], "paragraph 1 is no string but of type bytes"),
        (["a\0b\0"], "paragraph 0 holds a NUL"),
    ],
)
def test_paragraphs_are_strings(paragraphs, message):
    with pytest.raises(InvalidInput, match=message):
        corpora.from_paragraphs(paragraphs)


def test_a_word_of_devanagari_is_one_word(tmp_path):
    path = tmp_path / "text"
    path.write_text("हिन्दी में हिन्दी।", encoding="utf-8")
    corpus = corpora.from_text(path)
    assert dict(corpus.words) == {"हिन्दी": 2, "में": 1}
    assert corpus.tokens("में हिन्दी") == (1, 0)
    assert corpus.alphabet(3) == tuple(sorted("में"))  # marks count as letters


# ---- phrases --------------------------------------------------------------------------------


def test_phrases_are_read_like_the_text(roses):
    """The vocabulary is a, rose, is; no and cat are unknown."""
    assert roses.tokens("Is NO (rose) a -- cat?") == (2, 3, 1, 0, 3)
    assert roses.unknown("Is NO (rose) a -- cat? No!") == ("no", "cat")
    assert roses.unknown("is a rose") == ()


def test_symbols_may_be_written_out_in_a_phrase(roses):
    assert roses.tokens("<end> a <unknown>") == (4, 0, 3)
    assert roses.tokens("a<END><Unknown>") == (0, 4, 3)
    assert roses.unknown("<end> <unknown> a") == ()
    with pytest.raises(InvalidInput, match="'end' does not occur"):
        roses.tokens("< end >")


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("zebra", "'zebra' does not occur in "),
        ("A Zebra, a zebra!", "'zebra' does not occur in "),
        ("gnu no zebra", "'gnu', 'zebra' do not occur in "),
        ("1984", "there is no word in '1984'"),
        ("", "there is no word in ''"),
    ],
)
def test_words_that_do_not_occur_are_refused(roses, phrase, message):
    with pytest.raises(InvalidInput) as refused:
        roses.tokens(phrase)
    assert str(refused.value).startswith(message)
    if "occur" in message:
        assert str(refused.value).endswith(roses.name)
        assert roses.name.endswith("roses.txt")


def test_phrases_are_strings(roses):
    for phrase in (b"a rose", ["a", "rose"], None):
        with pytest.raises(InvalidInput, match="a phrase is a string"):
            roses.tokens(phrase)


def test_names_of_texts():
    with pytest.raises(InvalidInput, match=r"'zebra' does not occur in the prose of Python's"):
        corpora.english().tokens("zebra")
    with pytest.raises(InvalidInput, match=r"'no' does not occur in the text$"):
        corpora.from_paragraphs(["yes"]).tokens("no")
    with pytest.raises(InvalidInput, match=r"'no' does not occur in a letter$"):
        corpora.from_paragraphs(["yes"], name="a letter").tokens("no")


def test_there_is_no_unknown_word_where_all_are_told_apart():
    corpus = corpora.from_paragraphs(["yes and no"], name="a letter")
    with pytest.raises(InvalidInput, match="no <unknown>: all words of a letter are distinguished"):
        corpus.tokens("yes <unknown>")
    assert corpora.from_paragraphs(["yes and no"], 2).tokens("<unknown>") == (2,)


def test_a_text_that_is_not_english(tmp_path):
    path = tmp_path / "λόγος.txt"
    path.write_text("Straße über Maß.\n\nMASS, maß!", encoding="utf-8")
    corpus = corpora.from_text(path)
    assert dict(corpus.words) == {"mass": 3, "strasse": 1, "über": 1}
    assert corpus.alphabet(4) == ("a", "b", "e", "m", "r", "s", "ü")
    assert corpus.letters(4).vocab == 7
    assert float(corpus.letters(4).evidence([3, 0, 5, 5])) == 0.75


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_paragraphs_for_every_kind_of_line_end(end):
    text = f"{end}one{end}two{end} \t{end}{end}three{end}"
    assert [words_of(paragraph) for paragraph in paragraphs_of(text)] == [["one", "two"], ["three"]]


def test_a_paragraph_without_words_is_none():
    corpus = corpora.from_paragraphs(["* * *", "one", "", "1984"])
    assert corpus.starts.tolist() == [1, 0, 0]


def test_bytes_and_name_do_not_matter(tmp_path, roses):
    other = tmp_path / "other.txt"
    other.write_bytes(b"\xef\xbb\xbf" + ROSES.replace("\n", "\r\n").encode())
    again = corpora.from_text(str(other), frequent=3)
    assert again.words == roses.words
    assert (again.pairs == roses.pairs).all()


# ---- the tables of the package --------------------------------------------------------------


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


def test_the_script_writes_the_same_bytes_twice(tmp_path):
    make_corpora.main(tmp_path / "one")
    make_corpora.main(tmp_path / "two")
    for name, text in make_corpora.tables().items():
        assert (tmp_path / "one" / name).read_bytes() == text.encode("utf-8")
        assert (tmp_path / "two" / name).read_bytes() == text.encode("utf-8")


def test_the_tables_lose_nothing(tmp_path, monkeypatch):
    # Written and read again, the counts of this Python's documentation are what they were.
    from pydoc_data.topics import topics

    make_corpora.main(tmp_path / "data")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    read = corpora.english.__wrapped__()
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


def test_letters_of_english():
    corpus = corpora.english()
    letters = corpus.letters(4)
    assert letters.symbols is not None
    assert (letters.length, letters.vocab) == (4, 26)
    this = ["abcdefghijklmnopqrstuvwxyz".index(letter) for letter in "this"]
    total = sum(count for word, count in corpus.words.items() if len(word) == 4)
    assert float(letters.evidence(this)) == pytest.approx(corpus.words["this"] / total, rel=1e-12)
    drawn = np.asarray(letters.sample(np.random.default_rng(0), 500))
    assert {"".join(letters.symbols[i] for i in row) for row in drawn} <= set(corpus.words)


def test_chain_of_english():
    corpus = corpora.english()
    chain = corpus.chain(6)
    assert (chain.length, chain.vocab, chain.symbols) == (6, 256, corpus.vocabulary)
    assert np.asarray(chain.transition).sum(axis=1) == pytest.approx(np.ones(256), abs=1e-12)
    the, same = map(corpus.vocabulary.index, ("the", "same"))
    share = corpus.pairs[the, same] / corpus.words["the"]
    assert share > 0
    assert chain.denoise([the, *[MASK] * 5])[1, same] == pytest.approx(share, rel=1e-12)


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


# ---- prose of the documentation -------------------------------------------------------------

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


# ---- errors ---------------------------------------------------------------------------------


def test_no_such_file(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no file .*nowhere\.txt"):
        corpora.from_text(tmp_path / "nowhere.txt")


def test_an_empty_name():
    with pytest.raises(InvalidInput, match="the name of the text file is empty"):
        corpora.from_text("")


def test_a_directory(tmp_path):
    with pytest.raises(InvalidInput, match="is a directory"):
        corpora.from_text(tmp_path)


def test_not_utf8(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("naïve".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"latin\.txt is not UTF-8.*offset 2\. Save it"):
        corpora.from_text(path)


@pytest.mark.parametrize("content", ["", "\n\n", "1984 -- 42 _ ²"])
def test_no_words(tmp_path, content):
    path = tmp_path / "empty.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match="no words"):
        corpora.from_text(path)


def test_no_word_of_this_length(roses):
    message = "no word has 5 letters; the lengths that occur are 1, 2, 3, 4$"
    with pytest.raises(InvalidInput, match=message):
        roses.letters(5)
    with pytest.raises(InvalidInput, match=message):
        roses.alphabet(5)


@pytest.mark.parametrize("length", [0, -1, 1.5])
@pytest.mark.parametrize("method", ["alphabet", "letters", "chain"])
def test_length_below_one(roses, method, length):
    with pytest.raises(InvalidInput, match=f"length must be an integer.*, got {length}$"):
        getattr(roses, method)(length)


def test_more_pairs_than_there_is_room_for(monkeypatch):
    monkeypatch.setenv("ZEROLOSS_MEMORY", "1000")
    with pytest.raises(TooLarge, match="the pairs of 10 words"):
        corpora.from_paragraphs(["one two three four five six seven eight"])


@pytest.mark.parametrize("frequent", [0, -3, 2.0])
def test_frequent_below_one(tmp_path, frequent):
    path = tmp_path / "one.txt"
    path.write_text("one", encoding="utf-8")
    with pytest.raises(InvalidInput, match=f"frequent must be an integer.*, got {frequent}$"):
        corpora.from_text(path, frequent=frequent)
