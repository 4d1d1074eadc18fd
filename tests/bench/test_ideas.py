"""Ideas are found in every layout that small models answer in, and not a word is put into them.

The files in `answers` are what the starter model wrote: alone at temperature 0.7, or in the voice they are named for.
"""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.bench.ideas import split_ideas

ANSWERS = Path(__file__).parent / "answers"
STOP, BOAT, PIN = "Wedge it under a door.", "Carve a small boat.", "Push pins into it."

# The answer, and the beginnings of its ideas.
WRITTEN = {
    "egg_carton_in_noir": [
        "Food: You can make",
        "Paper-Craft: You",
        "Custom-Made Cakes:",
        "A Dreamy Jewelry: You could",
    ],
    "wound_up_in_lyrical": ["A Firefighter's", "A Good Samaritan's", "A Mother's love", "A Mother's sacrifice"],
    "suitcase_in_futurist": [
        "A reusable packing",
        "A portable solar",
        "A toilet",
        "A clothing closet made",
        "An intelligent",
        "A robot",
        "A reusable water",
        "A clothing closet that",
    ],
    "useful_when_broken": ["Breaking up big tasks -", "Breaking things down", "Using material as an example -"],
    "suitcase_unasked": ["Concealing a footprint", "100% of this could"],
    "lighthouse": ["The Lighthouse is", "The Library is", "A lighthouse stands"],
    "door_mat_in_prose": ["While doors themselves", "A door mat is"],
    "no_sound": ["A world without walls"],
}
LAYOUTS = {
    "numbers": f"1. {STOP}\n2. {BOAT}\n3. {PIN}",
    "numbers with brackets": f"1) {STOP}\n2) {BOAT}\n3) {PIN}",
    "letters": f"a) {STOP}\nb) {BOAT}\nc) {PIN}",
    "escaped numbers": f"1\\. {STOP}\n2\\. {BOAT}\n3\\. {PIN}",
    "numbers in brackets": f"(1) {STOP}\n\n(2) {BOAT}\n\n(3) {PIN}",
    "numbers further in": f" 1. {STOP}\n2. {BOAT}\n 3. {PIN}",
    "numbers without a space": f"1.{STOP}\n2.{BOAT}\n3.{PIN}",
    "bold numbers": f"**1.** {STOP}\n**2.** {BOAT}\n**3.** {PIN}",
    "numbers on lines of their own": f"1.\n{STOP}\n2.\n{BOAT}\n3.\n{PIN}",
    "numbers in a paragraph that is set in": f"   1. {STOP} 2. {BOAT} 3. {PIN}",
    "the word idea": f"Idea 1: {STOP}\nIdea #2: {BOAT}\n**Idea 3:** {PIN}",
    "the word idea as a heading": f"### Idea 1\n{STOP}\n### Idea 2\n{BOAT}\n### Idea 3\n{PIN}",
    "numbers after bullets": f"- 1. {STOP}\n- 2. {BOAT}\n- 3. {PIN}",
    "numbers in a paragraph": f"Here you are: 1. {STOP} 2. {BOAT} 3. {PIN}",
    "bold numbers in a paragraph": f"**1.** {STOP} **2.** {BOAT} **3.** {PIN}",
    "dashes": f"- {STOP}\n- {BOAT}\n- {PIN}",
    "stars": f"* {STOP}\n* {BOAT}\n\n* {PIN}",
    "bullets": f"• {STOP}\n• {BOAT}\n• {PIN}",
    "lines": f"{STOP}\n{BOAT}\n{PIN}",
    "paragraphs": f"{STOP}\n\n{BOAT}\n\n{PIN}",
    "sentences": f"{STOP} {BOAT} {PIN}",
    "preamble": f"Sure! Here are three ideas for you:\n\n1. {STOP}\n2. {BOAT}\n3. {PIN}",
    "preamble before lines": f"Here are three ideas:\n{STOP}\n{BOAT}\n{PIN}",
    "preamble as a sentence": f"It can be used in many ways. {STOP} {BOAT} {PIN}",
    "preamble in a paragraph": f"Sure! {STOP} {BOAT} {PIN} I hope this helps.",
    "closing": f"1. {STOP}\n2. {BOAT}\n3. {PIN}\n\nAll of them are cheap to make.",
    "closing with a heading": f"1. {STOP}\n2. {BOAT}\n3. {PIN}\n\n## Conclusion\n\nThey are cheap.",
    "closing without a gap": f"1. {STOP}\n2. {BOAT}\n3. {PIN}\nLet me know if you need more!",
    "closing after lines": f"{STOP}\n{BOAT}\n{PIN}\nRemember to have fun.",
    "headings between": f"**Kitchen**\n\n1. {STOP}\n2. {BOAT}\n\n**Office**\n\n3. {PIN}",
    "an empty number at the end": f"1. {STOP}\n2. {BOAT}\n3. {PIN}\n4.",
    "one that has hardly begun": f"1. {STOP}\n2. {BOAT}\n3. {PIN}\n4. You could",
    "ideas that come again": f"1. {STOP}\n2. {BOAT}\n3. {STOP.upper()}\n4. {PIN}\n5. {BOAT}",
    "probability tags": f"1. {STOP} <probability>0.1</probability>\n2. {BOAT}<probability>0.02</probability>\n3. {PIN}",
    "probabilities in brackets": f"1. {STOP} (probability: 0.05)\n2. {BOAT} (Probability: 12%)\n3. {PIN} (0.3)",
    "probabilities on lines": f"1. {STOP}\nProbability: 12%\n2. {BOAT}\n**Probability:** 0.1\n3. {PIN}",
    "labels of verbalized sampling": f"Answer 1, probability 0.07:\n1. {STOP}\n2. {BOAT}\n3. {PIN}",
    "response tags": "\n".join(
        f"<response>\n<text>{text}</text>\n<probability>0.1</probability>\n</response>" for text in (STOP, BOAT, PIN)
    ),
}
TITLED = {
    "bold numbered titles": f"1. **Stop**\n   - {STOP}\n2. **Boat**\n   - {BOAT}",
    "numbered titles and paragraphs": f"1. **Stop**\n\n{STOP}\n\n2. **Boat**\n\n{BOAT}\n\nBoth are cheap to make.",
    "titles": f"**Stop**\n{STOP}\n\n**Boat**\n{BOAT}",
    "titles with points": f"**Stop**\n- {STOP}\n\n**Boat**\n- {BOAT}",
    "titles with colons": f"**Stop:** {STOP}\n**Boat:** {BOAT}",
    "a title over titles": f"# Two uses\n\n## Stop\n{STOP}\n\n## Boat\n{BOAT}",
    "bulleted titles": f"- **Stop**: {STOP}\n- **Boat**: {BOAT}",
    "a title over the closing": f"**Stop**\n{STOP}\n\n**Boat**\n{BOAT}\n\n**Conclusion**\nBoth are cheap.",
    "titles without marks": f"Stop:\n{STOP}\nBoat:\n{BOAT}",
}
FRAGMENTS = [
    *(
        "\n",
        "\n\n",
        " ",
        "  - ",
        "* ",
        "**",
        "1. ",
        "2) ",
        "(3)",
        "Idea 4:",
        "# ",
        "> ",
        "`",
        ". ",
        "; you could ",
        " or ",
    ),
    *("Here are some:", "I hope this helps", "<text>", "</response>", "<probability>", "(p=0.1)", "Probability: 5%"),
    *("cork", "Boat", "été", "7", "!", ":", "\t", "\u2028"),
]


