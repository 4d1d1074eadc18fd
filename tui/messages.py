"""Messages that widgets send to their screen: small values. No widget calls a model or touches a manuscript's file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from textual.message import Message

from billy_mlx.blend.blend import Blend
from billy_mlx.errors import BillyError


@dataclass
class EngineMessage(Message):
    """An event of the engine, on its way to whoever shows it (`engine.messages`, `write.messages`)."""

    event: object

    bubble = False


@dataclass
class BlendChanged(Message):
    """The dials were moved: the blend as it is now."""

    blend: Blend


@dataclass
class VectorWanted(Message):
    """Personas that have no vector for the model, or a weak one, are to get one."""

    personas: tuple[str, ...]
    again: bool = False


@dataclass
class VectorUnwanted(Message):
    """The making of vectors is to be cancelled."""


@dataclass
class StatusMessage(Message):
    """A sentence for the writer, for the status line; `trouble` if it is bad news."""

    text: str
    trouble: bool = False


@contextmanager
def errors_shown(show: Callable[[str], None]) -> Iterator[None]:
    """Hand an error that the writer can put right to `show`, and continue behind the block."""
    try:
        yield
    except BillyError as error:
        show(str(error))
