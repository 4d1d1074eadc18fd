"""Writers of a history that are killed: run as a script, since killing takes processes that have no threads.

Usage: history_crash.py FOLDER KILLS. Half of the writers kill themselves before the n-th SQL statement of a flush, for
every n; the others are killed by the parent after they have acknowledged a random number of flushes. Prints the number
of kills; whatever is not as it should be ends it with an error.
"""

import os
import random
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a command as well, without pytest

from billy_mlx.manuscript.history.history import History
from billy_mlx.manuscript.prose import Prose
from helpers.history_samples import draft, typed


def main(folder: Path, kills: int) -> None:
    for kill in range(kills):
        path = folder / str(kill // 20) / "history.db"  # each is killed 20 times
        choice = random.Random(kill)
        statement = kill // 2 % 30 + 1 if kill % 2 else None
        acknowledged = killed_writer(path, statement, choice.randrange(1, 12))
        check(path, acknowledged)
    sys.stdout.write(f"{kills}\n")


def killed_writer(path: Path, statement: int | None, flushes: int) -> int:
    """Run a writer, kill it, and return the last revision that it said was flushed."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        write_until_killed(path, writes, statement)
    os.close(writes)
    with os.fdopen(reads) as answers:
        seen = [int(answer) for answer, _ in zip(answers, range(flushes), strict=False)]
        if statement is None:
            os.kill(child, signal.SIGKILL)
        seen += [int(answer) for answer in answers if answer.endswith("\n")]
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        raise RuntimeError(f"the writer of {path} ended by itself")
    return max(seen, default=0)


def write_until_killed(path: Path, answers: int, statement: int | None) -> None:
    history = History.open(path)
    prose = Prose() if history.head is None else history.prose_at(history.head)
    if statement is not None:
        count_down(history, statement)
    while True:
        for _ in range(3):
            id = history.last_revision + 1
            revision, prose = typed(id, id - 1 or None, prose, f"{id} ")
            history.add(revision)
            history.head = id
        history.checkpoints["latest"] = id
        history.keyframe(id, prose)
        history.put_draft(draft(id, id))
        history.flush()
        os.write(answers, f"{id}\n".encode())


def count_down(history: History, statement: int) -> None:
    left = iter(range(statement - 1, -1, -1))

    def trace(_: str) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    history._store.file._writer.set_trace_callback(trace)  # type: ignore[union-attr]


def check(path: Path, acknowledged: int) -> None:
    history = History.open(path)
    last = history.last_revision
    text = "".join(f"{id} " for id in range(1, last + 1))
    found = (history.notice, history.failure, history.head or 0, history.prose_at(last).text if last else "")
    if last < acknowledged or found != (None, None, last, text):
        raise RuntimeError(f"{path}: {acknowledged} acknowledged, found {found}")
    if last and (history.checkpoints["latest"] != last or history.find_draft(last) != draft(last, last)):
        raise RuntimeError(f"{path}: a flush was made in part")
    if [version.id for version in history.tree()] != [*range(last, 0, -1)]:
        raise RuntimeError(f"{path}: the tree has holes")
    history.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
