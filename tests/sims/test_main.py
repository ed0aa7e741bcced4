"""The command: what it prints against what the package computes, and what it refuses."""

import json
import math
import os
import re
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from sims import frontier, output_distribution, policies, regret
from sims.__main__ import main
from sims.comparison.compare import usual_decoders
from tests.sims.printed import strict, table_of
from theory import gallery


def number(cell):
    return {"–": None, "inf": math.inf}.get(cell) if cell in ("–", "inf") else float(cell)


def as_json(value):
    """A number as the JSON has it."""
    return None if value is None or math.isnan(value) else "inf" if value == math.inf else value


def close(value):
    if not isinstance(value, float):
        return value
    return pytest.approx(value, rel=1e-9, abs=1e-12)


DISTRIBUTIONS = {
    "parity(3)": gallery.parity(3),
    "permutations(3)": gallery.permutations(3),
    "permutations(3, exact=True)": gallery.permutations(3, exact=True),
    "cities": gallery.cities(),
    "binary_symmetric(3, 0.1)": gallery.binary_symmetric(3, 0.1),
    "words(2)": gallery.words(2),
}


# JSON


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_json_has_the_numbers_of_the_package(name, command):
    p = DISTRIBUTIONS[name]
    said = strict(command("--gallery", name, "--json"))
    assert (said["distribution"], said["length"], said["vocab"]) == (name, p.length, p.vocab)
    assert said["unit"] == "nats"
    decoders = usual_decoders(p)
    assert [row["decoder"] for row in said["decoders"]] == list(map(repr, decoders))
    for decoder, row in zip(decoders, said["decoders"], strict=True):
        q = output_distribution(p, decoder)
        for key in ("kl", "path_kl", "reverse_kl", "tv", "valid_mass"):
            assert row[key] == close(as_json(float(getattr(q, key)))), (decoder, key)
        assert row["regret"] == pytest.approx(regret(p, decoder), rel=1e-9, abs=1e-9)
        rounds = float(q.expected_rounds_on_data)
        assert row["rounds"] == close(float(q.expected_rounds) if math.isnan(rounds) else rounds)
        assert len(row["examples"]) == 3
    ours = [(corner["rounds"], corner["kl"]) for corner in said["frontier"]]
    expected = [(float(corner.rounds), float(corner.kl)) for corner in frontier(p)]
    assert ours == [pytest.approx(corner, rel=1e-9, abs=1e-12) for corner in expected]


@pytest.mark.parametrize("temperature", ["0", "0.5", "3"])
def test_json_has_no_literals_of_python(temperature, command):
    p = gallery.parity(3)
    decoders = [policies.LeftToRight(1), policies.GibbsCorrector(None, 1)]
    spoken = [argument for d in decoders for argument in ("--policy", repr(d))]
    said = strict(
        command("--gallery", "parity(3)", "--temperature", temperature, "--json", *spoken)
    )
    assert said["temperature"] == float(temperature)
    for decoder, row in zip(decoders, said["decoders"], strict=True):
        q = output_distribution(p, decoder, float(temperature))
        for key in ("kl", "path_kl", "reverse_kl", "tv"):
            assert row[key] == close(as_json(float(getattr(q, key)))), key
    assert (said["decoders"][0]["kl"] == "inf") is (temperature == "0")
    assert said["decoders"][1]["path_kl"] is None


def test_json_says_null_where_the_best_decoder_is_out_of_reach(command, monkeypatch):
    monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_PAIRS", 1)
    said = strict(command("--gallery", "parity(3)", "--policy", "TopK(1)", "--json"))
    assert said["frontier"] is None
    assert said["decoders"][0]["regret"] is None


# The table


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_table_has_every_decoder_with_its_numbers(name, command):
    rows = table_of(command("--gallery", name), always=1)
    said = strict(command("--gallery", name, "--json"))["decoders"]
    assert len(rows) == len(said)
    for cells, row in zip(rows, said, strict=True):
        assert cells[0].replace(" ", "") == row["decoder"].replace(" ", "")
        keys = ("rounds", "kl", "path_kl", "tv", "valid_mass", "regret")
        for cell, key in zip(cells[1:7], keys, strict=True):
            shown = number(cell)
            if row[key] is None:
                assert shown is None
            else:
                rounding = {"rounds": 5e-3, "valid_mass": 1e-4}.get(key, 5e-5)
                assert shown == pytest.approx(row[key], rel=0.06, abs=rounding)
        assert cells[7].replace(",", "").split() == " ".join(row["examples"]).split()


