"""Texts without spaces: characters, the tokens of a tokenizer, and the hint that asks for them."""

import itertools
import re
import sys
import unicodedata
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.noted import each, refusals
from theory import corpora
from theory.errors import InvalidInput
from theory.text.tokenize import Tokens, characters_of, tokenizer, words_of

TANG = "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n\n明月几时有？"
HAIKU = "古池や\n蛙飛びこむ\n水の音"


@each(
    ("text", "runs"),
    [
        ("床前明月光，疑是", ["床 前 明 月 光", "疑 是"]),
        ("古池や蛙飛びこむ水の音", ["古 池 や 蛙 飛 び こ む 水 の 音"]),
        ("コーヒー・人々 二〇二四年", ["コ ー ヒ ー", "人 々", "二 〇 二 四 年"]),
        ("ハ\u309aン カ\u309a", ["パ ン", "カ\u309a"]),  # the second has no composed form
        ("iPhone15を2台", ["i p h o n e 1 5 を 2 台"]),
        ("Straße ǰ", ["s t r a s s e", "ǰ"]),
        ("e\u0301t\u0304", ["é t\u0304"]),
        ("ที่นี่", ["ที่ นี่"]),
        ("हिन्दी", ["हि न् दी"]),
        ("\u1100\u1161\u11a8", ["각"]),
        ("𠮷野家", ["𠮷 野 家"]),
        ("葛\U000e0100城", ["葛\U000e0100 城"]),  # a variation selector is a mark
        ("好👍🏽的❤\ufe0f！👨\u200d👩", ["好", "的"]),
        ("a\u00adb\u200bc", ["a b", "c"]),
        ("क्\u200dष\u200d", ["क्\u200d ष"]),
        ("\u0301 \u200d _ ~", []),
        ("", []),
    ],
)
def test_characters_of_any_language(text, runs):
    assert characters_of(text) == [run.split(" ") for run in runs]
    assert tokenizer("characters")(text) == " ".join(runs).split()


def test_characters_over_the_categories_of_unicode():
    """Between two letters: what is a character, part of one, invisible, or not counted."""
    for code in range(0, sys.maxunicode + 1, 7):
        sign = chr(code)
        kind = unicodedata.category(sign)
        if kind in ("Cs", "Cn", "Co"):
            continue
        runs = characters_of(f"中{sign}国")
        characters = list(itertools.chain(*runs))
        assert all(unicodedata.normalize("NFC", c) == c for c in characters), hex(code)
        if kind[0] in "LN":
            # folding and composing can make several of one
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", sign).casefold())
            assert runs == [["中", *characters_of(folded)[0], "国"]], hex(code)
        elif kind[0] == "M" or sign in "\u200c\u200d":
            assert runs == [[unicodedata.normalize("NFC", f"中{sign}"), "国"]], hex(code)
        elif kind == "Cf" and sign != "\u200b":
            assert runs == [["中", "国"]], hex(code)
        else:
            assert runs == [["中"], ["国"]], hex(code)
        assert characters_of(" ".join(map("".join, runs))) == runs


@given(st.text(max_size=30))
def test_words_without_numbers_are_runs_of_characters(text):
    text = "".join(" " if sign.isnumeric() and not sign.isalpha() else sign for sign in text)
    assert words_of(text) == ["".join(run) for run in characters_of(text)]


def test_a_poem_by_hand(tmp_path):
    path = tmp_path / "静夜思.txt"
    path.write_text(TANG, encoding="utf-8")
    corpus = corpora.from_text(path, 3, tokens="characters")
    assert repr(corpus) == f"<Corpus {path}: 25 characters, 20 different, vocab 5>"
    assert list(corpus.words.items())[:3] == [("明", 3), ("月", 3), ("头", 2)]
    assert corpus.vocabulary == ("明", "月", "头", "<unknown>", "<end>")
    # all three moons follow brightness; one ends neither verse nor paragraph, none the paragraph
    assert corpus.pairs[0].tolist() == [0, 3, 0, 0, 0]
    assert corpus.pairs[1].tolist() == [0, 0, 0, 3, 0]
    assert corpus.starts.tolist() == [1, 0, 0, 1, 0]
    assert corpus.tokens("明月，<end>霜") == (0, 1, 4, 3)
    assert corpus.unknown("床明") == ("床",)
    with pytest.raises(InvalidInput, match=r"^'水' does not occur in .*静夜思"):
        corpus.tokens("水明")
    with pytest.raises(InvalidInput, match="there is no character in '！'"):
        corpus.tokens("！")


def test_sequences_of_characters_stay_within_their_runs():
    poem = corpora.from_paragraphs(TANG.split("\n\n"), tokens="characters")
    for length in range(1, 6):
        p = poem.letters(length)
        runs = re.split("[，。？\n]+", TANG)
        windows = Counter(run[i : i + length] for run in runs for i in range(len(run) - length + 1))
        assert (p.length, p.symbols) == (length, tuple(sorted(set("".join(windows)))))
        assert p.symbols == poem.alphabet(length)
        assert p.symbols is not None
        patterns = [[p.symbols.index(c) for c in window] for window in windows]
        shares = np.asarray(list(windows.values())) / windows.total()
        assert np.asarray(p.evidence(patterns)) == pytest.approx(shares, rel=1e-14)
    with pytest.raises(InvalidInput, match=r"^no run has 6 characters; the longest has 5$"):
        poem.letters(6)


