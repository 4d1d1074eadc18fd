"""Bytes of a file that are no text: kept as they are wherever the text goes, and shown, sent and exported as U+FFFD."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError, ManuscriptError
from billy_mlx.manuscript.changes import changes_of
from billy_mlx.manuscript.draft import Alternative
from billy_mlx.manuscript.find import Query, find_all, replacements
from billy_mlx.manuscript.importing import read_document
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.prose import Author
from billy_mlx.manuscript.textfile import read_text_file, text_of
from billy_mlx.stray import decoded, encoded, is_nearly_utf8, strays_in
from billy_mlx.text import STRAY, sanitize, storable, visible, without_strays

SHOWN = "\N{REPLACEMENT CHARACTER}"
LINES = "Er sagte „ja“, „nein“ – „schön“.\n".encode() * 4
BAD = LINES + b"And a \xff here.\n" + LINES
REAL = chr(STRAY[7]).encode()
PIECES = st.sampled_from(
    [
        *(b"\xff", b"\xc3", b"\xe2\x80", b"\0", b"\x80", b"\xf4\x8f", b"\xfe"),
        *(b"\xc0\xaf", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"),
        *(b"\xef\xbb\xbf", b"\r\n", b"\n", b"\r", REAL, "灯é„“".encode(), b"words and "),
    ]
)
BYTES = st.binary(max_size=40) | st.lists(PIECES | st.binary(max_size=3), max_size=12).map(b"".join)


@pytest.fixture
def novel(tmp_path):
    path = tmp_path / "novel.md"
    path.write_bytes(BAD)
    return path


# Bytes and text.


@settings(max_examples=400)
@given(BYTES)
def test_any_bytes_come_back_as_they_were(data):
    text = decoded(data)
    assert encoded(text) == data
    assert "\0" not in text
    text.encode()  # no surrogates


@given(BYTES)
def test_bytes_that_are_text_are_decoded_as_ever(data):
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    if "\0" not in text and text == without_strays(text):
        assert decoded(data) == text


@given(BYTES, st.integers(0, 40), st.integers(0, 5), st.text(st.characters(codec="utf-8"), max_size=5))
def test_an_edit_leaves_all_other_bytes_as_they_are(data, start, length, new):
    text = decoded(data)
    assert encoded(text[:start] + new + text[start + length :]).startswith(encoded(text[:start]))
    assert encoded(text[:start] + new + text[start + length :]).endswith(encoded(text[start + length :]))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=3), st.booleans(), st.sampled_from([b"", b"\xef\xbb\xbf"]), st.integers(0, 50))
def test_a_file_is_saved_with_all_its_bytes_but_for_the_edit(tmp_path_factory, pieces, crlf, bom, where):
    lines = LINES.replace(b"\n", b"\r\n") if crlf else LINES
    data = bom + lines * 80 + b" x ".join(pieces) + lines
    path = tmp_path_factory.mktemp("files") / "novel.md"
    path.write_bytes(data)
    manuscript = Manuscript.open(path)
    manuscript.edit(where, where, "new ")
    manuscript.save()
    manuscript.close()
    own = encoded(decoded(data[len(bom) :])[:where])
    assert path.read_bytes() == bom + own + b"new " + data[len(bom) + len(own) :]
    manuscript = Manuscript.open(path)
    assert manuscript.versions.undo()
    manuscript.save()
    manuscript.close()
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "data",
    [
        BAD,
        LINES + "die Brücke – schön".encode()[:-2],  # cut
        "naïve caf".encode() + b"\xc3",
        b"Only the end, a quote \xe2\x80",
        b"Only the end, caf\xc3",
        b"One\0two.\n",
        b"\xef\xbb\xbfAll ASCII, and \xff.",
        LINES + REAL,
        LINES + b"\xc0\xaf",
        LINES + b"\xed\xa0\x80",
    ],
)
def test_a_few_bytes_that_are_no_text_are_opened_and_imported(tmp_path, data):
    path = tmp_path / "novel.md"
    path.write_bytes(data)
    file = read_text_file(path)
    assert strays_in(file.text) is not None
    imported = read_document(data, "novel.md")
    assert imported.text == without_strays(file.text)
    assert "no text, shown as" in imported.notes[0]


@pytest.mark.parametrize(
    "data",
    [
        "Der Leuchtturmwärter zählte die Lichter über dem Hafen.\n".encode("cp1252") * 5,
        b"He went to the caf\xe9",
        b"It\x92s dark.\n" * 9,
        "Night\n".encode("utf-16"),
        "Night\n".encode("utf-16-le"),
        "Ночь".encode("cp1251"),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)),
        b"PK\x03\x04" + bytes(range(256)),
        bytes(100),
        bytes(range(256)) * 9,
        b"\xef\xbb\xbf" + b"\xff" * 50,
    ],
)
def test_what_is_refused_can_be_imported_or_is_called_what_it_is(tmp_path, data):
    path = tmp_path / "novel.md"
    path.write_bytes(data)
    with pytest.raises(ManuscriptError) as told:
        read_text_file(path)
    if "import it into a new text instead, with billy import" in str(told.value):
        read_document(data, "novel.md")
    else:
        with pytest.raises(DocumentError, match=re.escape(str(told.value))):
            read_document(data, "novel.md")


SIGNED = (b"\xef\xbb\xbf", b"PK\x03\x04", b"%PDF", b"{\\rtf", b"GIF87a", b"GIF89a")
"""What files of other kinds begin with, and texts hardly ever."""


@given(BYTES)
@example(b"GIF8")
def test_what_is_opened_can_be_imported_with_the_same_words(data):
    try:
        text = text_of(data, Path("novel.md"))
    except ManuscriptError as told:
        if "import it into" in str(told):
            read_document(data, "novel.md")
    else:
        if is_nearly_utf8(data) and not data.startswith(SIGNED):
            assert read_document(data, "novel.md").text == without_strays(text)


def test_a_text_whose_other_letters_were_deleted_opens_again(novel):
    manuscript = Manuscript.open(novel)
    place = manuscript.text.index(chr(STRAY[0xFF]))
    manuscript.edit(place + 1, len(manuscript.text), "")
    manuscript.edit(0, place - 2, "")
    manuscript.save()
    manuscript.close()
    assert novel.read_bytes() == b"a \xff"
    moved = novel.rename(novel.with_name("moved.md"))
    manuscript = Manuscript.open(moved)
    assert sanitize(manuscript.text) == f"a {SHOWN}"
    manuscript.close()


# What is shown.


def test_it_is_shown_as_the_sign_for_it_and_as_long(novel):
    text = read_text_file(novel).text
    assert visible(text) == sanitize(text) == without_strays(text) == BAD.decode(errors="replace")


def test_the_lines_and_the_count_are_said_at_each_opening(novel):
    for _ in range(2):
        manuscript = Manuscript.open(novel)
        assert manuscript.notices == (f"line 5 has 1 byte that is no text, shown as {SHOWN} and kept",)
        manuscript.close()


def test_it_is_said_to_a_reader_too(novel):
    manuscript, reader = Manuscript.open(novel), Manuscript.open(novel)
    assert reader.read_only == reader.notices[0]
    assert reader.notices[1].startswith("line 5 has 1 byte")
    manuscript.close()


def test_many_lines_are_not_all_named():
    text = decoded(b"\xff\n" * 7 + b"\n\xff\xff")
    assert strays_in(text, "x.txt") == "lines 1, 2, 3, 4, 5 and others of x.txt have 9 bytes that are no text"


# What is done with it.


def test_it_stays_through_a_crash_and_a_version_and_a_copy(novel, tmp_path):
    manuscript = Manuscript.open(novel)
    manuscript.edit(0, 2, "")
    manuscript._lock.release()  # as a crash does
    manuscript = Manuscript.open(novel)
    (offer,) = manuscript.offers
    manuscript.recover(offer)
    assert encoded(manuscript.text) == BAD[2:]
    first = manuscript.versions.text_at(1).text
    manuscript.edit(0, len(manuscript.text), "All gone.")
    manuscript.save()
    manuscript.versions.undo()
    manuscript.save()
    manuscript.save_copy(tmp_path / "copy.md")
    manuscript.close()
    assert encoded(first) == BAD
    assert novel.read_bytes() == (tmp_path / "copy.md").read_bytes() == BAD[2:]


def test_it_goes_when_it_is_deleted(novel):
    manuscript = Manuscript.open(novel)
    place = manuscript.text.index(chr(STRAY[0xFF]))
    manuscript.edit(place, place + 1, "")
    manuscript.save()
    manuscript.close()
    assert novel.read_bytes() == BAD.replace(b"\xff", b"")


def test_another_programs_bad_byte_is_taken_in_or_kept_beside(novel):
    manuscript = Manuscript.open(novel)
    manuscript.edit(0, 0, "Mine. ")
    novel.write_bytes(BAD + b"\xfe")
    assert manuscript.changed_elsewhere()
    manuscript.elsewhere.keep_both()
    manuscript.close()
    assert novel.read_bytes() == b"Mine. " + BAD + b"\xfe"


@pytest.mark.parametrize("way", ["edit", "replace", "draft"])
def test_what_is_typed_pasted_or_written_becomes_no_byte(novel, way):
    manuscript, foreign = Manuscript.open(novel), f"a{chr(STRAY[0x41])}{chr(STRAY[0xFE])}b"
    match way:
        case "edit":
            manuscript.edit(0, 0, foreign)
        case "replace":
            manuscript.replace(replacements(manuscript.text, Query("Er"), foreign))
        case "draft":
            draft = manuscript.drafts.begin("continue", 0)
            manuscript.drafts.write(manuscript.drafts.alternative(draft), foreign)
            manuscript.drafts.accept(draft)
    manuscript.save()
    manuscript.close()
    assert novel.read_bytes().decode(errors="replace").startswith(f"a{SHOWN}{SHOWN}b")
    assert b"\xfe" not in novel.read_bytes()
    assert novel.read_bytes().count(b"\xff") == 1
    assert storable(foreign) == without_strays(foreign)


# Finding.


@pytest.mark.parametrize("query", [SHOWN, f"a {SHOWN} here", f"[{SHOWN}]", rf"\{SHOWN}", f"[^\x00-\x7f„“–ö]|{SHOWN}x"])
def test_it_is_found_by_the_sign_that_is_seen(query):
    text = decoded(BAD)
    (found,) = find_all(text, Query(query, regex=query.startswith(("[", "\\"))))
    assert chr(STRAY[0xFF]) in text[found.start : found.end]


def test_a_set_that_leaves_the_sign_out_leaves_it_out():
    assert find_all(decoded(b"a\xffb"), Query(f"[^{SHOWN}]", regex=True))[1].start == 2
    assert find_all(decoded(b"a\\\xffb"), Query(rf"\\{SHOWN}", regex=True))[0].start == 1


def test_what_is_put_back_by_a_pattern_is_the_byte(novel):
    manuscript = Manuscript.open(novel)
    manuscript.replace(replacements(manuscript.text, Query("And (a .) here", regex=True), r"\1 was"))
    manuscript.save()
    manuscript.close()
    assert novel.read_bytes() == BAD.replace(b"And a \xff here", b"a \xff was")


def test_a_rewrite_that_has_the_sign_where_the_byte_was_leaves_the_byte():
    passage = decoded(b"It was \xff dark night, and the lamp was out.")
    changes = changes_of(passage, Alternative(Author(1), f"It was {SHOWN} dark night, and the lamp was lit."))
    assert [(change.before, change.after) for change in changes] == [("out", "lit")]


def test_no_other_file_knows_the_range():
    package = Path(read_text_file.__code__.co_filename).parents[1]
    knows = {path.name for path in package.rglob("*.py") if "10fe00" in path.read_text(encoding="utf-8").lower()}
    assert knows == {"text.py"}


def test_the_document_of_a_command_has_the_sign():
    code = "import sys\nfrom billy_mlx.cli.output import write_json, write\nwrite_json(sys.stdin.read())"
    given_ = f'a{chr(STRAY[0xFF])}\\\\udbff "é" \U0001f600'
    done = subprocess.run([sys.executable, "-c", code], input=given_.encode(), capture_output=True, check=True)
    assert done.stdout.isascii()
    assert json.loads(done.stdout) == without_strays(given_)