@pytest.mark.parametrize("name", WRITTEN)
def test_ideas_are_found_in_what_the_starter_wrote(name):
    ideas = split_ideas((ANSWERS / f"{name}.txt").read_text("utf-8"), lists_ideas=True)
    assert len(ideas) == len(WRITTEN[name])
    assert all(idea.startswith(start) for idea, start in zip(ideas, WRITTEN[name], strict=True))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_ideas(name):
    assert split_ideas(LAYOUTS[name], lists_ideas=True) == [STOP, BOAT, PIN]


@pytest.mark.parametrize("name", TITLED)
def test_a_title_and_its_explanation_are_one_idea(name):
    assert split_ideas(TITLED[name], lists_ideas=True) == [f"Stop: {STOP}", f"Boat: {BOAT}"]


def test_alternatives_in_one_sentence_are_several_ideas():
    text = "You could burn it; you could carve it, or you could throw it at a wall. Salt or pepper may help."
    ideas = ["You could burn it", "you could carve it", "you could throw it at a wall.", "Salt or pepper may help."]
    assert split_ideas(text, lists_ideas=True) == ideas


def test_a_list_in_one_sentence_is_taken_apart():
    ideas = split_ideas("Here are some: 1) a hat, 2) a lamp; 3) a drum, and 4) a boat.", lists_ideas=True)
    assert ideas == ["a hat", "a lamp", "a drum", "a boat."]


