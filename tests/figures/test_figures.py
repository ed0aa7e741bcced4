"""Figures: numbers against slow oracles, the same bytes twice, and a check that can fail."""

import csv
import io
import itertools
import json
import math
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import Executor, Future
from fractions import Fraction
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from figures import FIGURES, files, running
from figures.__main__ import main
from figures.check import differences
from figures.notes import ENDS, TABLES, bounds_table, claims_table, published_table, with_tables
from tests.figures.standard import complaints, watched_texts
from tests.noted import each
from theory import bounds, claims, corpora, schedules

ROOT = Path(__file__).parents[2]
NAMES = list(FIGURES)
PINNED = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line and not line.startswith("#")
)


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_a_panel_are_equally_long_and_finite(data, name):
    for columns in data[name].values():
        assert len({len(values) for values in columns.values()}) == 1
        numbers = [v for values in columns.values() for v in values if isinstance(v, float)]
        assert all(map(math.isfinite, numbers))


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_are_those_recorded(data, name):
    assert differences(FIGURES[name], data[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_number_is_found(data, name):
    """The planted change is a part in a million in one cell."""
    changed = {panel: {k: list(v) for k, v in c.items()} for panel, c in data[name].items()}
    panel, column = next(
        (p, k) for p, c in changed.items() for k, v in c.items() if type(v[0]) is float
    )
    changed[panel][column][0] += 1e-6
    (line,) = differences(FIGURES[name], changed)
    assert f"{name}-{panel}: {column}, row 0" in line
    missing = {f"{panel}-new": changed[panel]}
    assert differences(FIGURES[name], missing) == [f"{name}-{panel}-new: nothing is recorded"]


@each("name", NAMES)
def test_figures_name_claims_that_exist(name):
    assert set(FIGURES[name].claims) <= set(claims.registry)
    assert FIGURES[name].caption.endswith(".")


def test_english_words_in_one_round_by_hand(data):
    """Valid mass of one round: over all words, the product of the letters' marginals."""
    words = {w: c for w, c in corpora.english().words.items() if len(w) == 4}
    total = sum(words.values())
    letters = [Counter() for _ in range(4)]
    for word, count in words.items():
        for i, letter in enumerate(word):
            letters[i][letter] += count
    prob = {w: math.prod(Fraction(letters[i][c], total) for i, c in enumerate(w)) for w in words}
    rounds = data["english_words"]["rounds"]
    one = rounds["rounds"].index(1)
    assert math.isclose(rounds["valid_mass"][one], float(sum(prob.values())), abs_tol=1e-12)
    likeliest = data["english_words"]["likeliest"]
    for string, is_word, p, q in zip(*likeliest.values(), strict=True):
        assert is_word == (string in words)
        assert math.isclose(p, words.get(string, 0) / total, rel_tol=1e-12)
        here = math.prod(letters[i][c] / total for i, c in enumerate(string))
        assert math.isclose(q, here, rel_tol=1e-12)


def test_english_words_in_two_rounds_by_hand(data):
    """Valid mass of (2, 2): over words and pairs of sites, two marginals times two conditionals."""
    words = {w: c for w, c in corpora.english().words.items() if len(w) == 4}
    total = sum(words.values())
    counts = Counter()  # of words with these letters at these sites
    for w, c in words.items():
        for k in (1, 2, 3):
            for sites in itertools.combinations(range(4), k):
                counts[tuple((i, w[i]) for i in sites)] += c

    def count(w, *sites):
        return counts[tuple((i, w[i]) for i in sorted(sites))]

    mass = 0.0
    for first in itertools.combinations(range(4), 2):
        second = [i for i in range(4) if i not in first]
        for w in words:
            step = math.prod(count(w, i) / total for i in first)
            mass += step * math.prod(count(w, *first, i) / count(w, *first) for i in second)
    rounds = data["english_words"]["rounds"]
    at = rounds["sizes"].index("2 2")
    assert math.isclose(rounds["valid_mass"][at], mass / 6, abs_tol=1e-12)


def test_the_frechet_segment_by_formula(data):
    """Cost from H(a) + H(b) - H(joint) with cells written out; predictions never change."""

    def h(*cells):
        return -sum(c * math.log2(c) for c in cells if c > 1e-15)

    columns = data["frechet_segment"]["segment"]
    for a, b, e, first, second, bits in zip(*columns.values(), strict=True):
        joint = (a * b + e, a * (1 - b) - e, (1 - a) * b - e, (1 - a) * (1 - b) + e)
        assert min(joint) > -1e-15
        assert (first, second) == (a, b)
        assert math.isclose(bits, h(a, 1 - a) + h(b, 1 - b) - h(*joint), abs_tol=1e-12)


def _rows(panel, **chosen):
    """The rows of a panel in which some columns have given values."""
    rows = [dict(zip(panel, row, strict=True)) for row in zip(*panel.values(), strict=True)]
    return [row for row in rows if all(row[key] == value for key, value in chosen.items())]


def test_the_predicted_lines_of_the_rate_hold_the_measured_marks(data):
    """Equal for bits; else at most the line, in the end, and equal with the phases of the pair."""
    panels = data["conjecture_rate"]
    for row in _rows(panels["one_side"]):
        bits = row["chain"].startswith("flip")
        assert row["measured"] <= row["predicted"] * (1 + 1e-9)
        assert not bits or math.isclose(row["measured"], row["predicted"], rel_tol=1e-9)
    for row in _rows(panels["middle"]):
        assert math.isclose(row["measured"], row["predicted"], rel_tol=1e-9)
    for row in _rows(panels["words"], known="one word")[9:]:
        assert math.isclose(row["measured"], row["predicted"], rel_tol=1e-5)
    swings = _rows(panels["words"], known="two words")[6:]
    for row in swings:
        assert math.isclose(row["measured"], row["slowest"], rel_tol=0.013)
        assert row["slowest"] <= row["predicted"]
    assert min(row["measured"] / row["predicted"] for row in swings) < 0.5
    assert max(row["measured"] / row["predicted"] for row in swings) > 0.99


def test_the_bounds_on_information_hold_and_are_as_near_as_the_caption_says(data):
    panels = data["alike_not_independent"]
    for row in _rows(panels["bounds"], coefficient="KL"):
        for seen in _rows(panels["pairs"], flip=row["flip"], apart=row["apart"]):
            rounding = 1 + 1e-9
            assert seen["information"] <= row["bound"] * rounding
            assert row["bound"] <= 1.3 * seen["information"]


@pytest.mark.parametrize("flip", [0.02, 0.05, 0.1, 0.2])
def test_the_contraction_coefficient_of_a_flipping_bit_for_kl(flip):
    """The largest KL(mu P, nu P) / KL(mu, nu) over a grid is (1 - 2 flip)^2, at fair bits."""
    mu, nu = np.meshgrid(*2 * [np.linspace(0.01, 0.99, 99)])

    def kl(a, b):
        return a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b))

    def after(a):
        return a + flip - 2 * a * flip

    different = mu != nu
    mu, nu = mu[different], nu[different]
    shrunk = kl(after(mu), after(nu)) / kl(mu, nu)
    eta = (1 - 2 * flip) ** 2
    assert shrunk.max() <= eta * (1 + 1e-9)
    assert shrunk.max() > eta * 0.999
    assert abs(mu[shrunk.argmax()] - 0.5) + abs(nu[shrunk.argmax()] - 0.5) < 0.03


