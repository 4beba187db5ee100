"""projector_config.json: what the Projector that stands alone is to show.

Its fields are those of projector_config.pbtxt (`config`) as JSON spells a protocol buffer: in camel
case, or as they are in the message. Source: the interfaces EmbeddingInfo and ProjectorConfig in
tensorboard/plugins/projector/vz_projector/data-provider.ts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.bytes.json_text import read_json
from embviz.loaders.projector.config import EmbeddingInfo, ProjectorConfig, tell_unknown

JSON_NAME = "projector_config.json"
_MOST_BYTES = 16 << 20
_FIELDS = re.compile(
    rb'"embeddings"\s*:\s*\[\s*\{.*?"tensor(?:Name|Path|Shape|_name|_path|_shape)"', re.S
)
_CAPITAL = re.compile(r"(?<=[a-z])([A-Z])")
_TEXTS = ("tensor_name", "metadata_path", "bookmarks_path", "tensor_path")


def looks_like_config(head: bytes) -> bool:
    """Tell whether a file begins as JSON with the embeddings of a projector's config."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"{") and _FIELDS.search(text) is not None


def starts_as_json(path: Path) -> bool:
    """Tell whether a file begins with a brace, as no config in protobuf's text does."""
    with open_file(path) as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def read_json_config(path: Path) -> ProjectorConfig:
    """Read a config file in JSON.

    Raises:
        LoadError: If it is no JSON, or not of that message.
    """
    config = _object(read_json(path, _MOST_BYTES), "it", path)
    embeddings: list[EmbeddingInfo] = []
    unknown: list[str] = []
    checkpoint = ""
    for name, value in config.items():
        if name == "embeddings":
            if not isinstance(value, list):
                raise LoadError(path, "'embeddings' is no list")
            embeddings = [_embedding(entry, i, path, unknown) for i, entry in enumerate(value, 1)]
        elif name == "model_checkpoint_path":
            checkpoint = _text(value, name, path)
        elif name != "model_checkpoint_dir":
            unknown.append(name)
    tell_unknown(path, [(str(path), name) for name in unknown])
    if not embeddings:
        raise LoadError(path, "a projector's config that names no embeddings")
    if all(embedding.tensor_path for embedding in embeddings):
        checkpoint = ""  # Each has a file; the name is one that the page showed, such as Demo.
    return ProjectorConfig(path, checkpoint, tuple(embeddings))


def _embedding(entry: Any, number: int, path: Path, unknown: list[str]) -> EmbeddingInfo:
    texts: dict[str, str] = {}
    shape: tuple[int, ...] = ()
    dims: tuple[int, ...] = ()
    for name, value in _object(entry, f"embedding {number}", path).items():
        if name in _TEXTS:
            texts[name] = _text(value, name, path)
        elif name == "tensor_shape":
            shape = _counts(value, name, path)
        elif name == "sprite" and value is not None:
            for part, inner in _object(value, f"the sprite of embedding {number}", path).items():
                if part == "image_path":
                    texts[part] = _text(inner, part, path)
                elif part == "single_image_dim":
                    dims = _counts(inner, part, path)
                else:
                    unknown.append(part)
        elif value is not None:
            unknown.append(name)
    for name in texts.keys() - {"tensor_name"}:
        texts[name] = _from_here(texts[name], path)
    return EmbeddingInfo(**texts, tensor_shape=shape, single_image_dim=dims)


def _from_here(value: str, path: Path) -> str:
    """Return a path from the config's folder, of one that may begin with that folder's name.

    The Projector's own files are named from its page, which lies one folder above them.
    """
    first, _, rest = value.partition("/")
    if first == path.resolve().parent.name and not (path.parent / value).exists():
        return rest
    return value


def _object(value: Any, what: str, path: Path) -> dict[str, Any]:
    """Return an object with the names of the message for its keys."""
    if not isinstance(value, dict):
        raise LoadError(path, f"{what} is no object of a projector's config")
    return {_CAPITAL.sub(r"_\1", name).lower(): inner for name, inner in value.items()}


def _text(value: Any, name: str, path: Path) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LoadError(path, f"{name} is {printable(str(value), 60)}, a text is needed")
    return value


def _counts(value: Any, name: str, path: Path) -> tuple[int, ...]:
    if value is None:
        return ()
    whole = isinstance(value, list) and len(value) <= 8
    if not whole or any(type(n) is not int or not 0 <= n < 1 << 32 for n in value):
        raise LoadError(path, f"{name} is {printable(str(value), 60)}, a list of counts is needed")
    return tuple(value)