def test_characters_with_marks_are_symbols_of_their_own():
    p = corpora.from_paragraphs(["ที่นี่"], tokens="characters").letters(2)
    assert p.symbols == ("ที่", "นี่")  # T comes before N in Unicode
    assert p.evidence([[0, 1]]).tolist() == [1.0]


def test_paragraphs_end_as_they_do_for_words():
    corpus = corpora.from_paragraphs(["古池や\n蛙", "？！", "水"], tokens="characters")
    assert corpus.starts.sum() == corpus.pairs[:, -1].sum() == 2


# A tokenizer


def longest_match(paragraph):
    """A tokenizer: the longest entry of a dictionary that comes next, or a single sign."""
    entries = ("明月", "故乡", "床前", "思")
    found = []
    while paragraph:
        token = max(
            (entry for entry in entries if paragraph.startswith(entry)),
            key=len,
            default=paragraph[0],
        )
        found.append(token)
        paragraph = paragraph[len(token) :]
    return found


def test_the_tokens_of_a_tokenizer_are_taken_as_they_are():
    corpus = corpora.from_paragraphs(["明月A，", "故乡明月"], tokens=longest_match)
    assert dict(corpus.words) == {"明月": 2, "A": 1, "故乡": 1, "，": 1}
    assert repr(corpus) == "<Corpus the text: 5 tokens, 4 different, vocab 6>"
    index = {token: i for i, token in enumerate(corpus.vocabulary)}
    assert corpus.pairs[index["明月"], [index["A"], index["<end>"]]].tolist() == [1, 1]
    assert corpus.tokens("明月<end>A") == (index["明月"], index["<end>"], index["A"])
    assert corpus.letters(2).symbols == ("乡", "故", "明", "月")
    assert float(corpus.letters(2).evidence([[2, 3]])[0]) == pytest.approx(2 / 3)


def test_a_tokenizer_is_given_paragraphs(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffone\r\ntwo \r\n\r\nthree".encode())
    given = []

    def tokenize(paragraph):
        given.append(paragraph)
        return iter(paragraph.split())

    assert set(corpora.from_text(path, tokens=tokenize).words) == {"one", "two", "three"}
    assert given == ["one\ntwo ", "three"]


def test_no_tokens_in_a_paragraph_are_no_paragraph():
    corpus = corpora.from_paragraphs(["one", " ", "two"], tokens=str.split)
    assert corpus.starts.sum() == 2


def counting(tokens: Any, *paragraphs):
    return lambda: corpora.from_paragraphs(paragraphs or ["明月"], tokens=tokens)


test_what_is_refused = refusals(
    ("^tokens must be 'words', 'characters' or a function .*, got 'letters'$", counting("letters")),
    ("got None$", counting(None)),
    ("one value of type str for '明月'$", counting(str)),
    ("one value of type NoneType for '明月'$", counting(lambda paragraph: None)),
    ("one value of type int for 'aaaaaaaaaaaaaaaaaaaa...'$", counting(len, "a" * 30)),
    ("^token 1 of '明月' is no string of one sign or more: ''$", counting(lambda _: ["a", ""])),
    ("^token 0 of '明月' is no string of one sign or more: 7$", counting(lambda _: [7])),
    (r"^token 0 of '明月' is no string .*: \['a'\]$", counting(lambda _: [["a"]])),
    ("^token 0 of '明月' is '<END>', a symbol$", counting(lambda _: ["<END>"])),
    ("^the text has no tokens$", counting(lambda _: [])),
    ("^the text has no characters: no letter, no number$", counting("characters", "？！ 👍")),
    ("there is no character", counting("characters", "明").__call__().tokens, ["", "！"]),
)


def test_an_empty_file(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    for tokens in ("words", "characters", longest_match):
        with pytest.raises(InvalidInput, match="the text has no "):
            corpora.from_text(path, tokens=tokens)


# The hint


def hints(*paragraphs, tokens: Tokens = "words"):
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        corpora.from_paragraphs(paragraphs, tokens=tokens)
    assert all(warning.category is UserWarning for warning in noted)
    assert all(warning.filename == __file__ for warning in noted)
    return [str(warning.message) for warning in noted]


@each(
    ("text", "mean"),
    [
        (TANG, "5"),
        ("吾輩は猫である。名前はまだ無い。", "7"),
        ("ฉันชอบอ่านหนังสือภาษาไทยทุกวัน", "24"),
        ("acgt" * 20, "80"),
        ("这是一个没有空格的句子。Hello world.", "11"),
    ],
)
def test_words_that_are_clauses(text, mean):
    (hint,) = hints(text)
    assert hint.startswith(f"the words of the text have {mean} letters on average: ")
    assert "say tokens='characters' (--tokens characters)" in hint
    assert hints(text, tokens="characters") == hints(text, tokens=longest_match) == []


@each(
    "text",
    [
        "床前 明月 光 ， 疑 是 地上 霜",  # with the spaces of a tokenizer
        "コーヒー を 飲む",
        "Rechtsschutzversicherungsgesellschaften sind gut",
        "Donaudampfschifffahrt",
        "한국어는 띄어쓰기를 합니다",
        "ខ្មែរ\u200bភាសា",
        "A rose is a rose.",
        "a",
    ],
)
def test_words_that_are_words(text):
    assert hints(text) == []


def test_the_hint_points_at_the_call(tmp_path):
    path = tmp_path / "text"
    path.write_text(HAIKU.replace("\n", ""), encoding="utf-8")
    with pytest.warns(UserWarning, match="have 11 letters on average") as noted:
        corpora.from_text(path)
    assert noted[0].filename == __file__
