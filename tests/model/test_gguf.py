import json
import resource
import shutil
from contextlib import suppress

import mlx.core as mx
import mlx.nn as nn
import mlx_lm
import numpy as np
import pytest
from helpers.tiny_gguf import BLOCKS, TOKENS, gguf_tensors, random_blocks, tiny_model, write_gguf, write_tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten
from mlx_lm.models.rope_utils import Llama3RoPE

from billy_mlx.errors import ModelError
from billy_mlx.model import gguf, memory
from billy_mlx.model.gguf import import_gguf

IDS = mx.array([[1, 40, 260, 7, 99, 12, 260, 3]])


@pytest.fixture
def source(tmp_path):
    return tmp_path / "tiny.gguf"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models" / "tiny"


@pytest.fixture
def tiny(source):
    write_tiny(source)
    return source


def everything_in(folder):
    return sorted(path.name for path in folder.parent.glob("*")) if folder.parent.exists() else []


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [True, False])
def test_an_imported_model_gives_the_logits_of_the_one_it_was_written_from(source, folder, architecture, tied):
    original = write_tiny(source, architecture, tie_word_embeddings=tied)
    import_gguf(source, folder)
    imported, _ = mlx_lm.load(str(folder))
    assert mx.allclose(imported(IDS), original(IDS), atol=1e-4)
    assert ("lm_head.weight" in dict(tree_flatten(imported.parameters()))) is not tied


def test_a_file_that_mlx_wrote_is_imported(source, folder):
    original, metadata = tiny_model(num_hidden_layers=1)
    as_mlx = {key: value if isinstance(value, str | list) else mx.array(value) for key, value in metadata.items()}
    mx.save_gguf(str(source), gguf_tensors(original), as_mlx)
    import_gguf(source, folder)
    assert mx.allclose(mlx_lm.load(str(folder))[0](IDS), original(IDS), atol=1e-4)


def test_biases_of_a_llama_are_imported_with_the_same_permutation(source, folder):
    original = write_tiny(source, attention_bias=True)
    import_gguf(source, folder)
    assert mx.allclose(mlx_lm.load(str(folder))[0](IDS), original(IDS), atol=1e-4)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_a_model_of_two_byte_floats_keeps_their_type_everywhere(source, folder, dtype):
    model, metadata = tiny_model()
    tensors = {name: array.astype(dtype) if array.ndim > 1 else array for name, array in gguf_tensors(model).items()}
    write_gguf(source, metadata, tensors)
    report = import_gguf(source, folder)
    imported, _ = mlx_lm.load(str(folder))
    assert {array.dtype for _, array in tree_flatten(imported.parameters())} == {dtype}
    assert imported(IDS).dtype == dtype
    assert report.notes == (f"5 F32 tensors rounded to {str(dtype)[9:]}",)


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
def test_quantised_weights_have_the_bits_that_mlx_reads(source, folder, kind):
    write_tiny(source, tensors={"blk.1.ffn_up.weight": random_blocks(kind, (96, 64))})
    report = import_gguf(source, folder)
    stored, reference = mx.load(str(folder / "model.safetensors")), mx.load(str(source))
    for part in ("weight", "scales", "biases"):
        assert mx.array_equal(stored[f"model.layers.1.mlp.up_proj.{part}"], reference[f"blk.1.ffn_up.{part}"])
    assert report.kinds == {"F32": 19, kind: 1}
    assert mx.isfinite(mlx_lm.load(str(folder))[0](IDS)).all()


