"""Decides whether an expression of symbols vanishes, by a normal form."""

from typing import Any

__all__ = ["fraction_field", "simplified", "vanishes"]


def fraction_field(expression: Any) -> Any:
    """An expression as a quotient of coprime polynomials, an element of SymPy's fraction field.

    Symbols, logarithms and powers with other exponents than integers count as free variables.
    The arguments of logarithms are factored first, and taken for products of positive numbers.

    >>> import sympy
    >>> a, b = sympy.symbols("a b", positive=True)
    >>> fraction_field((a**2 - b**2) / (a + b))
    a - b
    """
    import sympy
    from sympy.core.exprtools import decompose_power
    from sympy.polys.fields import FracField

    expression = sympy.sympify(expression)
    expanded = {
        term: sympy.expand_log(sympy.log(sympy.factor(term.args[0])), force=True, factor=True)
        for term in expression.atoms(sympy.log)
    }
    expression = sympy.expand_power_exp(expression.xreplace(expanded))
    terms = expression.atoms(sympy.Symbol, sympy.log, sympy.exp, sympy.Pow)
    # an integer power is made of its base
    terms = {term for term in terms if not (term.is_Pow and term.exp.is_Integer)}
    free = {decompose_power(term)[0] for term in terms}
    generators = sorted(free, key=str) or [sympy.Dummy()]
    return FracField(generators, sympy.ZZ).from_expr(expression)


def vanishes(expression: Any) -> bool:
    """Tell whether an expression is zero.

    That its normal form is zero proves it; that it is not refutes it only for quotients of
    polynomials in the symbols alone. For others SymPy's simplification decides.

    >>> import sympy
    >>> a, b = sympy.symbols("a b", positive=True)
    >>> vanishes(sympy.log(a / (a + b)) + sympy.log(1 + b / a)), vanishes(a - b)
    (True, False)
    """
    return bool(simplified(expression) == 0)


def simplified(expression: Any) -> Any:
    """0 where an expression vanishes (see `vanishes`), else what is left of it."""
    import sympy

    quotient = _quotient(expression)
    if quotient == 0:
        return sympy.S.Zero
    if quotient is not None and all(g.is_Symbol for g in quotient.field.symbols):
        return quotient.as_expr()
    return sympy.simplify(sympy.expand_log(sympy.sympify(expression), force=True))


def _quotient(expression: Any) -> Any:
    """The normal form; None where the expression has none."""
    import sympy

    try:
        return fraction_field(expression)
    except (ArithmeticError, ValueError, sympy.PolynomialError):
        return None
