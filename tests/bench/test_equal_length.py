"""How much of an answer is scored at matched length: as much as all arms have of it."""

import pytest

from billy_mlx.bench.equal_length import LEAST_WORDS, Scores, first_words, scored_alike, subjects, word_count
from billy_mlx.bench.store import Answer
from billy_mlx.bench.tasks import Item, load_tasks

TASKS = load_tasks()
BRICK = Item("uses", "uses-01", "What is a brick for?")
STORM = Item("writing", "writing-01", "Write of a storm.")
LIST = "1. A door stop that stays.\n2. A weight for a kite in the wind.\n3. A step for a small dog."


def answer(text, arm="dose-0", item=BRICK, seed=0):
    return Answer(arm, item.task, item.id, seed, text, 1, 1, 1, "stop")


def made(*answers, items=(BRICK, STORM)):
    return subjects(answers, items, TASKS)


def words(count):
    return " ".join(f"word{number}" for number in range(count))


def test_words_hold_a_letter_or_a_digit():
    assert word_count("1. A rain-coat -- for *him*, 2!") == 6


@pytest.mark.parametrize(
    ("count", "left"), [(0, ""), (1, "One,"), (2, "One, two."), (3, "One, two. Three!"), (9, None)]
)
def test_the_first_words_keep_their_marks(count, left):
    text = "One, two. Three!"
    assert first_words(text, count) == (text if left is None else left)


def test_every_answer_to_an_item_is_cut_to_the_shortest():
    long, short = made(answer(words(40), item=STORM), answer(words(15), "billy-paper", STORM, seed=1))
    assert word_count(long.matched.text) == word_count(short.matched.text) == 15
    assert short.matched == short.whole


def test_an_answer_of_a_few_words_does_not_shorten_the_others_and_is_not_matched():
    long, short = made(answer(words(40), item=STORM), answer(words(LEAST_WORDS - 1), "billy-paper", STORM))
    assert word_count(long.matched.text) == 40
    assert short.matched is None


def test_another_items_answers_do_not_count():
    long, _ = made(answer(words(40), item=STORM), answer(words(12)))
    assert long.matched == long.whole


def test_the_ideas_of_a_beginning_are_those_that_end_within_it():
    listed, _ = made(answer(LIST), answer(words(16), "billy-paper"))  # the second idea ends at word 15
    assert listed.whole.ideas == (
        "A door stop that stays.",
        "A weight for a kite in the wind.",
        "A step for a small dog.",
    )
    assert listed.matched.ideas == listed.whole.ideas[:2]


def test_words_before_the_first_idea_count_as_well():
    listed, _ = made(answer(f"Here are some uses for it:\n\n{LIST}"), answer(words(16), "billy-paper"))
    assert listed.matched.ideas == listed.whole.ideas[:1]


def test_there_is_one_idea_at_least():
    listed, _ = made(answer(f"1. {words(30)}\n2. {words(30)}x"), answer(words(10), "billy-paper"))
    assert listed.matched.ideas == listed.whole.ideas[:1]


def test_a_piece_of_writing_is_one_idea_and_is_cut_itself():
    text = "The storm came late. Nobody had shut the barn, and all the hay was wet."
    piece, _ = made(answer(text, item=STORM), answer(words(10), "billy-paper", STORM))
    assert piece.whole.parts == ("The storm came late.", "Nobody had shut the barn, and all the hay was wet.")
    assert piece.matched.ideas == (first_words(text, 10),)
    assert piece.matched.parts == ("The storm came late.", "Nobody had shut the barn, and")


def test_an_empty_answer_has_no_ideas():
    (empty,) = made(answer(" \n", item=STORM))
    assert (empty.whole.ideas, empty.whole.parts, empty.matched) == ((), (), None)


def test_answers_to_other_items_are_left_out():
    assert made(answer(words(12), item=STORM), items=[BRICK]) == []


def test_what_has_no_beginning_has_no_score_for_it():
    (short,) = made(answer("A door stop."))
    scores = scored_alike([short], lambda _, content: {"words": float(word_count(content.text))})
    assert scores == [Scores({"words": 3.0}, {"words": None})]
