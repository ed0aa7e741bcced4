"""``python -m sims``: compare decoders on a distribution, exactly.

Exit code 0 if all is well, 2 for wrong usage.
"""

import argparse
import inspect
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theory.arguments import count, positive

SUFFIXES = (".pdf", ".png", ".svg")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.plot and options.plot.suffix not in SUFFIXES:
        parser.error(f"--plot takes a name that ends in {', '.join(SUFFIXES)}, got {options.plot}")
    if options.plot and options.plot.is_dir():
        parser.error(f"--plot: {options.plot} is a folder")
    if options.plot and not options.plot.absolute().parent.is_dir():
        parser.error(f"--plot: there is no folder {options.plot.absolute().parent}")

    import numpy as np

    from sims.compare import compare, usual_decoders
    from sims.progress import tracked
    from sims.report import print_comparison, to_json
    from sims.sources import from_gallery, from_table, from_text
    from sims.spoken import call
    from theory.errors import ZerolossError

    try:
        if options.table:
            if options.length is not None:
                parser.error("--length goes with --gallery or --text; a table has a length")
            name, p = str(options.table), from_table(options.table)
        elif options.text:
            name, p = str(options.text), from_text(options.text, options.length)
        else:
            name = options.gallery
            p = from_gallery(name, options.length)
            name += f"({options.length})" if options.length is not None else ""
        decoders = [call(text, _decoders(), "decoder") for text in options.policy or ()]
        result = compare(
            p,
            decoders or usual_decoders(p),
            options.temperature,
            examples=options.examples,
            rng=np.random.default_rng(options.seed),
            corners=options.json or bool(options.plot),
            progress=tracked,
        )
    except ZerolossError as error:
        parser.error(str(error))
    if options.json:
        print(to_json(name, p, result, options.temperature, options.seed))
    else:
        print_comparison(name, p, result, options.temperature)
    if options.plot:
        try:
            _plot(result, Path(name).name, options.plot)
        except OSError as error:
            parser.error(f"--plot: {options.plot} cannot be written: {error.strerror}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sims",
        description="Compare decoders of a perfect masked diffusion model, exactly.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--gallery",
        metavar="NAME",
        help="a distribution of theory.gallery: a name with --length, or a call such as "
        "'binary_symmetric(6, 0.1)'",
    )
    source.add_argument(
        "--table", type=Path, metavar="FILE.npy", help="a joint table of shape (V,)*L"
    )
    source.add_argument(
        "--text", type=Path, metavar="FILE", help="the words of --length letters in a text, UTF-8"
    )
    parser.add_argument("--length", type=positive, metavar="N", help="number of sites")
    parser.add_argument(
        "--policy",
        action="append",
        metavar="CALL",
        help="compare this decoder, such as 'TopK(2, \"margin\")' (repeatable; "
        "default: all at usual settings)",
    )
    parser.add_argument(
        "--temperature", type=float, default=1.0, metavar="T", help="of the draws (default: 1)"
    )
    parser.add_argument(
        "--examples", type=count, default=3, metavar="N", help="strings to draw (default: 3)"
    )
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="of these draws")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw divergence against rounds (pdf, png, svg)"
    )
    return parser


def _decoders() -> dict[str, Any]:
    """Those that a user can make from literals and other decoders."""
    from sims import policies
    from sims.policies import Decoder, Rule, Tabulated

    known = {name: getattr(policies, name) for name in policies.__all__}
    return {
        name: kind
        for name, kind in known.items()
        if issubclass(kind, Decoder)
        and not inspect.isabstract(kind)
        and kind not in (Decoder, Rule, Tabulated)
    }


def _epilog() -> str:
    """Everything that can be named, with its parameters."""
    from theory import gallery

    named = {name: getattr(gallery, name) for name in gallery.__all__}
    lines = ["for instance: python -m sims --gallery words --length 4"]
    for what, known in (("gallery", named), ("decoders", _decoders())):
        calls = [
            f"{name}({', '.join(inspect.signature(f).parameters)})" for name, f in known.items()
        ]
        text = textwrap.fill(", ".join(calls), 88, break_long_words=False)
        lines += ["", f"{what}:", textwrap.indent(text, "  ")]
    return "\n".join(lines)


def _plot(result: Any, name: str, path: Path) -> None:
    import matplotlib

    from sims.plot import draw_comparison

    matplotlib.use("Agg")
    draw_comparison(result, name).savefig(path, dpi=200)


if __name__ == "__main__":
    sys.exit(main())
