"""What README and docs say is so: their links, rooms, paths, names, commands, figures and snippets."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from billy_mlx import __all__ as exported
from billy_mlx.bench.arms import planned_items
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.tasks import load_tasks
from billy_mlx.blend.blend import Blend
from billy_mlx.cli import commands
from billy_mlx.engine import model_catalogue, preparing

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "bench").glob("*.md")),
    *sorted((ROOT / "docs" / "measured").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_files_that_a_change_leads_to_are_there():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py|(?:[a-z_]+/)+)`", page) + re.findall(r"`(test_[a-z_]+\.py)`", page)
    places = [ROOT, ROOT / "billy_mlx", ROOT / "billy_mlx" / "manuscript", ROOT / "tests" / "tui"]
    assert len(named) > 15
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w/]+\.(?:py|toml|md)")
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
NAME = re.compile(r"[A-Za-z_]+(?:\.[A-Za-z_]+)*")


def place_of(path):
    """Return where a file or folder is that a page names, from the top or from the package."""
    return next((place for place in (ROOT / path, ROOT / "billy_mlx" / path) if place.exists()), None)


@cache
def names_in(path):
    """Return what a module defines: functions and classes, methods with and without their class, constants."""
    found = set()
    for node in ast.parse(place_of(path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {ast.unparse(target) for target in targets}
        elif isinstance(node, ast.ClassDef | _FUNCTION):
            methods = [each.name for each in node.body if isinstance(each, _FUNCTION)]
            found |= {node.name, *methods, *(f"{node.name}.{method}" for method in methods)}
    return found


def pieces(page):
    """Return the parts of a page that say where something is: a step of a journey or a row of a table each."""
    steps = re.findall(r"^\d+\. .*(?:\n {3}.*)*", page, re.MULTILINE)
    rows = re.findall(r"^\| .*", page, re.MULTILINE)
    return [(CODE.findall(piece), piece) for piece in (*steps, *rows) if "`" in piece]


def test_every_module_that_a_page_names_is_there():
    there = {
        path.name
        for room in ("billy_mlx", "tui", "tests", "benchmarks", "docs")
        for path in (ROOT / room).rglob("*.py")
    }
    named = [(code, page.name) for page in PAGES for code in CODE.findall(page.read_text(encoding="utf-8"))]
    modules = [(code, page) for code, page in named if re.fullmatch(r"[\w/]+\.py", code)]
    gone = [each for each in modules if Path(each[0]).name not in there or ("/" in each[0] and not place_of(each[0]))]
    assert len(modules) > 80
    assert gone == []


def test_every_path_that_the_architecture_names_is_there():
    named = [code for code in CODE.findall(ARCHITECTURE) if "/" in code or FILE.fullmatch(code)]
    assert len(named) > 60
    assert [name for name in named if place_of(name) is None] == []


def test_every_name_in_the_architecture_is_in_a_file_that_stands_beside_it():
    missing = []
    for codes, piece in pieces(ARCHITECTURE):
        files = [code for code in codes if FILE.fullmatch(code) and code.endswith(".py")]
        known = set().union(*(names_in(file) for file in files))
        names = [code for code in codes if NAME.fullmatch(code) and not FILE.fullmatch(code) and code != "action_"]
        missing += [(name, piece) for name in names if name not in known]
    assert missing == []
    assert len(pieces(ARCHITECTURE)) > 45


def test_the_picture_of_the_house_is_what_the_import_rules_say():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (rules,) = (
        each for each in settings["tool"]["importlinter"]["contracts"] if each["name"] == "Rooms import one way"
    )
    (picture,) = re.findall(r"```text\n(.*?)```", ARCHITECTURE, re.DOTALL)
    drawn = [re.match(r"\w+(?: *\| \w+)*", line)[0] for line in picture.splitlines()]
    layers = [re.findall(r"\w+", line) for line in drawn]
    assert layers == [re.findall(r"\w+", layer) for layer in rules["layers"]]


@pytest.mark.slow
def test_the_journeys_pass_through_the_modules_that_the_architecture_names():
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "helpers" / "journeys.py", "--list"],
        capture_output=True,
        text=True,
        check=True,
    )
    entered = re.findall(r"^an? .*\n((?: {4}.*\n)+)", done.stdout, re.MULTILINE)
    told = re.split(r"^### ", ARCHITECTURE.partition("## Where to add")[0], flags=re.MULTILINE)[1:]
    assert len(told) == len(entered) == 5
    for journey, modules in zip(told, entered, strict=True):
        paths = {module.strip().removeprefix("billy_mlx.").replace(".", "/") + ".py" for module in modules.splitlines()}
        steps = " ".join(piece for _, piece in pieces(journey))
        named = {code for code in CODE.findall(steps) if FILE.fullmatch(code) and not code.startswith("cli/")}
        assert named - paths <= {"tui/commands.py"}, journey.splitlines()[0]  # a table


def test_the_tree_shows_every_room_and_no_other():
    (tree,) = re.findall(r"```text\n(billy_mlx/ .*?)```", README, re.DOTALL)
    top, inner = (set(re.findall(pattern, tree, re.MULTILINE)) for pattern in (r"(?:^|  )(\w+)/", r"^  (\w+)/"))
    rooms = {path.parent.name for path in (ROOT / "billy_mlx").glob("*/__init__.py") if not path.parent.is_symlink()}
    assert inner == rooms
    assert all((ROOT / name).is_dir() for name in top - inner)


def command_lines():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return sorted(
        {match.strip(" `.,") for match in re.findall(r"(?:^\s*\$ |^ {4,7}|`)(billy [a-z][^`\n]*)", text, re.MULTILINE)}
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


def test_what_is_said_of_the_comparison_is_in_its_report():
    page = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"## What it found.*?(?=^## )", page, re.DOTALL | re.MULTILINE)
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


def measured(name):
    """Return the rows of a page of figures, by what is measured."""
    page = (ROOT / "docs" / "measured" / f"{name}.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.strip("| ").split("|")] for row in page.splitlines() if row.startswith("| ")]
    return {row[-3] if name == "benchmarks" else row[0]: row for row in rows if len(row) > 1}


def test_what_the_readme_says_of_voices_was_measured():
    said = " ".join(README[README.index("Is that better") : README.index("## Without the studio")].split())
    chat, more = measured("voices"), measured("voices-arms")
    for kind, rows in (("chat", chat), ("continuation", more)):
        times, interval = rows[f"{kind}: mean specific effect, layered / system prompt"][1].split(" (")
        assert re.search(rf"\b{times} times as far .*?{re.escape(interval.rstrip(')'))}", said)
        assert f"{rows[f'{kind}: perplexity, layered / system prompt'][1]} times the perplexity" in said
    shows = {arm: chat[arm][8].split(" ")[0] for arm in ("prompt", "layered")}
    both = chat["chat: voices that show steered, of those that show prompted"][1].split(" ")[0]
    assert (shows, both) == ({"prompt": "9", "layered": "10"}, "8")
    assert "Nine of twelve show when prompted, ten when steered, eight of them both ways" in said
    assert more["chat: half-and-half pairs with at least half of both"][1].startswith("8 of 20")
    assert "Of 20 half-and-half blends eight have at least half of both voices" in said


def test_what_the_readme_says_of_speed_was_measured():
    said = " ".join(README.split())
    (ratio,) = re.findall(r"the starter decodes at ([^a-z]+to [\d.]+\)) times", said)
    page = (ROOT / "docs" / "measured" / "benchmarks.md").read_text(encoding="utf-8")
    assert f"| decode speed, all layers steered / unsteered | {ratio} |" in page
    (seconds,) = re.findall(r"on a busy machine: ([\d.]+) s", said)
    page = (ROOT / "docs" / "measured" / "speed.md").read_text(encoding="utf-8")
    assert f"| seconds for a persona, ours, the second reading included | {seconds} |" in page


def test_the_models_in_the_readme_are_those_that_the_studio_offers():
    fitting = (model_catalogue.offers(gigabytes * 1e9) for gigabytes in range(1, 64))
    known = {offer.repo: offer for offers in fitting for offer in offers}
    rows = [
        [cell.strip() for cell in row.strip("| ").split("|")] for row in README.splitlines() if row.startswith("| ")
    ]
    told = {row[1].strip("`"): row for row in rows if row[1].startswith("`mlx")}
    assert told.keys() == known.keys()
    parameters = {each.repo: each.parameters for each in model_catalogue.known_models()}
    for repo, (name, _, download, memory, work) in told.items():
        assert (name, work) == (known[repo].name, f"×{parameters[repo] / min(parameters.values()):.0f}")
        assert (download, memory) == (f"{known[repo].download_gb} GB", f"{known[repo].memory_gb} GB")


def test_what_the_readme_says_a_voice_takes_is_what_the_studio_counts(monkeypatch):
    monkeypatch.setattr(preparing, "neutral_share", lambda *_: 0.0)

    def counted(step, read):
        model = SimpleNamespace(reading_speed=1 / read if read else float("inf"))
        plan = preparing.plan_of(
            SimpleNamespace(model=model, kept={"seconds for a step": step}), 1, 1, preparing.Sizes()
        )
        return plan.extraction + plan.calibration, plan.neutral

    said = " ".join(README.split())
    found = re.findall(
        r"about (\d+) steps .*? and ([\d,]+) tokens to read; .*? takes (\d+) steps and ([\d,]+) tokens", said
    )
    steps, tokens, more_steps, more_tokens = (int(number.replace(",", "")) for number in found[0])
    assert (steps, more_steps) == tuple(round(count, -1) for count in counted(1.0, 0.0))
    assert (tokens, more_tokens) == tuple(round(count, -3) for count in counted(0.0, 1.0))
