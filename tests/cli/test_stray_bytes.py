"""The commands on a text with a byte that is no text: it stays in the file, and what they put out has U+FFFD."""

import io
import json
import sys
import zipfile

import pytest

from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.model.load import load

SHOWN = "\N{REPLACEMENT CHARACTER}"
BAD = b"Ada \xe2\x80\x9cslept\xe2\x80\x9d \xe2\x80\x93 well.\n\nThe lamp \xff was cold. She woke.\n"
SAID = "billy: line 3 has 1 byte that is no text, shown as \N{REPLACEMENT CHARACTER} and kept\n"
FEW = ("--seed", "3", "--context", "430", "-m", "6")


@pytest.fixture
def novel(tmp_path):
    path = tmp_path / "novel.md"
    path.write_bytes(BAD)
    return path


def test_going_on_leaves_the_byte_and_says_so(billy, model, novel):
    done = billy("continue", str(novel), *FEW)
    assert done.code == 0
    assert SAID in done.err
    assert novel.read_bytes().startswith(BAD[:-1])
    assert novel.read_bytes().endswith(done.out.encode())


def test_the_model_is_sent_the_sign(billy, model, novel):
    billy("continue", str(novel), *FEW)
    manuscript = Manuscript.open(novel)
    (passage,) = manuscript.passages.values()
    manuscript.close()
    sent = load(model).tokenizer.decode(list(passage.prompt))
    assert f"The lamp {SHOWN} was cold." in sent
    assert billy("replay", str(novel), "--last", "1").code == 0


def test_a_dry_run_shows_the_sign(billy, model, novel):
    done = billy("continue", str(novel), "--dry-run", *FEW)
    assert f"The lamp {SHOWN} was cold." in done.out
    document = json.loads(billy("continue", str(novel), "--dry-run", "--json", *FEW).out)
    assert f"The lamp {SHOWN} was cold." in document["prompt"]["prefix"]
    assert SAID in done.err


def test_words_with_the_sign_are_found_and_written_anew(billy, model, novel):
    done = billy("rewrite", str(novel), "--find", f"The lamp {SHOWN} was cold.", "--apply", *FEW[:-2])
    assert done.code == 0
    assert novel.read_bytes() == BAD.replace(b"The lamp \xff was cold.", done.out.removesuffix("\n").encode())


def test_a_chorus_leaves_the_file_as_it_is(billy, model, novel):
    assert billy("chorus", str(novel), "--voice", "noir", "--compare", *FEW).code == 0
    assert novel.read_bytes() == BAD


def test_a_version_is_put_out_with_the_sign_and_gone_back_to_with_the_byte(billy, novel):
    done = billy("history", str(novel), "show", "1")
    assert (done.out, SAID in done.err) == (BAD.decode(errors="replace"), True)
    assert json.loads(billy("history", str(novel), "show", "1", "--json").out)["text"] == done.out
    manuscript = Manuscript.open(novel)
    manuscript.edit(0, len(manuscript.text), "Gone.")
    manuscript.save()
    manuscript.close()
    assert billy("history", str(novel), "go", "1").code == 0
    assert novel.read_bytes() == BAD


@pytest.mark.parametrize("to", ["txt", "html", "docx", "epub"])
def test_an_export_has_the_sign_and_says_so(billy, novel, to):
    out = novel.with_name(f"out.{to}")
    done = billy("export", str(novel), "-o", str(out))
    assert f"billy: line 3 has 1 byte that is no text, written as {SHOWN}\n" in done.err
    content = out.read_bytes()
    if to in ("docx", "epub"):
        content = b"".join(zipfile.ZipFile(out).read(name) for name in zipfile.ZipFile(out).namelist())
    assert f"The lamp {SHOWN} was cold.".encode() in content


def test_as_markdown_it_is_exported_byte_for_byte(billy, novel, monkeypatch):
    out = novel.with_name("out.md")
    done = billy("export", str(novel), "-o", str(out))
    assert out.read_bytes() == BAD
    assert "line 3 has 1 byte that is no text, written as in the text itself" in done.err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD)))
    assert billy("export", "-", "-o", str(out), "--force").code == 0
    assert out.read_bytes() == BAD


def test_the_title_of_a_book_has_the_sign(billy, novel):
    novel.write_bytes(b"---\ntitle: The \xff Lamp\n---\n" + BAD)
    out = novel.with_name("out.html")
    billy("export", str(novel), "-o", str(out))
    assert f"<title>The {SHOWN} Lamp</title>" in out.read_text(encoding="utf-8")


def test_personas_are_read_in_it(billy, model, novel):
    done = billy("read", str(novel), "--json")
    if done.code == 0:
        assert json.loads(done.out)[-1]["text"].startswith(f"The lamp {SHOWN}")
    assert SAID in done.err


@pytest.mark.parametrize("command", ["continue", "export", "history", "read"])
def test_what_no_command_opens_can_be_imported(billy, model, tmp_path, command):
    old = tmp_path / "old.md"
    old.write_bytes("Der Wärter zählte die Lichter über dem Hafen.\n".encode("cp1252") * 5)
    more = ("-o", str(tmp_path / "x.txt")) if command == "export" else ()
    done = billy(command, str(old), *more)
    assert done.code == 1
    assert "import it into a new text instead, with billy import" in done.err
    assert billy("import", str(old), "-o", str(tmp_path / "new.md")).code == 0
    assert billy("history", str(tmp_path / "new.md")).code == 0
