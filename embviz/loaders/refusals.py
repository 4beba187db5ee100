"""Files of other programs, recognised and refused with a way out when no format claims them."""

from __future__ import annotations

from pathlib import Path

from embviz.errors import LoadError
from embviz.loaders.bytes.packed import find_packing, list_files
from embviz.loaders.bytes.zip_members import open_archive
from embviz.loaders.opened import Start
from embviz.loaders.text.chunks import find_utf16
from embviz.loaders.words.gensim_pickle import find_way_out

_AS_NPY = "save the table of vectors as .npy (numpy.save)"
_MAGICS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "PDF", "give a table of vectors"),
    (b"\x89PNG", "a PNG image", "thumbnails go to --sprite"),
    (b"\xff\xd8\xff", "a JPEG image", "thumbnails go to --sprite"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
)
_MATRIX_MARKET = b"%%MatrixMarket matrix "
PICKLE = "a pickle, which could run code and is never read"
_SUFFIXES: dict[str, tuple[str, str]] = {
    ".pt": ("no whole PyTorch file by its content", "fetch or write it again"),
    ".pth": ("no whole PyTorch file by its content", "fetch or write it again"),
    ".pkl": (PICKLE, _AS_NPY),
    ".pickle": (PICKLE, _AS_NPY),
    ".joblib": (PICKLE, _AS_NPY),
    ".gguf": ("no GGUF by its content", "fetch it again"),
    ".safetensors": ("no safetensors by its content", "fetch it again"),
    ".mat": ("a MATLAB file", _AS_NPY),
    ".xlsx": ("an Excel workbook", "save the sheet as CSV"),
    ".xls": ("an Excel workbook", "save the sheet as CSV"),
}
_OLD_PYTORCH = (
    "a PyTorch file of before 0.1.10 (tar)",
    "in PyTorch: numpy.save('x.npy', weight.detach().float().cpu().numpy())",
)
# By the first member, of those that such a file has in any order.
_TARS = dict.fromkeys((b"sys_info", b"pickle", b"storages", b"tensors"), _OLD_PYTORCH)
_OF_FILES = (".npy", ".npz", ".tsv", ".csv", ".txt", ".vec")
READ_FORMATS = ", ".join(
    (
        "TensorFlow checkpoints",
        "PyTorch files",
        "safetensors",
        "folders of Hugging Face models",
        "GGUF",
        "ONNX",
        "Parquet and Arrow",
        "HDF5, Keras and AnnData",
        "Zarr",
        ".npy",
        ".npz",
        "TSV and CSV of vectors",
        "JSON of vectors",
        "word2vec (text and binary) and GloVe",
        "fastText models",
        "FAISS indexes",
        "text and .npy packed too (.gz, .bz2, .xz, .zst)",
        "projector_config.pbtxt and .json",
        "neighbor indexes",
    )
)


def refuse(start: Start) -> LoadError:
    """Return what is said of a path that no format claims, with a way out."""
    path = start.path
    if start.kind == "folder":
        kind = f"a folder named {path.suffix}" if path.suffix in _OF_FILES else "a folder"
        return LoadError(
            path, f"{kind} without a checkpoint, weights or projector_config.pbtxt in it"
        )
    if start.kind != "file":
        return LoadError(path, "neither a file nor a folder")
    if start.size == 0:
        return LoadError(path, "0 bytes")
    found = foreign_content(start) or _SUFFIXES.get(path.suffix.lower())
    if found is not None:
        kind, way_out = found
        return LoadError(path, kind if kind == PICKLE else f"{kind}, which is not read", way_out)
    if path.suffix.lower() == ".bytes":
        return _refuse_raw(path)
    return LoadError(path, "of no known file type", f"what is read: {READ_FORMATS}")


