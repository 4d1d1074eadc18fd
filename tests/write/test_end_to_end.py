"""From a manuscript to a model and back: what is sent, written, taken, saved, and written again after a restart."""

import pytest

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.recipe import Recipe
from billy_mlx.blend.writer import Writer
from billy_mlx.manuscript.context.context import build_context
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.draft import whole_end
from billy_mlx.manuscript.manuscript import Manuscript
from billy_mlx.manuscript.passage import Passage
from billy_mlx.model.prompt import going_on_prompt
from billy_mlx.steps import finish
from billy_mlx.write.replay import replay

pytestmark = pytest.mark.slow
STORY = "# The light\n\nAda climbed the stairs of the lighthouse. The lamp was cold, and the door"


@pytest.fixture
def model(starter_home):
    from billy_mlx import load

    return load()


def measured(model):
    def measure(prompt):
        return len(going_on_prompt(model.tokenizer, prompt.prefix, user=prompt.user, system=prompt.system))

    return measure


def context_of(model, manuscript, *, chat):
    return build_context(
        manuscript.text,
        len(manuscript.text),
        manuscript.guide,
        work="continue",
        instruction="make it rain",
        selection=None,
        budget=300,
        measure=measured(model),
        count=lambda text: len(model.tokenizer.encode(text, add_special_tokens=False)),
        chat=chat,
    )


def written(model, manuscript, context):
    """Have two voices go on from the text, as alternatives of one draft, a dial moved on the way; returns the draft."""
    prompt = context.prompt
    recipes = [Recipe(prompt, voice, max_tokens=12, seed=5) for voice in (Blend.parse("noir"), ALONE)]
    writer = Writer(model, recipes)
    draft = manuscript.drafts.begin("continue", len(manuscript.text))
    authors = [manuscript.drafts.alternative(draft) for _ in range(2)]
    for step in writer:
        for news in step.emitted:
            manuscript.drafts.write(authors[news.row], news.text)
        if len(writer.take(0).tokens) == 4:
            writer.steer(0, Blend.parse("gothic"))
    for row, author in enumerate(authors):
        manuscript.drafts.finish(author, Passage.of(writer.take(row), "continue"))
    return draft


@pytest.mark.parametrize("chat", [True, False], ids=["chat model", "base model"])
def test_a_continuation_survives_a_restart_and_can_be_written_again(model, tmp_path, chat):
    path = tmp_path / "novel.md"
    path.write_text(STORY)
    manuscript = Manuscript.open(path)
    manuscript.guide = Guide(memory="Ada keeps the light.", note="few words")
    context = context_of(model, manuscript, chat=chat)
    assert context.tokens == measured(model)(context.prompt) <= 300
    manuscript.drafts.accept(written(model, manuscript, context))
    manuscript.save()
    manuscript.close()
    again = Manuscript.open(path)
    (author,) = {author for _, author in again.prose.authors.runs if author > 0}
    passage = again.passage(author)
    assert again.text == STORY + passage.text[: whole_end(passage.text)]
    assert [voice.blend for voice in passage.voices] == ["noir:1@1/layered", "gothic:1@1/layered"]
    assert finish(replay(model, passage)).reason is None
    again.close()
