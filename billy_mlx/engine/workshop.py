"""What jobs share: the model, what it has read, and what is worth keeping between them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from billy_mlx.model.cache import PromptStore
from billy_mlx.model.model import Model


@dataclass(eq=False)
class Workshop:
    """Where jobs are done.

    Attributes:
        model: the one that is loaded.
        store: prompt caches.
        load: loads another model in the place of this one, and says so; raises BillyError if it cannot.
        kept: results that are good as long as the model is the same, by whoever keeps them.
    """

    model: Model
    load: Callable[[str], None]
    store: PromptStore = field(default_factory=PromptStore)
    kept: dict[str, object] = field(default_factory=dict)
