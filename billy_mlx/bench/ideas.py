"""An answer taken apart into its ideas, however a small model has laid it out.

Only marks are taken away and put in, so every word of an idea is the model's.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from billy_mlx.sentences import starts

_CUT_OFF_WORDS = 4  # the least that a last idea has which does not come to its end
_TITLE_WORDS = 8  # the most that stand before an explanation in a paragraph of its own
_WRAPPED = 60  # characters; a line shorter than that was ended on purpose

# What verbalized sampling has around and beside an idea.
_OPENING_TAG = re.compile(r"<(?:response|text|idea|answer|li)>", re.IGNORECASE)
_OTHER_TAG = re.compile(r"</?(?:responses?|text|idea|answer|li|ul|ol|p|br)\s*/?>", re.IGNORECASE)
_PROBABILITY = re.compile(
    r"<probability>[^<\n]{0,20}</probability>|<probability>\s*[\d.,]*\s*%?|</probability>"
    r"|[(\[]\s*(?:probability|prob\.?|p)\s*[:=≈~]?\s*[\d.,]+\s*%?\s*[)\]]"
    r"|\b(?:probability|prob\.)\s*\**\s*[:=≈~]\s*\**\s*[\d.,]*\d\s*%?"
    r"|^[^\w\n]*(?:answer|idea)\s*\d+,?\s*probability\s*[\d.]*\d\s*%?\s*[:.]"
    r"|[(\[]\s*0?\.\d+\s*[)\]]",
    re.IGNORECASE | re.MULTILINE,
)

_BULLET = re.compile(r"\s*(?:[-–—•‣◦·▪●+>]|\*(?!\*)|[A-Ha-h]\))\s*")
_NUMBER = re.compile(
    r"[#*_\s]*(?:\((?P<in_brackets>\d{1,2})\)"
    r"|(?:(?:idea|use|way|example|similarity|question|answer|method|improvement|scenario|option|point)\s*)?"
    r"#?\s?(?P<number>\d{1,2})[*_]*\s*(?:\\?[.:](?!\d)|\)|\s[-–—]\s)"
    r"|idea\s*#?\s?(?P<alone>\d{1,2})[*_\s]*$)\s*",
    re.IGNORECASE,
)
_INLINE_NUMBER = re.compile(r"(?<=\s)[*_(]*(\d{1,2})[.)](?=[\s*_])")
_TITLE = re.compile(r"#{1,6}\s|\*\*[^*]+(?:\*\*|$)|__[^_]+__")
_ONLY_TITLE = re.compile(r"#{1,6}\s.*|(?:\*\*[^*]+\*\*|__[^_]+__|\*\*[^*]+)\W*")
_MARKUP = re.compile(r"^\s*(?:#{1,6}(?=\s)|>)|\*+|__+|`+")

_PREAMBLE = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|ok|great)(?:[!.:]|,? (?:here|i)\b)"
    r"|(?:as an ai|below (?:are|is)|the following|here(?:['’]s|\s+(?:are|is)))\b"
    r"|(?:there are|.{0,60}\b(?:can|could) be used (?:in|for))"
    r" (?:many|several|various|different|a (?:variety|number))\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:(?:i )?hope (?:this|these|that|you)|let me know|feel free|would you like|if you (?:would|want|need|have any)"
    r"|overall|(?:in )?(?:conclusion|summary)|in short|to (?:sum up|conclude)|remember"
    r"|these (?:are|ideas|uses|ways|examples|five)|(?:all|each) of these|have fun|enjoy|good luck)\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(
    r"(?:;\s+(?:or\s+)?|,?\s+or\s+)(?=(?:you|one|it|they|we)\s+(?:could|can|may|might)\b)", re.IGNORECASE
)
_WHOLE = re.compile(r"[.!?…][\"”’')\]]*$")
_LETTER = re.compile(r"[^\W\d_]")

_Kind = Literal["number", "title", "bullet", "plain"]


@dataclass(frozen=True)
class _Line:
    """A line without its mark.

    Attributes:
        indent: characters of white space before the mark.
        after_gap: the line before it is empty.
        is_title: it is a title and nothing else.
    """

    kind: _Kind
    text: str
    indent: int
    after_gap: bool
    is_title: bool


def split_ideas(text: str, *, lists_ideas: bool) -> list[str]:
    """Return the ideas of an answer in their order, each one line, without numbers, bullets and marks for bold.

    What comes before the first idea and after the last one is left out, and so are ideas that come again, a last one
    that is cut off in its first words, and the probabilities that verbalized sampling asks for.

    Args:
        text: the answer.
        lists_ideas: whether it is meant to list ideas; otherwise the whole text is the one idea.
    """
    if not lists_ideas:
        return [text.strip()] if _LETTER.search(text) else []
    lines = list(_lines(_PROBABILITY.sub(" ", _OTHER_TAG.sub("\n", _OPENING_TAG.sub("\n- ", text)))))
    kinds = [line.kind for line in lines]
    if "number" in kinds:
        ideas = _grouped(lines, "number")
    elif kinds.count("title") > 1:
        ideas = _grouped(lines, "title")
    elif "bullet" in kinds:
        ideas = _grouped(lines, "bullet")
    else:
        ideas = _unmarked(lines)
    return _tidy(ideas)


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines that say something, and numbers that stand alone; a list within a paragraph is taken apart."""
    gap = False
    for whole in text.splitlines():
        indent = len(whole) - len(whole.lstrip())
        for part in _parts(whole.strip()):
            line = _line(part, indent, gap)
            if line.kind == "number" or _LETTER.search(line.text):
                yield line
                gap = False
        gap = gap or not whole.strip()


