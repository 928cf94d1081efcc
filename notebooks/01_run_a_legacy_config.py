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
# # Run a legacy config
#
# **What you will have at the end:** a network trained from a Clara Train 3.1 folder (an MMAR) as it was, without
# changing a file in it; its curves; its Dice on every validation scan, with the worst one drawn; the report of the
# training as one page; and the mask of a scan it never saw, as a NIfTI file on the scan's own grid. About a minute on
# two CPU cores.
#
# *Every number and picture below is computed by this notebook, on CT scans that it makes itself.*

# %%
import base64
import json
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from IPython.display import IFrame, Image
from nibabel.processing import resample_from_to
from rich.table import Table

import clara_compat
from clara_compat.demo import make_scans, prepare_mmar

folder = tempfile.mkdtemp(prefix="clara_compat_")  # all that is made goes there; name a folder of yours instead
os.chdir(folder)
os.environ["TQDM_DISABLE"] = "1"  # a line per epoch is enough, no progress bars

# %% [markdown]
# ## The folder as it was
#
# An MMAR holds configs, launch scripts, your own code (`custom/`) and the results. This one has a `Unet`, Clara's Dice
# loss, and one transform of its own. With an MMAR of yours, put its path in place of `my_mmar`.

# %%
prepare_mmar(Path("my_mmar"))
make_scans("data", training=12, validation=3, testing=2, size=(56, 56, 28))

for path in sorted(Path("my_mmar").glob("*/*.*")):
    print(path)

# %%
config = json.loads(Path("my_mmar/config/config_train.json").read_text())
environment = json.loads(Path("my_mmar/config/environment.json").read_text())
print("model     ", config["train"]["model"]["name"])
print("loss      ", config["train"]["loss"]["name"])
print("transforms", *(transform["name"].partition("#")[0] for transform in config["train"]["pre_transforms"]))
print("data      ", environment["DATA_ROOT"], environment["DATASET_JSON"])

# %% [markdown]
# ## Check before you train
#
# `check` says what runs in place of each component, and how faithful that is. It finds all that can be known before the
# first batch, and never imports your code. On the command line: `clara-compat check my_mmar/config/config_train.json`.

# %%
report = clara_compat.check("config/config_train.json", "my_mmar")
table = Table("component", "becomes", "fidelity")
for row in report.rows:
    table.add_row(row.component, row.becomes.removeprefix("clara_compat.engine."), row.fidelity)
table

# %% [markdown]
# What is wrong is named with file, line and path, and with the nearest name that exists:

# %%
broken = Path("my_mmar/config/config_broken.json")
broken.write_text(Path("my_mmar/config/config_train.json").read_text().replace('"Adam"', '"Adma"'))
for error in clara_compat.check(broken, "my_mmar").errors:
    print(error)

# %% [markdown]
# ## See what the transforms do
#
# One row per scan, one column per transform, the label drawn over the image: what a training with this seed gets.

# %%
Image(clara_compat.preview("config/config_train.json", "my_mmar", items=2).path)

# %% [markdown]
# ## Train
#
# The config asks for 22 epochs; `overrides` is Clara's `--set`. Everything else is as the file says.

# %%
trained = clara_compat.train("my_mmar", "config/config_train.json", overrides={"epochs": 10})

# %%
epochs = trained.stats["epochs"]
validated = [epoch for epoch in epochs if epoch.get("metrics")]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.plot([epoch["epoch"] for epoch in epochs], [epoch["loss"] for epoch in epochs], marker=".")
left.set(title="training loss", xlabel="epoch", ylim=(0, None))
right.plot([epoch["epoch"] for epoch in validated], [epoch["metrics"]["mean_dice"] for epoch in validated], marker="s")
right.set(title="mean Dice on the validation scans", xlabel="epoch", ylim=(0, 1))
plt.show()

# %% [markdown]
# What the run left in `my_mmar/models`; `configs/train.json` is the MONAI bundle config that ran.

# %%
for name, path in trained.paths.items():
    print(f"{name:14}{path.relative_to(Path.cwd())}  {path.stat().st_size / 1024:.0f} KiB")

