"""Texts of any length at temperature 0, against integers from the definition."""

import itertools

import numpy as np

from sims import decode
from sims.policies import Blocks, TokenConfidence, TopK
from tests.noted import each
from theory import gallery


def is_empty(length, words, block, highest=False):
    """Whether the likeliest token of all, block by block, is always the end, for some V (W,).

    While only ends are known the text lasts 0 to `most` words, each equally likely; so a site is an
    end in ``i + 1`` cases of them, and each word in ``(most - i) / V``.
    """
    words = np.asarray(words)[:, None]
    most, empty, row = (
        np.full(words.shape, length),
        np.full(len(words), True),
        np.arange(len(words)),
    )
    for start in range(0, length, block):
        sites = np.arange(start, min(start + block, length))
        masked = np.full((len(words), len(sites)), True)
        for _ in sites:
            ends = np.minimum(sites + 1, most + 1) * words
            each_word = most + 1 - ends // words
            score = np.where(masked, np.maximum(ends, each_word), -1)
            best = score.argmax(axis=1)
            if highest:
                best = len(sites) - 1 - score[:, ::-1].argmax(axis=1)
            empty &= ends[row, best] > each_word[row, best]
            masked[row, best] = False
            most = np.minimum(most, sites[best][:, None])
    return empty


def exceptions(lengths, words):
    """Settings off ``B V = L`` in which it is not emptiness that ``B V > L`` tells."""
    words, found = np.asarray(words), []
    for length in lengths:
        for block, highest in itertools.product(range(1, length + 1), (False, True)):
            wrong = is_empty(length, words, block, highest) != (block * words > length)
            off = words[wrong & (block * words != length)].tolist()
            found += [(length, v, block, highest) for v in off]
    return found


def test_the_text_is_empty_if_a_block_is_longer_than_the_length_over_the_words():
    lengths, words = range(1, 41), range(2, 50)
    assert sum(lengths) * len(words) == 39_360
    assert exceptions(lengths, words) == []
    assert exceptions([4], [1]) == []  # of one word it never is
    on_the_border = [is_empty(12, [3], 4, highest).item() for highest in (False, True)]
    assert on_the_border == [False, True]  # where the rule for ties decides


@each("words", [1, 2, 3, 7])
@each("length", [1, 4, 7])
def test_the_oracle_is_what_decoders_write(length, words):
    p = gallery.padded_text(length, words)
    for block in range(1, length + 1):
        if block * words == length:
            continue
        for inner in (TopK(1), TokenConfidence(1)):
            policy = Blocks(block, inner)
            written = decode(p, policy, np.random.default_rng(0), 1, temperature=0).tokens[0]
            assert (written == words).all() == is_empty(length, [words], block)


def test_a_long_text_at_temperature_one():
    """One site a round: the site first writes half of the sites, the token first hardly any."""
    p, rng = gallery.padded_text(60), np.random.default_rng(0)
    lengths = {
        kind: (decode(p, kind(1), rng, 400).tokens != 2).sum(axis=1)
        for kind in (TopK, TokenConfidence)
    }
    assert abs(lengths[TopK].mean() - 30) < 5 * 61 / np.sqrt(12 * 400)
    assert lengths[TokenConfidence].mean() < 1.5
