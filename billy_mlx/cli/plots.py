"""Pictures of what has been measured, as PNG, SVG or PDF by the file's ending. Needs the extra `plot`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from billy_mlx.errors import BillyError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from billy_mlx.vectors.vector import PersonaVector

_ENDINGS = (".png", ".svg", ".pdf")


def require_plots(path: Path | None = None) -> None:
    """Raise UsageError unless pictures can be drawn, and `path` has the ending of one."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib; install it with: pip install 'billy-mlx[plot]'")
    if path is not None and path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"--plot takes a file that ends in {', '.join(_ENDINGS)}; {path.name} does not")


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


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # no pyplot: nothing opens a window or is kept alive

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: "Figure", path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise BillyError(f"{path} was not drawn: {error.strerror or error}; choose another place") from error
