"""The numbers of docs/scale.md: what the next size costs, where exactness ends.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.scale [PART ...]

Each line is the least of some repeats, with the ratio to the size before it. Memory is the peak of
what Python and NumPy allocate, from one more run.
"""

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.chains import equal_steps
from sims import (
    fixed_batches,
    frontier,
    frontier_bounds,
    on_chain,
    output_distribution,
    policies,
)
from theory import EvidenceLattice, HiddenMarkovModel, JointTable, MarkovChain, information

Line = tuple[str, Callable[[], Any], str]
"""What is computed, how, and what there is to say about its size."""


def rows(*shape: int, spread: float = 1.0) -> np.ndarray:
    """Random rows, the same in every run."""
    return np.random.default_rng(0).dirichlet(np.full(shape[-1], spread), shape[:-1])


def table(length: int, vocab: int) -> np.ndarray:
    return rows(1, vocab**length)[0].reshape((vocab,) * length)


def steps(vocab: int, slow: bool) -> np.ndarray:
    """A transition matrix; if slow, it stays where it is 999 times in 1000."""
    return 0.999 * np.eye(vocab) + 0.001 * rows(vocab, vocab) if slow else rows(vocab, vocab)


def chain(length: int, vocab: int) -> MarkovChain:
    return MarkovChain(rows(1, vocab)[0], steps(vocab, False), length)


def copying() -> Iterator[Line]:
    source, target = np.ones(2**26), np.zeros(2**26)
    yield "copy of 512 MiB", lambda: np.copyto(target, source), "1 GiB moved"


def lattices() -> Iterator[Line]:
    for vocab, lengths in ((2, (15, 16, 17, 18)), (3, (10, 11, 12, 13))):
        for length in lengths:
            p = table(length, vocab)
            cells = f"{(vocab + 1) ** length:.2g} cells"
            yield f"lattice V={vocab} L={length}", lambda p=p: EvidenceLattice(p), cells


def outputs() -> Iterator[Line]:
    for length in (8, 9, 10, 11):
        p, policy = JointTable(table(length, 3)), policies.TopK(1)
        p.lattice()
        run = lambda p=p, policy=policy: output_distribution(p, policy)  # noqa: E731
        yield f"output of TopK(1) V=3 L={length}", run, f"{4**length:.2g} contexts"


def frontiers() -> Iterator[Line]:
    for length in (8, 9, 10, 11):
        p = JointTable(table(length, 2))
        run = lambda p=p: frontier(p, [3.0])  # noqa: E731
        yield f"frontier V=2 L={length}", run, f"{4**length:.2g} pairs"


def chains() -> Iterator[Line]:
    for slow in (False, True):
        for vocab in (2, 16, 256):
            for length in (1000, 10_000):
                args = rows(1, vocab)[0], steps(vocab, slow), length
                gaps = MarkovChain(*args)._row_entropies(length - 1).computed if vocab < 99 else "?"
                run = lambda args=args: information.profile(MarkovChain(*args))  # noqa: E731
                name = f"profile of a {'slow ' * slow}chain V={vocab} L={length}"
                yield name, run, f"{gaps} gaps"


def hidden() -> Iterator[Line]:
    for slow in (False, True):
        for vocab in (2, 16):
            for length in (1000, 10_000):
                read = rows(vocab, vocab, spread=0.3)
                p = HiddenMarkovModel(rows(1, vocab)[0], steps(vocab, slow), read, length)
                bounds = p.mean_entropy_bracket()
                share = float(np.max((bounds[1] - bounds[0])[1:] / bounds[1][1:]))
                name = f"bracket of a {'slow ' * slow}hidden chain V=H={vocab} L={length}"
                yield name, p.mean_entropy_bracket, f"{share:.2%} apart"


def orders() -> Iterator[Line]:
    for vocab in (2, 256):
        for policy in (policies.LeftToRight(4), policies.Bisection()):
            batches = fixed_batches(policy, 10_000)
            args = rows(1, vocab)[0], steps(vocab, False), 10_000
            run = lambda args=args, b=batches: information.fixed_order_cost(  # noqa: E731
                MarkovChain(*args), b
            )
            yield f"{policy} on a chain V={vocab} L=10000", run, f"{float(run()):.4g} nats"


def gaps() -> Iterator[Line]:
    for vocab, lengths, rounds in ((2, (64, 128, 256, 512), 10), (8, (32, 64), 8)):
        for length in lengths:
            p = chain(length, vocab)
            run = lambda p=p, r=rounds: frontier(p, rounds=r, progress=False)  # noqa: E731
            yield f"best decoder in {rounds} rounds V={vocab} L={length}", run, "by gaps"
    for length in (32, 64):
        p = chain(length, 2)
        run = lambda p=p: frontier_bounds(p, [10.0], progress=False)  # noqa: E731
        [found] = run()
        apart = f"{1 - found.lower / found.upper:.2%} apart"
        yield f"expected rounds from both sides V=2 L={length}", run, apart
    for vocab, lengths, steps in ((2, (64, 128, 256), 64), (8, (32, 64), 16)):
        for length in lengths:
            p, policy = chain(length, vocab), equal_steps(steps)
            run = lambda p=p, policy=policy: on_chain(p, policy).valid_mass  # noqa: E731
            yield f"valid mass of {steps} ancestral steps V={vocab} L={length}", run, "by gaps"
    for length in (64, 128, 256):
        for policy in (policies.Threshold(0.9), policies.LeftToRight(4)):
            p = chain(length, 2)
            run = lambda p=p, policy=policy: on_chain(p, policy).path_kl  # noqa: E731
            yield f"path KL of {policy} V=2 L={length}", run, "by gaps"


PARTS = {
    part.__name__: part
    for part in (copying, lattices, outputs, frontiers, chains, gaps, hidden, orders)
}


def main(names: list[str]) -> None:
    """Measure and print."""
    for name in names or PARTS:
        before: tuple[str, float] | None = None
        for what, run, size in PARTS[name]():
            best, repeats, began = np.inf, 0, time.perf_counter()
            while repeats < 7 and time.perf_counter() - began < 4:
                start = time.perf_counter()
                run()
                best, repeats = min(best, time.perf_counter() - start), repeats + 1
            tracemalloc.start()
            run()
            peak = tracemalloc.get_traced_memory()[1] / 2**20
            tracemalloc.stop()
            alike = before and what.rpartition(" ")[0] == before[0].rpartition(" ")[0]
            ratio = f"{best / before[1]:6.2f}x" if before and alike else " " * 7
            print(f"{what:52}{best * 1e3:10.1f} ms {ratio} {peak:9.1f} MiB   {size}", flush=True)
            before = what, best


if __name__ == "__main__":
    main(sys.argv[1:])
