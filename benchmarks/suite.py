"""All kernels, each timed beside its floors, its naive versions and its peers."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from benchmarks import (
    decoders,
    fading,
    families,
    floors,
    lattices,
    optimum,
    profiles,
    proofs,
    samplers,
    tables,
)
from benchmarks.case import Case, Skipped, measured
from benchmarks.peers.installed import versions

Kernel = Callable[[bool], Iterator[Case | Skipped] | Iterator[Case]]

LATTICES = (
    lattices.lattice,
    lattices.conditionals,
    lattices.denoise,
    lattices.exact,
)
TABLES = (tables.entropies, tables.one_pattern, tables.evidence_of_few, tables.total_correlation)
FAMILIES = (families.markov, families.chain_network, families.chain_evidence, families.empirical)
PROFILES = (profiles.exchangeable, profiles.long_chain, profiles.best_schedule)
FADING = (fading.far_chain, fading.far_hidden, fading.decision)
DECODERS = (decoders.decode, decoders.frontier, optimum.in_rounds, decoders.monte_carlo)
KERNELS: dict[str, Kernel] = {
    kernel.__name__.replace("_", "-"): kernel
    for kernel in (
        *(*LATTICES, *TABLES, *FAMILIES, *PROFILES, *FADING, *DECODERS),
        samplers.enumeration,
        proofs.certificates,
    )
}


def run(
    names: list[str], quick: bool, repeats: int, watch: Callable[[str], None]
) -> tuple[dict[str, Any], bool]:
    """Results of the kernels of these names, and whether all answers agreed.

    `watch` is told what begins.
    """
    watch("floors")
    rates = floors.rates(quick, repeats)
    lines, agreed = [], True
    for name in names:
        watch(name)
        try:
            for case in KERNELS[name](quick):
                watch(f"{name}, {case.size}")
                if quick and isinstance(case, Case):
                    case = replace(case, targets=())  # those are for the full sizes
                lines.append(measured(case, repeats))
        except AssertionError as difference:
            agreed = False
            print(f"{name}: the answers differ\n{difference}", file=sys.stderr)
    return {"floors": rates, "peers": versions(), "lines": lines}, agreed
