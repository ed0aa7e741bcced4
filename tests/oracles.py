"""Slow oracles, written from the definitions alone.

A joint distribution is a dict from every sequence (a tuple of ``length`` tokens) to its
probability: a Fraction, an int or a float, whatever the parameters were. Everything else is a
loop over that dict. Nothing here imports the package under test.

With ``exact=True`` the entropies of a joint of Fractions are SymPy expressions in the logarithms
of primes. Those are linearly independent over the rationals, so ``==`` decides.

The two forward-backward functions at the end serve lengths at which no dict would fit.
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

MASK = -1


class Impossible(Exception):
    """A conditional distribution was asked for given an event of probability zero."""


# Joint distributions


def all_sequences(length, vocab):
    return list(itertools.product(range(vocab), repeat=length))


def all_patterns(length, vocab):
    """Every partly masked sequence, (vocab + 1) ** length of them."""
    return list(itertools.product([MASK, *range(vocab)], repeat=length))


def table_joint(weights):
    """The joint of an array-like of weights with one axis for each site."""
    vocab, length, inner = len(weights), 0, weights
    while hasattr(inner, "__len__"):
        length, inner = length + 1, inner[0]

    def weight(sequence):
        entry = weights
        for token in sequence:
            entry = entry[token]
        return entry

    weight_of = {x: weight(x) for x in all_sequences(length, vocab)}
    return normalised(weight_of)


def normalised(weight_of):
    total = sum(weight_of.values())
    if isinstance(total, int):
        total = Fraction(total)
    return {x: w / total for x, w in weight_of.items()}


def chain_joint(initial, transition, length):
    joint = {}
    for x in all_sequences(length, len(initial)):
        p = initial[x[0]]
        for a, b in itertools.pairwise(x):
            p = p * transition[a][b]
        joint[x] = p
    return joint


def hmm_joint(initial, transition, emission, length):
    """Sums over every hidden path."""
    hidden, vocab = len(initial), len(emission[0])
    paths = chain_joint(initial, transition, length)
    joint = {}
    for x in all_sequences(length, vocab):
        joint[x] = 0
        for path in all_sequences(length, hidden):
            p = paths[path]
            for h, v in zip(path, x, strict=True):
                p = p * emission[h][v]
            joint[x] += p
    return joint


def mixture_joint(weights, sites):
    """``sites[r][i][v]`` is the probability of token v at site i in component r."""
    length, vocab = len(sites[0]), len(sites[0][0])
    joint = {}
    for x in all_sequences(length, vocab):
        joint[x] = 0
        for weight, component in zip(weights, sites, strict=True):
            p = weight
            for site, v in zip(component, x, strict=True):
                p = p * site[v]
            joint[x] += p
    return joint


def exchangeable_joint(count_weights):
    """The weight of each number of ones, shared equally among the sequences that have it."""
    length = len(count_weights) - 1
    weight_of = {
        x: Fraction(count_weights[sum(x)]) / math.comb(length, sum(x))
        for x in all_sequences(length, 2)
    }
    return normalised(weight_of)


def permutations_joint(n):
    orders = set(itertools.permutations(range(n)))
    return {x: Fraction(int(x in orders), len(orders)) for x in all_sequences(n, n)}


def empirical_joint(sequences, vocab, weights=None):
    if weights is None:
        weights = [1] * len(sequences)
    weight_of = dict.fromkeys(all_sequences(len(sequences[0]), vocab), 0)
    for row, weight in zip(sequences, weights, strict=True):
        weight_of[tuple(int(v) for v in row)] += weight
    return normalised(weight_of)


# Evidence and conditionals


def length_of(joint):
    return len(next(iter(joint)))


def added(numbers) -> Any:
    """The sum; of Fractions, over one common denominator, which is much quicker."""
    numbers = list(numbers)
    if set(map(type, numbers)) != {Fraction}:
        return sum(numbers)
    ratios = [p.as_integer_ratio() for p in numbers]
    d = math.lcm(*{q for _, q in ratios})
    return Fraction(sum(p * (d // q) for p, q in ratios), d)


def agrees(x, pattern):
    return all(o in (MASK, v) for v, o in zip(x, pattern, strict=True))


def agreeing(joint, pattern):
    """The sequences that agree with the pattern, with what they weigh in the joint."""
    if len(pattern) != length_of(joint):
        raise ValueError(f"{len(pattern)} sites of {length_of(joint)}")
    observed = [(i, o) for i, o in enumerate(pattern) if o != MASK]
    kept = joint.items()
    for i, o in observed:
        kept = [(x, p) for x, p in kept if x[i] == o]
    return dict(kept)


def evidence(joint, pattern):
    return added(agreeing(joint, pattern).values())


def condition(joint, pattern):
    """The joint given the pattern. It stays a distribution over whole sequences."""
    z = evidence(joint, pattern)
    if z == 0:
        raise Impossible(pattern)
    kept, none = agreeing(joint, pattern), 0 * z
    return {x: (p / z if x in kept else none) for x, p in joint.items()}


def site_marginals(joint, vocab):
    """P(x_i = v) as a list of ``length`` lists of ``vocab`` numbers."""
    found = [[[] for _ in range(vocab)] for _ in range(length_of(joint))]
    for x, p in joint.items():
        if p:
            for i, v in enumerate(x):
                found[i][v].append(p)
    return [[added(probs) for probs in site] for site in found]


def conditional_marginals(joint, pattern, vocab, on_impossible="raise"):
    """P(x_i = v | pattern), one-hot where observed."""
    if (z := evidence(joint, pattern)) != 0:
        together = site_marginals(agreeing(joint, pattern), vocab)
        return [[p / z for p in site] for site in together]
    if on_impossible == "raise":
        raise Impossible(pattern)
    if on_impossible == "marginal":
        fill = site_marginals(joint, vocab)
    elif on_impossible == "uniform":
        fill = [[Fraction(1, vocab)] * vocab for _ in pattern]
    else:
        raise KeyError(on_impossible)
    return [
        fill[i] if o == MASK else [int(v == o) for v in range(vocab)] for i, o in enumerate(pattern)
    ]


def lattice(joint, length, vocab):
    """The evidence of every pattern, as a dict."""
    out = dict.fromkeys(all_patterns(length, vocab), 0)
    for x, p in joint.items():
        for keep in itertools.product([False, True], repeat=length):
            out[tuple(v if k else MASK for v, k in zip(x, keep, strict=True))] += p
    return out


def log(p):
    """The natural logarithm, also of Fractions that no double can hold."""
    if p == 0:
        return -math.inf
    if isinstance(p, Fraction):
        return math.log(p.numerator) - math.log(p.denominator)
    return math.log(p)


@functools.cache
def _log_of_integer(n):
    """log n by trial division."""
    terms, divisor = [], 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            terms.append(sympy.log(divisor))
            n //= divisor
        divisor += 1
    return sympy.Add(*terms, sympy.log(n))


def log_in_primes(p):
    """The natural logarithm of a positive Fraction in the logarithms of primes."""
    p = Fraction(p)
    return _log_of_integer(p.numerator) - _log_of_integer(p.denominator)


def rational(p):
    p = Fraction(p)
    return sympy.Rational(p.numerator, p.denominator)


def times_log(p, q, exact=False):
    """p log q, where 0 log 0 is 0."""
    if p == 0:
        return 0
    if exact:
        return rational(p) * (log_in_primes(q) if q != 0 else -sympy.oo)
    return float(p) * log(q)


def total(terms, exact=False):
    return sympy.Add(*terms) if exact else math.fsum(terms)


# Information


def marginal(joint, sites):
    """The joint of some of the sites, in the order in which they are named."""
    out = {}
    for x, p in joint.items():
        out.setdefault(tuple(x[i] for i in sites), []).append(p)
    return {values: added(probs) for values, probs in out.items()}


def entropy(joint, sites=None, exact=False):
    """H(X_sites) in nats; all sites by default."""
    sites = range(length_of(joint)) if sites is None else sites
    return -total((times_log(p, p, exact) for p in marginal(joint, sites).values()), exact)


def entropy_of(numbers):
    """Of probabilities in any shape, in nats."""
    return -math.fsum(p * math.log(p) for p in np.ravel(numbers).tolist() if p > 0)


def conditional_entropy(joint, sites, given_sites, exact=False):
    """H(X_sites | X_given): the average over the values of the given sites."""
    terms = []
    for values, p in marginal(joint, given_sites).items():
        if p != 0:
            observed = dict(zip(given_sites, values, strict=True))
            pattern = tuple(observed.get(i, MASK) for i in range(length_of(joint)))
            weight = rational(p) if exact else float(p)
            terms.append(weight * entropy(condition(joint, pattern), sites, exact))
    return total(terms, exact)


def _given(joint, sites, pattern):
    """The joint under the pattern, and the sites meant: by default all that it leaves masked."""
    if pattern is None:
        pattern = (MASK,) * length_of(joint)
    if sites is None:
        sites = [i for i, o in enumerate(pattern) if o == MASK]
    return condition(joint, pattern), list(sites)


def total_correlation(joint, sites=None, pattern=None, exact=False):
    """sum_i H(X_i) - H(X_sites), of the joint given the pattern."""
    joint, sites = _given(joint, sites, pattern)
    alone = total((entropy(joint, [i], exact) for i in sites), exact)
    return alone - entropy(joint, sites, exact)


def dual_total_correlation(joint, sites=None, pattern=None, exact=False):
    """H(X_sites) - sum_i H(X_i | the other X_sites), of the joint given the pattern."""
    joint, sites = _given(joint, sites, pattern)
    others = [[j for j in sites if j != i] for i in sites]
    pairs = zip(sites, others, strict=True)
    own = total((conditional_entropy(joint, [i], rest, exact) for i, rest in pairs), exact)
    return entropy(joint, sites, exact) - own


def mutual_information(joint, sites, others, pattern=None, exact=False):
    joint, sites = _given(joint, sites, pattern)
    others = list(others)
    apart = entropy(joint, sites, exact) + entropy(joint, others, exact)
    return apart - entropy(joint, sites + others, exact)


def mean_subset_entropies(joint, exact=False):
    """e_k for k = 0..L: the mean of H(X_S) over all S of k sites."""
    length = length_of(joint)
    out = []
    for k in range(length + 1):
        values = [entropy(joint, s, exact) for s in itertools.combinations(range(length), k)]
        out.append(total(values, exact) / len(values))
    return out


def profile(joint, exact=False):
    """f(j) = e_{j+1} - e_j for j = 0..L-1."""
    e = mean_subset_entropies(joint, exact)
    return [b - a for a, b in itertools.pairwise(e)]


def kl_divergence(p, q, exact=False):
    """sum p log(p / q) of two joints, infinite where q misses the support of p."""
    infinite = sympy.oo if exact else math.inf
    if any(p[x] != 0 and q[x] == 0 for x in p):
        return infinite
    return total((times_log(p[x], p[x], exact) - times_log(p[x], q[x], exact) for x in p), exact)


# Decoding in parallel batches


def compositions(length, rounds=None) -> list[tuple[int, ...]]:
    """Every way to write the length as an ordered sum of positive integers."""
    if length == 0:
        return [()]
    found = [(k, *rest) for k in range(1, length + 1) for rest in compositions(length - k)]
    return [sizes for sizes in found if rounds in (None, len(sizes))]


def ordered_partitions(sites, sizes):
    """Every way to deal the sites into consecutive batches of the given sizes."""
    sites = tuple(sites)
    if sum(sizes) != len(sites):
        raise ValueError(f"batches of {sizes} do not deal out {len(sites)} sites")
    if not sizes:
        yield ()
        return
    for batch in itertools.combinations(sites, sizes[0]):
        rest = tuple(i for i in sites if i not in batch)
        for tail in ordered_partitions(rest, sizes[1:]):
            yield (batch, *tail)


def zero_loss(joint, vocab, on_impossible="raise"):
    """The denoiser ``predict(pattern)``. It remembers its answers: decoders ask again and again."""
    return functools.cache(
        lambda pattern: conditional_marginals(joint, pattern, vocab, on_impossible)
    )


def partition_probability(x, partition, predict):
    """q(x) = prod_t prod_{i in S_t} p(x_i | x_{C_t}), C_t the sites of the batches before t.

    A factor zero ends the product, so a denoiser that raises does so only where the decoder
    would reach a context of probability zero.
    """
    context = [MASK] * len(x)
    q = Fraction(1)
    for batch in partition:
        prediction = predict(tuple(context))
        for i in batch:
            q = q * prediction[i][x[i]]
        if q == 0:
            return q
        for i in batch:
            context[i] = x[i]
    return q


def mean_path_cost(joint, sizes, vocab, exact=False):
    """The mean of KL(p || q_partition) over all ordered partitions with these batch sizes."""
    predict = zero_loss(joint, vocab)
    support = {x: p for x, p in joint.items() if p != 0}
    costs = []
    for partition in ordered_partitions(range(length_of(joint)), tuple(sizes)):
        q = {x: partition_probability(x, partition, predict) for x in support}
        costs.append(kl_divergence(support, q, exact))
    return total(costs, exact) / len(costs)


def output_distribution(joint, sizes, vocab, on_impossible="raise"):
    """What random-order decoding emits: the mean of q_partition over all ordered partitions."""
    predict = zero_loss(joint, vocab, on_impossible)
    partitions = list(ordered_partitions(range(length_of(joint)), tuple(sizes)))
    return {
        x: sum(partition_probability(x, s, predict) for s in partitions) / len(partitions)
        for x in joint
    }


# Decoding by any policy: recursion over every choice and every token
#
# ``dist(pattern, prediction, round)`` lists (probability, sites to reveal), ``predict(pattern)`` is
# the model's rows, and ``temper(row)`` what tokens are drawn from.


def reveal(pattern, sites, tokens):
    out = list(pattern)
    for i, v in zip(sites, tokens, strict=True):
        out[i] = v
    return tuple(out)


def tempered(row, temperature):
    """The row to the power 1 / temperature, renormalised; the first of the largest at 0."""
    if temperature == 1:
        return list(row)
    if temperature == 0:
        return [int(v == row.index(max(row))) for v in range(len(row))]
    raised = [float(p) ** (1 / temperature) for p in row]
    return [r / math.fsum(raised) for r in raised]


def untempered(row):
    return row


def written(length, vocab, dist, predict, temper=untempered):
    """(distribution of the outputs, expected number of rounds) of a decoder."""
    output = dict.fromkeys(all_sequences(length, vocab), 0)
    rounds = 0

    def go(pattern, mass, index):
        nonlocal rounds
        if MASK not in pattern:
            output[pattern] += mass
            return
        rounds += mass
        prediction = predict(pattern)
        for prob, sites in dist(pattern, prediction, index):
            rows = [temper(prediction[i]) for i in sites]
            for tokens in itertools.product(range(vocab), repeat=len(sites)):
                part = mass * prob
                for row, v in zip(rows, tokens, strict=True):
                    part = part * row[v]
                if part != 0:
                    go(reveal(pattern, sites, tokens), part, index + 1)

    go((MASK,) * length, Fraction(1), 0)
    return output, rounds


def mean_path_kl(joint, dist, predict, temper=untempered, exact=False):
    """E_p of log p(x) - the policy's mean of log q_path(x): the path followed is that of x."""

    def log_likelihood(x, pattern, index):
        if MASK not in pattern:
            return 0
        prediction = predict(pattern)
        terms = []
        for prob, sites in dist(pattern, prediction, index):
            terms += [times_log(prob, temper(prediction[i])[x[i]], exact) for i in sites]
            rest = log_likelihood(x, reveal(pattern, sites, [x[i] for i in sites]), index + 1)
            terms.append((rational(prob) if exact else float(prob)) * rest)
        return total(terms, exact)

    nothing = (MASK,) * length_of(joint)
    terms = []
    for x, p in joint.items():
        if p != 0:
            weight = rational(p) if exact else float(p)
            terms += [times_log(p, p, exact), -weight * log_likelihood(x, nothing, 0)]
    return total(terms, exact)


