"""Decoding: the tokens of mlx-lm, of each row alone and in company, and no token through the model twice."""

import json
from contextlib import contextmanager
from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from helpers.decoded_rows import GREEDY, PROMPT, UP, alone, greedy_under, row, tokens
from helpers.tiny_models import tiny_folder, tiny_network
from helpers.zoo import zoo_folder
from mlx.utils import tree_flatten
from mlx_lm.generate import stream_generate
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.sample_utils import make_logits_processors

from billy_mlx.errors import ModelError, UsageError
from billy_mlx.measure.activations import ResponseAverages
from billy_mlx.model import decode
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.decode import PREFILL_CHUNK, Decoding
from billy_mlx.model.layers import UNSTEERED, Directions, Patch, Steering, record, stack, steer
from billy_mlx.model.load import load
from billy_mlx.model.rows import Row
from billy_mlx.model.sampling import Sampling

DOWN = Directions({1: np.full(32, -0.5, np.float32), 3: np.full(32, 0.3, np.float32)})


@pytest.fixture(params=["plain", "hybrid"])
def model(request, tiny, hybrid):
    return {"plain": tiny, "hybrid": hybrid}[request.param]


def mixed_rows():
    return [
        row(),
        row(directions=UP),
        row(directions=DOWN, seed=2, max_tokens=5),
        row(PROMPT[:9], UP),
        row(PROMPT[:1], DOWN, seed=3),
        row((5, *PROMPT), replace(UP, everywhere=True), sampling=GREEDY),
        row(PROMPT[:9], replace(UP, norm_preserving=True), sampling=Sampling(top_k=5)),
        row(PROMPT[4:], sampling=Sampling(repetition_penalty=1.3, dry_multiplier=0.5), max_tokens=20),
    ]


@pytest.mark.slow
def test_a_greedy_row_without_directions_gives_the_tokens_of_mlx_lm(model):
    prompt = list(range(5, 250)) * 3
    expected = [r.token for r in stream_generate(model.model, model.tokenizer, prompt, max_tokens=40)]
    assert alone(model, row(tuple(prompt), sampling=GREEDY, max_tokens=40)) == expected


@pytest.mark.slow
def test_a_row_writes_alone_what_it_writes_in_company(model):
    rows = mixed_rows()
    assert tokens(Decoding(model, rows), len(rows)) == [alone(model, one) for one in rows]


def test_rows_with_penalties_and_biases_write_alone_what_they_write_in_company(tiny):
    samplings = [
        Sampling(),
        Sampling(presence_penalty=2.0, presence_context=5),
        Sampling(frequency_penalty=0.8, repetition_penalty=1.2, repetition_context=3),
        Sampling(logit_bias={7: 3, 9: -4}),
        Sampling(temperature=0, frequency_penalty=-0.5, logit_bias={11: 1.5}, no_repeat_ngram=3),
    ]
    rows = [row(sampling=sampling, max_tokens=8) for sampling in samplings]
    decoding = Decoding(tiny, rows[:-1])
    assert tokens(decoding, len(rows) - 1) == [alone(tiny, one) for one in rows[:-1]]
    assert tokens(Decoding(tiny, rows), len(rows)) == [alone(tiny, one) for one in rows]


@pytest.mark.parametrize(
    "settings",
    [{"presence_penalty": 1.5}, {"frequency_penalty": 0.9, "frequency_context": 6}, {"logit_bias": {5: 2.5, 30: 1}}],
)
def test_a_greedy_row_with_penalties_gives_the_tokens_of_mlx_lm(tiny, settings):
    names = {name.replace("context", "context_size"): value for name, value in settings.items()}
    processors = make_logits_processors(**names)
    answers = stream_generate(tiny.model, tiny.tokenizer, list(PROMPT), max_tokens=12, logits_processors=processors)
    assert alone(tiny, row(sampling=Sampling(temperature=0, **settings))) == [each.token for each in answers]


