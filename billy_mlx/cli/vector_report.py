"""What is known about a vector, in lines and rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from billy_mlx.vectors.measurements import Calibration, Judgement, Strength

if TYPE_CHECKING:
    from billy_mlx.vectors.vector import PersonaVector

LAYER_HEADER = ("LAYER", "NORM", "IN RESIDUAL NORMS", "", "HELD-OUT AUC", "", "HALVES")
_CELLS = 12


def described(vector: "PersonaVector") -> Iterator[str]:
    """Yield what is known about `vector` as a whole, a line each."""
    origin = vector.origin
    known = {
        "model": origin.model_id,
        "source": origin.source,
        "answers": origin.rollouts,
        "sampling": origin.sampling,
        "versions": origin.versions,
        "date": origin.date,
        "judge": "" if vector.judgement is None else judged(vector.judgement),
        "method": origin.method,
        "dose 1": "not calibrated: the vector once" if vector.strength is None else _strength(vector.strength),
        "at dose 1": "" if vector.strength is None else _effect(vector.strength),
        "in /balanced": "" if vector.calibration is None else _doses(vector.calibration),
        "measured": vector.unmeasured or "",
        "weak": vector.weakness or "",
    }
    return (f"{name:15}{text}" for name, text in known.items() if text)


def layer_rows(vector: "PersonaVector") -> list[tuple[str, ...]]:
    """Return a row for every layer, as `LAYER_HEADER` has them: numbers with small bars beside them."""
    import numpy as np

    from billy_mlx.vectors.vector import read_layer

    norms, quality = vector.projection_scale, vector.quality
    shares = np.zeros_like(norms) if vector.residual_norm is None else norms / vector.residual_norm
    rows: list[tuple[str, ...]] = []
    for layer, norm in enumerate(norms):
        auc = None if quality is None else quality.held_out_auc[layer]
        rows.append(
            (
                f"{layer}{' ◂' if layer == read_layer(len(norms)) else ''}",
                f"{norm:.3g}",
                "" if vector.residual_norm is None else f"{shares[layer]:.3f}",
                _bar(shares[layer] / max(shares.max(), 1e-12)),
                "" if auc is None else f"{auc:.2f}",
                "" if auc is None else _bar(2 * auc - 1),  # from chance on
                "" if quality is None else f"{quality.split_half_cosine[layer]:.2f}",
            )
        )
    return rows


def judged(judgement: Judgement) -> str:
    """Return in a sentence what a judge did, without an end."""
    if judgement.judge == "none":
        return "none, so that all answers count"
    if judgement.auc is None or judgement.medians is None:
        return f"{judgement.judge} gave hardly any scores and filtered nothing"
    told = f"{judgement.judge} tells the poles apart with AUC {judgement.auc:.2f} over {judgement.judged} answers each"
    scores = "0.5 is chance; median scores {:.0f} and {:.0f} of 100".format(*judgement.medians)
    return f"{told} ({scores}), so it filtered {'the answers' if judgement.filtered else 'nothing'}"


def _doses(found: Calibration) -> str:
    most = "" if found.too_much is None else f", too much {found.too_much:.3f}"
    return f"layer {found.layer}, gentle {found.gentle:.3f}, full {found.full:.3f}{most} residual norms"


def _strength(found: Strength) -> str:
    limits = {
        "effect": "as much of the persona as its system prompts make of a text",
        "perplexity": "as strange to the model as texts behind its system prompts",
        "range": "the most that was tried",
    }
    return f"the vector {found.full:.2f} times, layer by layer: {limits.get(found.limit, found.limit)}"


def _effect(found: Strength) -> str:
    low, high = found.effect_interval
    told = f"effect {found.at_full.effect:.2f} ({low:.2f} to {high:.2f}), perplexity ×{found.at_full.perplexity:.2f}"
    prompted = found.prompted
    if prompted is None:
        return told
    return f"{told}; its system prompts {prompted.effect:.2f}, ×{prompted.perplexity:.2f}"


def _bar(share: float) -> str:
    """Return a bar for 0 to 1; nothing below that."""
    return "█" * max(0, round(float(share) * _CELLS))
