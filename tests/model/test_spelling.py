"""What tokens spell: whole characters, and no replacement character that no token spells."""

import numpy as np
import pytest
from helpers.tiny_models import pieces_tokenizer, recited, reciting_folder, tiny_tokenizer
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from billy_mlx.model.decode import Decoding
from billy_mlx.model.load import load
from billy_mlx.model.rows import Row
from billy_mlx.model.sampling import Sampling
from billy_mlx.model.spelling import Detokenizer, Spelling
from billy_mlx.model.starter import starter_folder

MADE_UP = "\N{REPLACEMENT CHARACTER}"
TOKENIZERS = {"bytes": tiny_tokenizer(), "pieces": pieces_tokenizer()}
SPELLINGS = {name: Spelling(PreTrainedTokenizerFast(tokenizer_object=each)) for name, each in TOKENIZERS.items()}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.fixture(params=list(TOKENIZERS))
def kind(request):
    return request.param


def spelt(spelling, tokens, before=()):
    """Return the text of `tokens`, and how many of them are left at the end of half a character."""
    detokenizer = Detokenizer(spelling, before)
    text = "".join(detokenizer.add(token) for token in tokens)
    return text, detokenizer.unfinished


def require_whole(spelling, text, tokens, before=b""):
    """Assert that a text is what its tokens spell, and that nothing is begun that they do not end."""
    whole = before + b"".join(spelling.of(token) for token in tokens)
    assert before.decode(errors="ignore") + text == whole.decode(errors="ignore")
    assert text.count(MADE_UP) == (whole.count(MADE_UP.encode()) - before.count(MADE_UP.encode()))
    assert whole.decode(errors="ignore") == (whole + b"x").decode(errors="ignore")[:-1]


@given(text=TEXTS, before=TEXTS)
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_text_comes_back_as_it_was_whatever_it_goes_on_from(kind, text, before):
    tokenizer = TOKENIZERS[kind]
    prompt = [0, *tokenizer.encode(before, add_special_tokens=False).ids]
    text = text.replace("▁", "")  # which these pieces cannot tell from a space
    assert spelt(SPELLINGS[kind], tokenizer.encode(text, add_special_tokens=False).ids, prompt) == (text, 0)


@given(data=st.data())
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_any_tokens_give_whole_characters_and_those_left_over_are_counted(kind, data):
    tokens = data.draw(st.lists(st.integers(0, TOKENIZERS[kind].get_vocab_size() - 1), max_size=30))
    spelling = SPELLINGS[kind]
    text, unfinished = spelt(spelling, tokens, before=[0])
    require_whole(spelling, text, tokens[: len(tokens) - unfinished])


@given(text=TEXTS)
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_what_is_held_back_is_one_character_and_never_more(kind, text):
    detokenizer, shown = Detokenizer(SPELLINGS[kind], [0]), ""
    text = text.replace("▁", "")
    for token in TOKENIZERS[kind].encode(text, add_special_tokens=False).ids:
        shown += detokenizer.add(token)
        assert text.startswith(shown)
        assert detokenizer.unfinished < 4


def test_a_space_at_the_beginning_belongs_to_a_text_that_goes_on(kind):
    (space,) = {TOKENIZERS[kind].token_to_id(sign) for sign in ("Ġ", "▁")} - {None}
    letter = TOKENIZERS[kind].token_to_id("b")
    assert spelt(SPELLINGS[kind], [space, space, letter]) == (" b", 0)
    assert spelt(SPELLINGS[kind], [space, space, letter], before=[letter]) == ("  b", 0)


@pytest.mark.parametrize("tokens", [[b"\xe3\x81"], [b" \xe2\x80"], [b"\xf0", b"\x9f", b"\xa6"], [b"a", b"\xc3"]])
def test_half_a_character_at_the_end_has_no_text_and_takes_its_tokens_along(tokens):
    spelling = planted(tokens)
    text, unfinished = spelt(spelling, range(len(tokens)), before=[0])
    begun = next(place for place, token in enumerate(tokens) if not token.isascii())
    assert text == b"".join(tokens[:begun]).decode()
    assert unfinished == len(tokens) - begun


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([b"\xe3", b"a"], "a"),
        ([b"\x81", b"a"], "a"),
        ([b" \xe2\x80", b" \xe2\x80", b"\x9c"], "  “"),
        ([b" \xe2\x80", b"\n"], " \n"),
        ([b"\xff", b"b"], "b"),
        ([b"\xef\xbf\xbd"], MADE_UP),
        ([b"\xef", b"", b"\xbf", b"\xbd", b"."], f"{MADE_UP}."),
    ],
)
def test_bytes_that_no_character_has_are_left_out_and_nothing_else_is(tokens, text):
    assert spelt(planted(tokens), range(len(tokens)), before=[len(tokens)]) == (text, 0)


