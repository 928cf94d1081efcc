from __future__ import annotations

import copy
import sys

import pytest
import torch

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.data_prop import DataProperty
from clara_compat.common.label_format import LabelFormat
from clara_compat.engine.aux_ops import step_loss
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.loss import LegacyLoss, legacy_loss
from clara_compat.tensorflow.network import LegacyNetwork

PROPERTY = DataProperty()
HEAD = """
import tensorflow as tf
from ai4med.common.build_ctx import BuildContext
from ai4med.components.losses.loss import Loss
from ai4med.components.models.model import Model
"""
SCALE = f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, whether, ctx):
        with tf.variable_scope('Net'):
            self.scale = tf.get_variable('scale', [], initializer=2.0)
        return x * self.scale
    def get_loss(self):
        return self.scale * self.scale
"""


def network(user_folder, source: str, prop: DataProperty = PROPERTY, size=(4, 4, 4), **args) -> LegacyNetwork:
    user_folder(mine=source)
    return LegacyNetwork(component("mine.Net", args), "Net", prop, size)


def loss(user_folder, source: str, shape=(1, 2, 4, 4, 4), prop: DataProperty = PROPERTY) -> LegacyLoss:
    user_folder(mine=source)
    return LegacyLoss(component("mine.L"), "L", prop, shape)


class TestNetwork:
    def test_variables_are_there_at_once(self, user_folder):
        net = network(user_folder, SCALE)
        assert list(net.variables) == ["Net/scale"]
        assert list(net.state_dict()) == ["store.Net/scale"]
        assert net.tensorflow_names() == {"store.Net/scale": "Net/scale"}
        assert net.predictions_shape == (1, 1, 4, 4, 4)
        assert net.training

    def test_gradients_of_predictions_and_of_the_models_own_loss(self, user_folder):
        net = network(user_folder, SCALE)
        image = torch.ones(2, 1, 3, 3, 3)
        (net(image).mean() + net.extra_loss()).backward()
        [scale] = net.parameters()
        assert scale.grad.item() == 1.0 + 2 * 2.0

    def test_the_own_loss_is_zero_without_a_call(self, user_folder):
        assert network(user_folder, SCALE).extra_loss().item() == 0

    def test_every_call_starts_as_the_first(self, user_folder):
        net = network(
            user_folder,
            f"""{HEAD}
class Net(Model):
    def __init__(self):
        Model.__init__(self)
        self.cached, self.seen = None, []
    def get_predictions(self, x, training, ctx):
        if self.cached is None:
            self.seen.append(1)
            assert len(self.seen) == 1
            self.cached = x * tf.get_variable('w', [], initializer=1.0)
        return self.cached
""",
        )
        assert net(torch.ones(1, 1, 2, 2, 2)).mean().item() == 1
        assert net(torch.full((1, 1, 2, 2, 2), 5.0)).mean().item() == 5

    def test_the_context_holds_what_the_page_promises(self, user_folder):
        prop = DataProperty(num_channels=2, crop_size=[4, 4, 4])
        net = network(
            user_folder,
            f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, training, ctx):
        self.seen = [ctx.must_get(key) for key in (BuildContext.KEY_DATA_PROP, BuildContext.KEY_MODEL_INPUT,
            BuildContext.KEY_LABEL_INPUT, BuildContext.KEY_LEARNING_RATE, BuildContext.KEY_IS_TRAIN)]
        assert ctx['label_input'] is self.seen[2]
        return x * tf.get_variable('w', [])
""",
            prop,
        )
        image, label = torch.ones(1, 2, 4, 4, 4), torch.ones(1, 1, 4, 4, 4, dtype=torch.uint8)
        net.step(image=image, label=label, learning_rate=0.25)
        net(image)
        seen = net.user.seen
        assert seen[0] is prop
        assert torch.equal(seen[1], image)
        assert torch.equal(seen[2], label.float())
        assert seen[3:] == [0.25, True]

    def test_a_missing_object_is_said(self, user_folder):
        net = network(
            user_folder,
            f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, training, ctx):
        ctx.must_get(BuildContext.KEY_LABEL_INPUT)
        return x * tf.get_variable('w', [])
