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
# # Migrate to a MONAI bundle
#
# **What you will have at the end:** a trained MMAR as a MONAI bundle with which `python -m monai.bundle run` trains,
# evaluates and infers; its training losses on top of those of the MMAR; the proof that both measure the same Dice on
# every scan; the reports of migration and training; and a second bundle that needs nothing but MONAI, with the list of
# what differs in it. One to two minutes on two CPU cores.
#
# *Every number below is computed by this notebook, on CT scans that it makes itself.*

# %%
import base64
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from IPython.display import IFrame
from rich.table import Table
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import clara_compat
from clara_compat.demo import make_scans, prepare_mmar

folder = tempfile.mkdtemp(prefix="clara_compat_")  # all that is made goes there; name a folder of yours instead
os.chdir(folder)
os.environ["TQDM_DISABLE"] = "1"  # no progress bars ...
logging.disable(logging.INFO)  # ... and no line per epoch: the results are shown below

# %% [markdown]
# ## A trained MMAR
#
# `01_run_a_legacy_config` shows this part at leisure.

# %%
prepare_mmar(Path("my_mmar"))
make_scans("data", training=8, validation=2, testing=1, size=(44, 44, 24))

steps = {"train_summary_recording_interval": 1}  # TensorBoard gets the loss of every step, for the curves below
trained = clara_compat.train("my_mmar", overrides={"epochs": 4, **steps})
evaluated = clara_compat.evaluate("my_mmar", overrides={"do_validation": True})
print(f"loss {trained.stats['epochs'][-1]['loss']:.3f}, Dice {evaluated.metrics['mean_dice_spleen']:.3f}")

# %% [markdown]
# ## Migrate
#
# On the command line: `clara-compat migrate -m my_mmar -o my_bundle`. Training and validation config become one bundle;
# the weights and your own code come along, and nothing of the MMAR is changed.

# %%
migrated = clara_compat.migrate("my_bundle", "my_mmar", overrides=steps)
table = Table("file", "what it is")
for file, what in migrated.contents.items():
    table.add_row(file, what)
table

# %% [markdown]
# The report says of each component what it became, how faithful that is, and what is left to do. Here is its summary,
# and below it the page itself, `docs/report.html`, one file that needs no network.

# %%
report = json.loads(Path("my_bundle/docs/report.json").read_text())
print(report["summary"]["verdict"])
table = Table("component", "became", "fidelity", "effort")
for component in report["configs"][0]["components"][:8]:
    became = component["becomes"].removeprefix("clara_compat.engine.")
    table.add_row(component["name"], became, component["fidelity"], component["effort"])
table


# %%
def shown(page):
    """Show a page that is one file."""
    content = base64.b64encode(Path(page).read_bytes()).decode()
    return IFrame(f"data:text/html;base64,{content}", width="100%", height=500)


shown("my_bundle/docs/report.html")

# %% [markdown]
# The top of `configs/train.json`: what used to be a variable of Clara still is one, and can be changed on the command
# line. Below it, the entries that train, by names that MONAI's own bundles use.

# %%
config = json.loads(Path("my_bundle/configs/train.json").read_text())
for name, value in config.items():
    if not isinstance(value, (dict, list)):
        print(f"{name:14}{str(value).replace(folder, '...')}")
for section in ("train", "validate"):
    print(f"{section:14}{', '.join(config[section])}")

# %%
print(json.dumps({name: config[name] for name in ("network_def", "loss", "optimizer")}, indent=2))

# %% [markdown]
# ## Train with MONAI's own command
#
# No `clara-compat` command is used from here on. `--epochs` overrides the entry `epochs`.


# %%
def bundle_run(bundle, config, **changed):
    """Run ``python -m monai.bundle run`` in the folder of the bundle, as its docs/README.md says."""
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", f"configs/{config}.json"]
    command += ["--meta_file", "configs/metadata.json", "--logging_file", "configs/logging.conf"]
    for name, value in changed.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    print("python", *command[1:])  # what can be typed in a shell, in the folder of the bundle


bundle_run("my_bundle", "train", epochs=4)


# %%
def losses(models):
    """Return the loss of every step, as TensorBoard has it."""
    events = EventAccumulator(str(models)).Reload()
    return np.array([event.value for event in events.Scalars("train_loss")])