@pytest.mark.parametrize(("kind", "has_bias"), [("Q5_0", False), ("Q5_1", True)])
def test_five_bit_weights_are_what_the_format_says(source, folder, kind, has_bias):
    _, _, raw = blocks = random_blocks(kind, (96, 64))
    write_tiny(source, tensors={"blk.0.ffn_gate.weight": blocks})
    import_gguf(source, folder)
    weight = dense(folder, "model.layers.0.mlp.gate_proj", bits=5)
    scale, bias = np.frombuffer(raw[:4], np.float16).astype(np.float32)
    fifths, nibbles = (
        int.from_bytes(raw[-20 + BLOCKS[kind][0] : -16 + BLOCKS[kind][0]], "little"),
        raw[BLOCKS[kind][0] - 16 :],
    )
    for place in range(32):
        number = (nibbles[place % 16] >> 4 * (place // 16) & 15) + 16 * (fifths >> place & 1)
        assert weight[0, place] == np.float32(number * scale + bias if has_bias else (number - 16) * scale)


@pytest.mark.parametrize("kind", ["Q2_K", "Q6_K"])
def test_k_quants_with_small_groups_are_quantised_again_and_the_report_says_so(source, folder, kind):
    write_tiny(source, hidden_size=256, head_dim=64, tensors={"blk.0.attn_q.weight": random_blocks(kind, (256, 256))})
    report = import_gguf(source, folder)
    reference = np.array(mx.load(str(source))["blk.0.attn_q.weight"].astype(mx.float32))
    error = np.abs(dense(folder, "model.layers.0.self_attn.q_proj", bits=8) - reference).max()
    assert error < 0.006 * np.abs(reference).max()
    assert report.notes[0] == f"1 {kind} tensor quantised again, in 8 bits with groups of 32"
    assert json.loads((folder / "config.json").read_text())["billy"]["notes"] == list(report.notes)


def test_a_four_bit_k_quant_is_what_the_format_says(source, folder):
    # Not held against mx.load: mlx 0.32.4 gives every second group the scale of the group before it.
    _, _, raw = blocks = random_blocks("Q4_K", (256, 256))
    write_tiny(source, hidden_size=256, head_dim=64, tensors={"blk.0.attn_q.weight": blocks})
    assert "scales rounded to float16" in import_gguf(source, folder).notes[0]
    weight = dense(folder, "model.layers.0.self_attn.q_proj", bits=4)[0]
    (scale, minimum), packed = np.frombuffer(raw[:4], np.float16).astype(np.float64), raw[4:16]
    for group in range(8):
        low = packed[group % 4] if group < 4 else packed[8 + group % 4] & 15 | packed[group % 4] >> 6 << 4
        high = packed[4 + group % 4] if group < 4 else packed[8 + group % 4] >> 4 | packed[4 + group % 4] >> 6 << 4
        numbers = [raw[16 + 32 * (group // 2) + place] >> 4 * (group % 2) & 15 for place in range(32)]
        expected = np.array(numbers) * (scale * (low & 63)) - minimum * (high & 63)
        assert np.allclose(weight[32 * group : 32 * group + 32], expected, atol=6e-4 * np.abs(weight).max())


def test_a_five_bit_k_quant_is_a_four_bit_one_with_a_bit_more(source, folder):
    _, _, four = random_blocks("Q4_K", (256, 256))
    blocks = np.frombuffer(four, np.uint8).reshape(-1, 144)
    fifths = np.full((len(blocks), 32), 0b00000001, np.uint8)  # set in the first group of 32 only
    five = np.concatenate([blocks[:, :16], fifths, blocks[:, 16:]], axis=1).tobytes()
    tensors = {
        "blk.0.attn_q.weight": ("Q4_K", (256, 256), four),
        "blk.0.attn_output.weight": ("Q5_K", (256, 256), five),
    }
    write_tiny(source, hidden_size=256, head_dim=64, tensors=tensors)
    import_gguf(source, folder)
    added = dense(folder, "model.layers.0.self_attn.o_proj", 5) - dense(folder, "model.layers.0.self_attn.q_proj", 4)
    scales = np.array(mx.load(str(folder / "model.safetensors"))["model.layers.0.self_attn.o_proj.scales"], np.float32)
    assert np.allclose(added[:, :32], 16 * scales[:, :1], atol=1e-6)
    assert not added[:, 32:].any()


def dense(folder, name, bits):
    stored = mx.load(str(folder / "model.safetensors"))
    parts = [stored[f"{name}.{part}"] for part in ("weight", "scales", "biases")]
    return np.array(mx.dequantize(parts[0], *(part.astype(mx.float32) for part in parts[1:]), 32, bits))


def test_quantised_layers_of_two_widths_load_with_their_own_entries(source, folder):
    rows = -(-len(TOKENS) // 32) * 32
    tensors = {
        "token_embd.weight": random_blocks("Q8_0", (rows, 64)),
        "blk.0.ffn_up.weight": random_blocks("Q4_1", (96, 64)),
    }
    write_tiny(source, vocab_size=rows, tensors=tensors)
    import_gguf(source, folder)
    model, _ = mlx_lm.load(str(folder))
    assert (model.model.embed_tokens.bits, model.layers[0].mlp.up_proj.bits) == (8, 4)
    assert isinstance(model.layers[1].mlp.up_proj, nn.Linear)


def llama3_factors(head_dim=16):
    config = {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    rope = Llama3RoPE(head_dim, base=500000.0, scaling_config=config)
    return rope._freqs / 500000.0 ** (mx.arange(0, head_dim, 2) / head_dim), rope


def test_the_rope_factors_of_llama_3_become_its_settings(source, folder):
    factors, rope = llama3_factors()
    write_tiny(source, rope_theta=500000.0, tensors={"rope_freqs.weight": factors})
    import_gguf(source, folder)
    imported, _ = mlx_lm.load(str(folder))
    assert mx.allclose(imported.layers[0].self_attn.rope._freqs, rope._freqs, rtol=1e-5)
    assert imported.layers[0].self_attn.rope.traditional


def test_other_rope_factors_are_refused_by_name(source, folder):
    factors, _ = llama3_factors()
    write_tiny(source, rope_theta=500000.0, tensors={"rope_freqs.weight": factors + mx.array([0] * 7 + [0.5])})
    with pytest.raises(ModelError, match=r"'rope_freqs\.weight'.*Llama 3"):
        import_gguf(source, folder)


def test_linear_rope_scaling_reaches_the_model(source, folder):
    write_tiny(source, metadata={"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0})
    import_gguf(source, folder)
    assert mlx_lm.load(str(folder))[0].layers[0].self_attn.rope.scale == 0.25


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"general.architecture": "mamba"}, "'mamba'.*llama, qwen2, qwen3"),
        ({"llama.rope.scaling.type": "yarn"}, "rope.scaling.type.*'yarn'"),
        ({"llama.rope.dimension_count": 8}, "rope.dimension_count.* is 8.*only 16"),
        ({"llama.expert_count": 8}, "expert_count.* is 8"),
        ({"llama.attention.sliding_window": 128}, "sliding_window.* is 128"),
        ({"llama.attention.head_count_kv": np.array([2, 1], np.int32)}, "head_count_kv.* a list"),
        ({"llama.attention.head_count_kv": 3}, "4 heads of 16 over 3"),
        ({"llama.block_count": 10**9}, "block_count.*1000000000"),
        ({"llama.block_count": 3}, "lacks 'model.layers.2.*8 other"),
        ({"llama.embedding_length": 128, "llama.attention.key_length": 16}, "is .* instead of"),
        ({"llama.attention.layer_norm_rms_epsilon": float("nan")}, "rms_epsilon.*nan"),
        ({"general.architecture": ["llama"]}, "architecture"),
        ({"llama.rope.scaling.type": ["linear"]}, "scaling.type.* a list"),
        ({"tokenizer.ggml.pre": ["smollm"]}, "a list as its pre"),
        ({"tokenizer.ggml.add_bos_token": np.array([1, 0], np.int32)}, "a list as its add_bos_token"),
        ({"tokenizer.ggml.model": "t5"}, "'t5'.*gpt2, llama"),
        ({"tokenizer.ggml.pre": "tekken"}, "'tekken'.*smollm"),
        ({"tokenizer.ggml.pre": None}, "None.*smollm"),
        ({"tokenizer.ggml.merges": ["h nowhere"]}, "'h nowhere'"),
        ({"tokenizer.ggml.tokens": [*TOKENS[:-1], "h"]}, "same token twice"),
        ({"tokenizer.ggml.tokens": [*TOKENS[:-1], "x" * 5000]}, "a token of 5,000"),
        ({"tokenizer.ggml.eos_token_id": 10**6}, "eos token 1000000"),
        ({"tokenizer.ggml.token_type": np.array([1], np.int32)}, "token_type"),
    ],
)
def test_what_cannot_be_imported_exactly_is_refused_by_name(source, folder, metadata, named):
    write_tiny(source, metadata=metadata)
    with pytest.raises(ModelError, match=named):
        import_gguf(source, folder)
    assert everything_in(folder) == []


@pytest.mark.parametrize(
    ("tensors", "named"),
    [
        ({"blk.0.ffn_gate_inp.weight": mx.zeros((8, 64))}, "'blk.0.ffn_gate_inp.weight', which no llama has"),
        ({"blk.0.ffn_up.weight": mx.zeros((96, 32))}, r"\(96, 32\) instead of \(96, 64\)"),
        ({"blk.0.ffn_up.weight": ("Q3_K", (96, 256), bytes(110 * 96))}, "'blk.0.ffn_up.weight'.* is Q3_K"),
        ({"output_norm.weight": ("Q8_0", (64,), bytes(68))}, "'output_norm.weight' in Q8_0"),
        ({"output_norm.weight": mx.full((64,), float("nan"))}, "'output_norm.weight'.* beyond float32"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(source, folder, tensors, named):
    write_tiny(source, tensors=tensors)
    with pytest.raises(ModelError, match=named):
        import_gguf(source, folder)
    assert everything_in(folder) == []


@pytest.mark.parametrize("part", [0.0, 0.001, 0.05, 0.5, 0.999])
def test_a_file_cut_short_gives_a_sentence(tiny, folder, part):
    whole = tiny.read_bytes()
    tiny.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(ModelError, match=r"cut short|damaged|not a GGUF"):
        import_gguf(tiny, folder)


@pytest.mark.parametrize("at", [8, 16, 24])
@pytest.mark.parametrize("count", [2**63, 2**40, 2**31])
def test_a_count_larger_than_the_file_gives_a_sentence(tiny, folder, at, count):
    damaged = bytearray(tiny.read_bytes())
    damaged[at : at + 8] = count.to_bytes(8, "little")  # tensors, metadata entries, length of the first key
    tiny.write_bytes(damaged)
    with pytest.raises(ModelError, match="damaged"):
        import_gguf(tiny, folder)


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_byte_changed_in_the_header_gives_a_sentence_or_a_model(tiny, tmp_path, data):
    damaged = bytearray(tiny.read_bytes())
    at = data.draw(st.integers(4, 8000))
    damaged[at] ^= data.draw(st.integers(1, 255))
    other = tmp_path / "other.gguf"
    other.write_bytes(damaged)
    shutil.rmtree(tmp_path / "models", ignore_errors=True)
    with suppress(ModelError):
        import_gguf(other, tmp_path / "models" / "tiny")


def test_a_missing_file_and_one_of_another_format_are_named(tmp_path, folder):
    (tmp_path / "text.gguf").write_text("not a model")
    for name in ("nowhere.gguf", "text.gguf", "."):
        with pytest.raises(ModelError, match=r"give .*\.gguf file"):
            import_gguf(tmp_path / name, folder)


def test_an_interrupted_import_leaves_nothing(tiny, folder, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf, "_save_json", interrupt)
    with pytest.raises(KeyboardInterrupt):
        import_gguf(tiny, folder)
    assert everything_in(folder) == []


def test_a_disk_that_fills_up_gives_a_sentence_and_leaves_nothing(tiny, folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(ModelError, match=r"was not made.*nothing is left"):
            import_gguf(tiny, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert everything_in(folder) == []


def test_memory_without_room_is_told_before_anything_is_written(tiny, folder, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(ModelError, match=r"^Importing .* needs 0\.2 GB of memory and 0\.0 GB are free; close other"):
        import_gguf(tiny, folder)
    assert everything_in(folder) == []


def test_a_disk_without_room_is_told_before_anything_is_written(tiny, folder, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 5, 5))
    with pytest.raises(ModelError, match="bytes, 5 are free"):
        import_gguf(tiny, folder)


def test_a_folder_made_of_the_same_file_is_left_as_it_is(tiny, folder):
    first = import_gguf(tiny, folder)
    before = (folder / "model.safetensors").stat()
    assert import_gguf(tiny, folder) == first
    assert (folder / "model.safetensors").stat() == before


def test_a_folder_that_holds_something_else_is_refused(tiny, folder):
    folder.mkdir(parents=True)
    (folder / "novel.md").write_text("Chapter 1")
    with pytest.raises(ModelError, match="holds something else"):
        import_gguf(tiny, folder)
    assert [path.name for path in folder.iterdir()] == ["novel.md"]


@pytest.mark.parametrize("template", [None, "", " \n", ["{{ messages }}"], 1])
def test_a_file_without_a_chat_template_says_what_follows_from_that(source, folder, template):
    write_tiny(source, metadata={"tokenizer.chat_template": template})
    report = import_gguf(source, folder)
    assert [note.partition(":")[0] for note in report.notes] == ["no chat template in the file"]
    assert not mlx_lm.load(str(folder))[1].has_chat_template


def test_a_large_model_is_saved_in_parts_that_load(tiny, folder, monkeypatch):
    monkeypatch.setattr(gguf, "_SHARD_BYTES", 100_000)
    import_gguf(tiny, folder)
    parts = sorted(path.name for path in folder.glob("model*.safetensors"))
    assert parts[0] == f"model-00001-of-{len(parts):05d}.safetensors"
    assert len(parts) > 1
    assert mx.isfinite(mlx_lm.load(str(folder))[0](IDS)).all()


def test_the_files_own_alignment_is_followed(source, folder):
    original, metadata = tiny_model()
    write_gguf(source, metadata, gguf_tensors(original), alignment=4096)
    import_gguf(source, folder)
    assert mx.allclose(mlx_lm.load(str(folder))[0](IDS), original(IDS), atol=1e-4)


def test_the_folder_says_what_it_was_made_of_and_progress_is_told(tiny, folder):
    told = []
    report = import_gguf(tiny, folder, progress=lambda done, total: told.append((done, total)))
    origin = json.loads((folder / "config.json").read_text())["billy"]
    assert (origin["source"], origin["sha256"]) == ("tiny.gguf", report.sha256)
    assert origin["files"] == {"model.safetensors": gguf._sha256(folder / "model.safetensors")}
    assert told[-1][0] == told[-1][1]
    assert report.notes == ()
