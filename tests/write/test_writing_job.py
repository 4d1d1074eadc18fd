"""A request for a manuscript becomes events: what is sent, what is written, and how it was made."""

from dataclasses import replace

import pytest

from billy_mlx.blend.blend import ALONE, Blend
from billy_mlx.engine.coherence import Gauge
from billy_mlx.engine.jobs import JobContext
from billy_mlx.engine.messages import Coherence, Job, Read
from billy_mlx.errors import BillyError
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.rows import Emitted
from billy_mlx.steps import finish
from billy_mlx.write.messages import PromptRead, Sent, VoicesWrote, Write, Writing, Written
from billy_mlx.write.recipes import context_for, most_tokens, recipe_for
from billy_mlx.write.replay import Replayed, replay
from billy_mlx.write.writing import WritingJob, job_types

pytestmark = pytest.mark.usefixtures("vectors")
STORY = "The lamp was cold. Ada climbed the stairs and"
REQUEST = Write(
    Job(1),
    "continue",
    STORY,
    len(STORY),
    Guide(),
    (Blend.parse("noir@5"), ALONE),
    seed=3,
    writing=Writing(max_tokens=12, budget=400),
)


def events_of(job):
    return [event for event in job if event is not None]


def texts(events, voice):
    return "".join(event.texts.get(voice, "") for event in events if isinstance(event, VoicesWrote))


def test_what_is_sent_comes_first_and_how_it_was_made_last(tiny):
    events = events_of(WritingJob(tiny, REQUEST))
    assert isinstance(events[0], Sent)
    assert isinstance(events[1], PromptRead)
    assert sorted(event.voice for event in events if isinstance(event, Written)) == [0, 1]
    assert {event.job for event in events} == {Job(1)}


def test_what_voices_wrote_is_what_their_passages_say(tiny):
    events = events_of(WritingJob(tiny, REQUEST))
    for event in events:
        if isinstance(event, Written):
            assert texts(events, event.voice) == event.passage.text
            assert event.passage.work == "continue"
    assert all(text for event in events if isinstance(event, VoicesWrote) for text in event.texts.values())


def test_the_measure_of_a_prompt_is_what_the_model_is_sent(tiny):
    events = events_of(WritingJob(tiny, REQUEST))
    passages = [event.passage for event in events if isinstance(event, Written)]
    assert {len(passage.prompt) for passage in passages} == {events[0].context.tokens}


@pytest.mark.parametrize("blanks", ["", " ", "  "])
def test_blanks_that_are_in_the_text_already_do_not_come_again(tiny, monkeypatch, blanks):
    request = replace(REQUEST, text=STORY + blanks, cursor=len(STORY + blanks), voices=(ALONE,))
    events = events_of(WritingJob(tiny, request))
    text = next(event.passage.text for event in events if isinstance(event, Written))
    context = events[0].context
    assert context.held_back == blanks
    assert texts(events, 0) == context.continued(text)


def test_blanks_are_dropped_also_when_they_come_token_by_token(tiny):
    request = replace(REQUEST, text=STORY + " ", cursor=len(STORY) + 1)
    job = WritingJob(tiny, request)
    context = next(iter(job)).context
    pieces = [job._put(context, Emitted(0, 1, text)) for text in (" ", "", " \t", " and", " so")]
    assert pieces == ["", "", "", "and", " so"]


@pytest.mark.parametrize(
    ("text", "changes", "begins"),
    [
        ("One.\n\n", {}, "It"),
        ("", {}, "It"),
        ("One.", {}, "  It"),
        ('"One."', {"work": "rewrite", "cursor": 1, "selection": (1, 5)}, "It"),
    ],
)
def test_no_line_and_no_rewrite_begins_with_a_space(tiny, text, changes, begins):
    job = WritingJob(tiny, replace(REQUEST, **{"text": text, "cursor": len(text), **changes}))
    context = next(iter(job)).context
    assert "".join(job._put(context, Emitted(0, 1, piece)) for piece in (" ", " It")) == begins


def test_only_the_context_is_sent_if_only_that_is_asked_for(tiny):
    events = events_of(WritingJob(tiny, replace(REQUEST, only_context=True)))
    assert [type(event) for event in events] == [Sent]


def test_stopping_ends_all_voices_and_says_how_far_they_came(tiny):
    job = WritingJob(tiny, REQUEST)
    events = []
    for event in job:
        events.append(event)
        if isinstance(event, VoicesWrote):
            job.stop()
    ended = {event.passage.ended for event in events if isinstance(event, Written)}
    assert (ended, job.stopped) == ({"interrupted"}, True)


