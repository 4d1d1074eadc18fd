"""A report as one file for others: nothing of this machine's folders in it, and nothing believed that comes back."""

import importlib.util
import json
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from helpers.invented_result import JUDGE, difference, empty_result, rich_result
from helpers.small_bench import answered

from billy_mlx.bench import export as export_module
from billy_mlx.bench.export import export, read_exported
from billy_mlx.bench.gather import gather, made_with
from billy_mlx.bench.result import ArmNote, Comparison, Estimate, to_json
from billy_mlx.errors import BillyError
from billy_mlx.measure.embedding import own_embedder
from billy_mlx.steps import finish

SCRIPT = Path(__file__).parents[2] / "docs" / "bench" / "table.py"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("bench_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def store(tiny, tmp_path):
    """A run with a report of some arms, which says of itself where it lies."""
    store = answered(tiny, tmp_path / "run")
    scored = tuple(rich_result(("rarity",)).scored) * len(store.answers)
    private = f"billy bench run --to '{Path.home()}/Ann Smith/run' --model ~/secret/tiny --judge /srv/secret/judge"
    made = {**made_with(tiny, private), "model": "tiny", "judge": f"{Path.home()}/secret/judge: all ideas"}
    result = replace(
        rich_result(("rarity", "persona: futurist")),
        made_with=made,
        limits=("the file /srv/secret/of/encoder is damaged and/or old; see a/b, 1/2",),
        scored=scored,
    )
    (store.folder / "report.json").write_text(to_json(result))
    return store


def test_what_is_written_is_read_again_with_all_numbers_of_the_tables(store, tmp_path):
    (tmp_path / "a.json").write_bytes(export(store))
    found, shown = read_exported(tmp_path / "a.json"), rich_result(("rarity", "persona: futurist"))
    assert found.result.comparisons == shown.comparisons
    assert (found.result.means, found.result.costs, found.result.projections) == (
        shown.means, shown.costs, shown.projections,
    )  # fmt: skip
    assert found.result.scored == ()
    assert found.settings["blend"] == str(store.settings.blend)
    assert found.settings["seeds"] == store.settings.seeds


def test_model_machine_and_versions_are_those_of_the_run(tiny, store, tmp_path):
    (tmp_path / "a.json").write_bytes(export(store))
    found, made = read_exported(tmp_path / "a.json"), made_with(tiny, "")
    assert (found.model.id, found.model.fingerprint) == ("tiny", made["fingerprint"])
    assert found.versions == {name: made[name] for name in ("billy-mlx", "mlx", "mlx-lm", "Python")}
    assert found.machine["device"] == made["device"]
    assert found.machine["memory"].endswith(" GB")
    assert set(found.machine.values()) <= set(made.values())


def test_a_run_that_did_not_record_its_machine_is_not_given_this_one(store, tmp_path):
    content = json.loads((store.folder / "report.json").read_text())
    for name in ("memory", "system"):
        del content["made_with"][name]
    (store.folder / "report.json").write_text(json.dumps(content))
    (tmp_path / "a.json").write_bytes(export(store))
    assert read_exported(tmp_path / "a.json").machine["memory"] == "not recorded"


def test_no_folder_of_this_machine_is_in_it(store):
    text = export(store).decode()
    assert not any(private in text for private in (str(Path.home()), "secret", "Ann Smith", str(store.folder.parent)))
    content = json.loads(text)
    assert content["result"]["made_with"]["command"] == "billy bench run --to run --model tiny --judge judge"
    assert content["result"]["made_with"]["judge"] == "judge: all ideas"
    assert content["result"]["limits"] == ["the file encoder is damaged and/or old; see a/b, 1/2"]
    assert content["settings"]["model"] == Path(store.settings.model).name


def test_the_texts_of_answers_stay_as_they_are(store):
    assert json.loads(export(store))["result"]["examples"] == json.loads(to_json(rich_result(("rarity",))))["examples"]


def test_a_report_that_is_missing_or_old_names_the_command(store):
    path = store.folder / "report.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps(result | {"scored": result["scored"][:3]}))
    with pytest.raises(BillyError, match=r"its report knows of 3; run: billy bench report"):
        export(store)
    path.unlink()
    with pytest.raises(BillyError, match="make it with: billy bench report"):
        export(store)


def test_a_report_of_real_answers_can_be_exported(tiny, tmp_path):
    store = answered(tiny, tmp_path / "run")
    result = finish(gather(tiny, store, embedder=own_embedder(tiny), judge=None, encoder=absent))
    (store.folder / "report.json").write_text(to_json(result))
    (tmp_path / "a.json").write_bytes(export(store))
    assert read_exported(tmp_path / "a.json").result.main == "billy-balanced"


def absent():
    from billy_mlx.errors import ModelError

    raise ModelError("not here")


def content_of(store):
    return json.loads(export(store))


def change(content, *keys, value):
    for key in keys[:-1]:
        content = content[key]
    content[keys[-1]] = value


BAD = [
    (("format",), "another", "is of the format 'another'"),
    (("version",), 2, "is of version 2, and this program knows version 1"),
    (("model", "id"), "x" * 201, "longer than 200 characters"),
    (("result", "main"), "", "a name that is empty"),
    (("result", "comparisons"), [], "compares nothing"),
    (("result", "comparisons", 0, "arm"), "nobody", "nobody, which is none of its arms"),
    (("result", "comparisons", 0, "estimate", "low"), 7, "an interval in rarity that cannot be"),
    (("result", "means", 0, "estimate", "items"), 1, "an interval in rarity that cannot be"),
    (("result", "comparisons", 0, "estimate", "low"), "x", "is no report"),
    (("result",), None, "is no report"),
]


@pytest.mark.parametrize(("keys", "value", "sentence"), BAD)
def test_a_file_that_cannot_be_is_refused_in_a_sentence(store, tmp_path, keys, value, sentence):
    content = content_of(store)
    change(content, *keys, value=value)
    (tmp_path / "bad.json").write_text(json.dumps(content))
    with pytest.raises(BillyError, match="bad") as refused:
        read_exported(tmp_path / "bad.json")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"\x00" * 10])
