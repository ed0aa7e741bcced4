"""Prove or refute a statement: the command ``python -m theory.proofs "TC <= (n-1) DTC" --sites 4``.

Exit code 0 if it is proved, 1 if it is refuted, 3 if neither, 2 for wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from theory._console.arguments import CommandParser, positive, prepare_output
from theory._console.format import as_json
from theory.errors import ZerolossError
from theory.proofs import Proof, Unknown, prove
from theory.proofs.every_length import ProofForEveryLength, UnknownForEveryLength
from theory.proofs.quantities import names_of, sites_of

EXIT_CODES = {"proved": 0, "refuted": 1, "unknown": 3}

LANGUAGE = """\
quantities: H(0,1|2)  I(0;1|2)  TC(0,1|2)  DTC(0,1|2)  of sites, counted from 0
            H  TC  DTC  of all n sites
            e(k)  mean entropy of k random sites;  f(j) = e(j+1) - e(j)
numbers:    2  1/3  0.3  n  (n-1)/n, before what they multiply
relations:  <=  >=  =, joined by "and"; what is assumed stands before "implies"

exit code: 0 proved, 1 refuted, 3 neither, 2 wrong usage"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m theory.proofs") -> int:
    """Run the command, which calls itself `prog`, and return its exit code."""
    parser = CommandParser(
        prog=prog,
        description="Prove a linear inequality of entropies, or find a distribution that refutes "
        "it.",
        epilog=LANGUAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "statement", help='such as "TC <= (n-1) DTC"; after -- if it begins with a minus'
    )
    parser.add_argument("--sites", type=positive, metavar="N", help="number of sites n")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="about mean entropies of random sites only; every number of sites without --sites",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--latex", action="store_true", help="print a proof as LaTeX")
    shown.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.sites is None and not options.profile:
        parser.error("--sites N is missing, or --profile for every number of sites")

    try:
        answer = prove(options.statement, sites=options.sites, profile=options.profile)
    except ZerolossError as error:
        parser.error(str(error))
    kind = "proved" if answer else "unknown" if isinstance(answer, Unknown) else "refuted"
    if options.json:
        about = {"statement": options.statement, "sites": options.sites, "profile": options.profile}
        print(as_json({**about, "answer": kind, **_details(answer)}))
    elif options.latex and isinstance(answer, (Proof, ProofForEveryLength)):
        print(answer.latex)
    else:
        print(answer)
    return EXIT_CODES[kind]


def _details(answer: Any) -> dict[str, Any]:
    """What JSON has of an answer: exact numbers as text."""
    if answer:
        content = {"certificates": [_certificate(part) for part in answer.certificates]}
        if isinstance(answer, ProofForEveryLength):
            few = [proof.statement.sites for proof in answer.few]
            return {"from_length": answer.start, "few_lengths": few, **content}
        return content
    if isinstance(answer, UnknownForEveryLength):
        return {"conclusion": answer.conclusion.text, "searched": answer.searched}
    content = {
        "conclusion": answer.conclusion.text,
        "sites": answer.statement.sites,
        "slack": str(answer.slack),
    }
    if isinstance(answer, Unknown):
        ray = {names_of(sites_of(bits)): str(value) for bits, value in answer.ray.items()}
        return {**content, "ray": ray, "searched": answer.searched}
    words = [
        {"word": list(word), "probability": str(prob)} for word, prob in answer.words().items()
    ]
    return {**content, "distribution": str(answer.distribution), "words": words}


def _certificate(part: Any) -> dict[str, Any]:
    return {
        "conclusion": part.conclusion.text,
        "terms": [[str(multiplier), str(quantity)] for multiplier, quantity in part.terms],
        "assumptions": [[str(multiplier), given.text] for multiplier, given in part.used],
    }


if __name__ == "__main__":
    prepare_output()
    sys.exit(main())
