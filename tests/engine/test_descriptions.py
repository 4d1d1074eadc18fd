"""What is told of a model and its vectors."""

import pytest

from billy_mlx.engine.descriptions import model_info, vector_infos
from billy_mlx.vectors.library import vector_path


def test_a_model_is_described(tiny):
    note = model_info(tiny)
    assert (note.layers, note.width, note.chat, note.batches, note.demonstration) == (4, 32, True, True, False)


def test_a_damaged_vector_is_told_and_left_out(tiny):
    path = vector_path("noir", tiny.fingerprint)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nothing")
    notes, [fault] = vector_infos(tiny)
    assert notes == {}
    assert str(path) in fault


@pytest.mark.slow
def test_the_starters_vectors_are_known(starter_home):
    from billy_mlx.model.load import load

    model = load("starter")
    notes, faults = vector_infos(model)
    assert (len(notes), faults) == (24, ())
    assert model_info(model).demonstration
    assert 0 < notes["gothic"].gentle < 1
    assert not notes["gothic"].own
    assert notes["gothic"].strength > 1
    assert notes["satirist"].weakness is not None
    assert notes["gothic"].effect > 0 > notes["satirist"].effect
