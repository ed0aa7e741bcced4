"""All fields of `theory.text.distance` on small random texts, against dictionaries of fractions."""

import itertools
import math
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest

from theory import corpora
from theory.text.distance import DISTANCES, LONG, distances
from theory.text.influence import DRAWN_DISTANCES, divergence

END, UNKNOWN = "<end>", "<unknown>"
FAR, FORGETS = 900, 0.98
"""Limits between two words are looked for so far away, where they are forgotten fast enough."""


class Oracle:
    """The chain of a text from the definition: a state is the last words, as a tuple."""

    def __init__(self, texts, order, end):
        self.order, self.end = order, end
        counts = Counter(itertools.chain.from_iterable(texts))
        known = sorted(counts, key=lambda word: (-counts[word], word))
        self.vocabulary = (*known, UNKNOWN, END)
        self.following = defaultdict(Counter)
        for text in texts:
            state = (END,)
            for word in (*text, END):
                self.following[state][word] += 1
                state = self.next(state, word)
        self.times = {state: new.total() for state, new in self.following.items()}
        if end == "absorbing":
            self.following[END,] = Counter({END: 1})

    def next(self, state, word):
        return (END,) if word == END else (*state, word)[-self.order :]

    def normalised(self, law):
        total = sum(law.values())
        return {state: chance / total for state, chance in law.items()}

    def anywhere(self):
        going = {s: Fraction(n) for s, n in self.times.items() if self.going(s)}
        return self.normalised(going)

    def going(self, state):
        return self.end == "restart" or state != (END,)

    def after(self, word):
        if word == END:
            return {(END,): Fraction(1)}
        ends = {s: Fraction(n) for s, n in self.times.items() if s[-1] == word}
        return self.normalised(ends)

    def step(self, law):
        found = defaultdict(Fraction)
        for state, chance in law.items():
            total = self.following[state].total()
            for word, n in self.following[state].items():
                found[self.next(state, word)] += chance * Fraction(n, total)
        return dict(found)

    def laws(self, law, most):
        """The distributions over states at distances 0 to `most`."""
        return list(itertools.accumulate(range(most), lambda here, _: self.step(here), initial=law))

    def words(self, law):
        found = dict.fromkeys(self.vocabulary, Fraction(0))
        for state, chance in law.items():
            found[state[-1]] += chance
        return list(found.values())

    def futures(self, word, most):
        """Chance of the word so many steps later, from each state."""
        states = list(self.times)
        found = [{s: Fraction(s[-1] == word) for s in states}]
        for _ in range(most):
            last = found[-1]
            found.append({s: self.expected(s, last) for s in states})
        return found

    def expected(self, state, values):
        total = self.following[state].total()
        found = Fraction(0)
        for word, n in self.following[state].items():
            found += Fraction(n, total) * values[self.next(state, word)]
        return found

    def never_ended(self, law, most):
        """As `laws`, without what went through the end on the way; it may stand at the last."""
        found = [law, self.step(law)]
        for _ in range(most - 1):
            found.append(self.step({s: c for s, c in found[-1].items() if s != (END,)}))
        return found


