"""Samplers of large masked models, as functions n -> tokens (n, L).

Each function takes a checkout, the data and settings; the sampler's own are handed on by their
names there. It says which file runs, and what the model has to look like. What their authors call
a model, a tokenizer, a configuration is given by the few names that their samplers look at.
"""

import functools
from types import SimpleNamespace
from typing import Any

import torch  # pyright: ignore[reportMissingImports]

from benchmarks.published.sources import Checkout
from sims.conformance.torch import TorchOracle

__all__ = [
    "dinfer",
    "dllm",
    "dream",
    "fast_dllm",
    "halton",
    "klass",
    "llada",
    "maskgit",
    "open_dllm",
    "sdar",
]

module = functools.cache(Checkout.module)
"""Each file is imported once."""


def _prompts(n: int, prompt: tuple[int, ...]) -> Any:
    return torch.tensor(prompt, dtype=torch.long).repeat(n, 1)


def llada(code: Checkout, p: Any, *, prompt: Any = (), ids: Any = None, **settings: Any) -> Any:
    """``generate`` of generate.py; as many steps as sites, and one block, unless said.

    `ids` are names of the oracle's own, to have tokens and the mask at other numbers.
    """
    generate = module(code, "generate.py", without=("transformers",)).generate
    model = TorchOracle(p, prompt=prompt, **(ids or {}))
    usual = {"steps": p.length, "block_length": p.length, "mask_id": model.mask_id}

    def sampler(n: int) -> Any:
        start = _prompts(n, model.prompt)
        return generate(model, start, gen_length=p.length, **usual | settings)

    return sampler


def fast_dllm(
    code: Checkout, p: Any, *, cache: str = "", path: str = "llada/generate.py", **settings: Any
) -> Any:
    """The three functions of llada/generate.py: `cache` is empty, "prefix" or "dual".

    The keys and values that the oracle gives out are the tokens, so a cache is what was known when
    it was made.
    """
    generating = module(code, path, without=("transformers", "model"))
    function = getattr(generating, f"generate_with_{cache}_cache" if cache else "generate")
    model = TorchOracle(p)
    usual = {"steps": p.length, "block_length": p.length, "mask_id": model.mask_id}

    def sampler(n: int) -> Any:
        return function(model, _prompts(n, ()), gen_length=p.length, **usual | settings)[0]

    return sampler


def dream(code: Checkout, p: Any, *, path: str, watch: Any = None, **settings: Any) -> Any:
    """``_sample`` of a copy of Dream's generation_utils.py, with a first token and shifted logits.

    `watch` is called with the ids that the model is shown, before each call.
    """
    dreaming = module(code, path, without=("transformers",))
    model = _with_mixin(TorchOracle(p, prompt=(0,), shift=True), dreaming.DreamGenerationMixin)
    _watched(model, watch)
    config = dreaming.DreamGenerationConfig(
        mask_token_id=model.mask_id, max_length=1 + p.length, **_dream_settings(p, settings)
    )

    def sampler(n: int) -> Any:
        return model._sample(
            _prompts(n, model.prompt),
            attention_mask=None,
            generation_config=config,
            generation_tokens_hook_func=lambda step, x, logits: x,
            generation_logits_hook_func=lambda step, x, logits: logits,
        )

    return sampler


def open_dllm(code: Checkout, p: Any, *, watch: Any = None, **settings: Any) -> Any:
    """``_mdm_sample`` of qwen2/generation_utils.py, with a first token and shifted logits."""
    path = "veomni/models/transformers/qwen2/generation_utils.py"
    generating = module(code, path, without=("transformers",))
    model = _with_mixin(TorchOracle(p, prompt=(0,), shift=True), generating.MDMGenerationMixin)
    _watched(model, watch)
    named = {"mask_token_id": model.mask_id, "max_length": 1 + p.length}
    config = SimpleNamespace(
        output_history=False, return_dict_in_generate=False, **named, **_dream_settings(p, settings)
    )

    def sampler(n: int) -> Any:
        masked = (n, p.length)
        x = torch.cat([_prompts(n, model.prompt), torch.full(masked, model.mask_id)], dim=1)
        return model._mdm_sample(x, None, config)

    return sampler


def _dream_settings(p: Any, settings: dict[str, Any]) -> dict[str, Any]:
    usual = {"alg": "origin", "alg_temp": 0.0, "temperature": 1.0, "top_p": None, "top_k": None}
    return {"steps": p.length, "eps": 1e-3, **usual} | settings


def _with_mixin(model: Any, mixin: Any) -> Any:
    """The oracle with the methods that samplers add to a model."""
    model.__class__ = type("Model", (type(model), mixin), {})
    return model


def _watched(model: Any, watch: Any) -> None:
    """Let a function see the ids of each call."""

    def before(module: Any, given: Any, named: Any) -> None:
        watch(given[0] if given else named["input_ids"])

    if watch is not None:
        model.register_forward_pre_hook(before, with_kwargs=True)


