from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import table_writer

from embviz.errors import LoadError, ParameterError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.projector.config import read_config
from embviz.sprites import pack_tiles

RNG = np.random.default_rng(11)
VECTORS = RNG.normal(size=(10, 3)).astype(np.float32)
STATE = {"label": "v", "selectedProjection": "pca", "projections": [], "selectedPoints": []}


def write_run(folder: Path, config: str) -> Path:
    """Write a run with every file a config may name."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "t.tsv", VECTORS, delimiter="\t")
    (folder / "t.bytes").write_bytes(VECTORS.astype("<f4").tobytes())
    (folder / "m.tsv").write_text("".join(f"w{i}\n" for i in range(10)))
    (folder / "b.txt").write_text(json.dumps([STATE]))
    (folder / "s.png").write_bytes(pack_tiles(np.zeros((10, 6, 8), np.uint8)).image)
    (folder / "projector_config.pbtxt").write_text(config)
    return folder


def error(folder: Path, config: str, kind: type[Exception] = LoadError) -> str:
    write_run(folder, config)
    with pytest.raises(kind) as caught:
        load_table(folder)
    assert "run" in str(caught.value)
    return str(caught.value)


FULL = """
embeddings {
  tensor_name: "t:0"
  tensor_path: "t.tsv"
  tensor_shape: [10, 3]
  metadata_path: "m.tsv"
  bookmarks_path: "b.txt"
  sprite { image_path: "s.png" single_image_dim: 8 single_image_dim: 6 }
}
"""


def test_a_run_gives_vectors_metadata_sprite_and_bookmarks(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FULL)
    for source in (run, run / "projector_config.pbtxt"):
        table = load_table(source)
        np.testing.assert_array_equal(table.vectors, VECTORS)
        assert table.name == "t"
        assert table.metadata == {"label": tuple(f"w{i}" for i in range(10))}
        assert table.sprite is not None
        assert (table.sprite.tile_width, table.sprite.tile_height, table.sprite.columns) == (
            8,
            6,
            4,
        )
        assert [b.label for b in table.bookmarks] == ["v"]


def test_the_plugins_folder_of_a_run_is_found(tmp_path: Path) -> None:
    write_run(tmp_path / "run/plugins/org_tensorflow_tensorboard_projector", FULL)
    np.testing.assert_array_equal(load_table(tmp_path / "run").vectors, VECTORS)


def test_raw_bytes_are_mapped_by_their_shape(tmp_path: Path) -> None:
    config = 'embeddings { tensor_path: "t.bytes" tensor_shape: 10 tensor_shape: 3 }'
    table = load_table(write_run(tmp_path / "run", config))
    assert isinstance(table.vectors, np.memmap)
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.name == "t.bytes"


def test_raw_bytes_are_known_by_their_content(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 'embeddings { tensor_path: "raw" tensor_shape: [10, 3] }')
    shutil.copy(run / "t.bytes", run / "raw")
    np.testing.assert_array_equal(load_table(run).vectors, VECTORS)


@pytest.mark.parametrize(
    ("shape", "said"),
    [("[10, 4]", "takes 160 bytes of float32, t.bytes has 120"), ("30", "[30]"), ("[0, 3]", "[0")],
)
def test_a_shape_that_does_not_fit_raw_bytes_is_refused(
    tmp_path: Path, shape: str, said: str
) -> None:
    config = f'embeddings {{ tensor_path: "t.bytes" tensor_shape: {shape} }}'
    assert said in error(tmp_path / "run", config)


def test_a_shape_that_is_not_the_text_files_is_refused(tmp_path: Path) -> None:
    said = error(tmp_path / "run", FULL.replace("[10, 3]", "[999, 3]"))
    assert "says 999 x 3, t.tsv is 10 x 3" in said


@pytest.mark.parametrize("field", ["tensor_path", "metadata_path", "bookmarks_path", "image_path"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("../secret", "leads out of"),
        ("/etc/passwd", "leads out of"),
        ("~/x", "leads out of"),
        ("sub/../../secret", "leads out of"),
        ("link", "leads out of"),
        ("loop", ""),
        ("http://127.0.0.1:9/t.tsv", "a URL"),
        ("gone.tsv", "no such file"),
        ("sub", "no such file"),
        ("\\000", "not a path"),
    ],
)
def test_a_path_that_is_no_file_inside_the_folder_is_refused(
    tmp_path: Path, field: str, value: str, said: str
) -> None:
    names = {"tensor_path": "t.tsv", "metadata_path": "m.tsv", "bookmarks_path": "b.txt"}
    old = names.get(field, "s.png")
    config = FULL.replace(f'{field}: "{old}"', f'{field}: "{value}"')
    assert config != FULL
    (tmp_path / "secret").write_text("1\t2\n3\t4\n")
    (tmp_path / "run/sub").mkdir(parents=True)
    (tmp_path / "run/link").symlink_to(tmp_path / "secret")
    (tmp_path / "run/loop").symlink_to("loop")
    text = error(tmp_path / "run", config)
    assert field in text
    assert said in text


@pytest.mark.parametrize("dims", ["8", "[0, 0]", "[8, 8, 8]", "[]"])
def test_a_tile_needs_two_counts(tmp_path: Path, dims: str) -> None:
    config = FULL.replace("single_image_dim: 8 single_image_dim: 6", f"single_image_dim: {dims}")
    assert "single_image_dim" in error(tmp_path / "run", config)


def test_several_tensors_are_listed_and_picked_as_torch_names_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = "".join(
        f'embeddings {{ tensor_name: "{name}" tensor_path: "{step}/tensors.tsv" }}\n'
        for name, step in (("default:00000", "00000"), ("t/1:00002", "00002"))
    )
    run = write_run(tmp_path / "run", config)
    for step, factor in (("00000", 1), ("00002", 2)):
        (run / step).mkdir()
        np.savetxt(run / step / "tensors.tsv", VECTORS * factor, delimiter="\t")
    with caplog.at_level(logging.INFO, "embviz"):
        np.testing.assert_array_equal(load_table(run).vectors, VECTORS)
    assert "taking default:00000; also there: t/1:00002 (--tensor NAME)" in caplog.text
    table = load_table(run, tensor="t/1:00002")
    np.testing.assert_array_equal(table.vectors, VECTORS * 2)
    assert [(i.name, i.taken) for i in list_tensors(run)] == [
        ("default:00000", True),
        ("t/1:00002", False),
    ]
    with pytest.raises(ParameterError, match="t/1:00002"):
        load_table(run, tensor="other")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('embeddings { tensor_name: "t" }', "names no tensor_path"),
        ("", "names no tensor_path"),
        ('model_checkpoint_path: "/tmp/o/model.ckpt"', "/tmp/o/model.ckpt"),
        ("embeddings {", ":1: "),
        ('embeddings { tensor_path: "t.tsv }', ":1: "),
        ("\n\n}", ":3: "),
        ('embeddings: "t"', "needs braces"),
        ("embeddings { tensor_path { } }", "not a message"),
        ("embeddings { tensor_shape: -1 }", "'-1' is not a count"),
        ("embeddings { tensor_shape: 4294967296 }", "is not a count"),
        ("a { " * 1000, "nested more than 32 deep"),
        ("a: [" * 1000, "not expected here"),
        ("\0\1", "binary"),
    ],
)
def test_an_unfit_config_is_refused_with_its_line(tmp_path: Path, config: str, said: str) -> None:
    text = error(tmp_path / "run", config)
    assert "projector_config.pbtxt" in text
    assert said in text


def test_an_unknown_field_is_passed_over_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = write_run(tmp_path / "run", FULL + 'colour { by: "x" of: [1, 2] [a.b/c]: { } }')
    with caplog.at_level(logging.WARNING, "embviz"):
        load_table(run)
    assert "unknown field 'colour'" in caplog.text


def test_the_metadata_files_mismatch_names_it(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FULL)
    (run / "m.tsv").write_text("a\nb\n")
    with pytest.raises(LoadError, match=r"m\.tsv: 2 rows of metadata for 10 points"):
        load_table(run)


TALL = RNG.normal(size=(30, 3)).astype(np.float32)


def add_checkpoint(run: Path, **tables: Any) -> None:
    """Write a checkpoint of tables, "__" in a name for "/", beside a config."""
    table_writer.write_bundle(
        run / "model.ckpt-1", {name.replace("__", "/"): table for name, table in tables.items()}
    )


@pytest.mark.parametrize(
    ("config", "asked", "labelled"),
    [
        ('embeddings { tensor_name: "emb:0" metadata_path: "m.tsv" }', None, True),
        ('embeddings { tensor_name: "emb:0" metadata_path: "m.tsv" }', "a/emb", True),
        ('embeddings { metadata_path: "m.tsv" }', "emb", True),
        ('embeddings { tensor_name: "emb" }', None, False),
        ("", "emb", False),
    ],
)
def test_a_tensor_without_a_file_comes_from_the_folders_checkpoint(
    tmp_path: Path, config: str, asked: str | None, labelled: bool
) -> None:
    run = write_run(tmp_path / "run", config)
    add_checkpoint(run, a__emb=VECTORS, a__emb__Adam=VECTORS, other_emb=TALL)
    table = load_table(run, tensor=asked)
    assert table.name == "a/emb"
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert ("label" in table.metadata) == labelled
    if asked is None:
        assert [i.name for i in list_tensors(run) if i.taken] == ["a/emb"]


def test_what_no_config_names_is_taken_as_from_the_checkpoint_alone(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", "")
    add_checkpoint(run, emb=VECTORS, other_emb=TALL)
    assert load_table(run).name == "other_emb"
    assert [i.name for i in list_tensors(run) if i.taken] == ["other_emb"]


def test_a_named_checkpoint_is_taken_from_inside_the_folder(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 'model_checkpoint_path: "sub/model.ckpt-1"')
    add_checkpoint(run, emb=VECTORS)
    (run / "sub").mkdir()
    add_checkpoint(run / "sub", emb=VECTORS + 1)
    np.testing.assert_array_equal(load_table(run, tensor="emb").vectors, VECTORS + 1)


@pytest.mark.parametrize("place", ["/data/run/model.ckpt-5", "gone.ckpt-5", "damaged.ckpt-5"])
def test_tensors_with_files_are_read_where_the_checkpoint_cannot_be(
    tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    config = f'model_checkpoint_path: "{place}"\n{FULL}embeddings {{ tensor_name: "t" }}'
    run = write_run(tmp_path / "run", config + 'embeddings { tensor_name: "emb:0" }')
    (run / "damaged.ckpt-5.index").write_bytes(b"\0" * 100)
    np.testing.assert_array_equal(load_table(run).vectors, VECTORS)
    assert "only what has files of its own is read" in caplog.text
    assert place in caplog.text
    assert [(i.name, i.taken) for i in list_tensors(run)] == [("t", True), ("emb", False)]
    with pytest.raises(LoadError, match=place):
        load_table(run, tensor="emb")


def test_a_checkpoints_tensor_of_a_files_name_stands_beside_it(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FULL)
    add_checkpoint(run, t=VECTORS + 1, other=TALL)
    first, *others = [i.name for i in list_tensors(run)]
    assert (first, others) == ("t", ["other", "t (run/model.ckpt-1)"])
    for name in ("t", "t:0", "t.tsv", None):
        np.testing.assert_array_equal(load_table(run, tensor=name).vectors, VECTORS)
    there = load_table(run, tensor="t (run/model.ckpt-1)")
    np.testing.assert_array_equal(there.vectors, VECTORS + 1)


KERAS = "/embeddings/.ATTRIBUTES/VARIABLE_VALUE"


def keras_run(folder: Path) -> Path:
    """A logdir as Keras' callback writes it: two layers, each with its labels."""
    (folder / "a.tsv").parent.mkdir(parents=True)
    (folder / "a.tsv").write_text("".join(f"a{i}\n" for i in range(10)))
    (folder / "b.tsv").write_text("".join(f"b{i}\n" for i in range(30)))
    entries = [
        f'embeddings {{ tensor_name: "layer_with_weights-{i}{KERAS}" metadata_path: "{file}" }}\n'
        for i, file in enumerate(("a.tsv", "b.tsv"))
    ]
    (folder / "projector_config.pbtxt").write_text("".join(entries))
    add_checkpoint(
        folder,
        **{f"layer_with_weights-0{KERAS}": VECTORS, f"layer_with_weights-1{KERAS}": TALL},
    )
    return folder


