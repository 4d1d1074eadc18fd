"""What a model was sent, as one digest: answers are kept under it, so that they are found again only if it is the same.

Weights and texts do not say it: between a text and a model stands the chat template, which may be corrected, and which
tokens end an answer is a setting of the tokenizer.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from billy_mlx.model.model import Model

DIGITS = 32  # of hexadecimal


def sent_digest(model: Model, prompts: Iterable[Sequence[int]], *decides: str) -> str:
    """Return what changes with the model, with the tokens that end its answers, and with any token that it is sent.

    Args:
        model: that answers.
        prompts: the tokens of all of them, in order.
        decides: what else an answer depends on.
    """
    digest = sha256(repr((model.fingerprint, sorted(model.tokenizer.eos_token_ids), decides)).encode())
    for prompt in prompts:
        digest.update(f"{','.join(map(str, prompt))};".encode())
    return digest.hexdigest()[:DIGITS]