def dllm(code: Checkout, p: Any, *, kind: str, path: str, prompt: Any = (), **settings: Any) -> Any:
    """``sample`` of the class `kind` in the file `path`, on no or equal prompts."""
    others = (
        "dllm/core/samplers/base.py",
        "dllm/core/samplers/utils.py",
        "dllm/core/schedulers/__init__.py",
        "dllm/core/schedulers/alpha.py",
        "dllm/core/schedulers/kappa.py",
    )
    sampling = module(code, path, *others, without=("transformers",))
    model = TorchOracle(p, prompt=prompt)
    names = SimpleNamespace(mask_token_id=model.mask_id, eos_token_id=0, bos_token_id=0)
    usual = {"max_new_tokens": p.length, "block_size": p.length, "temperature": 1.0}
    own = getattr(sampling, kind)(model, names)

    def sampler(n: int) -> Any:
        return own.sample(list(_prompts(n, model.prompt)), **usual | settings)

    return sampler


def sdar(code: Checkout, p: Any, **settings: Any) -> Any:
    """``block_diffusion_generate`` of generate.py; its cache is the one of transformers."""
    generating: Any = module(code, "generate.py", without=("transformers",))
    generating.DynamicCache = _Cache
    model = TorchOracle(p)
    usual = {"block_length": p.length, "denoising_steps": p.length, "temperature": 1.0}

    def sampler(n: int) -> Any:
        named = {"mask_id": model.mask_id, "gen_length": p.length} | usual | settings
        return generating.block_diffusion_generate(model, {"input_ids": _prompts(n, ())}, **named)

    return sampler


class _Cache:
    """Keys and values of one layer, appended when they are stored."""

    def __init__(self) -> None:
        self.layers: list[Any] = []

    def update(self, keys: Any, values: Any, layer: int) -> None:
        if self.layers:
            keys = torch.cat([self.layers[0].keys, keys], dim=2)
            values = torch.cat([self.layers[0].values, values], dim=2)
        self.layers = [SimpleNamespace(keys=keys, values=values)]


def klass(code: Checkout, p: Any, *, watch: Any = None, **settings: Any) -> Any:
    """``stable_confident_decode`` of llada_klass.py, whose mask is 126336."""
    decode = module(code, "src/model/llada_klass.py").stable_confident_decode
    model = TorchOracle(p, mask_id=126336)
    _watched(model, watch)
    usual = {"steps": p.length, "block_length": p.length, "temperature": 0.0}

    def sampler(n: int) -> Any:
        return decode(model, None, _prompts(n, ()), gen_length=p.length, **usual | settings)[0]

    return sampler


def dinfer(code: Checkout, p: Any, *, threshold: float, temperature: float = 1.0) -> Any:
    """``decode`` of a ThresholdParallelDecoder, called until nothing is masked: one block."""
    files = ("python/dinfer/decoding/parallel_strategy.py", "python/dinfer/decoding/utils.py")
    parallel = module(code, *files, root="python", without=("transformers", "vllm", "sglang"))
    model = TorchOracle(p)
    decoder = parallel.ThresholdParallelDecoder(
        temperature, threshold, mask_id=model.mask_id, use_float64=True
    )

    def sampler(n: int) -> Any:
        x = torch.full((n, p.length), model.mask_id)
        while (x == model.mask_id).any():
            decoder.decode(model(x).logits, 0, p.length, x)
        return x

    return sampler


def halton(code: Checkout, p: Any, **settings: Any) -> Any:
    """``HaltonSampler`` of halton_sampler.py on a square of sites; no guidance."""
    own = module(code, "Sampler/halton_sampler.py").HaltonSampler(w=0, **settings)
    return _of_images(own, p, square=True)


def maskgit(code: Checkout, p: Any, **settings: Any) -> Any:
    """``ConfidenceSampler`` of confidence_sampler.py on a square of sites; no guidance."""
    own = module(code, "Sampler/confidence_sampler.py").ConfidenceSampler
    return _of_images(own(w=0, **{"step": p.length} | settings), p, square=False)


def _of_images(own: Any, p: Any, square: bool) -> Any:
    """What a sampler of images makes of a trainer that has our model and keeps the codes.

    One sequence alone does not go through ``ConfidenceSampler``; a second one is written already.
    """
    side, model, kept = round(p.length**0.5), TorchOracle(p, floor=-1e30), {}

    class Network:
        def eval(self) -> None:
            pass

        train = eval

        def __call__(self, code: Any, labels: Any, drop: Any = None, drop_label: Any = None) -> Any:
            return model(code.reshape(len(code), -1)).logits[..., : p.vocab]

    def decode_code(code: Any) -> Any:
        kept["code"] = code
        return torch.zeros(1)

    args = {"use_ema": False, "device": "cpu", "mask_value": p.vocab, "codebook_size": p.vocab}
    trainer = SimpleNamespace(
        args=SimpleNamespace(**args),
        input_size=side,
        ae=SimpleNamespace(decode_code=decode_code),
        autocast=torch.no_grad(),
        vit=Network(),
    )

    def sampler(n: int) -> Any:
        code = torch.zeros(max(n, 2), p.length, dtype=torch.long)
        code[:n] = p.vocab
        labels = torch.zeros(len(code), dtype=torch.long)
        start = code.reshape(-1, side, side) if square else code
        own(trainer, init_code=start, nb_sample=len(code), labels=labels, verbose=False)
        return kept["code"].reshape(len(code), -1)[:n]

    return sampler
