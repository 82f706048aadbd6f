/* Filters, views, keys. The address holds the view or the open theorem, so that links and Back work. */

let openId = null;
let openColumn = null;
const byId = id => document.getElementById(id);
const say = text => { byId("spoken").textContent = text; };

function fillOptions(id, all, names) {
  byId(id).append(el("option", { value: "" }, all), ...names.map(name => el("option", { value: name }, name)));
}

function setUpHeader() {
  const [now, before] = source.folders;
  byId("title").replaceChildren("Results ", el("code", null, now.name));
  const untested = theorems.filter(t => t.verdict === "untested").length;
  const files = now.files.map(f => f[1]).sort();
  byId("overview").replaceChildren(...[
    `${plural(theorems.length, "theorem")}, ${plural(now.records, "record")}, `,
    el("b", { class: now.unexpected ? "bad" : now.expected ? "good" : "none" }, counted(now)),
    untested ? [", ", el("b", { class: "unsure" }, `${plural(untested, "theorem")} untested`)] : "",
    now.mutants ? `; ${now.caught} of ${plural(now.mutants, "mutant")} caught` : "",
    `. Seed ${now.seeds.join(", ")}; ${files.at(-1)}.`].flat());
  const views = [["matrix", "Matrix"], ...(before ? [["changes", "Changes"]] : []), ["environment", "Environment"]];
  byId("views").append(...views.map(([id, name]) => el("a", { href: `#${id}` }, name)));
  const elsewhere = now.codes.filter(([, , here]) => !here).length;
  const notes = [...source.folders.flatMap(f => f.notes),
    ...(elsewhere ? ["Some records were made by other sources than those installed here; the statements are those of this installation."] : [])];
  byId("notes").hidden = !notes.length;
  byId("notes").append(...notes.map(n => el("li", null, n)));
}

/* Inconclusive records count as expected; recalled claims and those that nothing was compared for do not count. */
function counted({ expected, unexpected }) {
  if (unexpected) return `${unexpected.toLocaleString("en")} not as expected`;
  return expected ? `${expected.toLocaleString("en")} counted, all as expected` : "none of them counts";
}

function setUpFilters() {
  fillOptions("paper", "all", [...new Set(theorems.map(paperName))]);
  fillOptions("method", "all", [...new Set(theorems.flatMap(methodsOf))].sort());
  fillOptions("problem", "all", [...new Set(own.map(r => r.family))].sort());
  const counts = Object.entries(source.folders[0].verdicts).filter(([name]) => name !== "not applicable");
  const untested = theorems.filter(t => t.verdict === "untested").length;
  if (untested) counts.push(["untested", untested]);
  if (source.folders[0].unexpected) counts.unshift(["unexpected", source.folders[0].unexpected]);
  byId("verdicts").append(...counts.map(([name, n]) => chip(name, n)));
  const skippedCount = source.folders[0].verdicts["not applicable"];
  if (skippedCount) byId("verdicts").append(el("span", { class: "faint" }, `${skippedCount.toLocaleString("en")} not applicable`));
  byId("legend").replaceChildren(...source.verdicts.filter(v => v.name in source.folders[0].verdicts).map(v => verdictMark(v.name)),
    el("span", null, "The number is the tightness, the largest measured / bound; the stronger the colour, the tighter."),
    el("span", null, "Keys: arrows, Enter, Escape; / searches."));
  byId("filters").hidden = false;
  byId("filters").addEventListener("input", readFilters);
  byId("filters").addEventListener("submit", event => event.preventDefault());
  byId("filters").addEventListener("reset", () => { choice.verdict = ""; setTimeout(readFilters); });
}

function chip(name, n) {
  const { symbol, tone } = name === "unexpected" ? { symbol: "✗", tone: "bad" } : look(name);
  return el("button", { type: "button", class: `chip ${tone}`, "data-verdict": name, "aria-pressed": "false", onclick: () => {
    choice.verdict = choice.verdict === name ? "" : name;
    readFilters();
  } }, el("b", { "aria-hidden": "true" }, symbol), ` ${name === "unexpected" ? "not as expected" : name} `, el("small", null, n.toLocaleString("en")));
}

function readFilters() {
  choice.words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const name of ["paper", "method", "problem", "sort", "columns"]) choice[name] = byId(name).value;
  for (const button of document.querySelectorAll(".chip")) {
    button.setAttribute("aria-pressed", String(button.dataset.verdict === choice.verdict));
  }
  renderMatrix();
}

function showView(name) {
  for (const id of ["matrix", "changes", "environment"]) byId(id).hidden = id !== name;
  document.body.dataset.view = name;
  for (const link of document.querySelectorAll("#views a")) {
    link.toggleAttribute("aria-current", link.getAttribute("href") === `#${name}`);
  }
}

function route() {
  let target = "";
  try { target = decodeURIComponent(location.hash.slice(1)); } catch { /* not an address of this page */ }
  const t = target.startsWith("t:") ? theoremById.get(target.slice(2)) : undefined;
  if (t) return openStatement(t);
  openId = null;
  byId("statement").hidden = true;
  document.body.classList.remove("reading");
  markOpen();
  return showView(["changes", "environment"].includes(target) && (target !== "changes" || source.changes) ? target : "matrix");
}

function openStatement(t) {
  openId = t.id;
  const column = openColumn;
  openColumn = null;
  showView("matrix");
  document.body.classList.add("reading");
  const pane = byId("statement");
  pane.replaceChildren(...statementView(t, column));
  pane.hidden = false;
  pane.scrollTop = 0;
  markOpen();
  document.title = `${t.id}: ${t.statement?.title ?? "results"}`;
  byId("statement-title").focus({ preventScroll: true });
  byId(t.anchor)?.scrollIntoView({ block: "nearest" });
  pane.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
}

function markOpen() {
  for (const row of document.querySelectorAll("#table-pane tr.open")) {
    row.classList.remove("open");
    row.querySelector("a").removeAttribute("aria-current");
  }
  const row = openId === null ? null : byId(`t:${openId}`);
  row?.classList.add("open");
  row?.querySelector("a").setAttribute("aria-current", "true");
}

function closeStatement() {
  const link = openId === null ? null : rowLink(openId);
  history.pushState(null, "", "#matrix");
  route();
  if (link) focusLink(link);
  else byId("table-pane").focus(); // its row is filtered out
}

function onKey(event) {
  const typing = event.target.matches?.("input, select, textarea");
  if (event.key === "Escape" && openId !== null && !typing) closeStatement();
  if (event.key === "/" && !typing) {
    event.preventDefault();
    location.hash = location.hash.startsWith("#t") ? location.hash : "#matrix";
    byId("search").focus();
  }
}

function onMatrixClick(event) {
  const link = event.target.closest("tbody a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  openColumn = link.dataset.column ?? null;
  if (link.getAttribute("href") === location.hash) { event.preventDefault(); route(); }
}

const plainTitle = document.title;
setUpHeader();
setUpFilters();
if (source.changes) byId("changes").append(...changesView());
byId("environment").append(...environmentView());
readFilters();
byId("table-pane").addEventListener("keydown", moveInMatrix);
byId("table-pane").addEventListener("click", onMatrixClick);
document.addEventListener("keydown", onKey);
addEventListener("hashchange", () => { document.title = plainTitle; route(); });
addEventListener("popstate", () => { if (!location.hash) route(); });
route();
