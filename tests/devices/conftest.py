"""The arrays that tests run on: NumPy's, and PyTorch's where it is installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from embviz.devices.numpy_arrays import NumPyArrays


@pytest.fixture(params=["numpy", "torch"])
def arrays(request):
    """A device of each kind; PyTorch's processor stands for a card."""
    if request.param == "numpy":
        return NumPyArrays()
    if find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    from embviz.devices.torch_arrays import TorchArrays

    return TorchArrays("cpu")
