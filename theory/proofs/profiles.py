"""Statements about the profile: proved by what it falls, or refuted by Reed-Solomon codes.

A profile never increases and is never negative, so it is a sum of steps ``1{j < r}``, r = 1..L,
each times what the profile falls there, ``f(r-1) - f(r)`` (with ``f(L) = 0``). A linear form in the
profile has the value ``sum_{j < r} c_j`` on a step, and a step, times ``log q``, is the profile of
a Reed-Solomon code. So a form is never negative if and only if it is not on L codes, and then

    sum_j c_j f(j)  =  sum_r (sum_{j < r} c_j) (f(r-1) - f(r))

is the certificate. With assumptions a linear program over the weights of the steps decides, and
codes side by side refute. [ours on Han 1978, from memory]
"""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

from theory._core.linear_program import Separation, Uncertified, combination, least
from theory.distributions.reed_solomon import ReedSolomon, smallest_field
from theory.errors import InvalidInput, TooLarge
from theory.proofs.answers import Certificate, Proof, Refutation
from theory.proofs.every_length import (
    EveryLength,
    ProofForEveryLength,
    UnknownForEveryLength,
    first_length,
    ranges_of,
    symbols,
)
from theory.proofs.polynomials import as_quotient, at
from theory.proofs.quantities import Fall
from theory.proofs.signs import Negative, Nonnegative, Undecided, nonnegative
from theory.proofs.statement import Conclusion, Statement
from theory.proofs.steps import codes_of, on_steps
from theory.proofs.syntax import Relation, Tree
from theory.proofs.text import parse

__all__ = ["decide", "decide_every_length"]

TRIED_LENGTHS = 12
"""Lengths at which a statement with assumptions is tried."""

MAX_START = 1000
"""Lengths that are proved one by one, before all longer ones."""

MAX_LENGTH = 200_000
"""Up to which a length at which a statement fails is looked for."""


def decide(statement: Statement) -> Proof | Refutation:
    """Prove a statement about the profile, or refute it by codes; one of the two is always found.

    Parameters
    ----------
    statement : Statement
        In the coordinates of the profile.

    Returns
    -------
    Proof or Refutation
        A proof holds for every distribution over every alphabet. The refuting distribution is a
        `theory.ReedSolomon` code with as few tokens as such codes have, or, where assumptions are
        given, several of them side by side.

    Raises
    ------
    InvalidInput
        If the statement is about entropies of sets.
    TooLarge
        If codes that refute have too large fields, or are too many side by side.

    Examples
    --------
    >>> from theory.proofs.text import parse
    >>> print(decide(parse("TC <= (n-1) DTC", 4, profile=True)))
    proved
    slack of TC <= (n-1) DTC:  4 (f(1) - f(2)) + 8 (f(2) - f(3))
    >>> found = decide(parse("TC <= (n-2) DTC", 4, profile=True))
    >>> found.distribution, found.slack
    (<ReedSolomon: length 4, vocab 2, exact=True, dimension 1>, -log(2))
    """
    if statement.coordinates != "profile":
        raise InvalidInput(
            f"a statement in the profile is needed, got one in {statement.coordinates}"
        )
    certificates = []
    for conclusion in statement.conclusions:
        found = _decided(statement, conclusion)
        if isinstance(found, Refutation):
            return found
        certificates.append(found)
    return Proof(statement, tuple(certificates))


def decide_every_length(tree: Tree) -> ProofForEveryLength | Refutation | UnknownForEveryLength:
    """Prove a statement about the profile at every length, or refute it at the least one.

    Parameters
    ----------
    tree : Tree
        What `theory.proofs.syntax.syntax_tree` reads. Arguments of ``e`` and ``f`` have to be whole
        numbers k or ``n - k``, and coefficients quotients of polynomials in n.

    Returns
    -------
    ProofForEveryLength or Refutation or UnknownForEveryLength
        A proof is for all lengths at which the statement is defined. Unknown is what needs its
        assumptions, and what changes its sign only far out.

    Raises
    ------
    InvalidInput
    TooLarge
        If codes that refute have too large fields, or too many lengths are proved one by one.

    Examples
    --------
    >>> from theory.proofs.syntax import syntax_tree
    >>> print(decide_every_length(syntax_tree("TC <= (n-1) DTC")))
    proved
    for every n >= 2, and n = 1 by itself
    slack of TC <= (n-1) DTC:  sum_{r=1..n - 1} n*(r - 1) (f(r - 1) - f(r))
    >>> found = decide_every_length(syntax_tree("TC <= 5 DTC"))
    >>> found.distribution, found.slack
    (<ReedSolomon: length 7, vocab 2, exact=True, dimension 1>, -log(2))
    """
    parts = [part for relation in tree.conclusions for part in relation.inequalities]
    start = max(map(first_length, parts))
    if start > MAX_START:
        raise TooLarge(
            f"lengths up to {start - 1:,}, before ranges of steps are the same, are proved one by "
            f"one, and at most {MAX_START:,} are; or give the number of sites"
        )
    found = [_at_every_length(part) for part in parts]
    certificates = tuple(part for part in found if isinstance(part, EveryLength))
    proved = len(certificates) == len(found)
    tried = TRIED_LENGTHS if tree.assumptions and not proved else 0
    few = []
    for length in range(1, max(start, tried + 1)):
        try:
            statement = parse(tree.text, length, profile=True)
        except InvalidInput:
            continue  # it is not defined there
        answer = decide(statement)
        if isinstance(answer, Refutation):
            return answer
        few.append(answer)
    if proved:
        return ProofForEveryLength(tree, certificates, tuple(few))
    failing = min((part for part in found if isinstance(part, int)), default=0)
    if tree.assumptions:
        reason = f"without its assumptions it is not proved, with them it holds for n <= {tried}"
    elif 0 < failing <= MAX_LENGTH:
        answer = decide(parse(tree.text, failing, profile=True))
        assert isinstance(answer, Refutation)
        return answer
    elif failing:
        reason = f"it fails at n = {failing}, and codes are looked for up to {MAX_LENGTH}"
    else:
        reason = "the sign of the slack at the ends of a range of steps is not decided"
    statement = parse(tree.text, start, profile=True)
    return UnknownForEveryLength(statement, statement.conclusions[0], {}, Fraction(0), (reason,))


