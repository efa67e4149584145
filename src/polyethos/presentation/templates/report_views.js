/* What each figure shows: rows, columns, the number of a cell, its colour and its sentence. */

const MISSING = -32768;

function decoded({ shape, scale, numbers }) {
  let packed;
  const unpack = () => {
    const raw = atob(numbers);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    return new DataView(bytes.buffer);
  };
  return (...index) => {
    if (index.some((i, axis) => !(i >= 0 && i < shape[axis]))) return NaN;
    packed ??= unpack();
    const at = index.reduce((sum, i, axis) => sum * shape[axis] + i, 0);
    const number = packed.getInt16(2 * at, true);
    return number === MISSING ? NaN : number / scale;
  };
}

const data = JSON.parse(document.getElementById("data").textContent);
for (const run of data.runs) {
  for (const [name, array] of Object.entries(run.arrays)) run.arrays[name] = decoded(array);
}

const percent = (x, digits = 0) => `${(100 * x).toFixed(digits)} %`;
const signed = (x, digits) => `${Number(x.toFixed(digits)) > 0 ? "+" : ""}${x.toFixed(digits)}`.replace("-", "−").replace(/^−(0(\.0+)?)$/, "$1");
/* A rounded zero has no sign. */
const cosine = (x) => (Number(x.toFixed(2)) === 0 ? "0.00" : x.toFixed(2).replace("-", "−"));
const mean = (numbers) => {
  const known = numbers.filter((x) => !Number.isNaN(x));
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : NaN;
};
const language = (code) => ({ key: code, short: code, ...data.languages[code] });
const value = (name) => ({ key: name, short: data.values[name].name, brief: data.values[name].brief, name: data.values[name].name });
const at = (run, kind, key) => run[kind].indexOf(key);
const overValues = (run, state, one) => (state.value === "" ? mean(run.values.map(one)) : one(state.value));
const summaryLayer = (runs) => (runs.every((run) => run.protocol === "paper") ? "the best of each cell" : "chosen in training");
const layerWords = (run, state) => (state.layer ? `layer ${state.layer}` : `layer ${summaryLayer([run])}`);
const valueWords = (state) => (state.value === "" ? "mean over values" : data.values[state.value].name);

function interval(run, name, index, form) {
  if (!run.arrays[`${name}_low`]) return "";
  const [low, high] = [run.arrays[`${name}_low`](...index), run.arrays[`${name}_high`](...index)];
  return Number.isNaN(low) ? "" : `, 95 % interval ${form(low)} to ${form(high)}`;
}

function items(run, name, code) {
  const count = run.arrays.n_items?.(at(run, "values", name), at(run, "languages", code));
  return count ? `, ${Math.round(count)} pairs` : "";
}

/* Similarities that are undefined where a vector is not told apart from noise. */
const corrected = { consistency: "noise-corrected similarity", consistency_whitened: "noise-corrected similarity after whitening" };

