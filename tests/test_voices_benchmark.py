"""The benchmark of the voices on a model that takes no time: what is kept, what is tested, what the page claims."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.random_vectors import persona_vector

from billy_mlx.errors import BillyError, UsageError
from billy_mlx.measure.activations import Text as ToRead
from billy_mlx.measure.activations import read_likelihoods
from billy_mlx.measure.embedding import Embedder
from billy_mlx.measure.likelihood import likelihoods_per_token
from billy_mlx.measure.statistics import holm, sign_flip_p
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.steps import finish
from billy_mlx.vectors.card import SentenceSet, bundled_ids, load_sentences
from billy_mlx.vectors.library import store_vector

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(FOLDER))

import voice_arms  # noqa: E402
import voice_effects  # noqa: E402
import voice_length  # noqa: E402
import voice_page  # noqa: E402
import voice_shelf  # noqa: E402
import voice_tasks  # noqa: E402
import voice_writing  # noqa: E402
from voice_arms import KNOWN, UNTOUCHED, Voice, voice_of  # noqa: E402
from voice_kept import Kept  # noqa: E402
from voice_measure import Plan, measure  # noqa: E402
from voice_readout import Measured, Ruler  # noqa: E402
from voice_shelf import Name, Shelf, Text  # noqa: E402
from voice_writing import VoiceWriter  # noqa: E402

SENTENCES = load_sentences()
SMALL = Plan(
    personas=("noir", "gothic"),
    prompts=2,
    seeds=2,
    max_tokens=3,
    arms=("prompt", "layered", "random"),
    likelihood=False,
)


def said(texts):
    """Embed by who says it: a stand-in that knows the sentences, and texts that begin with a persona's id."""
    yield len(texts)
    own = {text: persona for persona, some in SENTENCES.by_persona.items() for text in some}
    whose = [own.get(text, text.split(" ")[0]) for text in texts]
    return np.array([[each == persona for persona in KNOWN] for each in whose], np.float32)


EMBEDDER = Embedder("stand-in", said)


@pytest.fixture
def vectors(billy_home, tiny):
    for seed, persona_id in enumerate(("noir", "gothic")):
        store_vector(persona_vector(persona_id, seed=seed, norm=5.0, fingerprint=tiny.fingerprint))


@pytest.fixture
def wide(tiny):
    """The tiny model with a context that the studio's frame fits into; its tokens are mostly single letters."""
    return replace(tiny, config={**tiny.config, "max_position_embeddings": 8192})


@pytest.fixture
def written(wide, vectors, tmp_path, monkeypatch):
    """Measure a plan with the tiny model into a file; gives the file and how many texts were written each time."""
    counts = []
    inner = VoiceWriter._written
    monkeypatch.setattr(VoiceWriter, "_written", lambda self, jobs: counts.append(len(jobs)) or inner(self, jobs))
    path = tmp_path / "kept.jsonl"

    def run(plan, kind="chat", batch=48):
        shelf = Shelf(path)
        found = measure(plan, kind, VoiceWriter(wide, shelf, batch), Ruler(shelf, EMBEDDER, SENTENCES), SENTENCES)
        return found, shelf

    return run, path, counts


def text_of(voice, number, text, seed=0, nats=10.0, origin="o", half="decide"):
    name = Name(voice.arm, voice.persona, "chat", half, number, seed, 40)
    return Text(f"{name}", name, origin, "f", "a model", text, 5, nats)


def planted(effects, prompts=20):
    """Return what was measured of writing voices, each by how far its texts are on its own line, with some noise."""
    noise = np.random.default_rng(0).normal(scale=0.05, size=(prompts, len(KNOWN)))
    found = {UNTOUCHED: Measured(np.zeros_like(noise), np.zeros_like(noise), 3.0, np.zeros(prompts), np.ones(prompts))}
    for (arm, persona), (effect, nats) in effects.items():
        positions = noise.copy()
        positions[:, KNOWN.index(persona)] += effect
        voice = voice_of(arm, persona, 1)
        found[voice] = Measured(positions, positions * 10, nats, np.zeros(prompts), np.ones(prompts))
    return found


