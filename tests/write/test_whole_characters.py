"""Whatever a text ends with and wherever a model is cut off, it writes whole characters, and again when replayed."""

from dataclasses import replace

import pytest
from helpers.tiny_models import pieces_tokenizer, reciting_folder, tiny_tokenizer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billy_mlx.blend.blend import ALONE
from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import Writer
from billy_mlx.cli import run
from billy_mlx.engine.messages import Job
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.model.load import load
from billy_mlx.model.sampling import Sampling
from billy_mlx.steps import finish
from billy_mlx.write.messages import VoicesWrote, Write, Writing, Written
from billy_mlx.write.replay import Replayed, replay
from billy_mlx.write.writing import WritingJob

MADE_UP = "\N{REPLACEMENT CHARACTER}"
# Of one token, of several, of bytes that are no token by themselves, of several characters, and a real U+FFFD.
WORDS = st.sampled_from(
    ["はは", "🦄", "ﬀ", "ที่นี่", "é", "e\u0301", "👩‍🚀", "и", "the", "and", MADE_UP, "\u00a0", "“", "…"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(lambda words: " ".join(["The", *words]))


@pytest.fixture(scope="session", params=["bytes", "pieces"])
def reciting(request, tmp_path_factory):
    """A model that writes all of its tokens in turn, most of which are half a character."""
    tokenizer = pieces_tokenizer() if "pieces" in request.param else tiny_tokenizer()
    return load(reciting_folder(tmp_path_factory.mktemp("reciting"), tokenizer, template=None))


def settled(data, model):
    """Return how many tokens are asked for, and how they are drawn."""
    temperature = data.draw(st.sampled_from([0.0, 10.0]))
    return data.draw(st.integers(1, 9)), {"temperature": temperature, "min_p": 0.0}


@given(data=st.data(), text=TEXTS, after=TEXTS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("work", ["continue", "infill", "rewrite", "chorus"])
def test_what_is_written_is_whole_and_is_written_again_token_for_token(reciting, data, work, text, after):
    most, sampling = settled(data, reciting)
    text, cursor, selection = text + " " + after, len(text), None
    if work in ("continue", "chorus"):
        text = text[:cursor]
    elif work == "rewrite":
        cursor, selection = 0, (0, cursor)
    voices = (ALONE, ALONE, ALONE) if work == "chorus" else (ALONE,)
    request = Write(
        Job(1),
        "continue" if work == "chorus" else work,
        text,
        cursor,
        Guide(),
        voices,
        seed=data.draw(st.integers(0, 99)),
        selection=selection,
        writing=Writing(max_tokens=most, rewrite_tokens=most, budget=450, sampling=Sampling(**sampling)),
    )
    events = list(WritingJob(reciting, request))
    for event in events:
        if isinstance(event, Written):
            written = "".join(each.texts.get(event.voice, "") for each in events if isinstance(each, VoicesWrote))
            require_whole(reciting, event.passage, written)
            assert finish(replay(reciting, event.passage)) == Replayed(event.passage.tokens)


@given(data=st.data(), text=TEXTS, chat=st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_generated_is_whole(reciting, data, text, chat):
    most, sampling = settled(data, reciting)
    request = Recipe.of(
        text, chat=chat, max_tokens=most, sampling=Sampling(**sampling), seed=data.draw(st.integers(0, 99))
    )
    stopped = replace(request, stop=(data.draw(TEXTS),))
    for each in (request, stopped):
        writer, count = Writer(reciting, [each]), 0
        for step in writer:
            count += sum((news.token is not None) - news.withdrawn for news in step.emitted)
        take = writer.take(0)
        assert MADE_UP not in take.text.replace(MADE_UP, "", spelt(reciting))
        assert len(take.tokens) == count  # what is no part of it is taken back


def spelt(model):
    """Return how many U+FFFD a model that goes through its tokens may write at most."""
    return 2 if "\ufffd" in model.tokenizer.get_vocab() else 0


def require_whole(model, passage, written):
    whole = b"".join(model.spelling.of(token) for token in passage.tokens if token not in model.spelling.ends)
    assert written.strip() in whole.decode(errors="ignore")
    assert written.count(MADE_UP) <= whole.count(MADE_UP.encode())
    assert (whole + b"x").decode(errors="ignore") == whole.decode(errors="ignore") + "x"


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("ends", ["小さい家は", "🦄", "oﬀ", "ที่นี่"])
def test_a_command_writes_no_half_character_into_the_file(starter_home, tmp_path, capfd, ends, most):
    path = tmp_path / "tale.md"
    path.write_text(f"Once there was {ends}", encoding="utf-8")
    code = run(["continue", str(path), "-m", str(most), "--seed", "1", "--temp", "0"])
    assert code in (0, 1)  # 1 where half a character was all there was
    assert MADE_UP not in path.read_text(encoding="utf-8") + "".join(capfd.readouterr())
