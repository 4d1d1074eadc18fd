"""What README and docs say is so: their links, rooms, commands and snippets."""

import re
import shlex
from collections import Counter
from pathlib import Path

import click
import pytest

from billy_mlx import __all__ as exported
from billy_mlx.bench.arms import planned_items
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.tasks import load_tasks
from billy_mlx.blend.blend import Blend
from billy_mlx.cli import commands

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "measured").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_files_that_a_change_leads_to_are_there():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py|(?:[a-z_]+/)+)`", page) + re.findall(r"`(test_[a-z_]+\.py)`", page)
    places = [ROOT, ROOT / "billy_mlx", ROOT / "billy_mlx" / "manuscript", ROOT / "tests" / "tui"]
    assert len(named) > 15
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_the_tree_shows_every_room_and_no_other():
    (tree,) = re.findall(r"```text\n(billy_mlx/ .*?)```", README, re.DOTALL)
    top, inner = (set(re.findall(pattern, tree, re.MULTILINE)) for pattern in (r"(?:^|  )(\w+)/", r"^  (\w+)/"))
    rooms = {path.parent.name for path in (ROOT / "billy_mlx").glob("*/__init__.py") if not path.parent.is_symlink()}
    assert inner == rooms
    assert all((ROOT / name).is_dir() for name in top - inner)


def command_lines():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return sorted(
        {match.strip(" `.,") for match in re.findall(r"(?:^\s*\$ |^    |`)(billy [a-z][^`\n]*)", text, re.MULTILINE)}
    )


@pytest.mark.parametrize("line", command_lines())
def test_commands_exist_with_their_flags(line):
    command, words = commands, shlex.split(line)[1:]
    with click.Context(commands, info_name="billy") as context:
        while isinstance(command, click.Group) and words:
            words = words[sum(isinstance(parameter, click.Argument) for parameter in command.params) :] or ["list"]
            command = command.get_command(context, words.pop(0))
            assert command is not None, line
    known = {flag for parameter in command.params for flag in parameter.opts}
    assert {word for word in words if word.startswith("-") and len(word) > 1} <= known


def test_blends_can_be_read():
    for line in command_lines():
        for blend in re.findall(r"--(?:blend|voice) (\S+)", line):
            Blend.parse(blend)


@pytest.mark.slow
def test_the_python_snippet_runs(starter_home, capsys):
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(snippet, {})
    assert len(capsys.readouterr().out) > 100


@pytest.mark.slow
def test_the_snippet_about_vectors_in_memory_runs(starter_home, capsys):
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/personas.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(snippet, {})
    assert len(capsys.readouterr().out) > 100


def test_all_exported_names_are_documented():
    import billy_mlx

    assert all(getattr(billy_mlx, name).__doc__ for name in exported)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        billy_mlx.nothing  # noqa: B018


def test_the_snippet_about_manuscripts_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/manuscript.md").read_text(), re.DOTALL)
    exec(snippet, {})
    assert capsys.readouterr().out == "It was a dark night. saved\n"
    assert (tmp_path / "novel.md").read_text() == "It was a dark night."


def test_what_the_readme_says_of_the_comparison_is_in_its_report():
    said = README[README.index("## Does it help?") : README.index("What the tool itself costs")]
    report = (ROOT / "docs" / "measured" / "bench-quick.md").read_text(encoding="utf-8")
    moved = [f"{persona} {by} [" for persona, by in re.findall(r"([a-z-]+)\s+(\+\d\.\d+)", said)]
    costs = re.findall(r"took ([\d.]+ times as long) .* ([\d.]+ times as\s+many) tokens", said)[0]
    assert len(moved) == 3
    assert [told for told in (*moved, *costs, *re.findall(r"AUC [\d.]+", said)) if told not in report] == []


def test_the_report_in_docs_is_of_what_a_quick_run_asks_today():
    settings, tasks = BenchSettings.quick("starter"), load_tasks()
    counts = Counter(item.task for item in planned_items(settings))
    asked = ", ".join(f"{count} of {tasks[task].name}" for task, count in counts.items())
    report = (ROOT / "docs" / "measured" / "bench-quick.md").read_text(encoding="utf-8")
    assert f"- items: {asked}\n" in report
    assert f"- tokens: at most {settings.max_tokens} of an answer, {settings.discussion_tokens} of a turn" in report


def test_what_the_readme_quotes_was_measured():
    quoted = [line for line in README.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    measured = (ROOT / "docs" / "measured" / "benchmarks.md").read_text(encoding="utf-8").splitlines()
    assert len(quoted) > 1
    assert [line for line in quoted if line not in measured] == []
