"""I-projection: the joint with the predicted marginals that is nearest to a reference.

    r = argmin { KL(r || ref) : r_i = p(x_i | c) for every site i of S }
      = ref(x_S) prod_i g_i(x_i),

found by iterative proportional fitting: the marginals are corrected, site after site, until all
are right [textbook: Csiszar]. The reference knows the data without the context, and only by pairs:

- ``chain``: p(x_{s_1}) prod_j p(x_{s_{j+1}} | x_{s_j}) over consecutive sites of S, without a link
  where a revealed site lies between the two;
- ``pairs``: of the distributions with all pair marginals of p within S, the one of the largest
  entropy (`sims.joints.pairs`).

On a Markov chain the first is exact for every S and c: p(x_S | c) is the reference times a
function of the first and one of the last token of every stretch of S between revealed sites, so it
has the form of r, and r is unique [ours].
"""

import itertools
from typing import Any, Literal

import numpy as np

from sims.joints.base import FromData, conditional, marginal, outer, quotients, scaled
from sims.joints.pairs import most_random
from theory import MASK
from theory._core.arrays import is_exact
from theory._markov.classes import possible
from theory.distributions.base import Distribution
from theory.errors import InvalidInput

__all__ = ["Projection", "Reference"]

Reference = Literal["chain", "pairs"]

MAX_SWEEPS = 1000
"""Fitting stops here at the latest; where r has zeros of its own it converges slowly."""

CLOSE = 1e-13
"""Fitting stops when no marginal is off by more."""

EXACT_SWEEPS = 3
"""So many sweeps in Fractions must do; one does where everything revealed lies on one side."""


class Projection(FromData):
    """The joint nearest to a reference that has the predicted marginals.

    Parameters
    ----------
    p : Distribution
        The data, of which the single and pair marginals are used.
    reference : {"chain", "pairs"}

    Attributes
    ----------
    pairs_off : float
        The largest error of a pair marginal in the references "pairs" that were fitted so far:
        below 1e-13 where the fit has converged. 0.0 for "chain", which is not fitted.

    Notes
    -----
    What the fit has left after 1000 sweeps is corrected by a rounding (Altschuler, Weed and
    Rigollet [memory]), so the marginals are always right up to that of floats. The result is the
    nearest to the reference where the sweeps converge; where it has zeros that neither the
    reference nor the marginals show, they converge like one over their number, and it is off by
    about 1e-3. The fit does not keep the pair marginals of the reference, which are those given
    nothing. Exact distributions are allowed where a few sweeps end with nothing left.

    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(3, 0.1)
    >>> x, sites = np.asarray([[0, MASK, MASK]]), np.asarray([[1, 2]])
    >>> probs = Projection(p).distribution(x, sites, p.denoise(x)[:, 1:])
    >>> probs.round(12).tolist()                                # 0.9 * 0.9, 0.9 * 0.1, ...
    [[0.81, 0.09, 0.01, 0.09]]
    """

    def __init__(self, p: Distribution, reference: Reference = "chain") -> None:
        super().__init__(p)
        if reference not in ("chain", "pairs"):
            raise InvalidInput(f'reference must be "chain" or "pairs", got {reference!r}')
        self.reference = reference
        which = "consecutive sites" if reference == "chain" else "all sites"
        self.knows = f"the pair marginals of {which} of a round, given nothing"
        self.pairs_off = 0.0
        self._references: dict[tuple[int | bool, ...], np.ndarray] = {}

    def __repr__(self) -> str:
        return f"Projection({self.reference!r})"

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """Return the projection at each context."""
        reference = np.asarray([self._reference(*row) for row in zip(x, sites, strict=True)])
        return fitted(reference, marginals)

    def _reference(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        pairs = itertools.pairwise(sites.tolist())
        linked = [not (x[a + 1 : b] != MASK).any() for a, b in pairs]
        if self.reference == "pairs":
            linked = []
        key = (*sites.tolist(), *linked)
        if key not in self._references:
            self._references[key] = self._chain(sites, linked) if linked else self._pairs(sites)
        return self._references[key]

    def _joint(self, sites: list[int]) -> np.ndarray:
        """The unconditional distribution of one or two sites, (V,) or (V, V)."""
        nothing = np.full((1, self.p.length), MASK)
        return conditional(self.p, nothing, np.asarray([sites]))[0].reshape(
            (self.p.vocab,) * len(sites)
        )

    def _chain(self, sites: np.ndarray, linked: list[bool]) -> np.ndarray:
        probs = self._joint([sites[0]])
        for (a, b), link in zip(itertools.pairwise(sites.tolist()), linked, strict=True):
            if link:
                step = quotients(self._joint([a, b]), self._joint([a])[:, None])
            else:
                step = np.broadcast_to(self._joint([b]), (self.p.vocab,) * 2)
            probs = (probs.reshape(-1, self.p.vocab)[:, :, None] * step).reshape(-1)
        return probs

    def _pairs(self, sites: np.ndarray) -> np.ndarray:
        """The distribution of the largest entropy with these pair marginals."""
        count, vocab = len(sites), self.p.vocab
        if count <= 2:
            return self._joint(sites.tolist()).reshape(-1)
        if self.p.exact:
            raise InvalidInput("pair marginals of three sites or more are fitted in floats")
        wanted = {
            (i, j): self._joint([sites[i], sites[j]])
            for i, j in itertools.combinations(range(count), 2)
        }
        probs, off = most_random(wanted, count, vocab)
        self.pairs_off = max(self.pairs_off, off)
        return probs


def fitted(reference: np.ndarray, marginals: np.ndarray) -> np.ndarray:
    """Fit distributions (B, V^k) to marginals (B, k, V), all at once.

    >>> reference, fair = np.asarray([[4, 1, 1, 4]]) / 10, np.full((1, 2, 2), 0.5)
    >>> fitted(reference, fair).tolist()
    [[0.4, 0.1, 0.1, 0.4]]
    """
    batch, count, vocab = marginals.shape
    probs: Any = reference.reshape((batch,) + (vocab,) * count)
    exact = is_exact(probs) or is_exact(marginals)
    going = np.arange(batch)
    result = probs.copy()
    for _ in range(EXACT_SWEEPS if exact else MAX_SWEEPS):
        left = np.zeros(len(going), dtype=bool)
        for i in range(count):
            now, target = marginal(probs, 0, 1 + i), marginals[going, i]
            gap = now - target
            left |= (possible(gap) if exact else abs(gap) > CLOSE).any(axis=1)
            probs = scaled(probs, (0, 1 + i), now, target)
        result[going] = probs
        going, probs = going[left], probs[left]
        if not len(going):
            break
    if exact:
        if len(going):
            raise InvalidInput(
                "iterative proportional fitting does not end in exact numbers at these contexts; "
                "use a distribution without exact=True"
            )
        return result.reshape(batch, -1)
    return _rounded(result, marginals).reshape(batch, -1)


def _rounded(probs: np.ndarray, marginals: np.ndarray) -> np.ndarray:
    """Scale down what is too much, and add what is missing as a product."""
    count = marginals.shape[1]
    for i in range(count):
        now = marginal(probs, 0, 1 + i)
        probs = scaled(probs, (0, 1 + i), now, np.minimum(marginals[:, i], now))
    missing = np.stack([marginals[:, i] - marginal(probs, 0, 1 + i) for i in range(count)], axis=1)
    missing = np.maximum(missing, 0.0)
    whole = missing.sum(axis=2, keepdims=True)
    share = outer(quotients(missing, whole)) * whole[:, 0]
    return probs + share.reshape(probs.shape)
