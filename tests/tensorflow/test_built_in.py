"""Users' classes that derive from a built-in model or loss and call its methods."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.data_prop import DataProperty
from clara_compat.common.label_format import LabelFormat
from clara_compat.components.catalogue import components, family
from clara_compat.components.entry import BundleContext
from clara_compat.components.losses.native import NativeLoss
from clara_compat.components.models._common import BuiltInModel
from clara_compat.engine.fine_tuning import load_into
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.loss import LegacyLoss
from clara_compat.tensorflow.network import LegacyNetwork

LOSS = """
from ai4med.components.losses.{module} import {base}
class L({base}):
    def get_loss(self, predictions, targets, build_ctx=None):
        return 2 * {call}
"""
CALLS = (
    "{base}.get_loss(self, predictions, targets, build_ctx)",
    "super().get_loss(predictions, targets, build_ctx)",
    "super(L, self).get_loss(predictions, targets)",
)
VOXELWISE = {
    "dice.Dice": {"squared_pred": True, "skip_background": True},
    "cross_entropy.CrossEntropy": {},
    "cross_entropy_dice.CrossEntropyDice": {"jaccard": True, "dice_weight": 0.5},
    "focal.Focal": {"gamma": 1.5},
    "focal_dice.FocalDice": {"skip_background": True},
}


def data(data_format: str = "channels_first", **more) -> DataProperty:
    return DataProperty(data_format=data_format, **more)


class TestLoss:
    def loss(self, user_folder, name, args, call=CALLS[0], prop=None, activation="softmax", shape=(2, 3, 4, 5, 6)):
        module, base = name.split(".")
        user_folder(mine=LOSS.format(module=module, base=base, call=call.format(base=base)))
        return LegacyLoss(component("mine.L", args), "L", prop or data(), shape, final_activation=activation)

    @pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
    @pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
    @pytest.mark.parametrize("name", VOXELWISE)
    def test_numbers_and_gradients_are_the_native_ones(self, user_folder, name, activation, data_format):
        args = VOXELWISE[name]
        torch.manual_seed(0)
        logits = torch.randn(2, 3, 4, 5, 6)
        label = torch.randint(0, 3, (2, 1, 4, 5, 6)).float()
        native = components()[name.split(".")[1]](**args).bundle_entry(
            BundleContext(outputs=3, final_activation=activation)
        )
        values = []
        for number, call in enumerate([None, *CALLS]):
            own = logits.clone().requires_grad_()
            predictions = torch.softmax(own, 1) if activation == "softmax" else torch.sigmoid(own)
            made = (
                native.made()
                if call is None
                else self.loss(user_folder, name, args, call, data(data_format), activation)
            )
            value = made(predictions, label)
            value.backward()
            values.append((value.item() * (2 if number == 0 else 1), own.grad * (2 if number == 0 else 1)))
        for value, gradient in values[1:]:
            assert value == pytest.approx(values[0][0], rel=1e-6)
            torch.testing.assert_close(gradient, values[0][1], rtol=1e-5, atol=1e-9)

    def test_dice_in_numpy(self, user_folder):
        rng = np.random.default_rng(0)
        p, t = rng.random((2, 2, 3, 4, 5)), rng.integers(0, 2, (2, 1, 3, 4, 5))
        onehot = np.concatenate([t == 0, t == 1], axis=1)
        axes = (2, 3, 4)
        score = 2 * (p * onehot).sum(axes) / (p.sum(axes) + onehot.sum(axes) + 1e-5)
        found = self.loss(user_folder, "dice.Dice", {}, shape=p.shape)(torch.as_tensor(p), torch.as_tensor(t))
        assert found.item() == pytest.approx(2 * (1 - score.mean()), abs=1e-6)

    def test_logits_of_the_catalogues_network_are_used_in_every_layout(self, user_folder):
        from clara_compat.engine.networks.activation import FinalActivation

        label = torch.ones(1, 1, 2, 2, 2)
        for data_format in ("channels_first", "channels_last"):
            loss = self.loss(
                user_folder,
                "cross_entropy.CrossEntropy",
                {"smooth": 0.0},
                prop=data(data_format),
                shape=(1, 2, 2, 2, 2),
            )
            logits = torch.tensor([200.0, -200.0]).reshape(1, 2, 1, 1, 1).expand(1, 2, 2, 2, 2).clone()
            predictions = FinalActivation("softmax")(logits.requires_grad_())
            assert loss(predictions, label).item() == pytest.approx(2 * 400.0)

    @pytest.mark.parametrize(
        ("name", "args"),
        [
            ("MulticlassClassificationLoss", {}),
            ("WeightedMulticlassClassificationLoss", {"class_weights": [1.0, 2.0, 3.0, 1.0, 0.5]}),
        ],
    )
    def test_class_labels(self, user_folder, name, args):
        prop = data(task="classification", label_format=LabelFormat([1, 3]))
        loss = self.loss(
            user_folder, f"classification_loss.{name}", args, prop=prop, activation="sigmoid", shape=(1, 4)
        )
        torch.manual_seed(0)
        predictions, label = torch.rand(5, 4), torch.tensor([[0.0, 2.0], [1, 0], [1, 1], [0, 1], [1, 2]])
        context = BundleContext(outputs=4, final_activation="sigmoid", label_format=(1, 3))
        native = components()[name](**args).bundle_entry(context).made()
        assert loss(predictions, label).item() == pytest.approx(2 * native(predictions, label).item(), rel=1e-6)

    def test_one_that_keeps_get_loss_and_has_a_constructor_of_its_own(self, user_folder):
        user_folder(
            mine="""
            from ai4med.components.losses.dice import Dice
            class L(Dice):
                def __init__(self):
                    Dice.__init__(self, jaccard=True)
            """
        )
        loss = LegacyLoss(component("mine.L"), "L", data(), (1, 2, 2, 2, 2))
        perfect = torch.stack([torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2, 2)], 1)
        ones = torch.ones(1, 1, 2, 2, 2)
        assert loss(perfect, ones).item() == pytest.approx(0.0, abs=1e-4)  # of two channels one is perfect: f = 2 and 0

    def test_outside_of_a_run(self):
        value = components()["Dice"]().get_loss(np.ones((1, 2, 3, 3, 3)) / 2, np.ones((1, 1, 3, 3, 3)))
        assert value.item() == pytest.approx(1 - (0 + 2 / 3) / 2, abs=1e-4)

    @pytest.mark.parametrize(
        ("name", "args", "activation", "words"),
        [
            ("cross_entropy.CrossEntropy", {}, "linear", "CrossEntropy takes the logarithm of probabilities, but the"),
            (
                "classification_loss.BinaryClassificationLoss",
                {},
                None,
                "needs to know the labels: give output_label_fo",
            ),
        ],
    )
    def test_what_the_native_one_refuses(self, user_folder, name, args, activation, words):
        with pytest.raises(ClaraError, match=words):
            self.loss(user_folder, name, args, activation=activation)

    def test_predictions_that_do_not_fit_are_the_users_line(self, user_folder):
        with pytest.raises(
            ClaraError, match=r"loss 'L': .*mine\.py:5: ValueError: prediction and target differ in size"
        ):
            self.loss(user_folder, "dice.Dice", {}, "Dice.get_loss(self, predictions, targets[:, :, 1:])")

    def test_all_built_in_losses_answer(self):
        losses = [cls for cls in components().values() if family(cls) == "losses"]
        assert len(losses) >= 8
        assert all(issubclass(cls, NativeLoss) for cls in losses)


MODEL = """
import tensorflow as tf
from ai4med.components.models.{module} import {base}
class Net({base}):
    def get_predictions(self, inputs, is_training, build_ctx):
        x = {call}
        return {last}
    def get_loss(self):
        return 3 * {base}.get_loss(self)
