"""Each program's lorebooks: what is kept of them, and that the rest is said."""

import base64
import contextlib
import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.errors import DocumentError
from billy_mlx.formats.lorebooks.foreign_lorebook import read_lorebook
from billy_mlx.formats.lorebooks.lorebook import Entry
from billy_mlx.manuscript.importing import read_document

KADE = {"name": "Kade", "text": "Kade is a smith.", "keys": ("Kade", "smith")}
SILLYTAVERN = {"key": ["Kade", "smith"], "keysecondary": ["sword"], "comment": "Kade", "content": KADE["text"]}
NOVELAI = {"text": KADE["text"], "keys": ["Kade", "smith"], "displayName": "Kade"}
CARD = {"keys": ["Kade", "smith"], "content": KADE["text"], "name": "Kade", "insertion_order": 3, "enabled": False}
MIKUPAD = {"displayName": "Kade", "text": KADE["text"], "keys": ["Kade", "smith"], "search": "1024"}
AGNAI = {"name": "Kade", "entry": KADE["text"], "keywords": ["Kade", "smith"], "weight": 4, "enabled": True}
RISU = {"key": "Kade, smith", "comment": "Kade", "content": KADE["text"], "mode": "normal", "alwaysActive": True}
KOBOLD = {"key": "Kade,smith", "keysecondary": "", "keyanti": "axe", "selective": True, "comment": "Kade"}
KOBOLD |= {"content": KADE["text"], "constant": False, "widisabled": True, "probability": "100", "wigroup": ""}
DUNGEON = {"keys": "Kade, smith", "value": KADE["text"], "title": "Kade"}


def in_card(entry, spec="chara_card_v2"):
    return {"spec": spec, "data": {"name": "Kade", "character_book": {"entries": [entry]}}}


