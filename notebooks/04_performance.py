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
# # Performance
#
# **What you will have at the end:** the four configurations of Clara's old Performance notebook (a baseline, crops that
# make the batch, a cache, both) timed on this engine, beside the figures published for Clara on a V100; what the cache
# and the number of workers bring; and what of it to expect on your own scans. About a minute on two CPU cores.
#
# *The times here are measured by this notebook, on CT scans that it makes itself; the published seconds are those of
# NVIDIA's notebook: 160 steps of 4 samples of one 10 MB scan.*

# %%
import copy
import json
import logging
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from rich.table import Table

import clara_compat
from clara_compat.demo import make_scans, prepare_mmar

folder = tempfile.mkdtemp(prefix="clara_compat_")  # all that is made goes there; name a folder of yours instead
os.chdir(folder)
os.environ["TQDM_DISABLE"] = "1"  # no progress bars ...
logging.disable(logging.INFO)  # ... and no line per epoch: the results are shown below

prepare_mmar(Path("my_mmar"))
data_list = make_scans("data", training=8, validation=0, testing=0, size=(160, 160, 64))

# %% [markdown]
# ## The four configurations
#
# Reading, unpacking and resampling a scan takes far longer than a crop of it. Clara's baseline did it for every sample.
# Its two remedies: take several crops of a scan once it is there (*batch by transform*), and keep the scans (*cache*).
# The network is tiny here, so that the time of the data is seen.

# %%
CROP = [32, 32, 32]
whole = json.loads(Path("my_mmar/config/config_train.json").read_text())
load, channels, scale_image, scale_label, window, *_ = whole["train"]["pre_transforms"]
scale_image["args"]["target_resolution"] = scale_label["args"]["target_resolution"] = [2.5, 2.5, 2.5]
augmentation = [
    {"name": "RandomSpatialFlip", "args": {"fields": ["image", "label"]}},
    {"name": "ScaleShiftIntensity", "args": {"fields": "image", "scale": 0.1, "shift": 0.1}},
]


def variant(crop, *, pipeline="SegmentationImagePipeline", batch=4, merge=False, **arguments):
    """Return a config with this crop and this pipeline."""
    config = copy.deepcopy(whole)
    del config["validate"]
    config["epochs"], config["num_training_epoch_per_valid"] = 12, 0
    train = config["train"]
    train["model"]["args"] |= {"nf_enc": "4,8", "nf_dec": "8,8,4,4", "use_group_norm": False}
    del train["aux_ops"]
    train["pre_transforms"] = [load, channels, scale_image, scale_label, window, crop, *augmentation]
    if merge:
        train["batch_transforms"] = [{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}]
    train["image_pipeline"]["name"] = pipeline
    train["image_pipeline"]["args"] |= {"output_crop_size": CROP, "output_batch_size": batch, **arguments}
    return config


one_crop = {
    "name": "FastPosNegRatioCropROI",
    "args": {"size": CROP, "image_field": "image", "label_field": "label", "pos": 1, "neg": 1,
             "deform": False, "rotation": False, "scale": False},
}  # fmt: skip


def several(number):
    """Return a transform that takes several crops of a scan."""
    arguments = {"size": CROP, "fields": "image", "label_field": "label", "pos": 1, "neg": 1, "batch_size": number}
    return {"name": "FastCropByPosNegRatio", "args": arguments}


cached = {"pipeline": "SegmentationImagePipelineWithCache", "num_cache_objects": 8, "replace_percent": 0}
configs = {
    "baseline": variant(one_crop),
    "batch by transform": variant(several(4), batched_by_transforms=True),
    "cache": variant(one_crop, **cached),
    "both": variant(several(2), batch=2, merge=True, **cached),
}
published = {"baseline": 1778, "batch by transform": 463, "cache": 344, "both": 311}  # s for 160 steps of 4 samples