@pytest.mark.parametrize(
    "asked",
    [
        "layer_with_weights-1/embeddings/.ATTRIBUTES/VARIABLE_VALUE",
        "layer_with_weights-1/embeddings",
        "layer_with_weights-1/embeddings:0",
        "layer_with_weights-1",
    ],
)
def test_a_tensors_labels_are_found_however_it_is_named(tmp_path: Path, asked: str) -> None:
    table = load_table(keras_run(tmp_path / "run"), tensor=asked)
    np.testing.assert_array_equal(table.vectors, TALL)
    assert table.metadata == {"label": tuple(f"b{i}" for i in range(30))}


def test_the_tensor_that_is_marked_is_the_one_that_is_taken(tmp_path: Path) -> None:
    run = keras_run(tmp_path / "run")
    table = load_table(run)
    assert [i.name for i in list_tensors(run) if i.taken] == [table.name]
    assert table.metadata["label"][0] == "a0"


def test_labels_of_another_table_say_which_and_how_to_have_it(tmp_path: Path) -> None:
    run = keras_run(tmp_path / "run")
    config = run / "projector_config.pbtxt"
    wrong = config.read_text().splitlines()[0].replace("a.tsv", "b.tsv")
    config.write_text(wrong)
    with pytest.raises(LoadError, match="30 rows of metadata for 10 points") as caught:
        load_table(run)
    name = "layer_with_weights-1/embeddings"
    metadata = str(run / "b.tsv")
    assert f"{name} has as many: --tensor {name} --metadata {metadata}" in str(caught.value)
    assert load_table(run, tensor=name, metadata=metadata).metadata["label"][29] == "b29"