def read(content):
    return read_lorebook(json.dumps(content).encode(), "book.json")


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({"entries": {"0": SILLYTAVERN}}, {"secondary_keys": ("sword",)}),
        ({"entries": [SILLYTAVERN | {"disable": True}]}, {"secondary_keys": ("sword",), "enabled": False}),
        ([SILLYTAVERN | {"constant": True}], {"secondary_keys": ("sword",), "always": True}),
        ({"entries": [SILLYTAVERN | {"matchWholeWords": True}]}, {"secondary_keys": ("sword",), "whole_words": True}),
        ({"lorebookVersion": 5, "entries": [NOVELAI]}, {"whole_words": True}),
        ({"entries": [NOVELAI | {"forceActivation": True}]}, {"whole_words": True, "always": True}),
        ({"entries": {"a": NOVELAI | {"enabled": False}}}, {"whole_words": True, "enabled": False}),
        ({"lorebook": {"lorebookVersion": 6, "entries": [NOVELAI]}}, {"whole_words": True}),
        ({"content": {"lorebook": {"lorebookVersion": 5, "entries": [NOVELAI]}}}, {"whole_words": True}),
        ({"mikuPediaVersion": 1, "entries": [MIKUPAD]}, {"scan_chars": 3379}),
        ({"worldInfo": {"mikuPediaVersion": 1, "entries": [MIKUPAD | {"search": ""}]}}, {}),
        (in_card(CARD), {"order": 3, "enabled": False}),
        (
            in_card(CARD | {"enabled": True, "case_sensitive": True}, "chara_card_v3"),
            {"order": 3, "case_sensitive": True},
        ),
        ({"name": "Kade", "first_mes": "", "character_book": {"entries": [CARD]}}, {"order": 3, "enabled": False}),
        ({"spec": "lorebook_v3", "data": {"entries": {"1": CARD}}}, {"order": 3, "enabled": False}),
        ({"kind": "memory", "name": "Kade", "entries": [AGNAI]}, {"order": 4}),
        ({"type": "risu", "ver": 1, "data": [RISU]}, {"always": True}),
        ([KOBOLD], {"enabled": False, "secondary_keys": ("axe",), "combine": "not any"}),
        ({"worldinfo": [KOBOLD | {"widisabled": False, "keyanti": ""}]}, {}),
        ([DUNGEON], {}),
    ],
)
def test_each_programs_entries_come_over_whole(content, fields):
    book, notes = read(content)
    assert book.entries == (Entry(**{**KADE, "whole_words": False, **fields}),)
    assert notes == ()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"probability": 50}, "by chance"),
        ({"position": 4, "depth": 2, "role": 1}, "a place of their own"),
        ({"scanDepth": 3}, "counted the messages"),
        ({"sticky": 3}, "held back or kept"),
        ({"triggers": ["swipe"]}, "conditions besides"),
        ({"matchScenario": True}, "in the card or the persona"),
        ({"preventRecursion": True}, "set off no others"),
        ({"selective": False}, "keysecondary (1 entry, 5 characters)"),
        ({"automationId": "door"}, "automationId (1 entry, 4 characters)"),
        ({"vectorized": True}, "vectorized (1 entry)"),
        ({"order": "first"}, "order (1 entry, 5 characters)"),
        ({"selectiveLogic": 9}, "selectiveLogic"),
        ({"key": ["Kade", ["smith"]]}, "key (1 entry, 5 characters)"),
        ({"key": ["Kade", "x" * 1001]}, "keys of more than 1,000 characters (1 entry, 1,001 characters)"),
        ({"text": "A second text."}, "text (1 entry, 14 characters)"),
        ({"extensions": {"depth_prompt": "abc"}}, "extensions.depth_prompt (1 entry, 3 characters)"),
        ({"comment": "x" * 203}, "the end of a long name (1 entry, 3 characters)"),
        ({"content": "Hi {{user}}"}, "{{placeholders}}"),
        ({"content": "half \ud83d"}, "no file can hold"),
    ],
)
def test_what_cannot_be_carried_over_is_said_and_counted(more, said):
    _, (note,) = read({"entries": {"0": SILLYTAVERN | more}})
    assert said in note
    assert "1 of 1 entries" in note or "1 entry" in note


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"name": "Ada", "description": "Old.", "data": {"character_book": {"entries": [CARD]}}},
            "description (4",
        ),
        ({"entries": [SILLYTAVERN], "token_budget": 500}, "token_budget"),
        (
            {"mikuPediaVersion": 1, "entries": [MIKUPAD], "prefix": "[", "suffix": "]"},
            "prefix (1 character); suf",
        ),
        ({"lorebookVersion": 9, "entries": [NOVELAI]}, "version 9"),
        (
            {"lorebookVersion": 5, "entries": [NOVELAI], "categories": [{"id": "a", "name": "People"}]},
            "categories (6",
        ),
        ({"lorebookVersion": 5, "entries": [NOVELAI], "settings": {"orderByKeyLocations": True}}, "where their keys"),
        ({"content": {"lorebook": {"entries": [NOVELAI]}, "context": [{"text": "Memo"}]}}, "context (4 characters)"),
    ],
)
def test_what_stands_around_the_entries_is_said_to_be_left_out(content, said):
    _, (note,) = read(content)
    assert said in note


