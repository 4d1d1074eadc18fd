"""What the model is sent: each part with what it takes and what was cut, and the text itself."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer, Static

from billy_mlx.manuscript.context.parts import Context, Cut, Part
from billy_mlx.manuscript.context.triggers import Trigger
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.settings import WORDS_A_TOKEN

_BAR_COLUMNS = 50
_FILLS = "█▓▒░"  # neighbours in the bar are told apart by these
_EXCERPT = 300  # characters of a part that are shown in the account
_PLACES = {
    "system": "As sent: the model's role",
    "user": "As sent: the request",
    "prefix": "As sent: the text it continues",
}


class ContextScreen(Screen[None]):
    """The account of what is sent.

    Args:
        context: what is sent, and the account of it.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("context",)
    BINDINGS = bindings("context", "anywhere")  # type: ignore[assignment]
    DEFAULT_CSS = "ContextScreen VerticalScroll { height: 1fr; padding: 0 1; }"

    raw = reactive(False)
    """The text as it is sent is shown, in place of the account."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._sent = context

    def compose(self) -> ComposeResult:
        """Yield the account."""
        with VerticalScroll():
            yield Static(id="sent")
        yield Footer(show_command_palette=False)

    def watch_raw(self) -> None:
        """Show the one or the other."""
        for shown in self.query("#sent").results(Static):
            shown.update(as_sent(self._sent) if self.raw else account(self._sent))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_context_raw(self) -> None:
        """Change between the two."""
        self.raw = not self.raw

    def action_back(self) -> None:
        """Go back to the page."""
        self.dismiss()


def account(context: Context) -> Content:
    """Return the budget, and each part with its tokens, what of it was cut, and what set it off."""
    share = f"{context.tokens:,} of {context.budget:,} tokens"
    head = [Content.styled(f"What the model is sent: {share}", "bold $primary"), Content(_bar(context))]
    words = f"about {context.budget * WORDS_A_TOKEN:,.0f} words"
    head += [Content(f"At most {context.budget:,} tokens, {words}: {sanitize(context.why)}.")] if context.why else []
    head.append(Content(""))
    asked = " ".join(part.text for part in context.parts if part.kind == "instruction")
    head += [Content(f"You asked for: {sanitize(asked)}"), Content("")] if asked else []
    warnings = [Content(f"! {sanitize(warning)}") for warning in context.warnings]
    parts = [line for place, part in enumerate(context.parts) for line in _part(place, part)]
    held = "The space at the end of your text is not sent: the model starts its next word with one."
    return Content("\n").join([*head, *warnings, *parts, *([Content(held)] if context.held_back else [])])


def as_sent(context: Context) -> Content:
    """Return the text as it is sent, place by place; what is empty is left out."""
    lines: list[Content] = []
    for place, title in _PLACES.items():
        text: str = getattr(context.prompt, place)
        if text:
            lines += [Content.styled(title, "bold $primary"), Content(sanitize(text)), Content("")]
    return Content("\n").join(lines) if lines else Content("Nothing is sent: there is no text yet.")


def _bar(context: Context) -> str:
    """Return the budget as a bar; each part has a sign of its own, and what is free is dotted."""
    drawn, tokens = "", 0
    for place, part in enumerate(context.parts):
        tokens += max(0, part.tokens)
        end = min(_BAR_COLUMNS, round(_BAR_COLUMNS * tokens / max(1, context.budget)))
        drawn += _FILLS[place % len(_FILLS)] * (end - len(drawn))
    return f"▕{drawn:·<{_BAR_COLUMNS}}▏"


def _part(place: int, part: Part) -> Iterator[Content]:
    said = [f"{part.tokens:,} tokens"]
    said += [_cut(part.cut)] if part.cut is not None else []
    said += [_trigger(part.trigger)] if part.trigger is not None else []
    title = f"{_FILLS[place % len(_FILLS)]} {sanitize(part.title)}"
    yield Content(f"{title}: {'; '.join(said)}").stylize("bold", 0, len(title))
    if part.text:
        yield Content(sanitize(_excerpt(part)))
    yield Content("")


def _cut(cut: Cut) -> str:
    match cut.where:
        case "all":
            return f"all {cut.chars:,} characters left out: there was no room"
        case "start":
            return f"its first {cut.chars:,} characters were cut"
        case "end":
            return f"its last {cut.chars:,} characters were cut"


def _trigger(trigger: Trigger) -> str:
    if trigger.key is None:
        return "always sent"
    by = "your text" if trigger.by is None else f"the entry {sanitize(trigger.by)}"
    return f"sent because {by} mentions {sanitize(trigger.key)!r}"


def _excerpt(part: Part) -> str:
    """Return the part if it is short, and else the end of what stands before the cursor, or the beginning."""
    text = part.text.strip("\n")
    if len(text) <= _EXCERPT:
        return text
    return f"… {text[-_EXCERPT:]}" if part.kind == "before" else f"{text[:_EXCERPT]} …"
