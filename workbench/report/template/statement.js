/* One theorem: what it says, its records, its mutants and witnesses, and where it does not apply. */

function statementView(t, column) {
  const s = t.statement;
  return [
    statementHead(t),
    s ? mathematics(s) : el("p", { class: "empty" }, "The statement is not in this library; name the file that holds it with --file."),
    s ? facts(t, s) : null,
    results(t, column),
    mutants(t),
    notApplicable(t),
  ].filter(Boolean);
}

function statementHead(t) {
  const step = by => () => {
    const rows = visible();
    const next = rows[rows.findIndex(other => other.id === t.id) + by];
    if (next) location.hash = linkTo(next.id);
  };
  return el("header", null,
    el("div", { class: "tools" },
      el("code", null, t.id), verdictMark(t.verdict),
      el("span", { class: "grow" }),
      el("button", { type: "button", onclick: step(-1), "aria-label": "Previous theorem", title: "Previous theorem" }, "‹"),
      el("button", { type: "button", onclick: step(1), "aria-label": "Next theorem", title: "Next theorem" }, "›"),
      el("button", { type: "button", id: "close", onclick: closeStatement, "aria-label": "Close", title: "Close (Escape)" }, "×")),
    el("h2", { id: "statement-title", tabindex: -1 }, t.statement?.title ?? t.id));
}

function mathematics(s) {
  const parsed = s.mathml ? new DOMParser().parseFromString(s.mathml, "application/xml").documentElement : null;
  const display = parsed?.localName === "math" ? chunks(document.importNode(parsed, true)) : el("code", null, s.latex);
  return el("div", { class: "math-box" },
    el("div", { class: "math", tabindex: 0, role: "group", "aria-label": "The claim" }, display),
    el("p", { class: "speaks" }, s.speaks),
    el("details", null, el("summary", null, "LaTeX"), copyable(s.latex)));
}

/* A long claim may break before its relation and its condition, and before a sum on the right, outside brackets. */
function chunks(math) {
  const row = math.children.length === 1 && math.firstElementChild.localName === "mrow" ? math.firstElementChild : math;
  const parts = [];
  let depth = 0;
  let related = false;
  const start = () => {
    const part = document.createElementNS(math.namespaceURI, "math");
    part.setAttribute("displaystyle", "true");
    parts.push(part);
  };
  start();
  for (const child of [...row.children]) {
    const sign = child.localName === "mo" ? child.textContent : "";
    const relation = ["≤", "≥", "="].includes(sign) && !related;
    const sum = related && ["+", "−"].includes(sign) && !["≤", "≥", "="].includes(parts.at(-1).lastElementChild?.textContent);
    const condition = child.localName === "mspace" && child.getAttribute("width") === "1em";
    if (sign === "(" || sign === "[") depth += 1;
    if (sign === ")" || sign === "]") depth -= 1;
    if (depth === 0 && (relation || sum || condition)) {
      start();
      if (sign) child.setAttribute("form", "infix");
      related ||= relation;
    }
    parts.at(-1).append(child);
  }
  return parts;
}

function facts(t, s) {
  const rows = [
    ["Method", s.methods.join(" and ")],
    ["Assumes", el("ul", null, s.assumes.map(([name, says]) => el("li", null, el("b", null, name), says ? ` ${says}` : "")))],
    ["Norm", s.norms.join(", ")],
    ["Parameters", el("ul", null, Object.entries(s.parameters).map(([name, rule]) => el("li", null, el("code", null, `${name} = ${rule}`))))],
    ["Requires", s.requires && el("code", null, s.requires)],
    ["When", s.when && el("code", null, s.when)],
    ["Source", el("span", null, s.url ? el("a", { href: s.url, rel: "noreferrer noopener" }, s.paper) : s.paper,
      s.paper_title ? `, ${s.paper_title}` : "", el("br"), el("b", null, s.status.toLowerCase()), s.where ? `: ${s.where}` : "")],
    ["Proof", s.proof && el("details", null, el("summary", null, "Show"), el("p", { class: "proof" }, s.proof))],
  ];
  const told = rows.filter(([, value]) => value && (value.nodeName !== "UL" || value.childElementCount));
  return el("dl", { class: "facts" }, told.map(([name, value]) => [el("dt", null, name), el("dd", null, value)]));
}

