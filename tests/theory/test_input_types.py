"""Arrays of other kinds than NumPy's own: read as the numbers they hold, or refused."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from theory import MASK, EmpiricalDistribution, InvalidInput, JointTable, MarkovChain, TooLarge
from theory.validation.arguments import as_real

FLIP = [[0.75, 0.25], [0.5, 0.5]]


class Frame:
    """What the package uses of a data frame."""

    def __init__(self, rows):
        self.rows = rows

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.rows, dtype=dtype)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize(
    "wrap", [np.asmatrix, sparse.csr_array, sparse.coo_matrix, Frame, np.ma.array]
)
def test_other_kinds_of_arrays_are_the_numbers_they_hold(wrap):
    p = MarkovChain([0.5, 0.5], wrap(FLIP), 3)
    # P(x1 = 0 | x0 = 0, x2 = 0) = (3/4 3/4) / (3/4 3/4 + 1/4 1/2) = 9/11
    assert p.denoise([0, MASK, 0])[1] == pytest.approx([9 / 11, 2 / 11])


def test_masked_entries_are_not_read():
    with pytest.raises(InvalidInput, match=r"shape \(2, 2\) has masked"):
        MarkovChain([0.5, 0.5], np.ma.masked_less(FLIP, 0.3), 3)


def test_a_sparse_array_that_would_not_fit_is_refused():
    with pytest.raises(TooLarge, match=r"sparse array of shape \(10000000, 10000000\) made dense"):
        MarkovChain([1.0], sparse.eye_array(10**7), 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: MarkovChain([0.5, 0.5], [[0.5, 0.5], [1]], 3), "transition must be a rectangular"),
        (lambda: JointTable([1, 3]).denoise([[0], [0, 1]]), "x must be a rectangular"),
        (lambda: EmpiricalDistribution([[0, 1], [1]]), "sequences must have the same length"),
        (lambda: EmpiricalDistribution([[0, 10**400]]), "tokens must be integers"),
        (lambda: JointTable(np.zeros(2, dtype=[("a", float)])), "weights must hold real numbers"),
        (lambda: JointTable([10**400, 1]), r"weights of shape \(2,\) .* beyond any float"),
        (lambda: as_real(10**400, "size", 0, np.inf), "size must be a finite number"),
    ],
)
def test_what_cannot_be_read_is_refused(call, says):
    with pytest.raises(InvalidInput, match=says):
        call()


def test_exact_integers_of_any_size_are_kept():
    first, _ = JointTable([10**400, 1], exact=True).denoise([MASK])[0]
    assert first == Fraction(10**400, 10**400 + 1)
