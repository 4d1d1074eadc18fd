"""Chat templates of the families there are, each written anew for its shape: where a turn begins and ends, what becomes
of a system prompt, what is trimmed, what comes before everything and what opens the answer.
"""

from helpers.tiny_models import CHATML, NO_THOUGHT

BEFORE = "{{ bos_token }}"
REFUSES_SYSTEM = "{%- if messages[0].role == 'system' -%}{{ raise_exception('no system') }}{%- endif -%}"
ROLES_BY_TURNS = """{%- set turns = messages | rejectattr('role', 'equalto', 'system') | list -%}
{%- for turn in turns -%}
{%- if (turn.role == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('roles take turns') }}{%- endif -%}
{%- endfor -%}"""
DEFAULT_SYSTEM = """{%- if messages[0].role != 'system' -%}
{{ '<|im_start|>system\\nBe a helpful assistant.<|im_end|>\\n' }}
{%- endif -%}"""
DATED_HEADERS = """{{ bos_token }}{{ '<|header|>system<|end_header|>\\n\\n' }}
{{ 'Today: ' + strftime_now('%d %b %Y') + '\\n\\n' }}
{%- if messages[0].role == 'system' -%}{{ messages[0].content | trim }}{%- endif -%}{{ '<|im_end|>' }}
{%- for m in messages if m.role != 'system' -%}
{{ '<|header|>' + m.role + '<|end_header|>\\n\\n' + m.content | trim + '<|im_end|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|header|>assistant<|end_header|>\\n\\n' }}{%- endif -%}"""

TEMPLATES = {
    "none": None,
    "ChatML": CHATML,
    "ChatML with a system prompt of its own": DEFAULT_SYSTEM + CHATML,
    "ChatML that thinks if asked": CHATML + NO_THOUGHT,
    "ChatML that always thinks": CHATML + "{{ '<think>\\n' }}",
    "ChatML that trims": CHATML.replace("message['content']", "message['content'] | trim"),
    "Llama 2": BEFORE
    + ROLES_BY_TURNS
    + """{%- for m in messages if m.role == 'user' -%}
{{ '[INST] ' }}
{%- if loop.first and messages[0].role == 'system' -%}
{{ '<<SYS>>\\n' + messages[0].content + '\\n<</SYS>>\\n\\n' }}
{%- endif -%}
{{ m.content | trim + ' [/INST]' }}
{%- endfor -%}""",
    "Llama 3": BEFORE
    + """{%- for m in messages -%}
{{ '<|header|>' + m.role + '<|end_header|>\\n\\n' + m.content | trim + '<|im_end|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|header|>assistant<|end_header|>\\n\\n' }}{%- endif -%}""",
    "Llama 3.1, dated": DATED_HEADERS,
    "Gemma, no system prompt": BEFORE
    + REFUSES_SYSTEM
    + """{%- for m in messages -%}
{{ '<turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n' + m.content | trim + '<end_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<turn>model\\n' }}{%- endif -%}""",
    "Mistral, system prompt in the last turn": BEFORE
    + """{%- for m in messages if m.role == 'user' -%}
{{ '[INST] ' }}
{%- if loop.last and messages[0].role == 'system' -%}{{ messages[0].content + '\\n\\n' }}{%- endif -%}
{{ m.content + '[/INST]' }}
{%- endfor -%}""",
    "Phi": """{%- for m in messages -%}{{ '<|' + m.role + '|>\\n' + m.content + '<|im_end|>\\n' }}{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- else -%}{{ eos_token }}{%- endif -%}""",
    "headings": """{%- for m in messages -%}{{ '### ' + m.role | title + ':\\n' + m.content + '\\n\\n' }}{%- endfor -%}
{{ '### Response:\\n' }}""",
    "drops the system prompt": "{%- for m in messages if m.role == 'user' -%}{{ 'user: ' + m.content }}{%- endfor -%}",
    "nothing opens the answer": "{%- for m in messages -%}{{ m.content + '\\n' }}{%- endfor -%}",
}