def test_the_table_begins_with_what_the_distribution_is(command):
    """Entropy and total correlation of parity: 2 bits and 1 bit."""
    first = command("--gallery", "parity", "--length", "3", "--policy", "TopK(1)").splitlines()[0]
    assert first.startswith("parity(3): 3 sites, 2 tokens, ")
    assert "entropy 1.386 nats" in first
    assert "total correlation 0.6931 nats" in first


def test_infinite_divergence_is_shown(command):
    out = command("--gallery", "parity(3)", "--temperature", "0", "--policy", "LeftToRight(1)")
    ((decoder, rounds, kl, path_kl, tv, _, lost, writes),) = table_of(out, always=1)
    assert (decoder, rounds) == ("LeftToRight(1)", "3.00")
    assert (kl, path_kl, lost) == ("inf", "inf", "inf")
    assert float(tv) == 0.75
    assert writes == "000 000 000"
    assert "temperature 0" in out


def test_a_temperature_of_one_is_the_default(command):
    arguments = ("--gallery", "permutations(3)", "--policy", "TokenConfidence(2)")
    assert command(*arguments) == command(*arguments, "--temperature", "1")
    assert command(*arguments) != command(*arguments, "--temperature", "0.7")


def test_missing_numbers_are_dashes(command, monkeypatch):
    """A corrector has no path; the regret is missing where the best decoder is out of reach."""
    monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_PAIRS", 1)
    out = command("--gallery", "parity(3)", "--policy", "GibbsCorrector(None, 1)")
    ((_, _, kl, path_kl, _, _, lost, _),) = table_of(out, always=1)
    assert (kl, path_kl, lost) == ("0", "–", "–")
    assert "begins with" not in out


def test_a_mass_of_one_is_told_from_one_just_below(command, tmp_path):
    """All sites at once writes the impossible pair once in a million times."""
    np.save(tmp_path / "p.npy", [[998, 1], [1, 0]])
    path = str(tmp_path / "p.npy")
    every = ("--policy", "RandomOrder((2,))", "--policy", "LeftToRight(1)")
    parallel, serial = table_of(command("--table", path, *every), always=1)
    assert parallel[5] != serial[5]


def test_every_printed_decoder_can_be_asked_for(command):
    """And has the same numbers then."""
    rows = table_of(command("--gallery", "parity(3)", "--examples", "0"))
    spoken = [argument for row in rows for argument in ("--policy", row[0])]
    again = table_of(command("--gallery", "parity(3)", "--examples", "0", *spoken))
    assert again == rows


def test_decoders_that_are_too_large_are_named(command, monkeypatch):
    """Of two bits Bernoulli takes (2 * 2 + 1)^2 steps, Remask (3 * 2 + 1)^2 = 49."""
    arguments = ("--gallery", "repeated_bit(2)")
    assert "Left out" not in command(*arguments)
    monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_STEPS", 25)
    out = " ".join(command(*arguments).split())
    assert "Left out: Remask((0, 1/4, 1/2, 3/4, 1), 1/2), since its exact computation" in out
    assert "about 4.9e+01 steps" in out
    assert "Left out: Bernoulli" not in out
    assert "Left out" not in command(*arguments, "--policy", "TopK(1)")
    assert [*strict(command(*arguments, "--json"))["left_out"]] == [
        "Remask((0, 1/4, 1/2, 3/4, 1), 1/2)"
    ]


# What it says


def tries_of(out):
    found = re.search(r"writes a sequence of the data once in (\S+) tries", " ".join(out.split()))
    return None if found is None else float(found[1])


@pytest.mark.parametrize(
    ("name", "p"),
    [
        ("words(3)", gallery.words(3)),
        ("permutations(4)", gallery.permutations(4)),
        ("parity(4)", gallery.parity(4)),
        ("cities", gallery.cities()),
        ("one_hot(8)", gallery.one_hot(8)),
    ],
)
def test_once_in_so_many_tries(name, p, command):
    mass = float(output_distribution(p, policies.RandomOrder((p.length,))).valid_mass)
    out = command("--gallery", name, "--policy", f"RandomOrder(({p.length},))")
    assert tries_of(out) == pytest.approx(1 / mass, rel=5e-3)
    said = strict(command("--gallery", name, "--json", "--policy", f"RandomOrder(({p.length},))"))
    assert tries_of(out) == pytest.approx(1 / said["decoders"][0]["valid_mass"], rel=5e-3)


