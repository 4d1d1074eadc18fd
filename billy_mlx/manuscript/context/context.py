"""What the model is sent for a place in the text, cut to a budget of tokens at sentences, with an account of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from billy_mlx.blend.recipe import Prompt
from billy_mlx.errors import ManuscriptError
from billy_mlx.formats.lorebooks.lorebook import MOST_SCANNED
from billy_mlx.manuscript.context.guide import Guide
from billy_mlx.manuscript.context.parts import (
    BLANKS,
    Contents,
    Context,
    Cut,
    LaidOut,
    account,
    base_pieces,
    chat_pieces,
    compose,
)
from billy_mlx.manuscript.context.triggers import Scanned, scanned
from billy_mlx.manuscript.passage import Work
from billy_mlx.sentences import before_space, starts

_JOINT = 1  # what is between two entries

Count = Callable[[str], int]

_CHUNK = 4_000
_LONGEST_SENTENCE = 1_000  # a sentence longer than this may be cut between its words
_LONGEST_WORD = 100
_CHARS_PER_TOKEN = 64  # more than any tokenizer makes of prose: what is longer need not be counted
_JUMP = 4


def build_context(
    text: str,
    cursor: int,
    guide: Guide,
    *,
    work: Work,
    instruction: str,
    selection: tuple[int, int] | None,
    budget: int,
    measure: Callable[[Prompt], int],
    count: Callable[[str], int],
    chat: bool,
) -> Context:
    """Return what the model is sent to write at `cursor`, at most `budget` tokens of it.

    The text before the cursor is what the model goes on from: of a chat, its own turn begins with it. It loses its
    beginning where it does not fit; memory, note and the text after lose their end; lore entries of low order fall
    out. The instruction and a selection are sent whole. What is read of the text, and counted, is about what is sent.

    Args:
        text: the manuscript.
        cursor: where to write, unless `work` is "rewrite".
        guide: what the model gets to know beside the text.
        work: "continue" tells what is before the cursor, "infill" what is after it as well. "rewrite" tells the
            selection and goes on from the text before it, so that what comes joins on to that as the original did.
        instruction: what the writer asks for; may be empty.
        selection: start and end of the text to rewrite; only for "rewrite".
        budget: how many tokens may be sent.
        measure: counts the tokens of a whole prompt, the chat template included.
        count: counts the tokens of a text by itself.
        chat: the model has a chat template; a base model is sent one text, which is all in `Prompt.prefix`.

    Raises:
        ManuscriptError: nothing is selected to rewrite, or the budget is too small for what is asked and one sentence
            before the cursor.
        ValueError: a place is not in the text.
    """
    job = _job(text, cursor, guide, work, instruction, selection)
    lay_out = chat_pieces if chat else base_pieces
    counted = cache(count)
    around = measure(compose(lay_out(_skeleton(job))))
    spare = 0
    while True:
        pieces = lay_out(_contents(job, budget, budget - around - spare, counted))
        prompt = compose(pieces)
        tokens = measure(prompt)
        if tokens <= budget:
            parts = account(pieces, tokens, counted)
            return Context(prompt, parts, tokens, budget, job.held_back, job.lore.faults)
        spare = max(2 * spare, spare + tokens - budget)  # parts joined can take more tokens than apart


@dataclass(frozen=True)
class _Job:
    """What is asked for.

    Attributes:
        text: the manuscript.
        end: where the text before the cursor ends, without what is held back.
        held_back: the blanks behind it.
        after: where the text after begins; None if it is not told.
        guide: what the model gets to know beside the text.
        lore: the entries that fire.
        fixed: what is sent whole.
    """

    text: str
    end: int
    held_back: str
    after: int | None
    guide: Guide
    lore: Scanned
    fixed: Contents


def _job(text: str, cursor: int, guide: Guide, work: Work, instruction: str, selection: tuple[int, int] | None) -> _Job:
    start, end = (cursor, cursor) if work != "rewrite" or selection is None else selection
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"characters {start} to {end} are not in a text of {len(text)}")
    if work == "rewrite" and not text[start:end].strip():
        raise ManuscriptError("nothing is selected; select the text you want rewritten")
    before_end = start
    while before_end > 0 and text[before_end - 1] in BLANKS:
        before_end -= 1
    fixed = Contents(
        work,
        note_depth=guide.note_depth,
        selection=LaidOut(sendable(text[start:end])),
        instruction=LaidOut(sendable(instruction).strip()),
    )
    recent = text[max(0, start - MOST_SCANNED) : end] + "\n" * bool(instruction) + instruction
    after = None if work == "continue" else end
    return _Job(text, before_end, text[before_end:start], after, guide, scanned(guide.lorebook, recent), fixed)


def _skeleton(job: _Job) -> Contents:
    """Return contents of one letter each, to measure what stands around them, and of what is sent whole."""
    letter, nothing = LaidOut("x"), LaidOut()
    return replace(
        job.fixed,
        memory=letter if job.guide.memory.strip() else nothing,
        note=letter if job.guide.note.strip() else nothing,
        lore=(letter,) if job.lore.triggers else (),
        after=letter if job.after is not None else nothing,
    )


def _contents(job: _Job, budget: int, room: int, count: Count) -> Contents:
    """Return what will be sent, with `room` tokens for all that may be cut."""
    sentence = sendable(job.text[last_sentence(job.text, job.end) : job.end])
    if not fits(sentence, room, count):
        raise _too_small(job, budget, budget - room + count(sentence))
    left = room - count(sentence)
    shares = job.guide.shares
    told = []
    for text, share in ((job.guide.memory, shares.memory), (job.guide.note, shares.note)):
        told.append(_beginning(text.strip(), min(left, int(share * budget)), count))
        left -= count(told[-1].text)
    lore = _lore(job.lore, min(left, int(shares.lore * budget)), count)
    left -= sum(count(one.text) + _JOINT for one in lore if one.text)
    after = LaidOut()
    if job.after is not None:
        after = _beginning(job.text, min(left, int(shares.after * budget)), count, job.after)
        left -= count(after.text)
    before = _before(job, left + count(sentence), count)
    return replace(job.fixed, memory=told[0], note=told[1], lore=lore, after=after, before=before)


def _beginning(text: str, allowed: int, count: Count, start: int = 0) -> LaidOut:
    """Return as many sentences of `text` from `start` on as are allowed."""
    end = last_fitting(text, start, allowed, count)
    rest = max(0, before_space(text, len(text)) - end)
    cut = Cut("end" if end > start else "all", rest) if rest else None
    return LaidOut(sendable(text[start:end]).strip(), cut)


def _before(job: _Job, allowed: int, count: Count) -> LaidOut:
    """Return the end of the text before the cursor, from a sentence on."""
    # A sentence can take a token more with the space before it: the last one is sent all the same.
    earliest = min(first_fitting(job.text, job.end, allowed, count), last_sentence(job.text, job.end))
    start = settled(job.text, earliest, job.end)
    return LaidOut(sendable(job.text[start : job.end]), Cut("start", start) if start else None)


def _lore(lore: Scanned, allowed: int, count: Count) -> tuple[LaidOut, ...]:
    """Return the entries that fire, the lowest order first; where not all are allowed, those are without a text."""
    orders = [trigger.entry.order for trigger in lore.triggers]
    told = [LaidOut("", Cut("all", len(trigger.entry.text.strip())), trigger) for trigger in lore.triggers]
    rising = sorted(range(len(told)), key=orders.__getitem__)
    for index in sorted(range(len(told)), key=lambda index: -orders[index]):  # of equal ones, the writer's first
        text = sendable(lore.triggers[index].entry.text).strip()
        if fits(text, allowed - _JOINT, count):
            allowed -= count(text) + _JOINT
            told[index] = LaidOut(text, None, lore.triggers[index])
    return tuple(told[index] for index in rising)


def _too_small(job: _Job, budget: int, needed: int) -> ManuscriptError:
    shorter = "the instruction" if job.fixed.work != "rewrite" else "the selection or the instruction"
    return ManuscriptError(
        f"the request and one sentence before the cursor take {needed} tokens, but only {budget} may be sent; "
        f"allow more, or shorten {shorter}"
    )


def sendable(text: str) -> str:
    """Return `text` with the line ends that models know."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fits(text: str, allowed: int, count: Count) -> bool:
    """Return whether `text` takes at most `allowed` tokens."""
    return len(text) <= _CHARS_PER_TOKEN * allowed and count(text) <= allowed


