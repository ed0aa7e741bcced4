"""The command ``zeroloss``: claims, decoders, samplers, proofs and figures under one name.

Each subcommand is the command line of one package, which alone is imported:
``zeroloss claims`` is ``python -m theory``, ``zeroloss decoders`` is ``python -m sims``,
``zeroloss samplers`` is ``python -m sims.conformance``, ``zeroloss prove`` is
``python -m theory.proofs`` and ``zeroloss figures`` is ``python -m figures``. Options and exit
codes are theirs.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from theory._console.arguments import CommandParser, prepare_output

__all__ = ["main"]

SUBCOMMANDS = {
    "claims": ("theory", "check the claims of the literature and print a table"),
    "decoders": ("sims", "compare decoders on a distribution, a table or a text"),
    "samplers": ("sims.conformance", "put a sampler of your own on trial on a perfect model"),
    "prove": ("theory.proofs", "prove or refute an inequality of entropies"),
    "figures": ("figures", "draw every figure, or compare with the recorded numbers"),
}
"""{subcommand: (package, what it does)}."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = CommandParser(
        prog="zeroloss",
        usage=f"zeroloss {{{','.join(SUBCOMMANDS)}}} [options]",
        description="The exact theory of masked diffusion language models.",
        epilog="\n".join(f"  {name:10}{what}" for name, (_, what) in SUBCOMMANDS.items())
        + "\n\nzeroloss SUBCOMMAND --help lists the options of one",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("subcommand", nargs="?", help=argparse.SUPPRESS)
    name = parser.parse_args(arguments[:1]).subcommand
    if name not in SUBCOMMANDS:
        wrong = "a subcommand is missing" if name is None else f"there is no subcommand {name!r}"
        parser.error(f"{wrong}; there are {', '.join(SUBCOMMANDS)}")
    package, _ = SUBCOMMANDS[name]
    return import_module(f"{package}.__main__").main(arguments[1:], prog=f"zeroloss {name}")


def console() -> None:
    """Entry point of the installed command: `main` on the arguments of the process."""
    prepare_output()
    sys.exit(main())


if __name__ == "__main__":
    console()
