"""Model folders that somebody broke: good tiny ones with a few changes at random, the same for the same seed.

A folder is a dict here: what is at each path in it, bytes or a tuple that says what else stands there.
"""

import copy
import json
import math
import os
import random
import socket
from pathlib import Path

from mlx.core import float16

from helpers.chat_grammar import template
from helpers.tiny_models import pieces_tokenizer, tiny_folder

BASES = {
    "plain": {},
    "pieces": {"tokenizer": pieces_tokenizer},
    "thinking": {"thinking": True},
    "quantised": {"bits": 4, "dtype": float16},
    "hybrid": {"architecture": "lfm2"},
}
WEIGHTS, CONFIG, SETTINGS, TOKENIZER = "model.safetensors", "config.json", "tokenizer_config.json", "tokenizer.json"
JINJA, LEGACY = "chat_template.jinja", "chat_template.json"
OTHERS = (
    JINJA,
    LEGACY,
    "generation_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "hf_quant_config.json",
    "model.safetensors.index.json",
    "additional_chat_templates/other.jinja",
    "preprocessor_config.json",
    "processor_config.json",
    "adapter_config.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "tekken.json",
    "x.tiktoken",
    "model-00001-of-00002.safetensors",
)
NUMBERS = (0, 1, -1, 2, 3, 7, 8, 16, 31, 64, 270, 10**9, 2**31, 2**63, 10**12, 10**30, -(10**12))
FLOATS = (0.0, 0.5, -1.5, 1e-30, 1e308, math.nan, math.inf, -math.inf)
TEXTS = ("", "4", "true", "x", "a\nb\x1b[31mc\u202e\u2028", "\ud800", "é" * 300, "<|im_end|>", "../../etc/passwd", "\0")
KEYS = {
    CONFIG: (
        *("quantization", "quantization_config", "rope_scaling", "rope_parameters", "head_dim", "sliding_window"),
        *("tie_word_embeddings", "text_config", "model_file", "auto_map", "layer_types", "num_experts", "n_layers"),
        *("attention_bias", "mlp_bias", "quantize_activations", "bos_token_id", "rope_traditional", "eos_token_id"),
    ),
    SETTINGS: (
        *("chat_template", "auto_map", "tokenizer_class", "added_tokens_decoder", "model_max_length", "eos_token"),
        *("extra_special_tokens", "additional_special_tokens", "pad_token", "unk_token", "chat_template_type"),
        *("tool_parser_type", "fast_tokenizer_files", "init_inputs", "padding_side", "split_special_tokens"),
        *("clean_up_tokenization_spaces", "add_prefix_space", "legacy", "vocab_file", "is_local", "special_tokens"),
    ),
    TOKENIZER: (
        *("normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding", "model", "version"),
        *("added_tokens", "unk_token", "byte_fallback", "ignore_merges", "dropout", "fuse_unk", "end_of_word_suffix"),
    ),
}


def make_bases(place):
    """Write the good folders below `place`."""
    for name, settings in BASES.items():
        tokenizer = settings.get("tokenizer")
        made = settings | ({} if tokenizer is None else {"tokenizer": tokenizer()})
        tiny_folder(place / name, **made)


def read_bases(place):
    """Return them as dicts."""
    return {name: {file.name: file.read_bytes() for file in (place / name).iterdir()} for name in BASES}


def broken(seed, bases):
    """Return a folder and what was done to it, in words."""
    chance = random.Random(seed)
    base = chance.choice(list(BASES))
    files, done = dict(bases[base]), [base]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        mutation = chance.choices(list(MUTATIONS), list(MUTATIONS.values()))[0]
        said = mutation(chance, files, bases)
        done.append(f"{mutation.__name__}: {said}")
    return files, done


