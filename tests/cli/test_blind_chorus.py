"""A chorus without names: written by one command, chosen from by another, and counted."""

import json
import re

import pytest

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.errors import UsageError
from billy_mlx.jsonl import append_lines
from billy_mlx.manuscript.choices import Choice, choices_file, read_choices
from billy_mlx.manuscript.draft import Fate
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.write.blind import blind_voices

STORY = "Ada slept.\n\nThe lamp was cold. She woke.\n"
FEW = ("-m", "4", "--seed", "3", "--context", "430")
NOIR, GOTHIC = Blend.parse("noir:1@1/layered"), Blend.parse("gothic:1@1/layered")
WRITE = ("--voice", "noir", "--voice", "gothic", "--blind", *FEW)
TELLING = re.compile("noir|gothic|unsteered|layers|none:|alone|@1", re.IGNORECASE)


@pytest.fixture
def novel(tmp_path, model):
    path = tmp_path / "novel.md"
    path.write_text(STORY)
    return path


def voices_in(path):
    """Return whose the alternatives of the only draft are, and how it fares."""
    manuscript = Manuscript.open(path)
    held = manuscript.drafts.get(manuscript.drafts.last)
    manuscript.close()
    return [one.passage.voices[0].blend or "none" for one in held.alternatives], held


def choices():
    return [(one.offered, one.kept) for one in read_choices().lines]


def test_drafts_come_without_names_and_the_chosen_one_goes_into_the_text(billy, novel):
    written = billy("chorus", str(novel), *WRITE)
    voices, held = voices_in(novel)
    assert (written.code, novel.read_text(), choices()) == (0, STORY, [])
    assert sorted(voices) == ["gothic:1@1/layered", "noir:1@1/layered", "none"]
    assert [one.text in written.out for one in held.alternatives] == [True] * 3
    assert [f"=== Draft {number} ===" in written.out for number in (1, 2, 3, 4)] == [True] * 3 + [False]
    assert TELLING.search(written.out.replace(str(novel), "") + written.err.replace(str(novel), "")) is None
    assert f"billy chorus {novel} --blind --take N, from 1 to 3" in written.err

    chosen = billy("chorus", str(novel), "--blind", "--take", "2")
    assert chosen.code == 0
    added = novel.read_text().removeprefix(STORY[:-1])
    assert added.strip() == held.alternatives[1].text.strip() != ""  # behind a space, where it begins with a letter
    told = voices[1].replace("none", "unsteered")
    assert f"Draft 2 was {told}, which is in the text now\n" in chosen.out
    assert choices() == [(tuple(voices), 1)]


def test_a_document_tells_nothing_either_until_one_is_kept(billy, novel):
    document = json.loads(billy("chorus", str(novel), *WRITE, "--json").out)
    voices, held = voices_in(novel)
    assert [row["text"] for row in document["rows"]] == [one.text for one in held.alternatives]
    assert TELLING.search(json.dumps(document["rows"])) is None
    told = json.loads(billy("chorus", str(novel), "--blind", "--take", "1", "--json").out)
    assert (told["voices"], told["taken"], told["fate"]) == (voices, 0, "accepted")


def test_none_can_be_kept_and_then_nobody_says_whose_they_were(billy, novel):
    billy("chorus", str(novel), *WRITE)
    voices, _ = voices_in(novel)
    done = billy("chorus", str(novel), "--blind", "--take", "0")
    assert (done.code, done.out, novel.read_text()) == (0, "", STORY)
    assert TELLING.search(done.err) is None
    assert choices() == [(tuple(voices), None)]
    assert voices_in(novel)[1].fate is Fate.REJECTED


def test_who_asks_for_others_has_kept_none_of_those_that_waited(billy, novel):
    billy("chorus", str(novel), *WRITE)
    first, _ = voices_in(novel)
    billy("chorus", str(novel), *WRITE)
    second, _ = voices_in(novel)
    billy("chorus", str(novel), "--blind", "--take", "3")
    assert choices() == [(tuple(first), None), (tuple(second), 2)]


def test_a_choice_is_made_once(billy, novel):
    billy("chorus", str(novel), *WRITE)
    billy("chorus", str(novel), "--blind", "--take", "1")
    text = novel.read_text()
    done = billy("chorus", str(novel), "--blind", "--take", "2")
    assert (done.code, novel.read_text(), len(choices())) == (1, text, 1)
    assert "no drafts wait to be chosen from" in done.err


