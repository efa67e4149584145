"""Reading a model's files through transformers, with every failure explained in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import CRITICAL
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.utils import logging as hub_logging
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from polyethos.errors import ModelError, ModelLoadError, ResourceError, UnsupportedModelError
from polyethos.representation.blocks import REMEDY, base_of
from polyethos.representation.hardware import choose_dtype, placement


def load_config(name: str, *, revision: str | None, trust_remote_code: bool) -> PretrainedConfig:
    """The configuration of the model `name`; see `load_model` for arguments and errors."""
    if not name or (not Path(name).is_dir() and (name.startswith(("/", ".", "~")) or name.count("/") > 1)):
        raise ModelLoadError(f"{name!r}: no such folder, and not a hub id of the form owner/name")
    if Path(name).is_dir() and not Path(name, "config.json").is_file():
        raise ModelLoadError(f"{name}: no config.json in this folder; give the folder of a model saved by transformers")
    with explained(name):
        config: PretrainedConfig = AutoConfig.from_pretrained(
            name, revision=revision, trust_remote_code=trust_remote_code
        )
    return config


def load_tokenizer(name: str, *, revision: str | None, trust_remote_code: bool) -> PreTrainedTokenizerBase:
    """The tokenizer of the model `name`; see `load_model` for arguments and errors."""
    with explained(name):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            name, revision=revision, trust_remote_code=trust_remote_code
        )
        tokens = tokenizer("one two three", add_special_tokens=False)["input_ids"]
    # transformers builds an empty tokenizer without a word where the files are missing.
    if not tokens:
        raise ModelLoadError(f"{name}: its tokenizer makes no tokens of plain text; the tokenizer's files are missing")
    return tokenizer


def load_weights(
    name: str, config: PretrainedConfig, *, dtype: str, device: str, attention: str | None, trust_remote_code: bool
) -> PreTrainedModel:
    """The model in evaluation mode, on its device or devices; see `load_model` for arguments and errors.

    Only safetensors are read, since unpickling runs code.
    """
    with explained(name):
        parameters = _count_parameters(config, trust_remote_code=trust_remote_code)
        stored = getattr(config, "dtype", None) or torch.float32
        precision = choose_dtype(dtype, device=device, stored=stored, parameters=parameters)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            name,
            config=config,
            revision=getattr(config, "_commit_hash", None),
            dtype=precision,
            device_map=placement(device, size=parameters * precision.itemsize),
            attn_implementation=attention,
            trust_remote_code=trust_remote_code,
            use_safetensors=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    model, report = loaded
    if report["mismatched_keys"]:
        # Names alone or names with shapes, by version of transformers.
        first = min(key if isinstance(key, str) else key[0] for key in report["mismatched_keys"])
        raise ModelLoadError(
            f"{name}: its weights do not fit its config.json (first {first}); download the model again"
        )
    needed = {name for name, module in model.named_modules() if module is base_of(model)}
    missing = sorted(key for key in report["missing_keys"] if any(key.startswith(prefix) for prefix in needed))
    if missing:
        # transformers fills missing weights with random numbers, and studies of those look real.
        raise ModelLoadError(
            f"{name}: {len(missing)} weights are missing from its files (first {missing[0]}); download the model again"
        )
    checked: PreTrainedModel = model.eval()
    return checked


def _count_parameters(config: PretrainedConfig, *, trust_remote_code: bool) -> int:
    with torch.device("meta"):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            config, trust_remote_code=trust_remote_code
        )
    return sum(parameter.numel() for parameter in model.parameters())


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what transformers raises for an unusable model into one line with a remedy, and keep it quiet."""
    try:
        with _quiet():
            yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ResourceError(f"{name}: it does not fit into memory; choose a smaller model or another device") from error
    except SafetensorError as error:
        raise ModelLoadError(f"{name}: broken weights ({_first_line(error)}); download the model again") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError) as error:
        raise _translated(name, error) from error


@contextmanager
def _quiet() -> Iterator[None]:
    verbosity, bars, hub = logging.get_verbosity(), logging.is_progress_bar_enabled(), hub_logging.get_verbosity()
    logging.set_verbosity(CRITICAL)
    hub_logging.set_verbosity(CRITICAL)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        hub_logging.set_verbosity(hub)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _translated(name: str, error: Exception) -> ModelError:
    text = str(error)
    remedies = {
        "trust_remote_code": "it comes with Python code of its own, which is not run unless you allow it: read that "
        "code, then pass trust_remote_code=True (command line: --trust-remote-code)",
        "gated repo": "access to it is restricted; accept its terms on its hub page, then run `hf auth login`",
        "not a valid model identifier": "no such folder and no such model on the hub (or a private one)",
        "couldn't connect": "no such folder, not downloaded before, and the hub cannot be reached; check the "
        "connection or give the folder of a downloaded model",
        "safetensors": "no weights in the safetensors format; pickled weights (.bin) are not read because unpickling "
        "runs code: load them once with transformers and save them with save_pretrained, which writes safetensors",
    }
    if "for this kind of AutoModel" in text:
        kind = text.partition("class '")[2].partition("'")[0].rpartition(".")[2] or "this configuration"
        return UnsupportedModelError(f"{name}: {kind} belongs to no causal language model. {REMEDY}")
    remedy = next((remedy for sign, remedy in remedies.items() if sign in text), None)
    return ModelLoadError(f"{name}: {remedy or f'cannot be loaded ({_first_line(error)})'}")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
