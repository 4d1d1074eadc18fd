"""What a model is sent: within the budget, cut at sentences, and every word of it accounted for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError, ManuscriptError
from billy_mlx.manuscript.context.context import build_context
from billy_mlx.manuscript.context.guide import Guide, Shares
from billy_mlx.manuscript.context.lorebook import Entry, Lorebook
from billy_mlx.manuscript.context.parts import Cut
from billy_mlx.manuscript.sentences import starts

STORY = "# One\n\nIt was a dark night. The fog came up.\n\nAda lit the lamp. “Who is there?” she asked.\n\nNobody said"
GUIDE = Guide(
    memory="Ada keeps the light at Ostend.",
    note="quiet, few words",
    note_depth=1,
    lorebook=Lorebook((Entry("lamp", "The lamp burns whale oil.", ("lamp",)), Entry("moon", "No moon.", ("moon",)))),
)


class Counter:
    """Counts words, and the characters it was shown."""

    def __init__(self):
        self.characters = 0

    def __call__(self, text):
        self.characters += len(text)
        return len(text.split())

    def prompt(self, prompt):
        return sum(self(text) for text in (prompt.system, prompt.user, prompt.prefix))


def build(text=STORY, cursor=None, guide=GUIDE, *, budget=200, counter=None, **how):
    count = counter or Counter()
    cursor = len(text) if cursor is None else cursor
    how = {"chat": True, **how}
    return build_context(text, cursor, guide, budget=budget, measure=count.prompt, count=count, **how)


def test_a_continuation_goes_on_from_the_text_itself():
    sent = build(guide=Guide()).prompt
    assert sent.prefix == STORY
    assert STORY not in sent.user + sent.system


def test_memory_and_lore_are_told_first_and_the_note_close_to_the_end():
    context = build()
    assert context.prompt.system == "Ada keeps the light at Ostend.\n\nThe lamp burns whale oil."
    assert context.prompt.prefix.endswith("asked.\n\n[Author's note: quiet, few words]\n\nNobody said")
    assert [(part.kind, part.title) for part in context.parts if part.kind == "lore"] == [("lore", "lamp: lamp")]


def test_a_base_model_reads_one_text_in_the_same_order():
    sent = build(chat=False, instruction="make her leave").prompt
    assert (sent.system, sent.user) == ("", "")
    assert sent.prefix.startswith("Ada keeps the light at Ostend.\n\nThe lamp burns whale oil.\n\n[What happens next")
    assert sent.prefix.endswith("Nobody said")


@pytest.mark.parametrize("work", ["continue", "infill", "rewrite"])
@pytest.mark.parametrize("chat", [True, False])
def test_an_instruction_is_told_whatever_is_done(work, chat):
    context = build(cursor=10, work=work, chat=chat, instruction="make her leave", selection=(7, 27))
    assert "make her leave" in context.prompt.user + context.prompt.prefix
    assert ("night" in context.prompt.user + context.prompt.prefix) is (work != "continue")


def test_an_infill_is_told_what_follows_and_what_of_that_was_left_out():
    text = STORY + " Anything. " * 100
    context = build(text, 28, Guide(shares=Shares(after=0.1)), work="infill", budget=100)
    (after,) = [part for part in context.parts if part.kind == "after"]
    assert after.text.startswith("The fog came up.")
    assert after.cut.where == "end"
    assert after.cut.characters > 1000


def test_a_rewrite_begins_where_the_passage_does_and_is_told_the_passage():
    start = STORY.index("Ada")
    context = build(guide=Guide(), work="rewrite", selection=(start, start + 17), instruction="darker")
    assert context.prompt.prefix == STORY[:start].rstrip()
    assert "Ada lit the lamp." in context.prompt.user


def test_the_beginning_is_cut_at_a_sentence():
    text = " ".join(f"This is sentence number {number}." for number in range(200))
    context = build(text, guide=Guide(), budget=100)
    (before,) = [part for part in context.parts if part.kind == "before"]
    assert before.text.startswith("This is")
    assert before.cut == Cut(len(text) - len(before.text), "beginning")


def test_the_cut_stays_while_the_text_grows():
    text = "".join(f"This is sentence number {number}. " for number in range(300))
    begins = []
    for length in range(4000, 8000, 40):
        sent = build(text, length, Guide(), budget=400).prompt.prefix
        begins.append(text.index(sent[:40]))
    assert begins == sorted(begins)
    assert len(set(begins)) <= 4000 / 200 + 1


def test_what_a_long_manuscript_costs_does_not_grow_with_it():
    sentence = "The quick brown fox jumps over the lazy dog again. "
    short, long = Counter(), Counter()
    build(sentence * 2_000, counter=short, budget=500)
    build(sentence * 20_000, counter=long, budget=500)
    assert long.characters < 1.1 * short.characters


def test_lore_that_does_not_fit_falls_out_by_order_and_is_shown():
    entries = tuple(Entry(str(order), f"word{order} " * 20, always=True, order=order) for order in (1, 2, 3))
    context = build(guide=Guide(lorebook=Lorebook(entries)), budget=200)
    lore = [(part.title, part.cut is not None) for part in context.parts if part.kind == "lore"]
    assert lore == [("3: always", False), ("2: always", False), ("1: always", True)]


def test_memory_that_is_too_long_loses_its_end():
    context = build(guide=Guide(memory="One two three. " * 100), budget=100)
    (memory,) = [part for part in context.parts if part.kind == "memory"]
    assert memory.text == "One two three. One two three. One two three. One two three. One two three. One two three."
    assert memory.cut.where == "end"


@pytest.mark.parametrize(
    ("end", "answer", "attached"),
    [("", " then", " then"), (" ", " then", "then"), ("\n\n", "\n\nThen", "Then"), (" ", "\n\nThen", "\n\nThen")],
)
def test_an_answer_is_attached_without_the_space_there_already_is(end, answer, attached):
    context = build(STORY + end)
    assert context.prompt.prefix.endswith("Nobody said")
    assert context.attached(answer) == attached


def test_line_ends_are_sent_as_models_know_them():
    assert "\r" not in build(STORY.replace("\n", "\r\n")).prompt.prefix


def test_a_budget_that_is_too_small_says_by_how_much():
    with pytest.raises(ManuscriptError, match=r"takes \d+ of 20 tokens"):
        build(instruction="a long instruction " * 10, budget=20)


@pytest.mark.parametrize("place", [{"cursor": 9999}, {"work": "rewrite", "selection": (5, 9999)}, {"work": "rewrite"}])
def test_a_place_that_is_not_there_is_refused(place):
    with pytest.raises(ManuscriptError):
        build(**place)


@given(
    text=st.text(st.sampled_from("ab .!\n"), max_size=400),
    share=st.floats(0, 1),
    budget=st.integers(60, 200),
    work=st.sampled_from(["continue", "infill"]),
    chat=st.booleans(),
    depth=st.integers(0, 4),
)
def test_all_that_is_sent_is_in_a_part_and_within_the_budget(text, share, budget, work, chat, depth):
    cursor = round(share * len(text))
    guide = Guide(memory="Ada.", note="quiet", note_depth=depth, lorebook=GUIDE.lorebook)
    context = build(text, cursor, guide, budget=budget, work=work, chat=chat)
    assert context.tokens <= budget
    assert sum(part.tokens for part in context.parts) == context.tokens
    whole = context.prompt.system + "\0" + context.prompt.user + "\0" + context.prompt.prefix
    assert all(part.text in whole for part in context.parts)
    kept = "".join(part.text for part in context.parts if part.kind == "before")
    assert text[:cursor].rstrip().endswith(kept)
    assert (
        not kept or kept == text[:cursor].rstrip() or len(text[:cursor].rstrip()) - len(kept) in starts(text[:cursor])
    )


def test_a_guide_can_be_written_and_read_again():
    assert Guide.of_json(GUIDE.as_json()) == GUIDE


@pytest.mark.parametrize("data", [b"", b"[]", b'{"memory": 1}', b'{"shares": {"lore": 2}}', b"[" * 100_000])
def test_what_is_no_guide_is_said(data):
    with pytest.raises(DocumentError, match="cannot be read"):
        Guide.of_json(data)
