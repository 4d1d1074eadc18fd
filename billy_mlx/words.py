"""Words as writers count them."""

import re

CJK = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U000323af"
"""Letters that are written without spaces between words, as a part of a character class."""

# Han and both kana count one by one, as word processors have it; Hangul is written with spaces.
_IN_WORD = rf"[^\s\-–—…{CJK}]*"
# From its first letter or digit to white space, a dash or dots; one hyphen joins, two are a dash. Defined by what
# ends it and not by what it is made of: combining marks are no letters to Python, and would cut words in two.
WORD = rf"[^\W_{CJK}]{_IN_WORD}(?:-(?!-){_IN_WORD})*|[{CJK}]"  # compiled late: it takes long, and the page is first


def count_words(text: str) -> int:
    """Return how many words `text` has: numbers count, `rock-and-roll` is one, and so is each Chinese character."""
    return len(re.findall(WORD, text))


def words_end(text: str, words: int) -> int:
    """Return where the first `words` words of a text end, with the marks that touch them; its end if it has no more."""
    end = 0
    for number, found in enumerate(re.finditer(WORD, text)):
        if number == words:
            between = text[end : found.start()]
            return end + (len(between.split(maxsplit=1)[0]) if between[:1].strip() else 0)
        end = found.end()
    return len(text)
