"""Tiny real GGUF files: a writer of the format, and random models with a vocabulary of their own."""

import struct
from importlib import import_module
from math import prod

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten
from tokenizers.pre_tokenizers import ByteLevel

KIND_NUMBERS = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8}
KIND_NUMBERS |= {"Q2_K": 10, "Q3_K": 11, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "BF16": 30}

# Bytes of a block, and where its float16 scales lie.
BLOCKS = {"Q4_0": (18, [0]), "Q4_1": (20, [0, 2]), "Q5_0": (22, [0]), "Q5_1": (24, [0, 2]), "Q8_0": (34, [0])}
BLOCKS |= {"Q2_K": (84, [80, 82]), "Q4_K": (144, [0, 2]), "Q5_K": (176, [0, 2]), "Q6_K": (210, [208])}

_BYTES = sorted(ByteLevel.alphabet())
_MERGES = ["h e", "l l", "he ll", "hell o", "\u0120 w", "1 2"]
_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TOKENS = [*_SPECIAL, *_BYTES, *(merge.replace(" ", "") for merge in _MERGES)]

TOKENIZER = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.token_type": np.array([3] * len(_SPECIAL) + [1] * (len(TOKENS) - len(_SPECIAL)), np.int32),
    "tokenizer.ggml.merges": _MERGES,
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
    "tokenizer.chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}",
}

_BLOCK_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(path, metadata, tensors, alignment=None):
    """Write `metadata` and `tensors`: name -> float array, or (kind, shape, bytes)."""
    if alignment is not None:
        metadata = metadata | {"general.alignment": alignment}
    entries = b"".join(_string(key) + _value(value) for key, value in metadata.items())
    infos, blobs, offset = b"", b"", 0
    for name, tensor in tensors.items():
        kind, shape, raw = _raw(tensor)
        dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        infos += _string(name) + dimensions + struct.pack("<IQ", KIND_NUMBERS[kind], offset)
        blobs += raw + bytes(-len(raw) % (alignment or 32))
        offset = len(blobs)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + entries + infos
    path.write_bytes(head + bytes(-len(head) % (alignment or 32)) + blobs)
    return path


def random_blocks(kind, shape, seed=0):
    """Return (kind, shape, bytes) of a quantised tensor with random numbers and small scales."""
    rng = np.random.default_rng(seed)
    size, scales = BLOCKS[kind]
    per_block = 256 if kind.endswith("K") else 32
    blocks = rng.integers(0, 256, (prod(shape) // per_block, size), dtype=np.uint8)
    for at in scales:
        blocks[:, at : at + 2] = rng.normal(0, 0.01, (len(blocks), 1)).astype(np.float16).view(np.uint8)
    return kind, shape, blocks.tobytes()


def tiny_model(architecture="llama", **changes):
    """Return a random mlx-lm model of two layers as its authors store it, with the metadata of its GGUF."""
    config = {"model_type": architecture, "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96}
    config |= {"num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "rope_theta": 10000.0}
    config |= {"vocab_size": len(TOKENS), "max_position_embeddings": 256, "tie_word_embeddings": True, "head_dim": 16}
    config |= changes
    module = import_module(f"mlx_lm.models.{architecture}")
    mx.random.seed(7)
    model = module.Model(module.ModelArgs.from_dict(config))
    parameters = [(name, mx.random.normal(array.shape) * 0.3) for name, array in tree_flatten(model.parameters())]
    model.load_weights(parameters)
    return model, _metadata(config)


def gguf_tensors(model):
    """Return the model's tensors by their names in a GGUF, q and k permuted as llama.cpp does for a Llama."""
    return {_gguf_name(name): _permuted(name, array, model.args) for name, array in tree_flatten(model.parameters())}


def write_tiny(path, architecture="llama", *, metadata=None, tensors=None, **changes):
    """Write a tiny model, with `metadata` and `tensors` in place of its own, and return it."""
    model, own = tiny_model(architecture, **changes)
    merged = own | (metadata or {})
    kept = {key: value for key, value in merged.items() if value is not None}
    write_gguf(path, kept, gguf_tensors(model) | (tensors or {}))
    return model


def write_split(folder, parts=2, architecture="llama", *, name="tiny", metadata=None):
    """Write a tiny model in `parts` files as llama.cpp splits one; return them and the model.

    The tensors go round the parts by turns. `metadata` is a function of the number of a part, from 0, and gives what
    it says besides and otherwise; None leaves a key out.
    """
    model, own = tiny_model(architecture)
    tensors = list(gguf_tensors(model).items())
    files = [folder / f"{name}-{number:05d}-of-{parts:05d}.gguf" for number in range(1, parts + 1)]
    for number, file in enumerate(files):
        split = {"split.no": number, "split.count": parts, "split.tensors.count": len(tensors)}
        merged = (own if number == 0 else {}) | split | (metadata(number) if metadata is not None else {})
        kept = {key: value for key, value in merged.items() if value is not None}
        write_gguf(file, kept, dict(tensors[number::parts]), alignment=kept.get("general.alignment"))
    return files, model


def _metadata(config):
    sizes = {
        "embedding_length": config["hidden_size"],
        "block_count": config["num_hidden_layers"],
        "feed_forward_length": config["intermediate_size"],
        "context_length": config["max_position_embeddings"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.key_length": config["head_dim"],
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "rope.freq_base": config["rope_theta"],
    }
    name = config["model_type"]
    return {"general.architecture": name} | {f"{name}.{key}": value for key, value in sizes.items()} | TOKENIZER


def _gguf_name(name):
    stem, _, kind = name.removeprefix("model.").rpartition(".")
    outside = {"embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output"}
    if stem in outside:
        return f"{outside[stem]}.{kind}"
    _, number, part = stem.split(".", 2)
    return f"blk.{number}.{_BLOCK_NAMES[part]}.{kind}"


def _permuted(name, array, args):
    heads = {"q_proj": args.num_attention_heads, "k_proj": args.num_key_value_heads}.get(name.split(".")[-2])
    if heads is None or args.model_type != "llama":
        return array
    halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape)


def _raw(tensor):
    if isinstance(tensor, tuple):
        return tensor
    kind = {mx.float32: "F32", mx.float16: "F16", mx.bfloat16: "BF16"}[tensor.dtype]
    flat = tensor.view(mx.uint16) if kind == "BF16" else tensor
    return kind, tuple(tensor.shape), np.array(flat).tobytes()


def _string(text):
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def _value(value):
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, np.ndarray):
        number = {np.dtype(np.int32): 5, np.dtype(np.float32): 6}[value.dtype]
        return struct.pack("<IIQ", 9, number, len(value)) + value.tobytes()
    if isinstance(value, list):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_string, value))
    return struct.pack("<I", 8) + _string(value)
