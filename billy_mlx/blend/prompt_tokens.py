"""From a prompt to the tokens that a model is sent."""

from billy_mlx.blend.recipe import Prompt
from billy_mlx.model.model import Model
from billy_mlx.model.prompt import chat_prompt, going_on_prompt, text_prompt


def prompt_tokens(model: Model, prompt: Prompt | str, *, thinking: bool = False) -> list[int]:
    """Return what a model is sent for a prompt, the chat template included.

    Args:
        model: whose tokenizer and template are used.
        prompt: what it is asked; a text is a message.
        thinking: for models that can do either, whether to think first.

    Raises:
        ModelError: the template fails.
        UsageError: the prompt is empty, or a conversation without a template.
    """
    prompt = Prompt.of(prompt) if isinstance(prompt, str) else prompt
    if prompt.tokens is not None:
        return list(prompt.tokens)
    tokenizer, system = model.tokenizer, prompt.system or None
    before = [(message.role, message.content) for message in prompt.messages[:-1] if message.role != "system"]
    if prompt.prefix:
        return going_on_prompt(tokenizer, prompt.prefix, user=prompt.user, system=system, before=before)
    if prompt.chat:
        return chat_prompt(tokenizer, prompt.user, system=system, before=before, thinking=thinking)
    return text_prompt(tokenizer, prompt.user)
