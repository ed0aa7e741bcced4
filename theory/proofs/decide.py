"""Prove or refute a statement: what reads it, what proves it and what refutes it, put together."""

from collections.abc import Callable
from typing import Any

from theory.errors import InvalidInput
from theory.proofs import profiles, refute, text
from theory.proofs.answers import Certificate, Proof, Refutation, Unknown
from theory.proofs.every_length import ProofForEveryLength
from theory.proofs.shannon import Violation, certificate
from theory.proofs.statement import Statement
from theory.proofs.syntax import syntax_tree

__all__ = ["prove"]


def prove(
    statement: str | Callable[[Any], Any] | Statement,
    *,
    sites: int | None = None,
    profile: bool = False,
) -> Proof | ProofForEveryLength | Refutation | Unknown:
    """Prove a linear inequality of entropies for all distributions, or refute it by one.

    A proof is a sum of conditional informations with rational multipliers, verified exactly. It
    holds for all distributions of so many sites, over every vocabulary.

    Parameters
    ----------
    statement : str, callable or Statement
        Text, such as ``"TC <= (n-1) DTC"`` or ``"I(0;2|1) = 0 implies I(0;2) <= I(0;1)"``, see
        `theory.proofs.text.parse`; or a function of a distribution that returns what is said to
        be never negative.
    sites : int, optional
        The number of sites. Without it a text about the profile is decided for all lengths.
    profile : bool
        Decide for the profile ``f(j)``, by codes: there is an answer always. Else for entropies
        of sets of sites.

    Returns
    -------
    Proof or ProofForEveryLength or Refutation or Unknown
        True only if it is a proof. Unknown is what does not follow from Shannon's inequalities
        and was not refuted, which takes four sites at least, or assumptions like
        ``H(0) = 100000 H(1)`` that only thousands of codes meet; or what was not decided for
        every length.

    Raises
    ------
    InvalidInput
        If the statement cannot be read, or the number of sites is missing.
    TooLarge
        See `theory.proofs.shannon.certificate`.

    Examples
    --------
    >>> print(prove("TC <= (n-1) DTC", sites=3))
    proved
    slack of TC <= (n-1) DTC:  I(0;1|2) + I(0;2|1) + I(1;2|0)
    >>> answer = prove("TC <= DTC", sites=3)
    >>> bool(answer), answer.slack, answer.distribution.table().nonzero()
    (False, -log(2), (array([0, 1]), array([0, 1]), array([0, 1])))

    The library's own functions are statements, too. What fixed halves cost is at most TC, and
    less by these:

    >>> from theory import information
    >>> def slack(p):
    ...     first = information.total_correlation(p, (0, 1))
    ...     second = p.conditional_total_correlation((2, 3), (0, 1))
    ...     return information.total_correlation(p) - first - second
    >>> [str(quantity) for _, quantity in prove(slack, sites=4).certificates[0].terms]
    ['I(0;2|1)', 'I(0;3|1)', 'I(1;2)', 'I(1;3)']
    """
    if isinstance(statement, Statement):
        if sites not in (None, statement.sites):
            raise InvalidInput(f"the statement is about {statement.sites} sites, not {sites}")
        stated = statement
    elif sites is None:
        if isinstance(statement, str) and profile:
            return profiles.decide_every_length(syntax_tree(statement))
        raise InvalidInput(
            "sites must be given: the number of sites n; "
            "only a text with profile=True is decided for every length"
        )
    elif isinstance(statement, str):
        stated = text.parse(statement, sites, profile)
    else:
        stated = text.from_function(statement, sites, profile)
    return profiles.decide(stated) if stated.coordinates == "profile" else _in_sets(stated)


def _in_sets(statement: Statement) -> Proof | Refutation | Unknown:
    """Prove all conclusions, or refute one; else the first of which nothing is known."""
    certificates: list[Certificate] = []
    unknown: Unknown | None = None
    for conclusion in statement.conclusions:
        found = certificate(conclusion, statement.assumptions, statement.sites)
        if isinstance(found, Violation):
            refuted = refute.find(statement, conclusion, found.ray)
            if isinstance(refuted, Refutation):
                return refuted
            if unknown is None:
                unknown = Unknown(statement, conclusion, found.ray, found.slack, refuted)
        else:
            certificates.append(found)
    return Proof(statement, tuple(certificates)) if unknown is None else unknown
