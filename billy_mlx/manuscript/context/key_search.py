"""Looking for the keys of a lorebook in a text: words, or patterns of which a stranger's may not hang the program."""

import re
import time
from functools import lru_cache

import regex

from billy_mlx.manuscript.word_patterns import MOST_REPEATS, borders_of, folded, is_too_large, pattern_of
from billy_mlx.text import sanitize

_PATTERN = re.compile(r"/(.+)/([a-zA-Z]*)", re.DOTALL)
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL, "g": 0, "u": 0, "v": 0, "y": 0, "d": 0}
_TIMEOUT_SECONDS = 0.05
_ALL_SECONDS = 0.5  # of all patterns of a lorebook together


class Scan:
    """Looks for keys in texts, with a limit for the time that all patterns together may take.

    Attributes:
        faults: one sentence for each pattern that could not be looked for, or not to the end.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._spent = 0.0
        self._folded: dict[str, str] = {}
        self._known: dict[tuple[str, str, bool, bool, int], tuple[int, int] | None] = {}

    def find(
        self, text: str, key: str, *, case_sensitive: bool, whole_words: bool, begin: int = 0
    ) -> tuple[int, int] | None:
        """Return where the last match of a key starts and ends in `text`, or the first match of a /pattern/.

        Args:
            text: to look in.
            key: words, which are found however they are spelt, or a pattern between slashes with its flags behind.
            case_sensitive: of words; a pattern has its own flag "i".
            whole_words: of words; they are no part of longer ones.
            begin: where in the text to begin.
        """
        pattern = _PATTERN.fullmatch(key)
        if pattern is not None:
            return self._find_pattern(text, begin, key, pattern[1], pattern[2])
        if text not in self._folded:  # once, for thousands of keys
            self._folded[text] = folded(text)
        if _folded_key(key) not in self._folded[text]:  # quick, and nearly always the answer
            return None
        asked = (text, key, case_sensitive, whole_words, begin)
        if asked not in self._known:
            self._known[asked] = _last(text, begin, key, case_sensitive, whole_words)
        return self._known[asked]

    def _find_pattern(self, text: str, begin: int, key: str, body: str, flags: str) -> tuple[int, int] | None:
        begun = time.monotonic()
        try:
            if self._spent > _ALL_SECONDS:
                raise TimeoutError
            found = _compiled(body, flags).search(text, begin, timeout=_TIMEOUT_SECONDS)
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


_folded_key = lru_cache(maxsize=1 << 14)(folded)


def _last(text: str, begin: int, key: str, case_sensitive: bool, whole_words: bool) -> tuple[int, int] | None:
    """Return the last place of words from `begin` on."""
    before, behind = (_border(one) for one in borders_of(key, whole=whole_words))
    end = len(text)
    while (found := _words(key, case_sensitive).match(text, begin, end)) is not None:
        if before.match(text, found.start(1)) and behind.match(text, found.end(1)):
            return found.span(1)
        end = found.end(1) - 1
    return None


@lru_cache(maxsize=4096)
def _words(key: str, case_sensitive: bool) -> re.Pattern[str]:
    """Return the pattern whose group 1 is the last place of `key` in a text; `re` compiles it ten times as fast."""
    # What is greedy goes to the end of the text and comes back from there.
    return re.compile(f"(?s:.*)({pattern_of(key)})", 0 if case_sensitive else re.IGNORECASE)


@lru_cache(maxsize=64)
def _border(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


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
