"""Mathematics as MathML, by the converter of the report: browsers draw it without a script or a network."""

from html import escape

from docutils import nodes
from sphinx.errors import SphinxError
from sphinx.writers.html5 import HTML5Translator

from workbench.report.mathml import mathml


def inline(translator: HTML5Translator, node: nodes.Element) -> None:
    """A formula within a line."""
    translator.body.append(_mathml(node).replace('display="block"', 'display="inline"', 1))
    raise nodes.SkipNode


def display(translator: HTML5Translator, node: nodes.Element) -> None:
    """A formula on lines of its own; it scrolls where the page is narrow."""
    translator.body.append(f'<div class="math-block">{_mathml(node)}</div>')
    raise nodes.SkipNode


def _mathml(node: nodes.Element) -> str:
    latex = node.astext()
    shown = mathml(latex)
    if shown is None:
        raise SphinxError(f"{node.source}:{node.line}: this LaTeX cannot be shown as MathML: {latex}")
    return shown.replace("<math ", f'<math alttext="{escape(latex)}" ', 1)
