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

from sims import frontier, output_distribution, policies
from sims.__main__ import main
from sims.comparison.compare import compare, usual_decoders
from tests.noted import each
from tests.sims.printed import strict, table_of
from theory import EmpiricalDistribution, gallery, information


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


NUMBERS = ("rounds", "kl", "path_kl", "reverse_kl", "tv", "valid_mass", "regret")


@each("name", DISTRIBUTIONS)
def test_json_has_the_numbers_of_the_package(name, command):
    p = DISTRIBUTIONS[name]
    said = strict(command("--gallery", name, "--json"))
    assert (said["distribution"], said["length"], said["vocab"]) == (name, p.length, p.vocab)
    assert said["unit"] == "nats"
    found = compare(p, usual_decoders(p), corners=True)
    for ours, row in zip(said["decoders"], found.rows, strict=True):
        assert ours["decoder"] == row.decoder
        for key in NUMBERS:
            assert ours[key] == close(as_json(getattr(row, key))), (row.decoder, key)
        assert len(ours["examples"]) == 3
    corners = [(float(corner.rounds), float(corner.kl)) for corner in found.corners or []]
    assert [(corner["rounds"], corner["kl"]) for corner in said["frontier"]] == corners


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


def test_numbers_that_are_missing_are_null_or_dashes(command, monkeypatch):
    """A corrector has no path; the regret is missing where the best decoder is out of reach."""
    monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_PAIRS", 1)
    arguments = ("--gallery", "parity(3)", "--policy", "GibbsCorrector(None, 1)")
    said = strict(command(*arguments, "--json"))
    assert said["frontier"] is None
    assert said["decoders"][0]["regret"] is None
    out = command(*arguments)
    ((_, _, kl, path_kl, _, _, lost, _),) = table_of(out, always=1)
    assert (kl, path_kl, lost) == ("0", "–", "–")
    assert "begins with" not in out


def test_a_long_chain_has_what_is_known_by_gaps(command, refused):
    """Two steps of it are what `information.fixed_order_cost` says; `TopK(2)` is left out."""
    chain = ("--gallery", "golden_mean_chain(40)", "--examples", "1", "--policy", "LeftToRight(2)")
    out = command(*chain, "--policy", "TopK(2)")
    ((_, rounds, kl, path_kl, tv, valid, lost, _),) = table_of(out, always=1)
    batches = [(i, i + 1) for i in range(0, 40, 2)]
    cost = float(information.fixed_order_cost(gallery.golden_mean_chain(40), batches))
    assert (rounds, kl, tv, lost, path_kl) == ("20.00", "–", "–", "–", f"{cost:.4f}")
    assert 0 < float(valid) < 1
    said = " ".join(out.split())
    assert "Left out: TopK(2, 'confidence'), since" in said
    least = [f"{float(best.kl):.4f}" for best in frontier(gallery.golden_mean_chain(40), rounds=3)]
    rounds = "more than 1, 2, 3, 4, 5, 6 rounds"
    assert f"{rounds} have a path KL of at least {', '.join(least)}, " in said
    said = strict(command(*chain, "--json"))["decoders"]
    assert [row["kl"] for row in said] == [None]
    assert "the evidence lattice" in refused(*chain[:2], "--policy", "TopK(2)")


# The table


@each("name", DISTRIBUTIONS)
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
    """Of two bits Bernoulli takes (2 * 2 + 1)^2 steps, Remask (3 * 2 + 1)^2 = 49.

    The informed corrector takes those of the other correctors, 8, for each site and token.
    """
    arguments = ("--gallery", "repeated_bit(2)")
    assert "Left out" not in command(*arguments)
    monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_STEPS", 25)
    out = " ".join(command(*arguments).split())
    assert "Left out: Remask((0, 1/4, 1/2, 3/4, 1), 1/2), since its exact computation" in out
    assert "about 4.9e+01 steps" in out
    assert "Left out: Bernoulli" not in out
    assert "Left out" not in command(*arguments, "--policy", "TopK(1)")
    assert [*strict(command(*arguments, "--json"))["left_out"]] == [
        "Remask((0, 1/4, 1/2, 3/4, 1), 1/2)",
        "InformedCorrector(RandomOrder((2,)), 2)",
    ]


