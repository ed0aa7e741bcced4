"""The registry: every claim that an installed package offers, by its id.

A package joins with an entry point in the group ``zeroloss.claims`` that names an iterable of
`Claim` objects::

    [project.entry-points."zeroloss.claims"]
    mine = "my_package.claims:CLAIMS"

Claims are loaded when the registry is first looked into.
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from theory.claims.kit.claim import Claim
from theory.errors import InvalidInput

__all__ = ["GROUP", "NONE_REGISTERED", "Registry", "registry"]

GROUP = "zeroloss.claims"

NONE_REGISTERED = (
    "no claims are registered, because zeroloss is not installed: claims are found as entry points "
    "of installed packages. Install it with 'make setup', or with 'pip install -e .' in the folder "
    "that holds pyproject.toml"
)
"""Said where the registry is empty."""


class Registry(Mapping[str, Claim]):
    """A mapping from claim ids to claims, in the order of their ids."""

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
            self._claims = dict(sorted(claims.items(), key=lambda item: _order(item[0])))
        return self._claims

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
    return claims


def _order(key: str) -> tuple[str, int, str]:
    """Sort A2 before A10."""
    letters = key.rstrip("0123456789")
    digits = key[len(letters) :]
    return letters, int(digits) if digits else 0, key


registry = Registry()
"""The claims of all installed packages."""
