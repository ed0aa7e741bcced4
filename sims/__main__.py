"""``python -m sims``: compare decoders on a distribution, exactly.

``python -m sims --distance``: what a chain of the words of a text predicts far from a context.

Exit code 0 if all is well, 2 for wrong usage.
"""

import argparse
import dataclasses
import inspect
import sys
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, get_args

from theory._console.arguments import CommandParser, count, file_name, positive, prepare_output

SUFFIXES = (".pdf", ".png", ".svg")

OF_DECODERS = (
    "gallery",
    "table",
    "samples",
    "length",
    "prompt",
    "policy",
    "temperature",
    "examples",
    "seed",
    "plot",
)
OF_DISTANCE = ("after", "between", "order", "end", "frequent")
"""Options that go with one of the two things that the command does."""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m sims") -> int:
    """Run the command, which calls itself `prog`, and return its exit code."""
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    others = OF_DECODERS if options.distance else OF_DISTANCE
    for name in others:
        if getattr(options, name) is not None:
            verb = "does not go" if options.distance else "goes"
            parser.error(f"--{name} {verb} with --distance")
    if options.tokens and not options.text:
        parser.error("--tokens goes with --text")
    return _distance(parser, options) if options.distance else _compare(parser, options)


def _compare(parser: CommandParser, options: argparse.Namespace) -> int:
    """Compare decoders on the distribution that the options name."""
    sources = (options.gallery, options.table, options.samples, options.text)
    if all(source is None for source in sources):
        parser.error(
            "one of the arguments --gallery --table --samples --text is required, or --distance"
        )
    if options.plot and options.plot.suffix not in SUFFIXES:
        parser.error(f"--plot takes a name that ends in {', '.join(SUFFIXES)}, got {options.plot}")
    if options.plot and options.plot.is_dir():
        parser.error(f"--plot: {options.plot} is a folder")
    if options.plot and not options.plot.absolute().parent.is_dir():
        parser.error(f"--plot: there is no folder {options.plot.absolute().parent}")

    import numpy as np

    from sims.comparison.call_parser import call
    from sims.comparison.compare import compare, too_large, usual_decoders
    from sims.comparison.report import print_comparison, to_json
    from sims.comparison.sources import (
        decoders_by_name,
        from_gallery,
        from_samples,
        from_table,
        from_text,
    )
    from sims.decoding.arguments import left_to_write
    from theory._console.progress import tracked
    from theory.errors import ZerolossError

    temperature = 1.0 if options.temperature is None else options.temperature
    seed = options.seed or 0
    try:
        if options.table or options.samples:
            what = "a table has" if options.table else "samples have"
            if options.length is not None:
                parser.error(f"--length goes with --gallery or --text; {what} a length")
            name = str(options.table or options.samples)
            p = from_table(name) if options.table else from_samples(name)
        elif options.text:
            name = str(options.text)
            with _warnings_printed():
                p = from_text(options.text, options.length, options.tokens or "words")
        else:
            name = options.gallery
            p = from_gallery(name, options.length)
            name += f"({options.length})" if options.length is not None else ""
        prompt = None
        written = p
        if options.prompt is not None:
            prompt = p.read(options.prompt)
            written, _ = left_to_write(p, prompt)
            name += f" given {p.spell(prompt)[0]}"
        decoders = [call(text, decoders_by_name(), "decoder") for text in options.policy or ()]
        result = compare(
            p,
            decoders or usual_decoders(written),
            temperature,
            prompt=prompt,
            examples=3 if options.examples is None else options.examples,
            rng=np.random.default_rng(seed),
            corners=options.json or bool(options.plot),
            progress=tracked,
        )
        if not decoders:
            result = dataclasses.replace(result, left_out={**too_large(written), **result.left_out})
        p = p if prompt is None else p.given(prompt)
    except ZerolossError as error:
        parser.error(str(error))
    if options.json:
        print(to_json(name, p, result, temperature, seed))
    else:
        print_comparison(name, p, result, temperature)
    if options.plot:
        try:
            _plot(result, Path(name).name, options.plot)
        except OSError as error:
            parser.error(f"--plot: {options.plot} cannot be written: {error.strerror}")
    return 0


