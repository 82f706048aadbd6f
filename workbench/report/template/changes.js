/* Against an earlier folder; and what made the results. */

function changesView() {
  const c = source.changes;
  const [now, before] = source.folders;
  const kinds = [
    ["verdict", "Another verdict"], ["tightness", "Another tightness"], ["new", "New"], ["gone", "Gone"],
  ];
  return [
    el("h2", { id: "changes-title" }, "Changes since ", el("code", null, before.name)),
    el("p", null, `${plural(c.same, "claim")} the same, tightness to a relative ${c.rtol}. A claim: a theorem or a mutant of it on a problem, with its method, norm, parameters and certificates.`),
    c.other_settings ? el("p", { class: "note" }, `${c.other_settings.toLocaleString("en")} of ${plural(c.both, "claim")} in both ran with other seeds, steps or numbers of runs, and may differ for that alone.`) : "",
    ...kinds.map(([kind, title]) => changesOf(title, c[kind], now, before)),
  ];
}

function changesOf(title, entries, now, before) {
  const block = el("details", { class: "changes" }, el("summary", null, el("h3", null, `${title} `, el("small", null, entries.length.toLocaleString("en")))));
  if (!entries.length) return el("p", { class: "faint" }, `${title}: none.`);
  const fill = () => {
    if (block.childElementCount > 1) return;
    block.append(el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, el("table", { class: "records" },
      el("thead", null, el("tr", null, ["Theorem", "Problem", `Before: ${before.name}`, `Now: ${now.name}`].map(h => el("th", { scope: "col" }, h)))),
      el("tbody", null, entries.map(changeRow)))));
  };
  block.addEventListener("toggle", fill);
  if (entries.length <= 200) { block.open = true; fill(); }
  return block;
}

function changeRow(entry) {
  const name = theoremById.has(entry.theorem) ? el("a", { href: linkTo(entry.theorem) }, entry.theorem) : entry.theorem;
  const side = ([verdict, tightness]) => el("td", null, verdict ? verdictMark(verdict) : el("span", { class: "faint" }, "not there"),
    tightness === null ? null : el("small", null, `tightness ${precise(asNumber(tightness))}`));
  return el("tr", null,
    el("th", { scope: "row" }, name, entry.mutant === null ? null : el("small", null, `mutant: ${entry.mutant}`)),
    el("td", null, el("code", null, entry.problem), el("small", { class: "faint" }, entry.variant),
      entry.settings ? el("small", { class: "unsure" }, entry.settings) : null),
    side(entry.before), side(entry.now));
}

/* Enough digits to see a small change. */
const precise = number => (Number.isFinite(number) ? String(Number(number.toPrecision(9))) : shown(number));

function environmentView() {
  return [
    el("h2", { id: "environment-title" }, "What made these results"),
    ...source.folders.map(folderFacts),
    el("h3", null, "This installation, which wrote the page"),
    factList(Object.entries(source.environment)),
    el("h3", null, "Verdicts"),
    factList(source.verdicts.map(v => [verdictMark(v.name), v.meaning])),
  ];
}

function folderFacts(folder) {
  const codes = folder.codes.map(([code, n, here]) => el("li", null, el("code", null, code.slice(0, 16)),
    ` ${plural(n, "record")}, made by ${here ? "the sources and the versions of torch and numpy installed here" : "other sources or versions than those installed here"}`));
  return el("div", null, el("h3", null, el("code", null, folder.name)), factList([
    ["Records", `${folder.records.toLocaleString("en")} on ${plural(folder.problems, "problem")}; ${folder.expected.toLocaleString("en")} as expected, ${folder.unexpected.toLocaleString("en")} not`],
    ["Seed", folder.seeds.join(", ")],
    ["Steps", folder.steps.join(", ")],
    ["Time", `${shown(folder.seconds)} s of work`],
    ["Sources", el("ul", null, codes)],
    ["Files", el("ul", null, folder.files.map(([name, modified, lines]) => el("li", null, `${name}, ${plural(lines, "record")}, ${modified}`)))],
    ["Older", folder.older ? `${plural(folder.older, "record")} of the same by earlier sources, not shown` : ""],
    ["Notes", folder.notes.length ? el("ul", null, folder.notes.map(n => el("li", null, n))) : ""],
  ]));
}

function factList(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(([, value]) => value !== "").map(([name, value]) => [el("dt", null, name), el("dd", null, value)]));
}
