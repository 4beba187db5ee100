"""Folders of models as the libraries of Hugging Face save them, and indexes of shards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from embviz.loaders.choice import HEAD_NAME, choose_default, names_table
from embviz.loaders.opened import Claim, Source, Start, Tensor
from embviz.loaders.reading import Reading
from embviz.loaders.weights.entries import as_tensors
from embviz.loaders.weights.model_folders import (
    Model,
    find_model,
    holds_models,
    looks_like_model,
    model_of_file,
)
from embviz.loaders.weights.pytorch import open_tensors
from embviz.loaders.weights.safetensors_header import SUFFIX, read_header
from embviz.loaders.weights.shards import (
    INDEX_SUFFIX,
    TORCH_INDEX_SUFFIX,
    Weights,
    read_numbered,
    read_shards,
    read_torch_shards,
)
from embviz.loaders.weights.token_labels import with_tokens


class HuggingFaceFormat:
    """Reads config.json with weights in one file or in shards, mapped into memory."""

    name = "hugging_face"

    def claim(self, start: Start) -> Claim | None:
        """Claim a model's folder, what holds weights or steps of a training, and an index."""
        if start.kind == "file":
            is_index = start.path.name.endswith((INDEX_SUFFIX, TORCH_INDEX_SUFFIX))
            return Claim.MAGIC if is_index else None
        if start.kind != "folder":
            return None
        if looks_like_model(start.names):
            return Claim.MAGIC
        return Claim.CONTENT if holds_models(start.path, start.names) else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the headers of a model's weights.

        Args:
            path: A model's folder, that of its training or of the Hub's cache, or an index.
            reading: What is said of how it is read.

        Returns:
            Its tensors; the table of words, whose rows config.json counts, is preferred.

        Raises:
            LoadError: If weights are missing or damaged, or lie outside the folder.
        """
        if path.is_dir():
            model = find_model(path)
        else:
            model = model_of_file(path) or Model(path.parent, path)
        return open_model(path, model)


HUGGING_FACE = HuggingFaceFormat()


def open_model(path: Path, model: Model) -> Source:
    """Return a model as a source, its table of words preferred and with its tokens as labels.

    Raises:
        LoadError: If weights are missing or damaged, or lie outside the folder.
    """
    tensors, files = _open_weights(model)
    n_words = _vocabulary_sizes(model.config)
    words = {
        t.name for t in tensors if t.is_candidate and t.shape[0] in n_words and names_table(t.name)
    }
    tensors = _ranked(tensors, words, model.config)
    counted = bool(words)
    if not counted:
        best = choose_default(Source(path, tensors, is_model=True))
        words = {t.name for t in best if names_table(t.name)}
    if model.sentences:
        note = "words, not the space of its sentences"
        tensors = tuple(replace(t, note=note) if t.name in words else t for t in tensors)
    labelled = with_tokens(tensors, model.folder, words, counted)
    files = (*files, *model.files, *labelled.files)
    return Source(path, labelled.tensors, is_model=True, files=files)


def _open_weights(model: Model) -> tuple[tuple[Tensor, ...], tuple[Path, ...]]:
    """Return the tensors of a model and the files that they are in."""
    file = model.weights
    if file is None:
        weights = read_numbered(model.folder, model.shards)
    elif file.name.endswith(INDEX_SUFFIX):
        weights = read_shards(file)
    elif file.name.endswith(SUFFIX):
        weights = Weights(tuple(read_header(file)), (file,))
    elif file.name.endswith(TORCH_INDEX_SUFFIX):
        return read_torch_shards(file)
    else:
        return open_tensors(file), (file,)
    return as_tensors(weights.entries, _block(model.config)), weights.files


def _block(config: dict[str, Any]) -> tuple[int, int] | None:
    """Return the rows and columns of a block of quantized weights that a config tells."""
    quantization = config.get("quantization_config")
    block = quantization.get("weight_block_size") if isinstance(quantization, dict) else None
    if isinstance(block, list) and len(block) == 2 and all(type(n) is int and n > 0 for n in block):
        return block[0], block[1]
    return None


def _ranked(
    tensors: tuple[Tensor, ...], words: set[str], config: dict[str, Any]
) -> tuple[Tensor, ...]:
    """Mark the one table of words, and what repeats it, by what config.json says."""
    repeats = _tied(tensors, words, config)
    left = words - repeats.keys()
    return tuple(
        replace(t, role="duplicate", note=f"tied to {repeats[t.name]}")
        if t.name in repeats
        else replace(t, preferred=left == {t.name})
        for t in tensors
    )


def _vocabulary_sizes(config: dict[str, Any]) -> set[int]:
    """Return the sizes of vocabularies that a config names, those of its parts among them."""
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    return {size for part in parts if type(size := part.get("vocab_size")) is int}


def _tied(tensors: tuple[Tensor, ...], words: set[str], config: dict[str, Any]) -> dict[str, str]:
    """Return what repeats the table of words, {name: table}: transformers ties them on loading."""
    tie = config.get("tie_word_embeddings")
    shared = next((name for name in words if name.endswith("shared.weight")), None)
    first = shared or (min(words) if len(words) == 1 else None)
    shape = next((t.shape for t in tensors if t.name == first), None)
    repeats = {}
    for t in tensors:
        if first is None or t.name == first or t.shape != shape:
            continue
        is_head = HEAD_NAME.search(t.name) is not None
        is_copy = t.name.endswith(("encoder.embed_tokens.weight", "decoder.embed_tokens.weight"))
        if (is_head and tie is True) or (shared is not None and is_copy and tie is not False):
            repeats[t.name] = first
    return repeats