def test_what_is_kept_is_found_again_and_nothing_is_written_twice(written):
    run, path, counts = written
    first, shelf = run(SMALL)
    assert sum(counts) == len(shelf.texts) == 2 * 2 * (1 + 3 * 2)
    lines = path.read_bytes()
    again, _ = run(SMALL)
    assert sum(counts) == len(shelf.texts)
    assert path.read_bytes() == lines
    assert voice_page.page("", [again]) == voice_page.page("", [first])


def test_a_run_that_is_stopped_goes_on_even_after_half_a_line(written):
    run, path, counts = written
    run(SMALL)
    done = sum(counts)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b'"type":"text"') + 20])
    run(SMALL)
    assert sum(counts) == done + 1
    run(SMALL)
    assert sum(counts) == done + 1


def test_more_prompts_seeds_or_personas_write_only_those(written):
    run, _, counts = written
    run(replace(SMALL, personas=("noir",), prompts=2, seeds=1))
    before = sum(counts)
    run(replace(SMALL, personas=("noir",), prompts=3, seeds=1))
    assert sum(counts) == before + 4


def test_two_processes_find_what_the_other_has_written(tiny, vectors, tmp_path, monkeypatch):
    mine, other = (VoiceWriter(tiny, Shelf(tmp_path / "kept.jsonl"), 48) for _ in range(2))
    tasks = voice_tasks.load_tasks("chat", "decide", 2)
    made = mine.texts([UNTOUCHED], tasks, 1, 3)
    monkeypatch.setattr(VoiceWriter, "_written", None)
    assert other.texts([UNTOUCHED], tasks, 1, 3) == made


def test_other_vectors_write_other_texts_and_take_the_place_of_the_old_ones(written, tiny):
    run, path, counts = written
    plan = replace(SMALL, arms=("layered",))
    run(plan)
    before = sum(counts)
    store_vector(persona_vector("noir", seed=9, norm=5.0, fingerprint=tiny.fingerprint))
    _, shelf = run(plan)
    assert sum(counts) == before + 4
    source = Kept(Shelf(path, adding=False))
    found = source.texts([UNTOUCHED, voice_of("layered", "noir", 1)], voice_tasks.load_tasks("chat", "decide", 2), 2, 3)
    assert len(found) == 2
    assert {text.key for row in found[voice_of("layered", "noir", 1)] for text in row} <= set(list(shelf.texts)[-4:])


def test_the_page_of_a_file_is_that_of_the_run(written):
    run, path, _ = written
    plan = replace(SMALL, arms=("prompt", "layered", "balanced"), weights=(0.0, 0.5, 1.0))
    found, _ = run(plan)
    source = Kept(Shelf(path, adding=False))
    before = path.read_bytes()
    from_file = measure(plan, "chat", source, Ruler(source.shelf, EMBEDDER, SENTENCES), SENTENCES)
    assert voice_page.page("", [from_file]) == voice_page.page("", [found])
    assert (source.left_out, path.read_bytes()) == ([], before)


def test_what_a_file_has_not_all_of_is_left_out_and_named(written):
    run, path, _ = written
    run(replace(SMALL, personas=("noir",), arms=("layered",)))
    source = Kept(Shelf(path, adding=False))
    found = measure(SMALL, "chat", source, Ruler(source.shelf, EMBEDDER, SENTENCES), SENTENCES)
    assert list(found.effects["layered"]) == ["noir"]
    assert ("layered@1", "gothic", "chat") in source.left_out
    with pytest.raises(BillyError, match="dose 0"):
        source.texts([], voice_tasks.load_tasks("chat", "report", 2), 2, 3)