def test_a_name_that_the_checkpoint_does_not_hold_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = write_run(tmp_path / "run", 'embeddings { tensor_name: "gone" metadata_path: "m.tsv" }')
    add_checkpoint(run, emb=VECTORS)
    assert load_table(run).metadata == {}
    assert "it names 'gone', which is no tensor of" in caplog.text


def steps_run(folder: Path, *names: str) -> Path:
    """A logdir with a table for each entry, in files of their own, its values 0, 1, 2, …"""
    config = ""
    folder.mkdir()
    for i, name in enumerate(names):
        file = f"{i}.tsv"
        np.savetxt(folder / file, np.full((4, 2), i), delimiter="\t")
        config += f'embeddings {{ tensor_name: "{name}" tensor_path: "{file}" }}\n'
    (folder / "projector_config.pbtxt").write_text(config)
    return folder


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("e:00000", "e:00100", "e:00020"), 1),
        (("e:00000", "f:00900", "e:00100"), 2),
        (("e", "f:00900"), 0),
        (("e:1", "e:2"), 0),  # no steps as add_embedding writes them
    ],
)
def test_of_several_steps_of_a_tag_the_last_is_taken(
    tmp_path: Path, names: tuple[str, ...], taken: int
) -> None:
    run = steps_run(tmp_path / "run", *names)
    assert load_table(run).name == names[taken]
    assert [i.taken for i in list_tensors(run)] == [i == taken for i in range(len(names))]


