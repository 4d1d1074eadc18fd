"""Every letter of a Word document is in the text, in its order, or a note says what was left out and how much."""

import io
import re
import shutil
import subprocess
import time
import zipfile

import pytest
from docx.oxml.ns import nsmap
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError
from billy_mlx.formats.documents.book import Book
from billy_mlx.formats.documents.markdown_in import document_of
from billy_mlx.manuscript.exporting import Format, export
from billy_mlx.manuscript.importing import read_document
from billy_mlx.manuscript.prose import UNKNOWN, Prose

SPACES = {
    **{prefix: nsmap[prefix] for prefix in ("w", "r", "m", "a", "wp")},
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "x": "urn:nobody-knows-this",
}
NAMES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in SPACES.items())
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def document(body):
    return f'<?xml version="1.0" encoding="UTF-8"?><w:document {NAMES}><w:body>{body}</w:body></w:document>'


def relations(*targets):
    ones = "".join(f'<Relationship Id="r{kind}" Type="{OFFICE}/{kind}" Target="{path}"/>' for kind, path in targets)
    return f'<Relationships xmlns="{PACKAGE}">{ones}</Relationships>'


def styles(*ones):
    return f"<w:styles {NAMES}>{''.join(ones)}</w:styles>"


def style(id, name, about="", kind="paragraph"):
    return f'<w:style w:type="{kind}" w:styleId="{id}"><w:name w:val="{name}"/>{about}</w:style>'


