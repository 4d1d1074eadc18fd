import os
import threading

import pytest

from billy_mlx import files
from billy_mlx.files import make_folder


def test_a_folder_appears_whole_under_its_name(tmp_path):
    def fill(folder):
        assert folder.name == ".model.partial"
        assert not (tmp_path / "models" / "model").exists()
        (folder / "a").write_text("a")

    assert make_folder(tmp_path / "models" / "model", fill)
    assert (tmp_path / "models" / "model" / "a").read_text() == "a"


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "model").mkdir()
    assert not make_folder(tmp_path / "model", lambda folder: pytest.fail("filled again"))


def test_the_files_their_names_and_the_new_name_are_on_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(files, "sync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    make_folder(tmp_path / "model", lambda folder: (folder / "a").touch())
    places = (tmp_path / "model" / "a", tmp_path / "model", tmp_path)
    assert synced == [place.stat().st_ino for place in places]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_after_an_error(tmp_path, error):
    def fill(folder):
        (folder / "a").write_text("half")
        raise error

    with pytest.raises(error):
        make_folder(tmp_path / "model", fill)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_deleted(tmp_path):
    (tmp_path / ".model.partial").mkdir()
    (tmp_path / ".model.partial" / "old").write_text("half")
    make_folder(tmp_path / "model", lambda folder: (folder / "new").touch())
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["new"]


def test_of_several_that_make_the_same_folder_one_does(tmp_path):
    made = []
    work = [
        threading.Thread(
            target=lambda: made.append(make_folder(tmp_path / "model", lambda folder: (folder / "a").touch()))
        )
        for _ in range(8)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sorted(made) == [False] * 7 + [True]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
