"""Wrote the files beside this one, and what PyTorch and transformers say is in them.

    python make_files.py DIR

torch 2.11, transformers 5.17, tokenizers 0.23, sentence-transformers 6.0, safetensors 0.8: too
large to be installed for the tests.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import StaticEmbedding
from tokenizers import ByteLevelBPETokenizer, SentencePieceUnigramTokenizer, Tokenizer
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

TEXT = [
    "the cat sat on the mat and the dog barked at the moon",
    "embedding projector shows vectors of words and images in a plane",
    "naïve café résumé coöperate façade jalapeño über straße",
    "привет мир это пример текста для токенизатора",
    "日本語 の 文章 です 東京 大阪 京都",
    "numbers 1 22 333 4444 55555 3.14159 2.71828",
    "emoji 😀 🎉 🚀 and symbols + - * / = < > & \" ' \\ | ~",
    "def f(x): return x ** 2 + 1  # a comment",
    "new lines and tabs are whitespace too",
    "training a model is repeating small steps many times",
    "king queen man woman prince princess throne crown royal palace",
    "paris london berlin rome madrid vienna tokyo beijing moscow cairo",
] * 20
wanted: dict[str, Any] = {"tensors": {}, "labels": {}}


def keep(path: str, name: str, tensor: torch.Tensor) -> None:
    array = np.ascontiguousarray(tensor.detach().float().numpy()).astype("<f4")
    wanted["tensors"].setdefault(path, {})[name] = {
        "shape": list(array.shape),
        "sha256_float32": hashlib.sha256(array.tobytes()).hexdigest(),
        "first": [float(value) for value in array.reshape(-1)[:3]],
    }


def make_types(root: Path) -> None:
    random = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    tensors = {
        "model.embed_tokens.weight": normal(120, 24).to(torch.bfloat16),
        "lm_head.weight": normal(120, 24).to(torch.float16),
        "f8": normal(120, 24).to(torch.float8_e4m3fn),
        "f8b": normal(120, 24).to(torch.float8_e5m2),
        "norm": normal(24),
    }
    save_file(tensors, root / "types.safetensors", metadata={"format": "pt"})
    for name, tensor in tensors.items():
        if tensor.ndim == 2:
            keep("types.safetensors", name, tensor)


def make_gpt2(root: Path) -> None:
    folder = root / "gpt2"
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        TEXT, vocab_size=400, min_frequency=1, special_tokens=["<|endoftext|>"]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    fast = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    fast.add_special_tokens({"pad_token": "<|pad|>"})
    fast.save_pretrained(folder)
    torch.manual_seed(1)
    config = GPT2Config(vocab_size=len(fast) + 3, n_embd=32, n_layer=1, n_head=2, n_positions=64)
    model = GPT2LMHeadModel(config).to(torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="40KB")
    keep("gpt2", "transformer.wte.weight", model.transformer.wte.weight)
    shown = (1, 40, 260, 300, len(fast) - 2, len(fast) - 1)
    sample = {str(i): fast.decode([i]) for i in shown}
    wanted["labels"]["gpt2"] = {"count": len(fast), "rows": len(fast) + 3, "sample": sample}


def make_t5(root: Path) -> None:
    folder = root / "t5"
    tokenizer = SentencePieceUnigramTokenizer()
    special = ["<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(TEXT, vocab_size=300, special_tokens=special, unk_token="<unk>")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    fast = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    torch.manual_seed(1)
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    model = T5EncoderModel(T5Config(vocab_size=len(fast) + 28, **sizes))
    model.save_pretrained(folder)
    keep("t5", "shared.weight", model.shared.weight)
    sample = {str(i): fast.convert_ids_to_tokens(i) for i in (0, 1, 5, 30, 100, len(fast) - 1)}
    wanted["labels"]["t5"] = {"count": len(fast), "rows": len(fast) + 28, "sample": sample}


def make_static(root: Path) -> None:
    torch.manual_seed(1)
    tokenizer = Tokenizer.from_file(str(root / "gpt2" / "tokenizer.json"))
    module = StaticEmbedding(tokenizer, embedding_dim=24)
    SentenceTransformer(modules=[module]).save(str(root / "static"))
    keep("static", "embedding.weight", module.embedding.weight.cpu())


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for make in (make_types, make_gpt2, make_t5, make_static):
        make(folder)
    text = json.dumps(wanted, indent=1, ensure_ascii=False)
    (folder / "expected.json").write_text(text, encoding="utf-8")
