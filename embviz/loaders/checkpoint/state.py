"""The file `checkpoint` that TensorFlow leaves beside checkpoints: which of them is the latest.

It is a CheckpointState in protobuf text format: lines of `key: "string"` or `key: number`. Source:
tensorflow/python/training/checkpoint_state.proto.
"""

from __future__ import annotations

import re
from pathlib import Path

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.bytes.text_format import unescape

STATE_NAME = "checkpoint"
LATEST_FIELD = b"model_checkpoint_path"
MAX_STATE_BYTES = 16 << 20
PAIR = re.compile(
    rb"""([A-Za-z_]\w*)\s*:\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[-+.\w]+)[ \t]*[;,]?"""
)
BLANK = re.compile(rb"(?:\s+|#[^\n]*)*")


def is_state_file(path: Path) -> bool:
    """Tell whether a file begins as a state file does, whatever its name."""
    try:
        with open_file(path) as file:
            return file.read(len(LATEST_FIELD)) == LATEST_FIELD
    except (OSError, ValueError):
        return False


def read_latest(path: Path) -> str:
    """Return the path of the latest checkpoint, as written.

    Raises:
        LoadError: If the file is no text proto or names no checkpoint.
    """
    try:
        with open_file(path) as file:
            data = file.read(MAX_STATE_BYTES + 1)
    except OSError as error:
        raise LoadError(path, error.strerror or str(error)) from error
    if len(data) > MAX_STATE_BYTES:
        raise LoadError(path, f"over {MAX_STATE_BYTES:,} bytes, too long for a state file")
    way_out = "name the checkpoint itself, such as model.ckpt-100"
    latest, at = b"", 0
    while True:
        blank = BLANK.match(data, at)
        at = blank.end() if blank else at
        if at == len(data):
            break
        pair = PAIR.match(data, at)
        if pair is None:
            line = data.count(b"\n", 0, at) + 1
            raise LoadError(path, f'line {line} is not `name: "value"` of a state file', way_out)
        if pair[1] == LATEST_FIELD:
            latest = pair[2]
            if latest[:1] in (b'"', b"'"):
                latest = unescape(latest[1:-1])
        at = pair.end()
    try:
        name = latest.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LoadError(path, f"model_checkpoint_path is not UTF-8: {error}", way_out) from error
    if not name or "\0" in name:
        raise LoadError(path, "it names no checkpoint (model_checkpoint_path)", way_out)
    return name
