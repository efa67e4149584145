/* Controls of the page: sorting, models, value, layer, measure; and the curve over layers. */

const page = { order: "share", shown: new Set(data.runs.map((_, i) => i).slice(0, 4)) };

function codesOf(run, kind) {
  const first = data.runs[Math.min(...page.shown)] ?? run;
  const order = first.orders[kind].filter((code) => run.languages.includes(code));
  return [...order, ...run.orders[kind].filter((code) => !order.includes(code))];
}

function figure(root) {
  const view = views[root.dataset.view];
  const runs = data.runs.filter((run) => view.has(run));
  const control = (name) => root.querySelector(`[name=${name}]`);
  const layers = [...new Set(runs.filter((run) => run.arrays[view.perLayer]).flatMap((run) => run.layers))].sort((a, b) => a - b);
  const state = { value: "", layer: 0, measure: "" };
  fill(control("value"), runs.flatMap((run) => run.values));
  const measures = Object.assign({}, ...runs.map((run) => view.measures?.(run) ?? {}));
  for (const [key, label] of Object.entries(measures)) control("measure")?.append(new Option(label, key));
  if (control("measure")) control("measure").closest("label").hidden = Object.keys(measures).length === 0;
  state.measure = Object.keys(measures)[0] ?? "";
  control("layer").max = layers.length;
  control("layer").closest(".slider").hidden = layers.length === 0;
  root.addEventListener("input", () => {
    state.value = control("value")?.value ?? "";
    state.measure = control("measure")?.value ?? "";
    state.layer = layers[Number(control("layer").value) - 1] ?? 0;
    draw();
  });
  const say = (words, cell) => {
    root.querySelector(".said").textContent = words;
    showTip(words, cell);
  };
  function draw() {
    const label = state.layer ? `layer ${state.layer}` : summaryLayer(runs);
    control("layer").setAttribute("aria-valuetext", label);
    root.querySelector("output").textContent = label;
    legend(root.querySelector(".legend"), root.dataset.view, state);
    const shown = runs.filter((run) => page.shown.has(data.runs.indexOf(run)));
    root.querySelector(".maps").replaceChildren(...shown.map((run) => oneMap(root, view, run, state, say)));
  }
  draw();
  return draw;
}

function oneMap(root, view, run, state, say) {
  const codes = codesOf(run, page.order);
  const number = (row, column) => view.number(run, row.key, column.key, state);
  // A language that was measured stays on the map, even where its vector is too noisy to be compared.
  const summary = { ...state, value: "", layer: 0, measure: view.undefinedHere ? "raw" : state.measure };
  const known = (code) => codes.some((other) => other !== code && !Number.isNaN(view.number(run, code, other, summary)));
  const measured = view.columns || codes.length === 1 ? codes : codes.filter(known);
  const rows = measured.map(language);
  const table = heatmap({
    caption: run.name,
    corner: root.dataset.corner,
    rows: view.columns ? rows : rows.map((row) => ({ ...row, autonym: "" })),
    columns: view.columns ? view.columns(run) : rows,
    look: (row, column) => (Number.isNaN(number(row, column)) ? null : view.look(run, number(row, column), row.key, column.key, state)),
    words: (row, column) => {
      const found = number(row, column);
      const where = data.runs.length > 1 ? `${run.name}: ` : "";
      const missing = view.undefinedHere?.(state) ? "undefined: at least one vector is not told apart from noise" : "not measured";
      return where + (Number.isNaN(found) ? `${row.name}, ${column.name}: ${missing}` : view.words(run, found, row.key, column.key, state));
    },
    blank: view.undefinedHere?.(state) ? { text: "?", unseen: "undefined" } : { text: "", unseen: "not measured" },
    say,
  });
  const scroller = element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `${root.dataset.name}, ${run.name}` }, table);
  const box = element("div", { class: "map" }, scroller);
  if (run.arrays[view.perLayer] && run.layers.length > 1) box.append(curve(view, run, state));
  return box;
}

/* Mean over the map's cells per layer, with the layer in hand marked. */
function curve(view, run, state) {
  const numbers = run.arrays[`curve_${view.curve(state)}`];
  const layers = run.layers;
  const per = layers.map((_, layer) => overValues(run, state, (name) => numbers(at(run, "values", name), layer)));
  const known = per.filter((x) => !Number.isNaN(x));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const [width, height] = [320, 64];
  const x = (i) => 4 + (i / (layers.length - 1)) * (width - 8);
  const y = (number) => height - 4 - ((number - low) / (high - low || 1)) * (height - 8);
  const form = (number) => view.form(number, state);
  const highest = layers[per.indexOf(high)];
  const words = `Mean over layers ${layers[0]} to ${layers.at(-1)}: from ${form(low)} to ${form(high)}, highest at layer ${highest}`;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const draw = (name, attributes) => {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, content] of Object.entries(attributes)) shape.setAttribute(key, content);
    svg.append(shape);
  };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words);
  draw("polyline", { points: per.map((number, i) => `${x(i)},${y(number)}`).filter((point) => !point.includes("NaN")).join(" ") });
  const here = layers.indexOf(state.layer);
  if (here >= 0 && !Number.isNaN(per[here])) draw("circle", { cx: x(here), cy: y(per[here]), r: 5 });
  return element("figure", { class: "curve" }, svg, element("figcaption", {}, words));
}

function legend(root, name, state) {
  const accuracy = name === "recognition" || (name === "transfer" && state.measure === "accuracy");
  const chance = data.runs[0].chance;
  const ends = accuracy ? ["0 %", `${100 * chance} % (guessing)`, "100 %"]
    : name === "similarity" ? ["−1 opposite", "0 unrelated", "1 same"]
      : [`−${Math.round(100 * gainLimit)} points`, "0 as good as own", `+${Math.round(100 * gainLimit)} points`];
  root.replaceChildren(...ends.map((text) => element("span", {}, text)));
}

function fill(select, names) {
  for (const name of select ? new Set(names) : []) select.append(new Option(data.values[name].name, name));
}

function start() {
  const redraws = [...document.querySelectorAll("[data-view]")].map(figure);
  const redraw = () => redraws.forEach((draw) => draw());
  document.getElementById("order").addEventListener("change", (event) => {
    page.order = event.target.value;
    redraw();
  });
  document.getElementById("theme").addEventListener("change", (event) => {
    document.documentElement.style.colorScheme = event.target.value;
  });
  for (const box of document.querySelectorAll("[name=run]")) {
    box.checked = page.shown.has(Number(box.value));
    box.addEventListener("change", () => {
      page.shown[box.checked ? "add" : "delete"](Number(box.value));
      redraw();
    });
  }
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));
  document.documentElement.classList.add("ready");
}

start();
