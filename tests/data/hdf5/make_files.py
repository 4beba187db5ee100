"""Wrote the files of this folder: Keras 3.15 and tf_keras 2.21 models, AnnData 0.12 tables.

python tests/data/hdf5/make_files.py [FOLDER]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
VECTORS = np.random.default_rng(5).normal(size=(20, 4)).astype(np.float32)


def model(keras: Any) -> Any:
    """Return a small model whose embedding is VECTORS, after one step of its optimizer."""
    table = keras.initializers.Constant(VECTORS)
    layers = [
        keras.layers.Input((3,)),
        keras.layers.Embedding(20, 4, name="words", embeddings_initializer=table),
        keras.layers.Flatten(),
        keras.layers.Dense(2, name="out"),
    ]
    made = keras.Sequential(layers)
    made.compile("adam", "mse")
    made.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)
    made.layers[0].set_weights([VECTORS])
    return made


def write_plain() -> None:
    import h5py

    with h5py.File(FOLDER / "plain.h5", "w") as file:
        file.create_dataset("emb", data=VECTORS, chunks=(7, 4), compression="gzip", shuffle=True)
        file.create_dataset("packed", data=VECTORS, chunks=(3, 2), fletcher32=True)
        file["word"] = [f"wört {i}" for i in range(20)]
        file["more/raw"] = VECTORS.astype(">f2")
        file["more/name"] = np.array([b"a"] * 20)


def write_keras() -> None:
    import keras
    import tf_keras

    found = model(keras)
    found.save(FOLDER / "keras3.keras")
    found.save_weights(FOLDER / "keras3.weights.h5")
    found = model(tf_keras)
    found.save(FOLDER / "keras2.h5")
    found.save_weights(FOLDER / "keras2_weights.h5")


def write_anndata() -> None:
    import anndata
    import pandas as pd
    import scipy.sparse as sp

    anndata.settings.allow_write_nullable_strings = True
    counts = np.random.default_rng(6).poisson(0.5, (20, 7)).astype(np.float32)
    obs = pd.DataFrame(
        {
            "kind": pd.Categorical(["B", "T", None, "B"] * 5, ["T", "B"]),
            "n_genes": np.arange(20) * 3,
            "share": np.linspace(0, 1, 20, dtype=np.float32),
            "doublet": [False, True] * 10,
            "age": pd.array([1, None] * 10, dtype="Int64"),
            "note": [f"nöte {i}" for i in range(20)],
        },
        index=pd.Index([f"AAAC{i}-1" for i in range(20)], name="barcode"),
    )
    plain = obs.assign(note=obs["note"].astype(object))
    plain.index = plain.index.astype(object)
    for name, x in (("csr", sp.csr_matrix(counts)), ("dense", counts)):
        found = anndata.AnnData(x, obs=obs if name == "dense" else plain)
        found.obsm["X_pca"] = VECTORS
        found.obsm["X_umap"] = VECTORS[:, :2].astype(np.float64)
        found.write_h5ad(FOLDER / f"{name}.h5ad", compression="gzip")
    found = anndata.AnnData(sp.csc_matrix(counts), obs=plain[["kind"]])
    found.write_h5ad(FOLDER / "csc.h5ad")
    np.save(FOLDER / "counts.npy", counts)


if __name__ == "__main__":
    np.save(FOLDER / "vectors.npy", VECTORS)
    write_plain()
    write_keras()
    write_anndata()