def packed(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def taken(body, **parts):
    """Import a document of this body; other parts by their names in the folder, without the ".xml"."""
    files = {"_rels/.rels": relations(("officeDocument", "word/document.xml")), "word/document.xml": document(body)}
    return read_document(packed(files | {f"word/{name}.xml": part for name, part in parts.items()}), "x.docx")


def r(text, about=""):
    return f'<w:r><w:rPr>{about}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def p(*runs, about=""):
    return f"<w:p><w:pPr>{about}</w:pPr>{''.join(runs)}</w:p>"


def cell(*blocks):
    return f"<w:tc><w:tcPr/>{''.join(blocks)}</w:tc>"


def row(*cells, about=""):
    return f"<w:tr><w:trPr>{about}</w:trPr>{''.join(cells)}</w:tr>"


def table(*rows):
    return f"<w:tbl><w:tblPr/>{''.join(rows)}</w:tbl>"


def box(text):
    shape = f"<wps:wsp><wps:txbx><w:txbxContent>{p(r(text))}</w:txbxContent></wps:txbx></wps:wsp>"
    return f"<w:r><w:drawing><wp:anchor>{shape}</wp:anchor></w:drawing></w:r>"


ANYWHERE = {
    "content control": "<w:sdt><w:sdtPr><w:tabs><w:tab/></w:tabs></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>",
    "custom XML": '<w:customXml w:element="x"><w:customXmlPr/>{}</w:customXml>',
    "choice": '<mc:AlternateContent><mc:Choice Requires="wps">{}</mc:Choice><mc:Fallback/></mc:AlternateContent>',
    "fallback": '<mc:AlternateContent><mc:Choice Requires="x"><x:y/></mc:Choice><mc:Fallback>{}</mc:Fallback>'
    "</mc:AlternateContent>",
    "both": '<mc:AlternateContent><mc:Choice Requires="x">{0}</mc:Choice><mc:Fallback>{0}</mc:Fallback>'
    "</mc:AlternateContent>",
    "inserted": '<w:ins w:id="1">{}</w:ins>',
    "moved here": '<w:moveTo w:id="1">{}</w:moveTo>',
    "unknown": "<x:wrapper><x:inner>{}</x:inner></x:wrapper>",
    "comment in the XML": "<!-- a --><?b c?>{}<!-- d -->",
}
AROUND_RUNS = ANYWHERE | {
    "link": '<w:hyperlink r:id="r1" w:anchor="a">{}</w:hyperlink>',
    "field": '<w:fldSimple w:instr="REF a">{}</w:fldSimple>',
    "smart tag": "<w:smartTag><w:smartTagPr/>{}</w:smartTag>",
    "direction": '<w:dir w:val="rtl"><w:bdo w:val="ltr">{}</w:bdo></w:dir>',
    "base of readings": "<w:r><w:ruby><w:rubyPr/><w:rt/><w:rubyBase>{}</w:rubyBase></w:ruby></w:r>",
}


@pytest.mark.parametrize("outer", AROUND_RUNS)
@pytest.mark.parametrize("inner", AROUND_RUNS)
def test_runs_are_read_whatever_they_are_wrapped_in(outer, inner):
    wrapped = AROUND_RUNS[outer].format(AROUND_RUNS[inner].format(r("in") + r(" it")))
    imported = taken(p(r("a "), wrapped, r(" b")))
    assert (imported.text, imported.notes) == ("a in it b\n", ())


@pytest.mark.parametrize("outer", ANYWHERE)
@pytest.mark.parametrize("inner", ANYWHERE)
def test_paragraphs_rows_and_cells_are_read_whatever_they_are_wrapped_in(outer, inner):
    def wrapped(text):
        return ANYWHERE[outer].format(ANYWHERE[inner].format(text))

    cells = cell(p(r("1"))) + wrapped(cell(p(r("2")), wrapped(p(r("3")))))
    body = p(r("a")) + wrapped(p(r("b"))) + wrapped(table(row(cells), wrapped(row(cell(table(row(cell(p(r("4"))))))))))
    imported = taken(body + p(r("c")))
    assert imported.text == "a\n\nb\n\n1 | 2 3\n\n4\n\nc\n"
    assert imported.notes == ("tables became lines of text",)


SIGNS = {
    '<w:sym w:font="Wingdings" w:char="F04A"/>': "☺",
    '<w:sym w:font="Wingdings" w:char="4A"/>': "☺",
    '<w:sym w:font="Symbol" w:char="F061"/>': "α",
    '<w:sym w:font="Times New Roman" w:char="2014"/>': "—",
    "<w:noBreakHyphen/>": "\u2011",
    "<w:tab/>": "\t",
    "<w:ptab/>": "\t",
    "<w:br/>": "\\\n",
    "<w:t>c\nd</w:t>": "c d",
    "<w:t>c<!-- x -->d<?y z?>e</w:t>": "cde",
    "<m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath>": "x=1",
}


@pytest.mark.parametrize(("sign", "text"), SIGNS.items())
def test_signs_are_letters(sign, text):
    assert taken(p(r("a"), f"<w:r>{sign}</w:r>", r("b"))).text == f"a{text}b\n"


LEFT_OUT = [
    ('<w:r><w:sym w:font="Webdings" w:char="F0FF"/></w:r>', "signs of fonts such as Webdings were left out: 1"),
    ("<w:r><w:softHyphen/></w:r>", "hyphens that show only at the end of a line were left out: 1"),
    (box("in a box"), "pictures and text boxes were left out: 1 (6 letters)"),
    ("<w:r><w:drawing/></w:r>", "pictures and text boxes were left out: 1 (no letters)"),
    (r("out of sight", "<w:vanish/>"), "hidden text was left out (10 letters)"),
    (r("by its style", '<w:rStyle w:val="H"/>'), "hidden text was left out (10 letters)"),
    ("<w:r><w:ruby><w:rt>" + r("とう") + "</w:rt></w:ruby></w:r>", "(furigana) were left out: 1 (2 letters)"),
    (f"<w:moveFrom>{r('there')}</w:moveFrom>", "marked as deleted was left out (5 letters)"),
    ('<w:subDoc r:id="r1"/>', "embedded files that were not read: 1"),
    (
        '<mc:AlternateContent><mc:Choice Requires="x"><w:r/></mc:Choice><mc:Fallback><w:r/></mc:Fallback>'
        f'<mc:Choice Requires="y">{box("boxed")}</mc:Choice></mc:AlternateContent>',
        "text boxes were left out: 1 (5 letters)",
    ),
    (
        "<mc:AlternateContent><mc:Choice Requires='x'><w:t/></mc:Choice><mc:Choice Requires='x'>"
        f"<w:vanish/></mc:Choice><mc:Fallback>{box('old')}</mc:Fallback></mc:AlternateContent>",
        "text boxes were left out: 1 (3 letters)",
    ),
]


@pytest.mark.parametrize(("left_out", "note"), LEFT_OUT)
def test_what_is_left_out_is_said_and_counted(left_out, note):
    hidden = style("H", "Hidden", "<w:rPr><w:vanish/></w:rPr>", "character")
    imported = taken(p(r("a "), left_out, r("b")), styles=styles(hidden))
    assert imported.text == "a b\n"
    assert len(imported.notes) == 1
    assert note in imported.notes[0]


def test_a_version_for_other_programs_that_says_something_else_is_counted():
    both = f"<mc:AlternateContent><mc:Choice Requires='x'>{r('new')}</mc:Choice><mc:Fallback>{r('older')}</mc:Fallback>"
    imported = taken(p(both + "</mc:AlternateContent>"))
    assert imported.text == "new\n"
    assert imported.notes == ("a second version of a passage, for other programs, was left out (5 letters)",)


def test_text_in_a_place_that_nobody_could_expect_is_counted():
    imported = taken(p(r("a"), "<w:sdtPr>" + r("lost") + "</w:sdtPr>"))
    assert imported.text == "a\n"
    assert "is not known here was left out (4 letters)" in imported.notes[0]


def test_what_stands_outside_of_the_body_is_counted():
    def part(kind, one):
        held = f'<w:{one} w:type="separator"><w:p/></w:{one}><w:{one}>{p(r("one two"))}</w:{one}>'
        return f"<w:{kind} {NAMES}>{held}</w:{kind}>"

    parts = {kind: part(kind, kind.rstrip("s")) for kind in ("footnotes", "endnotes", "comments")}
    header = f"<w:hdr {NAMES}>{p(r('My Book'))}</w:hdr>"
    reference = '<w:r><w:footnoteReference w:id="1"/></w:r>'
    imported = taken(p(r("a"), reference), header=header, footer=header.replace("hdr", "ftr"), **parts)
    assert imported.text == "a\n"
    counted = tuple(f"{kind} were left out: 1 (6 letters)" for kind in parts)
    assert imported.notes == (*counted, "headers and footers were left out (12 letters)")


PAGE_FIELDS = [
    '<w:fldSimple w:instr=" PAGE "><w:r><w:t>12</w:t></w:r></w:fldSimple>',
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> PAGE \\* MERGEFORMAT </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>7</w:t></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
]


@pytest.mark.parametrize("field", PAGE_FIELDS)
@pytest.mark.parametrize(("before", "said"), [("", ()), ("1984", ("headers and footers were left out (4 letters)",))])
def test_the_number_of_a_page_is_no_text(field, before, said):
    footer = f"<w:ftr {NAMES}>{p(r(before) + field)}</w:ftr>"
    assert taken(p(r("a")), footer=footer).notes == said


@pytest.mark.parametrize(
    ("main", "leads"),
    [
        ("word/document2.xml", "word/document2.xml"),
        ("word/document.xml", "/word/document.xml"),
        ("Word/Document.XML", "word/document.xml"),
        ("word\\document.xml", "word\\document.xml"),
        ("word/my text.xml", "./word/my%20text.xml"),
        ("main.xml", "main.xml"),
        ("word/document.xml", "word/nothing.xml"),
        ("word/document.xml", None),
    ],
)
def test_the_text_is_where_the_package_says_it_is(main, leads):
    led = {"_rels/.rels": relations(("officeDocument", leads))} if leads else {}
    assert read_document(packed({main: document(p(r("here"))), **led}), "x.docx").text == "here\n"


def test_other_parts_are_where_the_main_part_says_they_are():
    body = p(r("One"), about='<w:pStyle w:val="K"/>')
    files = {
        "_rels/.rels": relations(("officeDocument", "word/document2.xml")),
        "word/document2.xml": document(body),
        "word/_rels/document2.xml.rels": relations(("styles", "styles2.xml"), ("header", "/word/h.xml")),
        "word/styles2.xml": styles(style("K", "heading 2")),
        "word/h.xml": f"<w:hdr {NAMES}>{p(r('top'))}</w:hdr>",
    }
    imported = read_document(packed(files), "x.docx")
    assert (imported.text, imported.notes) == ("## One\n", ("headers and footers were left out (3 letters)",))


def test_strict_open_xml_is_read_as_any_other():
    strict = {
        nsmap["w"]: "http://purl.oclc.org/ooxml/wordprocessingml/main",
        nsmap["m"]: "http://purl.oclc.org/ooxml/officeDocument/math",
        nsmap["r"]: "http://purl.oclc.org/ooxml/officeDocument/relationships",
    }
    body = p(r("One"), about='<w:outlineLvl w:val="0"/>') + p(r("see https://purl.oclc.org", "<w:i/>"))
    files = {"word/document.xml": document(body), "_rels/.rels": relations(("officeDocument", "word/document.xml"))}
    for usual, name in strict.items():
        files = {part: content.replace(usual, name) for part, content in files.items()}
    assert read_document(packed(files), "x.docx").text == "# One\n\n*see https://purl.oclc.org*\n"


HEADINGS = [
    ("K", "heading 3", "", 3),
    ("K", "heading 9", "", 6),
    ("K", "Heading 2,Chapter", "", 2),
    ("K", "Chapter Title", '<w:pPr><w:outlineLvl w:val="0"/></w:pPr>', 1),
    ("K", "Chapter", '<w:basedOn w:val="Heading2"/>', 2),
    ("K", "Front matter", '<w:basedOn w:val="Heading2"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr>', 0),
    ("Heading2", "Kapitel", "", 2),
    ("K", "Überschrift 1", "", 1),
    ("K", "Titre 2", "", 2),
    ("K", "標題 1", "", 1),
    ("K", "제목 2", "", 2),
    ("K", "Заголовок 4", "", 4),
    ("K", "Title", "", 1),
    ("K", "Titel", "", 1),
    ("K", "Body 1", "", 0),
]


@pytest.mark.parametrize(("id", "name", "about", "level"), HEADINGS)
def test_headings_are_known_by_name_outline_and_id(id, name, about, level):
    known = styles(style("Heading2", "heading 2"), style(id, name, about))
    blocks = document_of(taken(p(r("One"), about=f'<w:pStyle w:val="{id}"/>'), styles=known).text).blocks
    assert [(block.text, block.level) for block in blocks] == [("One", level)]


@pytest.mark.parametrize(
    ("about", "level"),
    [
        ('<w:pStyle w:val="Heading1"/>', 1),
        ('<w:pStyle w:val="berschrift2"/>', 2),
        ('<w:pStyle w:val="Ttulo3"/>', 3),
        ('<w:pStyle w:val="Title"/>', 1),
        ('<w:pStyle w:val="Heading1"/><w:outlineLvl w:val="2"/>', 3),
        ('<w:outlineLvl w:val="0"/>', 1),
        ('<w:outlineLvl w:val="9"/>', 0),
        ('<w:pStyle w:val="Nothing1"/>', 0),
    ],
)
def test_headings_are_known_without_a_styles_part(about, level):
    assert document_of(taken(p(r("One"), about=about)).text).blocks[0].level == level


ONE, TWO, THREE = p(r("One.")), p(r("Two.")), p(r("Three."))
EMPTY = p()
RULE = '<w:r><w:pict><v:rect style="width:0;height:1.5pt" o:hr="t"/></w:pict></w:r>'
LINE = '<w:r><w:drawing><wp:anchor><a:prstGeom prst="line"/></wp:anchor></w:drawing></w:r>'
PAGE = '<w:r><w:br w:type="page"/></w:r>'
CENTRE = '<w:jc w:val="center"/>'
BELOW = '<w:pBdr><w:bottom w:val="single"/></w:pBdr>'
ABOVE = '<w:pBdr><w:top w:val="single"/></w:pBdr>'
BREAKS = {
    "stars": p(r("* * *")),
    "an asterisk": p(r("*")),
    "number sign": p(r("#")),
    "tilde": p(r("~")),
    "bullets": p(r("• • •")),
    "wide": p(r("＊\u3000＊\u3000＊")),
    "ornament": p(r("❦")),
    "rule of hyphens": p(r("---")),
    "dash in the middle": p(r("—"), about=CENTRE),
    "in pieces, centred": p(r("*"), "<w:r><w:tab/></w:r>", r("* *"), about=CENTRE),
    "style": p(r("—"), about='<w:pStyle w:val="S"/>'),
    "sign of a font": p('<w:r><w:sym w:font="Webdings" w:char="F0FF"/></w:r>'),
    "border below": p(about=BELOW),
    "border above": p(about=ABOVE),
    "border by style": p(about='<w:pStyle w:val="L"/>'),
    "rule": p(RULE),
    "line": p(LINE),
    "page": p(PAGE),
    "page, centred": p(PAGE, about=CENTRE),
    "section": p(about="<w:sectPr/>"),
    "empty": EMPTY,
    "two empty ones": EMPTY + EMPTY,
    "spaces": p(r(" \u00a0\t ")),
    "stars between empty ones": EMPTY + p(r("***")) + EMPTY,
    "many at once": EMPTY + p(PAGE) + p(RULE) + EMPTY,
}
BREAK_STYLES = styles(
    style("S", "Scene Break", f"<w:pPr>{CENTRE}</w:pPr>"), style("L", "Horizontal Line", f"<w:pPr>{BELOW}</w:pPr>")
)


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_between_scenes_is_one_break_however_it_is_made(name):
    imported = taken(ONE + TWO + BREAKS[name] + THREE + ONE, styles=BREAK_STYLES)
    assert imported.text == "One.\n\nTwo.\n\n***\n\nThree.\n\nOne.\n"


@pytest.mark.parametrize(
    "body",
    [
        p(r("One."), about=BELOW) + TWO,
        ONE + p(r("Two."), about=ABOVE),
        p(r("One."), PAGE) + TWO,
        ONE + p(PAGE, r("Two.")),
        ONE + p(r("Two."), about="<w:pageBreakBefore/>"),
        p(r("One."), PAGE, r("Two.")),
        p(r("One."), RULE, r("Two.")),
        p(r("One."), about="<w:sectPr/>") + TWO,
        ONE + EMPTY + TWO,
    ],
)
def test_a_break_may_be_part_of_a_paragraph_beside_it(body):
    assert taken(body).text == "One.\n\n***\n\nTwo.\n"


def test_empty_lines_are_no_breaks_where_they_stand_between_all_paragraphs():
    regular = (ONE + EMPTY) * 4
    assert taken(regular + TWO).text.count("***") == 0
    assert taken(regular + EMPTY + TWO + EMPTY + ONE).text.count("***") == 1


def test_empty_lines_that_are_no_breaks_for_certain_are_counted():
    imported = taken((ONE + TWO + THREE + EMPTY + ONE + EMPTY) * 4 + TWO)
    assert "***" not in imported.text
    assert imported.notes == ("empty lines between paragraphs were left out: 8; some may be breaks between scenes",)


def test_no_break_stands_beside_a_heading_or_at_the_borders():
    heading = p(r("One"), about='<w:outlineLvl w:val="0"/>')
    gap = EMPTY + p(PAGE) + p(about=BELOW)
    assert taken(gap + heading + gap + TWO + gap + heading + gap).text == "# One\n\nTwo.\n\n# One\n"


@pytest.mark.parametrize("text", ["-", "—", "…", "?!", "x", "1.", "f**k", "* a", "“—”"])
def test_what_somebody_says_is_no_break(text):
    assert [(block.kind, block.text) for block in document_of(taken(p(r(text))).text).blocks] == [("paragraph", text)]


def test_paragraphs_in_one_frame_have_no_breaks_between_them():
    assert "***" not in taken(p(r("a"), about=BELOW) + p(r("b"), about=BELOW)).text


DELETED_MARK = "<w:rPr><w:del w:id='1'/></w:rPr>"


def test_deleted_rows_and_cells_stay_out_and_are_counted():
    gone = row(cell(p(r("gone"))), about="<w:del w:id='1'/>")
    half = row(cell(p(r("kept"))), "<w:tc><w:tcPr><w:cellDel/></w:tcPr>" + p(r("too")) + "</w:tc>")
    imported = taken(table(gone, half, row(cell(table(gone), p(r("in"))))))
    assert "gone" not in imported.text
    assert imported.text == "kept |\n\nin\n"
    assert any("marked as deleted was left out (11 letters)" in note for note in imported.notes)


def test_a_paragraph_whose_end_is_deleted_goes_on_with_the_next():
    body = p(r("One "), about=DELETED_MARK) + p(r("and "), about=DELETED_MARK) + TWO + p(r("x"), about=DELETED_MARK)
    assert (
        taken(body + table(row(cell(p(r("y"))))) + p(r("z"), about=DELETED_MARK)).text
        == "One and Two.\n\nx\n\ny\n\nz\n"
    )


def test_a_paragraph_that_is_deleted_with_its_end_leaves_nothing():
    gone = p("<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>", about=DELETED_MARK)
    assert taken(ONE + gone + TWO).text == "One.\n\nTwo.\n"


def test_a_large_first_letter_belongs_to_its_word():
    assert taken(p(r("O"), about='<w:framePr w:dropCap="drop" w:lines="3"/>') + p(r("nce."))).text == "Once.\n"


LOOKS = [
    (r("x", '<w:u w:val="single"/>'), "*x*", ["underlining became italics (1 letter)"]),
    (r("x", '<w:u w:val="none"/>'), "x", []),
    (r("x", "<w:strike/>"), "x", ["striking through was left out; the words were kept (1 letter)"]),
    (r("x", "<w:dstrike/><w:b/>"), "**x**", ["striking through was left out; the words were kept (1 letter)"]),
    (r("x", '<w:rStyle w:val="E"/>'), "*x*", []),
    (f'<w:hyperlink r:id="r1">{r("x", "<w:u/>")}</w:hyperlink>', "x", []),
    (r("x", '<w:rStyle w:val="Link"/>'), "x", []),
]
LOOK_STYLES = styles(
    style("E", "Emphasis", "<w:rPr><w:i/></w:rPr>", "character"),
    style("Link", "Hyperlink", "<w:rPr><w:u/></w:rPr>", "character"),
    style("T", "Thoughts", "<w:rPr><w:i/></w:rPr>"),
    style("U", "Upright", '<w:basedOn w:val="T"/><w:rPr><w:i w:val="0"/></w:rPr>'),
    style("Q", "Quote", "<w:rPr><w:i/></w:rPr>"),
)


@pytest.mark.parametrize(("run", "text", "notes"), LOOKS)
def test_looks_of_letters_are_kept_where_markdown_has_them_or_said(run, text, notes):
    imported = taken(p(r("a "), run), styles=LOOK_STYLES)
    assert (imported.text, list(imported.notes)) == (f"a {text}\n", notes)


@pytest.mark.parametrize(("id", "text"), [("T", "*a* b\n"), ("U", "a *b*\n"), ("Q", "> a *b*\n")])
def test_italics_of_a_paragraph_are_kept_and_those_of_a_quote_are_its_looks(id, text):
    body = p(r("a "), r("b", '<w:rStyle w:val="E"/>'), about=f'<w:pStyle w:val="{id}"/>')
    assert taken(body, styles=LOOK_STYLES).text == text


def test_numbers_before_headings_are_said_to_be_left_out():
    level = '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>'
    numbering = (
        f'<w:numbering {NAMES}><w:abstractNum w:abstractNumId="0">{level}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    about = '<w:outlineLvl w:val="0"/><w:numPr><w:numId w:val="1"/></w:numPr>'
    imported = taken(p(r("One"), about=about) * 2, numbering=numbering)
    assert imported.notes == ("numbers that Word sets before headings were left out: 2",)


# Documents at random: what is drawn is XML with the letters that are kept and the number of those that are left out.

TEXTS = st.text(st.sampled_from("ab é灯1.*_`#>|-&<\t~"), max_size=6).map(lambda text: f"x{text}")
PLAIN = TEXTS.map(lambda text: (r(text.replace("&", "&amp;").replace("<", "&lt;")), text, 0))
HIDDEN = TEXTS.map(lambda text: (r("ab", "<w:vanish/>"), "", 2))
OUT = st.sampled_from(
    [
        ("<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>", "", 4),
        (f"<w:moveFrom>{r('off')}</w:moveFrom>", "", 3),
        (box("box"), "", 3),
        (
            "<w:r><w:ruby><w:rt>" + r("yomi") + "</w:rt><w:rubyBase>" + r("base") + "</w:rubyBase></w:ruby></w:r>",
            "base",
            4,
        ),
        ("<w:r><w:sym w:font='Symbol' w:char='F061'/></w:r>", "α", 0),
        ("<w:r><w:br/><w:tab/></w:r>", "", 0),
        ('<w:r><w:footnoteReference w:id="1"/></w:r>', "", 0),
        ("<m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num></m:f></m:oMath>", "1", 0),
    ]
)


def together(join):
    def made(ones):
        return join([xml for xml, _, _ in ones]), "".join(text for _, text, _ in ones), sum(lost for *_, lost in ones)

    return made


def wrapped(inner, wrappers):
    def made(name, ones):
        xml, text, lost = together("".join)(ones)
        return wrappers[name].format(xml), text, lost

    return st.builds(made, st.sampled_from(sorted(wrappers)), st.lists(inner, max_size=3))


RUNS = st.recursive(PLAIN | HIDDEN | OUT, lambda inner: wrapped(inner, AROUND_RUNS), max_leaves=8)
ABOUTS = st.sampled_from(
    ["", DELETED_MARK, '<w:outlineLvl w:val="1"/>', BELOW, '<w:numPr><w:numId w:val="1"/></w:numPr>', "<w:sectPr/>"]
    + [f'<w:pStyle w:val="{id}"/>' for id in ("Quote", "Code", "Heading1")]
)
PARAGRAPHS = st.builds(
    lambda about, ones: together(lambda xml: p(*xml, about=about))(ones), ABOUTS, st.lists(RUNS, max_size=4)
)


def tables(blocks):
    cells = st.lists(blocks, max_size=2).map(together(lambda xml: cell(*xml)))
    rows = st.lists(cells, max_size=3).map(together(lambda xml: row(*xml))) | st.just(
        (row(cell(p(r("gone"))), about="<w:del/>"), "", 4)
    )
    return st.lists(rows | wrapped(rows, ANYWHERE), max_size=3).map(together(lambda xml: table(*xml)))


BLOCKS = st.recursive(PARAGRAPHS, lambda inner: tables(inner) | wrapped(inner, ANYWHERE), max_leaves=8)


def signs(text):
    """Return the letters of a text in their order, but the bars that are drawn between cells."""
    return re.sub(r"[\s|]", "", text)


def said(notes):
    """Return how many letters are said to be left out."""
    return sum(
        int(found.replace(",", ""))
        for note in notes
        if "left out" in note
        for found in re.findall(r"\(([\d,]+) let", note)
    )


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCKS, max_size=5).map(together("".join)))
def test_every_letter_comes_in_or_is_counted(drawn):
    body, text, lost = drawn
    imported = taken(body)
    assert signs("".join(block.text for block in document_of(imported.text).blocks)) == signs(text)
    assert said(imported.notes) == lost
    assert not any("not known here" in note for note in imported.notes)


