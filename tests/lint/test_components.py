"""Which components a file has, whether they run, and what their classes lack."""

from __future__ import annotations

import inspect

import pytest

from clara_compat.components.catalogue import components as catalogue
from clara_compat.components.catalogue import family
from clara_compat.lint.components import DO_NOT_RUN, METHODS
from clara_compat.lint.legacy_bases import BASES
from clara_compat.run import check

IMPORTS = """\
import tensorflow as tf
import numpy as np
from ai4med.common.train_handler import TrainHandler
from ai4med.components.aux_ops.aux_op import AuxiliaryOperation
from ai4med.components.eval_writers.eval_writer import EvalWriter
from ai4med.components.inferers.inferer import Inferer
from ai4med.components.losses.loss import Loss
from ai4med.components.lr_policies.lr_policy import LRPolicy
from ai4med.components.metric import Metric
from ai4med.components.models.model import Model
from ai4med.components.optimizers.optimizer import Optimizer
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.components.transforms.scale_intensity_range import ScaleIntensityRange
from ai4med.libs.metrics.metric_list import MetricList
"""
AT = IMPORTS.count("\n")


def components(report) -> list[tuple[str, str, str]]:
    return [(one.name, one.status.value, one.message) for one in report.components]


def faults(report) -> list[str]:
    return [f"{one.line - AT}: {one.message}" for one in report.findings if not one.status.passes]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class T(MultiFieldTransformer):\n    def transform(self, ctx): return ctx\n", "transform T: runs as it is"),
        ("class T:\n    def transform(self, ctx): return ctx\n", "transform T: runs as it is"),
        ("class T(ScaleIntensityRange):\n    pass\n", "transform T: runs as it is"),
        ("class M(MetricList):\n    def get(self): return 0\n", "metric M: runs as it is"),
        ("class H(TrainHandler):\n    def end_epoch(self, ctx): pass\n", "handler H: runs as it is"),
        ("class L(Loss):\n    def get_loss(self, p, t, c=None): return p.mean()\n", "loss L: runs as it is"),
        (
            "class L(Loss):\n    def get_loss(self, p, t, c=None): return tf.reduce_mean(p)\n",
            "loss L: runs unmodified; its TensorFlow is computed by torch",
        ),
        ("class P(LRPolicy):\n    def evaluate(self, ctx): return 1e-3\n", "learning rate policy P: runs as it is"),
        ("class W(EvalWriter):\n    def write(self, name, data): pass\n", "writer W: runs as it is"),
    ],
)
def test_what_runs(lint_text, source, said) -> None:
    report = lint_text(IMPORTS + source)
    assert components(report) == [(source.split()[1].partition("(")[0].rstrip(":"), "runs", said)]
    assert report.passed


def test_families_of_which_only_the_built_in_ones_run(lint_text) -> None:
    report = lint_text(IMPORTS + "class I(Inferer):\n    def infer(self, values, shape, ctx): pass\n")
    text = "inferer I: inferers of your own are not run: use TFScanWindowInferer or TFSimpleInferer"
    assert components(report) == [("I", "does not run", text)]
    assert not report.passed


def test_an_optimizer_written_with_tensorflow_does_not_run(lint_text) -> None:
    source = "class O(Optimizer):\n    def get_optimizer(self, lr): return tf.train.AdamOptimizer(lr)\n"
    report = lint_text(IMPORTS + source)
    assert components(report) == [("O", "does not run", f"optimizer O: see line {AT + 2}")]
    (finding,) = report.findings
    assert finding.message == "tf.train.AdamOptimizer"
    assert finding.mind == "in an Optimizer component return functools.partial(torch.optim.Adam, lr=lr)"
    assert finding.equivalent == "torch.optim.Adam(parameters, lr=lr)"


def test_a_component_is_charged_with_what_it_reaches(lint_text) -> None:
    report = lint_text(
        IMPORTS
        + """\
def inner(p): return tf.placeholder(p)
def outer(p): return inner(p)
def unused(p): return tf.foo(p)
class Broken(Loss):
    def get_loss(self, p, t, c=None): return outer(p)
class Whole(Loss):
    def get_loss(self, p, t, c=None): return tf.reduce_mean(p)
"""
    )
    assert [message for _, _, message in components(report)] == [
        f"loss Broken: see line {AT + 1}",
        "loss Whole: runs unmodified; its TensorFlow is computed by torch",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "class A(tf.keras.layers.Layer):\n    def call(self, x): return x\n",
        "from torch import nn\nclass A(nn.Module):\n    def get_loss(self): pass\n",
        "from keras.models import Model\nclass A(Model):\n    def get_predictions(self, x): return x\n",
        "class A(object):\n    def help(self): pass\n",
    ],
)
def test_what_is_no_component(lint_text, source) -> None:
    assert components(lint_text(IMPORTS + source)) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class L(Loss):\n    pass\n", "1: loss L has no method get_loss(predictions, targets, build_ctx)"),
        ("class N(Model):\n    x = 1\n", "1: model N has no method get_predictions(inputs, is_training, build_ctx)"),
        ("class T(MultiFieldTransformer):\n    pass\n", "1: transform T has no method transform(transform_ctx)"),
        ("class O(Optimizer):\n    pass\n", "1: optimizer O has no method get_optimizer(lr)"),
        (
            "class L(Loss):\n    def get_loss(self, p, t): return p\n",
            "2: L.get_loss takes 2 arguments, it is called with (predictions, targets, build_ctx) by position",
        ),
        (
            "class N(Model):\n    def get_predictions(self, x, t, c, more): return x\n",
            "2: N.get_predictions takes 4 arguments, it is called with (inputs, is_training, build_ctx) by position",
        ),
        (
            (
                "class T(MultiFieldTransformer):\n    def __init__(self, fields): self.x = fields\n"
                "    def transform(self, ctx): return self.fields\n"
            ),
            "2: T.__init__ does not call MultiFieldTransformer.__init__(self, ...), which sets self.fields",
        ),
        (
            "class M(Metric):\n    def __init__(self, name): self.name = name\n",
            "2: M.__init__ does not call Metric.__init__(self, ...), which sets self.metric and self.field",
        ),
    ],
)
def test_what_a_class_lacks(lint_text, source, said) -> None:
    report = lint_text(IMPORTS + source)
    assert faults(report) == [said]
    assert [one.status.value for one in report.components] == ["does not run"]


