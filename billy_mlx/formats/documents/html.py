"""HTML out of blocks: a page in one file, with its style in it, and the elements that books are made of, too."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html import escape
from itertools import count

from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.document import Block, Box, Document, Run, common, for_xml, is_web_link
from billy_mlx.formats.documents.plain import SCENE_BREAK

_PAGE = "body { max-width: 38em; margin: 2em auto; padding: 0 1em; }\n"

STYLE = """body { line-height: 1.5; margin: 5%; }
h1, h2, h3, h4, h5, h6 { line-height: 1.2; }
p { margin: 0; text-indent: 1.2em; }
h1 + p, h2 + p, h3 + p, h4 + p, h5 + p, h6 + p, .break + p, li p, p:first-child { text-indent: 0; }
header { margin: 3em 0; text-align: center; }
header p, header + p { text-indent: 0; }
.break { margin: 1.5em 0; text-align: center; text-indent: 0; }
pre { white-space: pre-wrap; }
aside { font-size: 0.85em; margin-top: 1em; }
"""


def html(text: Document, book: Book) -> bytes:
    """Return a page, with the notes at its end."""
    title = " ".join(book.title.split())
    about = _meta("author", book.author) + _meta("description", book.description)
    shown = text.below(title) if title else text
    content = [title_page(book), *elements(shown.blocks, shown.numbers), *notes_of(shown, shown.blocks)]
    body = "".join(content).replace(' epub:type="footnote"', "").replace(' epub:type="noteref"', ' role="doc-noteref"')
    return f"""<!DOCTYPE html>
<html lang="{book.language_tag}" dir="{book.direction}">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width"/>
{about}<title>{escaped(title) or "Untitled"}</title>
<style>
{STYLE}{_PAGE}</style>
</head>
<body>
{body}</body>
</html>
""".encode()


def _meta(name: str, content: str) -> str:
    line = " ".join(content.split())
    return f'<meta name="{name}" content="{escaped(line)}"/>\n' if line else ""


def title_page(book: Book) -> str:
    """Return the elements of a book's title and author; nothing if it has no title."""
    title, author = (escaped(" ".join(for_xml(one).split())) for one in (book.title, book.author))
    byline = f'<p class="author">{author}</p>\n' if author else ""
    return f'<header>\n<h1 class="title">{title}</h1>\n{byline}</header>\n' if title else ""


def elements(blocks: Iterable[Block], numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield the elements of blocks, opening and closing what they stand in; `numbers` are those of the notes."""
    inside: tuple[Box, ...] = ()
    ids = count(1)
    for block in blocks:
        shared = common(inside, block.inside)
        yield from (f"</{_tag(box)}>\n" for box in reversed(inside[len(shared) :]))
        yield from (_opening(box) for box in block.inside[len(shared) :])
        inside = block.inside
        yield _element(block, ids, numbers)
    yield from (f"</{_tag(box)}>\n" for box in reversed(inside))


def notes_of(text: Document, blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the elements of the notes that `blocks` refer to."""
    numbers = text.numbers
    for label in dict.fromkeys(run.note for block in blocks for run in block.runs if run.note):
        first, *others = text.notes[label] or (Block("paragraph"),)
        if first.kind == "paragraph" and not first.inside:
            first = replace(first, runs=(Run(f"{numbers[label]}. "), *first.runs))
        else:
            first, others = Block("paragraph", (Run(f"{numbers[label]}."),)), [first, *others]
        content = "".join(elements([first, *others], numbers))
        yield f'<aside epub:type="footnote" id="note-{numbers[label]}">{content}</aside>\n'


def _element(block: Block, ids: Iterator[int], numbers: Mapping[str, int]) -> str:
    content = "".join(_inline(run, numbers) for run in block.runs)
    match block.kind:
        case "heading":
            return f'<h{block.level} id="heading-{next(ids)}">{content}</h{block.level}>\n'
        case "code":
            return f"<pre><code>{escaped(block.text)}</code></pre>\n"
        case "break":
            return f'<p class="break">{SCENE_BREAK}</p>\n'
    return f"<p>{content}</p>\n"


def _inline(run: Run, numbers: Mapping[str, int]) -> str:
    if run.note:
        number = numbers[run.note]
        return f'<a epub:type="noteref" href="#note-{number}"><sup>{number}</sup></a>'
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
