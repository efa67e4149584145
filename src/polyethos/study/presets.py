"""The model series of the paper: hub ids, templates, and what the paper did with each series."""

from __future__ import annotations

from dataclasses import dataclass

LLAMA2_TEMPLATE = "[INST] {input} [/INST] "  # with the trailing blank, as published


@dataclass(frozen=True)
class Preset:
    """A model of the paper.

    Attributes:
        model: id on the Hugging Face hub.
        series: "llama2", "qwen" or "bloomz": selects language subset and high-resource set in `protocol="paper"`.
        template: the paper's template.
    """

    model: str
    series: str
    template: str


PRESETS = {
    "llama2-chat-7b": Preset("meta-llama/Llama-2-7b-chat-hf", "llama2", LLAMA2_TEMPLATE),
    "llama2-chat-13b": Preset("meta-llama/Llama-2-13b-chat-hf", "llama2", LLAMA2_TEMPLATE),
    "llama2-chat-70b": Preset("meta-llama/Llama-2-70b-chat-hf", "llama2", LLAMA2_TEMPLATE),
    "qwen-chat-1.8b": Preset("Qwen/Qwen-1_8B-Chat", "qwen", "{input}"),
    "qwen-chat-7b": Preset("Qwen/Qwen-7B-Chat", "qwen", "{input}"),
    "qwen-chat-14b": Preset("Qwen/Qwen-14B-Chat", "qwen", "{input}"),
    "bloomz-560m": Preset("bigscience/bloomz-560m", "bloomz", "{input}"),
    "bloomz-1b7": Preset("bigscience/bloomz-1b7", "bloomz", "{input}"),
    "bloomz-7b1": Preset("bigscience/bloomz-7b1", "bloomz", "{input}"),
}

PRESET_SERIES = {
    series: tuple(name for name, preset in PRESETS.items() if preset.series == series)
    for series in ("llama2", "qwen", "bloomz")
}


def series_of(name: str) -> str | None:
    """The paper's series that a hub id or folder name belongs to, by its name; None for any other model."""
    if name in PRESETS:
        return PRESETS[name].series
    plain = name.rstrip("/").rsplit("/", 1)[-1].lower().replace("-", "").replace("_", "")
    return next((series for series in PRESET_SERIES if series in plain), None)
