"""billy bench: answers that are kept, a report that can be made again, a table on stdout."""

import csv
import json
import os
import shlex
import shutil
from pathlib import Path

import pytest
from helpers.tiny_models import tiny_folder

from billy_mlx import paths
from billy_mlx.bench.report import document
from billy_mlx.bench.store import Store, alone
from billy_mlx.cli import run

ARMS = "dose-0,billy-balanced,personas,multi-role"
ONE = ("--arms", "dose-0", "--items", "2", "-m", "4", "--judge", "none")
FEW = ("--blend", "noir+gothic", "--arms", ARMS, "--items", "1", "--seeds", "1", "-m", "12", "--judge", "none")


def corrected_template(model):
    """Change the template of the model in a folder, and return the file that holds the old one."""
    return changed(model / "tokenizer_config.json", r"<|im_end|>\n", "<|im_end|>")


def corrected_ends(model):
    """Change what ends the model's answers, and return the file that holds the old ends."""
    ends = json.loads((model / "config.json").read_text())["eos_token_id"]
    return changed(model / "config.json", f'"eos_token_id": {ends}', f'"eos_token_id": [{ends}, 0]')


def changed(file, old, new):
    kept = file.rename(f"{file}.kept")
    file.write_text(kept.read_text().replace(old, new))
    assert file.read_text() != kept.read_text()
    return kept


