"""Results as JSON: infinity as a string, and nan as null, because JSON has neither."""

import dataclasses
import json
import math
from typing import Any

__all__ = ["as_json"]


def as_json(content: Any) -> str:
    """Write dictionaries, lists and dataclasses as JSON; infinity becomes "inf", nan null.

    >>> print(as_json({"kl": [0.5, math.inf, math.nan]}))
    {
      "kl": [
        0.5,
        "inf",
        null
      ]
    }
    """
    return json.dumps(_plain(content), indent=2)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
