"""Searches against enumerations of policies, of orders and of paths, and the command."""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from sims import frontier, output_distribution
from sims.open_questions import permutations, separations
from sims.open_questions.__main__ import main
from sims.open_questions.depths import depths, fixed, mean, worst
from sims.open_questions.moves import Moves, rational_table
from sims.open_questions.permutations import PermutationFrontier, Permutations
from sims.open_questions.randomised import RandomSets, best_orders, best_randomised
from sims.open_questions.search import Search, run
from sims.open_questions.separations import Separations, random_tables, supports
from tests import oracles
from tests.noted import each, refusals
from tests.sims.optimal_oracle import all_policies, count_of_policies
from theory import MASK, JointTable, TooLarge, gallery
from theory._core.linear_program import Uncertified, least, solve

# Depths, against every policy one by one


def joint_of(table):
    total = int(table.sum())
    return {x: Fraction(int(table[x]), total) for x in np.ndindex(*table.shape) if table[x]}


def fraction_of(p):
    return JointTable(p, exact=True)


def following(joint, vocab=2):
    """From a pattern and a policy to what is written, with its probability; None outside of p."""
    predict = oracles.zero_loss(joint, vocab)

    @functools.cache
    def rows_at(pattern):
        return predict(pattern) if oracles.evidence(joint, pattern) else []

    @functools.cache
    def after(pattern, sites):
        rows, found = rows_at(pattern), []
        for tokens in itertools.product(range(vocab), repeat=len(sites)):
            probability = math.prod(rows[i][v] for i, v in zip(sites, tokens, strict=True))
            if probability:
                found.append((oracles.reveal(pattern, sites, tokens), probability))
        return found

    def follow(pattern, policy):
        return after(pattern, tuple(policy[pattern])) if rows_at(pattern) else None

    return follow


def written(joint, policy, follow=None):
    """Output distribution and expected rounds of a policy; None if it leaves the support."""
    follow = follow or following(joint)
    output, rounds = {}, 0
    reached = {(MASK,) * oracles.length_of(joint): Fraction(1)}
    while reached:
        later = {}
        for pattern, mass in reached.items():
            if MASK not in pattern:
                output[pattern] = output.get(pattern, 0) + mass
                continue
            if (outcomes := follow(pattern, policy)) is None:
                return None
            rounds += mass
            for after, probability in outcomes:
                weight = mass * probability
                later[after] = later[after] + weight if after in later else weight
        reached = later
    return (output, rounds) if set(output) <= set(joint) else None


def longest(joint, policy):
    """The most rounds that a sequence of the data takes."""
    rounds = []
    for x in joint:
        pattern, count = (MASK,) * len(x), 0
        while MASK in pattern:
            sites = policy[pattern]
            pattern, count = oracles.reveal(pattern, sites, [x[i] for i in sites]), count + 1
        rounds.append(count)
    return max(rounds)


def as_policy(blocks, length):
    """The dict of a fixed order, at all patterns that it can meet."""
    policy, seen = {}, []
    for block in blocks:
        for tokens in itertools.product((0, 1), repeat=len(seen)):
            policy[oracles.reveal((MASK,) * length, seen, tokens)] = block
        seen += block
    return policy


def least_mean(options, joint):
    """The cheapest mixture whose distribution is the joint, in floats: min sum w c, sum w q = p."""
    rows = list(joint)
    matrix = [[float(output.get(x, 0)) for output, _ in options] for x in rows]
    costs = [float(rounds) for _, rounds in options]
    linprog: Any = scipy.optimize.linprog
    found = linprog(costs, A_eq=matrix, b_eq=[float(joint[x]) for x in rows])
    assert found.status == 0
    return found.fun