def test_the_words_after_the_prompt_by_counting(data):
    """One and two words after "must be", from the counts of three words in a row."""
    corpus = corpora.english()
    followers = {}
    for a, b, c, times in corpus.triples.tolist():
        followers.setdefault((a, b), Counter())[c] += times
    end = len(corpus.vocabulary) - 1
    must, be = map(corpus.vocabulary.index, ("must", "be"))
    first = followers[must, be]
    one, two = np.zeros((2, len(corpus.vocabulary)))
    for word, times in first.items():
        one[word] = times / first.total()
        nexts = Counter([end]) if word == end else followers[be, word]
        for v, count in nexts.items():
            two[v] += one[word] * count / nexts.total()
    for distance, counted in ((1, one), (2, two)):
        for row in _rows(data["fading_words"]["one_side"], distance=distance):
            share = counted[corpus.vocabulary.index(row["word"])]
            assert math.isclose(row["probability"], share, abs_tol=1e-9)


HOSTILE = """
backend: TkAgg
axes.formatter.use_locale: True
axes.grid: True
axes.prop_cycle: cycler('color', ['k'])
figure.constrained_layout.use: False
figure.hooks: not_there:hook
font.family: monospace
path.sketch: 1, 100, 2
pdf.compression: 0
savefig.bbox: tight
savefig.transparent: True
text.usetex: True
"""
"""A matplotlibrc that would change or break a figure that looked at it."""