def test_texts_are_read_behind_the_plain_prompt_without_steering(tiny, vectors):
    writer = VoiceWriter(tiny, Shelf(), 48)
    tasks = voice_tasks.load_tasks("chat", "decide", 2)
    voice = voice_of("prompt+half", "noir", 1)
    job = writer._jobs(voice, tasks, 1, 3)[0][0]
    assert job.plain == tuple(chat_prompt(tiny.tokenizer, tasks[0].text))
    assert job.recipe.prompt.tokens == tuple(chat_prompt(tiny.tokenizer, tasks[0].text, system=voice.prompts[0]))
    assert writer._likelihoods([ToRead(job.plain, (5, 6))]) == pytest.approx(
        finish(read_likelihoods(tiny, [ToRead(job.plain, (5, 6))])).tolist()
    )


def test_long_prompts_that_are_shared_change_no_likelihood(tiny):
    rng = np.random.default_rng(0)
    prompts = [tuple(rng.integers(0, 200, 40).tolist()) for _ in range(2)]
    texts = [ToRead(prompts[i % 2], tuple(rng.integers(0, 200, 3).tolist())) for i in range(6)]
    found = VoiceWriter(tiny, Shelf(), 48)._likelihoods(texts)
    assert found == pytest.approx(finish(read_likelihoods(tiny, texts)).tolist(), abs=1e-4)


def test_the_halves_share_neither_prompts_nor_seeds(tiny):
    for kind in voice_tasks.KINDS:
        decide, report = (voice_tasks.load_tasks(kind, half, sys.maxsize) for half in voice_tasks.HALVES)
        assert not {task.text for task in decide} & {task.text for task in report}
    decide, report = (
        {seed + task.number for seed in voice_tasks.load_seeds(half) for task in voice_tasks.load_tasks("chat", half)}
        for half in voice_tasks.HALVES
    )
    assert len(decide) == len(report) == 3 * 48
    assert not decide & report


def test_the_report_finds_nothing_of_what_was_decided_on(written):
    run, _, counts = written
    _, shelf = run(replace(SMALL))
    before = sum(counts)
    run(replace(SMALL, half="report"))
    assert sum(counts) == 2 * before
    assert {name.half for name in shelf.named} == {"decide"}


def test_a_prompt_gets_the_system_prompts_in_turn_and_dose_0_none():
    voice = voice_of("prompt", "noir", 1)
    assert [voice.system(number) for number in (0, 4, 5)] == [voice.prompts[0], voice.prompts[4], voice.prompts[0]]
    assert voice_of("layered", "noir", 1).system(0) is None
    assert voice_of("dose-0", "noir", 1) == voice_of("layered", "noir", 1, 0.0) == UNTOUCHED


def test_random_directions_are_as_long_as_the_layered_ones_and_point_elsewhere(tiny):
    vectors = {"noir": persona_vector("noir", norm=5.0, fingerprint=tiny.fingerprint)}
    own, random = (voice_of(arm, "noir", 1).directions(vectors).by_layer for arm in ("layered", "random"))
    assert own.keys() == random.keys()
    for layer, direction in own.items():
        assert np.linalg.norm(random[layer]) == pytest.approx(np.linalg.norm(direction), rel=1e-5)
        assert not np.allclose(random[layer], direction)


def test_half_the_dose_goes_with_the_system_prompt(tiny):
    vectors = {"noir": persona_vector("noir", norm=5.0, fingerprint=tiny.fingerprint)}
    whole, half = (voice_of(arm, "noir", 1).directions(vectors).by_layer for arm in ("layered", "prompt+half"))
    assert all(np.allclose(half[layer] * 2, whole[layer], atol=1e-5) for layer in whole)


def test_seeds_are_averaged_before_anything_is_tested():
    own, control = voice_of("layered", "noir", 1), UNTOUCHED
    ruler = Ruler(Shelf(), EMBEDDER, SENTENCES)
    mixed = [[text_of(own, n, word, seed) for seed, word in enumerate(("noir", "nobody"))] for n in range(3)]
    plain = [[text_of(control, n, "nobody", seed) for seed in range(2)] for n in range(3)]
    found = voice_effects.effects(ruler.measure_all({control: plain, own: mixed}), own.arm)["noir"]
    assert found.values == pytest.approx([0.5] * 3)