def test_one_voice_stops_alone(tiny):
    job = WritingJob(tiny, REQUEST)
    events = []
    for event in job:
        events.append(event)
        if isinstance(event, VoicesWrote):
            job.stop(0)
    ended = {event.voice: event.passage.ended for event in events if isinstance(event, Written)}
    assert ended[0] == "interrupted"
    assert (ended[1] != "interrupted", job.stopped) == (True, False)


def test_what_is_stopped_before_it_begins_writes_nothing(tiny):
    job = WritingJob(tiny, REQUEST)
    job.stop()
    assert not any(isinstance(event, VoicesWrote) for event in job)


def test_a_voice_stopped_before_it_begins_leaves_the_other_alone(tiny):
    job = WritingJob(tiny, REQUEST)
    job.stop(0)
    events = events_of(job)
    assert (texts(events, 0), bool(texts(events, 1))) == ("", True)


@pytest.mark.parametrize("after", [0, 3])
def test_a_dial_may_be_moved_before_and_while_it_writes(tiny, after):
    job = WritingJob(tiny, REQUEST)
    events = []
    if not after:
        job.steer(0, Blend.parse("gothic"))
    for event in job:
        events.append(event)
        if after and len([each for each in events if isinstance(each, VoicesWrote)]) == after:
            job.steer(0, Blend.parse("gothic"))
    passage = next(event.passage for event in events if isinstance(event, Written) and event.voice == 0)
    assert passage.voices[-1].blend == "gothic:1@1/layered"


def test_a_blend_without_a_vector_is_refused_and_the_voice_goes_on(tiny):
    job = WritingJob(tiny, REQUEST)
    for event in job:
        if isinstance(event, VoicesWrote):
            with pytest.raises(BillyError, match="billy extract futurist"):
                job.steer(0, Blend.parse("futurist"))
    assert str(job._writer.take(0).voice) == "noir:1@5/layered"


def test_a_second_try_reads_its_prompt_out_of_the_store(tiny):
    store = PromptStore()
    for _ in range(2):
        events = events_of(WritingJob(tiny, replace(REQUEST, voices=(ALONE,)), store))
    assert next(event.passage.reused for event in events if isinstance(event, Written)) > 0


def test_nothing_to_go_on_from_is_said_in_a_sentence(base):
    with pytest.raises(BillyError, match="is empty; say what to write"):
        events_of(WritingJob(base, replace(REQUEST, text="", cursor=0)))


def test_a_base_model_is_sent_one_text(base):
    prompt = context_for(base, replace(REQUEST, instruction="rain")).prompt
    recipe = recipe_for(base, REQUEST, prompt)
    assert (prompt.user, recipe.prompt) == ("", replace(prompt, chat=False))
    assert events_of(WritingJob(base, REQUEST))


def test_what_is_sent_leaves_room_for_the_answer(tiny):
    request = replace(REQUEST, text=STORY * 40, cursor=len(STORY) * 40, writing=Writing(max_tokens=100, budget=9999))
    assert context_for(tiny, request).tokens <= tiny.context_length - 100


@pytest.fixture
def rewriting():
    return replace(REQUEST, work="rewrite", selection=(0, 18), cursor=0, voices=(ALONE,))


@pytest.mark.parametrize(
    ("text", "ends"), [("One line.", ("\n",)), ("Two\nlines.", ("\n\n",)), ("Two\n\nparagraphs.", ())]
)
def test_a_rewrite_ends_at_a_border_that_the_original_has_not(tiny, rewriting, text, ends):
    request = replace(rewriting, text=text, selection=(0, len(text)))
    assert recipe_for(tiny, request, context_for(tiny, request).prompt).stop == ends


def test_a_rewrite_may_be_twice_as_long_as_what_it_replaces(tiny, rewriting):
    assert most_tokens(tiny, rewriting) == 2 * len(tiny.tokenizer.encode("The lamp was cold.")) + 32


@pytest.mark.parametrize(
    ("written", "instruction", "fills"),
    [
        ("It was dark in the lamp.", "", True),
        ("It was dark in the", "", False),
        ("It was.", "", False),
        ("It was dark in the lamp.", "more", False),
    ],
)
def test_a_rewrite_ends_with_the_sentence_in_which_it_gets_as_long(tiny, rewriting, written, instruction, fills):
    job = WritingJob(tiny, replace(rewriting, instruction=instruction))
    job._texts[0] = written
    assert job._fills(0) is fills


def test_a_rewrite_has_no_white_space_at_its_end(tiny, rewriting):
    job = WritingJob(tiny, rewriting)
    context = next(iter(job)).context
    pieces = [job._put(context, Emitted(0, 1, text)) for text in (" It", " ", "\n", " rained.", " \n")]
    assert pieces == ["It", "", "", " \n rained.", ""]


