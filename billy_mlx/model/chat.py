"""Chat templates: which one a model folder has, and messages put through it.

A template is somebody else's program. It may want a message as text or as a list of parts, have no place for a system
text, or print nothing at all; none of these raises. So what it makes of messages is looked at every time: what it was
given has to be in there.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from mlx_lm.tokenizer_utils import TokenizerWrapper

from billy_mlx.errors import ModelError, UsageError
from billy_mlx.model import trial
from billy_mlx.model.folder import is_there, read_json, shown
from billy_mlx.text import quoted

Said = tuple[str, str]
"""A role, as "system" or "user", and what is said."""

# What templates tell of the day. With today's, nothing that is written or kept could be had again tomorrow.
_TODAY = re.compile(r"""\bstrftime_now\(\s*(["'])([^"']*)\1\s*\)""")
_DAY = date(2024, 7, 26)  # that Llama's own template tells where it has no clock
# A code point that Unicode keeps out of texts: stands for any text, to see what a template says by itself.
_ANY = "\ufdd1"
_HALVES = re.compile("[\ud800-\udfff]")  # of characters: no tokens can be made of them
_LEGACY = "chat_template.json"  # where processors of models that see have it; transformers reads it for these alone
_LONGEST = 1 << 20  # characters of a template; the longest in use have some 30,000
_LISTED = 8  # names of templates in a message
_TRIED = 100_000  # characters of messages, that a template was tried with; what it does with more nobody knows


def choose_template(tokenizer: TokenizerWrapper, folder: Path, name: str | None = None) -> None:
    """Give a tokenizer the one chat template to be used, or none where the folder has none or an empty one.

    A folder that has several, and none called "default", is left with all of them: an error says so if one is needed.

    Args:
        tokenizer: of the model in `folder`, with the template or templates that transformers found.
        folder: is looked through for one where transformers finds none.
        name: of the template to be used; None for the default.

    Raises:
        ModelError: what stands in the place of a template is none.
        UsageError: there is no template of that name.
    """
    by_name = templates(tokenizer, folder)
    if name is not None:
        if name not in by_name:
            there = f"{quoted(folder.name)} has {_listed(by_name)}"
            raise UsageError(f"{there}; there is none called {quoted(name)!r}, choose another name")
        tokenizer.chat_template = by_name[name]
    elif "default" in by_name or not by_name:
        tokenizer.chat_template = by_name.get("default")
    else:
        tokenizer.chat_template = by_name
    own = tokenizer._chat_template is not None  # mlx-lm's program for some models, where the folder has no template
    tokenizer.has_chat_template = own or tokenizer.chat_template is not None


def templates(tokenizer: TokenizerWrapper, folder: Path) -> dict[str, str]:
    """Return the chat templates of the model in `folder` by their names: one without a name is the default.

    Raises:
        ModelError: what stands in the place of a template is none.
    """
    found = tokenizer.chat_template
    return _named(folder, _legacy(folder) if _is_blank(found) else found)


def rendered(
    tokenizer: TokenizerWrapper,
    user: str,
    *,
    system: str | None = None,
    before: Sequence[Said] = (),
    thinking: bool = False,
) -> str:
    """Return a message, ready for the model's answer, as its chat template sends it.

    Args:
        tokenizer: with a chat template.
        user: the message.
        system: set before everything, or put at the beginning of the first message where the template takes no system
            message.
        before: what user and model have said before, in turn.
        thinking: for models that can do either, whether to think first.

    Raises:
        ModelError: the template fails, leaves something out, or has to be chosen first; says which.
    """
    if not isinstance(tokenizer.chat_template, str | None):
        names = _listed(tokenizer.chat_template)
        raise ModelError(f"The model has {names}, and none is its default; choose one with --chat-template-name")
    (_, first), *rest = [*before, ("user", user)]
    forms: list[list[Said]] = [[("user", _joined(system, first)), *rest]]
    if system:
        forms.insert(0, [("system", system), ("user", first), *rest])
    faults: list[str] = []
    for form in _FORMS:
        for messages in forms:
            text, fault = _tried(tokenizer, messages, form, thinking)
            if fault is None:
                return text
            faults.append(fault)
    raise ModelError(f"The model's chat template {faults[0]}; use --ignore-chat-template or another copy of the model")


def behaviour(tokenizer: TokenizerWrapper) -> Iterator[tuple[str, str]]:
    """Yield what a chat template does with a system text, a message and a second turn: a name and a clause of each."""
    system, user, answer, again = (f"{_ANY}{word}" for word in ("system", "first", "answer", "second"))
    forms = {"as text": _as_text, "as a list of parts": _in_parts}
    tried = {how: _tried(tokenizer, [("user", user)], form, False)[1] for how, form in forms.items()}
    how = next((how for how, fault in tried.items() if fault is None), None)
    yield "message", tried["as text"] or "" if how is None else f"sent {how}"
    form = forms[how or "as text"]
    fault = _tried(tokenizer, [("system", system), ("user", user)], form, False)[1]
    yield "system text", "sent as a system message" if fault is None else f"sent before the message: it {fault}"
    turns = [("user", user), ("assistant", answer), ("user", again)]
    fault = _tried(tokenizer, turns, form, False)[1]
    yield "second turn", "sent behind the first" if fault is None else fault


def _tried(
    tokenizer: TokenizerWrapper, messages: Sequence[Said], form: "_Form", thinking: bool
) -> tuple[str, str | None]:
    """Return what a template makes of messages, and what is wrong with that as the end of a sentence, or None."""
    try:
        text = _templated(tokenizer, [form(*message) for message in messages], thinking)
    except ModelError:
        raise  # it takes too much, and would again
    except Exception as error:  # noqa: BLE001  a template may raise whatever a program can
        return "", f"fails: {quoted(str(error).strip() or type(error).__name__)}"
    if _HALVES.search(text):
        return text, "writes half a character, which is no text"
    try:
        alone = _templated(tokenizer, [form(role, _ANY) for role, _ in messages], thinking)
    except Exception:  # noqa: BLE001  it wants a real text, and has one
        alone = ""
    # By difference: what it says by itself does not count, nor what another message says.
    squeezed = [(role, _squeezed(said)) for role, said in messages]
    whole, around = _squeezed(text), _squeezed(alone)
    for role, said in squeezed:
        expected = around.count(said) + sum(other.count(said) for _, other in squeezed)
        if said and whole.count(said) < expected:
            return text, f"leaves out or changes {_CALLED.get(role, 'what is said')}"
    return text, None


_CALLED = {"system": "the system text", "user": "the message", "assistant": "an answer"}


def _templated(tokenizer: TokenizerWrapper, messages: Sequence[Mapping[str, object]], thinking: bool) -> str:
    if isinstance(tokenizer.chat_template, str) and sum(len(str(each["content"])) for each in messages) > _TRIED:
        settings = {**tokenizer.special_tokens_map, "enable_thinking": thinking}
        return trial.rendered(_dated(tokenizer.chat_template), list(messages), settings)
    return put_through(tokenizer, messages, thinking)


def put_through(tokenizer: TokenizerWrapper, messages: Sequence[Mapping[str, object]], thinking: bool) -> str:
    """Return what a chat template makes of messages, in this process: for messages no longer than it was tried with.

    Raises:
        Exception: whatever a program can.
    """
    settings: dict[str, Any] = {"enable_thinking": thinking}
    if isinstance(tokenizer.chat_template, str):
        settings["chat_template"] = _dated(tokenizer.chat_template)
    text: object = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True, **settings)
    if not isinstance(text, str):
        raise TypeError("it gives no text")
    return text


def _dated(template: str) -> str:
    return _TODAY.sub(_day, template)


def messages_as(messages: Sequence[Said]) -> Iterator[list[Mapping[str, object]]]:
    """Yield messages in each of the forms that templates take."""
    yield from ([form(*message) for message in messages] for form in _FORMS)


_Form = Callable[[str, str], Mapping[str, object]]


def _as_text(role: str, said: str) -> Mapping[str, object]:
    return {"role": role, "content": said}


def _in_parts(role: str, said: str) -> Mapping[str, object]:
    return {"role": role, "content": [{"type": "text", "text": said}]}


_FORMS = (_as_text, _in_parts)


def _joined(system: str | None, user: str) -> str:
    return f"{system}\n\n{user}" if system else user


def _squeezed(text: str) -> str:
    """Return a text without its white space, which every template trims in its own way."""
    return "".join(text.split())


def _day(today: re.Match[str]) -> str:
    return repr(_DAY.strftime(today[2]))


def _is_blank(template: object) -> bool:
    return template is None or template == {} or (isinstance(template, str) and not template.strip())


def _legacy(folder: Path) -> object:
    path = folder / _LEGACY
    if not is_there(path):
        return None
    try:
        return read_json(path, 8 * _LONGEST)["chat_template"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{shown(path)} holds no chat template; correct it or remove it") from error


def _named(folder: Path, found: object) -> dict[str, str]:
    """Return templates by their names; one without a name is the default, and blank ones are none."""
    if isinstance(found, list):
        pairs = [(entry.get("name"), entry.get("template")) for entry in found if isinstance(entry, Mapping)]
    else:
        pairs = list(found.items()) if isinstance(found, Mapping) else [("default", found)]
    given = [(name, text) for name, text in pairs if not _is_blank(text)]
    for name, text in given:
        if not isinstance(name, str) or not isinstance(text, str) or len(text) > _LONGEST:
            long, kind = f"is longer than {_LONGEST:,} characters", f"is of type {type(text).__name__}, not a text"
            what = (long if isinstance(text, str) else kind) if isinstance(name, str) else "has a name that is no text"
            raise ModelError(f"A chat template in {shown(folder)} {what}; correct it or get the model again")
    return {str(name): str(text) for name, text in given}


def _listed(by_name: Mapping[str, Any]) -> str:
    names = ", ".join(quoted(name, 40) for name in sorted(by_name)[:_LISTED])
    if len(by_name) > _LISTED:
        names = f"{names} and {len(by_name) - _LISTED} more"
    if not by_name:
        return "no chat template"
    return f"chat templates called {names}" if len(by_name) > 1 else f"one chat template, {names}"
