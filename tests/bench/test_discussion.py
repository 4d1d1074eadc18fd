import pytest
from benching import ITEMS, roomy, small

from billy_mlx.bench.discussion import discussion
from billy_mlx.model.prompt import chat_prompt, check_length


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return roomy(tmp_path_factory.mktemp("roomy"))


def played(play, say):
    """Return the rounds of turns of a play in which turn t of round r gets `say(r, t)`, and its answer."""
    rounds = [next(play)]
    while True:
        texts = [say(len(rounds), place) for place in range(len(rounds[-1]))]
        try:
            rounds.append(play.send(texts))
        except StopIteration as end:
            return rounds, end.value


def named(number, place):
    return f"1. thought {number}-{place}"


def test_four_roles_take_five_rounds(model):
    rounds, _ = played(discussion(model, small())(ITEMS[0], 0), named)
    assert [len(turns) for turns in rounds] == [4, 4, 4, 4, 4]
    assert len({turn.seed for turns in rounds for turn in turns}) == 20
    assert {turn.max_tokens for turns in rounds for turn in turns} == {4}


def test_every_turn_is_spoken_in_its_role(model):
    rounds, _ = played(discussion(model, small())(ITEMS[0], 0), named)
    for turns in rounds:
        assert ["Futurist" in turn.system for turn in turns] == [False, False, True, True]


def test_every_turn_sees_what_the_others_said_in_the_round_before_and_no_more(model):
    rounds, _ = played(discussion(model, small())(ITEMS[0], 0), named)
    for number, turns in enumerate(rounds):
        for place, turn in enumerate(turns):
            seen = {(r, p) for r in range(1, 6) for p in range(4) if named(r, p) in turn.prompt}
            assert seen == {(number, other) for other in range(4) if number and other != place}
            assert ITEMS[0].prompt in turn.prompt


def test_the_answer_is_all_final_lists_without_what_is_there_twice(model):
    def say(number, place):
        return f"Here are my ideas:\n1. A doorstop that sings\n2. A house for mouse number {place % 2}"

    _, answer = played(discussion(model, small())(ITEMS[0], 0), say)
    assert answer.splitlines() == [
        "1. A doorstop that sings",
        "2. A house for mouse number 0",
        "3. A house for mouse number 1",
    ]


def test_of_pieces_of_writing_the_first_roles_is_the_answer(model):
    assert played(discussion(model, small())(ITEMS[1], 0), named)[1] == named(5, 0)


def test_what_does_not_fit_into_the_context_is_cut_and_says_so(model):
    rounds, _ = played(discussion(model, small())(ITEMS[0], 0), lambda *_: "long " * 1000)
    for turn in rounds[2]:
        prompt = chat_prompt(model.tokenizer, turn.prompt, system=turn.system)
        check_length(model, prompt, turn.max_tokens)
        assert len(prompt) > 4000
        assert turn.prompt.count("cut here") == 3


def test_nothing_said_is_nothing_found(model):
    assert played(discussion(model, small())(ITEMS[0], 0), lambda *_: "")[1] == ""
