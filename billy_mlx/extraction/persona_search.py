"""Find personas by what a writer would call them: a name, a mood, a genre, or another word for one of these."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

_SAME = (  # words for one thing, of which cards have the one or the other as a tag
    "sad sadness melancholy melancholic mournful sorrow sorrowful grief unhappy gloomy tragic tragedy bittersweet "
    "wistful depressing heartbreaking",
    "funny fun humor humour humorous comedy comedic comical hilarious amusing laugh laughs jokes joking silly goofy",
    "scary scared frightening fear fearful creepy spooky eerie terrifying terror horror horrific horrible chilling "
    "macabre haunted ghostly ghosts vampires monsters sinister",
    "dark darkness grim bleak brooding gritty noirish",
    "romantic romance romances love lovers passion passionate",
    "fantasy fantastic magic magical wizards witches dragons elves enchanted",
    "mythical myth myths legend legends folk folklore epic medieval",
    "poetic poetry poem poems poet verse lyric beautiful musical",
    "old-fashioned old olden vintage antique historical history archaic classic classical traditional period 19th",
    "whimsical quirky playful fanciful",
    "sci-fi scifi science-fiction sf space spaceship aliens robots cyberpunk futuristic future",
    "tense tension suspense suspenseful thriller thrilling gripping nervous dramatic drama",
    "cosy cozy comforting comfort snug homely wholesome heartwarming feel-good",
    "warm gentle tender soft soothing sweet",
    "angry anger rage furious bitter outraged mad cross",
    "business corporate company commercial sales marketing finance economic work office",
    "science scientific scientist research",
    "crime criminal detective murder police mafia whodunit hardboiled hard-boiled investigation",
    "mystery mysterious mysteries secret secretive",
    "children child kids kid childish bedtime picture-book",
    "nature natural wild wilderness landscape countryside outdoors pastoral rural",
    "travel traveller traveler journey road-trip wandering abroad",
    "adventure adventurous quest action exciting western cowboys pirates",
    "formal polite stiff proper elegant",
    "ornate flowery elaborate purple baroque florid",
    "dreamy dream dreams surreal surrealist psychedelic hypnotic strange weird odd bizarre",
    "calm peaceful quiet serene meditative slow relaxed relaxing tranquil zen",
    "happy cheerful joyful joy upbeat bright light lighthearted light-hearted merry",
    "hopeful hope optimistic optimism positive uplifting",
    "kind caring empathetic compassionate friendly loving nice sympathetic supportive",
    "wise wisdom thoughtful philosophical reflective",
    "ironic irony sarcastic sarcasm satire satirical mocking snarky cynical cynic wry biting",
    "witty wit clever smart intelligent",
    "simple plain spare sparse terse short minimal laconic blunt",
    "serious earnest grave solemn sober",
    "logical logic rational analytical reasoned methodical",
    "academic scholarly learned professor university educational intellectual",
    "inspiring inspirational motivational motivating visionary",
    "ambitious grand confident bold heroic",
    "technology tech technical technological gadgets computers engineering",
    "political politics activist social protest",
    "emotional feelings feeling sensitive heartfelt intimate",
    "sensual sensuous lush erotic sexy",
    "nostalgic nostalgia longing yearning",
    "violent violence brutal bloody war",
    "rich luxurious wealth wealthy money",
    "practical everyday down-to-earth realistic realism real ordinary",
    "energetic lively fast hectic dynamic enthusiastic",
    "moral preachy pious stern strict",
    "modern contemporary urban city",
    "supernatural paranormal occult",
    "speculative dystopian dystopia apocalyptic apocalypse steampunk utopian",
    "creative artistic artist original imaginative inventive",
)
_IDLE = (
    "a an and the of in with very more most something someone somebody like voice voices style styled story stories "
    "book novel writing writer written mood tone genre"
)
_SYNONYM_LETTERS = 3  # from so many on, the beginning of a word stands for its synonyms
_BY_NAME, _BY_LATER_NAME, _BY_TAG, _BY_SYNONYM, _BY_DESCRIPTION = 5, 4, 3, 2, 1


class Findable(Protocol):
    """What can be found."""

    @property
    def id(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def description(self) -> str: ...  # noqa: D102

    @property
    def tags(self) -> tuple[str, ...]: ...  # noqa: D102


_Found = TypeVar("_Found", bound=Findable)


def find(everyone: Sequence[_Found], wanted: str) -> list[_Found]:
    """Return who is all of `wanted`, the likeliest first; if nobody is, who is the most of it, if anything at all.

    Each word may be the beginning of a word of the name, id or description, of a tag, or of another word for one.
    Without any word it is everybody.
    """
    words = wanted.casefold().split()
    found = _most(everyone, words)
    told = [word for word in words if word not in _IDLE.split()]
    if all(all(rank) for rank, _ in found) or not told:
        return [one for _, one in found]
    return [one for _, one in _most(everyone, told)]


def _most(everyone: Sequence[_Found], words: Sequence[str]) -> list[tuple[list[int], _Found]]:
    """Return who is the most of `words`, with how sure each of them is, the surest first."""
    ranked = [([_rank(one, word) for word in words], one) for one in everyone]
    most = max((sum(map(bool, rank)) for rank, _ in ranked), default=0)
    found = [(rank, one) for rank, one in ranked if sum(map(bool, rank)) == most and (most or not words)]
    return sorted(found, key=lambda pair: -sum(pair[0]))  # a stable sort


def _rank(one: Findable, word: str) -> int:
    """Return how sure it is that `word` means somebody; 0 if it does not."""
    if one.name.casefold().startswith(word):
        return _BY_NAME
    if _begins(word, f"{one.name} {one.id}"):
        return _BY_LATER_NAME
    if any(_begins(word, tag) for tag in one.tags):
        return _BY_TAG
    if not _same(word).isdisjoint(one.tags):
        return _BY_SYNONYM
    return _BY_DESCRIPTION if _begins(word, one.description) else 0


def _begins(word: str, text: str) -> bool:
    text = text.casefold()
    return text.startswith(word) or any(each.startswith(word) for each in re.split(r"[\W_]+", text) if each)


@lru_cache(maxsize=256)
def _same(word: str) -> frozenset[str]:
    """Return all words for what a word, or the beginning of one, may mean."""
    if len(word) < _SYNONYM_LETTERS:
        return frozenset()
    groups = [group.split() for group in _SAME]
    return frozenset(each for group in groups if any(one.startswith(word) for one in group) for each in group)
