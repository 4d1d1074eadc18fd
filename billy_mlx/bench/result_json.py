"""A result as a JSON document, and back."""

import msgspec

from billy_mlx.bench.result import Result
from billy_mlx.errors import BillyError


def to_json(result: Result) -> str:
    """Return everything that was found, as JSON of two spaces' indent that ends with a newline."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n"


def from_json(text: str | bytes) -> Result:
    """Return the result that `to_json` wrote.

    Raises:
        BillyError: the text is no JSON, or not that of a result.
    """
    try:
        return msgspec.json.decode(text, type=Result)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BillyError(
            f"this is not the JSON of a benchmark's result: {error}; make it again with: billy bench report"
        ) from error
