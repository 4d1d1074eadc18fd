"""Persona vectors as safetensors files: nothing is believed that cannot be true.

The metadata says where a vector came from, and what has been measured about it, as JSON.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from billy_mlx.errors import VectorError
from billy_mlx.files import write_atomically
from billy_mlx.model.fingerprint import Fingerprint
from billy_mlx.text import sanitize
from billy_mlx.vectors.measurements import Calibration, Cell, Judgement, Outcome, Quality, Strength, Tried
from billy_mlx.vectors.vector import MEAN_DIFFERENCE, OWN_TEXT, Floats, Origin, PersonaVector, find_fault

FORMAT = "billy-persona-vector-2"
FORMERLY = "billy-persona-vector-1"
"""Files of the first version: texts are read along the directions, which hold the system prompts as well."""
MAX_FILE_BYTES = 1 << 29

_ALWAYS = ("persona_vector", "projection_scale")
_PERHAPS = ("neutral_mean", "residual_norm", "reading_vector")  # other tools' files do not say

_MOST_EVIDENCE = 1 << 18  # characters
_Evidence = TypeVar("_Evidence")

_MOST_CELLS = 1000


def save_vector(vector: PersonaVector, path: str | Path) -> None:
    """Write `vector` as safetensors, whole or not at all.

    Raises:
        VectorError: it could not be loaded again; for a sum of vectors, see `persona_id`.
        BillyError: it cannot be written.
    """
    path = Path(path)
    fault = find_fault(vector)
    if fault is not None:
        raise VectorError(f"{path} was not saved: {fault}; extract the vector again, or give a sum an id of its own")
    arrays, metadata = to_content(vector)
    write_atomically(path, safetensors.numpy.save(arrays, {"format": FORMAT, **metadata}))


def load_vector(path: str | Path) -> PersonaVector:
    """Read a persona vector.

    Raises:
        VectorError: the file is missing, damaged, holds something else, or a number in it is not finite or too large.
    """
    path = Path(path)
    if path.suffix == ".gguf":
        raise VectorError(
            f"{path} is a control vector; to make a persona vector of it, run: billy vectors import {path}"
        )
    arrays, metadata = _read(path)
    found = metadata.get("format", "nothing known")
    if found not in (FORMAT, FORMERLY):
        raise _bad(path, f"it says it is {sanitize(found)[:60]!r}, not {FORMAT!r}")
    try:
        return from_content(arrays, metadata if found == FORMAT else formerly(metadata, arrays))
    except ValueError as error:
        raise _bad(path, str(error)) from error


def formerly(metadata: Mapping[str, str], arrays: Mapping[str, Floats]) -> dict[str, str]:
    """Return the metadata of a file of the first version, with what it left unsaid."""
    ours = "neutral_mean" in arrays  # else another tool's
    method = "" if not ours else OWN_TEXT if metadata.get("source") else MEAN_DIFFERENCE
    return {**metadata, "method": method, "file_version": "1" if ours else ""}


def to_content(vector: PersonaVector) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return the tensors and the metadata by which a file carries `vector`."""
    fingerprint = {f"fingerprint.{name}": str(value) for name, value in asdict(vector.fingerprint).items()}
    evidence = {
        "judgement": None if vector.judgement is None else judgement_text(vector.judgement),
        "quality": None if vector.quality is None else quality_text(vector.quality),
        "calibration": None if vector.calibration is None else calibration_text(vector.calibration),
        "strength": None if vector.strength is None else strength_text(vector.strength),
    }
    known = {name: text for name, text in evidence.items() if text is not None}
    metadata = {"persona_id": vector.persona_id, **asdict(vector.origin), **fingerprint, **known}
    return {name: np.ascontiguousarray(array, np.float32) for name, array in vector.tensors.items()}, metadata