def expected_depths(joint):
    """All depths by enumeration: deterministic ones exact, randomised ones in floats."""
    length, follow = oracles.length_of(joint), following(joint)
    every = [(policy, written(joint, policy, follow)) for policy in all_policies(joint)]
    inside = [(policy, end) for policy, end in every if end]
    lossless = [(policy, rounds) for policy, (output, rounds) in inside if output == joint]
    orders = [
        (blocks, end)
        for sizes in oracles.compositions(length)
        for blocks in oracles.ordered_partitions(range(length), sizes)
        if (end := written(joint, as_policy(blocks, length), follow))
    ]
    return (
        min(len(blocks) for blocks, (output, _) in orders if output == joint),
        min(longest(joint, policy) for policy, _ in lossless),
        min(rounds for _, rounds in lossless),
        least_mean([end for _, end in inside], joint),
        least_mean([end for _, end in orders], joint),
    )


def assert_depths(table):
    found = depths(fraction_of(table))
    one, two, three, four, five = expected_depths(joint_of(table))
    assert (found.fixed, found.worst, found.mean) == (one, two, three)
    assert float(found.randomised) == pytest.approx(four, abs=1e-7)
    assert float(found.orders) == pytest.approx(five, abs=1e-7)
    assert found.randomised <= found.mean <= found.worst <= found.fixed
    assert found.randomised <= found.orders <= found.fixed


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_depths_of_every_support_are_those_of_the_best_of_all_policies(length):
    for table in supports(length):
        assert_depths(table)


def test_the_depths_of_random_weights_are_those_of_the_best_of_all_policies():
    rng = np.random.default_rng(3)
    for table in [*random_tables(2, 10, 3, rng), *random_tables(3, 20, 2, rng)]:
        assert_depths(table)


NOT_ALL_EQUAL = np.asarray([[[0, 1], [1, 1]], [[1, 1], [1, 0]]])


def bits(*sequences):
    table = np.zeros((2,) * len(sequences[0]), dtype=np.int64)
    for x in sequences:
        table[tuple(map(int, x))] = 1
    return table


SEVEN = bits("0001", "0010", "0011", "0100", "0101", "0110", "1000")
BALANCED = bits("0011", "0101", "0110", "1001", "1010", "1100")


@pytest.mark.slow
@pytest.mark.parametrize("table", [SEVEN, BALANCED], ids=["seven", "balanced"])
def test_four_sites_against_all_4335_policies(table):
    """Those that look at tokens which the data never contain are counted once."""
    assert count_of_policies(4, 2) == 4335
    assert_depths(table)


# What the policies write


@pytest.mark.parametrize(
    "table", [NOT_ALL_EQUAL, SEVEN, BALANCED, bits("001", "010", "100"), bits("00", "11")]
)
def test_the_policies_write_the_data_in_as_many_rounds_as_they_say(table):
    p = fraction_of(table)
    moves = Moves(p)
    best, orders = best_randomised(moves), best_orders(moves)
    for policy, rounds in [
        (RandomSets(best.choices), best.rounds),
        (RandomSets(mean(moves).choices), mean(moves).rounds),
    ]:
        q = output_distribution(p, policy)
        assert (q.table == p.table()).all()
        assert q.expected_rounds == rounds
    slow = output_distribution(p, RandomSets(worst(moves).choices))
    assert (slow.table == p.table()).all()
    assert max(slow.rounds) == worst(moves).rounds
    joint, mixture, cost = joint_of(table), {}, 0
    for blocks, probability in orders.probabilities.items():
        output, rounds = written(joint, as_policy(blocks, table.ndim)) or ({}, 0)
        cost += probability * rounds
        for x, mass in output.items():
            mixture[x] = mixture.get(x, 0) + probability * mass
    assert (mixture, cost) == (joint, orders.rounds)
    (output, rounds) = written(joint, as_policy(fixed(moves), table.ndim)) or ({}, 0)
    assert (output, rounds) == (joint, len(fixed(moves)))


# What can be computed


