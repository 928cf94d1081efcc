# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: -jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Subclass the compat classes
#
# **What you will have at the end:** six small classes of your own (transform, network, loss, metric, training handler,
# learning rate policy) on Clara's base classes, with PyTorch inside; a legacy config that trains with all of them; and
# the same transform used by hand on a `MedicalImage`, and in a plain MONAI `Compose`. Less than a minute on two CPU
# cores.
#
# *Every number below is computed by this notebook, on CT scans that it makes itself.*

# %%
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, RandSpatialCropd
from rich.table import Table

import clara_compat
from clara_compat import MedicalImage, TransformContext, as_monai_transform
from clara_compat.demo import make_scans, prepare_mmar

folder = tempfile.mkdtemp(prefix="clara_compat_")  # all that is made goes there; name a folder of yours instead
os.chdir(folder)
os.environ["TQDM_DISABLE"] = "1"  # no progress bars ...
logging.disable(logging.INFO)  # ... and no line per epoch: the results are shown below

prepare_mmar(Path("my_mmar"))
data_list = make_scans("data", training=8, validation=3, testing=1, size=(44, 44, 24))

# %% [markdown]
# ## Six classes
#
# They lie in the MMAR's `custom` folder, where a config finds them. The bases are the same classes that legacy code
# knows as `ai4med...`; new code may import them from `clara_compat`.

# %%
# %%writefile my_mmar/custom/mine.py
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from clara_compat import Loss, LRPolicy, Metric, MetricList, Model, MultiFieldTransformer, TrainHandler


class PercentileWindow(MultiFieldTransformer):
    """Scale an image so that two percentiles of its own values become 0 and 1, and clip what lies outside."""

    def __init__(self, fields, low=5.0, high=99.5):
        MultiFieldTransformer.__init__(self, fields)
        self.low, self.high = low, high

    def transform(self, transform_ctx):
        for field in self.fields:
            image = transform_ctx.get_image(field)
            low, high = np.percentile(image.get_data(), [self.low, self.high])
            data = np.clip((image.get_data() - low) / (high - low), 0, 1).astype(np.float32)
            scaled = image.new_image(data, image.get_shape_format())
            scaled.set_property("window", [float(low), float(high)])
            transform_ctx.set_image(field, scaled)
        return transform_ctx


class SmallNet(Model):
    """Two convolutions at half resolution, with torch's layers; ends in a softmax, as Clara's networks do."""

    def __init__(self, num_classes, channels=16):
        Model.__init__(self)
        self.layers = nn.Sequential(
            nn.Conv3d(1, channels, 3, stride=2, padding=1),
            nn.InstanceNorm3d(channels, affine=True),
            nn.ReLU(),
            nn.Conv3d(channels, 2 * channels, 3, padding=2, dilation=2),
            nn.InstanceNorm3d(2 * channels, affine=True),
            nn.ReLU(),
            nn.Conv3d(2 * channels, 2 * channels, 3, padding=4, dilation=4),
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="trilinear"),
            nn.Conv3d(2 * channels, num_classes, 1),
        )

    def get_predictions(self, inputs, is_training, build_ctx=None):
        return torch.softmax(self.layers(inputs), dim=1)


class DiceAndEntropy(Loss):
    """One minus the soft Dice of the organ, plus the cross entropy."""

    def get_loss(self, predictions, targets, build_ctx=None):
        organ, truth = predictions[:, 1], (targets[:, 0] > 0).float()
        dice = (2 * (organ * truth).sum() + 1) / (organ.sum() + truth.sum() + 1)
        return 1 - dice + nn.functional.binary_cross_entropy(organ, truth)


class LowestDice(MetricList):
    """The Dice of the worst case."""

    def update(self, value, label_value=None, filename="", data_prop=None):
        found, truth = value[1] > 0.5, label_value[0] > 0
        self._list = np.append(self._list, 2 * np.sum(found & truth) / max(np.sum(found) + np.sum(truth), 1))

    def get(self):
        return self._list.min()


class WorstCase(Metric):
    def __init__(self, name, field="model", label_field="label", is_key_metric=False):
        Metric.__init__(self, LowestDice(name), field, label_field, is_key_metric=is_key_metric)


class WarmUp(LRPolicy):
    """Up in the first epochs, then down along a cosine."""

    def __init__(self, epochs=3):
        self.epochs = epochs

    def evaluate(self, train_ctx):
        done = train_ctx.current_iteration / train_ctx.total_steps
        up = train_ctx.current_iteration * train_ctx.total_epochs / train_ctx.total_steps / self.epochs
        return train_ctx.initial_learning_rate * min(up, 0.5 + 0.5 * math.cos(math.pi * done))


class Diary(TrainHandler):
    """Writes down every step, and ends the training once the key metric is good enough."""

    def __init__(self, file, enough=1.0):
        self.file, self.enough = file, enough
        self.steps, self.events = [], []

    def end_iteration(self, ctx):
        self.steps.append((ctx.current_iteration, ctx.current_learning_rate, ctx.current_train_loss))

    def key_metric_computed(self, ctx):
        value = ctx.key_metrics[-1]
        self.events.append(f"epoch {ctx.current_epoch}: worst case {value:.3f}")
        if value >= self.enough:
            self.events.append("that is enough")
            ctx.stop_training = True

    def end_train(self, ctx):
        Path(self.file).write_text(json.dumps({"steps": self.steps, "events": self.events}))


