"""What a blend is called where a writer passes: words of its personas' names, instead of its text form."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from billy_mlx.blend.blend import Blend, Unit
from billy_mlx.text import sanitize

MODEL_ALONE = "the model alone"
"""What the unsteered model is called."""

_MOST_NAMED = 3  # voices; more are counted
_HALF, _MORE, _MOSTLY = 0.55, 0.7, 0.5  # shares of the first voice
_LITTLE, _MUCH = 0.2, 0.5  # shares of what is steered away from
_DOSES = ((0.4, " (a hint)"), (0.85, " (gentle)"), (1.15, ""))


def name_of(blend: Blend, titles: Mapping[str, str]) -> str:
    """Return a blend's name, such as "Noir with a little Lyrical": the same for the same blend, and safe to show.

    Mode and layers are not in it, and of shares and dose only so much as one would say; `names_of` keeps blends apart
    that would be called the same.

    Args:
        blend: one that adds nothing is called as the model alone is.
        titles: what people call a persona, by its id; one that is missing is called by its id.
    """
    if blend.adds_nothing:
        return MODEL_ALONE
    weights = [pair for pair in blend.weights if pair[1]]
    sign = 1 if blend.dose.amount > 0 else -1
    named = [(sanitize(titles.get(persona_id, persona_id)), sign * weight) for persona_id, weight in weights]
    named.sort(key=lambda pair: (-abs(pair[1]), pair[0].casefold()))
    towards = [pair for pair in named if pair[1] > 0]
    away = [(title, -weight) for title, weight in named if weight < 0]
    return _named(towards, away) + _strength(blend, sum(abs(weight) for _, weight in named))


def names_of(blends: Iterable[Blend], titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return a name for each; blends with the same name are numbered from the second on."""
    return numbered([name_of(blend, titles) for blend in blends])


def numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that differ: "Noir", "Noir (2)"."""
    seen: Counter[str] = Counter()
    different = []
    for name in names:
        seen[name] += 1
        different.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(different)


def _named(towards: Sequence[tuple[str, float]], away: Sequence[tuple[str, float]]) -> str:
    if not away:
        return _mixed(towards)
    less = _list([title for title, _ in away])
    if not towards:
        return f"Less {less}"
    share = sum(weight for _, weight in away) / sum(weight for _, weight in (*towards, *away))
    how = "a little " if share < _LITTLE else "much " if share >= _MUCH else ""
    mostly = "Mostly " if len(towards) == 1 and not how else ""
    return f"{mostly}{_mixed(towards)}, {how}less {less}"


def _mixed(voices: Sequence[tuple[str, float]]) -> str:
    """Return the name of voices that are all steered towards, the loudest first."""
    titles = [title for title, _ in voices]
    share = voices[0][1] / sum(weight for _, weight in voices)
    if len(voices) == 2:
        first, second = titles
        if share <= _HALF:
            return f"Half {first}, half {second}"
        return f"More {first} than {second}" if share <= _MORE else f"{first} with a little {second}"
    if len(voices) > 2 and share >= _MOSTLY:
        return f"Mostly {titles[0]}, with {_list(titles[1:])}"
    return _list(titles)


def _list(titles: Sequence[str]) -> str:
    if len(titles) > _MOST_NAMED:
        titles = [*titles[: _MOST_NAMED - 1], f"{len(titles) - _MOST_NAMED + 1} more"]
    return " and ".join(part for part in (", ".join(titles[:-1]), titles[-1]) if part)


def _strength(blend: Blend, total: float) -> str:
    """Return how much of it there is, in words; nothing for a full dose, and for one that is not counted in such."""
    if blend.dose.unit is not Unit.FULL:
        return ""
    amount = abs(blend.dose.amount) * min(1.0, total)
    return next((word for most, word in _DOSES if amount <= most), " (strong)")
