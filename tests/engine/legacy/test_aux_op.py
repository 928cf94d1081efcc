"""A user's auxiliary operation gets what Clara gave it, in numpy or torch."""

from __future__ import annotations

import types
from textwrap import dedent

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from ai4med.components.aux_ops.compute_multiclass_accuracy import ComputeMulticlassAccuracy
from ai4med.components.aux_ops.dice_masked_output import DiceMaskedOutput
from ai4med.components.aux_ops.neg_loss import NegLoss
from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.data_prop import DataProperty
from clara_compat.engine.aux_dice import DiceOutputs
from clara_compat.engine.legacy.aux_op import LegacyAuxOp
from clara_compat.errors import ClaraError


def user_class(code: str, name: str = "Mine") -> type:
    """Make a class in a module of its own, as the loader of user code does."""
    module = types.ModuleType("users")
    module.__dict__["__clara_user_module__"] = True
    exec(compile(dedent(code), "users.py", "exec"), module.__dict__)
    return getattr(module, name)


NUMPY = """
import numpy as np
from ai4med.components.aux_ops.aux_op import AuxiliaryOperation
from ai4med.common.build_ctx import BuildContext

class Mine(AuxiliaryOperation):
    def __init__(self, threshold=0.5):
        AuxiliaryOperation.__init__(self, do_summary=True, do_print=False)
        self.threshold = threshold
        self.seen = []

    def get_output_tensors(self, predictions, label, build_ctx):
        self.seen.append((predictions, label, build_ctx))
        return {"share": np.mean(predictions > self.threshold), "each": predictions.mean(axis=(1, 2, 3)), "n": 3}
"""


def fields(**more):
    return {
        "image": MetaTensor(torch.rand(2, 1, 4, 4)),
        "label": MetaTensor(torch.randint(0, 2, (2, 1, 4, 4)).float()),
        "pred": torch.rand(2, 2, 4, 4, requires_grad=True),
        **more,
    }


def adapted(operation, **options):
    data = options.pop("data", DataProperty(num_data_dims=2))
    return LegacyAuxOp(
        operation, type(operation).__name__, data, lambda pred, label: pred.mean() + label.mean(), **options
    )


def test_numpy_code_gets_arrays_and_a_build_context():
    operation, output = user_class(NUMPY)(0.3), fields()
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.25)
    op = adapted(operation, optimizer=optimizer, is_train=True)
    found = op(output)
    pred = output["pred"].detach().numpy()
    assert found["share"].item() == np.mean(pred > 0.3)
    np.testing.assert_allclose(found["each"], pred.mean((1, 2, 3)))
    assert found["n"].item() == 3
    assert (op.do_summary, op.do_print) == (True, False)
    [(predictions, label, ctx)] = operation.seen
    assert [type(value) for value in (predictions, label)] == [np.ndarray] * 2
    assert isinstance(ctx, BuildContext)
    assert ctx.must_get(BuildContext.KEY_DATA_PROP).num_data_dims == 2
    assert ctx.must_get(BuildContext.KEY_IS_TRAIN) is True
    assert ctx[BuildContext.KEY_LEARNING_RATE] == 0.25
    np.testing.assert_array_equal(ctx["model_input"], output["image"])
    np.testing.assert_array_equal(ctx["model_output"], pred)
    np.testing.assert_array_equal(ctx["label_input"], output["label"])
    assert "loss" not in output  # nobody asked
    assert BuildContext.KEY_LOSS in ctx
    expected = pred.mean() + output["label"].numpy().mean()
    assert ctx.must_get(BuildContext.KEY_LOSS) == ctx["loss"] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(KeyError, match="_graph"):
        ctx.must_get(BuildContext.KEY_GRAPH)


def test_torch_code_gets_tensors():
    code = """
    import torch.nn.functional as F
    class Mine:
        def get_output_tensors(self, predictions, label, build_ctx):
            return {"spread": F.relu(predictions).std() + 0 * build_ctx["loss"]}
    """
    output = fields(loss=torch.tensor(2.0, requires_grad=True))
    found = adapted(user_class(code)())(output)["spread"]
    assert found.item() == pytest.approx(output["pred"].std().item())
    assert not found.requires_grad


def test_arrays_are_fetched_when_they_are_asked_for_and_once(monkeypatch):
    fetched, fetch = [], torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: fetched.append(tuple(self.shape)) or fetch(self))
    output = fields()
    first, second = user_class(NUMPY)(), user_class(NUMPY)()
    for operation in (first, second):
        adapted(operation)(dict(output))
    assert fetched == [(2, 2, 4, 4), (2, 1, 4, 4)]  # nobody reads the image
    assert first.seen[0][0] is second.seen[0][0]
    assert {"_model_input", "_model_output", "_loss"} <= set(first.seen[0][2])
    first.seen[0][2].must_get(BuildContext.KEY_MODEL_INPUT)
    assert len(fetched) == 3
    with torch.no_grad():
        output["pred"].mul_(0)
    adapted(second)(dict(output))
    assert not second.seen[-1][0].any()