# What it says


def tries_of(out):
    found = re.search(r"writes a sequence of the data once in (\S+) tries", " ".join(out.split()))
    return None if found is None else float(found[1])


@each(("name", "length"), [("words(3)", 3), ("permutations(4)", 4), ("cities", 2)])
def test_once_in_so_many_tries(name, length, command):
    arguments = ("--gallery", name, "--policy", f"RandomOrder(({length},))")
    (row,) = strict(command(*arguments, "--json"))["decoders"]
    assert tries_of(command(*arguments)) == pytest.approx(1 / row["valid_mass"], rel=5e-3)


def test_the_default_says_so_too(command):
    assert tries_of(command("--gallery", "permutations(3)")) == 4.5


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
def test_no_such_sentence_where_it_is_lossless_or_more_than_one_step_is_taken(
    name, policy, command
):
    """The corrector takes one call of the denoiser, but starts from the data."""
    out = command("--gallery", name, "--policy", policy)
    assert "tries" not in out
    assert "All sites at once" not in out


@each("name", ["permutations(3)", "binary_symmetric(3, 0.1)", "words(2)"])
def test_it_says_what_lossless_decoding_takes(name, command):
    p = DISTRIBUTIONS[name]
    (best,) = frontier(p, [math.inf])
    out = " ".join(command("--gallery", name, "--policy", "LeftToRight(1)").split())
    rounds = re.search(r"needs ([\d.]+) rounds? to", out)
    sites = re.search(r"begins with sites? ([\d, ]+)", out)
    assert rounds is not None
    assert sites is not None
    assert float(rounds[1]) == pytest.approx(float(best.rounds), rel=1e-3)
    first = tuple(int(site) for site in sites[1].split(","))
    assert first == best.policy.sites([-1] * p.length)


# Where distributions come from


def without_name(out):
    return out.split(": ", 1)[1]


@each(("name", "length", "number"), [("coupled_pairs", 4, 2), ("one_hot", 3, 3), ("words", 2, 2)])
def test_a_name_with_a_length_is_the_call(name, length, number, command):
    every = ("--policy", "LeftToRight(2)", "--policy", "TokenConfidence(1)")
    one = command("--gallery", name, "--length", str(length), *every)
    assert without_name(one) == without_name(command("--gallery", f"{name}({number})", *every))
    assert one.startswith(f"{name}({length}): {length} sites, ")


@each("name", ["parity(3)", "permutations(3)"])
def test_a_saved_table_gives_the_numbers_of_the_gallery(name, command, tmp_path):
    path = str(tmp_path / "p.npy")
    np.save(path, DISTRIBUTIONS[name].table())
    from_file = strict(command("--table", path, "--json"))
    from_gallery = strict(command("--gallery", name, "--json"))
    assert from_file.pop("distribution") == path
    assert from_gallery.pop("distribution") == name
    assert from_file == from_gallery


def test_samples_give_the_numbers_of_their_distribution(command, tmp_path):
    """As strings and as tokens, with and without a prompt in their symbols."""
    strings = ["cat", "cot", "tac", "cat"]
    (tmp_path / "strings").write_text("\n".join(strings), encoding="utf-8")
    p = EmpiricalDistribution.from_strings(strings)
    np.save(tmp_path / "p.npy", p.sequences)
    every = ("--policy", "LeftToRight(2)", "--json")
    for prompt in ((), ("--prompt", "c__")):
        said = strict(command("--samples", str(tmp_path / "strings"), *every, *prompt))
        given = p.given(p.read("c__")) if prompt else p
        found = compare(given, [policies.LeftToRight(2)], corners=True)
        if not prompt:
            assert said["decoders"][0]["kl"] == close(found.rows[0].kl)
        spelled = ("--prompt", "1__") if prompt else ()
        tokens = strict(command("--samples", str(tmp_path / "p.npy"), *every, *spelled))
        for key in ("kl", "rounds", "path_kl"):
            assert said["decoders"][0][key] == tokens["decoders"][0][key]
        assert (said["length"], said["vocab"]) == (3, 4)
    assert said["decoders"][0]["kl"] == close(
        output_distribution(p, policies.LeftToRight(2), prompt=p.read("c__")).kl
    )
    assert set(said["decoders"][0]["examples"]) <= {"cat", "cot"}


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


