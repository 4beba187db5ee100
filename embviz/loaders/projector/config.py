"""projector_config.pbtxt: what TensorBoard's projector is to show of a folder.

The message is `ProjectorConfig` of tensorboard/plugins/projector/projector_config.proto, as text
(https://protobuf.dev/reference/protobuf/textformat-spec/).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import NoReturn

from embviz.errors import LoadError, printable
from embviz.inputs import read_file
from embviz.loaders.bytes.text_format import unescape

_log = logging.getLogger("embviz")

FILE_NAME = "projector_config.pbtxt"
_MOST_BYTES = 16 << 20
_MOST_DEPTH = 32
_MOST_TOKENS = 300_000
_MOST_TOLD = 8
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f\v]+|\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<word>-?[A-Za-z0-9_.+][A-Za-z0-9_.+-]*)
      | (?P<sign>[{}<>\[\]:;,/])""",
    re.VERBOSE,
)
_STRINGS = ("tensor_name", "metadata_path", "bookmarks_path", "tensor_path")


@dataclass(frozen=True)
class EmbeddingInfo:
    """One tensor and what belongs to it; "" and () are what is not given.

    `single_image_dim` is the tile's width and height in pixels, as written.
    """

    tensor_name: str = ""
    metadata_path: str = ""
    bookmarks_path: str = ""
    tensor_shape: tuple[int, ...] = ()
    tensor_path: str = ""
    image_path: str = ""
    single_image_dim: tuple[int, ...] = ()


@dataclass(frozen=True)
class MetadataNote:
    """What a metadata file needs beyond TensorBoard's rules to give its texts back exactly.

    `escaped`: backslashes, tabs and line ends are written as `outputs.cells.escaped` does.
    `extra` is the name of a column of row numbers that is not the table's, "" for none.
    """

    escaped: bool = False
    extra: str = ""


@dataclass(frozen=True)
class ProjectorConfig:
    """What a config file says, and where it is; `notes` are by metadata_path."""

    path: Path
    model_checkpoint_path: str
    embeddings: tuple[EmbeddingInfo, ...]
    notes: Mapping[str, MetadataNote] = dataclass_field(default_factory=dict)


@dataclass(frozen=True)
class _Field:
    """A field as written: a scalar's text, or the fields of a message."""

    name: str
    value: str | list[_Field]
    line: int


def read_config(path: Path) -> ProjectorConfig:
    """Read a config file.

    Raises:
        LoadError: If it is no text of that message, with the line.
    """
    raw = read_file(path, _MOST_BYTES)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if _CONTROL.search(text):
        raise LoadError(path, "binary, not text", "write the message by text_format")
    checkpoint, embeddings = "", []
    unknown: list[_Field] = []
    for field in _Parser(text, path).parse():
        if field.name == "model_checkpoint_path":
            checkpoint = _scalar(field, path)
        elif field.name == "embeddings":
            embeddings.append(_embedding(field, path, unknown))
        elif field.name != "model_checkpoint_dir":
            unknown.append(field)
    tell_unknown(path, [(f"{path}:{field.line}", field.name) for field in unknown])
    return ProjectorConfig(path, checkpoint, tuple(embeddings), _read_notes(text))


def _read_notes(text: str) -> dict[str, MetadataNote]:
    """Return the notes that `embviz export` leaves in a comment; others are passed over."""
    found = re.search(r"^# embviz: (\{.{0,1000000}\})$", text, re.MULTILINE)
    try:
        value = json.loads(found[1]) if found else {}
    except (ValueError, RecursionError):
        return {}
    return {
        path: MetadataNote(note.get("escaped") is True, str(note.get("extra", "")))
        for path, note in value.items()
        if isinstance(note, dict)
    }


def format_config(
    embeddings: Sequence[EmbeddingInfo],
    notes: Mapping[str, MetadataNote],
    comments: Sequence[str] = (),
) -> str:
    """Return the text of a config file, with comments at its top.

    Args:
        embeddings: The tensors, in their order.
        notes: By metadata_path; they stand in a comment that `read_config` finds again.
        comments: Lines that begin with #.
    """
    lines = list(comments)
    if notes:
        value = {path: {"escaped": n.escaped, "extra": n.extra} for path, n in notes.items()}
        lines.append(f"# embviz: {json.dumps(value, sort_keys=True)}")
    for info in embeddings:
        lines.append("embeddings {")
        lines += [
            f"  {name}: {_quote(getattr(info, name))}" for name in _STRINGS if getattr(info, name)
        ]
        lines += [f"  tensor_shape: {n}" for n in info.tensor_shape]
        if info.image_path:
            lines.append("  sprite {")
            lines.append(f"    image_path: {_quote(info.image_path)}")
            lines += [f"    single_image_dim: {n}" for n in info.single_image_dim]
            lines.append("  }")
        lines.append("}")
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """Return a text as a string literal of protobuf's text format."""
    raw = text.encode("utf-8", "replace")
    plain = b" !" + bytes(c for c in range(0x23, 0x7F) if c != 0x5C)
    return '"' + "".join(chr(c) if c in plain else f"\\{c:03o}" for c in raw) + '"'


