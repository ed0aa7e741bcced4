"""A sampler on trial: whether it writes what it is expected to.

Exactly, where all of its random choices can be enumerated; else by a G-test on draws.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sims.conformance.drawing import Draws, draw
from sims.conformance.exact import exact_distribution
from sims.conformance.expected import Expected
from sims.conformance.g_test import Noise, g_test
from sims.conformance.oracle import answering
from sims.conformance.reading import reads_observed
from sims.conformance.replay import NotEnumerable
from sims.conformance.ties import Ties, find_ties, untied
from sims.conformance.verdict import Case, Verdict
from sims.policies.observed_sites import OBSERVED
from theory._core.arrays import to_host
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.validation.arguments import as_integer, as_real

__all__ = ["TOLERANCE", "check"]

TOLERANCE = 1e-5
"""TV that is taken for rounding."""

SURE = 10_000
"""With more paths some hundred sequences decide whether predictions at observed sites are read."""

FLOAT32 = 1e-7
"""Probabilities that differ by no more may do so by rounding."""

CASES = 5
"""The most that are tested in one verdict: as it is, three conventions, without ties."""


def check(
    sampler: Callable[..., Any],
    p: Distribution,
    against: Any = None,
    *,
    draws: int = 40_000,
    alpha: float = 1e-3,
    paths: int = 100_000,
    tolerance: float = TOLERANCE,
    batch: int | None = None,
    rng: np.random.Generator | None = None,
    extras: bool = True,
    prompt: Any = None,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
    **settings: Any,
) -> Verdict:
    """Compare what a sampler writes with what it is expected to write.

    Parameters
    ----------
    sampler : callable
        From n to tokens (n, L), in which torch or nothing is random; or from n and a
        `numpy.random.Generator` to such tokens. The model that it calls is an `Oracle` or a
        `TorchOracle` of `p`. Tokens may have a prompt in front, (n, prompt + L).
    p : Distribution
    against : optional
        What is expected: a decoder as `output_distribution` takes it, a distribution, an
        `OutputDistribution`, or a table of shape (V,)*L. The data `p` themselves if not given.
    draws : int
        Sequences to draw, if the choices of the sampler cannot be enumerated. With 40,000 of a
        few dozen cells a TV of 0.02 is always found, and 0.01 may be noise.
    alpha : float
        Level of the test: the chance that anything in the verdict about a right sampler is called
        a disagreement is at most `alpha`, and some millionths.
    paths : int
        Paths to enumerate; with 0 the sampler is drawn from in any case.
    tolerance : float
        TV of an enumeration that is taken for rounding. Samplers in float64 differ by 1e-15, in
        float32 by 1e-8, and those that add a small number before they take a logarithm by up to
        5e-6 [code run]; in bfloat16 by 4e-4 [code run], for which 1e-5 is too strict.
    batch : int, optional
        Sequences to ask for at once. If not given, many, or one of a sampler that takes no more.
    rng : numpy.random.Generator, optional
        For what has to be drawn.
    extras : bool
        Try as well, unless the sampler calls no oracle: the other conventions for predictions at
        observed sites, if these are read; and, where `p` has ties, a distribution nearby without
        them. That costs up to four times as much. Whether they are read is found by enumeration
        under each convention of up to 10,000 paths; else by some hundred sequences, so that one
        which reads them once in a thousand times may be said not to.
    prompt, **settings
        `temperature`, `denoiser` and `observed` for a policy, as for `output_distribution`; the
        prompt for the data, too.
    progress : callable
        Wraps the sizes of batches that are drawn.

    Returns
    -------
    Verdict
        True if the sampler agrees.

    Raises
    ------
    InvalidInput
        If the sampler returns anything but integers of shape (n, L) or (n, prompt + L), or if it
        has to be drawn from and `rng` is missing.

    Notes
    -----
    Enumeration takes random numbers for what they stand for: a Gumbel variable in float32 or
    bfloat16 for one in the reals. What is lost by precision shows in draws alone (``paths=0``).

    The test takes draws for independent. If sequences of a batch share random numbers, say one
    order of the sites, ask for them one at a time, ``batch=1``, where they have to be drawn.

    Examples
    --------
    >>> from sims.conformance import Oracle
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1)                  # two equal bits, both of them fair
    >>> model = Oracle(p)
    >>> def at_once(n, rng):
    ...     logits = model(np.full((n, 2), 2)).logits[..., :2]
    ...     return (logits + rng.gumbel(size=logits.shape)).argmax(-1)
    >>> check(at_once, p, extras=False)               # of four strings, two are no data
    <Verdict: disagrees, exact, 4 paths: TV 0.5>
    """
    draws, paths = as_integer(draws, "draws", 1), as_integer(paths, "paths", 0)
    alpha = as_real(alpha, "alpha", 0, 0.5, ends=False)
    tolerance = as_real(tolerance, "tolerance", 0, 1)
    expected = Expected(p, against, prompt=prompt, **settings)
    trial = _Trial(sampler, draws, alpha, paths, tolerance, batch, rng, progress)
    first = trial.run(p, expected)
    others: dict[str, _Result] = {}
    reads, near = None, None
    ties = find_ties(p) if extras else None
    if extras and first.calls:
        others, reads = trial.conventions(first, p, expected)
        if ties is not None and ties.tied and (nearby := untied(p)) is not None:
            near = trial.elsewhere(first, nearby, expected)
    return _verdict(p, expected, trial, first, others, reads, ties, near)


class _Result(NamedTuple):
    """What a sampler wrote in one setting, and how that compares."""

    written: np.ndarray
    outside: float
    missing: float
    calls: float
    paths: int | None
    draws: Draws | None
    tv: float
    p_value: float | None
    noise: Noise | None


class _Trial:
    """A sampler, and how it is put on trial in each setting."""

    def __init__(
        self,
        sampler: Callable[..., Any],
        draws: int,
        alpha: float,
        paths: int,
        tolerance: float,
        batch: int | None,
        rng: np.random.Generator | None,
        progress: Callable[[Sequence[int]], Iterable[int]],
    ) -> None:
        self.sampler, self.draws, self.alpha = sampler, draws, alpha
        self.paths, self.tolerance, self.batch = paths, tolerance, batch
        self.rng, self.progress = rng, progress
        self.why_drawn = None if paths else "paths=0 asks for that"
        # Each setting has the same random numbers, and the test has others.
        self.same = None if rng is None else rng.spawn(1)[0]

    def run(self, p: Distribution, expected: Expected) -> _Result:
        """Enumerated if that can be and decides, else drawn."""
        if self.why_drawn is None:
            try:
                result = self._enumerated(p, expected)
            except NotEnumerable as error:
                self.why_drawn = str(error)
            except Exception as error:  # of any kind: it is code of others
                if self.same is None:
                    raise
                self.why_drawn = f"its enumeration ended in {type(error).__name__}: {error}"
            else:
                if self._decides(result):
                    return result
                self.why_drawn = (
                    f"{result.paths:,} paths leave out {result.missing:.2g} of the mass, which "
                    "might decide"
                )
        return self._drawn(expected, self._draw(expected.shape, self.draws))

    def again(self, first: _Result, p: Distribution, expected: Expected) -> _Result | None:
        """In another setting as in the first; None for what could be enumerated only there."""
        if first.draws is None:
            try:
                result = self._enumerated(p, expected)
            except NotEnumerable:
                return None
            if self._decides(result):
                return result
            if self.same is None:
                return None
        return self._drawn(expected, self._draw(expected.shape, self.draws))

    def _decides(self, result: _Result) -> bool:
        """Whether TV is known to be above the tolerance, or known not to be."""
        return result.tv > self.tolerance or result.tv + result.missing <= self.tolerance

    def conventions(
        self, first: _Result, p: Distribution, expected: Expected
    ) -> tuple[dict[str, _Result], bool | None]:
        """Under each convention for predictions at observed sites; and whether they are read."""
        reads = self._reads(first, p)
        if reads is None:
            return {}, None
        if not reads and not self._reads_rarely(first, p, expected):
            return dict.fromkeys(OBSERVED, first), False
        results: dict[str, _Result] = {}
        for convention in OBSERVED:
            with answering(observed=convention):
                result = self.again(first, p, expected)
            if result is not None:
                results[convention] = result
        return results, True

    def _reads(self, first: _Result, p: Distribution) -> bool | None:
        """Whether another convention changes what is written with the same random numbers.

        None if it has others each time, or takes no other convention.
        """
        try:
            if first.draws is None:
                return reads_observed(self.sampler, p.length, self.batch)
            changed = False
            for convention in OBSERVED:
                with answering(observed=convention):
                    changed |= not self._repeats(first.draws)
        except Exception:  # of any kind: it is code of others
            return None
        return None if changed and not self._repeats(first.draws) else changed

    def _reads_rarely(self, first: _Result, p: Distribution, expected: Expected) -> bool:
        """Whether enumerations of few paths under each convention find more of any sequence."""
        if first.paths is None or first.missing or first.paths > SURE:
            return False
        for convention in OBSERVED:
            with answering(observed=convention):
                try:
                    other = self._enumerated(p, expected, min(self.paths, SURE))
                except Exception:  # of any kind: it is code of others
                    continue
            if (other.written - first.written > FLOAT32).any():
                return True
        return False

    def elsewhere(self, first: _Result, p: Distribution, expected: Expected) -> _Result | None:
        """On another distribution, if what is expected there is known."""
        moved = expected.on(p)
        if moved is None:
            return None
        with answering(p=p):
            return self.again(first, p, moved)

    def _draw(self, shape: tuple[int, ...], size: int) -> Draws:
        if self.same is None:
            raise InvalidInput(
                f"the sampler has to be drawn from, and rng is missing: {self.why_drawn}"
            )
        return draw(self.sampler, shape, size, self.same, self.batch, self.progress)

    def _repeats(self, first: Draws) -> bool:
        """Whether it writes the same again, with the same random numbers."""
        again = self._draw(first.counts.shape, len(first.first))
        return np.array_equal(again.first, first.first)

    def _enumerated(self, p: Distribution, expected: Expected, paths: int | None = None) -> _Result:
        q: Any = exact_distribution(self.sampler, p, paths=paths or self.paths, batch=self.batch)
        written, outside = to_host(q.table).astype(np.float64), float(q.outside)
        # What is too much is a lower bound of TV; with what is missing added, an upper one.
        above = np.maximum(written - expected.table, 0).sum() + max(outside - expected.outside, 0)
        return _Result(
            written,
            outside,
            float(q.missing),
            float(q.expected_rounds),
            int(q.paths),
            None,
            float(above),
            None,
            None,
        )

    def _drawn(self, expected: Expected, found: Draws) -> _Result:
        assert self.rng is not None
        counts = np.append(found.counts.reshape(-1), found.outside)
        stated = np.append(expected.table.reshape(-1), expected.outside)
        test = g_test(counts, stated, self.alpha / CASES, self.rng)
        tv = float(np.abs(counts / self.draws - stated).sum()) / 2
        return _Result(
            found.counts / self.draws,
            found.outside / self.draws,
            0.0,
            found.calls,
            None,
            found,
            tv,
            test.p_value,
            test.noise,
        )


def _holm(p_values: Sequence[float]) -> list[float]:
    """P-values of several hypotheses, adjusted so that they may all be compared with one level.

    [source: Holm 1979, A simple sequentially rejective multiple test procedure]

    >>> _holm([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.04]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = largest
    return adjusted


def _verdict(
    p: Distribution,
    expected: Expected,
    trial: _Trial,
    first: _Result,
    others: Mapping[str, _Result],
    reads: bool | None,
    ties: Ties | None,
    near: _Result | None,
) -> Verdict:
    results = [first, *(r for r in others.values() if r is not first), *([near] if near else [])]
    tested = [result.p_value for result in results if result.p_value is not None]
    adjusted = iter(_holm(tested))
    cases = {}
    for result in results:
        chance = None if result.p_value is None else next(adjusted)
        agrees = (
            result.tv + result.missing <= trial.tolerance
            if chance is None
            else chance > trial.alpha
        )
        cases[id(result)] = Case(agrees, result.tv, chance)
    agrees, tv, p_value = cases[id(first)]
    return Verdict(
        p=p,
        against=expected.name,
        written=first.written,
        expected=expected.table,
        agrees=agrees,
        exact=first.draws is None,
        tv=tv,
        p_value=p_value,
        noise=first.noise,
        outside=first.outside,
        missing=first.missing,
        calls=first.calls,
        paths=first.paths,
        draws=None if first.draws is None else trial.draws,
        why_drawn=None if first.draws is None else trial.why_drawn,
        conventions={name: cases[id(result)] for name, result in others.items()},
        reads_observed=reads,
        ties=ties,
        untied=None if near is None else cases[id(near)],
        alpha=trial.alpha,
        tolerance=trial.tolerance,
    )
