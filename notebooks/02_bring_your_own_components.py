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
# # Bring your own components
#
# **What you will have at the end:** a loader, a transform, a metric, a TensorFlow 1 loss and a TensorFlow 1 network in
# the style of Clara's documentation, trained unmodified and without TensorFlow; what the linter says of each line of
# them; and each of the five ported to MONAI and PyTorch, with the proof that both give the same numbers. About a minute
# on two CPU cores.
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
import torch
from monai.losses import DiceLoss
from monai.metrics import CumulativeIterationMetric
from monai.transforms import LoadImaged, MapTransform, Randomizable
from rich.markup import escape
from rich.table import Table

import clara_compat
from clara_compat.demo import make_scans, prepare_mmar
from clara_compat.lint.linter import lint

folder = tempfile.mkdtemp(prefix="clara_compat_")  # all that is made goes there; name a folder of yours instead
os.chdir(folder)
os.environ["TQDM_DISABLE"] = "1"  # no progress bars ...
logging.disable(logging.INFO)  # ... and no line per epoch: the results are shown below

# %% [markdown]
# Scans as `.npy` files, as the loader below expects them:

# %%
prepare_mmar(Path("my_mmar"))
lists = json.loads(make_scans("data", training=6, validation=2, testing=0, size=(40, 40, 24)).read_text())
for item in [*lists["training"], *lists["validation"]]:
    for field, file in item.items():
        item[field] = file.replace(".nii.gz", ".npy")
        nifti = nib.as_closest_canonical(nib.load(Path("data", file)))
        np.save(Path("data", item[field]), np.asarray(nifti.dataobj, dtype="float32"))
_ = Path("data/dataset.json").write_text(json.dumps(lists))

# %% [markdown]
# ## Five components as they were
#
# They lie in the MMAR's `custom` folder, and import `ai4med` and `tensorflow` as they always did. A **loader**:

# %%
# %%writefile my_mmar/custom/myNpLoader.py
import numpy as np

from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class MyNumpyLoader(MultiFieldTransformer):
    def __init__(self, fields, shape="DHW"):
        MultiFieldTransformer.__init__(self, fields)
        self.shape = ShapeFormat(shape)

    def transform(self, transform_ctx):
        for field in self.fields:
            data = np.load(transform_ctx[field]).astype(np.float32)
            transform_ctx.set_image(field, MedicalImage(data, self.shape))
        return transform_ctx


# %% [markdown]
# A **transform** that draws at random:

# %%
# %%writefile my_mmar/custom/myTransformation.py
import numpy as np

