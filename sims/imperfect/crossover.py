"""The loss of a denoiser from which its own errors cost a decoder more than parallel drawing.

Let the error of a denoiser have a size s >= 0, of any kind: the noise on its logits, the share of
the uniform distribution in it, how overconfident it is. At the crossover, which is ours, the
learning part of a decoder's path KL overtakes its factorisation part (`sims.imperfect`). Below it,
most of what the decoder loses is what the exact theory computes, the price of drawing at once;
above it, most is what the model does not know.

It is given as the size of the error and as the loss of the denoiser at it, so that different kinds
of errors can be compared, and so that it can be compared with the loss of a trained model.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sims.imperfect.decomposition import KLDecomposition, excess_loss, split
from sims.policies import Decoder
from sims.policies.base import Select
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser
from theory.validation.arguments import as_integer, as_real

__all__ = ["Crossing", "crossover"]

Family = Callable[[float], Denoiser]
"""From the size of the error to a denoiser."""

CLOSE = 1e-12
"""Two divergences that are this close to each other, relative to the larger, do not differ."""

PRECISION = 1e-12
"""Width of a root, relative to where it is looked for."""


@dataclass(frozen=True)
class Crossing:
    """Where the learning part overtakes the factorisation part.

    Attributes
    ----------
    size : float
        Of the error.
    loss : float
        Loss of the denoiser there above the least one, in nats for each sequence.
    parts : KLDecomposition
        What the decoder loses there.
    """

    size: float
    loss: float
    parts: KLDecomposition


def crossover(
    p: Distribution,
    policy: Decoder | Select,
    family: Family,
    *,
    largest: float = 1.0,
    steps: int = 16,
) -> Crossing:
    """Find the size of the error at which the learning part overtakes the factorisation part.

    The first of `steps` equal steps from 0 to `largest` after which the learning part is the
    larger one is searched for the crossing (Brent's method). A crossing and a return within one
    step are not seen. For a policy that depends on predictions the parts may jump; then this is
    where they jump past each other.

    Parameters
    ----------
    p : Distribution
        Small enough for its evidence lattice.
    policy : Policy
        With a path of its own, as for `split`.
    family : callable
        From a size to a denoiser; at 0 it has no error, for instance
        ``lambda s: Perturbed(p, noise=s)``.
    largest : float
        Largest size that is tried.
    steps : int

    Returns
    -------
    Crossing

    Raises
    ------
    InvalidInput
        If there is no factorisation part, as for one site at a time, where theory says that
        nothing is lost and any error is more; or if the learning part is nowhere larger.

    Examples
    --------
    Two bits that differ 1 in 10 times are drawn at once in half of the cases, which loses
    ``(log(2) - h(.1)) / 2`` nats. In the other half the second one is drawn from a model that is
    overconfident by 1 + s. It loses as much when its whole loss is ``log(2) - h(.1)``:

    >>> from sims import Perturbed, policies
    >>> from theory import gallery
    >>> p = gallery.binary_symmetric(2, 0.1)
    >>> step = policies.Bernoulli((0, 0.5, 1))
    >>> found = crossover(p, step, lambda s: Perturbed(p, temperature=1 / (1 + s)), largest=9)
    >>> round(found.size, 3), round(found.loss, 3)
    (2.15, 0.368)
    """
    from scipy.optimize import brentq

    check_distribution(p)
    if p.exact:
        raise InvalidInput("a crossing is searched for in floats: hand in a distribution of floats")
    largest = as_real(largest, "largest", 0, math.inf, ends=False)
    steps = as_integer(steps, "steps", 1)

    def ahead(size: float) -> float:
        """How far the learning part is ahead, relatively: 1 if it alone is infinite."""
        parts = split(p, policy, denoiser=family(size))
        a, b = float(parts.learning), float(parts.factorisation)
        if math.isinf(a) or math.isinf(b):
            return float(math.isinf(a)) - float(math.isinf(b))
        return 0.0 if abs(a - b) <= CLOSE * max(1.0, a, b) else (a - b) / (a + b)

    if ahead(0.0) >= 0:
        raise InvalidInput(
            "the learning part is not the smaller one without error, so that it cannot overtake: "
            f"{split(p, policy, denoiser=family(0.0))!r}"
        )
    low = 0.0
    for k in range(1, steps + 1):
        high = largest * k / steps
        if ahead(high) > 0:
            break
        low = high
    else:
        raise InvalidInput(
            f"the learning part is not larger up to the size {largest:g}: "
            f"{split(p, policy, denoiser=family(largest))!r}"
        )

    def sign(size: float) -> float:
        return -1.0 if size == low else ahead(size)

    root: Any = brentq(sign, low, high, xtol=PRECISION * high)
    size = float(root)
    return Crossing(
        size, float(excess_loss(p, family(size))), split(p, policy, denoiser=family(size))
    )