def test_one_bad_entry_is_named_and_does_not_refuse_the_book():
    bad = ["text", {"comment": "List", "content": ["a"]}, {"key": ["b", "c"], "content": None}, {"comment": "Empty"}]
    book, (note,) = read({"entries": [*bad, SILLYTAVERN]})
    assert [entry.name for entry in book.entries] == ["Kade"]
    assert "entry 1 is not an object" in note
    assert "entry 2 (List) has a content that is no text" in note
    assert "entry 3 (b) has no text, only keys: b, c" in note
    assert "entry 4 (Empty) has neither text nor keys" in note


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"entries": [{"foo": 1}, {}]}, "entry 1 has neither text nor keys; entry 2"),
        ({"entries": {}}, "no entries"),
        ({"content": {"lorebook": {"entries": []}}}, "no entries"),
        ({"name": "Ada", "first_mes": "Hello."}, "a character card without a lorebook"),
        ({"spec": "chara_card_v3", "data": {"name": "Ada"}}, "a character card without a lorebook"),
        ({"entries": 5}, "not a lorebook of a known kind"),
        ([1, "a"], "not a lorebook of a known kind"),
    ],
)
def test_a_file_without_an_entry_is_refused_by_name(content, said):
    with pytest.raises(DocumentError, match=r"^book\.json was not imported") as caught:
        read(content)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fields", "notes"),
    [
        ("@@activate\nKade.", {"always": True}, ()),
        ("@@dont_activate\n\nKade.", {"enabled": False}, ()),
        ("@@dont_activate\n@@activate\nKade.", {"always": True}, ()),
        ("@@additional_keys sword, axe\nKade.", {"secondary_keys": ("sword", "axe")}, ()),
        ("@@exclude_keys sea\r\n@@@depth 3\r\nKade.", {"secondary_keys": ("sea",), "combine": "not any"}, ()),
        ("@@depth 4\n@@role user\nKade.", {}, ("@@depth (1 entry); @@role (1 entry)",)),
        ("@@other_program 4\n@@@activate\nKade.", {"always": True}, ("@@other_program (1 entry)",)),
        ("Kade.\n  @@depth 4", {}, ("@@depth (1 entry)",)),
        ("@@@depth 4\nKade.", {}, ("@@depth (1 entry)",)),
    ],
)
@pytest.mark.parametrize("wrap", [in_card, lambda entry: {"entries": {"0": entry}}])
def test_decorators_are_obeyed_or_said_and_never_sent(text, fields, notes, wrap):
    book, said = read(wrap({"keys": ["Kade"], "content": text}))
    assert book.entries == (Entry("Kade", "Kade.", ("Kade",), **{"whole_words": False, **fields}),)
    assert tuple(note.partition(": ")[2] for note in said) == notes


def test_keys_that_are_patterns_become_patterns():
    book, _ = read({"mikuPediaVersion": 1, "entries": [{"text": "x", "keys": ["Dr. Kade", "ka(de|te)", "/a/"]}]})
    assert book.entries[0].keys == ("Dr. Kade", "/ka(de|te)/i", "/a/")
    book, _ = read(in_card({"content": "x", "keys": ["k[ae]de", "/a,b/g"], "use_regex": True, "case_sensitive": True}))
    assert book.entries[0].keys == ("/k[ae]de/", "/a,b/g")


def test_sillytavern_goes_by_the_slashes_alone():
    entry = {"content": "x", "keys": ["C++", "/a/"], "use_regex": True, "extensions": {"selectiveLogic": 0}}
    assert read(in_card(entry))[0].entries[0].keys == ("C++", "/a/")


USUAL = {
    "sillytavern": {"entries": {"0": SILLYTAVERN | {"uid": 0, "displayIndex": 3, "addMemo": True, "order": 100}}},
    "novelai": {"lorebookVersion": 5, "entries": [NOVELAI | {"id": "a-b", "lastUpdatedAt": 1, "category": ""}]},
    "card": in_card(CARD | {"id": 1, "position": "after_char", "use_regex": True, "comment": "Kade", "priority": None}),
}
USUAL["sillytavern"]["entries"]["0"] |= {
    **{
        "vectorized": False,
        "selective": True,
        "selectiveLogic": 0,
        "position": 0,
        "disable": False,
        "ignoreBudget": False,
    },
    **{"excludeRecursion": True, "preventRecursion": False, "delayUntilRecursion": 0, "probability": 100, "depth": 4},
    **{"useProbability": True, "outletName": "", "group": "", "groupOverride": False, "groupWeight": 100, "role": None},
    **{"scanDepth": None, "caseSensitive": None, "matchWholeWords": None, "useGroupScoring": None, "automationId": ""},
    **{"sticky": 0, "cooldown": 0, "delay": 0, "triggers": [], "matchScenario": False, "ignoreBudget": False},
    **{"characterFilter": {"isExclude": False, "names": [], "tags": []}},
}
USUAL["novelai"] |= {"settings": {"orderByKeyLocations": False}, "categories": [], "order": []}
USUAL["novelai"]["entries"][0] |= {
    **{"enabled": True, "forceActivation": False, "keyRelative": False, "nonStoryActivatable": False},
    "contextConfig": {
        **{"prefix": "", "suffix": "\n", "tokenBudget": 1, "reservedTokens": 0, "budgetPriority": 400},
        **{"trimDirection": "trimBottom", "insertionType": "newline", "maximumTrimType": "sentence"},
        "insertionPosition": -1,
    },
    "loreBiasGroups": [
        {"phrases": [], "ensureSequenceFinish": False, "generateOnce": True, "bias": 0, "enabled": True}
    ],
}
USUAL["card"]["data"]["character_book"]["entries"][0]["extensions"] = {
    **{"position": 1, "exclude_recursion": False, "display_index": 0, "probability": 100, "useProbability": True},
    **{"depth": 4, "selectiveLogic": 0, "group": "", "group_weight": 100, "prevent_recursion": False, "role": 0},
    **{"scan_depth": None, "match_whole_words": None, "case_sensitive": None, "sticky": 0, "automation_id": ""},
}