def last_sentence(text: str, end: int) -> int:
    """Return where the last sentence before `end` begins."""
    return next(_back_from(text, end), 0)


def first_fitting(text: str, end: int, allowed: int, count: Count) -> int:
    """Return from where on the text up to `end` takes at most `allowed` tokens; `end` if no sentence does."""
    first = piece_end = end
    for border in _back_from(text, end):
        piece_start = before_space(text, border)
        piece = sendable(text[piece_start:piece_end])
        if not fits(piece, allowed, count):
            return first
        allowed -= count(piece)
        first, piece_end = border, piece_start
    return 0


def settled(text: str, earliest: int, end: int) -> int:
    """Return where to cut the beginning off, at `earliest` or later, so that it mostly stays where it was.

    The cut stands at the first sentence behind a multiple of a fixed number of characters: a power of two, an eighth
    to a quarter of what fits. While the text grows it stays, then jumps to the next: what is sent begins with what
    was sent before, and a cache of the prompt can be used.
    """
    if earliest == 0:
        return 0
    step = 1 << (max((end - earliest) // _JUMP, 1).bit_length() - 1)
    anchor = -(-earliest // step) * step
    return next((border for border in _from(text, anchor) if earliest <= border < end), earliest)


def last_fitting(text: str, start: int, allowed: int, count: Count) -> int:
    """Return up to where the text from `start` on takes at most `allowed` tokens; `start` if no sentence does."""
    end = start
    for border in _from(text, start + 1):
        piece_end = max(end, before_space(text, border))
        piece = sendable(text[end:piece_end])
        if not fits(piece, allowed, count):
            return end
        allowed -= count(piece)
        end = piece_end
    piece_end = before_space(text, len(text))
    return piece_end if piece_end > end and fits(sendable(text[end:piece_end]), allowed, count) else end


def _back_from(text: str, end: int) -> Iterator[int]:
    """Yield the borders before `end`, the last first."""
    while end > 0:
        start = max(0, end - _CHUNK)
        yield from reversed(_borders(text, start, end))
        end = start


def _from(text: str, start: int) -> Iterator[int]:
    """Yield the borders from `start` on."""
    while start < len(text):
        end = min(len(text), start + _CHUNK)
        yield from _borders(text, start, end)
        start = end


def _borders(text: str, start: int, end: int) -> list[int]:
    """Return where a text may be cut: where sentences begin, and within very long ones at words far apart."""
    found = starts(text, start, end)
    for mark in range(start // _LONGEST_SENTENCE * _LONGEST_SENTENCE, end, _LONGEST_SENTENCE):
        place = _word_start(text, mark)
        if start <= place < end and not starts(text, max(0, place - _LONGEST_SENTENCE), place + 1):
            found.append(place)
    return sorted(found)


def _word_start(text: str, place: int) -> int:
    """Return where the next word begins; `place` itself where none does for long, as where no spaces are written."""
    for at in range(max(place, 1), min(len(text), place + _LONGEST_WORD)):
        if text[at - 1].isspace() and not text[at].isspace():
            return at
    return place
