"""The documentation site: ``bash .ci/docs`` builds it, without a network; every warning is an error."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

from workbench import __version__  # noqa: E402
from workbench.catalogue import CATALOGUE  # noqa: E402

project = "workbench"
author = "the workbench authors"
copyright = author
release = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "workbench_docs"]
exclude_patterns = ["_build", "_ext", "examples", "README.md", "*.txt"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
highlight_language = "text"
smartquotes = False  # --exact is an option, not a dash

myst_enable_extensions = ["dollarmath", "deflist", "substitution"]
myst_heading_anchors = 3
myst_substitutions = {f"n_{kind}": len(entries) for kind, entries in CATALOGUE.items()}
myst_substitutions["n_mutants"] = sum(len(t["mutants"]) for t in CATALOGUE["theorems"])

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True  # IMPLICATIONS by its name, not its hundred rows
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries = False  # two hundred names would fill the side of every page

html_theme = "furo"
html_title = "workbench"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
