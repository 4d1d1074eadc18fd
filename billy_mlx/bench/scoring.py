"""From stored answers to what each of them scored, whole and at matched length.

Whoever scores sees a text and what was asked, never which arm it is from.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from billy_mlx.bench.cache import TextCache, cached, digest
from billy_mlx.bench.equal_length import AnswerText, Content, Scores, Values, scored_alike, subjects, word_count
from billy_mlx.bench.judging import ALL, AnyJudge, Bounds, CachedJudge, check_judge, judge_scores, judge_trials
from billy_mlx.bench.read_outs import ReadOuts, voice_scores, word_scores
from billy_mlx.bench.result import Reliability, ScoredAnswer
from billy_mlx.bench.run import BenchProgress
from billy_mlx.bench.store import Store
from billy_mlx.bench.tasks import Item, Task
from billy_mlx.bench.text_scores import Axis, TextReading, idea_scores, reading_scores
from billy_mlx.blend.blend import Blend
from billy_mlx.measure.embedding import Embedder
from billy_mlx.measure.vocabulary import distinct_share, repeated_share, self_bleu, worn_phrase_rate
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import going_on_prompt, sent_digest
from billy_mlx.steps import mapped
from billy_mlx.vectors.library import load_vectors

# Shares of the work done after each, roughly; a judge's is the rest.
_READING, _EMBEDDING, _VOICES = 0.4, 0.5, 0.55
_CHECKING = 0.3  # of a judge's
_READINGS_VERSION = 1  # goes up when the same texts would be read to other numbers


def score(
    model: Model,
    tasks: Mapping[str, Task],
    items: Sequence[Item],
    store: Store,
    embedder: Embedder,
    judge: AnyJudge | None,
    *,
    encoder: Embedder | None = None,
    bounds: Bounds = ALL,
) -> Generator[BenchProgress, None, tuple[list[ScoredAnswer], list[Reliability]]]:
    """Return what every answer to `items` scored, and how far the judge can be relied on, yielding how far it is.

    Everything is kept in the store's folder by what decides it: the second time costs nothing. What is read and judged
    is kept text by text as it comes, and ideas are once they all are compared.

    Args:
        model: reads the answers, unsteered.
        tasks: by id.
        items: the others' answers are left out.
        store: of the answers; its protocol "paper" has the judge see an answer as a whole.
        embedder: says how alike ideas are.
        judge: None leaves the judging out.
        encoder: places texts by sentences of the blend's personas, with which it shares nothing; None leaves that out.
        bounds: of the judging.

    Raises:
        BillyError: a vector of the blend is missing, the model cannot be read, or the scores cannot be kept.
    """
    scored = subjects(store.answers, items, tasks)
    answers = [(s.task.id, s.item.id, s.item.prompt, s.answer.arm, s.answer.seed, s.answer.text) for s in scored]
    reader = model.fingerprint.base, model.fingerprint.weights, _way_of_reading(model)
    folder, axes = store.folder / "scores", _axes(model, store.settings.blend)
    groups = {arm: cost.group for cost in store.costs for arm in cost.arms}

    along = digest(_READINGS_VERSION, reader, {persona: axis.key for persona, axis in axes.items()})
    read = TextCache(folder / f"readings-{along}.jsonl", TextReading)
    reading = reading_scores(model, scored, axes, read, bounds.ideas)
    decides = answers, tasks, reader, embedder.name, groups
    embedding = cached(folder, "ideas", decides, list[Scores], idea_scores(embedder, scored, groups))
    parts = [
        scored_alike(scored, _word_scores),
        (yield from mapped(reading, lambda each: each.within(0.0, _READING))),
        (yield from mapped(embedding, lambda each: each.within(_READING, _EMBEDDING))),
    ]
    read_outs = ReadOuts.of(store.settings.blend)
    parts.append(word_scores(read_outs, scored))
    if encoder is not None and read_outs.own:
        placing = voice_scores(encoder, read_outs, scored)
        placed = cached(folder, "voices", (answers, encoder.name, read_outs), list[Scores], placing)
        parts.append((yield from mapped(placed, lambda each: each.within(_EMBEDDING, _VOICES))))
    reliability: list[Reliability] = []
    if judge is not None:
        bounds = replace(bounds, whole_answers=store.settings.whole_lists)
        judging = _judge(CachedJudge(judge, folder), scored, bounds)
        reliability, judged = yield from mapped(judging, lambda each: each.within(_VOICES, 1.0))
        parts.append(judged)
    return [_joined(subject, own) for subject, *own in zip(scored, *parts, strict=True)], reliability


def _judge(
    judge: AnyJudge, scored: Sequence[AnswerText], bounds: Bounds
) -> Generator[BenchProgress, None, tuple[list[Reliability], list[Scores]]]:
    """Return how far the judge can be relied on, and what it gave; it is tried before it is asked."""
    trials = judge_trials(scored, bounds)
    reliability = yield from mapped(check_judge(judge, trials), lambda each: each.within(0.0, _CHECKING))
    if bounds.reliable_only:
        usable = [name for name, found in zip(trials, reliability, strict=True) if found.usable]
        bounds = replace(bounds, criteria=tuple(usable))
    judging = judge_scores(judge, scored, bounds)
    return reliability, (yield from mapped(judging, lambda each: each.within(_CHECKING, 1.0)))


def _word_scores(subject: AnswerText, content: Content) -> Values:
    text, said = content.text, bool(content.text.strip())
    return {
        "words": float(word_count(text)),
        "distinct-2": distinct_share(text, 2) if said else None,
        "repetition": repeated_share(text) if said else None,
        "worn phrases": worn_phrase_rate(text) if said else None,
        "self-bleu": self_bleu(content.parts),
    }


def _joined(subject: AnswerText, parts: Sequence[Scores]) -> ScoredAnswer:
    whole = {name: value for part in parts for name, value in part.whole.items()}
    matched = {name: value for part in parts for name, value in part.matched.items()}
    answer = subject.answer
    return ScoredAnswer(answer.arm, answer.task, answer.item, answer.seed, whole, matched)


def _way_of_reading(model: Model) -> str:
    """Return what changes with the tokens that the chat template puts about a text that is read."""
    return sent_digest(model, [going_on_prompt(model.tokenizer, "What is said.", user="What was asked.")])


def _axes(model: Model, blend: Blend) -> dict[str, Axis]:
    vectors = load_vectors(model, blend.persona_ids)
    return {persona: Axis.of(vector) for persona, vector in vectors.items()}
