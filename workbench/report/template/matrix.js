/* The matrix: which theorems and columns are shown, and the table of them. */

const choice = { words: [], paper: "", method: "", problem: "", verdict: "", sort: "library", columns: "family" };

const problemsOf = new Map(theorems.map(t => [
  t.id, [...(ownOf.get(t.id) ?? []), ...(skippedOf.get(t.id) ?? [])],
]));

const haystack = new Map(theorems.map(t => {
  const s = t.statement ?? {};
  const parts = [t.id, t.status, s.title, s.claim, s.paper, s.paper_title, s.kind, ...(s.methods ?? []),
    ...(s.assumes ?? []).map(a => a[0]), ...(ownOf.get(t.id) ?? []).map(r => r.family)];
  return [t.id, parts.filter(Boolean).join(" ").toLowerCase()];
}));

function accepted(t) {
  const mine = (ownOf.get(t.id) ?? []).filter(r => !choice.problem || r.family === choice.problem);
  const mutants = mutantsOf.get(t.id) ?? [];
  return choice.words.every(word => haystack.get(t.id).includes(word))
    && (!choice.paper || paperName(t) === choice.paper)
    && (!choice.method || methodsOf(t).includes(choice.method))
    && (!choice.problem || mine.length > 0)
    && (!choice.verdict || (choice.verdict === "unexpected"
      ? [...mine, ...mutants].some(r => r.expected === false)
      : choice.verdict === "untested" ? t.verdict === "untested" : mine.some(r => r.verdict === choice.verdict)));
}

const orders = {
  library: (a, b) => a.place - b.place,
  id: (a, b) => a.id.localeCompare(b.id, "en"),
  tightness: (a, b) => (b.tightness ?? -Infinity) - (a.tightness ?? -Infinity) || a.place - b.place,
  verdict: (a, b) => look(a.verdict).place - look(b.verdict).place || a.place - b.place,
};

const visible = () => theorems.filter(accepted).sort(orders[choice.sort]);
const columnOf = r => (choice.columns === "family" ? r.family : r.problem);

/* Problems on which at least one visible theorem was tried, in the order of the records. */
function columnsOf(shownTheorems) {
  const names = new Set(shownTheorems.flatMap(t => (ownOf.get(t.id) ?? []).map(columnOf)));
  const all = [...new Set(own.map(columnOf))].filter(name => names.has(name));
  return choice.problem ? all.filter(name => family(name) === choice.problem) : all;
}

function renderMatrix() {
  const rows = visible();
  const columns = columnsOf(rows);
  const table = el("table", { class: "matrix" },
    el("caption", { class: "unseen" }, "Theorems in rows, problems in columns. Arrow keys move, Enter opens a theorem."),
    el("thead", null, el("tr", null,
      el("th", { scope: "col", class: "id" }, "Theorem"),
      el("th", { scope: "col", class: "num", title: "largest measured / bound" }, "Tightness"),
      el("th", { scope: "col", class: "num", title: "false variants that were refuted" }, "Mutants"),
      columns.map(name => el("th", { scope: "col", class: "problem", title: name }, el("span", null, name))))));
  const groups = choice.sort === "library" ? grouped(rows, paperName) : new Map([["", rows]]);
  for (const [paper, members] of groups) {
    const body = el("tbody");
    if (paper) body.append(paperRow(paper, members[0], columns.length));
    for (const t of members) body.append(matrixRow(t, columns));
    table.append(body);
  }
  const pane = document.getElementById("table-pane");
  const { scrollTop, scrollLeft } = pane;
  pane.replaceChildren(rows.length ? table : el("p", { class: "empty" }, "No theorem fits these filters."));
  pane.scrollTo(scrollLeft, scrollTop);
  const first = pane.querySelector("a[aria-current], tbody a");
  if (first) first.tabIndex = 0;
  document.getElementById("count").textContent =
    `${rows.length} of ${plural(theorems.length, "theorem")}, ${plural(columns.length, choice.columns === "family" ? "problem family" : "problem", choice.columns === "family" ? "problem families" : "problems")}`;
}

function paperRow(paper, t, columns) {
  const title = t.statement?.paper_title;
  return el("tr", { class: "paper" }, el("th", { colspan: 3 + columns, scope: "rowgroup" },
    el("span", null, el("b", null, paper), title ? ` ${title}` : "")));
}

function matrixRow(t, columns) {
  const { symbol, tone } = look(t.verdict);
  const byColumn = grouped(ownOf.get(t.id) ?? [], columnOf);
  const absent = new Map((skippedOf.get(t.id) ?? []).map(r => [columnOf(r), r.reason]));
  const current = openId === t.id ? "true" : null;
  return el("tr", { id: t.anchor, class: current ? "open" : null },
    el("th", { scope: "row", class: "id" }, el("a", {
      href: linkTo(t.id), tabindex: -1, "aria-current": current, title: t.statement?.title,
      "aria-label": `${t.id}: ${t.verdict}`,
    }, el("b", { class: tone, "aria-hidden": "true" }, symbol), t.id, t.status === "RECALLED" ? el("small", null, " recalled") : null)),
    el("td", { class: "num" }, shown(t.tightness)),
    el("td", { class: `num${t.caught < t.mutants ? " missed" : ""}` }, t.mutants ? `${t.caught}/${t.mutants}` : ""),
    columns.map(name => matrixCell(t, name, byColumn.get(name), absent.get(name))));
}

function matrixCell(t, name, cell, reason) {
  if (!cell) return el("td", { class: "blank", title: reason ? `not applicable: ${reason}` : null }, reason ? "·" : "");
  const verdict = worst(cell);
  const tightness = largest(cell);
  const { symbol, tone } = look(verdict);
  const link = el("a", {
    href: linkTo(t.id), tabindex: -1, "data-column": name,
    "aria-label": `${t.id} on ${name}: ${verdict}${tightness === null ? "" : `, tightness ${shown(tightness)}`}`,
    title: `${name}\n${verdict}${tightness === null ? "" : `, tightness ${shown(tightness)}`}`,
  }, el("b", null, symbol), brief(tightness, tone));
  if (tone === "good" && tightness !== null) link.style.setProperty("--t", Math.min(Math.max(tightness, 0), 1));
  return el("td", { class: `cell ${tone}` }, link);
}

/* Arrow keys: between the rows, and between the cells that say something. */
function moveInMatrix(event) {
  const link = event.target.closest("tbody a");
  if (!link || event.altKey || event.ctrlKey || event.metaKey) return;
  const rows = [...document.querySelectorAll("#table-pane tbody tr:not(.paper)")];
  const row = link.closest("tr");
  const inRow = [...row.querySelectorAll("a")];
  const column = link.closest("td, th").cellIndex;
  const linkAt = r => r.cells[column]?.querySelector("a");
  const place = rows.indexOf(row);
  const target = {
    ArrowDown: () => rows.slice(place + 1).map(linkAt).find(Boolean),
    ArrowUp: () => rows.slice(0, place).reverse().map(linkAt).find(Boolean),
    ArrowRight: () => inRow[inRow.indexOf(link) + 1],
    ArrowLeft: () => inRow[inRow.indexOf(link) - 1],
    Home: () => inRow[0],
    End: () => inRow.at(-1),
  }[event.key];
  if (!target) return;
  event.preventDefault();
  focusLink(target());
}

function focusLink(link) {
  if (!link) return;
  for (const other of document.querySelectorAll("#table-pane a[tabindex='0']")) other.tabIndex = -1;
  link.tabIndex = 0;
  link.focus();
}

const rowLink = id => document.getElementById(`t:${id}`)?.querySelector("a");