# The loss of a denoiser


def expected_losses(joint, predict, exact=False):
    """The mean over x0 of sum_i -log predict(x_t)[i][x0_i], i masked, for every set of masks.

    The keys are tuples that say which sites are clean.
    """
    length = length_of(joint)
    losses = {}
    for clean in itertools.product([False, True], repeat=length):
        terms = []
        for x0, p in joint.items():
            if p != 0:
                pattern = tuple(v if c else MASK for v, c in zip(x0, clean, strict=True))
                prediction = predict(pattern)
                terms += [
                    -times_log(p, prediction[i][x0[i]], exact)
                    for i in range(length)
                    if not clean[i]
                ]
        losses[clean] = total(terms, exact)
    return losses


def _weighted(weights, losses, exact):
    terms = [
        (rational(w) if exact else float(w)) * losses[clean]
        for clean, w in weights.items()
        if w != 0
    ]
    return total(terms, exact)


def expected_nelbo(joint, alphas, predict, exact=False, losses=None):
    """The masked-diffusion bound in nats, on the grid 1 = alphas[0] > ... > alphas[-1] = 0.

    ``alphas[k]`` is the probability that a site is still clean at level k, and
    ``predict(pattern)[i][v]`` the model's probability of token v at site i. Step k, from s = k - 1
    to t = k, adds the mean over x0 and over the masks of level t of

        sum over masked i of (a_s - a_t) / (1 - a_t) * -log predict(x_t)[i][x0_i].

    `losses` may hold what `expected_losses` gave.
    """
    losses = losses or expected_losses(joint, predict, exact)
    weights = dict.fromkeys(losses, 0)
    for a_s, a_t in itertools.pairwise(alphas):
        for clean in losses:
            p_mask = a_t ** sum(clean) * (1 - a_t) ** (len(clean) - sum(clean))
            weights[clean] += Fraction(a_s - a_t) / Fraction(1 - a_t) * p_mask
    return _weighted(weights, losses, exact)


