"""The tokenizer inside a GGUF file, as tokenizer.json and tokenizer_config.json have it.

A file names its tokenizer by two words only, so every kind that is not known exactly is refused: text cut into other
tokens than the model learnt looks like a bad model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import PreTokenizer
from tokenizers.processors import TemplateProcessing

from billy_mlx.errors import ModelError
from billy_mlx.formats.gguf.header import GGUFHeader

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE = 1, 2, 3, 4, 6
_SPACE = "\u2581"
_LONGEST_TOKEN = 1024  # the longest in use are runs of a few hundred spaces or dashes

# Control tokens that end a turn or a text; a file names only one of them as its end token.
_ENDS = {"<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>"}

# How Llama 3 and Qwen 2 split text: the same but for digits.
_BEFORE_DIGITS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_AFTER_DIGITS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class GGUFTokenizer:
    """`config` is tokenizer_config.json, without "chat_template" if the file has none; `end_ids` is never empty."""

    tokenizer: Tokenizer
    config: dict[str, Any]
    bos_id: int | None
    end_ids: list[int]


def read_tokenizer(header: GGUFHeader) -> GGUFTokenizer:
    """Return the tokenizer of a GGUF file.

    Raises:
        ModelError: a kind of tokenizer that cannot be built exactly, or a damaged vocabulary.
    """
    vocabulary = _Vocabulary(header)
    kind = vocabulary.value("model")
    if kind not in _BUILDERS:
        raise vocabulary.error(f"a tokenizer of the kind {kind!r}; known are {', '.join(_BUILDERS)}")
    tokenizer, adds_bos = _BUILDERS[kind](vocabulary)
    special, added = vocabulary.of_type(_CONTROL, _UNKNOWN), vocabulary.of_type(_USER_DEFINED)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in added])
    _frame(tokenizer, vocabulary, adds_bos)
    return GGUFTokenizer(tokenizer, _config(vocabulary), vocabulary.token_id("bos"), vocabulary.end_ids())


class _Vocabulary:
    """The `tokenizer.ggml` part of the metadata, its lists checked against one another."""

    def __init__(self, header: GGUFHeader) -> None:
        prefix = "tokenizer.ggml."
        self.path, self.all_metadata = header.path, header.metadata
        self._metadata: Mapping[str, Any] = {
            key.removeprefix(prefix): value for key, value in header.metadata.items() if key.startswith(prefix)
        }
        self.tokens = self._strings("tokens")
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self.types = self._numbers("token_type", default=_NORMAL)
        if not self.tokens or len(self.ids) != len(self.tokens):
            raise self.error("no tokens" if not self.tokens else "the same token twice")
        longest = max(map(len, self.tokens))
        if longest > _LONGEST_TOKEN:
            raise self.error(f"a token of {longest:,} characters")

    def value(self, key: str, default: str | bool | None = None) -> Any:
        value = self._metadata.get(key, default)
        if isinstance(value, list | np.ndarray):
            raise self.error(f"a list as its {key}")
        return value

    def of_type(self, *types: int) -> list[str]:
        return [self.tokens[index] for index in np.flatnonzero(np.isin(self.types, types)) if self.tokens[index]]

    def merges(self) -> list[tuple[str, str]]:
        merges = []
        for merge in self._strings("merges"):
            left, _, right = merge.partition(" ")
            if not {left, right, left + right} <= self.ids.keys():
                raise self.error(f"the merge {merge!r} of tokens it does not have")
            merges.append((left, right))
        return merges

    def scores(self) -> Any:
        return self._numbers("scores", default=None)

    def token_id(self, role: str) -> int | None:
        index = self._metadata.get(f"{role}_token_id")
        if index is None:
            return None
        if not isinstance(index, int) or not 0 <= index < len(self.tokens):
            raise self.error(f"{role} token {index!r} of {len(self.tokens):,}")
        return index

    def end_ids(self) -> list[int]:
        """The end token first, then other tokens that end a turn or a text."""
        named = [self.token_id(role) for role in ("eos", "eot", "eom")]
        spelt = [self.ids[token] for token in self.of_type(_CONTROL) if token in _ENDS]
        ends = list(dict.fromkeys(index for index in (*named, *spelt) if index is not None))
        if not ends:
            raise self.error("no end token")
        return ends

    def error(self, what: str) -> ModelError:
        return ModelError(f"{self.path} has {what}; its tokenizer cannot be rebuilt, so it is not imported")

    def _strings(self, key: str) -> list[str]:
        value = self._metadata.get(key)
        if not isinstance(value, list):
            raise self.error(f"no list of {key}")
        return value

    def _numbers(self, key: str, default: int | None) -> Any:
        value = self._metadata.get(key, None if default is None else np.full(len(self.tokens), default))
        if not isinstance(value, np.ndarray) or len(value) != len(self.tokens):
            raise self.error(f"{len(self.tokens):,} tokens, but not as many of {key}")
        return value


def _byte_level(vocabulary: _Vocabulary) -> tuple[Tokenizer, bool]:
    """The kind GPT-2 began: BPE over bytes, in text that is split first. Returns also whether BOS is usual."""
    pre = vocabulary.value("pre")
    if pre not in _SPLITS:
        raise vocabulary.error(f"text split the way {pre!r}; known are {', '.join(_SPLITS)}")
    is_llama3 = pre == "llama-bpe"
    tokenizer = Tokenizer(BPE(vocabulary.ids, vocabulary.merges(), ignore_merges=is_llama3))
    tokenizer.pre_tokenizer = _SPLITS[pre]()
    tokenizer.decoder = decoders.ByteLevel()
    if pre == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    return tokenizer, is_llama3


def _digits() -> PreTokenizer:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])


def _words(digits: str) -> PreTokenizer:
    split = pre_tokenizers.Split(Regex(_BEFORE_DIGITS + digits + _AFTER_DIGITS), "isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


_SPLITS: dict[str, Callable[[], PreTokenizer]] = {
    "smollm": _digits,
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    "llama-bpe": lambda: _words(r"\p{N}{1,3}"),
    "qwen2": lambda: _words(r"\p{N}"),
}


def _sentencepiece(vocabulary: _Vocabulary) -> tuple[Tokenizer, bool]:
    """The kind of Llama 1 and 2: BPE over characters, spaces as marks, bytes for what is left. BOS is usual."""
    if vocabulary.value("precompiled_charsmap") is not None:
        raise vocabulary.error("a table that rewrites characters")
    if vocabulary.value("remove_extra_whitespaces", False):
        raise vocabulary.error("spaces removed before splitting")
    if len(vocabulary.of_type(_BYTE)) != 256:
        raise vocabulary.error("not the 256 tokens for single bytes")
    unknown = next(iter(vocabulary.of_type(_UNKNOWN)), None)
    model = BPE(vocabulary.ids, _implied_merges(vocabulary), unk_token=unknown, fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    begins_with_space = vocabulary.value("add_space_prefix", True)
    prefix = [normalizers.Prepend(_SPACE)] if begins_with_space else []
    tokenizer.normalizer = normalizers.Sequence([*prefix, normalizers.Replace(" ", _SPACE)])
    strip = [decoders.Strip(" ", 1, 0)] if begins_with_space else []
    bytes_back = [decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([decoders.Replace(_SPACE, " "), *bytes_back, *strip])
    return tokenizer, True


def _implied_merges(vocabulary: _Vocabulary) -> list[tuple[str, str]]:
    """Every way to join two pieces into a third, the third with the best score first: that is how pieces are joined."""
    pieces = set(vocabulary.of_type(_NORMAL))
    scored = [
        (-float(score), len(piece) - cut, piece[:cut], piece[cut:])
        for piece, score in zip(vocabulary.tokens, vocabulary.scores(), strict=True)
        if piece in pieces
        for cut in range(1, len(piece))
        if piece[:cut] in pieces and piece[cut:] in pieces
    ]
    return [(left, right) for _, _, left, right in sorted(scored)]


_BUILDERS: dict[str, Callable[[_Vocabulary], tuple[Tokenizer, bool]]] = {"gpt2": _byte_level, "llama": _sentencepiece}


def _frame(tokenizer: Tokenizer, vocabulary: _Vocabulary, adds_bos: bool) -> None:
    """Let encode() put the begin and end tokens around the text, where the file or its kind of tokenizer wants them."""
    wanted = {
        "bos": vocabulary.value("add_bos_token", adds_bos),
        "eos": vocabulary.value("add_eos_token", False),
    }
    ids = {role: vocabulary.token_id(role) for role, is_wanted in wanted.items() if is_wanted}
    frame = {role: (vocabulary.tokens[index], index) for role, index in ids.items() if index is not None}
    if frame:
        first = [frame["bos"][0]] if "bos" in frame else []
        last = [frame["eos"][0]] if "eos" in frame else []
        tokenizer.post_processor = TemplateProcessing(
            single=[*first, "$A", *last],
            pair=[*first, "$A", *last, *(f"{token}:1" for token in first), "$B:1", *(f"{token}:1" for token in last)],
            special_tokens=list(frame.values()),
        )


def _config(vocabulary: _Vocabulary) -> dict[str, Any]:
    roles = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    named = {key: vocabulary.token_id(role) for key, role in roles.items()}
    template = vocabulary.all_metadata.get("tokenizer.chat_template")
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **{key: vocabulary.tokens[index] for key, index in named.items() if index is not None},
        **({"chat_template": template} if isinstance(template, str) and template.strip() else {}),
    }