of_mmar, of_bundle = losses("my_mmar/models"), losses("my_bundle/models")
print(f"{len(of_mmar)} steps, largest difference of the losses: {np.abs(of_mmar - of_bundle).max()}")

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(of_mmar, linewidth=5, alpha=0.4, label="clara-compat train (MMAR)")
axes.plot(of_bundle, color="black", linewidth=1, label="monai.bundle run (bundle)")
axes.set(title="training loss", xlabel="step", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# They are the same numbers: `migrate` writes the very config that `train` runs.
#
# ## Evaluate through the bundle

# %%
bundle_run("my_bundle", "evaluate")
stats = json.loads(Path("my_bundle/eval/evaluate_stats.json").read_text())
table = Table("case", "Dice, MMAR", "Dice, bundle")
differences = []
for case in stats["cases"]:
    here, there = evaluated.cases[case["name"]]["mean_dice_spleen"], case["metrics"]["mean_dice_spleen"]
    differences.append(abs(here - there))
    table.add_row(case["name"], f"{here:.6f}", f"{there:.6f}")
print(f"largest difference of the Dice: {max(differences)}")
table

# %% [markdown]
# A bundle that trains with clara_compat leaves what `train` leaves, so its training has a report, too:

# %%
shown(clara_compat.training_report("my_bundle/models", evaluation="my_bundle/eval"))

# %% [markdown]
# ## Infer through the bundle
#
# Every image in `input/` gets its result in `predictions/`, on the grid of its file.

# %%
name = "ct_testing_000"
Path("my_bundle/input").mkdir()
shutil.copy(f"data/imagesTr/{name}.nii.gz", "my_bundle/input")
bundle_run("my_bundle", "inference")

scan, truth, mask = (
    np.asarray(nib.as_closest_canonical(nib.load(file)).dataobj)
    for file in (
        f"data/imagesTr/{name}.nii.gz",
        f"data/labelsTr/{name}.nii.gz",
        f"my_bundle/predictions/{name}/{name}_model.nii.gz",
    )
)
k = int(truth.sum(axis=(0, 1)).argmax())
figure, axes = plt.subplots(figsize=(4, 4))
axes.imshow(scan[::-1, :, k].T, cmap="gray", vmin=-160, vmax=240, origin="lower")  # the patient's right on the left
axes.contour(truth[::-1, :, k].T, levels=[0.5], colors="#E69F00")
axes.contour(mask[::-1, :, k].T, levels=[0.5], colors="#56B4E9", linestyles="--")
axes.set(title=f"{name}\ntruth orange, prediction blue", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## What still needs clara_compat
#
# Entries with Clara's exact mathematics point at `clara_compat`; `docs/README.md` of the bundle lists each with its
# place and what it is. All others are MONAI's, Ignite's and torch's own.

# %%
table = Table("points at", "entries", title="of train.json, evaluate.json and inference.json together")
for target, count in sorted(migrated.needs.items(), key=lambda item: -item[1])[:10]:
    table.add_row(target, str(count))
table.add_row(f"... and {len(migrated.needs) - 10} more", "")
table

# %% [markdown]
# ## A bundle that needs MONAI only
#
# `native=True` (`clara-compat migrate --native`) puts the nearest class of MONAI or torch in the place of each of them.

# %%
native = clara_compat.migrate("my_native_bundle", "my_mmar", overrides=steps, native=True)

texts = {file.name: file.read_text() for file in sorted(Path("my_native_bundle/configs").iterdir())}
print("files:", *texts)
print("of them name clara_compat:", *([name for name, text in texts.items() if "clara_compat." in text] or ["none"]))
for notice in native.notices:
    print(notice.text)

# %% [markdown]
# What that costs is told, entry by entry; the bundle's `docs/README.md` has the whole list. Here is that of
# the training.

# %%
table = Table("was", "is now", "how the results differ", show_lines=True)
told = {}
for one in native.differences["train"]:
    if one.text and not one.entry.startswith("validate#"):
        told.setdefault(one.text, (one.was.rpartition(".")[2], one.now or "left out"))
for text, (was, now) in told.items():
    table.add_row(was, now, text)
table

# %% [markdown]
# A transform of your own is left out until you port it (`02_bring_your_own_components` shows how). MONAI has one that
# comes near `RandomGamma`, and a config can be edited:

# %%
train_json = Path("my_native_bundle/configs/train.json")
plain = json.loads(train_json.read_text())
transforms = plain["train"]["preprocessing"]["transforms"]
crop = next(i for i, one in enumerate(transforms) if one["_target_"] == "RandCropByPosNegLabeld")
gamma = {"_target_": "RandAdjustContrastd", "keys": ["image"], "prob": 1.0, "gamma": [1 / 1.5, 1.5]}
transforms.insert(crop + 1, gamma)
train_json.write_text(json.dumps(plain, indent=2))

bundle_run("my_native_bundle", "train", epochs=4)

# %% [markdown]
# It is another network with other first weights and other random numbers, so the curve is another one. Compare the two
# after a full training, on scans that neither has seen, before you take the native one into use.

# %%
of_native = losses("my_native_bundle/models")
print(f"native: {len(of_native)} steps, loss from {of_native[0]:.2f} to {of_native[-1]:.2f}")

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(of_bundle, color="black", linewidth=1, label="my_bundle (exact)")
axes.plot(of_native, color="#D55E00", linewidth=1, label="my_native_bundle (MONAI only)")
axes.set(title="training loss", xlabel="step", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# **Next:** `04_performance` shows what caches and workers bring. The migration guide in `docs/migration` has the whole
# way in five steps.