# %% [markdown]
# ## By hand
#
# A transform takes a `TransformContext` and returns it: a dictionary of fields, each a `MedicalImage`. That is an
# array, the layout of its axes (`ShapeFormat`), and properties. No config is needed to try one.

# %%
sys.path.append("my_mmar/custom")
from mine import PercentileWindow

item = json.loads(data_list.read_text())["training"][0]
scan = nib.load(Path("data", item["image"]))

context = TransformContext()
context.set_image("image", MedicalImage(np.asarray(scan.dataobj, dtype="float32"), "DHW"))
before = context.get_image("image")
after = PercentileWindow("image").transform(context).get_image("image")

print(before, "values", before.get_data().min(), "to", before.get_data().max())
print(after, "values", after.get_data().min(), "to", after.get_data().max())
print("properties:", after.get_properties())
layout = after.get_shape_format()
print("channels:", layout.is_channeled(), "| spatial axes, first and last:", layout.get_spatial_axis())

figure, panels = plt.subplots(1, 2, figsize=(6.5, 3.2), layout="constrained")
for axes, image, title in zip(panels, (before, after), ("before", "after PercentileWindow"), strict=True):
    shown = axes.imshow(image.get_data()[:, :, 12].T, cmap="gray")
    axes.set(title=title, xticks=[], yticks=[])
    figure.colorbar(shown, ax=axes, shrink=0.8)
plt.show()

# %% [markdown]
# ## In a plain MONAI `Compose`
#
# `as_monai_transform` makes a MONAI dictionary transform of it, which stands among MONAI's own, in any `Dataset` and
# `DataLoader`. Inside MONAI an image is a channel-first `MetaTensor`; the class sees a `MedicalImage` as above.

# %%
compose = Compose([
    LoadImaged(keys=["image", "label"]),
    EnsureChannelFirstd(keys=["image", "label"]),
    as_monai_transform(PercentileWindow("image")),
])  # fmt: skip
files = {field: str(Path("data", file)) for field, file in item.items()}
loaded = compose(files)
difference = np.abs(loaded["image"][0].numpy() - after.get_data()).max()
print(f"{type(loaded['image']).__name__} {tuple(loaded['image'].shape)}, largest difference to the above: {difference}")

crop = RandSpatialCropd(keys=["image", "label"], roi_size=[32, 32, 16], random_size=False)
batch = next(iter(DataLoader(Dataset([files] * 4, Compose([*compose.transforms, crop])), batch_size=4)))
print("a batch of a MONAI DataLoader:", tuple(batch["image"].shape))

# %% [markdown]
# ## In a legacy config
#
# The same file, named by `path`.

# %%
config = json.loads(Path("my_mmar/config/config_train.json").read_text())
config |= {"epochs": 20, "num_training_epoch_per_valid": 2, "learning_rate": 0.01}
load, channels, scale_image, scale_label, _, cropping, *_ = config["train"]["pre_transforms"]
cropping["args"]["size"] = config["train"]["image_pipeline"]["args"]["output_crop_size"] = [48, 48, 32]
config["train"] |= {
    "model": {"path": "mine.SmallNet", "args": {"num_classes": 2}},
    "loss": {"path": "mine.DiceAndEntropy"},
    "lr_policy": {"path": "mine.WarmUp", "args": {"epochs": 3}},
    "handlers": [{"path": "mine.Diary", "args": {"file": "my_mmar/diary.json", "enough": 0.6}}],
    "pre_transforms": [
        load, channels, scale_image, scale_label,
        {"path": "mine.PercentileWindow", "args": {"fields": "image"}},
        cropping,
    ],
    "aux_ops": [],
}  # fmt: skip
config["validate"]["metrics"] = [{"path": "mine.WorstCase", "args": {"name": "worst_case", "is_key_metric": True}}]
config["validate"]["pre_transforms"] = config["train"]["pre_transforms"][:-1]
Path("my_mmar/config/config_mine.json").write_text(json.dumps(config, indent=2))

table = Table("component", "becomes")
for row in clara_compat.check("config/config_mine.json", "my_mmar").rows:
    if row.fidelity == "user code":
        table.add_row(row.component, row.becomes)
table

# %%
trained = clara_compat.train("my_mmar", "config/config_mine.json")
diary = json.loads(Path("my_mmar/diary.json").read_text())
print("\n".join(diary["events"]))

# %% [markdown]
# What the handler wrote down: the learning rate is what the policy said, step by step.

# %%
steps, rates, losses = np.transpose(diary["steps"])
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.plot(steps, rates)
left.set(title="learning rate (WarmUp)", xlabel="step", ylim=(0, None))
right.plot(steps, losses)
right.set(title="training loss (DiceAndEntropy)", xlabel="step", ylim=(0, None))
plt.show()

# %% [markdown]
# The network and the loss of the run are torch modules: keep them, and use them in a loop of your own.

# %%
network, loss = trained.network, trained.parser.get_parsed_content("loss")
batch = next(iter(trained.parser.get_parsed_content("train#dataloader")))
value = loss(network(batch["image"]), batch["label"])
value.backward()
print(f"{sum(weights.numel() for weights in network.parameters())} weights, loss of a batch: {value.item():.3f}")

# %% [markdown]
# **Next:** `02_bring_your_own_components` ports such classes to MONAI's own; `03_migrate_to_a_monai_bundle` takes them
# along into a bundle.