@pytest.fixture(scope="module")
def made(extracted, tmp_path_factory):
    """A finished run, with all that its report shows."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILLY_HOME", str(home))
        patch.setenv("BILLY_MODEL", str(extracted.model))
        shutil.copytree(extracted.vectors, paths.vectors_folder())
        assert run(["bench", "run", *FEW, "--to", str(home / "run")]) == 0
    return home / "run"


@pytest.fixture
def folder(made, model, tmp_path, monkeypatch):
    """A copy of that run; what is reported of it comes without plots, which take longer than all else."""
    monkeypatch.setattr(document, "can_draw", lambda: False)
    return Path(shutil.copytree(made, tmp_path / "run"))


class ByLength:
    """Stands for a judge, which the tiny model cannot be; stopped before it is asked more often than `most`."""

    most, asked = 1000, 0

    def __init__(self, model):
        self.name, self.key = model.id, "by length"

    def score(self, criterion, answers):
        if ByLength.asked == ByLength.most:
            raise KeyboardInterrupt
        yield len(answers)
        ByLength.asked += 1
        return [float(min(100, len(text))) for _, text in answers]


@pytest.fixture
def judge(monkeypatch):
    """That judge, for whichever model is named."""
    monkeypatch.setattr("billy_mlx.extraction.judge.Judge", ByLength)
    monkeypatch.setattr(ByLength, "asked", 0)
    return ByLength


def answers(folder):
    return (folder / "answers.jsonl").read_text().splitlines()


def test_a_run_leaves_its_answers_and_a_report(folder):
    assert "<svg" in (folder / "report.html").read_text()
    assert "billy-balanced" in (folder / "report.md").read_text()
    assert len(answers(folder)) == 5 * 5


def test_the_report_says_what_it_was_made_with(folder):
    made_with = json.loads((folder / "report.json").read_text())["made_with"]
    assert made_with["command"].startswith("billy bench run --arms dose-0,billy-balanced,personas,multi-role")
    assert {"model", "fingerprint", "mlx", "mlx-lm", "billy-mlx", "Python", "device", "BLAS", "platform"} <= {
        *made_with
    }


@pytest.mark.slow
def test_the_recorded_command_makes_the_same_run(billy, folder):
    before = answers(folder)
    command = shlex.split(json.loads((folder / "report.json").read_text())["made_with"]["command"])
    done = billy(*command[1:-1], str(folder))
    assert done.code == 0
    assert "25 of 25 answers are there already" in done.err
    assert answers(folder) == before


@pytest.mark.slow
def test_stdout_is_a_table_of_what_the_blend_does_and_the_path_of_the_page(billy, folder):
    done = billy("bench", "report", str(folder), "--judge", "none")
    head, *_, last = done.out.splitlines()
    assert head.split()[:3] == ["billy-balanced", "against", "dose-0"]
    assert last == str(folder / "report.html")


@pytest.mark.slow
def test_ctrl_c_keeps_the_answers_and_the_same_command_goes_on(billy, model, tmp_path, monkeypatch):
    monkeypatch.setattr(document, "can_draw", lambda: False)
    add = Store.add

    def add_and_stop(store, *news):
        add(store, *news)
        raise KeyboardInterrupt

    command = ("bench", "run", *FEW, "--to", str(tmp_path / "run"))
    with monkeypatch.context() as patch:
        patch.setattr(Store, "add", add_and_stop)
        stopped = billy(*command, "--json")
    kept = len(json.loads(stopped.out)["answers"])
    assert (stopped.code, 0 < kept < 25) == (130, True)
    assert f"stopped; {kept} of 25 answers are kept" in stopped.err
    assert billy(*command).code == 0
    assert len(answers(tmp_path / "run")) == 25


@pytest.mark.parametrize("command", [("run", *FEW, "--to"), ("report",)])
def test_two_programs_do_not_work_in_one_folder(billy, folder, command):
    with alone(folder):
        before = answers(folder)
        done = billy("bench", *command, str(folder))
    assert (done.code, done.out) == (1, "")
    assert f"another billy (process {os.getpid()}) is at work in {folder}" in done.err
    assert answers(folder) == before


def test_other_settings_do_not_go_into_the_same_folder(billy, folder):
    done = billy("bench", "run", *FEW, "--seed", "7", "--to", str(folder))
    assert (done.code, "other settings" in done.err) == (1, True)


@pytest.mark.slow
def test_json_is_the_whole_result(billy, folder):
    result = json.loads(billy("bench", "report", str(folder), "--judge", "none", "--json").out)
    assert {arm["name"] for arm in result["arms"]} == {
        *("dose-0", "multi-role", "billy-balanced", "persona:noir", "persona:gothic")
    }
    assert result["limits"]
    assert all(mean["estimate"]["low"] <= mean["estimate"]["high"] for mean in result["means"])


@pytest.mark.slow
def test_a_report_can_be_made_again_elsewhere(billy, folder, tmp_path):
    page, text = tmp_path / "page.html", tmp_path / "page.md"
    done = billy("bench", "report", str(folder), "--judge", "none", "--html", str(page), "--markdown", str(text))
    assert done.out.splitlines()[-1] == str(page)
    assert page.exists()
    assert text.exists()


@pytest.mark.slow
def test_people_rate_ideas_without_knowing_where_they_are_from(billy, folder, tmp_path):
    sheet = tmp_path / "ideas.csv"
    assert billy("bench", "report", str(folder), "--blind", str(sheet)).out == f"{sheet}\n"
    assert "billy" not in sheet.read_text()
    with sheet.open(newline="", encoding="utf-8-sig") as file:
        head, *rows = csv.reader(file)
    with sheet.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *([*row[:3], "4", "2"] for row in rows)])
    again = ("bench", "report", str(folder), "--judge", "none", "--ratings", str(sheet), "--rater", "Ada")
    result = json.loads(billy(*again, "--json").out)
    given = {each["values"].get("human Ada: originality") for each in result["scored"]}
    assert given - {None} == {4.0}


def test_ideas_to_rate_are_told_of_in_json(billy, folder, tmp_path):
    sheet = tmp_path / "ideas.csv"
    told = json.loads(billy("bench", "report", str(folder), "--blind", str(sheet), "--json").out)
    with sheet.open(newline="", encoding="utf-8-sig") as file:
        assert told == {"file": str(sheet), "ideas": len([*csv.reader(file)]) - 1}


@pytest.mark.slow
@pytest.mark.usefixtures("judge")
def test_a_report_is_scored_as_its_run_was_unless_told_otherwise(billy, folder):
    def judged(*flags):
        return json.loads(billy("bench", "report", str(folder), *flags, "--json").out)["made_with"]["judge"]

    assert judged() == "none"
    assert judged("--judge", "self", "--quick") == "tiny: 2 ideas of an answer, originality, adherence"
    run_json = folder / "run.json"
    run_json.write_text(run_json.read_text().replace('"judge": "none"', '"judge": "self"').replace("false", "true"))
    assert judged() == "tiny: 2 ideas of an answer, originality, adherence"
    assert judged("--whole") == "tiny: all ideas of an answer, originality, elaboration, adherence"


@pytest.mark.slow
def test_ctrl_c_keeps_what_the_judge_has_scored_and_the_same_command_goes_on(billy, folder, judge, monkeypatch):
    command = ("bench", "report", str(folder), "--judge", "self", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(judge, "most", 5)
        stopped = billy(*command)
    assert (stopped.code, judge.asked, len(json.loads(stopped.out)["answers"])) == (130, 5, 25)
    assert "what has been read and judged is kept" in stopped.err
    assert billy(*command).code == 0
    in_all = judge.asked
    shutil.rmtree(folder / "scores")
    assert billy(*command).code == 0
    assert judge.asked == 2 * in_all  # before, nothing was asked twice


@pytest.mark.slow
def test_ctrl_c_while_the_page_is_written_leaves_no_half_of_it_on_stdout(billy, folder, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("billy_mlx.bench.report.write_html", stop)
    done = billy("bench", "report", str(folder), "--json")
    assert (done.code, json.loads(done.out)["folder"]) == (130, str(folder))


def test_a_report_is_refused_another_model(billy, folder, model, tmp_path):
    other = shutil.copytree(model, tmp_path / "other")
    tiny_folder(other, seed=1)
    run_json = folder / "run.json"
    run_json.write_text(run_json.read_text().replace(str(model), str(other)))
    done = billy("bench", "report", str(folder))
    assert (done.code, done.out) == (1, "")
    assert "take the model that began it" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("flags", [("run", *FEW, "--to"), ("report",)])
@pytest.mark.parametrize("correct", [corrected_template, corrected_ends])
def test_answers_to_another_template_or_with_other_ends_are_refused_by_name(billy, folder, model, correct, flags):
    file, before = correct(model), answers(folder)
    try:
        done = billy("bench", *flags, str(folder))
    finally:
        file.replace(file.with_suffix(""))
    assert (done.code, done.out, answers(folder)) == (1, "", before)
    assert f"{folder} holds answers to other prompts: since it was begun, the model's chat template" in done.err


@pytest.mark.slow
@pytest.mark.usefixtures("judge")
def test_a_report_names_no_folder_of_this_machine(billy, folder, model):
    command = ("bench", "report", str(folder), "--judge", str(model), "--quick")
    assert billy(*command).code == 0
    result = json.loads((folder / "report.json").read_text())
    made_with = result["made_with"]
    assert str(model.parent) not in json.dumps([made_with, result["deviations"]])
    assert (made_with["model"], made_with["judge"][:6]) == ("tiny", "tiny: ")
    assert shlex.split(made_with["command"])[-1] == "run"


@pytest.mark.slow
def test_the_folder_is_named_for_model_and_protocol(billy, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arms = ("--blend", "noir", "--arms", "dose-0", "--items", "1", "-m", "4", "--judge", "none")
    done = billy("bench", "run", *arms, "--protocol", "paper")
    assert done.code == 0, done.err
    assert Path(done.out.splitlines()[-1]) == Path("bench-tiny-paper/report.html")


@pytest.mark.slow
def test_only_the_tasks_that_are_named_are_asked(billy, model, tmp_path):
    arms = ("--blend", "noir", "--arms", "dose-0", "--items", "1", "-m", "4", "--judge", "none")
    done = billy("bench", "run", *arms, "--tasks", "writing,uses", "--to", str(tmp_path / "run"))
    assert done.code == 0, done.err
    made_with = json.loads((tmp_path / "run" / "report.json").read_text())["made_with"]
    assert made_with["items"] == "1 of Alternative Uses, 1 of Creative Writing"


@pytest.mark.slow
def test_our_tasks_come_before_files_of_the_same_name(billy, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "writing").mkdir()
    done = billy("bench", "run", "--blend", "noir", *ONE, "--tasks", "writing", "--to", "run")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "run" / "run.json").read_text())["settings"]["tasks"] == ["writing"]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--blind", "ideas.csv")])
def test_a_task_file_that_was_changed_is_refused(billy, model, tmp_path, flags):
    file, folder = tmp_path / "mine.json", str(tmp_path / "run")
    file.write_text('{"Examples": ["Name what is round.", "Name what is red."]}')
    command = ("bench", "run", "--blend", "noir", *ONE, "--tasks", str(file), "--to", folder)
    assert billy(*command).code == 0
    file.write_text('{"Examples": ["Name what is round.", "Name what is blue."]}')
    for again in (command, ("bench", "report", folder, *flags)):
        done = billy(*again)
        assert (done.code, done.out) == (1, "")
        assert "mine.json has other questions now than" in done.err


@pytest.mark.slow
def test_a_task_file_is_asked_even_if_the_run_is_quick(billy, model, tmp_path):
    (tmp_path / "mine.json").write_text('{"Examples": ["Name what is round.", "Name what is red."]}')
    arms = ("--blend", "noir", "--arms", "dose-0", "-m", "4", "--judge", "none")
    done = billy(
        "bench", "run", "--quick", *arms, "--tasks", str(tmp_path / "mine.json"), "--to", str(tmp_path / "run")
    )
    assert done.code == 0, done.err
    made_with = json.loads((tmp_path / "run" / "report.json").read_text())["made_with"]
    assert made_with["items"] == "2 of Instances"


def test_a_report_is_exported_once_and_replaced_only_when_that_is_said(billy, folder, tmp_path):
    file = tmp_path / "mine.json"
    command = ("bench", "export", str(folder), "-o", str(file))
    assert billy(*command).out == f"{file}\n"
    assert json.loads(file.read_bytes())["settings"]["seeds"] == 1
    again = billy(*command)
    assert (again.code, "choose another name, or --force to replace it" in again.err) == (2, True)
    assert billy(*command, "--force").code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export", "nowhere", "-o", "a.json"), "holds no benchmark run"),
        (("run", "--quick", "--protocol", "paper"), "--quick is not the paper's protocol"),
        (("run", "--blend", "noir", "--arms", "nobody"), "there is no arm 'nobody'"),
        (("run", "--blend", "noir:"), "a blend is written"),
        (("run", "--blend", "comic"), "comic is not prepared"),
        (("run", "--blend", "noir", "--tasks", "missing.json"), "missing.json"),
        (("run", "--blend", "noir", "--tasks", "uses,riddles"), "there is no task riddles; there are uses, instances"),
        (("run", "--blend", "noir", "--embeddings", "nothing/here"), "say --embeddings own"),
        (("run", "--blend", "noir", "--arms", ","), "--arms is ',', which names nothing"),
        (("run", "--blend", "noir", "--tasks", ","), "--tasks is ',', which names nothing"),
        (("run", "--blend", "noir", "--tasks", ""), "--tasks is '', which names nothing"),
        (("report", "nowhere", "--blind", "a.csv", "--ratings", "b.csv"), "give one of them at a time"),
        (("report", "nowhere"), "holds no benchmark run"),
        (("report", "nowhere", "--rater", "Ada"), "name their file with --ratings"),
    ],
)
def test_wrong_usage_is_one_sentence(billy, model, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    done = billy("bench", *arguments)
    assert done.code in (1, 2)
    assert sentence in done.err
    assert done.out == ""
