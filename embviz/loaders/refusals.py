"""Files of other programs: recognised, and refused by name with a way out."""

from __future__ import annotations

import zipfile
from pathlib import Path

from embviz.errors import LoadError

_AS_NPY = "save the table of vectors as .npy (numpy.save)"
_MAGICS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "HDF5 (Keras .h5, AnnData)", _AS_NPY),
    (b"GGUF", "GGUF", _AS_NPY),
    (b"PAR1", "Parquet", _AS_NPY + ", the other columns as metadata TSV"),
    (b"ARROW1", "Arrow IPC", _AS_NPY),
    (b"%PDF", "PDF", "give a table of vectors"),
    (b"\x89PNG", "a PNG image", "thumbnails go to --sprite"),
    (b"\xff\xd8\xff", "a JPEG image", "thumbnails go to --sprite"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"BZh", "bzip2", "unpack it first, or pack it by gzip"),
    (b"\xfd7zXZ", "xz", "unpack it first, or pack it by gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "unpack it first, or pack it by gzip"),
)
_PICKLE = "a pickle, which could run code and is never read"
_SUFFIXES: dict[str, tuple[str, str]] = {
    ".pt": ("a PyTorch file", "save the weight: numpy.save('x.npy', weight.numpy())"),
    ".pth": ("a PyTorch file", "save the weight: numpy.save('x.npy', weight.numpy())"),
    ".pkl": (_PICKLE, _AS_NPY),
    ".pickle": (_PICKLE, _AS_NPY),
    ".joblib": (_PICKLE, _AS_NPY),
    ".kv": ("gensim vectors, " + _PICKLE, "write them by save_word2vec_format"),
    ".model": ("a model, perhaps gensim's", "write its vectors by save_word2vec_format"),
    ".h5": ("HDF5", _AS_NPY),
    ".hdf5": ("HDF5", _AS_NPY),
    ".h5ad": ("AnnData (HDF5)", _AS_NPY),
    ".keras": ("a Keras archive", "save the layer's weights as .npy (numpy.save)"),
    ".safetensors": ("safetensors", _AS_NPY),
    ".gguf": ("GGUF", _AS_NPY),
    ".parquet": ("Parquet", _AS_NPY),
    ".onnx": ("ONNX", _AS_NPY),
    ".mat": ("a MATLAB file", _AS_NPY),
    ".xlsx": ("an Excel workbook", "save the sheet as CSV"),
    ".xls": ("an Excel workbook", "save the sheet as CSV"),
}
_FULL_READ = 4096


def refuse_foreign(path: Path) -> None:
    """Refuse a file whose first bytes, or name, say that it is another program's.

    Raises:
        LoadError: With its kind and what to do instead.
    """
    with path.open("rb") as file:
        start = file.read(_FULL_READ)
    for magic, kind, way_out in _MAGICS:
        if start.startswith(magic):
            raise LoadError(path, f"{kind}, which is not read", way_out)
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise LoadError(path, _PICKLE, _AS_NPY)
    if start.startswith(b"PK\x03\x04"):
        _refuse_zip(path)
    if start[:2] == b"\x1f\x8b":
        _refuse_packed(path)
    if _is_safetensors(start):
        raise LoadError(path, "safetensors, which is not read", _AS_NPY)
    if _is_word2vec_binary(start):
        raise LoadError(
            path, "binary word2vec, which is not read", "write it as text (binary=False)"
        )
    if path.suffix.lower() in _SUFFIXES:
        kind, way_out = _SUFFIXES[path.suffix.lower()]
        raise LoadError(path, f"{kind}, which is not read", way_out)


def _refuse_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist()[:1000]]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return
    if any(name.endswith("data.pkl") for name in names):
        kind, way_out = _SUFFIXES[".pt"]
    elif "model.weights.h5" in names:
        kind, way_out = _SUFFIXES[".keras"]
    elif "[Content_Types].xml" in names:
        kind, way_out = _SUFFIXES[".xlsx"]
    elif len(names) > 0 and not any(name.endswith(".npy") for name in names):
        kind, way_out = f"a zip archive of {names[0]}", "unpack it first"
    else:
        return
    raise LoadError(path, f"{kind}, which is not read", way_out)


def _refuse_packed(path: Path) -> None:
    """Refuse gzip of anything but text."""
    import gzip
    import zlib

    try:
        with gzip.open(path) as file:
            start = file.read(8)
    except (OSError, EOFError, zlib.error):
        return
    if start.startswith((b"\x93NUMPY", b"PK\x03\x04", b"\x80")):
        raise LoadError(path, "gzip of a binary file, which is not read", "unpack it first")


def _is_safetensors(start: bytes) -> bool:
    """Tell whether a file begins with a length and a JSON object."""
    length = int.from_bytes(start[:8], "little")
    return len(start) > 10 and 2 <= length < 100_000_000 and start[8:10] in (b'{"', b"{}")


def _is_word2vec_binary(start: bytes) -> bool:
    """Tell whether "N D", a line end and then no text follow."""
    first, _, rest = start.partition(b"\n")
    counts = first.split()
    if len(counts) != 2 or not all(c.isdigit() and len(c) < 12 for c in counts):
        return False
    return b"\0" in rest or (b" " in rest and _not_text(rest.partition(b" ")[2][:64]))


def _not_text(raw: bytes) -> bool:
    return sum(c < 9 or 13 < c < 32 or c > 126 for c in raw) * 4 > len(raw)
