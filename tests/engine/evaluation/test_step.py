"""One step of an evaluation: what is in memory, where a prediction lies, what is refused."""

from __future__ import annotations

import gc
import re
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import AsDiscreted, Compose, Lambdad
from torch import nn

from clara_compat.engine.data.failure import ItemError, ItemFailure
from clara_compat.engine.evaluation.cases import FILE
from clara_compat.engine.evaluation.step import EvaluateCases
from clara_compat.errors import ClaraError

SHAPE = (6, 5, 7)


class Pooled(nn.Module):
    """Two classes on a grid of half the size."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        small = nn.functional.avg_pool3d(image, 2)
        return torch.cat([1 - small, small], dim=1)


class Both(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([1 - image, image], dim=1)


def engine(network: nn.Module) -> Any:
    return SimpleNamespace(
        network=network, inferer=lambda inputs, module: module(inputs), state=SimpleNamespace(device="cpu", batch=None)
    )


def item(shape: tuple[int, ...] = SHAPE, **more: Any) -> dict[str, Any]:
    affine = torch.diag(torch.tensor([-2.0, 1.0, 3.0, 1.0], dtype=torch.float64))
    return {"image": MetaTensor(torch.rand(1, *shape), affine=affine), FILE: "/data/case.nii.gz", **more}


def test_images_are_let_go() -> None:
    """While the label is read, neither the network's output nor a field nobody compares is alive."""
    alive: list[tuple[int, ...]] = []

    def look(label: torch.Tensor) -> torch.Tensor:
        gc.collect()
        found = [one for one in gc.get_objects() if isinstance(one, torch.Tensor)]
        alive.extend(tuple(one.shape) for one in found if one.shape[-3:] == SHAPE)
        return label

    step = EvaluateCases(
        Compose([AsDiscreted("model", argmax=True), Lambdad("model", lambda mask: mask, overwrite="copy")]),
        labels=Compose([Lambdad("label", look)]),
        fields=["copy", "label"],
    )
    output = step(engine(Both()), [item(label=torch.zeros(1, *SHAPE))])
    assert sorted(output) == ["copy", "label"]
    assert alive
    assert (2, *SHAPE) not in alive
    assert (1, 2, *SHAPE) not in alive


def test_a_prediction_on_another_grid_covers_the_same_extent() -> None:
    seen: dict[str, Any] = {}
    step = EvaluateCases(Compose([Lambdad("model", lambda mask: seen.update(model=mask) or mask)]))
    given = item((6, 4, 8))
    affine = given["image"].affine.numpy().copy()
    assert step(engine(Pooled()), [given]) == {}
    model = seen["model"]
    assert tuple(model.shape) == (2, 3, 2, 4)
    for end in (0.0, 1.0):  # the outer corners of the first and the last voxel
        corners = [
            a[:3, :3] @ (end * np.array(n) - 0.5) + a[:3, 3]
            for a, n in (
                (model.affine.numpy(), model.shape[1:]),
                (affine, (6, 4, 8)),
            )
        ]
        np.testing.assert_allclose(corners[0], corners[1], atol=1e-9)
    assert model.meta["filename_or_obj"] == "/data/case.nii.gz"


@pytest.mark.parametrize(
    ("items", "channels", "message"),
    [
        ([item(), item((4, 4, 4))], None, r"the images of a batch differ in size .*: set batch_size to 1"),
        ([item()], 3, "the image has 1 channels at the end of pre_transforms, but the network takes 3"),
        ([{**item(), "image": "scan.nii"}], None, "at the end of pre_transforms the field 'image' is a str, not an"),
        ([{FILE: "a.nii"}], None, "at the end of pre_transforms the field 'image' is missing: load it, and keep it"),
    ],
)
def test_what_does_not_fit_is_refused(items: list[Any], channels: int | None, message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        EvaluateCases(Compose([]), in_channels=channels)(engine(Both()), items)


def test_failed_items_and_networks_of_other_outputs() -> None:
    with pytest.raises(ItemError, match=r"no such file \(scan.nii\)"):
        EvaluateCases(Compose([]))(engine(Both()), [ItemFailure("no such file", "scan.nii")])
    of_dict = SimpleNamespace(train=lambda mode: of_dict)
    one = engine(of_dict)
    one.inferer = lambda inputs, module: {"pred": inputs}
    with pytest.raises(ClaraError, match="the network returns a dict, expected a tensor"):
        EvaluateCases(Compose([]))(one, [item()])
    one.inferer = lambda inputs, module: (inputs, "further outputs")
    assert EvaluateCases(Compose([]))(one, [item()]) == {}


class Picky(nn.Module):
    """Checks its image, as the networks of this package do."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if image.shape[-1] % 2 != 0:
            raise ValueError(f"the last axis has {image.shape[-1]} voxels, expected an even number")
        return torch.ones(2) + image.reshape(-1)


@pytest.mark.parametrize(
    ("shape", "message"),
    [(SHAPE, r"the last axis has 7 voxels, expected an even number$"), ((6, 5, 8), r"The size of tensor a \(2\) must")],
)
def test_what_an_exported_network_does_not_take_is_told(shape: tuple[int, ...], message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torch.jit.script(Picky())
    with pytest.raises(ClaraError, match=f"^the exported network does not take the images: {message}"):
        EvaluateCases(Compose([]))(engine(network), [item(shape)])


@pytest.mark.parametrize(
    "told",
    [
        "no script at all",
        "The following operation failed in the TorchScript interpreter.\n...: can't allocate memory: 1",
    ],
)
def test_other_errors_of_a_network_are_not_its_refusals(told: str) -> None:
    def fails(inputs: torch.Tensor, network: nn.Module) -> torch.Tensor:
        raise RuntimeError(told)

    one = engine(Both())
    one.inferer = fails
    with pytest.raises(RuntimeError, match=f"^{re.escape(told)}$"):
        EvaluateCases(Compose([]))(one, [item()])


def test_batches_of_cases() -> None:
    step = EvaluateCases(Compose([AsDiscreted("model", argmax=True)]), labels=Compose([]))
    given = [item(label=[0, 1], name="a"), item(label=[1, 0], name="b")]
    expected = [(one["image"].numpy()[0] > 0.5) for one in given]
    output = step(engine(Both()), given)
    np.testing.assert_array_equal(output["pred"][:, 0], expected)
    assert output["label"].tolist() == [[0, 1], [1, 0]]
    assert "name" not in output
    assert not isinstance(output["pred"], MetaTensor)