def _parts(line: str) -> list[str]:
    """Return the line cut before each number that goes on counting from 1, or from the number it begins with."""
    found = _NUMBER.match(line, _end(_BULLET.match(line)))
    last = _count(found) if found else 0
    cuts = [0]
    for mark in _INLINE_NUMBER.finditer(line, _end(found)):
        number = int(mark[1])
        follows_clause = line[: mark.start()].rstrip()[-1:] in (*".;:,!?", "")
        if number == last + 1 or (number > last and follows_clause):
            cuts.append(mark.start())
            last = number
    if len(cuts) + (found is not None) < 3:  # one number alone may well be part of a sentence
        return [line]
    return [line[start:end] for start, end in pairwise([*cuts, len(line)])]


def _line(text: str, indent: int, after_gap: bool) -> _Line:
    bullet = _BULLET.match(text)
    number = _NUMBER.match(text, _end(bullet))
    kind: _Kind = "plain"
    if number:
        kind, rest = "number", text[number.end() :]
    elif bullet:
        kind, rest = "bullet", text[bullet.end() :]
    else:
        rest = text.strip()
        kind = "title" if _TITLE.match(rest) else "plain"
    return _Line(kind, _plain(rest), indent, after_gap, _ONLY_TITLE.fullmatch(rest.strip()) is not None)


def _grouped(lines: Sequence[_Line], kind: _Kind) -> list[str]:
    """Return the ideas that begin at lines of this kind; lines between two of them belong to the first."""
    margin = next(line.indent for line in lines if line.kind == kind) + 1  # what is further in belongs to an idea
    begins = [place for place, line in enumerate(lines) if line.kind == kind and line.indent <= margin]
    groups = [list(lines[begin:end]) for begin, end in pairwise([*begins, len(lines)])]
    if kind == "title" and not all(map(_bare, groups)):  # what is bare stands over all of them, or over nothing
        groups = [group for group in groups if not _bare(group) and not _CLOSING.match(group[0].text)] or groups
    for group in groups[:-1]:
        while len(group) > 1 and _heads_next(group[-1]):
            group.pop()
    usual = max((_paragraphs(group) for group in groups[:-1]), default=0)
    return [_joined(group) for group in groups[:-1]] + [_joined(_without_closing(groups[-1], usual))]


def _bare(group: Sequence[_Line]) -> bool:
    return len(group) == 1 and group[0].is_title


