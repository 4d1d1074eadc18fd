"""docs/models.md says of every flag of mlx-lm what it is here, and is right."""

import re
import sys
from pathlib import Path

import pytest

from billy_mlx.cli.generate import command

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def flags():
    sys.path.insert(0, str(DOCS))
    try:
        import flags

        return flags
    finally:
        sys.path.remove(str(DOCS))


def test_every_flag_of_mlx_lm_has_a_line(flags):
    assert flags.theirs().keys() == flags.lines().keys()
    assert len(flags.theirs()) > 40


def test_the_page_has_the_table_as_it_is_now(flags):
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    assert "\n".join(flags.table()) in page


def test_what_is_said_to_be_here_is_here(flags):
    own = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    named = {name for line in flags.lines().values() for name in re.findall(r"--[a-z-]+", line.get("ours", ""))}
    assert len(named) > 12
    assert named - own == set()


def test_what_has_the_same_name_is_not_said_to_be_left_out(flags):
    own = {option for parameter in command.params for option in parameter.opts}
    assert [flag for flag, line in flags.lines().items() if "ours" not in line and flag in own] == []
