"""Read-outs that had no part in the steering, against sums done by hand."""

import numpy as np
import pytest
from helpers.invented_result import difference as compared
from helpers.invented_result import empty_result
from helpers.small_bench import TASKS, answer_to, answered
from helpers.small_bench import THREE_USES as ITEMS

from billy_mlx.bench.equal_length import subjects
from billy_mlx.bench.gather import gather
from billy_mlx.bench.metrics import OPTIMISED, metric
from billy_mlx.bench.read_outs import ReadOuts, find_encoder, voice_scores, word_scores
from billy_mlx.bench.report.findings import findings
from billy_mlx.bench.report.markdown import to_markdown
from billy_mlx.bench.report.page import to_html
from billy_mlx.blend.blend import Blend
from billy_mlx.cli.bench_results import summary
from billy_mlx.errors import ModelError
from billy_mlx.measure.embedding import Embedder, own_embedder
from billy_mlx.steps import finish
from billy_mlx.vectors.card import get_persona

# Sentences of two personas of a blend and of two strangers, and where an embedding puts them and the texts.
PLACES = {
    "plain one": (0, 0, 0),
    "plain two": (2, 0, 0),  # so that the plain mean is (1, 0, 0)
    "of noir": (1, 2, 0),  # 2 along the second axis is 1
    "of gothic": (1, 0, 4),  # 4 along the third
    "of comic": (1, 1, 0),
    "of bard": (2, 0, 0),
    "a text that is more or less in the middle of all of them": (3, 1, 2),
}
TEXT = [*PLACES][-1]
OUTS = ReadOuts(
    {"noir": ("rain", "shadow"), "gothic": ("crypt",)},
    {"noir": ("of noir",), "gothic": ("of gothic",)},
    {"comic": ("of comic",), "bard": ("of bard",)},
    ("plain one", "plain two"),
    (),
)


def by_hand(texts):
    yield len(texts)
    return np.array([PLACES.get(text, (0, 0, 0)) for text in texts], np.float32)


def of(*texts):
    """Return texts as answers to a piece of writing, whose beginning is all of it."""
    return subjects([answer_to("dose-0", ITEMS[-1], text, seed) for seed, text in enumerate(texts)], ITEMS, TASKS)


def test_a_text_lies_between_plain_sentences_and_the_personas_and_beyond_the_others():
    [scores] = finish(voice_scores(Embedder("by hand", by_hand), OUTS, of(TEXT)))
    # From the plain mean the text is (2, 1, 2) away: on the line of noir at 1/2, of gothic at 2/4; of comic, whose
    # sentence is (0, 1, 0) away, at 1, and of bard, (1, 0, 0) away, at 2: the mean of these two is 1.5.
    assert scores.whole == pytest.approx(
        {"voice: noir": 0.5, "voice beyond others: noir": -1.0, "voice: gothic": 0.5, "voice beyond others: gothic": -1}
    )
    assert scores.matched == scores.whole


def test_the_other_personas_of_the_blend_are_not_among_the_others():
    alone = ReadOuts({}, {"noir": ("of noir",)}, {**OUTS.others, "gothic": ("of gothic",)}, OUTS.plain, ())
    [scores] = finish(voice_scores(Embedder("by hand", by_hand), alone, of(TEXT)))
    assert scores.whole["voice beyond others: noir"] == pytest.approx(0.5 - (1 + 2 + 0.5) / 3)


def test_without_others_nothing_is_beyond_them():
    alone = ReadOuts({}, OUTS.own, {}, OUTS.plain, ())
    [scores] = finish(voice_scores(Embedder("by hand", by_hand), alone, of(TEXT)))
    assert scores.whole == {"voice: noir": pytest.approx(0.5), "voice: gothic": pytest.approx(0.5)}


def test_an_empty_text_is_neither_here_nor_there():
    [scores] = finish(voice_scores(Embedder("by hand", by_hand), OUTS, of(" ")))
    assert set(scores.whole.values()) == {None}
    assert set(word_scores(OUTS, of(" "))[0].whole.values()) == {None}


