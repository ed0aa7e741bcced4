"""Samplers written as samplers are: they call a model on token ids. With faults to be found.

Each is made from an `Oracle` and a `Plan`, and is a function of a number of sequences and a
generator. The usual plan is right; the others put one fault in.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Plan:
    """What a sampler does: `k` sites a round, the most confident first.

    Attributes
    ----------
    select
        "before" tokens are drawn, by the most probable one; or "after", by the drawn one.
    temperature, score_temperature
        Of what tokens are drawn from, and of what sites are selected by.
    two_last
        Whether the last round reveals one site more, and a round less is made.
    late
        Whether the schedule begins with nothing, and the last round takes what is left.
    draws_masks
        Whether the mask is an id like others when tokens are drawn.
    redraws
        Sites of which one is masked and drawn again at the end: "none", "free" ones, or "any",
        those of the prompt among them.
    prompt
        Tokens of the first sites.
    dtype
        Of Gumbel noise.
    """

    select: str = "before"
    k: int = 1
    temperature: float = 1.0
    score_temperature: float = 1.0
    two_last: bool = False
    late: bool = False
    draws_masks: bool = False
    redraws: str = "none"
    prompt: tuple[int, ...] = ()
    dtype: Any = np.float64


PLAIN = Plan()


def sampler_of(model, plan=PLAIN):
    mask, vocab, length, given = model.mask_id, model.p.vocab, model.p.length, len(plan.prompt)

    def write(x, size, rng):
        logits = model(x).logits[..., : vocab + plan.draws_masks]
        drawn = draw(rng, logits / plan.temperature, plan.dtype)
        confident = probabilities(logits / plan.score_temperature)
        score = confident.max(axis=-1)
        if plan.select == "after":
            score = np.take_along_axis(confident, drawn[..., None], axis=-1)[..., 0]
        masked = x == mask
        score = np.where(masked, np.round(score, 12), -np.inf)
        keep = np.zeros_like(masked)
        best = np.argsort(-score, axis=1, kind="stable")[:, :size]
        np.put_along_axis(keep, best, True, axis=1)
        return np.where(keep & masked, drawn, x)

    def sampler(n, rng):
        x = np.full((n, length), mask)
        x[:, :given] = plan.prompt
        for size in sizes(length - given, plan):
            x = write(x, size, rng)
        if plan.redraws != "none":
            first = given if plan.redraws == "free" else 0
            x[np.arange(n), rng.integers(first, length, size=n)] = mask
            x = write(x, 1, rng)
        return x

    return sampler


def sizes(sites, plan):
    """Sites to reveal in each round."""
    usual = [plan.k] * (sites // plan.k) + [sites % plan.k] * bool(sites % plan.k)
    if plan.two_last:
        return [*usual[:-2], sum(usual[-2:])]
    return [0, *usual[:-2], sum(usual[-2:])] if plan.late else usual


def probabilities(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def draw(rng, logits, dtype):
    """By Gumbel's trick, with noise of a precision."""
    if dtype is np.float64:
        return (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)
    with np.errstate(divide="ignore"):  # of a uniform number that is exactly 0
        noise = -np.log(-np.log(rng.random(logits.shape, dtype=dtype)))
    return (logits.astype(dtype) + noise).argmax(axis=-1)
