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
  let wanted = Object.keys(measures)[0] ?? "";
  control("measure")?.addEventListener("input", (event) => { wanted = event.target.value; });
  /* What a single layer does not have cannot be chosen there; back at the chosen layer the reader's choice returns. */
  const offer = () => {
    if (!control("measure")) return;
    for (const option of control("measure").options) option.disabled = view.offers ? !view.offers(option.value, state) : false;
    const free = [...control("measure").options].filter((option) => !option.disabled).map((option) => option.value);
    control("measure").value = free.includes(wanted) ? wanted : free[0] ?? "";
    state.measure = control("measure").value;
  };
  if (control("measure")) control("measure").closest("label").hidden = Object.keys(measures).length === 0;
  state.measure = Object.keys(measures)[0] ?? "";
  control("layer").max = layers.length;
  control("layer").closest(".slider").hidden = layers.length === 0;
  root.addEventListener("input", () => {
    state.value = control("value")?.value ?? "";
    state.layer = layers[Number(control("layer").value) - 1] ?? 0;
    offer();
    draw();
  });
  const say = (words, cell) => {
    root.querySelector(".said").textContent = words;
    showTip(words, cell);
  };
  function draw() {
    const [layer, how] = summaryLayer(runs, view.chosen?.(state) ?? "accuracy", state.value);
    const chosen = layer ? `${layer}, ${how}` : how;
    const label = state.layer ? `layer ${state.layer}` : chosen;
    control("layer").setAttribute("aria-valuetext", label);
    root.querySelector("output").textContent = label;
    const [note, about] = [view.note?.(runs, state) ?? "", root.querySelector(".about")];
    about.hidden = !view.note;
    if (about.textContent !== note) about.textContent = note;
    legend(root.querySelector(".legend"), root.dataset.view, state);
    const shown = runs.filter((run) => page.shown.has(data.runs.indexOf(run)));
    root.querySelector(".maps").replaceChildren(...shown.map((run) => oneMap(root, view, run, state, say)));
    root.querySelectorAll(".scroll").forEach(cueScrolling);
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

/* What is wider than its place fades where it goes on, and says so. */
const widths = new ResizeObserver((changes) => requestAnimationFrame(() => changes.forEach(({ target }) => cue(target.closest(".scroll")))));

function cue(box) {
  if (!box) return;
  box.classList.toggle("wide", box.scrollWidth > box.clientWidth + 1);
  box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
}

function cueScrolling(box) {
  box.addEventListener("scroll", () => cue(box), { passive: true });
  widths.observe(box);
  if (box.firstElementChild) widths.observe(box.firstElementChild);
}

function legend(root, name, state) {
  const accuracy = name === "recognition" || (name === "transfer" && state.measure === "accuracy");
  const chance = data.runs[0].chance;
  const ends = accuracy ? ["0 %", `${100 * chance} % (guessing)`, "100 %"]
    : name === "similarity" ? ["−1 opposite", "0 unrelated", "1 same"]
      : [`−${Math.round(100 * gainLimit(state))} points`, "0 as good as own", `+${Math.round(100 * gainLimit(state))} points`];
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
  document.querySelectorAll(".scroll:not(.figure .scroll)").forEach(cueScrolling);
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));
  document.documentElement.classList.add("ready");
}

start();
