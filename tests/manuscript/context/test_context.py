"""What the model is sent, to the letter, and the account of it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.errors import ManuscriptError
from billy_mlx.formats.lorebooks.lorebook import Entry, Lorebook
from billy_mlx.manuscript.context import parts
from billy_mlx.manuscript.context.context import build_context
from billy_mlx.manuscript.context.guide import Guide, Shares
from billy_mlx.manuscript.context.parts import Cut
from billy_mlx.sentences import starts

STORY = "It was night.\n\nAda lit the lamp. The fog came up.\n\n“Who is it?” she asked.\n\nNobody said"
LAMP = Entry("lamp", "The lamp burns whale oil.", ("lamp",))
GUIDE = Guide("Ada keeps the light at Ostend.", "quiet, few words", 1, Lorebook((LAMP, Entry("x", "No.", ("moon",)))))
TEMPLATE = 5
FRAME = {
    *(parts.WRITER, parts.KNOWN, parts.LORE, parts.SELECTION, parts.AFTER, parts.INSTRUCTION, parts.NOTE),
    *(parts.BASE_AFTER, parts.BASE_SELECTION, parts.CLOSING, parts.SEPARATOR),
    *parts.REQUESTS.values(),
    *parts.BASE_INSTRUCTIONS.values(),
}
AROUND = "(?:" + "|".join(map(re.escape, FRAME)) + r"|[\0\n])*"


class Counter:
    """Counts words, and the characters it was shown."""

    def __init__(self):
        self.characters = 0

    def __call__(self, text):
        self.characters += len(text)
        return len(text.split())

    def prompt(self, prompt):
        return TEMPLATE + sum(self(text) for text in (prompt.system, prompt.user, prompt.prefix))


def build(text=STORY, cursor=None, guide=GUIDE, *, budget=300, counter=None, **how):
    count = counter or Counter()
    how = {"work": "continue", "instruction": "", "selection": None, "chat": True, **how}
    cursor = len(text) if cursor is None else cursor
    return build_context(text, cursor, guide, budget=budget, measure=count.prompt, count=count, **how)


def part(context, kind):
    (found,) = [part for part in context.parts if part.kind == kind]
    return found


def test_a_chat_goes_on_from_the_text_itself():
    sent = build(guide=Guide()).prompt
    assert sent.prefix == STORY
    assert (sent.system, sent.user) == (parts.WRITER, parts.REQUESTS["continue"])


def test_a_chat_is_told_memory_and_lore_first_and_the_note_close_to_the_end():
    context = build(instruction="make her leave")
    assert context.prompt.system.endswith(parts.KNOWN + GUIDE.memory + parts.LORE + LAMP.text)
    assert context.prompt.user.endswith(parts.INSTRUCTION + "make her leave")
    assert context.prompt.prefix.endswith("asked.\n\n[Author's note: quiet, few words]\n\nNobody said")
    kinds = [part.kind for part in context.parts]
    assert kinds == ["memory", "lore", "instruction", "before", "note", "before", "frame"]
    assert part(context, "lore").trigger.key == "lamp"


def test_a_base_model_reads_all_in_one_text():
    sent = build(STORY[:29], chat=False, instruction="make her leave", guide=Guide("Ada.", "quiet", 2)).prompt
    assert sent.prefix == (
        "Ada.\n\n***\n\n[Author's note: quiet]\n\nIt was night.\n\n[What comes next: make her leave]\n\nAda lit the la"
    )
    assert (sent.system, sent.user) == ("", "")


def test_a_base_model_without_a_guide_reads_the_text_alone():
    assert build(chat=False, guide=Guide()).prompt.prefix == STORY


@pytest.mark.parametrize("chat", [True, False])
def test_an_infill_is_told_what_comes_after(chat):
    context = build(cursor=14, work="infill", chat=chat)
    assert part(context, "after").text == STORY[15:]
    assert context.prompt.prefix.endswith("It was night.\n")


@pytest.mark.parametrize("chat", [True, False])
def test_a_rewrite_is_told_the_passage_and_goes_on_before_it(chat):
    start = STORY.index("The fog")
    context = build(work="rewrite", selection=(start, start + 16), instruction="darker", chat=chat, cursor=0)
    assert (part(context, "selection").text, context.held_back) == ("The fog came up.", " ")
    assert part(context, "instruction").text == "darker"
    assert context.prompt.prefix.endswith("Ada lit the lamp.")
    assert part(context, "after").text.startswith("“Who is it?”")


@pytest.mark.parametrize("work", ["rewrite", "continue"])
def test_what_is_asked_for_sets_lore_off_as_well(work):
    context = build("It was night. ", guide=GUIDE, work=work, selection=(0, 5), instruction="she takes the lamp")
    assert part(context, "lore").text == LAMP.text


@pytest.mark.parametrize(
    ("end", "held_back", "answer", "continued"),
    [
        ("", "", " then", " then"),
        (" ", " ", " then", "then"),
        (" ", " ", "then", "then"),
        (".\n\n", "", "Then", "Then"),
        (".\n\n\u3000", "\u3000", "\u3000Then", "Then"),
        (" \t ", " \t ", "\nThen", "\nThen"),
    ],
)
def test_blanks_at_the_end_are_held_back_and_line_ends_are_not(end, held_back, answer, continued):
    context = build(STORY + end)
    assert context.held_back == held_back
    assert context.prompt.prefix + held_back == build(STORY).prompt.prefix + end
    assert context.continued(answer) == continued


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_are_sent_as_models_know_them(line_end):
    before, after = STORY[:30], STORY[30:]
    sent = []
    for end in ("\n", line_end):
        start, text, memory = (one.replace("\n", end) for one in (before, before + after, "One.\nTwo."))
        sent.append(build(text, len(start), Guide(memory), work="infill").prompt)
    assert sent[0] == sent[1]


def test_the_beginning_is_cut_at_a_sentence():
    text = " ".join(f"This is sentence number {number}." for number in range(200))
    before = part(build(text, guide=Guide(), budget=150), "before")
    assert before.text.startswith("This is")
    assert before.cut == Cut("start", len(text) - len(before.text))


def cuts(contexts):
    return [part(context, "before").cut.chars for context in contexts]


@pytest.mark.slow
def test_the_cut_stays_while_the_text_grows_and_then_jumps():
    text = "".join(f"This is sentence number {number}. " for number in range(500))
    found = cuts(build(text, length, Guide(), budget=600) for length in range(6_000, 12_000, 50))
    assert found == sorted(found)
    assert len(set(found)) <= 6_000 / 256 + 1  # characters of a jump, at least


@pytest.mark.slow
def test_the_cut_does_not_move_with_every_word_of_an_instruction():
    text = "This is one sentence. " * 2_000
    found = cuts(build(text, guide=Guide(), budget=1_000, instruction="word " * words) for words in range(1, 60))
    assert len(set(found)) <= 2


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("budget", [500, 20_000])
def test_what_is_counted_does_not_grow_with_the_manuscript(chat, budget):
    sentence = "The quick brown fox jumps over the lazy dog again. "
    counters = [Counter(), Counter()]
    for counter, length in zip(counters, (20_000, 40_000), strict=True):
        guide = Guide(
            sentence * length, sentence * length, lorebook=Lorebook((Entry("a", sentence * length, always=True),))
        )
        build(sentence * length, 25 * length, guide, work="infill", budget=budget, counter=counter, chat=chat)
    assert counters[0].characters < 1.1 * counters[1].characters < 25 * budget


class Characters(Counter):
    """Counts characters, as if each were a token."""

    def __call__(self, text):
        return len(text)


@pytest.mark.parametrize("text", ["word " * 50_000, "字" * 300_000, "x" * 300_000])
def test_a_text_without_sentences_is_cut_as_well(text):
    assert 2_000 < build(text, guide=Guide(), budget=5_000, counter=Characters(), chat=False).tokens <= 5_000


def test_the_last_sentence_is_sent_even_if_nothing_else_fits():
    context = build("One. \n\n Two. ", guide=Guide(), budget=TEMPLATE + 5, counter=Characters(), chat=False)
    assert context.prompt.prefix == "Two."


def test_lore_falls_out_by_order_and_is_shown():
    entries = tuple(Entry(str(order), f"w{order} " * 20, always=True, order=order) for order in (2, 1, 3))
    context = build(guide=Guide(lorebook=Lorebook(entries)), budget=200)
    lore = [(part.title, part.text[:2], part.cut) for part in context.parts if part.kind == "lore"]
    assert lore == [("1", "", Cut("all", 59)), ("2", "w2", None), ("3", "w3", None)]


def test_memory_that_is_too_long_loses_its_end():
    memory = part(build(guide=Guide("One two three. " * 100), budget=120), "memory")
    assert memory.text == "One two three. " * 9 + "One two three."
    assert memory.cut == Cut("end", 15 * 90)


def test_a_share_of_nothing_shows_what_was_left_out():
    context = build(guide=Guide("Ada keeps the light.", shares=Shares(memory=0)))
    assert part(context, "memory").cut == Cut("all", 20)
    assert parts.KNOWN not in context.prompt.system


class Doubled(Counter):
    """Finds a prompt twice as long as its pieces."""

    def prompt(self, prompt):
        return 2 * super().prompt(prompt)


def test_pieces_that_take_more_together_still_fit():
    assert 150 < build("A sentence here. " * 500, budget=400, counter=Doubled()).tokens <= 400


@pytest.mark.parametrize("how", [{"instruction": "long " * 100}, {"work": "rewrite", "selection": (0, 80)}])
def test_a_budget_that_is_too_small_is_said_with_the_numbers(how):
    with pytest.raises(ManuscriptError, match=r"take \d+ tokens, but only 60 may be sent"):
        build(budget=60, guide=Guide(), **how)


@pytest.mark.parametrize("how", [{"cursor": 999}, {"work": "rewrite", "selection": (3, 999)}])
def test_a_place_that_is_not_there_is_a_mistake_of_the_caller(how):
    with pytest.raises(ValueError, match="not in a text"):
        build(**how)


@pytest.mark.parametrize("selection", [None, (3, 3), (13, 15)])
def test_nothing_cannot_be_rewritten(selection):
    with pytest.raises(ManuscriptError, match="nothing is selected"):
        build(work="rewrite", selection=selection)


def test_a_key_that_cannot_be_looked_for_is_reported():
    assert len(build(guide=Guide(lorebook=Lorebook((Entry("a", "b", ("/(/",)),)))).warnings) == 1


TEXTS = st.lists(
    st.sampled_from(
        ["Ada went.", " ", "\n", "\n\n", "“No!”", "word", "lamp", "…", "Mr. X", "fog? ", "\t", "A. B", "# H\n"]
    )
).map("".join)
GUIDES = st.builds(
    Guide,
    TEXTS,
    TEXTS,
    st.integers(1, 4),
    st.just(Lorebook((LAMP, Entry("b", "b " * 30, ("fog",), order=1), Entry("c", "Always.", always=True, order=-1)))),
    st.builds(Shares, *[st.floats(0, 1)] * 4),
)


@st.composite
def requests(draw):
    text = draw(TEXTS)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    work = draw(st.sampled_from(["continue", "infill"] + ["rewrite"] * bool(text[start:end].strip())))
    how = {"work": work, "selection": (start, end) if work == "rewrite" else None, "chat": draw(st.booleans())}
    return text, start, {**how, "instruction": draw(TEXTS), "budget": draw(st.integers(90, 250))}


@pytest.mark.slow
@given(requests(), GUIDES)
@settings(max_examples=300)
def test_what_is_sent_is_in_the_parts_and_within_the_budget(request, guide):
    text, cursor, how = request
    try:
        context = build(text, cursor, guide, **how)
    except ManuscriptError:
        return
    assert (
        context.tokens
        == Counter().prompt(context.prompt)
        == sum(part.tokens for part in context.parts)
        <= how["budget"]
    )
    texts = [re.escape(part.text) for part in context.parts if part.text]
    sent = "\0".join((context.prompt.system, context.prompt.user, context.prompt.prefix))
    assert re.fullmatch(AROUND + AROUND.join(texts) + AROUND, sent)


@pytest.mark.slow
@given(requests(), GUIDES)
@settings(max_examples=300)
def test_the_text_before_is_sent_to_its_end_from_a_sentence_on(request, guide):
    text, cursor, how = request
    try:
        context = build(text, cursor, guide, **how)
    except ManuscriptError:
        return
    before = "".join(part.text for part in context.parts if part.kind == "before")
    assert text[:cursor] == text[: cursor - len(before + context.held_back)] + before + context.held_back
    start = cursor - len(before + context.held_back)
    assert start == 0 or not before or start in starts(text[:cursor])