def test_subject_words_are_counted_in_a_hundred():
    [scores] = word_scores(OUTS, of("Rain fell, rainy shadows and no others, eight in all"))
    assert scores.whole == {"subject words: noir": pytest.approx(30.0), "subject words: gothic": 0.0}


def test_what_is_read_is_what_the_cards_of_the_blend_have():
    found = ReadOuts.of(Blend.parse("noir+gothic+mine"))
    assert found.subject_words["noir"] == get_persona("noir").subject_words
    assert (set(found.own), found.without) == ({"noir", "gothic"}, ("mine",))
    assert not set(found.own) & set(found.others)
    assert len(found.others) == 22
    assert len(found.plain) == 24


def absent():
    raise ModelError("The sentence-embedding model is not installed; run: pip install it")


def test_a_missing_encoder_and_missing_sentences_are_told_of_in_a_sentence_each():
    encoder, why = find_encoder(absent)
    assert encoder is None
    told = ReadOuts.of(Blend.parse("noir+mine")).missing(why)
    assert told[0].endswith("was not measured. The sentence-embedding model is not installed; run: pip install it.")
    assert told[1].startswith("No sentences are known of mine")
    assert ReadOuts.of(Blend.parse("noir")).missing(None) == []


@pytest.mark.parametrize("installed", [True, False])
def test_without_the_encoder_the_words_are_counted_all_the_same(tiny, tmp_path, installed):
    store = answered(tiny, tmp_path / "run")
    make = (lambda: Embedder("by hand", by_hand_or_length)) if installed else absent
    result = finish(gather(tiny, store, embedder=own_embedder(tiny), judge=None, encoder=make))
    measured = {mean.metric for mean in result.means}
    assert {"subject words: noir", "subject words: gothic"} <= measured
    assert ("voice beyond others: noir" in measured) is installed
    assert any("is not installed" in limit for limit in result.limits) is not installed
    told = {(each.arm, each.against) for each in result.comparisons if each.metric == "subject words: noir"}
    assert ("billy-balanced", "dose-0") in told


def by_hand_or_length(texts):
    yield len(texts)
    return np.random.default_rng(0).normal(size=(len(texts), 4)).astype(np.float32)


def test_every_read_out_has_its_sentence():
    for name in ("voice: noir", "voice beyond others: noir", "subject words: noir"):
        assert "noir" in metric(name).sentence
    assert metric("voice: a").sentence != metric("voice beyond others: a").sentence


NAMES = ("persona: noir", "voice beyond others: noir", "subject words: noir")


def test_what_was_optimised_is_called_so_wherever_it_is_shown():
    comparisons = tuple(compared(name, 0.3) for name in NAMES)
    result = empty_result(comparisons=comparisons, metrics={name: metric(name).sentence for name in NAMES})
    text = to_markdown(result)
    assert all(f"({OPTIMISED})" in line or OPTIMISED in line for line in text.splitlines() if "persona: noir" in line)
    assert f"persona: noir ({OPTIMISED})" in text
    assert "persona: noir</" not in to_html(result)
    assert f"subject words: noir ({OPTIMISED})" not in text


def test_the_short_answer_says_what_read_outs_say_that_did_not_steer():
    result = empty_result(comparisons=tuple(compared(name, 0.3) for name in NAMES))
    steers, helps, _ = findings(result)
    read = [sentence for sentence in steers.sentences if sentence.startswith("Read by what did not steer")]
    assert len(read) == 2
    assert all("more for 1 (noir +0.30 [+0.20, +0.40]" in sentence for sentence in read)
    assert OPTIMISED in steers.sentences[0]
    assert "noir" not in " ".join(helps.sentences)


def test_the_table_has_them_too():
    _, rows = summary(empty_result(comparisons=tuple(compared(name, 0.3) for name in NAMES)))
    assert [name for name, _ in rows] == [f"{name}, as written" for name in NAMES[1:]]