def test_the_last_idea_may_be_cut_off_after_four_words():
    assert split_ideas(f"1. {STOP}\n2. You could carve a", lists_ideas=True) == [STOP, "You could carve a"]


def test_a_single_bold_line_is_an_idea():
    assert split_ideas("**Make a hat out of it**", lists_ideas=True) == ["Make a hat out of it"]


def test_ideas_may_begin_like_a_preamble():
    text = "Great for storing buttons\nBoth are read in many ways\nSure footing on ice"
    assert split_ideas(text, lists_ideas=True) == text.splitlines()


def test_a_list_of_bare_names_keeps_its_last_name():
    assert split_ideas("1. Door stop\n2. Boat\n3. Pin board", lists_ideas=True) == ["Door stop", "Boat", "Pin board"]


def test_numbers_in_a_sentence_begin_no_idea():
    text = "1. Take 1.5 litres at 10:30 in chapter 7. Then wait.\n2. In 2019, it was 12 - 15 degrees."
    ideas = ["Take 1.5 litres at 10:30 in chapter 7. Then wait.", "In 2019, it was 12 - 15 degrees."]
    assert split_ideas(text, lists_ideas=True) == ideas


def test_points_of_an_idea_stay_with_it():
    text = "1. Build a raft\n   - tie corks\n   - add a sail\n2. Float it on a pond."
    assert split_ideas(text, lists_ideas=True) == ["Build a raft: tie corks; add a sail", "Float it on a pond."]


def test_a_probability_that_is_spoken_of_stays():
    text = "1. The probability of 50 % for rain is kept.\n2. A coin shows heads."
    assert split_ideas(text, lists_ideas=True)[0] == "The probability of 50 % for rain is kept."


def test_a_piece_of_writing_is_left_whole():
    text = "Here is a scene:\n\n1. He counted.\n2. She left.\n"
    assert split_ideas(text, lists_ideas=False) == [text.strip()]


@pytest.mark.parametrize("lists_ideas", [True, False])
@pytest.mark.parametrize("text", ["", " \n\n", "1.\n2.\n3.", "***", "- \n- ", "42"])
def test_nothing_gives_no_idea(text, lists_ideas):
    assert split_ideas(text, lists_ideas=lists_ideas) == []


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=40).map("".join), st.booleans())
def test_no_idea_is_empty_and_no_word_is_invented(text, lists_ideas):
    ideas = split_ideas(text, lists_ideas=lists_ideas)
    assert all(idea == idea.strip() and words(idea) for idea in ideas)
    assert not lists_ideas or all("\n" not in idea for idea in ideas)
    unmarked = without_marks(text)
    said = [word for idea in ideas for word in words(idea)]
    assert all(word in unmarked for word in said)
    letters = iter(unmarked)
    assert all(letter in letters for letter in "".join(said))  # in their order


def words(text):
    """Return the words of a text without its marks, which may stand within a word."""
    return re.findall(r"[^\W\d_]+", without_marks(text))


def without_marks(text):
    return re.sub(r"[*_`]", "", text)