@each("number", [0, 1, 4])
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


def test_where_a_plot_cannot_be_written(refused, tmp_path):
    """This is known before anything is computed, and so before anything is printed."""
    for name in ("plot", "plot.jpg", "plot.txt", "plot.pdf.exe", ".png"):
        error = refused("--gallery", "parity(3)", "--plot", str(tmp_path / name))
        assert ".pdf, .png, .svg" in error
    path = tmp_path / "nothing" / "plot.png"
    assert "there is no folder" in refused("--gallery", "parity(3)", "--plot", str(path))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "plot.png").mkdir()
    assert "plot.png" in refused("--gallery", "parity(3)", "--plot", str(tmp_path / "plot.png"))


@pytest.mark.parametrize("reachable", [True, False])
def test_infinite_divergences_are_left_out_of_the_plot(reachable, command, tmp_path, monkeypatch):
    """Even if nothing is left then."""
    if not reachable:
        monkeypatch.setattr(import_module("sims.comparison.compare"), "MAX_PAIRS", 1)
    path = tmp_path / "plot.png"
    command("--gallery", "parity(3)", "--temperature", "0", "--plot", str(path))
    assert path.read_bytes().startswith(MAGIC[".png"])


@each("name", ["a$b$c.npy", r"$\frac$.npy", "a_b^c{.npy", "[red]x.npy"])
def test_a_file_may_be_called_anything(name, command, tmp_path):
    np.save(tmp_path / name, np.eye(2))
    plot = tmp_path / "plot.png"
    out = command("--table", str(tmp_path / name), "--policy", "Bisection", "--plot", str(plot))
    assert name in out.replace("\n", "")
    assert plot.read_bytes().startswith(MAGIC[".png"])


# What it refuses

NO_DECODERS = ["Rule", "Tabulated", "GapTabulated", "Policy", "Decoder", "TokenPolicy", "Corrector"]


@each(
    ("arguments", "complaint"),
    [
        ([], "one of the arguments --gallery --table --samples --text is required"),
        (["words", "4"], "unrecognized arguments: words 4"),
        (["--gallery", "parity(3)", "--nonsense"], "unrecognized arguments"),
        (["--gallery", "parity(3)", "--text", "x"], "not allowed with argument"),
        (["--gallery", "nonsense"], "there is no distribution of the gallery 'nonsense'"),
        (["--gallery", "parity"], "add --length N"),
        (["--gallery", "parity(200)"], "GiB"),
        (["--gallery", "parity", "--length", "0"], "whole number of at least 1, got '0'"),
        (["--gallery", "parity", "--length", "3.0"], "whole number of at least 1, got '3.0'"),
        (["--gallery", "parity(3)", "--examples", "-1"], "whole number"),
        (["--gallery", "parity(3)", "--seed", "1e3"], "whole number"),
        (["--gallery", "parity(3)", "--temperature", "hot"], "invalid float value: 'hot'"),
        (["--gallery", "parity(3)", "--temperature", "-1"], "temperature must be"),
        (
            ["--gallery", "parity(3, exact=True)", "--temperature", "0.5"],
            "an exact distribution allows temperature 0 and 1, got 0.5",
        ),
        (["--text", "no such file", "--length", "3"], "there is no file no such file"),
        (["--table", "no such file"], "there is no file no such file"),
        (["--table", "no such file", "--length", "3"], "a table has a length"),
        (["--samples", "no such file"], "there is no file no such file"),
        (["--samples", "no such file", "--length", "3"], "samples have a length"),
        (["--samples", "x", "--gallery", "parity(3)"], "not allowed with argument"),
        (["--samples", "x", "--distance"], "--samples does not go with --distance"),
    ],
)
def test_wrong_usage_gives_exit_code_2(arguments, complaint, refused):
    assert complaint in " ".join(refused(*arguments).split())