const views = {
  recognition: {
    has: (run) => run.arrays.recognition,
    perLayer: "accuracy",
    curve: () => "recognition",
    form: (number) => percent(number),
    columns: (run) => [...run.values.map(value), { key: "", short: "mean", name: "mean over values" }],
    number(run, code, column, state) {
      const i = at(run, "languages", code);
      const layer = run.layers.indexOf(state.layer);
      const one = (name) => {
        const v = at(run, "values", name);
        return state.layer ? run.arrays.accuracy(v, i, i, layer) : run.arrays.recognition(v, i);
      };
      return column === "" ? mean(run.values.map(one)) : one(column);
    },
    look(run, number, code, column, state) {
      const sure = state.layer || column === "" || run.arrays.clear(at(run, "values", column), at(run, "languages", code)) > 0.5;
      const text = (100 * number).toFixed(0);
      return { position: 2 * (number - run.chance), text: sure ? text : `(${text})`, kind: "" };
    },
    words(run, number, code, column, state) {
      const what = column === "" ? "mean over values" : data.values[column].name;
      const index = [at(run, "values", column), at(run, "languages", code)];
      const range = state.layer || column === "" ? "" : interval(run, "recognition", index, percent);
      return `${what} in ${language(code).name}, ${layerWords(run, state)}: ${percent(number, 1)} recognised${range}${items(run, column, code)}`;
    },
  },
  similarity: {
    has: (run) => run.arrays.similarity_by_value || run.arrays.similarity,
    perLayer: "cosine",
    curve: () => "similarity",
    form: cosine,
    measures: (run) => ({
      ...(run.arrays.consistency && { consistency: "noise-corrected", raw: "raw cosine" }),
      ...(run.arrays.consistency_whitened && { consistency_whitened: "noise-corrected, whitened" }),
    }),
    undefinedHere: (state) => state.measure in corrected && !state.layer,
    columns: null,
    number(run, source, target, state) {
      const [s, t] = [at(run, "languages", source), at(run, "languages", target)];
      const layer = run.layers.indexOf(state.layer);
      const freed = state.measure in corrected && run.arrays[state.measure];
      const summary = freed || run.arrays.similarity_by_value;
      if (!state.layer && (!summary || (state.value === "" && !freed))) return run.arrays.similarity(s, t);
      return overValues(run, state, (name) => {
        const v = at(run, "values", name);
        return state.layer ? run.arrays.cosine(v, s, t, layer) : summary(v, s, t);
      });
    },
    look(run, number, source, target) {
      const same = source === target;
      return { position: number, text: same ? "" : cosine(number).replace("0.", "."), kind: same ? "same" : "" };
    },
    words(run, number, source, target, state) {
      const index = [at(run, "values", state.value), at(run, "languages", source), at(run, "languages", target)];
      const freed = state.measure in corrected && !state.layer;
      const range = freed && state.value ? interval(run, state.measure, index, cosine) : "";
      const what = freed ? corrected[state.measure] : "cosine";
      return `${language(source).name} and ${language(target).name}, ${valueWords(state)}, ${layerWords(run, state)}: ${what} ${cosine(number)}${range}`;
    },
  },
  transfer: {
    has: (run) => run.arrays.transfer_accuracy || run.arrays.transfer_gain,
    perLayer: "accuracy",
    curve: (state) => state.measure,
    form: (number, state) => (state.measure === "gain" ? `${signed(100 * number, 1)} points` : percent(number)),
    measures: (run) => (run.arrays.transfer_accuracy ? { gain: "gain over own vector", accuracy: "accuracy" } : {}),
    columns: null,
    number(run, source, target, state) {
      const [s, t] = [at(run, "languages", source), at(run, "languages", target)];
      const layer = run.layers.indexOf(state.layer);
      const gain = state.measure !== "accuracy";
      if (!state.layer && state.value === "" && gain && run.arrays.transfer_gain) return run.arrays.transfer_gain(s, t);
      return overValues(run, state, (name) => {
        const v = at(run, "values", name);
        const accuracy = (i) => (state.layer ? run.arrays.accuracy(v, i, t, layer) : run.arrays.transfer_accuracy(v, i, t));
        return gain ? accuracy(s) - accuracy(t) : accuracy(s);
      });
    },
    look(run, number, source, target, state) {
      if (state.measure === "accuracy") return { position: 2 * (number - run.chance), text: (100 * number).toFixed(0), kind: "" };
      const same = source === target;
      return { position: number / gainLimit, text: same ? "" : signed(100 * number, 0), kind: same ? "same" : "" };
    },
    words(run, number, source, target, state) {
      const [s, t] = [at(run, "languages", source), at(run, "languages", target)];
      const summary = !state.layer && state.value === "" && state.measure !== "accuracy";
      const range = summary ? interval(run, "transfer_gain", [s, t], (x) => signed(100 * x, 1)) : "";
      const found = state.measure === "accuracy" ? percent(number, 1) : `gain ${signed(100 * number, 1)} points`;
      const count = state.value ? items(run, state.value, target) : "";
      return `Vector from ${language(source).name}, used in ${language(target).name}, ${valueWords(state)}, ${layerWords(run, state)}: ${found}${range}${count}`;
    },
  },
};

/* One scale for all gains of the page, whatever value or layer is chosen; at least 5 points. */
const gainLimit = (() => {
  let largest = 0.05;
  for (const run of data.runs) {
    if (!run.arrays.transfer_gain) continue;
    for (let s = 0; s < run.languages.length; s += 1) {
      for (let t = 0; t < run.languages.length; t += 1) largest = Math.max(largest, Math.abs(run.arrays.transfer_gain(s, t)) || 0);
    }
  }
  return Math.ceil(20 * largest) / 20;
})();
