"""What published code does in corners that its authors may not have meant, each run for its number.

They concern the commit that the table names, and only the function that is named there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.published import decoders, diffusion
from benchmarks.published.cases import BD3, CHAIN, DATA, DINFER, DLLM, FAST, KLASS, OPEN, THREE
from benchmarks.published.sources import Checkout
from sims import output_distribution
from sims.conformance import exact_distribution
from sims.policies import DrawThenKeep
from theory import MASK, JointTable, MarkovChain

__all__ = ["FAULTS", "Fault"]

LENGTHS = range(2, 41)
DRAWS = 200_000


@dataclass(frozen=True)
class Fault:
    """A measurement.

    Attributes
    ----------
    repository, sampler, setting : str
        As of a `Case`.
    measure : callable
        From a checkout to what was found: numbers, and under "found" what they say.
    """

    repository: str
    sampler: str
    setting: str
    measure: Callable[[Checkout], dict[str, Any]]


def _last_batches(make: Callable[..., Any], code: Checkout) -> dict[str, Any]:
    """How many sites each step reveals, with as many steps as sites."""
    sizes = {}
    for length in LENGTHS:
        p = MarkovChain([0.4, 0.6], [[0.7, 0.3], [0.4, 0.6]], length)
        masked: list[int] = []
        sampler = make(
            code, p, alg="entropy", temperature=0.0, watch=partial(_count, masked, p.vocab)
        )
        sampler(1)
        sizes[length] = (-np.diff([*masked, 0])).tolist()
    least = min(batches[-1] for batches in sizes.values())
    return {
        "verdict": "noted",
        "sizes": sizes[4],
        "least_last": least,
        "found": f"batches {tuple(sizes[4])} for 4 sites; for 2 to 40 sites the last one has at "
        f"least {least}",
    }


def _count(masked: list[int], mask_id: int, ids: Any) -> None:
    masked.append(int((ids == mask_id).sum()))


def _left_masked(code: Checkout) -> dict[str, Any]:
    """What the last step, at time 0, gives a site that is masked still."""
    p, shares = JointTable([0, 1]), {}
    for steps in (3, 16):
        torch.manual_seed(0)
        sampler = diffusion.bd3(code, p, steps=steps, block=2, first_hitting=False)
        shares[steps] = float((sampler(DRAWS)[:, -1] != 1).double().mean())
    three, sixteen = shares.values()
    return {
        "verdict": "noted",
        "shares": shares,
        "found": f"of {DRAWS:,} draws of one site, where token 1 is certain, {three:.3f} are left "
        f"to the last of 3 steps, and {sixteen:.4f} to that of 16; they get token 0",
    }


def _least_certain(code: Checkout) -> dict[str, Any]:
    """Which site is revealed first, and the entropies of all predictions."""
    p, shown = DATA[THREE](), []
    sampler = decoders.klass(code, p, alg="entropy", watch=lambda ids: shown.append(ids.clone()))
    sampler(1)
    predictions = np.asarray(p.denoise([[MASK] * p.length]))[0]
    entropies = [float(-(row * np.log(row)).sum()) for row in predictions]
    (first,) = np.flatnonzero((shown[1] != 126336)[0].numpy())
    listed = ", ".join(f"{entropy:.3f}" for entropy in entropies)
    return {
        "verdict": "noted",
        "first": int(first),
        "entropies": entropies,
        "found": f"of sites whose predictions have entropies {listed} the one with "
        f"{entropies[first]:.3f} is revealed first",
    }


def _near_ties(code: Checkout) -> dict[str, Any]:
    """How many calls a chain takes whose predictions tie."""
    p = DATA[CHAIN]()
    q = exact_distribution(decoders.dinfer(code, p, threshold=0.95), p)
    policy = output_distribution(p, DrawThenKeep(threshold=0.95))
    return {
        "verdict": "noted",
        "calls": float(q.expected_rounds),
        "calls_policy": float(policy.expected_rounds),
        "tv_data": float(q.tv),
        "tv_data_policy": float(policy.tv),
        "found": f"{q.expected_rounds:.2f} calls and TV {q.tv:.3f} to the data, where one at a "
        f"time takes {policy.expected_rounds:.2f} and has {policy.tv:.3f}",
    }


_dream = partial(decoders.dream, path="dllm/pipelines/dream/models/generation_utils.py")
_fast_dream = partial(decoders.dream, path="dream/model/generation_utils.py")

FAULTS = [
    Fault(DLLM, "Dream: entropy", "as many steps as sites", partial(_last_batches, _dream)),
    Fault(FAST, "Dream: entropy", "as many steps as sites", partial(_last_batches, _fast_dream)),
    Fault(OPEN, "entropy", "as many steps as sites", partial(_last_batches, decoders.open_dllm)),
    Fault(BD3, "_semi_ar_sampler", "first_hitting off (it is on by default)", _left_masked),
    Fault(KLASS, "llada_klass.py, the baseline alg = entropy", "T = 0", _least_certain),
    Fault(
        DINFER,
        "get_transfer_index_threshold",
        "threshold 0.95, chain of four, flip .1: none reaches it, and all tie to 1e-5",
        _near_ties,
    ),
]