""",
        )
        with pytest.raises(ClaraError, match=r"model 'Net': .*mine\.py:\d+: KeyError: .*label_input"):
            net(torch.ones(1, 1, 4, 4, 4))

    def test_outside_training_a_label_is_zeros(self, user_folder):
        net = network(
            user_folder,
            f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, training, ctx):
        return x * tf.get_variable('w', []) + ctx.must_get(BuildContext.KEY_LABEL_INPUT) + 1
""",
        )
        with torch.no_grad():
            net.variables["w"].fill_(2.0)
            assert torch.equal(net.eval()(torch.ones(2, 1, 4, 4, 6)), torch.full((2, 1, 4, 4, 6), 3.0))

    def test_the_last_axis_holds_the_channels_when_the_pipeline_says_so(self, user_folder):
        prop = DataProperty(data_format="channels_last", num_channels=3)
        net = network(
            user_folder,
            f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, training, ctx):
        assert x.shape.as_list()[1:] == [4, 5, 6, 3], x.shape
        return x * tf.get_variable('w', [3], initializer=lambda shape, dtype=None, partition_info=None: [1., 2., 3.])
""",
            prop,
            (4, 5, 6),
        )
        found = net(torch.ones(2, 3, 4, 5, 6))
        assert found.shape == (2, 3, 4, 5, 6)
        assert found[0, :, 0, 0, 0].tolist() == [1, 2, 3]

    def test_a_copy_is_its_own(self, user_folder):
        net = network(user_folder, SCALE).train()
        net(torch.ones(1, 1, 2, 2, 2)).mean().backward()
        other = copy.deepcopy(net)
        net.eval()
        with torch.no_grad():
            other.variables["Net/scale"].fill_(7)
        assert net(torch.ones(1, 1, 2, 2, 2)).max().item() == 2
        assert other.eval()(torch.ones(1, 1, 2, 2, 2)).max().item() == 7

    def test_it_is_traced_exported_and_moved(self, user_folder):
        net = network(user_folder, SCALE).eval()
        image = torch.rand(1, 1, 4, 4, 4)
        traced = torch.jit.trace(net, image)
        assert torch.equal(traced(image), net(image))
        assert torch.equal(torch.export.export(net, (image,)).module()(image), net(image))
        assert net.double()(image.double()).dtype == torch.float64

    def test_what_is_shared_in_a_branch_moves_along(self, user_folder):
        net = (
            network(
                user_folder,
                f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, training, ctx):
        def mean():
            with tf.variable_scope('s', reuse=tf.AUTO_REUSE):
                return tf.get_variable('mean', [], initializer=2.0, trainable=False)
        return x * tf.get_variable('w', []) * tf.cond(training, mean, mean)
""",
            )
            .double()
            .eval()
        )
        assert net(torch.ones(1, 1, 2, 2, 2, dtype=torch.float64)).dtype == torch.float64
        net.store["s/mean"].fill_(0)
        assert net(torch.ones(1, 1, 2, 2, 2, dtype=torch.float64)).abs().max() == 0

    def test_half_precision_leaves_as_single(self, user_folder):
        net = network(user_folder, SCALE).bfloat16()
        assert net(torch.ones(1, 1, 2, 2, 2, dtype=torch.bfloat16)).dtype == torch.float32

    def test_a_branch_not_taken_still_has_its_variables(self, user_folder):
        net = network(
            user_folder,
            f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, training, ctx):
        def block():
            with tf.variable_scope(None, 'b'):
                return x * tf.get_variable('w', [])
        return tf.cond(training, block, block) + block()