def _at_every_length(conclusion: Relation) -> EveryLength | int | None:
    """The certificate; or a length at which there is none, the least that is looked at; or None."""
    n, _ = symbols()
    start = first_length(conclusion)
    ranges, failing, undecided = [], [], False
    for part in ranges_of(conclusion):
        signs = [nonnegative(end, [n >= start]) for end in part.ends]
        for sign in signs:
            undecided |= isinstance(sign, Undecided)
            if isinstance(sign, Negative):
                failing.append(_least_failing(sign, start))
        shown = tuple(sign for sign in signs if isinstance(sign, Nonnegative))
        ranges.append(dataclasses.replace(part, signs=shown))
    if failing or undecided:
        return min(failing, default=None)
    return EveryLength(conclusion, start, tuple(ranges))


def _least_failing(sign: Negative, start: int) -> int:
    """The least length at which a slack is negative, or a large one at which it is."""
    n, _ = symbols()
    quotient = as_quotient(sign.expression, [n])
    assert quotient is not None
    last = int(sign.point[n])
    for length in range(start, min(last, MAX_LENGTH)):
        if at(quotient[0], (length,)) * at(quotient[1], (length,)) < 0:
            return length
    return last


def _decided(statement: Statement, conclusion: Conclusion) -> Certificate | Refutation:
    sites, given = statement.sites, statement.assumptions
    slacks = on_steps(conclusion.slack, sites)
    if min(slacks) >= 0:
        terms = tuple((slack, Fall(j)) for j, slack in enumerate(slacks) if slack)
        return Certificate(conclusion, terms)
    if not given:
        negative = [r for r, slack in enumerate(slacks, 1) if slack < 0]
        r = min(negative, key=lambda r: (smallest_field(sites, r), r))
        return _refutation(statement, conclusion, {r: Fraction(1)}, slacks)
    rows = [dict(enumerate(on_steps(a.form, sites))) for a in given]
    columns = [{j: Fraction(1)} for j in range(sites)]
    columns += [{j: v for j, v in row.items() if v} for row in rows]
    free = {j for j, a in enumerate(given, sites) if a.equal}
    found = combination(columns, {j: v for j, v in enumerate(slacks) if v}, free=free)
    if isinstance(found, Separation):
        weights = {j + 1: weight for j, weight in found.direction.items() if weight}
        return _refutation(statement, conclusion, _few(weights, statement, slacks), slacks)
    terms = tuple((m, Fall(j)) for j, m in sorted(found.items()) if j < sites)
    used = tuple((m, given[j - sites]) for j, m in found.items() if j >= sites)
    return Certificate(conclusion, terms, used)


def _few(
    weights: Mapping[int, Fraction], statement: Statement, slacks: list[Fraction]
) -> Mapping[int, Fraction]:
    """Weights of few steps that meet the assumptions, on which the slack is negative.

    At a corner of the linear program there are at most as many as assumptions and one more.
    """
    sites, given = statement.sites, statement.assumptions
    rows = [on_steps(a.form, sites) for a in given]
    columns = [
        {0: slacks[j], **{k + 1: row[j] for k, row in enumerate(rows)}} for j in range(sites)
    ]
    columns += [{k + 1: Fraction(-1)} for k, a in enumerate(given) if not a.equal]
    costs = [smallest_field(sites, r).bit_length() - 1 for r in range(1, sites + 1)]
    costs += [0] * (len(columns) - sites)
    nonzero = [{i: v for i, v in column.items() if v} for column in columns]
    try:
        found = least(costs, nonzero, [-1] + [0] * len(given)).solution
    except Uncertified:
        return weights
    return {j + 1: weight for j, weight in found.items() if j < sites}


def _refutation(
    statement: Statement,
    conclusion: Conclusion,
    weights: Mapping[int, Fraction],
    slacks: list[Fraction],
) -> Refutation:
    """The codes whose profile is a multiple of the sum of these steps."""
    p, multiple = codes_of(weights, statement.sites)
    slack = multiple * sum(slacks[r - 1] * weight for r, weight in weights.items())
    code = isinstance(p, ReedSolomon)
    found_by = "a Reed-Solomon code" if code else "Reed-Solomon codes side by side"
    return Refutation(statement, conclusion, p, slack, found_by)
