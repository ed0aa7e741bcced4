"""Divergence, rounds and regret of many decoders on one distribution."""

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sims import policies
from sims.chains.dispatch import on_chain
from sims.decoding.arguments import as_decoder, as_run, with_prompt
from sims.decoding.exact import output_distribution
from sims.decoding.monte_carlo import decode
from sims.decoding.sampling import Temperature
from sims.optimal.dynamic_program import Point
from sims.optimal.frontier import cost_of, frontier_of, program_of, regret_of
from sims.policies import Decoder
from sims.policies.base import Select
from theory import information, schedules
from theory._core.arrays import array_namespace, within_memory
from theory._core.plurals import counted
from theory._core.types import ArrayLike
from theory.distributions import MarkovChain
from theory.distributions.base import Distribution
from theory.errors import InvalidInput, TooLarge, ZerolossError
from theory.lattice.lattice import require_lattice
from theory.loss.forward import Denoiser

__all__ = ["KINDS", "Comparison", "Row", "compare", "kind_of", "too_large", "usual_decoders"]

MAX_PAIRS = 2 * 10**7
"""The best possible decoder is looked for up to this number of pairs of a context and a set."""

MAX_STEPS = 2 * 10**7
"""Decoders that are long to compute join the usual ones up to this much work."""

MAX_PATTERNS = 10**6
"""What the other rule for ties would do is looked for up to this number of patterns."""


@dataclass(frozen=True)
class Row:
    """One decoder; divergences in nats.

    Attributes
    ----------
    decoder : str
    rounds : float
        Expected calls of the denoiser on the data, or under the decoder where that is all that
        is defined.
    kl, path_kl, reverse_kl, tv, valid_mass : float
        As in `OutputDistribution`.
    regret : float or None
        Divergence above that of the best decoder with as many rounds; None if it is not known.
    kind : str
        See `kind_of`.
    examples : tuple of str
    ties : float or None
        Total variation between what is written and what would be if ties of scores went to the
        highest index; None if the decoder does not take them to the lowest, or it is not known.
    """

    decoder: str
    rounds: float
    kl: float
    path_kl: float
    reverse_kl: float
    tv: float
    valid_mass: float
    regret: float | None
    kind: str
    examples: tuple[str, ...]
    ties: float | None = None

    @property
    def judged(self) -> float:
        """The divergence that the decoder is judged by: path KL or, without a path, KL."""
        return self.kl if math.isnan(self.path_kl) else self.path_kl


@dataclass(frozen=True)
class Comparison:
    """All rows, and what is best.

    Attributes
    ----------
    rows : list of Row
    serial : Point or None
        The best lossless policy; None if it was too large to be looked for.
    corners : list of Point or None
        Corners of the optimal (rounds, KL), if they were asked for.
    left_out : dict
        Decoders that were too large, and why.
    masked : int
        How many sites each of them writes.

    >>> Comparison([], None, None, {"TopK(1)": "too large"}, 9)
    <Comparison of 0 decoders on 9 sites, 1 left out>
    """

    rows: list[Row]
    serial: Point | None
    corners: list[Point] | None
    left_out: dict[str, str]
    masked: int

    def __repr__(self) -> str:
        decoders, sites = counted(len(self.rows), "decoder"), counted(self.masked, "site")
        return f"<Comparison of {decoders} on {sites}, {len(self.left_out)} left out>"


KINDS = ("fixed or random places", "scores of places", "drawn tokens", "takes tokens back")
"""What a decoder goes by when it chooses. The best possible one competes with the first two."""


def kind_of(decoder: Decoder) -> str:
    """What a decoder goes by when it chooses, one of `KINDS`.

    >>> kind_of(policies.Bisection()), kind_of(policies.TokenConfidence(1))
    ('fixed or random places', 'drawn tokens')
    """
    if decoder.remasks:
        return KINDS[3]
    return {"nothing": KINDS[0], "drawn tokens": KINDS[2]}.get(decoder.depends_on, KINDS[1])