""",
        )
        assert list(net.variables) == ["b/w", "b_1/w", "b_2/w"]
        ones = torch.ones(1, 1, 1, 1, 1)
        w0, w1, w2 = net.variables.values()
        assert net(ones).item() == pytest.approx((w0 + w2).item())
        assert net.eval()(ones).item() == pytest.approx((w1 + w2).item())

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("return [x]", "get_predictions returned a list, expected the tensor of predictions"),
            ("return x * 2", "has nothing to train: it made no variables"),
            ("return (x * tf.get_variable('w', []))[0]", r"returned a tensor of shape \[1, 4, 4, 4\] for images of"),
            ("return x.reshape(7, 3)", r"mine\.py:8: RuntimeError: shape '\[7, 3\]' is invalid"),
            ("return tf.nn.konv3d(x)", r"mine\.py:8: this uses tensorflow\.nn\.konv3d, which is not provided"),
            ("raise SystemExit(3)", r"mine\.py:8: SystemExit: 3"),
            (
                "return tf.layers.conv3d(x, 2, 3, padding='same')",
                r"shape \[1, 1, 4, 4, 2\] for images of \[1, 1, 4, 4, 4\]: its layers took the last axis",
            ),
        ],
    )
    def test_what_a_model_gets_wrong(self, user_folder, body, words):
        source = f"{HEAD}class Net(Model):\n    def get_predictions(self, x, training, ctx):\n        {body}\n"
        with pytest.raises(ClaraError, match=words):
            network(user_folder, source)

    def test_no_model_at_all(self, user_folder):
        with pytest.raises(
            ClaraError, match=r"model 'Net' has no method get_predictions\(inputs, is_training, build_ctx\)"
        ):
            network(user_folder, "class Net: pass")

    def test_the_own_loss_must_be_a_number(self, user_folder):
        with pytest.raises(
            ClaraError, match=r"model 'Net': get_loss returned a tensor of shape \[2\], expected a scalar"
        ):
            network(user_folder, SCALE.replace("self.scale * self.scale", "tf.get_variable('v', [2])"))

    def test_a_variable_made_later_is_refused(self, user_folder):
        source = SCALE.replace(
            "        return x * self.scale\n",
            "        if x.shape[0] > 1: tf.get_variable('late', [])\n        return x * self.scale\n",
        )
        net = network(user_folder, source)
        with pytest.raises(
            ClaraError, match=r"mine\.py:\d+: the variable 'late' is made after the component was built"
        ):
            net(torch.ones(2, 1, 4, 4, 4))


TORCH = f"""{HEAD.replace("import tensorflow as tf", "import torch")}
class Net(Model):
    def __init__(self, lazy=False):
        Model.__init__(self)
        self.layers = [] if lazy else [torch.nn.Conv3d(1, 2, 3, padding=1), torch.nn.BatchNorm3d(2)]
    def get_predictions(self, x, training, ctx):
        if not self.layers:
            self.layers = [torch.nn.Conv3d(1, 2, 1)]
        for layer in self.layers:
            x = layer(x)
        return torch.softmax(x, dim=1)
