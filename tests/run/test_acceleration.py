"""What a run says of what made it faster."""

from __future__ import annotations

import json
import secrets

import pytest
import torch

from clara_compat.cli.main import main
from clara_compat.engine import inferers
from clara_compat.engine.acceleration import gpu_data, levers
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


def test_without_a_gpu_it_is_said_that_the_data_stay(small_mmar):
    mmar = small_mmar(lambda config: config.update(determinism=None, epochs=1))
    told = train(mmar, overrides={"accelerate": "gpu_data"}).stats["accelerate"]
    assert told["levers"] == []
    assert told["told"] == "gpu_data off: it needs a GPU, and the network computes on cpu"


@pytest.mark.parametrize("fields", [{}, {"num_workers": 2}])
def test_data_on_what_stands_for_a_gpu_give_the_same_weights(small_mmar, monkeypatch, fields):
    def change(config):
        config.update(determinism=None, epochs=3)
        config["train"]["image_pipeline"]["args"].update(fields)

    monkeypatch.setattr(gpu_data, "_is_gpu", lambda engine: True)
    monkeypatch.setattr(secrets, "randbelow", lambda limit: 7)
    mmar, weights = small_mmar(change), []
    for setting in ("off", "gpu_data"):
        result = train(mmar, overrides={"accelerate": setting})
        weights.append(torch.load(result.paths["final_model"], weights_only=True))
    assert result.stats["accelerate"]["told"] == "gpu_data: on"
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


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


CODE = """
import tensorflow as tf
from ai4med.components.losses.loss import Loss
from ai4med.components.models.model import Model


class Net(Model):
    def __init__(self):
        Model.__init__(self)

    def get_predictions(self, inputs, is_training, build_ctx):
        x = tf.layers.conv3d(inputs, 8, 3, padding="same", data_format="channels_first", activation=tf.nn.relu)
        return tf.nn.sigmoid(tf.layers.conv3d(x, 1, 1, padding="same", data_format="channels_first"))

    def get_loss(self):
        return 0


class Scaled(Loss):
    def __init__(self):
        Loss.__init__(self)

    def get_loss(self, predictions, targets, build_ctx=None):
        scale = tf.get_variable("scale", [], initializer=tf.ones_initializer())
        return tf.reduce_mean(tf.square(predictions - targets)) * scale + 0.1 * tf.square(scale)
"""


def test_a_network_and_a_loss_written_with_tensorflow(small_mmar, monkeypatch):
    """Both are told of the step on their copies too, and nothing of the run is left changed."""
    for module in (levers, inferers):
        monkeypatch.setattr(module, "native_bfloat16", lambda device: True)

    def change(config):
        config.update(determinism=None, epochs=1)
        config["train"].update(model={"path": "mine.Net"}, loss={"path": "mine.Scaled"})

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom" / "mine.py").write_text(CODE)
    told = train(mmar, overrides={"accelerate": "bf16,channels_last"}).stats["accelerate"]
    assert told["levers"] == ["bf16", "channels_last"]
    assert told["cosine"] > 0.99
