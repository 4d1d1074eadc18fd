"""What this process may take of the machine's memory: its own limits, and those of the container or job it runs in.

On the CPU mlx does not ask whether an allocation succeeded: where there is no more memory it dies of a segmentation
fault. So it has to be known before.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

# Address space that a process with a model has taken beyond what it holds: the stacks and heaps of mlx's threads,
# 1,119 MB of it, 480 MB of which count as data.
_THREADS = {"as": 1_200_000_000, "data": 600_000_000}


class Limit(NamedTuple):
    """What may still be taken before one limit is reached, and how that limit is called."""

    bytes: int
    name: str


def limits(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> list[Limit]:
    """Return the limits that hold for this process; on a Mac there are none."""
    return [*_of_process(), *_of_groups(proc, cgroups)] if sys.platform == "linux" else []


def _of_process() -> Iterator[Limit]:
    held = psutil.Process().memory_info()
    for kind, option, taken in (("as", "-v", held.vms), ("data", "-d", held.data)):
        most, _ = resource.getrlimit(getattr(resource, f"RLIMIT_{kind.upper()}"))
        if most != resource.RLIM_INFINITY:
            yield Limit(most - max(taken, held.rss + _THREADS[kind]), f"the limit of this shell (ulimit {option})")


def _of_groups(proc: Path, cgroups: Path) -> Iterator[Limit]:
    """Yield the memory limits of the control groups this process is in, of either version, and of those around them."""
    lines: list[str] = []
    with suppress(OSError):
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_group(cgroups, path, ("memory.max", "memory.current"))
        elif "memory" in controllers.split(","):
            # "total_" are those of the groups within it too, as all that is counted here.
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            yield from _of_group(cgroups / "memory", path, names, prefix="total_")


def _of_group(top: Path, path: str, names: tuple[str, str], prefix: str = "") -> Iterator[Limit]:
    own = top / path.lstrip("/")
    for folder in (own, *own.parents):
        if not folder.is_relative_to(top):
            return
        # A group without a limit says "max"; one of another namespace is not there.
        with suppress(OSError, ValueError):
            most, taken = (int((folder / name).read_text()) for name in names)
            stat = dict(line.partition(" ")[::2] for line in (folder / "memory.stat").read_text().splitlines())
            # Files that were read are given up when something else needs the room.
            files = sum(int(stat.get(f"{prefix}{kind}_file", 0)) for kind in ("inactive", "active"))
            yield Limit(most - taken + files, "the limit of this container or job")
