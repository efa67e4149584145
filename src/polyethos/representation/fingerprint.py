"""Fingerprints by which one model is told from another."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from transformers import PretrainedConfig, PreTrainedTokenizerBase

_BLOCK, _SAMPLES = 4096, 512
# Tokenizers that share a vocabulary but not their rules nearly always differ on this.
_SAMPLE = "The house: 3,14 is  small.\nLa MAISON été — 房子很小 집 வீடு ఇల్లు ngôi nhà 家 👍"


def source_revision(name: str, config: PretrainedConfig) -> str:
    """The commit of a hub model, or a fingerprint of the weights in a folder.

    A folder's weights may be hundreds of gigabytes, so evenly spread samples of every file are hashed, and small
    files whole.
    """
    folder = Path(name)
    if not folder.is_dir():
        return str(getattr(config, "_commit_hash", None) or "unknown")
    digest = hashlib.sha256()
    for path in sorted([folder / "config.json", *folder.glob("*.safetensors")]):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as content:
            for start in _sample_starts(size):
                content.seek(start)
                digest.update(content.read(_BLOCK))
    return f"files-{digest.hexdigest()[:16]}"


def _sample_starts(size: int) -> list[int]:
    blocks = -(-size // _BLOCK)
    count = min(blocks, _SAMPLES)
    return [(step * blocks // count) * _BLOCK for step in range(count)]


def tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 over the vocabulary and the tokens of a sample text."""
    content = [sorted(tokenizer.get_vocab().items()), tokenizer(_SAMPLE)["input_ids"]]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
