"""The frontier of (rounds, KL), and how far above it a decoder lies.

Of all value-adaptive policies, one minimises ``E_p[rounds] + multiplier * KL(p || q)``. How
it is found is in `sims.optimal.dynamic_program`.

The lower convex hull of (rounds, KL) is what the best policies reach, mixtures included: drawing
one of two policies beforehand gives a point between theirs (of the path KL).
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, overload

import numpy as np

from sims.decoding.arguments import left_to_write
from sims.decoding.exact import output_distribution
from sims.decoding.output import OutputDistribution
from sims.decoding.sampling import Temperature
from sims.optimal.dynamic_program import Point, Program
from sims.optimal.in_rounds import InRounds, frontier_in_rounds
from sims.policies import Decoder
from sims.policies.base import Select
from theory._core.arrays import within_memory
from theory._core.types import ArrayLike
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_real

__all__ = ["Point", "cost_of", "frontier", "frontier_of", "program_of", "regret", "regret_of"]

COLLINEAR = 1e-9
"""A point this little below a line, relative to its height, is on it."""


@overload
def frontier(
    p: Distribution,
    multipliers: Sequence[float] | None = None,
    *,
    target: float | None = None,
    rounds: None = None,
    prompt: ArrayLike | None = None,
    progress: bool | None = None,
) -> list[Point]: ...


@overload
def frontier(
    p: Distribution,
    *,
    rounds: int,
    prompt: ArrayLike | None = None,
    progress: bool | None = None,
) -> list[InRounds]: ...


@within_memory("the best decoder")
def frontier(
    p: Distribution,
    multipliers: Sequence[float] | None = None,
    *,
    target: float | None = None,
    rounds: int | None = None,
    prompt: ArrayLike | None = None,
    progress: bool | None = None,
) -> list[Point] | list[InRounds]:
    """Find the decoders that minimise ``E_p[rounds] + multiplier * KL(p || q)``.

    All value-adaptive policies compete: which sites come next may depend on all tokens revealed
    so far. The result is the optimum, not a bound, up to rounding.

    Parameters
    ----------
    p : Distribution
        Small: the work and the memory grow as ``(V + 2)^L``. With *rounds* any length for those
        that need no table: a `MarkovChain` goes by gaps, `Exchangeable`, `Permutations` and
        `ReedSolomon` by counts, conditioned ones included.
    multipliers : sequence of float, optional
        Rounds that a nat of divergence is worth, 0 to ``math.inf``. ``math.inf`` asks for zero
        divergence in the fewest rounds, the serial depth ``D_0``; in rational arithmetic if `p`
        is exact. If not given, every corner of the lower convex hull of (rounds, KL) is found that
        is more than 1e-9 nats off the line between its neighbours.
    target : float, optional
        Instead of `multipliers`: the path KL in nats to stay at or below, in the fewest expected
        rounds. One decoder, or two between which a coin decides beforehand: the shares say with
        which probabilities, and the means of rounds and KL under them are those of the optimum.
    rounds : int, optional
        Instead of both: the least KL of any value-adaptive policy that needs at most r rounds on
        every path, for r = 1, ..., R. Exact if `p` is, minima included, in logarithms of
        rational numbers; where that would take long, in floats: for chains whose tables have more
        than 2^18 pairs, for 40 exchangeable bits and more, for 256 tokens of permutations or words.
    prompt : array_like of int, shape (L,), optional
        Tokens that are given, ``MASK`` elsewhere: the optimum of ``p.given(prompt)``, for which
        only the masked sites count.
    progress : bool, optional
        With *rounds*: whether to show progress on stderr; if not given, where it is looked at.

    Returns
    -------
    list of Point, or of InRounds
        In the order of the multipliers; corners by increasing rounds; with *rounds* from 1 on. The
        work is done where the arrays of `p` live, on the host or on a GPU, and the tables of the
        policies stay there.

    Raises
    ------
    InvalidInput
    TooLarge
        Before any memory is taken.

    Examples
    --------
    Pairs of equal bits: one of each, then the rest. Anything faster costs a bit for each pair
    that is written at once:

    >>> from theory import gallery
    >>> points = frontier(gallery.coupled_pairs(2, exact=True), [0, math.inf])
    >>> points[0].rounds, round(points[0].kl / math.log(2), 12)
    (1.0, 2.0)
    >>> points[1].rounds, points[1].kl
    (Fraction(2, 1), 0)
    >>> points[1].policy.sites([-1, -1, -1, -1])
    (0, 2)

    Half a bit less than everything at once, on average: once in four times without a loss.

    >>> found = frontier(gallery.coupled_pairs(2), target=1.5 * math.log(2))
    >>> [(point.rounds, round(point.share, 12)) for point in found]
    [(1.0, 0.75), (2.0, 0.25)]

    At most so many rounds, always: two bits are lost if everything is written at once, none in two
    rounds.

    >>> for point in frontier(gallery.coupled_pairs(2, exact=True), rounds=3):
    ...     print(point.rounds, point.kl, point.policy)
    1 2*log(2) <Tabulated policy of 4 sites over 2 tokens in 1 round>
    2 0 <Tabulated policy of 4 sites over 2 tokens in 2 rounds>
    3 0 <Tabulated policy of 4 sites over 2 tokens in 2 rounds>
    """
    check_distribution(p)
    if rounds is not None:
        if multipliers is not None or target is not None:
            raise InvalidInput(
                f"give rounds alone, without multipliers and target: {rounds=}, {multipliers=}, "
                f"{target=}"
            )
        return frontier_in_rounds(p, rounds, prompt, progress)
    if progress is not None:
        raise InvalidInput(f"progress goes with rounds, got {progress=} without")
    if target is not None:
        if multipliers is not None:
            raise InvalidInput(f"give multipliers or target, not both: {multipliers=}, {target=}")
        limit = as_real(target, "target", 0, math.inf)
        return _fewest_rounds(program_of(p, prompt), limit)
    if multipliers is None:
        return frontier_of(program_of(p, prompt))
    try:
        values = [_as_multiplier(m) for m in multipliers]
    except TypeError:
        raise InvalidInput(f"multipliers must be a sequence, got {multipliers!r}") from None
    program = program_of(p, prompt)
    return [program.solve(m) for m in values]


@within_memory("the best decoder")
def regret(
    p: Distribution,
    policy: Decoder | Select,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    prompt: ArrayLike | None = None,
) -> float:
    """How much more a decoder loses than the best one with as many expected rounds, in nats.

    Parameters
    ----------
    p : Distribution
    policy, temperature, denoiser, prompt
        As for `output_distribution`. The best decoder has the zero-loss denoiser at temperature 1.

    Returns
    -------
    float
        The policy's path KL (KL, where there is no path) minus the lower convex hull of the
        optimal (rounds, KL) at the policy's expected rounds on the data (under the decoder,
        where those are not defined). Never negative for policies that select sites before they
        draw. Token policies and correctors do not compete in the optimum, and may beat it.

    Examples
    --------
    A random half of two coupled pairs is a whole pair once in three times:

    >>> from sims import policies
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(2)
    >>> round(regret(p, policies.RandomOrder((2, 2))) / math.log(2), 12)
    0.666666666667
    """
    check_distribution(p)
    q = output_distribution(p, policy, temperature, denoiser, prompt=prompt)
    return regret_of(program_of(p, prompt), q)


def program_of(p: Distribution, prompt: ArrayLike | None) -> Program:
    """The dynamic program of the sites that a prompt leaves to write."""
    rest, sites = left_to_write(p, prompt)
    return Program(rest, None if prompt is None else sites)


def cost_of(q: OutputDistribution) -> tuple[float, float]:
    """Expected rounds and the divergence that an output distribution is to be judged by."""
    rounds, kl = float(q.expected_rounds_on_data), float(q.path_kl)
    return (
        float(q.expected_rounds) if math.isnan(rounds) else rounds,
        float(q.kl) if math.isnan(kl) else kl,
    )


def regret_of(program: Program, q: OutputDistribution) -> float:
    """`regret` of what a decoder writes; rounding below 0 is clipped for those that compete."""
    rounds, kl = cost_of(q)
    above = _above_hull(program, rounds, kl)
    return above if q.data_rounds is None else max(above, 0.0)


def _above_hull(program: Program, rounds: float, kl: float) -> float:
    """``kl`` above the lower convex hull at `rounds`, looking only at the corners around it."""
    first, last = program.solve(0.0), program.solve(math.inf)
    if rounds >= last.rounds or first.rounds >= last.rounds:
        return kl
    left, right = _edge(program, first, last, lambda point: point.rounds <= rounds)
    return kl - _on_line(left, right, rounds)


def _edge(
    program: Program, left: Point, right: Point, keeps_left: Callable[[Point], bool]
) -> tuple[Point, Point]:
    """The ends of one edge of the hull, looking only at the corners around it."""
    while (between := _below(program, left, right)) is not None:
        left, right = (between, right) if keeps_left(between) else (left, between)
    return left, right


def _fewest_rounds(program: Program, target: float) -> list[Point]:
    """Where the hull comes down to the target: a corner, or the ends of an edge with shares."""
    first, last = program.solve(0.0), program.solve(math.inf)
    if first.rounds >= last.rounds:
        return [last]
    if float(first.kl) <= target:
        return [first]
    if target <= float(last.kl):
        return [last]
    left, right = _edge(program, first, last, lambda point: float(point.kl) > target)
    share = (float(left.kl) - target) / (float(left.kl) - float(right.kl))
    if share >= 1:
        return [right]
    return [dataclasses.replace(left, share=1 - share), dataclasses.replace(right, share=share)]


def _on_line(left: Point, right: Point, rounds: float) -> float:
    """The KL of the line through two points, at so many rounds."""
    share = (rounds - float(left.rounds)) / (float(right.rounds) - float(left.rounds))
    return (1 - share) * float(left.kl) + share * float(right.kl)


def frontier_of(program: Program) -> list[Point]:
    """All corners of the lower convex hull, between one round and zero divergence."""
    corners = [program.solve(0.0), program.solve(math.inf)]
    if float(corners[0].rounds) == float(corners[1].rounds):
        return corners[1:]
    k = 0
    while k + 1 < len(corners):
        between = _below(program, corners[k], corners[k + 1])
        if between is None:
            k += 1
        else:
            corners.insert(k + 1, between)
    return _without_collinear(corners)


def _without_collinear(points: list[Point]) -> list[Point]:
    """Leave out points on the line between their neighbours, which rounding may have added."""
    kept = points[:1]
    for point, following in itertools.pairwise(points[1:]):
        line = _on_line(kept[-1], following, float(point.rounds))
        if line - float(point.kl) > COLLINEAR:
            kept.append(point)
    return [*kept, *points[1:][-1:]]


def _below(program: Program, left: Point, right: Point) -> Point | None:
    """A corner below the line through two points, if there is one."""
    fall = float(left.kl) - float(right.kl)
    rise = float(right.rounds) - float(left.rounds)
    if fall <= 0 or rise <= 0:
        return None
    multiplier = rise / fall
    point = program.solve(multiplier)
    line = float(left.rounds) + multiplier * float(left.kl)
    value = float(point.rounds) + multiplier * float(point.kl)
    return point if value < line * (1 - COLLINEAR) else None


def _as_multiplier(value: Any) -> float:
    real = isinstance(value, (int, float, Fraction, np.integer, np.floating))
    if real and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise InvalidInput(f"multipliers must be numbers from 0 to inf, got {value!r}")
