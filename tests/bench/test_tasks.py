"""Our own items are complete and name no persona; files of others are read in their layout, or refused."""

import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import billy_mlx.bench
from billy_mlx.bench.tasks import load_items, load_tasks, read_task_file
from billy_mlx.errors import UsageError
from billy_mlx.vectors.card import load_held_out_prompts, load_personas, load_questions

PACKAGE = Path(billy_mlx.bench.__file__).parent
IDEA_TASKS = ["uses", "instances", "similarities", "scientific"]
PROBLEM = {"Problem": ["Say what {object} is good for,", "and what {object} is not."], "Purpose": "1. Ours"}
OBJECTS = {"Task": [PROBLEM, {"Problem": ["Not this one."]}], "Examples": [{"object": "Spade"}], "Amount": 1}
SCIENCE = {
    "Task": [{"Original": "Not this.", "Example": ["Why is it?", "How is it?"], "Amount": "2"}, {"Example": ["So?"]}]
}
HOSTILE = {
    "no JSON": b"Examples: a spoon",
    "an empty file": b"",
    "a list": b"[]",
    "no questions": b"{}",
    "empty questions": b'{"Examples": ["", " \\u0007 "]}',
    "a question that is a number": b'{"Examples": [7]}',
    "a question that is a table without an object": b'{"Examples": [{"item": "Spade"}]}',
    "an object that is a list": b'{"Task": [{"Problem": ["{object}"]}], "Examples": [{"object": ["Spade"]}]}',
    "objects without a problem": b'{"Examples": [{"object": "Spade"}]}',
    "a problem without an object": b'{"Task": [{"Problem": ["Say it."]}], "Examples": [{"object": "Spade"}]}',
    "a task that is text": b'{"Task": ["Say it."]}',
    "too many questions": json.dumps({"Examples": ["Name it."] * 1001}).encode(),
    "a question too long": json.dumps({"Examples": ["N" * 2001]}).encode(),
    "too large": b'{"Examples": ["Name it."], "Amount": "' + b"9" * (1 << 20) + b'"}',
    "deep nesting": b'{"Amount": ' + b"[" * 100_000,
    "deep nesting of examples": b'{"Examples": ' + b"[" * 100_000,
    "no UTF-8": b'{"Examples": ["\xff\xfe"]}',
    "an escape for the terminal": b'{"Examples": "\x1b[31m"}',
}


def write(tmp_path, content, name="their tasks.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_there_are_thirty_items_of_each_idea_task_and_twenty_pieces_of_writing():
    assert Counter(item.task for item in load_items()) == {**dict.fromkeys(IDEA_TASKS, 30), "writing": 20}
    assert list(load_tasks()) == [*IDEA_TASKS, "writing"]


def test_ids_and_prompts_are_all_different_and_in_order():
    items = load_items()
    assert len({item.id for item in items}) == len({item.prompt for item in items}) == len(items)
    assert [item.id for item in items if item.task == "uses"] == [f"uses-{number:02}" for number in range(1, 31)]


def test_prompts_for_ideas_ask_for_a_numbered_list():
    tasks = load_tasks()
    for item in load_items():
        assert ("Give five ideas as a numbered list" in item.prompt) == tasks[item.task].lists_ideas
        assert "{" not in item.prompt
        assert "  " not in item.prompt


def test_the_first_ten_items_of_an_idea_task_have_anchors():
    for item in load_items():
        wanted = 2 if item.task in IDEA_TASKS and int(item.id[-2:]) <= 10 else 0
        assert len(set(item.plain)) == len(set(item.unusual)) == wanted


def test_length_does_not_tell_plain_anchors_from_unusual_ones():
    for item in load_items(IDEA_TASKS, 10):
        plain, unusual = ("".join(ideas) for ideas in (item.plain, item.unusual))
        assert 0.9 < len(unusual) / len(plain) < 1.1


def test_no_item_names_a_persona():
    names = {name.lower() for persona in load_personas().personas.values() for name in (persona.id, persona.name)}
    named = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names))
    for item in load_items():
        assert not named.search(" ".join([item.prompt, *item.plain, *item.unusual]).lower())


def test_no_prompt_is_among_those_the_vectors_are_made_with():
    asked = " ".join(item.prompt for item in load_items())
    assert not any(known in asked for known in (*load_questions().questions, *load_held_out_prompts()))


def test_the_judge_is_warned_of_ornate_wording():
    assert all("Ornate or poetic wording is not originality" in task.originality for task in load_tasks().values())


def test_items_can_be_chosen():
    chosen = load_items(["writing", "uses"], 2)
    assert [item.id for item in chosen] == ["uses-01", "uses-02", "writing-01", "writing-02"]


def test_an_unknown_task_is_told_with_those_there_are():
    with pytest.raises(UsageError, match=r"there is no task rhymes; there are uses, instances,"):
        load_items(["rhymes"])


def test_the_data_files_are_part_of_the_package():
    listed = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert "bench/data/*.toml" in listed["package-data"]["billy_mlx"]


def test_objects_are_put_into_the_first_problem_of_a_file(tmp_path):
    (item,) = read_task_file(write(tmp_path, OBJECTS, "AUT_30 test.json"))
    assert (item.task, item.id) == ("uses", "aut-30-test-01")
    assert item.prompt.startswith("Say what Spade is good for, and what Spade is not.\n\nAnswer with a numbered list")


@pytest.mark.parametrize(
    ("question", "task"), [("Name the round things.", "instances"), ("How are A and B alike?", "similarities")]
)
def test_questions_tell_which_task_they_are_of(tmp_path, question, task):
    (item,) = read_task_file(write(tmp_path, {"Examples": [question], "Amount": 30}))
    assert (item.task, item.prompt.split("\n")[0]) == (task, question)


def test_the_examples_of_all_tasks_are_asked_without_the_originals(tmp_path):
    items = read_task_file(write(tmp_path, SCIENCE, "scientific.json"))
    assert [item.prompt.split("\n")[0] for item in items] == ["Why is it?", "How is it?", "So?"]
    assert [(item.task, item.id) for item in items][-1] == ("scientific", "scientific-03")


def test_a_question_that_comes_twice_is_asked_once(tmp_path):
    items = read_task_file(write(tmp_path, {"Examples": ["Name it.", "Name her.", " Name  it. "]}))
    assert [item.id for item in items] == ["their-tasks-01", "their-tasks-02"]


def test_texts_and_names_of_others_are_harmless(tmp_path):
    content = b"\xef\xbb\xbf" + json.dumps({"Examples": ["Name\x1b[31m \u202ered\nthings."]}).encode()
    (item,) = read_task_file(write(tmp_path, content, "\x1b[2J…. \u202e.json"))
    assert item.prompt.startswith("Name␛[31m red things.\n\n")
    assert item.id == "2j-01"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_does_not_fit_is_refused_in_a_sentence(tmp_path, name):
    with pytest.raises(UsageError) as caught:
        read_task_file(write(tmp_path, HOSTILE[name]))
    message = str(caught.value)
    assert "their tasks.json is no task file of LLM Discussion: " in message
    assert len(message) < 600
    assert message.isprintable()


@pytest.mark.parametrize("path", [Path("nowhere.json"), Path("/dev/null"), Path("/")])
def test_what_is_no_file_is_refused(path):
    with pytest.raises(UsageError, match="is no task file of LLM Discussion"):
        read_task_file(path)
