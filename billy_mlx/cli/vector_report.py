"""What is known about vectors: in lines, rows and pictures, and in warnings before they are used."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from billy_mlx.cli.output import say
from billy_mlx.errors import BillyError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from billy_mlx.blend.blend import Blend
    from billy_mlx.model.model import Model
    from billy_mlx.vectors.measurements import Calibration, Judgement, Strength
    from billy_mlx.vectors.vector import PersonaVector

LAYER_HEADER = ("LAYER", "NORM", "IN RESIDUAL NORMS", "", "HELD-OUT AUC", "", "HALVES")
_CELLS = 12
_PICTURES = (".png", ".svg", ".pdf")


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


def judged(judgement: "Judgement") -> str:
    """Return in a sentence what a judge did, without an end."""
    if judgement.judge == "none":
        return "none, so that all answers count"
    if judgement.auc is None or judgement.medians is None:
        return f"{judgement.judge} gave hardly any scores and filtered nothing"
    told = f"{judgement.judge} tells the poles apart with AUC {judgement.auc:.2f} over {judgement.judged} answers each"
    scores = "0.5 is chance; median scores {:.0f} and {:.0f} of 100".format(*judgement.medians)
    return f"{told} ({scores}), so it filtered {'the answers' if judgement.filtered else 'nothing'}"


def warn_of_blends(blends: "Sequence[Blend]", loaded: "Model", model: str | None) -> None:
    """Say on stderr what speaks against the vectors of `blends`; `model` is what --model was given."""
    from billy_mlx.vectors.library import load_vectors

    used = {persona_id for blend in blends for persona_id in blend.persona_ids}
    vectors = load_vectors(loaded, sorted(used))
    warn_of_changed_cards(vectors.values(), model)
    warn_of_weakness(vectors.values())
    warn_of_doses(vectors.values(), loaded)
    spoken = [blend for blend in blends if blend.weights]
    say_single_layers(spoken, vectors)
    for blend in spoken:
        if blend.caution is not None:
            say(f"{blend}: {blend.caution}")


def warn_of_changed_cards(vectors: "Iterable[PersonaVector]", model: str | None) -> None:
    """Say on stderr which of `vectors` are older than their card; `model` is what --model was given."""
    from billy_mlx.vectors.library import card_changed

    named = "" if model is None else f" --model {model}"
    for vector in filter(card_changed, vectors):
        say(
            f"the card of {vector.persona_id} has changed since its vector was extracted; "
            f"run: billy extract {vector.persona_id}{named}"
        )


def warn_of_weakness(vectors: "Iterable[PersonaVector]") -> None:
    """Say on stderr of which of `vectors` little is to be expected, and why."""
    for vector in vectors:
        if vector.weakness is not None:
            say(f"{vector.persona_id} is weak for this model: {vector.weakness}")


def warn_of_doses(vectors: "Iterable[PersonaVector]", loaded: "Model") -> None:
    """Say on stderr of which of `vectors` the dose is only about right: they came from other weights."""
    approximate = [each.persona_id for each in vectors if each.is_transferred_to(loaded.fingerprint) and each.strength]
    if approximate:
        say(
            f"doses of {', '.join(approximate)} are approximate: they were measured with other weights of this model; "
            f"run: billy extract {' '.join(approximate)} --model {loaded.id}"
        )


def say_single_layers(blends: "Iterable[Blend]", vectors: "Mapping[str, PersonaVector]") -> None:
    """Say on stderr which of `blends`, made to be added layer by layer, have only one layer in so small a model."""
    from billy_mlx.blend.blend import Mode
    from billy_mlx.blend.directions import steered_layers

    for blend in blends:
        if blend.mode is not Mode.LAYERED or blend.layers is not None:
            continue
        used = [vectors[persona_id] for persona_id in blend.persona_ids]
        first, *more = steered_layers(blend, used)
        if not more:
            too_small = f"a model of {len(used[0].directions)} layers is too small to add {blend} layer by layer"
            say(f"{too_small}: all of it goes to layer {first}")


def require_plots(path: Path | None = None) -> None:
    """Raise UsageError unless pictures can be drawn, and `path` has the ending of one."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib; install it with: pip install 'billy-mlx[plot]'")
    if path is not None and path.suffix.lower() not in _PICTURES:
        raise UsageError(f"--plot takes a file that ends in {', '.join(_PICTURES)}; {path.name} does not")


