"""Parse calls of known functions on the command line, such as ``TopK(2, "margin")``.

Nothing is evaluated: names are looked up; arguments are literals, fractions such as 1/2, or such
calls.
"""

import ast
import inspect
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from theory.errors import InvalidInput

__all__ = ["call"]

DEEPEST = 100
"""No call that anyone means is nested more deeply, and Python's stack has room for it."""


def call(text: str, known: Mapping[str, Any], what: str) -> Any:
    """Call one of the known functions or classes.

    Parameters
    ----------
    text : str
        ``Name`` or ``Name(arguments)``.
    known : mapping
        What may be called, by name.
    what : str
        For the error message: what the names are.

    Raises
    ------
    InvalidInput

    >>> call("pow(2, pow(2, 3))", {"pow": pow}, "function")
    256
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidInput(f"{text!r} is no {what}: write a name, or name(arguments)") from None
    if _depth(tree) > DEEPEST:
        raise InvalidInput(f"{text!r} is no {what}: it is nested more than {DEEPEST} times")
    return _value(tree, known, what, text)


def _depth(tree: ast.AST) -> int:
    """Levels of the tree, found without recursion."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [part for node in level for part in ast.iter_child_nodes(node)]
    return depth


def _value(node: ast.AST, known: Mapping[str, Any], what: str, text: str) -> Any:
    if isinstance(node, ast.Name):
        return _called(node.id, (), {}, known, what)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        values = [_argument(a, known, what, text) for a in node.args]
        named = {k.arg or "**": _argument(k.value, known, what, text) for k in node.keywords}
        return _called(node.func.id, values, named, known, what)
    raise InvalidInput(f"{text!r} is no {what}: write a name, or name(arguments)")


def _argument(node: ast.AST, known: Mapping[str, Any], what: str, text: str) -> Any:
    if isinstance(node, ast.Call | ast.Name):
        return _value(node, known, what, text)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_argument(element, known, what, text) for element in node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        above, below = (_argument(part, known, what, text) for part in (node.left, node.right))
        if isinstance(above, int) and isinstance(below, int) and below:
            return Fraction(above, below)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError):
        raise InvalidInput(
            f"{ast.unparse(node)!r} in {text!r} is neither a number, a string nor a {what}"
        ) from None


def _called(name: str, values: Any, named: Any, known: Mapping[str, Any], what: str) -> Any:
    if name not in known:
        raise InvalidInput(f"there is no {what} {name!r}; there are {', '.join(sorted(known))}")
    try:
        inspect.signature(known[name]).bind(*values, **named)
    except TypeError as error:
        raise InvalidInput(f"{name}: {error}") from None
    return known[name](*values, **named)