def test_a_text_without_words_says_nothing_of_anybody():
    ruler = Ruler(Shelf(), EMBEDDER, SENTENCES)
    assert not ruler.positions(["", " "]).any()


def test_a_planted_voice_shows_and_others_do_not():
    measured = planted({("layered", "noir"): (0.3, 3.1), ("layered", "gothic"): (0.0, 3.1)})
    found = voice_effects.effects(measured, "layered@1")
    assert (found["noir"].shows, found["gothic"].shows) == (True, False)
    assert found["noir"].mean == pytest.approx(0.3, abs=0.05)
    assert found["noir"].surprise == pytest.approx(0.1)


def test_a_voice_that_moves_away_from_itself_does_not_show():
    found = voice_effects.effects(planted({("layered", "noir"): (-0.3, 3.1)}), "layered@1")["noir"]
    assert found.corrected < 0.05
    assert not found.shows


def test_p_values_are_corrected_over_all_personas_of_an_arm():
    measured = planted({("layered", each): (0.02, 3.1) for each in bundled_ids("writing")})
    found = voice_effects.effects(measured, "layered@1")
    chances = [sign_flip_p(each.values.tolist()) for each in found.values()]
    assert [each.corrected for each in found.values()] == holm(chances)
    assert all(each.corrected >= each.p for each in found.values())


def test_what_moves_all_voices_alike_is_no_effect_and_others_texts_have_less():
    measured = planted({("layered", "noir"): (0.3, 3.1), ("layered", "gothic"): (0.3, 3.1)})
    for each in (voice for voice in measured if voice.persona):
        measured[each] = replace(measured[each], positions=measured[each].positions + 1)
    own, others = voice_effects.effects(measured, "layered@1"), voice_effects.effects_of_others(measured, "layered@1")
    assert own["noir"].mean == pytest.approx(0.3, abs=0.05)
    assert own["noir"].own == pytest.approx(1.3, abs=0.05)
    assert others["noir"].mean == pytest.approx(-0.3 / 11, abs=0.03)


def test_nothing_can_be_found_with_few_prompts():
    few, many = (
        voice_effects.effects(planted({("layered", "noir"): (0.3, 3.1)}, prompts), "layered@1") for prompts in (5, 48)
    )
    assert voice_effects.findable(few) == float("inf")
    assert voice_effects.findable(many) == pytest.approx(0.05 * 0.42, rel=0.35)


def test_a_blend_has_so_much_of_each_and_neither_is_held_against_the_other():
    measured = planted({("layered", "noir"): (0.4, 3.1), ("layered", "gothic"): (0.2, 3.1)}, prompts=400)
    blend = voice_arms.half_and_half("noir", "gothic", 1)
    positions = np.zeros((400, len(KNOWN)))
    positions[:, KNOWN.index("noir")], positions[:, KNOWN.index("gothic")] = 0.3, 0.05
    measured[blend] = replace(measured[UNTOUCHED], positions=positions)
    shares = voice_effects.shares_of_pair(measured, blend, "layered@1")
    assert shares == pytest.approx((0.75, 0.25), abs=0.05)


def test_pairs_are_all_there_are_or_drawn_alike_every_time():
    assert voice_arms.draw_pairs(("noir", "gothic", "futurist"), 20) == [("noir", "gothic")]
    drawn = voice_arms.draw_pairs(bundled_ids("writing"), 20)
    assert len(set(drawn)) == 20
    assert drawn == voice_arms.draw_pairs(bundled_ids("writing"), 20)


def test_ranks_that_agree_have_a_spearman_of_1():
    assert voice_effects.spearman((0, 0.5, 1), (-1, 0, 5)) == pytest.approx(1)
    assert voice_effects.spearman((0, 0.25, 0.5, 0.75, 1), (0, 1, 2, 4, 3)) == pytest.approx(0.9)
    assert np.isnan(voice_effects.spearman((0, 1), (2, 2)))


