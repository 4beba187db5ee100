"""Which images go into a sheet, and in which order: a folder, a glob, names, or a list file."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embviz.errors import LoadError, ParameterError, printable
from embviz.inputs import open_file, read_file
from embviz.outputs.text import writable
from embviz.sprites.images import is_image

_log = logging.getLogger("embviz")

_SUFFIXES = frozenset(
    f".{name}"
    for kinds in ("png apng jpg jpeg jpe jfif webp gif", "bmp dib tif tiff pgm ppm pnm pbm")
    for name in kinds.split(" ")
)
# Known as images and not read: they are refused, so that no row is lost without a word.
_FOREIGN = frozenset(
    {".svg", ".svgz", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".ico", ".tga", ".dng"}
)
_MOST_LIST_BYTES = 256 << 20
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class ImageFile:
    """An image to be packed: its name in the order of the sheet, and where it is."""

    name: str
    path: Path


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key by which 2.png comes before 10.png, folder by folder, without case."""
    parts = re.split(r"([0-9]+)", name.replace(os.sep, "/").replace("/", "\0"))
    key = [(0, int(p), "") if p.isdigit() and p.isascii() else (1, 0, p.casefold()) for p in parts]
    return key, name


def find_images(
    sources: Sequence[str], recursive: bool = False, said: bool = True
) -> list[ImageFile]:
    """Return the images of a folder, glob, list file or several names, in their order.

    Folders, globs and names come in the natural order of names; a list file gives its own order.
    What is no image by its name and content is left out, and this is said.

    Args:
        sources: One folder, glob, list file or image; or several images.
        recursive: Whether the folders within a folder are looked into, links to folders never.
        said: Whether the order and what is left out are told.

    Raises:
        LoadError: If there is no such file or no image, or a named image is missing.
        ParameterError: If several sources are not all files, or `recursive` has no meaning.
    """
    if not said:
        with _silence():
            return find_images(sources, recursive)
    if not all(sources):
        raise ParameterError("IMAGES", "an empty name", "give a folder, a glob or a list of images")
    if len(sources) > 1:
        return _several([Path(source) for source in sources])
    path = Path(sources[0])
    try:
        found = path.exists()
        if path.is_dir():
            return _sorted(path, _list_folder(path, recursive), relative_to=path)
        if recursive:
            raise ParameterError("--recursive", f"{path} is no folder", "leave it out")
        if not found and _MAGIC.search(str(path)) and not os.path.lexists(path):
            return _expand(path)
        if not found:
            gone = "a link to nothing" if path.is_symlink() else "no such file or folder"
            raise LoadError(path, gone, "give a folder, a glob, an array or a list of images")
        with open_file(path) as file:
            start = file.read(16)
    except (OSError, ValueError) as e:
        raise LoadError(path, f"cannot be read ({getattr(e, 'strerror', None) or e})") from None
    if is_image(start) or path.suffix.lower() in _SUFFIXES:
        return [ImageFile(path.name, path)]
    return read_list(path)


@contextmanager
def _silence() -> Iterator[None]:
    before = _log.level
    _log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        _log.setLevel(before)


def _several(paths: list[Path]) -> list[ImageFile]:
    for path in paths:
        if os.path.isdir(path):
            raise ParameterError(
                "IMAGES", f"{path} is a folder, one of {len(paths)} names", "give one folder"
            )
        if not os.path.lexists(path):
            raise LoadError(path, "no such file")
    return _sorted(Path("IMAGES"), paths, relative_to=None)


def _expand(pattern: Path) -> list[ImageFile]:
    """Return the images that match a glob; ** follows no links."""
    parts = pattern.parts
    # A folder that is there by this very name is meant, whatever its name would match.
    first = 0
    while not _MAGIC.search(parts[first]) or Path(*parts[: first + 1]).is_dir():
        first += 1
    base = Path(*parts[:first])
    if not base.is_dir():
        raise LoadError(pattern, f"there is no folder {base}")
    try:
        paths = [p for p in base.glob("/".join(parts[first:])) if not p.is_dir()]
    except (ValueError, NotImplementedError, re.error) as e:
        raise ParameterError(pattern, f"not a pattern ({printable(str(e), 60)})") from None
    return _sorted(pattern, [p for p in paths if not p.name.startswith(".")], relative_to=base)