def _refuse_raw(path: Path) -> LoadError:
    """Return what is said of raw numbers, whose shape stands in a projector's config."""
    for name in ("projector_config.json", "projector_config.pbtxt"):
        if (path.parent / name).is_file():
            return LoadError(path, "numbers without a shape", f"name {path.parent / name} instead")
    way_out = (
        "name the projector_config.json that says it, or in Python, for D dimensions: "
        f"numpy.save('x.npy', numpy.fromfile({path.name!r}, '<f4').reshape(-1, D))"
    )
    return LoadError(path, "numbers without a shape", way_out)


def foreign_content(start: Start) -> tuple[str, str] | None:
    """Return the kind of another program's file and a way out, by its content; None for others."""
    head = start.head
    for magic, kind, way_out in _MAGICS:
        if head.startswith(magic):
            return kind, way_out
    if is_pickle(start.unpacked):
        return PICKLE, find_way_out(start.unpacked, start.path) or _AS_NPY
    if start.unpacked.startswith(_MATRIX_MARKET):
        return _matrix_market(start)
    if head.startswith(b"PK\x03\x04"):
        found = _foreign_zip(start)
        if found is not None:
            return found
    if head[257:262] == b"ustar":
        return _TARS.get(head[:100].rstrip(b"\0"), ("a tar archive", "unpack it first"))
    if start.unpacked is not head:
        return _foreign_packed(start)
    return None


def _matrix_market(start: Start) -> tuple[str, str]:
    """Return what is said of a matrix as scipy.io.mmwrite, gensim and 10x write it."""
    sparse = start.unpacked[len(_MATRIX_MARKET) :].lstrip().lower().startswith(b"coordinate")
    way_out = f"numpy.save('x.npy', scipy.io.mmread({start.path.name!r})"
    kind = "a sparse matrix" if sparse else "a matrix"
    return f"{kind} of the Matrix Market", way_out + (".toarray())" if sparse else ")")


def _foreign_packed(start: Start) -> tuple[str, str] | None:
    """Return what is said of a packed file that holds neither text nor an array."""
    inner, packing = start.unpacked, find_packing(start.head)
    if inner[257:262] == b"ustar":
        return f"a tar archive in {packing}", f"tar -xf {start.path}, then name a file of it"
    if not inner and packing != "zip":
        more = " or pip install 'embviz[zstd]'" if packing == "Zstandard" else ""
        return f"{packing} that cannot be unpacked here", f"unpack it first{more}"
    if _is_binary(inner):
        return f"{packing} of a binary file", "unpack it first"
    return None


def _is_binary(inner: bytes) -> bool:
    """Tell whether what was packed is neither text nor an array."""
    return b"\0" in inner and not inner.startswith(b"\x93NUMPY") and find_utf16(inner) is None


def describe_start(start: bytes) -> str:
    """Say in a few words what a file is that begins so."""
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page (HTML or XML)"
    if text.startswith(b"version http"):
        return "a Git LFS pointer"
    if is_pickle(start):
        return "a pickle, which is never read"
    for magic, kind, _ in _MAGICS:
        if start.startswith(magic):
            return kind
    if find_packing(start):
        return find_packing(start)
    if all(32 <= c < 127 or c in b"\t\r\n" for c in start):
        return "text"
    return "other binary data"


def is_pickle(head: bytes) -> bool:
    """Tell whether a file begins as a pickle of protocol 2 to 5."""
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _foreign_zip(start: Start) -> tuple[str, str] | None:
    try:
        with open_archive(start.path) as archive:
            files = list_files(archive.infolist()[:1000])
    except LoadError:
        return None
    names = [info.filename for info in files]
    if "[Content_Types].xml" in names:
        return _SUFFIXES[".xlsx"]
    if len(names) > 1 and not any(name.endswith(".npy") for name in names):
        return f"a zip archive of {len(names)} files ({names[0]}, …)", "unpack it first"
    if names and (not start.unpacked or _is_binary(start.unpacked)):
        return f"a zip archive of {names[0]}", "unpack it first"
    return None
