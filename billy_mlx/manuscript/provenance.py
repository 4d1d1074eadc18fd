"""Who wrote what: shares of the words, notes for readers, and data for programs."""

import hashlib
import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Prose, Span
from billy_mlx.stray import encoded
from billy_mlx.text import sanitize
from billy_mlx.words import WORD, count_words

_QUOTED = 6  # words

UNSTEERED = "unsteered"
NOT_RECORDED = "a model, not recorded how"


@dataclass(frozen=True)
class Share:
    """How much of a text is by one author.

    Attributes:
        who: "you", "unknown", or what `voice_of` says of the passages.
        words: how many.
        share: of all words, 0 to 1.
    """

    who: str
    words: int
    share: float


def shares(prose: Prose, passages: Mapping[Author, Passage]) -> tuple[Share, ...]:
    """Return who wrote how many words: the writer first, then the voices by their words, then unknown.

    A word that several wrote counts for whoever wrote most of it. Who wrote no word is left out.
    """
    words: Counter[str] = Counter()
    for span, count in zip(prose.authors.spans(), words_by_span(prose), strict=True):
        words[_who(span.author, passages)] += count
    total = words.total()
    order = sorted((who for who in words if words[who]), key=lambda who: (who != "you", who == "unknown", -words[who]))
    return tuple(Share(who, words[who], words[who] / total) for who in order)


def voice_of(passage: Passage) -> str:
    """Return the blends of a passage in the order they spoke, with arrows between; "unsteered" for the bare model."""
    blends = [voice.spelled or UNSTEERED for voice in passage.voices]
    moved = [blend for index, blend in enumerate(blends) if index == 0 or blend != blends[index - 1]]
    return " → ".join(moved) or UNSTEERED


def first_voice(passage: Passage) -> str:
    """Return the blend that a passage began in; "unsteered" for the bare model."""
    return passage.voices[0].spelled or UNSTEERED


def words_by_span(prose: Prose) -> tuple[int, ...]:
    """Return how many words each span of `prose.authors.spans()` has; together they are all words of the text."""
    word, spans = re.compile(WORD), list(prose.authors.spans())
    starts = [span.start for span in spans]
    counts = [0] * len(spans)
    at = 0
    for index, span in enumerate(spans):
        if span.end <= at:
            continue
        start, end = _around(prose.text, span.end, at)
        counts[index] += len(word.findall(prose.text, at, start))
        for found in word.finditer(prose.text, start, end):
            counts[_most(spans, starts, *found.span())] += 1
        at = end
    return tuple(counts)


def _around(text: str, border: int, floor: int) -> tuple[int, int]:
    """Return where the characters without white space around a border begin, not before `floor`, and end."""
    start = end = border
    while start > floor and not text[start - 1].isspace():
        start -= 1
    while start < border and end < len(text) and not text[end].isspace():
        end += 1
    return start, end


def _most(spans: list[Span], starts: list[int], start: int, end: int) -> int:
    """Return the first span of the author who wrote most of the characters `start` to `end`."""
    first = index = bisect_right(starts, start) - 1
    letters: Counter[Author] = Counter()
    for span in _until(spans, index, end):
        letters[span.author] += min(span.end, end) - max(span.start, start)
    author = max(letters, key=letters.__getitem__)
    return next(index for index in range(first, len(spans)) if spans[index].author == author)


def _until(spans: list[Span], index: int, end: int) -> Iterator[Span]:
    while index < len(spans) and spans[index].start < end:
        yield spans[index]
        index += 1


def _who(author: Author, passages: Mapping[Author, Passage]) -> str:
    if author == WRITER:
        return "you"
    if author == UNKNOWN:
        return "unknown"
    return voice_of(passages[author]) if author in passages else NOT_RECORDED


@dataclass(frozen=True)
class Note:
    """How a passage came to be, in one line of text without markup, and where in the text its last character is."""

    end: int
    text: str


def notes(prose: Prose, passages: Mapping[Author, Passage]) -> tuple[Note, ...]:
    """Return a note for each passage in the text, in the order in which they end."""
    first: dict[Author, Span] = {}
    last: dict[Author, Span] = {}
    words = dict.fromkeys(_models(prose), 0)
    for span, count in zip(prose.authors.spans(), words_by_span(prose), strict=True):
        if span.author in words:
            first.setdefault(span.author, span)
            last[span.author] = span
            words[span.author] += count
    return tuple(
        Note(
            span.end,
            f"From “{_opening(prose.text[first[author].start : first[author].end])}” to here, "
            f"{words[author]} {'word' if words[author] == 1 else 'words'}: {_made(passages.get(author))}.",
        )
        for author, span in sorted(last.items(), key=lambda item: item[1].end)
    )


def sidecar(prose: Prose, passages: Mapping[Author, Passage]) -> bytes:
    """Return who wrote which part of a text as JSON, in UTF-8.

    An object with:
        format: "billy-provenance".
        version: 1; a higher one may mean something else by the same names.
        sha256: of the text as its file has it, in hexadecimal; for another text the spans are of no use.
        characters, words: of the whole text. Characters are Unicode code points.
        shares: list of {who, words, share}; `share` is of all words, 0 to 1.
        spans: list of {start, end, author, words}, in order and without gaps, in characters. `author` is "writer",
            "unknown" or a key of `passages`. A word that several wrote counts for whoever wrote most of it.
        passages: for each number, as a string, how it was made; null if that is not recorded.
    """
    spans = [
        {"start": span.start, "end": span.end, "author": _name(span.author), "words": count}
        for span, count in zip(prose.authors.spans(), words_by_span(prose), strict=True)
    ]
    held = {author: passages.get(author) for author in sorted(_models(prose))}
    data = {
        "format": "billy-provenance",
        "version": 1,
        "sha256": hashlib.sha256(encoded(prose.text, "replace")).hexdigest(),
        "characters": len(prose),
        "words": count_words(prose.text),
        "shares": [asdict(share) for share in shares(prose, passages)],
        "spans": spans,
        "passages": {str(author): passage and passage.spelled.as_json() for author, passage in held.items()},
    }
    return (json.dumps(data, ensure_ascii=True, indent=1) + "\n").encode()


def _models(prose: Prose) -> set[Author]:
    return {author for _, author in prose.authors.runs if author not in (WRITER, UNKNOWN)}


def _name(author: Author) -> str:
    return {WRITER: "writer", UNKNOWN: "unknown"}.get(author, str(author))


def _opening(text: str) -> str:
    words = text.split(maxsplit=_QUOTED)
    return sanitize(" ".join(words[:_QUOTED])) + (" …" if len(words) > _QUOTED else "")


def _made(passage: Passage | None) -> str:
    if passage is None:
        return NOT_RECORDED
    made = [f"voice {voice_of(passage)}", f"model {passage.model}", f"seed {passage.seed}", passage.date]
    return sanitize(", ".join(" ".join(part.split()) for part in made if part))
