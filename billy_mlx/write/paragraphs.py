"""The paragraphs of a text, as they are read for personas. No MLX here."""

from collections.abc import Iterator


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield where the lines of a text that hold any words begin, and the lines."""
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, line.rstrip("\r")
        start += len(line) + 1