def test_a_name_that_stands_for_two_files_is_told_and_each_can_be_had(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = steps_run(tmp_path / "run", "e:00000", "e:00200", "e:00200")
    assert load_table(run).vectors[0, 0] == 2
    assert "e:00200 stands for several files: 1.tsv, 2.tsv" in caplog.text
    with pytest.raises(ParameterError, match=r"the name of 2 tensors .*1\.tsv.*2\.tsv"):
        load_table(run, tensor="e:00200")
    for name in ("1.tsv", "e:00200 (1.tsv)"):
        assert load_table(run, tensor=name).vectors[0, 0] == 1
    assert len({i.name for i in list_tensors(run)}) == 3


def test_one_missing_file_does_not_hide_the_other_tensors(tmp_path: Path) -> None:
    run = steps_run(tmp_path / "run", "a", "b")
    (run / "1.tsv").unlink()
    assert [(i.name, i.taken) for i in list_tensors(run)] == [("a", True), ("b", False)]
    with pytest.raises(LoadError, match=r"tensor_path '1\.tsv': no such file"):
        load_table(run, tensor="b")


def test_a_link_that_leads_out_is_not_told_to_be_named_as_it_is(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FULL)
    (run / "t.tsv").rename(tmp_path / "t.tsv")
    (run / "t.tsv").symlink_to(tmp_path / "t.tsv")
    with pytest.raises(LoadError, match=r"leads out .*; put what it names into .*run") as caught:
        load_table(run)
    assert "correct it to" not in str(caught.value)


def test_for_a_sprite_or_metadata_that_is_gone_another_can_be_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FULL)
    for name, option in (("m.tsv", "--metadata"), ("s.png", "--sprite")):
        (run / name).rename(tmp_path / name)
        with pytest.raises(LoadError, match=f"'{name}': no such file; name another: {option} FILE"):
            load_table(run)
        (tmp_path / name).rename(run / name)
    (run / "s.png").rename(tmp_path / "s.png")
    table = load_table(run, sprite=tmp_path / "s.png", sprite_size=(8, 6))
    assert table.sprite is not None


