"""How good the vectors of a model are: prints docs/measured/vectors.md from what stands in their files. Runs no model.

.venv/bin/python benchmarks/vectors.py > docs/measured/vectors.md
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from billy_mlx import PersonaVector
from billy_mlx.model.load import identify
from billy_mlx.vectors.card import bundled_ids
from billy_mlx.vectors.library import find_all, read_vectors
from billy_mlx.vectors.measurements import Strength
from billy_mlx.vectors.vector import cosines_at, read_layer

_HEADER = (
    "persona",
    "AUC of the words",
    "95 %",
    "halves",
    "dose 1",
    "limit",
    "effect",
    "95 %",
    "prompted",
    "perplexity",
    "prompted",
    "distinct",
    "",
)


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--root", type=Path, help="where the vectors are, if not where billy looks")
    arguments = parser.parse_args()
    model_id, fingerprint = identify(arguments.model)
    found = find_all(fingerprint, arguments.root)
    known = bundled_ids()
    ids = sorted(found, key=lambda each: (known.index(each) if each in known else len(known), each))
    vectors = list(read_vectors(ids, model_id, fingerprint, arguments.root).values())
    print(_head(model_id, vectors))
    for row in (_HEADER, ["---"] * len(_HEADER), *map(_row, vectors)):
        print(f"| {' | '.join(row)} |")
    print(f"\n{_alike(vectors)}\n\n{_verdict(vectors)}\n\n{_in_short(vectors)}")


def _row(vector: PersonaVector) -> tuple[str, ...]:
    quality = vector.quality
    layer = read_layer(len(vector.directions))
    interval = None if quality is None else quality.auc_interval
    return (
        vector.persona_id,
        "" if quality is None else f"{quality.held_out_auc[layer]:.2f}",
        "" if interval is None else f"{interval[0]:.2f} … {interval[1]:.2f}",
        "" if quality is None else f"{quality.split_half_cosine[layer]:.2f}",
        *(("",) * 8 if vector.strength is None else _at_dose_1(vector.strength)),
        "weak" if vector.weakness else "not measured" if vector.unmeasured else "",
    )


def _at_dose_1(found: Strength) -> tuple[str, ...]:
    at_full, prompted = found.at_full, found.prompted
    return (
        f"{found.full:.2f}",
        found.limit,
        f"{at_full.effect:+.2f}",
        f"{found.effect_interval[0]:+.2f} … {found.effect_interval[1]:+.2f}",
        "" if prompted is None else f"{prompted.effect:+.2f}",
        f"×{at_full.perplexity:.2f}",
        "" if prompted is None else f"×{prompted.perplexity:.2f}",
        f"×{at_full.distinct:.2f}",
    )


def _alike(vectors: Sequence[PersonaVector]) -> str:
    """Say how much the vectors have in common: cosines, and how many directions they amount to."""
    if len(vectors) < 2:
        return ""
    layer = read_layer(len(vectors[0].directions))
    cosines = np.array(cosines_at(vectors, layer))
    apart = cosines[np.triu_indices(len(vectors), 1)]
    values = np.linalg.eigvalsh(cosines)
    ratio = float(values.sum() ** 2 / np.square(values).sum())
    return (
        f"At layer {layer} the cosine between two of them is {apart.mean():.2f} on average ({apart.min():.2f} to "
        f"{apart.max():.2f}), and they amount to {ratio:.1f} directions of equal size (participation ratio; at most "
        f"{len(vectors)})."
    )


def _in_short(vectors: Sequence[PersonaVector]) -> str:
    measured = [vector for vector in vectors if vector.unmeasured is None]
    effects = sorted(each.strength.at_full.effect for each in measured if each.strength is not None) or [math.nan]
    spread = f"{median(effects):.2f} ({effects[0]:.2f} to {effects[-1]:.2f})"
    return f"""| in short | measured | aim |
| --- | --- | --- |
| personas whose words are told from neutral ones | {len(measured)} of {len(vectors)} | |
| of these, vectors that are not weak | {sum(vector.weakness is None for vector in measured)} | |
| effect of these at dose 1, median (least to most) | {spread} | |"""


def _verdict(vectors: Sequence[PersonaVector]) -> str:
    unmeasured = ", ".join(f"`{vector.persona_id}`" for vector in vectors if vector.unmeasured is not None)
    weak = [f"- `{vector.persona_id}`: {vector.weakness}" for vector in vectors if vector.weakness is not None]
    lines = ["## What this model cannot carry", ""]
    if unmeasured:
        lines += [
            "Asked to be one of these, the model writes words that are told from its neutral ones by chance only. So",
            "nothing is measured along them, and their effects above mean nothing:",
            f"{unmeasured}.",
            "",
        ]
    return "\n".join([*lines, *(weak or ["No other persona is weak by the measures above."])])


def _head(model_id: str, vectors: Sequence[PersonaVector]) -> str:
    origin, found = vectors[0].origin, vectors[0].strength
    command = " ".join([".venv/bin/python benchmarks/vectors.py", *sys.argv[1:], "> docs/measured/vectors.md"])
    made = "" if found is None else f"\nCalibrated with {found.made_with}."
    taken_out = f"; taken out of each: {origin.common}" if origin.common else ""
    return f"""# How good the vectors are

Model `{model_id}`. Method {origin.method or "unknown"}{taken_out}. Answers: {origin.rollouts}, {origin.sampling}
({origin.versions}).{made}
Every number stands in the vector's own file (`billy vectors show noir --json`); this page is made of them by

    {command}

Effects here are along the vector's own reading; what an independent measure says is in [voices.md](voices.md).

- *AUC of the words*: how well the persona's answers are told from neutral ones by their words alone, read behind the
  plain prompt, along a reading that shares neither a question nor a system prompt with them; 0.5 is chance. Where the
  interval holds 0.5, nothing is measured along this persona.
- *halves*: the cosine between what the two halves of the questions would steer with, where texts are read.
- *dose 1*: how often the vector is added, layer by layer; and the *limit* that kept it from being more: as far along
  the reading as texts behind the persona's own system prompts (effect), as strange to the model as those (perplexity),
  or the most that was tried (range).
- *effect*, *perplexity*, *distinct*: at dose 1, on prompts that had no part in choosing it, beside what the system
  prompts do there (*prompted*); an effect of 1 is the gap between neutral answers and the persona's own, both read as
  any text is. Perplexity and different word pairs are held against plain texts.
"""


if __name__ == "__main__":
    main()
