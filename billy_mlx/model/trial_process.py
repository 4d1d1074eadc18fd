"""The process in which a model folder is tried out: reads its task from stdin and writes what comes of it to stdout.

Each line is a JSON object. {"step": ...} says what begins, as the subject of a sentence. The last line is the answer:
{"refused": a clause}, with "whole" where it is a sentence that says all; {"text": what was rendered}; or {"shape": the
sizes of the model} where there is nothing to object to.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

_WORDS = "The keeper of the light went down to the water. "
_LETTERS = 100_000
_TURNS = 20


def main() -> None:
    """Do the task."""
    out = os.dup(1)
    os.dup2(2, 1)  # what libraries print is no answer
    task = json.load(sys.stdin)
    say = _sayer(out)
    say(_rendered(task) if "template" in task else _tried(Path(task["folder"]), say))


def _sayer(out: int) -> Callable[[dict[str, object]], None]:
    def say(message: dict[str, object]) -> None:
        os.write(out, json.dumps(message).encode() + b"\n")

    return say


def _rendered(task: dict[str, Any]) -> dict[str, object]:
    from transformers.utils.chat_template_utils import render_jinja_template

    try:
        texts: Any = render_jinja_template(
            conversations=[task["messages"]],
            chat_template=task["template"],
            add_generation_prompt=True,
            **task["settings"],
        )
    except Exception as error:  # noqa: BLE001  a template may raise whatever a program can
        return {"refused": _said(error)}
    return {"text": texts[0][0]}


def _tried(folder: Path, say: Callable[[dict[str, object]], None]) -> dict[str, object]:
    """Do with the files of a folder what is done with them when the model is loaded and asked."""
    from billy_mlx.errors import BillyError
    from billy_mlx.model import config, load  # imports all that is imported for a model
    from billy_mlx.model.shape import shape_of

    settings: dict[str, Any] = {}
    tokenizer: list[Any] = []
    model: list[Any] = []
    steps: list[tuple[str, Callable[[], object]]] = [
        ("reading config.json", lambda: settings.update(config.read_config(folder))),
        ("reading its tokenizer", lambda: tokenizer.append(load.read_tokenizer(folder, settings))),
        ("its tokenizer", lambda: _try_tokenizer(tokenizer[0])),
        ("its chat template", lambda: _try_template(tokenizer[0])),
        ("building the model that config.json describes", lambda: model.append(load.build(folder)[0])),
        ("running the model that config.json describes", lambda: model.append(shape_of(model.pop()))),
    ]
    for step, do in steps:
        say({"step": step})
        try:
            do()
        except BillyError as error:
            return {"refused": str(error), "whole": True}
        except Exception as error:  # noqa: BLE001  what other people's files make of other people's programs
            return {"refused": f"{step} fails: {_said(error)}"}
    return {"shape": asdict(model.pop())}


def _try_tokenizer(tokenizer: Any) -> None:
    text = (_WORDS * (_LETTERS // len(_WORDS) + 1))[:_LETTERS]
    tokens = tokenizer.encode(text, add_special_tokens=False)
    tokenizer.encode("a")
    tokenizer.decode(tokens)
    if len(tokens) > 8 * _LETTERS:  # a byte each, in the least economical of those in use, and four to a letter
        raise ValueError(f"it makes {len(tokens):,} tokens of {_LETTERS:,} letters")


def _try_template(tokenizer: Any) -> None:
    """Have a template render a system text, many turns and a long one. It may refuse, and is asked again when used."""
    from billy_mlx.model.chat import messages_as

    if not isinstance(tokenizer.chat_template, str):
        return
    text = (_WORDS * (_LETTERS // len(_WORDS) + 1))[:_LETTERS]
    turns = [("user" if turn % 2 == 0 else "assistant", _WORDS) for turn in range(_TURNS - 1)]
    for said in ([("user", _WORDS)], [("system", _WORDS), *turns], [("system", text), ("user", text)]):
        for messages in messages_as(said):
            try:
                rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            except Exception:  # noqa: BLE001  whether it can be used is found out where it is
                continue
            if isinstance(rendered, str) and len(rendered) > 8 * _LETTERS:
                raise ValueError(f"it makes {len(rendered):,} letters of {2 * _LETTERS:,}")


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(" .:")[:300]


if __name__ == "__main__":
    main()
