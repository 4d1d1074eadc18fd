"""What a passage knows of each voice while it is written and afterwards."""

from datetime import UTC, datetime

import pytest
from helpers.passages import GOTHIC, NOIR, asked, passage_of, record, replayed, writer_of

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import VectorError
from billy_mlx.manuscript.passage import Voice
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.model import Model
from billy_mlx.vectors.library import load_vectors
from billy_mlx.write.replay import Replayed

pytestmark = pytest.mark.usefixtures("vectors")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LONG = asked("the sea " * 80, max_tokens=6)  # a prompt that takes more than one step to read


def test_a_passage_says_what_it_takes_to_write_it_again(tiny):
    (passage,) = record(tiny, asked(stop=("never",)), now=NOON, work="infill")
    assert (passage.model, passage.fingerprint["weights"]) == (tiny.id, tiny.fingerprint.weights)
    added = directions(NOIR, load_vectors(tiny, ["noir"]))
    assert passage.voices == (Voice(0, "noir:1@5/layered", (1, 2), added.key),)
    assert list(passage.vectors) == ["noir"]
    assert passage.sampling["temperature"] == asked().sampling.temperature
    assert (passage.seed, passage.max_tokens, passage.stop, passage.work) == (3, 16, ("never",), "infill")
    assert set(passage.made_with) == {"billy-mlx", "mlx", "mlx-lm", "device"}
    assert passage.date == "2026-11-25T12:00:00+00:00"


def test_a_passage_may_be_asked_for_half_way(tiny):
    (whole,) = record(tiny)
    writer = writer_of(tiny)
    for _ in writer:
        half = passage_of(writer, 0)
        assert half.ended is None or half.tokens == whole.tokens
        assert whole.tokens[: len(half.tokens)] == half.tokens
        assert whole.text.startswith(half.text)


@pytest.mark.parametrize("batches", [True, False])
def test_each_row_knows_how_much_of_its_own_prompt_a_cache_held(tiny, monkeypatch, batches):
    monkeypatch.setattr(Model, "batches", batches)
    store = PromptStore()
    record(tiny, blends=(NOIR,), store=store)
    passages = record(tiny, blends=(ALONE, NOIR, Blend.parse("noir/all")), store=store)
    read = len(passages[0].prompt) - 1
    assert [passage.reused for passage in passages] == [read, read, 0]


def test_one_voice_may_be_stopped_while_the_other_goes_on(tiny):
    writer = writer_of(tiny, blends=[NOIR, GOTHIC])
    for _ in writer:
        if len(passage_of(writer, 0).tokens) == 3:
            writer.stop(0)
    stopped, whole = passage_of(writer, 0), passage_of(writer, 1)
    assert (stopped.ended, len(stopped.tokens)) == ("interrupted", 3)
    assert whole.ended != "interrupted"


def test_a_blend_that_never_spoke_is_not_in_the_passage(tiny):
    writer = writer_of(tiny)
    for _ in writer:
        if len(passage_of(writer, 0).tokens) == 3:
            writer.steer(0, GOTHIC)
            writer.stop()
    passage = passage_of(writer, 0)
    assert [voice.blend for voice in passage.voices] == ["noir:1@5/layered"]
    assert list(passage.vectors) == ["noir"]


def test_a_blend_that_cannot_be_leaves_the_old_one(tiny):
    writer = writer_of(tiny)
    with pytest.raises(VectorError, match="comic is not prepared"):
        writer.steer(0, Blend.parse("comic"))
    for _ in writer:
        pass
    assert passage_of(writer, 0).voices == record(tiny)[0].voices


EVERYWHERE = Blend.parse("noir@5/all")


@pytest.mark.parametrize(
    ("before", "after", "voices"),
    [
        (NOIR, [GOTHIC], [(0, GOTHIC)]),
        (EVERYWHERE, [GOTHIC], [(0, EVERYWHERE), (1, GOTHIC)]),
        (ALONE, [EVERYWHERE], [(0, None), (1, EVERYWHERE)]),
        (NOIR, [EVERYWHERE, GOTHIC], [(0, GOTHIC)]),
        (NOIR, [GOTHIC, EVERYWHERE], [(0, GOTHIC), (1, EVERYWHERE)]),
    ],
)
def test_a_dial_moved_while_the_prompt_is_read_counts_from_where_the_passage_says(tiny, before, after, voices):
    writer = writer_of(tiny, LONG, [before])
    for step in writer:
        if 0 < step.prompt_tokens_read < step.prompt_tokens:
            for blend in after:
                writer.steer(0, blend)
    passage = passage_of(writer, 0)
    spoken = [(voice.first_token, voice.blend) for voice in passage.voices]
    assert spoken == [(first, blend and str(blend)) for first, blend in voices]
    assert replayed(tiny, passage) == Replayed(passage.tokens)


def test_a_dial_moved_before_anything_is_read_counts_for_the_prompt_too(tiny):
    writer = writer_of(tiny, LONG)
    writer.steer(0, EVERYWHERE)
    for _ in writer:
        pass
    assert passage_of(writer, 0).tokens == record(tiny, LONG, [EVERYWHERE])[0].tokens
