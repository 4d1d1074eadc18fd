"""Arms that only prompt: discussions, roles, and probabilities that a model states."""

import pytest
from helpers.small_bench import ITEMS, plant, roomy, small

from billy_mlx.bench.arms import comparison_arms
from billy_mlx.bench.play import Fallback
from billy_mlx.bench.prompted_arms import Stated, choose, discussion, seats, stated
from billy_mlx.blend.blend import Blend
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.blend.writer import check_length


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
        assert ["Futurist" in turn.prompt.system for turn in turns] == [False, False, True, True]


def test_every_turn_sees_what_the_others_said_in_the_round_before_and_no_more(model):
    rounds, _ = played(discussion(model, small())(ITEMS[0], 0), named)
    for number, turns in enumerate(rounds):
        for place, turn in enumerate(turns):
            seen = {(r, p) for r in range(1, 6) for p in range(4) if named(r, p) in turn.prompt.user}
            assert seen == {(number, other) for other in range(4) if number and other != place}
            assert ITEMS[0].prompt in turn.prompt.user


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


@pytest.mark.slow
def test_what_does_not_fit_into_the_context_is_cut_and_says_so(model):
    rounds, _ = played(discussion(model, small())(ITEMS[0], 0), lambda *_: "long " * 1000)
    for turn in rounds[2]:
        prompt = prompt_tokens(model, turn.prompt)
        check_length(model, prompt, turn.max_tokens)
        assert len(prompt) > 4000
        assert turn.prompt.user.count("cut here") == 3


def test_nothing_said_is_nothing_found(model):
    assert played(discussion(model, small())(ITEMS[0], 0), lambda *_: "")[1] == ""


@pytest.fixture
def arms(tiny):
    plant(tiny)
    return {arm.name: arm for arm in comparison_arms(tiny, small())}


def first(arm, item=ITEMS[0], seed=0):
    return next(arm.play(item, seed))[0]


def test_multi_role_asks_for_each_persona_by_name_and_description(arms):
    prompt = first(arms["multi-role"]).prompt.user
    assert prompt.count("- Futurist: Someone who looks decades ahead") == 1
    assert prompt.endswith(ITEMS[0].prompt)


@pytest.mark.parametrize(
    ("blend", "names"),
    [
        ("creative-professional:0.25+environmentalist:0.25+futurist:0.5", "Creative, Environ, Futurist, Futurist"),
        ("noir", "Noir, Noir, Noir, Noir"),
        ("noir:3+gothic:2+comic:-1", "Gothic, Gothic, Noir, Noir"),
        ("a:1+b:1+c:1+d:1+e:2", "A, B, C, E"),
    ],
)
def test_personas_take_four_seats_by_weight(blend, names):
    found = [role.name for role in seats(Blend.parse(blend), 4)]
    assert all(name.startswith(start) for name, start in zip(found, names.split(", "), strict=True)), found


def test_verbalized_answers_are_read_with_their_probabilities():
    text = "Sure!\nAnswer 1, probability 0.07:\n1. A hat\n2. A boat\n\n**Answer 2 (probability: 30%)**\nA drum"
    assert stated(text) == [Stated("1. A hat\n2. A boat", 0.07), Stated("A drum", 0.3)]


def test_an_unlikely_verbalized_answer_is_taken_as_likely_as_it_says():
    answers = [Stated("likely", 0.8), Stated("rare", 0.01), Stated("less rare", 0.09)]
    taken = [choose(answers, seed) for seed in range(1000)]
    assert taken.count("likely") == 0
    assert taken.count("rare") == pytest.approx(100, abs=30)
    assert choose(answers, 3) == choose(answers, 3)


def test_a_verbalized_text_that_cannot_be_parsed_is_the_answer(arms):
    play = arms["verbalized"].play(ITEMS[0], 0)
    next(play)
    with pytest.raises(StopIteration) as end:
        play.send(["1. A hat with a probability"])
    assert end.value.value == Fallback("1. A hat with a probability")


def test_a_verbalized_turn_may_be_five_answers_long_but_not_longer_than_the_context(tiny, arms):
    assert first(arms["verbalized"]).max_tokens == 5 * 6
    [long] = comparison_arms(tiny, small(max_tokens=100, arms=("verbalized",)))
    assert 100 <= first(long).max_tokens < 500