@pytest.mark.parametrize(("passage", "begins"), [("It was wet.", "It"), ("\n\nIt was wet.", "\nIt")])
def test_a_rewrite_begins_with_white_space_only_where_its_passage_does(tiny, rewriting, passage, begins):
    job = WritingJob(tiny, replace(rewriting, text=passage, selection=(0, len(passage))))
    context = next(iter(job)).context
    pieces = [job._put(context, Emitted(0, 1, text)) for text in ("\n", "It", " rained.")]
    assert pieces == ["", begins, " rained."]


@pytest.fixture
def long():
    """A request for two voices of 100 tokens."""
    return replace(REQUEST, seed=21, writing=replace(REQUEST.writing, max_tokens=100))


def test_every_voice_is_followed_by_a_gauge_of_its_own(tiny, long):
    events = events_of(
        WritingJob(tiny, replace(long, voices=(Blend.parse("noir@5"), Blend.parse("noir@4"))), gauge=Gauge)
    )
    told = [event for event in events if isinstance(event, Coherence)]
    assert {event.voice for event in told} == {0, 1}
    assert all(event.perplexity >= 1 and event.ratio > 0 for event in told)
    assert isinstance(events[-1], Written)


@pytest.mark.parametrize("alone", ["none", "noir@0", "noir:0@5"])
def test_of_the_model_alone_no_gauge_tells(tiny, long, alone):
    events = events_of(WritingJob(tiny, replace(long, voices=(Blend.parse("noir@5"), Blend.parse(alone))), gauge=Gauge))
    assert {event.voice for event in events if isinstance(event, Coherence)} == {0}


def test_a_voice_that_is_turned_up_while_it_writes_has_a_gauge(tiny, long):
    job, told = WritingJob(tiny, replace(long, voices=(ALONE,)), gauge=Gauge), []
    for event in job:
        if isinstance(event, VoicesWrote):
            job.steer(0, Blend.parse("noir@5"))
        told.append(event)
    assert any(isinstance(event, Coherence) for event in told)


@pytest.mark.slow
def test_a_gauge_changes_nothing_of_what_is_written(tiny, long):
    found = [events_of(WritingJob(tiny, long, gauge=gauge)) for gauge in (None, Gauge)]
    assert [texts(found[0], voice) for voice in (0, 1)] == [texts(found[1], voice) for voice in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [True, False])
def test_the_engine_has_a_gauge_if_one_is_asked_for(tiny, long, wanted):
    request = replace(long, writing=replace(long.writing, gauge=wanted))
    events = events_of(job_types()[Write](JobContext(tiny, load=lambda name: None), request))
    assert any(isinstance(event, Coherence) for event in events) is wanted


def test_the_engine_can_write(tiny):
    shared = JobContext(tiny, load=lambda name: None)
    for _ in range(2):
        events = events_of(job_types()[Write](shared, replace(REQUEST, voices=(ALONE,))))
    assert isinstance(events[-1], Written)
    assert events[-1].passage.reused > 0


def test_the_engine_can_read_by_the_sentence(tiny):
    job = job_types()[Read](JobContext(tiny, load=lambda name: None), Read(Job(1), ("She woke. It rained.",)))
    (scored,) = events_of(job)
    assert [(each.start, each.end, list(each.scores)) for each in scored.sentences] == [
        (0, 9, ["gothic", "noir"]),
        (10, 20, ["gothic", "noir"]),
    ]


WORDS = replace(REQUEST, voices=(ALONE, Blend.parse("noir@5")), writing=Writing(budget=400, words=4))


@pytest.fixture
def wordy(monkeypatch):
    """Every token that is written is a word."""
    put = WritingJob._put
    monkeypatch.setattr(
        WritingJob, "_put", lambda job, context, news: put(job, context, replace(news, text=" word" * bool(news.text)))
    )


def test_a_voice_ends_when_it_has_its_words(tiny, wordy):
    events = events_of(WritingJob(tiny, WORDS))
    passages = {event.voice: event.passage for event in events if isinstance(event, Written)}
    for voice in (0, 1):
        assert texts(events, voice) == " word word word word"
        assert passages[voice].ended == "length"


def test_a_passage_that_its_words_ended_is_written_again_as_it_was(tiny, wordy):
    events = events_of(WritingJob(tiny, replace(WORDS, voices=(Blend.parse("noir@5"),))))
    [passage] = [event.passage for event in events if isinstance(event, Written)]
    assert finish(replay(tiny, passage)) == Replayed(passage.tokens)


def test_words_are_counted_in_tokens_by_the_text_before(tiny):
    few, many = (most_tokens(tiny, replace(REQUEST, writing=Writing(words=words))) for words in (10, 1000))
    assert few >= len(tiny.tokenizer.encode(STORY))  # which are nine words
    assert many == tiny.context_length // 4
    assert most_tokens(tiny, REQUEST) == 12
