"""How Sphinx builds the documentation: `tox run -e docs`, or `sphinx-build -W docs docs/_build/html`."""

from __future__ import annotations

import re
from importlib.metadata import version as version_of

from sphinx.application import Sphinx

SHARED = re.compile(r"^( +)([a-z_]+(?:, [a-z_]+)+): (.*)$")

project = "nnx-conformance"
author = "The nnx-conformance authors"
copyright = author
version = release = version_of("nnx-conformance")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build"]

# No intersphinx: the site builds without a network.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
# The docstrings are Markdown-like: `name` is code.
default_role = "code"
napoleon_google_docstring = True
napoleon_use_ivar = True

nitpicky = False
suppress_warnings: list[str] = []

html_theme = "furo"
html_title = "nnx-conformance"
html_theme_options = {"sidebar_hide_name": False}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_static_path = ["_static"]
html_css_files = ["site.css"]


def _one_name_a_line(_: object, __: str, ___: str, ____: object, _____: object, lines: list[str]) -> None:
    """Attributes that share a description, `first, last: the numbers`, get it each: napoleon reads one name a line."""
    for at in reversed(range(len(lines))):
        if shared := SHARED.match(lines[at]):
            indent, names, rest = shared.groups()
            lines[at : at + 1] = [f"{indent}{name}: {rest}" for name in names.split(", ")]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _one_name_a_line, priority=100)  # before napoleon's