def test_a_penalty_without_the_host_stays_one_step_ahead(tiny):
    plain = Sampling(presence_penalty=1, frequency_penalty=1, logit_bias={3: 1})
    assert not plain.needs_tokens


def test_a_rows_own_end_token_ends_it_and_no_other(tiny):
    plain = alone(tiny, row(sampling=GREEDY))
    at = next(n for n, token in enumerate(plain) if n and token not in plain[:n])
    ended = row(sampling=GREEDY, end_tokens=(plain[at],))
    assert tokens(Decoding(tiny, [ended, row(sampling=GREEDY)]), 2) == [plain[: at + 1], plain]


def test_a_rows_own_end_token_is_no_part_of_the_response_that_is_averaged(tiny):
    plain = alone(tiny, row(sampling=GREEDY))
    at = next(n for n, token in enumerate(plain) if n and token not in plain[:n])
    seen = []

    def observe(rows, _streams, counted):
        seen.append((rows, None if counted is None else counted.tolist()))
        return ()

    ended = row(sampling=GREEDY, end_tokens=(plain[at],))
    tokens(Decoding(tiny, [ended, row(sampling=GREEDY, end_tokens=(499, 498))], observer=observe), 2)
    counted = [dict(zip(rows, flags, strict=True)) for rows, flags in seen if flags is not None]
    assert [step[0] for step in counted if 0 in step][: at + 1] == [True] * at + [False]
    assert all(step[1] for step in counted if 1 in step)


def test_a_bias_for_a_token_that_the_model_does_not_have_is_refused(tiny):
    with pytest.raises(UsageError, match=r"logit_bias names token \d+, but the tokens of"):
        Decoding(tiny, [row(sampling=Sampling(logit_bias={tiny.shape.outputs: 1.0}))])


def test_rows_that_cannot_be_batched_are_written_one_after_another(tiny, monkeypatch):
    rows = mixed_rows()[:4]
    expected = tokens(Decoding(tiny, rows), 4)
    monkeypatch.setitem(vars(tiny), "batches", False)
    assert tokens(Decoding(tiny, rows), 4) == expected


def test_the_directions_reach_the_model_from_the_last_prompt_token_on(model):
    one = row(directions=UP, sampling=GREEDY)
    written = alone(model, one)
    with steer(model.layers, Steering(stack([UP]), start=len(PROMPT) - 1)):
        logits = model.model(mx.array([[*PROMPT, *written]]), cache=make_prompt_cache(model.model))
    assert mx.argmax(logits[0, len(PROMPT) - 1 : -1], axis=-1).tolist() == written
    assert written != alone(model, row(sampling=GREEDY))


def test_everywhere_steers_the_prompt_too(model):
    everywhere = replace(UP, everywhere=True)
    written = alone(model, row(directions=everywhere, sampling=GREEDY))
    with steer(model.layers, Steering(stack([UP]))):
        logits = model.model(mx.array([[*PROMPT, *written]]), cache=make_prompt_cache(model.model))
    assert mx.argmax(logits[0, len(PROMPT) - 1 : -1], axis=-1).tolist() == written


def test_rows_with_the_same_prompt_share_its_prefill(tiny):
    decoding = Decoding(tiny, [row(directions=d, max_tokens=3) for d in (UNSTEERED, UP, DOWN)])
    tokens(decoding, 3)
    assert decoding.forwarded == len(PROMPT) - 1 + 3 * 3


def test_a_finished_row_costs_nothing_more(tiny):
    decoding = Decoding(tiny, [row(max_tokens=2), row(max_tokens=10)])
    tokens(decoding, 2)
    assert decoding.forwarded == len(PROMPT) - 1 + 2 + 10


def test_a_switched_direction_counts_from_the_second_token_on(tiny):
    decoding, written = Decoding(tiny, [row(sampling=GREEDY)]), []
    for step in decoding:
        written += [news.token for news in step.emitted]
        if len(written) == 4 and step.emitted:
            decoding.steer(0, UP)
    plain = alone(tiny, row(sampling=GREEDY))
    directions = [UNSTEERED] * 5 + [UP] * 7  # the fifth was scheduled already
    assert written[:5] == plain[:5]
    assert written == greedy_under(tiny, directions)