ONES, RNG = JointTable(np.ones((1,) * 6)), np.random.default_rng(0)
SYMBOLS = JointTable([[sympy.Symbol("a", positive=True), 0], [0, 1]], exact=True)
ROOTS = [0.5**0.5, 1 - 0.5**0.5], [3**-0.5, 1 - 3**-0.5]  # nearby fractions are not independent
test_refusals = refusals(
    ("symbols", depths, [SYMBOLS]),
    ("is no fraction with a denominator", depths, [JointTable(np.outer(*ROOTS))]),
    (".", depths, ["p"]),
    (".", Permutations, [2]),
)
test_what_is_too_large_is_refused = refusals(
    (r"6 sites over 2 tokens have 4\.1e\+03 pairs", depths, [gallery.parity(6)]),
    ("ordered partitions of 6 sites", lambda: best_orders(Moves(ONES))),
    ("searched up to", supports, [5]),
    ("searched up to", lambda length: random_tables(length, 1, 1, RNG), [6]),
    (".", Permutations, [2001]),
    error=TooLarge,
)


# Linear programs


def brute_optimum(costs, columns, totals):
    """The best of all basic solutions: every independent set of columns, solved by SymPy."""
    matrix = sympy.Matrix([[column.get(i, 0) for column in columns] for i in range(len(totals))])
    right = sympy.Matrix(totals)
    values = []
    for count in range(len(totals) + 1):
        for chosen in itertools.combinations(range(len(columns)), count):
            part = matrix.extract(list(range(len(totals))), list(chosen)) if chosen else None
            if part is None:
                if not any(totals):
                    values.append(0)
                continue
            if part.rank() < count or part.row_join(right).rank() > count:
                continue
            y = (part.T * part).LUsolve(part.T * right)
            if all(v >= 0 for v in y):
                values.append(sum(costs[j] * v for j, v in zip(chosen, y, strict=True)))
    return min(values, default=None)


@settings(max_examples=40)
@given(st.data())
def test_the_optimum_of_small_programs_is_the_best_basic_solution(data):
    rows, variables = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5))
    small = st.integers(-2, 3)
    columns = [{i: v for i in range(rows) if (v := data.draw(small))} for _ in range(variables)]
    costs = [data.draw(st.integers(0, 4)) for _ in range(variables)]
    totals = [data.draw(small) for _ in range(rows)]
    expected = brute_optimum(costs, columns, totals)
    if expected is None:
        with pytest.raises(Uncertified, match="no solution"):
            least(costs, columns, totals)
        return
    optimum = least(costs, columns, totals)
    assert sympy.Rational(optimum.value.numerator, optimum.value.denominator) == expected
    assert min(optimum.solution.values(), default=0) >= 0
    for i, total in enumerate(totals):
        assert sum(columns[j].get(i, 0) * y for j, y in optimum.solution.items()) == total
    for column, cost in zip(columns, costs, strict=True):
        assert sum(optimum.prices.get(i, 0) * v for i, v in column.items()) <= cost


def test_a_wrong_basis_is_not_certified(monkeypatch):
    """Floats that propose another vertex: its value is not what the prices bound."""
    exact: Any = scipy.optimize.linprog

    def other(costs, **rest):
        found = exact(costs, **rest)
        found.x = np.asarray([0.0, 1.0])
        return found

    assert least([1, 2], [{0: 1}, {0: 1}], [1]).value == 1
    monkeypatch.setattr(scipy.optimize, "linprog", other)
    with pytest.raises(Uncertified, match="not shown to meet"):
        least([1, 2], [{0: 1}, {0: 1}], [1])


def test_equations():
    assert solve([({0: 1}, 0)]) == {}
    assert solve([({0: 1, 1: 1}, 1), ({0: 1, 1: 1}, 1)]) in ({0: 1}, {1: 1})
    with pytest.raises(Uncertified, match="contradict"):
        solve([({0: 1, 1: 1}, 1), ({0: 2, 1: 2}, 1)])


# Tables


@pytest.mark.parametrize(("length", "classes"), [(1, 2), (2, 5), (3, 21), (4, 401)])
def test_the_number_of_classes_of_supports(length, classes):
    """Boolean functions up to symmetries of their inputs, but for the constant 0."""
    found = supports(length)
    assert len(found) == classes
    sizes = [int(p.sum()) for p in found]
    assert sizes == sorted(sizes)


