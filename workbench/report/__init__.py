"""Pages and tables made from the records of a folder: HTML, LaTeX, BibTeX."""

from workbench.report.bibtex import bibtex
from workbench.report.changes import changes
from workbench.report.document import document
from workbench.report.latex import latex_table
from workbench.report.page import page
from workbench.report.results import Results, read_results
from workbench.report.rows import TheoremRow, theorem_rows
from workbench.report.statements import Library

__all__ = [
    "Library",
    "Results",
    "TheoremRow",
    "bibtex",
    "changes",
    "document",
    "latex_table",
    "page",
    "read_results",
    "theorem_rows",
]