from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class AddRandomConstant(MultiFieldTransformer):
    def __init__(self, fields, magnitude):
        MultiFieldTransformer.__init__(self, fields)
        self.magnitude = magnitude

    def transform(self, transform_ctx):
        for field in self.fields:
            image = transform_ctx.get_image(field)
            offset = np.random.uniform(-self.magnitude, self.magnitude)
            data = (image.get_data() + offset).astype(np.float32)
            transform_ctx.set_image(field, image.new_image(data, image.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        return False


# %% [markdown]
# A **metric** in numpy, one value per case:

# %%
# %%writefile my_mmar/custom/myMetric.py
import numpy as np

from ai4med.components.metrics.metric import Metric
from ai4med.libs.metrics.metric_list import MetricList


class VolumeErrorList(MetricList):
    def update(self, value, label_value=None, filename="", data_prop=None):
        found, wanted = np.sum(value[1] > 0.5), np.sum(label_value > 0)
        self._list = np.append(self._list, abs(found - wanted) / max(wanted, 1))


class VolumeError(Metric):
    def __init__(self, name, field="model", label_field="label"):
        Metric.__init__(self, VolumeErrorList(name), field=field, label_field=label_field)


# %% [markdown]
# A **loss** in TensorFlow 1:

# %%
# %%writefile my_mmar/custom/myLoss.py
import tensorflow as tf

from ai4med.components.losses.loss import Loss


class MyDiceLoss(Loss):
    def __init__(self, smooth=1e-5):
        Loss.__init__(self)
        self.smooth = smooth

    def get_loss(self, predictions, targets, build_ctx=None):
        n_classes = predictions.get_shape()[1].value
        labels = tf.cast(tf.squeeze(targets, axis=1), tf.int32)
        onehot = tf.one_hot(labels, depth=n_classes, axis=1)
        axes = list(range(2, len(predictions.shape)))
        intersection = tf.reduce_sum(onehot * predictions, axis=axes)
        union = tf.reduce_sum(onehot, axis=axes) + tf.reduce_sum(predictions, axis=axes)
        return 1.0 - tf.reduce_mean((2.0 * intersection + self.smooth) / (union + self.smooth))


# %% [markdown]
# A **network** in TensorFlow 1:

# %%
# %%writefile my_mmar/custom/myNetworkArch.py
import tensorflow as tf

from ai4med.components.models.model import Model


class MyNetwork(Model):
    def __init__(self, num_classes, factor=8):
        Model.__init__(self)
        self.num_classes, self.factor = num_classes, factor

    def block(self, x, filters, is_training, name):
        with tf.variable_scope(name):
            x = tf.layers.conv3d(x, filters, 3, padding="same", data_format="channels_first", name="conv")
            x = tf.layers.batch_normalization(x, axis=1, momentum=0.9, training=is_training, name="norm")
            return tf.nn.relu(x)

    def get_predictions(self, inputs, is_training, build_ctx=None):
        with tf.variable_scope("MyNetwork"):
            skip = self.block(inputs, self.factor, is_training, "down")
            x = tf.layers.max_pooling3d(skip, 2, 2, data_format="channels_first")
            x = self.block(x, 2 * self.factor, is_training, "bottom")
            x = tf.layers.conv3d_transpose(x, self.factor, 2, strides=2, data_format="channels_first", name="up")
            x = self.block(tf.concat([x, skip], axis=1), self.factor, is_training, "join")
            x = tf.layers.conv3d(x, self.num_classes, 1, data_format="channels_first", name="logits")
            return tf.nn.softmax(x, axis=1)


# %% [markdown]
# ## The config that names them
#
# `path` is `module.Class`, as in Clara.

# %%
fields = ["image", "label"]
shared = [
    {"name": "MyNumpyLoader", "path": "myNpLoader.MyNumpyLoader", "args": {"fields": fields}},
    {"name": "ConvertToChannelsFirst", "args": {"fields": fields}},
    {"name": "ScaleIntensityRange",
     "args": {"fields": "image", "a_min": -160, "a_max": 240, "b_min": 0.0, "b_max": 1.0, "clip": True}},
]  # fmt: skip
crop = {
    "name": "FastPosNegRatioCropROI",
    "args": {"size": [32, 32, 16], "image_field": "image", "label_field": "label", "pos": 1, "neg": 1,
             "deform": False, "rotation": False, "scale": False},
}  # fmt: skip
noise = {"name": "AddRandomConstant", "path": "myTransformation.AddRandomConstant",
         "args": {"fields": "image", "magnitude": 0.1}}  # fmt: skip
config = json.loads(Path("my_mmar/config/config_train.json").read_text())
config |= {"epochs": 20, "num_training_epoch_per_valid": 5, "learning_rate": 0.01}
config["train"] |= {
    "loss": {"name": "MyDiceLoss", "path": "myLoss.MyDiceLoss"},
    "model": {"name": "MyNetwork", "path": "myNetworkArch.MyNetwork", "args": {"num_classes": 2}},
    "pre_transforms": [*shared, crop, noise],
    "aux_ops": [],
}
config["train"]["image_pipeline"]["args"]["output_crop_size"] = [32, 32, 16]
config["validate"] |= {
    "metrics": [
        config["validate"]["metrics"][0],
        {"name": "VolumeError", "path": "myMetric.VolumeError", "args": {"name": "volume_error"}},
    ],
    "pre_transforms": shared,
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [40, 40, 24], "batch_size": 1}},
}
Path("my_mmar/config/config_own.json").write_text(json.dumps(config, indent=2))

report = clara_compat.check("config/config_own.json", "my_mmar")
table = Table("component", "becomes", "fidelity")
for row in report.rows:
    if row.fidelity == "user code":
        table.add_row(row.component, row.becomes, row.fidelity)
table

# %% [markdown]
# ## It trains

# %%
trained = clara_compat.train("my_mmar", "config/config_own.json")
for epoch in trained.stats["epochs"]:
    if epoch.get("metrics"):
        values = ", ".join(f"{name} {value:.3f}" for name, value in epoch["metrics"].items())
        print(f"epoch {epoch['epoch']}: loss {epoch['loss']:.4f}, {values}")
print(f"TensorFlow was imported: {'tensorflow' in sys.modules}")

