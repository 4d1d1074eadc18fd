"""What is kept is not made again."""

import pytest

from billy_mlx.bench.cache import cached
from billy_mlx.steps import finish


def counted(calls):
    calls.append(1)
    yield 1
    return [0.5, None]


@pytest.mark.parametrize("damage", [b'{"not": "a list"}', b"[0.5, \xff]", b"[" * 5000])
def test_what_is_kept_is_not_made_again_and_damage_is(tmp_path, damage):
    folder, calls = tmp_path / "scores", []
    for decides in ("x", "x", "y"):
        assert finish(cached(folder, "name", decides, list[float | None], counted(calls))) == [0.5, None]
    assert len(calls) == 2
    for path in folder.iterdir():
        path.write_bytes(damage)
    finish(cached(folder, "name", "x", list[float | None], counted(calls)))
    assert len(calls) == 3
