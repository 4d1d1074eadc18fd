"""What tokens spell. One token may be half a character, so text comes of them in whole characters only."""

import codecs
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mlx_lm.tokenizer_utils import TokenizerWrapper
from transformers import PreTrainedTokenizerBase

_BYTE = re.compile("<0x([0-9A-Fa-f]{2})>")
_MADE_UP = "\N{REPLACEMENT CHARACTER}"
_TAIL = 8  # tokens of a prompt: a character has four bytes at most, and some tokens spell nothing


class Spelling:
    """The bytes that each token of a tokenizer stands for.

    Tokens of byte-level BPE and of SentencePiece say it themselves; what others add to a text is tried out.

    Args:
        tokenizer: mlx-lm's, or one of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._spell = _speller(tokenizer)
        self._known: dict[int, bytes] = {}

    @property
    def ends(self) -> set[int]:
        """The tokens that end an answer."""
        ends: set[int] = self._tokenizer.eos_token_ids
        return ends

    def of(self, token: int) -> bytes:
        """Return the UTF-8 that a token stands for, which need not be whole characters; nothing if it has no text."""
        if token not in self._known:
            piece = self._piece(token)
            self._known[token] = b"" if piece is None else self._spell(token, piece)
        return self._known[token]

    def unspelt(self, count: int) -> list[int]:
        """Return the ids below `count` that no token has, but for those that end an answer.

        Many models have more embeddings than their tokenizer has tokens: what such an id would write, nobody knows.
        """
        taken = set(self._tokenizer.get_vocab().values()) | self.ends
        return [token for token in range(count) if token not in taken]

    def _piece(self, token: int) -> str | None:
        try:
            piece: str | None = self._tokenizer.convert_ids_to_tokens(token)
        except (IndexError, KeyError, OverflowError, TypeError, ValueError):
            return None  # each tokenizer says in its own way that it has none
        return piece


class Detokenizer:
    """The text of a row, token by token: whole characters only, and none that the tokens do not spell.

    Bytes that cannot be part of any character have no text. mlx-lm's own detokenizers write U+FFFD for these, and for
    half a character at the beginning or the end of a text; and they hold a U+FFFD back that the tokens do spell.

    Args:
        before: the tokens that the text goes on from. Without any a space that the text begins with is left out: many
            tokenizers put one in front of a word.

    Attributes:
        unfinished: how many of the last tokens spell a character of which a part is still to come. Their text is held.
    """

    def __init__(self, spelling: Spelling, before: Sequence[int] = ()) -> None:
        self.unfinished = 0
        self._spelling = spelling
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._held = ""
        self._trims = not before
        for token in before[-_TAIL:]:
            self._decoder.decode(spelling.of(token))

    def add(self, token: int) -> str:
        """Take in the next token and return the text that is whole with it."""
        spelt, ready = self._spelling.of(token), ""
        if self._missing and spelt and spelt[0] & 0xC0 != 0x80:  # the character that was begun does not go on
            ready, self._held, self.unfinished = self._held, "", 0
        self._held += self._decoder.decode(spelt)
        self.unfinished += 1
        if not self._missing:
            ready, self._held, self.unfinished = ready + self._held, "", 0
        return self._trimmed(ready)

    @property
    def _missing(self) -> bool:
        return bool(self._decoder.getstate()[0])

    def _trimmed(self, text: str) -> str:
        if not self._trims or not text:
            return text
        self._trims = False
        return text.removeprefix(" ")


_Speller = Callable[[int, str], bytes]


def _speller(tokenizer: Any) -> _Speller:
    """Return what spells a token, given its id and its name in the vocabulary."""
    own = tokenizer._tokenizer if isinstance(tokenizer, TokenizerWrapper) else tokenizer
    steps = list(_steps(own)) if type(own).decode is PreTrainedTokenizerBase.decode else []
    kinds = {step["type"] for step in steps}
    if kinds == {"ByteLevel"}:
        return _by_letters
    if kinds and kinds <= {"Replace", "Metaspace", "ByteFallback", "Fuse", "Strip"}:
        spaces = [_replaced(step) for step in steps if step["type"] in ("Replace", "Metaspace")]
        if None not in spaces:
            return _Pieces([each for each in spaces if each is not None], bytes_too="ByteFallback" in kinds)
    return _Trial(own)


def _steps(tokenizer: Any) -> Iterator[dict[str, Any]]:
    """Yield the steps of a tokenizer's decoder, flat; a tokenizer of another library has none."""
    decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
    waiting = [] if decoder is None else [json.loads(decoder.__getstate__())]
    while waiting:
        step = waiting.pop(0)
        if step["type"] == "Sequence":
            waiting[:0] = step["decoders"]
        else:
            yield step


def _replaced(step: dict[str, Any]) -> tuple[str, str] | None:
    """Return what a step puts for what; None of a pattern that is not a plain text."""
    if step["type"] == "Metaspace":
        return step["replacement"], " "
    pattern = step["pattern"].get("String")
    return None if pattern is None else (pattern, step["content"])


def _byte_letters() -> dict[str, int]:
    """Return the byte of each letter that byte-level tokenizers write: of one that cannot be seen, from 256 on."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in seen]
    return {chr(byte): byte for byte in seen} | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTES = _byte_letters()


def _by_letters(_: int, piece: str) -> bytes:
    # Of a token that was added with letters of its own, all are meant as they are: so the tokenizers library has it.
    spelt = [_BYTES.get(letter) for letter in piece]
    whole = [byte for byte in spelt if byte is not None]
    return bytes(whole) if len(whole) == len(piece) else piece.encode(errors="replace")


class _Pieces:
    """Tokens that are pieces of text, with a sign for a space, and single bytes where there is no piece."""

    def __init__(self, spaces: Sequence[tuple[str, str]], *, bytes_too: bool) -> None:
        self._spaces, self._bytes_too = spaces, bytes_too

    def __call__(self, _: int, piece: str) -> bytes:
        byte = _BYTE.fullmatch(piece) if self._bytes_too else None
        if byte is not None:
            return bytes([int(byte[1], 16)])
        for sign, text in self._spaces:
            piece = piece.replace(sign, text)
        return piece.encode(errors="replace")


class _Trial:
    """What a token adds to a text, tried out behind a letter: for tokenizers that spell in a way of their own."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._letter: list[int] = list(tokenizer.encode("a", add_special_tokens=False))[-1:]
        self._before = self._decoded(self._letter)

    def __call__(self, token: int, piece: str) -> bytes:
        byte = _BYTE.fullmatch(piece)
        if byte is not None:
            return bytes([int(byte[1], 16)])
        whole = self._decoded([*self._letter, token])
        text = whole[len(self._before) :] if whole.startswith(self._before) else self._decoded([token])
        return (text if _MADE_UP in piece else text.replace(_MADE_UP, "")).encode(errors="replace")

    def _decoded(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text
