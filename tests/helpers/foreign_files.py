"""Files of other tools, written for tests byte by byte: tensors as torch.save writes them, control vectors as GGUF."""

import json
import pickle
import struct
import zipfile

import numpy as np

DTYPES = {"Float": "<f4", "Half": "<f2", "Double": "<f8"}
GGUF_KINDS = {"F32": 0, "F16": 1, "Q8_0": 8, "BF16": 30}


def tensor_pickle(shape, strides, *, offset=0, count=None, kind="Float", key="0"):
    """Return the pickle by which torch.save describes one tensor; `count` are the numbers of its storage."""
    count = int(np.prod(shape)) if count is None else count
    numbers = atom("storage") + f"ctorch\n{kind}Storage\n".encode() + atom(key) + atom("cpu") + atom(count)
    rest = atom(offset) + atom(tuple(shape)) + atom(tuple(strides)) + b"\x89ccollections\nOrderedDict\n)R"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((" + numbers + b"tQ" + rest + b"tR."


def atom(value):
    """Return the instructions that put a text, a number or a tuple of numbers on the stack."""
    return pickle.dumps(value, 2)[2:-1]


def write_torch(path, values, kind="Float"):
    """Write `values` (rows, D) as torch.save does and return `path`."""
    values = np.asarray(values, np.float32)
    if kind == "BFloat16":
        raw = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    else:
        raw = values.astype(DTYPES[kind]).tobytes()
    rows, width = values.shape
    return write_torch_zip(path, tensor_pickle((rows, width), (width, 1), kind=kind), {"data/0": raw})


def write_torch_zip(path, pickled, entries, *, byteorder=b"little", folder="archive", compression=zipfile.ZIP_STORED):
    """Write a zip of a pickle and of other entries, all in one folder, and return `path`."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in {"data.pkl": pickled, "byteorder": byteorder, **entries, "version": b"3\n"}.items():
            archive.writestr(f"{folder}/{name}", data)
    return path


def write_control_vector(path, directions, *, hint="llama", architecture="controlvector"):
    """Write `directions`, layer to (D,), as repeng and llama.cpp do and return `path`."""
    metadata = {"general.architecture": architecture, f"{architecture}.model_hint": hint}
    tensors = {f"direction.{layer}": direction for layer, direction in directions.items()}
    return write_gguf(path, {key: value for key, value in metadata.items() if value is not None}, tensors)


def write_gguf(path, metadata, tensors):
    """Write texts and tensors, name to array or to (kind, shape, bytes), and return `path`."""
    entries = b"".join(_text(key) + struct.pack("<I", 8) + _text(value) for key, value in metadata.items())
    described, data = b"", b""
    for name, tensor in tensors.items():
        kind, shape, raw = _stored(tensor)
        sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        described += _text(name) + sizes + struct.pack("<IQ", GGUF_KINDS[kind], len(data))
        data += raw + bytes(-len(raw) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + entries + described
    path.write_bytes(head + bytes(-len(head) % 32) + data)
    return path


def write_json(path, document):
    """Write a document and return `path`."""
    path.write_text(json.dumps(document))
    return path


def _stored(tensor):
    if isinstance(tensor, tuple):
        return tensor
    kind = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16"}[np.asarray(tensor).dtype]
    return kind, np.shape(tensor), np.asarray(tensor).tobytes()


def _text(text):
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw
