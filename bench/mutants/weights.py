"""Kinds of files that hold the weights of models, vectors of words and indexes of FAISS."""

from __future__ import annotations

import json
import random
import shutil
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from embviz.errors import EmbvizError
from embviz.loaders import list_tensors
from mutants.changing import (
    DATA,
    LABELS,
    VECTORS,
    Kind,
    N,
    mutate_bytes,
    mutate_files,
    mutate_head,
    mutate_value,
)
from mutants.reading import read_all, read_table

PYTORCH = (
    "state_dict.pt",
    "views.pth",
    "epoch=3-step=400.ckpt",
    "whole_module.pt",
    "scripted.pt",
    "legacy.pt",
)


def make_gguf(folder: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(folder / "x.gguf", "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(LABELS)
    writer.add_token_types([1] * N)
    writer.add_token_scores([0.5] * N)
    packed = np.random.default_rng(2).integers(0, 99, (N, 144), np.uint8)
    writer.add_tensor("token_embd.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q4_K)
    writer.add_tensor("output.weight", VECTORS)
    writer.add_tensor("blk.0.ffn_up.weight", VECTORS.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def real(name: str) -> Kind:
    """A small file that PyTorch wrote; half of the time what is pickled in it is changed."""
    file = DATA / "pytorch" / name

    def mutate(folder: Path, rng: random.Random) -> bool:
        if name == "legacy.pt" and rng.random() < 0.7:
            raw = (folder / name).read_bytes()  # The pickles are its first 347 bytes.
            (folder / name).write_bytes(mutate_bytes(raw[:347], rng) + raw[347:])
        if name == "legacy.pt" or rng.random() < 0.4:
            return mutate_files(folder, rng) or name != "legacy.pt"
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(folder / name, "w") as new:
            for info in old.infolist():
                raw = old.read(info)
                changed = info.filename.endswith(".pkl") or rng.random() < 0.1
                new.writestr(info, mutate_bytes(raw, rng) if changed else raw)
        return False

    def read(folder: Path) -> np.ndarray | None:
        best = [info.name for info in list_tensors(folder / name) if len(info.shape) == 2]
        for tensor in best[1:]:
            with suppress(EmbvizError):
                read_table(folder / name, tensor=tensor)
        first = best[0] if best and name == "views.pth" else None
        return read_table(folder / name, tensor=first)

    return Kind(lambda folder: shutil.copy(file, folder) and None, mutate, read)


def onnx(*names: str) -> Kind:
    """A model that onnx wrote, with its data file where it has one."""
    files = [DATA / "onnx" / name for name in names]

    def make(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)

    def mutate(folder: Path, rng: random.Random) -> bool:
        raw = (folder / names[0]).read_bytes()
        if rng.random() < 0.3:
            return mutate_files(folder, rng)
        at = rng.randrange(0, len(raw), 8)  # Mostly what lies between the values is of interest.
        at = rng.choice((0, raw.find(b"half") - 30, raw.find(b"typed") - 50, at))
        part = mutate_bytes(raw[at : at + 80], rng)
        (folder / names[0]).write_bytes(raw[:at] + part + raw[at + 80 :])
        return False

    def read(folder: Path) -> np.ndarray | None:
        for info in list_tensors(folder / names[0]):
            with suppress(EmbvizError):
                read_table(folder / names[0], tensor=info.name)
        return read_table(folder / names[0])

    return Kind(make, mutate, read)


def write_safetensors(path: Path, tensors: dict[str, tuple[str, np.ndarray]]) -> None:
    header, data = {}, b""
    for name, (code, array) in tensors.items():
        raw = array.tobytes()
        spans = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": spans}
        data += raw
    write_header(path, header, data)


def write_header(path: Path, header: Any, data: bytes) -> None:
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)


def make_safetensors(folder: Path) -> None:
    small = np.random.default_rng(1).integers(0, 120, (N, 8)).astype(np.uint8)
    tensors = {
        "embed.weight": ("F8_E4M3", small),
        "embed.weight_scale": ("F32", np.full((N, 1), 0.5, np.float32)),
        "wide.weight": ("BF16", np.full((N, 8), 0x3F80, np.uint16)),
        "norm": ("F32", VECTORS[0]),
        "flags": ("BOOL", small % 2),
    }
    write_safetensors(folder / "x.safetensors", tensors)


def make_model(folder: Path) -> None:
    names = {
        "model.embed_tokens.weight": VECTORS,
        "lm_head.weight": VECTORS,
        "wpe.weight": VECTORS[:9],
    }
    homes = {name: f"{'ab'[i % 2]}.safetensors" for i, name in enumerate(names)}
    for home in sorted(set(homes.values())):
        held = {n: ("F32", array) for n, array in names.items() if homes[n] == home}
        write_safetensors(folder / home, held)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": homes}))
    config = {
        "vocab_size": N,
        "tie_word_embeddings": True,
        "quantization_config": {"weight_block_size": [8, 8]},
    }
    (folder / "config.json").write_text(json.dumps(config))
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "vocab.txt").write_text("\n".join(LABELS), encoding="utf-8")


def make_autoencoder(folder: Path) -> None:
    tensors = {
        "decoder.weight": VECTORS.T,
        "encoder.weight": VECTORS,
        "encoder.bias": VECTORS[:, 0],
    }
    found = {name: ("F32", np.ascontiguousarray(array)) for name, array in tensors.items()}
    write_safetensors(folder / "sae_weights.safetensors", found)
    (folder / "cfg.json").write_text(
        json.dumps({"d_sae": N, "metadata": {"neuronpedia_id": "a/b"}})
    )
    texts = [{"index": str(i), "description": label} for i, label in enumerate(LABELS)]
    (folder / "explanations.json").write_text(json.dumps(texts))


def mutate_weights(folder: Path, rng: random.Random) -> bool:
    """Change a value of JSON, that of a header under its right length too, or bytes."""
    file = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    if rng.random() < 0.4 or file.suffix == ".txt":
        return mutate_files(folder, rng)
    raw = file.read_bytes()
    if file.suffix == ".json":
        file.write_text(json.dumps(mutate_value(json.loads(raw), rng)), encoding="utf-8")
        return False
    end = 8 + int.from_bytes(raw[:8], "little")
    write_header(file, mutate_value(json.loads(raw[8:end]), rng), raw[end:])
    return False


def words(name: str) -> Kind:
    """A model that fastText wrote."""
    file = DATA / "words" / name
    return Kind(lambda folder: shutil.copy(file, folder), mutate_head, lambda f: read_all(f / name))


def faiss_index(spec: str, beside: bool = False) -> Kind:
    """An index of vectors, its lists perhaps in a file of their own."""

    def make(folder: Path) -> None:
        import faiss

        index = faiss.index_factory(8, spec)
        index.train(np.tile(VECTORS, (4, 1)))
        if beside:
            lists = faiss.OnDiskInvertedLists(index.nlist, index.code_size, str(folder / "z"))
            index.replace_invlists(lists)
        if spec.startswith("IDMap"):
            index.add_with_ids(VECTORS, np.arange(N) * 3)
        else:
            index.add(VECTORS)
        faiss.write_index(index, str(folder / "x.faiss"))

    return Kind(make, mutate_head, lambda f: read_all(f / "x.faiss"))


def weight_kinds() -> dict[str, Kind]:
    """Return the kinds of this module by name."""
    return {
        "gguf": Kind(make_gguf, mutate_head, lambda f: read_all(f / "x.gguf")),
        **{f"pytorch-{name}": real(name) for name in PYTORCH},
        "onnx-model": onnx("model.onnx"),
        "onnx-external": onnx("external.onnx", "external.onnx.data"),
        "safetensors": Kind(make_safetensors, mutate_weights, lambda f: read_all(f / "x.safetensors")),
        "model": Kind(make_model, mutate_weights, read_all),
        "autoencoder": Kind(make_autoencoder, mutate_weights, read_all),
        **{f"fasttext-{name}": words(name) for name in ("skipgram.bin", "classes.bin", "pruned.ftz")},
        **{f"faiss-{spec}": faiss_index(spec) for spec in ("Flat", "IDMap,HNSW4", "IVF4,Flat")},
        "faiss-beside": faiss_index("IVF4,Flat", beside=True),
    }  # fmt: skip