@pytest.mark.parametrize(
    "source",
    [
        "class A(Loss):\n    pass\nclass B(A):\n    def get_loss(self, p, t, c): return p\n",
        "class A(Loss):\n    def get_loss(self, p, t, c): return p\nclass B(A):\n    pass\n",
        "class A(Loss):\n    def build(self, ctx): return 0\n",
        "class A(Loss):\n    def get_loss(self, *given): return 0\n",
        "class A(Loss):\n    @wrapped\n    def get_loss(self): return 0\n",
        "from mine import Other\nclass A(Other, Loss):\n    pass\n",
        (
            "class T(MultiFieldTransformer):\n    def __init__(self, f): super().__init__(f)\n"
            "    def transform(self, c): return c\n"
        ),
        (
            "class T(MultiFieldTransformer):\n    def __init__(self, f): self.fields = f\n"
            "    def transform(self, c): return c\n"
        ),
        "class T(ScaleIntensityRange):\n    def transform(self, c): return c\n",
    ],
)
def test_what_is_no_fault(lint_text, source) -> None:
    assert faults(lint_text(IMPORTS + source)) == []


def test_a_base_may_come_from_this_package(lint_text) -> None:
    source = "from clara_compat import MultiFieldTransformer\nclass T(MultiFieldTransformer):\n"
    source += "    def __init__(self, fields): self.x = fields\n    def transform(self, ctx): return ctx\n"
    report = lint_text(source)
    assert [one.message for one in report.findings if not one.status.passes] == [
        "T.__init__ does not call MultiFieldTransformer.__init__(self, ...), which sets self.fields"
    ]
    assert [one.family for one in report.components] == ["transforms"]


def test_a_base_that_does_nothing_may_go_uncalled(lint_text) -> None:
    source = "class L(Loss):\n    def __init__(self): self.x = 1\n    def get_loss(self, p, t, c): return p\n"
    (finding,) = lint_text(IMPORTS + source).findings
    assert finding.status.value == "runs, differs"
    assert finding.message.startswith("L.__init__ does not call Loss.__init__(self): that does nothing here")


@pytest.mark.parametrize(
    ("name", "base", "becomes"),
    [
        ("MyClonedDiceLoss", "Loss", "monai.losses.DiceLoss"),
        ("Focal_Tversky", "Loss", "monai.losses.TverskyLoss"),
        ("GeneralizedDice", "Loss", "monai.losses.GeneralizedDiceLoss"),
        ("Attention_UNet3D", "Model", "monai.networks.nets.AttentionUnet"),
        ("MyVNet", "Model", "monai.networks.nets.VNet"),
        ("RawConvNet", "Model", ""),
    ],
)
def test_what_monai_has_for_a_component_of_that_name(lint_text, name, base, becomes) -> None:
    (component,) = lint_text(IMPORTS + f"class {name}({base}):\n    def build(self, ctx): return 0\n").components
    assert component.equivalent == becomes


def test_what_the_linter_knows_is_what_there_is() -> None:
    import ai4med.common.train_handler
    import ai4med.components.metric
    from clara_compat.components.losses.loss import Loss
    from clara_compat.components.models.model import Model
    from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer

    for cls in (Loss, Model, ai4med.components.metric.Metric, ai4med.common.train_handler.TrainHandler):
        assert cls.__name__ in BASES
    assert vars(MultiFieldTransformer("image")).keys() == set(BASES["MultiFieldTransformer"])
    for name, (method, arguments) in METHODS.items():
        cls = next((one for one in (Loss, Model, MultiFieldTransformer) if family(one) == name), None)
        if cls is not None:
            assert ", ".join([*inspect.signature(getattr(cls, method)).parameters][1:]) == arguments
    assert not {"inferer", "image_pipeline", "model_loader"} & check._RUNNING_FAMILIES.keys()
    assert set(DO_NOT_RUN) <= {family(cls) for cls in catalogue().values()}
