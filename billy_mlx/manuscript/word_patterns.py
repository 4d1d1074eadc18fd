"""How one word can be spelt, and where words begin and end in each script: what finds words in a text.

Letters and accents match composed and apart, white space between words matches any run of it, and quotation marks match
curly and straight. A whole word is one that no other letter touches. Some scripts put no spaces round words, so any
place counts; Korean puts particles behind a word, Arabic and Hebrew put short words before it.
"""

import math
from functools import lru_cache
from itertools import permutations
from unicodedata import normalize

import regex

_TITLES = "들 님 씨 군 양 네"
_PARTICLES = (
    "이 가 은 는 을 를 의 도 만 과 와 랑 이랑 하고 에 에서 에게 에게서 에겐 에게로 한테 한테서 께 께서 께서는 더러 "
    "보고 로 으로 로서 으로서 로써 으로써 로부터 으로부터 부터 까지 마저 조차 밖에 처럼 같이 만큼 보다 마다 대로 "
    "뿐 커녕 나 이나 든 이든 든지 이든지 라도 이라도 야 이야 야말로 이야말로 여 이여 시여 이시여 아 요 이요 서"
)
_IS = (
    "다 이다 고 이고 며 이며 자 이자 지 이지 지만 이지만 라 이라 라고 이라고 라는 이라는 란 이란 라면 이라면 라서 "
    "이라서 니까 이니까 니 이니 인 인데 인가 인지 인들 일 일까 던 이던 면서 이면서 므로 이므로 로군 이로군 "
    "로구나 이로구나 군요 이군요 네요 이네요 죠 이죠 예요 이에요 에요 랍니다 이랍니다"
)
_WAS = "였 이었 셨 이셨 입니"  # with any ending

_QUOTES = ("'‘’‚‛", '"“”„‟')
_ANY_QUOTE = {quote: f"[{group}]" for group in _QUOTES for quote in group}
_VOWEL_POINTS = {"Arabic": "\u0640\u064b-\u0652\u0670", "Hebrew": "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"}
_POINT = regex.compile(f"[{''.join(_VOWEL_POINTS.values())}]")
_FOLDS: dict[int, str | None] = {
    **{ord(quote): group[0] for group in _QUOTES for quote in group},
    **{code: None for code in range(0x590, 0x671) if _POINT.match(chr(code))},
}

# Scripts that are written without spaces between words, and the sign that makes a kana long, which is of no script.
_SPACELESS = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc\uff70\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    + (r"\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Javanese}\p{Balinese}")
)
_NO_MARK = r"(?!\p{M})"  # a letter with an accent, or a consonant with a vowel on it, is another letter
_OTHER = rf"[^\W_\u200c\u200d{_SPACELESS}\p{{Hangul}}\p{{Arabic}}\p{{Hebrew}}]"
_UNIT = regex.compile(r"\s+|\S\p{M}*")
_MOST_MARKS = 3  # on one letter, for which each order and each way to compose them is spelt out

MOST_REPEATS = 10_000
_COUNT = regex.compile(r"(?<=\{[^{}]*)\d+")


def _either(words: str) -> str:
    """Return a pattern of any of the words, composed or in single letters."""
    forms = {normalize(form, word) for word in words.split() for form in ("NFC", "NFD")}
    return f"(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form)))})"


PARTICLES = rf"{_either(_TITLES)}?{_either(_PARTICLES)}{{0,3}}(?:{_either(_IS)}|{_either(_WAS)}\p{{Hangul}}*)?"
"""The pattern of what may stand behind a noun, at most three particles and a form of "to be", or nothing."""


def _prefixed(script: str, prefixes: str) -> str:
    """Return what must stand before a word of `script`: no letter of it, or one of the `prefixes` that words have."""
    return rf"(?<=(?<![^\W_\P{{{script}}}]|\p{{M}}|\u0640){prefixes})"


def _pointed(letters: str, script: str) -> str:
    return f"[{letters}][{_VOWEL_POINTS[script]}]*"


def _arabic() -> str:
    one, preposition = _pointed("وفأ", "Arabic"), _pointed("بكلس", "Arabic")
    article = _pointed("ا", "Arabic") + _pointed("ل", "Arabic")
    return f"(?:{one})?(?:{preposition})?(?:{article}|{_pointed('ل', 'Arabic')})?"


