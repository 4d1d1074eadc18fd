"""Tensors in .pt files: read exactly, from nothing but tensors, and nothing of a pickle is run."""

import base64
import os
import pickle
import struct
import zipfile
import zlib
from contextlib import suppress

import numpy as np
import pytest
from helpers.foreign_files import atom, tensor_pickle, write_torch, write_torch_zip
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.errors import VectorError
from billy_mlx.formats.vectors.torch_file import MAX_BYTES, MAX_FILE_BYTES, read_rows

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4) / 8
RAW = VALUES.tobytes()
PICKLE = tensor_pickle((3, 4), (4, 1))

# torch.save(torch.arange(12.).reshape(3, 4).div(8).bfloat16(), "vector.pt") of PyTorch 2.13, packed.
BY_PYTORCH = (
    "c-p0uzi-n(6vxkT;snz+m5{1NsK7=*C5dAvaRkJbg}itm4FW|huIsp|RX6V0mmm-lkr0*G_y<7nAF#1@WQBzVv9Q1Ztc={njbpot`Sm30Wcz*J"
    "`@Hk_+*au{0J$7E5qWS1j7$SLZn>u;y>zf=D{>y(jm9`dGK}4lHbj=~v6^dc4=uZ=A#>n4t~RQ&5EP5uEUxI`OucVH%9pURVmmtG>bLyoEKGGN"
    "oK}H!m&U7cFobD!0m00s3RGH6A3{b=tJERPJ~a%-wlSRL3_SLx+cRCWcf&Fe3v-t`@Dze<2c9mq)okw7!uN~MaW!(a=MK99&QFIe?Ktkfj<k{K"
    "dbqqIpN-EP4vzGA^W)=VLQW<2C;&0&al93pZd?7qzBxdOEF`s=8+CyINcZ5^6mF491Xu<eQ-JOJ$aKiIDe|>{>N^eFLdZ4=!;|Zu3k>eUBr+@l"
    "DeS6pMUk)m4*)LN8n=#GK)N7pNL$iadM3S;UQ2}Nk@oPzDo$8UBw7ONQ=;IL7ylTEXGy1bFZ#ECzyE814-7CF-ZNbbJK%v%e5_eLMK1sCUU0QW"
    "Rpgq@8pnw>p)T;1YQ4fYgj%gCG{kCMY&J!nZ&nE9&Zn)*Ma)s0P*Mao;0zy={0Z{de;_Un`+p@O{5BKE&Q-id*usTKjZF&7KR59*VHYk(%DkVI"
    "3EUr7haIyRQQt{{sBh!aumzSP(l0aVoY})4W-X%a&>-0|ZIxlxkCV^QR{~)+w!WqO^(XDGST}ifl=1KVUss0lHQ7nNpZg0+XID4"
)


def test_a_file_that_pytorch_wrote_is_read_exactly(tmp_path):
    (tmp_path / "vector.pt").write_bytes(zlib.decompress(base64.b85decode(BY_PYTORCH)))
    values = read_rows(tmp_path / "vector.pt").values
    assert values.dtype == np.float32
    assert np.array_equal(values, VALUES)


@pytest.mark.parametrize("kind", ["Float", "Half", "BFloat16", "Double"])
def test_floats_of_every_width_become_float32(tmp_path, kind):
    assert np.array_equal(read_rows(write_torch(tmp_path / "vector.pt", VALUES, kind)).values, VALUES)


def parameter():
    inner = PICKLE[2:-1]
    return b"\x80\x02ctorch._utils\n_rebuild_parameter\n" + inner + b"\x88ccollections\nOrderedDict\n)R\x87R."


@pytest.mark.parametrize(
    ("pickled", "expected"),
    [
        (parameter(), VALUES),
        (b"\x80\x02}" + atom("tensor") + PICKLE[2:-1] + b"s.", VALUES),
        (b"\x80\x02}(" + atom("layer") + atom(20) + atom("vector") + PICKLE[2:-1] + b"u.", VALUES),
        (tensor_pickle((4, 3), (1, 4), count=12), VALUES.T),
        (tensor_pickle((2, 2), (4, 1), offset=5, count=12), VALUES[1:, 1:3]),
    ],
    ids=["parameter", "dictionary", "dictionary with more", "transposed", "part of another"],
)
def test_a_tensor_is_found_where_it_is(tmp_path, pickled, expected):
    path = write_torch_zip(tmp_path / "vector.pt", pickled, {"data/0": RAW})
    assert np.array_equal(read_rows(path).values, expected)