def test_what_was_taken_in_the_studio_does_not_count(billy, novel):
    billy("chorus", str(novel), *WRITE)
    manuscript = Manuscript.open(novel)
    manuscript.drafts.accept(manuscript.drafts.last)
    manuscript.save()
    manuscript.close()
    done = billy("chorus", str(novel), "--blind", "--take", "1")
    assert (done.code, choices()) == (1, [])
    assert "taken or put away in the studio, which does not count" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--blind", *FEW], "a blind chorus has 1 to 5 voices beside the model alone"),
        (["--blind", "--voice", "noir@0", *FEW], "and not 0"),
        (["--blind", "--voice", "noir", "--take", "1", *FEW], "--take chooses among drafts that you have read"),
        (["--blind", "--compare", "--voice", "noir", "--take", "1", *FEW], "--take chooses among drafts"),
        (["--voice", "noir", "--compare", "--take", "0", *FEW], "--take 0 is not one of the 2 voices"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(billy, novel, arguments, sentence):
    done = billy("chorus", str(novel), *arguments)
    assert (done.code, done.out, novel.read_text(), choices()) == (2, "", STORY, [])
    assert sentence in done.err


def test_a_draft_that_is_not_there_is_refused_and_the_others_wait_on(billy, novel):
    billy("chorus", str(novel), *WRITE)
    done = billy("chorus", str(novel), "--blind", "--take", "4")
    assert (done.code, choices()) == (2, [])
    assert "--take 4 is not one of the 3 drafts" in done.err
    assert billy("chorus", str(novel), "--blind", "--take", "3").code == 0


def test_every_voice_is_offered_once_and_the_model_alone_always():
    for given in ([NOIR], [NOIR, ALONE, NOIR], [NOIR, Blend.parse("gothic:1@0")]):
        assert sorted(map(str, blind_voices(given))) == ["noir:1@1/layered", "none"]
    for given in ([], [ALONE], [Blend.parse(f"noir:{weight}") for weight in range(1, 7)]):
        with pytest.raises(UsageError, match="1 to 5 voices"):
            blind_voices(given)


def test_every_order_is_as_likely_as_any_other():
    drawn = [blind_voices([NOIR, GOTHIC]) for _ in range(600)]
    orders = {order: drawn.count(order) for order in drawn}
    assert len(orders) == 6
    assert all(50 <= count <= 160 for count in orders.values())  # five standard deviations from 100


# What was chosen, counted.


def keep(count, kept, *offered, model="tiny"):
    append_lines(choices_file(), [Choice("2026-01-02T03:04:05+00:00", model, offered, kept)] * count)


def test_nothing_chosen_yet_says_how_to_begin(billy, billy_home):
    done = billy("stats", "--voices")
    assert (done.code, done.out) == (0, "")
    assert "no blind choice is kept yet; to make one, run: billy chorus FILE --voice noir --blind" in done.err
    assert billy("stats", "--voices", "--json").out == "[]\n"


@pytest.mark.parametrize(
    ("kept", "alone", "undecided", "cells", "verdict"),
    [
        (9, 1, 2, "12 9 1 90% 60% to 98%", "kept more often than the model alone"),
        (1, 9, 0, "10 1 9 10% 2% to 40%", "kept less often than the model alone"),
        (8, 2, 0, "10 8 2 80% 49% to 94%", "cannot be told yet; about 1 more choice is needed"),
        (1, 0, 0, "1 1 0 100% 21% to 100%", "cannot be told yet; about 5 more choices are needed"),
        (2, 2, 1, "5 2 2 50% 15% to 85%", "cannot be told yet; so far as often as the model alone"),
        (0, 0, 3, "3 0 0 – –", "cannot be told yet; neither was kept so far"),
    ],
)
def test_a_voice_is_compared_with_the_model_alone(billy, billy_home, kept, alone, undecided, cells, verdict):
    keep(kept, 0, "noir", "none", "gothic")
    keep(alone, 1, "noir", "none")
    keep(undecided, None, "none", "noir")
    row, said = (line for line in billy("stats", "--voices").out.splitlines() if line.startswith("noir"))
    assert " ".join(row.split()) == f"noir {cells} tiny"
    assert said == f"noir: {verdict}."


def test_drafts_of_a_third_voice_are_no_chance_level(billy, billy_home):
    keep(6, 2, "noir", "none", "gothic")  # noir lost these to gothic, and not to the model alone
    rows = {row["voice"]: row for row in json.loads(billy("stats", "--voices", "--json").out)}
    assert (rows["noir"]["decided"], rows["noir"]["share"]) == (0, None)
    assert (rows["gothic"]["share"], rows["gothic"]["p"]) == (1.0, pytest.approx(2 / 64))


def test_a_voice_of_two_models_is_two(billy, billy_home):
    keep(1, 0, "noir", "none")
    keep(6, 0, "noir", "none", model="large")
    said = billy("stats", "--voices").out.splitlines()[-2:]
    assert said[0] == "noir with large: kept more often than the model alone."
    assert said[1].startswith("noir with tiny: cannot be told yet")


def test_what_of_the_file_does_not_count_is_said(billy, billy_home):
    keep(1, 0, "noir", "none")
    with choices_file().open("a") as file:
        file.write("{\n")
    done = billy("stats", "--voices")
    assert "noir" in done.out
    assert f"1 line of {choices_file()} cannot be read and does not count" in done.err


def test_what_to_count_has_to_be_said(billy, billy_home):
    done = billy("stats")
    assert (done.code, done.out) == (2, "")
    assert "say what to count: billy stats --voices" in done.err


@pytest.mark.slow
def test_the_starter_writes_without_names_and_one_is_chosen(billy, starter_home, tmp_path):
    path = tmp_path / "novel.md"
    path.write_text("Ada climbed the stairs of the lighthouse. The lamp was cold, and the door\n")
    assert billy("chorus", str(path), "--voice", "noir", "--blind", "-m", "12").code == 0
    assert billy("chorus", str(path), "--blind", "--take", "1").code == 0
    assert "noir:1@1/layered" in billy("stats", "--voices").out