def _hebrew() -> str:
    first, second = _pointed("ו", "Hebrew"), _pointed("כלמ", "Hebrew")
    return f"(?:{first})?(?:(?:{second})?{_pointed('ש', 'Hebrew')})?(?:{_pointed('הבלמכ', 'Hebrew')})?"


# For a letter at the end of what is looked for: what must stand before it, and behind it, for a whole word.
_ENDS: tuple[tuple[str, str, str], ...] = (
    (rf"[{_SPACELESS}]", "", _NO_MARK),
    (r"\p{Hangul}", r"(?<!\p{Hangul})", rf"(?={PARTICLES}(?!\p{{Hangul}}))"),
    (r"\p{Arabic}", _prefixed("Arabic", _arabic()), rf"(?![^\W_\P{{Arabic}}]|\u0640){_NO_MARK}"),
    (r"\p{Hebrew}", _prefixed("Hebrew", _hebrew()), rf"(?![^\W_\P{{Hebrew}}]){_NO_MARK}"),
    (r"[^\W_]", rf"(?<!{_OTHER})", rf"(?!{_OTHER})"),
)


def pattern_of(words: str, *, exact: bool = False) -> str:
    """Return the pattern of `words` in each way they can be spelt; `borders_of` says what may stand around it.

    White space at the ends matches as it stands, or replacing "word " would swallow line ends.

    Args:
        words: what is looked for.
        exact: tell quotation marks apart, and texts with Arabic or Hebrew vowel points from those without.
    """
    units = _UNIT.findall(_looked_for(words, exact))
    last = len(units) - 1
    spelt = [
        (r"\s+" if 0 < place < last else regex.escape(unit, special_only=False))
        if unit.isspace()
        else _spelt(unit, exact)
        for place, unit in enumerate(units)
    ]
    return "".join(spelt)


@lru_cache(maxsize=4096)
def borders_of(words: str, *, whole: bool) -> tuple[str, str]:
    """Return what must stand before and behind `words`, as patterns for the `regex` library that take up no characters.

    Args:
        words: what is looked for.
        whole: it is no part of a longer word; if not, it only is no letter without its accent.
    """
    before, behind = _ends(words[:1])[0], _ends(normalize("NFC", words)[-1:])[1]
    return (before, behind) if whole else ("", _NO_MARK if behind else "")


def folded(text: str) -> str:
    """Return `text` without what its spelling may differ in: a text that holds words holds them folded, too."""
    plain = normalize("NFD", text.translate(_FOLDS)).casefold()
    return " ".join(plain.translate(_FOLDS).split())  # again, for the points that were in one letter with theirs


def _looked_for(words: str, exact: bool) -> str:
    composed = normalize("NFC", words)
    return composed if exact else _POINT.sub("", composed) or composed


def _spelt(unit: str, exact: bool) -> str:
    """Return the pattern of one letter with its marks."""
    if not exact and unit in _ANY_QUOTE:
        return _ANY_QUOTE[unit]
    ways = [regex.escape(way) for way in sorted(_ways(unit), key=len, reverse=True)]
    spelt = ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
    script = None if exact else next((one for one in _VOWEL_POINTS if regex.match(rf"\p{{{one}}}", unit)), None)
    return spelt if script is None else f"{spelt}[{_VOWEL_POINTS[script]}]*"


@lru_cache(maxsize=1024)
def _ways(unit: str) -> frozenset[str]:
    """Return how a letter with its marks can be written: composed, apart, and in between."""
    apart = normalize("NFD", unit)
    base, marks = apart[0], apart[1:]
    orders = permutations(marks) if len(marks) <= _MOST_MARKS else (tuple(marks),)
    tried = {
        normalize("NFC", base + "".join(order[:count])) + "".join(order[count:])
        for order in orders
        for count in range(len(marks) + 1)
    }
    return frozenset({unit, *(way for way in tried if normalize("NFD", way) == apart)})


def _ends(letter: str) -> tuple[str, str]:
    return next(((before, behind) for kind, before, behind in _ENDS if regex.match(kind, letter)), ("", ""))


def is_too_large(pattern: str) -> bool:
    """Return whether a pattern repeats things more than 10,000 times, all its counts multiplied.

    As if each stood inside the one before: `regex` spells repeats out when it compiles, and its time limit comes later.
    """
    return math.prod(max(int(count[:9]), 1) for count in _COUNT.findall(pattern)) > MOST_REPEATS