MARKDOWN = st.lists(
    st.builds("{}{}".format, st.sampled_from(["", "# ", "> ", "- ", "1. ", "    ", "***\n\n"]), TEXTS), max_size=6
).map("\n\n".join)


def noted(*body, footnotes=(), endnotes=()):
    def part(kind, ones):
        held = "".join(f'<w:{kind} w:id="{id}">{xml}</w:{kind}>' for id, xml in enumerate(ones, start=1))
        return f'<w:{kind}s {NAMES}><w:{kind} w:type="separator" w:id="-1"><w:p/></w:{kind}>{held}</w:{kind}s>'

    return taken("".join(body), footnotes=part("footnote", footnotes), endnotes=part("endnote", endnotes))


def reference(id, kind="footnote"):
    return f'<w:r><w:{kind}Reference w:id="{id}"/></w:r>'


def test_footnotes_and_endnotes_come_in_as_notes_of_the_text():
    imported = noted(
        p(r("One"), reference(2), r(": two"), reference(1, "endnote"), r(". "), reference(2)),
        p(reference(1), r(": three")),
        footnotes=[p(r("f one")), p("<w:r><w:footnoteRef/></w:r>", r(" f two")) + p(r("and more"))],
        endnotes=[p(r("e *one*"))],
    )
    assert imported.notes == ()
    assert imported.text == (
        "One[^1]: two[^2]. [^1]\n\n[^3]\\: three\n\n[^1]: f two<br>and more\n\n[^2]: e \\*one\\*\n\n[^3]: f one\n"
    )
    document = document_of(imported.text)
    assert ["".join(block.text for block in blocks) for blocks in document.notes.values()] == [
        "f two\nand more",
        "e *one*",
        "f one",
    ]
    assert [block.text for block in document.blocks] == ["One: two. ", ": three"]


