"""The exact distribution of what a decoder writes, without sampling.

It is computed where the data live: on the host, or on a GPU if that holds the arrays of the
distribution. See `sims.decoding.propagation` for how the masked sequences that a decoder reaches
are followed, and `sims.decoding.corrected` for decoders that go on after everything is written.
"""

from collections.abc import Iterable

from sims.decoding.arguments import as_decoder, as_run, prepare
from sims.decoding.corrected import corrected
from sims.decoding.output import OutputDistribution, output_of
from sims.decoding.propagation import Propagation
from sims.decoding.sampling import Temperature
from sims.policies import Corrector, Decoder
from sims.policies.base import Select
from theory._core.arrays import within_memory
from theory._core.types import ArrayLike
from theory.distributions.base import Distribution
from theory.loss.forward import Denoiser

__all__ = ["output_distribution"]


@within_memory("the output of a decoder")
def output_distribution(
    p: Distribution,
    policy: Decoder | Select,
    temperature: Temperature = 1.0,
    denoiser: Denoiser | None = None,
    *,
    observed: Iterable[int] = (),
    prompt: ArrayLike | None = None,
) -> OutputDistribution:
    """Compute the exact distribution of what `policy` writes.

    Parameters
    ----------
    p : Distribution
        The data; small enough for its evidence lattice.
    policy : Policy, TokenPolicy, Corrector, or a function as for `policies.Rule`
    temperature : float, Sampling, or a sequence of them
        Tokens are drawn from the predictions to the power ``1 / temperature``, renormalised; 0
        takes the likeliest token, the lowest of equal ones. The policy sees the untempered
        predictions. Exact distributions allow 0 and 1. A `Sampling` has top-k, top-p and a last
        argmax, too. A sequence has one for each round (a step of a clock counts as a round), and
        the last one holds on; what corrects takes a single one.
    denoiser : callable, optional
        From patterns (B, L) to predictions (B, L, V), for instance `Perturbed`. The zero-loss
        denoiser of `p` if not given, which returns the unconditional marginals where a
        parallel round has written a context that the data never contain.
    observed : iterable of int
        Sites that are given from the start, with tokens as the data have them: a prompt, or what
        surrounds a gap. Then `kl` is the mean divergence of what is written given them.
    prompt : array_like of int, shape (L,), or str, optional
        Tokens that are given, ``MASK`` elsewhere, or spelled as for `Distribution.read`. All is
        then about ``p.given(prompt)``, of which these sites are observed; what remasks or corrects
        leaves them as they are.

    Returns
    -------
    OutputDistribution
        Its table lives where the data do. So does everything on the way: a function of the
        user's and the `denoiser` are given arrays that live there, and have to return such.

    Raises
    ------
    InvalidInput
        If the policy selects no site or an observed one, if its probabilities do not sum to 1, or
        if the denoiser returns a wrong shape or what is no probability. If either returns an array
        that lives elsewhere, or if `policies.JointDraw` is given data on a device.
    TooLarge

    Examples
    --------
    Three different tokens written at once are a permutation in 6 of 27 cases; revealing one
    first and then the other two, in 2 of 4:

    >>> from sims import policies
    >>> from theory import gallery
    >>> p = gallery.permutations(3, exact=True)
    >>> [output_distribution(p, policies.RandomOrder(s)).valid_mass for s in [(3,), (1, 2)]]
    [Fraction(2, 9), Fraction(1, 2)]
    """
    decoder = as_decoder(policy)
    run = as_run(p, decoder, temperature, observed, prompt)
    lattice, call_denoiser = prepare(run, denoiser)
    if isinstance(run.decoder, Corrector):
        return corrected(run.p, lattice, run.decoder, call_denoiser, run.observed)
    return output_of(Propagation(run.p, lattice, run.decoder, call_denoiser, run.observed))
