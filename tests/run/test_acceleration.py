"""What a run says of what made it faster."""

from __future__ import annotations

import json

import pytest
import torch

from clara_compat.cli.main import main
from clara_compat.run.train import train


def test_levers_that_the_config_names_are_in_statistics_and_report(small_mmar):
    mmar = small_mmar(lambda config: config.update(determinism=None, epochs=1))
    result = train(mmar, overrides={"accelerate": "channels_last"})
    told = result.stats["accelerate"]
    assert (told["setting"], told["levers"]) == ("channels_last", ["channels_last"])
    assert told["loss_difference"] < 1e-5
    assert told["cosine"] > 0.9999
    assert told["told"] in result.paths["report"].read_text()
    saved = torch.load(result.paths["checkpoint"], weights_only=True)
    assert "acceleration" in json.dumps(sorted(map(str, _keys(saved))))


def _keys(content):
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from _keys(value)


def test_the_flag_of_the_command_line(small_mmar, monkeypatch):
    given = {}
    monkeypatch.setattr("clara_compat.run.train.train", lambda *args, **more: given.update(overrides=args[3]))
    monkeypatch.setattr("clara_compat.cli.tables.print_training", lambda result: None)
    with pytest.raises(SystemExit) as done:
        main(["train", "-m", str(small_mmar()), "--accelerate", "bf16,channels_last"])
    assert not done.value.code
    assert given["overrides"] == ["accelerate=bf16,channels_last"]