def from_content(arrays: Mapping[str, Floats], metadata: Mapping[str, str]) -> PersonaVector:
    """Return the vector that tensors and metadata of a stranger's file are.

    Raises:
        ValueError: they are not one; its text says why, as the end of a sentence.
    """
    layers, width = _checked_shapes(arrays)
    fingerprint = _fingerprint(metadata)
    if (fingerprint.layers, fingerprint.width) != (layers, width):
        said = f"{fingerprint.layers} of {fingerprint.width}"
        raise ValueError(f"its tensors have {layers} layers of {width}, and its model's fingerprint says {said}")
    origin = {f.name: sanitize(metadata[f.name])[:2000] for f in fields(Origin) if f.name in metadata}
    vector = PersonaVector(
        persona_id=sanitize(metadata.get("persona_id", "")),
        fingerprint=fingerprint,
        origin=Origin(**{"model_id": "an unnamed model", **origin}),
        directions=arrays["persona_vector"],
        neutral_mean=arrays.get("neutral_mean"),
        residual_norm=arrays.get("residual_norm"),
        projection_scale=arrays["projection_scale"],
        reading_vector=arrays.get("reading_vector"),
        judgement=_evidence(metadata, "judgement", parse_judgement),
        quality=_evidence(metadata, "quality", lambda text: parse_quality(text, layers)),
        calibration=_evidence(metadata, "calibration", lambda text: parse_calibration(text, layers)),
        strength=_evidence(metadata, "strength", parse_strength),
    )
    fault = find_fault(vector)
    if fault is not None:
        raise ValueError(fault)
    return vector


def _read(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _bad(path, f"it is larger than {MAX_FILE_BYTES >> 20} MiB")
        # Unlike mx.load, the safetensors library refuses truncated files and overlapping tensors.
        with safetensors.safe_open(path, framework="np") as file:
            names = set(file.keys())
            if not {*_ALWAYS} <= names <= {*_ALWAYS, *_PERHAPS}:
                raise _bad(path, f"it holds {sanitize(', '.join(sorted(names)))[:200] or 'no tensors'}")
            for name in sorted(names):  # before they are read: NumPy has no types for some that a file may hold
                if file.get_slice(name).get_dtype() != "F32":
                    raise _bad(path, f"{name} is {file.get_slice(name).get_dtype()}, not F32")
            return {name: file.get_tensor(name) for name in sorted(names)}, file.metadata() or {}
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except safetensors.SafetensorError as error:
        raise _bad(path, sanitize(str(error))[:200]) from error


def _checked_shapes(arrays: Mapping[str, Floats]) -> tuple[int, int]:
    shape = arrays["persona_vector"].shape
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"its vector has shape {shape}, not (layers, width)")
    whole = ("persona_vector", "neutral_mean", "reading_vector")
    expected: dict[str, tuple[int, ...]] = dict.fromkeys(whole, shape)
    for name, array in arrays.items():
        if array.shape != expected.get(name, shape[:1]):
            raise ValueError(f"{name} is {array.shape}, not {expected.get(name, shape[:1])}")
    return shape[0], shape[1]


def _fingerprint(metadata: Mapping[str, str]) -> Fingerprint:
    def text(name: str) -> str:
        return sanitize(metadata[f"fingerprint.{name}"])[:200]

    try:
        layers, width, vocabulary = (int(text(name)) for name in ("layers", "width", "vocabulary"))
        return Fingerprint(text("architecture"), layers, width, vocabulary, text("base"), text("weights"))
    except (KeyError, ValueError) as error:
        raise ValueError("its metadata lacks the fingerprint of a model") from error


def _evidence(metadata: Mapping[str, str], name: str, parse: Callable[[str], _Evidence]) -> _Evidence | None:
    text = metadata.get(name)
    if text is None:
        return None
    try:
        if len(text) > _MOST_EVIDENCE:
            raise ValueError("it is too long")
        return parse(text)
    except ValueError as error:
        raise ValueError(f"what it says of its {name} cannot be: {sanitize(str(error))[:200]}") from error


def _bad(path: Path, why: str) -> VectorError:
    return VectorError(f"{path} cannot be used as a persona vector: {why}; extract it again or remove the file")


def judgement_text(judgement: Judgement) -> str:
    """Return what `parse_judgement` reads."""
    return json.dumps(_rounded(asdict(judgement)))


def quality_text(quality: Quality) -> str:
    """Return what `parse_quality` reads."""
    return json.dumps(_rounded(asdict(quality)))


def calibration_text(calibration: Calibration) -> str:
    """Return what `parse_calibration` reads."""
    return json.dumps(_rounded(asdict(calibration)))


def parse_judgement(text: str) -> Judgement:
    """Read a judgement; ValueError, with the end of a sentence, if it is not one."""
    values = _Values(text)
    return Judgement(
        judge=values.text("judge"),
        auc=values.optional("auc", 0, 1),
        medians=values.pair("medians", 0, 100),
        filtered=values.flag("filtered"),
        judged=values.count("judged"),
    )


def parse_quality(text: str, layers: int) -> Quality:
    """Read the quality of a vector of so many layers; ValueError if it is not one."""
    values = _Values(text)
    return Quality(
        held_out_auc=values.numbers("held_out_auc", layers, 0, 1),
        split_half_cosine=values.numbers("split_half_cosine", layers, -1, 1),
        auc_interval=values.pair("auc_interval", 0, 1),
    )