def _heads_next(line: _Line) -> bool:
    return line.indent == 0 and line.after_gap and (line.is_title or (line.kind == "plain" and line.text.endswith(":")))


def _paragraphs(group: Sequence[_Line]) -> int:
    return sum(_stands_apart(line) for line in group[1:])


def _stands_apart(line: _Line) -> bool:
    return line.after_gap and line.indent == 0 and line.kind in ("plain", "title")


def _without_closing(group: Sequence[_Line], usual: int) -> list[_Line]:
    """Return the last idea up to where the answer is closed: it has as many paragraphs as the others at most."""
    kept = [group[0]]
    paragraphs = 0
    for line in group[1:]:
        if line.kind in ("plain", "title") and line.indent == 0 and _CLOSING.match(line.text):
            break
        if _stands_apart(line):
            paragraphs += 1
            if paragraphs > usual and not (len(kept) == 1 and _is_short(kept[0].text)):
                break
        kept.append(line)
    return kept


def _is_short(text: str) -> bool:
    return len(text.split()) <= _TITLE_WORDS and not _WHOLE.search(text)


def _unmarked(lines: Sequence[_Line]) -> list[str]:
    """Return one idea for each line, or for each sentence if there is only one line."""
    texts = _without_frame(_unwrapped(lines[1:] if len(lines) > 1 and lines[0].is_title else lines))
    if len(texts) != 1:
        return texts
    sentences = [texts[0][start:end] for start, end in pairwise([*starts(texts[0]), len(texts[0])])]
    return [part for sentence in _without_frame(sentences) for part in _ALTERNATIVE.split(sentence)]


def _unwrapped(lines: Sequence[_Line]) -> list[str]:
    """Return the texts, a line put after the one before it where that was only wrapped, or ends in a colon."""
    texts: list[str] = []
    for line in lines:
        before = texts[-1] if texts else ""
        wrapped = len(before) > _WRAPPED and not line.after_gap and line.text[0].islower() and not _WHOLE.search(before)
        if wrapped or (before.endswith(":") and not _is_preamble(before)):
            texts[-1] = f"{before} {line.text}"
        else:
            texts.append(line.text)
    return texts


def _without_frame(texts: Sequence[str]) -> list[str]:
    kept = list(texts)
    while len(kept) > 1 and _is_preamble(kept[0]):
        kept.pop(0)
    while len(kept) > 1 and _CLOSING.match(kept[-1]):
        kept.pop()
    return kept


def _is_preamble(text: str) -> bool:
    return _PREAMBLE.match(text) is not None or (text.endswith(":") and len(text.split()) > 4)


def _joined(group: Sequence[_Line]) -> str:
    """Return the lines as one, with a colon after a title and a semicolon after a point that has no mark."""
    first, *others = [line.text for line in group if line.text] or [""]
    text = first
    for number, other in enumerate(others):
        mark = "" if not text[-1].isalnum() else ";" if number else ":"
        text = f"{text}{mark} {other}"
    return text


def _tidy(ideas: Sequence[str]) -> list[str]:
    """Return the ideas that say something, each once, without a last one that has hardly begun."""
    texts = [" ".join(idea.split()).strip(" ;,|") for idea in ideas]
    texts = [re.sub(r"[\s,;]+(?:and|or)$", "", text) for text in texts]  # before the next one of a list
    by_key: dict[str, str] = {}
    for text in filter(_LETTER.search, texts):
        by_key.setdefault(text.casefold(), text)
    unique = list(by_key.values())
    if unique and len(unique[-1].split()) < _CUT_OFF_WORDS and not _WHOLE.search(unique[-1]):
        others = unique[:-1]
        if not others or any(_WHOLE.search(text) for text in others):  # and this is no list of bare names
            return others
    return unique


def _plain(text: str) -> str:
    return _MARKUP.sub("", text).strip()


def _count(number: re.Match[str]) -> int:
    return int(number["in_brackets"] or number["number"] or number["alone"])


def _end(found: re.Match[str] | None) -> int:
    return found.end() if found else 0
