"""Ideas for people to rate, what they wrote, and their ratings beside the judge's."""

import csv

import pytest

from billy_mlx.bench.equal_length import subjects
from billy_mlx.bench.human_ratings import IdeaKey, Ratings, add_ratings, read_ratings, write_blind
from billy_mlx.bench.result import GroupCost, ScoredAnswer
from billy_mlx.bench.settings import BenchSettings
from billy_mlx.bench.store import Answer, Store
from billy_mlx.bench.tasks import Item, load_items, load_tasks
from billy_mlx.errors import BillyError, UsageError

ARMS = ("billy-balanced", "dose-0")
TEXT = "1. Prop a door open with it for a whole day\n2. Grind it down for red paint, Größe zählt"


@pytest.fixture
def items():
    return load_items(["uses"], 2)


@pytest.fixture
def store(tmp_path, items):
    return store_of(tmp_path / "run", {(arm, item.id): TEXT for arm in ARMS for item in items})


def store_of(folder, texts) -> Store:
    store = Store.create_or_resume(folder, BenchSettings(model="starter", seed=3), {})
    add(store, texts)
    return store


def add(store, texts) -> None:
    answers = [Answer(arm, "uses", item, 0, text, 1, 10, 20, "stop") for (arm, item), text in texts.items()]
    count = len(answers)
    store.add(answers, GroupCost("all", ARMS, count, count, 1.0, 10, 20, 30, 0.1, 4))


def rows_of(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def save(path, rows, *, delimiter=",", columns=None) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), delimiter=delimiter, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def sheet(tmp_path, store, items):
    path = tmp_path / "Ann.csv"
    write_blind(store, items, path)
    return path


def rated(sheet, **cells) -> None:
    rows = rows_of(sheet)
    rows[0] |= cells
    save(sheet, rows)


def test_there_is_a_row_for_each_idea_with_its_task(tmp_path, store, items):
    assert write_blind(store, items, tmp_path / "a.csv") == 8
    rows = rows_of(tmp_path / "a.csv")
    assert {row["task"] for row in rows} == {item.prompt for item in items}
    assert sum(row["idea"].startswith("Prop a door") for row in rows) == 4
    assert all(row["originality"] == row["elaboration"] == "" for row in rows)


def test_nothing_in_the_file_tells_the_arm(sheet):
    assert not any(arm.encode() in sheet.read_bytes() for arm in (*ARMS, "billy", "dose"))


