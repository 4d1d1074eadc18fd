"""The studio's settings: one schema, from which the screen, the configuration file and its checks are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from textual.theme import BUILTIN_THEMES

from billy_mlx import paths
from billy_mlx.blend.blend import Blend
from billy_mlx.config import config_text, parse_config, read_config
from billy_mlx.errors import BillyError, BlendError, UsageError
from billy_mlx.files import PRIVATE, write_atomically
from billy_mlx.model.sampling import Sampling
from billy_mlx.text import sanitize
from billy_mlx.tui.keys import checked_keys
from billy_mlx.tui.setting_fields import Setting, checked, quoted, schema, setting
from billy_mlx.write.messages import READING_SECONDS, Writing

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_STUDIO, _KEYS = "studio", "keys"
_REPETITION_CONTEXT = 64  # tokens: a paragraph or so
_IN_TOKENS, WORDS_A_TOKEN = "max_tokens", 0.75  # the length as the version before had it, and what it is in words


def _check_blend(text: str) -> None:
    if text:
        Blend.parse(text)


@dataclass(frozen=True)
class Settings:
    """All that a writer can set. `keys` are the keys of commands that are not as they come, by the command's name."""

    theme: str = setting(
        "textual-dark", Setting("Theme", "The colours; the ansi themes use those of your terminal.", (*BUILTIN_THEMES,))
    )
    colouring: str = setting(
        "authors", Setting("Colours at the start", "Colour the text by who wrote it.", ("authors", "none"))
    )
    voices_panel: bool = setting(True, Setting("Show the voices", "Show the voices panel from the start."))
    text_width: int = setting(
        72, Setting("Width of the text", "The longest line of the text, in characters.", low=30, high=300)
    )
    focus_mode: bool = setting(False, Setting("Focus mode", "Start with nothing but the text."))
    typewriter: bool = setting(
        False, Setting("Typewriter", "Keep the line you are writing in the middle of the screen.")
    )
    word_goal: int = setting(
        0,
        Setting(
            "Word goal", "How many words you want to write in a text each day; 0 is no goal.", low=0, high=1_000_000
        ),
    )
    autosave_seconds: float = setting(
        10.0,
        Setting("Save after (seconds)", "The file is saved automatically after so many seconds.", low=1, high=3600),
    )
    editor: str = setting("", Setting("Your editor", "The command that opens a file; empty means $EDITOR."))
    author: str = setting("", Setting("Your name", "The author's name in exports."))
    model: str = setting("", Setting("Model", "A name or a folder; empty means the one that all billy commands use."))
    blend: str = setting(
        str(Blend.parse("gothic:0.5+fairy-tale:0.5")),
        Setting("First blend", "The voices a new text starts with, such as noir:0.6+lyrical:0.4.", check=_check_blend),
    )
    chorus_voices: int = setting(
        3, Setting("Voices in a chorus", "How many voices write at once, unless you choose them.", low=2, high=6)
    )
    blind_chorus: bool = setting(
        False, Setting("Blind chorus", "Hide the names of a chorus's drafts until you keep one.")
    )
    words: int = setting(
        150,
        Setting(
            "Length (words)", "How many words a voice writes at most; it ends with a whole sentence.", low=1, high=8192
        ),
    )
    temperature: float = setting(
        0.8, Setting("Temperature", "How daring the choice of words is: 0 is the safest, 1.5 is wild.", low=0, high=10)
    )
    min_p: float = setting(
        0.05,
        Setting("Least likely", "Leave out words less likely than this share of the likeliest.", low=0, high=1),
    )
    repetition_penalty: float = setting(
        1.1,
        Setting(
            "Against repetition", "How much words that were just used are avoided; 1 is not at all.", low=1, high=2
        ),
    )
    context_budget: int = setting(
        0,
        Setting(
            "What the model is sent",
            "At most so many tokens (100 are about 75 words); auto: what model, memory and time allow.",
            low=64,
            high=1_000_000,
            zero="auto",
        ),
    )
    reading_seconds: float = setting(
        READING_SECONDS,
        Setting(
            "Reading time (seconds)",
            "How many seconds the model may read before it writes, if the limit above is auto.",
            low=1,
            high=3600,
        ),
    )
    unload_minutes: int = setting(
        30,
        Setting(
            "Put the model away after",
            "Free the model's memory after so many minutes without use; it comes back when you need it.",
            low=1,
            high=10_000,
            zero="never",
        ),
    )
    thinking: bool = setting(False, Setting("Think first", "Let a model that can think do so before it writes."))
    gauge: bool = setting(True, Setting("Coherence gauge", "Watch a draft while it is written, and warn if it frays."))
    reading: bool = setting(
        True, Setting("Read in the background", "Let the model read the text, so that it can be coloured by persona.")
    )
    keys: Mapping[str, str] = field(default_factory=dict)

    def schema(self) -> dict[str, Setting]:
        """Return what is known of each field but `keys`, in order."""
        return schema(self)


