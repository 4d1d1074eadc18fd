"""Rows read in batches, against each row read alone."""

import mlx.core as mx
import numpy as np
import pytest
from helpers.tiny_models import tiny_folder
from helpers.zoo import build
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.model import prefill
from billy_mlx.model.layers import Patch
from billy_mlx.model.load import load
from billy_mlx.model.prefill import RowToRead, read_passages

BEGINNING = (5, 9, 2, 7, 7, 3)
# Unequal in length, one a beginning of another, two alike, one with nothing more than its last token wanted.
ENDS = [(8, 1, 4), (6,), (8, 1, 4, 2, 11, 3), (6, 2), (8, 1, 4), (10, 3, 3, 12)]
ROWS = [RowToRead(BEGINNING + end, len(BEGINNING) + len(end) // 2) for end in ENDS]


def scores(logits, tokens, first, start):
    """A number for each wanted position that knows its logits, its place and which row it belongs to."""
    weights = np.arange(logits.shape[-1]) % 7
    wanted = [position for position in range(first, first + logits.shape[-2]) if start <= position < len(tokens)]
    return sum((logits[position - first] * weights).sum() / (1 + position) for position in wanted)


def together(model, rows, **settings):
    """Return each row's score by the batches, and the batches' places."""

    def measure(piece):
        logits, first = np.array(piece.logits.astype(mx.float32)), piece.positions.start
        own = [rows[place] for place in piece.places]
        numbers = [scores(logits[row], own[row].tokens, first, own[row].start) for row in range(len(own))]
        return [mx.array(np.array(numbers, np.float32))]

    found, batches = np.zeros(len(rows)), []
    for batch in read_passages(model, rows, measure, **settings):
        found[list(batch.places)] = batch.sums[0]
        batches.append(batch.places)
    return found, batches


def alone(model, rows):
    found = []
    for row in rows:
        logits = model.model(mx.array([row.tokens]), cache=make_prompt_cache(model.model))[0].astype(mx.float32)
        found.append(scores(np.array(logits), row.tokens, 0, row.start))
    return np.array(found)


def tokens_through(model, rows):
    """Return how many tokens, padding included, go through the blocks for `rows`."""
    seen = []
    with Patch(model.blocks[:1], lambda _, h: (seen.append(h.shape[0] * h.shape[1]), h)[1]):
        together(model, rows)
    return sum(seen)


@pytest.fixture(params=["tiny", "hybrid"])
def model(request):
    return request.getfixturevalue(request.param)


def test_a_row_gets_what_it_gets_alone_in_the_callers_order(model):
    found, batches = together(model, ROWS)
    assert found == pytest.approx(alone(model, ROWS), rel=1e-4, abs=1e-4)
    assert batches == [(1, 3, 0, 4, 5, 2)]


@pytest.mark.parametrize("name", ["_PASS_TOKENS", "PREFILL_CHUNK"])
@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_small_batches_and_short_passes_change_nothing(model, monkeypatch, name, most):
    monkeypatch.setattr(prefill, name, most)
    assert together(model, ROWS)[0] == pytest.approx(alone(model, ROWS), rel=1e-4, abs=1e-4)


@pytest.mark.slow
def test_bfloat16_rows_get_what_they_get_alone(tmp_path):
    model = load(tiny_folder(tmp_path, dtype=mx.bfloat16))
    model.model.set_dtype(mx.bfloat16)
    assert together(model, ROWS)[0] == pytest.approx(alone(model, ROWS), rel=0.1, abs=0.1)


def test_rows_that_begin_alike_are_read_once_up_to_there(model, monkeypatch):
    monkeypatch.setattr(prefill, "cache_bytes", lambda *_: 1)  # it calls the blocks, though nothing is computed
    longest = max(len(end) for end in ENDS)
    assert tokens_through(model, ROWS) == len(BEGINNING) + len(ROWS) * longest
    assert tokens_through(model, ROWS[:1]) == len(ROWS[0].tokens)


def test_wanted_positions_are_never_part_of_what_is_shared(model):
    rows = [RowToRead((4, 5, 6, 7), 1)] * 3
    assert together(model, rows)[0] == pytest.approx(alone(model, rows), rel=1e-4)


def test_rows_with_nothing_in_common_are_read_from_their_first_token(model):
    rows = [RowToRead((2, 3, 4), 0), RowToRead((5,), 0), RowToRead((6, 7), 1)]
    assert together(model, rows)[0] == pytest.approx(alone(model, rows), rel=1e-4, abs=1e-4)


def test_no_rows_read_nothing(tiny):
    assert together(tiny, [])[1] == []


def test_a_batch_stays_within_each_of_its_bounds(tiny, monkeypatch):
    rows = [RowToRead((1, 2, *BEGINNING), 7) for _ in range(6)]
    for name, bound in (("_PASS_TOKENS", 2), ("_LOGITS_BYTES", 8 * tiny.fingerprint.vocabulary), ("_CACHE_BYTES", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(prefill, name, bound)
            assert max(map(len, together(tiny, rows)[1])) == (1 if name == "_CACHE_BYTES" else 2)


def test_short_rows_are_not_padded_to_the_length_of_long_ones(tiny):
    rows = [RowToRead((1,) * length, 0) for length in (4,) * 100 + (8,) * 2]
    assert [len(places) for places in together(tiny, rows)[1]] == [100, 2]
    assert [len(places) for places in together(tiny, rows[60:])[1]] == [42]  # too few for two passes


def test_the_patch_is_there_for_what_is_measured_and_gone_after_it(tiny):
    seen = []
    before = [type(block) for block in tiny.blocks]
    together(tiny, ROWS, patch=Patch(tiny.blocks, lambda layer, h: (seen.append(layer), h)[1]))
    assert seen == [0, 1, 2, 3]
    assert [type(block) for block in tiny.blocks] == before


def test_a_position_that_is_not_there_cannot_be_wanted():
    for tokens, start in [((), 0), ((1, 2), 2), ((1, 2), -1)]:
        with pytest.raises(ValueError, match="no position"):
            RowToRead(tokens, start)


@pytest.mark.parametrize(
    "name",
    # Softcapped scores, a cache of chunks and one without offsets, which mlx-lm cannot merge; windows that have turned
    # over; states of several kinds; and a cache that is not of one shape.
    ["gemma2", "llama4", "gpt_bigcode", "gemma3_text", "recurrent_gemma", "mamba2", "kimi_k3", "deepseek_v41"],
)
def test_other_architectures_rows_get_what_they_get_alone(name, tiny, monkeypatch):
    monkeypatch.setattr(prefill, "PREFILL_CHUNK", 5)
    other = type(tiny)(name, tiny.path, build(name), tiny.tokenizer, tiny.config, tiny.fingerprint)
    assert together(other, ROWS)[0] == pytest.approx(alone(other, ROWS), rel=1e-3, abs=1e-3)
