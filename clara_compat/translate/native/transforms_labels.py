"""Labels, channels and what is made of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.transforms_intensity import cast
from clara_compat.translate.native.writing import fields, made, sentences, spelled

__all__ = ["LABELS"]

_MODULE = "clara_compat.engine.transforms"
_BRATS = [[1, 4], [1, 2, 4], [4]]
"""The labels of TC, WT and ET, as MONAI's transform for BraTS has them."""


def _layout(_entry: Mapping[str, Any], _: NativeContext) -> Native:
    """Only says where legacy code sees the channel axis: MONAI's images are channel-first at all times."""
    return Native([])


def _replaced(entry: Mapping[str, Any], _: NativeContext) -> Native:
    labels = {"orig_labels": entry["orig_labels"], "target_labels": entry["target_labels"]}
    return Native([made("MapLabelValued", keys=entry["keys"], **labels)], "labels of other types become float32")


def _groups(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """MONAI's transform for BraTS has these classes in this order, and volumes only."""
    keys, groups = entry["keys"], [list(group) for group in entry["groups"]]
    if groups == _BRATS and context.spatial_dims == 3:
        convert = made("ConvertToMultiChannelBasedOnBratsClassesd", keys=keys)
        return Native([convert, made("CastToTyped", keys=keys, dtype="$np.float32")])
    func = f"$lambda label: torch.cat([sum(label == value for value in group) > 0 for group in {groups}]).float()"
    return Native([made("Lambdad", keys=keys, func=func)])


def _one_hot(entry: Mapping[str, Any], _: NativeContext) -> Native:
    return Native([made("AsDiscreted", keys=entry["keys"], to_onehot=entry["num_classes"])])


def _fields_of_groups(entry: Mapping[str, Any], _: NativeContext) -> Native:
    members = [
        "$lambda label: (" + " | ".join(f"(label == {value!r})" for value in group) + ").float()"
        for group in entry["groups"]
    ]
    return Native([_new_fields(entry, members)])


def _fields_of_channels(entry: Mapping[str, Any], _: NativeContext) -> Native:
    count = len(entry["output_keys"])
    channels = [f"$lambda image: image[{index}:{index + 1}].clone()" for index in range(count)]
    difference = "an image of more channels than there are names is no error: the further ones are left out"
    return Native([_new_fields(entry, channels)], difference)


def _new_fields(entry: Mapping[str, Any], functions: Sequence[str]) -> dict[str, Any]:
    """Return what makes one new field of ``key`` by each function."""
    names = list(entry["output_keys"])
    return made("Lambdad", keys=[entry["key"]] * len(names), func=list(functions), overwrite=names)


def _activation(entry: Mapping[str, Any], _: NativeContext) -> Native:
    keys, sizes = entry["keys"], entry.get("classes_per_label")
    sigmoid, softmax = entry.get("sigmoid", True), entry.get("softmax", True)
    if not sigmoid and not softmax:
        return Native([])
    if sizes is not None and all(size == 1 for size in sizes):
        return Native([made("Activationsd", keys=keys, sigmoid=True)] if sigmoid else [])
    if sizes is not None and len(sizes) == 1:
        return Native([made("Activationsd", keys=keys, softmax=True)] if softmax else [])
    single, several = "x.sigmoid()" if sigmoid else "x", "x.softmax(0)" if softmax else "x"
    one = f"{several} if len(x) > 1 else {single}"
    if sizes is None:
        func = f"$lambda x: {one}"
    else:
        func = f"$lambda outputs: torch.cat([{one} for x in outputs.split({list(sizes)})])"
    return Native([made("Lambdad", keys=keys, func=func)])


def _largest(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """``KeepLargestConnectedComponentd`` needs scikit-image, and finds the objects of each label by itself."""
    objects = f"ndimage.label(channel.cpu() > 0, np.ones([3] * {context.spatial_dims}))[0]"
    largest = "objects == np.bincount(objects.ravel(), minlength=2)[1:].argmax() + 1"
    kept = f"torch.where(torch.as_tensor({largest}, device=channel.device), channel, 0)"
    func = f"$lambda label: torch.stack([{kept} for channel in label for objects in [{objects}]])"
    return Native([made("Lambdad", keys=entry["keys"], func=func)], imports=["from scipy import ndimage"])


def _copied(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """The affine is all that MONAI's transforms and writers read; it is scaled where the sizes differ."""
    if "affine" not in entry["properties"]:
        spacing = "the spacing is not copied: MONAI has none besides the affine"
        return Native([], spacing if "spacing" in entry["properties"] else "")
    source = f"item[{spelled(entry['source_key'])}]"
    scale = f"monai.transforms.utils.scale_affine({source}.shape[1:], item[key].shape[1:])"
    affine = f"torch.matmul({source}.affine, torch.as_tensor(monai.data.utils.to_affine_nd(3, {scale})))"
    keys = spelled(fields(entry["keys"]))
    copied = f"{{key: monai.data.MetaTensor(item[key], affine={affine}) for key in {keys}}}"
    return Native([made("Lambda", func=f"$lambda item: {{**item, **{copied}}}")])


def _marked(entry: Mapping[str, Any], _: NativeContext) -> Native:
    keys, perturbation = entry["keys"], entry.get("perturbation", 0)
    marked = made(
        "AddExtremePointsChanneld",
        keys=keys,
        label_key=entry["label_key"],
        pert=perturbation / 2,
        sigma=entry["sigma"],
        rescale_min=entry["rescale_min"],
        rescale_max=entry["rescale_max"],
    )
    entries = [*cast(keys, entry["dtype"]), marked]
    if entry.get("points_key") is not None:
        last = {"func": "$lambda image: image[-1:].clone()", "overwrite": entry["points_key"]}
        entries.append(made("Lambdad", keys=fields(keys)[:1], **last))
    ties = "of equally extreme voxels one is drawn at random, every time, instead of the one nearest to their middle"
    moved = "the points are moved only towards higher indices" if perturbation else ""
    return Native(entries, sentences(ties, moved, "the label must have one channel"))


def _points(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """From voxels of the mask by its affine to mm, and by the file's affine to voxels of the file."""
    image, label = (f"item[{spelled(entry[name])}]" for name in ("image_key", "label_key"))
    rank = context.spatial_dims
    in_file = f"monai.data.utils.to_affine_nd({rank}, np.asarray({image}.meta.get('original_affine', np.eye(4))))"
    in_mask = f"monai.data.utils.to_affine_nd({rank}, np.asarray({label}.affine.cpu()))"
    marked = f"({label} > 0).any(0)"
    found = f"monai.transforms.utils.get_extreme_points({marked}, rand_state=np.random.RandomState(0))"
    place = f"np.linalg.solve({in_file}, {in_mask}).T"
    voxels = f"np.rint(np.pad({found}, ((0, 0), (0, 1)), constant_values=1).dot({place}))[:, :{rank}].astype(int)"
    points = f"{voxels}.tolist() if {marked}.any() else []"
    lambd = made("Lambda", func=f"$lambda item: {{**item, {spelled(entry['points_key'])}: {points}}}")
    difference = (
        "of equally extreme voxels any one is taken, instead of the one nearest to their middle; first and last point "
        "are those of the axes that the chain's image has; crops are undone"
    )
    return Native([lambd], difference)


LABELS = {
    f"{_MODULE}.channels.LabelChannelsd": _layout,
    f"{_MODULE}.channels.ConvertToChannelsFirstd": _layout,
    f"{_MODULE}.channels.ConvertToChannelsLastd": _layout,
    f"{_MODULE}.replace_labels.ReplaceLabelsd": _replaced,
    f"{_MODULE}.label_groups.LabelGroupsToChannelsd": _groups,
    f"{_MODULE}.label_groups.LabelsToOneHotd": _one_hot,
    f"{_MODULE}.label_groups.SplitLabelGroupsd": _fields_of_groups,
    f"{_MODULE}.split_channels.SplitChannelsd": _fields_of_channels,
    f"{_MODULE}.activate_predictions.ActivatePredictionsd": _activation,
    f"{_MODULE}.keep_largest_component.KeepLargestComponentd": _largest,
    f"{_MODULE}.copy_properties.CopyPropertiesd": _copied,
    f"{_MODULE}.extreme_points.AddExtremePointsd": _marked,
    f"{_MODULE}.extreme_points.RandAddExtremePointsd": _marked,
    f"{_MODULE}.extreme_points.FetchExtremePointsd": _points,
}
"""What each transform of labels, channels and predictions becomes, by its target."""
