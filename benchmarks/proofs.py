"""Proofs of information inequalities with exact certificates."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import numpy as np

from benchmarks import naive
from benchmarks.case import Case, Way
from theory.proofs import Certificate, Conclusion
from theory.proofs.quantities import combined
from theory.proofs.shannon import Violation, certificate, elementals
from theory.proofs.text import parse


def certificates(quick: bool) -> Iterator[Case]:
    """A certificate, against a dense linear program and elimination in Fractions.

    Statements without any symmetry are sums of elemental quantities with random multiples; the
    naive way takes all columns to the end.
    """
    for sites, target in ((3, 0.2),) if quick else ((4, 0.2), (6, 0.2), (8, 10.0), (10, None)):
        rng = np.random.default_rng(sites)
        every = elementals(sites)
        chosen = rng.choice(len(every), size=min(3 * sites, len(every)), replace=False)
        multiples = [Fraction(int(m), 2) for m in rng.integers(1, 7, size=len(chosen))]
        terms = [(m, every[j].form(sites)) for m, j in zip(multiples, chosen, strict=True)]
        conclusion = Conclusion("planted", combined(terms))
        ours = partial(certificate, conclusion, (), sites)
        proved = ours()
        assert isinstance(proved, Certificate)
        assert proved.check(sites)
        ways = []
        if sites <= 8:
            slow = partial(
                naive.multipliers, [dict(q.form(sites)) for q in every], conclusion.slack
            )
            found = slow()
            assert combined((m, every[j].form(sites)) for j, m in found.items()) == conclusion.slack
            assert min(found.values()) > 0
            ways = [Way("dense", slow)]
        yield Case(
            "prove, no symmetry",
            f"{sites} sites, {len(every)} elementals",
            len(every),
            ours,
            ways,
            targets=() if target is None else (("seconds", target),),
            floors=(),
        )
    for sites in (4,) if quick else (6, 10):
        every = len(elementals(sites))
        for text, answer in (
            ("TC <= (n-1) DTC", Certificate),
            ("TC <= (n - 1 - 1/100) DTC", Violation),
        ):
            statement = parse(text, sites)
            ours = partial(certificate, statement.conclusions[0], (), sites)
            assert isinstance(ours(), answer)
            yield Case(
                f"prove, {text}",
                f"{sites} sites, {every} elementals",
                every,
                ours,
                targets=(("seconds", 0.2),) if sites == 6 else (("seconds", 10),),
                floors=(),
            )