def _message_class() -> Any:
    """Build ProjectorConfig's schema, by the numbers of projector_config.proto."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="projector_config.proto", package="embviz_test")
    string, uint32, message = 9, 13, 11
    fields: dict[str, list[tuple[str, int, int, bool, str]]] = {
        "SpriteMetadata": [
            ("image_path", 1, string, False, ""),
            ("single_image_dim", 2, uint32, True, ""),
        ],
        "EmbeddingInfo": [
            ("tensor_name", 1, string, False, ""),
            ("metadata_path", 2, string, False, ""),
            ("bookmarks_path", 3, string, False, ""),
            ("tensor_shape", 4, uint32, True, ""),
            ("sprite", 5, message, False, "SpriteMetadata"),
            ("tensor_path", 6, string, False, ""),
        ],
        "ProjectorConfig": [
            ("model_checkpoint_path", 1, string, False, ""),
            ("embeddings", 2, message, True, "EmbeddingInfo"),
            ("model_checkpoint_dir", 3, string, False, ""),
        ],
    }
    for name, entries in fields.items():
        kind = file.message_type.add(name=name)
        for field, number, type_, repeated, of in entries:
            entry = kind.field.add(
                name=field, number=number, type=type_, label=3 if repeated else 1
            )
            if of:
                entry.type_name = f".embviz_test.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("embviz_test.ProjectorConfig")
    )


def test_the_text_format_is_read_as_protobuf_writes_and_reads_it(tmp_path: Path) -> None:
    from google.protobuf import text_format

    config_class = _message_class()
    message = config_class(model_checkpoint_path='a "b" \\ \t ü \x07')
    for i in range(3):
        entry = message.embeddings.add()
        entry.tensor_name, entry.tensor_path = f"n{i}'", f"p{i}\n"
        entry.tensor_shape.extend([i, 7])
        entry.sprite.image_path = "s"
        entry.sprite.single_image_dim.extend([3, 4])
    hand = 'embeddings: < tensor_name: "a" \'b\' "\\x41\\102\\u00e9" # c\n tensor_shape: [ ] >;'
    path = tmp_path / "projector_config.pbtxt"
    for text in (
        text_format.MessageToString(message),
        text_format.MessageToString(message, as_utf8=True, as_one_line=True),
        text_format.MessageToString(message, use_short_repeated_primitives=True),
        hand,
    ):
        path.write_text(text, encoding="utf-8")
        wanted = text_format.Parse(text, config_class())
        config = read_config(path)
        assert config.model_checkpoint_path == wanted.model_checkpoint_path
        assert len(config.embeddings) == len(wanted.embeddings)
        for ours, theirs in zip(config.embeddings, wanted.embeddings, strict=True):
            assert ours.tensor_name == theirs.tensor_name
            assert ours.tensor_path == theirs.tensor_path
            assert ours.tensor_shape == tuple(theirs.tensor_shape)
            assert ours.image_path == theirs.sprite.image_path
            assert ours.single_image_dim == tuple(theirs.sprite.single_image_dim)


def test_labels_of_a_logdir_are_lines_where_they_are_as_many_as_the_points(tmp_path: Path) -> None:
    labels = ("a,1", "b,2", "c,3")
    np.savetxt(tmp_path / "t.tsv", np.eye(3), delimiter="\t")
    (tmp_path / "m.tsv").write_text("\n".join(labels))
    config = tmp_path / "projector_config.pbtxt"
    config.write_text('embeddings { tensor_name: "t" tensor_path: "t.tsv" metadata_path: "m.tsv" }')
    assert load_table(tmp_path).metadata == {"label": labels}
    (tmp_path / "m.tsv").write_text("\n".join(["word,n", *labels]))
    assert load_table(tmp_path).metadata == {"word": ("a", "b", "c"), "n": ("1", "2", "3")}


def test_a_logdirs_own_labels_may_be_fewer_where_that_is_said(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "t.tsv", np.eye(3), delimiter="\t")
    (tmp_path / "m.tsv").write_text("a\nb\n")
    config = tmp_path / "projector_config.pbtxt"
    config.write_text('embeddings { tensor_name: "t" tensor_path: "t.tsv" metadata_path: "m.tsv" }')
    with pytest.raises(LoadError, match="--unlabeled keep"):
        load_table(tmp_path)
    assert load_table(tmp_path, unlabeled="keep").metadata == {"label": ("a", "b", "")}
    assert load_table(tmp_path, unlabeled="drop").n_points == 2


@pytest.mark.parametrize("named", ["logs/m.tsv", "/old/machine/m.tsv", "C:\\logs\\m.tsv"])
def test_labels_that_lie_beside_a_config_of_another_place_are_given_as_is_told(
    tmp_path: Path, named: str
) -> None:
    np.savetxt(tmp_path / "t.tsv", np.eye(3), delimiter="\t")
    (tmp_path / "m.tsv").write_text("a\nb\nc\n")
    escaped = named.replace("\\", "\\\\")
    (tmp_path / "projector_config.pbtxt").write_text(
        f'embeddings {{ tensor_name: "t" tensor_path: "t.tsv" metadata_path: "{escaped}" }}'
    )
    with pytest.raises(LoadError, match=r"m\.tsv lies beside the config") as caught:
        load_table(tmp_path)
    told = str(caught.value).rpartition("--metadata ")[2]
    assert load_table(tmp_path, metadata=told).metadata == {"label": ("a", "b", "c")}
