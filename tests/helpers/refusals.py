"""How what is refused has to be said."""

import unicodedata

import pytest

from billy_mlx.errors import BillyError

LONGEST = 600
_FORBIDDEN = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of characters, ends of lines


def refusal(do):
    """Return the sentence with which something is refused."""
    with pytest.raises(BillyError) as caught:
        do()
    said = str(caught.value)
    assert not objection(said), f"{objection(said)}: {said}"
    return said


def objection(said):
    """Return what is wrong with a sentence, or nothing."""
    if not 0 < len(said) <= LONGEST:
        return f"{len(said)} letters"
    return "a control character" if any(unicodedata.category(each) in _FORBIDDEN for each in said) else ""