def test_the_default_says_so_too(command):
    assert tries_of(command("--gallery", "permutations(3)")) == 4.5


def test_large_numbers_of_tries_are_written_out(command, tmp_path):
    """Six equal sites of four tokens: 4^6 / 4."""
    p = np.zeros((4,) * 6)
    for token in range(4):
        p[(token,) * 6] = 1
    np.save(tmp_path / "p.npy", p)
    out = command("--table", str(tmp_path / "p.npy"), "--policy", "RandomOrder((6,))")
    assert tries_of(out) == pytest.approx(1024, rel=5e-3)
    assert "e+" not in out


NEVER = [[0, 4, 4], [3, 1, 0], [3, 0, 1]]
"""The likeliest tokens of both sites are 0, which they never are together."""


def test_never(command, tmp_path):
    np.save(tmp_path / "p.npy", NEVER)
    arguments = ("--table", str(tmp_path / "p.npy"), "--policy", "RandomOrder((2,))")
    out = " ".join(command(*arguments, "--temperature", "0").split())
    assert "writes a sequence of the data never" in out


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("repeated_bit(3, 0.5)", "RandomOrder((3,))"),
        ("permutations(3)", "LeftToRight(1)"),
        ("permutations(3)", "BlockCorrector(None, 2, 1)"),
        ("permutations(3)", "Bernoulli((0, 0.5, 1))"),
    ],
)
def test_no_such_sentence_where_nothing_is_lost_or_more_than_one_step_is_taken(
    name, policy, command
):
    """The corrector takes one call of the denoiser, but starts from the data."""
    out = command("--gallery", name, "--policy", policy)
    assert "tries" not in out
    assert "All sites at once" not in out


@pytest.mark.parametrize("name", ["permutations(3)", "coupled_pairs(2)", "words(2)"])
def test_it_says_what_losing_nothing_takes(name, command):
    p = {**DISTRIBUTIONS, "coupled_pairs(2)": gallery.coupled_pairs(2)}[name]
    (best,) = frontier(p, [math.inf])
    out = " ".join(command("--gallery", name, "--policy", "LeftToRight(1)").split())
    rounds = re.search(r"needs ([\d.]+) rounds? to be lossless", out)
    sites = re.search(r"begins with sites? ([\d, ]+)", out)
    assert rounds is not None
    assert sites is not None
    assert float(rounds[1]) == pytest.approx(float(best.rounds), rel=1e-3)
    first = tuple(int(site) for site in sites[1].split(","))
    assert first == best.policy.sites([-1] * p.length)


# Where distributions come from


def without_name(out):
    return out.split(": ", 1)[1]


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("balanced", 4),
        ("coupled_pairs", 4),
        ("golden_mean", 3),
        ("one_hot", 3),
        ("parity", 3),
        ("permutations", 3),
        ("repeated_bit", 3),
        ("walk", 3),
        ("words", 2),
    ],
)
def test_a_name_with_a_length_is_the_call(name, length, command):
    number = length // 2 if name == "coupled_pairs" else length
    every = ("--policy", "LeftToRight(2)", "--policy", "TokenConfidence(1)")
    one = command("--gallery", name, "--length", str(length), *every)
    assert without_name(one) == without_name(command("--gallery", f"{name}({number})", *every))
    assert one.startswith(f"{name}({length}): {length} sites, ")


@pytest.mark.parametrize("name", ["parity(3)", "permutations(3)", "walk(3)", "balanced(4)"])
def test_a_saved_table_gives_the_numbers_of_the_gallery(name, command, tmp_path):
    path = str(tmp_path / "p.npy")
    p = {**DISTRIBUTIONS, "walk(3)": gallery.walk(3), "balanced(4)": gallery.balanced(4)}[name]
    np.save(path, p.table())
    from_file = strict(command("--table", path, "--json"))
    from_gallery = strict(command("--gallery", name, "--json"))
    assert from_file.pop("distribution") == path
    assert from_gallery.pop("distribution") == name
    assert from_file == from_gallery


def test_integer_and_float_tables_give_the_same(command, tmp_path):
    counts = np.asarray([[3, 0], [1, 4]])
    outs = []
    for kind, table in (("counts", counts), ("floats", counts / 8), ("small", counts.astype("i1"))):
        path = tmp_path / f"{kind}.npy"
        np.save(path, table)
        outs.append(without_name(command("--table", str(path))))
    assert outs[0] == outs[1] == outs[2]


