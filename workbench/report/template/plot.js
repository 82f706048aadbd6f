/* Tightness of each problem on a logarithmic axis; the bound is the line at 1. */

function tightnessPlot(mine) {
  const points = mine.filter(r => r.tightness !== null && !Number.isNaN(r.tightness));
  if (!points.length) return null;
  const lines = [...grouped(points, r => r.family)];
  const positive = points.map(r => r.tightness).filter(v => v > 0 && v < Infinity);
  const low = Math.min(-1, Math.floor(Math.log10(Math.min(...positive, 1)) + 1e-9));
  const floor = Math.max(low, -12);
  const top = Math.max(0, Math.ceil(Math.log10(Math.max(...positive, 1)) - 1e-9));
  const [left, right, width, height] = [168, 16, 620, 17];
  const bottom = lines.length * height + 8;
  const zero = left + 10;
  const start = left + 28;
  const x = value => (value <= 0 ? zero : value === Infinity ? width - 4
    : start + (Math.max(Math.log10(value), floor) - floor) / (top - floor) * (width - right - start));
  const every = Math.ceil((top - floor) / 6);
  const ticks = [];
  for (let power = top; power >= floor; power -= every) ticks.push(power);
  const nothing = points.some(r => r.tightness <= 0);
  return el("figure", null, svg("svg", {
    viewBox: `0 0 ${width} ${bottom + 34}`, role: "img",
    "aria-label": `Tightness of ${plural(points.length, "record")} on ${plural(lines.length, "problem family", "problem families")}, logarithmic axis`,
  },
  ...ticks.map(power => svg("line", { class: power === 0 ? "bound" : "grid", x1: x(10 ** power), x2: x(10 ** power), y1: 2, y2: bottom })),
  ...(top > 0 && !ticks.includes(0) ? [svg("line", { class: "bound", x1: x(1), x2: x(1), y1: 2, y2: bottom })] : []),
  ...ticks.map(power => svg("text", { x: x(10 ** power), y: bottom + 13, "text-anchor": "middle" }, tickText(power))),
  ...(nothing ? [svg("text", { x: zero, y: bottom + 13, "text-anchor": "middle" }, "≤0")] : []),
  svg("text", { class: "axis", x: (start + width - right) / 2, y: bottom + 29, "text-anchor": "middle" }, "tightness: measured / bound"),
  ...lines.flatMap(([name, members], i) => plotLine(name, members, 2 + height * (i + 0.5), x, left, width - right))));
}

function plotLine(name, members, y, x, left, end) {
  const label = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  return [
    svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, label),
    svg("line", { class: "grid", x1: left, x2: end, y1: y, y2: y }),
    ...members.map(r => plotMark(r, x(r.tightness), y)),
  ];
}

function plotMark(r, cx, y) {
  const tone = look(r.verdict).tone;
  const title = svg("title", {}, `${r.problem}\n${r.rules}\n${r.verdict}, tightness ${shown(r.tightness)}`);
  const mark = tone === "good" ? svg("circle", { cx, cy: y, r: 4 })
    : svg("path", { d: `M${cx - 4} ${y - 4}l8 8m0 -8l-8 8` });
  mark.setAttribute("class", `mark ${tone}`);
  mark.append(title);
  return mark;
}

function tickText(power) {
  if (power >= -2 && power <= 3) return String(10 ** power);
  return `10${[...String(power)].map(c => ({ "-": "⁻" })[c] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("")}`;
}
