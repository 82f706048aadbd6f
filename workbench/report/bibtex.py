"""The papers of theorems as BibTeX: what their sources hold, and nothing else."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from workbench.report.latex import escaped
from workbench.report.statements import arxiv_number, paper_url
from workbench.theorem import Theorem

_NAMED = re.compile(r"(?P<names>[^\d()]+) \((?P<year>\d{4})\)")


def bibtex(theorems: Iterable[Theorem]) -> str:
    """One ``@misc`` for each paper, in the order of the theorems; their ids in a field that styles ignore.

    An arXiv paper gets its number and the year in it, "Drori and Teboulle (2014)" these names and the year;
    the title if a source has it. The key depends on the paper alone: ``arXiv:2502.02002``,
    ``DroriTeboulle2014``; of papers that would share one the second gets ``-2``, the third ``-3``.
    """
    papers: dict[str, list[Theorem]] = {}
    for theorem in theorems:
        papers.setdefault(arxiv_number(theorem.source.paper) or theorem.source.paper, []).append(theorem)
    keys: Counter[str] = Counter()
    entries = []
    for about in papers.values():
        key = citation_key(about[0].source.paper)
        keys[key] += 1
        entries.append(_entry(key if keys[key] == 1 else f"{key}-{keys[key]}", about))
    return "\n".join(entries)


def citation_key(paper: str) -> str:
    """Letters, digits, ``:``, ``.`` and ``-`` of what names the paper."""
    number = arxiv_number(paper)
    if number:
        return f"arXiv:{number}"
    plain = unicodedata.normalize("NFKD", paper).encode("ascii", "ignore").decode()
    return "".join(w for w in re.findall(r"[A-Za-z0-9]+", plain) if w not in ("and", "et", "al")) or "source"


def _entry(key: str, theorems: list[Theorem]) -> str:
    paper = theorems[0].source.paper
    titles = [t.source.title for t in theorems if t.source.title]
    fields: dict[str, str] = {}
    named, number = _NAMED.fullmatch(paper), arxiv_number(paper)
    if named:
        fields["author"] = escaped(re.sub(r",(?: and)? ", " and ", named["names"]))
    if titles:
        fields["title"] = f"{{{escaped(titles[0])}}}"
    if named:
        fields["year"] = named["year"]
    elif number:
        fields |= {
            "year": f"20{number[:2]}",
            "eprint": number,
            "archivePrefix": "arXiv",
            "url": paper_url(paper),
        }
    else:
        fields["howpublished"] = escaped(paper)
    fields["theorems"] = ", ".join(escaped(t.id) for t in theorems)
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{key},\n{lines}\n}}\n"