@pytest.mark.parametrize(("shown", "text"), [("1", "a[^1][^1]"), ("as said above", "a[^1]as said above")])
def test_what_points_to_a_note_again_is_its_number_alone(shown, text):
    marked = f'<w:bookmarkStart w:id="0" w:name="_n"/>{reference(1)}<w:bookmarkEnd w:id="0"/>'
    field = f'<w:fldSimple w:instr=" NOTEREF _n ">{r(shown)}</w:fldSimple>'
    imported = noted(p(r("a"), marked, field), footnotes=[p(r("note"))])
    assert (imported.text, imported.notes) == (f"{text}\n\n[^1]: note\n", ())


@pytest.mark.parametrize("sign", ["***", "•", "* * *", "---"])
def test_an_ornament_in_a_note_is_text_of_it(sign):
    imported = noted(p(r("a"), reference(1)), footnotes=[p(r(sign)) + p(r("see"))])
    (blocks,) = document_of(imported.text).notes.values()
    assert "".join(block.text for block in blocks).split() == [*sign.split(), "see"]


def test_lines_of_code_in_a_note_are_code_in_it():
    code = "".join(p(r(line), about='<w:pStyle w:val="Code"/>') for line in ("one", "two"))
    imported = noted(p(r("One"), reference(1)), footnotes=[code])
    assert imported.text == "One[^1]\n\n[^1]: `one`<br>`two`\n"


