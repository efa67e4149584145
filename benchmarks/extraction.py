"""How fast hidden states are read: ours against other ways and against the limit, in one run on one machine.

    python benchmarks/extraction.py [--quick] [--dtype bfloat16] [--layers 24] [--sentences 300] [--repeats 3]

A random model of the shape of Qwen2-0.5B (24 blocks, 896 wide, 151,936 words) reads sentences of 5 to 200 tokens cut
from the bundled text. Competitors take turns, the fastest of the repeats counts, and only ratios mean anything: seconds
depend on what else the machine does, so the processor time of all threads is given beside them. Packages that are not
installed, or that fail, are listed with the reason. The limit is the operations of the blocks for the real tokens over
the rate of a matrix product of the same shape. The second table shows what sharing beginnings is worth.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from extraction_ways import (
    States,
    Way,
    nnsight,
    ours,
    plain,
    published,
    repeng,
    steering_vectors,
    transformer_lens,
    whole,
)
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen2Config

from polyethos.dataset.load import load_pairs
from polyethos.dataset.pairs import sentence
from polyethos.representation.activations import extract_states
from polyethos.representation.batching import shared_rows
from polyethos.representation.computing import default_budget
from polyethos.representation.model import LanguageModel, load_model
from polyethos.representation.template import Template
from polyethos.representation.tokens import read_sentences

VOCABULARY = 151_936
CHAT = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{input}<|im_end|>\n"
CHAT += "<|im_start|>assistant\n"


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of the bundled text, padding on the left as most of these ways need."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet, special = pre_tokenizers.ByteLevel.alphabet(), ["<pad>", "<|im_start|>", "<|im_end|>"]
    raw.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=30_000, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        eos_token="<|im_end|>",
        padding_side="left",
        model_input_names=["input_ids", "attention_mask"],
    )


def make_model(folder: Path, tokenizer: PreTrainedTokenizerFast, layers: int) -> None:
    """Save a random model of the shape of Qwen2-0.5B."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=896,
        num_hidden_layers=layers,
        num_attention_heads=14,
        num_key_value_heads=2,
        intermediate_size=4864,
        tie_word_embeddings=True,
        pad_token_id=0,
        eos_token_id=2,
        bos_token_id=None,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def cut_sentences(texts: list[str], tokenizer: PreTrainedTokenizerFast, count: int) -> list[str]:
    """`count` texts of 5 to 200 tokens, evenly spread and shuffled."""
    random = np.random.default_rng(0)
    words = itertools.cycle(
        token for text in random.permutation(texts)[:2000] for token in tokenizer(text)["input_ids"]
    )
    lengths = random.permutation(np.linspace(5, 200, count).astype(int))
    return [tokenizer.decode(list(itertools.islice(words, int(length)))) for length in lengths]


def limit_seconds(model: LanguageModel, texts: list[str]) -> tuple[float, float]:
    """Seconds, of clock and processor, that the blocks' matrix products take for the real tokens at the rate here."""
    tokens = sum(len(ids) for ids in model.tokenizer(texts)["input_ids"])
    parameters = sum(weight.numel() for block in model.blocks for weight in block.parameters() if weight.ndim == 2)
    left, right = (torch.randn(rows, 896, dtype=model.model.dtype) for rows in (2048, 4864))
    with torch.inference_mode():
        clock, processor = np.min([measured(lambda: left @ right.T) for _ in range(20)], axis=0)
    times = parameters * tokens / (2048 * 896 * 4864)
    return times * clock, times * processor


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def compare(ways: dict[str, tuple[Way, LanguageModel]], texts: list[str], repeats: int) -> None:
    """Print how each way compares with the first, which is ours."""
    first, (our_way, our_model) = next(iter(ways.items()))
    expected, best, failed = our_way(our_model, texts), {}, {}
    # The block outputs before the last: packages differ on whether the last one is read before or after the norm.
    expected = expected[:, :-1]
    for _ in range(repeats):
        for name, (way, model) in ways.items():
            if name in failed:
                continue
            try:
                states: list[States] = []
                times = measured(lambda way=way, model=model, states=states: states.append(way(model, texts)))
            except Exception as error:  # noqa: BLE001
                failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                continue
            error = float(np.linalg.norm(states[0][:, :-1] - expected) / np.linalg.norm(expected))
            best[name] = (*map(min, zip(times, best.get(name, times)[:2], strict=True)), error)
    limit = limit_seconds(our_model, texts)
    print(f"{'':28}{'seconds':>9}{'x ours':>8}{'cpu s':>9}{'x ours':>8}{'difference':>12}")
    for name, (clock, processor, error) in best.items():
        print_line(name, (clock, processor), best[first], f"{error:12.1e}")
    print_line("limit (matrix products)", limit, best[first])
    for name, reason in failed.items():
        print(f"{name}: not measured, {reason}")


