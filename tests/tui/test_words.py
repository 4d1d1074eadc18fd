"""What the studio shows is in words that a writer knows; docs/words.py lists it."""

import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from words import PLACES, sentences  # noqa: E402

JARGON = {
    "AUC": r"\bauc\b",
    "layer": r"\blayers?\b",
    "control": r"\bcontrol\b",
    "unsteered": r"\b(un)?steer\w*",
    "activation": r"\bactivations?\b",
    "residual norm": r"\bresid(ual|\.)|\bnorms?\b",
    "token": r"\btokens?\b",
    "neutral answers": r"\bneutral\b|\brollouts?\b",
    "extracting": r"\bextract(s|ed|ing|ion)?\b(?!\})",
    "calibrated": r"\bcalibrat\w*",
    "vector": r"\bvectors?\b",
    "noir:0.6@1/all": r"[a-z]:-?[01]\.\d|@\d.*/[a-z]",
    "--option": r"(?<!\w)--[a-z]",
}
"""What a writer never has to know: its name, and how it is recognised."""

ADVANCED = {
    "billy_mlx/manuscript/passage.py": "what is wrong with a damaged record",
    "billy_mlx/manuscript/context/context.py: the request and one sentence": "what models count in",
    "billy_mlx/write/replay.py": "told by `billy replay` alone",
    "tui/screens/saved_blends.py: # Blends by name": "the first line of a file",
    "tui/screens/saved_blends.py: it is not text": "an entry of a file that was written by hand",
    "tui/widgets/persona_list.py: Its vector tells": "under Advanced on a persona's card",
    "tui/widgets/persona_list.py: A full dose adds": "under Advanced on a persona's card",
    "tui/widgets/persona_list.py: In mode balanced": "under Advanced on a persona's card",
    "tui/commands.py: Show what few need": "says what is under Advanced",
    "tui/dials.py: resid. norms": "a unit that is only typed",
    "tui/screens/context.py: {} of {} tokens": "what models count in; the words stand below it",
    "tui/screens/context.py: At most {} tokens": "what models count in; the words stand beside it",
    "tui/settings.py: At most so many tokens": "what models count in; the words stand beside it",
    "tui/settings.py: The voices a new text starts with": "a setting that is typed as text",
    "tui/settings.py: gothic:0.5": "how a setting is kept",
    "tui/widgets/dial_labels.py: Only in other modes": "a row under Advanced",
    "tui/widgets/dial_labels.py: Layered:": "a row under Advanced",
    "tui/widgets/dial_labels.py: Balanced:": "a row under Advanced",
    "tui/widgets/dial_labels.py: Paper:": "a row under Advanced",
    "tui/widgets/dial_labels.py: Raw:": "a row under Advanced",
    "tui/widgets/dial_labels.py: as calibrated": "a row under Advanced",
    "tui/widgets/dial_labels.py: Unless you choose:": "a row under Advanced",
    "tui/widgets/dial_labels.py: Where the model is steered": "a row under Advanced",
    "tui/widgets/dial_labels.py: Whether": "a row under Advanced",
    "tui/widgets/dial_labels.py: Layers": "a row under Advanced",
    "tui/widgets/dial_labels.py: Steers": "a row under Advanced",
    "tui/widgets/dial_labels.py: Norm": "a row under Advanced",
    "tui/widgets/dial_labels.py: The dose, in norms": "a unit that is only typed",
    "tui/screens/voices_panel.py: Which layers": "asked by a row under Advanced",
}
"""Where such words may stand, by how the text begins, and why."""


@cache
def shown():
    """Return everything that may be read on the screen, as "file: text"."""
    paths = [path for place in PLACES for path in sorted((ROOT / place).rglob("*.py"))]
    return [
        f"{path.relative_to(ROOT)}: {' '.join(text.split())}"
        for path in paths
        for _, text in sentences(path.read_text(encoding="utf-8"))
    ]


def is_jargon(text, pattern):
    return re.search(pattern, text.partition(": ")[2], re.IGNORECASE) is not None


@pytest.mark.slow
@pytest.mark.parametrize("pattern", JARGON.values(), ids=JARGON)
def test_a_writer_meets_no_jargon_outside_advanced(pattern):
    found = [text for text in shown() if is_jargon(text, pattern)]
    assert [text for text in found if not text.startswith((*ADVANCED,))] == []


def test_what_is_advanced_is_there_and_needs_to_be_excused():
    found = [text for text in shown() if any(is_jargon(text, pattern) for pattern in JARGON.values())]
    assert [place for place in ADVANCED if not any(text.startswith(place) for text in found)] == []


@pytest.mark.parametrize(
    "text",
    [
        "It tells its answers from neutral ones very well (AUC 0.95; 0.5 is chance).",
        "In mode balanced it steers layer 18: full at 1.",
        "extracting neutral answers: 12%",
        "noir:0.5@1/all",
        "Extract and calibrate this persona, here.",
        "See or type the blend as --blend has it.",
    ],
)
def test_the_words_that_stood_there_before_are_recognised(text):
    assert any(is_jargon(f"tui/x.py: {text}", pattern) for pattern in JARGON.values())
