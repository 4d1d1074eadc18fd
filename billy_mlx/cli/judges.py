"""The judge that a command is asked for by name."""

from typing import TYPE_CHECKING

from billy_mlx.cli.output import waiting
from billy_mlx.text import sanitize

if TYPE_CHECKING:
    from billy_mlx.extraction.judge import Judge
    from billy_mlx.model.model import Model


def load_judge(name: str, model: "Model") -> "Judge | None":
    """Return the judge called `name`: "self" is `model`, "none" is nobody, anything else another local model.

    Raises:
        ModelError: there is no such model on this machine, or no memory for a second one.
    """
    from billy_mlx.extraction.judge import Judge
    from billy_mlx.model.load import load

    if name == "none":
        return None
    if name == "self":
        return Judge(model)
    with waiting(f"Loading {sanitize(name)} ..."):
        return Judge(load(name))
