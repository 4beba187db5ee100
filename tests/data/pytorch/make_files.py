"""Wrote the files beside this one, and what PyTorch says is in them (torch 2.11).

    python make_files.py

PyTorch is too large to be installed for the tests.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).parent
N, D = 120, 24
random = torch.Generator().manual_seed(1)
wanted: dict[str, dict[str, Any]] = {}


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=random).to(dtype)


def keep(file: str, name: str, tensor: torch.Tensor) -> None:
    array = np.ascontiguousarray(tensor.detach().to(torch.float32).numpy()).astype("<f4")
    wanted.setdefault(file, {})[name] = {
        "shape": list(array.shape),
        "sha256_float32": hashlib.sha256(array.tobytes()).hexdigest(),
    }


def save(file: str, names: list[str], what: dict[str, torch.Tensor], **options: bool) -> None:
    torch.save(what, HERE / file, **options)
    for name in names:
        keep(file, name, what[name])


state = {
    "embed.weight": normal(N, D),
    "half.weight": normal(N, D, dtype=torch.float16),
    "brain.weight": normal(N, D, dtype=torch.bfloat16),
    "double.weight": normal(N, D, dtype=torch.float64),
    "ints": torch.randint(-5, 100, (N, 4), generator=random),
    "bytes": torch.randint(0, 255, (N, 3), generator=random).to(torch.uint8),
    "bias": normal(D),
}
save("state_dict.pt", [name for name in state if name != "bias"], state)

base = normal(N * 2, D)
views = {
    "all": base,
    "top": base[:N],
    "every_second": base[::2],
    "transposed": base.t(),
    "narrow": base[:, 2:10],
    "param": torch.nn.Parameter(base[5:15].clone()),
}
save("views.pth", list(views), views)

model = torch.nn.Sequential(torch.nn.Embedding(N, D), torch.nn.Linear(D, 3))
adam = torch.optim.Adam(model.parameters())
model(torch.arange(4)).sum().backward()
adam.step()
lightning = {
    "epoch": 3,
    "global_step": 400,
    "state_dict": model.state_dict(),
    "optimizer_states": [adam.state_dict()],
    "hyper_parameters": {"lr": 0.1, "names": ["a", "b"]},
    "loss": np.float64(1.5),
}
torch.save(lightning, HERE / "epoch=3-step=400.ckpt")
keep("epoch=3-step=400.ckpt", "state_dict/0.weight", model.state_dict()["0.weight"])

bag = torch.nn.EmbeddingBag(N, D)
torch.save(bag, HERE / "whole_module.pt")
keep("whole_module.pt", "weight", bag.weight)

scripted = torch.jit.script(torch.nn.Sequential(torch.nn.Embedding(N, D), torch.nn.ReLU()))
scripted.save(str(HERE / "scripted.pt"))
keep("scripted.pt", "0.weight", scripted.state_dict()["0.weight"])

older = {"embed.weight": normal(N, D)}
save("legacy.pt", ["embed.weight"], older, _use_new_zipfile_serialization=False)

(HERE / "expected.json").write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
