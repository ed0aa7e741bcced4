"""What rounding does to input, type by type: repaired up to the tolerance, named beyond it."""

from fractions import Fraction

import array_api_strict as strict
import numpy as np
import pytest

from sims import decode, output_distribution
from sims.policies import Policy
from sims.training.masks import as_masks
from tests.cases import DEVICE1
from tests.noted import each
from theory import MASK, InvalidInput, JointTable, MarkovChain
from theory._core.arrays import to_host
from theory.information import gain_curve
from theory.loss.forward import loss_by_pattern, nelbo, reverse_step, weight
from theory.validation.probabilities import as_predictions, as_rows, as_weights
from theory.validation.times import as_time, as_times
from theory.validation.tolerances import TOLERANCES

FLOATS = [np.float16, np.float32, np.float64]
BITS = JointTable([[4, 1], [1, 2]])


def on_host(values):
    return np.asarray(values)


def on_device(values):
    """The strict backend has no float16."""
    return strict.asarray(np.asarray(values), device=DEVICE1)


PLACES = [(on_host, t) for t in FLOATS] + [(on_device, t) for t in FLOATS[1:]]
each_place = each(("place", "dtype"), PLACES)


def a_prediction(place, row, dtype):
    """One masked site, and one observed site with a row that nobody looks at."""
    rows = np.asarray([[row, [7] * len(row)]], dtype=dtype)
    return place(rows), place(np.asarray([[MASK, 0]]))


def test_the_table_is_ordered():
    """A shorter type is allowed more, and never less than one unit in the last place of 1."""
    assert list(TOLERANCES) == ["bfloat16", "float16", "float32", "float64"]
    for longer, shorter in zip(list(TOLERANCES)[1:], list(TOLERANCES)[:-1], strict=True):
        assert all(a < b for a, b in zip(TOLERANCES[longer], TOLERANCES[shorter], strict=True))
    assert all(TOLERANCES[t.__name__].entry > np.finfo(t).eps for t in FLOATS)


# Predictions, on the host and on a device


@each_place
def test_predictions_that_are_rounded_are_repaired(place, dtype):
    thirds, x = a_prediction(place, [1 / 3, 1 / 3, 1 / 3], dtype)
    answer = as_predictions(thirds, x, 3)
    assert str(answer.dtype).endswith("float64")
    np.testing.assert_allclose(to_host(answer)[0, 0], 1 / 3, rtol=1e-15)
    below, x = a_prediction(place, [-1e-7, 0.25, 0.75], dtype)
    assert to_host(as_predictions(below, x, 3))[0].tolist() == [[0, 0.25, 0.75], [7, 7, 7]]


@each_place
def test_predictions_that_are_off_are_refused_with_the_number(place, dtype):
    off, x = a_prediction(place, [0.25, 0.5], dtype)
    with pytest.raises(InvalidInput, match=r"of row 0 for site 0 sum to 0\.75 \("):
        as_predictions(off, x, 2)
    below, x = a_prediction(place, [-0.125, 1.125], dtype)
    with pytest.raises(InvalidInput, match=r"of row 0 for site 0 hold -0\.125 \("):
        as_predictions(below, x, 2)
    logs, x = a_prediction(place, np.log([0.25, 0.75]), dtype)
    with pytest.raises(InvalidInput, match="not their logarithms"):
        as_predictions(logs, x, 2)


@each(
    ("dtype", "good", "bad"),
    [(np.float16, 2**-7, 2**-6), (np.float32, 2**-14, 2**-13), (np.float64, 2**-14, 2**-13)],
)
def test_sums_of_predictions_at_the_edge(dtype, good, bad):
    """1e-2 for float16; 1e-4 for float32 and for float64, which a float32 model may fill."""
    near, x = a_prediction(on_host, [0.5, 0.5 - good], dtype)
    expected = 0.5 / (1 - good)
    np.testing.assert_allclose(as_predictions(near, x, 2)[0, 0, 0], expected, rtol=1e-15)
    far, x = a_prediction(on_host, [0.5, 0.5 - bad], dtype)
    allowed = 1e-2 if dtype is np.float16 else 1e-4
    with pytest.raises(InvalidInput, match=rf"sum to {1 - bad:.10g} \({allowed:g} is taken for"):
        as_predictions(far, x, 2)