# %% [markdown]
# ## Evaluate
#
# `config_validation.json`, too, stays as it is. Masks and metric reports go to `my_mmar/eval`.

# %%
evaluated = clara_compat.evaluate("my_mmar", "config/config_validation.json", overrides={"do_validation": True})
dice = {case: values["mean_dice_spleen"] for case, values in evaluated.cases.items()}
worst = min(dice, key=dice.get)
table = Table("case", "Dice of the spleen")
for case, value in sorted(dice.items(), key=lambda item: item[1]):
    table.add_row(case, f"{value:.3f}" + ("  (worst)" if case == worst else ""))
table

# %% [markdown]
# The worst case, truth and prediction drawn over the slice with the most spleen:


# %%
def show_slice(axes, scan, truth, prediction, title):
    """Draw a transverse slice as radiologists hold it: the patient's right is on the left."""
    image, truth, prediction = (
        np.asarray(nib.as_closest_canonical(nifti).dataobj) for nifti in (scan, truth, prediction)
    )
    k = int(truth.sum(axis=(0, 1)).argmax())
    width, height, _ = np.multiply(image.shape, nib.affines.voxel_sizes(nib.as_closest_canonical(scan).affine))
    place = {"origin": "lower", "extent": (0, width, 0, height)}
    axes.imshow(image[:, :, k].T, cmap="gray", vmin=-160, vmax=240, **place)
    axes.contour(truth[:, :, k].T, levels=[0.5], colors="#E69F00", **place)
    axes.contour(prediction[:, :, k].T, levels=[0.5], colors="#56B4E9", linestyles="--", **place)
    axes.invert_xaxis()
    axes.set(title=title, xlabel="mm", ylabel="mm")


scan, truth = nib.load(f"data/imagesTr/{worst}.nii.gz"), nib.load(f"data/labelsTr/{worst}.nii.gz")
predicted = nib.load(f"my_mmar/eval/{worst}/{worst}_model.nii.gz")  # on the 6 mm grid on which the config ends
predicted = resample_from_to(predicted, scan, order=0)

figure, axes = plt.subplots(figsize=(4.5, 4.5))
show_slice(axes, scan, truth, predicted, f"{worst}: Dice {dice[worst]:.3f}\ntruth orange, prediction blue")
plt.show()

# %% [markdown]
# ## Hand on a report
#
# `train` leaves `report.html` beside the weights: the curves, the cases, the configuration, the versions. With an
# evaluation it is made anew: `clara-compat report my_mmar/models --eval my_mmar/eval`. One file, no network needed.

# %%
page = clara_compat.training_report("my_mmar/models", evaluation="my_mmar/eval").read_bytes()
IFrame(f"data:text/html;base64,{base64.b64encode(page).decode()}", width="100%", height=500)

# %% [markdown]
# ## Infer one scan
#
# A scan that nothing of the training has seen. `infer` writes the mask on the grid of the scan's own file.

# %%
name = "ct_testing_000.nii.gz"
clara_compat.infer(f"data/imagesTr/{name}", "my_mmar/config/config_validation.json", "mask.nii.gz", mmar="my_mmar")

scan, truth, mask = nib.load(f"data/imagesTr/{name}"), nib.load(f"data/labelsTr/{name}"), nib.load("mask.nii.gz")
found, wanted = (np.asarray(nifti.dataobj) > 0 for nifti in (mask, truth))
value = 2 * (found & wanted).sum() / (found.sum() + wanted.sum())
print(f"same grid as the scan: {mask.shape == scan.shape and np.allclose(mask.affine, scan.affine)}")

figure, axes = plt.subplots(figsize=(4.5, 4.5))
show_slice(axes, scan, truth, mask, f"{name}: Dice {value:.3f}\ntruth orange, prediction blue")
plt.show()

# %% [markdown]
# **Next:** `02_bring_your_own_components` runs code of your own in such a config, and ports it;
# `03_migrate_to_a_monai_bundle` turns this MMAR into a MONAI bundle.