def draw_strengths(vector: "PersonaVector", path: Path) -> None:
    """Draw what each strength of the calibration of `vector` did: the effect, and what it cost the text.

    Raises:
        UsageError: it has not been calibrated.
        BillyError: the file cannot be written.
    """
    found = vector.strength
    if found is None:
        raise UsageError(f"{vector.persona_id} has not been calibrated; run: billy calibrate {vector.persona_id}")
    figure = _figure(8, 3.6)
    effect, perplexity = figure.subplots(1, 2)
    strengths = [0.0, *(each.strength for each in found.tried)]
    style = {"marker": "o", "markersize": 3}
    effect.plot(strengths, [0.0, *(each.outcome.effect for each in found.tried)], **style)
    perplexity.plot(strengths, [1.0, *(each.outcome.perplexity for each in found.tried)], **style)
    for axes, title in ((effect, "effect, in gaps between the poles"), (perplexity, "perplexity ÷ that of dose 0")):
        axes.axvline(found.full, color="black", linewidth=0.8, linestyle="--")
        axes.set_xlabel("strength (dashed: dose 1)")
        axes.set_title(title, fontsize=10)
    perplexity.axhline(found.most_perplexity, color="firebrick", linewidth=0.8)
    if found.prompted is not None:
        effect.axhline(found.prompted.effect, color="firebrick", linewidth=0.8, label="by its system prompts")
        effect.legend(fontsize=7)
    figure.suptitle(f"{vector.persona_id}, {vector.origin.model_id}")
    _save(figure, path)


def draw_similarity(ids: Sequence[str], cosines: Sequence[Sequence[float]], title: str, path: Path) -> None:
    """Draw the matrix of cosines between vectors.

    Raises:
        BillyError: the file cannot be written.
    """
    size = 2.5 + 0.3 * len(ids)
    figure = _figure(size + 0.8, size)
    axes = figure.subplots()
    image = axes.imshow(cosines, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set_xticks(range(len(ids)), ids, rotation=90, fontsize=7)
    axes.set_yticks(range(len(ids)), ids, fontsize=7)
    axes.set_title(title, fontsize=10)
    figure.colorbar(image, shrink=0.8)
    _save(figure, path)


def _doses(found: "Calibration") -> str:
    most = "" if found.too_much is None else f", too much {found.too_much:.3f}"
    return f"layer {found.layer}, gentle {found.gentle:.3f}, full {found.full:.3f}{most} residual norms"


def _strength(found: "Strength") -> str:
    limits = {
        "effect": "as much of the persona as its system prompts make of a text",
        "perplexity": "as strange to the model as texts behind its system prompts",
        "range": "the most that was tried",
    }
    return f"the vector {found.full:.2f} times, layer by layer: {limits.get(found.limit, found.limit)}"


def _effect(found: "Strength") -> str:
    low, high = found.effect_interval
    told = f"effect {found.at_full.effect:.2f} ({low:.2f} to {high:.2f}), perplexity ×{found.at_full.perplexity:.2f}"
    prompted = found.prompted
    if prompted is None:
        return told
    return f"{told}; its system prompts {prompted.effect:.2f}, ×{prompted.perplexity:.2f}"


def _bar(share: float) -> str:
    """Return a bar for 0 to 1; nothing below that."""
    return "█" * max(0, round(float(share) * _CELLS))


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # no pyplot: nothing opens a window or is kept alive

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: "Figure", path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise BillyError(f"{path} was not drawn: {error.strerror or error}; choose another place") from error
