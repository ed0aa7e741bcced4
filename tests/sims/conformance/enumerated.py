"""All outcomes of a random question with their probabilities, by running it along every path."""

from collections import defaultdict

from sims.conformance.replay import Paths


def outcomes(question, batch=64, most=100_000, **given):
    """{answer: probability} of a function of the replay that returns one answer for each row."""
    paths, found = Paths(most), defaultdict(float)
    while (replay := paths.take(batch, **given)) is not None:
        for answer, mass in zip(question(replay), replay.mass.tolist(), strict=True):
            found[answer] += mass
        paths.add(replay)
    return dict(found)


def rows(array):
    """One tuple of numbers for each row."""
    return [tuple(row.ravel().tolist()) for row in array]
