"""What only a batch shows, told at the component that cannot work with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from clara_compat import check, evaluate, train
from clara_compat.errors import ClaraError
from tests.conftest import write_scan
from tests.run.conftest import EVALUATION

Make = Callable[..., Path]
Change = Callable[[dict[str, Any]], Any]

CODE = """
    import torch
    from torch import nn
    from ai4med.components.transforms.transformer import Transformer

    class Halves(nn.Conv3d):
        def __init__(self):
            super().__init__(1, 2, 2, stride=2)

    class Row(nn.Conv3d):
        def __init__(self):
            super().__init__(1, 2, 1)

        def forward(self, image):
            return super().forward(image).mean(dim=[2, 3, 4])

    class Pair(nn.Conv3d):
        def __init__(self):
            super().__init__(1, 2, 1)

        def forward(self, image):
            found = super().forward(image)
            return found, found

    class Colours(nn.Conv3d):
        def __init__(self):
            super().__init__(3, 2, 1)

    class Own(nn.Module):
        def forward(self, predictions, labels):
            return predictions.square().mean()

    class Same(Transformer):
        def transform(self, transform_ctx):
            return transform_ctx

    class Uneven(Transformer):
        count = 0

        def transform(self, transform_ctx):
            Uneven.count += 1
            for field in ("image", "label"):
                image = transform_ctx.get_image(field)
                data = image.get_data()[:, : 8 + Uneven.count]
                transform_ctx.set_image(field, image.new_image(data, image.get_shape_format()))
            return transform_ctx

    class HalfAsLarge(Transformer):
        def transform(self, transform_ctx):
            image = transform_ctx.get_image("model")
            transform_ctx.set_image("model", image.new_image(image.get_data()[:, ::2], image.get_shape_format()))
            return transform_ctx
