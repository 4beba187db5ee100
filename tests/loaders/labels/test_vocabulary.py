"""Which file of a model's folder has its tokens, and vocabularies that are no tokenizer.json."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import ByteLevelBPETokenizer

from embviz.errors import LoadError
from embviz.loaders.labels.tokens import make_tokens
from embviz.loaders.labels.vocabulary import find_tokens, read_tokens

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
    assert tokens.kinds[300:] == ("added", "added")


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
