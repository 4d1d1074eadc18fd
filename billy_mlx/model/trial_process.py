"""The process in which a model folder is tried out: reads its task from stdin and writes what comes of it to stdout.

Each line is a JSON object. {"step": ...} says what begins, as the subject of a sentence. The last line is the answer:
{"refused": a clause}, with "whole" where it is a sentence that says all; {"text": what was rendered}; or {"shape": the
sizes of the model} where there is nothing to object to.
"""

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billy_mlx.model.layers import Shape

_WORDS = "The keeper of the light went down to the water. "
_LETTERS = 100_000
_TURNS = 20
_MOST = 8  # times as long: a byte each, in the least economical tokenizers in use, and four to a letter
_RUNS, _RUN = ("a", "0", " ", "-", "\n", "é", "ab", "a "), 1_000  # letters over and over, and how many of them
_FEWEST_TOKENS = 16  # that a model has: its self-test sends it eleven
_SPELT = 2_000  # tokens of a vocabulary


def main() -> None:
    """Do the task."""
    out = os.dup(1)
    os.dup2(2, 1)  # what libraries print is no answer
    task = json.load(sys.stdin)
    threading.Thread(target=_end_with, args=(task["parent"],), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CPU, (task["seconds"], task["seconds"]))
    say = _sayer(out)
    if "template" in task:
        say(_rendered(task, say))
    else:
        say(_tried(Path(task["folder"]), say, has_tokenizer=task["has_tokenizer"]))


def _end_with(parent: int) -> None:
    """End this process when nobody watches it any more."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _sayer(out: int) -> Callable[[dict[str, object]], None]:
    def say(message: dict[str, object]) -> None:
        os.write(out, json.dumps(message).encode() + b"\n")

    return say


def _rendered(task: dict[str, Any], say: Callable[[dict[str, object]], None]) -> dict[str, object]:
    from transformers.utils.chat_template_utils import render_jinja_template

    say({"step": "going through a long message"})  # from here on the bounds hold
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


def _tried(folder: Path, say: Callable[[dict[str, object]], None], *, has_tokenizer: bool = True) -> dict[str, object]:
    """Do with the files of a folder what is done with them when the model is loaded and, with a tokenizer, asked."""
    from billy_mlx.errors import BillyError
    from billy_mlx.model import config, load  # imports all that is imported for a model

    settings: dict[str, Any] = {}
    tokenizer: list[Any] = []
    model: list[Any] = []
    words: list[tuple[str, Callable[[], object]]] = [
        ("reading its tokenizer", lambda: tokenizer.append(load.open_tokenizer(folder, settings))),
        ("its tokenizer", lambda: _try_tokenizer(tokenizer[0])),
        ("its chat template", lambda: _try_templates(tokenizer[0], folder)),
    ]
    steps: list[tuple[str, Callable[[], object]]] = [
        ("reading config.json", lambda: settings.update(config.read_config(folder))),
        *(words if has_tokenizer else ()),
        ("building the model that config.json describes", lambda: model.append(load.build(folder)[0])),
        ("running the model that config.json describes", lambda: model.append(_shape(model.pop()))),
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


def _shape(network: Any) -> "Shape":
    from billy_mlx.model.layers import shape_of

    shape = shape_of(network)
    if shape.outputs < _FEWEST_TOKENS:
        raise ValueError(f"it has {shape.outputs} tokens, and no model has fewer than {_FEWEST_TOKENS}")
    return shape


def _try_tokenizer(tokenizer: Any) -> None:
    """Turn texts into tokens, and every token there is into text."""
    from billy_mlx.model.spelling import Spelling

    vocabulary = tokenizer.get_vocab()
    for text in _texts(vocabulary):
        tokens = tokenizer.encode(text, add_special_tokens=False)
        if len(tokens) > _MOST * (len(text) + 100):
            raise ValueError(f"it makes {len(tokens):,} tokens of {len(text):,} letters")
        tokenizer.decode(tokens)
    tokenizer.encode("a")
    for piece, spelt in zip(vocabulary, _decoded(tokenizer, list(vocabulary.values())), strict=True):
        if len(spelt) > _MOST * (len(piece) + 100):
            raise ValueError(f"one of its tokens spells {len(spelt):,} letters")
    spelling = Spelling(tokenizer)
    for token in islice(vocabulary.values(), _SPELT):
        spelling.of(token)


def _decoded(tokenizer: Any, tokens: list[int]) -> list[str]:
    """Return what each token spells alone; without the detours of transformers where possible, which take seconds."""
    own = getattr(tokenizer, "backend_tokenizer", None)
    each = [[token] for token in tokens]
    texts: list[str] = tokenizer.batch_decode(each) if own is None else own.decode_batch(each, False)
    return texts


def _texts(vocabulary: dict[str, int]) -> Iterator[str]:
    """Yield an ordinary text, every letter that a vocabulary knows, and what regular expressions stumble over."""
    yield _long_text()
    yield "".join(sorted({letter for token in vocabulary for letter in token if not 0xD800 <= ord(letter) < 0xE000}))
    for run in _RUNS:
        yield run * (_RUN // len(run)) + "!"


def _try_templates(tokenizer: Any, folder: Path) -> None:
    """Have every chat template render a system text, many turns and a long one, asked for thinking and not.

    It may refuse, and is asked again when used.
    """
    from billy_mlx.model.chat import behaviour, templates

    found = templates(tokenizer, folder)
    every: list[str | None] = [*found.values()]
    for template in every or [None]:  # mlx-lm has a program of its own for some models
        tokenizer.chat_template = template
        _try_template(tokenizer)
        list(behaviour(tokenizer))


def _try_template(tokenizer: Any) -> None:
    from billy_mlx.model.chat import messages_as, put_through

    text = _long_text()
    turns = [("user" if turn % 2 == 0 else "assistant", _WORDS) for turn in range(_TURNS - 1)]
    said = ([("user", _WORDS)], [("system", _WORDS), *turns], [("system", text), ("user", text)])
    for messages in (each for one in said for each in messages_as(one)):
        for thinking in (False, True):
            try:
                rendered = put_through(tokenizer, messages, thinking)
            except Exception:  # noqa: BLE001  whether it can be used is found out where it is
                continue
            if len(rendered) > _MOST * _LETTERS:
                raise ValueError(f"it makes {len(rendered):,} letters of {2 * _LETTERS:,}")


def _long_text() -> str:
    return (_WORDS * (_LETTERS // len(_WORDS) + 1))[:_LETTERS]


def _said(error: Exception) -> str:
    from billy_mlx.text import quoted

    return quoted(str(error).strip() or type(error).__name__).rstrip(" .:")


if __name__ == "__main__":
    main()
