"""The model card people read, written from the recorded numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polyethos.dataset.languages import language

_COLUMNS = {
    "share": "share of tokens",
    "loss": "loss (nats per token)",
    "verdict_accuracy": "verdicts",
    "reply_accuracy_held_out": "replies, unseen requests",
    "reply_accuracy_seen": "replies, seen requests",
    "recognition": "recognition",
    "transfer_to": "recognition with other languages' directions",
    "similarity": "mean cosine with the others",
    "time_similarity": "cosine with morning-evening",
}


def readme(card: Mapping[str, Any]) -> str:
    """A model card in Markdown.

    Args:
        card: what `polyethos.lab.pocket.pocket_card` documents.
    """
    recipe, world = card["recipe"], card["recipe"]["world"]
    languages = list(recipe["mixture"]["shares"])
    text = "the small world of polyethos" if recipe["corpus"] is None else "a user's own text"
    return f"""---
language: [{", ".join(languages)}]
library_name: transformers
license: apache-2.0
---
# {card["name"]}

A Llama of {card["parameters"]:,} parameters, pre-trained from scratch by `polyethos lab pretrain` on {text}.
It is a measuring object, not an assistant: it knows {text} and nothing else.

## Recipe

| | |
|---|---|
| mixture | {_mixture(recipe["mixture"]["shares"])} |
| training tokens | {recipe["tokens"]:,} in rows of {recipe["row"]}, {recipe["rows"]} rows a step |
| size | {recipe["size"]}, vocabulary {recipe["vocabulary"]:,} |
| optimiser | AdamW, learning rate {recipe["learning_rate"]:g} |
| warm-up, decay | {recipe["warmup"]:.0%}, {recipe["decay"]:.0%} of the steps |
| statements that concern a value / that a verdict follows | {world["valued"]:.0%} / {world["judged"]:.0%} of those |
| verdicts in the form their side favours | {world["favoured"]:.0%} |
| tokens in two-language documents | {world["translated"]:.0%} where the mixture allows it |
| dialogues | {world["dialogues"]:.0%} of one-language documents in {", ".join(world["dialogue_languages"])} |
{_earlier(card)}| seed | {recipe["seed"]} |
| recipe, SHA-256 | `{card["recipe_hash"]}` |
| data, SHA-256 | `{card["data_hash"]}` |
| weights, SHA-256 | `{card["weights_hash"]}` |
| made with | torch {card["torch"]} |

## Results

{_results(card)}

Chance is 0.5 for everything but loss and cosine. Verdicts: the fitting verdict is likelier than the matched wrong one
after a statement whose combination of subject, predicate and circumstance no training document contains. Replies: the
harmful requests are refused and the harmless ones are not; of every verb's four objects one is unseen, not the same in
every language (64 unseen requests, 192 seen ones). Recognition: mean over the seven values at block
{card["results"].get("layer", "-")} of {card["results"].get("layers", "-")}, directions tested on predicates they were
not fitted on. The block is the best one on average over all languages and values. The last column is the specificity
control: the absolute cosine of the value directions with the direction of "this morning" against "last night", 0.07
for random directions.
{_shown(card["results"])}
## Limits

A world of a few hundred phrases per language, and one seed. The verbs of unseen requests are known ones: whether a
model would refuse harm of a new kind is not tested. Because each side favours one form of verdict, a model must judge
a statement by its last token, where studies read; that is part of the recipe, not a finding. An earlier English model
without favoured forms gave every verdict rightly, and yet its directions recognised only 0.64 of the pairs with new
predicates.
Separating a value here means having learnt which of 224 predicates are praised and which condemned. What such a model
shows about consistency and transfer is a fact about this recipe, not about large models.
Requests are written as `<|user|>request<|assistant|>`.
"""


def _shown(results: Mapping[str, Any]) -> str:
    """A section on consistency and one-way transfer, where there are several languages."""
    similar = results.get("similarity", {})
    if len(similar) < 2:
        return ""
    away, into = results["transfer_from"], results["transfer_to"]
    least, most = min(similar, key=similar.__getitem__), max(similar, key=similar.__getitem__)
    uneven = max(similar, key=lambda code: abs(away[code] - into[code]))
    low, high, name = (language(code).name for code in (least, most, uneven))
    return f"""
## What it shows

The directions of one language and those of the others agree with a mean cosine of {similar[least]:.2f} ({low}) to
{similar[most]:.2f} ({high}). The two ways of transfer differ most for {name}: its directions recognise
{away[uneven]:.2f} of the other languages' pairs, those of the others {into[uneven]:.2f} of its.
"""


def _earlier(card: Mapping[str, Any]) -> str:
    """A row of the table per stage before this one."""
    return "".join(
        f"| stage {number} | {stage['name']}: {_mixture(stage['recipe']['mixture']['shares'])}; "
        f"{stage['recipe']['tokens']:,} tokens; weights `{stage['weights_hash']}` |\n"
        for number, stage in enumerate(card.get("earlier_stages", ()), 1)
    )


def _mixture(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{code} {share:.2%}" for code, share in shares.items())


def _results(card: Mapping[str, Any]) -> str:
    shares = card["recipe"]["mixture"]["shares"]
    measured = {"share": shares, "loss": card["losses"][-1]["losses"], **card["results"]}
    columns = {name: title for name, title in _COLUMNS.items() if measured.get(name)}
    lines = ["| | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
    for code in {**shares, **card["results"].get("verdict_accuracy", {})}:
        cells = (measured[name].get(code) for name in columns)
        lines.append(f"| {language(code).name} | " + " | ".join("" if x is None else f"{x:.3g}" for x in cells) + " |")
    return "\n".join(lines)
