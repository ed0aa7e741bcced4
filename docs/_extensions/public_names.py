"""``.. public:: MODULE`` documents what a module says is public: the names in its ``__all__``.

A name that is public in several modules is documented once: ``:skip:`` names those that another
page is about, or the module (``:skip: theory.distributions``) that has them all.
"""

from importlib import import_module
from types import ModuleType

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles


def kind(value: object) -> str:
    """Say by which directive a value is documented.

    >>> kind(int), kind(len), kind(3)
    ('class', 'function', 'data')
    """
    if isinstance(value, type):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) else "data"


def about(module: str, name: str) -> list[str]:
    """Give the text below a constant in its module, indented; constants of elsewhere have none."""
    found = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name), [])
    return ["", *(f"   {line}" for line in found)]


class Public(SphinxDirective):
    """The directive."""

    required_arguments = 1
    option_spec = {"skip": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Write the autodoc directives and let Sphinx read them."""
        name = self.arguments[0]
        module = import_module(name)
        skipped = set()
        for word in self.options.get("skip", "").split():
            skipped |= set(import_module(word).__all__) if "." in word else {word}
        lines = [f".. automodule:: {name}", "   :no-members:", ""]
        for public in module.__all__:
            value = getattr(module, public)
            if isinstance(value, ModuleType) or public in skipped:
                continue
            if kind(value) == "data":
                lines += [f".. py:data:: {name}.{public}", *about(name, public), ""]
            else:
                lines += [f".. auto{kind(value)}:: {name}.{public}", ""]
                if isinstance(value, type):
                    lines.insert(-1, "   :members:")
        source = self.get_source_info()[0]
        parent = nodes.section()
        parent.document = self.state.document
        nested_parse_with_titles(self.state, StringList(lines, source=source), parent)
        return parent.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("public", Public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
