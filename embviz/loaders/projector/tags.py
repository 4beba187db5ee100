"""The steps of tags in a projector's config, as `SummaryWriter.add_embedding` writes them."""

from __future__ import annotations

import re
from pathlib import Path

from embviz.errors import LoadError
from embviz.loaders.projector.config import FILE_NAME, read_config
from embviz.loaders.projector.files import find_config

TAG_STEP = re.compile(r"(?P<tag>.+):(?P<step>\d{5,})")
"""How the tensor of a tag at a step is named: `default:00100`."""


def find_tags(path: Path) -> dict[str, dict[int, str]]:
    """Return the names of tensors by tag and step, of the tags that have several steps.

    Args:
        path: A folder with a config, or the config; anything else has none.

    Raises:
        LoadError: If the config is unfit.
    """
    try:
        config = find_config(path)
    except LoadError:  # Several runs, each with a config of its own.
        return {}
    if config is None or config.name != FILE_NAME:
        return {}
    tags: dict[str, dict[int, str]] = {}
    for embedding in read_config(config).embeddings:
        found = TAG_STEP.fullmatch(embedding.tensor_name)
        if found and embedding.tensor_path:
            tags.setdefault(found["tag"], {})[int(found["step"])] = embedding.tensor_name
    return {tag: steps for tag, steps in tags.items() if len(steps) > 1}