def test_every_support_of_three_bits_is_in_exactly_one_class():
    met = []
    for table in supports(3):
        cells = [x for x in np.ndindex(2, 2, 2) if table[x]]
        images = {
            frozenset(tuple(x[i] ^ flips[i] for i in order) for x in cells)
            for order in itertools.permutations(range(3))
            for flips in itertools.product((0, 1), repeat=3)
        }
        met += images
    assert len(met) == len(set(met)) == 255


def test_random_tables_follow_the_generator():
    one, other = (random_tables(3, 20, 1, np.random.default_rng(seed)) for seed in (0, 1))
    again = random_tables(3, 20, 1, np.random.default_rng(0))
    assert [p.tolist() for p in one] == [p.tolist() for p in again]
    assert [p.tolist() for p in one] != [p.tolist() for p in other]
    every = random_tables(1, 200, 1, np.random.default_rng(0))
    assert {tuple(p.tolist()) for p in every} == {(0, 1), (1, 0), (1, 1)}


# Permutations


def least_product(n, rounds):
    """``exp F(n, R)``: the least over every increasing path 0 < n_1 < ... < n_R = n."""
    products = []
    for inner in itertools.combinations(range(1, n), rounds - 1):
        path = (0, *inner, n)
        products.append(math.prod(b ** (b - a) for a, b in itertools.pairwise(path)))
    return min(products)


def test_the_frontier_of_permutations_against_every_path():
    found = PermutationFrontier(9)
    for n in range(1, 10):
        exact = [least_product(n, rounds) for rounds in range(1, n + 1)]
        assert [found.product(n, rounds) for rounds in range(1, n + 1)] == exact
        logs = np.asarray([math.log(v) for v in exact]) * permutations.UNITS
        assert abs(found.values[n, 1 : n + 1] - logs).max() < n
        windows = zip(exact, exact[1:], exact[2:], strict=False)
        signs = [(a * c > b * b) - (a * c < b * b) for a, b, c in windows]
        assert [found.sign(n, rounds) for rounds in range(2, n)] == signs
        if n > 2:
            assert abs(found.differences(n) - np.diff(logs, 2)).max() < 4 * n


def test_no_violation_up_to_thirty():
    search = Permutations(30)
    records = run(search)
    assert not search.found(records)
    assert sum(record["differences"] for record in records) == math.comb(29, 2)
    last = records[-1]
    step = math.log(28 / 27) - math.log(30 / 29)  # E(n, n) = 0, E(n, n-1) = log n/(n-1)
    assert (last["rounds"], last["least"] / permutations.UNITS) == (29, pytest.approx(step))


def test_the_published_profile_of_eight():
    """Wen, Liang, Lu: the best four rounds reveal 3, 2, 2 and 1, out of 8, 5, 3 and 1."""
    assert PermutationFrontier(8).product(8, 4) == 8**3 * 5**2 * 3**2


def test_coarse_numbers_decide_nothing_and_integers_decide_the_same(monkeypatch):
    fine = run(Permutations(16))
    assert sum(record["exactly"] for record in fine) == 0
    monkeypatch.setattr(permutations, "UNITS", 1)
    coarse = run(Permutations(16))
    assert sum(record["exactly"] for record in coarse) > 50
    for one, other in zip(fine, coarse, strict=True):
        for key in ("differences", "zero", "negative"):
            assert one[key] == other[key]
    count = sum(record["exactly"] for record in coarse)
    report = Permutations(16).report(coarse)
    assert f"decides {105 - count}; comparing the integers exp(F) decides {count}." in report


