"""A queue for keys: those that come while a command is carried out wait, so that they go where it leads."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.events import Event, Key
from textual.timer import Timer

LONGEST_SECONDS = 2.0
"""How long keys wait at most: something that never says that it is done must not leave the keyboard dead."""


class KeyQueue:
    """Hands on keys and pastes, one after the other.

    Textual hands every key to what has the focus at once, and a screen that a key opens has it only after some turns of
    the queues: letters that follow quickly would go into the text below. A letter that is typed into a text leads
    nowhere, and delays nothing.

    Args:
        app: whose keys they are.
        hand_on: does with an event what is done without this.
    """

    def __init__(self, app: App[Any], hand_on: Callable[[Event], Awaitable[None]]) -> None:
        self._app, self._hand_on = app, hand_on
        self._waiting: deque[Event] = deque()
        self._carried_out: int | None = None  # the number of the gesture that is; None if none is
        self._count = 0
        self._timer: Timer | None = None

    async def take(self, event: Event) -> None:
        """Hand an event on, or have it wait for its turn."""
        if self._carried_out is not None or self._waiting:
            self._waiting.append(event)
        else:
            await self._turn(event)

    async def _turn(self, event: Event) -> None:
        target = self._app.focused or self._app.screen
        leads = isinstance(event, Key) and not target.check_consume_key(event.key, event.character)
        await self._hand_on(event)
        if leads:
            self._count += 1
            self._carried_out = number = self._count
            self._timer = self._app.set_timer(LONGEST_SECONDS, lambda: self._over(number))
            self._follow([*target.ancestors_with_self], number)

    def _follow(self, nodes: Sequence[DOMNode], number: int) -> None:
        """Go the way that the key goes, from what has the focus to the app; then see to all that is on the screen."""
        for place, node in enumerate(nodes):
            if node is not self._app and node.call_later(self._follow, nodes[place + 1 :], number):
                return
        self._app.call_later(self._see_all, number)

    def _see_all(self, number: int) -> None:
        """Wait for everything on the screen, as it is now, to have done what it was asked."""
        everything = self._app.screen.walk_children(with_self=True)
        left = 1

        def done() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._app.call_later(self._over, number)  # behind the focus that any of them has asked for

        for node in everything:
            left += node.call_later(done)
        done()

    async def _over(self, number: int) -> None:
        if number != self._carried_out:
            return
        self._carried_out = None
        if self._timer is not None:
            self._timer.stop()
        while self._waiting and self._carried_out is None:
            await self._turn(self._waiting.popleft())