def test_a_long_row_of_half_precision_is_summed_in_double():
    """4,096 times 2^-12; in float16 a running sum stops at 1/2, where the step is too small."""
    rows = np.full((1, 1, 4096), 2.0**-12, dtype=np.float16)
    answer = as_predictions(rows, np.asarray([[MASK]]), 4096)
    assert (answer == 2.0**-12).all()


def test_exact_predictions_are_not_repaired():
    tiny, x = Fraction(1, 10**17), np.asarray([[MASK]])
    for row, wrong in (
        ([-tiny, 1 + tiny], rf"hold -{tiny} \(0 is taken"),
        ([Fraction(1, 2), Fraction(1, 2) - tiny], rf"sum to {1 - tiny} \(0 is taken"),
    ):
        with pytest.raises(InvalidInput, match=wrong):
            as_predictions(np.asarray([[row]], dtype=object), x, 2)


def test_a_half_precision_denoiser_is_the_denoiser_that_it_rounds():
    """Whatever it is asked by: the exact output, the loss, and one reverse step."""

    def rounded(x):
        return np.broadcast_to(np.asarray([1 / 3, 2 / 3]) - [1e-4, 0], (*x.shape, 2)).astype("e")

    def double(x):
        rows = rounded(x).astype(np.float64)
        return rows / rows.sum(axis=-1, keepdims=True)

    def one_by_one(x, predictions):
        return (x == MASK) & (np.cumsum(x == MASK, axis=1) == 1)

    assert rounded(np.zeros(1))[0].astype(np.float64).sum() != 1
    a, b = (output_distribution(BITS, one_by_one, denoiser=d) for d in (rounded, double))
    np.testing.assert_allclose(a.table, b.table, rtol=1e-15)
    assert loss_by_pattern(BITS, rounded).tolist() == loss_by_pattern(BITS, double).tolist()
    steps = [reverse_step([MASK], d(np.asarray([MASK])), 0.75, 0.5) for d in (rounded, double)]
    np.testing.assert_allclose(steps[0], steps[1], rtol=1e-15)


# Rows, weights, masks


@each(
    ("dtype", "inside", "outside"),
    [
        (np.float16, -(2**-11), -(2**-9)),
        (np.float32, -(2**-21), -(2**-17)),
        (np.float64, -1e-17, -1e-9),
    ],
)
def test_probabilities_below_zero(dtype, inside, outside):
    row = np.asarray([inside, 0.25, 0.75], dtype=dtype)
    assert as_rows(row, "row", 1).tolist() == [0, 0.25, 0.75]
    assert as_weights(8 * row, "row").values.tolist() == [0, 0.25, 0.75]  # relative to the sum
    assert as_masks(row[[0, 1, 2, 0]].reshape(2, 2)).tolist() == [[0, 0.25], [0.75, 0]]
    row[0] = outside
    for check in (lambda r: as_rows(r, "row", 1), lambda r: as_weights(r, "row")):
        with pytest.raises(InvalidInput, match=f"row must not be negative: entry 0 is {outside}"):
            check(row)


def test_rows_on_a_device_lose_their_rounding():
    row = on_device([-1e-17, 0.25, 0.75])
    for answer in (as_rows(row, "row", 1), as_weights(row, "row").values):
        assert answer.device == DEVICE1
        assert to_host(answer).tolist() == [0, 0.25, 0.75]


def test_integers_and_fractions_below_zero_are_refused_however_small():
    for row in ([-1, 10**15], [Fraction(-1, 10**17), 1 + Fraction(1, 10**17)]):
        with pytest.raises(InvalidInput, match="must not be negative"):
            as_weights(row, "row", exact=None)
    with pytest.raises(InvalidInput, match="must not be negative"):
        as_weights(np.asarray([-1, 10**15]), "row")


