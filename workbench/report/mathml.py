"""LaTeX as MathML, which browsers draw without help."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from latex2mathml.converter import convert

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENTS = frozenset(
    f"{_NAMESPACE}{name}"
    for name in (
        *("math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mstyle", "mfrac", "msqrt", "mroot", "mtable"),
        *("mtr", "mtd", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mpadded", "mphantom"),
    )
)
_ATTRIBUTES = frozenset(
    (
        *("accent", "columnalign", "display", "displaystyle", "fence", "form", "height", "linethickness"),
        *("lspace", "mathvariant", "maxsize", "minsize", "rspace", "scriptlevel", "separator", "stretchy"),
        "width",
    )
)
_ROWS = frozenset(f"{_NAMESPACE}{name}" for name in ("math", "mrow", "mstyle", "mtd", "msqrt"))
_SCRIPTED = frozenset(f"{_NAMESPACE}{name}" for name in ("msub", "msup", "msubsup"))
_OPERANDS = frozenset(f"{_NAMESPACE}{name}" for name in ("mi", "mn", "msub", "msup", "msubsup", "mfrac"))


def mathml(latex: str) -> str | None:
    """A <math> element as text; None where the LaTeX cannot be converted, or to more than mathematics.

    Only elements and attributes of a closed list pass: no links, no scripts, nothing that loads.
    """
    try:
        root = ET.fromstring(convert(latex, display="block"))
    except Exception:  # the converter has no common kind of error, and the LaTeX itself can be shown
        return None
    if not all(e.tag in _ELEMENTS and _ATTRIBUTES.issuperset(e.attrib) for e in root.iter()):
        return None
    for element in list(root.iter()):
        _join_letters(element)
    for element in list(root.iter(f"{_NAMESPACE}mrow")):
        _space_words(element)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_NAMESPACE)
    root.set("xmlns", _NAMESPACE.strip("{}"))
    return ET.tostring(root, encoding="unicode")


def _join_letters(element: ET.Element) -> None:
    r"""The upright letters of ``\mathrm{radius_i}`` as one word, with its index."""
    if element.tag not in _ROWS:
        return
    joined: list[ET.Element] = []
    for child in element:
        letter = next(iter(child), child) if child.tag in _SCRIPTED else child
        if joined and _is_upright(joined[-1]) and _is_upright(letter):
            letter.text = f"{joined.pop().text}{letter.text}"
        joined.append(child)
    element[:] = joined


def _is_upright(element: ET.Element) -> bool:
    return element.tag == f"{_NAMESPACE}mi" and element.get("mathvariant") == "normal"


def _space_words(row: ET.Element) -> None:
    """A thin space between factors of which one is a word: "L stepsize", not "Lstepsize"."""
    spaced: list[ET.Element] = []
    for child in row:
        if (
            spaced
            and _is_factor(spaced[-1])
            and _is_factor(child)
            and any(map(_is_word, (spaced[-1], child)))
        ):
            spaced.append(ET.Element(f"{_NAMESPACE}mspace", width="0.17em"))
        spaced.append(child)
    row[:] = spaced


def _is_factor(element: ET.Element) -> bool:
    return element.tag in _OPERANDS or _is_word(element)


def _is_word(element: ET.Element) -> bool:
    """True if it is, or is built on, an identifier of several letters."""
    return any(e.tag == f"{_NAMESPACE}mi" and len(e.text or "") > 1 for e in _base(element))


def _base(element: ET.Element) -> Iterable[ET.Element]:
    while element.tag != f"{_NAMESPACE}mi" and len(element):
        element = element[0]
        if len(element) > 1 and element.tag == f"{_NAMESPACE}mrow":
            return ()
    return (element,)
