"""``python -m sims.conformance my_module:sampler``: a sampler on trial on a perfect model.

Exit code 0 if it agrees, 1 if it does not, 2 for wrong usage.
"""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from theory._console.arguments import CommandParser, count, file_name, positive, prepare_output
from theory.errors import InvalidInput, ZerolossError

OF_TRIAL = ("gallery", "table", "prompt")
OF_SEARCH = ("vocab", "total")
"""Options that go with one of the two things that the command does."""

Shared = dict[str, Any]
"""Arguments that `check` and `refute` have in common."""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m sims.conformance") -> int:
    """Run the command, which calls itself `prog`, and return its exit code."""
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    for name in OF_TRIAL if options.refute else OF_SEARCH:
        if getattr(options, name) is not None:
            parser.error(f"--{name} {'does not go' if options.refute else 'goes'} with --refute")
    if not options.refute and options.gallery is None and options.table is None:
        parser.error("one of the arguments --gallery --table is required, or --refute")
    if options.table is not None and options.length is not None:
        parser.error("--length goes with --gallery or --refute; a table has a length")
    try:
        make_sampler = _found(options.sampler)
        return (_refute if options.refute else _check)(options, make_sampler, _shared(options))
    except ZerolossError as error:
        parser.error(str(error))
    except Exception as error:  # of any kind: it is code of the user's
        traceback.print_exc()
        parser.error(f"{options.sampler} raised {type(error).__name__}: {error}")


def _check(options: argparse.Namespace, make_sampler: Callable[[Any], Any], shared: Shared) -> int:
    from sims.comparison.sources import from_gallery, from_table
    from sims.conformance.check import check
    from theory._console.progress import tracked

    if options.table is not None:
        name, p = str(options.table), from_table(options.table)
    else:
        name, p = options.gallery, from_gallery(options.gallery, options.length)
        name += f"({options.length})" if options.length is not None else ""
    if options.prompt is not None:
        shared["prompt"] = p.read(options.prompt)
    verdict = check(
        make_sampler(p),
        p,
        extras=not options.plain,
        progress=partial(tracked, doing="drawing"),
        **shared,
    )
    if options.json:
        _print_json(options, verdict.to_dict() | {"distribution": name})
    else:
        print(f"{options.sampler} on {name}\n\n{verdict}")
    return int(not verdict)


def _refute(options: argparse.Namespace, make_sampler: Callable[[Any], Any], shared: Shared) -> int:
    from sims.conformance.refute import refute
    from theory._console.progress import tracked

    vocab, length = options.vocab or 2, options.length or 2
    total = {} if options.total is None else {"total": options.total}
    found = refute(
        make_sampler, vocab, length, progress=partial(tracked, doing="trying"), **total, **shared
    )
    if options.json:
        _print_json(options, {"agrees": found is None} | (found.to_dict() if found else {}))
    elif found is None:
        print(f"{options.sampler} is right on all tables that were tried.")
    else:
        print(f"{options.sampler}\n\n{found}")
    return int(found is not None)


def _print_json(options: argparse.Namespace, content: dict[str, Any]) -> None:
    from theory._console.format import as_json

    print(as_json({"sampler": options.sampler, "seed": options.seed, **content}))


def _shared(options: argparse.Namespace) -> Shared:
    import numpy as np

    from sims.comparison.call_parser import call
    from sims.comparison.sources import decoders_by_name

    shared: Shared = {
        name: getattr(options, name) for name in ("draws", "alpha", "paths", "tolerance", "batch")
    }
    if options.against is not None:
        shared["against"] = call(options.against, decoders_by_name(), "decoder")
    if options.temperature is not None:
        shared["temperature"] = options.temperature
    return shared | {"rng": np.random.default_rng(options.seed)}


def _found(text: str) -> Callable[[Any], Any]:
    """The function that ``module:name`` means, of modules in this folder, too.

    Raises
    ------
    InvalidInput
    """
    from sims.conformance.exact import takes_generator

    name, colon, attribute = text.partition(":")
    if not (name and colon and attribute):
        raise InvalidInput(f"{text!r} is no sampler: write module:function")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise  # it is there, and imports another that is not
        raise InvalidInput(f"there is no module {name!r} here ({os.getcwd()})") from None
    found: Any = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise InvalidInput(f"{name!r} has no function {attribute!r}")

    def make_sampler(p: Any) -> Any:
        sampler = None if takes_generator(found) else found(p)
        if not callable(sampler):
            raise InvalidInput(
                f"{text} has to be a function of a distribution that returns a sampler"
            )
        return sampler

    return make_sampler


def _parser(prog: str) -> CommandParser:
    from sims.conformance.check import TOLERANCE

    parser = CommandParser(
        prog=prog,
        usage=f"{prog} MODULE:FUNCTION [options]",
        description="Put a sampler on trial on a perfect model: does it write what it should?\n\n"
        "MODULE:FUNCTION names a function, of a module in this folder or of an installed\n"
        "one, from a distribution p to a sampler. That is a function of n, or of n and a\n"
        "NumPy generator, which returns n sequences of tokens (n, L). The model that it\n"
        "calls is Oracle(p) or TorchOracle(p).",
        epilog=f"for instance: {prog} mine:sampler --gallery words --length 3\n"
        f"              {prog} mine:sampler --refute --against 'TopK(1)'\n\n"
        "exit code: 0 it agrees, 1 it does not, 2 wrong usage",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sampler", metavar="MODULE:FUNCTION", help="such as mine:sampler")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--gallery",
        metavar="NAME",
        help="a distribution of theory.gallery: a name with --length, or a call such as "
        "'binary_symmetric(4, 0.1)'",
    )
    source.add_argument(
        "--table", type=file_name, metavar="FILE.npy", help="a joint table of shape (V,)*L"
    )
    parser.add_argument(
        "--length", type=positive, metavar="L", help="number of sites (with --refute: default 2)"
    )
    parser.add_argument(
        "--against",
        metavar="CALL",
        help="the decoder that it should be, such as 'TopK(1)' (default: it should write the data)",
    )
    parser.add_argument(
        "--temperature", type=float, metavar="T", help="of that decoder (default: 1)"
    )
    parser.add_argument(
        "--prompt",
        metavar="TEXT",
        help="tokens that are given, in the distribution's symbols, with a middle dot or _ for a "
        "masked site",
    )
    parser.add_argument(
        "--paths",
        type=count,
        default=100_000,
        metavar="N",
        help="paths to enumerate (default: 100000; 0: draw in any case)",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        metavar="TV",
        help=f"what is taken for rounding, where all is enumerated (default: {TOLERANCE:g})",
    )
    parser.add_argument(
        "--draws", type=positive, default=40_000, metavar="N", help="if drawn (default: 40000)"
    )
    parser.add_argument(
        "--alpha", type=float, default=1e-3, metavar="A", help="level of the test (default: 0.001)"
    )
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--batch", type=positive, metavar="N", help="sequences to ask for at once")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="leave out the extra trials of predictions at observed sites and of ties",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    search = parser.add_argument_group("search")
    search.add_argument(
        "--refute",
        action="store_true",
        help="look for the smallest table of integer weights on which it is wrong",
    )
    search.add_argument("--vocab", type=positive, metavar="V", help="number of tokens (default: 2)")
    search.add_argument(
        "--total", type=positive, metavar="N", help="largest sum of weights (default: 5)"
    )
    return parser


if __name__ == "__main__":
    prepare_output()
    sys.exit(main())
