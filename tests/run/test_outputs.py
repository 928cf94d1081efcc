"""What a run leaves beside its weights."""

from __future__ import annotations

import json
from pathlib import Path

from clara_compat.components.entry import BundleContext
from clara_compat.components.models.seg_resnet import SegResnet
from clara_compat.run.metadata import bundle_metadata
from clara_compat.run.outputs import write_bundle
from clara_compat.translate.render import render


def test_the_bundle_config_with_its_metadata_and_logging_configuration(tmp_path: Path) -> None:
    config = {"network_def": render(SegResnet(3).bundle_entry(BundleContext(spatial_dims=2, in_channels=3)))}
    write_bundle(tmp_path, config)
    folder = tmp_path / "configs"
    assert json.loads((folder / "train.json").read_text()) == config
    assert json.loads((folder / "metadata.json").read_text()) == bundle_metadata(config)
    assert (folder / "logging.conf").read_text().startswith("[loggers]")