def test_two_processes_write_the_same_bytes(tmp_path, capsys):
    """All files of some figures, and the page: by two processes with settings of their own, here.

    A style of the user's that has the name of the package's is not taken for it.
    """
    styles = tmp_path / "settings" / "stylelib"
    styles.mkdir(parents=True)
    (styles / "figures.paper.mplstyle").write_text("axes.facecolor: yellow\n")
    (tmp_path / "matplotlibrc").write_text(HOSTILE)
    settings = {"MATPLOTLIBRC": str(tmp_path), "MPLCONFIGDIR": str(styles.parent)}
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"} | settings
    names = ["five_counterexamples", "cost_picture"]
    chosen = [part for name in names for part in ("--only", name)]
    command = [sys.executable, "-m", "figures", *chosen, "--workers", "2", "--slowest", "1"]
    ran = subprocess.run(
        [*command, "--out", str(tmp_path / "one")],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert main([*chosen, "--out", str(tmp_path / "two")]) == 0
    lines = ran.stdout.splitlines()
    assert (
        lines[:-1] == capsys.readouterr().out.replace(f"two{os.sep}", f"one{os.sep}").splitlines()
    )
    assert re.fullmatch(r" +\d+\.\d s  (five_counterexamples|cost_picture)", lines[-1])
    assert [Path(p).stem for p in lines if p.endswith(".pdf")] == names
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / f).iterdir()} for f in ("one", "two"))
    assert one == two
    assert {Path(n).suffix for n in one} == {".pdf", ".png", ".csv", ".json", ".html"}
    provenance = json.loads(one["cost_picture.json"])
    assert provenance["claims"] == ["B2", "B5", "I1"]
    assert provenance["versions"]["numpy"] == np.__version__


def test_the_csv_holds_the_plotted_numbers(data, tmp_path):
    figure, numbers = FIGURES["cost_picture"], data["cost_picture"]["profiles"]["profile_bits"]
    files.write(figure, data["cost_picture"], tmp_path)
    with open(tmp_path / "cost_picture-profiles.csv", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert np.allclose([float(row["profile_bits"]) for row in rows], numbers, rtol=1e-11)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_keeps_the_standard_and_the_picture_of_the_pages_is_the_real_output(data, name):
    """No complaints; and drawn anew, less than one pixel in a thousand is different."""
    with watched_texts() as texts, files.drawn(FIGURES[name], data[name]) as drawing:
        png = files.picture(drawing)
        assert complaints(drawing, texts) == []
    assert f"figures/recorded/{name}.png" in (ROOT / "README.md").read_text(encoding="utf-8")
    if mpl.__version__ != PINNED["matplotlib"]:
        pytest.skip("pictures differ between Matplotlib versions")
    fresh, shown = imread(io.BytesIO(png)), imread(files.recorded_folder() / f"{name}.png")
    assert fresh.shape == shown.shape
    different = np.abs(fresh - shown) > 0.02
    assert np.logical_or.reduce(np.moveaxis(different, -1, 0)).mean() < 1e-3


# ---- notes and README say what the registries say ------------------------------------------


def test_the_tables_of_paper_notes_are_up_to_date():
    """If this fails: make notes."""
    page = (ROOT / "paper_notes.md").read_text(encoding="utf-8")
    own = {k for k, c in claims.registry.items() if c.checks[0].residual.__module__[:4] != "test"}
    assert all(f"| {key} |" in page for key in own)
    assert with_tables(page) == page


def test_a_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="lacks the markers"):
        with_tables("no markers")
    assert claims_table().count("\n") == len(claims.registry) + 1