@pytest.mark.parametrize("program", sorted(USUAL))
def test_what_a_program_writes_where_nobody_chose_anything_is_no_loss(program):
    book, notes = read(USUAL[program])
    assert book.entries[0].text == "Kade is a smith."
    assert notes == ()


def part(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(*parts, end=True):
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", bytes(13)) + b"".join(parts) + part(b"IEND", b"") * end


PACKED = json.dumps(in_card(CARD)).encode()
IN_BASE64 = base64.b64encode(PACKED)


@pytest.mark.parametrize(
    "parts",
    [
        [part(b"tEXt", b"chara\0" + IN_BASE64)],
        [part(b"tEXt", b"Chara\0" + PACKED)],
        [part(b"tEXt", b"ccv3\0" + IN_BASE64), part(b"tEXt", b"chara\0damaged")],
        [part(b"tEXt", b"ccv3\0" + base64.b64encode(b'{"data": {}}')), part(b"tEXt", b"chara\0" + IN_BASE64)],
        [part(b"zTXt", b"chara\0\0" + zlib.compress(IN_BASE64))],
        [part(b"iTXt", b"chara\0\1\0en\0title\0" + zlib.compress(IN_BASE64))],
        [part(b"iTXt", b"chara\0\0\0\0\0" + IN_BASE64)],
        [part(b"tEXt", b"naidata\0" + base64.b64encode(json.dumps({"entries": [CARD]}).encode()))],
    ],
)
def test_a_card_in_a_picture_comes_over(parts):
    book, _ = read_lorebook(picture(*parts), "kade.png")
    assert book.entries == (Entry(**KADE, whole_words=False, order=3, enabled=False),)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (picture(), "without a card"),
        (picture(end=False), "ends too early"),
        (picture(b"\xff\xff\xff\xfftEXtchara\0abc"), "ends too early"),
        (picture(part(b"tEXt", b"chara\0!!!")), "is damaged"),
        (picture(part(b"zTXt", b"chara\0\0no")), "cannot be unpacked"),
        (picture(part(b"zTXt", b"chara\0\0" + zlib.compress(bytes(17 << 20)))), "unpacks to more than 16 MiB"),
        (picture(part(b"iTXt", b"chara")), "cannot be read as JSON"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"RIFF0000WEBP", "a WebP picture"),
        (b"PK\x03\x04", "an archive"),
    ],
)
def test_a_picture_that_will_not_do_is_refused_in_a_sentence(data, said):
    with pytest.raises(DocumentError, match=r"^kade\.png was not imported") as caught:
        read_lorebook(data, "kade.png")
    assert said in str(caught.value)
    assert str(caught.value).count("\n") == 0


@given(st.binary(max_size=80), st.integers(0, 200))
def test_damaged_pictures_are_read_or_refused(damage, place):
    data = picture(part(b"tEXt", b"chara\0" + IN_BASE64), part(b"zTXt", b"ccv3\0\0" + zlib.compress(IN_BASE64)))
    with contextlib.suppress(DocumentError):
        assert read_lorebook(data[:place] + damage + data[place + len(damage) :], "x")[0].entries


BOOKS = [*(json.dumps(file).encode() for file in USUAL.values()), picture(part(b"tEXt", b"chara\0" + IN_BASE64))]


