"""What a decoder's exact computation takes is known before it is begun."""

import time

import pytest

from sims.__main__ import main
from sims.compare import usual_decoders
from sims.progress import tracked
from theory import EmpiricalDistribution, TooLarge, gallery


def test_usual_decoders_are_refused_before_the_profile_is_computed(monkeypatch):
    monkeypatch.setattr(
        EmpiricalDistribution, "mean_subset_entropies", lambda self: pytest.fail("computed")
    )
    with pytest.raises(TooLarge, match=r"lattice of shape \(5,\)\*16 has 1.53e\+11 cells"):
        usual_decoders(gallery.sudoku())


def test_a_text_of_long_words_is_refused_before_its_profile_is_computed(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(
        EmpiricalDistribution, "mean_subset_entropies", lambda self: pytest.fail("computed")
    )
    text = tmp_path / "text"
    text.write_text("misunderstandings conceptualization\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--text", str(text), "--length", "17"])
    assert "lattice of shape (17,)*17 has" in capsys.readouterr().err


def test_without_a_terminal_a_line_every_so_often(capsys, monkeypatch):
    """Items of 8 s each: at 24 and 48 s more than twenty have passed since the last line."""
    clock = iter(range(0, 1000, 8))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    assert list(tracked(range(6), doing="counting")) == list(range(6))
    assert capsys.readouterr().err.splitlines() == [
        "counting: 2 of 6 after 24 s",
        "counting: 5 of 6 after 48 s",
    ]
    assert list(tracked(range(6), wanted=False)) == list(range(6))
    assert capsys.readouterr().err == ""
