"""``python -m benchmarks.published --code DIR``: published samplers on the zero-loss denoiser.

    python -m benchmarks.published --code DIR                   # all cases, and what was found
    python -m benchmarks.published --code DIR --only LLaDA      # those whose name contains this
    python -m benchmarks.published --code DIR --record          # and renew docs/samplers.md
    python -m benchmarks.published --pages                      # the page from what is recorded

DIR holds the repositories, see `benchmarks.published.sources`; one that is not there is left out.
Needs torch. Exit code 1 if a case of ours does not agree, but for those that are noted.
"""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.published import record


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.published", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--code", type=Path, metavar="DIR", help="where the repositories are")
    parser.add_argument("--only", action="append", metavar="TEXT", help="cases to run")
    parser.add_argument("--record", action="store_true", help="keep the numbers, renew the page")
    parser.add_argument("--pages", action="store_true", help="renew the page")
    options = parser.parse_args(arguments)
    if options.pages:
        record.renew_page()
        return 0
    if options.code is None:
        parser.error("say where the repositories are, with --code DIR")
    from benchmarks.published import trial

    rows = []
    for case in trial.chosen(options.only):
        start = time.perf_counter()
        row = trial.run(options.code, case)
        print(record.line(row), f"({time.perf_counter() - start:.0f} s)", flush=True)
        rows.append(row)
        if options.record:
            record.keep([row])
    if options.record:
        record.renew_page()
    return int(any(row["verdict"] == "differs" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