def test_a_text_gives_the_numbers_of_its_words(command, tmp_path):
    """The 3 times, cat 3, dog 2, cow 1."""
    path = tmp_path / "text.txt"
    path.write_text("The cat, the dog;\nthe cow.\n\nA cat is no dog: CAT!\n", encoding="utf-8")
    out = command("--text", str(path), "--length", "3")
    assert out.startswith(f"{path}: 3 sites, 9 tokens")
    first, second = {"t": 3, "c": 4, "d": 2}, {"h": 3, "a": 3, "o": 3}
    third = {"e": 3, "t": 3, "g": 2, "w": 1}
    words = [first[a] * second[b] * third[c] / 9**3 for a, b, c in ("the", "cat", "dog", "cow")]
    assert tries_of(out) == pytest.approx(1 / sum(words), rel=5e-3)


# Examples


def test_examples_are_reproducible(command):
    arguments = ("--gallery", "permutations(4)", "--policy", "TopK(2)", "--policy", "Speculative")
    one = command(*arguments, "--examples", "5", "--seed", "7")
    assert one == command(*arguments, "--examples", "5", "--seed", "7")
    other = command(*arguments, "--examples", "5", "--seed", "8")
    assert [row[:7] for row in table_of(one, always=1)] == [
        row[:7] for row in table_of(other, always=1)
    ]
    assert [row[7] for row in table_of(one, always=1)] != [
        row[7] for row in table_of(other, always=1)
    ]


@pytest.mark.parametrize("number", [0, 1, 4])
def test_as_many_examples_as_asked_for(number, command):
    arguments = ("--gallery", "words(2)", "--policy", "LeftToRight(1)", "--examples", str(number))
    ((*_, writes),) = table_of(command(*arguments), always=1)
    (row,) = strict(command(*arguments, "--json"))["decoders"]
    assert len(row["examples"]) == number
    assert writes.split() == row["examples"]
    p = gallery.words(2)
    assert set(row["examples"]) <= set(p.spell(p.sequences))


# Plots

MAGIC = {".pdf": b"%PDF-", ".png": b"\x89PNG\r\n", ".svg": b"<?xml"}


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_plot_is_written(suffix, command, tmp_path):
    path = tmp_path / f"plot{suffix}"
    out = command("--gallery", "permutations(3)", "--plot", str(path))
    assert path.read_bytes().startswith(MAGIC[suffix])
    assert path.stat().st_size > 2000
    assert out == command("--gallery", "permutations(3)")


def test_a_plot_beside_json(command, tmp_path):
    path = tmp_path / "plot.svg"
    strict(command("--gallery", "parity(3)", "--json", "--plot", str(path)))
    assert b"<svg" in path.read_bytes()


@pytest.mark.parametrize("name", ["plot", "plot.jpg", "plot.txt", "plot.pdf.exe", ".png"])
def test_other_suffixes_are_refused(name, refused, tmp_path):
    error = refused("--gallery", "parity(3)", "--plot", str(tmp_path / name))
    assert ".pdf, .png, .svg" in error
    assert list(tmp_path.iterdir()) == []


def test_a_plot_needs_a_folder(refused, tmp_path):
    path = tmp_path / "nothing" / "plot.png"
    assert "there is no folder" in refused("--gallery", "parity(3)", "--plot", str(path))
    assert list(tmp_path.iterdir()) == []


def test_a_plot_cannot_replace_a_folder(refused, tmp_path):
    """This is known before anything is computed, and so before anything is printed."""
    (tmp_path / "plot.png").mkdir()
    error = refused("--gallery", "parity(3)", "--plot", str(tmp_path / "plot.png"))
    assert "plot.png" in error


@pytest.mark.parametrize("reachable", [True, False])
def test_infinite_divergences_are_left_out_of_the_plot(reachable, command, tmp_path, monkeypatch):
    """Even if nothing is left then."""
    if not reachable:
        monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_PAIRS", 1)
    path = tmp_path / "plot.png"
    command("--gallery", "parity(3)", "--temperature", "0", "--plot", str(path))
    assert path.read_bytes().startswith(MAGIC[".png"])