@pytest.mark.parametrize("name", ["predictions", "label"])
def test_what_an_operation_is_given_cannot_be_changed(name):
    """It is the memory of the step's own tensors, which the loss and the metrics read."""
    code = f"""
    import numpy as np
    class Mine:
        def get_output_tensors(self, predictions, label, build_ctx):
            {name}[{name} < 2] = 7
            return {{"mean": np.mean(predictions)}}
    """
    output = fields()
    before = {key: value.detach().clone() for key, value in output.items()}
    with pytest.raises(ClaraError, match=r"operation 'Mine': users.py:5: ValueError: .*read-only"):
        adapted(user_class(code)())(output)
    assert all(torch.equal(output[key], value) for key, value in before.items())


def test_an_array_that_an_operation_hands_back_becomes_a_tensor_of_its_own():
    """A later operation may write to the value; the arrays of the step stay as they are."""
    code = """
    class Mine:
        def get_output_tensors(self, predictions, label, build_ctx):
            return {"same": predictions}
    """
    output = fields()
    before = output["pred"].detach().clone()
    adapted(user_class(code)())(output)["same"].zero_()
    assert torch.equal(output["pred"], before)


@pytest.mark.parametrize("base", ["AuxiliaryOperation", "NegLoss"])
def test_an_overridden_build_is_called(base):
    code = f"""
    from ai4med.components.aux_ops.aux_op import AuxiliaryOperation
    from ai4med.components.aux_ops.neg_loss import NegLoss
    class Mine({base}):
        def build(self, build_ctx):
            return {{"mine": build_ctx["model_output"].sum() + build_ctx["label_input"].sum()}}
    """
    output = fields()
    operation = user_class(code)(*(["tag"] if base == "NegLoss" else []))
    assert adapted(operation)(output)["mine"].item() == pytest.approx(
        (output["pred"].sum() + output["label"].sum()).item()
    )


def test_the_layout_is_the_one_the_pipeline_declares():
    operation = user_class(NUMPY)()
    adapted(operation, data=DataProperty(data_format="channels_last", num_data_dims=2))(fields())
    [(predictions, label, _)] = operation.seen
    assert (predictions.shape, label.shape) == ((2, 4, 4, 2), (2, 4, 4, 1))


@pytest.mark.parametrize("base", [DiceMaskedOutput, NegLoss])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_subclasses_of_built_ins_can_call_them(base, layout):
    class Doubled(base):
        def get_output_tensors(self, predictions, label, build_ctx):
            found = base.get_output_tensors(self, predictions, label, build_ctx)
            return {tag: 2 * value for tag, value in found.items()}

    output = fields()
    operation = Doubled(["d"] if base is DiceMaskedOutput else "d")
    found = adapted(operation, data=DataProperty(data_format=layout, num_data_dims=2))(output)
    one = DiceOutputs(["d"])(output)["d"] if base is DiceMaskedOutput else -output["loss"]
    assert found["d"].item() == pytest.approx(2 * one.item())


@pytest.mark.parametrize(("activation", "expected"), [("sigmoid", 1.0), (None, 0.25)])
def test_subclasses_of_built_ins_know_the_activation(activation, expected):
    class Mine(ComputeMulticlassAccuracy):
        def get_output_tensors(self, predictions, label, build_ctx):
            return ComputeMulticlassAccuracy.get_output_tensors(self, predictions, label, build_ctx)

    output = {
        "image": torch.zeros(4, 1, 2, 2),
        "pred": torch.tensor([[0.1], [0.2], [0.05], [0.9]]),
        "label": torch.tensor([[0.0], [0.0], [0.0], [1.0]]),
    }
    assert adapted(Mine(tag="acc"), final_activation=activation)(output) == {"acc": expected}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("1 / 0", "auxiliary operation 'Mine': users.py:4: ZeroDivisionError"),
        ("3", "auxiliary operation 'Mine': get_output_tensors returned a int, expected a dictionary of values by tag"),
        ("{'label': 1}", "auxiliary operation 'Mine' gives a value of the tag 'label', which is taken"),
        ("{'dice': 1}", "auxiliary operation 'Mine' gives a value of the tag 'dice', which is taken"),
        ("{'x': object()}", "auxiliary operation 'Mine' gives a object under the tag 'x', expected a number"),
        ("{'x': 'word'}", "auxiliary operation 'Mine' gives a str under the tag 'x', expected a number"),
    ],
)
def test_what_a_user_gets_wrong_is_said(result, message):
    code = f"""
    class Mine:
        def get_output_tensors(self, predictions, label, build_ctx):
            return {result}
    """
    with pytest.raises(ClaraError, match=message):
        adapted(user_class(code)())(fields(dice=torch.tensor(1.0)))


def test_an_object_that_is_no_operation_is_said():
    with pytest.raises(ClaraError, match=r"auxiliary operation 'int' has no method get_output_tensors\(predictions"):
        adapted(3)
