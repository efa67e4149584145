"use strict";
/* A heatmap as an HTML table: colours for light and dark, keyboard, and a line of words for the cell in hand. */

const PALETTES = {
  light: { middle: [255, 255, 255], above: [8, 81, 156], below: [166, 54, 3] },
  dark: { middle: [27, 31, 36], above: [122, 190, 255], below: [255, 154, 92] },
};

/* Colour for a position between -1 and 1, and black or white text, whichever stands out more. */
function paint(position, palette) {
  const end = position < 0 ? palette.below : palette.above;
  const share = Math.min(1, Math.abs(position));
  const colour = palette.middle.map((from, i) => Math.round(from + share * (end[i] - from)));
  const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return { back: `rgb(${colour})`, text: luminance > 0.179 ? "#000" : "#fff" };
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/* Text from data is isolated, so that right-to-left characters in it cannot rearrange what stands around it. */
function isolated(text) {
  return element("bdi", {}, text);
}

function colourCell(cell, position) {
  const light = paint(position, PALETTES.light);
  const dark = paint(position, PALETTES.dark);
  cell.style.background = `light-dark(${light.back}, ${dark.back})`;
  cell.style.color = `light-dark(${light.text}, ${dark.text})`;
}

/* Draws one table.
   rows, columns: [{key, name, short, autonym, lang}]; look(row, column) gives {position, text, kind} or null where
   nothing was measured or the number is undefined, which blank = {text, unseen} then says; words(row, column) describes a cell in a sentence, shown by say(). */
function heatmap({ caption, corner, rows, columns, look, words, blank, say }) {
  const table = element("table", { role: "grid", class: "heat" }, element("caption", {}, isolated(caption)));
  const head = element("tr", {}, element("th", { scope: "col", class: "corner" }, corner));
  for (const column of columns) {
    const full = element("bdi", { class: column.brief ? "full" : "" }, column.short);
    const label = element("span", { title: column.name }, full);
    if (column.brief) label.append(element("bdi", { class: "brief" }, column.brief));
    head.append(element("th", { scope: "col" }, label));
  }
  const body = element("tbody");
  rows.forEach((row, i) => {
    const header = element("th", { scope: "row" }, isolated(row.name));
    if (row.autonym && row.autonym !== row.name) header.append(" ", element("span", { class: "autonym", lang: row.lang }, row.autonym));
    const line = element("tr", {}, header);
    columns.forEach((column, j) => {
      const cell = element("td", { tabindex: i + j === 0 ? "0" : "-1" });
      const found = look(row, column);
      if (found === null) {
        cell.className = "missing";
        if (blank.text) cell.append(element("span", { "aria-hidden": "true" }, blank.text));
        cell.append(element("span", { class: "unseen" }, blank.unseen));
      } else {
        cell.className = found.kind;
        cell.textContent = found.text;
        if (found.kind !== "same") colourCell(cell, found.position);
      }
      cell.cell = [row, column];
      line.append(cell);
    });
    body.append(line);
  });
  table.append(element("thead", {}, head), body);
  listen(table, (cell) => say(words(...cell.cell), cell));
  return table;
}

function listen(table, show) {
  const cells = () => [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1));
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  table.addEventListener("mouseover", (event) => event.target.closest("td") && show(event.target.closest("td")));
  table.addEventListener("mouseleave", () => hideTip());
  table.addEventListener("focusin", (event) => event.target.closest("td") && show(event.target.closest("td")));
  table.addEventListener("focusout", () => hideTip());
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    if (!cell || !(event.key in steps)) return;
    const grid = cells();
    const i = cell.parentNode.sectionRowIndex + steps[event.key][0];
    const next = grid[i]?.[cell.cellIndex - 1 + steps[event.key][1]];
    if (!next) return;
    event.preventDefault();
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

/* One tooltip for the page; screen readers hear the figure's status line instead. */
const tip = element("div", { class: "tip", "aria-hidden": "true" });
tip.hidden = true;
document.body.append(tip);

function hideTip() {
  tip.hidden = true;
}

function showTip(text, cell) {
  tip.textContent = text;
  tip.hidden = false;
  const box = cell.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 6;
  /* The header of the column in hand stays in sight. */
  const header = cell.closest("table").tHead.getBoundingClientRect();
  const free = above > 8 && (above > header.bottom || header.bottom <= 0);
  const below = box.bottom + 6;
  let place = [Math.max(8, left), free ? above : below];
  if (!free && below + tip.offsetHeight > innerHeight) {
    const before = box.left - tip.offsetWidth - 6;
    place = [before > 8 ? before : Math.min(box.right + 6, innerWidth - tip.offsetWidth - 8), innerHeight - tip.offsetHeight - 8];
  }
  [tip.style.left, tip.style.top] = place.map((pixels) => `${pixels}px`);
}
