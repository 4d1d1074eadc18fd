"""The writer's own text, from files, and the name that its voice gets."""

from collections.abc import Sequence

from billy_mlx.errors import UsageError
from billy_mlx.extraction.card import PERSONA_ID, load_personas
from billy_mlx.manuscript.textfile import NotText, text_of
from billy_mlx.paths import expanded
from billy_mlx.text import without_strays

_MOST_TEXT = 1 << 26  # bytes


def read_own_text(files: Sequence[str], name: str | None) -> str:
    """Return the text of all `files`, for a voice that is to be called `name`.

    Raises:
        UsageError: a file or the name is missing or cannot be used.
    """
    if not files or name is None:
        raise UsageError(
            "Name the files of your text and the voice: billy extract --from-text novel.md --name my-voice"
        )
    if not PERSONA_ID.fullmatch(name):
        raise UsageError("--name takes lower-case letters, digits, - and _, such as my-voice")
    if name in load_personas().personas:
        raise UsageError(f"There is a persona called {name}, whose vector this would replace; choose another --name")
    return "\n\n".join(map(_read_text, files))


def _read_text(file: str) -> str:
    path = expanded(file)
    if not path.is_file():
        raise UsageError(f"{path} is not a file; name files of text, such as novel.md")
    if path.stat().st_size > _MOST_TEXT:
        raise UsageError(f"{path} is larger than {_MOST_TEXT >> 20} MiB; give a part of it")
    try:
        return without_strays(text_of(path.read_bytes(), path))
    except NotText:
        raise UsageError(f"{path} is not UTF-8 text; save it as plain text in UTF-8") from None
