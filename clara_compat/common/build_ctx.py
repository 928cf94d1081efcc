"""What graph-building components (models, losses, optimizers, auxiliary operations) share while they are built.

Source: Clara 3.1 page "Bring your own components" (``must_get`` and the objects a model finds); Clara 3.1 API page of
``ai4med.common`` (the constants and their values).
"""

from __future__ import annotations

from typing import Any, Final

from clara_compat.common.base_ctx import BaseContext

__all__ = ["BuildContext"]


class BuildContext(BaseContext):
    """The objects that are already built, by key.

    The documented values of the constants begin with an underscore (reserved keys), while the page on own components
    names the same objects without it; here ``ctx["model_input"]`` finds what is stored under
    ``BuildContext.KEY_MODEL_INPUT``.

    ``KEY_OPTIMIZER`` is assumed; the other constants are documented.
    """

    KEY_DATA_PROP: Final = "_data_property"
    KEY_GRAPH: Final = "_graph"
    KEY_IS_TRAIN: Final = "_is_train"
    KEY_LABEL_INPUT: Final = "_label_input"
    KEY_LEARNING_RATE: Final = "_learning_rate"
    KEY_LOSS: Final = "_loss"
    KEY_MODEL_INPUT: Final = "_model_input"
    KEY_MODEL_LOSS: Final = "_model_loss"
    KEY_MODEL_OUTPUT: Final = "_model_output"
    KEY_MULTI_GPU: Final = "_multi_gpu"
    KEY_OPTIMIZER: Final = "_optimizer"
    KEY_PRINT_TENSORS: Final = "_print_tensors"
    KEY_STEP_TENSORS: Final = "_step_tensors"
    KEY_SUMMARY_TENSORS: Final = "_summary_tensors"
    KEY_TF_CONFIG: Final = "_tf_config"
    KEY_TF_SESSION: Final = "_tf_session"
    KEY_TRAIN_DATA_SOURCE: Final = "_train_data_source"
    KEY_UPDATE_OPS: Final = "_update_ops"
    KEY_VALIDATION_DATA_SOURCE: Final = "_validation_data_source"
    KEY_VALIDATION_OUTPUT_TENSORS: Final = "_validation_output_tensors"
    PROP_DUMP_DATA_ON_TRANSFORM_ERROR: Final = "_dump_data_on_trans_err"
    PROP_TRAINING_IMPOSSIBLE: Final = "_training_impossible"

    final_activation: str | None = None
    """What the predictions have gone through, ``softmax``, ``sigmoid`` or ``linear``; None where it is not known. Not
    Clara's: components of the catalogue that a user's class derives from need it."""

    def __missing__(self, key: Any) -> Any:
        reserved = f"_{key}"
        return self[reserved] if super().__contains__(reserved) else super().__missing__(key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(f"_{key}")

    def get(self, key: str, default: Any = None) -> Any:
        """Return an item, or ``default`` when there is none.

        Args:
            key: name of the item, one of the ``KEY_`` constants or the user's own.
            default: what is returned without one.
        """
        return self[key] if key in self else default  # noqa: SIM401 -- this is what get() does