def refused(path, said):
    with pytest.raises(VectorError, match=said) as caught:
        read_rows(path)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


class Runs:
    """Pickles to a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (os.system, ("touch touched",), "system"),
        (eval, ("open('touched', 'w')",), "eval"),
        (getattr, (os, "system"), "getattr"),
        (open, ("touched", "w"), "open"),
    ],
)
def test_a_pickle_that_would_run_something_is_refused_by_its_name(
    tmp_path, monkeypatch, protocol, function, arguments, named
):
    monkeypatch.chdir(tmp_path)
    arguments = tuple("os" if each is os else each for each in arguments)
    pickled = pickle.dumps(Runs(function, *arguments), protocol)
    refused(write_torch_zip(tmp_path / "evil.pt", pickled, {"data/0": RAW}), rf"wants to run '\w+\.{named}'")
    assert [path.name for path in tmp_path.iterdir() if path.name != "billy-home"] == ["evil.pt"]


@pytest.mark.parametrize(
    ("pickled", "said"),
    [
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN\x86b.", "does more than describe a tensor"),
        (b"(ios\nsystem\n.", r"wants to run 'os\.system'"),
        (b"\x80\x02cevil\x1b[2J\nrun\n.", "evil␛"),
        (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x8c\x04true\x85R.", r"'os\.system'"),
        (b"\x80\x02)\x86\x93.", "damaged"),
        (b"\x80\x02))\x86)\x93.", "does more"),
        (b"\x80\x02})Ns.", "does more than describe a tensor"),
        (b"\x80\x02(" + atom("storage") + atom("f") + atom("0") + atom("cpu") + atom(12) + b"tQ.", "does more"),
        (tensor_pickle((3, 4), (4, 1), key="../0"), "does more"),
        (b"\x80\x02r\xff\xff\xff\xffN.", "damaged"),
        (b"\x80\x02h\x07.", "damaged"),
        (b"\x80\x02NN.", "damaged"),
        (b"\x80\x02N", "pickle exhausted"),
        (b"", "pickle exhausted"),
        (b"\x80\x02\x85.", "damaged"),
        (b"\x80\x02t.", "damaged"),
        (b"\x80\x02N.", "holds 0 tensors"),
        (b"N" * (MAX_BYTES + 1), "its pickle has 262,145 bytes"),
        (b"\x80\x02}(" + b"".join(atom(k) + PICKLE[2:-1] for k in "ab") + b"u.", "holds 2 tensors"),
    ],
)
def test_a_pickle_of_something_else_is_refused(tmp_path, pickled, said):
    refused(write_torch_zip(tmp_path / "bad.pt", pickled, {"data/0": RAW}), said)


@pytest.mark.parametrize(
    ("shape", "strides", "offset", "said"),
    [
        ((10**9, 10**9), (1, 1), 0, "uses numbers twice"),
        ((10**30, 4), (4, 1), 0, "beyond the 12 numbers"),
        ((3, 4), (0, 1), 0, "uses numbers twice"),
        ((3, 4), (2, 1), 0, "uses numbers twice"),
        ((3, 4), (-4, 1), 8, "not made of whole numbers"),
        ((3, -4), (4, 1), 0, "not made of whole numbers"),
        ((3, 4), (4, 1), -1, "not made of whole numbers"),
        ((3, 4), (4, 1), 1, "beyond the 12 numbers"),
        ((3, 4), (8, 1), 0, "beyond the 12 numbers"),
        ((3, True), (4, 1), 0, "not made of whole numbers"),
        ((3, 4), (4,), 0, "does not fit its strides"),
        ((1,) * 9, (1,) * 9, 0, "does not fit its strides"),
        ((12,), (1,), 0, r"has the shape \(12,\), not"),
        ((3, 2, 2), (4, 2, 1), 0, r"has the shape \(3, 2, 2\), not"),
        ((0, 4), (4, 1), 0, r"has the shape \(0, 4\), not"),
    ],
)
def test_a_shape_that_the_numbers_do_not_have_is_refused(tmp_path, shape, strides, offset, said):
    pickled = tensor_pickle(shape, strides, offset=offset, count=12)
    refused(write_torch_zip(tmp_path / "bad.pt", pickled, {"data/0": RAW}), said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"byteorder": b"big"}, "another byte order"),
        ({"folder": "a/b"}, "not one that torch.save wrote"),
        ({"compression": zipfile.ZIP_DEFLATED}, "is compressed or encrypted"),
        ({"entries": {}}, "entry data/0 is missing"),
        ({"entries": {"data/0": RAW[:-4]}}, "12 numbers of its tensor are in 44 bytes"),
        ({"entries": {"data/0": RAW, **{f"data/{n}": b"" for n in range(1, 1001)}}}, "more than 1000 entries"),
    ],
)
def test_a_zip_that_torch_save_does_not_write_is_refused(tmp_path, changes, said):
    changes = {"entries": {"data/0": RAW}} | changes
    refused(write_torch_zip(tmp_path / "bad.pt", PICKLE, changes.pop("entries"), **changes), said)


def test_two_entries_of_one_name_are_refused(tmp_path):
    path = write_torch_zip(tmp_path / "bad.pt", PICKLE, {"data/0": RAW, "data/1": RAW})
    path.write_bytes(path.read_bytes().replace(b"data/1", b"data/0"))
    refused(path, "two of its entries have the same name")


def test_an_entry_that_says_it_is_huge_is_refused(tmp_path):
    data = write_torch(tmp_path / "bad.pt", VALUES).read_bytes()
    at = data.rfind(b"archive/data/0") - 46  # its place in the zip's directory
    sizes = struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0)
    (tmp_path / "bad.pt").write_bytes(data[: at + 20] + sizes + data[at + 28 :])
    refused(tmp_path / "bad.pt", "cannot be imported")


@pytest.mark.parametrize("kept", [0, 1, 30, 200, -1, -30])
def test_a_file_that_is_cut_short_is_refused(tmp_path, kept):
    path = write_torch(tmp_path / "bad.pt", VALUES)
    path.write_bytes(path.read_bytes()[:kept])
    refused(path, "cannot be imported")


def test_the_format_before_1_6_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "old.pt").write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2))
    refused(tmp_path / "old.pt", "the format of PyTorch before 1.6; load it and save it again")


def test_a_file_too_large_for_a_vector_is_not_read(tmp_path):
    (tmp_path / "huge.pt").write_bytes(b"PK")
    os.truncate(tmp_path / "huge.pt", MAX_FILE_BYTES + 1)
    refused(tmp_path / "huge.pt", "it has 67,108,865 bytes, and a vector has at most 67,108,864")


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    for name, said in (("none.pt", "no such file"), (".", "not a regular"), ("pipe.pt", "not a regular")):
        refused(tmp_path / name, said)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.data())
def test_a_damaged_file_is_an_error_of_ours_or_a_matrix(tmp_path_factory, data):
    path = write_torch(tmp_path_factory.getbasetemp() / "fuzzed.pt", VALUES)
    whole = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
        whole[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole))) or None]))
    with suppress(VectorError):
        assert read_rows(path).values.ndim == 2


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_pickle_is_an_error_of_ours_or_a_matrix(tmp_path_factory, data):
    pickled = bytearray(PICKLE)
    for at in data.draw(st.lists(st.integers(0, len(pickled) - 1), min_size=1, max_size=4)):
        pickled[at] = data.draw(st.integers(0, 255))
    path = write_torch_zip(tmp_path_factory.getbasetemp() / "pickle.pt", bytes(pickled), {"data/0": RAW})
    with suppress(VectorError):
        assert read_rows(path).values.size <= VALUES.size
