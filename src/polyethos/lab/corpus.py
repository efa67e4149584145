"""A user's own text as training rows."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from polyethos.dataset.languages import language
from polyethos.errors import DataFormatError, LabError, MissingDependencyError
from polyethos.lab.mixture import Kind, Mixture
from polyethos.lab.tokenizer import END, SPECIAL_TOKENS

_ENCODED_AT_ONCE = 10_000


def read_corpus(path: Path, languages: Sequence[str]) -> dict[str, list[str]]:
    """The documents of each language.

    Args:
        path: a folder with one `<language>.txt` per language (a document per line), or a .jsonl or .parquet file with
            the columns `language` and `text`.
        languages: which languages are needed; others are left out.

    Returns:
        Documents per language, in file order, empty ones left out.

    Raises:
        LabError: a language has no text.
        DataFormatError: the file cannot be read as what it claims to be.
        MissingDependencyError: Parquet without the package that reads it.
    """
    if path.is_dir():
        return {code: _lines(path / f"{code}.txt", code) for code in languages}
    if not path.is_file():
        raise LabError(
            f"{path}: no such file or folder; give a folder with <language>.txt, a .jsonl or a .parquet file"
        )
    if path.suffix not in (".jsonl", ".parquet"):
        raise DataFormatError(
            f"{path}: expected a folder, a .jsonl or a .parquet file, found {path.suffix or 'no suffix'}"
        )
    documents: dict[str, list[str]] = defaultdict(list)
    for code, text in _json_rows(path) if path.suffix == ".jsonl" else _parquet_rows(path):
        if code in languages and text.strip():
            documents[code].append(text)
    for code in languages:
        if not documents[code]:
            raise LabError(
                f"{path}: no text in {code} ({language(code).name}); add some or leave {code} out of the mixture"
            )
    return {code: documents[code] for code in languages}


def corpus_hash(documents: Mapping[str, Sequence[str]]) -> str:
    """SHA-256 over all documents of all languages."""
    digest = hashlib.sha256()
    for code, texts in documents.items():
        digest.update(json.dumps([code, list(texts)], ensure_ascii=False).encode())
    return digest.hexdigest()


def balanced_sample(documents: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """As many characters of every language as the one with least has, for the tokenizer."""
    least = min(sum(map(len, texts)) for texts in documents.values())
    for texts in documents.values():
        left = least
        for text in texts:
            if left <= 0:
                break
            yield text[:left]
            left -= len(text)


class CorpusRows:
    """Rows of a user's own text: the documents of a language one after the other, shuffled anew in every epoch."""

    def __init__(
        self, documents: Mapping[str, Sequence[str]], tokenizer: PreTrainedTokenizerFast, *, length: int, seed: int
    ) -> None:
        self._seed = seed
        self._rows = {code: _encode(texts, tokenizer, length) for code, texts in documents.items()}
        self._orders: dict[tuple[str, int], NDArray[np.int64]] = {}

    def row(self, kind: Kind, number: int) -> list[int]:
        """Token ids of a row, see `polyethos.lab.rows.Source`."""
        (code,) = kind
        rows = self._rows[code]
        epoch, place = divmod(number, len(rows))
        if (code, epoch) not in self._orders:
            generator = np.random.default_rng([self._seed, epoch, *code.encode()])
            self._orders[code, epoch] = generator.permutation(len(rows))
        return [int(token) for token in rows[self._orders[code, epoch][place]]]

    def check_epochs(self, mixture: Mixture, *, rows: int, allowed: float) -> None:
        """Refuse a run that would repeat a language's text more than `allowed` times.

        Raises:
            LabError: names the language, what it has and how many epochs its share would need.
        """
        for code, share in mixture.shares.items():
            available, length = self._rows[code].shape
            if not available:
                raise LabError(f"{code} has less text than one row of {length} tokens; add text, or leave it out")
            epochs = share * rows / available
            if epochs > allowed:
                raise LabError(
                    f"{code} has {available * length:,} tokens of text; its share {share:.3g} of this run is "
                    f"{round(share * rows) * length:,} tokens, {epochs:.1f} epochs (allowed: {allowed:g}); "
                    f"add text, train on fewer tokens, lower the share, or allow more epochs"
                )


def _encode(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, length: int) -> NDArray[np.int32]:
    end = SPECIAL_TOKENS.index(END)
    parts = []
    for first in range(0, len(texts), _ENCODED_AT_ONCE):
        encoded = tokenizer.backend_tokenizer.encode_batch_fast(list(texts[first : first + _ENCODED_AT_ONCE]))
        parts += [np.array([*entry.ids, end], dtype=np.int32) for entry in encoded]
    tokens = np.concatenate(parts)
    return tokens[: len(tokens) // length * length].reshape(-1, length)


def _lines(path: Path, code: str) -> list[str]:
    if not path.is_file():
        raise LabError(
            f"{path}: missing; the mixture has {code} ({language(code).name}): add the file or leave {code} out"
        )
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); convert it") from error
    if not lines:
        raise LabError(f"{path}: holds no text; add some or leave {code} out of the mixture")
    return lines


def _json_rows(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                code, text = row["language"], row["text"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataFormatError(
                    f'{path}, line {number}: expected {{"language": ..., "text": ...}} ({type(error).__name__} {error})'
                ) from error
            yield str(code), str(text)


def _parquet_rows(path: Path) -> Iterator[tuple[str, str]]:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError as error:
        raise MissingDependencyError.of("pyarrow", "data", "reading Parquet") from error
    try:
        with parquet.ParquetFile(path) as opened:
            for batch in opened.iter_batches(columns=["language", "text"]):
                yield from zip(*(batch.column(name).to_pylist() for name in ("language", "text")), strict=True)
    except (ArrowInvalid, KeyError, ValueError) as error:
        raise DataFormatError(f"{path}: not a Parquet file with the columns language and text ({error})") from error
