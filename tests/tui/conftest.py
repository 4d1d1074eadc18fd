"""What tests of the studio begin with."""

import pytest


@pytest.fixture
def novel(tmp_path):
    """A text that is there."""
    path = tmp_path / "novel.md"
    path.write_text("It was a dark night. The lamp", encoding="utf-8")
    return path
