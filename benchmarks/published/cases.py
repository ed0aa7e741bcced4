"""What is put on trial: samplers with their settings, the data, and the policy that each should be.

A case whose policy is None is only compared with the data. Batches of Dream's copies for three
sites in three steps are (0, 1, 2), see `benchmarks.published.faults`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.published import decoders, diffusion
from sims import Sampling
from sims.policies import (
    Bernoulli,
    Blocks,
    DrawThenKeep,
    Editing,
    FirstHitting,
    FixedOrder,
    LeftToRight,
    PathPlanning,
    RandomOrder,
    Remask,
    RemaskLoop,
    TokenConfidence,
    TopK,
)
from sims.policies.observed_sites import Observed
from theory import JointTable, gallery
from theory.distributions import Distribution

__all__ = ["CASES", "DATA", "Case"]


def _random(vocab: int, length: int, zeros: bool = False) -> JointTable:
    """Weights from a gamma distribution of shape 1/2; with zeros about a third of them are 0."""
    rng = np.random.default_rng(0)
    weights = rng.gamma(0.5, size=(vocab,) * length)
    return JointTable(weights * (rng.random(weights.shape) > 0.35) if zeros else weights)


DATA: dict[str, Callable[[], Distribution]] = {
    "random, V=2 L=2": lambda: _random(2, 2),
    "random, V=2 L=3": lambda: _random(2, 3),
    "random, V=2 L=4": lambda: _random(2, 4),
    "random, V=3 L=3": lambda: _random(3, 3),
    "random, V=3 L=4": lambda: _random(3, 4),
    "zeros, V=3 L=3": lambda: _random(3, 3, zeros=True),
    "chain, flip .1, L=4": lambda: gallery.binary_symmetric(4, 0.1),
}


@dataclass(frozen=True)
class Case:
    """One sampler with its settings.

    Attributes
    ----------
    sampler, setting : str
        What the table says.
    repository : str
        ``owner/name``.
    data : str
        A name in `DATA`.
    make : callable
        From a checkout and data to n -> tokens.
    policy : Decoder or None
        What it should be.
    given : mapping
        Arguments of `output_distribution` for the policy.
    paths, draws : int
        As for `check`; with 0 paths it is drawn from.
    tolerance : float
        TV that is taken for rounding.
    note : str
        "ties" if predictions tie on these data: it is also run nearby, without ties.
    by_convention : callable or None
        The policy for each convention for predictions at observed sites, if these are read.
    """

    sampler: str
    setting: str
    repository: str
    data: str
    make: Callable[..., Any]
    policy: Any = None
    given: Mapping[str, Any] = field(default_factory=dict)
    paths: int = 100_000
    draws: int = 40_000
    tolerance: float = 1e-5
    note: str = ""
    by_convention: Callable[[Observed], Any] | None = None


def _of(make: Callable[..., Any], **settings: Any) -> Callable[..., Any]:
    return lambda code, p: make(code, p, **settings)


LLADA, FAST, DLLM = "ML-GSAI/LLaDA", "NVlabs/Fast-dLLM", "ZHZisZZ/dllm"
OPEN, SDAR, MDLM = "pengzhangzhi/Open-dLLM", "JetAstra/SDAR", "kuleshov-group/mdlm"
REMDM, RADD, BD3 = "kuleshov-group/remdm", "ML-GSAI/RADD", "kuleshov-group/bd3lms"
IMAGES, DINFER, KLASS = "valeoai/Halton-MaskGIT", "inclusionAI/dInfer", "shkim0116/KLASS"
HALF = 1e-3
"""Of probabilities in float16."""

TWO, THREE, FOUR = "random, V=2 L=2", "random, V=2 L=3", "random, V=2 L=4"
LARGE, CHAIN = "random, V=3 L=3", "chain, flip .1, L=4"

_plain = {"kind": "MDLMSampler", "path": "dllm/core/samplers/mdlm.py", "steps": 3}
_llada2 = {"kind": "LLaDA2Sampler", "path": "dllm/pipelines/llada2/sampler.py"}
_llada21 = {"kind": "LLaDA21Sampler", "path": "dllm/pipelines/llada21/sampler.py"}
_dream = "dllm/pipelines/dream/models/generation_utils.py"
_fast_dream = "dream/model/generation_utils.py"
_remdm = {"steps": 3, "predictor": "ddpm_cache"}
_looping = {"sampler": "remdm-loop", "t_on": 0.7, "t_off": 0.3, "alpha_on": 0.5, "eta": 0.2}
_thirds = (0, Fraction(1, 3), Fraction(2, 3), 1)
_halves = (0, 0.5, 1)
_dream_halves = (0, 0.4995, 1)
"""Dream's times end at 1/1000: half of the way there."""

