"""Joint distributions from which the tokens of one round are drawn, instead of independently."""

from sims.joints.base import Joint, Product, conditional, outer
from sims.joints.mixture import Mixture
from sims.joints.projection import Projection
from sims.joints.residual_energy import Resampled, ResidualEnergy

__all__ = [
    "Joint",
    "Mixture",
    "Product",
    "Projection",
    "Resampled",
    "ResidualEnergy",
    "conditional",
    "outer",
]
