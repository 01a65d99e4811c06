"""Sphinx configuration; `make docs` builds with warnings as errors."""

from helikon import __version__

project = "Helikon"
author = copyright = "The Helikon authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Helikon"
html_static_path: list[str] = []
exclude_patterns = ["_build"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
