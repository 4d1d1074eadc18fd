"""A judge without an API: a local model that gives answers 0 to 100 points for a criterion.

It is never asked to write. The score is the expectation over the numbers it would write next, so that a judge that
wavers between 60 and 70 gives 65. Source: arXiv 2507.21509; the wording is our own, and the judge sees the question.
"""

from collections.abc import Generator, Sequence

import numpy as np
from mlx_lm.tokenizer_utils import TokenizerWrapper
from numpy.typing import NDArray

from billy_mlx.errors import ModelError
from billy_mlx.extraction.pole import Score
from billy_mlx.measure.likelihood import next_token_probabilities
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, check_length, sent_digest
from billy_mlx.steps import mapped
from billy_mlx.vectors.card import Persona

COHERENCE = (
    "The answer makes sense as an answer to the task: its sentences are whole, they follow from one another, and they "
    "stay with what was asked. Any style and any strange idea is welcome, and an end that is cut off costs nothing. "
    "Loops, broken grammar, words that mean nothing together, or an answer to something else score low."
)

_LEAST_MASS = 0.25  # on numbers; below it the model meant to write something else
_SCALES = (100, 9)  # the finest a tokenizer allows: some write every number as one token, the others every digit
_STARTS = ("Score: ", "Score:")  # of the judge's turn; where a space and a number are one token, the space is left out


class Judge:
    """A loaded model as a judge. It need not be steerable.

    Attributes:
        name: of the model.
        key: changes with whatever decides what score an answer gets: the model, its weights, the wording as the chat
            template sends it, the scale.
        scale: the largest number the model is asked for: 100, or 9 where its tokenizer writes digit by digit.

    Raises:
        ModelError: the tokenizer has no token for a digit.
    """

    def __init__(self, model: Model) -> None:
        self.name = model.id
        self._model = model
        self.scale, self._start, self._values = _numbers(model)
        # Only the texts in it change from prompt to prompt, so one without any stands for all of them.
        sent = sent_digest(model, [self._uncut("", "", ""), [*self._values], [*self._values.values()]])
        self.key = f"{model.fingerprint.base}-{model.fingerprint.weights}-{self.scale}-{sent}"

    def score(self, criterion: str, answers: Sequence[tuple[str, str]]) -> Generator[int, None, list[Score]]:
        """Return how well each of `answers` meets the criterion, yielding how many are scored so far.

        Args:
            criterion: what an answer shows that gets all points, and what gets none.
            answers: question and answer. One too long for the judge is cut at its end; an empty one gets no score.

        Raises:
            UsageError: criterion and question alone are too long for the judge.
        """
        asked = [place for place, (_, answer) in enumerate(answers) if answer.strip()]
        prompts = [self._prompt(criterion, *answers[place]) for place in asked]
        blank = len(answers) - len(asked)
        reading = next_token_probabilities(self._model, prompts, list(self._values))
        probabilities = yield from mapped(reading, lambda done: done + blank)
        scores: list[Score] = [None] * len(answers)
        values = np.array(list(self._values.values())) * (100 / self.scale)
        for place, score in zip(asked, expectations(probabilities, values), strict=True):
            scores[place] = score
        return scores

    def _prompt(self, criterion: str, question: str, answer: str) -> list[int]:
        """Return the prompt, up to where the judge would write the number."""
        tokenizer, context = self._model.tokenizer, self._model.context_length
        prompt = self._uncut(criterion, question, answer)
        if context is not None and len(prompt) >= context:
            kept = tokenizer.encode(answer, add_special_tokens=False)
            while kept and len(prompt) >= context:  # what is kept may take more tokens when it is written anew
                kept = kept[: max(0, len(kept) - (len(prompt) - context) - 1)]
                prompt = self._uncut(criterion, question, tokenizer.decode(kept))
            check_length(self._model, prompt, 1)
        return prompt

    def _uncut(self, criterion: str, question: str, answer: str) -> list[int]:
        tokenizer = self._model.tokenizer
        start: list[int] = tokenizer.encode(self._start, add_special_tokens=False)
        return chat_prompt(tokenizer, _message(criterion, self.scale, question, answer)) + start


def trait_criterion(persona: Persona) -> str:
    """Return what a judge is to look for in the answers of `persona`."""
    if persona.rubric is not None:
        return persona.rubric
    return (
        f"The answer could only come from this persona: {persona.name}. {persona.description} Plain answers score low."
    )


def expectations(probabilities: NDArray[np.floating], values: NDArray[np.floating]) -> list[Score]:
    """Return the mean of `values` (K,), weighted by each row of `probabilities` (N, K): None if it sums to < 0.25."""
    mass = probabilities.sum(axis=1, dtype=np.float64)
    means = probabilities.astype(np.float64) @ values / np.maximum(mass, _LEAST_MASS)
    return [float(mean) if share >= _LEAST_MASS else None for mean, share in zip(means, mass, strict=True)]


def _message(criterion: str, scale: int, question: str, answer: str) -> str:
    """Return the judge's instructions, the criterion first: it is the same for all answers, and read once."""
    return (
        f"What to look for: {criterion}\n\n"
        f"Task: {question}\n\n"
        f'Answer:\n"""\n{answer}\n"""\n\n'
        f"How much of what to look for is in this answer? Rate it from 0 (nothing of it) to {scale} (full of it)."
    )


def _numbers(model: Model) -> tuple[int, str, dict[int, int]]:
    """Return the scale, how the judge's turn starts, and what number each token means that may come next."""
    before = "" if model.tokenizer.has_chat_template else "\n\n"
    for scale in _SCALES:
        for start in _STARTS:
            values = _spellings(model.tokenizer, before + start, scale)
            if values:
                return scale, before + start, values
    raise ModelError(f"{model.id} cannot judge: its tokenizer has no tokens for digits; choose another judge")


def _spellings(tokenizer: TokenizerWrapper, start: str, scale: int) -> dict[int, int]:
    """Return token to number for every way to write 0 to `scale` as one token after `start`.

    Nothing, unless each of them is so written in ordinary text, with one space before it.
    """
    written = tokenizer.encode(start, add_special_tokens=False)
    values: dict[int, int] = {}
    for number in range(scale + 1):
        ordinary = f"{start.rstrip()} {number}"
        for text in (f"{start}{number}", f"{start} {number}", ordinary):
            tokens = tokenizer.encode(text, add_special_tokens=False)
            if tokens[:-1] == written:
                values[tokens[-1]] = number
            elif text == ordinary:
                return {}
    return values
