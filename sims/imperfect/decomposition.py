"""The path KL of a decoder with an imperfect denoiser: learning and factorisation parts.

Let a policy reveal the set S at the known tokens x_C, drawing site i from f_i (the denoiser's
prediction at the temperature of the draw), and let mu_i be the true conditional marginals. By the
chain rule of divergences

    KL(p(X_S | x_C) || prod f_i)  =  TC(X_S | x_C)  +  sum_{i in S} KL(mu_i || f_i)

Summed over the rounds, with tokens that follow the data, path KL is a *factorisation* part, what
it costs to draw sites at once, and a *learning* part, what it costs not to know mu. [ours; the
chain rule is textbook] It is exact for every policy that selects before it draws:

- a policy that does not depend on predictions visits the same contexts with every denoiser, so its
  factorisation part is what it loses with the zero-loss denoiser;
- one that does goes its own way with each denoiser, and both parts are along that way.
  Its factorisation part may be above or *below* that of the zero-loss denoiser.

For ancestral steps (`policies.Bernoulli`) the learning part is the training loss of the denoiser
on that grid above the least one; one site at a time in random order, it is the loss in
continuous time above the entropy (`excess_loss`) and there is no other part.
"""

import functools
import operator
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from sims.decoding.arguments import as_decoder
from sims.decoding.layers import outer
from sims.decoding.output import cost_of, log_ratio
from sims.decoding.propagation import propagate
from sims.decoding.sampling import Temperature
from sims.policies import Decoder, Policy
from sims.policies.base import Select
from theory import forward, information
from theory._core.arrays import log, within_memory
from theory._core.exact import short
from theory._core.types import ArrayLike, Number
from theory.distributions.base import Distribution, check_distribution
from theory.errors import InvalidInput
from theory.information.units import not_negative
from theory.loss.forward import Denoiser

__all__ = ["KLDecomposition", "excess_loss", "split"]

Splits = TypeVar("Splits", bound=Callable[..., "KLDecomposition"])


@dataclass(frozen=True, eq=False)
class KLDecomposition:
    """Path KL and its two parts, in nats; exact numbers if the distribution is exact.

    Attributes
    ----------
    path_kl : number
        Mean of ``KL(p || q_path)`` over the random choices of the policy, from the joint
        probabilities of what is revealed together. It equals ``learning + factorisation``.
    learning : number
        Mean of ``sum_{i revealed} KL(mu_i || f_i)`` at the contexts that the policy visits along
        the data; infinite if the denoiser excludes what can happen.
    factorisation : number
        Mean total correlation of what is revealed together, at the same contexts.
    by_round : tuple of (number, number)
        The learning and the factorisation part of each step.
    """

    path_kl: Number
    learning: Number
    factorisation: Number
    by_round: tuple[tuple[Number, Number], ...]

    def __repr__(self) -> str:
        parts = map(short, (self.path_kl, self.learning, self.factorisation))
        return "<KLDecomposition: path KL {} = learning {} + factorisation {}>".format(*parts)


def _either_order(function: Splits) -> Splits:
    """Take the denoiser before the temperature, too, as in older versions, with a warning."""

    @functools.wraps(function)
    def called(p: Any, policy: Any, *others: Any, **named: Any) -> KLDecomposition:
        if len(others) in (1, 2) and (others[0] is None or callable(others[0])):
            warnings.warn(
                "sims.split takes the temperature before the denoiser: write denoiser=",
                DeprecationWarning,
                stacklevel=2,
            )
            old = dict(zip(("denoiser", "temperature"), others, strict=False))
            return function(p, policy, **old, **named)
        return function(p, policy, *others, **named)

    return cast(Splits, called)


@_either_order
@within_memory("the output of a decoder")
def split(
    p: Distribution,
    policy: Decoder | Select,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
) -> KLDecomposition:
    """Split the path KL of a decoder into what was not learnt and what parallel drawing costs.

    Every context that the data lead to is followed, so this is exact, and quick where they are
    few.

    Parameters
    ----------
    p : Distribution
        Small enough for its table.
    policy : Policy, or a function as for `policies.Rule`
        That selects before it draws and never remasks.
    temperature, denoiser, observed, prompt
        As for `output_distribution`. The temperature counts for the denoiser: f is what tokens
        are drawn from.

    Returns
    -------
    KLDecomposition

    Raises
    ------
    InvalidInput
        As `output_distribution`, and for decoders without a path of their own for each sequence:
        those that depend on drawn tokens or remask.
    TooLarge

    Examples
    --------
    Two equal bits at once cost one bit, whatever was learnt. A model that mixes in half of the
    uniform distribution gives the second of them 3/4 instead of 1:

    >>> from fractions import Fraction
    >>> from sims import Perturbed, policies
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1, exact=True)
    >>> model = Perturbed(p, smoothing=Fraction(1, 2))
    >>> split(p, policies.RandomOrder((2,)), denoiser=model).by_round
    ((0, log(2)),)
    >>> split(p, policies.LeftToRight(), denoiser=model).by_round
    ((0, 0), (-log(3) + 2*log(2), 0))
    """
    decoder = as_decoder(policy)
    if not isinstance(decoder, Policy) or decoder.looks_at_tokens or decoder.remasks:
        raise InvalidInput(
            f"{decoder!r} has no path of its own for each sequence: it depends on drawn tokens or "
            f"remasks"
        )
    steps = propagate(
        p, decoder, temperature, denoiser, observed, prompt, ("data",), tabulated=False
    )
    costs: list[Any] = []  # of each step: path KL, the learning and the factorisation part
    for reveal in steps:
        if reveal.index == len(costs):
            costs.append((0, 0, 0))
        draw = reveal.draw
        if draw is None:
            continue
        (mass,), (after,) = reveal.masses, reveal.masses_after
        one_site_more = reveal.before[:, None, None] + steps.codes.steps(draw.sites)
        truth = steps.share(reveal.before, one_site_more)  # (N, k, V)
        product = draw._replace(factor=outer(truth, operator.mul), logs=partial(log, truth))
        here = (
            cost_of(draw, after),
            log_ratio(mass[:, None, None] * truth, truth, draw.sampling_probs, draw.logs),
            cost_of(product, after),
        )
        costs[-1] = tuple(total + cost for total, cost in zip(costs[-1], here, strict=True))
    # divergences and total correlations, but for rounding
    tidy: Any = (lambda v: v) if p.exact else (lambda v: float(not_negative(v)))
    rounds = tuple((tidy(learning), tidy(factorisation)) for _, learning, factorisation in costs)
    learning, factorisation = map(sum, zip(*rounds, strict=True))
    return KLDecomposition(tidy(sum(path for path, _, _ in costs)), learning, factorisation, rounds)


@within_memory("all contexts")
def excess_loss(p: Distribution, denoiser: Denoiser) -> Number:
    """Loss of a denoiser in continuous time above the least one, in nats for each sequence.

    ``continuous_nelbo(p, denoiser) - H(p)``: what is left to learn, and the path KL of writing
    one site at a time in random order.

    Parameters
    ----------
    p : Distribution
        Small enough for its evidence lattice.
    denoiser : callable

    Examples
    --------
    Half of the time a bit is predicted where the other one, which is equal, is known:

    >>> from fractions import Fraction
    >>> from sims import Perturbed
    >>> from theory import gallery
    >>> p = gallery.coupled_pairs(1, exact=True)
    >>> excess_loss(p, Perturbed(p, smoothing=Fraction(1, 2)))
    -log(3) + 2*log(2)
    """
    check_distribution(p)
    return forward.continuous_nelbo(p, denoiser) - information.entropy(p)