def test_a_page_keeps_what_is_outside_of_the_markers():
    marks = [
        f"<!-- {name} table: {edge} (made by `make notes`) -->" for name in TABLES for edge in ENDS
    ]
    page = "\n".join(["first", *marks, "last"])
    renewed = with_tables(page)
    assert renewed.startswith("first\n<!--")
    assert renewed.endswith("-->\nlast")
    assert with_tables(renewed) == renewed


def test_the_table_of_bounds_has_a_row_for_each_distribution_and_no_upper_bound_below_1(data):
    panel = data["bounds_looseness"]["bounds"]
    lines = bounds_table().splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(dict.fromkeys(panel["data"]))
    header = [cell.strip() for cell in lines[0].split("|")[1:-1]]
    for line in lines[2:]:
        for bound, cell in zip(header[1:], line.split("|")[2:-1], strict=True):
            if cell.strip() != "–":
                assert float(cell) <= 1 if bound == "falls, least" else float(cell) >= 1


def test_the_worst_codes_are_those_of_the_worst_case(data):
    """The constant of a bound over the least that holds for all distributions of 8 sites."""
    panel = data["bounds_looseness"]["bounds"]
    rows = list(zip(panel["data"], panel["bound"], panel["ratio"], strict=True))
    worst = {bound: ratio for name, bound, ratio in rows if name == "worst code, 8"}
    equal = schedules.uniform(8, 3)
    both = bounds.worst_case(equal, of="both").share
    tc = bounds.worst_case(schedules.total_correlation(8, 0.5)).share
    dtc = bounds.worst_case(schedules.dual_total_correlation(8, 0.5), of="dtc").share
    assert worst["largest batch"] == Fraction(max(equal) - 1, 8) / both == 1
    assert worst["Li and Cai"] == Fraction(3, 8) / both
    assert math.isclose(worst["r TC"], Fraction(1, 2) / tc, rel_tol=1e-8)
    assert worst["r DTC"] == Fraction(1, 2) / dtc == 1
    assert min(ratio for _, bound, ratio in rows if bound == "r TC") == worst["r TC"]


def test_what_is_best_possible_by_hand(data):
    """Shares of the worst codes, and of the one that is hit by 63 of 64 rounds."""
    panels = data["what_is_best_possible"]
    worst = {(s, k): v for s, k, v in zip(*list(panels["worst"].values())[:3], strict=True)}
    assert worst["equal", 32] == 1.0  # the last two sites of the code of dimension 63
    assert worst["minimax", 2] == 62 / 63  # 63 sites and one
    assert worst["minimax", 63] == worst["equal", 63] == 1 / 63  # two sites first
    for rounds in (48, 56, 63):  # a site begins no batch with probability share * (64 - site)
        by_hand = 2 * (64 - rounds) / (64 * 63)
        assert math.isclose(worst["random minimax", rounds], by_hand, rel_tol=1e-12)
    codes = defaultdict(dict)
    for name, r, share, is_worst in zip(*panels["codes"].values(), strict=True):
        codes[name][r] = share
        assert is_worst == math.isclose(share, worst[name, 8], rel_tol=1e-10)
    starts = list(itertools.accumulate(schedules.minimax(64, 8), initial=0))
    for r, share in codes["minimax"].items():
        assert math.isclose(share, (min(b for b in starts if b >= r) - r) / (64 - r), abs_tol=1e-9)
    assert len(set(codes["random minimax"].values())) == 1
    for name, _, sites, product, limit in zip(*panels["growth"].values(), strict=True):
        if sites == 512:
            assert abs(product - limit) < (0.02 if name == "minimax" else 0.005) * limit


def test_published_numbers_agree_with_ours(data):
    """To a thousandth: most are rounded to three digits, and limits are taken at a large n."""
    rows = published_table().splitlines()[2:]
    panels = [panels["published"] for panels in data.values() if "published" in panels]
    assert len(rows) == sum(len(panel["quantity"]) for panel in panels)
    assert len(panels) >= 4
    for panel in panels:
        assert panel["ours"] == pytest.approx(panel["published"], rel=1.1e-3)


