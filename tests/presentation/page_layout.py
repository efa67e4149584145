"""The structure of a page as a browser shows it, and what differs between two structures.

Boxes of landmarks, headings, figures, tables and controls are kept in page order, with how much of each figure is drawn
on and in how many colours. Fonts and anti-aliasing move boxes by a few pixels; `differences` lets them.
"""

import io
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

REFERENCES = Path(__file__).parent / "layouts"
RENEW = "POLYETHOS_UPDATE_LAYOUT"

# Places and widths may differ by percents of the screen, or for what is wide by a share of themselves; heights, inked
# shares and counts of colours by a ratio, and heights by a line of text more.
_PLACE, _WIDER = 6.0, 0.25
_RATIOS = {"height": (1.6, 30.0), "ink": (1.8, 2.0), "colours": (2.0, 2.0)}
_COLLECT = """([parts, figures]) => {
  const seen = [...document.querySelectorAll(parts)].filter((part) => part.checkVisibility({visibilityProperty: true}));
  const wide = document.documentElement.clientWidth;
  const named = (part) => {
    const label = part.id || part.dataset.view || part.getAttribute("name") || part.getAttribute("aria-label")
      || (/^(H\\d|SUMMARY|BUTTON|LABEL|A)$/.test(part.tagName) ? part.textContent : "");
    return `${part.tagName.toLowerCase()} ${label.trim().replace(/\\s+/g, " ").slice(0, 40)}`.trim();
  };
  const boxes = seen.map((part) => {
    const box = part.getBoundingClientRect();
    return {name: named(part), figure: part.matches(figures), left: box.left + scrollX, top: box.top + scrollY,
            width: box.width, height: box.height};
  }).filter((box) => box.width > 1 && box.height > 1);
  const overlapping = [];
  const inside = (one, other) => one.contains(other) || other.contains(one);
  seen.forEach((one, i) => seen.slice(i + 1).forEach((other) => {
    if (inside(one, other)) return;
    const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 4 && down > 4) overlapping.push(`${named(one)} / ${named(other)}`);
  }));
  const clipped = [...document.querySelectorAll("body *")].filter((part) => {
    const style = getComputedStyle(part);
    const cut = /hidden|clip/.test(style.overflowX) && part.clientWidth > 8;
    return cut && part.scrollWidth > part.clientWidth + 3 && part.checkVisibility();
  }).length;
  return {wide, scrolled: document.documentElement.scrollWidth, boxes, overlapping, clipped};
}"""


def layout(page, *, parts, figures):
    """The structure of the page now.

    Args:
        page: of Playwright.
        parts: selector of all elements whose boxes count.
        figures: selector of those among them that are drawn, whose pixels count as well.
    """
    page.evaluate("scrollTo(0, 0)")
    found = page.evaluate(_COLLECT, [parts, figures])
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB"))
    scale = picture.shape[1] / found["wide"]
    boxes = []
    for box in found["boxes"]:
        kept = {
            "name": box["name"],
            "left": round(100 * box["left"] / found["wide"]),
            "width": round(100 * box["width"] / found["wide"]),
            "height": round(box["height"]),
        }
        if box["figure"]:
            kept |= _drawn(picture, scale, box)
        boxes.append(kept)
    return {
        "sideways": max(0, found["scrolled"] - found["wide"]),
        "clipped": found["clipped"],
        "overlapping": found["overlapping"],
        "boxes": boxes,
    }


def _drawn(picture, scale, box):
    """Percent of a region that is not its most frequent colour, and how many colours fill a thousandth of it each."""
    top, left = (round(scale * max(0.0, box[side])) for side in ("top", "left"))
    region = picture[top : top + round(scale * box["height"]), left : left + round(scale * box["width"])]
    # Sixteen steps per channel: shades of anti-aliasing fall together.
    coarse = (region // 16).astype(int) @ (256, 16, 1)
    counts = np.unique(coarse, return_counts=True)[1]
    whole = max(1, counts.sum())
    ink = 100 * (1 - counts.max(initial=0) / whole)
    return {"ink": round(float(ink), 1), "colours": int((counts / whole > 0.001).sum())}


def differences(found, reference):
    """What is wrong with a page or other than in the reference, in words; an empty list where nothing is."""
    wrong = []
    if found["sideways"]:
        wrong.append(f"the page is {found['sideways']} pixels too wide")
    if found["clipped"] > reference["clipped"]:
        wrong.append(f"{found['clipped']} elements are cut off, not {reference['clipped']}")
    wrong += [f"overlap: {pair}" for pair in found["overlapping"] if pair not in reference["overlapping"]]
    names, expected = ([box["name"] for box in each["boxes"]] for each in (found, reference))
    if names != expected:
        at = next(
            (k for k, (a, b) in enumerate(zip(names, expected, strict=False)) if a != b),
            min(map(len, (names, expected))),
        )
        return [*wrong, f"order: from place {at} on {names[at : at + 3]}, not {expected[at : at + 3]}"]
    for box, before in zip(found["boxes"], reference["boxes"], strict=True):
        wrong += [f"{box['name']}: {words}" for words in _moved(box, before)]
    return wrong


def _moved(box, before):
    for side in ("left", "width"):
        if abs(box[side] - before[side]) > max(_PLACE, _WIDER * before[side] * (before[side] > 60)):
            yield f"{side} {box[side]} %, not {before[side]} %"
    for measure, (most, more) in _RATIOS.items():
        if measure in before:
            large, small = max(box[measure], before[measure]), min(box[measure], before[measure])
            if large > most * small + more:
                yield f"{measure} {box[measure]}, not {before[measure]}"


def check(found, name):
    """Compare with the committed reference of this name, or renew it where `RENEW` is set in the environment."""
    path = REFERENCES / f"{name}.json"
    if os.environ.get(RENEW):
        REFERENCES.mkdir(exist_ok=True)
        boxes = ",\n".join("  " + json.dumps(box, ensure_ascii=False) for box in found["boxes"])
        head = json.dumps({key: found[key] for key in ("sideways", "clipped", "overlapping")}, ensure_ascii=False)
        path.write_text(f'{head[:-1]}, "boxes": [\n{boxes}\n]}}\n', encoding="utf-8")
    reference = json.loads(path.read_text(encoding="utf-8"))
    wrong = differences(found, reference)
    assert not wrong, "; ".join(wrong) + f". If this is as it should be, renew {path.name}: {RENEW}=1"
