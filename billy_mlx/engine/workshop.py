"""What jobs share: the model, what it has read, and what is worth keeping between them."""

from collections.abc import Callable

from billy_mlx.errors import ModelError
from billy_mlx.model.cache import PromptStore
from billy_mlx.model.model import Model


class Workshop:
    """Where jobs are done.

    Args:
        model: the one that is loaded; None while there is none.
        load: loads another model in the place of this one, and says so; raises BillyError if it cannot.

    Attributes:
        store: prompt caches of the model.
        kept: results that are good as long as the model is the same, by whoever keeps them.
    """

    def __init__(self, model: Model | None, load: Callable[[str], None]) -> None:
        self.load = load
        self.use(model)

    def use(self, model: Model | None) -> None:
        """Have another model, or none; what was kept of the one before is dropped."""
        self._model = model
        self.store = PromptStore()
        self.kept: dict[str, object] = {}

    @property
    def model(self) -> Model:
        """The model. Raises ModelError while there is none."""
        if self._model is None:
            raise ModelError("there is no model to do that with; load one first")
        return self._model