CASES = [
    # LLaDA
    Case(
        "low_confidence",
        "T = 1",
        LLADA,
        LARGE,
        _of(decoders.llada, temperature=1.0),
        TokenConfidence(1),
    ),
    Case(
        "low_confidence",
        "T = 1",
        LLADA,
        "random, V=3 L=4",
        _of(decoders.llada, temperature=1.0),
        TokenConfidence(1),
    ),
    Case(
        "low_confidence",
        "T = 1",
        LLADA,
        "zeros, V=3 L=3",
        _of(decoders.llada, temperature=1.0),
        TokenConfidence(1),
    ),
    Case(
        "low_confidence",
        "T = 0.5: the score is not tempered",
        LLADA,
        LARGE,
        _of(decoders.llada, temperature=0.5),
        TokenConfidence(1),
        {"temperature": 0.5},
    ),
    Case(
        "low_confidence",
        "T = 2",
        LLADA,
        LARGE,
        _of(decoders.llada, temperature=2.0),
        TokenConfidence(1),
        {"temperature": 2},
    ),
    Case(
        "low_confidence",
        "T = 0",
        LLADA,
        LARGE,
        _of(decoders.llada, temperature=0.0),
        TopK(1),
        {"temperature": 0},
    ),
    Case(
        "low_confidence",
        "mask id 9 of 11, a prompt of two",
        LLADA,
        THREE,
        _of(decoders.llada, temperature=1.0, prompt=(1, 0), ids={"mask_id": 9, "vocab_size": 11}),
        TokenConfidence(1),
    ),
    Case(
        "low_confidence",
        "3 steps for 4 sites",
        LLADA,
        FOUR,
        _of(decoders.llada, temperature=1.0, steps=3),
        TokenConfidence(sizes=(2, 1, 1)),
    ),
    Case(
        "low_confidence",
        "2 steps for 4 sites",
        LLADA,
        FOUR,
        _of(decoders.llada, temperature=1.0, steps=2),
        TokenConfidence(2),
    ),
    Case(
        "low_confidence",
        "blocks of 2",
        LLADA,
        FOUR,
        _of(decoders.llada, temperature=1.0, block_length=2),
        Blocks(2, TokenConfidence(1)),
    ),
    Case(
        "random",
        "T = 1",
        LLADA,
        THREE,
        _of(decoders.llada, temperature=1.0, remasking="random"),
        RandomOrder((1, 1, 1)),
    ),
    Case(
        "low_confidence",
        "T = 1, tied predictions",
        LLADA,
        CHAIN,
        _of(decoders.llada, temperature=1.0),
        TokenConfidence(1),
        note="ties",
    ),
    # Fast-dLLM
    Case(
        "low_confidence",
        "T = 1",
        FAST,
        THREE,
        _of(decoders.fast_dllm, temperature=1.0),
        TokenConfidence(1),
    ),
    Case(
        "threshold",
        "0.6, T = 1",
        FAST,
        THREE,
        _of(decoders.fast_dllm, temperature=1.0, threshold=0.6),
        DrawThenKeep(threshold=0.6),
    ),
    Case(
        "prefix cache",
        "blocks of 2, T = 1",
        FAST,
        FOUR,
        _of(decoders.fast_dllm, temperature=1.0, block_length=2, cache="prefix"),
        Blocks(2, TokenConfidence(1)),
        paths=0,
        draws=20_000,
    ),
    Case(
        "dual cache",
        "blocks of 2, T = 1",
        FAST,
        FOUR,
        _of(decoders.fast_dllm, temperature=1.0, block_length=2, cache="dual"),
        Blocks(2, TokenConfidence(1)),
        paths=0,
        draws=20_000,
    ),
    # Dream, in two copies
    Case(
        "Dream: origin",
        "2 steps",
        DLLM,
        THREE,
        _of(decoders.dream, path=_dream, steps=2),
        Bernoulli(_dream_halves),
    ),
    Case(
        "Dream: entropy",
        "3 steps",
        DLLM,
        THREE,
        _of(decoders.dream, path=_dream, alg="entropy"),
        TopK(sizes=(0, 1, 2), score="entropy"),
    ),
    Case(
        "Dream: topk_margin",
        "3 steps",
        DLLM,
        THREE,
        _of(decoders.dream, path=_dream, alg="topk_margin"),
        TopK(sizes=(0, 1, 2), score="margin"),
    ),
    Case(
        "Dream: entropy",
        "3 steps",
        FAST,
        THREE,
        _of(decoders.dream, path=_fast_dream, alg="entropy"),
        TopK(sizes=(0, 1, 2), score="entropy"),
    ),
    Case(
        "Dream: maskgit_plus",
        "3 steps, T = 0.5: the score is tempered",
        FAST,
        THREE,
        _of(decoders.dream, path=_fast_dream, alg="maskgit_plus", temperature=0.5),
        DrawThenKeep(sizes=(0, 1, 2), score="tempered"),
        {"temperature": 0.5},
    ),
    Case(
        "Dream: maskgit_plus",
        "3 steps, alg_temp 0.5",
        DLLM,
        THREE,
        _of(decoders.dream, path=_dream, alg="maskgit_plus", alg_temp=0.5),
        DrawThenKeep(sizes=(0, 1, 2), noise=0.5, noise_on="score"),
    ),
    # Open-dLLM
    Case(
        "entropy",
        "3 steps",
        OPEN,
        THREE,
        _of(decoders.open_dllm, alg="entropy"),
        TopK(sizes=(0, 1, 2), score="entropy"),
    ),
    Case(
        "maskgit_plus",
        "3 steps, alg_temp 0.5",
        OPEN,
        THREE,
        _of(decoders.open_dllm, alg="maskgit_plus", alg_temp=0.5),
        DrawThenKeep(sizes=(0, 1, 2), noise=0.5, noise_on="score"),
    ),
    Case(
        "p2",
        "3 steps, T = 1",
        OPEN,
        THREE,
        _of(decoders.open_dllm, alg="p2"),
        by_convention=lambda observed: PathPlanning(3, observed),
    ),
    # dllm
    Case(
        "MDLMSampler: low_confidence",
        "T = 1",
        DLLM,
        LARGE,
        _of(decoders.dllm, **_plain),
        TokenConfidence(1),
    ),
    Case(
        "MDLMSampler: random",
        "T = 1",
        DLLM,
        THREE,
        _of(decoders.dllm, remasking="random", **_plain),
        RandomOrder((1, 1, 1)),
    ),
    Case(
        "LLaDA2Sampler",
        "threshold 0.6, T = 0.5: the score is tempered",
        DLLM,
        THREE,
        _of(decoders.dllm, threshold=0.6, steps_per_block=3, **_llada2 | {"temperature": 0.5}),
        DrawThenKeep(threshold=0.6, score="tempered"),
        {"temperature": 0.5},
    ),
    Case(
        "LLaDA21Sampler",
        "one a step, edits above 0.6, T = 1",
        DLLM,
        TWO,
        _of(decoders.dllm, threshold=2.0, editing_threshold=0.6, max_post_steps=1, **_llada21),
        by_convention=lambda observed: Editing(TokenConfidence(1), 0.6, 3, observed),
    ),
    # SDAR
    Case(
        "sequential",
        "T = 1",
        SDAR,
        THREE,
        _of(decoders.sdar, remasking_strategy="sequential"),
        LeftToRight(),
    ),
    Case(
        "low_confidence_static",
        "blocks of 2",
        SDAR,
        FOUR,
        _of(
            decoders.sdar,
            remasking_strategy="low_confidence_static",
            block_length=2,
            denoising_steps=2,
        ),
        Blocks(2, TokenConfidence(1)),
    ),
    Case(
        "low_confidence_dynamic",
        "threshold 0.6, T = 0.5: the score is tempered",
        SDAR,
        THREE,
        _of(
            decoders.sdar,
            remasking_strategy="low_confidence_dynamic",
            confidence_threshold=0.6,
            temperature=0.5,
        ),
        DrawThenKeep(threshold=0.6, score="tempered"),
        {"temperature": 0.5},
    ),
    # dInfer
    Case(
        "ThresholdParallelDecoder",
        "threshold 0.6, T = 1",
        DINFER,
        THREE,
        _of(decoders.dinfer, threshold=0.6),
        DrawThenKeep(threshold=0.6),
    ),
    # Diffusion in steps of time
    Case("ddpm", "2 steps", MDLM, THREE, _of(diffusion.mdlm, steps=2), Bernoulli(_halves)),
    Case(
        "ddpm_cache",
        "2 steps",
        MDLM,
        THREE,
        _of(diffusion.mdlm, steps=2, predictor="ddpm_cache"),
        Bernoulli(_halves),
    ),
    Case(
        "analytic",
        "2 steps",
        MDLM,
        THREE,
        _of(diffusion.mdlm, steps=2, predictor="analytic"),
        Bernoulli(_halves),
    ),
    Case(
        "remdm-rescale",
        "3 steps, eta 0.5",
        REMDM,
        TWO,
        _of(diffusion.mdlm, sampler="remdm-rescale", eta=0.5, **_remdm),
        Remask(_thirds, 0.5),
    ),
    Case(
        "remdm-cap",
        "3 steps, eta 0.2",
        REMDM,
        TWO,
        _of(diffusion.mdlm, sampler="remdm-cap", eta=0.2, **_remdm),
        Remask(_thirds, cap=Fraction(1, 5)),
    ),
    Case(
        "remdm-loop",
        "4 steps, eta 0.2, alpha_on 0.5",
        REMDM,
        TWO,
        _of(diffusion.mdlm, **_looping, **(_remdm | {"steps": 4})),
        RemaskLoop(4, 0.7, 0.3, 0.5, Fraction(1, 5)),
    ),
    Case(
        "remdm-conf",
        "3 steps",
        REMDM,
        TWO,
        _of(diffusion.mdlm, sampler="remdm-conf", dtype=torch.bfloat16, **_remdm),
    ),
    Case(
        "direct",
        "2 steps",
        RADD,
        TWO,
        _of(diffusion.radd, steps=2),
        Bernoulli(_halves),
        tolerance=HALF,
    ),
    Case(
        "top_p",
        "0.8, 2 steps",
        RADD,
        TWO,
        _of(diffusion.radd, steps=2, strategy="top_p", para=0.8),
        Bernoulli(_halves),
        {"temperature": Sampling(top_p=0.8)},
        tolerance=HALF,
    ),
    Case(
        "ordered",
        "sites 2, 0, 1",
        RADD,
        THREE,
        _of(diffusion.radd, steps=3, order=[2, 0, 1]),
        FixedOrder((2, 0, 1)),
        tolerance=HALF,
    ),
    Case(
        "first hitting",
        "one block",
        BD3,
        THREE,
        _of(diffusion.bd3, steps=5000, block=4),
        FirstHitting(),
        draws=20_000,
    ),
    # Images
    Case(
        "MaskGIT",
        "no noise, 4 steps",
        IMAGES,
        FOUR,
        _of(decoders.maskgit, randomize="no"),
        TokenConfidence(1),
    ),
    Case(
        "MaskGIT",
        "noise 1, linear",
        IMAGES,
        FOUR,
        _of(decoders.maskgit, randomize="linear", r_temp=1.0),
        DrawThenKeep(sizes=(1, 1, 1, 1), score="tempered", noise=(1, 2 / 3, 1 / 3, 0)),
    ),
    Case(
        "MaskGIT",
        "noise 4.5, linear",
        IMAGES,
        FOUR,
        _of(decoders.maskgit, randomize="linear", r_temp=4.5),
        DrawThenKeep(sizes=(1, 1, 1, 1), score="tempered", noise=(4.5, 3, 1.5, 0)),
    ),
    Case(
        "Halton",
        "2 steps",
        IMAGES,
        FOUR,
        _of(decoders.halton, step=2),
        FixedOrder((2, 1, 0, 3), (1, 3)),
    ),
    Case(
        "Halton",
        "4 steps",
        IMAGES,
        FOUR,
        _of(decoders.halton, step=4),
        FixedOrder((2, 1, 0, 3)),
    ),
]
"""In the order of the table."""
