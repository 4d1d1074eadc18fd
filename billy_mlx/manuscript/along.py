"""Typing along: what the writer types by hand of what a draft offers. The letters are the writer's own."""

from dataclasses import dataclass

from billy_mlx.manuscript.draft import Draft
from billy_mlx.manuscript.prose import WRITER, Prose
from billy_mlx.manuscript.seams import rest_of


@dataclass(frozen=True)
class Along:
    """An edit that goes along with a draft.

    Attributes:
        draft: its number.
        taken: how many of its characters are in the text after that.
        behind: the space that is missing behind its last word, once that is typed.
        whole: nothing is left of it.
    """

    draft: int
    taken: int
    behind: str = ""
    whole: bool = False


def along(draft: Draft, taken: int, prose: Prose, start: int, end: int, text: str) -> Along | None:
    """Return what an edit is to an open draft: it types what that offers next, or takes that back; None if neither.

    Args:
        draft: the draft.
        taken: how many characters of it are in the text.
        prose: the text.
        start: where the edit begins.
        end: where what it replaces ends.
        text: what it puts there.
    """
    if len(draft.original) or not draft.alternatives or end != draft.start:
        return None
    rest, one = rest_of(draft, taken, prose.text), draft.alternatives[draft.shown]
    if start == end and text and not rest.before and rest.text.startswith(text):
        whole = one.passage is not None and text == rest.text
        return Along(draft.id, taken + len(text), rest.behind if whole else "", whole)
    removed, left = prose[start:end], taken - (end - start)
    own = all(author == WRITER for _, author in removed.authors.runs)
    if end > start and not text and left >= 0 and own and removed.text == one.text[left:taken]:
        return Along(draft.id, left)
    return None
