"""The residual energy: the product times ``exp(tc(x_S | c))``, normalised.

The pointwise total correlation ``tc(x_S | c) = log p(x_S | c) - sum_i log p(x_i | c)`` is what one
parallel round leaves out. An energy learnt as the residual of the product, as energy-based
diffusion language models do (arXiv 2410.21357 [memory]), has it as its optimum, up to a constant
that depends on the context marginals.
"""

import numpy as np

from sims.joints.base import FromData, conditional, outer, predicted, quotients

__all__ = ["ResidualEnergy"]


class ResidualEnergy(FromData):
    """The product weighted by ``exp(tc)``: the true joint, if the predictions are perfect.

    An ideal: the law is normalised by a sum over all ``V^k`` values of the sites, and no call of a
    network is counted for it. `Resampled` is what can be had from finitely many candidates.

    Parameters
    ----------
    p : Distribution
        The data. Where a context is impossible there is no energy, and the product is left.

    >>> from theory import MASK, gallery
    >>> p = gallery.parity(2, exact=True)
    >>> x, sites = np.asarray([[MASK, MASK]]), np.asarray([[0, 1]])
    >>> ResidualEnergy(p).distribution(x, sites, p.denoise(x)).tolist()
    [[Fraction(1, 2), Fraction(0, 1), Fraction(0, 1), Fraction(1, 2)]]
    """

    knows = "the joint of the revealed tokens up to a constant: exp(tc) of every candidate"

    def distribution(self, x: np.ndarray, sites: np.ndarray, marginals: np.ndarray) -> np.ndarray:
        """Return the product of the rows, weighted and normalised."""
        product, weights = outer(marginals), self.weights(x, sites)
        weighted = product * weights
        total = weighted.sum(axis=1, keepdims=True)
        return np.where(total == 0, product, quotients(weighted, total))

    def weights(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        """``exp(tc)`` of all values of the sites, (B, V^k); all 0 where a context is impossible.

        Their mean under the product of the zero-loss predictions is 1.
        """
        joint, possible = conditional(self.p, x, sites)
        law = quotients(joint, outer(predicted(self.p, x, sites)))
        return np.where(possible[:, None], law, law * 0)
