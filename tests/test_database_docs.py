"""docs/databases.md: its lines give every vector with its own text, and its commands read them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import EmbeddingTable, load_table

PAGE = (Path(__file__).parent.parent / "docs/databases.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
N, DIMS = 2500, 12  # More than the lines take at once.
VECTORS = np.random.default_rng(0).normal(size=(N, DIMS)).astype(np.float32)
TEXTS = [f'text, "{i}" é\u2028' if i % 7 else "" for i in range(N)]


def lines_of(name: str) -> str:
    found = re.search(r"^```python\n(.*?)^```$", SECTIONS[name], re.M | re.S)
    assert found is not None
    return found[1]


def run_lines(name: str) -> None:
    exec(compile(lines_of(name), name, "exec"), {})


def check(file: str) -> EmbeddingTable:
    """Every vector is there, beside its own text."""
    table = load_table(file)
    rows = np.array([int(i) for i in table.metadata["id"]])
    assert sorted(rows.tolist()) == list(range(N))
    np.testing.assert_allclose(table.vectors[:], VECTORS[rows], rtol=2e-6, atol=1e-7)
    assert list(table.metadata["text"]) == [TEXTS[i] for i in rows]
    return table


def test_the_lines_of_each_database_are_few_and_name_what_its_command_reads() -> None:
    assert list(SECTIONS) == ["Chroma", "Qdrant", "LanceDB", "pgvector", "Milvus"]
    for name, text in SECTIONS.items():
        (command,) = re.findall(r"^    (embviz project .*)$", text, re.M)
        assert shlex.split(command)[2] in text.replace(command, "")
        if name != "pgvector":
            written = [line for line in lines_of(name).splitlines() if line]
            assert len(written) <= 6
            compile(lines_of(name), name, "exec")


@pytest.mark.parametrize("name", ["docs.jsonl", "docs.csv"])
def test_what_the_lines_write_is_read(tmp_path: Path, name: str) -> None:
    """Without a database: the same records by the same writers."""
    with (tmp_path / name).open("w", encoding="utf-8", newline="") as out:
        if name.endswith("csv"):
            # As COPY writes it: what is empty text is quoted, fields only where it is needed.
            out.write("id,text,embedding\n")
            for i, text in enumerate(TEXTS):
                vector = "[" + ",".join(f"{x:.9g}" for x in VECTORS[i]) + "]"
                quoted = '"' + text.replace('"', '""') + '"'
                out.write(f'{i},{quoted},"{vector}"\n')
        else:
            for i, text in enumerate(TEXTS):
                record = {"id": i, "text": text, "embedding": VECTORS[i].astype(float).tolist()}
                out.write(json.dumps(record) + "\n")
    check(str(tmp_path / name))


def test_chroma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromadb = pytest.importorskip("chromadb")
    monkeypatch.chdir(tmp_path)
    made = chromadb.PersistentClient("chroma").create_collection("docs")
    for part in (slice(0, 2000), slice(2000, N)):
        rows = range(N)[part]
        made.add(
            ids=[str(i) for i in rows],
            embeddings=VECTORS[part],
            documents=TEXTS[part],
            metadatas=[{"kind": i % 3} for i in rows],
        )
    run_lines("Chroma")
    table = check("docs.jsonl")
    assert table.metadata["kind"] == tuple(str(int(i) % 3) for i in table.metadata["id"])


def test_qdrant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("qdrant_client")
    from qdrant_client import QdrantClient
    from qdrant_client.models import Distance, PointStruct, VectorParams

    monkeypatch.chdir(tmp_path)
    client = QdrantClient(path="qdrant")
    client.create_collection("docs", VectorParams(size=DIMS, distance=Distance.COSINE))
    points = [
        PointStruct(id=i, vector=VECTORS[i].tolist(), payload={"text": TEXTS[i]}) for i in range(N)
    ]
    client.upsert("docs", points)
    client.close()
    run_lines("Qdrant")
    check("docs.jsonl")  # A server, unlike the client alone, makes them of length 1.


def test_lancedb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lancedb = pytest.importorskip("lancedb")
    monkeypatch.chdir(tmp_path)
    rows: list[dict[str, Any]] = [
        {"id": i, "text": TEXTS[i], "vector": VECTORS[i].tolist()} for i in range(N)
    ]
    lancedb.connect("lance").create_table("docs", rows)
    run_lines("LanceDB")
    check("docs.parquet")


def test_pgvector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pgserver = pytest.importorskip("pgserver")
    monkeypatch.chdir(tmp_path)
    server = pgserver.get_server(tmp_path / "data")
    try:
        columns = f"id int, text text, embedding vector({DIMS})"
        server.psql(f"CREATE EXTENSION vector; CREATE TABLE docs ({columns})")
        for start in range(0, N, 250):
            values = ",".join(
                f"({i}, $t${TEXTS[i]}$t$, '{VECTORS[i].tolist()}')"
                for i in range(start, start + 250)
            )
            server.psql(f"INSERT INTO docs VALUES {values}")
        (copy,) = re.findall(r'-c "(\\copy .*)"$', SECTIONS["pgvector"], re.M)
        server.psql(copy)
    finally:
        server.cleanup()
    check("docs.csv")


def test_milvus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    monkeypatch.chdir(tmp_path)
    client = pymilvus.MilvusClient("milvus.db")
    client.create_collection("docs", dimension=DIMS, vector_field_name="embedding")
    for start in range(0, N, 500):
        client.insert(
            "docs",
            [
                {"id": i, "text": TEXTS[i], "embedding": VECTORS[i].tolist()}
                for i in range(start, start + 500)
            ],
        )
    client.close()
    run_lines("Milvus")
    check("docs.jsonl")