def test_steering_says_which_token_is_the_first(tiny):
    decoding, firsts = Decoding(tiny, [row(sampling=GREEDY)]), []
    firsts = [decoding.steer(0, UP)] + [decoding.steer(0, UP) for step in decoding if step.emitted]
    assert firsts[:4] == [0, 2, 3, 4]


def test_directions_can_be_planned_to_the_token(tiny):
    decoding = Decoding(tiny, [row(sampling=GREEDY)])
    for first_token, directions in [(1, UP), (4, UNSTEERED), (9, UP), (5, UP)]:
        decoding.plan(0, directions, first_token)
    expected = [UNSTEERED] + [UP] * 3 + [UNSTEERED] + [UP] * 7
    assert tokens(decoding, 1) == [greedy_under(tiny, expected)]


def test_the_model_is_unpatched_between_two_steps(tiny):
    before = [type(block) for block in tiny.layers]
    for _ in Decoding(tiny, [row(directions=UP), row(directions=replace(UP, everywhere=True))]):
        assert [type(block) for block in tiny.layers] == before


def test_two_decodings_may_be_driven_in_turn(model):
    first, second = row(directions=UP), row(PROMPT[:7], DOWN, seed=9)
    steps = [(iter(Decoding(model, [one])), []) for one in (first, second)]
    for _ in range(40):
        for iterator, written in steps:
            step = next(iterator, None)
            written += [news.token for news in step.emitted] if step else []
    assert [written for _, written in steps] == [alone(model, first), alone(model, second)]


def test_stopping_keeps_what_was_written_and_ends_within_a_token(tiny):
    decoding, written, reasons = Decoding(tiny, [row(max_tokens=100), row(seed=5, max_tokens=100)]), [[], []], []
    for step in decoding:
        for news in step.emitted:
            written[news.row] += [] if news.token is None else [news.token]
            reasons.append(news.finish_reason)
        if len(written[0]) == 3:
            decoding.stop()
    assert [len(one) for one in written] == [3, 3]
    assert reasons[-2:] == ["interrupted", "interrupted"]


def test_one_row_may_be_stopped_while_the_other_goes_on(tiny):
    decoding, written = Decoding(tiny, [row(), row(directions=UP)]), [[], []]
    for step in decoding:
        for news in step.emitted:
            written[news.row] += [] if news.token is None else [news.token]
        if len(written[0]) == 3:
            decoding.stop(0)
    assert written == [alone(tiny, row())[:3], alone(tiny, row(directions=UP))]


def test_stopping_a_long_prompt_takes_one_chunk(tiny):
    decoding = Decoding(tiny, [row(tuple(range(3, 200)) * 4)])
    for step in decoding:
        if step.prompt_tokens_read:
            decoding.stop()
    assert decoding.forwarded == PREFILL_CHUNK
    assert step.emitted[0].finish_reason == "interrupted"


def test_a_prompt_of_one_token_is_enough(model):
    assert len(alone(model, row((7,)))) == 12


@pytest.mark.slow
def test_decoding_works_in_another_thread(tiny):
    from concurrent.futures import ThreadPoolExecutor

    from billy_mlx.model.load import load

    def work():
        try:
            return alone(load(tiny.path), row(directions=UP, sampling=Sampling(top_p=0.9, top_k=9)))
        finally:
            mx.clear_streams()

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(work).result()
    assert written == alone(tiny, row(directions=UP, sampling=Sampling(top_p=0.9, top_k=9)))


def test_xtc_can_end_a_text(tiny, monkeypatch):
    sampling = Sampling(temperature=0.01, min_p=0.0, xtc_probability=1.0, xtc_threshold=0.0)
    first = alone(tiny, row(sampling=GREEDY))[0]
    assert alone(tiny, row(sampling=sampling))[0] != first
    monkeypatch.setattr(tiny.tokenizer, "_eos_token_ids", {first})
    assert alone(tiny, row(sampling=sampling)) == [first]


