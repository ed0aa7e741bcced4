"""Peers: found or named, compared before they are timed. The peers of some tests are made up."""

import importlib.util
import sys
import types
from typing import Any

import numpy as np
import pytest

from benchmarks.families import longest_reach, random_chain
from benchmarks.lattices import random_table
from benchmarks.peers import (
    dit_tables,
    hmmlearn_chains,
    installed,
    opt_einsum_contractions,
    pgmpy_networks,
)
from benchmarks.peers.installed import NotInstalled, compared, load
from tests import oracles
from theory import MASK

HERE = {name: importlib.util.find_spec(name) is not None for name in installed.PEERS}


def absent():
    raise NotInstalled("dit")


def test_peers_that_are_not_installed_are_named_once():
    ways, missing = compared([1.0], {"one": absent, "two": absent, "three": lambda: lambda: [1.0]})
    assert [way.name for way in ways] == ["three"]
    assert missing == ("dit",)


def test_wrong_answers_are_found():
    with pytest.raises(AssertionError, match="wrong"):
        compared([1.0, 2.0], {"wrong": lambda: lambda: [1.0, 2.00001]})


def test_a_share_is_kept():
    ways, _ = compared([1.0], {"peer": lambda: lambda: [1.0]}, share=0.5)
    assert ways[0].label == "peer*"


def test_loading(monkeypatch):
    monkeypatch.setitem(sys.modules, "made_up_peer", types.ModuleType("made_up_peer"))
    assert load("made_up_peer") is sys.modules["made_up_peer"]
    with pytest.raises(NotInstalled, match="no_such_peer"):
        load("no_such_peer.models")


def test_a_peer_that_lacks_something_itself_is_not_taken_for_absent(tmp_path, monkeypatch):
    (tmp_path / "broken_peer.py").write_text("import no_such_thing\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_thing"):
        load("broken_peer")


def test_versions_name_all_peers():
    assert set(installed.versions()) == set(installed.PEERS)


def test_the_longest_reach_counts_masks_in_a_row():
    assert longest_reach(np.asarray([MASK, MASK, 0, MASK, 1, MASK, MASK, MASK])) == 3
    assert longest_reach(np.asarray([0, 1])) == 0


# Against the oracles, where the peers are installed; the suite compares them with ours


def needs(name):
    return pytest.mark.skipif(not HERE[name], reason=f"{name} is not installed")


def joint_of(p):
    return {x: float(w) for x, w in np.ndenumerate(p)}


@needs("dit")
@pytest.mark.filterwarnings("ignore")
def test_dit_predicts_a_table():
    p, x = random_table(3, 2), np.asarray([1, MASK, MASK])
    expected: Any = oracles.conditional_marginals(joint_of(p), tuple(x.tolist()), 2)
    np.testing.assert_allclose(dit_tables.predictions(p, x)(), expected[1:])


@needs("hmmlearn")
@needs("pgmpy")
@needs("opt_einsum")
@pytest.mark.filterwarnings("ignore")
def test_peers_agree_on_a_chain():
    chain, x = random_chain(6, 3)
    args = chain.initial, chain.transition
    expected = hmmlearn_chains.posteriors(*args, x, "log")()
    masked = np.flatnonzero(x == MASK).tolist()
    queries = pgmpy_networks.chain_queries(*args, x, masked)()
    np.testing.assert_allclose(queries, expected[masked], rtol=1e-9)
    [evidence] = opt_einsum_contractions.chain_evidence(*args, x[None])()
    [of_table] = opt_einsum_contractions.table_evidence(chain.table(), x[None])()
    np.testing.assert_allclose(evidence, of_table, rtol=1e-9)
