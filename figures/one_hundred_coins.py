"""Rare tokens that are due and written, by length and block size, and what small blocks save."""

from typing import Any

from figures.figure import Data, Figure
from sims import output_distribution, policies
from theory import drawn_first, gallery

__all__ = ["FIGURE"]

RARE = (0.1, 0.3, 0.45)
TOSSES = 100
LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30, 50, 70, TOSSES)
BLOCKS = range(1, 13)
SITES, FLIP, SIDE = 8, 0.1, 0.3
TIES: tuple[drawn_first.Ties, ...] = ("lowest", "random")
PARALLEL = "chain, a block in one round"


def compute() -> Data:
    """Mean numbers and shares of rare sides in closed form; divergences, those of chains exact."""
    lengths: dict[str, list[Any]] = {name: [] for name in ("rare", "tosses", "due", "written")}
    blocks: dict[str, list[Any]] = {name: [] for name in ("rare", "block", "share")}
    losses: dict[str, list[Any]] = {name: [] for name in ("what", "block", "kl_nats")}
    for rare in RARE:
        for length in LENGTHS:
            written = drawn_first.token_counts([1 - rare, rare], length)[1]
            _add(lengths, rare, length, rare * length, float(written))
        for block in BLOCKS:
            _add(
                blocks,
                rare,
                block,
                float(drawn_first.token_counts([1 - rare, rare], block)[1]) / block,
            )
    chain = gallery.binary_symmetric(SITES, FLIP)
    for block in range(1, SITES + 1):
        for ties in TIES:
            parts = [min(block, SITES - start) for start in range(0, SITES, block)]
            kl = sum(drawn_first.coins_kl(SIDE, part, ties) for part in parts)
            _add(losses, f"coins, ties to {ties}", block, round(kl, 12) + 0.0)
        kl = float(output_distribution(chain, policies.LeftToRight(block)).kl)
        _add(losses, PARALLEL, block, round(kl, 12) + 0.0)
    return {"lengths": lengths, "blocks": blocks, "losses": losses}


def _add(panel: dict[str, list[Any]], *values: Any) -> None:
    for column, value in zip(panel.values(), values, strict=True):
        column.append(value)


COLOURS = {0.1: ("#0072B2", "o", "-"), 0.3: ("#D55E00", "s", "--"), 0.45: ("#009E73", "^", "-.")}
STYLES = {
    "coins, ties to lowest": ("#D55E00", "s", "--", "coins, ties to the lowest site"),
    "coins, ties to random": ("#E69F00", "D", ":", "coins, ties at random"),
    PARALLEL: ("0.3", "o", "-", "chain, blocks in one round"),
}


def draw(data: Data) -> Any:
    """Numbers over lengths, shares over block sizes, divergences over block sizes."""
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(6.75, 2.6))
    for rare, (colour, mark, dashes) in COLOURS.items():
        here = _where(data["lengths"], "rare", rare)
        x, due, written = (_column(data["lengths"], here, c) for c in ("tosses", "due", "written"))
        left.plot(x, due, color=colour, linestyle=dashes, linewidth=0.8)
        left.plot(x, written, color=colour, linestyle=dashes, marker=mark, markersize=3)
        here = _where(data["blocks"], "rare", rare)
        x, share = (_column(data["blocks"], here, c) for c in ("block", "share"))
        middle.plot(
            x, share, dashes, color=colour, marker=mark, markersize=3, label=f"{rare:g} due"
        )
        middle.axhline(rare, color=colour, linestyle=dashes, linewidth=0.6, alpha=0.5)
    left.set(xscale="log", yscale="log", xlabel="tosses", ylabel="rare sides", ylim=(0.05, 100))
    left.set_xticks([1, 10, 100], ["1", "10", "100"])
    left.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    left.minorticks_off()
    left.text(9, 9, "due", fontsize=7, ha="right")
    left.text(100, 1.1, "written", fontsize=7, ha="right")
    left.set_title("(a) one site a round")
    middle.set(xlabel="size of blocks", ylabel="share of rare sides", ylim=(0, 0.5))
    middle.set_xticks([1, 4, 8, 12])
    middle.legend(loc="upper right", fontsize=7)
    middle.set_title("(b) block after block")
    for what, (colour, mark, dashes, label) in STYLES.items():
        here = _where(data["losses"], "what", what)
        x, kl = (_column(data["losses"], here, c) for c in ("block", "kl_nats"))
        right.plot(x, kl, dashes, color=colour, marker=mark, markersize=3, label=label)
    right.set(xlabel="size of blocks", ylabel="KL(p || q), nats", ylim=(-0.3, 9.5))
    right.set_xticks(range(1, SITES + 1))
    right.legend(loc="upper left", fontsize=7)
    right.set_title("(c) two reasons, 8 sites")
    return figure


def _where(panel: Any, column: str, value: Any) -> list[int]:
    return [k for k, found in enumerate(panel[column]) if found == value]


def _column(panel: Any, rows: list[int], column: str) -> list[Any]:
    return [panel[column][k] for k in rows]


FIGURE = Figure(
    name="one_hundred_coins",
    title="One hundred coins",
    caption=(
        "Independent coins, a perfect model, temperature 1, one site a round: a side is drawn for "
        "every masked coin and the likeliest drawn one is kept, LLaDA's order of operations. "
        "(a) Rare sides that are due (thin) and written (marks), for three probabilities of the "
        "rare side: of 30 due in 100 tosses 0.43 are written, and no more in longer texts. "
        "(b) In blocks, one after the other, the share of rare sides falls with the size of the "
        "blocks; blocks of one are exact (thin: due). (c) What small blocks save, of 8 sites. Of "
        "coins with a rare side of probability 0.3, one a round: nothing is parallel, and the "
        "loss is the selection's; how large it is depends on the rule for ties. Beside it the "
        "usual reason: a symmetric chain (flip 0.1) of which a block is written in one round, "
        "where the loss is that of dependence; coins written so lose nothing. The last block is "
        "shorter where the size does not divide 8."
    ),
    compute=compute,
    draw=draw,
    relation="ours",
    source="derived here; the code of LLaDA was read for the order of operations",
    claims=("C2", "C12", "E5"),
    parameters={
        "rare": list(RARE),
        "lengths": list(LENGTHS),
        "blocks": [min(BLOCKS), max(BLOCKS)],
        "sites": SITES,
        "flip": FLIP,
        "side": SIDE,
    },
)
