"""Voices being written, and what they wrote: as it comes, side by side on a terminal, one after another in a pipe."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

from rich.cells import cell_len, set_cell_size

from billy_mlx.cli.output import (
    advance,
    emphasised,
    on_interrupt,
    on_terminal,
    progress,
    say,
    width,
    wrapped,
    write,
    write_line,
)
from billy_mlx.text import sanitize

if TYPE_CHECKING:
    from billy_mlx.blend.recipe import Take
    from billy_mlx.blend.writer import Writer

_BETWEEN = " │ "
_NARROWEST = 34  # cells of a column: less is hard to read
_WIDEST = 100  # cells of a line: more is hard to read


@dataclass(frozen=True)
class Generation:
    """One text and how it was made, as `billy generate --json` gives it.

    Attributes:
        blend: the text form; None for the model alone, as `dose` and `mode`.
        positions: "all" if the prompt was steered, too, or "response".
        prompt_tps: tokens of the prompt a second, `generation_tps` of the text.
        peak_memory_gb: in 10**9 bytes.
        finish_reason: "stop", "length" or "interrupted"; None while it is being written.
    """

    text: str
    model: str
    blend: str | None
    dose: str | None
    mode: str | None
    layers: tuple[int, ...]
    positions: str
    seed: int
    prompt_tokens: int
    generation_tokens: int
    prompt_tps: float
    generation_tps: float
    peak_memory_gb: float
    finish_reason: str | None

    @classmethod
    def of(cls, take: "Take") -> "Generation":
        """Return what is told of a take."""
        voice, turn, cost = take.voice, take.turns[-1], take.cost
        return cls(
            text=take.text,
            model=take.made_with.model,
            blend=voice.spelled,
            dose=str(voice.dose) if voice.weights else None,
            mode=str(voice.mode) if voice.weights else None,
            layers=turn.layers,
            positions="all" if turn.everywhere else "response",
            seed=take.recipe.seed,
            prompt_tokens=len(take.prompt),
            generation_tokens=len(take.tokens),
            prompt_tps=_rate(len(take.prompt), cost.reading_seconds),
            generation_tps=_rate(len(take.tokens) - 1, cost.writing_seconds),
            peak_memory_gb=cost.peak_memory_gb,
            finish_reason=take.ended,
        )


def stream(writer: "Writer") -> Generation:
    """Write one text and put it out as it comes; Ctrl+C ends it where it is."""
    aloud = Aloud()
    with on_interrupt(writer.stop), progress("Reading the prompt", unit=" tokens") as bar:
        for step in writer:
            advance(bar, step.prompt_tokens_read, step.prompt_tokens)
            for news in step.emitted:
                bar.close()
                aloud.add(news.text)
    aloud.end()
    return Generation.of(writer.take(0))


def write_all(writer: "Writer") -> list[Generation]:
    """Write all texts with a progress bar and return them; Ctrl+C ends them where they are."""
    total = sum(take.recipe.max_tokens for take in writer.takes())
    with on_interrupt(writer.stop), progress("Writing", unit=" tokens", total=total) as bar:
        for _ in writer:
            advance(bar, sum(map(writer.done, range(len(writer)))))
    return [Generation.of(take) for take in writer.takes()]


class Aloud:
    """Puts text out as it comes; a terminal gets it broken between words."""

    def __init__(self) -> None:
        self._flow = Flow(width()) if on_terminal() else None

    def add(self, text: str) -> None:
        """Put out what can be of this and what came before."""
        write(text if self._flow is None else self._flow.add(sanitize(text)))

    def end(self) -> None:
        """Put out the rest, and end the line."""
        write_line("" if self._flow is None else f"{self._flow.end()}\n")


class ShownText(Protocol):
    """A text in a voice."""

    @property
    def text(self) -> str:
        """What it wrote."""

    @property
    def blend(self) -> str | None:
        """Whose voice it is; None for the unsteered model."""


def show(generations: Sequence[ShownText]) -> None:
    """Put out finished voices: on a terminal as many side by side as can be read, in a pipe one after another."""
    if not on_terminal():
        for generation in generations:
            write(f"=== {label(generation)} ===\n\n{generation.text}\n\n")
        return
    at_once = per_band(len(generations), width())
    for first in range(0, len(generations), at_once):
        _show_band(generations[first : first + at_once])


def label(generation: ShownText) -> str:
    """Return the name of the voice: its blend."""
    return "unsteered" if generation.blend is None else generation.blend


def summarise(generations: Sequence[Generation]) -> None:
    """Say on stderr what it takes to get the same again, how fast it was, and why it ended."""
    tokens = sum(generation.generation_tokens for generation in generations)
    seconds = max(each.generation_tokens / each.generation_tps if each.generation_tps else 0.0 for each in generations)
    rate = tokens / seconds if seconds else 0.0
    reasons = {generation.finish_reason for generation in generations}
    notes = [f"{tokens} token{'s' * (tokens != 1)}", f"--seed {generations[0].seed}"]
    notes += [f"{rate:.1f} a second"] * (rate > 0)
    notes += ["stopped by you"] * ("interrupted" in reasons)
    notes += ["cut off at the length asked for (-m)"] * ("length" in reasons)
    say(", ".join(notes))


def per_band(count: int, width: int) -> int:
    """Return how many of `count` columns of a readable width go side by side, all bands as full as can be."""
    fitting = max(1, (width + len(_BETWEEN)) // (_NARROWEST + len(_BETWEEN)))
    bands = -(-count // fitting)
    return -(-count // bands)


def side_by_side(texts: Sequence[str], width: int) -> Iterator[list[str]]:
    """Yield line after line of `texts` set next to one another in `width` cells: a list of equally wide pieces."""
    each = (width - len(_BETWEEN) * (len(texts) - 1)) // len(texts)
    for pieces in zip_longest(*(wrapped(text, each) for text in texts), fillvalue=""):
        yield [set_cell_size(piece, each) for piece in pieces]


def _rate(tokens: int, seconds: float) -> float:
    return tokens / seconds if tokens > 0 and seconds > 0 else 0.0


def _show_band(generations: Sequence[ShownText]) -> None:
    for line in side_by_side([label(each) for each in generations], width()):
        sys.stdout.write(f"{_BETWEEN.join(map(emphasised, line))}\n")
    rule = "─┼─".join("─" * cell_len(piece) for piece in line)
    write_line(rule)
    for line in side_by_side([sanitize(each.text).strip("\n") for each in generations], width()):
        write_line(_BETWEEN.join(line).rstrip())
    write_line()


class Flow:
    """Sets text as it comes: a word is put out when it is whole, on the next line if it does not fit on this one."""

    def __init__(self, width: int) -> None:
        self._width = min(width, _WIDEST)
        self._filled = 0
        self._spaces = ""
        self._word = ""

    def add(self, text: str) -> str:
        """Return what can be put out now that `text` has come."""
        return "".join(self._take(character) for character in text.replace("\t", "    "))

    def end(self) -> str:
        """Return the rest."""
        return self._place()

    def _take(self, character: str) -> str:
        if character not in " \n":
            self._word += character
            return ""
        placed = self._place()
        if character == " ":
            self._spaces += " "
            return placed
        self._spaces, self._filled = "", 0
        return f"{placed}\n"

    def _place(self) -> str:
        if not self._word:
            return ""
        spaces, word = self._spaces, self._word
        self._spaces = self._word = ""
        needed = len(spaces) + cell_len(word)
        if self._filled and self._filled + needed > self._width:
            self._filled = cell_len(word)
            return f"\n{word}"
        self._filled += needed
        return f"{spaces}{word}"