def expected_continuous_nelbo(joint, predict, exact=False, losses=None):
    """The integral of u^k (1 - u)^(L - k - 1) du times the loss, over every set of k clean sites.

    The integrand is a polynomial: (1 - u)^n is expanded and integrated term by term.
    """
    losses = losses or expected_losses(joint, predict, exact)
    weights = {}
    for clean in losses:
        k, n = sum(clean), len(clean) - sum(clean) - 1
        terms = (Fraction(math.comb(n, j) * (-1) ** j, k + j + 1) for j in range(n + 1))
        weights[clean] = sum(terms, start=Fraction(0))
    return _weighted(weights, losses, exact)


# Forward-backward in logarithms, for long sequences


def _log(values):
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(values, dtype=float))


def _logsumexp(values, axis):
    return np.logaddexp.reduce(values, axis=axis)


def hmm_forward_backward(initial, transition, emission, pattern):
    """(P(x_i = v | pattern) of shape (L, V), log P(pattern)), normalised at every step."""
    initial, transition, emission = _log(initial), _log(transition), _log(emission)
    length, (hidden, vocab) = len(pattern), emission.shape
    local = [np.zeros(hidden) if o == MASK else emission[:, o] for o in pattern]

    log_evidence = 0.0
    predicted = np.empty((length, hidden))  # log P(h_i | observed before i)
    predicted[0] = initial
    for i in range(length):
        filtered = predicted[i] + local[i]
        step = _logsumexp(filtered, axis=0)
        if step == -np.inf:
            raise Impossible(tuple(pattern[: i + 1]))
        log_evidence += step
        filtered = filtered - step
        if i + 1 < length:
            predicted[i + 1] = _logsumexp(filtered[:, None] + transition, axis=0)

    after = np.zeros((length, hidden))  # log P(observed after i | h_i), up to a constant
    for i in reversed(range(length - 1)):
        after[i] = _logsumexp(transition + (local[i + 1] + after[i + 1])[None, :], axis=1)
        after[i] -= np.max(after[i])

    out = np.zeros((length, vocab))
    for i, o in enumerate(pattern):
        if o == MASK:
            by_state = predicted[i] + after[i]
            tokens = _logsumexp(by_state[:, None] + emission, axis=0)
            out[i] = np.exp(tokens - _logsumexp(tokens, axis=0))
        else:
            out[i, o] = 1.0
    return out, log_evidence


def chain_forward_backward(initial, transition, pattern):
    """A chain is the hidden chain that shows its state."""
    return hmm_forward_backward(initial, transition, np.eye(len(initial)), pattern)


def mixture_posterior(weights, sites, pattern):
    """(P(x_i = v | pattern) of shape (L, V), log P(pattern)) by the responsibilities."""
    sites = np.asarray(sites, dtype=float)
    scores = _log(weights)
    for i, o in enumerate(pattern):
        if o != MASK:
            scores = scores + _log(sites[:, i, o])
    log_evidence = _logsumexp(scores, axis=0)
    if log_evidence == -np.inf:
        raise Impossible(tuple(pattern))
    responsibility = np.exp(scores - log_evidence)
    out = np.zeros(sites.shape[1:])
    for i, o in enumerate(pattern):
        if o == MASK:
            out[i] = sum(r * row for r, row in zip(responsibility, sites[:, i], strict=True))
        else:
            out[i, o] = 1.0
    return out, log_evidence
