"""How much a text that is there already is of each persona, paragraph by paragraph."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from billy_mlx.extraction.vector import PersonaVector
from billy_mlx.measure.averages import Average
from billy_mlx.measure.projection import project
from billy_mlx.measure.reading import Text, read_all
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt
from billy_mlx.steps import finish

Scores = Mapping[str, float]
"""By persona id: 0 is the average neutral answer, 1 the persona's own."""

_ASKED = "Write a passage of a story."  # vectors are of answers, so a paragraph is read as one
_AT_ONCE = 16


def paragraph_scores(
    model: Model, texts: Sequence[str], vectors: Mapping[str, PersonaVector]
) -> Iterator[dict[str, float]]:
    """Yield the scores of paragraphs, in their order, each read by itself; what the model cannot hold is left out.

    Raises:
        UnsteerableModel: the model's residual stream cannot be read.
    """
    prompt = tuple(chat_prompt(model.tokenizer, _ASKED))
    most = None if model.context_length is None else model.context_length - len(prompt)
    tokens = [tuple(model.tokenizer.encode(text, add_special_tokens=False)[:most]) for text in texts]
    for start in range(0, len(tokens), _AT_ONCE):
        readings = finish(read_all(model, [Text(prompt, each) for each in tokens[start : start + _AT_ONCE]]))
        for reading in readings:
            yield {persona: _score(reading.average, vector) for persona, vector in vectors.items()}


def _score(average: Average, vector: PersonaVector) -> float:
    layers = len(vector.directions)
    layer = layers * 3 // 4 if vector.calibration is None else vector.calibration.read_layer
    at = slice(layer, layer + 1)
    neutral = np.zeros_like(vector.directions) if vector.neutral_mean is None else vector.neutral_mean
    scores = project(average.mean[None, at], vector.directions[at], neutral[at], vector.projection_scale[at])
    return float(scores[0, 0])
