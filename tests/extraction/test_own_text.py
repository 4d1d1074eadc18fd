"""A voice from one's own text: cut into excerpts, held against the model's own continuations."""

import os
from dataclasses import replace

import numpy as np
import pytest

from billy_mlx import paths
from billy_mlx.errors import BillyError, VectorError
from billy_mlx.extraction.extraction import Extracted, ExtractionProgress
from billy_mlx.extraction.own_text import LEAST_EXCERPTS, extract_from_text, find_excerpts
from billy_mlx.extraction.rollouts import RolloutSettings
from billy_mlx.measure.activations import read
from billy_mlx.model.prompt import chat_prompt

SENTENCES = [
    f"The {word} went home, and nobody saw it. " for word in ("cat", "dog", "fox", "hen", "owl", "bee", "ant", "cow")
]
TEXT = "".join(SENTENCES * 30)
FEW = RolloutSettings(questions=6, rollouts=5, max_tokens=8, batch=7)


def extracted(model, text=TEXT, settings=FEW):
    steps = extract_from_text(model, "my-voice", text, source="novel.md", settings=settings)
    return next(step.vector for step in steps if isinstance(step, Extracted))


def test_excerpts_follow_each_other_and_begin_where_sentences_do(tiny):
    excerpts = find_excerpts(tiny, TEXT, 8)
    assert len(excerpts) >= LEAST_EXCERPTS
    assert all(part.startswith("The ") for each in excerpts for part in (each.opening, each.text))
    joined = " ".join(f"{each.opening} {each.text}" for each in excerpts)
    assert TEXT.startswith(joined)


def test_the_sections_are_stretches_of_the_text(tiny):
    sections = [excerpt.section for excerpt in find_excerpts(tiny, TEXT, 8)]
    assert sections == sorted(sections)
    assert {*sections} == {*range(12)}


def test_a_text_without_a_full_stop_is_cut_all_the_same(tiny):
    excerpts = find_excerpts(tiny, "so it went on and on and on " * 2000, 64)
    assert max(len(excerpt.opening) for excerpt in excerpts) < 1000


@pytest.mark.parametrize("text", ["", "Too short.", "One sentence. " * 40])
def test_too_little_text_says_how_much_is_needed(tiny, text):
    with pytest.raises(VectorError, match=r"words give \d+ excerpts, and a voice needs 24; .* to about [\d,]+00 words"):
        next(extract_from_text(tiny, "my-voice", text, source="novel.md"))


@pytest.mark.slow
def test_the_vector_ends_where_the_text_is_when_the_model_reads_it(tiny):
    vector = extracted(tiny, settings=replace(FEW, rollouts=20))
    assert (vector.persona_id, vector.origin.source, vector.origin.card_hash) == ("my-voice", "novel.md", "")
    sections = {}
    for each in find_excerpts(tiny, TEXT, 8):
        request = f"Continue this text in the same way, without any remark of your own:\n\n{each.opening}"
        tokens = tiny.tokenizer.encode(each.text, add_special_tokens=False)[:8]
        sections.setdefault(each.section, []).append(read(tiny, chat_prompt(tiny.tokenizer, request), tokens).mean)
    expected = np.mean([np.mean(means, axis=0) for means in sections.values()], axis=0)
    assert np.allclose(vector.directions + vector.neutral_mean, expected, atol=1e-4)


@pytest.mark.slow
def test_a_text_unlike_the_models_own_is_told_apart_when_it_is_held_out(tiny):
    assert max(extracted(tiny).quality.held_out_auc) > 0.9


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_vector(tiny, tmp_path, monkeypatch):
    whole = extracted(tiny)
    monkeypatch.setenv("BILLY_HOME", str(tmp_path / "another"))
    stopped = extract_from_text(tiny, "my-voice", TEXT, source="novel.md", settings=FEW)
    for _ in range(15):
        next(stopped)
    stopped.close()
    assert list((paths.cache_folder() / "poles").rglob("*.safetensors"))
    resumed = extracted(tiny, settings=replace(FEW, batch=5))
    assert np.allclose(resumed.directions, whole.directions, atol=1e-4)


@pytest.mark.slow
def test_a_text_is_read_again_after_the_template_or_the_end_tokens_were_corrected(tiny, corrected):
    def folders(model):
        steps = extract_from_text(model, "my-voice", TEXT, source="novel.md", settings=FEW)
        next(step for step in steps if isinstance(step, ExtractionProgress) and step.share > 0.7)  # some of either pole
        steps.close()
        return {*(paths.cache_folder() / "poles").iterdir()}

    before = folders(tiny)
    assert (len(before), len(folders(corrected) - before)) == (2, 2)


@pytest.mark.slow
def test_fresh_reads_and_writes_all_of_it_anew(tiny):
    kept = extract_from_text(tiny, "my-voice", TEXT, source="novel.md", settings=FEW)
    next(step for step in kept if isinstance(step, Extracted))
    kept.close()
    assert isinstance(next(extract_from_text(tiny, "my-voice", TEXT, source="novel.md", settings=FEW)), Extracted)
    fresh = extract_from_text(tiny, "my-voice", TEXT, source="novel.md", settings=FEW, fresh=True)
    assert next(fresh).share < 0.3
    assert len([step for step in fresh if isinstance(step, Extracted)]) == 1


def test_a_second_extraction_of_a_voice_is_told_which_process_is_at_it(tiny):
    first = extract_from_text(tiny, "my-voice", TEXT, source="novel.md", settings=FEW)
    next(first)
    with pytest.raises(BillyError, match=rf"process {os.getpid()}\) is extracting my-voice from"):
        next(extract_from_text(tiny, "my-voice", f"{TEXT} More.", source="novel.md", settings=FEW))


@pytest.mark.slow
def test_two_voices_of_one_text_do_not_share_what_goes_with_the_first_of_them(tiny):
    extracted(tiny)
    kept = extract_from_text(tiny, "my-voice", TEXT, source="novel.md", settings=FEW)
    other = extract_from_text(tiny, "other-voice", TEXT, source="novel.md", settings=FEW)
    next(step for step in kept if isinstance(step, Extracted))
    assert next(step.share for step in other if isinstance(step, ExtractionProgress)) < 0.3


@pytest.mark.slow
def test_nothing_is_left_behind_and_progress_ends_with_the_whole(tiny):
    steps = extract_from_text(tiny, "my-voice", TEXT, source="novel.md", settings=FEW)
    shares = [step.share for step in steps if isinstance(step, ExtractionProgress)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert not list((paths.cache_folder() / "poles").iterdir())
