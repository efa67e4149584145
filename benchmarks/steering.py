"""Speed of steered generation: ours against the plain model, repeng and steering-vectors, in one run.

python benchmarks/steering.py [--shape 0.5b] [--prompts 8] [--tokens 64] [--rounds 5]

Prints tokens per second of processor time of each way of steering one middle block, and the ratio to the plain model
measured right before it, as the median over rounds. Processor time, so that other work on the machine does not count.
Libraries that are not installed, or fail on this version of transformers, are named.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from polyethos.control.operators import Intervention
from polyethos.control.steering import steer
from polyethos.representation.blocks import find_blocks
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template

Steered = Callable[[], AbstractContextManager[None]]


def random_model(shape: str) -> LanguageModel:
    """A model of random weights in the shape of the pocket models, or of Qwen2 0.5B."""
    torch.manual_seed(0)
    if shape == "pocket":
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=6144, hidden_size=128, intermediate_size=320, num_hidden_layers=4, num_attention_heads=4
            )
        )
    else:
        model = Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=151936,
                hidden_size=896,
                intermediate_size=4864,
                num_hidden_layers=24,
                num_attention_heads=14,
                num_key_value_heads=2,
                tie_word_embeddings=True,
            )
        ).to(torch.bfloat16)
    model = model.eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))
    blocks = find_blocks(model.base_model, torch.arange(8)[None])
    fields = {"name": shape, "revision": "0", "model": model, "tokenizer": tokenizer, "blocks": blocks}
    extra = {"shares_prefixes": False} if "shares_prefixes" in LanguageModel.__dataclass_fields__ else {}
    return LanguageModel(**fields, **extra, reading_template=Template("{input}"))


def ways_of_steering(model: LanguageModel, vector: torch.Tensor) -> Iterator[tuple[str, Steered]]:
    """Name and context manager of every way of adding the vector at the middle block."""
    layer = model.n_layers // 2
    one = Intervention(layer, vector.numpy(), strength=0.1)
    yield "polyethos add", lambda: steer(model, one)
    yield "polyethos rotate", lambda: steer(model, Intervention(layer, vector.numpy(), "rotate", 0.1))
    yield (
        "polyethos add, generated tokens only",
        lambda: steer(model, Intervention(layer, vector.numpy(), strength=0.1, scope="generated")),
    )
    try:
        from steering_vectors import SteeringVector

        patched = SteeringVector(
            layer_activations={layer - 1: vector.to(model.model.dtype)}, layer_type="decoder_block"
        )
        yield "steering-vectors", lambda: patched.apply(model.model, multiplier=0.1)
    except ImportError as error:
        print(f"steering-vectors: {error}")
    try:
        # repeng 0.4 names a type that numpy 2 no longer has.
        np.float_ = np.float64  # type: ignore[attr-defined]
        from repeng import ControlModel, ControlVector

        yield "repeng", lambda: _repeng(model, ControlModel, ControlVector, layer - 1, vector)
    except ImportError as error:
        print(f"repeng: {error}")


@contextmanager
def _repeng(model: LanguageModel, control_model: Callable, control_vector: Callable, block: int, vector: torch.Tensor):
    wrapped = control_model(model.model, [block])
    wrapped.set_control(control_vector(model_type="llama", directions={block: vector.numpy()}), 0.1)
    try:
        yield
    finally:
        wrapped.unwrap()


def seconds(model: LanguageModel, tokens: torch.Tensor, new: int, steered: Steered) -> float:
    """Processor time to generate `new` tokens for every prompt."""
    options = {
        "attention_mask": torch.ones_like(tokens),
        "max_new_tokens": new,
        "min_new_tokens": new,
        "pad_token_id": 0,
    }
    with steered(), torch.inference_mode():
        begin = time.process_time()
        model.model.generate(tokens, do_sample=False, **options)
        return time.process_time() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=("pocket", "0.5b"), default="pocket")
    parser.add_argument("--prompts", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    model = random_model(arguments.shape)
    tokens = torch.randint(3, 6000, (arguments.prompts, 24), generator=torch.Generator().manual_seed(0))
    vector = torch.randn(model.hidden_size, generator=torch.Generator().manual_seed(1))
    generated = arguments.prompts * arguments.tokens
    seconds(model, tokens, arguments.tokens, nullcontext)
    print(
        f"{arguments.shape}: {generated} tokens, median of {arguments.rounds} rounds, {torch.get_num_threads()} threads"
    )
    for name, steered in ways_of_steering(model, vector):
        try:
            pairs = [
                (
                    seconds(model, tokens, arguments.tokens, nullcontext),
                    seconds(model, tokens, arguments.tokens, steered),
                )
                for _ in range(arguments.rounds)
            ]
        except RuntimeError as error:
            print(f"{name:40} fails: {str(error).splitlines()[0]}")
            continue
        ratio = statistics.median(plain / with_edit for plain, with_edit in pairs)
        speed = generated / statistics.median(with_edit for _, with_edit in pairs)
        print(f"{name:40} {speed:9.0f} tokens/s   {ratio:.3f} of the plain model")


if __name__ == "__main__":
    main()