def milliseconds(name, config, **overrides):
    """Train, and return ms per sample in the first epoch and in the fastest later one: other programs only add."""
    Path(f"my_mmar/config/config_{name}.json").write_text(json.dumps(config))
    result = clara_compat.train("my_mmar", f"config/config_{name}.json", overrides=overrides)
    crop = config["train"]["pre_transforms"][5]["args"]
    samples = len(result.parser.get_parsed_content("train#plan")) * crop.get("batch_size", 1)
    first, *later = [1000 * epoch["seconds"] / samples for epoch in result.stats["epochs"]]
    return first, min(later)


# %%
measured = {name: milliseconds(name.replace(" ", "_"), config) for name, config in configs.items()}

table = Table(title="ms per sample")
for column in ("config", "Clara, V100", "to both", "here, first epoch", "here, later epochs", "to both"):
    table.add_column(column, justify="left" if column == "config" else "right")
ratios = {"Clara on a V100 (published)": [], "here": []}
for name, (first, later) in measured.items():
    clara = 1000 * published[name] / 640
    of_clara, of_us = published[name] / published["both"], later / measured["both"][1]
    table.add_row(name, f"{clara:.0f}", f"{of_clara:.2f}", f"{first:.0f}", f"{later:.0f}", f"{of_us:.2f}")
    ratios["Clara on a V100 (published)"].append(of_clara)
    ratios["here"].append(of_us)
table

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for shift, (side, values) in zip((-0.2, 0.2), ratios.items(), strict=True):
    bars = axes.bar([place + shift for place in range(4)], values, width=0.38, label=side)
    axes.bar_label(bars, fmt="%.1f")
axes.set(title="time per sample, as a multiple of the tuned config (both)", xticks=range(4), xticklabels=list(measured))
axes.legend()
plt.show()

# %% [markdown]
# What the transforms in front of the first random one make of a scan is kept, whatever the pipeline. So after the first
# epoch, which fills the cache, a config that was never tuned costs about as much as a tuned one: the ratios on the
# right are near 1, give or take what else this machine does.

# %% [markdown]
# ## What the cache and the workers do
#
# `cache_gb=0` keeps nothing, so that every epoch costs what the first one does. Workers then prepare scans while the
# network trains, one process each; with a cache there is little left for them to do.

# %%
settings = {
    "no cache, no workers": {"cache_gb": 0, "epochs": 4, "train.image_pipeline.args.num_workers": 0},
    "no cache, 2 workers": {"cache_gb": 0, "epochs": 4, "train.image_pipeline.args.num_workers": 2},
    "cache, no workers": {"train.image_pipeline.args.num_workers": 0},
    "cache, 2 workers": {"train.image_pipeline.args.num_workers": 2},
}
effect = {name: milliseconds("baseline", configs["baseline"], **overrides)[1] for name, overrides in settings.items()}

table = Table("setting", "ms per sample", "to the default", title="the baseline after its first epoch")
for name, value in effect.items():
    table.add_row(name, f"{value:.0f}", f"{value / effect['cache, no workers']:.1f}")
table

# %%
figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
axes.bar_label(axes.barh(list(effect), list(effect.values())), fmt="%.0f ms")
axes.set(title="time per sample, after the first epoch", xlabel="ms")
axes.margins(x=0.15)
axes.invert_yaxis()
plt.show()

# %% [markdown]
# ## What to expect on your scans
#
# - **The larger the scan, the more the cache brings.** A CT of 512 × 512 × 300 voxels takes seconds to unpack and to
#   resample, a crop of it milliseconds. `clara-compat check` says how many scans will be held, and how large they are.
# - **The larger the network, the less any of this is seen.** Where a step of the network takes a second, a sample may
#   take as long before you notice; then more workers or a cache change nothing.
# - **What does not fit into memory goes to disk.** By default the caches take half of the free memory; `--cache-gb`
#   (here `cache_gb`) sets another limit. Reading a prepared scan from disk is still cheaper than making it.
# - **Workers help in the first epoch, and where much stands behind the first random transform**: deformations,
#   rotations, your own code. Two to four are enough for most; each holds memory of its own.
# - **A transform of yours that is random** must say so (`is_deterministic()` returns False); all from there on is made
#   anew for every sample. Put such transforms behind the crop, where there is less to do.
# - Clara's figures are of a GPU and of another scan. Compare the ratios, not the milliseconds.
