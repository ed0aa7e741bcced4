"""Models written in torch: as denoisers by `from_logits`, and as denoisers that answer in torch.

``make clients`` runs them, in an environment of its own; where torch is not there they are skipped.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from sims import (
    Perturbed,
    decode,
    estimate_path_kl,
    from_logits,
    order,
    output_distribution,
    path_nll,
    policies,
    split,
)
from tests.noted import each, refusals
from theory import MASK, InvalidInput, JointTable, MarkovChain, forward, information
from theory.validation.probabilities import as_predictions

torch = pytest.importorskip("torch")

P = JointTable(np.arange(27).reshape(3, 3, 3) * 7 % 11 + 1)
PATTERNS = np.asarray([[MASK, MASK, MASK], [0, MASK, 2], [1, 1, MASK]])
FLOATS = {
    "float64": 1e-14,  # what probabilities may be off by: rounding of the logits
    "float32": 1e-6,
    "bfloat16": 5e-2,
    "float16": 5e-3,
}


class Network(torch.nn.Module):
    """An embedding of all ids, a layer over the whole sequence, and dropout."""

    def __init__(self, length=3, vocab=3, width=None, dtype="float32", seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.shape = (length, width or vocab + 1)
        self.embed = torch.nn.Embedding(vocab + 1, 4)
        self.mix = torch.nn.Linear(4 * length, math.prod(self.shape))
        self.drop = torch.nn.Dropout(0.5)
        self.to(getattr(torch, dtype))
        self.eval()

    def forward(self, ids):
        hidden = self.drop(torch.tanh(self.embed(ids).flatten(1)))
        return self.mix(hidden).unflatten(1, self.shape)


def by_hand(network, x, vocab):
    """The same network in NumPy and double precision, and the softmax of its first logits."""
    weights = {name: w.detach().double().numpy() for name, w in network.named_parameters()}
    embedded = weights["embed.weight"][np.where(x == MASK, vocab, x)]
    hidden = np.tanh(embedded).reshape(len(x), weights["mix.weight"].shape[1])
    logits = hidden @ weights["mix.weight"].T + weights["mix.bias"]
    logits = logits.reshape(len(x), *network.shape)
    raised = np.exp(logits[..., :vocab])
    return raised / raised.sum(axis=-1, keepdims=True)


# From logits


@each(("dtype", "allowed"), FLOATS.items())
def test_a_module_of_any_precision(dtype, allowed):
    network = Network(dtype=dtype)
    answer = from_logits(network, mask_id=3)(PATTERNS)
    assert (type(answer), answer.dtype) == (np.ndarray, np.float64)
    np.testing.assert_allclose(answer.sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(answer, by_hand(network, PATTERNS, 3), rtol=0, atol=allowed)


@each(("batch", "length", "vocab"), [(1, 1, 1), (1, 5, 2), (4, 1, 7), (3, 6, 2), (0, 2, 2)])
@each("more", [0, 1, 5])
def test_shapes(batch, length, vocab, more):
    network = Network(length, vocab, width=vocab + more)
    x = np.random.default_rng(0).integers(-1, vocab, size=(batch, length))
    answer = from_logits(network, mask_id=vocab, vocab=vocab)(x)
    assert answer.shape == (batch, length, vocab)
    np.testing.assert_allclose(answer, by_hand(network, x, vocab), rtol=0, atol=1e-6)


def test_the_softmax_is_taken_in_double_precision():
    """4,096 equal logits in half precision."""

    class Equal(torch.nn.Module):
        def forward(self, ids):
            return torch.ones((*ids.shape, 4096), dtype=torch.bfloat16)

    answer = from_logits(Equal().eval(), mask_id=4096)(PATTERNS)  # it has no parameters
    np.testing.assert_allclose(answer, 1 / 4096, rtol=1e-13)


def test_a_module_sees_ids_and_needs_no_gradients():
    seen = []

    class Watching(Network):
        def forward(self, ids):
            seen.append((ids.tolist(), ids.dtype, torch.is_grad_enabled(), ids.device))
            answer = super().forward(ids)
            ids.zero_()  # its own
            return answer

    network, x = Watching(), PATTERNS.copy()
    x.flags.writeable = False
    answer = from_logits(network, mask_id=3)(x)
    ids = [[3, 3, 3], [0, 3, 2], [1, 1, 3]]
    assert seen == [(ids, torch.int64, False, network.mix.weight.device)]
    assert (x == PATTERNS).all()
    np.testing.assert_allclose(answer, by_hand(network, PATTERNS, 3), atol=1e-6)
    assert torch.is_grad_enabled()
    assert all(weight.grad is None for weight in network.parameters())


@each(
    "wrap",
    [
        lambda logits: logits,
        lambda logits: SimpleNamespace(logits=logits, loss=None),
        lambda logits: (logits, None),
        lambda logits: logits.detach().numpy(),
        lambda logits: logits.transpose(1, 2).contiguous().transpose(1, 2),
    ],
    ids=["tensor", "object", "tuple", "array", "strides"],
)
def test_a_function_of_arrays_whose_answer_has_gradients(wrap):
    network = Network()

    def model(ids):
        assert isinstance(ids, np.ndarray)
        answer = network(torch.asarray(ids))
        assert answer.requires_grad
        return wrap(answer)

    found = from_logits(model, mask_id=3)(PATTERNS)
    assert (found == from_logits(network, mask_id=3)(PATTERNS)).all()


@each("wrap", [lambda y: SimpleNamespace(logits=y), lambda y: (y, "hidden")])
def test_a_module_with_an_object_or_a_tuple(wrap):
    class Wrapped(Network):
        def forward(self, ids):
            return wrap(super().forward(ids))

    found = from_logits(Wrapped(), mask_id=3)(PATTERNS)
    assert (found == from_logits(Network(), mask_id=3)(PATTERNS)).all()


def test_training_mode_is_refused_before_and_after():
    network = Network()
    denoiser = from_logits(network, mask_id=3)
    first = denoiser(PATTERNS)
    network.train()
    for call in (lambda: denoiser(PATTERNS), lambda: from_logits(network, mask_id=3)):
        with pytest.raises(InvalidInput, match=r"training mode.*model\.eval\(\)"):
            call()
    network.eval()
    assert (denoiser(PATTERNS) == first).all()


def test_a_function_that_translates_ids():
    """Tokens 0, 1, 2 of the data are 5, 1, 4 of the model, and its mask is 2."""
    network, own_id = Network(vocab=6), np.asarray([5, 1, 4, 2])

    def model(ids):
        with torch.inference_mode():
            return network(torch.asarray(own_id[ids]))[..., own_id]

    ids = np.where(PATTERNS == MASK, 2, own_id[PATTERNS])
    expected = by_hand(network, ids, 6)[..., own_id[:3]]
    expected = expected / expected.sum(axis=-1, keepdims=True)
    found = from_logits(model, mask_id=3)(PATTERNS)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


# Denoisers that answer with torch probabilities


def probabilities(network, dtype):
    """From patterns to probabilities in torch, gradients included."""

    def denoiser(x):
        ids = torch.from_numpy(x)  # takes no array that is read-only without a warning
        logits = network(torch.where(ids == MASK, network.shape[1] - 1, ids))[..., :-1]
        return torch.softmax(logits.double(), dim=-1).to(getattr(torch, dtype))

    return denoiser


@each(("dtype", "allowed"), FLOATS.items())
def test_a_denoiser_may_answer_in_torch(dtype, allowed):
    """It is divided by its sums in float64, so that what is written sums to 1."""
    network = Network()
    denoiser = probabilities(network, dtype)
    raw = denoiser(PATTERNS)
    assert raw.requires_grad
    assert raw.dtype == getattr(torch, dtype)
    rows = as_predictions(raw, PATTERNS, 3)
    assert (type(rows), rows.dtype) == (np.ndarray, np.float64)
    masked = PATTERNS == MASK
    np.testing.assert_allclose(rows[masked].sum(axis=-1), 1, rtol=1e-15)
    expected = by_hand(network, PATTERNS, 3)[masked]
    np.testing.assert_allclose(rows[masked], expected, rtol=0, atol=max(allowed, 1e-6))


DENOISERS = {
    "logits": lambda network: from_logits(network, mask_id=3),
    "float64": lambda network: probabilities(network, "float64"),
    "float32": lambda network: probabilities(network, "float32"),
}
POLICIES = [
    policies.TopK(2),
    policies.LeftToRight(),
    policies.RandomOrder((1, 2)),
    policies.Threshold(0.5),
]
each_denoiser = each("make", DENOISERS.values(), ids=DENOISERS)
each_policy = each("policy", POLICIES, ids=repr)


def as_numpy(network):
    """The denoiser that the network is, without torch: an observed token is certain."""

    def denoiser(x):
        return np.where((x == MASK)[..., None], by_hand(network, x, 3), np.eye(3)[x])

    return denoiser


@each_denoiser
@each("policy", [*POLICIES, policies.Speculative(), policies.GibbsCorrector(None, 1)], ids=repr)
@each("temperature", [1, 0.5])
def test_output_distributions(make, policy, temperature):
    network = Network()
    found = output_distribution(P, policy, temperature, denoiser=make(network))
    expected = output_distribution(P, policy, temperature, denoiser=as_numpy(network))
    np.testing.assert_allclose(found.table, expected.table, rtol=0, atol=1e-5)
    assert found.kl == pytest.approx(expected.kl, abs=1e-5)


@each_denoiser
@each_policy
def test_the_parts_and_their_estimates(make, policy):
    denoiser, rng = make(Network()), np.random.default_rng(0)
    exact = split(P, policy, denoiser=denoiser)
    expected = split(P, policy, denoiser=as_numpy(Network()))
    found = estimate_path_kl(P, policy, rng, 400, denoiser=denoiser)
    for name in ("learning", "factorisation"):
        value, estimate = getattr(exact, name), getattr(found, name)
        assert value == pytest.approx(getattr(expected, name), abs=1e-5)
        assert abs(estimate.mean - value) <= 4 * estimate.error + 1e-9
    nll = path_nll(P.sample(rng, 400), policy, denoiser, rng)
    assert abs(nll.mean - information.entropy(P) - exact.path_kl) < 4 * nll.error


@each_denoiser
def test_samples_orders_prompts_and_losses(make):
    network = Network()
    denoiser, plain = make(network), as_numpy(network)

    def written(f):
        rng = np.random.default_rng(0)
        return decode(P, policies.TokenConfidence(1), rng, 100, denoiser=f).tokens

    assert (written(denoiser) == written(plain)).all()
    for call in (
        lambda f: order(P, policies.TopK(1), denoiser=f).kendall,
        lambda f: split(P, policies.TopK(2), denoiser=f, prompt=[MASK, 1, MASK]).path_kl,
        lambda f: forward.loss_by_pattern(P, f),
    ):
        np.testing.assert_allclose(call(denoiser), call(plain), rtol=0, atol=1e-5)


def test_a_long_chain_through_a_network():
    """64 sites: a module whose logits are the right ones but for the temperature."""
    p = MarkovChain([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], 64)

    class Chain(torch.nn.Module):
        def forward(self, ids):
            x = np.where(ids.numpy() == 2, MASK, ids.numpy())
            return torch.log(torch.asarray(p.denoise(x))).to(torch.float32) / 0.5

    found, expected = (
        estimate_path_kl(p, policies.TopK(4), np.random.default_rng(0), 20, denoiser=f)
        for f in (from_logits(Chain().eval(), mask_id=2), Perturbed(p, temperature=0.5))
    )
    assert found.kl.mean == pytest.approx(expected.kl.mean, abs=1e-4)
    assert found.learning.mean == pytest.approx(expected.learning.mean, abs=1e-4)
    assert found.learning.mean > 1


# Bad input


def asked(answer):
    return output_distribution(P, policies.TopK(1), denoiser=answer)


def ones(x, *, dtype="float32", vocab=3):
    return torch.ones((*x.shape, vocab), dtype=getattr(torch, dtype))


test_refused = refusals(
    (
        r"row 0 for site 0 sum to 3 \(0.0001 is taken for rounding\).*softmax.*from_logits",
        asked,
        [ones, lambda x: ones(x, dtype="float64").requires_grad_()],
    ),
    (r"sum to 3 \(0.05 is", asked, [lambda x: ones(x, dtype="bfloat16")]),
    (r"sum to 3 \(0.01 is", asked, [lambda x: ones(x, dtype="float16")]),
    ("hold -1", asked, [lambda x: torch.asarray([2.0, 0, -1]).expand(*x.shape, 3)]),
    ("nan", asked, [lambda x: ones(x) * math.nan]),
    (r"shape \(1, 3, 4\) for .* expected \(1, 3, 3\)", asked, [lambda x: ones(x, vocab=4)]),
    ("complex", asked, [lambda x: ones(x, dtype="complex64")]),
    ("tuple, not an array.*from_logits", asked, [lambda x: (ones(x),)]),
    ("Namespace, not an array.*from_logits", asked, [lambda x: SimpleNamespace(logits=ones(x))]),
    (
        r"logits of shape \(1, 3\) for ids of shape \(1, 3\)",
        lambda: asked(from_logits(lambda ids: torch.zeros(ids.shape), mask_id=3)),
    ),
    (
        "row 0, site 0, token 0 is nan",
        lambda: asked(from_logits(lambda ids: ones(ids) * math.nan, mask_id=3)),
    ),
    (
        r"shape \(B, L, V\), got \(1, 3\)",
        lambda f: path_nll([[0, 1, 2], [1, 1, 1]], policies.TopK(1), f, np.random.default_rng(0)),
        [lambda x: torch.zeros(x.shape)],
    ),
)


def test_nobody_is_handed_what_warns_in_torch():
    """`torch.from_numpy` of a read-only array warns, and warnings are errors here."""
    x = np.zeros(1)
    x.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        torch.from_numpy(x)
    q = output_distribution(P, policies.TopK(2), denoiser=probabilities(Network(), "float64"))
    assert q.table.sum() == pytest.approx(1)