# What is kept between requests.


def test_a_retry_reads_one_token(model):
    store = PromptStore()
    first = Decoding(model, [row(directions=UP)], store=store)
    written = tokens(first)
    again = Decoding(model, [row(directions=UP)], store=store)
    assert tokens(again) == written
    assert (first.forwarded, again.forwarded) == (len(PROMPT) - 1 + 12, 12)


def test_a_changed_dial_does_not_invalidate_the_prompt(model):
    store = PromptStore()
    tokens(Decoding(model, [row(directions=UP)], store=store))
    changed = Decoding(model, [row(directions=DOWN)], store=store)
    assert tokens(changed)[0] == alone(model, row(directions=DOWN))
    assert changed.forwarded == 12


def test_an_accepted_passage_is_read_again_since_it_was_written_steered(model):
    store = PromptStore()
    written = tokens(Decoding(model, [row(directions=UP)], store=store))[0]
    longer = row((*PROMPT, *written), UP)
    going_on = Decoding(model, [longer], store=store)
    assert tokens(going_on)[0] == alone(model, longer)
    assert going_on.forwarded == len(written) + 12


def test_an_unsteered_passage_is_not_read_again(tiny):
    store = PromptStore()
    written = tokens(Decoding(tiny, [row()], store=store))[0]
    longer = row((*PROMPT, *written), UP)
    going_on = Decoding(tiny, [longer], store=store)
    assert tokens(going_on)[0] == alone(tiny, longer)
    assert going_on.forwarded == 12


def test_under_everywhere_a_changed_dial_reads_the_prompt_again(tiny):
    store, up, down = PromptStore(), replace(UP, everywhere=True), replace(DOWN, everywhere=True)
    tokens(Decoding(tiny, [row(directions=up)], store=store))
    changed = Decoding(tiny, [row(directions=down)], store=store)
    assert tokens(changed)[0] == alone(tiny, row(directions=down))
    assert changed.reused == 0


def test_a_branch_reads_what_differs_and_leaves_the_other_branch(tiny):
    store = PromptStore()
    branch = row((*PROMPT[:30], 99, 98, 97), UP)
    tokens(Decoding(tiny, [row(directions=UP)], store=store))
    branched = Decoding(tiny, [branch], store=store)
    assert tokens(branched)[0] == alone(tiny, branch)
    assert branched.forwarded == 2 + 12
    back = Decoding(tiny, [row(directions=UP)], store=store)
    assert tokens(back)[0] == alone(tiny, row(directions=UP))
    assert back.forwarded == 12


def test_a_stopped_prefill_is_not_lost(tiny):
    store, one = PromptStore(), row(tuple(range(3, 200)) * 4)
    stopped = Decoding(tiny, [one], store=store)
    for _ in stopped:
        stopped.stop()
    resumed = Decoding(tiny, [one], store=store)
    assert tokens(resumed)[0] == alone(tiny, one)
    assert resumed.reused == PREFILL_CHUNK


def test_a_generation_closed_half_way_leaves_its_prompt_to_the_next(model):
    store = PromptStore()
    steps = iter(Decoding(model, [row(directions=UP)], store=store))
    for _ in range(5):
        next(steps)
    steps.close()
    again = Decoding(model, [row(directions=UP)], store=store)
    assert tokens(again)[0] == alone(model, row(directions=UP))
    assert again.forwarded == 12


def test_a_reused_cache_gives_the_logits_of_a_fresh_prefill(model):
    store = PromptStore()
    for one in (row(directions=UP), row((*PROMPT[:30], 99, 98), DOWN), row(directions=DOWN), row()):
        tokens(Decoding(model, [one], store=store))
    cache, reused = store.take((*PROMPT, 7, 8), "")
    rest = mx.array([[*PROMPT, 7, 8][reused:]])
    fresh = model.model(mx.array([[*PROMPT, 7, 8]]), cache=make_prompt_cache(model.model))
    assert reused >= len(PROMPT) - 1
    assert mx.allclose(model.model(rest, cache=cache)[:, -1], fresh[:, -1], atol=1e-4)


