"""A Llama folder converted for llama.cpp, and llama.cpp itself, through its C interface."""

import ctypes
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

HALF = gguf.LlamaFileType.MOSTLY_F16
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def convert_to_gguf(folder: Path, path: Path) -> Path:
    """Half precision, without a tokenizer: tokens go in as numbers."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    config, weights = model.config, model.state_dict()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("none")
    writer.add_file_type(HALF)
    writer.add_tensor("token_embd.weight", half(weights["model.embed_tokens.weight"]))
    writer.add_tensor("output.weight", half(weights["lm_head.weight"]))
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"].numpy())
    for block in range(config.num_hidden_layers):
        for theirs, name in NAMES.items():
            weight = weights[f"model.layers.{block}.{theirs}.weight"]
            if theirs.endswith(("q_proj", "k_proj")):
                weight = interleaved(weight, config.num_attention_heads)
            table = half(weight) if weight.ndim > 1 else weight.numpy()
            writer.add_tensor(f"blk.{block}.{name}.weight", table)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def half(weight: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(weight.to(torch.float16).numpy())


def interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """transformers turns the halves of a head together, llama.cpp neighbours."""
    return weight.view(heads, 2, -1, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


class LlamaCpp:
    """One model in llama.cpp."""

    def __init__(self, library, path: Path, *, blocks: int, hidden: int, vocabulary: int) -> None:
        self.library, self.blocks, self.hidden, self.vocabulary = library, blocks, hidden, vocabulary
        self._silence = library.llama_log_callback(lambda *_: None)
        library.llama_log_set(self._silence, None)
        library.llama_backend_init()
        self.model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
        assert self.model, f"llama.cpp does not load {path}"
        parameters = library.llama_context_default_params()
        parameters.n_ctx, parameters.n_threads, parameters.n_threads_batch = 64, 1, 1
        self.context = library.llama_init_from_model(self.model, parameters)

    def close(self) -> None:
        self.library.llama_free(self.context)
        self.library.llama_model_free(self.model)

    def steer(self, path: Path, scale: float) -> None:
        """As its option --control-vector-scaled does: direction.N, times the scale, at place N - 1 of one buffer."""
        directions = read_with_ggml(self.library, path)
        assert 0 not in directions, "llama.cpp refuses the file"
        buffer = np.zeros((self.blocks - 1, self.hidden), dtype=np.float32)
        for number, direction in directions.items():
            buffer[number - 1] = scale * direction
        data = buffer.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        assert self.library.llama_set_adapter_cvec(self.context, data, buffer.size, self.hidden, 1, self.blocks) == 0

    def unsteer(self) -> None:
        assert self.library.llama_set_adapter_cvec(self.context, None, 0, self.hidden, 1, self.blocks) == 0

    def log_probabilities(self, tokens: list[int]) -> torch.Tensor:
        """Of the token after the last, float32 (vocabulary,)."""
        self.library.llama_memory_clear(self.library.llama_get_memory(self.context), True)
        array = (ctypes.c_int32 * len(tokens))(*tokens)
        assert self.library.llama_decode(self.context, self.library.llama_batch_get_one(array, len(tokens))) == 0
        logits = np.ctypeslib.as_array(self.library.llama_get_logits_ith(self.context, -1), (self.vocabulary,))
        return torch.from_numpy(logits.copy()).log_softmax(-1)


class _Options(ctypes.Structure):
    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


def read_with_ggml(library, path: Path) -> dict[int, np.ndarray]:
    """The directions as ggml's own reader finds them."""
    ggml = ctypes.CDLL(str(Path(library.__file__).parent / "lib" / "libggml-base.so"))
    for function, result, arguments in (
        ("gguf_init_from_file", ctypes.c_void_p, [ctypes.c_char_p, _Options]),
        ("gguf_free", None, [ctypes.c_void_p]),
        ("gguf_get_data_offset", ctypes.c_size_t, [ctypes.c_void_p]),
        ("gguf_get_n_tensors", ctypes.c_int64, [ctypes.c_void_p]),
        ("gguf_get_tensor_name", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int64]),
        ("gguf_get_tensor_type", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int64]),
        ("gguf_get_tensor_size", ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_int64]),
        ("gguf_get_tensor_offset", ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_int64]),
    ):
        getattr(ggml, function).restype, getattr(ggml, function).argtypes = result, arguments
    opened = ggml.gguf_init_from_file(str(path).encode(), _Options(True, None))
    assert opened, f"ggml does not read {path}"
    content, begin, directions = path.read_bytes(), ggml.gguf_get_data_offset(opened), {}
    for number in range(ggml.gguf_get_n_tensors(opened)):
        name = ggml.gguf_get_tensor_name(opened, number).decode()
        assert name.startswith("direction."), name
        assert ggml.gguf_get_tensor_type(opened, number) == gguf.GGMLQuantizationType.F32
        place = begin + ggml.gguf_get_tensor_offset(opened, number)
        size = ggml.gguf_get_tensor_size(opened, number)
        directions[int(name.removeprefix("direction."))] = np.frombuffer(content[place : place + size], np.float32)
    ggml.gguf_free(opened)
    return directions
