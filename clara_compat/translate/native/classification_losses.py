"""The loss of a classification: cross entropies of torch on logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.loss_form import LossForm

__all__ = ["native_classification_loss"]

_FUNCTIONAL = "torch.nn.functional"


def native_classification_loss(entry: Mapping[str, Any], facts: Facts) -> LossForm:
    """Return what stands in the place of the cross entropies of a label vector.

    One class index makes ``CrossEntropyLoss``, binary labels ``BCEWithLogitsLoss``, a mixture the mean of both.

    Args:
        entry: with ``classes_per_label``, and possibly ``class_weights`` and ``activation``.
        facts: of the config.
    """
    sizes = list(entry["classes_per_label"])
    weights = [float(one) for one in entry.get("class_weights") or ()]
    activation = entry.get("activation", "linear")
    texts = []
    if activation == "sigmoid" and max(sizes) > 1:
        texts.append("The outputs of a label go through a softmax, where they went through a sigmoid before.")
    if activation == "softmax" and 1 in sizes and len(sizes) > 1:
        texts.append("Outputs of binary labels go through a sigmoid each, where they shared a softmax.")
    if facts.indices:
        found: dict[str, Any] = {"_target_": "torch.nn.CrossEntropyLoss"}
        if weights:
            found["weight"] = f"$torch.tensor({weights!r}, device=@device)"
            texts.append("The weighted sum is divided by the sum of the weights, where it was by the number of items.")
        return LossForm(found, " ".join(texts))
    if 0.0 in weights:
        texts.append("Items whose class has the weight 0 count in the mean.")
    if set(sizes) == {1} and not weights:
        return LossForm({"_target_": "torch.nn.BCEWithLogitsLoss"}, " ".join(texts))
    return LossForm(_mixed(sizes, weights), " ".join(texts))


def _mixed(sizes: Sequence[int], weights: Sequence[float]) -> str:
    """Return the mean over the labels of their cross entropies as an expression of torch."""
    terms, output, weight = [], 0, 0
    for label, size in enumerate(sizes):
        given = weights[weight : weight + max(size, 2)]
        weight += max(size, 2)
        scores, truth = f"outputs[:, {output}:{output + size}]", f"labels[:, {label}]"
        if size == 1:
            truth = f"labels[:, {label}:{label + 1}]"
            more = f", weight={given[0]} + {truth} * ({given[1]} - {given[0]})" if given else ""
            terms.append(f"{_FUNCTIONAL}.binary_cross_entropy_with_logits({scores}, {truth}{more})")
        else:
            more = f", weight=outputs.new_tensor({list(given)!r}), reduction='sum'" if given else ""
            term = f"{_FUNCTIONAL}.cross_entropy({scores}, {truth}.long(){more})"
            terms.append(f"{term} / len(labels)" if given else term)
        output += size
    return f"$lambda outputs, labels: ({' + '.join(terms)}) / {len(sizes)}"
