"""Thinking models: a row's directions wait until it has thought."""

import io
from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from helpers.decoded_rows import PROMPT, UP, alone, greedy_under, row, tokens
from helpers.tiny_models import tiny_folder

from billy_mlx.measure.activations import ResponseAverages
from billy_mlx.model.decode import Decoding
from billy_mlx.model.layers import UNSTEERED
from billy_mlx.model.load import load
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.model.sampling import Sampling
from billy_mlx.model.thinking import Thinking, ThinkingGate

GREEDY = Sampling(temperature=0.0)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """A loaded model whose tokenizer has <think> and whose template can leave it out."""
    return load(tiny_folder(tmp_path_factory.mktemp("thinker"), thinking=True))


def thought(model, length):
    """Return the marks of a block that ends with the last of the first `length` tokens of a greedy answer."""
    end = tuple(alone(model, row(sampling=GREEDY))[:length][-2:])
    return Thinking(start=(9999,), end=end, opened=True)


@pytest.mark.parametrize("length", [2, 5])
def test_the_directions_wait_for_the_end_of_the_block(tiny, length):
    marks = thought(tiny, length)
    written = alone(tiny, row(directions=UP, sampling=GREEDY, thinking=marks))
    assert written == greedy_under(tiny, [UNSTEERED] * length + [UP] * (12 - length))
    assert written != alone(tiny, row(sampling=GREEDY))


def test_without_a_block_they_begin_with_the_first_token(tiny):
    marks = Thinking(start=(9999,), end=(9998,), opened=False)
    written = alone(tiny, row(directions=UP, sampling=GREEDY, thinking=marks))
    assert written == greedy_under(tiny, [UNSTEERED] + [UP] * 11)


def test_rows_that_think_and_rows_that_do_not_go_together(tiny):
    rows = [
        row(directions=UP, sampling=GREEDY, thinking=thought(tiny, 5)),
        row(directions=UP, sampling=GREEDY),
        row(directions=UP, sampling=GREEDY, thinking=thought(tiny, 3), max_tokens=6),
    ]
    assert tokens(Decoding(tiny, rows), 3) == [alone(tiny, one) for one in rows]


def test_everywhere_steers_the_thoughts_too(tiny):
    everywhere = replace(UP, everywhere=True)
    thinking = row(directions=everywhere, sampling=GREEDY, thinking=thought(tiny, 5))
    assert alone(tiny, thinking) == alone(tiny, row(directions=everywhere, sampling=GREEDY))


def test_the_norm_is_kept_after_the_thoughts(tiny):
    kept = replace(UP, norm_preserving=True)
    thinking = row(directions=kept, sampling=GREEDY, thinking=thought(tiny, 3))
    assert alone(tiny, thinking) == greedy_under(tiny, [UNSTEERED] * 3 + [kept] * 9)


def test_following_the_thoughts_builds_no_graph_that_grows(tiny, monkeypatch):
    gates = []
    monkeypatch.setattr(
        ThinkingGate,
        "see",
        lambda self, feed, first, see=ThinkingGate.see: gates.append(self) or see(self, feed, first=first),
    )
    tokens(Decoding(tiny, [row(thinking=Thinking((1,), (9999,), opened=True), max_tokens=40)]))
    graph = io.StringIO()
    mx.export_to_dot(graph, gates[-1].open)
    assert graph.getvalue().count("rectangle") < 10


def test_thoughts_are_no_part_of_the_average(tiny):
    observer = ResponseAverages()
    tokens(Decoding(tiny, [row(sampling=GREEDY, thinking=thought(tiny, 5))], observer=observer))
    plain = ResponseAverages()
    tokens(Decoding(tiny, [row(sampling=GREEDY)], observer=plain))
    assert observer.averages()[0].tokens == plain.averages()[0].tokens - 4
    assert not np.allclose(observer.averages()[0].mean, plain.averages()[0].mean)


@pytest.mark.parametrize(("asked", "waits"), [(True, True), (False, False)])
def test_whether_to_wait_is_read_off_the_prompt(thinker, asked, waits):
    prompt = chat_prompt(thinker.tokenizer, "Hello", thinking=asked)
    assert (Thinking.of(thinker.tokenizer, prompt, asked=asked) is not None) == waits


def test_a_prompt_that_opens_the_block_is_waited_for_whatever_was_asked(thinker):
    prompt = [*PROMPT, *thinker.tokenizer.think_start_tokens]
    marks = Thinking.of(thinker.tokenizer, prompt, asked=False)
    assert marks is not None
    assert marks.opened
    assert marks.end == tuple(thinker.tokenizer.think_end_tokens)


def test_a_model_that_never_thinks_is_not_waited_for(tiny):
    assert Thinking.of(tiny.tokenizer, PROMPT, asked=True) is None
