"""Everybody there is to write with: cards and what is known of their vectors, in the groups a writer looks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billy_mlx.engine.messages import Compared, VoiceNote
from billy_mlx.extraction.card import Persona, PersonaSet
from billy_mlx.text import sanitize

WRITING, OWN, PAPER = "Writing voices", "Your own", "The paper's twelve"
_GROUPS = {"writing": WRITING, "paper": PAPER}


@dataclass(frozen=True)
class Member:
    """One of the cast: safe to show.

    Attributes:
        group: its heading.
        persona: its card; None for a voice that was learnt from a text and has none.
        note: what is known of its vector; None if it has none for this model.
    """

    id: str
    name: str
    description: str
    group: str
    persona: Persona | None
    note: VoiceNote | None

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by besides its name."""
        return () if self.persona is None else self.persona.tags


def cast_of(personas: PersonaSet, notes: Mapping[str, VoiceNote]) -> tuple[Member, ...]:
    """Return everybody: writing voices first, then the writer's own, then the paper's."""
    members = [_member(persona, notes.get(persona.id)) for persona in personas.personas.values()]
    members += [_without_card(note) for note in notes.values() if note.persona_id not in personas.personas]
    order = (WRITING, OWN, PAPER)
    return tuple(sorted(members, key=lambda member: order.index(member.group)))  # a stable sort


def best_first(cast: Sequence[Member]) -> list[Member]:
    """Return those who can speak, by what was measured of their vectors: the surest first, the weak last.

    Of those of whom no more is known, voices for writing and the writer's own come before the others.
    """
    return sorted((member for member in cast if member.note is not None), key=_rank)


def shows(note: VoiceNote | None) -> bool:
    """Return whether nothing that was measured says that a vector does not show in what is written with it."""
    return note is not None and note.weakness is None and (note.effect is None or note.effect > 0)


def _rank(member: Member) -> tuple[float, ...]:
    note = member.note or VoiceNote(member.id)
    stale, effect, auc = note.outdated or note.former, note.effect or 0.0, note.auc or 0.0
    return (not shows(note), not note.calibrated, stale, member.group == PAPER, -effect, -auc)


def mark(note: VoiceNote | None) -> str:
    """Return the sign for a vector that is not as it should be, in one column; a space if it is."""
    if note is None:
        return "✗"
    if note.weakness is not None:
        return "~"
    return "!" if note.outdated or note.former else " "


def state(note: VoiceNote | None) -> str:
    """Return the same in words, to the end of a sentence about the persona; "" if nothing is wrong."""
    if note is None:
        return "no vector for this model yet; x makes it"
    wrong = [f"weak: {sanitize(note.weakness)}"] if note.weakness is not None else []
    wrong += ["its card was changed since; x makes it anew"] * note.outdated
    wrong += [f"made by the version before; {_anew(note)}"] * (note.former and not note.outdated)
    return "; ".join(wrong)


def quality(note: VoiceNote | None) -> tuple[str, ...]:
    """Return sentences about a vector: how good it is, where it steers, how much of it, and where it is from."""
    if note is None:
        return ("✗ It has no vector for this model yet; x makes one, while you go on writing.",)
    lines = [] if note.weakness is None else [f"~ It is weak for this model: {sanitize(note.weakness)}."]
    if note.outdated:
        lines.append("! Its card was changed since its vector was made; x makes it anew.")
    if note.former:
        lines.append(f"! The version before has made its vector, which does what it did; {_anew(note)}.")
    if note.auc is not None:
        lines.append(
            f"It tells its answers from neutral ones {_how_well(note.auc)} (AUC {note.auc:.2f}; 0.5 is chance)."
        )
    lines.append(_doses(note))
    made = f", made of {sanitize(note.source)}" if note.source else ""
    lines.append(f"The vector is {'your own' if note.own else 'one that comes with billy'}{made}.")
    return tuple(lines)


def likenesses(persona_id: str, compared: Compared | None, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return lines about whom a persona is most and least like; none if that was not measured."""
    if compared is None or persona_id not in compared.persona_ids:
        return ()
    row = zip(compared.persona_ids, compared.cosines[compared.persona_ids.index(persona_id)], strict=True)
    others = sorted((cosine, sanitize(names.get(other, other))) for other, cosine in row if other != persona_id)
    most = [f"{name} {cosine:.2f} ({_likeness(cosine)})" for cosine, name in reversed(others[-3:])]
    least = [f"{name} {cosine:.2f} ({_likeness(cosine)})" for cosine, name in others[:-3][:3]]
    lines = [f"Most like {', '.join(most)}."] if most else []
    return (*lines, *([f"Least like {', '.join(least)}."] if least else []))


def _member(persona: Persona, note: VoiceNote | None) -> Member:
    group = _GROUPS.get(persona.group, OWN)
    return Member(persona.id, sanitize(persona.name), sanitize(persona.description), group, persona, note)


def _without_card(note: VoiceNote) -> Member:
    persona_id = sanitize(note.persona_id)
    return Member(persona_id, persona_id, f"Made of {sanitize(note.source) or 'your text'}.", OWN, None, note)


def _how_well(auc: float) -> str:
    return "very well" if auc >= 0.9 else "well" if auc >= 0.75 else "a little" if auc >= 0.65 else "hardly"


def _doses(note: VoiceNote) -> str:
    if note.strength is None and note.layer is None:
        return "It is not calibrated: what a full dose is was not measured; x measures it."
    gentle = "" if note.gentle is None else f"gentle from {note.gentle:.2f}, "
    frays = "" if note.too_much is None else f", too much above {note.too_much:.2f}"
    if note.strength is not None:
        return f"It is added {note.strength:.2f} times, layer by layer: {gentle}full at 1{frays}."
    return f"In mode balanced it steers layer {note.layer}: {gentle}full at 1{frays}."


def _anew(note: VoiceNote) -> str:
    return "w makes it anew, of your text" if note.source else "x makes it anew"


def _likeness(cosine: float) -> str:
    if cosine >= 0.7:
        return "much alike"
    if cosine >= 0.4:
        return "rather alike"
    return "little alike" if cosine >= 0.1 else "unrelated" if cosine > -0.1 else "turned away"