@pytest.mark.parametrize("name", ["a$b$c.npy", r"$\frac$.npy", "a_b^c{.npy", "[red]x.npy"])
def test_a_file_may_be_called_anything(name, command, tmp_path):
    np.save(tmp_path / name, np.eye(2))
    plot = tmp_path / "plot.png"
    out = command("--table", str(tmp_path / name), "--policy", "Bisection", "--plot", str(plot))
    assert name in out.replace("\n", "")
    assert plot.read_bytes().startswith(MAGIC[".png"])


# What it refuses


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "one of the arguments --gallery --table --text is required"),
        (["words", "4"], "unrecognized arguments: words 4"),
        (["--gallery", "parity(3)", "--nonsense"], "unrecognized arguments"),
        (["--gallery", "parity(3)", "--text", "x"], "not allowed with argument"),
        (["--gallery", "parity(3)", "--table", "x"], "not allowed with argument"),
        (["--gallery", "nonsense"], "there is no distribution of the gallery 'nonsense'"),
        (["--gallery", "parity"], "add --length N"),
        (["--gallery", "parity(3)", "--length", "3"], "leave out the length 3"),
        (["--gallery", "coupled_pairs", "--length", "3"], "even length"),
        (["--gallery", "parity(200)"], "GiB"),
        (["--gallery", "binary_symmetric(200, 0.1)"], "GiB"),
        (["--gallery", "parity", "--length", "0"], "whole number of at least 1, got '0'"),
        (["--gallery", "parity", "--length", "-3"], "whole number of at least 1, got '-3'"),
        (["--gallery", "parity", "--length", "3.0"], "whole number of at least 1, got '3.0'"),
        (["--gallery", "parity", "--length", "three"], "whole number of at least 1, got 'three'"),
        (["--gallery", "parity(3)", "--examples", "-1"], "whole number"),
        (["--gallery", "parity(3)", "--examples", "many"], "whole number"),
        (["--gallery", "parity(3)", "--seed", "1e3"], "whole number"),
        (["--gallery", "parity(3)", "--temperature", "hot"], "invalid float value: 'hot'"),
        (["--gallery", "parity(3)", "--temperature", "-1"], "temperature must be"),
        (["--gallery", "parity(3)", "--temperature", "nan"], "temperature must be"),
        (["--gallery", "parity(3)", "--temperature", "inf"], "temperature must be"),
        (
            ["--gallery", "parity(3, exact=True)", "--temperature", "0.5"],
            "an exact distribution allows temperature 0 and 1, got 0.5",
        ),
        (["--text", "no such file", "--length", "3"], "there is no file no such file"),
        (["--text", "no such file"], "add --length N"),
        (["--table", "no such file"], "there is no file no such file"),
        (["--table", "no such file", "--length", "3"], "a table has a length"),
    ],
)
def test_wrong_usage_gives_exit_code_2(arguments, complaint, refused):
    assert complaint in " ".join(refused(*arguments).split())


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        ("", "is no decoder"),
        ("TopK", "TopK: missing a required argument: 'k'"),
        ("TopK(", "is no decoder: write a name, or name(arguments)"),
        ("topk(2)", "there is no decoder 'topk'; there are Bernoulli, Bisection, "),
        ("TopK(0)", "k must be an integer of at least 1, got 0"),
        ("TopK(2, 'luck')", "score must be one of confidence, margin, entropy"),
        ("TopK(2, 'margin', 3)", "TopK: too many positional arguments"),
        ("RandomOrder((2, 2))", "sizes must sum to the length 3: (2, 2) sums to 4"),
        ("RandomOrder(3)", "sizes must be a sequence of integers, got 3"),
        ("Blocks(2, RandomOrder((1, 1)))", "(1, 1) sums to 2"),
        ("Blocks(2, Bernoulli((0, 1)))", "has a clock"),
        ("BlockCorrector(None, 4, 1)", "size must be at most the length 3"),
        ("Threshold(2)", "got 2"),
        ("Bernoulli((0, 0.5))", "times must rise from 0 to 1"),
        ("Rule(1)", "there is no decoder 'Rule'"),
        ("Tabulated([1])", "there is no decoder 'Tabulated'"),
        ("Policy()", "there is no decoder 'Policy'"),
        ("Decoder()", "there is no decoder 'Decoder'"),
        ("TokenPolicy()", "there is no decoder 'TokenPolicy'"),
        ("Corrector(None, 1)", "there is no decoder 'Corrector'"),
        ("TopK(__import__('os').getcwd())", "is no decoder"),
        ("__import__('os').getcwd()", "is no decoder"),
        ("TopK(open('made', 'w'))", "there is no decoder 'open'"),
        ("TopK([open('made', 'w')])", "there is no decoder 'open'"),
        ("TopK(2 + 2)", "is neither a number, a string nor a decoder"),
        ("TopK(2).__class__", "is no decoder"),
    ],
)
@pytest.mark.parametrize("before", [[], ["--policy", "Bisection"]], ids=["first", "second"])
def test_wrong_decoders_give_exit_code_2(policy, complaint, before, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = refused("--gallery", "permutations(3)", *before, "--policy", policy)
    assert complaint in " ".join(error.split())
    assert list(tmp_path.iterdir()) == []


def broken_files(folder):
    np.save(folder / "no cube.npy", np.ones((2, 3)))
    np.save(folder / "empty.npy", np.ones((0, 0)))
    np.save(folder / "objects.npy", np.asarray([[1, None]], dtype=object), allow_pickle=True)
    np.savez(folder / "archive.npz", a=np.ones((2, 2)))
    np.save(folder / "negative.npy", np.asarray([[1, -1], [1, 1]]))
    np.save(folder / "cut off.npy", np.ones((2, 2)))
    (folder / "cut off.npy").write_bytes((folder / "cut off.npy").read_bytes()[:140])
    (folder / "text.npy").write_text("0.25 0.25\n")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("no cube.npy", "has shape (2, 3)"),
        ("empty.npy", "has shape (0, 0)"),
        ("objects.npy", "no .npy file of numbers"),
        ("archive.npz", "holds several arrays"),
        ("negative.npy", "must not be negative: entry (0, 1) is -1"),
        ("cut off.npy", "no .npy file of numbers"),
        ("text.npy", "no .npy file of numbers"),
        (".", "is a folder; a .npy file is needed"),
    ],
)
def test_wrong_tables_give_exit_code_2(name, complaint, refused, tmp_path):
    broken_files(tmp_path)
    assert complaint in " ".join(refused("--table", str(tmp_path / name)).split())