def test_the_table_of_the_notes_has_every_claim_with_its_levels_and_verdict():
    """The README only says how many there are."""
    notes = (ROOT / "paper_notes.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(): line for line in notes.splitlines() if line.startswith("|")}
    for key, claim in claims.registry.items():
        cells = [cell.strip() for cell in rows[key].replace(r"\|", "/").split("|")]
        assert cells[6] == claim.verdict
        assert cells[7].split("; ")[0].split(", ") == list(claim.levels)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| {len(claims.registry)} claims with sources" in readme
    assert "\n| A1 |" not in readme


def test_the_first_number_of_the_readme_is_the_measured_one(data):
    rounds = data["english_words"]["rounds"]
    tries = round(1 / rounds["valid_mass"][rounds["rounds"].index(1)])
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"writes a real word **once in {tries} tries**" in " ".join(readme.split())


def test_the_second_number_of_the_readme_is_the_computed_one(data):
    """Of 30 heads due in 100 tosses; a coin that is drawn m times is never a tail with 0.3^m."""
    (row,) = _rows(data["one_hundred_coins"]["lengths"], rare=0.3, tosses=100)
    assert row["due"] == pytest.approx(30)
    assert row["written"] == pytest.approx(math.fsum(0.3**m for m in range(1, 101)), rel=1e-12)
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "of **30 heads due in 100 tosses** of a coin" in readme
    assert f"writes **{row['written']:.2f}**" in readme


def test_coins_in_blocks_by_hand(data):
    """Shares of the rare side, and what a chain and coins lose in blocks of two."""
    for row in _rows(data["one_hundred_coins"]["blocks"]):
        powers = math.fsum(row["rare"] ** m for m in range(1, row["block"] + 1))
        assert row["share"] == pytest.approx(powers / row["block"], rel=1e-12)
    losses = data["one_hundred_coins"]["losses"]
    (chain,) = _rows(losses, what="chain, a block in one round", block=2)
    first, later = math.log(2) - _coin(0.1), _coin(0.18) - _coin(0.1)
    assert chain["kl_nats"] == pytest.approx(first + 3 * later, rel=1e-9)
    (coins,) = _rows(losses, what="coins, ties to random", block=2)
    pair = {0: 0.91 * 0.7, 1: (0.91 * 0.3 + 0.09 * 0.7) / 2, 2: 0.09 * 0.3}
    due = {n: 0.3**n * 0.7 ** (2 - n) for n in pair}
    one = math.fsum(math.comb(2, n) * p * math.log(p / pair[n]) for n, p in due.items())
    assert coins["kl_nats"] == pytest.approx(4 * one, rel=1e-9)


def _coin(share):
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


def test_lengths_of_texts_and_which_are_empty(data):
    panels = data["empty_text"]
    for row in _rows(panels["lengths"], sampler="site first"):
        assert row["probability"] == pytest.approx(1 / 7, rel=1e-9)
    for name in ("token first", "token first, blocks of 2", "token first, blocks of 3"):
        shares = [row["probability"] for row in _rows(panels["lengths"], sampler=name)]
        assert math.fsum(shares) == pytest.approx(1, abs=1e-9)
        mean = math.fsum(n * share for n, share in enumerate(shares))
        (row,) = _rows(panels["means"], sampler=name, sites=6)
        assert row["mean_words"] == pytest.approx(mean, abs=1e-9)
    for row in _rows(panels["empty"]):
        size, length = row["block"] * row["vocab"], row["sites"]
        assert row["empty"] == ("ties decide" if size == length else str(size > length))


def test_a_sampler_that_draws_first_by_following_every_draw(data):
    """LLaDA, one a step: all masked sites draw a token, the likeliest of these is kept."""
    parameters = FIGURES["samplers_on_trial"].parameters
    shape = (parameters["vocab"],) * parameters["length"]
    weights = np.random.default_rng(parameters["seed"]).gamma(0.5, size=shape)
    table = weights / weights.sum()
    layer: dict[tuple, float] = {(None,) * len(shape): 1.0}
    for _ in shape:
        after: defaultdict[tuple, float] = defaultdict(float)
        for x, mass in layer.items():
            masked = [i for i, token in enumerate(x) if token is None]
            given = table[tuple(slice(None) if token is None else token for token in x)]
            given = given / given.sum()
            predictions = [
                given.sum(axis=tuple(set(range(len(masked))) - {j})) for j in range(len(masked))
            ]
            for drawn in itertools.product(range(shape[0]), repeat=len(masked)):
                probabilities = [q[token] for q, token in zip(predictions, drawn, strict=True)]
                best = max(range(len(masked)), key=probabilities.__getitem__)
                site, token = masked[best], drawn[best]
                after[*x[:site], token, *x[site + 1 :]] += mass * math.prod(probabilities)
        layer = dict(after)
    tv = math.fsum(abs(mass - table[x]) for x, mass in layer.items()) / 2
    rows = data["samplers_on_trial"]["samplers"]
    (row,) = _rows(rows, sampler="LLaDA", setting="one a step")
    assert row["tv"] == pytest.approx(tv, abs=1e-9)


def test_what_samplers_on_trial_say(data):
    """Sites that are chosen first, one a round, lose nothing; and Dream's copies do not do that."""
    rows = data["samplers_on_trial"]["samplers"]
    for row in _rows(rows):
        if "one a step" in row["setting"]:
            assert row["tv_says"] < 1e-9
            assert row["rounds"] == 5
            assert (row["tv"] < 1e-9) == (row["kind"] == "selects, then draws")
    (dream,) = _rows(rows, sampler="Dream's copies")
    assert (dream["rounds"], dream["tv_says"]) == (4, 0)
    assert dream["tv"] > 0.1


# ---- command ------------------------------------------------------------------------------


def test_the_command_lists_figures(capsys):
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == NAMES


def test_the_command_checks(capsys):
    assert main(["--only", "cost_picture", "--check"]) == 0
    assert capsys.readouterr().out == "cost_picture: as recorded\n"


def test_the_slowest_figures_are_listed(capsys):
    assert main(["--only", "cost_picture", "--check", "--slowest", "3"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "cost_picture: as recorded"
    assert re.fullmatch(r" +\d+\.\d s  cost_picture", second)


def test_what_is_done_comes_in_order_whichever_is_ready_first(monkeypatch, tmp_path):
    """The long figure is begun first; what is ready before the first of them waits for it."""
    first, long, last = "cost_picture", "reveal_order", "english_words"
    assert [FIGURES[name].long for name in (first, long, last)] == [False, True, False]
    seen = []

    class LastFirst(Executor):
        def submit(self, fn, /, *args, **kwargs):
            given.append((Future(), args[0]))
            if len(given) == 3:
                for future, name in (given[2], given[0], given[1]):
                    seen.append(name)
                    future.set_result(running.Outcome(name, (), (), 0.0))
            return given[-1][0]

    given = []
    names = [first, long, last]
    done = running.run_figures(
        LastFirst(), names, "check", tmp_path, lambda outcome: seen.append(f"said {outcome.name}")
    )
    assert [name for _, name in given] == [long, first, last]
    assert seen == [last, long, first, *(f"said {name}" for name in names)]
    assert [outcome.name for outcome in done] == names


def test_all_figures_are_shared_by_the_cores_and_a_few_are_not(monkeypatch):
    asked = []
    monkeypatch.setattr("theory._console.executors.usable_cores", lambda: 4)
    monkeypatch.setattr("figures.__main__._run", lambda names, workers, _: asked.append(workers))
    for arguments in ([], ["--only", NAMES[0]], ["--workers", "3"], ["--workers", "1"]):
        main(arguments)
    assert asked == [4, None, 3, None]


def test_the_command_fails_when_a_number_changed(monkeypatch, capsys):
    monkeypatch.setattr("figures.check.read_recorded", lambda figure, panel: None)
    assert main(["--only", "cost_picture", "--check"]) == 1
    assert "nothing is recorded" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["--only", "nothing"], ["--check", "--record"], ["--nonsense"], ["--workers", "0"]],
)
def test_wrong_usage_gives_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_an_output_folder_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "out").write_text("")
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "out")])
    assert "is not a folder" in capsys.readouterr().err


def test_notes_need_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["--notes"])
    (tmp_path / "paper_notes.md").write_text((ROOT / "paper_notes.md").read_text(encoding="utf-8"))
    assert main(["--notes"]) == 0
    assert "renewed" in capsys.readouterr().out
