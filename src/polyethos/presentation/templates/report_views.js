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
/* The layers that the training folds chose: of one value, or of all if `name` is empty. */
function chosenLayers(runs, kind, name) {
  const found = runs.flatMap((run) => {
    const chosen = run.chosen[kind] ?? run.chosen.accuracy ?? {};
    return name ? chosen[name] ?? [] : Object.values(chosen).flat();
  });
  return [...new Set(found)].sort((a, b) => a - b);
}
function summaryLayer(runs, kind, name) {
  if (runs.every((run) => run.protocol === "paper")) return ["", "the best of each cell"];
  const layers = chosenLayers(runs, kind, name);
  if (!layers.length) return ["", "chosen in training"];
  return [layers.length === 1 ? `layer ${layers[0]}` : `layers ${layers[0]} to ${layers.at(-1)}`, "chosen in training"];
}
function layerWords(run, state, kind = "accuracy", name = state.value) {
  if (state.layer) return `layer ${state.layer}`;
  const [layer, how] = summaryLayer([run], kind, name);
  return layer ? `${layer} (${how})` : `layer ${how}`;
}
const valueWords = (state) => (state.value === "" ? "mean over values" : data.values[state.value].name);

function interval(run, name, index, form) {
  if (!run.arrays[`${name}_low`]) return "";
  const [low, high] = [run.arrays[`${name}_low`](...index), run.arrays[`${name}_high`](...index)];
  return Number.isNaN(low) ? "" : `, 95 % interval ${form(low)} to ${form(high)}`;
}

function items(run, name, code) {
  const index = [at(run, "values", name), at(run, "languages", code)];
  const [count, groups] = [run.arrays.n_items?.(...index), run.arrays.n_groups?.(...index)].map(Math.round);
  return !count ? "" : `, ${count} pairs${groups && groups !== count ? ` in ${groups} independent groups` : ""}`;
}

const probability = (p) => (p < 0.001 ? "under 0.001" : p.toFixed(3));

/* How many combinations of value and language recognition was asked of. */
function asked(run) {
  return run.values.flatMap((_, v) => run.languages.map((_, i) => run.arrays.recognition(v, i))).filter((x) => !Number.isNaN(x)).length;
}

/* The p-values of one recognition accuracy, and what they decide. */
function tested(run, index) {
  const [alone, family] = [run.arrays.recognition_p?.(...index), run.arrays.recognition_p_family?.(...index)];
  if (!(family >= 0)) return "";
  const first = alone >= 0 ? `p ${probability(alone)} alone, ${probability(family)}` : `p ${probability(family)}`;
  const found = run.arrays.clear(...index) > 0.5 ? "above guessing" : "not told apart from guessing";
  return `; ${first} after correction for ${asked(run)} combinations: ${found}`;
}

/* Similarities that are undefined where a vector is not told apart from noise. */
const corrected = { consistency: "noise-corrected similarity", consistency_whitened: "noise-corrected similarity after whitening" };

/* What brackets mean, where there are any. */
function brackets(runs) {
  const doubtful = (run) => run.values.some((_, v) => run.languages.some((_, i) => run.arrays.clear(v, i) < 0.5 && run.arrays.recognition(v, i) >= 0));
  const counts = [...new Set(runs.filter(doubtful).map((run) => (run.arrays.recognition_p_family ? asked(run) : 0)))];
  if (!counts.length) return "";
  return counts.some((count) => !count) ? "In brackets: could come from guessing."
    : `In brackets: perhaps above guessing taken alone, but not after correcting for asking ${counts.join(" or ")} times.`;
}

const views = {
  recognition: {
    has: (run) => run.arrays.recognition,
    perLayer: "accuracy",
    curve: () => ({ array: "recognition", what: "Recognised", over: "languages" }),
    note: (runs, state) => (state.layer
      ? "Single layers are not tested: nothing is in brackets here, and a number may be luck."
      : brackets(runs)),
    form: (number) => percent(number),
    tick: (number) => percent(number),
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
      const test = state.layer || column === "" ? "" : tested(run, index);
      const where = layerWords(run, state, "accuracy", column);
      return `${what} in ${language(code).name}, ${where}: ${percent(number, 1)} recognised${range}${items(run, column, code)}${test}`;
    },
  },
  similarity: {
    has: (run) => run.arrays.similarity_by_value || run.arrays.similarity,
    perLayer: "cosine",
    curve: () => ({ array: "similarity", what: "Raw cosine", over: "pairs of languages" }),
    chosen: (state) => (state.measure in corrected ? "similarity" : "accuracy"),
    /* Whether a vector is more than noise is tested where vectors are compared, not at every layer. */
    offers: (measure, state) => !state.layer || !(measure in corrected),
    note: (runs, state) => (state.layer && runs.some((run) => run.arrays.consistency)
      ? "Per layer only the raw cosine is computed: whether a vector is more than noise is tested at the layer chosen in training."
      : ""),
    form: cosine,
    tick: cosine,
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
      const where = layerWords(run, state, freed ? "similarity" : "accuracy");
      return `${language(source).name} and ${language(target).name}, ${valueWords(state)}, ${where}: ${what} ${cosine(number)}${range}`;
    },
  },
  transfer: {
    has: (run) => run.arrays.transfer_accuracy || run.arrays.transfer_gain,
    perLayer: "accuracy",
    curve: (state) => ({ array: state.measure, what: state.measure === "gain" ? "Gain" : "Accuracy", over: "pairs of languages" }),
    form: (number, state) => (state.measure === "gain" ? `${signed(100 * number, 1)} points` : percent(number)),
    tick: (number, state) => (state.measure === "gain" ? signed(100 * number, 0) : percent(number)),
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
      return { position: number / gainLimit(state), text: same ? "" : signed(100 * number, 0), kind: same ? "same" : "" };
    },
    words(run, number, source, target, state) {
      const [s, t] = [at(run, "languages", source), at(run, "languages", target)];
      const gain = state.measure !== "accuracy";
      const found = gain ? `gain ${signed(100 * number, 1)} points` : percent(number, 1);
      let range = "";
      if (!state.layer && state.value === "" && gain) range = interval(run, "transfer_gain", [s, t], (x) => signed(100 * x, 1));
      if (!state.layer && state.value !== "" && run.arrays.transfer_accuracy) {
        const accuracy = (i) => percent(run.arrays.transfer_accuracy(at(run, "values", state.value), i, t), 1);
        range = interval(run, "transfer_accuracy", [at(run, "values", state.value), s, t], percent);
        if (gain && s !== t) range = `: ${accuracy(s)}${range}; its own vector ${accuracy(t)}`;
      }
      const count = state.value ? items(run, state.value, target) : "";
      return `Vector from ${language(source).name}, used in ${language(target).name}, ${valueWords(state)}, ${layerWords(run, state)}: ${found}${range}${count}`;
    },
  },
};

/* The largest gain of the colour scale: one for all means over values, one for all single values. */
const gainLimit = (state) => data.gain_limits[state.value === "" ? "mean" : "value"];