@pytest.mark.parametrize("data", [*BOOKS, b"\xef\xbb\xbf\n" + BOOKS[0]])
def test_a_lorebook_that_is_taken_for_a_text_is_told_with_where_it_goes(data):
    with pytest.raises(DocumentError, match=r"^kade\.txt holds a lorebook, .* in “Memory and notes”$"):
        read_document(data, "kade.txt")


@pytest.mark.parametrize("text", ["[She](x) ran.", "{He ran.", "[1, 2]", '{"a": 1}', "[" * 100_000])
def test_a_text_that_begins_as_a_lorebook_is_a_text(text):
    assert read_document(text.encode(), "kade.txt").text


WORDS = st.text(st.sampled_from("abcé民ก @{}/,.\n"), max_size=12)
LISTS = st.lists(WORDS | st.none() | st.integers(0, 99), max_size=3)
VALUES = WORDS | st.none() | st.booleans() | st.integers(-5, 5) | LISTS
NAMES = {  # what each program calls text, keys, secondary keys and name
    "sillytavern": ("content", "key", "keysecondary", "comment"),
    "card": ("content", "keys", "secondary_keys", "name"),
    "novelai": ("text", "keys", "", "displayName"),
    "mikupad": ("text", "keys", "", "displayName"),
    "agnai": ("entry", "keywords", "", "name"),
    "risu": ("content", "key", "secondkey", "comment"),
}
WRAPPED = {
    "sillytavern": lambda entries: {"entries": {str(number): one for number, one in enumerate(entries)}},
    "card": lambda entries: {"data": {"character_book": {"entries": entries}}},
    "novelai": lambda entries: {"lorebookVersion": 5, "entries": entries},
    "mikupad": lambda entries: {"mikuPediaVersion": 1, "entries": entries},
    "agnai": lambda entries: {"kind": "memory", "entries": entries},
    "risu": lambda entries: {"type": "risu", "data": entries},
}


@st.composite
def books(draw):
    program = draw(st.sampled_from(sorted(NAMES)))
    text, keys, secondary, name = NAMES[program]
    kinds = {
        text: VALUES,
        keys: LISTS | WORDS,
        name: VALUES,
        "selective": st.booleans(),
        "zzz": VALUES,
        "order": VALUES,
    }
    kinds |= {secondary: LISTS | WORDS} if secondary else {}
    entries = draw(st.lists(st.fixed_dictionaries({}, optional=kinds), min_size=1, max_size=4))
    return WRAPPED[program]([*entries, {text: "kept"}]), entries, NAMES[program]


def signs(value):
    """Return the letters of a text, without what separates keys."""
    return [letter for letter in str(value) if letter not in " ,\n/"]


def undecorated(text):
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("@@"))


def is_in(value, result, notes, field):
    """Return whether a text is in what was read in its order, or its field is named as one that is not kept."""
    left = iter(signs(" ".join(result)))
    return all(letter in left for letter in signs(value)) or f"{field} (" in notes


@given(books())
def test_every_text_and_key_is_in_the_result_or_is_said_to_be_left_out(drawn):
    content, entries, (text, keys, secondary, name) = drawn
    book, said = read(content)
    notes = "\n".join(said)
    taken = iter(book.entries)
    for number, source in enumerate(entries, start=1):
        if f"entry {number} " in notes.partition("left out: ")[2]:
            assert not isinstance(source.get(text), str) or not undecorated(source[text]).strip()
            continue
        entry = next(taken)
        assert is_in(undecorated(source[text]), [entry.text], notes, text)
        for field, into in ((keys, entry.keys), (secondary, entry.secondary_keys), (name, (entry.name, *entry.keys))):
            values = source.get(field) or []
            for value in values if isinstance(values, list) else str(values).split(","):
                assert value in (None, True, False, 0) or is_in(value, into, notes, field)
        assert "zzz" in notes or not any(signs(one) for one in [source.get("zzz")] if isinstance(one, str))
    assert [entry.text for entry in taken] == ["kept"]
    assert not any(line.lstrip().startswith("@@a") for one in book.entries for line in one.text.splitlines()) or (
        "lorebookVersion" in content
    )
