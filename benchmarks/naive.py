"""The naive versions: what one writes down first, straight from the definitions.

Plain NumPy that shares no code with the package, for the answers and for the time.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import linprog

MASK = -1


def concatenated_lattice(p: Any) -> Any:
    """Append the sum to every axis, from first to last, each time in a new table."""
    for axis in range(p.ndim):
        p = np.concatenate([p, p.sum(axis=axis, keepdims=True)], axis=axis)
    return p


def index(pattern: Any) -> tuple[Any, ...]:
    """Index of all sequences that agree with a pattern."""
    return tuple(slice(None) if v == MASK else v for v in pattern)


def sliced_evidence(p: np.ndarray, x: np.ndarray) -> list[Any]:
    """Slice and sum, pattern by pattern."""
    return [p[index(pattern)].sum() for pattern in x.tolist()]


def sliced_conditionals(p: np.ndarray) -> list[np.ndarray]:
    """For every pattern, every masked site and every value: slice, sum and divide."""
    vocab, shape = p.shape[0], tuple(n + 1 for n in p.shape)
    tables = [np.empty((*shape[:i], vocab, *shape[i + 1 :])) for i in range(p.ndim)]
    for pattern in itertools.product(range(MASK, vocab), repeat=p.ndim):
        evidence = p[index(pattern)].sum()
        for site in (i for i, v in enumerate(pattern) if v == MASK):
            for v in range(vocab):
                seen = (*pattern[:site], v, *pattern[site + 1 :])
                tables[site][seen] = p[index(seen)].sum() / evidence
    return tables


def sliced_denoise(p: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Row by row: slice the table, then sum over all masked sites but one."""
    answer = (x[..., None] == np.arange(p.shape[0])).astype(float)
    for row, pattern in enumerate(x.tolist()):
        joint = p[index(pattern)]
        total = joint.sum()
        for k, site in enumerate(np.flatnonzero(x[row] == MASK)):
            others = tuple(j for j in range(joint.ndim) if j != k)
            answer[row, site] = joint.sum(axis=others) / total
    return answer


def marginalised_entropies(p: np.ndarray) -> np.ndarray:
    """For every set of sites: marginalise the table and sum ``-q log q``."""
    entropies = np.empty((2,) * p.ndim)
    for subset in np.ndindex(entropies.shape):
        q = p.sum(axis=tuple(i for i, kept in enumerate(subset) if not kept))
        entropies[subset] = -np.sum(q * np.log(q))
    return entropies


def total_correlation(p: np.ndarray) -> float:
    """Sum of the entropies of the sites minus the entropy of all of them."""
    alone = sum(entropy(marginal(p, (i,))) for i in range(p.ndim))
    return alone - entropy(p)


def chain_evidence(initial: np.ndarray, transition: np.ndarray, x: np.ndarray) -> list[float]:
    """Sequence by sequence, site by site: a message that loses what is not observed."""
    found = []
    for pattern in x.tolist():
        message = initial
        for i, v in enumerate(pattern):
            message = message @ transition if i else message
            message = message if v == MASK else message * (np.arange(len(initial)) == v)
        found.append(float(message.sum()))
    return found


