"""Samplers of diffusion in steps of time, as functions n -> tokens (n, L).

As in `benchmarks.published.decoders`. The classes of MDLM, ReMDM and BD3-LM are modules of
lightning with a configuration file: the attributes that sampling reads are set, and the network is
replaced by the oracle, in float64 where theirs is cast to float32.
"""

import functools
from types import SimpleNamespace
from typing import Any

import torch  # pyright: ignore[reportMissingImports]

from benchmarks.published.sources import Checkout
from sims.conformance.torch import TorchOracle

__all__ = ["bd3", "mdlm", "radd"]

module = functools.cache(Checkout.module)

LIGHTNING = (
    "dataloader",
    "datasets",
    "fsspec",
    "hydra",
    "lightning",
    "metrics",
    "models",
    "omegaconf",
    "torchmetrics",
    "transformers",
    "utils",
)


def _diffusion(code: Checkout, model: Any, **attributes: Any) -> tuple[Any, Any]:
    """An instance of ``Diffusion`` that was never initialised, and its configuration."""
    diffusion = module(code, "diffusion.py", "noise_schedule.py", without=LIGHTNING)
    instance = object.__new__(type("Trial", (diffusion.Diffusion,), {"dtype": torch.float64}))
    values = {
        "backbone": lambda x, sigma, **ignored: model(x).logits,
        "device": torch.device("cpu"),
        "mask_index": model.mask_id,
        "neg_infinity": -1e6,
        "noise": diffusion.noise_schedule.LogLinearNoise(),
        "parameterization": "subs",
        "subs_masking": False,
        "T": 0,
        "time_conditioning": False,
        "vocab_size": model.config.vocab_size,
    }
    for name, value in (values | attributes).items():
        object.__setattr__(instance, name, value)
    return instance, instance.config


def mdlm(
    code: Checkout,
    p: Any,
    *,
    steps: int,
    predictor: str = "ddpm",
    eps: float = 1e-5,
    dtype: Any = torch.float64,
    **sampling: Any,
) -> Any:
    """``_sample`` of diffusion.py in MDLM, and in ReMDM with ``sampler="remdm-cap"`` and the like.

    `predictor` is ddpm, ddpm_cache or analytic; the last step takes the most probable tokens.
    remdm-conf wants a model in bfloat16.
    """
    model = TorchOracle(p, floor=-1e30, dtype=dtype)
    usual = {"sampler": "mdlm", "dfm": False, "noise_removal": True, "nucleus_p": 1.0}
    config = SimpleNamespace(
        sampling=SimpleNamespace(steps=steps, predictor=predictor, **usual | sampling),
        noise=SimpleNamespace(type="loglinear"),
        model=SimpleNamespace(length=p.length),
        loader=SimpleNamespace(eval_batch_size=1),
    )
    instance, config = _diffusion(code, model, sampler=predictor, config=config)

    def sampler(n: int) -> Any:
        config.loader.eval_batch_size = n
        return instance._sample(num_steps=steps, eps=eps)

    return sampler


def bd3(code: Checkout, p: Any, *, steps: int, block: int, first_hitting: bool = True) -> Any:
    """``_semi_ar_sampler`` of diffusion.py; its first site is the begin of sequence."""
    model = TorchOracle(p, prompt=(0,), floor=-1e30)
    length = 1 + p.length
    sampling = {"kv_cache": False, "nucleus_p": 1.0, "var_length": False}
    config = SimpleNamespace(
        algo=SimpleNamespace(name="bd3lm"),
        loader=SimpleNamespace(eval_batch_size=1),
        model=SimpleNamespace(length=length),
        sampling=SimpleNamespace(first_hitting=first_hitting, **sampling),
    )
    instance, _ = _diffusion(
        code,
        model,
        block_size=block,
        config=config,
        cross_attn=True,
        ignore_bos=True,
        num_tokens=length,
        sampler="semi_ar",
        tokenizer=SimpleNamespace(bos_token_id=0),
    )

    def sampler(n: int) -> Any:
        return instance._semi_ar_sampler(n, steps, length // block, length)[0]

    return sampler


def radd(
    code: Checkout,
    p: Any,
    *,
    steps: int,
    strategy: str = "direct",
    para: float | None = None,
    order: list[int] | None = None,
) -> Any:
    """``DiffusionSampler`` of sampling.py, or with an `order` ``OrderedSampler``."""
    files = ("sampling.py", "catsample.py", "noise_lib.py")
    sampling = module(code, *files)
    noise = module(code, "noise_lib.py").LogLinearNoise()
    oracle = TorchOracle(p, dtype=torch.float16)  # in which DiffusionSampler keeps them

    class Model:
        dtype = oracle.dtype

        def eval(self) -> None:
            pass

        def logits(self, x: Any) -> Any:
            return oracle(x).logits

        def __call__(self, x: Any) -> Any:
            return oracle(x).logits

    def sampler(n: int) -> Any:
        shape, width = (n, p.length), oracle.config.vocab_size
        if order is None:
            given = ("tweedie", Model(), noise, shape, width, strategy, para)
            own = sampling.DiffusionSampler(*given, device="cpu")
        else:
            given = (Model(), shape, width, strategy, para, torch.tensor(order))
            own = sampling.OrderedSampler(*given, device="cpu")
        return own.sample(steps)

    return sampler