def test_what_is_no_json_is_refused(tmp_path, content):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(BillyError, match="is no report"):
        read_exported(tmp_path / "bad.json")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("pipe.json", "missing.json", "."):
        with pytest.raises(BillyError, match="is no file"):
            read_exported(tmp_path / name)


def test_a_file_beyond_the_bound_is_not_read(store, tmp_path, monkeypatch):
    (tmp_path / "a.json").write_bytes(export(store))
    monkeypatch.setattr(export_module, "MOST_BYTES", 1000)
    with pytest.raises(BillyError, match="which no report has"):
        read_exported(tmp_path / "a.json")


def written(store, path, **parts):
    """Write an export of a result with these parts."""
    result = empty_result(arms=(ArmNote("billy-balanced", "billy", "says", None),), **parts)
    content = content_of(store) | {"result": msgspec.to_builtins(result)}
    path.write_text(json.dumps(content))


def test_the_table_has_a_row_for_every_rival_and_tells_of_bad_files(store, tmp_path, table, capsys):
    folder = tmp_path / "reports"
    folder.mkdir()
    comparisons = [
        difference("rarity", 0.3, matched=True),
        difference("rarity", 0.1, matched=True, against="prompts"),
        difference("voice beyond others: noir", 0.3),
        difference("voice beyond others: gothic", 0.0),
        difference("judge: originality", 0.2, matched=True),
        Comparison("billy-balanced", "dose-0", "uses", "rarity", True, Estimate(9, 8, 10, 30)),
    ]
    written(store, folder / "good.json", comparisons=tuple(comparisons), reliability=(JUDGE,))
    (folder / "bad.json").write_text("{")
    assert table.main([str(folder)]) == 1
    shown = capsys.readouterr()
    assert "bad.json is no report" in shown.err
    assert len(shown.err.splitlines()) == 1
    rows = [line for line in shown.out.splitlines() if line.startswith("| good")]
    assert len(rows) == 2
    cells = [cell.strip() for cell in rows[0].split("|")[1:-1]]
    assert cells[:2] == ["good", "tiny"]
    assert cells[4:9] == ["dose-0", "30", "▲ +0.20 [+0.10, +0.30] (not reliable)", "▲ +0.30 [+0.20, +0.40]", "–"]
    assert cells[-1] == "▲ 1, ≈ 1, ▼ 0"
    assert " prompts | 30 | – | " in rows[1]


def test_of_too_few_items_the_table_tells_no_side(store, tmp_path, table):
    written(store, tmp_path / "a.json", comparisons=(difference("voice beyond others: noir", 0.3, items=4),))
    [row] = [line for line in table.to_table(table.read_all([tmp_path / "a.json"])[0]).splitlines() if "dose-0" in line]
    assert row.split("|")[-2].strip() == "–"
    assert "≈" not in row


def test_the_table_can_be_a_file_and_none_is_said(tmp_path, table):
    assert table.main([str(tmp_path), "-o", str(tmp_path / "table.md")]) == 0
    assert (tmp_path / "table.md").read_text() == "There are no reports yet.\n"


def test_the_reports_of_the_repository_are_good(table):
    _, faults = table.read_all(sorted(SCRIPT.parent.glob("*.json")))
    assert faults == []
