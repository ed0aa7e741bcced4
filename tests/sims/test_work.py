"""What a decoder's exact computation takes is known before it is begun."""

from importlib import import_module as module

import pytest

from sims import orders, policies
from sims.__main__ import main
from sims.comparison.compare import usual_decoders
from sims.order.order_costs import AnyOrder
from tests.noted import each
from theory import EmpiricalDistribution, TooLarge, gallery
from theory._console.progress import tracked


def test_usual_decoders_are_refused_before_the_profile_is_computed(monkeypatch):
    monkeypatch.setattr(
        EmpiricalDistribution, "mean_subset_entropies", lambda self: pytest.fail("computed")
    )
    with pytest.raises(TooLarge, match=r"lattice of shape \(5,\)\*16 has 1.53e\+11 entries"):
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


def test_a_line_is_said_while_a_single_item_lasts(monkeypatch, capsys):
    monkeypatch.setattr(module("theory._console.progress"), "EVERY", 0.01)
    told, items = "", tracked(range(2), doing="counting")
    for item in items:  # without the lines it would not end
        while f"counting: {item} of 2 after" not in told:
            told += capsys.readouterr().err
    monkeypatch.undo()
    assert list(tracked(range(6))) == list(tracked(range(6), wanted=False)) == list(range(6))
    assert capsys.readouterr().err == ""
    assert list(tracked(range(6), wanted=True, doing="counting")) == list(range(6))
    assert capsys.readouterr().err.startswith("counting: 6 of 6 after")


def test_steps_of_all_orders_of_three_bits(monkeypatch):
    """From 1 + 3 * 2 + 6 * 4 + 6 * 4 contexts, and 1 + 3 + 6 + 6 beginnings."""
    p, steps = gallery.parity(3), 55 + 16 * module("sims.order.distribution").STEPS_OF_A_PATH
    monkeypatch.setattr(module("sims.order.distribution"), "MAX_STEPS", steps)
    assert len(orders(p, policies.FirstHitting())) == 6
    monkeypatch.setattr(module("sims.order.distribution"), "MAX_STEPS", steps - 1)
    with pytest.raises(TooLarge, match="6 beginnings of 3 rounds, takes about"):
        orders(p, policies.FirstHitting())


DECODERS = [
    policies.FirstHitting(),
    policies.Bernoulli((0, 0.5, 1)),
    policies.TopK(1),
    policies.TokenConfidence(1),
    policies.Speculative(),
]


@each("decoder", DECODERS, ids=repr)
def test_the_steps_that_are_counted_are_those_that_are_made(decoder, monkeypatch):
    """One for each context after each beginning; the first is the empty sequence."""
    counted, made = [], [1]
    there = module("sims.order.distribution")
    follow, join = there._followed, there._joined

    def joined(*moves):
        found = join(*moves)
        made.append(found[2].size)
        return found

    def followed(*part):
        with monkeypatch.context() as following:
            following.setattr(there, "_joined", joined)
            return follow(*part)

    with monkeypatch.context() as watched:
        watched.setattr(there, "_followed", followed)
        watched.setattr(there, "STEPS_OF_A_PATH", 0)
        watched.setattr(there, "require_steps", lambda steps, most, what: counted.append(steps))
        orders(EmpiricalDistribution([[0, 0, 1], [0, 1, 1], [1, 2, 0], [2, 2, 2]]), decoder)
    assert counted[-1] == sum(made)


def test_too_many_orders_are_refused_before_the_first_is_followed(monkeypatch):
    monkeypatch.setattr(
        module("sims.order.distribution"), "_followed", lambda *a: pytest.fail("followed")
    )
    with pytest.raises(
        TooLarge, match=r"9 sites, with at least \d+ beginnings of 7 rounds, takes about"
    ):
        orders(gallery.parity(9), policies.FirstHitting())


def test_a_table_of_orders_is_refused_before_the_denoiser_is_asked(monkeypatch):
    """2^L L (N V + 500) steps: each of sets, sites and sequences counts."""
    p = EmpiricalDistribution([[0] * 12, [1] * 12])
    steps = 2**12 * 12 * (2 * 2 + 500)
    monkeypatch.setattr(module("sims.order.order_costs"), "MAX_STEPS", steps - 1)
    with pytest.raises(
        TooLarge, match=r"of 12 sites over 2 sequences of 2 tokens .* 2.5e\+07 steps"
    ):
        AnyOrder(p, lambda x: pytest.fail("asked"))
    monkeypatch.undo()
    monkeypatch.setenv("ZEROLOSS_MEMORY", str(2**40))
    with pytest.raises(TooLarge, match=r"of 16 sites over 32768 sequences"):
        AnyOrder(gallery.parity(16), lambda x: pytest.fail("asked"))