def load_settings() -> tuple[Settings, tuple[str, ...]]:
    """Return the settings of the configuration file, and a sentence for each thing in it that had to be left out."""
    try:
        values = read_config()
    except BillyError as error:
        return Settings(), (str(error),)
    settings, wrong = _studio(values)
    found, wrong_keys = checked_keys(_table(values, _KEYS))
    return replace(settings, keys=found), (*wrong, *wrong_keys)


def save_setting(name: str, value: object) -> None:
    """Write one setting into the configuration file, and leave all else in it as it is, comments too.

    Args:
        name: a field of `Settings`; for "keys" the value is the mapping, which takes the place of what was there.
        value: as the field takes it.

    Raises:
        BillyError: the value will not do, or the file cannot be read or written; nothing is changed.
    """
    import tomlkit  # which takes long, and is not needed to read
    from tomlkit.exceptions import TOMLKitError

    path = paths.config_file()
    text = config_text()
    parse_config(text)  # its bounds are for this parser, too
    try:
        document = tomlkit.parse(text)
        if name == _KEYS:
            _put_keys(document, value)
        else:
            _put(document, name, _spelled(name, checked(Settings(), name, value), Blend.parse))
    except TOMLKitError as error:
        raise BillyError(f"{path} cannot be changed: {sanitize(str(error))}; correct it by hand") from error
    write_atomically(path.resolve(), tomlkit.dumps(document).encode(), mode=PRIVATE)  # a link to it stays one


def writing(settings: Settings) -> Writing:
    """Return how a model is to write by these settings."""
    return Writing(
        Sampling(
            temperature=settings.temperature,
            min_p=settings.min_p,
            repetition_penalty=settings.repetition_penalty,
            repetition_context=_REPETITION_CONTEXT,
        ),
        budget=settings.context_budget,
        reading_seconds=settings.reading_seconds,
        thinking=settings.thinking,
        gauge=settings.gauge,
        words=settings.words,
    )


def _studio(values: Mapping[str, object]) -> tuple[Settings, list[str]]:
    settings, wrong = Settings(), []
    model = values.get("model")
    table = {"model": model} if isinstance(model, str) else {}
    for key, value in {**table, **_in_words(_table(values, _STUDIO))}.items():
        name = key.replace("-", "_")
        if name not in settings.schema():
            close = get_close_matches(name[:60], settings.schema(), n=1)
            meant = f"did you mean {close[0].replace('_', '-')}" if close else "delete the line"
            wrong.append(f"[studio] has no setting {quoted(key)}; {meant}")
            continue
        try:
            value = _spelled(name, value, Blend.stored)
            settings = replace(settings, **{name: checked(settings, name, value)})  # type: ignore[arg-type]
        except UsageError as error:
            wrong.append(f"{error}; until then it is {quoted(getattr(settings, name))}")
    return settings, wrong


def _in_words(table: dict[str, object]) -> dict[str, object]:
    """Return a table with the length in words, where the version before has it in tokens."""
    kept = {key: value for key, value in table.items() if key.replace("-", "_") != _IN_TOKENS}
    for tokens in (table[key] for key in table.keys() - kept.keys()):
        kept.setdefault("words", max(1, round(tokens * WORDS_A_TOKEN)) if type(tokens) is int else tokens)
    return kept


def _spelled(name: str, value: object, read: Callable[[str], Blend]) -> object:
    """Return a value, and of a blend its whole text form; what cannot be read as one, as it stands."""
    if name != "blend" or not isinstance(value, str) or not value.strip():
        return value
    try:
        return str(read(value))
    except BlendError:  # `checked` says what is wrong with it
        return value


def _table(values: Mapping[str, object], name: str) -> dict[str, object]:
    table = values.get(name, {})
    return table if isinstance(table, dict) else {"": table}


def _put_keys(document: "TOMLDocument", value: object) -> None:
    if not isinstance(value, Mapping):
        raise UsageError("keys must be commands with their keys")
    found, wrong = checked_keys(value)
    if wrong:
        raise UsageError(wrong[0])
    held = _held(document, _KEYS)
    for command in [command for command in held if command not in found]:
        del held[command]
    held.update(found)


def _put(document: "TOMLDocument", name: str, value: object) -> None:
    held, key = _held(document, _STUDIO), name.replace("_", "-")
    held[name if name in held and key not in held else key] = value


def _held(document: "TOMLDocument", table: str) -> dict[str, Any]:
    """Return a table of the file, made if need be."""
    if table not in document:
        document[table] = {}
    held = document[table]
    if not isinstance(held, dict):
        raise UsageError(f"{paths.config_file()}: {table} is not a table; write [{table}] and its keys below")
    return held
