"""The main paths on another backend: its arrays in, its arrays out, the host's numbers.

Everywhere on a strict array backend with a second device, and with CuPy where there is a GPU.
"""

from typing import Any

import numpy as np
import pytest

from sims import output_distribution, policies
from tests.cases import CASES, each_of, to_device1
from theory import MASK, EvidenceLattice, forward, information
from theory._core.arrays import array_namespace, device, to_host

EACH = each_of(CASES)
SOME = each_of(CASES[::4])


def to_gpu(values):
    import cupy  # pyright: ignore[reportMissingImports]

    return cupy.asarray(values)


@pytest.fixture(params=["device1", pytest.param("cupy", marks=pytest.mark.cupy)])
def there(request):
    """Puts values on the other backend."""
    return {"device1": to_device1, "cupy": to_gpu}[request.param]


def same_place(x, like):
    return array_namespace(x) is array_namespace(like) and device(x) == device(like)


@EACH
def test_predictions_and_evidence(case, there):
    host, away = case.build(), case.build(there)
    x = np.indices((host.vocab + 1,) * host.length).reshape(host.length, -1).T - 1
    for method in ("denoise", "evidence", "log_evidence"):
        options = {"on_impossible": "marginal"} if method == "denoise" else {}
        expected = getattr(host, method)(x, **options)
        for tokens in (x, there(x)):
            found = getattr(away, method)(tokens, **options)
            assert same_place(found, away.like)
            np.testing.assert_allclose(to_host(found), expected, rtol=1e-12, atol=1e-14)


@EACH
def test_samples_are_those_of_the_host(case, there):
    host, away = case.build(), case.build(there)
    drawn = away.sample(np.random.default_rng(0), 50)
    assert same_place(drawn, away.like)
    assert (to_host(drawn) == host.sample(np.random.default_rng(0), 50)).all()


@EACH
def test_tables_information_and_loss(case, there):
    host, away = case.build(), case.build(there)
    assert same_place(away.table(), away.like)
    for function in (information.entropy, information.total_correlation, information.profile):
        found: Any = function(away)
        np.testing.assert_allclose(to_host(found), function(host), rtol=1e-11, atol=1e-12)
    levels = [1.0, 0.5, 0.0]
    assert np.isclose(float(forward.nelbo(away, levels)), forward.nelbo(host, levels))
    sizes = (1,) * host.length
    assert output_distribution(away, policies.RandomOrder(sizes)).kl < 1e-12


TABLES = ("subset_entropies", "mean_entropies", "profile", "gains")
NUMBERS = {
    "entropy": lambda p, x: information.entropy(p, given=x),
    "entropy of the ends": lambda p, x: information.entropy(p, {0, p.length - 1}),
    "total correlation": lambda p, x: information.total_correlation(p, given=x, base=2),
    "dual total correlation": lambda p, x: information.dual_total_correlation(p),
    "growth complexity": lambda p, x: information.growth_complexity(p),
    "path cost": lambda p, x: information.path_cost(p, (p.length,)),
    "gain": lambda p, x: information.gain_curve(p)(0.5),
    "divergence": lambda p, x: information.kl_divergence(
        p.table(), p.table() / 2 + 0.5 / p.vocab**p.length
    ),
}


@SOME
def test_information_stays_where_it_is_computed(case, there):
    """Tables as arrays beside the distribution; single numbers as scalars of any kind."""
    host, away = case.build(), case.build(there)
    for name in TABLES:
        found, expected = getattr(information, name)(away), getattr(information, name)(host)
        assert same_place(found, away.like), name
        np.testing.assert_allclose(to_host(found), expected, rtol=1e-10, atol=1e-12)
    likely = np.unravel_index(np.argmax(host.table()), host.table().shape)
    x = np.asarray([int(likely[0])] + [MASK] * (host.length - 1))
    for name, function in NUMBERS.items():
        found, expected = function(away, there(x)), function(host, x)
        assert found is not None
        assert np.isclose(float(found), float(expected), rtol=1e-10, atol=1e-12), name


@SOME
def test_lattices_stay_where_their_tables_are(case, there):
    host, away = case.build().lattice(), case.build(there).lattice()
    pairs = [(away.values, host.values), (away.subset_entropies(), host.subset_entropies())]
    pairs += [(away.conditionals(i), host.conditionals(i)) for i in range(host.length)]
    for found, expected in pairs:
        assert same_place(found, away.numerators)
        np.testing.assert_allclose(to_host(found), expected, rtol=1e-10, atol=1e-12)


def test_a_lattice_of_a_million_cells(there):
    weights = np.random.default_rng(0).random((3,) * 10)
    host, away = EvidenceLattice(weights), EvidenceLattice(there(weights))
    assert same_place(away.values, there(weights))
    np.testing.assert_allclose(to_host(away.values), host.values, rtol=1e-11)
