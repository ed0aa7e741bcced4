"""Formulas as MathML, which browsers draw by themselves: no script, no font, no network."""

from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging


def written(formula: str, display: str) -> str:
    """Convert LaTeX to a MathML element; the LaTeX stays as its ``alttext``."""
    element = convert(formula, display=display)
    if "\\" in element:
        logging.getLogger(__name__).warning("a command of this formula is not known: %s", formula)
    return element.replace("<math ", f'<math alttext="{escape(formula, quote=True)}" ', 1)


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write a formula in a sentence."""
    self.body.append(written(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    self.body.append(f'<div class="math">{written(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make it known to Sphinx as ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
