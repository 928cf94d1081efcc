"""Networks out of files."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable
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
    adapter = network()
    adapter.name = "MyUnet"
    with pytest.raises(ClaraError, match=r"more.pt' are not those of the MyUnet: extra"):
        network_with_weights(adapter, tmp_path / "more.pt", "cpu")
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


class Writes(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        torch.save(image, "written")
        return image


class WritesWhenLoaded(nn.Module):
    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return torch.zeros(1), self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        torch.save(state[0], "written")
        self.training = state[1]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image


class Reads(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image + torch.from_file("secret", False, 4)


def scripted(module: nn.Module, file: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(module).save(str(file))
    return file


REFUSED = "'.*model.ts' reads or writes files when it runs, which no network needs: it is not loaded"


@pytest.mark.parametrize("module", [Writes, WritesWhenLoaded, Reads])
def test_a_strangers_network_reaches_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: type[nn.Module]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = scripted(module(), tmp_path / "model.ts")
    with pytest.raises(ClaraError, match=REFUSED):
        exported_network(file, "cpu")
    assert not (tmp_path / "written").exists()
    if module is WritesWhenLoaded:  # the file does what the refusal says
        torch.jit.load(file)
        assert (tmp_path / "written").exists()


def _packed(plain: Path, file: Path, more: dict[str, bytes] | None = None) -> Path:
    """Write an archive anew by an ordinary packer, without a comment; with other or further records."""
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(file, "w") as archive:
        records = {name: source.read(name) for name in source.namelist()}
        records |= {f"plain/{name}": content for name, content in (more or {}).items()}
        for name, content in records.items():
            archive.writestr(name, content)
    return file


def _renamed(content: bytes) -> bytes:
    """The loader finds its code all the same."""
    return content.replace(b".py", b".PY")


def _two_tables(content: bytes) -> bytes:
    """An archive with a second, harmless table of contents, which readers take that find it by its place at the end."""
    size, offset = (int.from_bytes(content[-22 + at : -22 + at + 4], "little") for at in (12, 16))
    table = content[offset : offset + size]
    return content[:-22] + table.replace(b".py", b".no") + content[-22:]


@pytest.mark.parametrize("disguise", [_renamed, _two_tables])
def test_disguised_code_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disguise: Callable[[bytes], bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = _packed(scripted(WritesWhenLoaded(), tmp_path / "plain.ts"), tmp_path / "model.ts")
    file.write_bytes(disguise(file.read_bytes()))
    with pytest.raises(ClaraError, match=REFUSED):
        exported_network(file, "cpu")
    assert not (tmp_path / "written").exists()
    torch.jit.load(file)
    assert (tmp_path / "written").exists()


def test_the_layout_of_old_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may keep code in records of any name."""
    monkeypatch.setattr(torch.jit, "load", lambda *given, **more: pytest.fail("the loader was asked"))
    plain = scripted(nn.ReLU(), tmp_path / "plain.ts")
    file = _packed(plain, tmp_path / "model.ts", {"model.json": b"{}"})
    with pytest.raises(ClaraError, match="cannot be read as TorchScript: write it again with clara-compat export"):
        exported_network(file, "cpu")
