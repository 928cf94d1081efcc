"""Networks out of files."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from clara_compat.engine.model_files import exported_network, network_with_weights
from clara_compat.errors import ClaraError


def network(width: int = 3) -> nn.Module:
    torch.manual_seed(width)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.Dropout(0.5), nn.Conv2d(width, 2, 1))


def test_weights_and_export_give_the_same(tmp_path: Path) -> None:
    original = network().eval()
    image = torch.rand(1, 1, 8, 8)
    torch.save(original.state_dict(), tmp_path / "model.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(original).save(str(tmp_path / "model.ts"))
    other = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Dropout(0.5), nn.Conv2d(3, 2, 1))
    loaded = network_with_weights(other, tmp_path / "model.pt", "cpu")
    assert not loaded.training
    with torch.no_grad():
        torch.testing.assert_close(loaded(image), original(image), rtol=0, atol=0)
        torch.testing.assert_close(exported_network(tmp_path / "model.ts", "cpu")(image), original(image))


def test_weights_of_another_network(tmp_path: Path) -> None:
    torch.save({"extra": torch.zeros(1)}, tmp_path / "model.pt")
    message = r"nothing in '.*model.pt' fits the network: the file holds 1 tensors, the first extra \(1\)"
    with pytest.raises(ClaraError, match=message):
        network_with_weights(network(), tmp_path / "model.pt", "cpu")
    torch.save({**network().state_dict(), "extra": torch.zeros(1)}, tmp_path / "more.pt")
    message = r"the weights in '.*more.pt' are not those of the Sequential: extra: not in the network"
    with pytest.raises(ClaraError, match=message):
        network_with_weights(network(), tmp_path / "more.pt", "cpu")
    torch.save({"0.weight": torch.zeros(3, 1, 3, 3)}, tmp_path / "part.pt")
    with pytest.raises(ClaraError, match="0.bias: missing in the file and 2 more"):
        network_with_weights(network(), tmp_path / "part.pt", "cpu")


@pytest.mark.parametrize("content", [None, b"", b"no network", "weights"])
def test_files_that_are_no_export(tmp_path: Path, content: object) -> None:
    file = tmp_path / "model.ts"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        torch.save(network().state_dict(), file)
    with pytest.raises(ClaraError, match="cannot be read as TorchScript: write it again with clara-compat export"):
        exported_network(file, "cpu")
