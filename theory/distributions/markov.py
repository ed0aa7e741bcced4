"""A homogeneous Markov chain of any length.

Given the nearest observed tokens, ``l`` at distance ``a`` on the left and ``r`` at distance ``b``
on the right, the prediction at a masked site is the bridge

    p(x_i = v | l, r)  =  P^a(l, v) P^b(v, r) / P^(a+b)(l, r)

so a batch of arbitrary masks is one gather in the powers of the transition matrix. Where gaps
are so long that the powers would not fit, messages are passed site by site instead.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory._core.arrays import (
    MASK,
    array_namespace,
    device,
    from_host,
    log,
    to_host,
    within_memory,
    xlogx,
)
from theory._core.segments import gather, scatter
from theory._core.types import Array, ArrayLike, Number
from theory._markov.forward_backward import UNDERFLOW_TOL, Smoothed, forward_backward, recomputed
from theory._markov.powers import ConvergedPowers, converged_powers
from theory._markov.random_subsets import (
    first_site_probabilities,
    neighbour_probabilities,
    over_first_sites,
    over_pairs,
)
from theory.distributions.base import Distribution
from theory.distributions.fitted import fitted_chain
from theory.distributions.neighbours import Neighbours, nearest_observed
from theory.distributions.sampling import as_floats, check_draw, draw_states, draw_tokens
from theory.lattice.lattice import quotient
from theory.validation.arguments import as_integer
from theory.validation.probabilities import as_chain

__all__ = ["MarkovChain"]

POWERS_SIZE = 2**23
"""Powers of the transition matrix are tabulated up to this many numbers (64 MiB)."""


class MarkovChain(Distribution):
    """A homogeneous first-order chain.

    Parameters
    ----------
    initial : array_like, shape (V,)
        Distribution of the first token.
    transition : array_like, shape (V, V)
        Row ``a`` is the distribution of the token after ``a``.
    length : int
    exact : bool
        Keep integers, Fractions or SymPy expressions exact.
    symbols : sequence of str, optional

    Raises
    ------
    InvalidInput
        If shapes disagree or a row does not sum to 1.

    Examples
    --------
    A bit that flips with probability 1/4. Two steps after a 0 it is 0 with probability
    ``9/16 + 1/16``; between two zeros, with probability ``9/10``:

    >>> from theory import MASK
    >>> p = MarkovChain([0.5, 0.5], [[0.75, 0.25], [0.25, 0.75]], length=3)
    >>> p.denoise([0, MASK, MASK])[2]
    array([0.625, 0.375])
    >>> p.denoise([0, MASK, 0])[1]
    array([0.9, 0.1])
    """

    @within_memory("a chain")
    def __init__(
        self,
        initial: ArrayLike,
        transition: ArrayLike,
        length: int,
        exact: bool = False,
        symbols: Sequence[str] | None = None,
    ) -> None:
        self.initial, self.transition = as_chain(initial, transition, "tokens", exact=exact)
        self.exact = exact
        self._describe(as_integer(length, "length", 1), self.initial.shape[0], symbols)
        self._tabulated = -1
        self._rows: Any = None
        self._columns: Any = None
        self._over_gaps: dict[int, Array] = {}

    @classmethod
    @within_memory("a chain")
    def fit(
        cls,
        sequences: Any,
        *,
        smoothing: float = 0,
        length: int | None = None,
        vocab: int | None = None,
        symbols: Iterable[str] | None = None,
    ) -> "MarkovChain":
        """The homogeneous chain of the counts of neighbours and of first tokens.

        Parameters
        ----------
        sequences : array_like of int, shape (N, L), or list of str, of lists of int or of words
        smoothing : float
            Added to every count; 0 gives the chain under which the sequences are likeliest.
        length : int, optional
            That of the sequences if not given. If they differ, it has to be.
        vocab : int, optional
            One more than the largest token, or the number of symbols, if not given.
        symbols : sequence of str, optional
            Of strings, if not given, all that occur, in sorted order.

        Raises
        ------
        InvalidInput
            Also where a token is never followed by another and `smoothing` is 0.

        >>> p = MarkovChain.fit(["aab", "bab"])          # a a, a b, b a, a b
        >>> p.transition[0].round(4).tolist(), p.symbols
        ([0.3333, 0.6667], ('a', 'b'))
        """
        found = fitted_chain(sequences, smoothing, length, vocab, symbols)
        return cls(found.initial, found.transition, found.length, symbols=found.symbols)

    @property
    def like(self) -> Array:
        return self.transition

    # ---- prediction ---------------------------------------------------------------------

    def _predict(self, x: Array) -> tuple[Array, Array]:
        xp, near = array_namespace(x), nearest_observed(x)
        if not self._tabulate(near):
            smoothed = forward_backward(self.initial, self.transition, self._likelihood(x))
            return smoothed.posterior, xp.isfinite(smoothed.log_evidence)
        (masked,) = xp.nonzero(xp.reshape(x, (-1,)) == MASK)
        left, count = self._left(x, near), x.shape[0] * x.shape[1]
        past = xp.take(self._rows, xp.take(xp.reshape(left, (-1,)), masked), axis=0)
        right = xp.reshape(self._right(x, near), (-1,))
        weights = past * xp.take(self._columns, xp.take(right, masked), axis=0)
        total = xp.sum(weights, axis=-1)
        predictions = scatter(masked, quotient(weights, total[..., None]), count)
        predictions = xp.reshape(predictions, (*x.shape, self.vocab))
        factors = self._gathered(x, left)
        if self.exact:
            return predictions, xp.all(factors != 0, axis=1)
        # see `forward_backward`: below it, what was lost to underflow may be all there is
        little = xp.reshape(scatter(masked, total < UNDERFLOW_TOL, count), x.shape)
        doubtful = xp.any((factors < UNDERFLOW_TOL) | little, axis=1)
        smoothed = Smoothed(predictions, xp.sum(log(factors), axis=1))
        smoothed = self._again(smoothed, doubtful, x)
        return smoothed.posterior, xp.isfinite(smoothed.log_evidence)

    def _evidence(self, x: Array) -> Array:
        if not self.exact:
            return super()._evidence(x)
        near = nearest_observed(x)
        self._tabulate(near)
        return self._gathered(x, self._left(x, near)).prod(axis=1)

    def _log_evidence(self, x: Array) -> Array:
        if self.exact:
            return log(self._evidence(x))
        near = nearest_observed(x)
        if not self._tabulate(near):
            return forward_backward(self.initial, self.transition, self._likelihood(x)).log_evidence
        xp = array_namespace(x)
        factors = self._gathered(x, self._left(x, near))
        doubtful = xp.any(factors < UNDERFLOW_TOL, axis=1)
        no_posterior = factors[:, :, None]
        smoothed = Smoothed(no_posterior, xp.sum(log(factors), axis=1))
        return self._again(smoothed, doubtful, x).log_evidence

    def _again(self, smoothed: Smoothed, doubtful: Array, x: Array) -> Smoothed:
        """Compute the doubtful rows again, in logarithms."""
        xp = array_namespace(x)
        if not bool(xp.any(doubtful)):
            return smoothed
        likelihood = self._likelihood(x)
        return recomputed(smoothed, doubtful, self.initial, self.transition, likelihood)

    def _gathered(self, x: Array, left: Array) -> Array:
        """Probability of each observed token given those on its left, 1 where masked."""
        xp, masked = array_namespace(x), x == MASK
        index = left * self.vocab + xp.where(masked, xp.zeros_like(x), x)
        found = gather(xp.reshape(self._rows, (-1,)), index)
        return xp.where(masked, xp.ones_like(found), found)

    def _likelihood(self, x: Array) -> Array:
        """1 for each token that agrees with the pattern, else 0, shape (B, L, V)."""
        xp = array_namespace(x)
        tokens = xp.arange(self.vocab, dtype=xp.int64, device=device(x))
        agrees = (x[..., None] == tokens) | (x[..., None] == MASK)
        return xp.astype(agrees, self.transition.dtype)

    # ---- the table of powers ------------------------------------------------------------

    def _left(self, x: Array, near: Neighbours, site: Array | None = None) -> Array:
        """Row of `_rows` that holds p(x_i | nearest observed token on the left)."""
        xp, nearest = array_namespace(x), near.left
        if site is None:
            site = xp.arange(self.length, dtype=xp.int64, device=device(x))
        inside = xp.where(nearest < 0, xp.zeros_like(nearest), nearest)
        token = xp.take_along_axis(x, inside, axis=1)
        conditioned = self.length + (site - nearest) * self.vocab + token
        return xp.where(nearest < 0, site, conditioned)

    def _right(self, x: Array, near: Neighbours, site: Array | None = None) -> Array:
        """Row of `_columns` that holds p(nearest observed token on the right | x_i)."""
        xp, nearest = array_namespace(x), near.right
        if site is None:
            site = xp.arange(self.length, dtype=xp.int64, device=device(x))
        none = nearest >= self.length
        token = xp.take_along_axis(x, xp.where(none, xp.zeros_like(nearest), nearest), axis=1)
        conditioned = 1 + (nearest - site) * self.vocab + token
        return xp.where(none, xp.zeros_like(nearest), conditioned)

    def _tabulate(self, near: Neighbours) -> bool:
        """Tabulate the powers up to the longest gap; False if they would not fit."""
        gap = near.longest_gap
        if gap <= self._tabulated:
            return True
        if not self.exact and (gap + 1) * self.vocab**2 > POWERS_SIZE:
            return False
        xp = array_namespace(self.transition)
        identity = xp.eye(self.vocab, dtype=self.transition.dtype, device=device(self.transition))
        powers, step = identity[None, ...], self.transition
        while powers.shape[0] <= gap:  # P^0 .. P^(m-1) times P^m gives P^m .. P^(2m-1)
            powers = xp.concat([powers, xp.matmul(powers, step)])
            step = xp.matmul(step, step)
        powers = powers[: max(gap + 1, min(powers.shape[0], POWERS_SIZE // self.vocab**2)), ...]
        marginal, marginals = self.initial, []
        for _ in range(self.length):
            marginals.append(marginal)
            marginal = xp.matmul(marginal[None, :], self.transition)[0, ...]
        flat = (-1, self.vocab)
        self._rows = xp.concat([xp.stack(marginals), xp.reshape(powers, flat)])
        columns = xp.reshape(xp.matrix_transpose(powers), flat)
        if not self.exact:  # a common factor of a column cancels; keep the largest at 1
            top = xp.max(columns, axis=-1, keepdims=True)
            columns = columns / xp.where(top > 0, top, xp.ones_like(top))
        no_evidence = xp.ones((1, self.vocab), dtype=columns.dtype, device=device(columns))
        self._columns = xp.concat([no_evidence, columns])
        self._tabulated = powers.shape[0] - 1
        return True

    def power(self, steps: int) -> Array:
        """Transition matrix over `steps` steps, shape (V, V).

        >>> MarkovChain([0.5, 0.5], [[0.75, 0.25], [0.25, 0.75]], 3).power(2)
        array([[0.625, 0.375],
               [0.375, 0.625]])
        """
        steps = as_integer(steps, "steps", 0)
        xp = array_namespace(self.transition)
        result = xp.eye(self.vocab, dtype=self.transition.dtype, device=device(self.transition))
        square = self.transition
        while steps:
            if steps % 2:
                result = xp.matmul(result, square)
            square = xp.matmul(square, square) if steps > 1 else square
            steps //= 2
        return result

    # ---- samples and entropies ----------------------------------------------------------

    @within_memory("a sample")
    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draw sequences, shape (size, L), site by site."""
        size = check_draw(rng, size)
        initial, transition = as_floats(self.initial), as_floats(self.transition)
        xp = array_namespace(transition)
        tokens = [draw_tokens(rng, xp.broadcast_to(initial[None, :], (size, self.vocab)))]
        for _ in range(self.length - 1):
            tokens.append(draw_tokens(rng, xp.take(transition, tokens[-1], axis=0)))
        return xp.stack(tokens, axis=1)

    def _sample_given(self, rng: np.random.Generator, size: int, pattern: Array) -> Array:
        likelihood = self._likelihood(pattern[None, :])[0, ...]
        chain = (as_floats(part) for part in (self.initial, self.transition, likelihood))
        return draw_states(rng, size, *chain)

    def subset_entropy(self, sites: tuple[int, ...], given: Array | None = None) -> Number:
        """Entropy in nats of a set of sites: a sum over neighbouring sites, no table.

        Given a pattern the chain stays a chain, so ``H(X_S) = sum_k H(X_{s_k} | X_{s_{k-1}})``.
        Each term is the mean entropy of the bridge from ``x_{s_{k-1}}`` to what is observed
        further right; where nothing is, it depends on the gap alone.
        """
        xp = array_namespace(self.like)
        observed = np.zeros(self.length, bool) if given is None else to_host(given) != MASK
        last, futures, marginals = -1, [], self.marginals
        if given is not None and observed.any():
            last, futures = int(np.flatnonzero(observed)[-1]), self._futures(given)
            marginals = self._predict(given[None, :])[0][0, ...]
        entropy, previous = self.initial[0] * 0, -1
        powers: dict[int, Array] = {}
        for site in (s for s in sites if not observed[s]):
            gap = site - previous
            if previous < 0 or observed[previous:site].any():
                entropy = entropy + _entropy(marginals[site, :])
            elif site > last:
                entropy = entropy + xp.sum(marginals[previous, :] * self._over_gap(gap))
            else:
                if gap not in powers:
                    powers[gap] = self.power(gap)
                possible = xp.nonzero(marginals[previous, :] > 0)[0]
                bridges = xp.take(powers[gap], possible, axis=0) * futures[site][None, :]
                total = xp.sum(bridges, axis=1)
                if not self.exact and bool(xp.any(total < UNDERFLOW_TOL)):  # predict them instead
                    here = from_host(np.arange(self.length) == previous, self.like)
                    bridges = self._predict(xp.where(here, possible[:, None], given))[0][:, site, :]
                else:
                    bridges = quotient(bridges, total[:, None])
                weights = xp.take(marginals[previous, :], possible)
                entropy = entropy - xp.sum(weights[:, None] * xlogx(bridges))
            previous = site
        return entropy

    def _over_gap(self, gap: int) -> Array:
        """Entropy of the token so many sites after each token, (V,); computed once."""
        if gap not in self._over_gaps:
            self._over_gaps[gap] = _entropy(self.power(gap))
        return self._over_gaps[gap]

    def _futures(self, given: Array) -> list[Array]:
        """For each site, ``p(what is observed on its right | its token)`` up to a factor, (V,)."""
        xp = array_namespace(self.like)
        tokens = to_host(given)
        last = max(np.flatnonzero(tokens != MASK).tolist(), default=0)
        future = xp.ones_like(self.initial)
        futures = [future] * (self.length - last)
        for token in reversed(tokens[1 : last + 1].tolist()):
            if token == MASK:
                future = xp.matmul(self.transition, future[:, None])[:, 0]
            else:
                future = self.transition[:, token]
            if not self.exact:
                top = xp.max(future)
                future = future / xp.where(top > 0, top, xp.ones_like(top))
            futures.append(future)
        return futures[::-1]

    def sum_of_entropies_without_one(self) -> Number:
        return self.length * self.mean_entropies[self.length - 1]

    def mean_subset_entropies(self) -> Array:
        """Mean entropy in nats of k random sites, k = 0..L: a sum over gaps, no table.

        Time ``O(G V^3 + L V^2 + L log L)``, memory ``O(L V + V^2)``, with G the number of gaps
        whose rows differ, L at most. The entropies of longer gaps are those of shorter ones whose
        rows are within 1e-13 of theirs in total variation (see `theory._markov.powers`): each is
        off by at most 4e-12 nats for 256 tokens, and of the neighbours among k random sites at most
        about ``L / (e G)`` are that far apart. Of exact chains all gaps are computed.
        """
        xp, length = array_namespace(self.like), self.length
        single = _entropy(self.marginals)
        before = xp.cumulative_sum(self.marginals, axis=0)  # of the first 1, 2, ... sites
        if not self.exact:
            known = xp.flip(before[:-1, :], axis=0)  # of the sites that one at each gap follows
            pairs = xp.sum(known * self.gap_entropies(range(1, length)), axis=1)
            means = over_first_sites(to_host(single)) + over_pairs(to_host(pairs))
            return from_host(means, self.transition)
        means: Any = 0
        for i, probability in enumerate(first_site_probabilities(length, Fraction)):
            means = means + probability * single[i]
        step = self.transition
        for gap, probability in enumerate(neighbour_probabilities(length, Fraction), start=1):
            means = means + probability * xp.sum(before[length - gap - 1] * _entropy(step))
            step = xp.matmul(step, self.transition)
        return means

    def _row_entropies(self, steps: int) -> ConvergedPowers:
        """Entropy of every row of the powers 1, 2, ... of the transition matrix, (G, V)."""
        xp = array_namespace(self.like)
        identity = xp.eye(self.vocab, dtype=self.transition.dtype, device=device(self.transition))
        return converged_powers(self.transition, identity, steps, _entropy)

    def gap_entropies(self, gaps: Sequence[int]) -> Array:
        """Entropy in nats of the token `gap` sites after each token, shape (len(gaps), V).

        Where the gaps are far fewer than the longest one, their powers are computed by squaring.

        >>> p = MarkovChain([0.5, 0.5], [[0.5, 0.5], [0, 1]], 9)
        >>> (p.gap_entropies([1, 2])[:, 0] / np.log(2)).round(4).tolist()    # h(1/2) and h(1/4)
        [1.0, 0.8113]
        """
        xp = array_namespace(self.like)
        gaps = [as_integer(gap, "a gap", 1) for gap in gaps]
        if not gaps:
            return xp.zeros((0, self.vocab), dtype=self.transition.dtype, device=device(self.like))
        longest = max(gaps)
        if not self.exact and longest < 2 * len(set(gaps)) * longest.bit_length():
            rows = self._row_entropies(longest)
            entries = from_host(rows.entries(np.asarray(gaps)), self.like)
            return xp.take(rows.values, entries, axis=0)
        return xp.stack([self._over_gap(gap) for gap in gaps])


def _entropy(probabilities: Array) -> Array:
    """Entropies in nats of distributions along the last axis."""
    return -array_namespace(probabilities).sum(xlogx(probabilities), axis=-1)