"""


class TestTorchInside:
    def test_its_layers_are_parts(self, user_folder):
        net = network(user_folder, TORCH)
        names = set(net.state_dict())
        assert {"parts.layers_0.weight", "parts.layers_0.bias", "parts.layers_1.running_mean"} <= names
        assert net.parts["layers_1"].running_mean.tolist() == [0, 0]  # the made-up image left no trace
        assert net.eval().parts["layers_1"].training is False
        net.train()(torch.rand(1, 1, 4, 4, 4)).mean().backward()
        assert net.parts["layers_0"].weight.grad is not None

    def test_layers_made_in_the_first_call_are_kept(self, user_folder):
        net = network(user_folder, TORCH, lazy=True)
        first = net(torch.ones(1, 1, 2, 2, 2))
        assert torch.equal(net(torch.ones(1, 1, 2, 2, 2)), first)
        assert list(net.state_dict()) == ["parts.layers_0.weight", "parts.layers_0.bias"]

    def test_layers_made_in_every_call_are_refused(self, user_folder):
        net = network(user_folder, TORCH.replace("if not self.layers:", "if True:"), lazy=True)
        with pytest.raises(ClaraError, match="model 'Net' makes layers of torch anew in every call"):
            net(torch.ones(1, 1, 2, 2, 2))

    def test_a_model_that_is_a_module(self, user_folder):
        source = """
            import torch
            from ai4med.components.models.model import Model
            class Net(Model, torch.nn.Module):
                def __init__(self):
                    torch.nn.Module.__init__(self)
                    self.conv = torch.nn.Conv3d(1, 2, 1)
                def get_predictions(self, x, training, ctx):
                    return self.conv(x)
        """
        net = network(user_folder, source)
        assert list(net.state_dict()) == ["parts.model.conv.weight", "parts.model.conv.bias"]
        assert net(torch.ones(1, 1, 2, 2, 2)).shape == (1, 2, 2, 2, 2)


MEAN = f"""{HEAD}
class L(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        self.seen = build_ctx
        p = predictions - targets
        p *= p
        return p.mean()
"""


class TestLoss:
    def test_value_and_gradient(self, user_folder):
        p = torch.full((1, 2, 3, 3, 3), 0.25, requires_grad=True)
        value = loss(user_folder, MEAN)(p, torch.ones(1, 1, 3, 3, 3, dtype=torch.uint8))
        value.backward()
        assert value.item() == pytest.approx(0.75**2)
        assert p.grad.unique().tolist() == pytest.approx([-1.5 / 54])
        assert p.unique().tolist() == [0.25]

    def test_its_variables_are_trained(self, user_folder):
        source = MEAN.replace("p.mean()", "p.mean() * tf.get_variable('w', [], initializer=3.0)")
        found = loss(user_folder, source)
        assert list(found.variables) == ["w"]
        found(torch.zeros(1, 2, 2, 2, 2), torch.ones(1, 1, 2, 2, 2)).backward()
        assert next(found.parameters()).grad.item() == 1

    def test_its_context_is_that_of_the_network_and_more(self, user_folder):
        user_folder(mine=SCALE + MEAN.replace(HEAD, ""))
        net = LegacyNetwork(component("mine.Net"), "Net", PROPERTY, [4, 4, 4])
        found = legacy_loss(component("mine.L"), "L", PROPERTY, net, [4, 4, 4], learning_rate=0.5)
        image, label = torch.rand(1, 1, 4, 4, 4), torch.zeros(1, 1, 4, 4, 4)
        predictions = net(image)
        found(predictions, label)
        context = found.user.seen
        assert context.must_get(BuildContext.KEY_MODEL_INPUT) is not None
        assert context[BuildContext.KEY_MODEL_OUTPUT] is predictions
        assert torch.equal(context[BuildContext.KEY_LABEL_INPUT], label)
        assert context[BuildContext.KEY_LEARNING_RATE] == 0.5
        assert context[BuildContext.KEY_DATA_PROP] is PROPERTY

    def test_it_can_read_the_image_while_it_is_built_and_after(self, user_folder):
        source = SCALE + MEAN.replace(HEAD, "").replace(
            "p.mean()", "p.mean() + build_ctx[build_ctx.KEY_MODEL_INPUT].mean()"
        )
        user_folder(mine=source)
        net = LegacyNetwork(component("mine.Net"), "Net", PROPERTY, [4, 4, 6])
        for network in (net, torch.nn.Conv3d(1, 2, 1)):
            found = legacy_loss(component("mine.L"), "L", PROPERTY, network, [4, 4, 6])
            found.step(image=torch.full((3, 1, 4, 4, 6), 5.0))
            assert found(torch.ones(3, 1, 4, 4, 6), torch.ones(3, 1, 4, 4, 6)).item() == 5.0

    def test_in_double_precision_its_constants_may_be_single(self, user_folder):
        source = MEAN.replace(
            "p.mean()",
            "tf.reduce_sum(tf.matmul(tf.nn.conv3d(p, tf.ones([1, 1, 1, 2, 2]), [1] * 5, 'SAME'), tf.ones([2, 1])))",
        )
        prop = DataProperty(data_format="channels_last")
        found = loss(user_folder, source, (1, 2, 4, 4, 4), prop).double()
        p = torch.rand(1, 2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
        found(p, torch.zeros(1, 1, 3, 3, 3)).backward()
        torch.testing.assert_close(p.grad, 4 * p.detach())

    def test_the_model_is_not_run_again_for_the_loss(self, user_folder):
        counted = SCALE.replace("class Net", "CALLS = []\nclass Net").replace(
            "        with tf.variable_scope('Net'):",
            "        CALLS.append(whether)\n        with tf.variable_scope('Net'):",
        )
        user_folder(mine=counted + MEAN.replace(HEAD, ""))
        net = LegacyNetwork(component("mine.Net"), "Net", PROPERTY, [4, 4, 4])
        calls = type(net.user).get_predictions.__globals__["CALLS"]
        found = legacy_loss(component("mine.L"), "L", PROPERTY, net, [4, 4, 4])
        assert calls == [False, True]
        assert found.user.seen.must_get(BuildContext.KEY_MODEL_INPUT).shape == (1, 1, 4, 4, 4)
        net(torch.ones(1, 1, 4, 4, 4))
        legacy_loss(component("mine.L"), "L", PROPERTY, net, [4, 4, 4])  # later it is
        assert calls == [False, True, True, False, True]

    def test_beside_a_network_of_the_catalogue(self, user_folder):
        user_folder(mine=MEAN)
        net = torch.nn.Sequential(torch.nn.Conv3d(1, 5, 1), torch.nn.BatchNorm3d(5))
        found = legacy_loss(component("mine.L"), "L", PROPERTY, net, [4, 4, 4])
        assert found.user.seen[BuildContext.KEY_MODEL_OUTPUT].shape == (1, 5, 4, 4, 4)
        assert net.training
        assert net[1].running_mean.tolist() == [0] * 5

    def test_it_is_built_on_a_label_of_every_class(self, user_folder):
        found = loss(user_folder, MEAN, (1, 3, 4, 4, 4))
        assert found.user.seen[BuildContext.KEY_LABEL_INPUT].unique().tolist() == [0, 1, 2]

    def test_classification(self, user_folder):
        prop = DataProperty(task="classification", label_format=LabelFormat([1, 1, 1]))
        found = loss(user_folder, MEAN, (1, 3), prop)
        assert found.user.seen[BuildContext.KEY_LABEL_INPUT].shape == (1, 3)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("p.mean().item()", r"loss 'L': \S+mine\.py:\d+: get_loss returned a float, expected a scalar tensor"),
            (
                "p",
                r"loss 'L': \S+mine\.py:\d+: get_loss returned a tensor of shape \[1, 2, 4, 4, 4\], expected",
            ),
            ("None", r"loss 'L': \S+mine\.py:\d+: get_loss returned nothing, .*: does it end in a return"),
            ("unknown", r"mine\.py:\d+: NameError"),
        ],
    )
    def test_what_a_loss_gets_wrong(self, user_folder, body, words):
        with pytest.raises(ClaraError, match=words):
            loss(user_folder, MEAN.replace("return p.mean()", f"return {body}"))

    @pytest.mark.parametrize(
        "body", ["tf.to_float(tf.argmax(p, 1)).mean()", "tf.py_func(np.mean, [p], tf.float32)", "targets.mean()"]
    )
    def test_a_loss_without_a_gradient(self, user_folder, body):
        found = loss(user_folder, "import numpy as np" + MEAN.replace("return p.mean()", f"return {body}"))
        predictions, targets = torch.rand(1, 2, 4, 4, 4, requires_grad=True), torch.zeros(1, 1, 4, 4, 4)
        with pytest.raises(ClaraError, match=r"'L': \S+mine\.py:\d+: what get_loss returned has no gradient"):
            found(predictions, targets)
        with torch.no_grad():
            assert found(predictions, targets).ndim == 0

    def test_a_batch_that_gives_no_gradient_gives_one_of_zero(self, user_folder):
        body = "return tf.cond(tf.reduce_sum(targets) > 0, lambda: p.mean(), lambda: tf.constant(0.5))"
        found = loss(user_folder, MEAN.replace("return p.mean()", body))
        predictions = torch.rand(1, 2, 4, 4, 4, requires_grad=True)
        for targets, moved in ((torch.zeros(1, 1, 4, 4, 4), False), (torch.ones(1, 1, 4, 4, 4), True)):
            value = found(predictions, targets)
            [gradient] = torch.autograd.grad(value, predictions)
            assert bool(gradient.any()) == moved
            assert (value.item() == 0.5) != moved

    def test_no_loss_at_all(self, user_folder):
        with pytest.raises(ClaraError, match=r"loss 'L' has no method get_loss\(predictions, targets, build_ctx\)"):
            loss(user_folder, "class L: pass")


class TestIsolation:
    def test_nothing_enters_the_interpreter(self, user_folder):
        network(user_folder, SCALE + "import keras.backend as K\nfrom tensorflow.contrib import slim\n")
        assert not [name for name in sys.modules if name.partition(".")[0] in ("tensorflow", "keras")]

    def test_a_real_one_beside_is_untouched(self, user_folder, monkeypatch):
        real = type(sys)("tensorflow")
        monkeypatch.setitem(sys.modules, "tensorflow", real)
        net = network(user_folder, SCALE)
        assert sys.modules["tensorflow"] is real
        assert vars(real).keys() <= {"__name__", "__doc__", "__package__", "__loader__", "__spec__"}
        assert list(net.variables) == ["Net/scale"]

    def test_two_folders_with_modules_of_one_name_do_not_mix(self, user_folder, tmp_path):
        first = network(user_folder, SCALE)
        other = tmp_path / "other"
        other.mkdir()
        (other / "mine.py").write_text(SCALE.replace("'Net'", "'Other'").replace("2.0", "5.0"))
        from clara_compat.tensorflow.loader import use

        use([str(other)])
        second = LegacyNetwork(component("mine.Net"), "Net", PROPERTY, [4, 4, 4])
        ones = torch.ones(1, 1, 1, 1, 1)
        assert (first(ones).item(), second(ones).item(), first(ones).item()) == (2, 5, 2)
        assert (list(first.variables), list(second.variables)) == (["Net/scale"], ["Other/scale"])


CONTEXTUAL = f"""{HEAD}
class Net(Model):
    def get_predictions(self, x, training, ctx):
        with tf.variable_scope('Net'):
            self.scale = tf.get_variable('scale', [], initializer=2.0)
        ctx['features'] = [x * self.scale]
        return tf.concat([x, x * self.scale], axis=1)
    def get_loss(self):
        return 0

class L(Loss):
    def get_loss(self, predictions, targets, ctx=None):
        image = ctx.must_get(BuildContext.KEY_MODEL_INPUT)
        [features] = ctx.must_get('features') if 'features' in ctx else [image]
        return tf.reduce_mean(features * image * predictions[:, :1] * targets)
"""


class TestContextOfALoss:
    def test_a_loss_finds_what_the_model_made_also_while_it_is_built(self, user_folder):
        net = network(user_folder, CONTEXTUAL)
        net.eval()
        own = legacy_loss(component("mine.L"), "L", PROPERTY, net, (4, 4, 4))
        assert not net.training
        assert net.context is None
        net.train()
        image = torch.full((2, 1, 4, 4, 4), 3.0)
        assert own(net(image), torch.ones(2, 1, 4, 4, 4)).item() == 3.0 * 2 * 3 * 3

    def test_a_loss_finds_the_image_beside_any_network(self, user_folder):
        user_folder(mine=CONTEXTUAL)
        other = torch.nn.Conv3d(1, 2, 1)
        own = legacy_loss(component("mine.L"), "L", PROPERTY, other, (4, 4, 4))
        own.step(image=torch.full((2, 1, 4, 4, 4), 3.0))
        predictions = torch.full((2, 2, 4, 4, 4), 0.5)
        assert own(predictions, torch.ones(2, 1, 4, 4, 4)).item() == 3.0 * 3 * 0.5

    def test_what_the_model_made_of_a_window_is_not_what_it_made_of_the_scan(self, user_folder):
        net = network(user_folder, CONTEXTUAL).eval()
        own = legacy_loss(component("mine.L"), "L", PROPERTY, net, (4, 4, 4)).eval()
        net(torch.zeros(1, 1, 4, 4, 4))
        output = {
            "image": torch.full((1, 1, 6, 6, 6), 3.0),
            "label": torch.ones(1, 1, 6, 6, 6),
            "pred": torch.full((1, 2, 6, 6, 6), 0.5),
        }
        assert step_loss(output, own).item() == 3.0 * 3 * 0.5
        assert own._image is None

    def test_statistics_of_layers_of_torch_are_those_of_no_made_up_image(self, user_folder):
        net = network(
            user_folder,
            f"""{CONTEXTUAL}
import torch
class Net(Model):
    def __init__(self):
        Model.__init__(self)
        self.norm = torch.nn.BatchNorm3d(1)
    def get_predictions(self, x, training, ctx):
        return tf.concat([self.norm(x), x], axis=1)
    def get_loss(self):
        return 0
""",
        )
        net(torch.rand(2, 1, 4, 4, 4))
        before = [buffer.clone() for buffer in net.buffers()]
        legacy_loss(component("mine.L"), "L", PROPERTY, net, (4, 4, 4))
        assert all(map(torch.equal, before, net.buffers()))