def test_wrong_texts_give_exit_code_2(refused, tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"caf\xe9 noir")
    error = refused("--text", str(path), "--length", "4")
    assert "is not UTF-8: see the byte at offset 3. Save it as UTF-8 first" in error
    path.write_text("one two", encoding="utf-8")
    assert "add --length N" in refused("--text", str(path))
    assert "the lengths that occur are 3" in refused("--text", str(path), "--length", "4")


# As a command


def run(*arguments):
    command = [sys.executable, "-W", "error", "-m", "sims", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


def test_the_command_ends_with_these_exit_codes():
    good = run("--gallery", "parity(3)", "--policy", "LeftToRight(1)")
    assert (good.returncode, good.stderr) == (0, "")
    assert table_of(good.stdout, always=1)[0][0] == "LeftToRight(1)"
    bad = run("--gallery", "parity(3)", "--policy", "TopK(9, 'luck')")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "score must be one of" in bad.stderr


OUTPUTS = [
    ("--gallery", "parity(3)", "--policy", "LeftToRight(1)"),
    ("--gallery", "parity(3)", "--policy", "LeftToRight(1)", "--json"),
    ("--distance", "--end", "restart"),
    ("--distance", "--json"),
    ("--help",),
]


@pytest.mark.parametrize("arguments", OUTPUTS)
def test_a_reader_that_goes_away_is_no_error(arguments):
    """The pipe is closed before anything is written, as ``| true`` may do it."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-W", "error", "-m", "sims", *arguments]
    try:
        done = subprocess.run(
            command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wrong_command_is_wrong_without_a_reader():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sims", "--gallery", "nonsense"],
            stdout=writer,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == 2


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_characters_that_the_output_cannot_take(options, tmp_path):
    """Words and the name of the file are not ASCII."""
    path = tmp_path / "ä.txt"
    path.write_text("Größe über Größe, über größe.", encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "sims", "--distance", "--text", str(path)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*command, *options], capture_output=True, timeout=120, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode("ascii")
    if options:
        assert json.loads(out)["frequent_words"] == ["grösse", "über"]
    else:
        assert r'After "gr\xf6sse"' in out
        assert r"\xe4.txt: " in out


def test_help_names_all_options(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for option in (
        *("--gallery", "--table", "--text", "--length", "--policy", "--temperature"),
        *("--examples", "--seed", "--json", "--plot", "--distance"),
    ):
        assert option in out
