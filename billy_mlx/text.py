"""Make text that is not ours safe to print and to store: model output, imported text, names of files and tensors."""

import re

_KEPT = "\n\t"
_CONTROLS = [*range(0x20), 0x7F, *range(0x80, 0xA0)]  # C0, DEL and C1
_BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]  # embeddings, overrides, isolates
_SURROGATES = range(0xD800, 0xE000)

STRAY = range(0x10FE00, 0x10FF00)
"""The code points that stand in a manuscript for bytes of its file that are no text; `billy_mlx.stray` says
how. They never leave it: whoever shows, sends or exports a text has U+FFFD instead."""


# Left alone: joiners (U+200C, U+200D), which emoji and many scripts are spelt with, and the directional marks
# (U+061C, U+200E, U+200F), which right-to-left writers need and which, unlike an override, reverse no letters.
_REPLACEMENTS: dict[int, str | None] = {
    **dict.fromkeys(code for code in _CONTROLS if chr(code) not in _KEPT),
    **dict.fromkeys(_BIDI),
    **dict.fromkeys(STRAY, "\N{REPLACEMENT CHARACTER}"),
    **dict.fromkeys(_SURROGATES, "\N{REPLACEMENT CHARACTER}"),  # they cannot be encoded: printing one would crash
    0x1B: "\N{SYMBOL FOR ESCAPE}",  # shown, so that a swallowed sequence does not read as stray letters
    0x2028: "\n",  # line and paragraph separators: str.splitlines breaks there, most terminals do not
    0x2029: "\n",
}

_STAND_INS = {
    **dict.fromkeys(map(chr, (*_SURROGATES, *STRAY)), "\N{REPLACEMENT CHARACTER}"),
    **{chr(code): chr(0x2400 + code) for code in range(0x20) if chr(code) not in _KEPT},  # "control pictures"
    "\x7f": "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(map(chr, range(0x80, 0xA0)), "\N{SYMBOL FOR SUBSTITUTE FORM TWO}"),
    **dict.fromkeys(map(chr, _BIDI), "\N{RIGHTWARDS ARROW OVER LEFTWARDS ARROW}"),
    "\u2028": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}",
    "\u2029": "\N{PILCROW SIGN}",
}
_ANY_STRAY = "\U0010fe00-\U0010feff"
_UNSAFE = re.compile(  # all of _STAND_INS
    f"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff{_ANY_STRAY}]"
)
_STRAY_BEGINS = b"\xf4\x8f"  # in UTF-8; so do other characters near the end of Unicode, and none that is in use
_STRAY = re.compile(f"[{_ANY_STRAY}]")
_IMPOSSIBLE = re.compile(f"[\0\ud800-\udfff{_ANY_STRAY}]")


def sanitize(text: str) -> str:
    """Return `text` without anything a terminal would obey: only newline and tab are left of the controls.

    Works character by character, so a sequence cut in two by a token boundary is as harmless as a whole one.
    The result can always be encoded as UTF-8. Not for files, pipes and JSON: those get the text unaltered.
    """
    return text.translate(_REPLACEMENTS)


def quoted(text: object, letters: int = 200) -> str:
    """Return somebody else's text as part of a sentence: without what a terminal obeys, on one line, and not too long.

    Args:
        letters: the most that are shown.
    """
    said = " ".join(sanitize(str(text)[: 10 * letters]).split())
    return said if len(said) <= letters else f"{said[: letters - 1]}…"


def visible(text: str) -> str:
    """Return `text` with a sign of one cell for each character that `sanitize` would drop or change.

    As long as `text`, character for character, so that places in the one are places in the other: for an editor.
    """
    return _UNSAFE.sub(lambda found: _STAND_INS[found[0]], text)


def without_strays(text: str) -> str:
    """Return a manuscript's `text` with U+FFFD for each byte of its file that is no text; it is as long as before."""
    return _STRAY.sub("\N{REPLACEMENT CHARACTER}", text) if may_have_strays(text) else text


def may_have_strays(text: str) -> bool:
    """Return whether `text` has a character like those for stray bytes: 30 times as fast as to look for one."""
    return _STRAY_BEGINS in text.encode("utf-8", "surrogatepass")


def storable(text: str, known: str = "") -> str:
    """Return `text` with what UTF-8 cannot hold, or what would make a file binary, replaced: surrogates and NUL.

    So are the characters that stand for a file's stray bytes: who types or pastes one means no byte.

    Args:
        text: what will be stored.
        known: a part of a manuscript that `text` is made of; its stray bytes stay.
    """
    return _IMPOSSIBLE.sub(lambda found: found[0] if found[0] in known else "\N{REPLACEMENT CHARACTER}", text)