def test_the_order_is_that_of_the_seed_and_not_that_of_the_arms(tmp_path, store, items, sheet):
    write_blind(store, items, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == sheet.read_bytes()
    every = [{"originality": str(1 + n % 5)} for n in range(8)]
    save(sheet, [row | more for row, more in zip(rows_of(sheet), every, strict=True)])
    arms = [key.arm for key in read_ratings(sheet, store).originality]
    assert arms not in (sorted(arms), sorted(arms, reverse=True))


def test_only_the_arms_that_are_asked_for_are_written(tmp_path, store, items):
    assert write_blind(store, items[:1], tmp_path / "a.csv", arms=["dose-0"]) == 2


def test_ratings_come_back_by_arm_item_seed_and_idea(tmp_path, items):
    store = store_of(tmp_path / "run", {("dose-0", items[0].id): "1. Only one idea is in here"})
    write_blind(store, items, tmp_path / "Ann.csv")
    rated(tmp_path / "Ann.csv", originality="4", elaboration="2.5")
    found = read_ratings(tmp_path / "Ann.csv", store)
    key = IdeaKey("dose-0", items[0].id, 0, 0)
    assert (found.rater, found.originality, found.elaboration) == ("Ann", {key: 4.0}, {key: 2.5})


def test_a_rater_may_have_another_name_than_the_file(sheet, store):
    assert read_ratings(sheet, store, rater="Bo").rater == "Bo"


def test_empty_cells_are_no_ratings(sheet, store):
    rated(sheet, originality=" ", elaboration="3")
    found = read_ratings(sheet, store)
    assert (len(found.originality), len(found.elaboration)) == (0, 1)


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_another_separator_and_decimal_commas_are_read(sheet, store, delimiter):
    rows = [row | {"originality": "4,5"} for row in rows_of(sheet)]
    save(sheet, rows, delimiter=delimiter)
    assert set(read_ratings(sheet, store).originality.values()) == {4.5}


def test_rows_and_columns_may_be_in_another_order(sheet, store):
    rows = [row | {"originality": str(1 + n % 5)} for n, row in enumerate(rows_of(sheet))]
    save(sheet, rows)
    before = read_ratings(sheet, store)
    save(sheet, rows[::-1], columns=["originality", "idea", "elaboration", "id"])
    assert read_ratings(sheet, store) == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_what_spreadsheets_save_is_read(sheet, store, encoding):
    rated(sheet, originality="5")
    sheet.write_bytes(sheet.read_text("utf-8").encode(encoding))
    assert list(read_ratings(sheet, store).originality.values()) == [5.0]


def test_ids_stay_the_same_when_more_answers_come(tmp_path, store, items, sheet):
    rated(sheet, originality="5")
    before = read_ratings(sheet, store)
    add(store, {("multi-role", items[0].id): TEXT})
    write_blind(store, items, tmp_path / "more.csv")
    assert read_ratings(sheet, store) == before


@pytest.mark.parametrize("number", ["0", "5.1", "-3", "nan", "inf", "good", "1e9"])
def test_a_number_out_of_range_is_refused_with_its_place(sheet, store, number):
    rated(sheet, elaboration=number)
    with pytest.raises(UsageError, match=rf'Ann\.csv, row 2, column elaboration: "{number}" is no number from 1 to 5'):
        read_ratings(sheet, store)


def test_an_unknown_id_is_refused(sheet, store):
    rated(sheet, id="i123")
    with pytest.raises(UsageError, match='row 2, column id: no idea of this run has the id "i123"'):
        read_ratings(sheet, store)


def test_the_same_id_twice_is_refused(sheet, store):
    rows = rows_of(sheet)
    save(sheet, [*rows, rows[3]])
    with pytest.raises(UsageError, match=r"row 10, column id: .* stands in row 5 as well"):
        read_ratings(sheet, store)


def test_a_missing_column_is_refused(sheet, store):
    save(sheet, rows_of(sheet), columns=["id", "idea", "originality"])
    with pytest.raises(UsageError, match="row 1: there is no column elaboration"):
        read_ratings(sheet, store)


def test_a_column_sorted_by_itself_is_refused(sheet, store):
    rows = rows_of(sheet)
    ideas = sorted(row["idea"] for row in rows)
    save(sheet, [row | {"idea": idea} for row, idea in zip(rows, ideas, strict=True)])
    with pytest.raises(UsageError, match="column idea: this is not the idea of"):
        read_ratings(sheet, store)


@pytest.mark.parametrize("idea", ["=HYPERLINK(1) is a use", "+1 is another use", "@SUM(A1) too", "'quoted' it begins"])
def test_formulas_are_defused_and_read_back_as_they_were(tmp_path, items, idea):
    store = store_of(tmp_path / "run", {("dose-0", items[0].id): f"1. {idea}\n2. Something plain that is longer"})
    write_blind(store, items, tmp_path / "a.csv")
    ideas = [row["idea"] for row in rows_of(tmp_path / "a.csv")]
    assert f"'{idea}" in ideas
    read_ratings(tmp_path / "a.csv", store)


def test_a_run_without_ideas_is_refused(tmp_path, items):
    with pytest.raises(BillyError, match="no ideas to rate"):
        write_blind(store_of(tmp_path / "run", {("dose-0", items[0].id): ""}), items, tmp_path / "a.csv")


@pytest.mark.parametrize("damage", [b"[1]", b'{"\xff": 1}'])
def test_a_damaged_key_is_told_of(sheet, store, damage):
    (store.folder / "blind-key.json").write_bytes(damage)
    with pytest.raises(BillyError, match=r"cannot be read: .*; remove it, and run --blind again"):
        read_ratings(sheet, store)


def test_a_file_that_is_not_there_is_refused(tmp_path, store):
    with pytest.raises(UsageError, match="cannot be read"):
        read_ratings(tmp_path / "none.csv", store)


ITEMS = [Item("uses", f"uses-{number:02}", f"What is brick {number} for?") for number in range(6)]
STORM = Item("writing", "writing-01", "Write of a storm.")
LIST = "1. A door stop that stays.\n2. A weight for a kite in the wind.\n3. A step for a small dog."


def rated_by_ann(originality, *, texts=(LIST,) * 6, items=ITEMS, judged=None):
    """Return scores and reliability with the ratings of Ann beside the judge's."""
    answers = [
        Answer("dose-0", item.task, item.id, 0, text, 1, 1, 1, "stop") for item, text in zip(items, texts, strict=True)
    ]
    scored = [
        ScoredAnswer(a.arm, a.task, a.item, 0, {"judge: originality": score}, {"judge: originality": score})
        for a, score in zip(answers, judged or [None] * len(answers), strict=True)
    ]
    return add_ratings(scored, subjects(answers, items, load_tasks()), [Ratings("Ann", originality, {})])


def key(item, number=0):
    return IdeaKey("dose-0", item.id, 0, number)


def test_a_rating_of_an_answer_is_the_mean_over_its_rated_ideas():
    scored, _ = rated_by_ann({key(ITEMS[0], 0): 2.0, key(ITEMS[0], 2): 5.0})
    assert [each.values["human Ann: originality"] for each in scored] == [3.5, None, None, None, None, None]
    assert scored[0].values["human Ann: elaboration"] is None
    assert scored[0].values["judge: originality"] is None


def test_at_matched_length_the_ideas_that_are_still_there_count():
    answers = [
        Answer(arm, "uses", ITEMS[0].id, 0, text, 1, 1, 1, "stop")
        for arm, text in (("dose-0", LIST), ("b", "on " * 16))
    ]
    told = subjects(answers, ITEMS, load_tasks())
    ratings = Ratings("Ann", {key(ITEMS[0], number): float(number + 1) for number in range(3)}, {})
    scored, _ = add_ratings([ScoredAnswer(a.arm, a.task, a.item, 0, {}, {}) for a in answers], told, [ratings])
    assert (scored[0].values["human Ann: originality"], scored[0].matched["human Ann: originality"]) == (2.0, 1.5)


def test_what_the_beginning_of_a_piece_of_writing_would_have_got_is_not_known():
    scored, _ = rated_by_ann(
        {key(STORM): 4.0}, texts=["The storm came late, and nobody had shut the old barn."], items=[STORM]
    )
    assert (scored[0].values["human Ann: originality"], scored[0].matched["human Ann: originality"]) == (4.0, None)


def test_a_rater_is_checked_against_the_judge():
    _, [found] = rated_by_ann({key(item): float(place) for place, item in enumerate(ITEMS)}, judged=[1, 2, 3, 4, 5, 6])
    assert (found.rater, found.criterion) == ("human: Ann, originality", "originality")
    assert found.checks["rank correlation with the judge"].mean == pytest.approx(1)
    assert "Ann rated 6 ideas for originality" in found.verdict


def test_without_a_judge_there_is_nothing_to_check_a_rater_against():
    _, [found] = rated_by_ann({key(ITEMS[0]): 3.0})
    assert (found.checks, found.usable) == ({}, True)
    assert "is not known, as too few have scores of anybody else" in found.verdict