def test_a_dial_moved_and_moved_back_does_not_leave_steered_text_among_the_unsteered(tiny):
    store = PromptStore()
    decoding, written = Decoding(tiny, [row(max_tokens=20)], store=store), []
    for step in decoding:
        written += [news.token for news in step.emitted]
        decoding.steer(0, UP if len(written) < 10 else UNSTEERED)
    longer = row((*PROMPT, *written))
    going_on = Decoding(tiny, [longer], store=store)
    assert tokens(going_on)[0] == alone(tiny, longer)
    assert going_on.reused == len(PROMPT) - 1


def test_a_dial_moved_while_another_row_is_read_does_not_mix_up_what_is_kept(tiny):
    store, up, down = PromptStore(), replace(UP, everywhere=True), replace(DOWN, everywhere=True)
    decoding = Decoding(tiny, [row(tuple(range(3, 200)) * 3), row(directions=up)], store=store)
    for step in decoding:
        if step.prompt_tokens_read == PREFILL_CHUNK:
            decoding.steer(1, down)
    again = Decoding(tiny, [row(directions=up)], store=store)
    assert tokens(again)[0] == alone(tiny, row(directions=up))


def test_everywhere_goes_on_from_what_was_written_under_the_same_dial(model):
    store, up = PromptStore(), replace(UP, everywhere=True)
    written = tokens(Decoding(model, [row(directions=up)], store=store))[0]
    longer = row((*PROMPT, *written), up)
    going_on = Decoding(model, [longer], store=store)
    assert tokens(going_on)[0] == alone(model, longer)


@pytest.mark.slow
def test_a_batch_with_a_prompt_that_another_begins_with_mixes_nothing_up(model):
    rows = [row(PROMPT[:9], UP), row(PROMPT[:20], DOWN), row(PROMPT, UP)]
    store = PromptStore()
    for _ in range(2):
        decoding = Decoding(model, rows, store=store)
        assert tokens(decoding, 3) == [alone(model, one) for one in rows]
    assert decoding.reused == sum(len(one.prompt) - 1 for one in rows)


@pytest.mark.slow
def test_a_prefill_closed_half_way_is_kept(tiny):
    store, one = PromptStore(), row(tuple(range(3, 200)) * 4)
    steps = iter(Decoding(tiny, [one], store=store))
    next(steps)
    steps.close()
    again = Decoding(tiny, [one], store=store)
    assert tokens(again)[0] == alone(tiny, one)
    assert again.reused == PREFILL_CHUNK


def test_an_error_between_two_steps_leaves_the_prompt_to_the_next(tiny):
    store = PromptStore()
    steps = iter(Decoding(tiny, [row(directions=UP)], store=store))
    for _ in range(4):
        next(steps)
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt)
    again = Decoding(tiny, [row(directions=UP)], store=store)
    assert tokens(again)[0] == alone(tiny, row(directions=UP))
    assert again.forwarded == 12


def test_an_error_inside_a_block_leaves_no_half_filled_cache(tiny):
    def fail(layer, h):
        if layer == 2:
            raise MemoryError
        return h

    store = PromptStore()
    steps = iter(Decoding(tiny, [row(directions=UP)], store=store))
    for _ in range(4):
        next(steps)
    with pytest.raises(MemoryError), Patch(tiny.layers, fail):
        next(steps)
    again = Decoding(tiny, [row(directions=UP)], store=store)
    assert tokens(again)[0] == alone(tiny, row(directions=UP))


@pytest.mark.slow
def test_rows_one_after_another_share_no_cache_that_is_still_written_to(tiny, monkeypatch):
    rows = [row(), row(directions=UP), row((*PROMPT, 9, 8), DOWN), row(PROMPT[:20])]
    expected = [alone(tiny, one) for one in rows]
    monkeypatch.setitem(vars(tiny), "batches", False)
    store = PromptStore()
    for _ in range(2):
        assert tokens(Decoding(tiny, rows, store=store), 4) == expected


