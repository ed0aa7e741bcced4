"""Bounds on how confident predictions can be: both sides from the joint."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from tests import oracles
from tests.cases import (
    CASES,
    build_exact,
    built,
    close,
    each_case,
    each_either,
    each_factored,
    each_family,
    each_of,
    few,
    to_device1,
)
from tests.noted import refusals
from tests.theory.homogenization_oracle import Steps, reachable
from theory import (
    MASK,
    ImpossibleEvidence,
    JointTable,
    MarkovChain,
    gallery,
)
from theory.homogenization import envelopes

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
each_chain = each_of([case for case in CASES if case.family is MarkovChain])


# From the definition
#
# ``mass(joint, fixed)`` is the probability that the sites in the dict ``fixed`` hold these tokens.


def mass(joint, fixed):
    kept = joint.items()
    for i, v in fixed.items():
        kept = [(x, p) for x, p in kept if x[i] == v]
    return oracles.added(p for _, p in kept)


def observed_in(x):
    return {i: v for i, v in enumerate(x) if v != MASK}


def masked_in(x):
    return [i for i, v in enumerate(x) if v == MASK]


def top(joint, fixed, site, vocab):
    whole = mass(joint, fixed)
    return max(Fraction(mass(joint, {**fixed, site: v})) / whole for v in range(vocab))


def possible_values(joint, fixed, sites, vocab):
    for values in itertools.product(range(vocab), repeat=len(sites)):
        more = {**fixed, **dict(zip(sites, values, strict=True))}
        if mass(joint, more) != 0:
            yield more


def mean_top(joint, observed, site, vocab):
    """Over the values of the observed sites: the likeliest pair of them and a token, added up."""
    values = itertools.product(range(vocab), repeat=len(observed))
    fixed = [dict(zip(observed, v, strict=True)) for v in values]
    return sum(max(mass(joint, {**f, site: v}) for v in range(vocab)) for f in fixed)


def both(bound, quantity, limit, exact=False, upper=True):
    """Floats that agree, or equal numbers of which none is a float."""
    assert bound.upper is upper
    for value, expected in ((bound.quantity, quantity), (bound.bound, limit)):
        assert value == expected if exact else float(value) == close(expected)
        assert not (exact and isinstance(value, float))


def questions(case):
    """Possible patterns with a masked site and some other masked ones."""
    for x in few((x for x in case.possible if MASK in x), 8):
        site, *others = masked_in(x)
        for through in ([], others[:1], others[::-1]):
            yield x, site, through


def top_sides(case, x, site, through):
    fixed = observed_in(x)
    values = possible_values(case.joint, fixed, through, case.vocab)
    limit = max(top(case.joint, more, site, case.vocab) for more in values)
    return top(case.joint, fixed, site, case.vocab), limit


@each_either
def test_top_envelope(case, exact):
    p = built(case, exact)
    for question in questions(case):
        both(envelopes.top_envelope(p, *question), *top_sides(case, *question), exact)


# Chains


def paths(initial, transition, steps):
    """{(first, last): probability of the last token `steps` steps after the first}, reachable."""
    powers = Steps(transition)
    return {
        (a, b): Fraction(int(powers.power(steps)[a, b]), powers.scale**steps)
        for a in reachable(initial, transition)
        for b in range(len(initial))
    }


def rows_of(case):
    return case.arrays["initial"], case.arrays["transition"]


@each_chain
def test_chain_envelope(case):
    for steps in range(4):
        limit, quantity = (max(paths(*rows_of(case), n).values()) for n in (steps, steps + 1))
        both(envelopes.chain_envelope(case.build(), steps), quantity, limit)
        both(envelopes.chain_envelope(build_exact(case), steps), quantity, limit, exact=True)


def test_tokens_that_are_never_shown_do_not_count():
    """A third token that repeats itself for good, next to two fair ones."""
    fair = [HALF, HALF, Fraction(0)]
    p = MarkovChain([1, 0, 0], [fair, fair, [0, 0, 1]], 2, exact=True)
    both(envelopes.chain_envelope(p, 2), HALF, HALF, exact=True)
    both(envelopes.dobrushin_envelope(p, 2), HALF, HALF, exact=True)


def stationary(transition):
    """By solving ``pi P = pi`` for the tokens, with SymPy; None if there are several."""
    size = len(transition)
    steps = sympy.Matrix(size, size, lambda a, b: sympy.Rational(str(transition[a][b])))
    (kernel, *others) = (steps.T - sympy.eye(size)).nullspace()
    dist = [v / sum(kernel) for v in kernel]
    return None if others else [Fraction(int(v.p), int(v.q)) for v in dist]


@each_chain
def test_dobrushin_envelope(case):
    initial, transition = rows_of(case)
    reached = sorted({a for a, _ in paths(initial, transition, 0)})
    pi = stationary(transition)
    if pi is None:
        return
    tau = max(
        sum(abs(a - b) for a, b in zip(transition[x], transition[y], strict=True)) / 2
        for x in reached
        for y in reached
    )
    for steps, token in itertools.product(range(4), [None, *reached]):
        after = reached if token is None else [token]
        probs = paths(initial, transition, steps)
        quantity = max(v for (a, _), v in probs.items() if a in after)
        limit = max(pi) + max(1 - pi[a] for a in after) * Fraction(tau) ** steps
        assert quantity <= limit
        both(envelopes.dobrushin_envelope(case.build(), steps, token), quantity, limit)
        found = envelopes.dobrushin_envelope(build_exact(case), steps, token)
        both(found, quantity, limit, exact=True)


def average_questions(case):
    sites = range(case.length)
    for site in few(sites, 2):
        others = [i for i in sites if i != site]
        for observed in ([], others[:1], others):
            yield observed, site


def information_of(case, observed, site, exact=False):
    return oracles.mutual_information(case.joint, [site], list(observed), exact=exact)


@each_case
def test_fano_and_pinsker(case):
    p = case.build()
    for observed, site in average_questions(case):
        confident = float(mean_top(case.joint, observed, site, case.vocab))
        alone = oracles.entropy(case.joint, [site])
        shared = float(information_of(case, observed, site)) if observed else 0.0
        spread = (1 - confident) * math.log(max(case.vocab - 1, 1))
        most = sum(-t * math.log(t) for t in (confident, 1 - confident) if t > 0) + spread
        both(envelopes.fano(p, observed, site), alone - shared, most)
        in_bits = envelopes.fano(p, observed, site, base=2)
        both(in_bits, (alone - shared) / math.log(2), most / math.log(2))
        found, marginal = envelopes.pinsker(p, observed, site), top(case.joint, {}, site, p.vocab)
        assert found.quantity == close(confident)
        # the square undoes the root, which would magnify rounding near 0
        assert (found.bound - float(marginal)) ** 2 == close(shared / 2)


@each_factored
def test_exact_fano_and_pinsker(case):
    p = build_exact(case)
    for observed, site in average_questions(case):
        confident = mean_top(case.joint, observed, site, case.vocab)
        shared: Any = information_of(case, observed, site, exact=True) if observed else 0
        rest = oracles.entropy(case.joint, [site], exact=True) - shared
        parts = [oracles.rational(v) for v in (confident, 1 - confident)]
        most = sum(-v * sympy.log(v) for v in parts if v != 0)
        most += parts[1] * sympy.log(max(case.vocab - 1, 1))
        found = envelopes.fano(p, observed, site)
        assert sympy.expand(found.quantity - rest) == 0
        assert sympy.simplify(sympy.expand_log(found.bound - most, force=True)) == 0
        found = envelopes.pinsker(p, observed, site)
        marginal = oracles.rational(top(case.joint, {}, site, case.vocab))
        assert found.quantity == confident
        assert sympy.expand((found.bound - marginal) ** 2 - shared / 2) == 0


# Several sites


def blocks(case):
    for x in few((x for x in case.possible if MASK in x), 8):
        sites = masked_in(x)
        yield x, sites
        yield x, sites[-1:]


def given_sides(case, x, sites, tokens):
    """The probability of the tokens together, and of each alone."""
    fixed = observed_in(x)
    whole = Fraction(mass(case.joint, fixed))
    together = mass(case.joint, {**fixed, **dict(zip(sites, tokens, strict=True))}) / whole
    alone = [mass(case.joint, {**fixed, i: v}) / whole for i, v in zip(sites, tokens, strict=True)]
    return together, alone


def largest_sides(case, x, sites):
    """The likeliest tokens together, and the top mass of each."""
    values = itertools.product(range(case.vocab), repeat=len(sites))
    together = max(given_sides(case, x, sites, tokens)[0] for tokens in values)
    return together, [top(case.joint, observed_in(x), i, case.vocab) for i in sites]


def most_likely(case, x, sites):
    rows = case.conditional(x)
    return [list(rows[i]).index(max(rows[i])) for i in sites]


@each_either
def test_frechet_and_bonferroni(case, exact):
    p = built(case, exact)
    for x, sites in blocks(case):
        together, alone = largest_sides(case, x, sites)
        both(envelopes.frechet(p, x, sites), together, min(alone), exact)
        tokens = [(i + x[0]) % case.vocab for i in sites]
        together, alone = given_sides(case, x, sites, tokens)
        both(envelopes.frechet(p, x, sites, tokens), together, min(alone), exact)
        least = sum(alone) - len(sites) + 1
        both(envelopes.bonferroni(p, x, sites, tokens), together, least, exact, upper=False)
        together, alone = given_sides(case, x, sites, most_likely(case, x, sites))
        if exact:  # which of two equal ones is likelier in floats is left to rounding
            least = sum(alone) - len(sites) + 1
            both(envelopes.bonferroni(p, x, sites), together, least, exact, upper=False)
        if sites == masked_in(x):
            assert envelopes.frechet(p, x) == envelopes.frechet(p, x, sites)
            assert envelopes.bonferroni(p, x) == envelopes.bonferroni(p, x, sites)


def test_tokens_go_with_their_sites_in_any_order():
    p = JointTable([[1, 2], [3, 4]], exact=True)
    nothing = [MASK, MASK]
    for bound in (envelopes.frechet, envelopes.bonferroni):
        assert bound(p, nothing, [1, 0], [0, 1]) == bound(p, nothing, [0, 1], [1, 0])
    assert envelopes.frechet(p, nothing, [1, 0], [0, 1]).quantity == Fraction(3, 10)


def test_a_chain_of_thousands():
    """What is observed far away goes through probabilities that underflow."""
    p = gallery.binary_symmetric(4000, 0.25)
    x = [0, MASK, MASK, *[1] * 3997]
    both(envelopes.top_envelope(p, x, 1, [2]), Fraction(9, 14), Fraction(9, 10))
    both(envelopes.frechet(p, x), Fraction(9, 28), Fraction(9, 14))


@each_family
def test_on_another_device(case):
    host, away = case.build(), case.build(to_device1)
    x = next(x for x in case.possible if sum(v == MASK for v in x) > 1)
    site, *others = masked_in(x)
    calls = [
        lambda p, x: envelopes.top_envelope(p, x, site, others),
        lambda p, x: envelopes.frechet(p, x),
        lambda p, x: envelopes.frechet(p, x, [site], [0]),
        lambda p, x: envelopes.bonferroni(p, x),
        lambda p, x: envelopes.fano(p, others, site),
        lambda p, x: envelopes.pinsker(p, others, site),
    ]
    for call in calls:
        expected = call(host, x)
        for pattern in (x, to_device1(x)):
            both(call(away, pattern), expected.quantity, expected.bound, upper=expected.upper)
    if case.family is MarkovChain:
        for bound in (envelopes.chain_envelope, envelopes.dobrushin_envelope):
            expected = bound(host, 2)
            both(bound(away, 2), expected.quantity, expected.bound)


P = gallery.binary_symmetric(3, 0.25)
TABLE: Any = np.ones(2)
PARITY: Any = gallery.parity(3)
BROKEN: Any = 1.5
NOTHING = [MASK, MASK, MASK]
BAD = [
    ("JointTable|Distribution", lambda: envelopes.top_envelope(TABLE, [MASK], 0, [])),
    ("shape", lambda: envelopes.top_envelope(P, [NOTHING], 0, [1])),
    ("masked.*0 at 0", lambda: envelopes.top_envelope(P, [0, MASK, MASK], 0, [1])),
    ("masked.*0 at 1", lambda: envelopes.top_envelope(P, [MASK, 0, MASK], 0, [1])),
    ("site 1 itself", lambda: envelopes.top_envelope(P, NOTHING, 1, [1, 2])),
    (r"0\.\.2", lambda: envelopes.top_envelope(P, NOTHING, 3, [1])),
    ("MarkovChain", lambda: envelopes.chain_envelope(PARITY, 1)),
    ("steps.*-1", lambda: envelopes.chain_envelope(P, -1)),
    ("steps.*1.5", lambda: envelopes.dobrushin_envelope(P, BROKEN)),
    ("never shows the token 2", lambda: envelopes.dobrushin_envelope(P, 1, 2)),
    ("token.*-1", lambda: envelopes.dobrushin_envelope(P, 1, -1)),
    ("2 recurrent", lambda: envelopes.dobrushin_envelope(gallery.two_classes(3), 1)),
    ("site 1 is among", lambda: envelopes.fano(P, [0, 1], 1)),
    ("distinct", lambda: envelopes.pinsker(P, [0, 0], 1)),
    ("base", lambda: envelopes.fano(P, [0], 1, base=1)),
    ("at least one", lambda: envelopes.frechet(P, [0, 0, 0])),
    ("at least one", lambda: envelopes.bonferroni(P, NOTHING, [])),
    ("masked.*0 at 0", lambda: envelopes.frechet(P, [0, MASK, MASK], [0, 1])),
    ("2 tokens", lambda: envelopes.frechet(P, NOTHING, [0, 1], [0])),
    (r"0\.\.1.*2", lambda: envelopes.bonferroni(P, NOTHING, [0, 1], [0, 2])),
]


test_what_is_refused = refusals(*BAD)


COUPLED, NEVER = gallery.coupled_pairs(2), [0, 1, MASK, MASK]
test_impossible_evidence = refusals(
    ("0, 1, MASK, MASK", lambda: envelopes.frechet(COUPLED, NEVER)),
    ("0, 1, MASK, MASK", lambda: envelopes.bonferroni(COUPLED, NEVER)),
    ("0, 1, MASK, MASK", lambda: envelopes.top_envelope(COUPLED, NEVER, 2, [3])),
    error=ImpossibleEvidence,
)


a, b, c, d = sympy.symbols("a b c d", positive=True)
SYMBOLS = JointTable([[a, b], [c, d]], exact=True)
test_symbols_have_no_largest = refusals(
    ("symbols", lambda: envelopes.top_envelope(SYMBOLS, [MASK, MASK], 0, [1])),
    ("symbols", lambda: envelopes.frechet(SYMBOLS, [MASK, MASK])),
    ("symbols", lambda: envelopes.pinsker(SYMBOLS, [0], 1)),
)
