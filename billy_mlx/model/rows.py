"""A row: one prompt with its directions, sampling and seed, and the text that comes of it."""

from dataclasses import dataclass, field

from billy_mlx.errors import UsageError
from billy_mlx.model.layers import UNSTEERED, Directions
from billy_mlx.model.sampling import FinishReason, Sampling, check_asked
from billy_mlx.model.spelling import Detokenizer, Spelling
from billy_mlx.model.thinking import Thinking


@dataclass(frozen=True)
class Row:
    """What one row is asked to do.

    Attributes:
        prompt: token ids, at least one.
        directions: what is added to its residual stream.
        seed: 0 to 2**32 - 1; the same row with the same seed draws the same tokens, alone or in a batch.
        stop: strings that end the text; they are not part of it. White space does so only behind something else.
        end_tokens: token ids that end the text, besides those that end every text of the model.
        continues: the text goes on from the prompt's, so that a space it begins with counts.
        thinking: hold the directions back until the model has thought.
    """

    prompt: tuple[int, ...]
    directions: Directions = UNSTEERED
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    end_tokens: tuple[int, ...] = ()
    continues: bool = False
    thinking: Thinking | None = None

    def __post_init__(self) -> None:
        if not self.prompt:
            raise UsageError("The prompt is empty; say what to write")
        check_asked(self.seed, self.max_tokens, self.stop)


@dataclass(frozen=True)
class Emitted:
    """One row's news: a token (None if it was only told to stop), the text it completes, and why the row ends here.

    Attributes:
        withdrawn: how many of the row's last tokens, this one counted, are no part of it after all: it ended within a
            character that they spell a part of, and their text was never given out.
    """

    row: int
    token: int | None
    text: str
    finish_reason: FinishReason | None = None
    withdrawn: int = 0


@dataclass(frozen=True)
class Step:
    """What one step of decoding brought: prompt tokens read so far, or a token for every row still going."""

    emitted: tuple[Emitted, ...] = ()
    prompt_tokens_read: int = 0
    prompt_tokens: int = 0


class RowState:
    """A row under way: its tokens, the text not yet safe to show, and whether it has ended."""

    def __init__(self, index: int, row: Row, spelling: Spelling) -> None:
        self.index = index
        self.row = row
        self.directions = row.directions
        self.switched = False  # to directions that add something else, after the prompt was read
        self.tokens: list[int] = []
        self.drawn = 0  # tokens, with those that are scheduled and not read yet
        self.reused = 0  # prompt tokens that a cache held
        self.finish_reason: FinishReason | None = None
        self.stop_requested = False
        self.thinks = row.thinking is not None
        self._turns: dict[int, Directions] = {}  # by the first token drawn under them
        self._begun = False
        self._eos = spelling.ends.union(row.end_tokens)
        self._held = ""
        self._shows = False  # something other than white space was written
        self._detokenizer = Detokenizer(spelling, row.prompt if row.continues else ())

    @property
    def context(self) -> list[int]:
        """Prompt and answer so far."""
        return [*self.row.prompt, *self.tokens]

    def steer(self, directions: Directions) -> int:
        """Go on under other directions as soon as can be; return the index of the first token drawn under them."""
        # What a prompt is being read under goes for the first token, too, or nothing could read it again.
        bound = self._begun and (self.directions.everywhere or directions.everywhere)
        first_token = max(self.drawn, int(bound))
        self.plan(directions, first_token)
        return first_token

    def plan(self, directions: Directions, first_token: int) -> None:
        """Go on under other directions from a token on that is not drawn yet, whatever was planned from there on."""
        self._turns = {n: turn for n, turn in self._turns.items() if n < first_token} | {first_token: directions}

    def begin(self) -> None:
        """Note that the prompt is read from here on."""
        self._begun = True
        self.directions = self._turns.pop(0, self.directions)

    def draw(self, n: int) -> bool:
        """Note that token `n` is drawn next; return whether that is under other directions than the one before."""
        self.drawn = n + 1
        turn = self._turns.pop(n, self.directions)
        turned = turn is not self.directions
        self.switched |= turn.key != self.directions.key
        self.directions = turn
        return turned

    def read(self, token: int) -> Emitted:
        """Take in the next token of the row and say what it means for the text."""
        if token in self._eos:
            return self._end("stop", token)
        self.tokens.append(token)
        self._held += self._detokenizer.add(token)
        self._notice_thinking()
        text = self._release()
        if self.finish_reason is None and len(self.tokens) < self.row.max_tokens:
            return Emitted(self.index, token, text)
        return self._end(self.finish_reason or "length", token, text)

    def interrupt(self) -> Emitted:
        """End the row here; what was written stays."""
        return self._end("interrupted", None)

    def _end(self, reason: FinishReason, token: int | None, text: str = "") -> Emitted:
        """End the row at a whole character: what spells a part of another is no part of it."""
        unfinished = self._detokenizer.unfinished
        self.finish_reason = reason
        del self.tokens[len(self.tokens) - unfinished :]
        withdrawn = unfinished + bool(unfinished and token in self._eos)
        return Emitted(self.index, token, text + self._flush(), reason, withdrawn)

    def _release(self) -> str:
        """Return the held text up to a stop string, or up to what may become one."""
        end = self._end_of_text()
        if end is not None:
            text, self._held, self.finish_reason = self._held[:end], "", "stop"
            return text
        keep = max((_overlap(self._held, stop) for stop in self.row.stop), default=0)
        text, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        self._shows |= bool(text.strip())
        return text

    def _flush(self) -> str:
        text, self._held = self._held[: self._end_of_text()], ""
        return text

    def _end_of_text(self) -> int | None:
        """Return where in the held text a stop string is; white space ends no text that has nothing else yet."""
        white = 0 if self._shows else len(self._held) - len(self._held.lstrip())
        found = [self._held.find(stop, white if stop.isspace() else 0) for stop in self.row.stop]
        return min((at for at in found if at >= 0), default=None)

    def _notice_thinking(self) -> None:
        marks = self.row.thinking
        if marks is not None and self.thinks:
            skipped = not marks.opened and self.tokens[0] != marks.start[0]
            self.thinks = not (skipped or tuple(self.tokens[-len(marks.end) :]) == marks.end)


def _overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` begin `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
