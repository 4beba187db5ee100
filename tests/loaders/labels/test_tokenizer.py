"""Tokens as labels: tokenizer.json as the tokenizers library writes it, and as it decodes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import trainers as train

from embviz.errors import LoadError
from embviz.loaders.labels.tokenizer import read_tokenizer
from embviz.loaders.labels.tokens import Tokens

TEXT = [
    "the cat sat on the mat and the dog barked at the moon",
    "naïve café résumé über straße",
    "привет мир это пример",
    "日本語 の 文章 です",
    "emoji 😀 🎉 and\tsymbols + - * / = < > & ' \\ |\n",
] * 20


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = train.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def metaspace() -> Tokenizer:
    """BPE spelled as Llama's: spaces as ▁, and bytes for what has no token."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    special = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = train.BpeTrainer(vocab_size=400, special_tokens=special)
    tokenizer.train_from_iterator(TEXT, trainer)
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = saved["added_tokens"][:2]
    return Tokenizer.from_str(json.dumps(saved))


def word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    trainer = train.WordPieceTrainer(vocab_size=200, special_tokens=["[PAD]", "[UNK]", "[CLS]"])
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def word_level() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(TEXT, train.WordLevelTrainer(special_tokens=["[UNK]"]))
    return tokenizer


def unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    trainer = train.UnigramTrainer(
        vocab_size=200, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def read(tokenizer: Tokenizer, folder: Path) -> Tokens:
    file = folder / "tokenizer.json"
    tokenizer.save(str(file))
    return read_tokenizer(file)


def label(tokens: Tokens, raw: str) -> tuple[str, str]:
    place = tokens.raw.index(raw)
    return tokens.texts[place], tokens.kinds[place]


@pytest.mark.parametrize("make", [byte_level, metaspace, word_piece, word_level, unigram])
def test_a_token_is_shown_as_its_tokenizer_decodes_it(make: Any, tmp_path: Path) -> None:
    tokenizer = make()
    tokens = read(tokenizer, tmp_path)
    assert tokens.n_tokens == tokenizer.get_vocab_size()
    compared = 0
    for number, raw, text in zip(tokens.ids.tolist(), tokens.raw, tokens.texts, strict=True):
        assert tokenizer.id_to_token(number) == raw
        decoded = tokenizer.decode([number], skip_special_tokens=False)
        if "⟨" not in text:
            compared += 1
            assert text == decoded
        else:
            assert "�" in decoded or tokens.kinds[number] == "byte"
    assert compared > 30


def test_a_byte_level_token_begins_a_word_with_a_space(tmp_path: Path) -> None:
    tokens = read(byte_level(), tmp_path)
    assert label(tokens, "Ġthe") == (" the", "word start")
    assert label(tokens, "at") == ("at", "continuation")
    assert label(tokens, "Ċ") == ("\n", "continuation")
    assert label(tokens, "<|endoftext|>") == ("<|endoftext|>", "special")


def test_bytes_that_are_no_whole_character_are_shown_as_bytes(tmp_path: Path) -> None:
    tokens = read(byte_level(), tmp_path)
    assert label(tokens, "æ") == ("⟨e6⟩", "byte")
    assert label(tokens, "ðŁ") == ("⟨f0⟩⟨9f⟩", "byte")
    assert label(tokens, "Ã©") == ("é", "continuation")


def test_a_byte_that_a_tokenizer_falls_back_to_is_shown_as_a_byte(tmp_path: Path) -> None:
    tokens = read(metaspace(), tmp_path)
    assert label(tokens, "<0x0A>") == ("⟨0a⟩", "byte")
    assert label(tokens, "▁the") == (" the", "word start")
    assert label(tokens, "<s>") == ("<s>", "special")


def test_a_word_piece_that_continues_a_word_keeps_its_marks(tmp_path: Path) -> None:
    tokens = read(word_piece(), tmp_path)
    assert label(tokens, "##a") == ("##a", "continuation")
    assert label(tokens, "the") == ("the", "word start")
    assert label(tokens, "[CLS]") == ("[CLS]", "special")
    assert "raw" not in tokens.columns(200).names


def test_words_are_of_the_kind_word(tmp_path: Path) -> None:
    assert label(read(word_level(), tmp_path), "café") == ("café", "word")


def test_added_tokens_are_told_from_special_ones(tmp_path: Path) -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens([AddedToken("Ġas is", normalized=False)])
    tokenizer.add_special_tokens(["<|im_end|>"])
    tokens = read(tokenizer, tmp_path)
    assert label(tokens, "Ġas is") == ("Ġas is", "added")
    assert label(tokens, "<|im_end|>") == ("<|im_end|>", "special")
    assert tokens.n_tokens == tokens.n_needed + 2 == tokenizer.get_vocab_size()


def test_rows_beyond_the_tokens_are_named_unused(tmp_path: Path) -> None:
    tokens = read(byte_level(), tmp_path)
    n = tokens.n_tokens
    columns = tokens.columns(n + 2)
    assert columns.names == ("token", "id", "raw", "kind")
    assert columns.label == "token"
    assert columns.column("token")[n - 1 :] == (
        tokens.texts[-1], f"[unused {n}]", f"[unused {n + 1}]",
    )  # fmt: skip
    assert columns.column("id")[n - 1 :] == (str(n - 1), str(n), str(n + 1))
    assert columns.column("raw")[n - 1 :] == (tokens.raw[-1], "", "")
    assert columns.column("kind")[n - 1 :] == (tokens.kinds[-1], "unused", "unused")
    assert tokens.describe(n + 2) == f"{n} labels in tokenizer.json, 2 rows unused"


def write(folder: Path, vocabulary: Any, **rest: Any) -> Path:
    file = folder / "tokenizer.json"
    model = {"type": rest.pop("type", "BPE"), "vocab": vocabulary, "merges": []}
    file.write_text(json.dumps({"added_tokens": [], "model": model, **rest}))
    return file


def test_a_gap_in_the_ids_is_unused(tmp_path: Path) -> None:
    tokens = read_tokenizer(write(tmp_path, {"a": 0, "b": 3}))
    assert tokens.columns(4).column("token") == ("a", "[unused 1]", "[unused 2]", "b")
    assert tokens.describe(4) == "2 labels in tokenizer.json, 2 rows unused"


def test_two_tokens_of_one_id_are_both_its_label(tmp_path: Path) -> None:
    tokens = read_tokenizer(write(tmp_path, {"a": 0, "b": 1, "c": 1}))
    assert tokens.columns(2).column("token") == ("a", "b, c")


def test_an_added_token_goes_before_the_vocabulary(tmp_path: Path) -> None:
    added = [{"id": 1, "content": "<s>", "special": True}]
    tokens = read_tokenizer(write(tmp_path, {"a": 0, "b": 1}, added_tokens=added))
    assert tokens.columns(2).column("token") == ("a", "<s>")


def test_tokens_that_a_vocabulary_keeps_free_are_unused(tmp_path: Path) -> None:
    tokens = read_tokenizer(write(tmp_path, {"[unused7]": 0, "<unused12>": 1, "[unused": 2}))
    assert tokens.columns(3).column("kind") == ("unused", "unused", "continuation")


def test_added_tokens_may_have_no_row_and_others_must(tmp_path: Path) -> None:
    added = [{"id": 2, "content": "<x>", "special": True}]
    tokens = read_tokenizer(write(tmp_path, {"a": 0, "b": 1}, added_tokens=added))
    assert tokens.fits(2)
    assert not tokens.fits(1)
    assert tokens.describe(2) == "3 labels in tokenizer.json, 1 token without a row"
    with pytest.raises(LoadError, match="a vocabulary of 2 tokens for 1 row"):
        tokens.columns(1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "nested|recursion"),
        ("{}", "no model"),
        ('{"model": {"vocab": {"a": true}}}', "no number as its id but True"),
        ('{"model": {"vocab": {"a": -1}}}', "token 'a' has id -1"),
        ('{"model": {"vocab": {"a": 1' + "0" * 30 + "}}}", "has id 1000"),
        ('{"model": {"vocab": {"a": 1' + "0" * 5000 + "}}}", "no JSON"),
        ('{"model": {"vocab": [["a", 0], [7, 0]]}}', "token 1 is"),
        ('{"model": {"vocab": 7}}', "no object of tokens"),
        ('{"model": {"type": ["BPE"], "vocab": {}}}', "type"),
        ('{"model": {"type": "Rwkv", "vocab": {}}}', "type 'Rwkv'"),
        ('{"model": {"vocab": {"a": -1}}, "decoder": {"type": []}}', "id -1"),
        ('{"model": {"vocab": {}}, "added_tokens": 7}', "no list"),
        ('{"model": {"vocab": {}}, "added_tokens": [{"id": "1", "content": "a"}]}', "added token"),
    ],
)
def test_damage_is_said_in_one_line(text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(text)
    with pytest.raises(LoadError, match=why) as error:
        read_tokenizer(file)
    assert "\n" not in str(error.value)
