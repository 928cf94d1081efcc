from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clara_compat.engine.readers.picture import read_picture
from clara_compat.engine.writers.png import write_png
from clara_compat.errors import ClaraError

H, W = 5, 7


@pytest.mark.parametrize(
    ("channels", "most", "mode"), [(1, 1, "L"), (1, 255, "L"), (1, 65535, "I;16"), (3, 255, "RGB")]
)
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_values_come_back(tmp_path, channels, most, mode, dtype):
    data = np.random.default_rng(0).integers(0, most + 1, (channels, H, W)).astype(dtype)
    data[0, 0, 0] = most
    write_png(tmp_path / "sub" / "a.png", data)
    with Image.open(tmp_path / "sub" / "a.png") as image:
        assert (image.mode, image.size) == (mode, (W, H))
        stored = np.asarray(image)
    np.testing.assert_array_equal(np.moveaxis(np.atleast_3d(stored), -1, 0), data)
    np.testing.assert_array_equal(read_picture(str(tmp_path / "sub" / "a.png"), np.float64).data, data)


def test_bool_and_nearly_whole_numbers(tmp_path):
    write_png(tmp_path / "a.png", np.ones((1, H, W), bool))
    assert np.asarray(Image.open(tmp_path / "a.png")).max() == 1
    write_png(tmp_path / "a.png", np.full((1, H, W), 254.9999, np.float32))
    assert np.asarray(Image.open(tmp_path / "a.png")).min() == 255


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (
            np.zeros((1, 3, 3, 3)),
            "1 channels and .3, 3, 3. voxels does not fit 'a.png', expected a 2-D image of 1 or 3",
        ),
        (np.zeros((2, 3, 3)), "an image of 2 channels"),
        (np.full((1, 3, 3), 0.5), "values from 0.5 to 0.5, expected whole numbers from 0 to 65535 in 'a.png'.*Argmax"),
        (np.full((1, 3, 3), -1), "whole numbers from 0"),
        (np.full((1, 3, 3), 65536), "whole numbers from 0"),
        (np.full((3, 3, 3), 256), "whole numbers from 0 to 255"),
        (np.full((1, 3, 3), np.nan), "whole numbers from 0"),
    ],
)
def test_what_does_not_fit(tmp_path, data, what):
    with pytest.raises(ClaraError, match=what):
        write_png(tmp_path / "a.png", data)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match="file/a.png' cannot be written: "):
        write_png(tmp_path / "file" / "a.png", np.zeros((1, 3, 3)))