def usual_decoders(p: Distribution) -> list[Decoder]:
    """Every decoder of the package at settings that fit a distribution.

    Those whose exact computation would take long there are left out (see `too_large`), and so are
    those that need something of the user's: a rule, a table, a joint, an order, a policy to be
    mirrored, a schedule to mask again, a convention for predictions at written sites, and
    `DrawThenKeep`, but for its plain case `TokenConfidence`. Of a chain that is too long for a
    table, some that go gap by gap.

    Raises
    ------
    TooLarge
        If the evidence lattice would not fit, which every exact computation but that of a chain
        needs.
    """
    if isinstance(p, MarkovChain) and not _has_lattice(p):
        return _in_gaps()
    require_lattice(p.vocab, p.length, p.like)  # all of them need it, and the profile takes long
    length, pair = p.length, min(2, p.length)
    chosen: list[Decoder] = [
        policies.RandomOrder((length,)),
        policies.RandomOrder(schedules.uniform(length, pair)),
        policies.RandomOrder(schedules.optimal(information.profile(p), pair)),
        policies.FirstHitting(),
        *(policies.LeftToRight(k) for k in (1, pair)),
        policies.Bisection(),
        policies.TopK(1),
        *(policies.TopK(pair, score) for score in ("confidence", "margin", "entropy")),
        *(policies.TokenConfidence(k) for k in (1, pair)),
        *(policies.Threshold(gamma) for gamma in (0.9, 0.5)),
        policies.Factor(1.0),
        *(policies.EntropyBounded(gamma) for gamma in (0.1, 1.0)),
    ]
    if length > 2:
        chosen.append(policies.Blocks((length + 1) // 2, policies.TopK(pair)))
    chosen += [decoder for decoder, steps in _long_ones(p) if steps <= MAX_STEPS]
    chosen.append(policies.Speculative())
    return list({repr(decoder): decoder for decoder in chosen}.values())  # each once


def _in_gaps() -> list[Decoder]:
    return [
        *(policies.LeftToRight(k) for k in (1, 2, 4)),
        policies.Bisection(),
        policies.Bernoulli([Fraction(k, 4) for k in range(5)]),
        *(policies.Threshold(gamma) for gamma in (0.9, 0.5)),
    ]


def _has_lattice(p: Distribution) -> bool:
    try:
        require_lattice(p.vocab, p.length, p.like)
    except TooLarge:
        return False
    return True


def too_large(p: Distribution) -> dict[str, str]:
    """Decoders that `usual_decoders` leaves out on a distribution, and why.

    >>> from theory import gallery
    >>> list(too_large(gallery.parity(3))), list(too_large(gallery.parity(9)))
    ([], ['Remask((0, 1/4, 1/2, 3/4, 1), 1/2)'])
    """
    if not _has_lattice(p):
        return {}
    return {
        repr(decoder): f"its exact computation takes about {steps:.1e} steps; ask for it by name"
        for decoder, steps in _long_ones(p)
        if steps > MAX_STEPS
    }


def _long_ones(p: Distribution) -> list[tuple[Decoder, int]]:
    """Decoders that draw each site by itself or correct several times, and how much work."""
    length, vocab = p.length, p.vocab
    quarters = [Fraction(k, 4) for k in range(5)]
    first = policies.RandomOrder((length,))
    steps = length * vocab**length
    return [
        (policies.Bernoulli(quarters), (2 * vocab + 1) ** length),
        (policies.Remask(quarters, 0.5), (3 * vocab + 1) ** length),
        (policies.GibbsCorrector(first, length), steps),
        (policies.BlockCorrector(first, min(2, length), length), steps),
        (policies.InformedCorrector(first, length), steps * length * vocab),
    ]


@within_memory("a comparison")
def compare(
    p: Distribution,
    decoders: Iterable[Decoder | Select],
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    prompt: ArrayLike | None = None,
    examples: int = 0,
    rng: np.random.Generator | None = None,
    corners: bool = False,
    progress: Callable[[list[Decoder]], Iterable[Decoder]] = iter,
) -> Comparison:
    """Compute what each decoder writes, and how far it is from the best possible one.

    Parameters
    ----------
    p : Distribution
    decoders : iterable
        As `output_distribution` takes them.
    temperature, denoiser, prompt
        For all of them. The best possible decoder has the zero-loss denoiser at temperature 1, and
        so do decoders of a chain that is too long for a table, which `sims.on_chain` follows.
    examples : int
        Strings to draw from each output distribution, with `rng`.
    rng : numpy.random.Generator, optional
    corners : bool
        Find the corners of the optimum, too, which takes a while.
    progress : callable
        Wraps the iteration over decoders.

    Examples
    --------
    >>> from theory import gallery
    >>> rows = compare(gallery.permutations(3), [policies.LeftToRight(3)]).rows
    >>> round(rows[0].valid_mass, 12), round(rows[0].regret, 12)
    (0.222222222222, 0.0)
    """
    every: list[Any] = [as_decoder(d) for d in decoders]
    data, given = with_prompt(p, (), prompt)
    for decoder in every:
        as_run(data, decoder, temperature, given, None)
    masked = p.length - len(given)
    program = program_of(p, prompt) if (p.vocab + 2) ** masked <= MAX_PAIRS else None
    rows = []
    if examples and rng is None:
        raise InvalidInput("examples are drawn with rng, which is missing")
    left_out: dict[str, str] = {}
    for decoder in progress(every):
        try:
            q = output_distribution(data, decoder, temperature, denoiser, observed=given)
        except TooLarge as error:
            row = None
            if isinstance(p, MarkovChain) and temperature == 1 and denoiser is None:
                row = _by_gaps(p, decoder, prompt, examples, rng)
            if row is None:
                left_out[repr(decoder)] = str(error)
            else:
                rows.append(row)
            continue
        rounds, _ = cost_of(q)
        ties, other = None, _with_ties_to_the_highest(decoder)
        if other is not None and (p.vocab + 1) ** masked <= MAX_PATTERNS:
            apart = output_distribution(data, other, temperature, denoiser, observed=given).table
            ties = float(array_namespace(apart).sum(abs(q.table - apart))) / 2
        drawn = None if rng is None or not examples else q.sample(rng, examples)
        rows.append(
            Row(
                decoder=repr(decoder),
                rounds=rounds,
                kl=float(q.kl),
                path_kl=float(q.path_kl),
                reverse_kl=float(q.reverse_kl),
                tv=float(q.tv),
                valid_mass=float(q.valid_mass),
                regret=None if program is None else regret_of(program, q),
                kind=kind_of(decoder),
                examples=() if drawn is None else tuple(p.spell(drawn)),
                ties=ties,
            )
        )
    if left_out and not rows:
        raise TooLarge(next(iter(left_out.values())))
    return Comparison(
        rows,
        None if program is None else program.solve(math.inf),
        frontier_of(program) if program is not None and corners else None,
        left_out,
        masked,
    )


def _by_gaps(
    p: MarkovChain,
    decoder: Decoder,
    prompt: ArrayLike | None,
    examples: int,
    rng: np.random.Generator | None,
) -> Row | None:
    """The row of a decoder on a chain that is too long for a table; None if it needs one.

    KL, reverse KL and TV are not known.
    """
    try:
        found = on_chain(p, decoder, prompt=prompt)
        row = Row(
            decoder=repr(decoder),
            rounds=float(found.expected_rounds_on_data),
            kl=math.nan,
            path_kl=float(found.path_kl),
            reverse_kl=math.nan,
            tv=math.nan,
            valid_mass=float(found.valid_mass),
            regret=None,
            kind=kind_of(decoder),
            examples=(),
        )
    except ZerolossError:
        return None
    if rng is None or not examples:
        return row
    drawn = decode(p, decoder, rng, examples, prompt=prompt, progress=False).tokens
    return dataclasses.replace(row, examples=tuple(p.spell(drawn)))


def _with_ties_to_the_highest(decoder: Any) -> Decoder | None:
    """The same decoder with another rule for ties of scores, if it takes them to the lowest index.

    >>> _with_ties_to_the_highest(policies.TopK(2, "margin"))
    TopK(2, 'margin', ties='highest')
    """
    if getattr(decoder, "ties", None) != "lowest":
        return None
    names = inspect.signature(type(decoder)).parameters
    return type(decoder)(**{name: getattr(decoder, name) for name in names} | {"ties": "highest"})
