import io
from functools import cache

import numpy as np
import pytest
import sentencepiece
from helpers.tiny_gguf import TOKENIZER, TOKENS
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from billy_mlx.errors import ModelError
from billy_mlx.formats.gguf.header import GGUFHeader
from billy_mlx.formats.gguf.tokenizer import read_tokenizer

STORY = """The lighthouse keeper counted 1234 gulls   before breakfast, and wrote the number in a book.
"Too many," she said; "they're eating the harbour." Über den Dächern: 漢字, ελληνικά, кот 🙂 -- and so on.
A letter came: it was wet, it was late, it was hers. They'd asked her to leave; she'd stay. I'LL stay, she wrote.
    indented lines\tand tabs, 3.14 and 2718, aaaa bbbb abab ====== ------ ...... (((()))) the the the other others
""".splitlines()


def read(path, **changes):
    given_keys = {f"tokenizer.ggml.{key}": value for key, value in changes.items()}
    metadata = {key: value for key, value in (TOKENIZER | given_keys).items() if value is not None}
    return read_tokenizer(GGUFHeader(path / "some.gguf", metadata, {}))


def pieces(path, pre, text):
    tokenizer = read(path, pre=pre).tokenizer
    text = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text
    back = {symbol: byte for byte, symbol in byte_symbols().items()}
    split = tokenizer.pre_tokenizer.pre_tokenize_str(text)
    return [bytes(back[symbol] for symbol in piece).decode() for piece, _ in split]