def forward_backward(initial: np.ndarray, transition: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Scaled messages along one sequence, in both directions."""
    length, vocab = len(x), len(initial)
    likelihood = ((x == MASK)[:, None] | (x[:, None] == np.arange(vocab))).astype(float)
    forward, backward = np.empty((length, vocab)), np.ones((length, vocab))
    message = initial
    for i in range(length):
        forward[i] = message * likelihood[i]
        forward[i] /= forward[i].sum()
        message = forward[i] @ transition
    for i in range(length - 1, 0, -1):
        backward[i - 1] = transition @ (backward[i] * likelihood[i])
        backward[i - 1] /= backward[i - 1].max()
    posterior = forward * backward
    return posterior / posterior.sum(axis=1, keepdims=True)


def matching_rows(sequences: np.ndarray, x: np.ndarray, vocab: int) -> np.ndarray:
    """Pattern by pattern: keep the sequences that agree and count their tokens."""
    answer = np.empty((*x.shape, vocab))
    for row, pattern in enumerate(x):
        agrees = np.ones(len(sequences), dtype=bool)
        for i in np.flatnonzero(pattern != MASK):
            agrees &= sequences[:, i] == pattern[i]
        matching = sequences[agrees]
        for i in range(x.shape[1]):
            answer[row, i] = np.bincount(matching[:, i], minlength=vocab) / len(matching)
    return answer


def revealed(pattern: tuple[int, ...], sites: Any, tokens: Any) -> tuple[int, ...]:
    """The pattern with tokens put at the sites."""
    after = list(pattern)
    for site, v in zip(sites, tokens, strict=True):
        after[site] = v
    return tuple(after)


def conditional(p: np.ndarray, pattern: tuple[int, ...]) -> np.ndarray:
    """Joint distribution of the masked sites given the tokens of a pattern."""
    joint = p[index(pattern)]
    return joint / joint.sum()


def marginal(joint: np.ndarray, places: Any) -> np.ndarray:
    """Joint distribution of some sites, named by their axes in increasing order."""
    return joint.sum(axis=tuple(k for k in range(joint.ndim) if k not in places))


def most_confident(k: int) -> Callable[[list[np.ndarray]], Iterator[tuple[float, Any]]]:
    """The reveal distribution that reveals the k most confident masked sites."""

    def reveal_distribution(predictions: list[np.ndarray]) -> Iterator[tuple[float, Any]]:
        places = sorted(range(len(predictions)), key=lambda n: -predictions[n].max())
        yield 1.0, tuple(sorted(places[:k]))

    return reveal_distribution


def any_order(sizes: tuple[int, ...]) -> Callable[[list[np.ndarray]], Iterator[tuple[float, Any]]]:
    """Reveals as many masked sites as it is the turn of, whichever they are."""
    turns = {sum(sizes[t:]): size for t, size in enumerate(sizes)}

    def reveal_distribution(predictions: list[np.ndarray]) -> Iterator[tuple[float, Any]]:
        choices = list(itertools.combinations(range(len(predictions)), turns[len(predictions)]))
        for places in choices:
            yield 1 / len(choices), places

    return reveal_distribution


def decoded_one_by_one(p: np.ndarray, reveal_distribution: Any) -> tuple[np.ndarray, float, int]:
    """What a decoder writes, what its paths cost, and how many masked sequences it visits.

    Each round goes through a dict of masked sequences, with their masses under the decoder and
    under the data, and asks ``reveal_distribution(predictions)`` for probabilities and sites.
    """
    outputs, cost, states = np.zeros(p.shape), 0.0, 0
    layer = {(MASK,) * p.ndim: (1.0, 1.0)}
    while layer:
        after: dict[tuple[int, ...], tuple[float, float]] = {}
        for pattern, (mass, data) in layer.items():
            states += 1
            masked = [site for site, v in enumerate(pattern) if v == MASK]
            joint = conditional(p, pattern)
            predictions = [marginal(joint, (k,)) for k in range(len(masked))]
            for probability, places in reveal_distribution(predictions):
                sites, shares = [masked[k] for k in places], marginal(joint, places)
                for tokens, share in np.ndenumerate(shares):
                    drawn = math.prod(
                        predictions[k][v] for k, v in zip(places, tokens, strict=True)
                    )
                    if share > 0:
                        cost += data * probability * share * math.log(share / drawn)
                    following = revealed(pattern, sites, tokens)
                    so_far = after.get(following, (0.0, 0.0))
                    gained = (mass * probability * drawn, data * probability * share)
                    after[following] = (so_far[0] + gained[0], so_far[1] + gained[1])
        layer = {}
        for pattern, masses in after.items():
            if MASK in pattern:
                layer[pattern] = masses
            else:
                outputs[pattern] += masses[0]
    return outputs, cost, states


def entropy(q: np.ndarray) -> float:
    """Shannon entropy in nats, of positive probabilities."""
    return -float((q * np.log(q)).sum())


def best_decoder(p: np.ndarray, multiplier: float) -> float:
    """Least expected rounds plus `multiplier` times divergence: try every set at every pattern."""

    @cache
    def value(pattern: tuple[int, ...]) -> float:
        masked = [site for site, v in enumerate(pattern) if v == MASK]
        if not masked:
            return 0.0
        joint, least = conditional(p, pattern), math.inf
        alone = [entropy(marginal(joint, (k,))) for k in range(len(masked))]
        for size in range(1, len(masked) + 1):
            for places in itertools.combinations(range(len(masked)), size):
                sites, shares = [masked[k] for k in places], marginal(joint, places)
                lost = sum(alone[k] for k in places) - entropy(shares)
                later = sum(
                    share * value(revealed(pattern, sites, tokens))
                    for tokens, share in np.ndenumerate(shares)
                )
                least = min(least, 1 + multiplier * lost + later)
        return least

    return value((MASK,) * p.ndim)


def exchangeable_entropies(counts: np.ndarray) -> list[float]:
    """Mean entropies of k sites: sum over all numbers of ones, in them and in all sites."""
    length, total = len(counts) - 1, counts.sum()
    entropies = [0.0]
    for size in range(1, length + 1):
        entropy = 0.0
        for ones in range(size + 1):
            probability = 0.0  # of one sequence of `size` tokens with so many ones
            for n in range(ones, length - size + ones + 1):
                share = math.comb(length - size, n - ones) / math.comb(length, n)
                probability += counts[n] / total * share
            if probability > 0:
                entropy -= math.comb(size, ones) * probability * math.log(probability)
        entropies.append(entropy)
    return entropies


def chain_entropies(initial: np.ndarray, transition: np.ndarray, length: int) -> list[float]:
    """Mean entropies of k sites: every pair of sites, by how often they are neighbours."""
    marginals, powers = [initial], [np.eye(len(initial))]
    for _ in range(length):
        marginals.append(marginals[-1] @ transition)
        powers.append(powers[-1] @ transition)

    def entropy(row: np.ndarray) -> float:
        return -sum(v * math.log(v) for v in row.tolist() if v > 0)

    alone = [entropy(row) for row in marginals]
    after = [[entropy(row) for row in power] for power in powers]
    means = [0.0]
    for size in range(1, length + 1):
        total = sum(math.comb(length - 1 - i, size - 1) * alone[i] for i in range(length))
        if size > 1:
            for gap in range(1, length):
                pairs = sum(float(marginals[i] @ after[gap]) for i in range(length - gap))
                total += math.comb(length - gap - 1, size - 2) * pairs
        means.append(total / math.comb(length, size))
    return means


def left_riemann(f: Any, sizes: Any) -> float:
    """Sum over batches of their size times the profile where they start."""
    starts = np.cumsum([0, *sizes[:-1]])
    return float(sum(size * f[start] for start, size in zip(starts, sizes, strict=True)))


def best_schedule(f: list[float], rounds: int) -> float:
    """Least `left_riemann` in so many batches."""

    @cache
    def least(start: int, left: int) -> float:
        if left == 0:
            return 0.0 if start == len(f) else math.inf
        stops = range(start + 1, len(f) + 1)
        return min((f[start] * (s - start) + least(s, left - 1) for s in stops), default=math.inf)

    return least(0, rounds)


def mean_bridge_entropies(
    initial: np.ndarray, transition: np.ndarray, length: int, sites: list[int]
) -> list[float]:
    """Mean entropy of predictions between the two ends of a chain, each from its own powers."""
    means = []
    for site in sites:
        left = np.linalg.matrix_power(transition, site)
        right = np.linalg.matrix_power(transition, length - 1 - site)
        mean = 0.0
        for a, start in enumerate(initial):
            for b in range(len(initial)):
                bridge = left[a] * right[:, b]
                probability = start * bridge.sum()
                shares = bridge / bridge.sum()
                mean -= probability * sum(v * math.log(v) for v in shares.tolist() if v > 0)
        means.append(mean)
    return means


def hidden_predictions(
    start: np.ndarray, transition: np.ndarray, emission: np.ndarray, x: list[int]
) -> np.ndarray:
    """Forward and backward messages, one state after the other."""
    states, steps = range(len(transition)), transition.tolist()
    read = [[1.0] * len(steps) if v < 0 else emission[:, v].tolist() for v in x]

    def scaled(row: Sequence[float]) -> list[float]:
        return [v / sum(row) for v in row]

    forward = [scaled([start[0][s] * read[0][s] for s in states])]
    for seen in read[1:]:
        last = forward[-1]
        forward.append(
            scaled([seen[t] * sum(last[s] * steps[s][t] for s in states) for t in states])
        )
    backward = [[1.0] * len(steps)]
    for seen in reversed(read[1:]):
        last = backward[-1]
        row = [sum(steps[s][t] * seen[t] * last[t] for t in states) for s in states]
        backward.append(scaled(row))
    posterior = np.asarray(forward) * np.asarray(backward[::-1])
    return posterior / posterior.sum(axis=1, keepdims=True) @ emission


def fading_of_powers(transition: np.ndarray) -> tuple[float, np.ndarray]:
    """Rate and limit of the powers of a matrix, from powers until the limit is reached."""
    power, apart = transition, []
    while not apart or apart[-1] > 1e-12:
        following = power @ transition
        apart.append(float(np.abs(following - power).sum(axis=1).max()))
        power = following
    late = len(apart) * 3 // 4
    return (apart[-1] / apart[late]) ** (1 / (len(apart) - 1 - late)), power[0]


def multipliers(
    columns: list[dict[int, Fraction]], total: Mapping[int, Fraction]
) -> dict[int, Fraction]:
    """A vector as a nonnegative combination: dense floats, then elimination on all columns."""
    rows = range(max(total) + 1)
    matrix = [[column.get(i, Fraction(0)) for column in columns] for i in rows]
    right = [total.get(i, Fraction(0)) for i in rows]
    floats = np.array(matrix, dtype=float), np.array(right, dtype=float)
    found = linprog(np.ones(len(columns)), A_eq=floats[0], b_eq=floats[1], method="highs-ds")
    pivots = {}
    for j in np.flatnonzero(found.x > 1e-9).tolist():
        row = next(i for i in rows if matrix[i][j] and i not in pivots.values())
        pivots[j] = row
        lead = matrix[row][j]
        matrix[row], right[row] = [v / lead for v in matrix[row]], right[row] / lead
        for i in rows:
            if i != row and (factor := matrix[i][j]):
                pairs = zip(matrix[i], matrix[row], strict=True)
                matrix[i] = [a - factor * b for a, b in pairs]
                right[i] -= factor * right[row]
    return {j: right[row] for j, row in pivots.items()}
