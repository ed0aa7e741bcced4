"""Joint models that are wrong in one place each: the planted violations of claim E5."""

import numpy as np

from sims import joints
from sims.joints.base import quotients
from theory import MASK
from theory._core.arrays import to_host

__all__ = ["AnyNumber", "Halfway", "Independent", "Unbroken", "Unconditional", "Unfitted"]


class Halfway(joints.ResidualEnergy):
    """Weights halfway between those of the product and the true ones."""

    def weights(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        return quotients(super().weights(x, sites) + 1, np.asarray(2))


class Unconditional(joints.Mixture):
    """The product of the marginals given nothing."""

    def law(self, x: np.ndarray, sites: np.ndarray, alone: np.ndarray) -> np.ndarray:
        every = to_host(self.p.denoise(np.full_like(x, MASK)))
        return joints.outer(every[np.arange(len(x))[:, None], sites])


class AnyNumber(joints.Mixture):
    """The joint itself, however few components there are."""

    def law(self, x: np.ndarray, sites: np.ndarray, alone: np.ndarray) -> np.ndarray:
        return joints.conditional(self.p, x, sites)[0]


class Independent(joints.Projection):
    """A reference without links."""

    def _reference(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        return self._chain(sites, [False] * (len(sites) - 1))


class Unbroken(joints.Projection):
    """Links across revealed sites."""

    def _reference(self, x: np.ndarray, sites: np.ndarray) -> np.ndarray:
        return self._chain(sites, [True] * (len(sites) - 1))


class Unfitted(joints.Projection):
    """The reference itself."""

    def law(self, x: np.ndarray, sites: np.ndarray, alone: np.ndarray) -> np.ndarray:
        return np.asarray([self._reference(*row) for row in zip(x, sites, strict=True)])
