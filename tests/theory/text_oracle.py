"""The chain of words of a text, slowly: states are tuples of words, numbers are Fractions."""

import itertools
from collections import Counter, defaultdict
from fractions import Fraction

END, UNKNOWN = "<end>", "<unknown>"


class Oracle:
    """The chain of a text from the definition: a state is the last words, as a tuple."""

    def __init__(self, texts, order, end, frequent):
        """`texts` are lists of words, of which so many are in the vocabulary."""
        self.order, self.end = order, end
        counts = Counter(itertools.chain.from_iterable(texts))
        known = sorted(counts, key=lambda word: (-counts[word], word))[:frequent]
        self.vocabulary = (*known, UNKNOWN, END)
        texts = [[word if word in known else UNKNOWN for word in text] for text in texts]
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

    def normalised(self, dist):
        total = sum(dist.values())
        return {state: prob / total for state, prob in dist.items()}

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

    def step(self, dist):
        found = defaultdict(Fraction)
        for state, prob in dist.items():
            total = self.following[state].total()
            for word, n in self.following[state].items():
                found[self.next(state, word)] += prob * Fraction(n, total)
        return dict(found)

    def paths(self, word, steps):
        """Every way to go on for so many steps after a word, with its probability."""
        found: list = [(p, state, ()) for state, p in self.after(word).items()]
        for _ in range(steps):
            found = [
                (
                    p * Fraction(n, self.following[state].total()),
                    self.next(state, new),
                    (*path, new),
                )
                for p, state, path in found
                for new, n in self.following[state].items()
            ]
        return [(p, path) for p, _, path in found]

    def dists(self, dist, most):
        """The distributions over states at distances 0 to `most`."""
        return list(
            itertools.accumulate(range(most), lambda here, _: self.step(here), initial=dist)
        )

    def words(self, dist):
        found = dict.fromkeys(self.vocabulary, Fraction(0))
        for state, prob in dist.items():
            found[state[-1]] += prob
        return list(found.values())

    def futures(self, word, most):
        """Probability of the word so many steps later, from each state."""
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

    def never_ended(self, dist, most):
        """As `dists`, without what went through the end on the way; it may stand at the last."""
        found = [dist, self.step(dist)]
        for _ in range(most - 1):
            found.append(self.step({s: c for s, c in found[-1].items() if s != (END,)}))
        return found