function results(t, column) {
  const mine = [...(ownOf.get(t.id) ?? [])].sort((a, b) =>
    look(a.verdict).place - look(b.verdict).place || (b.tightness ?? -Infinity) - (a.tightness ?? -Infinity));
  if (!mine.length) return el("p", { class: "empty" }, "Nothing was compared: it applied to no problem.");
  const columns = recordColumns(mine);
  return el("section", null,
    el("h3", null, "Records ", el("small", null, mine.length)),
    tightnessPlot(mine),
    el("p", { class: "shared" }, common(mine)),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Records" }, el("table", { class: "records" },
      el("thead", null, el("tr", null, columns.map(([head, , kind]) => el("th", { scope: "col", class: kind }, head)))),
      el("tbody", null, mine.map(r => el("tr", { class: column !== null && [r.family, r.problem].includes(column) ? "chosen" : null },
        columns.map(([, cell], i) => (i ? el("td", { class: columns[i][2] }, cell(r)) : el("th", { scope: "row" }, cell(r))))))))));
}

/* Head, content and class of each column that has something to say. */
function recordColumns(mine) {
  const several = name => mine.length === 1 || new Set(mine.map(r => r[name])).size > 1;
  const small = (text, kind) => (text ? el("small", { class: kind }, text) : null);
  const all = [
    ["Problem and parameters", r => [el("code", null, r.problem), ...VARIANTS.filter(several).map(name => small(r[name]))]],
    ["Verdict", r => [verdictMark(r.verdict), small(r.reason), evidence(r), witness(r)]],
    ["Tightness", r => shown(r.tightness), "num", mine.some(r => r.tightness !== null)],
    ["Measured / bound", r => (r.bound === null ? "" : [shown(r.measured), small(`/ ${shown(r.bound)}`)]), "num", mine.some(r => r.bound !== null)],
    ["Checked", r => r.checked.toLocaleString("en"), "num"],
    ["Runs", r => [`${r.replicates}`, small(`× ${plural(r.steps, "step")}`)], "num"],
  ];
  return all.filter(([, , , told]) => told !== false);
}

const VARIANTS = ["rules", "certificate", "norm", "method"];

/* What all records share is said once. */
function common(mine) {
  const shared = VARIANTS.filter(name => mine[0][name] && mine.every(r => r[name] === mine[0][name]));
  return mine.length > 1 && shared.length ? `All with ${shared.map(name => mine[0][name]).join("; ")}.` : "";
}

function evidence(r) {
  const told = [];
  if (r.e_value !== null) told.push(`e-value ${shown(r.e_value)}`);
  if (r.lower !== null) told.push(`mean / bound ≥ ${shown(r.lower)}`);
  if (r.detectable !== null) told.push(r.detectable === Infinity ? "sees nothing" : `sees × ${shown(r.detectable)}`);
  for (const [name, value] of Object.entries(r.statistics ?? {})) told.push(`${name.replaceAll("_", " ")} ${shown(asNumber(value))}`);
  return told.length ? el("small", null, told.join(", ")) : null;
}

function mutants(t) {
  const mine = mutantsOf.get(t.id) ?? [];
  if (!mine.length) return null;
  return el("section", null,
    el("h3", null, "Mutants ", el("small", null, `${t.caught} of ${t.mutants} caught`)),
    el("p", { class: "shared" }, "False variants, which must be found false."),
    el("ul", { class: "mutants" }, mine.map(r => el("li", null,
      el("b", { class: r.expected ? "good" : "bad" }, r.expected ? "✓ caught" : "✗ missed"), ` ${r.mutant}`,
      el("small", null, `${r.verdict} on ${r.problem}${r.rules ? ` with ${r.rules}` : ""}${r.reason ? `; ${r.reason}` : ""}`),
      witness(r)))));
}

function witness(r) {
  if (r.witness === null) return null;
  const { command, told } = source.witnesses[r.witness];
  return el("details", { class: "witness" }, el("summary", null, "Witness"),
    command ? copyable(command) : el("p", { class: "faint" }, "Its file is not in the folder."),
    el("dl", null, Object.entries(told).map(([name, value]) => [el("dt", null, name), el("dd", null, el("code", null, value))])));
}

function copyable(text) {
  const code = el("code", null, text);
  const button = el("button", { type: "button", onclick: async () => {
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    } catch { say("Selected; copy it with the keyboard"); }
  } }, "Copy");
  return el("div", { class: "copy" }, code, button);
}

function notApplicable(t) {
  const mine = skippedOf.get(t.id) ?? [];
  if (!mine.length) return null;
  const reasons = [...grouped(mine, r => r.reason)].sort((a, b) => b[1].length - a[1].length);
  return el("section", null, el("details", null,
    el("summary", null, el("h3", null, "Does not apply to ", plural(mine.length, "problem"))),
    el("dl", { class: "reasons" }, reasons.map(([reason, items]) => [
      el("dt", null, reason, " ", el("small", null, items.length)),
      el("dd", null, items.map(r => el("code", { title: r.problem }, choice.columns === "family" ? r.family : r.problem)))]))));
}