def test_notes_that_nothing_refers_to_are_counted_and_references_in_notes_too():
    imported = noted(p(r("One"), reference(1)), footnotes=[p(r("f one"), reference(2)), p(r("f two"))])
    assert imported.text == "One[^1]\n\n[^1]: f one\n"
    assert imported.notes == ("footnotes were left out: 1 (4 letters)",)


REFERENCES = st.builds(reference, st.integers(1, 4), st.sampled_from(["footnote", "endnote"]))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(REFERENCES.map(lambda xml: (xml, "", 0)) | PLAIN, max_size=4), max_size=4),
    st.lists(PARAGRAPHS, max_size=3),
    st.lists(PARAGRAPHS, max_size=3),
)
def test_every_letter_of_notes_comes_in_or_is_counted(body, footnotes, endnotes):
    imported = noted(
        *(p(*(xml for xml, *_ in runs)) for runs in body),
        footnotes=[xml for xml, *_ in footnotes],
        endnotes=[xml for xml, *_ in endnotes],
    )
    document = document_of(imported.text)
    blocks = [*document.blocks, *(block for note in document.notes.values() for block in note)]
    came = len("".join("".join(block.text for block in blocks).split()))
    drawn = [*(one for runs in body for one in runs), *footnotes, *endnotes]
    assert came + said(imported.notes) == sum(len("".join(text.split())) + lost for _, text, lost in drawn)
    assert "[^" not in "".join(block.text for block in blocks)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(MARKDOWN)
