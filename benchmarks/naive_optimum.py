"""The best decoder of a chain in at most so many rounds, in plain loops over gaps.

One number of rounds, one pair of ends, one length, one edge and one pair of tokens at a time.
Shares no code with the package.
"""

import math

import numpy as np

OPEN = None


def best_in_rounds(
    initial: np.ndarray, transition: np.ndarray, length: int, rounds: int
) -> list[float]:
    """The least path KL of the whole sequence in at most 1, 2, ... rounds."""
    tokens, power = range(len(initial)), np.eye(len(initial))
    powers, marginals = [power.tolist()], [initial.tolist()]
    for _ in range(length + 1):
        power = power @ transition
        powers.append(power.tolist())
        marginals.append((initial @ power).tolist())
    ends = [*tokens, OPEN]

    def after(left: int | None, distance: int) -> list[float]:
        """Probability of each token so far from the left end."""
        return marginals[distance - 1] if left is None else powers[distance][left]

    def before(distance: int, right: int | None) -> list[float]:
        """Probability of the right end so far from each token."""
        return [1.0 if right is None else powers[distance][v][right] for v in tokens]

    def gap(left: int | None, right: int | None, n: int, loss: dict | None) -> float:
        """The shortest path, given the losses with one round less; all sites at once if None."""
        if n == 0:
            return 0.0
        at = []
        for i in range(1, n + 1):
            both = [a * b for a, b in zip(after(left, i), before(n + 1 - i, right), strict=True)]
            if not sum(both):
                return 0.0
            at.append([share / sum(both) for share in both])

        def edge(i: int, j: int) -> float:
            """Mutual information, and what is lost between the two sites later."""
            steps, lost = powers[j - i], 0.0
            arrive, leave = before(n - j, right), before(n - i, right)
            for u in tokens:
                for w in tokens:
                    if at[i][u] * steps[u][w] * arrive[w] > 0:
                        given = steps[u][w] * arrive[w] / leave[u]
                        lost += at[i][u] * given * math.log(given / at[j][w])
                        if loss is not None:
                            lost += at[i][u] * given * loss[u, w, j - i - 1]
            return lost

        if loss is None:
            return sum(edge(i, i + 1) for i in range(n - 1))
        path: list[float] = []
        for j in range(n):
            first = sum(at[j][v] * loss[left, v, j] for v in tokens)
            path.append(min([first, *(path[i] + edge(i, j) for i in range(j))]))
        return min(
            path[i] + sum(at[i][v] * loss[v, right, n - 1 - i] for v in tokens) for i in range(n)
        )

    found, loss = [], None
    for _ in range(rounds):
        loss = {
            (left, right, n): gap(left, right, n, loss)
            for left in ends
            for right in ends
            for n in ([length] if left is right is OPEN else range(length))
        }
        found.append(loss[OPEN, OPEN, length])
    return found
