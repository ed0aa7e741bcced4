"""pgmpy: queries to a Bayesian network."""

import itertools

import numpy as np

from benchmarks.peers.installed import load
from benchmarks.timing import Call
from theory import MASK


def chain_queries(
    initial: np.ndarray, transition: np.ndarray, x: np.ndarray, sites: list[int]
) -> Call:
    """Distribution of some masked sites of a chain given the observed ones, by elimination."""
    vocab, names = len(initial), [f"x{i}" for i in range(len(x))]
    table = load("pgmpy.factors.discrete").TabularCPD
    network = load("pgmpy.models").DiscreteBayesianNetwork(list(itertools.pairwise(names)))
    network.add_cpds(table(names[0], vocab, initial[:, None]))
    for before, name in itertools.pairwise(names):
        network.add_cpds(table(name, vocab, transition.T, [before], [vocab]))
    elimination = load("pgmpy.inference").VariableElimination(network)
    seen = {names[i]: int(v) for i, v in enumerate(x) if v != MASK}

    def call() -> list[np.ndarray]:
        answers = [elimination.query([names[i]], evidence=seen, show_progress=False) for i in sites]
        return [answer.values for answer in answers]

    return call