def _embedding(message: _Field, path: Path, unknown: list[_Field]) -> EmbeddingInfo:
    texts: dict[str, str] = {}
    shape: list[int] = []
    dims: list[int] = []
    for field in _fields(message, path):
        if field.name in _STRINGS:
            texts[field.name] = _scalar(field, path)
        elif field.name == "tensor_shape":
            shape.append(_count(field, path))
        elif field.name == "sprite":
            for part in _fields(field, path):
                if part.name == "image_path":
                    texts["image_path"] = _scalar(part, path)
                elif part.name == "single_image_dim":
                    dims.append(_count(part, path))
                else:
                    unknown.append(part)
        else:
            unknown.append(field)
    return EmbeddingInfo(**texts, tensor_shape=tuple(shape), single_image_dim=tuple(dims))


def tell_unknown(path: Path, found: Sequence[tuple[str, str]]) -> None:
    """Say which fields of a config are passed over, by where they are and their names."""
    for where, name in found[:_MOST_TOLD]:
        _log.warning("%s: unknown field '%s' is passed over", where, printable(name, 60))
    if len(found) > _MOST_TOLD:
        _log.warning("%s: so are %s more unknown fields", path, f"{len(found) - _MOST_TOLD:,}")


def _fields(field: _Field, path: Path) -> list[_Field]:
    if isinstance(field.value, str):
        raise LoadError(f"{path}:{field.line}", f"'{field.name}' needs braces {{ }}")
    return field.value


def _scalar(field: _Field, path: Path) -> str:
    if not isinstance(field.value, str):
        raise LoadError(f"{path}:{field.line}", f"'{field.name}' is one text, not a message")
    return field.value


def _count(field: _Field, path: Path) -> int:
    text = _scalar(field, path)
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) >= 1 << 32:
        shown = printable(text, 40)
        raise LoadError(f"{path}:{field.line}", f"{field.name} '{shown}' is not a count")
    return int(text)


class _Parser:
    """Reads fields from tokens; messages may nest 32 deep."""

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self._tokens = self._split(text)
        self._next = next(self._tokens)

    def _split(self, text: str) -> Iterator[tuple[str, str, int]]:
        """Yield the kind, text and line of each token, and an end."""
        at, line, n_tokens = 0, 1, 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                self._fail(line, f"'{printable(text[at : at + 20].split(chr(10))[0])}'")
            if match.lastgroup != "space":
                n_tokens += 1
                if n_tokens > _MOST_TOKENS:
                    why = f"more than {_MOST_TOKENS:,} names, values and signs are not read"
                    raise LoadError(self.path, why, "split it into several folders")
                yield str(match.lastgroup), match.group(), line
            line += match.group().count("\n")
            at = match.end()
        yield "end", "", line

    def parse(self) -> list[_Field]:
        return self._message("", 0)

    def _fail(self, line: int, found: str) -> NoReturn:
        raise LoadError(
            f"{self.path}:{line}",
            f"not text of a ProjectorConfig: {found or 'the end'} is not expected here",
            'a field is name: "value" or name { … }',
        )

    def _peek(self) -> str:
        kind, text, _ = self._next
        return text if kind in ("sign", "end") else kind

    def _take(self, *wanted: str) -> tuple[str, int]:
        kind, text, line = self._next
        if kind not in wanted and not (kind == "sign" and text in wanted):
            self._fail(line, f"'{printable(text, 40)}'" if text else "")
        self._next = next(self._tokens)
        return text, line

    def _message(self, closing: str, depth: int) -> list[_Field]:
        """Read fields up to a closing brace, or the end."""
        fields: list[_Field] = []
        while self._peek() != closing:
            if self._peek() == "[":
                name, line = self._extension_name()
            else:
                name, line = self._take("word")
            colon = self._peek() == ":"
            if colon:
                self._take(":")
            if self._peek() == "[":
                fields += (_Field(name, value, line) for value in self._list(depth))
            elif self._peek() in "{<" and self._peek():
                fields.append(_Field(name, self._nested(depth), line))
            else:
                fields.append(_Field(name, self._value(), line))
            if self._peek() in (";", ","):
                self._take(";", ",")
        if closing:
            self._take(closing)
        return fields

    def _extension_name(self) -> tuple[str, int]:
        _, line = self._take("[")
        parts = []
        while self._peek() != "]":
            parts.append(self._take("word", "/")[0])
        self._take("]")
        return f"[{''.join(parts)}]", line

    def _nested(self, depth: int) -> list[_Field]:
        opening, line = self._take("{", "<")
        if depth >= _MOST_DEPTH:
            raise LoadError(f"{self.path}:{line}", f"nested more than {_MOST_DEPTH} deep")
        return self._message("}" if opening == "{" else ">", depth + 1)

    def _list(self, depth: int) -> list[str | list[_Field]]:
        self._take("[")
        values: list[str | list[_Field]] = []
        while self._peek() != "]":
            values.append(self._nested(depth) if self._peek() in ("{", "<") else self._value())
            if self._peek() != "]":
                self._take(",")
        self._take("]")
        return values

    def _value(self) -> str:
        if self._peek() != "string":
            return self._take("word")[0]
        parts, line = [], 0
        while self._peek() == "string":
            text, line = self._take("string")
            parts.append(unescape(text[1:-1].encode("utf-8")))
        try:
            return b"".join(parts).decode("utf-8")
        except UnicodeDecodeError:
            raise LoadError(f"{self.path}:{line}", "a text that is not UTF-8") from None
