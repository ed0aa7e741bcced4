"""Samplers written in torch on a perfect model: every form of noise, and what cannot be enumerated.

The expected distributions are computed here from their definitions, or by the policies of `sims`.
"""

import doctest
import itertools
import math
import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sims import output_distribution, policies
from sims.conformance import NotEnumerable, Oracle, answering, exact_distribution
from tests.noted import each, refusals
from theory import InvalidInput, JointTable, gallery

torch = pytest.importorskip("torch")

import sims.conformance.torch  # noqa: E402
from sims.conformance.torch import TorchOracle  # noqa: E402

dists, F = torch.distributions, torch.nn.functional

P = JointTable(np.arange(1, 28).reshape(3, 3, 3) ** 3 % 101 + 1)  # without ties
PAIR = JointTable([[3, 1, 2], [2, 5, 1], [1, 4, 6]])
BITS = JointTable(np.arange(8).reshape(2, 2, 2) * 3 % 7 + 1)
EXACT = {"rtol": 0, "atol": 2e-15}


def test_the_examples_in_docstrings():
    found = doctest.testmod(sims.conformance.torch, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 3
    assert found.failed == 0


def test_torch_is_not_imported_by_what_does_without_it():
    code = "import sys, sims.conformance; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# The model


def every_pattern(p, mask):
    codes = itertools.product([*range(p.vocab), mask], repeat=p.length)
    return torch.tensor(list(codes))


@each("settings", [{}, {"mask_id": 7}, {"mask_id": 5, "vocab_size": 9}, {"floor": -50.0}], ids=str)
@each("observed", ["one-hot", "leave-one-out", "flat"])
def test_the_model_answers_what_the_oracle_answers(settings, observed):
    model = TorchOracle(P, observed=observed, **settings)
    ids = every_pattern(P, model.config.mask_token_id)
    answer = model(ids, None, attention_mask="full", use_cache=False, position_ids=ids)
    expected = Oracle(P, observed=observed, **settings)(ids.numpy()).logits
    assert answer.logits.shape == (64, 3, model.config.vocab_size)
    assert (answer.logits.numpy() == expected).all()
    assert answer[0] is answer.logits
    assert model.calls == 1
    with answering(observed="flat"):
        assert (
            model(ids).logits.numpy() == Oracle(P, observed="flat", **settings)(ids.numpy()).logits
        ).all()


def test_it_looks_like_a_network():
    model = TorchOracle(P, mask_id=9, vocab_size=12)
    assert isinstance(model, torch.nn.Module)
    assert not model.training
    assert model.eval() is model
    assert (model.dtype, model.device) == (torch.float64, torch.device("cpu"))
    assert next(model.parameters()).device == model.device
    assert (model.config.vocab_size, model.config.mask_token_id) == (12, 9)
    assert (
        model.config.pad_token_id is model.config.eos_token_id is model.config.bos_token_id is None
    )
    assert "mask_id=9" in repr(model)


@each("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_logits_are_rounded_once(dtype):
    ids = every_pattern(P, 3)
    exact = TorchOracle(P)(ids).logits
    for model in (TorchOracle(P, dtype=dtype), TorchOracle(P).to(dtype)):
        assert model.dtype == dtype
        found = model(ids).logits
        assert found.dtype == dtype
        assert (found == exact.to(dtype)).all()


def test_prompts_and_shifted_logits():
    ids = every_pattern(P, 3)
    ahead = torch.tensor([[11, 4]]).repeat(len(ids), 1)
    expected = TorchOracle(P)(ids).logits
    model = TorchOracle(P, prompt=(11, 4))
    assert (model(torch.cat([ahead, ids], 1)).logits[:, 2:] == expected).all()
    shifted = TorchOracle(P, prompt=(11, 4), shift=True)
    assert (shifted(torch.cat([ahead, ids], 1)).logits[:, 1:-1] == expected).all()


def test_ids_in_a_cache_are_what_the_answer_is_conditioned_on():
    """A prefix, a block that is replaced in the middle, and a prefix that was cut too long."""
    model, ids = TorchOracle(P), every_pattern(P, 3)
    first = model(ids, use_cache=True)
    ((keys, values),) = first.past_key_values
    assert keys.shape == values.shape == (64, 1, 3, 1)
    other = ids[torch.arange(64) * 37 % 64]
    for cut in (1, 3):  # what overlaps is replaced
        cache = [(keys[:, :, :cut], values[:, :, :cut])]
        answer = model(other[:, 1:], past_key_values=cache, use_cache=True)
        whole = torch.cat([ids[:, :1], other[:, 1:]], 1)
        assert (answer.logits == model(whole).logits[:, 1:]).all()
        assert (answer.past_key_values[0][0][:, 0, :, 0] == whole).all()
    replaced = torch.zeros(64, 3, dtype=torch.bool)
    replaced[:, 1] = True
    answer = model(other[:, 1:2], past_key_values=first.past_key_values, replace_position=replaced)
    whole = torch.cat([ids[:, :1], other[:, 1:2], ids[:, 2:]], 1)
    assert (answer.logits == model(whole).logits[:, 1:2]).all()


def test_a_cache_object_is_added_to_when_asked():
    class Cache:
        def __init__(self):
            self.layers = []

        def update(self, keys, values, layer):
            assert layer == 0
            if self.layers:
                keys = torch.cat([self.layers[0].keys, keys], 2)
            self.layers = [SimpleNamespace(keys=keys, values=values)]

    model, cache = TorchOracle(P), Cache()
    ids = torch.tensor([[1, 3, 3]])
    model(ids[:, :1], past_key_values=cache)
    again = [model(ids[:, 1:2], past_key_values=cache, store_kv=False).logits for _ in range(2)]
    assert (again[0] == model(ids).logits[:, 1:2]).all()
    assert (again[1] == again[0]).all()
    assert cache.layers[0].keys.shape == (1, 1, 1, 1)


# Tokens: each form of a draw from softmax(logits / T)


def uniform_like(x):
    return torch.rand_like(x)


def in_place(x):
    noise = torch.empty_like(x)
    noise.exponential_(1.0)
    return noise


def guarded(x):
    return -torch.log(-torch.log(torch.rand_like(x).clamp_(min=1e-20, max=1 - 1e-12)))


def added(scores, more=None):
    kept = scores
    scores += guarded(scores) if more is None else more
    return kept


def inverted(p):
    u = torch.rand(*p.shape[:-1], 1, dtype=p.dtype)
    return (p.cumsum(-1)[..., :-1] < u).sum(-1)


def searched(p):
    edges = p.cumsum(-1)[..., :-1].contiguous()
    return torch.searchsorted(edges, torch.rand(*p.shape[:-1], 1, dtype=p.dtype)).squeeze(-1)


def multinomial(p, **others):
    return torch.multinomial(p.flatten(0, 1), 1, **others).view(p.shape[:-1])


DRAWS = {
    "multinomial": lambda y: multinomial(y.softmax(-1)),
    "multinomial, generator": lambda y: multinomial(y.softmax(-1), generator=torch.Generator()),
    "method": lambda y: y.softmax(-1).flatten(0, 1).multinomial(1).view(y.shape[:-1]),
    "powers of exponentials": lambda y: (y.exp() / (-uniform_like(y).log()) ** 1.0).argmax(-1),
    "float32": lambda y: (y.exp() / -torch.log(torch.rand(y.shape))).argmax(dim=-1),
    "guarded in both logarithms": lambda y: (
        y.softmax(-1) / (1e-10 - (torch.rand_like(y) + 1e-10).log())
    ).argmax(-1),
    "Gumbel": lambda y: (y - torch.log(-torch.log(torch.rand_like(y)))).argmax(-1),
    "Gumbel, clamped": lambda y: (y + guarded(y)).argmax(-1),
    "1 - u": lambda y: (y - (-(1 - torch.rand_like(y)).log()).log()).argmax(-1),
    "log1p": lambda y: (y - (-torch.log1p(-torch.rand_like(y))).log()).argmax(-1),
    "exponentials in place": lambda y: (y.softmax(-1) / in_place(y)).argmax(-1),
    "exponentials, smallest": lambda y: (torch.empty_like(y).exponential_() / y.exp()).argmin(-1),
    "uniform in place": lambda y: (y - (-torch.empty_like(y).uniform_().log()).log()).argmax(-1),
    "powers of uniforms": lambda y: (torch.rand_like(y) ** (1 / y.exp())).argmax(-1),
    "Categorical, probabilities": lambda y: dists.Categorical(probs=y.softmax(-1)).sample(),
    "Categorical, logits": lambda y: dists.Categorical(logits=y).sample(),
    "distribution Gumbel": lambda y: (y + dists.Gumbel(0.0, 1.0).sample(y.shape)).argmax(-1),
    "gumbel_softmax, hard": lambda y: F.gumbel_softmax(y, hard=True).argmax(-1),
    "gumbel_softmax": lambda y: F.gumbel_softmax(y, tau=0.7).argmax(-1),
    "softmax of scores": lambda y: torch.softmax((y + guarded(y)) / 2, dim=-1).argmax(-1),
    "cumulative sums": lambda y: inverted(y.softmax(-1)),
    "searchsorted": lambda y: searched(y.softmax(-1)),
    "added in place": lambda y: added(y.clone()).argmax(-1),
    "added to noise": lambda y: added(guarded(y), y).argmax(-1),
    "without gradients": torch.inference_mode()(
        lambda y: (y.softmax(-1) / torch.empty_like(y).exponential_()).argmax(-1)
    ),
    "topk": lambda y: (y + guarded(y)).topk(1).indices.squeeze(-1),
    "sort": lambda y: torch.sort(y + guarded(y), descending=True)[1][..., 0],
    "argsort": lambda y: (y + guarded(y)).argsort(dim=-1)[..., -1],
    "max": lambda y: torch.max(y + guarded(y), dim=-1, keepdim=True)[1][..., 0],
}


def marginals(p, temperature=1.0):
    """softmax(log p_i / T) of each site, by hand."""
    table = p.table()
    sums = [table.sum(axis=tuple({*range(p.length)} - {i})) for i in range(p.length)]
    powers = [m ** (1 / temperature) for m in sums]
    return [m / m.sum() for m in powers]


def product(rows):
    table = np.ones(())
    for row in rows:
        table = np.multiply.outer(table, row)
    return table


def all_masked(model, n):
    return torch.full((n, model.oracle.p.length), model.mask_id)


def at_once(draw, model, temperature=1.0):
    """All sites drawn in one round."""
    return lambda n: draw(model(all_masked(model, n)).logits[..., :3] / temperature)


@each("draw", DRAWS.values(), ids=DRAWS)
def test_tokens(draw):
    for temperature in (1.0, 0.5, 2.0):
        q = exact_distribution(at_once(draw, TorchOracle(PAIR), temperature), PAIR)
        np.testing.assert_allclose(q.table, product(marginals(PAIR, temperature)), **EXACT)
        assert q.rounds == {1: pytest.approx(1)}
        assert (q.missing, q.outside) == (0, 0)


@each("temperature", [1.0, 0.5, 3.0])
def test_a_temperature_in_the_noise(temperature):
    def draw(y):
        return (y.exp() / (-torch.log(torch.rand_like(y))) ** temperature).argmax(-1)

    q = exact_distribution(at_once(draw, TorchOracle(PAIR)), PAIR)
    np.testing.assert_allclose(q.table, product(marginals(PAIR, temperature)), **EXACT)


def test_no_noise_is_left_at_temperature_0():
    def draw(y):
        return (y + 0.0 * guarded(y)).argmax(-1)

    q = exact_distribution(at_once(draw, TorchOracle(PAIR)), PAIR)
    assert q.paths == 1
    assert q.table.max() == 1


def test_weights_are_those_that_the_sampler_computed():
    """bfloat16 probabilities, drawn from as they are."""

    def draw(y):
        p = y.softmax(-1).to(torch.bfloat16)
        return (p / torch.empty_like(p).exponential_()).argmax(-1)

    q = exact_distribution(at_once(draw, TorchOracle(PAIR)), PAIR)
    rounded = [torch.tensor(m).to(torch.bfloat16).double().numpy() for m in marginals(PAIR)]
    expected = product([m / m.sum() for m in rounded])
    np.testing.assert_allclose(q.table, expected, **EXACT)
    assert abs(expected - product(marginals(PAIR))).max() > 1e-4


@each(
    ("weights", "chances"),
    [
        ([2.0, -1e-3, 1.0], [2 / 3, 0, 1 / 3]),
        ([0.0, 0.0, 0.0], [1, 0, 0]),
        ([0.0, -1.0, 1.0], [0, 0, 1]),
        ([1.0, math.nan, math.nan], [0, 1, 0]),
        ([1.0, math.inf, 5.0], [0, 1, 0]),
    ],
)
def test_weights_that_are_no_probabilities(weights, chances):
    """Those below 0 lose against any above; of zeros, and of nan, torch takes the first."""

    def sampler(n):
        w = torch.tensor(weights, dtype=torch.float64).repeat(n, 2, 1)
        return (w / (1e-10 - (torch.rand_like(w) + 1e-10).log())).argmax(-1)

    assert set(sampler(99).unique().tolist()) == set(np.flatnonzero(chances).tolist())
    q = exact_distribution(sampler, PAIR)
    np.testing.assert_allclose(q.table, np.outer(chances, chances), **EXACT)


# Coins


def by_item(p):
    assert len(p) == 1
    return torch.tensor([[torch.rand(1).item() < c for c in p[0].tolist()]])


COINS = {
    "below": lambda p: torch.rand(p.shape) < p,
    "below or equal": lambda p: torch.rand_like(p).le(p),
    "number first": lambda p: p > torch.rand(*p.shape),
    "above": lambda p: torch.rand(p.shape, dtype=torch.float64) >= 1 - p,
    "not below": lambda p: ~(torch.rand_like(p) > p),
    "bernoulli": torch.bernoulli,
    "method": lambda p: p.bernoulli(),
    "probability given": lambda p: torch.cat(
        [torch.bernoulli(p[:, i : i + 1], p=c) for i, c in enumerate(p[0].tolist())], 1
    ),
    "in place": lambda p: torch.empty_like(p).bernoulli_(p),
    "Bernoulli": lambda p: dists.Bernoulli(probs=p).sample(),
    "uniform on another interval": lambda p: torch.empty_like(p).uniform_(-1, 1) < 2 * p - 1,
    "of the uniforms' logarithms": lambda p: torch.rand_like(p).log() < p.log(),
    "sums": lambda p: (torch.rand_like(p) + p) > 1,
    "one by one": by_item,
    "numbers": lambda p: torch.tensor([[1 - torch.rand(()).item() < c for c in p[0].tolist()]]),
    "multiples of a number": lambda p: torch.tensor(
        [[torch.rand(1).item() * 2 - 1 <= 2 * c - 1 for c in p[0].tolist()]]
    ),
    "binomial": lambda p: torch.binomial(torch.ones_like(p), p),
}


@each("toss", COINS.values(), ids=COINS)
def test_coins(toss):
    chances = [0.125, 0.4, 0.7]
    table = product([np.asarray([1 - c, c]) for c in chances])

    def sampler(n):
        return toss(torch.tensor(chances, dtype=torch.float64).repeat(n, 1)).long()

    np.testing.assert_allclose(exact_distribution(sampler, BITS).table, table, **EXACT)


def test_the_same_number_is_not_tossed_twice():
    """``u < .3`` implies ``u < .6``: of the two alone 3/4 are drawn, of both together .3 and .6."""

    def sampler(n):
        u = torch.rand(n, 1)
        return torch.cat([u < 0.3, u < 0.6, u < 0.6], dim=1).long()

    table = exact_distribution(sampler, BITS).table
    np.testing.assert_allclose([table[1, 1, 1], table[0, 1, 1], table[0, 0, 0]], [0.3, 0.3, 0.4])


def test_a_tensor_may_be_filled_again():
    def sampler(n):
        room, bits = torch.empty(n, 1), []
        for chance in (0.25, 0.5, 0.75):
            room.uniform_()
            bits.append(room < chance)
        return torch.cat(bits, dim=1).long()

    expected = product([np.asarray([1 - c, c]) for c in (0.25, 0.5, 0.75)])
    np.testing.assert_allclose(exact_distribution(sampler, BITS).table, expected, **EXACT)


def test_binomial_numbers():
    def sampler(n):
        tosses = dists.Binomial(torch.tensor([2.0, 1.0]), torch.tensor(0.25)).sample((n,))
        return tosses.long()

    expected = np.outer([9 / 16, 6 / 16, 1 / 16], [3 / 4, 1 / 4, 0])
    np.testing.assert_allclose(exact_distribution(sampler, PAIR).table, expected, **EXACT)


# Sets, permutations and integers


def ones_at(index, width=3):
    return torch.zeros(len(index), width, dtype=torch.long).scatter_(1, index, 1)


def in_a_loop(n, choose):
    return torch.stack([choose() for _ in range(n)])


SUBSETS = {
    "topk": lambda n: torch.rand(n, 3).topk(2).indices,
    "least": lambda n: torch.topk(torch.rand(n, 3), k=2, largest=False)[1],
    "argsort": lambda n: torch.rand(n, 3).argsort(dim=1)[:, :2],
    "sort": lambda n: torch.sort(torch.rand(n, 3), dim=-1, descending=True).indices[:, 1:],
    "row by row": lambda n: torch.stack([row.topk(2)[1] for row in torch.rand(n, 3)]),
    "multinomial": lambda n: torch.multinomial(torch.ones(n, 3), 2),
    "multinomial of a row": lambda n: in_a_loop(n, lambda: torch.multinomial(torch.ones(3), 2)),
    "randperm": lambda n: in_a_loop(n, lambda: torch.randperm(3)[:2]),
    "exponential": lambda n: torch.empty(n, 3).exponential_(2.0).argsort(-1)[:, -2:],
}


@each("choose", SUBSETS.values(), ids=SUBSETS)
def test_subsets(choose):
    expected = np.zeros((2, 2, 2))
    expected[0, 1, 1] = expected[1, 0, 1] = expected[1, 1, 0] = 1 / 3
    q = exact_distribution(lambda n: ones_at(choose(n)), BITS)
    np.testing.assert_allclose(q.table, expected, **EXACT)


INTEGERS = {
    "randint": lambda n: torch.randint(0, 3, (n, 1)),
    "from 0": lambda n: torch.randint(3, (n, 1), generator=torch.Generator()),
    "by name": lambda n: torch.randint(low=0, high=3, size=(n, 1)),
    "like": lambda n: torch.randint_like(torch.zeros(n, 1, dtype=torch.long), 3),
    "in place": lambda n: torch.zeros(n, 1, dtype=torch.long).random_(3),
    "in place, from": lambda n: torch.zeros(n, 1, dtype=torch.long).random_(0, 3),
    "floor": lambda n: torch.floor(torch.rand(n, 1) * 3).long(),
    "floor below 0": lambda n: 2 + torch.floor(torch.rand(n, 1) * 3 - 2).long(),
    "long": lambda n: (3 * torch.rand(n, 1)).long(),
    "argmax": lambda n: torch.rand(n, 3).argmax(1, keepdim=True),
}


@each("choose", INTEGERS.values(), ids=INTEGERS)
def test_integers(choose):
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 1] = expected[0, 1, 0] = expected[1, 0, 0] = 1 / 3
    q = exact_distribution(lambda n: ones_at(choose(n)), BITS)
    np.testing.assert_allclose(q.table, expected, **EXACT)


WEIGHTS = [0.5, 0.3, 0.2]
ORDERED = {
    "Gumbel": lambda w: (w.log() + guarded(w)).topk(2)[1],
    "exponentials": lambda w: (torch.empty_like(w).exponential_() / w).argsort(1)[:, :2],
    "multinomial": lambda w: torch.multinomial(w, 2),
    "powers": lambda w: torch.topk(torch.rand_like(w) ** (1 / w), 2).indices,
}


@each("choose", ORDERED.values(), ids=ORDERED)
def test_choices_without_replacement_in_order(choose):
    """Plackett-Luce: the second in proportion to the weights that are left."""
    expected = np.zeros((3, 3))
    for i, j in itertools.permutations(range(3), 2):
        expected[i, j] = WEIGHTS[i] * WEIGHTS[j] / (1 - WEIGHTS[i])

    def sampler(n):
        return choose(torch.tensor(WEIGHTS, dtype=torch.float64).repeat(n, 1))

    np.testing.assert_allclose(exact_distribution(sampler, PAIR).table, expected, **EXACT)


def test_more_than_there_is_are_taken_from_weight_0():
    """As torch does: where two of three weights are 0, the second choice is the first of these."""

    def sampler(n):
        return torch.multinomial(torch.tensor([[0.0, 1.0, 0.0]]).repeat(n, 1), 2)

    assert exact_distribution(sampler, PAIR).table[1, 0] == 1
    with pytest.raises(RuntimeError, match=r"invalid multinomial|sum to zero|probability"):
        exact_distribution(lambda n: torch.multinomial(torch.zeros(n, 3), 1), PAIR)


RESTRICTED = {
    "where": lambda u, m: torch.where(m, u, -torch.inf),
    "method": lambda u, m: u.where(m, torch.tensor(-1.0)),
    "masked_fill": lambda u, m: u.masked_fill(~m, -math.inf),
    "in place": lambda u, m: u.masked_fill_(~m, -1.0),
    "set": lambda u, m: put(u, ~m, -math.inf),
    "set in a part": lambda u, m: [put(u[j], ~m[j], -1.0) for j in range(len(m))] and u,
    "into numbers": lambda u, m: put(torch.full(u.shape, -math.inf), m, u[m]),
    "times": lambda u, m: u * m,
    "minus": lambda u, m: u - 5 * (~m).float(),
}


def put(target, index, value):
    target[index] = value
    return target


@each("restrict", RESTRICTED.values(), ids=RESTRICTED)
def test_random_scores_of_masked_sites_alone(restrict):
    mask = torch.tensor([[True, False, True]])
    expected = np.zeros((2, 2, 2))
    expected[1, 0, 0] = expected[0, 0, 1] = 1 / 2

    def sampler(n):
        return ones_at(restrict(torch.rand(n, 3), mask.repeat(n, 1)).topk(1).indices)

    np.testing.assert_allclose(exact_distribution(sampler, BITS).table, expected, **EXACT)


# Whole samplers


def gumbel_max(y, temperature):
    if temperature == 0:
        return y.argmax(-1)
    return (y.exp() / (-torch.rand_like(y).log()) ** temperature).argmax(-1)


def most_confident(
    model, length, *, k=1, block=None, temperature=1.0, scores="confidence", prompt=()
):
    """Draw all masked sites, keep the k whose draws are the most probable, block by block."""

    @torch.no_grad()
    def sampler(n):
        front = len(prompt)
        x = torch.full((n, front + length), model.mask_id, device=model.device)
        x[:, :front] = torch.tensor(prompt, dtype=torch.long)
        for start in range(front, front + length, block or length):
            end = start + (block or length)
            while (x[:, start:end] == model.mask_id).any():
                masked = x == model.mask_id
                logits = model(x, attention_mask=None).logits
                drawn = gumbel_max(logits, temperature)
                if scores == "random":
                    score = torch.rand(x.shape)
                else:
                    score = logits.softmax(-1).gather(-1, drawn[..., None]).squeeze(-1)
                score[:, end:] = -math.inf
                score = torch.where(masked, score, -math.inf)
                for row in range(n):
                    kept = torch.topk(score[row], k)[1]
                    x[row, kept] = drawn[row, kept]
        return x

    return sampler


LONG = JointTable(np.arange(16).reshape(2, 2, 2, 2) * 5 % 13 + 1)
CASES = {
    "k=1": (P, {}, {}, policies.TokenConfidence(1), 1),
    "cold": (P, {}, {"temperature": 0.5}, policies.TokenConfidence(1), 0.5),
    "greedy": (P, {}, {"temperature": 0}, policies.TopK(1), 0),
    "blocks": (LONG, {}, {"block": 2}, policies.Blocks(2, policies.TokenConfidence(1)), 1),
    "k=2": (LONG, {}, {"k": 2}, policies.TokenConfidence(2), 1),
    "a prompt": (BITS, {"prompt": (1, 0)}, {"prompt": (1, 0)}, policies.TokenConfidence(1), 1),
    "wide": (BITS, {"mask_id": 99, "vocab_size": 120}, {}, policies.TokenConfidence(1), 1),
}


@each(("p", "model", "settings", "policy", "temperature"), CASES.values(), ids=CASES)
def test_the_most_confident_draws(p, model, settings, policy, temperature):
    model = TorchOracle(p, **model)
    q = exact_distribution(most_confident(model, p.length, **settings), p)
    expected = output_distribution(p, policy, temperature)
    np.testing.assert_allclose(q.table, expected.table, **EXACT)
    assert q.expected_rounds == pytest.approx(float(expected.expected_rounds))
    assert q.tv > 0.05


def test_in_random_order_one_by_one_nothing_is_lost():
    q = exact_distribution(most_confident(TorchOracle(BITS), 3, scores="random"), BITS)
    np.testing.assert_allclose(q.table, BITS.table(), **EXACT)


def test_rows_that_are_told_apart_give_what_single_rows_give():
    sampler = most_confident(TorchOracle(BITS), 3)
    many, single = (exact_distribution(sampler, BITS, batch=batch) for batch in (None, 1))
    assert many.widest > 1 == single.widest
    assert many.paths == single.paths
    np.testing.assert_allclose(many.table, single.table, **EXACT)


def ancestral(model, length, chances):
    """Masked sites of all rows in one list, each revealed by a coin; logits are shifted."""

    def sampler(n):
        x = torch.full((n, 1 + length), model.mask_id)
        x[:, 0] = 0
        for chance in chances:
            masked = x == model.mask_id
            logits = model(x).logits
            logits = torch.cat([logits[:, :1], logits[:, :-1]], dim=1)[masked]
            drawn = torch.full((len(logits),), model.mask_id)
            revealed = torch.rand(len(logits)) < chance
            if revealed.any():
                drawn[revealed] = dists.Categorical(logits=logits[revealed]).sample()
            x[masked] = drawn
        return x

    return sampler


def test_ancestral_sampling_of_masked_sites_in_one_list():
    model = TorchOracle(BITS, prompt=(0,), shift=True)
    q = exact_distribution(ancestral(model, 3, [0.5, 1.0]), BITS)
    expected = output_distribution(BITS, policies.Bernoulli((0, 0.5, 1)))
    np.testing.assert_allclose(q.table, expected.table, **EXACT)
    assert q.widest == 1
    np.testing.assert_allclose(
        exact_distribution(ancestral(model, 3, [0.5, 1.0]), BITS, batch=1).table, q.table, **EXACT
    )


def cached(model, length, block, dual):
    """Left to right in blocks, two steps each: the second sees what is cached of the first."""

    def sampler(n):
        x = all_masked(model, n)
        for start in range(0, length, block):
            end = start + block
            answer = model(x, use_cache=True)
            cache, logits = answer.past_key_values, answer.logits
            x[:, start] = dists.Categorical(logits=logits[:, start]).sample()
            if dual:
                where = torch.zeros_like(x, dtype=torch.bool)
                where[:, start:end] = True
                logits = model(
                    x[:, start:end], past_key_values=cache, replace_position=where
                ).logits
            else:
                cache = [tuple(part[:, :, :start] for part in layer) for layer in cache]
                logits = model(x[:, start:], past_key_values=cache).logits
            x[:, start + 1] = dists.Categorical(logits=logits[:, 1]).sample()
        return x

    return sampler


@each("dual", [False, True])
def test_a_perfect_model_loses_nothing_by_a_cache(dual):
    q = exact_distribution(cached(TorchOracle(LONG), 4, 2, dual), LONG)
    np.testing.assert_allclose(q.table, LONG.table(), **EXACT)


def test_another_table_under_the_same_sampler():
    sampler = most_confident(TorchOracle(BITS), 3)
    other = gallery.repeated_bit(3, noise=0.25)
    with answering(p=other):
        q = exact_distribution(sampler, other)
    np.testing.assert_allclose(q.table.sum(), 1, **EXACT)
    assert abs(q.table - exact_distribution(sampler, BITS).table).max() > 0.05


def test_a_mask_that_is_left_is_outside():
    model = TorchOracle(BITS)

    def sampler(n):
        x = all_masked(model, n)
        x[:, 0] = torch.where(torch.rand(n) < 0.25, 0, x[:, 0])
        x[:, 1:] = 1
        return x

    q = exact_distribution(sampler, BITS)
    assert q.outside == pytest.approx(0.75, abs=1e-15)
    assert q.table[0, 1, 1] == pytest.approx(0.25, abs=1e-15)


# What does not change


def test_generators_are_left_alone():
    mine = torch.Generator().manual_seed(3)
    before = torch.get_rng_state(), mine.get_state()

    def sampler(n):
        torch.randint(2, (n,), generator=mine)
        return (torch.rand(n, 3, generator=mine) < 0.5).long()

    exact_distribution(sampler, BITS)
    assert (torch.get_rng_state() == before[0]).all()
    assert (mine.get_state() == before[1]).all()


def test_outside_of_it_torch_is_as_ever():
    exact_distribution(most_confident(TorchOracle(BITS), 3), BITS)
    assert type(torch.rand(2)) is torch.Tensor
    tokens = most_confident(TorchOracle(BITS), 3)(20)
    assert tokens.shape == (20, 3)
    assert set(tokens.unique().tolist()) <= {0, 1}


def test_noise_can_be_looked_at_from_outside():
    seen = []

    def sampler(n):
        u = torch.rand(n, 3, dtype=torch.float32)
        seen.append((u.shape, u.dtype, u.ndim, len(u), u.device.type, isinstance(u, torch.Tensor)))
        seen.append(repr(u))
        seen.append(torch.zeros_like(u, dtype=torch.bool).tolist())
        return ((u.double() < 0.5) & (torch.rand_like(u) < 1)).long()

    exact_distribution(sampler, BITS)
    assert seen[0] == ((1, 3), torch.float32, 2, 1, "cpu", True)
    assert "random numbers" in seen[1]
    assert seen[2] == [[False] * 3]


# What cannot be enumerated


def returns(make):
    """A sampler that makes something and then returns zeros."""

    def sampler(n):
        make(n)
        return torch.zeros(n, 3, dtype=torch.long)

    return sampler


def enumerate_it(make):
    return exact_distribution(returns(make), BITS)


def parts(n):
    u = torch.zeros(n, 6)
    return u[:, :3].exponential_()


def aliases(n):
    u = torch.zeros(n, 6)
    same = u.view(-1)
    u.exponential_()
    return same < 1


def sorted_values(n):
    return torch.rand(n, 3).topk(2).values < 0.5


def asked_again(n):
    u = torch.rand(n, 3)
    u.argmax(1)
    return u < 0.5


test_not_enumerable = refusals(
    ("randn", enumerate_it, [lambda n: torch.randn(n), lambda n: torch.randn_like(torch.ones(n))]),
    ("normal_", enumerate_it, [lambda n: torch.empty(n).normal_()]),
    (
        "normal",
        enumerate_it,
        [lambda n: torch.normal(0.0, 1.0, (n,)), lambda n: dists.Normal(0, 1).sample((n,))],
    ),
    ("poisson", enumerate_it, [lambda n: torch.poisson(torch.ones(n))]),
    (
        "_standard_gamma|_sample_dirichlet",
        enumerate_it,
        [
            lambda n: dists.Gamma(1.0, 1.0).sample((n,)),
            lambda n: dists.Dirichlet(torch.ones(3)).sample((n,)),
        ],
    ),
    ("dropout", enumerate_it, [lambda n: F.dropout(torch.ones(n))]),
    ("random_ without a range", enumerate_it, [lambda n: torch.zeros(n).random_()]),
    ("among 2097152 integers", enumerate_it, [lambda n: torch.randint(2**21, (n,))]),
    ("below 0", enumerate_it, [lambda n: (torch.rand(n) * 3 - 1).long()]),
    ("sum of random numbers and", enumerate_it, [lambda n: torch.rand(n) + torch.rand(n)]),
    ("quotient of random numbers and", enumerate_it, [lambda n: torch.rand(n) / torch.rand(n)]),
    ("sum of random", enumerate_it, [lambda n: torch.rand(n, 3).sum(1)]),
    (
        "values of sorted random",
        enumerate_it,
        [sorted_values, lambda n: torch.rand(n, 2).max(1)[0] + 1],
    ),
    ("after a race", enumerate_it, [asked_again]),
    ("of a softmax of random", enumerate_it, [lambda n: torch.rand(n, 3).softmax(-1) < 0.5]),
    ("into another tensor", enumerate_it, [lambda n: torch.rand(n, out=torch.empty(n))]),
    ("shares its memory", enumerate_it, [parts, torch.inference_mode()(parts), aliases]),
    (
        "value of a random number",
        enumerate_it,
        [lambda n: math.log(torch.rand(1).item()), lambda n: int(torch.rand(1).item() * 3)],
    ),
    ("__float__ of random", enumerate_it, [lambda n: float(torch.rand(1))]),
    ("clamp of random", enumerate_it, [lambda n: torch.ones(n).clamp(torch.rand(n))]),
    (
        "larger or smaller",
        enumerate_it,
        [lambda n: torch.max(torch.rand(n), torch.ones(n)), lambda n: torch.rand(n).max()],
    ),
    (
        "random numbers as an index|getitem",
        enumerate_it,
        [lambda n: torch.arange(3)[torch.rand(1)]],
    ),
    ("numpy of random", enumerate_it, [lambda n: torch.rand(n).numpy()]),
    ("tolist of random", enumerate_it, [lambda n: torch.rand(n).tolist()]),
    ("__bool__ of random", enumerate_it, [lambda n: torch.rand(1) or 1]),
    ("cumsum of random", enumerate_it, [lambda n: torch.rand(n, 3).cumsum(1)]),
    ("numpy.random cannot be", enumerate_it, [lambda n: np.random.random(n)]),  # noqa: NPY002
    ("Python's random cannot be", enumerate_it, [lambda n: random.random()]),
    (
        "a draw from torch cannot be",
        enumerate_it,
        [lambda n: F.rrelu(-torch.ones(3), training=True), lambda n: torch.manual_seed(0)],
    ),
    error=NotEnumerable,
)


def swallowed(n):
    try:
        return torch.randn(n)
    except Exception:
        return torch.zeros(n)


def test_a_failure_that_the_sampler_catches_is_raised_all_the_same():
    """Dream's sampler takes the mode if a draw fails, whatever the reason."""
    with pytest.raises(NotEnumerable, match="randn"):
        enumerate_it(swallowed)


def test_the_place_is_named():
    with pytest.raises(NotEnumerable, match=r"test_torch_conformance\.py:\d+"):
        enumerate_it(lambda n: torch.randn(n))


test_bad_input = refusals(
    (
        "dtype must be a floating-point type of torch",
        lambda dtype: TorchOracle(P, dtype=dtype),
        [torch.int64, np.float32, "float32"],
    ),
    ("hold 4 in row 0 at site 1", lambda: TorchOracle(P)(torch.tensor([[0, 4, 3]]))),
    (r"shape \(1, 4\)", lambda: TorchOracle(P)(torch.tensor([[0, 0, 0, 3]]))),
    ("floating|integers", lambda: TorchOracle(P)(torch.zeros(1, 3))),
)


def test_the_errors_are_the_packages_own():
    assert issubclass(NotEnumerable, ValueError)
    assert not issubclass(NotEnumerable, InvalidInput)
