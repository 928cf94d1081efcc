"""What a run leaves beside its weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clara_compat.components.entry import BundleContext
from clara_compat.components.models.seg_resnet import SegResnet
from clara_compat.errors import ClaraError
from clara_compat.run.metadata import bundle_metadata
from clara_compat.run.outputs import check_writable, write_bundle
from clara_compat.translate.render import render


def test_the_bundle_config_with_its_metadata_and_logging_configuration(tmp_path: Path) -> None:
    config = {"network_def": render(SegResnet(3).bundle_entry(BundleContext(spatial_dims=2, in_channels=3)))}
    write_bundle(tmp_path, config)
    folder = tmp_path / "configs"
    assert json.loads((folder / "train.json").read_text()) == config
    assert json.loads((folder / "metadata.json").read_text()) == bundle_metadata(config)
    assert (folder / "logging.conf").read_text().startswith("[loggers]")


def test_an_output_folder_whose_name_no_file_system_takes(tmp_path: Path) -> None:
    with pytest.raises(
        ClaraError, match="the output folder .*n cannot be made: File name too long; mend MMAR_CKPT_DIR"
    ):
        check_writable(tmp_path / ("n" * 300))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ClaraError, match="loop/x cannot be made: Too many levels of symbolic links; mend report_path"):
        check_writable(tmp_path / "loop" / "x", "report_path")
    check_writable(tmp_path / "new" / "below")
