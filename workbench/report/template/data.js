/* The document, decoded; small helpers. Texts become text nodes, never HTML. */

const source = JSON.parse(document.getElementById("data").textContent);

const asNumber = value =>
  ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[value] ?? (value === null ? null : Number(value));

const textColumns = ["theorem", "problem", "verdict", "reason", "method", "norm", "rules", "certificate", "mutant", "code"];
const numberColumns = ["tightness", "measured", "bound", "e_value", "lower", "detectable"];

function decodeRecords() {
  const columns = Object.entries(source.records);
  return source.records.theorem.map((_, i) => {
    const record = {};
    for (const [name, values] of columns) {
      const value = values[i];
      if (textColumns.includes(name)) record[name] = value === null ? null : source.texts[value];
      else record[name] = numberColumns.includes(name) ? asNumber(value) : value;
    }
    record.family = family(record.problem);
    return record;
  });
}

function decodeSkipped() {
  const { theorem, problem, reason } = source.not_applicable;
  return theorem.map((t, i) => ({
    theorem: source.texts[t], problem: source.texts[problem[i]], reason: source.texts[reason[i]],
    family: family(source.texts[problem[i]]),
  }));
}

function family(problem) { return problem.split("(", 1)[0]; }

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

const looks = new Map(source.verdicts.map((v, place) => [v.name, { ...v, place }]));
const look = verdict => looks.get(verdict) ?? { symbol: "?", tone: "unsure", meaning: "", place: 0, name: verdict };
const worst = records => records.reduce((a, b) => (look(b.verdict).place < look(a.verdict).place ? b : a)).verdict;
const largest = records => records.reduce(
  (most, r) => (r.tightness === null || Number.isNaN(r.tightness) ? most : Math.max(most ?? -Infinity, r.tightness)), null);

const records = decodeRecords();
const skipped = decodeSkipped();
const own = records.filter(r => r.mutant === null);
const theorems = source.theorems.map((t, place) => ({
  ...t, place, tightness: asNumber(t.tightness), anchor: `t:${t.id}`,
}));
const theoremById = new Map(theorems.map(t => [t.id, t]));
const ownOf = grouped(own, r => r.theorem);
const mutantsOf = grouped(records.filter(r => r.mutant !== null), r => r.theorem);
const skippedOf = grouped(skipped, r => r.theorem);

/* Four digits, or a power of ten. */
function shown(number) {
  if (number === null || number === undefined) return "";
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "nan" : number > 0 ? "∞" : "−∞";
  const text = Math.abs(number) >= 1e5 || (number !== 0 && Math.abs(number) < 1e-3)
    ? number.toExponential(2).replace("e+", "e") : String(Number(number.toPrecision(4)));
  return Math.abs(number) < 1 - 1e-9 && text === "1" ? "0.9999" : text.replaceAll("-", "−");
}

/* At most four characters; never rounded up to 1, which would say that a bound is attained, and 1 for what
   exceeds it by rounding alone. */
function brief(t, tone) {
  if (t === null || Number.isNaN(t)) return "";
  if (t === Infinity) return "∞";
  if (t <= 0) return t === 0 ? "0" : "<0";
  if (t < 0.01) return "<.01";
  if (t < 1 - 1e-9) return (Math.floor(t * 100) / 100).toFixed(2).slice(1);
  if (t < 1.005) return tone === "good" || t < 1 + 1e-9 ? "1" : ">1";
  return t < 10 ? t.toFixed(2) : t < 1000 ? String(Math.ceil(t)) : t.toExponential(0).replace("e+", "e");
}

const plural = (n, word, many = `${word}s`) => `${n.toLocaleString("en")} ${n === 1 ? word : many}`;

/* An element: attributes by name, "on..." as listeners, null left out. */
function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== ""));
  return made;
}

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const linkTo = id => `#${encodeURIComponent(`t:${id}`)}`;

function verdictMark(verdict, expected = null) {
  const { symbol, tone, meaning } = look(verdict);
  const shownTone = expected === true ? "good" : tone;
  return el("span", { class: `verdict ${shownTone}`, title: meaning }, el("b", { "aria-hidden": "true" }, symbol), ` ${verdict}`);
}

const paperName = t => t.statement?.paper || "without statement";
const methodsOf = t => t.statement?.methods ?? [];
