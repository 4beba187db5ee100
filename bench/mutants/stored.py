"""Kinds of files that hold arrays, tables, indexes and images."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import os
import random
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from embviz.neighbors.index.files import BLOCK, MANIFEST, crc32c
from embviz.sprites import load_sprite, read_tiles
from mutants.changing import (
    DATA,
    INTEGERS,
    LABELS,
    VECTORS,
    Kind,
    N,
    mutate_bytes,
    mutate_files,
    mutate_value,
)
from mutants.reading import one_file, read_all, read_table


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def arrays(**content: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **content)
    return out.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def archive(method: int) -> Kind:
    members = {
        "emb.npy": npy(VECTORS),
        "wörd.npy": npy(np.array(LABELS)),
        "n.npy": npy(np.arange(N)),
    }

    def write(folder: Path, found: dict[str, bytes]) -> None:
        with zipfile.ZipFile(folder / "x.npz", "w", method) as file:
            for name, raw in found.items():
                file.writestr(zipfile.ZipInfo(name), raw, method)

    def mutate(folder: Path, rng: random.Random) -> bool:
        if rng.random() < 0.6:
            mutate_files(folder, rng)
            return True
        name = rng.choice(sorted(members))
        write(folder, {**members, name: mutate_bytes(members[name], rng)})
        return False

    return Kind(lambda folder: write(folder, members), mutate, lambda f: read_table(f / "x.npz"))


def make_shards(folder: Path) -> None:
    for i in range(6):
        np.save(folder / f"emb_{i}.npy", VECTORS[10 * i : 10 * i + 10])
        np.save(folder / f"label_{i}.npy", np.array(LABELS[10 * i : 10 * i + 10]))


def make_index(folder: Path) -> None:
    import embviz

    columns = {"word": tuple(LABELS), "n": tuple(map(str, range(N)))}
    embviz.build_index(embviz.EmbeddingTable(VECTORS, columns), folder / "idx")


def mutate_index(folder: Path, rng: random.Random) -> bool:
    manifest = folder / "idx" / MANIFEST
    kind = rng.random()
    if kind < 0.2:
        return mutate_files(folder, rng)
    whole = json.loads(manifest.read_text())
    del whole["crc32c"]
    if kind < 0.6:
        whole = mutate_value(whole, rng)
    else:
        name = rng.choice(sorted(whole["parts"]))
        part = folder / "idx" / f"{name}.bin"
        if part.stat().st_size:
            array = bytearray(part.read_bytes())
            at = rng.randrange(len(array))
            size = min(8, len(array) - at)
            array[at : at + size] = rng.choice(INTEGERS).to_bytes(8, "little")[:size]
            part.write_bytes(array)
            blocks = [array[i : i + BLOCK] for i in range(0, len(array), BLOCK)]
            packed = np.array([crc32c(bytes(block)) for block in blocks], "<u4").tobytes()
            whole["parts"][name]["crc32c"] = base64.b64encode(packed).decode()
    if isinstance(whole, dict):
        text = json.dumps(whole, sort_keys=True)
        whole["crc32c"] = crc32c(text.encode())
    manifest.write_text(json.dumps(whole))
    return False


def read_index(folder: Path) -> None:
    from embviz.neighbors.index.index import open_index

    index = open_index(folder / "idx")
    index.columns.find(LABELS[3])
    index.find_neighbors([0, N - 1], 3)
    index.row_number(1)
    index.changed_source()
    read_table(folder / "idx")


def image(kind: str, mode: str = "RGB") -> Kind:
    """A sheet; one of a PNG's chunks changes under a right checksum, the stream's own staying."""

    def make(folder: Path) -> None:
        from PIL import Image

        pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
        wide = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        (wide if mode == "I;16" else Image.fromarray(pixels).convert(mode)).save(
            folder / "s.img", kind
        )

    def mutate(folder: Path, rng: random.Random) -> bool:
        raw = (folder / "s.img").read_bytes()
        if kind != "PNG" or rng.random() < 0.5:
            (folder / "s.img").write_bytes(mutate_bytes(raw, rng))
            return kind == "PNG"
        at = 8
        for _ in range(rng.randrange(3)):
            at += struct.unpack_from(">I", raw, at)[0] + 12
        length = struct.unpack_from(">I", raw, at)[0] if at < len(raw) else 0
        body = raw[at + 4 : at + 8] + mutate_bytes(raw[at + 8 : at + 8 + length], rng)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        (folder / "s.img").write_bytes(raw[:at] + chunk + raw[at + length + 12 :])
        return False

    def read(folder: Path) -> np.ndarray:
        return read_tiles(load_sprite(folder / "s.img", (8, 8), N))

    return Kind(make, mutate, read)


def make_sheets(folder: Path) -> None:
    from PIL import Image

    for name in ("one.png", "two.png"):
        Image.new("RGB", (64, 32), (9, 9, 9)).save(folder / name)
    note = {"embviz_sprite": 1, "tile_width": 8, "tile_height": 8, "columns": 8, "count": N}
    (folder / "s.json").write_text(json.dumps({**note, "sheets": ["one.png", "two.png"]}))


def mutate_sheets(folder: Path, rng: random.Random) -> bool:
    if rng.random() < 0.5:
        return mutate_files(folder, rng)
    file = folder / "s.json"
    file.write_text(json.dumps(mutate_value(json.loads(file.read_text()), rng)))
    return False


def make_checkpoint(folder: Path) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.train.Checkpoint(emb=tf.Variable(VECTORS)).write(str(folder / "model.ckpt"))


def make_logdir(folder: Path) -> None:
    import embviz
    from embviz.export import export_logdir

    export_logdir(folder, [embviz.EmbeddingTable(VECTORS, {"w": tuple(LABELS)}, name="emb")])


def make_projector(folder: Path) -> None:
    VECTORS.tofile(folder / "t.bytes")
    (folder / "m.tsv").write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")
    entry = {"tensorName": "W", "tensorShape": [N, 8], "tensorPath": "t.bytes"}
    config = {"embeddings": [{**entry, "metadataPath": "m.tsv"}], "modelCheckpointPath": "x"}
    (folder / "projector_config.json").write_text(json.dumps(config))


def mutate_projector(folder: Path, rng: random.Random) -> bool:
    file = folder / "projector_config.json"
    if rng.random() < 0.6:
        file.write_text(json.dumps(mutate_value(json.loads(file.read_text()), rng)))
        return False
    return mutate_files(folder, rng)


def arrow(name: str, packed: str | None = None) -> Kind:
    """Vectors as lists, some of them null, beside columns of most types."""

    def make(folder: Path) -> None:
        import pyarrow as pa
        from pyarrow import feather, parquet

        lists = [None if i == 7 else row for i, row in enumerate(VECTORS.tolist())]
        notes = {"info": {"features": {"class": {"names": ["a", "b"]}}}}
        table = pa.table({
            "word": pa.array(LABELS).dictionary_encode(),
            "emb": pa.array(lists, pa.list_(pa.float32())),
            "fixed": pa.array(lists, pa.list_(pa.float16(), 8)),
            "counts": pa.array([[i, 2] for i in range(N)], pa.large_list(pa.int16())),
            "class": [i % 2 for i in range(N)],
            "tags": [[{"k": label}] for label in LABELS],
            "when": pa.array(range(N), pa.timestamp("ns", "UTC")),
        }).replace_schema_metadata({"huggingface": json.dumps(notes)})  # fmt: skip
        if name.endswith(".parquet"):
            parquet.write_table(table, folder / name, row_group_size=23, compression=packed)
        elif name.endswith(".feather"):
            feather.write_feather(table, folder / name, packed, chunksize=23)
        else:
            (folder / name).mkdir()
            files = {"_data_files": [{"filename": "data-0.arrow"}]}
            (folder / name / "state.json").write_text(json.dumps(files))
            (folder / name / "dataset_info.json").write_text("{}")
            with pa.ipc.new_stream(folder / name / "data-0.arrow", table.schema) as out:
                out.write_table(table, max_chunksize=23)

    def read(folder: Path) -> None:
        for tensor in ("emb", "fixed", "counts"):
            read_table(folder / name, tensor=tensor)

    return Kind(make, mutate_files, read)


def hdf5(name: str, tensors: tuple[str, ...]) -> Kind:
    """A file of tests/data/hdf5, as h5py, Keras or anndata wrote it."""

    def make(folder: Path) -> None:
        shutil.copy(DATA / "hdf5" / name, folder)

    def read(folder: Path) -> None:
        for tensor in tensors:
            read_table(folder / name, tensor=tensor)

    return Kind(make, mutate_files, read)


def make_cells(folder: Path) -> None:
    """A table of before anndata 0.7: records with texts of any length."""
    import h5py

    obs = np.zeros(N, [("index", h5py.string_dtype()), ("n", "<i4"), ("ok", "?")])
    obs["index"], obs["n"] = LABELS, np.arange(N)
    with h5py.File(folder / "x.h5ad", "w") as file:
        file["X"], file["var"] = VECTORS, np.zeros(8, [("index", "S3")])
        file.create_dataset("obs", data=obs, chunks=(25,), compression="gzip")


def zarr_folder(version: int) -> Kind:
    def make(folder: Path) -> None:
        import zarr

        group = zarr.open_group(folder / "x.zarr", mode="w", zarr_format=version)
        group.create_array("emb", data=VECTORS, chunks=(17, 5))
        group.create_array("word", data=np.array(LABELS, np.dtypes.StringDType()))

    def mutate(folder: Path, rng: random.Random) -> bool:
        if rng.random() < 0.5:
            return mutate_files(folder, rng)
        file = rng.choice(
            sorted(p for p in folder.rglob("*") if p.name in ("zarr.json", ".zarray"))
        )
        file.write_text(json.dumps(mutate_value(json.loads(file.read_text()), rng)))
        return False

    return Kind(make, mutate, lambda f: read_table(f / "x.zarr", tensor="emb"))


def stored_kinds() -> dict[str, Kind]:
    """Return the kinds of this module by name."""
    packings = {"stored": 0, "deflate": 8, "bzip2": 12, "lzma": 14}
    found = {f"npz-{name}": archive(method) for name, method in packings.items()}
    return {
        **found,
        "npy": one_file("x.npy", npy(VECTORS)),
        "index": Kind(make_index, mutate_index, read_index),
        **{f"image-{kind}": image(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")},
        **{f"image-PNG-{mode}": image("PNG", mode) for mode in ("P", "1", "RGBA", "I;16")},
        "sheets": Kind(make_sheets, mutate_sheets, lambda f: read_tiles(load_sprite(f / "s.json", None, N))),
        "projector": Kind(make_projector, mutate_projector, lambda f: read_all(f)),
        "npy.gz": one_file("x.npy.gz", gzip.compress(npy(VECTORS))),
        "npy.bz2": one_file("x.npy.bz2", bz2.compress(npy(VECTORS))),
        "shards": Kind(make_shards, mutate_files, lambda f: read_table(f)),
        "checkpoint": Kind(make_checkpoint, mutate_files, lambda f: read_table(f / "model.ckpt")),
        "parquet": arrow("x.parquet", "none"),
        "parquet-packed": arrow("x.parquet", "zstd"),
        "arrow": arrow("x.feather", "uncompressed"),
        "arrow-packed": arrow("x.feather", "lz4"),
        "arrow-saved": arrow("saved"),
        "zarr-2": zarr_folder(2),
        "zarr-3": zarr_folder(3),
        "hdf5-plain": hdf5("plain.h5", ("emb", "packed", "more/raw")),
        "hdf5-h5ad": hdf5("csr.h5ad", ("X", "obsm/X_pca")),
        "hdf5-records": Kind(make_cells, mutate_files, lambda f: read_table(f / "x.h5ad")),
        "hdf5-keras": hdf5("keras3.keras", ("words",)),
        "hdf5-legacy": hdf5("keras2_weights.h5", ("words",)),
        "logdir": Kind(make_logdir, mutate_files, lambda f: read_table(f)),
    }  # fmt: skip
