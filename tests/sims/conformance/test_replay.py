"""The tree of choices: every path once, the heaviest first, and what is not run is known."""

import numpy as np
import pytest

from sims.conformance.replay import END, AmbiguousRows, NotEnumerable, Paths, Replay
from tests.noted import each, refusals

CLOSE = 1e-14


def weights_after(path):
    """Weights of the next choice, which depend on all before; paths end after three or four."""
    if len(path) == 3 + (path[0] == 1 if path else 0):
        return None
    seed = sum((i + 2) * 7 ** (k + 1) for k, i in enumerate(path))
    weights = np.random.default_rng(seed).integers(0, 5, size=3 + len(path) % 2)
    weights[0] += 1
    return weights


def leaves(path=(), mass=1.0):
    weights = weights_after(path)
    if weights is None:
        yield path, mass
        return
    for i, w in enumerate(weights):
        if w:
            yield from leaves((*path, i), mass * w / weights.sum())


def walk(run):
    """Each row along its own path."""
    paths = [()] * run.rows
    while rows := [b for b in range(run.rows) if weights_after(paths[b]) is not None]:
        for b in rows:
            chosen = run.decide(np.asarray([b]), np.asarray([weights_after(paths[b])]))
            paths[b] = (*paths[b], int(chosen[0]))
    return paths


@each("batch", [1, 3, 100])
def test_every_path_is_run_once(batch):
    paths, found = Paths(10**6), []
    while (run := paths.take(batch)) is not None:
        found += zip(walk(run), run.mass.tolist(), strict=True)
        paths.add(run)
    assert len(found) == len({path for path, _ in found}) == paths.run
    assert paths.missing == 0
    assert dict(found) == pytest.approx(dict(leaves()), abs=CLOSE)


@each("most", [1, 2, 3, 7, 12])
def test_of_many_prefixes_the_heaviest_are_run(most):
    """One at a time: each is the heaviest of those that branched off and were not run."""
    paths, waiting, mass = Paths(most), {1.0: 1}, 0.0
    for _ in range(most):
        run = paths.take(1)
        assert run is not None
        walk(run)
        mass += float(run.mass[0])
        _, branched = run.others()
        paths.add(run)
        top = max(waiting)
        waiting[top] -= 1
        waiting = {m: k for m, k in waiting.items() if k}
        assert run.mass[0] <= top + CLOSE
        assert run.mass[0] + branched.sum() == pytest.approx(top, abs=CLOSE)
        for m in branched.tolist():
            waiting[m] = waiting.get(m, 0) + 1
    assert paths.take(1) is None
    assert mass + paths.missing == pytest.approx(1, abs=CLOSE)
    assert paths.run == most


def test_prefixes_that_cannot_be_run_any_more_are_dropped_on_the_way():
    """Of ten options thirty times, no more are held than twice what may still be run."""
    paths = Paths(50)
    while (run := paths.take(1)) is not None:
        run.choose(np.broadcast_to([1000.0, *range(9)], (1, 30, 10)))
        paths.add(run)
        assert paths._waiting <= 2 * max(0, 50 - paths.run)
    assert 0 < paths.missing < 1


def test_a_path_that_does_not_come_back_is_noticed():
    """An option that is impossible now, one that there is not, and choices that are not made."""
    one, two = Replay(np.asarray([[2]])), Replay(np.asarray([[2], [0]]))
    for weights in ([1.0, 1.0, 0.0], [1.0, 1.0]):
        with pytest.raises(NotEnumerable, match=r"row 0 of 1.*another source of random numbers"):
            Replay(np.asarray([[2]])).choose(np.asarray([[weights]]))
    with pytest.raises(NotEnumerable, match="row 0 of 1"):
        one.finish(np.zeros((1, 1)))
    with pytest.raises(AmbiguousRows, match=r"row 0 of 2.*depend on each other"):
        two.finish(np.zeros((2, 1)))


def test_one_answer_is_no_choice():
    run = Replay(np.full((2, 1), END))
    assert run.choose(np.asarray([[[0, 3.0]], [[1, 0]]])).tolist() == [[1], [0]]
    assert (run.mass.tolist(), len(run.others()[0])) == ([1, 1], 0)
    assert run.choose(np.zeros((2, 0, 3))).shape == (2, 0)


@each("sites, shape", [((), (2, 5)), ((3,), (6,)), ((3, 5), (10, 2)), ((3,), (2,))])
def test_numbers_belong_to_rows_by_their_leading_dimension(sites, shape):
    rows = Replay(np.full((2, 1), END), sites).rows_of(shape)
    half = int(np.prod(shape)) // 2
    assert rows.tolist() == [0] * half + [1] * half


test_refused = refusals(
    (
        r"a random call of shape \(.*\) in 2 rows cannot be enumerated",
        lambda shape: Replay(np.full((2, 1), END), (3,)).rows_of(shape),
        [(), (3,), (1, 2), (4,), (8, 3)],
    ),
    error=AmbiguousRows,
)
test_weights = refusals(
    (
        "some positive",
        lambda weights: Replay(np.full((1, 1), END)).choose(np.asarray([[weights]])),
        [[0.0, 0.0], [np.nan, 1], [np.inf, 1]],
    ),
)