def write(files, folder):
    """Put a folder on the disk."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            SPECIAL[content[0]](path, *content[1:])
    return folder


def _socket(path):
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


SPECIAL = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "link": Path.symlink_to,
    "socket": _socket,
    "sparse": lambda path, size: (path.touch(), os.truncate(path, size)),
}


def values_changed(chance, files, _):
    name = chance.choice((CONFIG, CONFIG, SETTINGS, SETTINGS, TOKENIZER, *OTHERS[:7]))
    tree = _json(files, name)
    said = [_change(chance, tree, name) for _ in range(chance.choice((1, 1, 2, 4)))]
    files[name] = json.dumps(tree).encode()
    return f"{name}: {said}"


def bytes_changed(chance, files, _):
    name = chance.choice([name for name, content in files.items() if isinstance(content, bytes)])
    content, place = bytearray(files[name]), chance.randrange(max(1, len(files[name])))
    match chance.randrange(6):
        case 0:
            for _ in range(chance.choice((1, 3, 30))):
                content[chance.randrange(max(1, min(len(content), 3000))) : place + 1] = chance.randbytes(1)
        case 1:
            del content[place:]
        case 2:
            content[place:place] = chance.randbytes(chance.choice((1, 8, 100)))
        case 3:
            content.clear()
        case 4:
            content[place:place] = b"[" * chance.choice((1, 2000, 200_000))
        case 5:
            content = bytearray(
                bytes(content).decode("latin-1").encode(chance.choice(("utf-16", "utf-8-sig", "utf-32")))
            )
    files[name] = bytes(content)
    return name


def files_swapped(chance, files, bases):
    other = bases[chance.choice(list(bases))]
    name, source = chance.choice(list(files)), chance.choice(list(other))
    files[name] = other[source]
    return f"{source} as {name}"


def file_removed(chance, files, _):
    name = chance.choice(list(files))
    del files[name]
    return name


def no_plain_file(chance, files, _):
    name = chance.choice((*files, *OTHERS))
    elsewhere = ("nowhere", "/dev/zero", "/dev/urandom", name.rpartition("/")[2], "/")
    links = [("link", target) for target in elsewhere]
    files[name] = chance.choice([("pipe",), ("folder",), ("socket",), *links, ("sparse", 3 << 30), ("sparse", 1 << 20)])
    return f"{name} is {files[name]}"


def template_written(chance, files, _):
    text = template(chance)
    match chance.randrange(5):
        case 0 | 1:
            settings = _json(files, SETTINGS)
            settings["chat_template"] = text
            files[SETTINGS] = json.dumps(settings).encode()
        case 2:
            files[JINJA] = text.encode(errors="replace")
        case 3:
            files[LEGACY] = json.dumps({"chat_template": text}).encode()
        case 4:
            settings = _json(files, SETTINGS)
            settings["chat_template"] = [{"name": "default", "template": text}, {"name": "rag", "template": text[::-1]}]
            files[SETTINGS] = json.dumps(settings).encode()
    return text[:3000]


def header_changed(chance, files, _):
    content = files.get(WEIGHTS, b"")
    if not isinstance(content, bytes) or len(content) < 8:
        return "nothing"
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length])
    except ValueError:
        return "nothing"
    name = chance.choice([name for name in header if name != "__metadata__"] or ["x"])
    entry = header.setdefault(name, {})
    match chance.randrange(5):
        case 0:
            said = _change(chance, entry, WEIGHTS)
        case 1:
            said = entry["dtype"] = chance.choice(("F64", "BOOL", "U8", "F8_E4M3", "C64", "F4", "I64", "BF16", "", "x"))
        case 2:
            said = entry["shape"] = [chance.choice((0, 1, 2, 32, 270, 10**12, -1)) for _ in range(chance.randrange(5))]
        case 3:
            said = entry["data_offsets"] = chance.choice(([0, 0], [8, 0], [0, 10**18], [0, 128], [5], [0.5, 1.5]))
        case 4:
            said = header["__metadata__"] = chance.choice(({"format": 5}, [], {"a": {"b": "c"}}, "x", {"format": "pt"}))
    text = json.dumps(header).encode()
    files[WEIGHTS] = len(text).to_bytes(8, "little") + text + content[8 + length :]
    return f"{name}: {said}"


def tokenizer_changed(chance, files, _):
    tree = _json(files, TOKENIZER)
    kind = chance.choice(list(STEPS))
    count = chance.choice((1, 2, 5, 40))
    steps = [_filled(chance, chance.choice(STEPS[kind])) for _ in range(count)]
    if chance.random() < 0.3:
        steps = steps[:1] * count
    name = "pretokenizers" if kind == "pre_tokenizer" else f"{kind}s"
    tree[kind] = {"type": "Sequence", name: steps} if count > 1 else steps[0]
    files[TOKENIZER] = json.dumps(tree).encode()
    return f"{kind}: {count} × {str(steps[0])[:200]}"


def tokens_added(chance, files, _):
    tree = _json(files, TOKENIZER)
    tokens = tree.get("added_tokens")
    if not isinstance(tokens, list):
        return "nothing"
    flags = {name: chance.random() < 0.5 for name in ("single_word", "lstrip", "rstrip", "normalized", "special")}
    count, start = chance.choice((1, 10, 3000)), chance.choice((0, 270, 400, 10**6, 2**32 - 1, 2**40))
    text = chance.choice(("<{}>", " {}", "a", "", "{}", "the {}"))
    tokens += [{"id": start + n, "content": text.format(n), **flags} for n in range(count)]
    files[TOKENIZER] = json.dumps(tree).encode()
    return f"{count} like {tokens[-1]}"


def _filled(chance, value):
    """Return a value with one of each set of choices in it."""
    match value:
        case set():
            return _filled(chance, chance.choice(sorted(value, key=repr)))
        case dict():
            return {key: _filled(chance, each) for key, each in value.items()}
        case list() | tuple():
            return [_filled(chance, each) for each in value]
    return value


TEXT = {"a", "e", " ", "", "the", "z", "▁", "Ġ"}
REGEX = {"(a+)+$", "(.*)*x", "", ".", "(?=e)", "[", r"(\w+\s?)+$", "(?<=a)b", r"\p{L}+", "a{1000000}"}
BEHAVIOR = {"Isolated", "Removed", "MergedWithNext", "Contiguous", "x"}
NUMBER = {0, 1, 5, -1, 10**6, 10**9, 2**40}
PATTERNS = ({"String": TEXT}, {"Regex": REGEX})
REPLACES = [
    {"type": "Replace", "pattern": pattern, "content": {"aa", "", "x" * 1000, "ee", " ", "z", "\n", "▁▁"}}
    for pattern in PATTERNS
]
BYTES = {"type": "ByteLevel", "add_prefix_space": {True, False}, "trim_offsets": True, "use_regex": {True, False}}
METASPACE = {"type": "Metaspace", "replacement": {"▁", "a", ""}, "prepend_scheme": {"always", "never", "x"}}
STEPS = {
    "normalizer": [
        *REPLACES,
        {"type": "Prepend", "prepend": {"▁", "", "a" * 10_000}},
        {"type": {"NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel", "Nonesuch"}},
        {"type": "Strip", "strip_left": True, "strip_right": {True, 5}},
    ],
    "pre_tokenizer": [
        *[{"type": "Split", "pattern": each, "behavior": BEHAVIOR, "invert": {True, False}} for each in PATTERNS],
        BYTES,
        {"type": {"Whitespace", "BertPreTokenizer", "WhitespaceSplit", "UnicodeScripts"}},
        METASPACE,
        {"type": "FixedLength", "length": NUMBER},
    ],
    "decoder": [
        *REPLACES,
        {"type": {"ByteLevel", "ByteFallback", "Fuse", "Nonesuch"}},
        {"type": "Strip", "content": {" ", "a", ""}, "start": NUMBER, "stop": NUMBER},
        {"type": "WordPiece", "prefix": TEXT, "cleanup": True},
        METASPACE,
        {"type": "CTC", "pad_token": TEXT, "word_delimiter_token": TEXT, "cleanup": True},
        {"type": "BPEDecoder", "suffix": TEXT},
    ],
    "post_processor": [
        {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [],
            "special_tokens": {"x": {"id": "x", "ids": [NUMBER], "tokens": ["x"]}},
        },
        BYTES,
        {"type": "BertProcessing", "sep": ["x", NUMBER], "cls": ["y", NUMBER]},
    ],
}

MUTATIONS = {
    values_changed: 9,
    bytes_changed: 3,
    files_swapped: 2,
    file_removed: 1,
    no_plain_file: 2,
    template_written: 6,
    header_changed: 3,
    tokenizer_changed: 5,
    tokens_added: 2,
}


def _json(files, name):
    """Return what a file says, or something to begin with where it says nothing."""
    content = files.get(name, b"")
    try:
        tree = json.loads(content) if isinstance(content, bytes) else {}
    except (ValueError, RecursionError):
        tree = {}
    return tree if isinstance(tree, dict) else {}


def _change(chance, tree, name):
    """Change one value somewhere in a tree, or add or remove one, and return what it was."""
    holder = tree
    while chance.random() < 0.5:
        inner = [value for value in _items(holder).values() if isinstance(value, dict | list) and value]
        if not inner:
            break
        holder = chance.choice(inner)
    keys = list(_items(holder))
    if isinstance(holder, dict) and (not keys or chance.random() < 0.3):
        keys = [chance.choice((*KEYS.get(name, ()), "", "x", "type", "name", "template", "a\nb"))]
    if not keys:
        return "nothing"
    key = chance.choice(keys)
    if chance.random() < 0.1 and key in _items(holder):
        del holder[key]
        return f"no {key!r}"
    holder[key] = _value(chance, _items(holder).get(key), tree)
    return f"{key!r} = {str(holder[key])[:200]!r}"


def _items(holder):
    return holder if isinstance(holder, dict) else dict(enumerate(holder))


def _value(chance, old, tree):
    kind = chance.randrange(9)
    if isinstance(old, int) and kind < 5:
        return chance.choice(NUMBERS)
    if isinstance(old, str) and kind < 2:
        return old[: len(old) // 2] + chance.choice(TEXTS) + old[len(old) // 2 :]
    simple = {0: NUMBERS, 1: FLOATS, 2: TEXTS, 3: (None, True, False), 4: ([], {}, [[[]]], [1, "2", None], {"a": {}})}
    if kind in simple:
        return copy.deepcopy(chance.choice(simple[kind]))
    if kind == 5:
        return "x" * chance.choice((1000, 100_000))
    if kind == 6:
        return [old] * chance.choice((1, 2, 1000))
    if kind == 7:
        return {
            "x": old,
            "type": "default",
            "rope_type": "linear",
            "quant_method": "awq",
            "factor": chance.choice(NUMBERS),
            "group_size": 0,
            "bits": 3,
        }
    return copy.deepcopy(tree) if len(str(tree)) < 10_000 else "tree"