# %% [markdown]
# ## What the linter says
#
# `lint` reads the files without running them. Of every TensorFlow symbol it says how it fares here, and what to write
# with torch or MONAI. On the command line: `clara-compat lint my_mmar/custom`.

# %%
findings = {}
for file in lint(["my_mmar/custom"]).files:
    for found in file.all():
        if found.equivalent or not found.status.passes:
            what = getattr(found, "symbol", "") or f"{found.family} {found.name}"
            findings.setdefault((Path(file.file).name, what), (found.line, found))
table = Table("file", "first line", "found", "here", "in torch and MONAI")
for (name, what), (line, found) in findings.items():
    table.add_row(name, str(line), what, found.status.value, escape(found.equivalent))
table

# %% [markdown]
# ## Port them
#
# | Clara | MONAI and PyTorch |
# |---|---|
# | loader: `MultiFieldTransformer` that sets a `MedicalImage` | `LoadImaged`, or an `ImageReader` of your own |
# | transform: `MultiFieldTransformer`, `numpy.random` | `MapTransform`, with `Randomizable` and its `self.R` |
# | metric: `Metric` with a `MetricList` | `CumulativeIterationMetric` |
# | loss: `Loss.get_loss` | a loss of `monai.losses`, or a function of torch tensors |
# | network: `Model.get_predictions` | `torch.nn.Module`, or a network of `monai.networks.nets` |
#
# Below, each port stands beside what the training above really ran: `trained.parser` holds its objects, by the entries
# of the MONAI bundle config. `same` prints the largest difference.


# %%
def same(what, legacy, ported, tolerance):
    """Print the largest difference, and stop where it is larger than it may be."""
    difference = np.abs(np.asarray(legacy, dtype=float) - np.asarray(ported, dtype=float)).max()
    print(f"{what}: largest difference {difference:.1e}, at most {tolerance:g} allowed")
    if not difference <= tolerance:
        raise ValueError(f"{what} differs")


chain = trained.parser.get_parsed_content("train#preprocessing").transforms
legacy_loader, to_channels_first, _, _, legacy_noise, _ = chain
item = {field: str(Path("data", file)) for field, file in lists["training"][0].items()}

# %% [markdown]
# **Loader.** MONAI has it: no code is left.

# %%
ported_loader = LoadImaged(keys=["image", "label"], reader="NumpyReader", ensure_channel_first=True)

legacy, ported = to_channels_first(legacy_loader(item)), ported_loader(item)
same("loader", legacy["image"], ported["image"], 0)

# %% [markdown]
# **Transform.** `self.R` takes the place of `numpy.random`; with the same seed it draws the same numbers.


# %%
class RandAddConstantd(Randomizable, MapTransform):
    """Add one random number to every voxel."""

    def __init__(self, keys, magnitude):
        super().__init__(keys)
        self.magnitude = magnitude

    def __call__(self, data):
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = result[key] + self.R.uniform(-self.magnitude, self.magnitude)
        return result


ported_noise = RandAddConstantd("image", magnitude=0.1)

np.random.seed(7)
ported_noise.set_random_state(seed=7)
image = {"image": torch.rand(1, 32, 32, 16)}
same("transform", legacy_noise(image)["image"], ported_noise(image)["image"], 1e-6)

# %% [markdown]
# **Loss.** MONAI's `DiceLoss` has the same mathematics, once its smoothing terms are set.

# %%
legacy_loss = trained.parser.get_parsed_content("loss").eval()
ported_loss = DiceLoss(to_onehot_y=True, smooth_nr=1e-5, smooth_dr=1e-5)

predictions = torch.rand(2, 2, 32, 32, 16).softmax(1)
labels = (torch.rand(2, 1, 32, 32, 16) > 0.9).float()
with torch.no_grad():
    same("loss", legacy_loss(predictions, labels), ported_loss(predictions, labels), 1e-6)

# %% [markdown]
# **Network.** Its own file, so that the config below can name it. TensorFlow's batch normalization has `epsilon` 1e-3,
# and a momentum that torch counts from the other end.

# %%
# %%writefile my_mmar/custom/portedNetwork.py
import torch
from torch import nn


