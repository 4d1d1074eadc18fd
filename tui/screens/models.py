"""Which models this machine can run: get one, and prepare a few voices for it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer, Label, OptionList, ProgressBar
from textual.widgets.option_list import Option

from billy_mlx.engine.messages import Ended, Failed, ModelOffer, ModelsListed, Progress
from billy_mlx.text import sanitize
from billy_mlx.tui.commands import bindings
from billy_mlx.tui.dates import time_left
from billy_mlx.tui.messages import VectorUnwanted
from billy_mlx.tui.widgets.fields import Choices
from billy_mlx.vectors.card import PersonaSet

_FEW = 4  # voices that are prepared if the writer does not choose
_FIRST = "writing"  # the group of cards that writers see first


class ModelsScreen(Screen[tuple[str, tuple[str, ...]] | None]):
    """First the models, then the voices to prepare; gives the model's hub id and the persona ids, or None.

    Args:
        surveyed: what could be run here.
        personas: every card.
        running: how far a job is that was begun here before; None if there is none.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("offer",)
    BINDINGS = bindings("anywhere", "offer")  # type: ignore[assignment]
    DEFAULT_CSS = """
    ModelsScreen > Label { width: 100%; padding: 0 2; }
    ModelsScreen #title { text-style: bold; color: $primary; padding: 1 2 0 2; }
    ModelsScreen #hint { color: $text-muted; padding: 0 2 1 2; }
    ModelsScreen OptionList { height: 1fr; padding: 0 1; }
    ModelsScreen OptionList, ModelsScreen OptionList:focus { border: none; }
    ModelsScreen ProgressBar { padding: 0 2; }
    """

    progress: reactive[Progress | None] = reactive(None, bindings=True)
    """How far the running job is; None if there is none."""

    def __init__(self, surveyed: ModelsListed, personas: PersonaSet, running: Progress | None = None) -> None:
        super().__init__()
        self._surveyed = surveyed
        cards = personas.personas.values()
        self._cards = sorted(cards, key=lambda card: card.group != _FIRST)  # a stable sort: writing voices first
        self._chosen: ModelOffer | None = None
        self.set_reactive(ModelsScreen.progress, running)

    def compose(self) -> ComposeResult:
        """Yield the words, both lists, of which one is shown, and how far a job is."""
        yield Label("", id="title", markup=False)
        yield Label("", id="hint", markup=False)
        yield OptionList(*(Option(described(offer)) for offer in self._surveyed.offers), id="models", markup=False)
        few = [index for index, card in enumerate(self._cards) if card.group == _FIRST][:_FEW]
        yield Choices([f"{card.name}: {card.description}" for card in self._cards], few, id="voices")
        yield Label("", id="stage", markup=False)
        yield ProgressBar(total=1, show_eta=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the models."""
        self._show()
        self._show_progress()

    def on_engine_event(self, event: object) -> None:
        """Take in an event of the engine."""
        match event:
            case Progress():
                self.progress = event
            case Ended(job=job) | Failed(job=job) if self.progress is not None and job == self.progress.job:
                self.progress = None

    def watch_progress(self) -> None:
        """Show how far the job is."""
        if self.is_mounted:
            self._show_progress()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Show the voices to prepare."""
        event.stop()
        if self.progress is not None:
            self.notify("A model is being prepared already; wait, or cancel that first.", markup=False)
            return
        self._chosen = self._surveyed.offers[event.option_index]
        self._show()

    def on_choices_done(self, event: Choices.Done) -> None:
        """Begin."""
        event.stop()
        if not event.chosen:
            self.notify("Mark at least one voice with space.", markup=False)
        elif self._chosen is not None:
            self.dismiss((self._chosen.repo, tuple(self._cards[index].id for index in event.chosen)))

    def action_offer_cancel(self) -> None:
        """Cancel the running job."""
        if self.progress is not None:
            self.app.screen_stack[-2].post_message(VectorUnwanted())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to cancel only what runs."""
        return action != "offer_cancel" or self.progress is not None

    def action_back(self) -> None:
        """Go back to the models, or leave."""
        if self._chosen is None:
            self.dismiss(None)
        else:
            self._chosen = None
            self._show()

    def _show_progress(self) -> None:
        progress, bar, stage = self.progress, self.query_one(ProgressBar), self.query_one("#stage", Label)
        bar.display = stage.display = progress is not None
        if progress is not None:
            bar.update(progress=progress.share)
            stage.update(f"{sanitize(progress.stage)}{time_left(progress.seconds_left)}")

    def _show(self) -> None:
        models, voices = self.query_one("#models", OptionList), self.query_one("#voices", Choices)
        models.display, voices.display = self._chosen is None, self._chosen is not None
        title, hint = _of_models(self._surveyed) if self._chosen is None else _of_voices(self._chosen)
        self.query_one("#title", Label).update(title)
        self.query_one("#hint", Label).update(hint)
        shown = models if self._chosen is None else voices
        shown.focus()
        if shown.highlighted is None and shown.option_count:
            shown.highlighted = 0


def described(offer: ModelOffer) -> Content:
    """Return what a writer wants to know of a model, in three lines."""
    fetched = "✓ is on this machine" if offer.here else f"↓ {offer.download_gb:.1f} GB to download"
    facts = f"  {fetched} · {offer.memory_gb:.1f} GB of memory · licence {sanitize(offer.licence)}"
    return Content.assemble(
        (sanitize(offer.name), "bold"),
        f"  {sanitize(offer.repo)}\n{facts}\n",
        (f"  {sanitize(offer.why)}\n", "$text-muted"),
    )


def _of_models(surveyed: ModelsListed) -> tuple[str, str]:
    starter = "The starter model is a demonstration: it shows what voices do, but it is not a good writer."
    memory = f"This machine has {surveyed.memory_gb:.0f} GB of memory."
    if not surveyed.offers:
        return "No larger model fits", f"{starter} {memory} To try any other, run: billy model get NAME"
    return (
        "Models that fit this machine",
        f"{starter} {memory} Enter gets one and prepares voices for it. To get any other, run: billy model get NAME",
    )


def _of_voices(offer: ModelOffer) -> tuple[str, str]:
    begun = "prepares these" if offer.here else f"downloads {offer.download_gb:.1f} GB and prepares these"
    return (
        f"Voices for {sanitize(offer.name)}",
        f"Space marks a voice, enter {begun}, Esc goes back. You can keep writing, and prepare more at any time.",
    )