def test_a_violation_would_be_found(monkeypatch, capsys):
    search = Permutations(6)
    search.frontier.values[6, 3] += 10 * permutations.UNITS  # a concave corner
    records = run(search)
    assert [record["negative"] for record in records] == [(), (), (), (3,)]
    assert search.found(records)
    assert "Negative: 1, first (n, R) = (6, 3)." in search.report(records)
    assert "is violated" in search.report(records)
    sign = PermutationFrontier.sign
    monkeypatch.setattr(permutations, "UNITS", 1)  # so that integers decide
    monkeypatch.setattr(
        PermutationFrontier, "sign", lambda self, n, r: -1 if n == 5 else sign(self, n, r)
    )
    assert main(["permutations", "--most", "5"]) == 1
    assert "is violated" in capsys.readouterr().out


# Separations


@pytest.mark.parametrize(
    ("sites", "counts"), [(1, [0, 0, 0, 0]), (2, [0, 0, 0, 0]), (3, [0, 4, 1, 1])]
)
def test_the_numbers_of_separations_that_the_claims_name(sites, counts):
    assert counts_of(*records_of(sites)) == counts


@pytest.mark.slow
def test_the_numbers_of_separations_of_four_bits():
    """And the mean is the serial depth of the frontier."""
    search, records = records_of(4)
    assert counts_of(search, records) == [53, 249, 52, 16]
    for table, record in zip(supports(4), records, strict=True):
        p, rounds = fraction_of(table), record["mean"]
        assert rounds == frontier(p, [math.inf])[0].rounds


def records_of(sites):
    search = Separations(supports(sites), "all", {}, exhaustive=True)
    return search, run(search)


def counts_of(search, records):
    kinds = [kind for record in records for kind in record["kinds"]]
    assert search.found(records) == bool(kinds)
    return [kinds.count(kind) for kind in separations.KINDS]


def test_the_report_names_the_smallest_witness():
    search = Separations(supports(3), "all of them", {}, exhaustive=True)
    report = search.report(run(search))
    assert "Searched: all of them; 21 tables." in report
    assert "(randomised < mean): 1.\n  Smallest: 001 010 011 100 101 110: fixed 3" in report
    assert "mean 8/3 = 2.6667" in report
    assert "Exhaustive over these tables" in report
    assert "prove" not in report
    search = Separations([np.asarray([[2, 1], [1, 1]])], "one", {})
    assert "xhaustive" not in search.report(run(search))


def test_an_optimum_that_is_not_certified_is_left_out_and_said(monkeypatch):
    def fail(p):
        raise Uncertified("not shown to meet")

    monkeypatch.setattr(separations, "depths", fail)
    search = Separations(supports(1), "both", {}, exhaustive=True)
    records = run(search)
    assert not search.found(records)
    report = search.report(records)
    assert "this failed for 2 tables" in report
    assert "xhaustive" not in report


# State


class Counting(Search):
    """Its fourth case is interrupted where there is a stop."""

    stop = False

    def __init__(self, cases=5):
        self.cases, self.done = [{"k": k} for k in range(cases)], []

    def case(self, rng, /, **case):
        if self.stop and case["k"] == 3:
            raise KeyboardInterrupt
        self.done.append(case["k"])
        return {"square": case["k"] ** 2}

    def found(self, records):
        return False

    def report(self, records):
        return str(records)


def test_a_search_goes_on_where_it_was_stopped(tmp_path):
    """And further, since a case does not depend on how many there are."""
    state, stopped = tmp_path / "state", Counting()
    stopped.stop = True
    with pytest.raises(KeyboardInterrupt):
        run(stopped, state)
    for cases, done in ((5, [3, 4]), (5, []), (6, [5]), (2, [])):
        search = Counting(cases)
        assert run(search, state) == tuple({"k": k, "square": k**2} for k in range(cases))
        assert search.done == done
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_case_that_fails_ends_the_search():
    search = Counting()
    search.cases = [{"n": 1}]
    with pytest.raises(RuntimeError, match="n=1: KeyError: 'k'"):
        run(search)


# The command