def test_the_gain_is_own_minus_others_and_the_loss_is_of_plain_sentences():
    before = {each: [-3.0] * 8 for each in KNOWN}
    control = voice_shelf.Reading("c", "dose-0", "", "f", [-2.0, -2.0], before)
    after = voice_shelf.Reading("k", "layered@1", "noir", "f", [-2.5, -2.1], {**before, "noir": [-2.6] * 8})
    found = voice_effects.gain(after, control, "noir")
    assert (found.specific, found.lost) == pytest.approx((0.4, 0.3))


def test_sentences_are_read_behind_the_system_prompts_in_turn_and_found_again(tiny, vectors, monkeypatch):
    few = SentenceSet(("One two.", "Three."), dict.fromkeys(KNOWN, ("A b.", "C d.")))
    voice = replace(voice_of("prompt", "noir", 1), prompts=("Be short.", "Be very long."))
    writer = VoiceWriter(tiny, Shelf(), 48)
    found = writer.readings([UNTOUCHED, voice], few)
    begun = voice_writing.opening(tiny, voice_writing.ASKED, system="Be very long.")
    alone = finish(likelihoods_per_token(tiny, ["C d."], begun))
    assert found[voice].own["noir"][1] == pytest.approx(float(alone[0]), abs=1e-4)
    assert (len(found[UNTOUCHED].own), len(found[voice].own)) == (24, 12)
    monkeypatch.setattr(voice_writing, "likelihoods_per_token", None)
    assert writer.readings([UNTOUCHED, voice], few) == found


LABELS = {"prompt": "prompt", "layered": "layered@1"}


def section(**more):
    measured = planted(
        {("layered", each): (0.3, 3.2) for each in ("noir", "gothic")}
        | {("prompt", "noir"): (0.2, 3.4), ("prompt", "gothic"): (0.0, 3.4)}
    )
    found = {
        arm: voice_effects.effects(measured, label) for arm, label in (("prompt", "prompt"), ("layered", "layered@1"))
    }
    return voice_page.Section("chat", 20, 3, 40, found, **more)


def test_the_page_says_what_was_planted():
    short = {figure: (measured, aim) for figure, measured, aim in voice_page.in_short(section())}
    ratio, aim = short["chat: mean specific effect, layered / system prompt"]
    assert (float(ratio.split()[0]), aim) == (pytest.approx(3, abs=0.6), ">= 1.2")
    assert short["chat: perplexity, layered / system prompt"] == ("0.82", "<= 1")
    assert short["chat: voices that show steered, of those that show prompted"] == ("1 of 1, 100 %", ">= 80 %")


def test_beside_a_prompt_that_does_nothing_no_ratio_is_told():
    measured = planted({("layered", "noir"): (0.3, 3.1), ("prompt", "noir"): (0.0, 3.1)})
    found = {arm: voice_effects.effects(measured, label) for arm, label in LABELS.items()}
    told = next(voice_page.in_short(voice_page.Section("chat", 20, 3, 40, found)))
    assert told[1].endswith("which may be 0")


def test_weights_and_pairs_are_counted():
    weights = {"noir": ([0.0, 0.1, 0.2], 1.0), "gothic": ([0.1, 0.0, 0.2], 0.5)}
    pairs = {"noir+gothic": (0.6, 0.5), "noir+comic": (1.2, 0.4), "comic+gothic": (float("nan"), 1.0)}
    short = dict(row[:2] for row in voice_page.in_short(section(weights=weights, pairs=pairs)))
    assert short["chat: Spearman of weight and own read-out"] == "median 0.75, least 0.50; 1 of 2 reach 0.9"
    assert short["chat: half-and-half pairs with at least half of both"].startswith("1 of 3")


@pytest.mark.slow
def test_the_table_in_short_is_gathered_with_its_aims():
    from run_all import gathered

    printed = voice_page.page("# Head", [section()])
    assert list(gathered(printed)) == list(voice_page.in_short(section()))


def test_a_long_text_is_read_at_its_marks():
    text = " ".join(map(str, range(200)))
    assert voice_length.window(text, 50).split() == [str(number) for number in range(50)]
    assert voice_length.window(text, 200).split()[0] == "150"
    assert (voice_length.reaches(text, 200), voice_length.reaches(text, 600)) == (True, False)


