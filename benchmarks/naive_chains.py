"""What ancestral steps write on a chain, in plain loops over its gaps.

Straight from the definition of a bridge, one gap, one pair of ends, one site and one token at a
time. Shares no code with the package.
"""

from functools import cache

import numpy as np

OPEN = None


def ancestral_steps(
    initial: np.ndarray, transition: np.ndarray, reveals: tuple[float, ...], length: int
) -> tuple[float, float]:
    """Valid mass and path KL of steps that reveal each masked site with these probabilities."""
    tokens, powers = range(len(initial)), [np.eye(len(initial))]
    for _ in range(length + 1):
        powers.append(powers[-1] @ transition)

    def after(left: int | None, distance: int, v: int) -> float:
        """Probability of a token so far from the left end."""
        if left is OPEN:
            return float((initial @ powers[distance - 1])[v])
        return float(powers[distance][left, v])

    def before(v: int, distance: int, right: int | None) -> float:
        """Probability of the right end so far from a token."""
        return 1.0 if right is OPEN else float(powers[distance][v, right])

    @cache
    def predictions(n: int, left: int | None, right: int | None) -> list[list[float]] | None:
        """Of each site of a gap; None between ends that cannot be."""
        rows = []
        for i in range(1, n + 1):
            row = [after(left, i, v) * before(v, n + 1 - i, right) for v in tokens]
            if sum(row) == 0:
                return None
            rows.append([share / sum(row) for share in row])
        return rows

    @cache
    def valid(n: int, left: int | None, right: int | None, step: int) -> float:
        """Probability that a gap is filled with steps that the chain can make."""
        if n == 0:
            return float(left is OPEN or right is OPEN or transition[left, right] > 0)
        sites = predictions(n, left, right)
        if step == len(reveals) or sites is None:
            return 0.0
        reveal, ending = reveals[step], []  # by the last site revealed so far, and its token
        for j in range(n):
            row = []
            for w in tokens:
                mass = (1 - reveal) ** j * valid(j, left, w, step + 1)
                for i in range(j):
                    for u in tokens:
                        between = valid(j - i - 1, u, w, step + 1)
                        mass += ending[i][u] * (1 - reveal) ** (j - i - 1) * between
                row.append(mass * reveal * sites[j][w])
            ending.append(row)
        mass = (1 - reveal) ** n * valid(n, left, right, step + 1)
        for j in range(n):
            for w in tokens:
                rest = valid(n - 1 - j, w, right, step + 1)
                mass += ending[j][w] * (1 - reveal) ** (n - 1 - j) * rest
        return mass

    @cache
    def loss(n: int, left: int | None, right: int | None, step: int) -> float:
        """Expected path KL from a step on in a gap of the data."""
        sites = predictions(n, left, right)
        if n == 0 or step == len(reveals) or sites is None:
            return 0.0
        reveal = reveals[step]
        nats = (1 - reveal) ** n * loss(n, left, right, step + 1)
        for j in range(n):
            for w in tokens:
                share = reveal * sites[j][w]
                nats += share * (1 - reveal) ** j * loss(j, left, w, step + 1)
                rest = loss(n - 1 - j, w, right, step + 1)
                nats += share * (1 - reveal) ** (n - 1 - j) * rest
                for i in range(j):
                    for u in tokens:
                        if sites[i][u] == 0:
                            continue
                        given = powers[j - i][u, w] * before(w, n - j, right)
                        given /= before(u, n - i, right)
                        if given > 0:
                            both = reveal**2 * (1 - reveal) ** (j - i - 1) * sites[i][u] * given
                            lost = np.log(given / sites[j][w])
                            nats += both * (lost + loss(j - i - 1, u, w, step + 1))
        return nats

    return valid(length, OPEN, OPEN, 0), loss(length, OPEN, OPEN, 0)
