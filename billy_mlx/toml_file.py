"""A small TOML file from a stranger: read within bounds, its values checked and made safe to print.

`tomllib` needs 12 s for one 40 KB dotted key, and 4 s for dotted keys below a deep header even when lines are short,
so size, line length and dots per line are bounded before it sees the text: what passes is parsed in under 0.3 s.
"""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from billy_mlx.errors import TomlError
from billy_mlx.text import sanitize

MAX_BYTES = 64 * 1024
MAX_LINE = 4096
MAX_DOTS = 100
_TYPE_NAMES = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}


@dataclass(frozen=True)
class Table:
    """The top-level values of one TOML file; every method raises `kind` with the file, the key and the rule."""

    path: Path
    values: dict[str, object]
    kind: type[TomlError] = TomlError

    def error(self, key: str, rule: str) -> TomlError:
        """Return the error that says which file and key break which rule."""
        return self.kind(_sentence(f"{self.path}: {_short(key)} {rule}"))

    def check_keys(self, *, required: Collection[str], optional: Collection[str] = ()) -> None:
        """Refuse a key that is not known, and one that is missing."""
        allowed = ", ".join([*required, *optional])
        for key in self.values:
            if key not in required and key not in optional:
                raise self.error(key, f"is not a key of this file; allowed are {allowed}")
        for key in required:
            if key not in self.values:
                raise self.error(key, f"is missing; write it (all keys are {allowed})")

    def line(self, key: str, *, most: int) -> str:
        """Return the text under `key`: one line of 1 to `most` characters."""
        text = self.text(key, most=most)
        if "\n" in text:
            raise self.error(key, "has more than one line; write it on one")
        return text

    def text(self, key: str, *, most: int) -> str:
        """Return the text under `key`, 1 to `most` characters, sanitised, without outer white space."""
        return self._checked(key, key, self.values[key], most)

    def number(self, key: str, allowed: range) -> int:
        """Return a whole number."""
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
            raise self.error(key, f"must be a whole number from {allowed.start} to {allowed.stop - 1}")
        return value

    def texts(self, key: str, *, counts: range, most: int) -> tuple[str, ...]:
        """Return the different texts listed under `key`, as many as `counts` allows, each of 1 to `most` characters."""
        values = self.values[key]
        if not isinstance(values, list):
            raise self.error(key, f"must be a list of texts, not {_type_name(values)}")
        if len(values) not in counts:
            raise self.error(key, f"must have {_spell(counts)} entries; it has {len(values)}")
        texts = tuple(self._checked(key, f"{key}, entry {n},", value, most) for n, value in enumerate(values, 1))
        if len(set(texts)) < len(texts):
            raise self.error(key, "has the same entry twice; make them all different")
        return texts

    def _checked(self, key: str, place: str, value: object, most: int) -> str:
        if not isinstance(value, str):
            raise self.error(place, f"must be text in quotes, not {_type_name(value)}")
        text = sanitize(value).strip()
        if not 1 <= len(text) <= most:
            raise self.error(place, f"must have 1 to {most} characters; it has {len(text)}")
        return text


def read_table(path: Path, kind: type[TomlError] = TomlError) -> Table:
    """Return the values of the TOML file at `path`, not yet checked; an error of `kind` if it is no file in bounds."""
    return parse_table(path, _read(path, kind), kind)


def parse_table(path: Path, text: str, kind: type[TomlError] = TomlError) -> Table:
    """Return the values of `text`, which is or will be the file at `path`; an error of `kind` if it is not TOML."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE or line.count(".") > MAX_DOTS:
            rule = f"line {number} has more than {MAX_LINE} characters or {MAX_DOTS} dots; shorten it"
            raise kind(_refusal(path, rule))
    try:
        return Table(path, tomllib.loads(text), kind)
    except RecursionError:
        raise kind(_refusal(path, "it is nested too deeply; only texts and lists of texts are allowed")) from None
    except ValueError as error:  # TOMLDecodeError is one; so is what int() says of a number of 5000 digits
        raise kind(_refusal(path, f"it is not TOML: {_short(str(error), 160)}; correct that place")) from None


def _read(path: Path, kind: type[TomlError]) -> str:
    try:
        # A link could lead anywhere, and reading a pipe or a device may never end.
        if path.is_symlink() or not path.is_file():
            raise kind(_refusal(path, "it is not a regular file; put the file itself there"))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise kind(_refusal(path, f"it cannot be opened ({error.strerror}); make it readable")) from None
    if len(data) > MAX_BYTES:
        raise kind(_refusal(path, f"it is larger than {MAX_BYTES // 1024} KiB; shorten it"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise kind(_refusal(path, "it is not UTF-8 text; save it as UTF-8")) from None


def _refusal(path: Path, rule: str) -> str:
    return _sentence(f"{path} cannot be used: {rule}")


def _sentence(text: str) -> str:
    return " ".join(sanitize(text).split())


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _spell(counts: range) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _type_name(value: object) -> str:
    return _TYPE_NAMES.get(type(value), "a date or time")