def parse_calibration(text: str, layers: int) -> Calibration:
    """Read the calibration of a vector of so many layers; ValueError if it is not one."""
    values = _Values(text)
    cells = values.values.get("cells", [])
    if not isinstance(cells, list) or len(cells) > _MOST_CELLS:
        raise ValueError(f"its sweep is not a list of at most {_MOST_CELLS} cells")
    return Calibration(
        gentle=values.number("gentle", 0, 1000),
        too_much=values.optional("too_much", 0, 1000),
        read_layer=values.count("read_layer", layers - 1),
        at_full=_cell(values.values.get("at_full"), layers),
        effect_low=values.number("effect_low"),
        judged=values.optional("judged", -100, 100),
        prompts=values.count("prompts"),
        made_with=values.text("made_with"),
        cells=tuple(_cell(cell, layers) for cell in cells),
    )


def strength_text(strength: Strength) -> str:
    """Return what `parse_strength` reads."""
    return json.dumps(_rounded(asdict(strength)))


def parse_strength(text: str) -> Strength:
    """Read the full strength of a vector; ValueError if it is not one."""
    values = _Values(text)
    tried = values.values.get("tried", [])
    if not isinstance(tried, list) or len(tried) > _MOST_CELLS:
        raise ValueError(f"what was tried is not a list of at most {_MOST_CELLS}")
    interval = values.pair("effect_interval", -1e6, 1e6)
    if interval is None:
        raise ValueError("effect_interval is not 2 numbers")
    prompted = values.values.get("prompted")
    return Strength(
        full=values.number("full", 0, 1000),
        limit=values.text("limit"),
        most_perplexity=values.number("most_perplexity", 0),
        at_full=_outcome(values.values.get("at_full")),
        effect_interval=interval,
        prompted=None if prompted is None else _outcome(prompted),
        prompts=values.count("prompts"),
        made_with=values.text("made_with"),
        tried=tuple(
            Tried(_Values(each).number("strength", 0, 1000), _outcome(_Values(each).values.get("outcome")))
            for each in tried
        ),
    )


def _outcome(outcome: object) -> Outcome:
    values = _Values(outcome)
    return Outcome(*(values.number(name) for name in ("effect", "perplexity", "distinct", "repetition", "length")))


def _cell(cell: object, layers: int) -> Cell:
    values = _Values(cell)
    names = ("effect", "perplexity", "distinct", "repetition", "length")
    measured = (values.number(name) for name in names)
    return Cell(values.count("layer", layers - 1), values.number("dose", 0, 1000), *measured)


class _Values:
    """The values of a JSON object from a stranger's file; each is checked when it is asked for."""

    def __init__(self, source: object) -> None:
        try:
            values = json.loads(source) if isinstance(source, str) else source
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if not isinstance(values, dict):
            raise ValueError("it is not a JSON object")
        self.values: Mapping[str, Any] = values

    def number(self, name: str, least: float = -1e6, most: float = 1e6) -> float:
        return _number(name, self.values.get(name), least, most)

    def optional(self, name: str, least: float, most: float) -> float | None:
        return None if self.values.get(name) is None else self.number(name, least, most)

    def numbers(self, name: str, count: int, least: float, most: float) -> tuple[float, ...]:
        values = self.values.get(name)
        if not isinstance(values, Sequence) or len(values) != count:
            raise ValueError(f"{name} is not {count} numbers")
        return tuple(_number(name, value, least, most) for value in values)

    def pair(self, name: str, least: float, most: float) -> tuple[float, float] | None:
        if self.values.get(name) is None:
            return None
        first, second = self.numbers(name, 2, least, most)
        return first, second

    def count(self, name: str, most: int = 1_000_000) -> int:
        number = self.number(name, 0, most)
        if number != int(number):
            raise ValueError(f"{name} is not a whole number")
        return int(number)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str):
            raise ValueError(f"{name} is not a text")
        return sanitize(value)[:500]

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        if not isinstance(value, bool):
            raise ValueError(f"{name} is neither true nor false")
        return value


def _number(name: str, value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is not a number")
    if not least <= value <= most:  # nor does NaN pass, nor a whole number too long to become a float
        raise ValueError(f"{name} is {str(value)[:20]}, and goes from {least:g} to {most:g}")
    return float(value)


def _rounded(value: Any) -> Any:
    """Return `value` with its numbers to four decimals: nothing here is known better."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value
