"""Whether far predictions become alike and forget the context: decided, not measured.

After a token l of a chain the prediction at distance n is row l of P^n. A recurrent class of period
d passes through d disjoint sets of tokens in turn, and an aperiodic one tends to its stationary
distribution. ``P^n - limit`` is the n-th power of one matrix, whose spectral radius is therefore
the rate. [ours, from textbook theory of finite chains]
"""

from collections.abc import Sequence
from functools import partial

from theory._core.types import Number
from theory.distributions import Distribution, HiddenMarkovModel, MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.decision import Decision, RecurrentClass, format_rate, format_states
from theory.homogenization.hidden import decide_hidden
from theory.homogenization.rate_constant import asymptotic_constant
from theory.homogenization.structure import structure

__all__ = ["decide"]


def decide(p: MarkovChain | HiddenMarkovModel) -> Decision:
    """Decide whether predictions far to the right of a context become alike and forget it.

    The chain is continued for ever, so its length does not matter; that it starts from
    ``p.initial`` decides which tokens can be in a context. Two questions are asked, about total
    variation as the distance n grows:

    - do the predictions at distances n and n + 1 approach each other, after every context?
    - if so, is their limit the same after every context?

    For a chain the first holds if and only if every recurrent class that is reached is aperiodic,
    the second if and only if moreover there is one such class. This depends on nothing but which
    steps are possible: it is decided without rounding. A symbol that is not identically zero
    counts as a positive probability. For a hidden Markov model the same is decided for what the
    emission and the contexts let through, in floats: what rounding of the probabilities can
    account for does not show.

    *Why mask diffusion does not work* (arXiv 2510.03289) conjectures that far predictions become
    almost identical, without an assumption on the data. This decision is ours.

    Raises
    ------
    InvalidInput
        For other kinds of data, for which no decision procedure is known to us.

    Examples
    --------
    A bit that flips one time in ten forgets, by a factor 0.8 per step; one that always flips
    does not:

    >>> from theory import gallery
    >>> decide(gallery.binary_symmetric(9, 0.1))
    Decision(homogenizes=True, forgets=True, rate=0.8)
    >>> decide(gallery.periodic(9))
    Decision(homogenizes=False, forgets=False, rate=1.0)
    """
    if isinstance(p, MarkovChain):
        return _decide_chain(p)
    if isinstance(p, HiddenMarkovModel):
        return decide_hidden(p)
    advice = ": homogenization.measure shows its predictions by distance"
    raise InvalidInput(
        "decided for a MarkovChain or a HiddenMarkovModel, which can be continued for ever; got "
        f"{type(p).__name__}{advice if isinstance(p, Distribution) else ''}"
    )


def _decide_chain(p: MarkovChain) -> Decision:
    s = structure(p)
    for r in s.recurrent:
        if r.period > 1:
            reason = (
                f"The class {format_states(r.states, p.symbols)} has period {r.period}, so the "
                f"predictions at neighbouring distances from one of its tokens never have a token "
                f"in common."
            )
            return Decision(False, False, s.one, None, None, s.recurrent, reason)
    limits, forgets = s.limits(), len(s.recurrent) == 1
    deviation = s.among_reached(s.steps) - s.among_reached(limits)
    rate = s.fading_rate(deviation)
    return Decision(
        True,
        forgets,
        rate,
        s.recurrent[0].stationary if forgets else None,
        limits,
        s.recurrent,
        _reason(s.recurrent, p.symbols, rate),
        partial(asymptotic_constant, deviation, rate),
    )


def _reason(
    recurrent: Sequence[RecurrentClass], symbols: Sequence[str] | None, rate: Number
) -> str:
    """What far predictions approach where all classes are aperiodic."""
    names = [format_states(r.states, symbols) for r in recurrent]
    if len(recurrent) > 1:
        return (
            f"{len(recurrent)} aperiodic classes can be reached, such as {names[0]} and "
            f"{names[1]}: far predictions approach a limit {format_rate(rate)}, so that neighbours "
            f"become alike, but the context decides which limit it is."
        )
    if len(recurrent[0].states) == 1:
        return (
            f"Every context ends in the one token {names[0]}, which is never left: far predictions "
            f"become alike {format_rate(rate)}, and certain."
        )
    return (
        f"Every context ends in the one class {names[0]}, which is aperiodic: far predictions "
        f"approach its stationary distribution {format_rate(rate)}."
    )
