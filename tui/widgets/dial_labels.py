"""What the dials of a blend show: names, values, and the words about the one that is turned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billy_mlx.blend.blend import Blend, Mode, Unit
from billy_mlx.blend.naming import name_of, numbered
from billy_mlx.engine.messages import VectorInfo
from billy_mlx.text import sanitize
from billy_mlx.tui.dials import LIMIT, DialRow, Dials, DialVoice, rows_of, scale_of
from billy_mlx.tui.widgets.persona_list import mark, state

Notes = Mapping[str, VectorInfo] | None
"""What is known of vectors, by persona id; None while no model is there that could have any."""
Names = Mapping[str, str]
"""What people call a persona, by id."""
_MODES = {
    Mode.LAYERED: "Layered: at every layer what is new there, on top of what was added below.",
    Mode.BALANCED: "Balanced: at one layer, all voices of the same length; the dose says of which.",
    Mode.ORTHOGONAL: "Orthogonal: as balanced, but voices that are alike are first made unlike.",
    Mode.PAPER: "Paper: the mean of the vectors, so many times, at one layer.",
    Mode.RAW: "Raw: the vectors as they are, at every layer; for those of other tools.",
}
_CALIBRATED = ("as calibrated", "Unless you choose: the one that was measured to be best.")
_NO_NORM = (
    "Only in other modes: layered builds at each layer on what was added below, and keeping each token's length there "
    "would take that away again."
)
_USUAL = {
    Mode.LAYERED: ("all but the ends", "Unless you choose: all but the first and the last."),
    Mode.BALANCED: _CALIBRATED,
    Mode.ORTHOGONAL: _CALIBRATED,
    Mode.PAPER: ("the paper's", "Unless you choose: the paper's layer."),
    Mode.RAW: ("all", "Unless you choose: all that the vectors have."),
}
"""Where a mode steers if nobody says: on the dial, and in a sentence."""


@dataclass(frozen=True)
class DialLabel:
    """What a dial shows.

    Attributes:
        name: safe to show.
        text: the value in words or as a number.
        value: what the bar shows; None for a row without one.
        low: where the bar begins.
        high: where it ends.
        marks: signs at the end of the row, at most two.
        muted: the bar counts for nothing now.
        ticks: places on the scale below the bar, with their words; only of the dose.
    """

    name: str
    text: str = ""
    value: float | None = None
    low: float = 0.0
    high: float = 1.0
    marks: str = ""
    muted: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


def dial_labels(dials: Dials, notes: Notes, names: Names, *, advanced: bool) -> tuple[DialLabel, ...]:
    """Return a label for each of `rows_of`."""
    voices = iter(dials.voices)
    return tuple(
        _voice(next(voices), notes, names) if row is DialRow.VOICE else _other(dials, row, notes)
        for row in rows_of(dials, advanced=advanced)
    )


def legend_of(dials: Dials, row: DialRow, voice: int, notes: Notes, names: Names) -> str:
    """Return a sentence or two about a row: what it is, and what the signs at its end say."""
    if row is DialRow.DOSE:
        return _about_dose(dials, notes)
    if row is DialRow.VOICE:
        return _about_voice(dials.voices[voice], notes, names)
    return {
        DialRow.MODE: f"How the voices are added. {_MODES[dials.mode]}",
        DialRow.LAYERS: (
            f"Where the model is steered. {_USUAL[dials.mode][1]} Enter: type others; “Remove”: back to that."
        ),
        DialRow.POSITIONS: "Whether what the model reads is steered too, or only what it writes.",
        DialRow.NORM: _NO_NORM if dials.mode is Mode.LAYERED else "Whether each token keeps the length it had.",
    }[row]


def voice_names(voices: Sequence[Blend], titles: Names, saved: Mapping[str, Dials]) -> tuple[str, ...]:
    """Return a name for each voice, no two the same.

    Args:
        voices: a blend each.
        titles: of the personas.
        saved: blends that the writer kept, by the name that they gave it.
    """
    given: dict[Blend, str] = {}
    for name, dials in saved.items():
        given.setdefault(dials.blend(), sanitize(name))
    return numbered([given.get(voice) or name_of(voice, titles) for voice in voices])


def dials_name(dials: Dials, titles: Names) -> str:
    """Return what dials are called: their blend, and who is muted beside it."""
    muted = ", ".join(sanitize(titles.get(persona_id, persona_id)) for persona_id in dials.muted)
    return name_of(dials.blend(), titles) + (f", {muted} muted" if muted else "")


def _voice(voice: DialVoice, notes: Notes, names: Names) -> DialLabel:
    marks = (mark(notes.get(voice.persona_id)) if notes is not None else " ") + ("m" if voice.muted else "")
    name = sanitize(names.get(voice.persona_id, voice.persona_id))
    return DialLabel(name, _number(voice.weight), voice.weight, -LIMIT, LIMIT, marks.strip(), voice.muted)


def _other(dials: Dials, row: DialRow, notes: Notes) -> DialLabel:
    match row:
        case DialRow.MODE:
            return DialLabel("Mode", dials.mode)
        case DialRow.LAYERS:
            named = None if dials.layers is None else ",".join(map(str, dials.layers))
            return DialLabel("Layers", _USUAL[dials.mode][0] if named is None else named)
        case DialRow.POSITIONS:
            return DialLabel("Steers", "prompt as well" if dials.everywhere else "what is written")
        case DialRow.NORM:
            return DialLabel("Norm", "kept" if dials.keeps_norm else "free")
        case _:
            return _dose(dials, notes)


def _dose(dials: Dials, notes: Notes) -> DialLabel:
    scale, dose = scale_of(dials, notes or {}), dials.dose
    if scale.unit is not Unit.FULL:
        return DialLabel("All", f"{_number(dose.amount)}{dose.unit}", dose.amount, 0.0, scale.top)
    places = ((scale.gentle, "gentle"), (1.0, "full"), (scale.too_much, "too much"))
    ticks = tuple(sorted((place, word) for place, word in places if place is not None and place <= scale.top))
    return DialLabel(
        "All", f"{_number(dose.amount)} {scale.word(dose.amount)}", dose.amount, 0.0, scale.top, ticks=ticks
    )


def _about_dose(dials: Dials, notes: Notes) -> str:
    scale = scale_of(dials, notes or {})
    if not dials.voices:
        return "No voice is in the blend: the model writes alone. “Add” adds a voice."
    if dials.blend() is None:
        return "All voices are muted: the model writes alone."
    if scale.unit is Unit.RESIDUAL_NORMS:
        return "The dose, in norms of the layer's own residual stream."
    if scale.unit is Unit.COEFFICIENT:
        return "The dose: the paper's coefficient."
    if scale.too_much is not None:
        return f"How much of all voices together; 1 is full. Above {scale.too_much:.2f} the text frays."
    unknown = "The model is not ready yet." if notes is None else "How much is too much was not measured."
    return f"How much of all voices together; 1 is full. {unknown}"


def _about_voice(voice: DialVoice, notes: Notes, names: Names) -> str:
    name = sanitize(names.get(voice.persona_id, voice.persona_id))
    parts = ["m: muted"] if voice.muted else []
    parts += ["turned into its opposite"] if voice.weight < 0 else []
    parts.append(_about_vector(voice.persona_id, notes))
    return f"{name}: {'; '.join(part for part in parts if part) or 'ready'}."


def _about_vector(persona_id: str, notes: Notes) -> str:
    if notes is None:
        return "the model is not ready yet"
    note = notes.get(persona_id)
    if wrong := state(note):
        return f"{mark(note)} {wrong}"
    unknown = note is not None and note.strength is None and note.layer is None
    return "what a full dose is was not measured; “Prepare voice” does it" if unknown else ""


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
