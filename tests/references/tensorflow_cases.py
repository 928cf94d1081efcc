"""Which components are compared with TensorFlow, and on what.

Read by the script that makes the arrays; the test reads what the script recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """One comparison.

    Args:
        component: ``module.Class`` below ``tests/tensorflow/components``.
        args: its arguments.
        kind: ``model`` or ``loss``.
        shape: of the image or of the predictions, channel-first, with the batch.
        label: channels of the label; 0 means one-hot classes (N, classes) as in a classification.
        classes: the label holds 0..classes-1; 0 means real numbers, as in a regression.
        predictions: of a loss: ``logits``, ``softmax`` or ``sigmoid`` of random numbers.
        data_format: layout that the component sees.
        ignored: share of the label that is -1.
        modes: what is computed; a component that draws random numbers in training has no ``training``.
        checkpoint: whether ``tf.train.Saver`` writes its variables too.
    """

    component: str
    args: dict[str, Any] = field(default_factory=dict)
    kind: str = "model"
    shape: tuple[int, ...] = (2, 1, 6, 4, 8)
    label: int = 1
    classes: int = 2
    predictions: str = "logits"
    data_format: str = "channels_first"
    ignored: float = 0.0
    modes: tuple[str, ...] = ("inference", "training")
    checkpoint: bool = False


def _loss(component: str, args: dict[str, Any] | None = None, **rest: Any) -> Case:
    return Case(component, args or {}, kind="loss", **{"shape": (2, 3, 5, 6, 4), "classes": 3, **rest})


LAST = "channels_last"

CASES: dict[str, Case] = {
    "custom_network": Case("custom_network.CustomNetwork", {"num_classes": 2, "factor": 2}, checkpoint=True),
    "custom_network_softmax": Case(
        "custom_network.CustomNetwork", {"num_classes": 3, "factor": 2, "final_activation": "softmax"}
    ),
    "custom_network_last": Case(
        "custom_network.CustomNetwork",
        {"num_classes": 2, "factor": 2, "data_format": LAST, "final_activation": "sigmoid"},
        data_format=LAST,
    ),
    "layers_unet": Case("layers_unet.LayersUNet", {"base_filters": 2}, shape=(2, 2, 8, 4, 8), checkpoint=True),
    "layers_unet_last": Case(
        "layers_unet.LayersUNet", {"base_filters": 2, "depth": 1}, shape=(2, 2, 6, 4, 8), data_format=LAST
    ),
    "cond_norm": Case("cond_norm.CondNorm"),
    "cond_norm_dropout": Case("cond_norm.CondNorm", {"keep_prob": 0.5}, modes=("inference",)),
    "raw_conv": Case("raw_conv.RawConvNet", shape=(2, 2, 7, 5, 6)),
    "slim_vnet": Case("slim_vnet.SlimVNet", {"nf": 3}, data_format=LAST),
    "slim_flat": Case("slim_flat.SlimFlat", shape=(3, 2, 21, 18), label=0, classes=3),
    "attention_gate": Case("attention_gate.GatedNet"),
    "keras_residual": Case("keras_residual.KerasResidual", {"nf": 6}),
    "keras_residual_plain_updates": Case("keras_residual.KerasResidual", {"nf": 2, "update_statistics": False}),
    "keras_residual_dropout": Case("keras_residual.KerasResidual", {"nf": 2, "dropout": 0.4}, modes=("inference",)),
    "vae_branch": Case("vae_branch.VaeBranch", {"stddev": 0.0}),
    "vae_branch_last": Case("vae_branch.VaeBranch", {"stddev": 0.0, "data_format": LAST}, data_format=LAST),
    "deep_supervision": Case("deep_supervision.DeepSupervision", classes=3),
    "dense_head": Case(
        "dense_head.DenseHead", {"num_classes": 3, "rate": 0.0}, shape=(4, 3, 13, 10), label=0, classes=3
    ),
    "dense_head_dropout": Case(
        "dense_head.DenseHead", {"num_classes": 3}, shape=(4, 3, 13, 10), label=0, classes=3, modes=("inference",)
    ),
    "siamese": Case("siamese.Siamese", shape=(2, 2, 5, 4, 6)),
    "flat_unet": Case("flat_unet.FlatUNet", shape=(2, 2, 12, 16), data_format=LAST),
    "odd_sizes": Case("odd_sizes.OddSizes", shape=(2, 2, 7, 6, 9)),
    "functional_model": Case("functional_model.FunctionalModel"),
    "inner_session": Case("inner_session.InnerSession", shape=(2, 2, 9, 8), modes=("inference",)),
    "ema_bn": Case("ema_bn.EmaNet", shape=(2, 1, 5, 6, 4), data_format=LAST),
    "switching": Case("switching.Switching", shape=(2, 1, 6, 5, 6)),
    "normed_weights": Case("normed_weights.NormedWeights", shape=(2, 1, 6, 5, 6)),
    "normed_weights_inline": Case("normed_weights.NormedWeights", {"collect": False}, shape=(2, 1, 6, 5, 6)),
    "transformer": Case("transformer.PatchTransformer", shape=(2, 1, 4, 4, 6)),
    "spatial_transformer": Case("spatial_transformer.WarpedNet", shape=(2, 1, 6, 5, 7), data_format=LAST),
    "subclassed_keras": Case("subclassed_keras.SubclassedUNet", {"in_init": False}, shape=(1, 1, 8, 8, 8)),
    "deeplab": Case("deeplab.DeepLab2D", shape=(2, 3, 16, 24), data_format=LAST),
    "dice": _loss("cloned_dice.MyClonedDiceLoss", predictions="softmax"),
    "dice_options": _loss(
        "cloned_dice.MyClonedDiceLoss",
        {"skip_background": True, "squared_pred": True, "jaccard": True, "smooth": 0.1, "top_smooth": 0.2},
        predictions="softmax",
    ),
    "dice_last": _loss("cloned_dice.MyClonedDiceLoss", {"data_format": LAST}, predictions="softmax", data_format=LAST),
    "dice_onehot_flat": _loss(
        "cloned_dice.MyClonedDiceLoss", {"is_onehot_targets": True}, shape=(2, 3, 9, 7), label=3, predictions="sigmoid"
    ),
    "tversky": _loss("tversky.TverskyLoss", shape=(2, 1, 5, 6, 4), classes=2),
    "tversky_focal": _loss("tversky.TverskyLoss", {"gamma": 0.75}, shape=(2, 1, 5, 6, 4), classes=2),
    "binary_focal": _loss("focal.BinaryFocal", shape=(2, 1, 5, 6, 4), classes=2),
    "softmax_focal": _loss("focal.SoftmaxFocal"),
    "generalized_dice": _loss("generalized_dice.GeneralizedDice"),
    "generalized_dice_absent": _loss("generalized_dice.GeneralizedDice", {"w_type": "Simple"}, classes=2),
    "generalized_dice_last": _loss("generalized_dice.GeneralizedDice", {"data_format": LAST}, data_format=LAST),
    "log_cosh_dice": _loss("generalized_dice.LogCoshDice", shape=(2, 2, 5, 6, 4), label=2, classes=2),
    "dice_entropy": _loss("keras_entropy.DiceAndEntropy", shape=(2, 1, 5, 6, 4), classes=2, predictions="sigmoid"),
    "dice_entropy_logits": _loss("keras_entropy.DiceAndEntropy", {"from_logits": True}, shape=(2, 1, 9, 7), classes=2),
    "weighted_categorical": _loss("keras_entropy.WeightedCategorical", predictions="softmax"),
    "boundary": _loss("boundary.BoundaryLoss", shape=(2, 2, 5, 6, 4), classes=2),
    "boundary_weights": _loss("boundary.SurfaceWeighted", shape=(2, 1, 5, 6, 4), classes=2),
    "critic": _loss("critic.CriticLoss", shape=(2, 1, 5, 6, 4), classes=2),
    "sobel": _loss("critic.SobelLoss", shape=(2, 1, 5, 6, 4), classes=2),
    "weighted_entropy": _loss("weighted_entropy.WeightedEntropy", ignored=0.2),
    "sigmoid_entropies": _loss("weighted_entropy.SigmoidEntropies", shape=(2, 1, 5, 6, 4), classes=2),
    "regression": _loss("regression.ManyTerms", shape=(2, 2, 9, 7), label=2, classes=0),
    "regression_last": _loss("regression.ManyTerms", shape=(2, 2, 9, 7), label=2, classes=0, data_format=LAST),
    "classification": _loss("regression.Classification", shape=(5, 3), label=0),
    "lovasz": _loss("lovasz.LovaszHinge", shape=(2, 1, 5, 4, 3), classes=2),
    "active_contour": _loss("image_terms.ActiveContour", shape=(2, 1, 5, 6, 4), classes=2),
    "local_correlation": _loss("image_terms.LNCC", shape=(2, 1, 5, 6, 4), classes=0),
    "similarity": _loss("image_terms.SSIM2D", shape=(2, 2, 14, 12), label=2, classes=0),
    "gradient_difference": _loss("image_terms.GDLPad", shape=(2, 1, 5, 6, 4), classes=0),
    "skeleton": _loss("skeleton.CLDice", shape=(2, 1, 5, 6, 4), classes=2),
    "hard_examples": _loss("hard_examples.OHEMPerSample", shape=(3, 1, 5, 6, 4), classes=2),
    "hinge_by_item": _loss("hard_examples.LovaszHingeCond", shape=(3, 1, 5, 4, 3), classes=2),
}
