"""Files of the formats that ITK writes, and their geometry asked of ITK itself."""

from __future__ import annotations

import locale
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import itk
import numpy as np
import pytest

Array = np.ndarray[Any, Any]


def to_itk(array: Array, affine: Array, vector: bool = False) -> Any:
    """Make an ITK image of (x, y, z), (x, y) or, as vectors, (x, y, z, c), with an affine in RAS mm."""
    axes = range(array.ndim - vector)
    image = itk.image_from_array(
        np.ascontiguousarray(array.transpose(*reversed(axes), *([array.ndim - 1] if vector else []))), is_vector=vector
    )
    lps = (np.diag([-1.0, -1, 1, 1]) @ affine)[[*axes, 3]][:, [*axes, 3]]
    spacing = np.linalg.norm(lps[:-1, :-1], axis=0)
    image.SetSpacing([float(one) for one in spacing])
    image.SetOrigin([float(one) for one in lps[:-1, -1]])
    image.SetDirection(itk.matrix_from_array(lps[:-1, :-1] / spacing))
    return image


@pytest.fixture
def itk_file(tmp_path: Path) -> Callable[..., str]:
    """Write an array with ITK."""

    def write(name: str, array: Array, affine: Array, vector: bool = False, compression: bool = False) -> str:
        itk.imwrite(to_itk(array, affine, vector), str(tmp_path / name), compression=compression)
        return str(tmp_path / name)

    return write


def numbers(values: Any) -> str:
    return "\\".join(f"{one:.12g}" for one in values)


@pytest.fixture(autouse=True)
def _locale() -> Iterator[None]:
    """GDCM's writer leaves the locale "C" behind, and with it ASCII for all text read later; its reader does not."""
    before = locale.setlocale(locale.LC_ALL, None)
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.fixture
def dicom_series(tmp_path: Path) -> Callable[..., Path]:
    """Write the slices of an array (x, y, z) as a DICOM series; ``tilt`` shifts each by so many mm along y."""

    def write(
        array: Array,
        affine: Array,
        folder: str = "series",
        uid: str = "1.2.826.0.1.3680043.2.1125.1",
        skip: tuple[int, ...] = (),
        tilt: float = 0.0,
        rescale: tuple[float, float] | None = None,
    ) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        for k in set(range(array.shape[2])) - set(skip):
            moved = affine.copy()
            moved[:3, 3] += affine[:3, 2] * k + np.array([0, tilt * k, 0])
            image = to_itk(array[:, :, k : k + 1], moved)
            tags = {
                "0008|0060": "CT",
                "0008|0018": f"{uid}.{k}",
                "0020|000d": "1.2.3",
                "0020|000e": uid,
                "0020|0011": uid[-1],
                "0020|0013": str(k),
                "0020|0032": numbers(image.GetOrigin()),
                "0020|0037": numbers(itk.array_from_matrix(image.GetDirection())[:, :2].T.ravel()),
            }
            if rescale is not None:
                tags |= {"0028|1053": str(rescale[0]), "0028|1052": str(rescale[1])}
            dictionary = image.GetMetaDataDictionary()
            for tag, value in tags.items():
                dictionary[tag] = value
            gdcm = itk.GDCMImageIO.New(KeepOriginalUID=True)
            name = f"{(k * 7) % 10}_{uid[-1]}.dcm"  # not in the order of the slices
            itk.ImageFileWriter[type(image)].New(Input=image, ImageIO=gdcm, FileName=str(target / name)).Update()
        return target

    return write


def ras(image: Any, index: tuple[int, ...]) -> Array:
    """Return the RAS mm of a voxel, as ITK itself computes it."""
    place = np.array(image.TransformIndexToPhysicalPoint([int(one) for one in index]))
    return np.array([-1.0, -1, 1])[: len(place)] * place


@pytest.fixture
def ras_of_itk() -> Callable[..., Array]:
    return ras
