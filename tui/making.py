"""What the application does for those who want vectors: says how long they take, has them made, and shows it."""

from typing import TYPE_CHECKING

from textual.app import App

from billy_mlx.engine.messages import EstimateTime
from billy_mlx.errors import BillyError
from billy_mlx.extraction.card import PersonaSet
from billy_mlx.tui.engine_client import Port
from billy_mlx.tui.messages import VectorUnwanted, VectorWanted
from billy_mlx.tui.screens.writing import WritingScreen
from billy_mlx.tui.vector_job import Preparing, text_to_learn

if TYPE_CHECKING:
    from billy_mlx.tui.screens.personas import LearnWanted


class Making(App[None]):
    """An application that has vectors made while writing goes on.

    Attributes:
        port: the line to the engine.
        preparing: the making of vectors, which goes on from screen to screen.
    """

    port: Port
    preparing: Preparing

    @property
    def personas(self) -> PersonaSet:
        """Every card."""
        raise NotImplementedError

    def tell(self, sentence: str) -> None:
        """Show a sentence to the writer."""
        raise NotImplementedError

    @property
    def _page(self) -> WritingScreen | None:
        """The text that is open, also where another screen lies over it."""
        return next((screen for screen in self.screen_stack if isinstance(screen, WritingScreen)), None)

    def on_vector_wanted(self, message: VectorWanted) -> None:
        """Have vectors made, while writing goes on, if the writer wants that once it is known how long it takes."""
        from billy_mlx.tui.vector_job import VectorQuestion

        if self.preparing.is_busy():
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.preparing.begin(message.personas, again=message.again)
                self._show_preparing()

        job, known = self.port.next_job(), self.personas.personas
        names = [known[each].name if each in known else each for each in message.personas]
        self.push_screen(VectorQuestion(job, names, again=message.again), answered)
        self.port.ask(EstimateTime(job, message.personas, message.again))

    def on_vector_unwanted(self, _: VectorUnwanted) -> None:
        """Make none."""
        self.preparing.cancel()
        self._show_preparing()

    def on_learn_wanted(self, message: "LearnWanted") -> None:
        """Have a voice made of a text: of a file, or of what is open."""
        try:
            manuscript = None if self._page is None else self._page.manuscript
            self.preparing.learn(message.persona_id, *text_to_learn(message.path, manuscript))
            self._show_preparing()
        except BillyError as error:
            self.tell(str(error))

    def _show_preparing(self) -> None:
        if self._page is not None:
            self._page.show_preparing()
