"""How Sphinx builds the documentation: `tox run -e docs`, or `sphinx-build -W docs docs/_build/html`."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "nnx-conformance"
author = "The nnx-conformance authors"
copyright = author
version = release = version_of("nnx-conformance")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
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
