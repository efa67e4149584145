/* The curve below a map: the mean over its cells, layer by layer. */

const CURVE = { width: 440, height: 150, left: 58, right: 12, top: 10, bottom: 36 };
/* Numbers written out below a curve before only its ends and extremes are. */
const SPELLED_LAYERS = 6;

/* Three to six round numbers that enclose `low` and `high`. */
function roundTicks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span));
  const step = [0.2, 0.5, 1, 2, 5].map((unit) => unit * power).find((size) => span / size <= 4);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}

/* Every layer, or every second, fifth, ... of many. */
function layerTicks(layers) {
  const every = [1, 2, 5, 10, 20, 50].find((step) => layers.length / step <= 12) ?? 100;
  return layers.filter((layer, i) => (every === 1 ? true : layer % every === 0 || i === 0));
}

function curveWords(what, over, layers, per, form) {
  const known = layers.map((layer, i) => [layer, per[i]]).filter(([, number]) => !Number.isNaN(number));
  const about = `${what} by layer, mean over ${over}`;
  if (!known.length) return `${about}: not measured`;
  if (known.length <= SPELLED_LAYERS) return `${about}: ${known.map(([layer, number]) => `${layer}: ${form(number)}`.replaceAll(" ", "\u00a0")).join(", ")}.`;
  const [lowest, highest] = [Math.min, Math.max].map((end) => known.find(([, number]) => number === end(...known.map((pair) => pair[1]))));
  const last = known.at(-1);
  return `${about}: lowest ${form(lowest[1])} (layer ${lowest[0]}), highest ${form(highest[1])} (layer ${highest[0]}), at the last (${last[0]}) ${form(last[1])}.`;
}

/* Little can be lost where little is recognised: said where a gain near zero has that reason. */
function littleToLose(run, state, gains) {
  if (!run.arrays.curve_recognition) return "";
  const own = run.layers.map((_, layer) => overValues(run, state, (name) => run.arrays.curve_recognition(at(run, "values", name), layer)));
  const sizes = gains.map(Math.abs);
  const least = sizes.indexOf(Math.min(...sizes.filter((size) => !Number.isNaN(size))));
  const best = Math.max(...own.filter((share) => !Number.isNaN(share)));
  if (!(own[least] - run.chance < (best - run.chance) / 2)) return "";
  return ` At layer ${run.layers[least]} own vectors recognise only ${percent(own[least])}, so that little can be lost.`;
}

function curve(view, run, state) {
  const { array, what, over } = view.curve(state);
  const numbers = run.arrays[`curve_${array}`];
  const layers = run.layers;
  const per = layers.map((_, layer) => overValues(run, state, (name) => numbers(at(run, "values", name), layer)));
  const form = (number) => view.form(number, state);
  const words = curveWords(what, over, layers, per, form) + (array === "gain" ? littleToLose(run, state, per) : "");
  const caption = element("figcaption", {}, words);
  const known = per.filter((number) => !Number.isNaN(number));
  if (!known.length) return element("figure", { class: "curve" }, caption);
  const level = array === "recognition" || array === "accuracy" ? run.chance : 0;
  const ticks = roundTicks(Math.min(level, ...known), Math.max(level, ...known));
  const { width, height, left, right, top, bottom } = CURVE;
  const x = (layer) => left + (layers.indexOf(layer) / (layers.length - 1)) * (width - left - right);
  const y = (number) => height - bottom - ((number - ticks[0]) / (ticks.at(-1) - ticks[0])) * (height - top - bottom);
  const svg = drawing("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words });
  const text = (content, attributes) => svg.append(drawing("text", attributes, content));
  for (const tick of ticks) {
    svg.append(drawing("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }));
    text(view.tick(tick, state), { x: left - 6, y: y(tick) + 4, "text-anchor": "end" });
  }
  svg.append(drawing("line", { class: "level", x1: left, x2: width - right, y1: y(level), y2: y(level) }));
  for (const layer of layerTicks(layers)) text(layer, { x: x(layer), y: height - bottom + 15, "text-anchor": "middle" });
  text("layer", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" });
  const points = layers.map((layer, i) => [x(layer), y(per[i])]).filter((point) => !point.some(Number.isNaN));
  svg.append(drawing("polyline", { points: points.map((point) => point.join(",")).join(" ") }));
  for (const [cx, cy] of points.length <= 12 ? points : []) svg.append(drawing("circle", { class: "dot", cx, cy, r: 2.5 }));
  const here = per[layers.indexOf(state.layer)];
  if (here === here && here !== undefined) svg.append(drawing("circle", { class: "here", cx: x(state.layer), cy: y(here), r: 5 }));
  return element("figure", { class: "curve" }, svg, caption);
}

function drawing(name, attributes, content = "") {
  const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, found] of Object.entries(attributes)) shape.setAttribute(key, found);
  shape.append(content);
  return shape;
}
