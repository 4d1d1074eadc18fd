"""From what a user says to the tokens a model reads, and one digest of what a model was sent."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

from mlx_lm.tokenizer_utils import TokenizerWrapper

from billy_mlx.errors import UsageError
from billy_mlx.model.chat import Said, rendered
from billy_mlx.model.model import Model
from billy_mlx.model.thinking import Thinking
from billy_mlx.text import quoted

# A code point that Unicode keeps out of texts: marks where the text is cut before it is turned into tokens.
_SEAM = "\ufdd0"

DIGITS = 32  # of hexadecimal


def chat_prompt(
    tokenizer: TokenizerWrapper,
    user: str,
    *,
    system: str | None = None,
    before: Sequence[Said] = (),
    thinking: bool = False,
) -> list[int]:
    """Return the tokens of one user message, ready for the model's answer; plain text if it has no chat template.

    Args:
        tokenizer: with the chat template.
        user: the message. Control tokens spelt out in it, as "<|im_end|>", stay text.
        system: set before it, or put at its beginning where the template takes no system message.
        before: what user and model have said before, in turn.
        thinking: for models that can do either, whether to think first.

    Raises:
        UsageError: the message is empty, or there is no template for a conversation.
        ModelError: the template fails, or leaves something out.
    """
    if not user.strip():
        raise UsageError("The prompt is empty; say what to write")
    if not tokenizer.has_chat_template:
        if before:
            raise UsageError(
                "This model has no chat template, so that it cannot be sent a conversation; send one message alone"
            )
        return text_prompt(tokenizer, _joined(system, user))
    controls = _controls(tokenizer)
    user, system = _defused(user, controls), system and _defused(system, controls)
    before = [(role, _defused(said, controls)) for role, said in before]
    return _encoded(rendered(tokenizer, user, system=system, before=before, thinking=thinking), tokenizer)


def going_on_prompt(
    tokenizer: TokenizerWrapper,
    prefix: str,
    *,
    user: str = "",
    system: str | None = None,
    before: Sequence[Said] = (),
) -> list[int]:
    """Return the tokens of an answer that has begun with `prefix`, for the model to go on from.

    Args:
        tokenizer: with the chat template, or without: then everything is one text.
        prefix: what is written already, to the letter; templates do not see it, so none can trim it. Best without
            white space at its end, which tokenizers put at the beginning of the next word.
        user: what was asked for.
        system: as in `chat_prompt`.
        before: likewise; only with a template.

    Raises:
        UsageError: it is all empty.
        ModelError: the template fails.
    """
    controls = _controls(tokenizer)
    if user.strip() and tokenizer.has_chat_template:
        asked = chat_prompt(tokenizer, user, system=system, before=before)
        return [*asked, *_unthinking(asked, tokenizer), *_encoded(_defused(prefix, controls), tokenizer)]
    text = "\n\n".join(part for part in (system, user, prefix) if part and part.strip())
    if not text:
        raise UsageError("The prompt is empty; give the text to go on from")
    return [*beginning(tokenizer), *_encoded(_defused(text, controls), tokenizer)]


def text_prompt(tokenizer: TokenizerWrapper, text: str) -> list[int]:
    """Return the tokens of `text` as it stands: control tokens in it count, and a BOS that is due comes once.

    Raises:
        UsageError: it is empty.
    """
    bos = tokenizer.bos_token
    tokens: list[int] = tokenizer.encode(text, add_special_tokens=not (bos and text.startswith(bos)))
    if not text or not tokens:
        raise UsageError("The prompt is empty; give the text to go on from")
    return tokens


def check_length(model: Model, prompt: list[int], max_tokens: int) -> None:
    """Do nothing if the prompt and `max_tokens` more fit into the model's context.

    Raises:
        UsageError: they do not; says by how much.
    """
    length, context = len(prompt), model.context_length
    if context is None or length + max_tokens <= context:
        return
    asked = f"The prompt has {length:,} tokens and {max_tokens:,} more are asked for"
    raise UsageError(f"{asked}, but {model.id} holds {context:,}; shorten the prompt or ask for fewer with -m")


def end_token(model: Model, text: str) -> int:
    """Return the id of the one token that a text spells; a whole number is an id, as with mlx-lm.

    Raises:
        UsageError: there is no such token.
    """
    tokenizer = model.tokenizer
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    if text.isdecimal() and text.isascii():
        found = [int(text[:12])]
    else:
        found = [vocabulary[text]] if text in vocabulary else tokenizer.encode(text, add_special_tokens=False)
    if len(found) != 1 or found[0] >= model.shape.outputs or found[0] not in vocabulary.values():
        raise UsageError(f"{quoted(text, 40)!r} is not one token of {model.id}; end the text with a stop text instead")
    return found[0]


def _unthinking(prompt: list[int], tokenizer: TokenizerWrapper) -> list[int]:
    """Return what ends the thinking block that some templates begin every answer with."""
    if Thinking.of(tokenizer, prompt, asked=False) is None:
        return []
    return [*tokenizer.think_end_tokens, *tokenizer.encode("\n\n", add_special_tokens=False)]


def beginning(tokenizer: TokenizerWrapper) -> list[int]:
    """Return the tokens that this tokenizer puts before a text: a BOS or none."""
    plain, whole = (tokenizer.encode("a", add_special_tokens=special) for special in (False, True))
    return whole[: len(whole) - len(plain)] if whole[-len(plain) :] == plain else []


def _encoded(text: str, tokenizer: TokenizerWrapper) -> list[int]:
    """Return the tokens of the pieces between seams."""
    pieces = (tokenizer.encode(piece, add_special_tokens=False) for piece in text.split(_SEAM))
    return [token for piece in pieces for token in piece]


def _joined(system: str | None, user: str) -> str:
    return f"{system}\n\n{user}" if system else user


def _controls(tokenizer: TokenizerWrapper) -> re.Pattern[str]:
    """What the tokenizer would read as a control token, the longest first."""
    spelt = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    spelt |= {mark for mark in (tokenizer.think_start, tokenizer.think_end) if mark}
    return re.compile(
        "|".join(re.escape(mark) for mark in sorted(spelt, key=len, reverse=True) if len(mark) > 1) or r"\Z."
    )


def _defused(text: str, controls: re.Pattern[str]) -> str:
    """Cut every control token after its first character: no tokenizer finds it in two pieces."""
    return controls.sub(lambda mark: mark[0][0] + _SEAM + mark[0][1:], text.replace(_SEAM, ""))


def sent_digest(model: Model, prompts: Iterable[Sequence[int]], *decides: str) -> str:
    """Return what changes with the model, with the tokens that end its answers, and with any token that it is sent.

    Answers are kept under it, so that they are found again only if it is the same. Weights and texts do not say it:
    between a text and a model stands the chat template, which may be corrected, and which tokens end an answer is a
    setting of the tokenizer.

    Args:
        model: that answers.
        prompts: the tokens of all of them, in order.
        decides: what else an answer depends on.
    """
    digest = sha256(repr((model.fingerprint, sorted(model.tokenizer.eos_token_ids), decides)).encode())
    for prompt in prompts:
        digest.update(f"{','.join(map(str, prompt))};".encode())
    return digest.hexdigest()[:DIGITS]
