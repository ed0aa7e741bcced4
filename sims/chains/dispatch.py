"""Which decoders of chains fall apart into gaps, and what follows each of them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from sims.chains.ancestral import Ancestral
from sims.chains.gaps import Gaps
from sims.chains.in_gaps import Gap, InGaps, gaps_of
from sims.chains.on_chain import Gapwise, OnChain
from sims.chains.together import Together
from sims.chains.trees import FixedOrderInGaps, InTree
from sims.decoding.arguments import Run, as_decoder, as_run
from sims.order.fixed_batches import fixed_batches
from sims.policies import Blocks, Corrector, Decoder, GapTabulated, Mirrored, Policy, Steps
from sims.policies.base import Select
from theory import MASK
from theory._core.arrays import to_host, within_memory
from theory._core.exact import all_rational
from theory._core.segments import any_true
from theory._core.types import ArrayLike
from theory.distributions import MarkovChain
from theory.distributions.base import Distribution, check_distribution
from theory.distributions.conditioned import Conditioned
from theory.errors import InvalidInput

__all__ = ["on_chain"]

INSTEAD = "sims.estimate_path_kl estimates what any policy loses, at any length"

LEAST = 1e-150
"""Probabilities across a gap whose products with each other are still floats."""


@within_memory("what is written on a chain")
def on_chain(
    p: Distribution,
    policy: Decoder | Select,
    *,
    prompt: ArrayLike | None = None,
    progress: bool | None = None,
) -> OnChain:
    """What a decoder writes on a Markov chain of any length, exactly, and in how many rounds.

    Of decoders whose choice within a gap, a run of masked sites, depends on that gap alone: on a
    chain the inside of a gap is independent of all the rest given its two ends. These are

    - ancestral steps, `Bernoulli` and `Steps` that mask nothing again;
    - fixed orders, which depend on nothing and are not randomised (see `fixed_batches`);
    - policies that say ``gapwise = True``, such as `Threshold` and `GapTabulated`;
    - `Blocks` of any of these.

    Nothing is computed before it is asked for. Of ancestral steps, with L sites in a gap, V tokens
    and K steps, path KL takes about ``L^2 V^3`` products and the valid mass ``K L^3 V^4 / 6``.

    Parameters
    ----------
    p : MarkovChain
        Or one given tokens, ``p.given(x)``.
    policy : Decoder, or a function as for `policies.Rule`
    prompt : array_like of int, shape (L,), or str, optional
        Tokens that are given, as for `output_distribution`.
    progress : bool, optional
        Whether to show progress on stderr; if not given, where it is looked at.

    Returns
    -------
    OnChain
        The same numbers as those of `output_distribution`; Fractions and exact logarithms if p is
        exact.

    Raises
    ------
    InvalidInput
        If p is no chain, or the decoder does not fall apart into gaps: the message says why. And if
        in floats some tokens go together with a probability that is positive and below 1e-150.

    Examples
    --------
    Half of the sites first and then the others, on bits without two adjacent ones:

    >>> import numpy as np
    >>> from sims.policies import Bernoulli
    >>> from theory import gallery
    >>> q = on_chain(gallery.golden_mean_chain(64), Bernoulli((0, 0.5, 1)))
    >>> round(q.path_kl, 4), round(q.sequence_error_rate, 4), round(q.expected_rounds, 4)
    (3.3326, 0.8751, 2.0)
    >>> q.log_probability([0] * 64).round(4).item()
    -24.9815
    >>> q.estimate_kl(np.random.default_rng(0), 100)
    <Estimate 2.58 ± 0.1 from 100 draws>
    """
    check_distribution(p)
    run = as_run(p, as_decoder(policy), 1.0, (), prompt)
    chain, pattern = _chain(run.p)
    given = np.isin(np.arange(p.length, dtype=np.int64), run.observed)
    return OnChain(run.p, run.decoder, _gapwise(run, chain, pattern, given, progress))


def _chain(p: Distribution) -> tuple[MarkovChain, np.ndarray]:
    """The chain, and the tokens that are known of it, (L,)."""
    chain, pattern = p, np.full(p.length, MASK, dtype=np.int64)
    if isinstance(p, Conditioned):
        chain, pattern = p.whole, to_host(p.pattern)
    if not isinstance(chain, MarkovChain):
        raise InvalidInput(
            f"p must be a MarkovChain, whose gaps are independent given their ends, got {p!r}. "
            f"For others, {INSTEAD}"
        )
    if chain.exact and not all_rational(np.concatenate([chain.transition, chain.initial[None]])):
        raise InvalidInput("an exact chain must hold rational numbers: give this one in floats")
    return chain, pattern


def _gapwise(
    run: Run, chain: MarkovChain, pattern: np.ndarray, given: np.ndarray, progress: bool | None
) -> Gapwise:
    """What follows the decoder."""
    policy: Any = run.decoder
    blind = isinstance(policy, Policy) and policy.depends_on == "nothing" and not policy.remasks
    if blind and not policy.randomised:
        batches = fixed_batches(policy, run.p.length, observed=run.observed)
        gaps = _gaps(chain, gaps_of(pattern, chain.vocab))
        return FixedOrderInGaps(gaps, batches, pattern)
    start = next(k for k, known in enumerate((*given.tolist(), False)) if not known)
    size, inner = len(pattern), policy
    if isinstance(policy, Blocks):
        size, inner = policy.size, policy.inner
    borders = range(start + size, len(pattern), size)
    found = gaps_of(pattern, chain.vocab, borders)
    _refuse_beyond(policy, gaps_of(pattern, chain.vocab), borders, chain.vocab)
    gaps = _gaps(chain, found)
    inside = _inside(policy, inner, gaps, progress)
    knows = policy.known if isinstance(policy, GapTabulated) else None
    certain = (given != (pattern != MASK)).any() and not isinstance(inside, Ancestral)
    if certain and (knows is None or (to_host(knows) != pattern).any()):
        raise InvalidInput(
            f"{policy!r} goes by the ends of gaps or the predictions in them, so sites whose "
            f"tokens are certain matter to it: give them as a prompt, "
            f"on_chain(p, policy, prompt=...)"
        )
    which = np.maximum(np.arange(len(pattern), dtype=np.int64) - start, 0) // size
    masked = np.bincount(which[~given]).tolist()
    blocks = [[gap for gap in found if which[gap.start] == k] for k in range(len(masked))]
    used = [k for k, count in enumerate(masked) if count]
    return Together(
        gaps, inside, [blocks[k] for k in used], run.p.marginals, [masked[k] for k in used]
    )


def _gaps(chain: MarkovChain, found: list[Gap]) -> Gaps:
    """The tables, refused where something possible is too improbable for floats."""
    gaps = Gaps(chain, max((gap.length for gap in found), default=1))
    if not gaps.exact and any_true((gaps.rows > 0) & (gaps.rows < LEAST)):
        worst = np.argwhere((to_host(gaps.rows) > 0) & (to_host(gaps.rows) < LEAST))[0]
        raise InvalidInput(
            f"tokens {int(worst[0])} sites apart go together with a probability below {LEAST:g}: "
            f"too small for products of floats"
        )
    return gaps


def _refuse_beyond(policy: Decoder, whole: list[Gap], borders: Iterable[int], vocab: int) -> None:
    """Refuse blocks that end within a gap whose right end is known: its predictions see it."""
    for gap in whole:
        cut = [b for b in borders if gap.start < b < gap.start + gap.length]
        if cut and gap.right != vocab:
            raise InvalidInput(
                f"{policy!r} has a block that ends before site {cut[0]}, between masked sites "
                f"whose predictions see the token given at site {gap.start + gap.length}: that "
                f"does not fall apart into blocks. Instead, {INSTEAD}"
            )


def _inside(policy: Decoder, inner: Any, gaps: Gaps, progress: bool | None) -> InGaps:
    """What the policy does in a gap; one that does not fall apart is refused."""
    own: Any = inner.inner if isinstance(inner, Mirrored) else inner  # each site by itself
    kind, choice = type(own), (Steps.reveal_distribution, Steps.choose)
    steps = isinstance(own, Steps) and not own.remasks
    if steps and (kind.reveal_distribution, kind.choose) == choice:
        return Ancestral(gaps, own.reveal, progress)
    if isinstance(inner, Policy) and inner.gapwise and not (inner.randomised or inner.remasks):
        if isinstance(inner, GapTabulated) and inner.known is not None:
            inner = GapTabulated(inner.choices)
        return InTree(gaps, inner)
    if isinstance(inner, Corrector) or inner.remasks:
        why = "it masks or draws again what is written, which joins gaps"
    elif inner.looks_at_tokens:
        why = "it draws tokens before it chooses among those of all gaps"
    elif inner.randomised:
        why = (
            "its random choice is among the sites of all gaps together; one that is not random "
            "says randomised = False"
        )
    else:
        why = (
            "what it reveals in a gap may depend on the others, for it compares their sites, or "
            "does not say gapwise = True"
        )
    raise InvalidInput(f"{policy!r} does not fall apart into gaps: {why}. Instead, {INSTEAD}")