def test_a_second_loop_goes_on_where_the_first_was_left(tiny):
    decoding = Decoding(tiny, [row()])
    written = [news.token for _, step in zip(range(4), decoding, strict=False) for news in step.emitted]
    assert written + tokens(decoding)[0] == alone(tiny, row())


def test_a_row_stopped_while_prompts_are_read_is_not_read_to_its_end(tiny):
    decoding = Decoding(tiny, [row(tuple(range(3, 200)) * 8), row((99, *PROMPT), UP)])
    for step in decoding:
        if step.prompt_tokens_read == PREFILL_CHUNK:
            decoding.stop(0)
    assert decoding.forwarded == PREFILL_CHUNK + len(PROMPT) + 12


def test_the_limit_is_wired_while_decoding(tiny, monkeypatch):
    running = []

    @contextmanager
    def wired():
        running.append(True)
        yield
        running.append(False)

    monkeypatch.setattr(decode, "wired", wired)
    for _ in Decoding(tiny, [row(max_tokens=2)]):
        assert running == [True]
    assert running == [True, False]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"prompt": ()}, "empty"),
        ({"seed": -1}, "the seed is -1"),
        ({"max_tokens": 0}, "0 tokens"),
        ({"stop": ("",)}, "empty"),
    ],
)
def test_a_row_that_cannot_be_is_refused_when_it_is_made(wrong, said):
    with pytest.raises(UsageError, match=said):
        row(**wrong)


# What is observed on the way.


@pytest.mark.parametrize("settings", [{"no_repeat_ngram": 2}, {"dry_multiplier": 0.7}, {}])
def test_every_token_of_every_row_is_observed(tiny, settings):
    sampling, observer = Sampling(**settings), ResponseAverages()
    rows = [row(sampling=sampling, max_tokens=6), row(seed=4, max_tokens=1), row(PROMPT[:5], sampling=sampling)]
    tokens(Decoding(tiny, rows, observer=observer), 3)
    assert {index: average.tokens for index, average in observer.averages().items()} == {0: 6, 1: 1, 2: 12}


def test_the_token_that_ends_a_text_is_no_part_of_the_average(tiny, monkeypatch):
    written = alone(tiny, row())
    monkeypatch.setattr(tiny.tokenizer, "_eos_token_ids", {written[5]})
    ends = written.index(written[5])
    observer = ResponseAverages()
    assert tokens(Decoding(tiny, [row(), row(max_tokens=ends)], observer=observer), 2)[0] == written[: ends + 1]
    ended, cut = observer.averages().values()
    assert ended.tokens == cut.tokens == ends
    assert np.allclose(ended.mean, cut.mean, atol=1e-5)


def test_the_averages_are_those_of_reading_the_answer_again(model):
    rows = [row(directions=UP, max_tokens=6), row(PROMPT[:5], max_tokens=9), row(PROMPT[:5], seed=4, max_tokens=9)]
    observer = ResponseAverages()
    written = tokens(Decoding(model, rows, observer=observer), 3)
    for index, average in observer.averages().items():
        answer = [token for token in written[index] if token not in model.tokenizer.eos_token_ids]
        prompt = rows[index].prompt
        steering = Steering(stack([rows[index].directions]), start=len(prompt) - 1)
        with steer(model.layers, steering), record(model.layers) as recording:
            model.model(mx.array([[*prompt, *answer]]), cache=make_prompt_cache(model.model))
        expected = np.stack([np.array(h[0, len(prompt) :].mean(0)) for h in recording.latest.values()])
        start = np.stack([np.array(h[0, len(prompt) - 1]) for h in recording.latest.values()])
        assert np.allclose(average.start, start, atol=1e-4)
        assert average.tokens == len(answer)
        assert np.allclose(average.mean, expected, atol=1e-4)


