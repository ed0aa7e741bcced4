"""The excess of a decoder with a denoiser learnt from one data set: an experiment for sweeps.

A case names the data, the training masks, the decoder, the learner and the number of samples; a
training set is drawn, a denoiser is learnt from it, and what the decoder writes with it is
computed exactly. Reported is the excess of the divergence over that with the zero-loss denoiser,

    KL(p || q_learnt) - KL(p || q_zero-loss)

which can be negative for a decoder that reveals several sites at once: a worse denoiser may lead
it elsewhere. Many cases: ``sims.sweep.sweep(experiment, grid(...))``.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from sims import policies
from sims.decoding.exact import output_distribution
from sims.decoding.output import OutputDistribution
from sims.training import masks as tables
from sims.training.efficiency import best_masks
from sims.training.fitted_chain import FittedChain
from sims.training.samples import draw_training_set
from sims.training.tabular import Tabular
from sims.training.visits import decoded_with_visits, mismatch, visited
from theory import JointTable, gallery
from theory.distributions.base import Distribution
from theory.errors import InvalidInput
from theory.loss.forward import Denoiser

__all__ = ["DATA", "DECODERS", "LEARNERS", "MASKS", "SEEING", "experiment", "training_masks"]

DATA: Mapping[str, Callable[[], Distribution]] = {
    "chain": lambda: JointTable(gallery.binary_symmetric(6, 0.1).table()),
    "permutations": lambda: gallery.permutations(4),
    "latents": lambda: gallery.nae_sat(4, [(0, 1, 2), (1, 2, 3)]),
}
"""Six bits of a chain (a table is faster), permutations of four, and four latent bits with two
clauses over them."""

DECODERS: Mapping[str, policies.Decoder] = {
    "left to right": policies.LeftToRight(),
    "random": policies.FirstHitting(),
    "most confident": policies.TopK(1),
    "two at once": policies.LeftToRight(2),
    "two most confident": policies.TopK(2),
}

SEEING = ("most confident", "two most confident")
"""Those that depend on predictions."""

MASKS: Mapping[str, Callable[[Distribution, policies.Decoder], np.ndarray]] = {
    "uniform time": lambda p, _: tables.uniform_time(p.length),
    "left to right": lambda p, _: tables.left_to_right(p.length),
    "blocks of 2": lambda p, _: tables.block_by_block(p.length, 2),
    "prefixes of blocks of 2": lambda p, _: tables.prefix_of_block(p.length, 2),
    "last block of 2 only": lambda p, _: tables.last_to_first(p.length, 2, stages=1),
    "visited": visited,
    "best": best_masks,
}
"""From the data and the decoder to the masks. The last two know the decoder, and `best` is for
decoders that depend on nothing."""

LEARNERS: Mapping[str, Callable[..., Denoiser]] = {"tables": Tabular, "chain": FittedChain}


@lru_cache(maxsize=256)
def training_masks(data: str, masks: str, decoder: str) -> np.ndarray:
    """Masks by name, given that something is hidden; shape (2,)*L.

    >>> float(training_masks("chain", "left to right", "random")[0, 0, 0, 0, 0, 0]).__round__(4)
    0.1667
    """
    make, policy = _named(MASKS, masks, "masks"), _named(DECODERS, decoder, "decoder")
    return tables.predicting(make(_data(data), policy))


def experiment(
    rng: np.random.Generator,
    *,
    data: str,
    masks: str,
    decoder: str,
    size: int,
    learner: str = "tables",
    alpha: float = 0.5,
    repeat: int = 0,
) -> dict[str, float]:
    """Learn from one training set, and decode.

    Parameters
    ----------
    rng : numpy.random.Generator
    data, masks, decoder, learner : str
        Keys of `DATA`, `MASKS`, `DECODERS`, `LEARNERS`.
    size : int
        Number of samples, each one sequence with one mask that hides something.
    alpha : float
        Prior per token.
    repeat : int
        Distinguishes cases that differ in their data sets only.

    Returns
    -------
    dict
        ``kl`` of the decoded distribution in nats, its ``excess``, ``path_excess``, that of the
        mean over the decoder's paths, and ``untrained``, the share of the calls, with the learnt
        denoiser, on patterns that training does not show.

    Examples
    --------
    >>> from sims.sweep.sweep import grid, sweep
    >>> cases = grid(masks=("left to right", "uniform time"), repeat=range(20))
    >>> fixed = {"data": "chain", "decoder": "left to right", "size": 1000}
    >>> results = sweep(experiment, [case | fixed for case in cases])
    >>> [round(mean.mean, 2) for mean in results.mean(of="excess", by="masks")]
    [0.09, 0.48]
    """
    p, policy = _data(data), _named(DECODERS, decoder, "decoder")
    learn = _named(LEARNERS, learner, "learner")
    training = draw_training_set(p, training_masks(data, masks, decoder), size, rng)
    q, asked = decoded_with_visits(p, policy, denoiser=learn(training, alpha))
    best = _with_zero_loss(data, decoder)
    return {
        "kl": float(q.kl),
        "excess": float(q.kl - best.kl),
        "path_excess": float(q.path_kl - best.path_kl),
        "untrained": float(mismatch(asked, training_masks(data, masks, decoder)).untrained),
    }


@lru_cache(maxsize=64)
def _with_zero_loss(data: str, decoder: str) -> OutputDistribution:
    return output_distribution(_data(data), DECODERS[decoder])


@lru_cache(maxsize=16)
def _data(name: str) -> Distribution:
    return _named(DATA, name, "data")()


def _named(known: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in known:
        raise InvalidInput(f"{what} must be one of {', '.join(known)}, got {name!r}")
    return known[name]
