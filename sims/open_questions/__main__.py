"""``python -m sims.open_questions``: search for an answer to an open question.

Exit code 0 if nothing was found, 1 if a violation or a separation was, 2 for wrong usage, 130 if
the search was interrupted.
"""

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from sims.open_questions.permutations import Permutations
from sims.open_questions.search import Search, run
from sims.open_questions.separations import Separations, random_tables, supports
from sims.sweep.sweep import add_state_arguments
from theory._console.arguments import CommandParser, count, positive
from theory._core.plurals import counted
from theory.errors import ZerolossError

MAX_WEIGHT = 3
"""Of random tables."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.name == "depths" and options.random is None and options.seed is not None:
        parser.error("--seed is for --random N")
    try:
        search = Permutations(options.most) if options.name == "permutations" else _depths(options)
        records = run(search, options.state, other_code=options.other_code)
    except ZerolossError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--state: {options.state} cannot be written: {error.strerror}")
    except KeyboardInterrupt:
        kept = options.state is not None and options.state.exists()
        again = "; the same command goes on from there" if kept else ""
        print(f"interrupted{again}", file=sys.stderr)
        return 130
    print(search.report(records))
    return int(search.found(records))


def _depths(options: argparse.Namespace) -> Search:
    sites = options.sites
    if options.random is None:
        tables = supports(sites)
        what = (
            f"p uniform on each non-empty set of sequences of {counted(sites, 'bit')}, one for "
            "each class up to permuting sites and flipping bits"
        )
        return Separations(tables, what, {"sites": sites}, exhaustive=True)
    seed = options.seed or 0
    tables = random_tables(sites, options.random, MAX_WEIGHT, np.random.default_rng(seed))
    what = f"random weights 0 to {MAX_WEIGHT} of sequences of {counted(sites, 'bit')}, seed {seed}"
    parameters = {"sites": sites, "random": options.random, "seed": seed}
    return Separations(tables, what, parameters)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m sims.open_questions",
        description="Search for an answer to an open question about exact decoding.",
        epilog="exit code: 0 nothing found, 1 a violation or a separation found, 2 wrong usage, "
        "130 interrupted",
    )
    names = parser.add_subparsers(dest="name", metavar="permutations|depths", required=True)
    permutations = names.add_parser(
        "permutations", help="is the frontier of permutations convex in the number of rounds?"
    )
    permutations.add_argument(
        "--most", type=positive, default=400, metavar="N", help="tokens, 3 to 2000 (default: 400)"
    )
    depths = names.add_parser(
        "depths", help="do values or random choices save rounds at zero divergence?"
    )
    depths.add_argument(
        "--sites", type=positive, default=3, metavar="L", help="number of bits, 1 to 4 (default: 3)"
    )
    depths.add_argument(
        "--random",
        type=positive,
        metavar="N",
        help="random weights instead of all supports: so many tables, of up to 5 bits",
    )
    depths.add_argument("--seed", type=count, metavar="S", help="of these tables (default: 0)")
    for search in (permutations, depths):
        add_state_arguments(search)
    return parser


if __name__ == "__main__":
    sys.exit(main())