def kl(p, q):
    if any(a > 0 and b == 0 for a, b in zip(p, q, strict=True)):
        return math.inf
    return sum(float(a) * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def tv(p, q):
    return float(sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2)


def close(found, value):
    return found == value or found == pytest.approx(float(value), rel=1e-9, abs=1e-13)


def check_row(row, oracle, here):
    values = dict(zip(oracle.vocabulary, here, strict=True))
    assert close(row.top_mass, max(here))
    entropy = -sum(float(v) * math.log(v) for v in here if v > 0)
    assert close(row.effective_vocabulary, math.exp(entropy))
    assert close(row.frequent, sum(here[:-2]))
    for word, chance in row.likeliest:
        assert close(chance, values.pop(word))
        assert all(close(chance, v) or chance > v for v in values.values())
    assert len(row.likeliest) == min(4, sum(v > 0 for v in here))


def check_after(found, oracle, word):
    laws = oracle.laws(oracle.after(word), DISTANCES[-1] + 1)
    going = oracle.never_ended(laws[0], DISTANCES[-1])
    anywhere = oracle.laws(oracle.anywhere(), DISTANCES[-1])
    limit = oracle.words(oracle.anywhere() if oracle.end == "restart" else {(END,): Fraction(1)})
    assert [row.left for row in found.rows] == list(DISTANCES)
    for row in found.rows:
        n = row.left
        here, further = oracle.words(laws[n]), oracle.words(laws[n + 1])
        check_row(row, oracle, here)
        assert close(row.next_tv, tv(here, further))
        assert close(row.information, kl(here, oracle.words(anywhere[n])))
        assert close(row.ended, 1 - sum(c for s, c in going[n].items() if s != (END,)))
        if row.limit_tv is not None:
            assert close(row.limit_tv, tv(here, limit))


def check_between(found, oracle, left, right):
    most = max(2 * DISTANCES[-1], LONG)
    laws, futures = oracle.laws(oracle.after(left), most), oracle.futures(right, most)
    going = oracle.never_ended(laws[0], most)

    def at(a, b):
        return oracle.words({s: c * futures[b][s] for s, c in laws[a].items()})

    places = [(n, n) for n in DISTANCES] + [(n, LONG - n) for n in DISTANCES[:-1]]
    weights = {place: at(*place) for place in places}
    possible = [place for place in places if sum(weights[place])]
    assert [(row.left, row.right) for row in found.rows] == possible
    assert set(found.never) == set(places) - set(possible)
    limit = limit_between(oracle, left, right) if found.rate < FORGETS else None
    for row in found.rows:
        a, b = row.left, row.right
        total = sum(weights[a, b])
        here = [w / total for w in weights[a, b]]
        check_row(row, oracle, here)
        unended = sum(c * futures[0][s] for s, c in going[a + b].items())
        assert close(row.ended, 1 - unended / total)
        if b > 1:
            assert close(row.next_tv, tv(here, [w / total for w in at(a + 1, b - 1)]))
        else:
            assert row.next_tv is None
        if limit is not None and row.limit_tv is not None:
            assert row.limit_tv == pytest.approx(tv(map(float, here), limit), abs=1e-6)
            allowed = [v for h, v in zip(here, limit, strict=True) if h > 0]
            if min(allowed) > 1e-3:
                assert row.information == pytest.approx(kl(list(map(float, here)), limit), abs=1e-4)
            elif min(allowed) == 0 and found.limit is not None and len(found.limit) < 4:
                assert row.information == math.inf


def limit_between(oracle, left, right):
    """What is predicted far from both, in floats; None if that depends on the parity."""
    states = list(oracle.times)
    steps = np.asarray(
        [[float(oracle.step({s: Fraction(1)}).get(t, 0)) for t in states] for s in states]
    )
    law = np.asarray([float(oracle.after(left).get(s, 0)) for s in states])
    future = np.asarray([float(s[-1] == right) for s in states])
    for _ in range(FAR):
        law, future = law @ steps, steps @ future
        if not law.any() or not future.any():
            return None
        law, future = law / law.sum(), future / future.sum()
    weights = law * future
    if weights.sum() < 1e-200 or not (law * (steps @ future)).any():
        return None
    found = np.zeros(len(oracle.vocabulary))
    for state, weight in zip(states, weights / weights.sum(), strict=True):
        found[oracle.vocabulary.index(state[-1])] += weight
    return found.tolist()


def likeliest(row):
    """Differences of 1e-12 are taken for rounding, as documented."""
    return next(i for i, v in enumerate(row) if v >= max(row) * (1 - Fraction(1, 10**12)))


def check_remains(found, oracle):
    anywhere = oracle.anywhere()
    drawn = {w: c for w, c in zip(oracle.vocabulary, oracle.words(anywhere), strict=True) if c}
    without = oracle.laws(anywhere, DRAWN_DISTANCES[-1])
    given = {
        w: oracle.laws(oracle.normalised({s: c for s, c in anywhere.items() if s[-1] == w}), 50)
        for w in drawn
    }
    for k, n in enumerate(DRAWN_DISTANCES):
        other = oracle.words(without[n])
        rows = {w: oracle.words(given[w][n]) for w in drawn}
        told = {w: kl(row, other) for w, row in rows.items()}
        end = [1 - other[-1], other[-1]]
        ends = {w: kl([1 - row[-1], row[-1]], end) for w, row in rows.items()}
        for field, values in ((found.information, told), (found.of_end, ends)):
            assert field[k][0] == n
            assert close(field[k][1], sum(float(drawn[w]) * v for w, v in values.items()))
        if n == 10:
            for word, value in found.felt:
                assert close(value, told.pop(word))
                assert all(value >= v - 1e-12 for v in told.values())
        leading = found.leading[k]
        assert leading.distance == n
        first = {w: likeliest(row) for w, row in rows.items()}
        kinds = {-2: leading.unknown, -1: leading.end}
        for at, share in kinds.items():
            place = len(oracle.vocabulary) + at
            assert close(share, sum(c for w, c in drawn.items() if first[w] == place))
        frequent = sum(c for w, c in drawn.items() if first[w] < len(oracle.vocabulary) - 2)
        assert close(leading.frequent, frequent)
        spoken = any(any(row[:-2]) for row in rows.values())
        assert leading.frequent_of_words == (pytest.approx(1) if spoken else None)


def random_text(rng):
    """One to three paragraphs of one to five of three words."""
    paragraphs = rng.integers(1, 4)
    return [["abc"[k] for k in rng.integers(0, 3, rng.integers(1, 6))] for _ in range(paragraphs)]


def check(texts, order, end, after, between):
    corpus = corpora.from_paragraphs([" ".join(text) for text in texts])
    oracle = Oracle(texts, order, end)
    assert corpus.vocabulary == oracle.vocabulary
    found = distances(corpus, after, between, order, end)
    check_after(found.after, oracle, after)
    check_between(found.between, oracle, *between)
    check_remains(found.remains, oracle)
    assert close(found.frequent, 1 - Fraction(len(texts), len(texts) + sum(map(len, texts))))


def check_random(seed):
    rng = np.random.default_rng(seed)
    texts = random_text(rng)
    words = [*sorted({word for text in texts for word in text}), END]
    after, left, right = (words[k] for k in rng.integers(0, len(words), 3))
    order, end = 1 + seed % 2, ("restart", "absorbing")[seed // 2 % 2]
    if END in (after, left) and end == "absorbing":
        after, left = words[0], words[0]
    check(texts, order, end, after, (left, right))


@pytest.mark.parametrize("seeds", [range(0, 12), range(12, 24)], ids=str)
def test_small_random_texts(seeds):
    for seed in seeds:
        try:
            check_random(seed)
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize(("end", "ended"), [("restart", 0), ("absorbing", Fraction(4, 5))])
def test_an_end_on_the_right_is_not_between(end, ended):
    """By hand: "b a <end>" has chance 1/2 1/4; "b <end> <end>" 1/2, or 0 where a text follows."""
    corpus = corpora.from_paragraphs(["a b a a", "a b"])
    found = distances(corpus, None, ("b", END), 1, end).between
    assert found is not None
    assert (found.rows[0].left, found.rows[0].right) == (1, 1)
    assert close(found.rows[0].ended, ended)


def test_what_is_possible_decides_whether_information_is_infinite():
    """Not the sign of what rounding leaves of a difference."""
    law, gap = np.asarray([0.5, 0.5, 0.0]), np.asarray([0.0, -1e-17, 1e-17])
    assert divergence(gap, law, law) < 1e-30
    assert divergence(0 * gap, law, np.asarray([0.5, 0.5, 1e-300])) == np.inf
