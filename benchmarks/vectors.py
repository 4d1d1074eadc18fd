"""How good the vectors of a model are: prints docs/vectors.md from what stands in their files. Runs no model.

.venv/bin/python benchmarks/vectors.py > docs/vectors.md
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from billy_mlx import PersonaVector, load_vectors
from billy_mlx.extraction.card import PAPER_IDS, WRITING_IDS
from billy_mlx.extraction.evidence import (
    JUDGE_AUC,
    LEAST_DISTINCT,
    MOST_PERPLEXITY,
    MOST_REPETITION,
    WEAK_AUC,
    Calibration,
    Judgement,
)
from billy_mlx.extraction.library import find_all
from billy_mlx.model.load import identify

_HEADER = (
    "persona",
    "judge AUC",
    "held-out AUC",
    "median",
    "halves",
    "norm",
    "layer",
    "gentle",
    "full",
    "too much",
    "effect",
    "perplexity",
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
    known = [*PAPER_IDS, *WRITING_IDS]
    ids = sorted(found, key=lambda each: (known.index(each) if each in known else len(known), each))
    vectors = list(load_vectors(ids, model_id, fingerprint, arguments.root).values())
    print(_head(model_id, vectors))
    for row in (_HEADER, ["---"] * len(_HEADER), *map(_row, vectors)):
        print(f"| {' | '.join(row)} |")
    print(f"\n{_verdict(vectors)}\n\n{_in_short(vectors)}")


def _row(vector: PersonaVector) -> tuple[str, ...]:
    found, quality = vector.calibration, vector.quality
    layer = len(vector.directions) // 2 if found is None else found.layer
    return (
        vector.persona_id,
        _judge_auc(vector.judgement),
        *(
            ("", "", "")
            if quality is None
            else (
                f"{quality.held_out_auc[layer]:.2f}",
                f"{median(quality.held_out_auc):.2f}",
                f"{quality.split_half_cosine[layer]:.2f}",
            )
        ),
        "" if vector.residual_norm is None else f"{vector.projection_scale[layer] / vector.residual_norm[layer]:.3f}",
        *(("",) * 7 if found is None else _calibrated(found)),
        "weak" if vector.weakness else "",
    )


def _calibrated(found: Calibration) -> tuple[str, ...]:
    at_full = found.at_full
    return (
        str(found.layer),
        f"{found.gentle:.3f}",
        f"{found.full:.3f}",
        "" if found.too_much is None else f"{found.too_much:.3f}",
        f"{at_full.effect:.2f} (≥ {found.effect_low:.2f})",
        f"×{at_full.perplexity:.2f}",
        f"×{at_full.distinct:.2f}",
    )


def _judge_auc(judgement: Judgement | None) -> str:
    return "" if judgement is None or judgement.auc is None else f"{judgement.auc:.2f}"


def _in_short(vectors: Sequence[PersonaVector]) -> str:
    found = [vector.calibration for vector in vectors if vector.calibration is not None]
    effects = sorted(each.at_full.effect for each in found) or [math.nan]
    return f"""| in short | measured | aim |
| --- | --- | --- |
| vectors that are not weak | {sum(vector.weakness is None for vector in vectors)} of {len(vectors)} | |
| effect at full dose, median (least to most) | {median(effects):.2f} ({effects[0]:.2f} to {effects[-1]:.2f}) | |"""


def _verdict(vectors: Sequence[PersonaVector]) -> str:
    weak = [f"- `{vector.persona_id}`: {vector.weakness}" for vector in vectors if vector.weakness is not None]
    far = [v for v in vectors if v.calibration is not None and v.calibration.at_full.effect < 0.5]
    lines = ["## What this model cannot carry", ""]
    lines += weak or ["No persona is weak by the measures above."]
    if far:
        lines += [
            "",
            "Less than half of the way from a neutral answer to the persona's own is all that the text bears for "
            f"{', '.join(f'`{vector.persona_id}`' for vector in far)}: a hint of the voice, not the voice.",
        ]
    return "\n".join(lines)


def _head(model_id: str, vectors: Sequence[PersonaVector]) -> str:
    origin, found = vectors[0].origin, vectors[0].calibration
    command = " ".join([".venv/bin/python benchmarks/vectors.py", *sys.argv[1:], "> docs/vectors.md"])
    made = "" if found is None else f"\nCalibrated with {found.made_with}, read at layer {found.read_layer}."
    return f"""# How good the vectors are

Model `{model_id}`. Answers: {origin.sampling} ({origin.versions}).{made}
Every number stands in the vector's own file (`billy vectors show noir --json`); this page is made of them by

    {command}

- *judge AUC*: how well the model, as a judge of its own answers, tells the persona's from neutral ones; below
  {JUDGE_AUC} it filters nothing and all answers count.
- *held-out AUC*: the vector of one half of the questions against the answers to the other half, at the steered layer,
  and the *median* over all layers; 0.5 is chance, and a vector with a median below {WEAK_AUC} is weak. *halves*: the
  cosine between the vectors of the two halves. *norm*: of the vector, in residual norms.
- *gentle*, *full*, *too much*: doses in residual norms at that layer. Full is where the text lies as far along the
  vector as the persona's own answers do, or short of that as much as the text bears: perplexity under the unsteered
  model at most {MOST_PERPLEXITY} times that of dose 0, different word pairs at least {LEAST_DISTINCT} times as many,
  repeated runs of four words at most {MOST_REPETITION} more.
- *effect*, *perplexity*, *distinct*: at full dose, on texts that had no part in choosing it; the effect is read at the
  later layer, in units of the gap between the poles, with the lower end of its 95 % interval.
"""


if __name__ == "__main__":
    main()
