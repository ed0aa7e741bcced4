"""Samplers of masked diffusion models in NumPy, written from the published algorithms.

Each takes a model that maps ids to logits, and is a function of the number of sequences and a
generator of random numbers.
"""

import itertools

import numpy as np


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def by_power(logits, temperature, rng):
    """LLaDA's form of Gumbel-max: the largest of exp(logits) / (-log u)**T."""
    noise = (-np.log(rng.random(logits.shape))) ** temperature
    return (np.exp(logits) / noise).argmax(axis=-1)


def by_uniform(logits, temperature, rng):
    """The largest of logits - T log(-log u), with guards against log 0."""
    u = rng.random(logits.shape)
    return np.argmax(logits - temperature * np.log(-np.log(u + 1e-20) + 1e-20), axis=-1)


def by_gumbel(logits, temperature, rng):
    return np.argmax(logits + rng.gumbel(scale=temperature, size=logits.shape), axis=-1)


def by_race(logits, temperature, rng):
    """The first of exponential clocks."""
    rates = softmax(logits / temperature)
    waits = rng.standard_exponential(rates.shape)
    return np.argmax(rates / waits, axis=-1)


def by_inversion(logits, temperature, rng):
    edges = np.cumsum(softmax(logits / temperature), axis=-1)
    edges[..., -1] = 1
    return (rng.random(logits.shape[:-1])[..., None] > edges).sum(axis=-1)


def by_multinomial(logits, temperature, rng):
    return rng.multinomial(1, softmax(logits / temperature)).argmax(axis=-1)


TOKENS = [by_power, by_uniform, by_gumbel, by_race, by_inversion, by_multinomial]


def llada(model, draw=by_power, temperature=1.0, k=1, block=None, front=(), random=False):
    """Draw all sites, keep the k of a block with the most confident tokens, or k random ones."""
    length, front = model.p.length, np.asarray(front, dtype=np.int64)
    block = block or length

    def sampler(n, rng):
        x = np.full((n, len(front) + length), model.mask_id)
        x[:, : len(front)] = front
        site = np.arange(x.shape[1]) - len(front)
        for start in range(0, length, block):
            for _ in range(block // k):
                logits = model(x).logits
                tokens = draw(logits, temperature, rng)
                confidence = np.take_along_axis(softmax(logits), tokens[..., None], -1)[..., 0]
                if random:
                    confidence = rng.random(tokens.shape)
                masked = x == model.mask_id
                here = masked & (site >= start) & (site < start + block)
                confidence = np.where(here, confidence, -np.inf)
                kept = np.argsort(-confidence, axis=-1, kind="stable")[:, :k]
                chosen = np.take_along_axis(tokens, kept, axis=-1)
                np.put_along_axis(x, kept, chosen, axis=-1)
        return x

    return sampler


def ancestral(model, times, draw=by_inversion):
    """Reveal each masked site with probability (b - a) / (1 - a) in the step from a to b."""

    def sampler(n, rng):
        x = np.full((n, model.p.length), model.mask_id)
        for a, b in itertools.pairwise(times):
            tokens = draw(model(x).logits, 1.0, rng)
            revealed = rng.random(x.shape) < (b - a) / (1 - a)
            x = np.where((x == model.mask_id) & revealed, tokens, x)
        return x

    return sampler


def ancestral_with_a_mask(model, times):
    """The same as one categorical draw per site, in which the mask is one of the tokens."""

    def sampler(n, rng):
        x = np.full((n, model.p.length), model.mask_id)
        for a, b in itertools.pairwise(times):
            weights = softmax(model(x).logits) * (b - a)
            weights[..., model.mask_id] = 1 - b
            tokens = (weights / (1e-10 - np.log(rng.random(weights.shape) + 1e-10))).argmax(-1)
            x = np.where(x == model.mask_id, tokens, x)
        return x

    return sampler


def first_hitting(model):
    """One random masked site in each round."""

    def sampler(n, rng):
        x = np.full((n, model.p.length), model.mask_id)
        for _ in range(model.p.length):
            tokens = by_multinomial(model(x).logits, 1.0, rng)
            where = np.where(x == model.mask_id, rng.random(x.shape), -1.0).argmax(axis=1)
            rows = np.arange(n)
            x[rows, where] = tokens[rows, where]
        return x

    return sampler


def permuted_order(model, sizes):
    """Sites in random order, sizes[t] of them in round t."""

    def sampler(n, rng):
        length = model.p.length
        x = np.full((n, length), model.mask_id)
        order = rng.permuted(np.tile(np.arange(length), (n, 1)), axis=1)
        start = 0
        for size in sizes:
            tokens = by_inversion(model(x).logits, 1.0, rng)
            now = order[:, start : start + size]
            np.put_along_axis(x, now, np.take_along_axis(tokens, now, axis=1), axis=1)
            start += size
        return x

    return sampler


def threshold(model, gamma, flattened=False):
    """All sites more confident than gamma, or the most confident one, until none is masked.

    Tokens are drawn for masked sites alone where `flattened`, as one batch of sites.
    """

    def sampler(n, rng):
        x = np.full((n, model.p.length), model.mask_id)
        while (x == model.mask_id).any():
            logits = model(x).logits
            masked = x == model.mask_id
            if flattened:
                tokens = x.copy()
                tokens[masked] = by_gumbel(logits[masked], 1.0, rng)
            else:
                tokens = by_gumbel(logits, 1.0, rng)
            confidence = np.where(masked, softmax(logits).max(axis=-1), -1.0)
            revealed = confidence > gamma
            first = confidence.argmax(axis=1)[:, None] == np.arange(x.shape[1])
            revealed |= first & ~revealed.any(axis=1, keepdims=True) & masked
            x = np.where(revealed, tokens, x)
        return x

    return sampler


def ancestral_flattened(model, times):
    """`ancestral`, with coins and tokens for the masked sites of all rows in one line."""

    def sampler(n, rng):
        x = np.full((n, model.p.length), model.mask_id)
        for a, b in itertools.pairwise(times):
            masked = x == model.mask_id
            tokens = by_gumbel(model(x).logits[masked], 1.0, rng)
            revealed = rng.random(masked.sum()) < (b - a) / (1 - a)
            x[masked] = np.where(revealed, tokens, model.mask_id)
        return x

    return sampler


def one_at_a_time(model):
    """First hitting for a single sequence, with the scalar calls of a generator."""

    def sampler(n, rng):
        assert n == 1, "a batch of one"
        x = np.full((1, model.p.length), model.mask_id)
        for _ in range(model.p.length):
            masked = np.flatnonzero(x[0] == model.mask_id)
            site = rng.choice(masked)
            x[0, site] = rng.choice(model.vocab_size, p=softmax(model(x).logits[0, site]))
        return x

    return sampler
