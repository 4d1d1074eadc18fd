"""Who wrote what, as notes for readers and as data for programs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from billy_mlx.manuscript.counts import NOT_RECORDED, shares, voice_of, words_by_span
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author, Prose, Span
from billy_mlx.stray import encoded
from billy_mlx.text import sanitize
from billy_mlx.words import count_words

_QUOTED = 6  # words


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
