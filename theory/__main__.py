"""``python -m theory``: check every claim and print the table.

Exit code 0 if all checks pass, 1 if one fails, 2 for wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence

from theory.arguments import positive
from theory.streams import prepare_output

LEVELS = ("symbolic", "exact", "property", "numeric")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m theory",
        description="Check the claims of the literature on masked diffusion, and print a table.",
        epilog="exit code: 0 all checks pass, 1 a check fails, 2 wrong usage",
    )
    parser.add_argument(
        "--claim",
        action="append",
        metavar="ID",
        help="check this claim only, and print the tightest cases of its inequalities (repeatable)",
    )
    parser.add_argument(
        "--level", action="append", choices=LEVELS, help="checks at this level only (repeatable)"
    )
    parser.add_argument(
        "--examples",
        type=positive,
        default=50,
        metavar="N",
        help="instances for each exact and property check (default: 50)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)

    from theory.claims import Level, registry
    from theory.claims.report import run_claims, to_json
    from theory.errors import ZerolossError

    try:
        chosen = [registry[key] for key in options.claim or registry]
    except KeyError as error:
        parser.error(error.args[0])
    except ZerolossError as error:
        parser.error(str(error))
    levels = [Level(name) for name in options.level or LEVELS]
    if not any(level in claim.levels for claim in chosen for level in levels):
        have = "; ".join(f"{claim.id}: {', '.join(claim.levels)}" for claim in chosen)
        parser.error(f"no check has the level {' or '.join(levels)} ({have})")
    results = run_claims(
        chosen,
        examples=options.examples,
        levels=levels,
        quiet=options.json,
        tightest=bool(options.claim),
    )
    if options.json:
        print(to_json(chosen, results))
    passed = all(result.passed for group in results.values() for result in group)
    return 0 if passed else 1


if __name__ == "__main__":
    prepare_output()
    sys.exit(main())
