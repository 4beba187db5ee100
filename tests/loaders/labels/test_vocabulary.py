"""Which file of a model's folder has its tokens, and vocabularies that are no tokenizer.json."""

from __future__ import annotations

import io
import json
import logging
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import ByteLevelBPETokenizer

from embviz.errors import LoadError
from embviz.loaders import load_table
from embviz.loaders.labels.tokens import make_tokens
from embviz.loaders.labels.vocabulary import find_tokens, read_tokens, recognize_tokens
from embviz.questions.points import open_points

TEXT = [
    "the cat sat on the mat and the dog barked at the moon",
    "naïve café résumé über straße",
    "привет мир это пример",
    "日本語 の 文章 です",
] * 20


def train(folder: Path, **options: object) -> sentencepiece.SentencePieceProcessor:
    """Write a tokenizer.model."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=model, minloglevel=2, **options
    )
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


@pytest.mark.parametrize("model_type", ["bpe", "unigram", "word", "char"])
def test_pieces_of_sentencepiece_are_read_in_the_order_of_their_ids(
    model_type: str, tmp_path: Path
) -> None:
    options = {"byte_fallback": True} if model_type in ("bpe", "unigram") else {}
    size = {"bpe": 350, "unigram": 300, "word": 20, "char": 45}[model_type]
    model = train(
        tmp_path, model_type=model_type, vocab_size=size, user_defined_symbols=["<sep>"], **options
    )
    tokens = find_tokens(tmp_path)
    assert tokens is not None
    assert tokens.n_tokens == model.get_piece_size()
    for number, raw in enumerate(tokens.raw):
        assert raw == model.id_to_piece(number)
        text, kind = tokens.texts[number], tokens.kinds[number]
        if model.is_byte(number):
            assert (text, kind) == (f"⟨{number - raw_bytes(model):02x}⟩", "byte")
        elif model.is_control(number) or model.is_unknown(number):
            assert (text, kind) == (raw, "special")
        elif raw.endswith("<sep>"):
            assert (text.strip(), kind) == ("<sep>", "added")
        else:
            assert text.removeprefix(" ") == model.decode([number])
            assert kind == ("word start" if raw.startswith("▁") else "continuation")


def raw_bytes(model: sentencepiece.SentencePieceProcessor) -> int:
    return int(model.piece_to_id("<0x00>"))


def test_a_tokenizer_json_goes_before_all_others(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    (tmp_path / "vocab.json").write_text('{"c": 0}')
    assert find_tokens(tmp_path).texts == ("c",)
    model = {"type": "WordLevel", "vocab": {"d": 0}}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model}))
    assert find_tokens(tmp_path).texts == ("d",)


def test_a_folder_without_a_vocabulary_has_no_tokens(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert find_tokens(tmp_path) is None


def test_a_part_of_a_model_has_the_tokens_of_the_whole(tmp_path: Path) -> None:
    inner = tmp_path / "0_Transformer"
    inner.mkdir()
    (inner / "vocab.txt").write_text("a\nb\n")
    assert find_tokens(tmp_path).files == (inner / "vocab.txt",)
    (inner / "vocab.txt").rename(tmp_path / "vocab.txt")
    for name in ("checkpoint-500", "onnx", "0_Transformer"):
        (tmp_path / name).mkdir(exist_ok=True)
        assert find_tokens(tmp_path / name).files == (tmp_path / "vocab.txt",)
    (tmp_path / "other").mkdir()
    assert find_tokens(tmp_path / "other") is None
    for name in ("text_encoder_2", "tokenizer_2"):
        (tmp_path / name).mkdir()
    (tmp_path / "vocab.txt").rename(tmp_path / "tokenizer_2" / "vocab.txt")
    assert find_tokens(tmp_path / "text_encoder_2").n_tokens == 2


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a\nb\n")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "vocab.txt").symlink_to(secret)
    assert find_tokens(folder) is None


def test_the_links_of_a_hub_s_cache_are_followed(tmp_path: Path) -> None:
    blobs, folder = tmp_path / "blobs", tmp_path / "snapshots" / "0f3a"
    blobs.mkdir()
    folder.mkdir(parents=True)
    (blobs / "77aa").write_text("a\nb\n")
    (folder / "vocab.txt").symlink_to(Path("..", "..", "blobs", "77aa"))
    assert find_tokens(folder).texts == ("a", "b")


def test_a_vocab_txt_has_a_token_a_line_and_its_pieces_keep_their_marks(tmp_path: Path) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes('[PAD]\n[unused1]\n[UNK]\nthe\n##ing\n"\na\u2028b\n\n\x85\n'.encode())
    tokens = read_tokens(file)
    assert tokens.texts == (
        "[PAD]", "[unused1]", "[UNK]", "the", "##ing", '"', "a\u2028b", "", "\x85",
    )  # fmt: skip
    assert tokens.kinds[:5] == ("special", "unused", "special", "word start", "continuation")
    assert tokens.columns(9).names == ("token", "id", "kind")


def test_a_vocab_json_beside_merges_is_spelled_in_letters_for_bytes(tmp_path: Path) -> None:
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(TEXT, vocab_size=300, special_tokens=["<s>", "<pad>"])
    trained.save_model(str(tmp_path))
    (tmp_path / "added_tokens.json").write_text('{"<new>": 300, "Ġnew": 301}')
    tokens = find_tokens(tmp_path)
    assert tokens.files == (tmp_path / "vocab.json", tmp_path / "added_tokens.json")
    for number, text in enumerate(tokens.texts[:300]):
        if "⟨" not in text and number > 1:
            assert text == trained.decode([number])
    assert tokens.texts[tokens.raw.index("Ġthe")] == " the"
    assert list(zip(tokens.texts, tokens.kinds, strict=True))[:2] == [
        ("<s>", "special"), ("<pad>", "special"),
    ]  # fmt: skip
    assert tokens.texts[300:] == ("<new>", "Ġnew")
    assert tokens.kinds[300:] == ("special", "added")


def test_a_vocab_json_of_characters_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text('{"<pad>": 0, "|": 1, "E": 2, "Ġ": 4}')
    tokens = find_tokens(tmp_path)
    assert tokens.columns(5).column("token") == ("<pad>", "|", "E", "[unused 3]", "Ġ")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("vocab.txt", b"a\nb\xff\n", "vocab.txt:2: not UTF-8"),
        ("vocab.json", b'{"a": "b"}', "no number as its id"),
        ("tokenizer.model", b"\x0a\xff\xff\xff\xff\x0f", "no model of sentencepiece"),
        ("tokenizer.model", b"\x0a\x04\x0a\x02\xff\xff", "piece 0 is not UTF-8"),
        ("tokenizer.model", b"\x0a\x02\x18\x63", "no model of sentencepiece"),
    ],
)
def test_damage_is_said_in_one_line(name: str, content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LoadError, match=why):
        find_tokens(tmp_path)


def test_tokens_of_gguf_are_read_by_their_types() -> None:
    raw = ["<unk>", "<s>", "<0x0A>", "▁the", "ing", "[PAD5]", "a▁b", "<|x|>"]
    types = [2, 3, 6, 1, 1, 5, 4, 3]
    tokens = make_tokens(raw, types, model="llama", source="tokenizer.ggml.tokens")
    assert tokens.texts == ("<unk>", "<s>", "⟨0a⟩", " the", "ing", "[PAD5]", "a b", "<|x|>")
    assert tokens.kinds == (
        "special", "special", "byte", "word start", "continuation", "unused", "added", "special",
    )  # fmt: skip
    with pytest.raises(LoadError, match="8 tokens and 7 types"):
        make_tokens(raw, types[:7], source="x")


def test_a_row_of_several_tokens_has_them_all() -> None:
    tokens = make_tokens(["a", "▁b", "c", *"defghijklm"], source="x")
    mapping = np.array([0, 1, 1, *[3] * 10])
    columns = tokens.columns(4, mapping)
    assert columns.column("token") == (
        "a", " b, c", "[unused 2]", "d, e, f, g, h, i, j, k and 2 more",
    )  # fmt: skip
    assert columns.column("id") == ("0", "1, 2", "", "3, 4, 5, 6, 7, 8, 9, 10 and 2 more")
    assert columns.column("kind") == ("continuation", "mixed", "unused", "continuation")
    with pytest.raises(LoadError, match="13 tokens, 5 are mapped"):
        tokens.columns(4, mapping[:5])
    with pytest.raises(LoadError, match="leads beyond the 3 rows"):
        tokens.columns(3, mapping)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=20))
def test_letters_for_bytes_are_turned_back_into_the_text(raw: bytes) -> None:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = "".join(chr(b) if b in plain else chr(256 + others.index(b)) for b in raw)
    text = make_tokens([letters], model="gpt2", source="x").texts[0]
    try:
        assert text == raw.decode()
    except UnicodeDecodeError:
        assert "⟨" in text


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """x.npy of 8 rows, here."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).normal(size=(8, 3)))
    return tmp_path


