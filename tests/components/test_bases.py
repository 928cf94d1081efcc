"""The base classes that user code derives from."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.common.train_ctx import TrainContext
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.aux_ops.aux_op import AuxiliaryOperation
from clara_compat.components.component import Component
from clara_compat.components.inferers.inferer import Inferer
from clara_compat.components.losses.loss import Loss
from clara_compat.components.lr_policies.lr_policy import LRPolicy
from clara_compat.components.metrics.metric import Metric
from clara_compat.components.metrics.metric_average import MetricAverage
from clara_compat.components.metrics.metric_list import MetricList
from clara_compat.components.models.model import Model
from clara_compat.components.optimizers.optimizer import Optimizer
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.components.writers.eval_writer import EvalWriter
from clara_compat.errors import ClaraError

BASES = {
    Transformer: (),
    MultiFieldTransformer: ("image",),
    Loss: (),
    Model: (),
    Optimizer: (),
    LRPolicy: (),
    AuxiliaryOperation: (),
    Inferer: (None,),
    EvalWriter: ("model",),
}

MUST_OVERRIDE = [
    (Transformer, "transform", (TransformContext(),)),
    (MultiFieldTransformer, "transform", (TransformContext(),)),
    (Loss, "get_loss", (1, 2)),
    (Loss, "get_loss", (1, 2, BuildContext())),
    (Model, "get_predictions", (1, False, BuildContext())),
    (Optimizer, "get_optimizer", (0.1,)),
    (LRPolicy, "evaluate", (TrainContext(),)),
    (AuxiliaryOperation, "get_output_tensors", (1, 2, BuildContext())),
    (Inferer, "infer", ({}, ShapeFormat.DHW, None)),
    (EvalWriter, "write", ("case", TransformContext())),
    (EvalWriter, "load_results", ("case", TransformContext())),
]


@pytest.mark.parametrize(("base", "method", "arguments"), MUST_OVERRIDE)
def test_methods_a_subclass_must_override(base, method, arguments):
    mine = type("Mine", (base,), {})(*BASES[base])
    with pytest.raises(NotImplementedError, match=rf"^Mine does not implement {method}\("):
        getattr(mine, method)(*arguments)


@pytest.mark.parametrize("base", [*BASES, Metric, MetricList, MetricAverage])
def test_bases_are_no_components(base):
    assert not issubclass(base, Component)


def test_transformers_are_deterministic_unless_they_say_otherwise():
    assert Transformer().is_deterministic() is True
    assert MultiFieldTransformer(["image"]).is_deterministic() is True


@pytest.mark.parametrize(
    ("fields", "expected"),
    [("image", ["image"]), (["image", "label"], ["image", "label"]), (("label",), ["label"])],
)
def test_fields_become_a_list(fields, expected):
    assert MultiFieldTransformer(fields=fields).fields == expected


def test_fields_are_copied():
    given = ["image"]
    MultiFieldTransformer(given).fields.append("label")
    assert given == ["image"]


@pytest.mark.parametrize("fields", [[], "", None, ["image", ""], ["image", 3], 7, {"image": 1}, [["image"]]])
def test_bad_fields(fields):
    message = f"'fields' of Mine must be a field name or a list of field names, got {re.escape(repr(fields))}: write"
    with pytest.raises(ClaraError, match=message):
        type("Mine", (MultiFieldTransformer,), {})(fields)


def test_model_builds_from_the_context_by_position():
    class Mine(Model):
        def __init__(self):
            Model.__init__(self)

        def get_predictions(self, images, training, build_ctx=None):  # users rename the parameters
            return images * (2 if training else 1), build_ctx

    ctx = BuildContext()
    ctx.must_set(BuildContext.KEY_MODEL_INPUT, 4)
    with pytest.raises(KeyError, match="has no item '_is_train'"):
        Mine().build(ctx)
    ctx.must_set(BuildContext.KEY_IS_TRAIN, True)
    assert Mine().build(ctx) == (8, ctx)
    assert Mine().get_loss() == 0
    assert Mine().get_update_ops() == []


def test_losses_and_aux_ops_build_from_the_context():
    class MyLoss(Loss):
        def get_loss(self, predictions, targets, build_ctx=None):
            return predictions - targets

    class MyOp(AuxiliaryOperation):
        def __init__(self, tag):
            AuxiliaryOperation.__init__(self, do_print=False)
            self.tag = tag

        def get_output_tensors(self, predictions, label, build_ctx):
            return {self.tag: predictions * label}

    ctx = BuildContext({BuildContext.KEY_MODEL_OUTPUT: 5, BuildContext.KEY_LABEL_INPUT: 3})
    assert MyLoss().build(ctx) == 2
    op = MyOp("product")
    assert op.build(ctx) == {"product": 15}
    assert (op.do_summary, op.do_print) == (True, False)


def test_optimizer_keeps_its_arguments():
    class Mine(Optimizer):
        def get_optimizer(self, lr):
            return {"lr": lr, **self.args}

    ctx = BuildContext({BuildContext.KEY_LEARNING_RATE: 0.5})
    assert Mine(beta1=0.8).build(ctx) == {"lr": 0.5, "beta1": 0.8}


def test_inferer_and_writer_defaults():
    inferer = Inferer(predictor=len)
    assert inferer.predictor is len
    assert inferer.supported_extra_inputs(["a"]) == inferer.supported_extra_outputs(["a"]) == []
    writer = EvalWriter(field="model")
    assert (writer.field, writer.check_results_exist("case"), writer.finalize()) == ("model", False, None)


# --- metrics


def rows(file):
    """Return the rows of a report below its header."""
    return [tuple(line.split("\t")) for line in file.read_text().splitlines()[1:]]


def summary_of(file):
    """Return a summary report as a dictionary."""
    header, values = (line.split("\t") for line in file.read_text().splitlines())
    return dict(zip(header[1:], values[1:], strict=True))


@pytest.mark.parametrize("kind", [MetricList, MetricAverage])
def test_average_over_valid_cases(kind):
    metric = kind("dice")
    assert metric.get() == 0
    assert isinstance(metric._list, np.ndarray)
    for value in (0.5, np.float32(1.0), [[0.0, 0.5]], math.nan, np.empty(0)):
        metric.update(value)
    np.testing.assert_array_equal(metric._list, [0.5, 1.0, 0.25])
    assert metric.get() == pytest.approx(1.75 / 3)
    metric.reset()
    assert metric._list.size == metric.get() == 0


def test_invalid_value_is_left_out():
    metric = MetricList("dice", invalid_value=-1)
    for value in (-1, 0.5, math.nan):
        metric.update(value)
    assert metric.get() == 0.5


def test_negated_average():
    metric = MetricAverage("loss", negate_value=True, invalid_value=-2.0)
    for value in (2.0, 4.0, -2.0):  # only the raw -2 is invalid, not the negated 2
        metric.update(value)
    np.testing.assert_array_equal(metric._list, [-2.0, -4.0])
    assert metric.get() == -3.0


def test_report(tmp_path):
    folder = tmp_path / "new" / "eval"
    metric = MetricList("val_dice", report_path=str(folder))
    values = [0.9, 0.1, 0.4, 0.8, 0.6]
    names = ["a.nii", b"b.nii", ["c1.nii", "c2.nii"], "", "tab\tname"]
    for value, name in zip(values, names, strict=True):
        metric.update(value, filename=name)
    metric.update(math.nan, filename="empty.nii")
    metric.generate_report()
    assert rows(folder / "val_dice_raw_results.txt") == [
        ("a.nii", "0.9"),
        ("b.nii", "0.1"),
        ("c1.nii, c2.nii", "0.4"),
        ("case_4", "0.8"),
        ("tab name", "0.6"),
        ("empty.nii", "nan"),
    ]
    summary = summary_of(folder / "val_dice_summary_results.txt")
    assert list(summary) == ["mean", "median", "max", "min", "90percentile", "std"]
    deviation = math.sqrt(sum((value - 0.56) ** 2 for value in values) / 5)
    # 90 % of the way through 0.1 0.4 0.6 0.8 0.9 lies 0.6 of the way from 0.8 to 0.9
    expected = [0.56, 0.6, 0.9, 0.1, 0.86, deviation]
    assert [float(value) for value in summary.values()] == pytest.approx(expected, abs=1e-8)
    assert sorted(file.name for file in folder.iterdir()) == [
        "val_dice_raw_results.txt",
        "val_dice_summary_results.txt",
    ]


def test_report_of_no_case(tmp_path):
    MetricList("dice", report_path=str(tmp_path)).generate_report()
    assert rows(tmp_path / "dice_raw_results.txt") == []
    assert set(summary_of(tmp_path / "dice_summary_results.txt").values()) == {"nan"}


def test_no_report_path_no_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    MetricList("dice").generate_report()
    assert list(tmp_path.iterdir()) == []


def test_a_name_cannot_leave_the_folder(tmp_path):
    MetricList("../../outside/dice", report_path=str(tmp_path / "eval")).generate_report()
    assert [file.parent for file in tmp_path.rglob("*.txt")] == [tmp_path / "eval"] * 2


def test_unwritable_report_folder(tmp_path):
    (tmp_path / "file").touch()
    metric = MetricList("dice", report_path=str(tmp_path / "file"))
    with pytest.raises(
        ClaraError, match=r"report of metric 'dice' cannot be written to .*set 'report_path' to a folder"
    ):
        metric.generate_report()


def test_interrupted_report_leaves_the_old_one(tmp_path, monkeypatch):
    metric = MetricList("dice", report_path=str(tmp_path))
    metric.update(1.0, filename="old")
    metric.generate_report()
    metric.update(2.0, filename="new")
    monkeypatch.setattr(
        "pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(ClaraError, match=r"\(No space left on device \(.* MB free\)\)"):
        metric.generate_report()
    assert rows(tmp_path / "dice_raw_results.txt") == [("old", "1")]
    assert len(list(tmp_path.iterdir())) == 2


class Appending(MetricList):
    """As users write it: its own update, which knows nothing of file names."""

    def update(self, value, label_value=None, filename="", data_prop=None):
        self._list = np.append(self._list, (value == label_value).mean())


def test_metric_component_feeds_its_metric(tmp_path):
    component = Metric(Appending("same", report_path=str(tmp_path)), field="model", label_field="label")
    assert (component.get_name(), component.field, component.label_field) == ("same", "model", "label")
    assert (component.do_summary, component.do_print, component.is_key_metric) == (True, True, False)
    for name in ("first.nii", "second.nii"):
        component.update(np.array([1, 2]), np.array([1, 0]), filename=name)
    assert component.get() == 0.5
    component.generate_report()
    assert rows(tmp_path / "same_raw_results.txt") == [("first.nii", "0.5"), ("second.nii", "0.5")]
    component.reset()
    component.update(np.array([1]), np.array([1]), filename="third.nii")
    component.generate_report()
    assert rows(tmp_path / "same_raw_results.txt") == [("third.nii", "1")]


def test_file_names_survive_a_list_that_user_code_empties(tmp_path):
    metric = Appending("same", report_path=str(tmp_path))
    component = Metric(metric, "model")
    for name in ("a", "b"):
        component.update(np.array([1]), np.array([1]), filename=name)
    metric._list = None
    metric.generate_report()
    assert rows(tmp_path / "same_raw_results.txt") == []
    metric._list = np.empty(0)
    component.update(np.array([1]), np.array([0]), filename="c")
    metric.generate_report()
    assert rows(tmp_path / "same_raw_results.txt") == [("c", "0")]


def test_metric_component_needs_a_metric():
    with pytest.raises(ClaraError, match="'metric' of Metric is a str, expected a MetricList: derive it from"):
        Metric("dice", "model")