def test_a_text_that_was_exported_comes_back_with_every_letter(text):
    exported = export(Prose.by(UNKNOWN, text), Format.DOCX, Book())["docx"]
    once = "".join(block.text for block in document_of(text).blocks)
    back = "".join(block.text for block in document_of(read_document(exported, "x.docx").text).blocks)
    assert signs(once) == signs(back)


def test_what_is_nested_without_an_end_is_refused_in_a_sentence():
    deep = "<w:sdt><w:sdtContent>" * 5000 + p(r("a")) + "</w:sdtContent></w:sdt>" * 5000
    with pytest.raises(DocumentError, match="nested too deeply"):
        taken(deep)


def test_tables_in_tables_are_read_as_deep_as_anybody_nests_them():
    nested = p(r("a"))
    for _ in range(60):
        nested = table(row(cell(p(r("x")), nested)))
    assert signs(taken(nested).text) == "x" * 60 + "a"


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "<w:p/>" * 200_000,
        table("<w:tr><w:tc><w:p/></w:tc></w:tr>" * 50_000),
        f"<w:p>{'<w:r/>' * 200_000}</w:p>",
        "<mc:AlternateContent><mc:Choice>" * 100 + p("<w:r/>" * 100_000) + "</mc:Choice></mc:AlternateContent>" * 100,
        p("<w:del>" + "<w:r/>" * 100_000 + "</w:del>") * 2,
    ],
)
def test_what_is_large_beyond_sense_takes_seconds(body):
    began = time.process_time()
    assert signs(taken(body).text) == ""
    assert time.process_time() - began < 30