def _list_folder(folder: Path, recursive: bool) -> list[Path]:
    """Return the files of a folder, those that begin with a dot left out."""
    found: list[Path] = []
    waiting = [folder]
    closed = 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    if recursive and not entry.is_symlink():
                        waiting.append(Path(entry.path))
                    else:
                        closed += 1
                else:
                    found.append(Path(entry.path))
    if closed:
        kind = "links to folders are not followed" if recursive else "--recursive looks into them"
        _log.info("%s: %s in it left out; %s", folder, _count(closed, "folder"), kind)
    return found


def _sorted(what: Path, paths: list[Path], relative_to: Path | None) -> list[ImageFile]:
    """Return the images among files, in natural order, and say what was left out."""
    files, others = [], []
    for path in paths:
        if _looks_like_image(path):
            name = path.relative_to(relative_to) if relative_to is not None else path
            files.append(ImageFile(name.as_posix(), path))
        else:
            others.append(path.name)
    files.sort(key=lambda file: natural_key(file.name))
    if others:
        shown = ", ".join(printable(n, 40) for n in sorted(others, key=natural_key)[:3])
        more = " …" if len(others) > 3 else ""
        verb = "is no image" if len(others) == 1 else "are no images"
        _log.info("%s: %s %s, left out: %s%s", what, _count(len(others), "file"), verb, shown, more)
    if not files:
        raise LoadError(what, "no images in it", "PNG, JPEG, WebP, GIF, BMP and TIFF are read")
    names = f"{printable(files[0].name, 60)} … {printable(files[-1].name, 60)}"
    if len(files) > 1:
        text = "%s: %s in the natural order of their names, %s"
        _log.info(text, what, _count(len(files), "image"), names)
    return files


def _looks_like_image(path: Path) -> bool:
    """Tell whether a file is an image by its name, or by its content where the name says nothing.

    Raises:
        LoadError: If it is an image of a kind that is not read, or no regular file.
    """
    suffix = path.suffix.lower()
    if suffix in _FOREIGN:
        raise LoadError(path, f"{suffix[1:].upper()}, which is not read", "save it as PNG")
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as e:
        if suffix not in _SUFFIXES:
            return False
        reason = "a link to nothing" if path.is_symlink() else getattr(e, "strerror", str(e))
        raise LoadError(path, f"cannot be read ({reason})") from None
    if suffix in _SUFFIXES:
        if not regular:
            raise LoadError(path, "not a regular file")
        return True
    if not regular:
        return False
    try:
        with open_file(path) as file:
            return is_image(file.read(16))
    except OSError:
        return False


def read_list(path: Path) -> list[ImageFile]:
    """Read a list of images: a path a line, relative to the list's folder, in the order wanted.

    Where the first is not there but is in the current folder, all are taken from that.

    Raises:
        LoadError: If it is no text, names nothing or a file that is missing, with the line.
    """
    lines = _read_lines(path)
    base = path.parent
    if lines and not _exists(base / lines[0]) and _exists(Path(lines[0])):
        base = Path()
    files = []
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if not line.strip():
            raise LoadError(where, "an empty line", "each line names one image")
        target = base / line
        if not _exists(target):
            hint = "a line is a path from the list's folder or from the current one"
            hint = "one path a line, no tabs" if "\t" in line else hint
            raise LoadError(f"{where}: {printable(line, 200)}", "no such file", hint)
        if target.is_dir():
            raise LoadError(f"{where}: {printable(line, 200)}", "a folder, not an image")
        files.append(ImageFile(line, target))
    if not files:
        raise LoadError(path, "names no images", "each line names one image")
    _log.info("%s: %s in the order of the list", path, _count(len(files), "image"))
    return files


def _read_lines(path: Path) -> list[str]:
    try:
        if not path.is_file():
            raise LoadError(path, "not a regular file", "give a folder, a glob or a list of images")
        raw = read_file(path, _MOST_LIST_BYTES)
    except OSError as e:
        raise LoadError(path, f"cannot be read ({e.strerror})") from None
    try:
        text = raw.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError
    except ValueError:
        raise LoadError(
            path, "neither an image nor a list of images", "give a folder, a glob or a list"
        ) from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        del lines[-1]
    return lines


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def iter_names(files: Sequence[ImageFile]) -> Iterator[str]:
    """Yield the names as lines of a metadata file: tabs and line ends as \\t and \\n."""
    escapes = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})
    for file in files:
        yield writable(file.name.translate(escapes))
