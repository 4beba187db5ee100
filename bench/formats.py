"""What do ten thousand rows of a file of 2 GiB cost, by its format?

    python bench/formats.py FOLDER [--only safetensors,npy] [--gib 2] [--keep]

Each file is written into FOLDER, which needs the room. Each measurement is a process of its own:
`info` is `embviz info`; `first` and `spread` take 10,000 rows from the start and from all over the
file, as floats; `neighbors` is `embviz neighbors` of one row, which compares it with all. Printed
are seconds, those of the processors, and the most memory in MiB, file pages included.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
WRITERS = [str(ROOT / "tests/loaders" / room) for room in ("weights", "checkpoint")]
sys.path[:0] = [str(ROOT), *WRITERS]

import onnx_writer
import torch_writer

DIMS = 1024
BLOCK = 4096
TAKE = """
import sys
import numpy as np
from embviz.loaders import load_table
from embviz.rows import take_rows
table = load_table(sys.argv[1])
rows = np.arange(10_000) if sys.argv[2] == "first" else np.sort(
    np.random.default_rng(0).choice(table.n_points, 10_000, replace=False))
assert take_rows(table.vectors, rows).astype("f4").shape == (10_000, table.n_dims)
"""

WAIT = """
import os, subprocess, sys, time
started = time.perf_counter()
quiet = subprocess.DEVNULL
process = subprocess.Popen(sys.argv[1:], stdout=quiet, stderr=quiet)
_, status, used = os.wait4(process.pid, 0)
print(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(status != 0)
"""


def blocks(n_rows: int) -> Iterator[np.ndarray]:
    """Yield the rows of a table, float32, a block at a time."""
    block = np.random.default_rng(0).normal(size=(BLOCK, DIMS)).astype("<f4")
    for first in range(0, n_rows, BLOCK):
        yield np.roll(block, first // BLOCK, axis=1)[: n_rows - first]


def write_npy(folder: Path, gib: float) -> Path:
    n_rows = int(gib * 2**30) // (4 * DIMS)
    path = folder / "big.npy"
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (n_rows, DIMS)}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks(n_rows):
            file.write(block.tobytes())
    return path


def write_safetensors(
    path: Path,
    code: str,
    n_rows: int,
    convert: Callable[[np.ndarray], np.ndarray],
    **more: np.ndarray,
) -> Path:
    width = convert(np.zeros(1, "<f4")).itemsize
    end = n_rows * DIMS * width
    header = {"embed.weight": {"dtype": code, "shape": [n_rows, DIMS], "data_offsets": [0, end]}}
    for name, array in more.items():
        spans = [end, end + array.nbytes]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": spans}
        end += array.nbytes
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        for block in blocks(n_rows):
            file.write(convert(block).tobytes())
        for array in more.values():
            file.write(array.tobytes())
    return path


def write_bfloat16(folder: Path, gib: float) -> Path:
    n_rows = int(gib * 2**30) // (2 * DIMS)
    path = folder / "bfloat16.safetensors"
    return write_safetensors(path, "BF16", n_rows, lambda x: (x.view("<u4") >> 16).astype("<u2"))


def write_float8(folder: Path, gib: float) -> Path:
    import ml_dtypes

    n_rows = int(gib * 2**30) // DIMS
    scales = {"embed.weight_scale": np.full((n_rows, 1), 0.5, "<f4")}
    path = folder / "float8.safetensors"
    return write_safetensors(
        path, "F8_E4M3", n_rows, lambda x: x.astype(ml_dtypes.float8_e4m3fn), **scales
    )


def write_shards(folder: Path, gib: float) -> Path:
    model = folder / "shards"
    model.mkdir(exist_ok=True)
    one = write_bfloat16(model, gib / 2)
    os.replace(one, model / "a.safetensors")
    n_rows = int(gib * 2**29) // (2 * DIMS)
    write_safetensors(model / "b.safetensors", "F32", BLOCK, lambda x: x)
    homes = {"embed.weight": "a.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": homes}))
    (model / "config.json").write_text(json.dumps({"vocab_size": n_rows}))
    (model / "vocab.txt").write_text("".join(f"word{i}\n" for i in range(n_rows - 9)))
    return model


def floats(folder: Path, gib: float) -> np.ndarray:
    """Return a table of float32 that lies in a file of its own, which is removed from the folder."""
    path = write_npy(folder, gib)
    mapped = np.load(path, mmap_mode="r")
    path.unlink()
    return mapped


def write_pytorch(folder: Path, gib: float) -> Path:
    table = floats(folder, gib)
    root = {
        "embed.weight": torch_writer.tensor(
            torch_writer.Storage("FloatStorage", "0", table.size), table.shape
        )
    }
    return torch_writer.write_zip(folder / "big.pt", root, {"0": table.tobytes()})


def write_gguf(folder: Path, gib: float) -> Path:
    import gguf

    table = floats(folder, gib)
    writer = gguf.GGUFWriter(folder / "big.gguf", "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"word{i}" for i in range(len(table))])
    writer.add_tensor("token_embd.weight", table)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / "big.gguf"


def write_onnx(folder: Path, gib: float) -> Path:
    model = folder / "onnx"
    model.mkdir(exist_ok=True)
    table = floats(folder, gib)
    table.tofile(model / "big.data")
    held = onnx_writer.external("embed.weight", 1, table.shape, location="big.data")
    return onnx_writer.write(model / "big.onnx", [held])


def write_word2vec(folder: Path, gib: float) -> Path:
    record = np.dtype([("word", "S9"), ("vector", "<f4", DIMS)])
    n_rows = int(gib * 2**30) // record.itemsize
    path = folder / "big.bin"
    with path.open("wb") as file:
        file.write(f"{n_rows} {DIMS}\n".encode())
        for first, block in zip(range(0, n_rows, BLOCK), blocks(n_rows), strict=True):
            rows = np.empty(len(block), record)
            rows["word"] = [f"w{first + i:07d} ".encode() for i in range(len(block))]
            rows["vector"] = block
            file.write(rows.tobytes())
    return path


def write_faiss(folder: Path, gib: float) -> Path:
    import faiss

    index = faiss.IndexFlatL2(DIMS)
    for block in blocks(int(gib * 2**30) // (4 * DIMS)):
        index.add(np.ascontiguousarray(block))
    faiss.write_index(index, str(folder / "big.faiss"))
    return folder / "big.faiss"


def batches(gib: float) -> Iterator[Any]:
    import pyarrow

    kind = pyarrow.list_(pyarrow.float32(), DIMS)
    for block in blocks(int(gib * 2**30) // (4 * DIMS)):
        values = pyarrow.array(block.ravel())
        lists = pyarrow.FixedSizeListArray.from_arrays(values, type=kind)
        yield pyarrow.record_batch({"embedding": lists})


def write_arrow(folder: Path, gib: float) -> Path:
    import pyarrow

    found = batches(gib)
    first = next(found)
    with (
        pyarrow.OSFile(str(folder / "big.arrow"), "wb") as file,
        pyarrow.ipc.new_file(file, first.schema) as out,
    ):
        out.write_batch(first)
        for batch in found:
            out.write_batch(batch)
    return folder / "big.arrow"


def write_parquet(folder: Path, gib: float) -> Path:
    from pyarrow import parquet

    found = batches(gib)
    first = next(found)
    with parquet.ParquetWriter(folder / "big.parquet", first.schema, use_dictionary=False) as out:
        out.write_batch(first)
        for batch in found:
            out.write_batch(batch)
    return folder / "big.parquet"


def write_hdf5(folder: Path, gib: float) -> Path:
    import h5py

    n_rows = int(gib * 2**30) // (4 * DIMS)
    with h5py.File(folder / "big.h5", "w") as file:
        data = file.create_dataset("embedding", (n_rows, DIMS), "<f4")
        for first, block in zip(range(0, n_rows, BLOCK), blocks(n_rows), strict=True):
            data[first : first + len(block)] = block
    return folder / "big.h5"


FORMATS: dict[str, Callable[[Path, float], Path]] = {
    "npy": write_npy,
    "pytorch": write_pytorch,
    "gguf": write_gguf,
    "onnx": write_onnx,
    "word2vec-binary": write_word2vec,
    "faiss": write_faiss,
    "arrow": write_arrow,
    "parquet": write_parquet,
    "hdf5": write_hdf5,
    "safetensors-bfloat16": write_bfloat16,
    "safetensors-float8": write_float8,
    "folder-of-shards": write_shards,
}


def measure(*command: str) -> str:
    """Run a command under a small process, whose own memory does not count."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    ran = subprocess.run(
        [sys.executable, "-S", "-c", WAIT, sys.executable, *command],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wall, cpu, peak = map(float, ran.stdout.split())
    return f"{wall:.2f} ({cpu:.2f}) {peak / (2**20 if sys.platform == 'darwin' else 2**10):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--gib", type=float, default=2)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    columns = ("info", "first", "spread", "neighbors")
    print(f"s (s of processors) MiB\n\n| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for name, write in FORMATS.items():
        if options.only and not any(name.startswith(word) for word in options.only.split(",")):
            continue
        path = str(write(options.folder, options.gib))
        found = (
            measure("-m", "embviz", "info", path),
            measure("-c", TAKE, path, "first"),
            measure("-c", TAKE, path, "spread"),
            measure("-m", "embviz", "neighbors", "5", "--source", path),
        )
        print(f"| {name} | {' | '.join(found)} |", flush=True)
        if not options.keep:
            kept = Path(path)
            subprocess.run(
                ["rm", "-r", kept.parent if kept.parent != options.folder else kept], check=True
            )


if __name__ == "__main__":
    main()