@cache
def byte_symbols():
    """The symbol that stands for each byte: printable ones for themselves, the others from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    assert {chr(byte) for byte in plain} < set(ByteLevel.alphabet())
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}


@pytest.mark.parametrize(
    ("pre", "split"),
    [
        ("smollm", ["I", "'ll", " take", " ", "1", "2", "3", "4", "5", " of", "  ", " them", "!\n", "Ok"]),
        ("gpt-2", ["I", "'ll", " take", " 12345", " of", "  ", " them", "!", "\n", "Ok"]),
        ("llama-bpe", ["I", "'ll", " take", " ", "123", "45", " of", "  ", " them", "!\n", "Ok"]),
        ("qwen2", ["I", "'ll", " take", " ", "1", "2", "3", "4", "5", " of", "  ", " them", "!\n", "Ok"]),
    ],
)
def test_each_kind_splits_text_its_own_way(tmp_path, pre, split):
    expected = ["!", "\n"] if pre == "smollm" else None
    split = split if expected is None else [*split[:-2], *expected, split[-1]]
    assert pieces(tmp_path, pre, "I'll take 12345 of   them!\nOk") == split


def test_contractions_in_capitals_are_one_piece_for_llama_3_and_qwen_2_only(tmp_path):
    assert pieces(tmp_path, "llama-bpe", "I'LL go") == ["I", "'LL", " go"]
    assert pieces(tmp_path, "qwen2", "I'LL go") == ["I", "'LL", " go"]
    assert pieces(tmp_path, "gpt-2", "I'LL go") == ["I", "'", "LL", " go"]


def test_only_qwen_2_composes_characters(tmp_path):
    assert pieces(tmp_path, "qwen2", "e\u0301") == ["\u00e9"]
    assert "".join(pieces(tmp_path, "llama-bpe", "e\u0301")) == "e\u0301"


def test_llama_3_takes_a_whole_word_of_its_vocabulary_before_any_merge(tmp_path):
    tokens = [*TOKENS, "xyz"]
    types = np.append(TOKENIZER["tokenizer.ggml.token_type"], 1).astype(np.int32)
    assert read(tmp_path, tokens=tokens, token_type=types, pre="llama-bpe").tokenizer.encode("xyz").tokens[1:] == [
        "xyz"
    ]
    assert read(tmp_path, tokens=tokens, token_type=types).tokenizer.encode("xyz").tokens == ["x", "y", "z"]


def test_merges_join_bytes_and_special_tokens_stay_whole(tmp_path):
    tokenizer = read(tmp_path).tokenizer
    assert tokenizer.encode("hello<|im_end|> w12").tokens == ["hello", "<|im_end|>", "\u0120w", "1", "2"]
    assert tokenizer.decode(tokenizer.encode("hello w12").ids) == "hello w12"


@pytest.mark.parametrize(
    ("pre", "add", "begins"),
    [("llama-bpe", None, True), ("llama-bpe", False, False), ("gpt-2", True, True), ("gpt-2", None, False)],
)
def test_the_begin_token_is_added_where_the_file_or_the_kind_says(tmp_path, pre, add, begins):
    ids = read(tmp_path, pre=pre, add_bos_token=add).tokenizer.encode("hello").ids
    assert (ids[0] == 1) is begins


def test_an_end_token_is_added_when_the_file_says(tmp_path):
    ids = read(tmp_path, add_bos_token=True, add_eos_token=True).tokenizer.encode("hello").ids
    assert (ids[0], ids[-1], len(ids)) == (1, 2, 3)


def test_every_token_that_ends_a_turn_or_a_text_ends_generation(tmp_path):
    assert read(tmp_path).end_ids == [2, 0]
    assert read(tmp_path, eot_token_id=1).end_ids == [2, 1, 0]


def test_a_vocabulary_without_any_end_is_refused(tmp_path):
    types = np.ones(len(TOKENS), np.int32)
    with pytest.raises(ModelError, match="no end token"):
        read(tmp_path, token_type=types, eos_token_id=None)


@cache
def sentencepiece_model(prefix):
    """A small real SentencePiece model, and the metadata of its GGUF."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(STORY), model_writer=model, model_type="bpe", vocab_size=420, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=prefix,
        allow_whitespace_only_pieces=True, character_coverage=0.98, minloglevel=2, num_threads=1,
    )  # fmt: skip
    spm = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(spm.get_piece_size())
    kinds = [2 if spm.is_unknown(i) else 3 if spm.is_control(i) else 6 if spm.is_byte(i) else 1 for i in ids]
    scores = np.array([spm.get_score(i) for i in ids], np.float32)
    tokens = [spm.id_to_piece(i) for i in ids]
    return spm, {
        "model": "llama", "tokens": tokens, "scores": scores, "token_type": np.array(kinds, np.int32), "merges": None,
        "pre": None, "add_space_prefix": prefix,
    }  # fmt: skip


TEXT = st.text(st.sampled_from("abehlorst .,-=1234\n\u00fc\u6f22\U0001f642"), min_size=1, max_size=60) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\u2581"), min_size=1, max_size=40
)


@pytest.mark.parametrize("prefix", [True, False])
@given(text=TEXT | st.sampled_from(STORY))
def test_a_sentencepiece_vocabulary_cuts_and_joins_text_as_sentencepiece_does(tmp_path_factory, prefix, text):
    spm, metadata = sentencepiece_model(prefix)
    tokenizer = read(tmp_path_factory.getbasetemp(), **metadata).tokenizer
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert ids == spm.encode(text)
    assert tokenizer.decode(ids) == spm.decode(ids)


def test_a_sentencepiece_vocabulary_begins_with_its_begin_token(tmp_path):
    _, metadata = sentencepiece_model(True)
    assert read(tmp_path, **metadata).tokenizer.encode("the").ids[0] == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"precompiled_charsmap": "x"}, "rewrites characters"),
        ({"remove_extra_whitespaces": True}, "spaces removed"),
        ({"scores": None}, "as many of scores"),
    ],
)
def test_a_sentencepiece_vocabulary_that_asks_for_more_is_refused(tmp_path, changes, named):
    _, metadata = sentencepiece_model(True)
    with pytest.raises(ModelError, match=named):
        read(tmp_path, **(metadata | changes))
