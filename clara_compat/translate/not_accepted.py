"""What is not accepted, and why, as data.

Messages take their advice from here, and ``docs/migration/what-is-not-accepted.md`` is made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clara_compat.translate.stock import REFUSED, REFUSED_ARGUMENTS

__all__ = ["NOT_ACCEPTED", "SETTINGS", "NotAccepted"]


@dataclass(frozen=True)
class NotAccepted:
    """One thing that a config, a checkpoint or user code may hold and that is not accepted.

    Args:
        what: the thing; double backticks mark code.
        why: the reason, in a clause.
        instead: what the user does in its place.
    """

    what: str
    why: str
    instead: str


SETTINGS: Mapping[str, NotAccepted] = {
    "microbatches_size": NotAccepted(
        "``microbatches_size``",
        "a batch is one forward pass here",
        "leave it out",
    ),
}
"""Top-level keys whose use is refused, by name; ``instead`` is the end of their message."""

_COMPONENTS = (
    NotAccepted(
        "``extra_inputs``, at the top level or of a pipeline",
        "the fields reach the batch, but no network takes them yet",
        "leave it out, or preview the data with them",
    ),
    NotAccepted(
        "inferers of your own",
        "how Clara called them is not documented",
        "use TFScanWindowInferer or TFSimpleInferer, or a MONAI inferer in the migrated bundle",
    ),
    NotAccepted(
        "model loaders of your own",
        "how Clara called them is not documented",
        "use CheckpointLoader with the folder of the training, or FrozenGraphModelLoader with the exported network",
    ),
    NotAccepted(
        "image pipelines of your own",
        "how Clara called them is not documented",
        "use one of the catalogue, and bring your reading of files as a transform",
    ),
    NotAccepted(
        "optimizers that return TensorFlow's",
        "TensorFlow's optimizers change variables of a graph that is not there",
        "return what makes a torch optimizer: ``functools.partial(torch.optim.AdamW, lr=lr)``",
    ),
    NotAccepted(
        "auxiliary operations with TensorFlow",
        "the facade runs models and losses",
        "write them with numpy or torch, or use those of the catalogue",
    ),
    NotAccepted(
        "``TRTISModelLoader``, networks on an inference server",
        "no server is asked, so that results do not depend on what runs there",
        "use CheckpointLoader or FrozenGraphModelLoader: the network runs here",
    ),
)
_TENSORFLOW = (
    NotAccepted(
        "recurrent layers (``tf.nn.rnn_cell``, ``LSTM``, ``GRU``)",
        "the facade has none; no published component was seen to use one",
        "write the network with torch.nn",
    ),
    NotAccepted(
        "``tf.data``, queues and input pipelines in user code",
        "the pipeline of the config feeds the network",
        "read the files in a transform or loader",
    ),
    NotAccepted(
        "TensorFlow's own training (``tf.train`` optimizers, ``tf.estimator``, Keras ``fit``)",
        "the training loop is MONAI's",
        "leave the training to the config",
    ),
    NotAccepted(
        "a symbol that is not in the facade's list",
        "a guess at what it did would train another network",
        "clara-compat lint FILE names the line and what there is instead",
    ),
)
_FILES = (
    NotAccepted(
        "checkpoints of TensorFlow (``model.ckpt``) of Clara's built-in networks, without a mapping",
        "the names of their variables were never documented",
        "clara-compat weights convert with --map names.json; those of your own models load by name",
    ),
    NotAccepted(
        "frozen graphs and TensorRT graphs of TensorFlow (``model.fzn.pb``, ``model.trt.pb``)",
        "they hold TensorFlow's program, not a network that can be trained on",
        "clara-compat export writes model.ts, which takes their place in a config",
    ),
    NotAccepted(
        "Keras weights in ``PRETRAIN_WEIGHTS_FILE`` (``.h5``)",
        "they are weights of another network than the one of the config",
        "nothing: the network starts from its normal initialisation, and a notice says so",
    ),
    NotAccepted(
        "time series, NIfTI files with more than one volume on the fourth axis and channels on the fifth",
        "Clara had images of three axes and channels",
        "split them with nibabel",
    ),
)
_SAFETY = (
    NotAccepted(
        "a ``path`` of an installed package other than networks of ``monai.networks.nets`` and losses of "
        "``monai.losses`` and ``torch.nn``",
        "a config may come from a stranger, and ``os.system`` is a path as well",
        "derive a class of your own from it, in a file of the MMAR",
    ),
    *(NotAccepted(f"``{name}`` of MONAI", why, "use another class of MONAI") for name, why in REFUSED.items()),
    *(
        NotAccepted(f"the argument ``{name}`` of a class of MONAI", why, "start from a file of your own: MMAR_CKPT")
        for name, why in REFUSED_ARGUMENTS.items()
    ),
    NotAccepted(
        "checkpoints that hold Python objects (a pickle)",
        "loading one can run any code",
        "save the state dict only: torch.save(network.state_dict(), ...)",
    ),
    NotAccepted(
        "``.npy`` files of Python objects",
        "loading one can run any code",
        "save arrays of numbers",
    ),
    NotAccepted(
        "handlers and expressions in ``log.config`` that Python would evaluate",
        "the file is read as text, never executed",
        "use the handlers of Python's logging: StreamHandler, FileHandler and the rotating ones",
    ),
    NotAccepted(
        "a chain of more than 1,000 transforms",
        "MONAI's parser takes quadratic time for it",
        "do several of them in one transform of your own",
    ),
)
_NO_EFFECT = (
    NotAccepted(
        "``search``, ``lr_search``, ``learning_rate_search_space`` (AutoML)",
        "AutoML is not part of this project",
        "the training that the config describes runs once",
    ),
    NotAccepted(
        "``use_xla``",
        "TensorFlow's compiler has no counterpart here",
        "nothing",
    ),
    NotAccepted(
        "``use_scanning_window``, ``dynamic_input_shape``",
        "the inferer of the config decides, and networks take any size that they can",
        "nothing",
    ),
    NotAccepted(
        "federated learning",
        "it is not part of this project",
        "run the training of one site; NVIDIA FLARE works with MONAI bundles",
    ),
)

NOT_ACCEPTED: Mapping[str, tuple[NotAccepted, ...]] = {
    "Settings of a training": tuple(SETTINGS.values()),
    "Components": _COMPONENTS,
    "TensorFlow in your code": _TENSORFLOW,
    "Files": _FILES,
    "Refused for safety": _SAFETY,
    "Accepted, and without effect": _NO_EFFECT,
}
"""Everything, by the section of the page."""
