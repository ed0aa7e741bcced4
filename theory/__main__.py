"""Check every claim and print the table: the command ``python -m theory``.

Exit code 0 if all checks pass, 1 if one fails, 2 for wrong usage.
"""

import contextlib
import sys
from collections.abc import Sequence

from theory._console.arguments import CommandParser, positive, prepare_output
from theory._console.claim_files import NONE_REGISTERED, claim_files

WORTH_A_PROCESS = 10
"""Checks for which starting one more process pays."""

LEVELS = ("proved", "symbolic", "exact", "property", "numeric")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m theory") -> int:
    """Run the command, which calls itself `prog`, and return its exit code."""
    parser = CommandParser(
        prog=prog,
        description="Check the claims of the literature on masked diffusion, and print a table.",
        epilog="exit code: 0 all checks pass, 1 a check fails, 2 wrong usage",
    )
    parser.add_argument(
        "--claim",
        action="append",
        metavar="ID",
        help="check this claim only, and say in words what is checked, where its inequalities are "
        "tightest, and some certificates of its proofs (repeatable)",
    )
    parser.add_argument(
        "--list", action="store_true", help="print ids, titles and files of all claims, and stop"
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
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes that share the checks (default: one a core, or none for a few checks)",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, instead")
    parser.add_argument(
        "--slowest",
        type=positive,
        default=0,
        metavar="N",
        help="list the N slowest checks with their times",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.list:
        listed = claim_files()
        if not listed:
            parser.error(NONE_REGISTERED)
        for key, title, file in listed:
            print(f"{key:4} {title}  [{file}]")
        return 0

    from theory._console.executors import executor_for, worth_sharing
    from theory.claims import Level, registry
    from theory.claims.kit.report import run_claims, to_json
    from theory.errors import InvalidInput, ZerolossError

    try:
        if not registry:
            parser.error(NONE_REGISTERED)
        chosen = [registry[key] for key in options.claim or registry]
    except KeyError as error:
        parser.error(error.args[0])
    except ZerolossError as error:
        parser.error(str(error))
    levels = [Level(name) for name in options.level or LEVELS]
    if not any(level in claim.levels for claim in chosen for level in levels):
        have = "; ".join(f"{claim.id}: {', '.join(claim.levels)}" for claim in chosen)
        parser.error(f"no check has the level {' or '.join(levels)} ({have})")
    checks = sum(check.level in levels for claim in chosen for check in claim.checks)
    most = 0 if options.scheduler else checks // WORTH_A_PROCESS
    workers = worth_sharing(options.workers, most)
    with contextlib.ExitStack() as stack:
        try:
            executor = stack.enter_context(executor_for(workers, options.scheduler))
        except InvalidInput as error:
            parser.error(str(error))
        results = run_claims(
            chosen,
            examples=options.examples,
            levels=levels,
            quiet=options.json,
            chosen=bool(options.claim),
            slowest=options.slowest,
            executor=executor,
        )
    if options.json:
        print(to_json(chosen, results))
    passed = all(result.passed for group in results.values() for result in group)
    return 0 if passed else 1


if __name__ == "__main__":
    prepare_output()
    sys.exit(main())