class PortedNetwork(nn.Module):
    def __init__(self, num_classes, factor=8):
        super().__init__()
        self.down = self.block(1, factor)
        self.pool = nn.MaxPool3d(2)
        self.bottom = self.block(factor, 2 * factor)
        self.up = nn.ConvTranspose3d(2 * factor, factor, 2, stride=2)
        self.join = self.block(2 * factor, factor)
        self.logits = nn.Conv3d(factor, num_classes, 1)

    def block(self, c_in, c_out):
        return nn.Sequential(
            nn.Conv3d(c_in, c_out, 3, padding="same"), nn.BatchNorm3d(c_out, eps=1e-3, momentum=0.1), nn.ReLU()
        )

    def forward(self, image):
        skip = self.down(image)
        x = self.up(self.bottom(self.pool(skip)))
        x = self.join(torch.cat([x, skip], dim=1))
        return torch.softmax(self.logits(x), dim=1)


# %% [markdown]
# The trained weights have TensorFlow's names and layouts: a kernel is (D, H, W, in, out) there and (out, in, D, H, W)
# here.

# %%
sys.path.append("my_mmar/custom")
from portedNetwork import PortedNetwork

legacy_network, ported_network = trained.network.eval(), PortedNetwork(num_classes=2).eval()
weights = {name.removeprefix("store.MyNetwork/"): value for name, value in legacy_network.state_dict().items()}
to_torch = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
ported_weights = {}
for name, value in weights.items():
    *layer, kind = name.split("/")
    place = ".".join({"conv": "0", "norm": "1"}.get(part, part) for part in layer)
    if kind == "kernel":
        ported_weights[f"{place}.weight"] = value.permute(4, 3, 0, 1, 2)
    else:
        ported_weights[f"{place}.{to_torch.get(kind, kind)}"] = value
print(ported_network.load_state_dict(ported_weights))

with torch.no_grad():
    image = torch.rand(2, 1, 32, 32, 16)
    same("network", legacy_network(image), ported_network(image), 1e-5)

# %% [markdown]
# **Metric.** The value of the training's last validation, and the ported metric with the ported network on the same
# scans.


# %%
class VolumeErrorMetric(CumulativeIterationMetric):
    """Mean over the cases of |predicted volume - true volume| / true volume."""

    def _compute_tensor(self, y_pred, y):
        found, wanted = (y_pred[:, 1] > 0.5).sum((1, 2, 3)), (y[:, 0] > 0).sum((1, 2, 3))
        return (found - wanted).abs() / wanted.clamp(min=1)

    def aggregate(self):
        return self.get_buffer().double().mean()


ported_metric = VolumeErrorMetric()
inferer = trained.parser.get_parsed_content("validate#inferer")
with torch.no_grad():
    for batch in trained.parser.get_parsed_content("validate#dataloader"):
        ported_metric(y_pred=inferer(batch["image"], ported_network), y=batch["label"])
same("metric", trained.stats["epochs"][-1]["metrics"]["volume_error"], ported_metric.aggregate(), 1e-3)

# %% [markdown]
# ## One piece at a time
#
# A legacy config may name ported pieces by their `path`, so that you can move one after the other and look whether
# anything changed. With the loss ported, the curve lies on that of the legacy one (the last digits differ, and training
# lets such differences grow from step to step). With the network ported as well, the first weights are drawn by torch
# and not as TensorFlow drew them, so the curve is another one of its kind. The warnings say what to mind with a ported
# piece; here the network ends in a softmax, and the loss is told to make one channel per class.

# %%
runs = {"legacy": trained}
config["train"]["loss"] = {
    "path": "monai.losses.DiceLoss",
    "args": {"to_onehot_y": True, "smooth_nr": 1e-5, "smooth_dr": 1e-5},
}
Path("my_mmar/config/config_loss.json").write_text(json.dumps(config, indent=2))
runs["loss ported"] = clara_compat.train("my_mmar", "config/config_loss.json")
config["train"]["model"] = {"path": "portedNetwork.PortedNetwork", "args": {"num_classes": 2}}
Path("my_mmar/config/config_both.json").write_text(json.dumps(config, indent=2))
runs["loss and network ported"] = clara_compat.train("my_mmar", "config/config_both.json")

losses = {name: [epoch["loss"] for epoch in run.stats["epochs"]] for name, run in runs.items()}
same("losses of the first four epochs", losses["legacy"][:4], losses["loss ported"][:4], 1e-4)

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
for (name, values), style in zip(losses.items(), ("o", "-", "--"), strict=True):
    axes.plot(range(1, len(values) + 1), values, style, label=name)
axes.set(title="training loss", xlabel="epoch", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# **Next:** `03_migrate_to_a_monai_bundle` turns a whole MMAR into a MONAI bundle; `05_subclass_the_compat_classes` uses
# Clara's base classes in new code.