"""
MODELS = {
    "unet.Unet": {"num_classes": 2, "nf_enc": "4,4", "nf_dec": "4,4,4,4", "use_batch_norm": True, "reg_weight": 0.1},
    "seg_resnet.SegResnet": {
        "num_classes": 2,
        "blocks_down": "1,1",
        "blocks_up": "1",
        "init_filters": 8,
        "reg_weight": 0.1,
    },
    "alexnet.Alexnet": {
        "num_classes": 3,
        "num_feat": "8,8,8,8,8,8,8",
        "use_group_normG": 4,
        "dropout_prob": 0.0,
        "reg_weight": 0.2,
    },
}
ORDINARY = "{base}.get_predictions(self, inputs, is_training, build_ctx)"


class TestModel:
    def network(
        self, user_folder, name, prop=None, size=(16, 16, 16), call=ORDINARY, last="x", more="", **args
    ) -> LegacyNetwork:
        module, base = name.split(".")
        args = MODELS[name] | args
        user_folder(mine=MODEL.format(module=module, base=base, call=call.format(base=base), last=last) + more)
        torch.manual_seed(0)
        return LegacyNetwork(component("mine.Net", args), "Net", prop or data(crop_size=[*size]), size)

    def native(self, name, size=(16, 16, 16), channels=1, **args) -> torch.nn.Module:
        torch.manual_seed(0)
        context = BundleContext(spatial_dims=len(size), in_channels=channels, crop_size=size)
        return components()[name.split(".")[1]](**MODELS[name] | args).bundle_entry(context).made()

    @pytest.mark.parametrize(
        "call",
        [
            ORDINARY,
            "super(Net, self).get_predictions(inputs, is_training, build_ctx)",
            "super().get_predictions(inputs, is_training)",
        ],
    )
    @pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
    @pytest.mark.parametrize("name", MODELS)
    def test_three_steps_are_the_native_ones(self, user_folder, name, data_format, call):
        prop = data(data_format, num_channels=2, crop_size=[16] * 3)
        own, native = self.network(user_folder, name, prop, call=call), self.native(name, channels=2)
        prefix = "parts.built_in_network."
        assert [key.removeprefix(prefix) for key in own.state_dict()] == list(native.state_dict())
        first = {key.removeprefix(prefix): value.clone() for key, value in own.state_dict().items()}
        for key, value in native.state_dict().items():
            torch.testing.assert_close(first[key], value, rtol=0, atol=0)
        optimizers = [torch.optim.Adam(network.parameters(), lr=1e-2) for network in (own, native)]
        for step in range(3):
            image = torch.rand(2, 2, 16, 16, 16, generator=torch.Generator().manual_seed(step))
            values = []
            for network, optimizer, factor in zip((own, native), optimizers, (1, 3), strict=True):
                optimizer.zero_grad()
                predictions = network(image)
                extra = network.extra_loss()
                (predictions[:, 1].square().mean() + factor * extra).backward()
                optimizer.step()
                values.append((predictions.detach(), factor * extra.detach()))
            torch.testing.assert_close(values[0][0], values[1][0], rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(values[0][1], values[1][1], rtol=1e-5, atol=1e-7)
            assert values[0][1] > 0
        for key, value in native.state_dict().items():
            torch.testing.assert_close(own.state_dict()[prefix + key], value, rtol=1e-4, atol=1e-5)
        image = torch.rand(1, 2, 16, 16, 16)
        torch.testing.assert_close(own.eval()(image), native.eval()(image), rtol=1e-5, atol=1e-6)

    def test_the_vae_adds_its_loss_in_training_only(self, user_folder):
        args = {"use_vae": True, "reg_weight": 0.0}
        own = self.network(user_folder, "seg_resnet.SegResnet", **args)
        native = self.native("seg_resnet.SegResnet", **args)
        assert own.extra_loss().item() == 0
        image = torch.rand(2, 1, 16, 16, 16)
        found = []
        for network in (own, native):
            torch.manual_seed(3)  # the draw of the code
            predictions = network(image)
            extra = network.extra_loss()
            (predictions.mean() + extra).backward()
            found.append(extra.item())
        assert found[0] == pytest.approx(3 * found[1], rel=1e-5)
        assert found[1] > 0
        assert all(parameter.grad is not None for parameter in own.user.built_in_network.vae.parameters())
        own.eval()(image)
        assert own.extra_loss().item() == 0

    def test_what_the_user_makes_of_input_and_output(self, user_folder):
        own = self.network(
            user_folder,
            "unet.Unet",
            call="Unet.get_predictions(self, tf.concat([inputs, inputs * inputs], axis=1), is_training, build_ctx)",
            last="tf.nn.softmax(x * tf.get_variable('scale', [], initializer=2.0), axis=1)",
            final_activation="linear",
        )
        assert own.user.built_in_network.in_channels == 2
        assert list(own.variables) == ["scale"]
        image = torch.rand(1, 1, 16, 16, 16)
        own.eval()
        inner = own.user.built_in_network(torch.cat([image, image * image], 1))
        torch.testing.assert_close(own(image), torch.softmax(2 * inner, 1))
        own.train()(torch.rand(2, 1, 16, 16, 16))[:, 1].mean().backward()
        assert all(parameter.grad is not None for parameter in own.parameters())

    def test_weights_of_the_native_one_are_taken_over(self, user_folder, tmp_path):
        own, native = self.network(user_folder, "unet.Unet", size=(8, 8, 8)), self.native("unet.Unet", (8, 8, 8))
        torch.save({name: value + 1 for name, value in native.state_dict().items()}, tmp_path / "model.pt")
        load_into(own, tmp_path / "model.pt")
        for name, value in own.user.built_in_network.state_dict().items():
            assert torch.equal(value, native.state_dict()[name] + 1)

    def test_two_dimensions(self, user_folder):
        prop = data(num_data_dims=2, crop_size=[8, 8])
        own = self.network(user_folder, "unet.Unet", prop, size=(8, 8))
        assert own(torch.rand(2, 1, 8, 8)).shape == (2, 2, 8, 8)

    def test_a_part_kept_in_evaluation(self, user_folder):
        own = self.network(
            user_folder, "unet.Unet", call="Unet.get_predictions(self, inputs, False, build_ctx)", size=(8, 8, 8)
        )
        statistics = next(buffer for name, buffer in own.named_buffers() if name.endswith("running_mean"))
        before = statistics.clone()
        own(torch.rand(2, 1, 8, 8, 8))
        assert torch.equal(statistics, before)

    def test_several_built_ins_of_one_class(self, user_folder):
        user_folder(
            mine="""
            from ai4med.components.models.model import Model
            from ai4med.components.models.unet import Unet
            class Net(Model):
                def __init__(self, count):
                    Model.__init__(self)
                    self.nets = [Unet(2, '4', '4,4,4') for _ in range(count)]
                    self.last = Unet(2, '4', '4,4,4')
                def get_predictions(self, inputs, is_training, build_ctx):
                    found = [net.get_predictions(inputs, is_training, build_ctx) for net in [*self.nets, self.last]]
                    return sum(found) / len(found)
            """
        )
        net = LegacyNetwork(component("mine.Net", {"count": 2}), "Net", data(crop_size=[8] * 3), [8, 8, 8])
        firsts = {key.partition("_built_in_network")[0] for key in net.state_dict()}
        assert firsts == {"parts.nets_0", "parts.nets_1", "parts.last"}
        net(torch.rand(1, 1, 8, 8, 8))[:, 1].mean().backward()
        assert all(parameter.grad is not None for parameter in net.parameters())

    def test_copied_traced_and_exported(self, user_folder):
        own = self.network(user_folder, "unet.Unet", size=(8, 8, 8)).eval()
        image = torch.rand(2, 1, 8, 8, 8)
        expected = own(image)
        other = copy.deepcopy(own)
        with torch.no_grad():
            for parameter in own.parameters():
                parameter.zero_()
            traced = torch.jit.trace(other, image)
        torch.testing.assert_close(other(image), expected)
        torch.testing.assert_close(traced(image), expected)
        with torch.no_grad():
            exported = torch.export.export(other, (image,)).module()
        torch.testing.assert_close(exported(image), expected)

    @pytest.mark.parametrize(
        ("name", "args", "crop", "words"),
        [
            ("unet.Unet", {}, [10, 10, 10], "the Net halves its input 2 times, so every size must be a multiple of 4"),
            ("seg_resnet.SegResnet", {"use_vae": True}, None, "use_vae needs the size of the training images"),
        ],
    )
    def test_what_the_native_one_refuses(self, user_folder, name, args, crop, words):
        with pytest.raises(ClaraError, match=words):
            self.network(user_folder, name, data(crop_size=crop), size=crop or (16, 16, 16), **args)

    def test_only_the_own_loss_is_the_users(self, user_folder):
        user_folder(
            mine="""
            from ai4med.components.models.unet import Unet
            class Net(Unet):
                def get_loss(self):
                    return 2 * super().get_loss()
            """
        )
        args = MODELS["unet.Unet"]
        own = LegacyNetwork(component("mine.Net", args), "Net", data(crop_size=[8] * 3), [8, 8, 8])
        own(torch.rand(2, 1, 8, 8, 8))
        assert own.extra_loss().item() == pytest.approx(2 * own.user.built_in_network.extra_loss().item())

    def test_all_built_in_models_answer(self):
        models = [cls for cls in components().values() if family(cls) == "models"]
        assert len(models) >= 5
        assert all(issubclass(cls, BuiltInModel) for cls in models)

    def test_outside_of_a_run(self):
        model = components()["Unet"](2, "4", "4,4,4")
        assert model.get_loss() == 0
        assert model.get_predictions(np.zeros((1, 1, 4, 4), np.float32), False, BuildContext()).shape == (1, 2, 4, 4)
