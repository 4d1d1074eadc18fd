"""How much is sampled to make vectors while somebody writes."""

from dataclasses import dataclass, field

from billy_mlx.blend.calibrate import CalibrationSettings
from billy_mlx.extraction.rollouts import RolloutSettings

_BATCH = 12  # answers at once: a step has to be short, as the writer's next word waits for it


@dataclass(frozen=True)
class Sizes:
    """How much is sampled."""

    rollouts: RolloutSettings = field(default_factory=lambda: RolloutSettings(batch=_BATCH))
    calibration: CalibrationSettings = field(default_factory=lambda: CalibrationSettings(batch=_BATCH))
