"""Chat templates at random: programs of jinja's that a stranger might write, few of which are any good."""

import re

from helpers.tiny_models import CHATML

# What each kind of part may be; @ and a letter stand for a part of that kind.
RULES = {
    "s": (  # a statement
        *["{{ @e }}"] * 3,
        *["@s"] * 2,
        "@s@s",
        "{% for m in messages %}{{ m.content }}@s{% endfor %}",
        "{% for m in messages %}@s{% for m in messages %}@s{% endfor %}{% endfor %}",
        "{% for m in @e %}@s{% else %}@s{% endfor %}",
        "{% for m in @e recursive %}{{ loop(messages) }}{% endfor %}",
        "{% if @e %}@s{% else %}{{ m.content }}{% endif %}",
        "{% set content = @e %}@s",
        "{% set ns = namespace(x=@e) %}@s{% set ns.x = ns.x ~ ns.x %}",
        "{% set ns = namespace(x='ab') %}{% for m in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}@s",
        "{% macro f(m) %}@s{{ f(m) }}{% endmacro %}{{ f(@e) }}",
        "{% macro f(m) %}{{ f(m) }}{{ f(m) }}{% endmacro %}{{ f(1) }}",
        "{% include @e %}",
        "{% import 'x' as x %}@s",
        "{% extends 'base' %}@s",
        "{% block b %}@s{{ self.b() }}{% endblock %}",
        "{% filter @f %}@s{% endfilter %}",
        "{% generation %}@s{% endgeneration %}",
        "{% raw %}@s{% endraw %}",
        "{# @s #}",
        "{% break %}@s",
        "{{ raise_exception(@e) }}",
    ),
    "e": (  # an expression
        *["@v"] * 3,
        "@e @o @e",
        "@e @o @e",
        "'a' * @n",
        "[1] * @n",
        "range(@n)",
        "(@e) | @f",
        "(@e) | @f",
        "(@e) is @t",
        "@e[@e]",
        "(@e).@a",
        "'%@nd' % 1",
        "'{:>@n}'.format(1)",
        "strftime_now(@d)",
        "lipsum(n=@n)",
        "cycler(@e).next()",
        "(@e if @e else @n)",
        "messages | map('upper') | list",
        "1/0",
    ),
    "v": (
        *("messages", "messages[0]", "messages[0].content", "m", "m.content", "m['role']", "add_generation_prompt"),
        *("enable_thinking", "bos_token", "eos_token", "tools", "nothing", "self", "loop.index", "loop", "ns.x"),
        *("content", "''", "'a\\nb'", "[1, 2]", "{'a': 1}", "true", "0.5", "@n"),
    ),
    "f": (
        *("trim", "length", "join", "list", "upper", "tojson", "tojson(indent=@n)", "center(@n)", "indent(@n)"),
        *("replace('', 'y' * @n)", "batch(@n) | list", "wordwrap(@n)", "first", "last", "reverse", "sort", "e"),
        *("map(attribute='content') | join", "selectattr('role', 'equalto', 'user') | list", "string", "int", "safe"),
        *("format(@n)", "round(@n)", "truncate(@n)", "pprint", "urlize", "xmlattr", "groupby('role')", "nonesuch"),
    ),
    "n": ("0", "1", "3", "100", "99999", "10**6", "10**9", "10**10", "-1", "10**5000", "'x'", "none"),
    "o": ("+", "~", "*", "-", "/", "//", "%", "**", "in", "==", "<", "and", "or"),
    "t": ("defined", "string", "mapping", "iterable", "none", "divisibleby(0)", "nonesuch"),
    "a": ("content", "__class__", "__init__.__globals__", "x", "format(m)", "split()", "items()"),
    "d": ("1", "'%Y'", "'%100000000d'", "'%'", "@v"),
}
LAST = {  # and where no part may have parts
    "s": ("hello", "<|im_start|>", "\n", "<think>", "{{", "%}", "\x1b[31m", "\u2028", "x" * 300, "{#", "é"),
    "e": ("messages", "m.content", "messages[0].content", "'x'", "1"),
    "v": ("messages", "m", "bos_token", "1"),
    "f": ("trim", "length", "list"),
    "d": ("'%Y'",),
}
DEPTH = 5


def template(chance):
    """Return a template."""
    own = "".join(_part(chance, "s", DEPTH) for _ in range(chance.randint(1, 4)))
    place = chance.randrange(len(CHATML))
    match chance.randrange(6):
        case 0:
            return CHATML + own
        case 1:
            return own + CHATML
        case 2:
            return CHATML[:place] + own + CHATML[place:]
        case 3:
            return CHATML[:place] + CHATML[place + chance.randint(1, 30) :]
        case 4 if chance.random() < 0.2:
            return own * chance.choice((100, 5000))
    return own


def _part(chance, kind, depth):
    rules = RULES[kind] if depth > 0 else LAST.get(kind, RULES[kind])
    return re.sub("@([a-z])", lambda part: _part(chance, part[1], depth - 1), chance.choice(rules))
