"""From what is asked for a manuscript to recipes: what the model is sent, and how long its answer may be."""

from dataclasses import replace
from math import ceil

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.blend.prompt_tokens import prompt_tokens
from billy_mlx.blend.recipe import Prompt, Recipe
from billy_mlx.manuscript.context.context import build_context
from billy_mlx.manuscript.context.parts import Context
from billy_mlx.model.model import Model
from billy_mlx.words import count_words
from billy_mlx.write.budget import budget_for
from billy_mlx.write.messages import Write

_ROOM = 32  # tokens that a rewrite may be longer than twice what it replaces
_MEASURED = 2000  # characters before the cursor, by which tokens are counted in words
_TOKENS_A_WORD = 1.4  # English, where there is no text to measure, and the least
_SPARE = 1.5  # times the tokens that words take in the text before: the words are what ends it


def context_for(model: Model, write: Write) -> Context:
    """Return what `model` is sent, cut to what it holds beside its answer.

    Raises:
        BillyError: as `build_context` and `recipe_for` do.
    """

    def measure(prompt: Prompt) -> int:
        if prompt.is_empty:  # of a base model that is told nothing, the frame alone is no text at all
            return 0
        recipe = recipe_for(model, write, prompt)
        return len(prompt_tokens(model, recipe.prompt, thinking=recipe.thinking))

    writing = write.writing
    budget = budget_for(
        model,
        asked=writing.budget,
        answer=most_tokens(model, write),
        rows=len(write.voices),
        reading_seconds=writing.reading_seconds,
    )
    context = build_context(
        write.text,
        write.cursor,
        write.guide,
        work=write.work,
        instruction=write.instruction,
        selection=write.selection,
        budget=budget.tokens,
        measure=measure,
        count=lambda text: _count(model, text),
        chat=model.tokenizer.has_chat_template,
    )
    return replace(context, why=budget.why)


def recipe_for(model: Model, write: Write, prompt: Prompt, voice: Blend = ALONE) -> Recipe:
    """Return the recipe by which `voice` writes to `prompt`.

    Raises:
        UsageError: a setting is out of range, or there is nothing to continue.
    """
    writing = write.writing
    return Recipe(
        prompt=replace(prompt, chat=model.tokenizer.has_chat_template),
        voice=voice,
        thinking=writing.thinking,
        sampling=writing.sampling,
        seed=write.seed,
        max_tokens=most_tokens(model, write),
        stop=(*writing.stop, *_ends(write)),
    )


def selected(write: Write) -> str:
    """Return what is to be rewritten, or nothing."""
    start, end = write.selection or (0, 0)
    return write.text[start:end]


def most_tokens(model: Model, write: Write) -> int:
    """Return how long the answer may be.

    Of a rewrite it goes by what it replaces, unless the writer wants it otherwise: it would be cut off before its end.
    For a number of words it is what as many take in the text before the cursor, and half again; at most a quarter of
    what the model holds.
    """
    passage, writing = selected(write), write.writing
    if passage:
        return 2 * _count(model, passage) + _ROOM if writing.rewrite_tokens is None else writing.rewrite_tokens
    if not writing.words:
        return writing.max_tokens
    before = write.text[max(0, write.cursor - _MEASURED) : write.cursor]
    tokens_a_word = max(_TOKENS_A_WORD, _count(model, before) / max(1, count_words(before)))
    most = ceil(_SPARE * tokens_a_word * writing.words) + _ROOM
    return most if model.context_length is None else max(1, min(most, model.context_length // 4))


def _ends(write: Write) -> tuple[str, ...]:
    """Return what ends a rewrite: a border between lines or paragraphs where the original has none."""
    passage = selected(write).replace("\r\n", "\n")
    if not passage or "\n\n" in passage:
        return ()
    return ("\n\n",) if "\n" in passage else ("\n",)


def _count(model: Model, text: str) -> int:
    return len(model.tokenizer.encode(text, add_special_tokens=False))