def test_exit_codes_and_reports(capsys):
    assert main(["permutations", "--most", "5"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "no violation of convexity" in captured.out
    assert main(["depths", "--sites", "2"]) == 0
    assert "Exhaustive over" in capsys.readouterr().out
    assert main(["depths", "--sites", "3"]) == 1
    assert "21 tables" in capsys.readouterr().out
    assert main(["depths", "--sites", "3", "--random", "2", "--seed", "1"]) in (0, 1)
    out = capsys.readouterr().out
    assert "random weights 0 to 3 of sequences of 3 bits, seed 1; 2 tables" in out


class Asked(list):
    """What is noted about a run, and no constant of the code."""


ASKED = Asked()


def noted(self, rng, /, **case):
    """A case of `Separations`, until the tenth of the first time."""
    if case["table"] == 9 and case["table"] not in ASKED:
        ASKED.append(9)
        raise KeyboardInterrupt
    ASKED.append(case["table"])
    return CASE(self, rng, **case)


CASE = Separations.case


def test_an_interrupted_command_ends_with_the_same_words(tmp_path, capsys, monkeypatch):
    command = ["depths", "--sites", "3", "--state", str(tmp_path / "state")]
    ASKED.clear()
    monkeypatch.setattr(Separations, "case", noted)
    assert main(command) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "interrupted; the same command goes on from there\n"
    assert main(command) == 1
    assert [*range(10), *range(9, 21)] == ASKED
    resumed = capsys.readouterr().out
    monkeypatch.undo()
    assert main(command[:3]) == 1
    assert capsys.readouterr().out == resumed


@each(
    ("arguments", "complaint"),
    [
        ([], "permutations|depths"),
        (["nonsense"], "invalid choice"),
        (["permutations", "--most", "2"], "at least 3"),
        (["permutations", "--most", "5000"], "at most 2000"),
        (["permutations", "--most", "many"], "whole number"),
        (["permutations", "--sites", "3"], "unrecognized arguments"),
        (["depths", "--sites", "5"], "all supports are searched up to 4 sites, not 5"),
        (["depths", "--sites", "6", "--random", "1"], "searched up to 5 sites, not 6"),
        (["depths", "--random", "0"], "whole number of at least 1"),
        (["depths", "--sites", "2", "--seed", "1"], "--seed is for --random"),
        (["depths", "--random", "1", "--seed", "-1"], "whole number of at least 0"),
        (["depths", "--state", "nothing/state"], "there is no folder"),
        (["depths", "--state", "."], "is no name of a file"),
    ],
)
def test_wrong_usage(arguments, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    captured = capsys.readouterr()
    assert (stop.value.code, captured.out) == (2, "")
    assert captured.err.startswith("error: ")
    assert "\nusage: python -m sims.open_questions" in captured.err
    assert complaint in " ".join(captured.err.split())


def test_random_sets_can_be_drawn_from():
    policy = RandomSets(best_randomised(Moves(fraction_of(NOT_ALL_EQUAL))).choices)
    x = np.asarray([[MASK, MASK, MASK], [0, 1, MASK], [MASK, 0, 0], [0, MASK, MASK]] * 200)
    predictions = np.full((800, 3, 2), 0.5)
    chosen = policy.choose(x, predictions, 0, np.random.default_rng(0)).reshape(200, 4, 3)
    assert (chosen[:, 0].sum(axis=1) == 2).all()
    assert chosen[:, 0].mean(axis=0) == pytest.approx(2 / 3, abs=0.1)
    assert chosen[0, 1:].tolist() == [
        [False, False, True],
        [True, False, False],
        [False, True, True],
    ]
    assert "contexts" in repr(policy)


def test_floats_are_read_as_fractions():
    table = np.asarray([[[1, 1], [2, 0]], [[0, 3], [1, 1]]])
    assert depths(JointTable(table / 9)) == depths(fraction_of(table))
    thirds = rational_table(JointTable([1 / 3, 2 / 3])).table().tolist()
    assert thirds == [Fraction(1, 3), Fraction(2, 3)]