def planted(tokens):
    class Planted(Spelling):
        def __init__(self):
            self._known = dict(enumerate([*tokens, b"x"]))

    return Planted()


WORDS = ["[UNK]", "the", "harbour", "##s", "##ed", "light", "!", MADE_UP]


@pytest.mark.parametrize("decoder", [None, decoders.WordPiece(), decoders.BPEDecoder()])
def test_a_tokenizer_that_spells_in_its_own_way_is_tried_out(decoder):
    tokenizer = Tokenizer(models.WordPiece({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Whitespace(), decoder
    spelling = Spelling(PreTrainedTokenizerFast(tokenizer_object=tokenizer))
    tokens = [1, 2, 5, 7]
    assert spelt(spelling, tokens)[0] == tokenizer.decode(tokens).strip()


def test_an_id_that_no_token_has_spells_nothing():
    for spelling in SPELLINGS.values():
        assert spelling.of(10_000) == b""
        assert spelling.of(-1) == b""


GREEDY = Sampling(temperature=0.0)
ROWS = 128


def recite(model, starts, lengths):
    """Have a model recite from each of `starts` on; return the texts, and the tokens that they are made of."""
    rows = [
        Row((start,), sampling=GREEDY, max_tokens=length, continues=True)
        for start, length in zip(starts, lengths, strict=True)
    ]
    texts, tokens = [""] * len(rows), [[] for _ in rows]
    for step in Decoding(model, rows):
        for news in step.emitted:
            texts[news.row] += news.text
            tokens[news.row].append(news.token)
            del tokens[news.row][len(tokens[news.row]) - news.withdrawn :]
    return texts, tokens


def require_every_token_whole(model, count, turns):
    """Cut all that a model recites into short texts, each turn in other places, and assert that each is whole."""
    order, ends = recited(count).tolist(), model.spelling.ends
    places, seen = {token: place for place, token in enumerate(order)}, set()
    for turn in range(turns):
        cuts = np.cumsum(np.random.default_rng(turn).integers(1, 24, count))
        cuts = sorted({0, count, *(cut for cut in cuts.tolist() if cut < count), *(places[end] + 1 for end in ends)})
        starts, lengths = [order[cut - 1] for cut in cuts[:-1]], np.diff(cuts).tolist()
        for at in range(0, len(starts), ROWS):
            rows = slice(at, at + ROWS)
            for start, text, tokens in zip(starts[rows], *recite(model, starts[rows], lengths[rows]), strict=True):
                first = places[start] + 1
                assert tokens == [order[place % count] for place in range(first, first + len(tokens))]
                written = [token for token in tokens if token not in ends]
                require_whole(model.spelling, text, written, model.spelling.of(start))
                seen |= {*tokens}
    assert len(seen) > 0.95 * count  # all but tokens that always stood in half a character at the end


@pytest.mark.slow
def test_a_text_that_ends_at_any_token_ends_in_a_whole_character(kind, tmp_path):
    model = load(reciting_folder(tmp_path / "reciting", TOKENIZERS[kind]))
    require_every_token_whole(model, TOKENIZERS[kind].get_vocab_size(), 3)


@pytest.mark.long
@pytest.mark.usefixtures("starter_home")
def test_a_text_that_ends_at_any_token_of_the_starter_ends_in_a_whole_character(tmp_path):
    tokenizer = Tokenizer.from_file(str(starter_folder() / "tokenizer.json"))
    model = load(reciting_folder(tmp_path / "reciting", tokenizer, template=None))
    require_every_token_whole(model, tokenizer.get_vocab_size(), 1)