def _distance(parser: CommandParser, options: argparse.Namespace) -> int:
    """Print what a chain of words predicts far from a context."""
    from theory import corpora
    from theory._console.progress import tracked
    from theory.errors import ZerolossError
    from theory.text.distance import distances, usual_phrases
    from theory.text.distance_report import print_distances, to_json
    from theory.text.word_chain import End

    if options.frequent and not options.text:
        parser.error(
            "--frequent goes with --text: of the built-in prose the package has only the counts "
            "of its 254 most frequent words"
        )
    after = None if options.after is None else " ".join(options.after)
    between = None if options.between is None else tuple(options.between)
    order = options.order or 1
    try:
        if options.text:
            name = str(options.text)
            with _warnings_printed():
                corpus = corpora.from_text(
                    options.text,
                    options.frequent or corpora.FREQUENT,
                    tokens=options.tokens or "words",
                )
        else:
            name = f"English prose ({corpora.made_from()})"
            corpus = corpora.english()
        if after is None and between is None:
            after, between = usual_phrases(corpus)[0], usual_phrases(corpus)
        found = [
            distances(
                corpus, after, between, order, end, progress=partial(tracked, doing="following")
            )
            for end in ([options.end] if options.end else get_args(End))
        ]
    except ZerolossError as error:
        parser.error(str(error))
    if options.json:
        print(to_json(name, corpus, order, found))
    else:
        print_distances(name, corpus, order, found)
    return 0


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(
        prog=prog,
        description="Compare decoders of a perfect masked diffusion model, exactly.\n"
        "With --distance: show what a chain of words predicts far from a context, exactly.",
        epilog=_epilog(prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--gallery",
        metavar="NAME",
        help="a distribution of theory.gallery: a name with --length, or a call such as "
        "'binary_symmetric(6, 0.1)'",
    )
    source.add_argument(
        "--table", type=file_name, metavar="FILE.npy", help="a joint table of shape (V,)*L"
    )
    source.add_argument(
        "--samples",
        type=file_name,
        metavar="FILE",
        help="samples, of which the distribution is the empirical one: FILE.npy of integers of "
        "shape (N, L), or a text with one string on each line",
    )
    source.add_argument(
        "--text",
        type=file_name,
        metavar="FILE",
        help="a text, UTF-8: its words of --length letters or, with --distance, its word chain",
    )
    parser.add_argument(
        "--tokens",
        choices=("words", "characters"),
        help="what --text is made of: words (default), or characters, for Chinese, Japanese and "
        "other scripts without spaces; then --length characters that follow each other are "
        "compared, and --distance follows single ones",
    )
    parser.add_argument("--length", type=positive, metavar="N", help="number of sites")
    parser.add_argument(
        "--prompt",
        metavar="TEXT",
        help="tokens that are given, in the distribution's symbols, with a middle dot or _ for a "
        "masked site, such as 't__e'",
    )
    parser.add_argument(
        "--policy",
        action="append",
        metavar="CALL",
        help="compare this decoder, such as 'TopK(2, \"margin\")' (repeatable; "
        "default: all at usual settings)",
    )
    parser.add_argument("--temperature", type=float, metavar="T", help="of the draws (default: 1)")
    parser.add_argument("--examples", type=count, metavar="N", help="strings to draw (default: 3)")
    parser.add_argument("--seed", type=count, metavar="N", help="of these draws (default: 0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw divergence against rounds (pdf, png, svg)"
    )
    _add_distance(parser)
    return parser


def _add_distance(parser: CommandParser) -> None:
    group = parser.add_argument_group("far from a context")
    group.add_argument(
        "--distance",
        action="store_true",
        help="show what the chain of the words of --text (or else of built-in English prose) "
        "predicts at distances 1 to 50; goes with --json and the options below",
    )
    group.add_argument(
        "--after",
        nargs="+",
        metavar="WORD",
        help="words that are given on the left, '<end>' and '<unknown>' among them (default, "
        "without --between: a frequent long word)",
    )
    group.add_argument(
        "--between",
        nargs=2,
        metavar="WORDS",
        help="words that are given on the left and on the right, in quotes if more than one",
    )
    group.add_argument(
        "--order", type=int, choices=(1, 2), help="words that the chain remembers (default: 1)"
    )
    group.add_argument(
        "--end",
        choices=("restart", "absorbing"),
        help="whether the end of a paragraph is followed by another one or by nothing but the "
        "end (default: both, one after the other)",
    )
    group.add_argument(
        "--frequent",
        type=positive,
        metavar="N",
        help="words of --text that are distinguished, the most frequent ones (default: 254)",
    )


@contextmanager
def _warnings_printed() -> Iterator[None]:
    """Print warnings as a command does, without the line of code that they come from."""
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for warning in noted:
                print(f"warning: {warning.message}", file=sys.stderr)


def _epilog(prog: str) -> str:
    """Everything that can be named, with its parameters."""
    from sims.comparison.sources import decoders_by_name
    from theory import gallery

    named = {name: getattr(gallery, name) for name in gallery.__all__}
    lines = [
        f"for instance: {prog} --gallery words --length 4",
        f"              {prog} --distance --after object",
    ]
    for what, known in (("gallery", named), ("decoders", decoders_by_name())):
        calls = [
            f"{name}({', '.join(inspect.signature(f).parameters)})" for name, f in known.items()
        ]
        text = textwrap.fill(", ".join(calls), 88, break_long_words=False)
        lines += ["", f"{what}:", textwrap.indent(text, "  ")]
    return "\n".join(lines)


def _plot(result: Any, name: str, path: Path) -> None:
    import matplotlib

    from sims.comparison.plot import draw_comparison

    matplotlib.use("Agg")
    draw_comparison(result, name).savefig(path, dpi=200)


if __name__ == "__main__":
    prepare_output()
    sys.exit(main())
