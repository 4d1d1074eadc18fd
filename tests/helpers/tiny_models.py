"""Tiny random models as real MLX model folders: config, weights, tokenizer and chat template, in milliseconds."""

import importlib
import json

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten, tree_map_with_path
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

COMMON = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rope_theta": 10_000.0,
}
CONFIGS = {
    "llama": COMMON | {"rms_norm_eps": 1e-5, "tie_word_embeddings": True},  # which transformers would not assume
    "lfm2": COMMON
    | {
        "norm_eps": 1e-5,
        "conv_bias": False,
        "conv_L_cache": 3,
        "block_dim": 32,
        "block_multiple_of": 8,
        "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "full_attention", "conv", "full_attention"],
    },
}

END, START_TURN, END_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
PAIRS = [("Ġ", "t"), ("h", "e"), ("i", "n"), ("r", "e"), ("o", "n"), ("Ġ", "a"), ("Ġt", "he"), ("n", "d"), ("Ġa", "nd")]
CHATML = """{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"""
NO_THOUGHT = "{%- if not enable_thinking -%}{{ '<think>\n\n</think>\n\n' }}{%- endif -%}"


def tiny_folder(
    path, architecture="llama", dtype=mx.float32, seed=0, *, bits=None, thinking=False, template=CHATML, tokenizer=None
):
    """Write a model folder to `path` and return it; `bits` quantises, `thinking` brings <think> and its template."""
    path.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer(thinking=thinking) if tokenizer is None else tokenizer
    config = {"model_type": architecture, "vocab_size": tokenizer.get_vocab_size(), **CONFIGS[architecture]}
    weights = tiny_network(config, dtype, seed)
    if bits is not None:
        config["quantization"] = {"group_size": 32, "bits": bits}
        nn.quantize(weights, group_size=32, bits=bits)
    mx.save_safetensors(str(path / "model.safetensors"), dict(tree_flatten(weights.parameters())))
    (path / "config.json").write_text(json.dumps(config | {"eos_token_id": tokenizer.token_to_id(END_TURN)}))
    tokenizer.save(str(path / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END, "eos_token": END_TURN}
    if template is not None:
        settings["chat_template"] = template + NO_THOUGHT * thinking
    (path / "tokenizer_config.json").write_text(json.dumps(settings))
    return path


def tiny_network(config, dtype=mx.float32, seed=0):
    """Return the mlx-lm model of `config` with random weights: matrices keep the size of what they map."""
    module = importlib.import_module(f"mlx_lm.models.{config['model_type']}")
    network = module.Model(module.ModelArgs.from_dict(dict(config)))
    keys = iter(mx.random.split(mx.random.key(seed), 1000))

    def draw(_, start):
        noise = mx.random.normal(start.shape, key=next(keys))
        return (noise * start.shape[-1] ** -0.5 if start.ndim > 1 else start + 0.1 * noise).astype(dtype)

    network.update(tree_map_with_path(draw, network.parameters()))
    return network


def tiny_tokenizer(*, thinking=False, adds_bos=False):
    """Return a byte-level BPE tokenizer of some 270 tokens that reads and writes every text."""
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    symbols += [left + right for left, right in PAIRS]
    tokenizer = Tokenizer(models.BPE(vocab={symbol: index for index, symbol in enumerate(symbols)}, merges=PAIRS))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END, START_TURN, END_TURN])
    if thinking:
        tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)])
    if adds_bos:
        end = tokenizer.token_to_id(END)
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{END} $0", special_tokens=[(END, end)])
    return tokenizer


def pieces_tokenizer():
    """Return a tokenizer that spells as SentencePiece does: pieces with a sign for the space, and single bytes."""
    pieces = ["<unk>", END, START_TURN, END_TURN, *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["▁", *"abcdefghijklmnopqrstuvwxyz.,", "é", "は", "\ufffd", "th", "the", "▁t", "▁the", "an", "and", "▁a"]
    merges = [("t", "h"), ("th", "e"), ("▁", "t"), ("▁", "the"), ("a", "n"), ("an", "d"), ("▁", "a")]
    vocab = {piece: place for place, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([END, START_TURN, END_TURN])
    return tokenizer


def reciting_folder(path, tokenizer, seed=0, **settings):
    """Write a model folder that goes through all tokens in turn at temperature 0, whatever it is asked, and return it.

    Its blocks add nothing, so that what follows a token is decided by the token alone: the next one of `recited`.
    """
    folder = tiny_folder(path, tokenizer=tokenizer, **settings)
    order = recited(tokenizer.get_vocab_size(), seed)
    rows = mx.random.normal((len(order), COMMON["hidden_size"]), key=mx.random.key(seed))
    rows = rows / mx.linalg.norm(rows, axis=-1, keepdims=True)
    weights = mx.load(str(folder / "model.safetensors"))
    for name, array in weights.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weights[name] = mx.zeros_like(array)
        elif name.endswith("norm.weight"):
            weights[name] = mx.ones_like(array)
    head = np.empty(rows.shape, np.float32)
    head[np.roll(order, -1)] = np.array(rows)[order]
    weights |= {"model.embed_tokens.weight": rows, "lm_head.weight": mx.array(head)}
    mx.save_safetensors(str(folder / "model.safetensors"), weights)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    return folder


def recited(count, seed=0):
    """Return the order in which a reciting model goes through its tokens, round and round."""
    return np.random.default_rng(seed).permutation(count)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A loaded plain model: four llama blocks, every cache of which can be trimmed."""
    from billy_mlx.model.load import load

    return load(tiny_folder(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="session")
def hybrid(tmp_path_factory):
    """A loaded hybrid: convolutions, whose state cannot be trimmed, and attention by turns."""
    from billy_mlx.model.load import load

    return load(tiny_folder(tmp_path_factory.mktemp("lfm2"), "lfm2"))


@pytest.fixture(params=["chat template", "end tokens"])
def corrected(tiny, request):
    """`tiny` after its chat template was corrected, or its end tokens: the same weights and vocabulary."""
    from billy_mlx.model.load import load

    model = load(tiny.path)
    if request.param == "end tokens":
        model.tokenizer.eos_token_ids = {*model.tokenizer.eos_token_ids, model.tokenizer.convert_tokens_to_ids(END)}
    else:
        model.tokenizer.chat_template = CHATML.replace("<|im_end|>\n", "<|im_end|>")
        assert model.tokenizer.chat_template != CHATML
    assert model.fingerprint == tiny.fingerprint
    return model
