"""Telling the writer what went wrong, instead of ending."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from billy_mlx.errors import BillyError


@contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand what the writer can put right to `tell`, and go on behind the block."""
    try:
        yield
    except BillyError as error:
        tell(str(error))
