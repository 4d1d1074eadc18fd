"""How long things take, and how far they are, in words."""

STOPPING = "stopping after this step; what is done so far is kept"


def about(seconds: float) -> str:
    """Return a time as somebody would say it who has thought about it for a moment."""
    minutes = round(seconds / 60)
    if seconds < 50:
        return "less than a minute"
    if minutes < 90:
        return f"about {max(minutes, 1)} minute{'s' * (minutes > 1)}"
    return f"about {round(seconds / 3600)} hours"


def progress_line(stage: str, share: float, seconds_left: float | None) -> str:
    """Return how far a long job is, in words."""
    if seconds_left is None:
        return f"{stage}: {share:.0%}"
    left = f"{seconds_left / 60:.0f} min" if seconds_left >= 90 else f"{seconds_left:.0f} s"
    return f"{stage}: {share:.0%}, {left} left"