@pytest.mark.slow
def test_an_id_without_a_token_is_never_drawn(tmp_path):
    model = load(padded_folder(tmp_path / "padded", ids=5000))
    hot = Sampling(temperature=10.0, min_p=0.0)
    written = tokens(Decoding(model, [row((1,), seed=seed, sampling=hot, max_tokens=40) for seed in range(4)]), 4)
    assert max(max(each) for each in written) < model.fingerprint.vocabulary < model.shape.outputs
    assert tokens(Decoding(model, [row((1,), sampling=GREEDY)]))[0][0] < model.fingerprint.vocabulary


@pytest.mark.slow
def test_a_hole_in_the_vocabulary_is_never_drawn(tmp_path):
    folder = padded_folder(tmp_path / "holes", ids=400)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["last"] = 399
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    model = load(folder)
    held = model.spelling.unspelt(model.shape.outputs)
    assert len(held) == 400 - model.fingerprint.vocabulary
    assert 399 not in held
    hot = Sampling(temperature=10.0, min_p=0.0)
    assert not {*held} & {*tokens(Decoding(model, [row((1,), sampling=hot, max_tokens=200)]))[0]}


@pytest.mark.slow
def test_an_end_without_a_name_still_ends_the_text(tmp_path):
    folder = padded_folder(tmp_path / "unnamed-end", ids=400)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": [*range(300, 400)]}))
    decoding = Decoding(load(folder), [row((1,), sampling=Sampling(temperature=10.0, min_p=0.0), max_tokens=400)])
    assert [news.finish_reason for step in decoding for news in step.emitted][-1] == "stop"


def padded_folder(path, ids):
    """Write a model folder with more embeddings than its tokenizer has tokens."""
    folder = tiny_folder(path)
    config = json.loads((folder / "config.json").read_text()) | {"vocab_size": ids}
    mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(tiny_network(config).parameters())))
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gemma2", "recurrent_gemma", "gpt_bigcode"])
def test_rows_of_one_length_go_together_where_others_cannot(name, tmp_path):
    model = load(zoo_folder(tmp_path / name, name))
    assert not model.batches
    prompts = [PROMPT[:9], PROMPT[:9], PROMPT[1:10], PROMPT[:5], PROMPT[:1], PROMPT[3:4]]
    up = Directions({1: np.full(model.width, 0.5, np.float32)})
    rows = [
        Row(prompt, [UNSTEERED, up][number % 2], seed=number, max_tokens=4 + 3 * number)
        for number, prompt in enumerate(prompts)
    ]
    decoding = Decoding(model, rows)
    steps = [len(step.emitted) for step in decoding if step.emitted]
    assert max(steps) == 3
    assert decoding.forwarded < sum(len(prompt) - 1 + row.max_tokens for prompt, row in zip(prompts, rows, strict=True))
    assert tokens(Decoding(model, rows), len(rows)) == [alone(model, one) for one in rows]
    store = PromptStore()
    assert tokens(Decoding(model, rows, store=store), len(rows)) == [alone(model, one) for one in rows]
    assert tokens(Decoding(model, rows, store=store), len(rows)) == [alone(model, one) for one in rows]


def test_a_token_without_an_embedding_is_refused(tiny):
    with pytest.raises(ModelError, match="has embeddings for 268 tokens and is given token number 268: its tokenizer"):
        Decoding(tiny, [row((1, 268))])


def test_a_direction_that_the_stream_cannot_hold_is_refused(tiny, monkeypatch):
    monkeypatch.setitem(tiny.__dict__, "shape", replace(tiny.shape, dtype="float16"))
    loud = Directions({2: np.full(32, 70_000, np.float32)})
    refused = pytest.raises(UsageError, match=r"A direction adds 70,000 at layer 2, more than the float16 of .*; lower")
    with refused:
        Decoding(tiny, [row(directions=loud)])
    decoding = Decoding(tiny, [row()])
    with refused:
        decoding.steer(0, loud)
    with refused:
        decoding.plan(0, loud, 3)
