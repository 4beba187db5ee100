"""Folders of sparse autoencoders, as sae_lens, Gemma Scope and others leave them."""

from __future__ import annotations

from pathlib import Path

from embviz.errors import LoadError
from embviz.loaders.arrays.npz import NPZ
from embviz.loaders.confined import find_within
from embviz.loaders.opened import Claim, Source, Start, Tensor
from embviz.loaders.reading import Reading
from embviz.loaders.weights.entries import as_tensors
from embviz.loaders.weights.features import with_features
from embviz.loaders.weights.pytorch import open_tensors
from embviz.loaders.weights.safetensors_header import SUFFIX, read_header

# By which programs write them: sae_lens, sparsify, Gemma Scope 2, dictionary_learning; Gemma Scope.
_OWN = ("sae_weights.safetensors", "sae.safetensors", "params.safetensors", "ae.pt")
_ARCHIVE = "params.npz"
# How often a feature is active, as a logarithm of base 10.
_SPARSITY = "sparsity.safetensors"


class SparseAutoencoderFormat:
    """Reads the decoder of a sparse autoencoder, a row a feature, with explanations."""

    name = "sparse_autoencoder"

    def claim(self, start: Start) -> Claim | None:
        """Claim a folder with a file that such programs write."""
        if start.kind != "folder":
            return None
        if any(name in start.names for name in _OWN):
            return Claim.MAGIC
        return Claim.CONTENT if _ARCHIVE in start.names else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the headers of a folder's weights.

        Raises:
            LoadError: If they are missing or damaged, or lie outside the folder.
        """
        for name in (*_OWN, _ARCHIVE):
            file = find_within(path, name, path)
            if file.is_file():
                tensors = _open(file, reading)
                files = [file]
                beside = find_within(path, _SPARSITY, path)
                if beside.is_file():
                    tensors += as_tensors(e for e in read_header(beside) if e.name == "sparsity")
                    files.append(beside)
                found = with_features(tensors, path)
                return Source(path, found.tensors, is_model=True, files=(*files, *found.files))
        raise LoadError(path, "no weights of a sparse autoencoder in it")


SPARSE_AUTOENCODER = SparseAutoencoderFormat()


def _open(file: Path, reading: Reading) -> tuple[Tensor, ...]:
    if file.name == _ARCHIVE:
        return NPZ.open(file, reading).tensors
    if file.suffix == SUFFIX:
        return as_tensors(read_header(file))
    return open_tensors(file)