"""


def with_code(mmar: Path) -> Path:
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(dedent(CODE))
    return mmar


def network(name: str, loss: dict[str, str] | None = None, **more: Any) -> Change:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["train"]["model"] = {"path": f"mine.{name}"}
        config["train"]["loss"] = loss or {"name": "Dice"}
        config["train"]["aux_ops"] = more.get("aux_ops", [])
        config["validate"]["metrics"] = more.get("metrics", config["validate"]["metrics"][:1])
        config["validate"]["inferer"] = {"name": "TFSimpleInferer"}

    return change


def batch(config: dict[str, Any]) -> None:
    config["train"]["batch_transforms"] = [
        {"path": "mine.Same"},
        {"name": "ScaleShiftIntensity", "args": {"fields": "nowhere"}},
    ]


def uneven(config: dict[str, Any]) -> None:
    config["cache_gb"] = 0
    config["train"]["pre_transforms"][3] = {"path": "mine.Uneven"}


def unsaid(config: dict[str, Any]) -> None:
    """Give the image another number of channels than the pipeline says, where only a batch shows it."""
    config["train"]["batch_transforms"] = [
        {"path": "mine.Same"},
        {"name": "RepeatChannel", "args": {"fields": "image", "repeats": 2}},
    ]


OWN = {"path": "mine.Own"}
AUC = {"name": "ComputeAUC", "args": {"name": "auc", "field": "model", "label_field": "label"}}
DICE = {"name": "DiceMaskedOutput", "args": {"tags": ["d"]}}
CASES = [
    (network("Halves"), r"train.loss: prediction and target differ in size: \[2, 2, 8, 8, 8\] and \[2, 1, 16, 16, 16"),
    (network("Row"), r"train.loss: prediction and target differ in size: \[2, 2\] and"),
    (network("Halves", OWN, aux_ops=[DICE]), r"train.aux_ops\[0\]: aux_ops 'd': prediction \[2, 2, 8, 8, 8\] and the"),
    (network("Halves", OWN), r"validate.metrics\[0\]: metric 'mean_dice': prediction .* differ in size"),
    (network("Row", OWN), r"validate.metrics\[0\]: metric 'mean_dice': prediction \[1, 2\] and 'label' .* differ in s"),
    (batch, r"train.batch_transforms\[1\]: the field 'nowhere' is not there \(image .*case\d_image"),
    (
        uneven,
        r"train.image_pipeline: the items of a batch have different shapes of 'image' \(.*: crop or resize to one",
    ),
    (
        unsaid,
        r"train.model: the network takes \(N, 1, 3 spatial sizes\) but got a tensor of shape \[2, 2, 16, 16, 16\]",
    ),
]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Pair", "train.loss: what the network returns does not fit here: AttributeError: 'tuple' object has no attr"),
        (
            "Colours",
            r"train.model: the network: RuntimeError: Given groups=1, weight of size \[2, 3, 1, 1, 1\], expected",
        ),
    ],
)
def test_a_network_of_the_users_and_what_it_returns(small_mmar: Make, name: str, message: str) -> None:
    with pytest.raises(ClaraError, match=rf"^\S*config_train.json:\d+ {message}"):
        train(with_code(small_mmar(network(name))))


@pytest.mark.parametrize(("change", "message"), CASES)
def test_the_component_is_named(small_mmar: Make, change: Change, message: str) -> None:
    mmar = with_code(small_mmar(change))
    assert check(mmar / "config/config_train.json").errors == []
    with pytest.raises(ClaraError, match=rf"^\S*config_train.json:\d+ {message}") as caught:
        train(mmar)
    assert "Error" not in caught.value.message


def test_a_metric_with_a_name_that_is_no_key_is_found_too(small_mmar: Make) -> None:
    metrics = [
        {"name": "ComputeAverage", "args": {"name": "one", "field": "loss", "is_key_metric": True}},
        {"name": "ComputeAverageDice", "args": {"name": "a::b#c", "field": "model"}},
    ]
    mmar = with_code(small_mmar(network("Halves", OWN, metrics=metrics)))
    with pytest.raises(ClaraError, match=r"validate.metrics\[1\]: metric 'a::b#c'"):
        train(mmar)


class TestEvaluation:
    def test_a_metric(self, evaluation_mmar: Make) -> None:
        def change(config: dict[str, Any]) -> None:
            config["do_validation"] = True
            config["post_transforms"] = [{"path": "mine.HalfAsLarge"}]
            config["label_transforms"] = config["label_transforms"][:2]
            config["val_metrics"][0]["args"] |= {"field": "model", "label_field": "label"}
            config["writers"] = []

        mmar = with_code(evaluation_mmar(change))
        message = r"^\S*config_validation.json:\d+ val_metrics\[0\]: metric 'dice': prediction .* differ in size"
        with pytest.raises(ClaraError, match=message):
            evaluate(mmar)

    def test_a_step(self, evaluation_mmar: Make, tmp_path: Path) -> None:
        items = [write_scan(tmp_path, f"case{i}", i, (16, 16, 16 + i)) for i in range(2)]
        (tmp_path / "list.json").write_text(json.dumps({"training": items}))
        mmar = evaluation_mmar(lambda config: config.update(batch_size=2))
        given = {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")}
        message = r"^\S*config_validation.json:1: the images of a batch differ in size .*: set batch_size to 1"
        with pytest.raises(ClaraError, match=message):
            evaluate(mmar, overrides=given)

    def test_a_metric_of_rows_that_reads_an_image(self, evaluation_mmar: Make, small_mmar: Make) -> None:
        """Of a network that a training left, the check knows it; of an exported one, the first case shows it."""
        args = {"name": "auc", "field": "model", "label_field": "label"}
        config = {
            **EVALUATION,
            "do_validation": True,
            "post_transforms": [],
            "label_transforms": EVALUATION["label_transforms"][:2],
            "val_metrics": [{"name": "ComputeAUC", "args": args}],
            "writers": [],
        }
        mmar = evaluation_mmar(lambda exported: exported.update(config))
        with pytest.raises(ClaraError, match=r"json:\d+ val_metrics\[0\]: metric 'auc': 'pred' has the shape"):
            evaluate(mmar)
        trained = small_mmar(lambda config: config.update(epochs=1), "trained")
        train(trained)
        del config["model_loader"]
        file = trained / "config/config_validation.json"
        file.write_text(json.dumps(config))
        error = check(file).errors[0]  # one for each case
        with pytest.raises(ClaraError, match=r"val_metrics\[0\].args.label_field: .* the field 'label' is an image"):
            raise error
