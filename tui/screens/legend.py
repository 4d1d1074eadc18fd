"""Who wrote what, in words: each sign in the margin with what it stands for, and who wrote the text at the cursor."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.naming import MODEL_ALONE, name_of
from billy_mlx.errors import BlendError
from billy_mlx.manuscript.chronicle import when_written
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.manuscript.prose import UNKNOWN, WRITER, Author
from billy_mlx.manuscript.provenance import UNSTEERED, first_voice, words_by_span
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings

_THERE = "already there, or added by another program"
_SEVERAL = "several voices"
_NOT_RECORDED = "a model; the voice was not recorded"
_YOU = "none"
_SIGNS = (
    "▎ marks a line that one voice wrote, + a line that several wrote, perhaps you among them.",
    "┊ marks a draft that you have not taken yet, and − what a rewrite would remove.",
    "When the text is coloured by a persona, ▁ to ▇ show how much each sentence reads like it. That is measured: it "
    "does not say who wrote the sentence.",
)


@dataclass(frozen=True)
class MarginEntry:
    """One sign in the margin.

    Attributes:
        mark: the sign; empty for the writer's own words.
        who: what it stands for, in words.
        words: how many words in the text are theirs.
        passages: how many passages of a voice are in the text.
        moved: its dials were moved while it wrote some of them.
        dates: when its passages were written, as they say it themselves; in any order.
    """

    mark: str
    who: str
    words: int = 0
    passages: frozenset[Author] = frozenset()
    moved: bool = False
    dates: tuple[str, ...] = ()


class LegendScreen(Screen[None]):
    """The legend of a text.

    Args:
        entries: its signs.
        here: who wrote what stands at the cursor, in words.
    """

    PLACES: ClassVar[tuple[str, ...]] = ()
    BINDINGS = bindings("anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = "LegendScreen VerticalScroll { height: 1fr; padding: 0 1; }"

    def __init__(self, entries: Sequence[MarginEntry], here: str) -> None:
        super().__init__()
        self._entries, self._here = entries, here

    def compose(self) -> ComposeResult:
        """Yield the legend."""
        with VerticalScroll():
            yield Static(_text(self._entries, self._here, time.time()), id="legend")
        yield Footer(show_command_palette=False)

    def action_back(self) -> None:
        """Go back to the page."""
        self.dismiss()


def legend(
    manuscript: Manuscript, mark_of: Callable[[Author], str], titles: Mapping[str, str]
) -> tuple[MarginEntry, ...]:
    """Return the signs that are in a text now: the writer, then the voices by their letters, then the rest.

    Args:
        manuscript: the text.
        mark_of: gives the sign of an author.
        titles: names of personas by their ids.
    """
    found: dict[str, MarginEntry] = {}
    prose = manuscript.prose
    for span, words in zip(prose.authors.spans(), words_by_span(prose), strict=True):
        mark, passage = mark_of(span.author), manuscript.passage(span.author)
        begun = manuscript.drafts.begun_in(span.author)
        who = _who(span.author, passage, begun, titles)
        entry = found.get(mark) or MarginEntry(mark, who)
        joined = _joined(entry, span.author, passage, words)
        found[mark] = joined if entry.who == who else replace(joined, who=_SEVERAL)  # there are more than letters
    return tuple(sorted(found.values(), key=lambda entry: (bool(entry.mark), not entry.passages, entry.mark)))


def described(entry: MarginEntry, now: float) -> str:
    """Return an entry as a line, without its sign: who, when, how much."""
    count = len(entry.passages)
    many = f"{count} passage{'s' * (count != 1)}, " if count else ""
    said = [entry.who, _span(entry, now), f"{many}{entry.words:,} word{'s' * (entry.words != 1)}"]
    return " · ".join(part for part in said if part) + (" · dials were turned" if entry.moved else "")


def at_place(manuscript: Manuscript, offset: int, titles: Mapping[str, str], now: float) -> str:
    """Return who wrote the character at a place, or the last one at the end of the text: who, when, which blend."""
    prose = manuscript.prose
    if not len(prose):
        return "there is no text here yet"
    author = prose.authors.at(min(offset, len(prose) - 1))
    passage, begun = manuscript.passage(author), manuscript.drafts.begun_in(author)
    if author == WRITER:
        return "you wrote this"
    if author == UNKNOWN:
        return "this was already there, or another program added it; the author is not known"
    if passage is None:
        return f"this is by {_who(author, None, begun, titles)}"
    names = ", then ".join(dict.fromkeys(voice_name(voice.spelled, titles) for voice in passage.voices))
    parts = [f"this is by {names}", when_written(passage.date, now), passage.model and f"model {passage.model}"]
    return sanitize(", ".join(part for part in parts if part))


def voice_name(blend: str | None, titles: Mapping[str, str]) -> str:
    """Return what a writer calls a blend; None or "unsteered" is the model alone."""
    if blend is None or blend == UNSTEERED:
        return MODEL_ALONE
    try:
        return name_of(Blend.stored(blend), titles)
    except BlendError:
        return sanitize(blend)


def _text(entries: Sequence[MarginEntry], here: str, now: float) -> Content:
    head = [Content.styled("Who wrote what", "bold $primary"), Content(f"At the cursor: {here}.\n")]
    rows = [Content(f"{entry.mark or _YOU:<6}{described(entry, now)}") for entry in entries]
    empty = [Content("There is no text here yet.")]
    return Content("\n").join([*head, *(rows or empty), Content(""), *map(Content, _SIGNS)])


def _who(author: Author, passage: Passage | None, begun: str | None, titles: Mapping[str, str]) -> str:
    if author in (WRITER, UNKNOWN):
        return "you" if author == WRITER else _THERE
    if passage is None and begun is None:
        return _NOT_RECORDED
    return voice_name(begun if passage is None else first_voice(passage), titles)


def _joined(entry: MarginEntry, author: Author, passage: Passage | None, words: int) -> MarginEntry:
    return replace(
        entry,
        words=entry.words + words,
        passages=entry.passages | {author} if author > 0 else entry.passages,
        moved=entry.moved or (passage is not None and len({voice.blend for voice in passage.voices}) > 1),
        dates=(*entry.dates, passage.date) if passage is not None and passage.date else entry.dates,
    )


def _span(entry: MarginEntry, now: float) -> str:
    """Return when the passages of an entry were written: the first and the last of them."""
    dates = sorted(entry.dates)
    said = dict.fromkeys(when_written(date, now) for date in (dates[:1] + dates[-1:]))
    return " to ".join(date for date in said if date)