BERT = "[PAD]\n[UNK]\nthe\n##ing\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", '{"version": "1.0", "model": {"vocab": {"a": 0, "b": 1}}}'),
        ("vocab.json", ' \n{ "a" : 0,\n"b\\"": 1}'),
        ("vocab.txt", BERT),
        ("line.json", '{"a": 0, "b": 1}\n'),
        ("o.tiktoken", "YQ== 0\nYg== 1\nYWI= 2\n"),
    ],
)
def test_a_vocabulary_labels_any_source_and_the_rest_is_unused(
    name: str, content: str, rows: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Path(name).write_text(content)
    with caplog.at_level(logging.INFO, "embviz"):
        table = load_table("x.npy", metadata=name)
    n = len(read_tokens(rows / name).texts)
    assert f"x.npy: {n} labels in {name}, {8 - n} rows unused" in caplog.text
    assert table.label_column() == "token"
    assert table.metadata["kind"][n:] == ("unused",) * (8 - n)
    assert open_points("x.npy", metadata=name).columns.value("token", 7) == "[unused 7]"
    assert load_table("x.npy", metadata=name, drop_unused=True).n_points == n
    assert load_table("x.npy", metadata=name, unlabeled="drop").n_points == n
    assert load_table("x.npy", metadata=name, unlabeled="keep").n_points == 8


def test_a_model_of_sentencepiece_labels_any_source(tmp_path: Path) -> None:
    train(tmp_path, model_type="bpe", vocab_size=60)
    np.save(tmp_path / "x.npy", np.ones((64, 3)))
    table = load_table(tmp_path / "x.npy", metadata=tmp_path / "tokenizer.model")
    assert table.metadata["token"][60:62] == ("[unused 60]", "[unused 61]")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocab.txt", "a\nb\n##c\n"),
        ("vocab.txt", "[PAD]\nthe\nof\n"),
        ("x.tsv", BERT.replace("the", "the\tof")),
        ("x.txt", "\n4\nb\n"),
        ("x.txt", "king 0\nqueen 1\n"),
        ("x.json", '{"a": 0, "b": "c"}'),
        ("x.jsonl", '{"a": 0}\n{"a": 1}\n'),
        ("x.jsonl", (json.dumps({f"c{i}": i for i in range(9000)}) + "\n") * 3),
        ("x.json", '{"vocab": "a"}'),
        ("classes.json", '{"0": 1, "1": 0, "2": 2}'),
        ("classes.json", '{"cat": 1, "dog": 0, "cow": 1}'),
        ("counts.json", '{"the": 1000, "of": 900}'),
    ],
)
def test_what_may_be_labels_is_no_vocabulary(name: str, content: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(content)
    assert recognize_tokens(file) is None


@pytest.mark.usefixtures("rows")
def test_more_tokens_than_rows_are_refused_with_both_counts() -> None:
    Path("vocab.json").write_text(json.dumps({chr(97 + i): i for i in range(9)}))
    with pytest.raises(LoadError, match="a vocabulary of 9 tokens for 8 rows"):
        load_table("x.npy", metadata="vocab.json")
    np.savez("two.npz", a_emb=np.ones((8, 3)), b_emb=np.ones((9, 3)))
    with pytest.raises(LoadError, match="b_emb has as many: --tensor b_emb"):
        load_table("two.npz", tensor="a_emb", metadata="vocab.json")
    table = load_table("two.npz", tensor="b_emb", metadata="vocab.json")
    assert table.metadata["token"] == tuple("abcdefghi")


def test_a_dictionary_of_fairseq_has_its_counts_taken_off(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("và 123\ncủa 45\n")
    assert find_tokens(tmp_path).texts == ("<s>", "<pad>", "</s>", "<unk>", "và", "của")


def test_tokens_of_tiktoken_are_bytes_of_text(tmp_path: Path) -> None:
    lines = [f"{b64encode(bytes([i])).decode()} {i}\n" for i in range(256)]
    lines += [f"{b64encode(b' the').decode()} 256\n", "4pyT 258\n"]
    (tmp_path / "tokenizer.model").write_text("".join(lines))
    tokens = find_tokens(tmp_path)
    assert (tokens.texts[97], tokens.texts[200], tokens.texts[256]) == ("a", "⟨c8⟩", " the")
    assert tokens.columns(259).column("token")[257:] == ("[unused 257]", "✓")
    (tmp_path / "tokenizer.model").write_text("".join(lines) + "!! 300\n")
    with pytest.raises(LoadError, match=r"tokenizer\.model:259: no base64"):
        find_tokens(tmp_path)


def test_tokens_that_the_tokenizer_s_config_adds_are_labels_too(tmp_path: Path) -> None:
    train(tmp_path, model_type="bpe", vocab_size=60)
    added = {"60": {"content": "<|im_end|>", "special": True}, "62": {"content": "▁▁"}}
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({"added_tokens_decoder": added}))
    tokens = find_tokens(tmp_path)
    assert tokens.columns(63).column("token")[60:] == ("<|im_end|>", "[unused 61]", "  ")
    assert tokens.columns(63).column("kind")[60:] == ("special", "unused", "added")
    assert tokens.files[1:] == (config,)
    assert tokens.fits(60)
    config.write_text('{"added_tokens_decoder": {"x": {"content": "a"}}}')
    with pytest.raises(LoadError, match=r"tokenizer_config\.json: the added token x"):
        find_tokens(tmp_path)


def test_pieces_of_t5_are_found_and_those_whose_ids_are_shifted_are_not(tmp_path: Path) -> None:
    train(tmp_path, model_type="bpe", vocab_size=60)
    (tmp_path / "tokenizer.model").rename(tmp_path / "spiece.model")
    assert find_tokens(tmp_path).n_tokens == 60
    (tmp_path / "config.json").write_text('{"model_type": "pegasus"}')
    assert find_tokens(tmp_path) is None


def tekken(**config: object) -> str:
    entries = [
        {"rank": i, "token_bytes": b64encode(raw).decode(), "token_str": None}
        for i, raw in enumerate([b"a", b"\xe6", b" the", b"more"])
    ]
    config = {"default_num_special_tokens": 3, "default_vocab_size": 6, **config}
    special = [{"rank": 1, "token_str": "<s>", "is_control": True}]
    return json.dumps({"config": config, "vocab": entries, "special_tokens": special})


def test_tokens_of_tekken_follow_its_special_ones(tmp_path: Path) -> None:
    file = tmp_path / "tekken.json"
    file.write_text(tekken())
    tokens = find_tokens(tmp_path)
    assert recognize_tokens(file).texts == tokens.texts
    assert tokens.texts == ("<SPECIAL_0>", "<s>", "<SPECIAL_2>", "a", "⟨e6⟩", " the")
    assert tokens.kinds[2:] == ("special", "continuation", "byte", "word start")
    for damage in ({"default_vocab_size": "x"}, {"default_num_special_tokens": None}):
        file.write_text(tekken(**damage))
        with pytest.raises(LoadError, match="damaged vocabulary of tekken"):
            find_tokens(tmp_path)