def print_line(name: str, times: tuple[float, float], ours: tuple[float, ...], rest: str = "") -> None:
    """One line of the table: seconds of clock and processor, each beside its ratio to ours."""
    clock, processor = times
    print(f"{name:28}{clock:9.2f}{clock / ours[0]:8.2f}{processor:9.2f}{processor / ours[1]:8.2f}{rest}")


def compare_sharing(model: LanguageModel, count: int, repeats: int) -> None:
    """Print what computing shared beginnings once is worth on contrast pairs, without and with a chat template."""
    pairs = load_pairs("everyday", values=["deontology", "morality", "truthfulness"], languages=["en", "zh", "ta"])
    # A study reads neighbours, so neighbours of every value and language are taken.
    sets = itertools.groupby(pairs, key=lambda pair: (pair.value, pair.language))
    some = [pair for _, of_set in sets for pair in itertools.islice(of_set, max(2, count // 18))]
    texts = [sentence(pair, polarity) for pair in some for polarity in ("positive", "negative")]
    columns = f"{'tokens':>8}{'apart s':>9}{'shared s':>9}{'ratio':>8}{'cpu ratio':>11}{'difference':>12}"
    print(f"\n{'everyday pairs':22}{columns}")
    for name, template in (("bare", Template("{input}")), ("chat template", Template(CHAT))):
        shared = dataclasses.replace(model, reading_template=template)
        apart = dataclasses.replace(shared, shares_prefixes=False)
        results = [extract_states(each, texts) for each in (apart, shared)]
        times = [
            [measured(lambda each=each: extract_states(each, texts)) for each in (apart, shared)]
            for _ in range(repeats)
        ]
        (one, one_cpu), (two, two_cpu) = np.min(times, axis=0)
        error = np.linalg.norm(results[1] - results[0]) / np.linalg.norm(results[0])
        readings = read_sentences(texts, model.tokenizer, shared.reading_template, position="last", limit=None)
        rows = shared_rows(readings, range(len(readings)), budget=default_budget("cpu"))
        tokens = sum(len(reading.tokens) for reading in readings) / sum(row.size for row in rows)
        print(f"{name:22}{tokens:8.2f}{one:9.2f}{two:9.2f}{one / two:8.2f}{one_cpu / two_cpu:11.2f}{error:12.1e}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="4 blocks, 24 sentences, once")
    parser.add_argument("--dtype", default="auto", help="of all but the published way, which is always float32")
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--sentences", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.quick:
        options.layers, options.sentences, options.repeats = min(options.layers, 4), 24, 1
    texts = [sentence(pair, "positive").text for pair in load_pairs("everyday")]
    tokenizer = make_tokenizer(texts)
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder), tokenizer, options.layers)
        model = load_model(folder, dtype=options.dtype, device="cpu")
        exact = load_model(folder, dtype="float32", device="cpu")
    cut = cut_sentences(texts, tokenizer, options.sentences)
    count = sum(len(ids) for ids in tokenizer(cut)["input_ids"])
    print(
        f"{len(cut)} sentences, {count} tokens, {options.layers} blocks, {model.dtype}, "
        f"{torch.get_num_threads()} threads"
    )
    ways = {
        "polyethos": (ours, model),
        "published (float32)": (published, exact),
        "transformers, whole model": (whole, model),
        "transformers, base model": (plain, model),
        "repeng": (repeng, model),
        "steering-vectors": (steering_vectors, model),
        "TransformerLens": (transformer_lens(), model),
        "nnsight": (nnsight(), model),
    }
    compare(ways, cut, options.repeats)
    compare_sharing(model, options.sentences, options.repeats)


if __name__ == "__main__":
    main()
