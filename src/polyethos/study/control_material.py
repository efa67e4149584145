"""What a control study works with: requests, contrast pairs, the dialogue around requests, the dominant language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from polyethos.control.cells import spread
from polyethos.control.dialogue import marked_dialogue
from polyethos.control.requests import REQUEST_VALUE, microworld_requests
from polyethos.dataset.languages import language, pretraining_shares
from polyethos.dataset.load import load_pairs
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import DataError
from polyethos.lab.tokenizer import ASSISTANT, USER
from polyethos.representation.model import LanguageModel
from polyethos.study.combining import pretraining_share
from polyethos.study.control_study import EFFORTS, ControlStudy
from polyethos.study.definition import ModelChoice

_PUBLIC_WEB = "common_crawl_2024_42_pct_pages"
_CONTROL_ITEMS = 32


@dataclass(frozen=True)
class Material:
    """What a control study works with.

    Attributes:
        requests: harmless and harmful requests as contrast pairs of harmfulness, and pairs of other values, whose
            directions are controls.
        pairs: contrast pairs for preferences.
        dialogue: template around requests, "auto" for the chat template.
        replies: name of the bundled replies.
        dominant: code of the dominant language.
        dominant_why: where that is from.
    """

    requests: ContrastPairs
    pairs: ContrastPairs
    dialogue: str
    replies: str
    dominant: str
    dominant_why: str


def control_material(study: ControlStudy, choice: ModelChoice, model: LanguageModel) -> Material:
    """Load what a control study needs.

    Raises:
        DataError: the prompts or the data cannot be used.
    """
    effort, lab_dialogue = EFFORTS[study.size], marked_dialogue(model, USER, ASSISTANT)
    of_lab = lab_dialogue is not None
    data = study.data or ("microworld" if of_lab else "everyday")
    pairs = thinned(load_pairs(data), effort.pairs)
    prompts = thinned(_prompts(study, of_lab), effort.requests)
    languages = prompts.languages
    for outcome, known in (("refusal", languages), ("preference", pairs.languages)):
        if outcome in study.outcomes and study.targets and not set(study.targets) & set(known):
            raise DataError(
                f"targets {', '.join(study.targets)}: nothing to measure {outcome} with; there is something in "
                f"{', '.join(known)}"
            )
    strangers = load_pairs("microworld" if of_lab else "everyday", languages=languages)
    others = tuple(pair for pair in thinned(strangers, _CONTROL_ITEMS) if pair.value != REQUEST_VALUE)
    dominant, why = dominant_language(choice, pairs.languages)
    return Material(
        requests=replace(prompts, pairs=prompts.pairs + others),
        pairs=pairs,
        dialogue=lab_dialogue.text if study.dialogue == "auto" and lab_dialogue else study.dialogue,
        replies=study.replies or ("microworld" if of_lab else "everyday"),
        dominant=dominant,
        dominant_why=why,
    )


def dominant_language(choice: ModelChoice, languages: tuple[str, ...]) -> tuple[str, str]:
    """The language with the largest share of the pre-training data, and a sentence that says how that is known."""
    share = pretraining_share(choice, languages)
    known = None if share is None else share.to_series().dropna()
    web = pretraining_shares()[_PUBLIC_WEB].reindex(list(languages)).fillna(0.0)
    if share is None or known is None or known.empty:
        first = str(web.idxmax())
        return first, (
            f"{language(first).name}: the shares of this model's pre-training data are not known; it is the largest "
            "on the public web (Common Crawl 2024-42)"
        )
    largest = [str(code) for code in known[known == known.max()].index]
    first = max(largest, key=lambda code: float(web[code]))
    if len(largest) > 1:
        return first, (
            f"{language(first).name}: {len(largest)} languages have equal shares of the pre-training data "
            f"({share.attrs['source']}); it is the largest of them on the public web"
        )
    return first, (
        f"{language(first).name}: {float(known.max()):.0f} % of the pre-training data ({share.attrs['source']})"
    )


def thinned(pairs: ContrastPairs, items: int | None) -> ContrastPairs:
    """The pairs of at most `items` items per value, as many groups of items as possible; None keeps all."""
    if items is None:
        return pairs
    kept: set[tuple[str, str]] = set()
    for value in pairs.values:
        groups: dict[str, list[str]] = {}
        for pair in pairs:
            if pair.value == value and pair.item not in groups.setdefault(pair.group or pair.item, []):
                groups[pair.group or pair.item].append(pair.item)
        # One item of every group, a different one each time, then the next ones.
        lists = [members[shift % len(members) :] + members[: shift % len(members)]
                 for shift, members in enumerate(groups.values())]  # fmt: skip
        turns = [[members[turn] for members in lists if turn < len(members)] for turn in range(max(map(len, lists)))]
        left = items
        for turn in turns:
            kept |= {(value, item) for item in spread(turn, left)}
            left = max(0, left - len(turn))
    return replace(pairs, pairs=tuple(pair for pair in pairs if (pair.value, pair.item) in kept))


def _prompts(study: ControlStudy, of_lab: bool) -> ContrastPairs:
    if study.prompts is not None:
        columns: Mapping[str, str] = {
            "positive": "harmless",
            "negative": "harmful",
            "value": f"={REQUEST_VALUE}",
            **(study.columns or {}),
        }
        loaded = load_pairs(study.prompts, columns=columns)
        return replace(loaded, name=Path(study.prompts).name)
    return microworld_requests() if of_lab else load_pairs("everyday", values=[REQUEST_VALUE])
