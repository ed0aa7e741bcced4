"""Sphinx: the guide, and the reference that is built from the docstrings.

Everything is made here, and what is made can be read without a network: formulas are MathML, the
theme brings its own files. Every warning is an error (``sphinx-build -W``).
"""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_extensions")]

project = "zeroloss"
author = "zeroloss contributors"
copyright = author
version = release = version_of("zeroloss")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_parser",
    "mathml",
    "claims_and_lessons",
    "public_names",
]
exclude_patterns = ["_extensions"]

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 4

default_role = "py:obj"  # a name between single backticks is a link where it can be one
autodoc_inherit_docstrings = False  # what overrides is as what it overrides
autodoc_typehints = "none"  # the types are in the Parameters sections
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # or attributes that are also properties would be there twice
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "zeroloss"
html_show_copyright = False
html_copy_source = False
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["_static"]
html_css_files = ["guide.css"]
