"""``python -m sims.training``: the mean excess of decoders, by training masks and learner.

Exit code 0 if all cases went well, 1 if one failed, 2 for wrong usage, 130 if it was interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor

from rich.box import SIMPLE
from rich.table import Table

from sims.sweep.cases import Case
from sims.sweep.results import Mean, Results
from sims.sweep.sweep import add_arguments, from_arguments, grid
from sims.training.experiment import DATA, DECODERS, LEARNERS, MASKS, SEEING, experiment
from theory._console.arguments import CommandParser, count, positive, prepare_output
from theory._console.console import Fitting, output_console
from theory._console.format import as_json
from theory.errors import ZerolossError

REPEATS, SAMPLES = 10, 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    cases = _cases(options)
    if not cases:
        parser.error("the best masks are known for tables and for decoders that depend on nothing")
    try:
        with from_arguments(options) as run:
            results = run(experiment, cases, seed=options.seed)
    except ZerolossError as error:
        parser.error(str(error))
    except BrokenExecutor as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = "; the same command goes on from there" if options.state else ""
        print(f"interrupted{again}", file=sys.stderr)
        return 130
    if options.json:
        print(_to_json(results, options))
    else:
        _print(results, options)
    for failure in results.failed:
        print(f"failed: {failure}", file=sys.stderr)
    return int(bool(results.failed))


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m sims.training",
        description="Learn denoisers from samples under several distributions of masks, and "
        "compare what decoders write with them. Shown is the excess of KL(p || q) in nats over "
        "that with the zero-loss denoiser: mean and standard error over training sets.",
        epilog="exit code: 0 all cases went well, 1 a case failed, 2 wrong usage, 130 interrupted",
    )
    for name, known, what in (
        ("--data", DATA, "kind of data"),
        ("--masks", MASKS, "training masks"),
        ("--decoder", DECODERS, "decoder"),
    ):
        parser.add_argument(
            name,
            action="append",
            choices=[*known],
            metavar=name.lstrip("-").upper(),
            help=f"{what}, one of: {', '.join(known)} (repeatable; default: all)",
        )
    parser.add_argument("--learner", choices=[*LEARNERS], default="tables")
    parser.add_argument(
        "--size",
        type=positive,
        default=SAMPLES,
        metavar="N",
        help=f"training samples (default: {SAMPLES})",
    )
    parser.add_argument(
        "--repeats",
        type=positive,
        default=REPEATS,
        metavar="N",
        help=f"training sets for each mean (default: {REPEATS})",
    )
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    add_arguments(parser)
    return parser


def _cases(options: argparse.Namespace) -> list[Case]:
    """All combinations, but for the best masks where none are known."""
    every = grid(
        data=options.data or [*DATA],
        decoder=options.decoder or [*DECODERS],
        masks=options.masks or [*MASKS],
        learner=[options.learner],
        size=[options.size],
        repeat=range(options.repeats),
    )
    unknown = [*DECODERS] if options.learner != "tables" else SEEING
    return [c for c in every if c["masks"] != "best" or c["decoder"] not in unknown]


def _means(results: Results) -> dict[tuple[str, ...], Mean]:
    by = ("data", "decoder", "masks")
    return {tuple(m.at[name] for name in by): m for m in results.mean(of="excess", by=by)}


def _print(results: Results, options: argparse.Namespace) -> None:
    means, console = _means(results), output_console()
    decoders = list(dict.fromkeys(key[1] for key in means))
    for data in dict.fromkeys(key[0] for key in means):
        here = {key[1:]: mean for key, mean in means.items() if key[0] == data}
        least = {d: min(m.mean for (name, _), m in here.items() if name == d) for d in decoders}
        title = f"{data}, {options.size} samples, learner: {options.learner}"
        table = Table(title=title, box=SIMPLE, pad_edge=False)
        table.add_column("training masks", overflow="fold")
        for decoder in decoders:
            table.add_column(decoder, justify="right", no_wrap=True)
        for masks in dict.fromkeys(key[1] for key in here):
            cells = [_cell(here.get((decoder, masks)), least[decoder]) for decoder in decoders]
            table.add_row(masks, *cells)
        console.print(Fitting(table, least=12))
    console.print(
        "Excess KL in nats over the zero-loss denoiser, mean ± standard error over "
        f"{options.repeats} training sets (seed {options.seed}); bold: the least.",
        style="dim",
    )


def _cell(mean: Mean | None, least: float) -> str:
    if mean is None:
        return ""
    text = f"{mean.mean:.2g}±{mean.error:.1g}"
    return f"[bold]{text}[/bold]" if mean.mean == least else text


def _to_json(results: Results, options: argparse.Namespace) -> str:
    content = {
        "size": options.size,
        "learner": options.learner,
        "seed": options.seed,
        "repeats": options.repeats,
        "unit": "nats",
        "excess": [
            {**mean.at, "mean": mean.mean, "error": mean.error}  # nan, that is null, for one case
            for mean in _means(results).values()
        ],
        "failed": [str(failure) for failure in results.failed],
    }
    return as_json(content)


if __name__ == "__main__":
    prepare_output()
    sys.exit(main())
