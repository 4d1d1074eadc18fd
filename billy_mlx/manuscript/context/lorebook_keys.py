"""Looking for the keys of a lorebook in a text: words, or patterns of which a stranger's may not hang the program."""

import re
import time
from functools import lru_cache

import regex

from billy_mlx.manuscript.patterns import MOST_REPEATS, is_too_large
from billy_mlx.manuscript.sentences import CJK
from billy_mlx.text import sanitize

_PATTERN = re.compile(r"/(.+)/([a-zA-Z]*)", re.DOTALL)
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL, "g": 0, "u": 0, "v": 0, "y": 0, "d": 0}
_TIMEOUT_SECONDS = 0.05
_ALL_SECONDS = 0.5  # of all patterns of a lorebook together
_LETTER = rf"(?-i:[^\W{CJK}])"  # without case, which would take long to compile and changes nothing
_STRAIGHT = str.maketrans("‘’“”", "''\"\"")  # one for one, so that places stay what they are


class Scan:
    """Looks for keys in texts, with a limit for the time that all patterns together may take.

    Attributes:
        faults: one sentence for each pattern that could not be looked for, or not to the end.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._spent = 0.0

    def find(self, text: str, key: str, *, case_sensitive: bool, whole_words: bool) -> tuple[int, int] | None:
        """Return where the last match of a key starts and ends in `text`, or the first match of a /pattern/.

        Args:
            text: to look in; of quotation marks, curly ones count as straight.
            key: words, or a pattern between slashes with its flags behind.
            case_sensitive: of words; a pattern has its own flag "i".
            whole_words: of words; a letter may not touch either end. Where no spaces are written, any place counts.
        """
        pattern = _PATTERN.fullmatch(key)
        if pattern is not None:
            return self._find_pattern(text, key, pattern[1], pattern[2])
        straight, lowered = _folded(text)
        key = key.translate(_STRAIGHT)
        if not (key in straight if case_sensitive else key.lower() in lowered):  # quick, and nearly always the answer
            return None
        found = _words(key, case_sensitive, whole_words).match(straight)
        return None if found is None else found.span(1)

    def _find_pattern(self, text: str, key: str, body: str, flags: str) -> tuple[int, int] | None:
        begun = time.monotonic()
        try:
            if self._spent > _ALL_SECONDS:
                raise TimeoutError
            found = _compiled(body, flags).search(text, timeout=_TIMEOUT_SECONDS)
        except TimeoutError:
            self._fault(f"the key {_shown(key)} was not looked for to the end: it takes too long; make it simpler")
            return None
        except (regex.error, RecursionError, OverflowError, ValueError) as error:
            why = sanitize(str(error)) or "it is nested too deeply"
            self._fault(f"the key {_shown(key)} is not a pattern: {why}; put that right, or leave out the slashes")
            return None
        finally:
            self._spent += time.monotonic() - begun
        return None if found is None else found.span()

    def _fault(self, sentence: str) -> None:
        if sentence not in self.faults:
            self.faults.append(sentence)


@lru_cache(maxsize=8)  # thousands of keys are looked for in the same few texts
def _folded(text: str) -> tuple[str, str]:
    """Return `text` with straight quotation marks, and that in small letters."""
    straight = text.translate(_STRAIGHT)
    return straight, straight.lower()


@lru_cache(maxsize=4096)
def _words(key: str, case_sensitive: bool, whole_words: bool) -> re.Pattern[str]:
    """Return the pattern whose group 1 is the last place of `key` in a text."""
    before = rf"(?<!{_LETTER})" if whole_words and re.match(_LETTER, key) else ""
    behind = rf"(?!{_LETTER})" if whole_words and re.match(_LETTER, key[-1:]) else ""
    # What is greedy goes to the end of the text and comes back from there.
    return re.compile(rf"(?s:.*){before}({re.escape(key)}){behind}", 0 if case_sensitive else re.IGNORECASE)


@lru_cache(maxsize=4096)
def _compiled(body: str, letters: str) -> regex.Pattern[str]:
    if is_too_large(body):
        raise ValueError(f"it repeats things more than {MOST_REPEATS} times")
    flags = 0
    for letter in letters:
        if letter not in _FLAGS:
            raise ValueError(f"there is no flag {letter}")
        flags |= _FLAGS[letter]
    return regex.compile(body, flags)


def _shown(key: str) -> str:
    return repr(sanitize(key if len(key) <= 60 else key[:59] + "…"))
