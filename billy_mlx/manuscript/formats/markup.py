"""Blocks as elements of XHTML, for books and for pages."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import count

from billy_mlx.manuscript.formats.document import Block, Box, Run, for_xml, is_web_link
from billy_mlx.manuscript.formats.layout import common
from billy_mlx.manuscript.formats.plain import SCENE_BREAK

STYLE = """body { line-height: 1.5; margin: 5%; }
h1, h2, h3, h4, h5, h6 { line-height: 1.2; }
p { margin: 0; text-indent: 1.2em; }
h1 + p, h2 + p, h3 + p, h4 + p, h5 + p, h6 + p, .break + p, li p, p:first-child { text-indent: 0; }
.break { margin: 1.5em 0; text-align: center; text-indent: 0; }
pre { white-space: pre-wrap; }
aside { font-size: 0.85em; margin-top: 1em; }
"""


def elements(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the elements of blocks, opening and closing what they stand in."""
    inside: tuple[Box, ...] = ()
    ids = count(1)
    for block in blocks:
        shared = common(inside, block.inside)
        yield from (f"</{_tag(box)}>\n" for box in reversed(inside[len(shared) :]))
        yield from (_opening(box) for box in block.inside[len(shared) :])
        inside = block.inside
        yield _element(block, ids)
    yield from (f"</{_tag(box)}>\n" for box in reversed(inside))


def _element(block: Block, ids: Iterator[int]) -> str:
    content = "".join(_inline(run) for run in block.runs)
    match block.kind:
        case "heading":
            return f'<h{block.level} id="heading-{next(ids)}">{content}</h{block.level}>\n'
        case "code":
            return f"<pre><code>{escaped(block.text)}</code></pre>\n"
        case "break":
            return f'<p class="break">{SCENE_BREAK}</p>\n'
    return f"<p>{content}</p>\n"


def _inline(run: Run) -> str:
    if run.note is not None:
        return f'<a epub:type="noteref" href="#note-{run.note}"><sup>{run.note}</sup></a>'
    text = escaped(run.text).replace("\n", "<br/>")
    for tag, used in (("code", run.code), ("em", run.emphasis), ("strong", run.strong)):
        text = f"<{tag}>{text}</{tag}>" if used else text
    return f'<a href="{escaped(run.link)}">{text}</a>' if is_web_link(run.link) else text


def _tag(box: Box) -> str:
    return {"quote": "blockquote", "bullets": "ul", "numbers": "ol", "item": "li"}[box.kind]


def _opening(box: Box) -> str:
    start = f' start="{box.first}"' if box.kind == "numbers" and box.first != 1 else ""
    return f"<{_tag(box)}{start}>\n"


def escaped(text: str) -> str:
    """Return a text as XML has it: without what is markup there, and without what it forbids."""
    return escape(for_xml(text))
