"""Slow oracles of the decoders, written from their definitions alone.

Three kinds, all functions of tuples:

- a *choice* ``choice(pattern, sites, prediction, index)`` lists (probability, sites to flip).
  ``sites`` are the masked sites that it may reveal; a choice that remasks also names observed
  sites, which are masked again. `Selecting` makes a decoder of it.
- a *draw* ``draw(pattern, sites, ask)`` lists (probability, sequence after the round, calls).
  `Drawing` makes a decoder of it.
- `Correcting` and `Informed` draw again what another decoder, or the data, wrote.

``ask(pattern)`` returns two lists of rows: the predictions, and what tokens are drawn from.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tests import oracles
from tests.oracles import MASK, reveal

DIGITS = 12  # to which numbers are compared
ONE = Fraction(1)


def masked_sites(pattern):
    return [i for i, o in enumerate(pattern) if o == MASK]


def above(a, b):
    """Whether a > b. They are subtracted first, so that equal Fractions are equal."""
    return round(float(a - b), DIGITS) > 0


def times(a, b):
    """The product; many factors are ONE itself."""
    return b if a is ONE else a if b is ONE else a * b


def add_to(table, key, value):
    table[key] = table[key] + value if key in table else value


# Scores: the larger, the more confident


def confidence(row):
    return max(row)


def margin(row):
    if len(row) == 1:
        return 1
    largest, second = sorted(row, reverse=True)[:2]
    return largest - second


def entropy(row):
    return -math.fsum(oracles.times_log(p, p) for p in row)


def certainty(row):
    return -entropy(row)


SCORES: dict[Any, Callable] = {"confidence": confidence, "margin": margin, "entropy": certainty}


def most_confident_first(sites, prediction, score):
    return sorted(sites, key=lambda i: (-round(float(score(prediction[i])), DIGITS), i))


# Which sites are best: ties, and noise


def batch(k, sizes, left):
    """The size of a batch and its step: that of the sizes which leaves as many as there are."""
    if sizes is None:
        return min(k, left), 0
    return next((n, t) for t, n in enumerate(sizes) if n > 0 and sum(sizes[t:]) == left)


def best_sets(scores, size, ties):
    """(probability, sites) of the sets of so many sites with the largest scores {site: score}."""
    values = {i: round(float(score), DIGITS) for i, score in scores.items()}
    if ties != "random":
        sign = 1 if ties == "lowest" else -1
        return [(ONE, tuple(sorted(values, key=lambda i: (-values[i], sign * i))[:size]))]
    sets = list(itertools.combinations(values, size))
    best = max(sorted(values[i] for i in chosen) for chosen in sets)
    sets = [chosen for chosen in sets if sorted(values[i] for i in chosen) == best]
    return [(Fraction(1, len(sets)), chosen) for chosen in sets]


def without_replacement(scores, size, noise, noise_on):
    """Sites one after another, in proportion to exp(s/noise), or of the logarithm: s^(1/noise)."""
    weight = {
        i: math.exp(float(s) / noise) if noise_on == "score" else float(s) ** (1 / noise)
        for i, s in scores.items()
    }
    sets = {}
    for ordered in itertools.permutations(scores, size):
        probability, left = 1.0, list(scores)
        for i in ordered:
            probability *= weight[i] / math.fsum(weight[j] for j in left)
            left.remove(i)
        add_to(sets, tuple(sorted(ordered)), probability)
    return [(probability, chosen) for chosen, probability in sets.items()]


def chosen_sets(scores, size, ties, noise=0, noise_on="log", step=0):
    noise = noise[step] if isinstance(noise, tuple) else noise
    if noise and size < len(scores):
        return without_replacement(scores, size, noise, noise_on)
    return best_sets(scores, size, ties)


# Choices


def subsets_of(sites, size):
    choices = list(itertools.combinations(sites, size))
    return [(Fraction(1, len(choices)), chosen) for chosen in choices]


def random_order(sizes):
    """The round is the one that leaves as many masked as there are."""
    rounds = {sum(sizes[t:]): size for t, size in enumerate(sizes)}
    return lambda pattern, sites, prediction, index: subsets_of(sites, rounds[len(sites)])


def random_sizes(choices):
    """Of the choices that have revealed as much in as many rounds, one goes on."""
    length = sum(choices[0][1])

    def choice(pattern, sites, prediction, index):
        if not sites:  # the clock goes on
            return [(ONE, ())]
        here = [(w, z) for w, z in choices if sum(z[:index]) == length - len(sites)]
        here = [(w, z[index]) for w, z in here if len(z) > index]
        whole = sum(w for w, _ in here)
        return [(w / whole * q, s) for w, size in here for q, s in subsets_of(sites, size)]

    return choice


def left_to_right(k=1):
    return lambda pattern, sites, prediction, index: [(ONE, tuple(sites[:k]))]


def first_hitting(pattern, sites, prediction, index):
    return subsets_of(sites, 1)


def fixed_order(order, sizes=None):
    def choice(pattern, sites, prediction, index):
        size, _ = batch(1, sizes, len(sites))
        return [(ONE, tuple([i for i in order if i in sites][:size]))]

    return choice


def top_k(k=None, score="confidence", *, sizes=None, ties="lowest", **noise):
    def choice(pattern, sites, prediction, index):
        size, step = batch(k, sizes, len(sites))
        scores = {i: SCORES[score](prediction[i]) for i in sites}
        return chosen_sets(scores, size, ties, step=step, **noise)

    return choice


def threshold(gamma):
    def choice(pattern, sites, prediction, index):
        confident = [i for i in sites if above(confidence(prediction[i]), gamma)]
        return [(ONE, tuple(confident or most_confident_first(sites, prediction, confidence)[:1]))]

    return choice


def factor(f):
    def choice(pattern, sites, prediction, index):
        ranked = most_confident_first(sites, prediction, confidence)
        largest = 1
        for n in range(1, len(ranked) + 1):
            if above(f, (n + 1) * (1 - confidence(prediction[ranked[n - 1]]))):
                largest = n
        return [(ONE, tuple(ranked[:largest]))]

    return choice


def entropy_bounded(gamma):
    def choice(pattern, sites, prediction, index):
        ranked = most_confident_first(sites, prediction, certainty)
        count = 1
        for n in range(1, len(ranked) + 1):
            entropies = [entropy(prediction[i]) for i in ranked[:n]]
            if not above(math.fsum(entropies) - max(entropies), gamma):
                count = max(count, n)
        return [(ONE, tuple(ranked[:count]))]

    return choice


def bisection(pattern, sites, prediction, index):
    middles, run = [], []
    for i in sites:
        if run and run[-1] != i - 1:
            middles.append(run[(len(run) - 1) // 2])
            run = []
        run.append(i)
    return [(ONE, (*middles, run[(len(run) - 1) // 2]))]


def tabulated(choices):
    """``choices`` is a dict from patterns to sites."""
    return lambda pattern, sites, prediction, index: [(ONE, choices[pattern])]


def gap_tabulated(choices, vocab):
    """``choices[r - 1][a][b][n][offset]`` with r rounds left; all sites with one."""

    def choice(pattern, sites, prediction, index):
        rounds_left = len(choices) - index
        if rounds_left == 1:
            return [(ONE, tuple(sites))]
        chosen, ends = [], [vocab if o is None else o for o in (None, *pattern, None)]
        observed = [i for i, o in enumerate(ends) if o != MASK]
        for left, right in itertools.pairwise(observed):
            gap = choices[rounds_left - 1][ends[left]][ends[right]][right - left - 1]
            chosen += [site for site in range(left, right - 1) if gap[site - left]]
        return [(ONE, tuple(chosen))]

    return choice


def by_confidence(pattern, sites, prediction, index):
    """One site, drawn in proportion to its confidence."""
    total = sum(confidence(prediction[i]) for i in sites)
    return [(confidence(prediction[i]) / total, (i,)) for i in sites]


def _flips(probability_of):
    """Every set of sites that are flipped, where each site has a probability of its own."""
    sets = [(ONE, ())]
    for i, p in probability_of.items():
        sets = [
            (times(probability, q), (*heads, i) if head else heads)
            for probability, heads in sets
            for q, head in ((1 - p, False), (p, True))
            if q != 0
        ]
    return sets


def bernoulli(times):
    def choice(pattern, sites, prediction, index):
        a, b = times[index], times[index + 1]
        return _flips(dict.fromkeys(sites, (b - a) / (1 - a)))

    return choice


def remask(times, strength, cap=ONE, switch=Fraction(0)):
    def choice(pattern, sites, prediction, index):
        a, b = times[index], times[index + 1]
        sigma = strength * min(ONE, (1 - b) / a) if a != 0 else strength
        sigma = min(sigma, cap) if a >= switch else 0
        shown = (b - (1 - sigma) * a) / (1 - a)
        return _flips({i: shown if o == MASK else sigma for i, o in enumerate(pattern)})

    return choice


def loop(steps, on, off, alpha, eta):
    """The probabilities of a loop, from the share that is to be revealed at each time."""

    def shown(t):
        if t > on:
            return alpha * (1 - t) / (1 - on)
        return 1 - (1 - alpha) * t / off if t <= off else alpha

    on, off, alpha, eta = (Fraction(v).limit_denominator(1000) for v in (on, off, alpha, eta))
    times = [1 - Fraction(k, steps) for k in range(steps + 1)]
    reveal, remask = [], []
    for t, s in itertools.pairwise(times):
        looping = off < t <= on
        a = shown(t)
        # a step goes on as it began, also beyond the end of its phase
        b = alpha * (1 - s) / (1 - on) if t > on else a if looping else shown(s)
        sigma = eta if looping else Fraction(0)
        reveal.append((b - (1 - sigma) * a) / (1 - a))
        remask.append(sigma)
    return reveal, remask


def coins(reveal, remask):
    """Listed probabilities to reveal a masked site and to mask another one."""

    def choice(pattern, sites, prediction, index):
        return _flips({i: (reveal if o == MASK else remask)[index] for i, o in enumerate(pattern)})

    return choice


def _block(sites, size, start=0):
    """The sites of the first block that has any; blocks are counted from a start."""
    return [i for i in sites if (i - start) // size == (sites[0] - start) // size]


def blocks(size, inner, start=0):
    return lambda pattern, sites, prediction, index: inner(
        pattern, _block(sites, size, start), prediction, index
    )


@dataclass(frozen=True)
class TimedBlocks:
    """One block after another, each with the steps of an inner decoder on a clock.

    What lies before a block is given in it, and what lies behind it is not seen.
    """

    size: int
    inner: Any

    def from_start(self, start):
        """The decoder of sequences that are given where they are not masked at the start."""
        first, steps = start.index(MASK), []
        for begin in range(first, len(start), self.size):
            end = min(begin + self.size, len(start))
            free = [i for i in range(begin, end) if start[i] == MASK]
            if free:
                seen = tuple(MASK if i in free else 0 for i in range(end))
                inner = from_start(self.inner, seen)
                steps += [(inner, step, free, end) for step in range(inner.steps or 0)]

        def choice(pattern, sites, prediction, index):
            inner, step, free, end = steps[index]
            here = [i for i in free if pattern[i] == MASK]
            if not here and not inner.remasks:
                return [(ONE, ())]
            found = inner.choice(pattern[:end], here, prediction[:end], step)
            return [(p, tuple(i for i in flipped if i in free)) for p, flipped in found]

        return Selecting(choice, len(steps), remasks=from_start(self.inner, start).remasks)


def from_start(decoder, start):
    """The decoder, if need be as it is when it knows what is given."""
    return decoder.from_start(start) if isinstance(decoder, TimedBlocks) else decoder


def mirrored(inner):
    """As if everything were written backwards."""

    def choice(pattern, sites, prediction, index):
        last = len(pattern) - 1
        turned = [last - i for i in reversed(sites)]
        outcomes = inner(pattern[::-1], turned, prediction[::-1], index)
        return [(probability, tuple(last - i for i in chosen)) for probability, chosen in outcomes]

    return choice


# Draws


def token_confidence(k=None, *, sizes=None, ties="lowest"):
    return draw_then_keep(k, sizes=sizes, ties=ties)


def number_kept(scores, least, threshold, factor):
    """Of drawn tokens with these probabilities."""
    ordered = sorted(scores, reverse=True)
    number = least
    for n in range(1, len(ordered) + 1):
        if threshold is not None and above(ordered[n - 1], threshold):
            number = max(number, n)
        if factor is not None and above(factor, (n + 1) * (1 - ordered[n - 1])):
            number = max(number, n)
    return number


def draw_then_keep(
    k=None, score="probability", *, sizes=None, threshold=None, factor=None, ties="lowest", **noise
):
    def draw(pattern, sites, ask):
        prediction, draws = ask(pattern)
        rows = draws if score.startswith("tempered") else prediction
        size, step = batch(k or 1, sizes, len(sites))
        for probability, tokens in products(draws[i] for i in sites):
            drawn = dict(zip(sites, tokens, strict=True))
            if score == "uniform":
                scores = dict.fromkeys(sites, 0)
            elif score in ("probability", "tempered"):
                scores = {i: rows[i][v] for i, v in drawn.items()}
            else:
                scores = {i: SCORES[score.split()[-1]](rows[i]) for i in sites}
            size_now = number_kept(scores.values(), size, threshold, factor)
            rule = "random" if score == "uniform" else ties
            for share, kept in chosen_sets(scores, size_now, rule, step=step, **noise):
                after = reveal(pattern, kept, [drawn[i] for i in kept])
                yield times(probability, share), after, 1

    return draw


def speculative(k=None):
    def draw(pattern, sites, ask):
        drafted = sites[:k]
        _, drafts = ask(pattern)
        calls = 1 if len(drafted) == 1 else 2

        def verify(current, probability, rest):
            if not rest:
                yield probability, current, calls
                return
            site = rest[0]
            p, q = ask(current)[1][site], drafts[site]
            for v in range(len(q)):
                accepted = q[v] * min(1, p[v] / q[v]) if q[v] != 0 else 0
                if accepted != 0:
                    yield from verify(
                        reveal(current, [site], [v]), probability * accepted, rest[1:]
                    )
            refused = sum(q[v] - min(p[v], q[v]) for v in range(len(q)))
            residual = [max(p[v] - q[v], 0) for v in range(len(q))]
            if refused != 0 and sum(residual) != 0:
                for v in range(len(q)):
                    share = residual[v] / sum(residual)
                    if share != 0:
                        yield probability * refused * share, reveal(current, [site], [v]), calls

        yield from verify(pattern, ONE, drafted)

    return draw


def product_of(pattern, sites, rows):
    """{tokens: probability} of tokens drawn independently."""
    every = itertools.product(range(len(rows[0])), repeat=len(sites))
    return {v: math.prod(row[t] for row, t in zip(rows, v, strict=True)) for v in every}


def joint_draw(inner, joint, extra=0):
    """The sites by a choice, then their tokens from a joint, which may take calls of its own."""

    def draw(pattern, sites, ask):
        prediction, rows = ask(pattern)
        for probability, chosen in inner(pattern, sites, prediction, 0):
            calls = 1 if len(chosen) == 1 else 1 + extra
            for tokens, share in joint(pattern, chosen, [rows[i] for i in chosen]).items():
                if probability * share != 0:
                    yield probability * share, reveal(pattern, chosen, tokens), calls

    return draw


def blocks_of_draws(size, draw, start=0):
    return lambda pattern, sites, ask: draw(pattern, _block(sites, size, start), ask)


def shown_as(predict, observed):
    """Predictions of which those at observed sites follow a convention."""

    def one(pattern, i):
        if observed == "leave-one-out":
            return predict(reveal(pattern, [i], [MASK]))[i]
        row = predict(pattern)[i]
        flat = [Fraction(1, len(row))] * len(row)
        return flat if observed == "flat" else [Fraction(v == pattern[i]) for v in range(len(row))]

    def shown(pattern):
        rows = predict(pattern)
        return [rows[i] if o == MASK else one(pattern, i) for i, o in enumerate(pattern)]

    return shown


@dataclass(frozen=True)
class Rewriting:
    """``draw(pattern, free, ask, index)`` lists (probability, sequence after the round, calls).

    The free sites are those that are not given. A sequence that a round leaves complete and as it
    was is finished, and so is everything after the last step.
    """

    draw: Callable
    steps: Callable  # from the number of free sites
    observed: str = "one-hot"
    remasks: bool = True

    def written(self, start, ask):
        free, layer, finished = masked_sites(start), {(start, 0): ONE}, {}
        for index in range(self.steps(len(free))):
            after = {}
            for (pattern, calls), mass in layer.items():
                for share, y, more in self.draw(pattern, free, in_round(ask, index), index):
                    over = y == pattern and MASK not in y
                    add_to(finished if over else after, (y, calls + more), times(mass, share))
            layer = after
        for key, mass in layer.items():
            add_to(finished, key, mass)
        assert not any(MASK in y for y, _ in finished)
        return finished


def path_planning(steps, observed="one-hot"):
    """After step i of T, ceil(n i / T) sites are kept: those with the likeliest draws."""

    def kept_after(index, n):
        return math.ceil(Fraction(n * (index + 1), steps))

    def draw(pattern, free, ask, index):
        prediction, draws = ask(pattern)
        for probability, tokens in products(draws[i] for i in free):
            drawn = dict(zip(free, tokens, strict=True))
            score = {i: round(float(prediction[i][v]), DIGITS) for i, v in drawn.items()}
            ranked = sorted(free, key=lambda i: (-score[i], i))
            kept = ranked[: kept_after(index, len(free))]
            after = [(drawn[i] if pattern[i] == MASK else pattern[i]) for i in kept]
            yield probability, reveal(reveal(pattern, free, [MASK] * len(free)), kept, after), 1

    def count(n):
        return next(index + 1 for index in range(steps) if kept_after(index, n) == n)

    return Rewriting(draw, count, observed)


def editing(inner, threshold, steps, observed="one-hot"):
    """The inner draw at masked sites; another token, if it is above the threshold, at written."""

    def draw(pattern, free, ask, index):
        prediction, draws = ask(pattern)
        masked, shown = masked_sites(pattern), [i for i in free if pattern[i] != MASK]
        writes = list(inner.draw(pattern, masked, ask)) if masked else [(ONE, pattern, 1)]
        for probability, tokens in products(draws[i] for i in shown):
            drawn = zip(shown, tokens, strict=True)
            edits = {i: v for i, v in drawn if above(prediction[i][v], threshold)}
            for share, after, calls in writes:
                yield times(probability, share), reveal(after, edits, edits.values()), calls

    return Rewriting(draw, lambda n: steps, observed)


# Decoders


def products(rows):
    """(probability, tokens) of every choice of a token from each row that can be drawn."""
    choices = [(ONE, ())]
    for row in rows:
        likely = [(v, p) for v, p in enumerate(row) if p != 0]
        choices = [
            (times(probability, p), (*tokens, v))
            for probability, tokens in choices
            for v, p in likely
        ]
    return choices


def drawn(pattern, sites, rows):
    """(probability, sequence) of every choice of tokens at the sites, drawn independently."""
    for probability, tokens in products(rows[i] for i in sites):
        yield probability, reveal(pattern, sites, tokens)


@dataclass(frozen=True)
class Selecting:
    choice: Callable
    steps: int | None = None
    remasks: bool = False
    observed: str = "one-hot"

    def split(self, pattern, flipped):
        """The sites to reveal, and the pattern after the others were masked again."""
        shown = [i for i in flipped if pattern[i] == MASK]
        again = [i for i in flipped if pattern[i] != MASK]
        return shown, reveal(pattern, again, [MASK] * len(again))

    def follow(self, pattern, ask, index, vocab):
        """(probability, sequence, calls) of everything that one step can lead to."""
        prediction, rows = ask(pattern)
        for probability, flipped in self.choice(pattern, masked_sites(pattern), prediction, index):
            shown, base = self.split(pattern, flipped)
            for share, after in drawn(base, shown, rows):
                yield times(probability, share), after, int(len(shown) > 0)


@dataclass(frozen=True)
class Drawing:
    draw: Callable
    steps: None = None

    def follow(self, pattern, ask, index, vocab):
        return self.draw(pattern, masked_sites(pattern), ask)


@dataclass(frozen=True)
class Correcting:
    """``sets(length)`` lists (probability, sites to draw again); without `inner` from the data."""

    inner: Any
    sets: Callable
    steps: int

    def again(self, x, free, ask):
        for probability, which in self.sets(len(free)):
            sites = [free[k] for k in which]
            pattern = reveal(x, sites, [MASK] * len(sites))
            for share, y in drawn(pattern, sites, ask(pattern)[1]):
                yield times(probability, share), y


@dataclass(frozen=True)
class Informed:
    """Draws one site again, in proportion to the power of a score of what is written there."""

    inner: Any
    steps: int
    selection: str = "margin"
    temperature: Any = 1
    repair: str | None = None

    def asked(self, x, site, ask):
        predictions, draws = ask(reveal(x, [site], [MASK]))
        return predictions[site], draws[site]

    def doubt(self, x, site, ask):
        """None stands for infinity."""
        row, here = self.asked(x, site, ask)[0], x[site]
        if self.selection == "random":
            return ONE
        if self.selection == "confidence":
            return ONE / max(row)
        if row[here] == 0:
            return None
        others = [row[v] for v in range(len(row)) if v != here]
        return (ONE if self.selection == "current" else max(others, default=0)) / row[here]

    def chosen(self, x, free, ask):
        """The probability of each site, as its number among those that are free."""
        power = 1 / self.temperature
        power = int(power) if power == int(power) else power
        doubts: list[Any] = [self.doubt(x, site, ask) for site in free]
        if self.repair == "stay":
            most = 1 if self.selection == "random" else len(self.asked(x, free[0], ask)[0])
            return [(d / most) ** power / len(free) for d in doubts]
        if None in doubts:
            weights = [Fraction(d is None) for d in doubts]
        else:
            weights = [d**power for d in doubts]
        if not any(weights):
            weights = [ONE] * len(free)
        return [w / sum(weights) for w in weights]

    def again(self, x, free, ask):
        chosen, stays = self.chosen(x, free, ask), ONE
        for k, site in enumerate(free):
            for v, share in enumerate(self.asked(x, site, ask)[1]):
                y = reveal(x, [site], [v])
                moved = chosen[k] * share
                if self.repair == "accept" and moved != 0:
                    moved *= min(1, self.chosen(y, free, ask)[k] / chosen[k])
                if moved != 0:
                    yield moved, y
                    stays -= moved
        if stays > (0 if isinstance(stays, Fraction) else 1e-12):
            yield stays, x


def gibbs_corrector(inner, steps):
    return Correcting(inner, lambda length: subsets_of(range(length), 1), steps)


def block_corrector(inner, size, steps):
    return Correcting(inner, lambda length: subsets_of(range(length), size), steps)


def _going_on(decoder, layer, index):
    """Whether there is another step. Keys are patterns, or begin with one."""
    if decoder.steps is not None:
        return index < decoder.steps
    return any(MASK in pattern for pattern in layer)


def sparing(decoder, start):
    """The decoder, which leaves the sites that are given at the start as they are."""
    given = [i for i, o in enumerate(start) if o != MASK]
    if not isinstance(decoder, Selecting) or not decoder.remasks or not given:
        return decoder

    def choice(*arguments):
        return [
            (probability, tuple(i for i in flipped if i not in given))
            for probability, flipped in decoder.choice(*arguments)
        ]

    return replace(decoder, choice=choice)


def leading(prompt):
    """How many sites are given before the first masked one."""
    return prompt.index(MASK)


def behind(oracle, prompt):
    """What an oracle does with the sites after the leading run, as if there were no others."""
    m = leading(prompt)

    def choice(pattern, sites, prediction, index):
        rest = oracle.choice(pattern[m:], [i - m for i in sites], prediction[m:], index)
        return [(probability, tuple(i + m for i in chosen)) for probability, chosen in rest]

    def draw(pattern, sites, ask):
        def ask_rest(rest):
            return [answer[m:] for answer in ask(pattern[:m] + rest)]

        for probability, after, calls in oracle.draw(pattern[m:], [i - m for i in sites], ask_rest):
            yield probability, pattern[:m] + after, calls

    if isinstance(oracle, TimedBlocks):
        return oracle
    if isinstance(oracle, Drawing):
        return Drawing(draw)
    return Selecting(choice)


def in_round(ask, index):
    """What is asked in a round: a function, or one of a list, of which the last holds on."""
    return ask[min(index, len(ask) - 1)] if isinstance(ask, list) else ask


def written_with_calls(joint, vocab, decoder, ask, start=None):
    """The probability of every (sequence, number of calls so far) at the end.

    A `start` is a pattern that is given; the joint is that on condition of it.
    """
    start = start or (MASK,) * oracles.length_of(joint)
    if decoder is None:
        return {(x, 0): p for x, p in joint.items() if p != 0}
    if isinstance(decoder, Correcting | Informed):
        layer = written_with_calls(joint, vocab, decoder.inner, ask, start)
        free = masked_sites(start)
        for _ in range(decoder.steps):
            after = {}
            for (x, calls), mass in layer.items():
                for probability, y in decoder.again(x, free, in_round(ask, 0)):
                    add_to(after, (y, calls + 1), times(mass, probability))
            layer = after
        return layer
    if isinstance(decoder, Rewriting):
        return decoder.written(start, ask)
    decoder = sparing(from_start(decoder, start), start)
    layer, index = {(start, 0): ONE}, 0
    while _going_on(decoder, [pattern for pattern, _ in layer], index):
        after = {}
        for (pattern, calls), mass in layer.items():
            if decoder.steps is None and MASK not in pattern:
                following = [(ONE, pattern, 0)]
            else:
                following = decoder.follow(pattern, in_round(ask, index), index, vocab)
            for probability, sequence, called in following:
                add_to(after, (sequence, calls + called), times(mass, probability))
        layer, index = after, index + 1
    return layer


def has_path(decoder):
    if isinstance(decoder, TimedBlocks):
        return has_path(decoder.inner)
    return isinstance(decoder, Selecting) and not decoder.remasks


def along_the_data(joint, decoder, ask, exact=False, start=None):
    """(cost of every step, expected calls) where the tokens revealed are those of the data.

    The cost of revealing the sites S at a pattern c is KL(p(X_S | c) || prod of the rows).
    """
    start = start or (MASK,) * oracles.length_of(joint)
    decoder, layer, index = from_start(decoder, start), {start: ONE}, 0
    costs, calls = [], 0
    while _going_on(decoder, layer, index):
        after, terms = {}, []
        for pattern, mass in layer.items():
            if MASK not in pattern:
                add_to(after, pattern, mass)
                continue
            prediction, rows = in_round(ask, index)(pattern)
            given = oracles.condition(joint, pattern)
            for probability, sites in decoder.choice(
                pattern, masked_sites(pattern), prediction, index
            ):
                arriving = times(mass, probability)
                calls += arriving * (len(sites) > 0)
                for tokens, share in oracles.marginal(given, sites).items():
                    weight, product = times(arriving, share), ONE
                    if weight == 0:
                        continue
                    for i, v in zip(sites, tokens, strict=True):
                        product = times(product, rows[i][v])
                    terms.append(oracles.times_log(weight, share, exact))
                    terms.append(-oracles.times_log(weight, product, exact))
                    add_to(after, reveal(pattern, sites, tokens), weight)
        costs.append(oracles.total(terms, exact))
        layer, index = after, index + 1
    return costs, calls


def pattern_counts(joint, vocab, decoder, ask):
    """How many unfinished sequences there are in every round, with the data and the decoder."""
    length = oracles.length_of(joint)
    layer, counts = {(MASK,) * length}, []
    decoder = from_start(decoder, (MASK,) * length)
    while _going_on(decoder, layer, len(counts)):
        unfinished = [x for x in layer if MASK in x]
        counts.append(len(unfinished))
        layer = {
            after
            for pattern in unfinished
            for _, after, _ in decoder.follow(pattern, ask, len(counts) - 1, vocab)
        }
    return counts


@dataclass(frozen=True)
class Expected:
    table: dict
    rounds: dict
    costs: list | None  # None where there is no path
    on_data: Any  # None where there is no such number

    @property
    def expected_rounds(self):
        return sum(calls * mass for calls, mass in self.rounds.items())


def sampled(temperature: float = 1, top_k=None, top_p=None, keep_crossing=True):
    """What a token is drawn from: the tempered row, the k likeliest of it, the nucleus of these."""

    def temper(row):
        order = sorted(range(len(row)), key=lambda v: (-round(float(row[v]), DIGITS), v))
        row, kept = oracles.tempered(row, temperature), order[:top_k]
        total, nucleus, mass = sum(row[v] for v in kept), [], 0
        for v in kept:
            mass += row[v] / total
            crosses = top_p is not None and above(mass, top_p)
            if not crosses or keep_crossing or not nucleus:
                nucleus.append(v)
            if crosses:
                break
        total = sum(row[v] for v in nucleus)
        return [p / total if v in nucleus else 0 * p for v, p in enumerate(row)]

    return temper


def asking(predict, temper=oracles.untempered):
    if isinstance(temper, list):
        return [asking(predict, one) for one in temper]

    def ask(pattern):
        prediction = predict(pattern)
        return prediction, [temper(row) for row in prediction]

    return ask


def expected_output(
    joint, vocab, decoder, predict, temper=oracles.untempered, exact=False, start=None
):
    ask = asking(shown_as(predict, getattr(decoder, "observed", "one-hot")), temper)
    table: dict[tuple, Any] = dict.fromkeys(joint, 0)
    rounds: dict[int, Any] = {}
    for (x, calls), mass in written_with_calls(joint, vocab, decoder, ask, start).items():
        table[x] += mass
        rounds[calls] = rounds.get(calls, 0) + mass
    costs, on_data = None, None
    if has_path(decoder):
        costs, on_data = along_the_data(joint, decoder, ask, exact, start)
    elif len(rounds) == 1:
        on_data = next(iter(rounds))
    return Expected(table, rounds, costs, on_data)


# Distances


def total_variation(p, q):
    return sum(abs(p[x] - q[x]) for x in p) / 2


def possible_mass(p, q):
    return sum(q[x] for x in p if p[x] != 0)
