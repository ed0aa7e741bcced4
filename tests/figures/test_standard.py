"""The standard rejects what it is there for: one drawing for each fault."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from tests.figures.standard import complaints, watched_texts

CYCLE = ("#0072B2", "#D55E00")


def faults_of(draw, size=(3.25, 2)):
    """Complaints about a good drawing after `draw` has drawn on its axes."""
    mpl.use("Agg")
    with plt.style.context("figures.paper"):
        drawing, axes = plt.subplots(figsize=size)
        axes.set(xlabel="x, bits", ylabel="y, bits", title="(a)")
        with watched_texts() as texts:
            draw(axes)
            drawing.canvas.draw()
            found = complaints(drawing, texts)
        plt.close(drawing)
    return found


def two_lines(axes, **styles):
    for k, colour in enumerate(CYCLE):
        axes.plot([0, 1, 2], [k, 1, 2], color=colour, **{key: v[k] for key, v in styles.items()})


@pytest.mark.parametrize(
    "styles",
    [
        {"linestyle": ("-", "--")},
        {"linestyle": ("-", "-"), "marker": ("o", "s")},
        {"linestyle": ("-", "-"), "linewidth": (3, 1)},
        {"linestyle": ("-", "-"), "marker": ("o", "o"), "fillstyle": ("full", "none")},
    ],
)
def test_a_good_drawing_has_none(styles):
    assert faults_of(lambda axes: two_lines(axes, **styles)) == []


def test_lines_that_differ_in_colour_only():
    (fault,) = faults_of(lambda axes: two_lines(axes, linestyle=("-", "-")))
    assert fault.endswith("lines in #0072B2 and #D55E00 differ in colour only")


def test_marks_that_stand_apart_tell_lines_from_each_other():
    def draw(axes):
        two_lines(axes, linestyle=("-", "-"))
        two_lines(axes, linestyle=("none", "none"), marker=("o", "s"))

    assert faults_of(draw) == []


@pytest.mark.parametrize(
    ("draw", "fault"),
    [
        (lambda axes: axes.text(0.5, 0.5, "small", fontsize=5), "'small' is 5 points high"),
        (lambda axes: axes.text(1, 0.5, "far away", in_layout=False), "'far away' is cut off"),
        (
            lambda axes: [axes.text(0.5, y, t) for y, t in ((0.5, "one"), (0.52, "two"))],
            "'one' overlaps 'two'",
        ),
        (lambda axes: axes.set_xlabel(""), "'(a)': the x axis has no label"),
        (lambda axes: axes.set_ylabel(""), "'(a)': the y axis has no label"),
        (
            lambda axes: axes.plot([0, 1], [0, 1], color="#AA4499"),
            "'(a)': the colour #aa4499 is not of the style",
        ),
        (
            lambda axes: [axes.scatter([0, 1], [0, 3], color="0.5"), axes.set_ylim(0, 2)],
            "'(a)': the mark at (1, 3) is outside",
        ),
        (
            lambda axes: [axes.plot([0, 3], [0, 1], "o", color="0.5"), axes.set_xlim(0, 2)],
            "'(a)': the mark at (3, 1) is outside",
        ),
        (
            lambda axes: axes.scatter([0, 1], [0, 1], facecolors="none", edgecolors="red"),
            "'(a)': the colour #ff0000 is not of the style",
        ),
    ],
)
def test_a_fault_is_found(draw, fault):
    assert faults_of(draw) == [fault]


def test_names_at_the_ticks_need_no_label():
    def draw(axes):
        axes.set(xlabel="")
        axes.set_xticks([0.2, 0.8], ["cats", "dogs"])

    assert faults_of(draw) == []


def test_other_widths_than_those_of_columns():
    assert faults_of(lambda axes: None, size=(5, 2)) == ["size 5 x 2 inches"]
    assert faults_of(lambda axes: None, size=(3.25, 9)) == ["size 3.25 x 9 inches"]
