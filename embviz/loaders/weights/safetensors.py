"""Safetensors files, mapped into memory; `safetensors_header` knows their layout."""

from __future__ import annotations

import logging
from pathlib import Path

from embviz.loaders.opened import Claim, Source, Start
from embviz.loaders.reading import Reading
from embviz.loaders.weights.entries import as_tensors
from embviz.loaders.weights.features import with_features
from embviz.loaders.weights.hugging_face import open_model
from embviz.loaders.weights.model_folders import model_of_file
from embviz.loaders.weights.safetensors_header import (
    SUFFIX,
    looks_like_safetensors,
    read_header,
)
from embviz.loaders.weights.shards import is_shard

_log = logging.getLogger("embviz")


class SafetensorsFormat:
    """Reads one file; rows are mapped, so that they cost their own bytes."""

    name = "safetensors"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins with a length and a JSON object, and what is named .safetensors."""
        if start.kind != "file":
            return None
        if looks_like_safetensors(start.head, start.size):
            return Claim.MAGIC
        return Claim.NAME if start.path.suffix.lower() == SUFFIX else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the header of a safetensors file.

        Returns:
            Its tensors by name, in their stored types (bool as uint8), or as float32 where they are
            scaled. `model.safetensors` with a config.json beside it is read as that model.

        Raises:
            LoadError: If it is cut off, or breaks a rule of the format.
        """
        model = model_of_file(path)
        if model is not None:
            return open_model(path, model)
        if is_shard(path.name):
            _log.info("%s: one of several shards; their folder has all tensors", path)
        found = with_features(as_tensors(read_header(path)), path.parent)
        return Source(path, found.tensors, is_model=True, files=found.files)


SAFETENSORS = SafetensorsFormat()