def test_a_chain_takes_what_is_left_of_one():
    """1 - .9 - .1 is -2.8e-17 in floats."""
    rest = 1 - 0.9 - 0.1
    assert rest < 0
    p = MarkovChain([0.9, 0.1, rest], [[0.9, 0.1, rest]] * 3, 2)
    assert p.denoise([MASK, MASK])[0, 2] == 0


@each("dtype", FLOATS)
def test_masks_of_every_type(dtype):
    masks = np.asarray([1 / 3, 2 / 3], dtype=dtype)
    np.testing.assert_allclose(as_masks(masks).sum(), 1, rtol=1e-15)


# Times and grids


def test_times_that_are_rounded_reach_their_ends():
    assert as_time(1 + 2**-52) == 1
    assert as_time(-1e-17) == 0
    assert as_time(np.float32(1 + 2**-23)) == 1
    tenths = np.cumsum([0.1] * 10)
    assert tenths[-1] == 1 - 2**-53
    assert as_times([0, *tenths])[-1] == 1
    assert as_times([1e-17, *tenths])[0] == 0
    halves = np.asarray([0, 0.5, 1 - 2**-10], dtype=np.float16)
    assert as_times(halves) == (0, Fraction(1, 2), 1)


@each("end", [1 - 1e-7, np.float32(0.999), np.float16(0.98), 1 - Fraction(1, 10**17)])
def test_grids_that_stop_short_are_refused(end):
    with pytest.raises(InvalidInput, match="times must rise from 0 to 1"):
        as_times([0, 0.5, end])


def test_curves_and_losses_at_rounded_times():
    """Two equal bits: h(t) = 2 t bits; their loss over a grid from 1 to 0 is that of [1, 0]."""
    curve = gain_curve(JointTable([[1.0, 0.0], [0.0, 1.0]]), base=2)
    assert curve(np.asarray([-1e-17, 1 + 2**-52])).tolist() == [0, 2]
    with pytest.raises(InvalidInput, match=r"from 0 to 1, got 1\.001"):
        curve(np.asarray([0, 1.001]))
    assert nelbo(BITS, [1 - 2**-53, 0.5, 1e-17]) == nelbo(BITS, [1, 0.5, 0])
    assert weight(1 + 2**-52, 0.5) == 1
    with pytest.raises(InvalidInput, match=r"levels must lie between 0 and 1, got 1\.5"):
        weight(1.5, 0.5)


# Chances of a policy


class Split(Policy):
    """Site 0 first, with probability `first`, else site 1."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def reveal_distribution(self, x, predictions, round_index):
        left = (x == MASK).sum(axis=1)
        for site, probability in ((0, self.first), (1, self.second)):
            reveal = np.zeros(x.shape, dtype=bool)
            reveal[:, site] = True
            reveal[left == 1] = (x == MASK)[left == 1]
            yield probability, reveal


def test_chances_below_zero():
    rest = 1 - 0.9 - 0.1
    for policy in (Split(1.0, rest), Split(np.ones(1), np.full(1, rest))):
        if isinstance(policy.first, float):
            q = output_distribution(BITS, policy)
            np.testing.assert_allclose(q.table, BITS.table(), rtol=1e-15)
        drawn = decode(BITS, policy, np.random.default_rng(0), 1)
        assert (np.asarray(drawn.tokens) >= 0).all()
    for run in (
        lambda: output_distribution(BITS, Split(1.0, -1e-3)),
        lambda: decode(BITS, Split(1.0, -1e-3), np.random.default_rng(0), 1),
    ):
        with pytest.raises(InvalidInput, match=r"probabilities must not be negative, got -0\.001"):
            run()


def test_exact_chances_sum_to_one_exactly():
    half, tiny = Fraction(1, 2), Fraction(1, 10**12)
    p = JointTable([[4, 1], [1, 2]], exact=True)
    assert (output_distribution(p, Split(half, half)).table == p.table()).all()
    with pytest.raises(InvalidInput, match=r"sum to 999999999999/1000000000000, not to 1"):
        output_distribution(p, Split(half, half - tiny))
