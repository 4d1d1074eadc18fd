"""docs/library.md: its examples run, in order, and it names all that is public."""

import re
from pathlib import Path

import pytest

import billy_mlx

PAGE = (Path(__file__).parents[1] / "docs" / "library.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_examples_run_one_after_the_other(starter_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for example in EXAMPLES:
        exec(example, names)
    assert names["take"].text.strip()
    assert names["text"].strip()
    assert "rgba" in names["page"]
    assert names["plot"].count("<polyline") == 4
    assert len(names["whole"].tokens) == len(names["writer"].take(0).text_tokens)
    assert (tmp_path / "harbour.gguf").stat().st_size > 1000
    assert names["again"].text.strip()
    assert names["without"] != names["begun"]


def test_every_public_name_stands_in_the_table():
    table = PAGE[PAGE.index("## Every public name") :]
    named = {name for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)", cell)}
    assert named == set(billy_mlx.__all__)
