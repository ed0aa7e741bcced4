"""Do far predictions become alike, and do they forget the context? Decided, not measured."""

from theory.distributions import Distribution, HiddenMarkovModel, MarkovChain
from theory.errors import InvalidInput
from theory.homogenization.chains import decide_chain
from theory.homogenization.decision import Decision
from theory.homogenization.hidden import decide_hidden

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

    Parameters
    ----------
    p : MarkovChain or HiddenMarkovModel

    Returns
    -------
    Decision

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
        return decide_chain(p)
    if isinstance(p, HiddenMarkovModel):
        return decide_hidden(p)
    advice = ": homogenization.measure shows its predictions by distance"
    raise InvalidInput(
        "decided for a MarkovChain or a HiddenMarkovModel, which can be continued for ever; got "
        f"{type(p).__name__}{advice if isinstance(p, Distribution) else ''}"
    )