@pytest.mark.parametrize("part", ["document", "styles", "numbering", "footnotes"])
@pytest.mark.parametrize("content", ["", "<w:x", "no XML", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_a_damaged_part_is_named(part, content):
    files = {"word/document.xml": document(ONE), f"word/{part}.xml": content}
    with pytest.raises(DocumentError, match=rf"x\.docx: word/{part}\.xml in the file is damaged"):
        read_document(packed(files), "x.docx")


@pytest.mark.parametrize("main", ["xl/workbook.xml", "content.xml"])
def test_another_zip_file_is_no_word_document(main):
    files = {"_rels/.rels": relations(("officeDocument", main)), main: "<workbook/>"}
    with pytest.raises(DocumentError, match="not a Word document"):
        read_document(packed(files), "x.docx")


OFFICE_PROGRAM = shutil.which("soffice")
PAGE_OF_HTML = """<html><body><h1>Chapter One</h1>
<p>It was a <i>dark</i> night, and <u>Emma</u> <s>slept</s> waited.</p>
<hr><p>Two<sup>nd</sup> scene &amp; more.</p><blockquote>A quotation.</blockquote><ul><li>first<li>second</ul>
<table><tr><td>a<td>b</table><h2>Chapter Two</h2><p>東京 at last.</p></body></html>"""
HTML_TEXT = """# Chapter One

It was a *dark* night, and *Emma* slept waited.

***

Twond scene & more.

> A quotation.

- first
- second

a | b

## Chapter Two

東京 at last.
"""
HTML_NOTES = (
    "underlining became italics (4 letters)",
    "striking through was left out; the words were kept (5 letters)",
    "tables became lines of text",
)
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_ODF_NAMES = " ".join(
    f'xmlns:{name}="{_ODF}{name}:1.0"' for name in ("office", "text", "style", "table", "meta")
) + "".join(f' xmlns:{name}="{_ODF}{end}:1.0"' for name, end in (("fo", "xsl-fo-compatible"), ("draw", "drawing")))
OPEN_DOCUMENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document {_ODF_NAMES} xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.2"
 office:mimetype="application/vnd.oasis.opendocument.text"><office:automatic-styles>
<style:style style:name="New" style:family="paragraph">
<style:paragraph-properties fo:break-before="page"/></style:style>
<style:style style:name="Drop" style:family="paragraph">
<style:paragraph-properties><style:drop-cap style:lines="3" style:length="1"/></style:paragraph-properties>
</style:style>
<style:style style:name="Hid" style:family="text"><style:text-properties text:display="none"/></style:style>
<style:style style:name="Ruby" style:family="ruby"/></office:automatic-styles><office:body><office:text>
<text:tracked-changes><text:changed-region text:id="c1"><text:deletion><office:change-info><dc:creator>a</dc:creator>
<dc:date>2020-01-01T00:00:00</dc:date></office:change-info><text:p>removed</text:p></text:deletion>
</text:changed-region></text:tracked-changes>
<text:p text:style-name="Drop">Once<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>
<text:note-body><text:p>A foot note.</text:p></text:note-body></text:note> there <text:change
 text:change-id="c1"/>was.</text:p>
<text:p><text:ruby text:style-name="Ruby"><text:ruby-base>東京</text:ruby-base><text:ruby-text
>とうきょう</text:ruby-text>
</text:ruby> end<text:span text:style-name="Hid"> secret</text:span>.</text:p><text:p/>
<text:p>After<office:annotation><text:p>a comment</text:p></office:annotation>.</text:p>
<text:p>Still.<draw:frame draw:name="f" text:anchor-type="paragraph"><draw:text-box><text:p
>In a box</text:p></draw:text-box>
</draw:frame></text:p><text:p text:style-name="New">On a new page.</text:p></office:text></office:body>
</office:document>"""
OPEN_DOCUMENT_TEXT = (
    "Once[^1] there was.\n\n東京 end.\n\n***\n\nAfter.\n\nStill.\n\n***\n\nOn a new page.\n\n[^1]: A foot note.\n"
)
OPEN_DOCUMENT_NOTES = (
    "text that is marked as deleted was left out (7 letters); what is marked as inserted was kept",
    "readings above words (furigana) were left out: 1 (5 letters)",
    "hidden text was left out (6 letters)",
    "comments were left out: 1 (8 letters)",
    "pictures and text boxes were left out: 1 (6 letters)",
)


@pytest.mark.slow
@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize(
    ("name", "content", "text", "notes"),
    [
        ("x.html", PAGE_OF_HTML.encode(), HTML_TEXT, HTML_NOTES),
        ("x.fodt", OPEN_DOCUMENT.encode(), OPEN_DOCUMENT_TEXT, OPEN_DOCUMENT_NOTES),
        ("x.docx", export(Prose.by(UNKNOWN, HTML_TEXT), Format.DOCX, Book())["docx"], HTML_TEXT, ()),
    ],
)
def test_what_libreoffice_writes_comes_in_with_every_letter(tmp_path, name, content, text, notes):
    (tmp_path / name).write_bytes(content)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    run = [OFFICE_PROGRAM, profile, "--headless", "--writer", "--convert-to", "docx:MS Word 2007 XML"]
    subprocess.run([*run, "--outdir", tmp_path / "out", tmp_path / name], check=True, capture_output=True, timeout=300)
    imported = read_document((tmp_path / "out" / "x.docx").read_bytes(), "x.docx")
    assert imported.text == text
    assert set(imported.notes) == set(notes)
