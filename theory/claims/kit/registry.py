"""The registry: every claim that an installed package offers, by its id.

A package joins with an entry point in the group ``zeroloss.claims`` that names an iterable of
`Claim` objects::

    [project.entry-points."zeroloss.claims"]
    mine = "my_package.claims:CLAIMS"

Claims are loaded when the registry is first looked into.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from theory._console.claim_files import GROUP, NONE_REGISTERED, order
from theory._core.plurals import counted
from theory.claims.kit.claim import Claim
from theory.errors import InvalidInput

__all__ = ["GROUP", "Registry", "claims_in", "registry"]


class Registry(Mapping[str, Claim]):
    """A mapping from claim ids to claims, in the order of their ids.

    >>> Registry()
    <Registry: not looked into yet>
    """

    def __init__(self) -> None:
        self._claims: dict[str, Claim] | None = None

    def _loaded(self) -> dict[str, Claim]:
        if self._claims is None:
            claims: dict[str, Claim] = {}
            origin: dict[str, str] = {}
            for point in sorted(set(entry_points(group=GROUP)), key=lambda e: (e.value, e.name)):
                for claim in _claims_of(point):
                    if claim.id in claims:
                        raise InvalidInput(
                            f"claim {claim.id} is offered twice, by {origin[claim.id]} and "
                            f"by {point.value}"
                        )
                    claims[claim.id], origin[claim.id] = claim, point.value
            self._claims = dict(sorted(claims.items(), key=lambda item: order(item[0])))
        return self._claims

    def __repr__(self) -> str:
        if self._claims is None:
            return "<Registry: not looked into yet>"
        return f"<Registry of {counted(len(self._claims), 'claim')}>"

    def __getitem__(self, key: str) -> Claim:
        try:
            return self._loaded()[key]
        except KeyError:
            known = ", ".join(self._loaded())
            known = f"known are {known}" if known else NONE_REGISTERED
            raise KeyError(f"there is no claim {key!r}; {known}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())


def _claims_of(point: EntryPoint) -> list[Claim]:
    try:
        claims = list(point.load())
    except Exception as error:
        raise InvalidInput(
            f"the claims of {point.value} (entry point {point.name!r}) cannot be loaded: {error}"
        ) from error
    for claim in claims:
        if not isinstance(claim, Claim):
            raise InvalidInput(f"{point.value} offers {claim!r}, which is no Claim")
        if not claim.checks:
            raise InvalidInput(f"claim {claim.id} of {point.value} has no check")
    return claims


def claims_in(package: str, folder: Iterable[str]) -> tuple[Claim, ...]:
    """The claims of the modules that lie in a package, in the order of their ids.

    Parameters
    ----------
    package, folder
        ``__name__`` and ``__path__`` of the package. A module offers its claim under its id.

    >>> import theory.claims
    >>> [claim.id for claim in claims_in("theory.claims", theory.claims.__path__)][:3]
    ['A1', 'A2', 'A3']
    """
    names = [found.name for found in pkgutil.iter_modules(folder) if not found.ispkg]
    modules = [importlib.import_module(f"{package}.{name}") for name in names]
    claims = {v.id: v for module in modules for v in vars(module).values() if isinstance(v, Claim)}
    return tuple(claims[key] for key in sorted(claims, key=order))


registry = Registry()
"""The claims of all installed packages."""
