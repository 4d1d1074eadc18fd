"""Any lorebook, as a strategy."""

from hypothesis import strategies as st

from billy_mlx.formats.lorebooks.lorebook import Entry, Lorebook

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Co"], exclude_characters="\0"), max_size=20)
KEYS = st.lists(TEXTS.filter(str.strip), max_size=3).map(tuple)
ENTRIES = st.builds(
    Entry,
    name=TEXTS.filter(bool),
    text=TEXTS,
    keys=KEYS,
    secondary_keys=KEYS,
    combine=st.sampled_from(["any", "all", "not any", "not all"]),
    enabled=st.booleans(),
    always=st.booleans(),
    case_sensitive=st.booleans(),
    whole_words=st.booleans(),
    scan_chars=st.none() | st.integers(1, 20_000),
    order=st.integers(-(2**53), 2**53),
    cascade=st.booleans(),
)
LOREBOOKS = st.builds(Lorebook, st.lists(ENTRIES, max_size=4).map(tuple), st.integers(1, 20_000))