@each(
    ("policy", "complaint"),
    [
        ("", "is no decoder"),
        ("TopK", "TopK takes either k, the sites of every round, or the sizes of all batches"),
        ("Speculative(1, 2)", "Speculative: too many positional arguments"),
        ("topk(2)", "there is no decoder 'topk'; there are Bernoulli, Bisection, "),
        ("TopK(0)", "k must be an integer of at least 1, got 0"),
        ("RandomOrder((2, 2))", "sizes must sum to the length 3: (2, 2) sums to 4"),
        ("Blocks(2, RandomOrder((1, 1)))", "(1, 1) sums to 2"),
        *((f"{name}(1)", f"there is no decoder '{name}'") for name in NO_DECODERS),
        ("TopK(open('made', 'w'))", "there is no decoder 'open'"),
    ],
)
@each("before", [[], ["--policy", "Bisection"]], ids=["first", "second"])
def test_wrong_decoders_give_exit_code_2(policy, complaint, before, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = refused("--gallery", "permutations(3)", *before, "--policy", policy)
    assert complaint in " ".join(error.split())
    assert list(tmp_path.iterdir()) == []


def test_wrong_files_give_exit_code_2(refused, tmp_path):
    """More of them: tests/sims/test_sources.py."""
    np.save(tmp_path / "p.npy", np.ones((2, 3)))
    assert "has shape (2, 3)" in refused("--table", str(tmp_path / "p.npy"))
    assert "is a folder; a .npy file is needed" in refused("--table", str(tmp_path))
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


UNREAD = [
    (("--gallery", "parity(3)", "--policy", "LeftToRight(1)"), 0),
    (("--distance", "--end", "restart"), 0),
    (("--distance", "--json"), 0),
    (("--help",), 0),
    (("--gallery", "nonsense"), 2),
]


@pytest.mark.parametrize(("arguments", "code"), UNREAD)
def test_a_reader_that_goes_away_is_no_error(arguments, code):
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
    assert (done.returncode, done.stderr == "") == (code, code == 0)


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


POEM = "床前明月光，疑是地上霜。"


def test_characters_of_a_text(command, tmp_path):
    """Eight pairs follow each other in two runs of five, and no pair goes across the comma."""
    path = tmp_path / "text"
    path.write_text(POEM, encoding="utf-8")
    options = ("--text", str(path), "--tokens", "characters", "--length", "2", "--json")
    found = json.loads(command(*options, "--policy", "RandomOrder((2,))"))
    assert found["entropy"] == pytest.approx(np.log(8), rel=1e-12)
    found = json.loads(command(*options, "--prompt", "明_", "--policy", "RandomOrder((1,))"))
    assert set(found["decoders"][0]["examples"]) == {"明月"}


def test_words_without_spaces_are_noted(capsys, tmp_path):
    """The hint is one line on standard error, before the numbers or what is wrong."""
    path = tmp_path / "text"
    path.write_text(POEM, encoding="utf-8")
    hint = f"warning: the words of {path} have 5 letters on average: are there spaces"
    assert main(["--text", str(path), "--length", "5", "--policy", "LeftToRight()"]) == 0
    noted = capsys.readouterr().err.splitlines()
    assert len(noted) == 1
    assert noted[0].startswith(hint)
    assert main(["--text", str(path), "--distance", "--json"]) == 0
    assert capsys.readouterr().err.startswith(hint)
    with pytest.raises(SystemExit):
        main(["--text", str(path), "--length", "2"])
    noted = capsys.readouterr().err.splitlines()
    assert noted[0].startswith(hint)
    assert noted[1] == "error: no word has 2 letters; the lengths that occur are 5"


def test_help_names_all_options(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for option in (
        *("--gallery", "--table", "--samples", "--text", "--tokens", "--length"),
        *("--policy", "--temperature"),
        *("--examples", "--seed", "--json", "--plot", "--distance"),
        *("--after", "--between", "--order", "--end", "--frequent"),
    ):
        assert option in out