def test_the_effect_at_a_mark_is_of_texts_that_get_there():
    own = voice_of("layered", "noir", 1)
    long, short = "noir " * 60, "noir " * 20
    texts = {
        UNTOUCHED: [[text_of(UNTOUCHED, n, "word " * 60)] for n in range(3)],
        own: [[text_of(own, n, long if n else short)] for n in range(3)],
    }
    found = voice_length.at_lengths(Ruler(Shelf(), EMBEDDER, SENTENCES), texts, [own.arm])
    assert [(each.arm, each.words) for each in found][:2] == [("dose-0", 50), ("layered@1", 50)]
    assert found[1].effect.mean == pytest.approx(1)
    assert (found[1].effect.items, found[1].reached) == (2, pytest.approx(2 / 3))
    short = list(voice_page.in_short(voice_page.Section("length", 3, 1, 900, {}, lengths=found)))
    assert short[1] == ("length: specific effect of layered@1 at words 50, 200, 600", "+1.000, none, none", "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rewrite", "continuation", "length"])
def test_every_kind_of_writing_is_measured(written, kind):
    run, _, _ = written
    plan = replace(SMALL, seeds=1, arms=("prompt", "layered"))
    found, shelf = run(plan, kind)
    assert {name.kind for name in shelf.named} == {kind}
    assert bool(found.lengths) == (kind == "length")
    assert voice_page.page("", [found])


def test_the_studio_frame_is_the_studios_own_and_a_card_is_what_the_model_must_know(wide):
    from billy_mlx.manuscript.context.parts import KNOWN as HEADING
    from billy_mlx.manuscript.context.parts import REQUESTS, WRITER

    [task] = voice_tasks.load_tasks("rewrite", "decide", 1)
    plain, told = (voice_tasks.asked(wide, task, system, max_tokens=3) for system in (None, "You are noir."))
    assert plain.prompt.system == WRITER
    assert told.prompt.system == f"{WRITER}{HEADING}You are noir."
    assert plain.prompt.user.startswith(REQUESTS["rewrite"])
    assert plain.prompt.user.endswith(task.text)
    assert plain.sampling.repetition_penalty > 1


def test_personas_arms_and_seeds_that_are_not_there_are_refused():
    with pytest.raises(UsageError, match="not bundled"):
        voice_arms.group_of("mine")
    with pytest.raises(UsageError, match="no arm"):
        voice_of("loud", "noir", 1)
    with pytest.raises(UsageError, match="frozen"):
        voice_tasks.load_seeds("decide", 4)


def test_an_unfinished_batch_is_not_kept(tiny, vectors, monkeypatch):
    shelf = Shelf()
    monkeypatch.setattr(voice_writing, "read_likelihoods", None)  # fails before anything is kept
    with pytest.raises(TypeError):
        VoiceWriter(tiny, shelf, 48).texts([UNTOUCHED], voice_tasks.load_tasks("chat", "decide", 2), 1, 3)
    assert not shelf.texts
    assert Voice("dose-0") == UNTOUCHED


@pytest.mark.slow
@pytest.mark.usefixtures("starter_home")
def test_the_page_is_printed_for_the_starter_model_and_again_from_the_file_alone(tmp_path):
    kept = str(tmp_path / "kept.jsonl")
    told = ("noir", "gothic", "--prompts", "2", "--seeds", "1", "--max-tokens", "8", "--no-likelihood")
    told = (*told, "--arms", "prompt,layered", "--half", "report")
    printed = [_printed(*told, "--keep", kept), _printed(*told, "--from", kept)]
    tables = [[line for line in page.splitlines() if line.startswith("| ")] for page in printed]
    assert tables[0] == tables[1]
    assert [line.split(" | ")[0] for line in tables[0][2:4]] == ["| prompt", "| layered"]
    assert any(line.startswith("| chat: mean specific effect, layered / system prompt |") for line in tables[0])


def _printed(*arguments):
    command = [sys.executable, "-W", "error", str(FOLDER / "voices.py"), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout
