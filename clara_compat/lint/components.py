"""The components a file defines: which family, whether that family runs, and whether the class has what it needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clara_compat.config.user_code import UserClass, find_user_class
from clara_compat.config.user_roots import UserRoots
from clara_compat.config.user_source import read_source
from clara_compat.errors import ClaraError
from clara_compat.lint.findings import Component, Finding, Status
from clara_compat.lint.legacy_bases import BASES, built_in_family
from clara_compat.lint.reach import lines_of
from clara_compat.lint.source import Module, at

__all__ = ["DO_NOT_RUN", "METHODS", "components", "structure_findings"]

METHODS = {
    "models": ("get_predictions", "inputs, is_training, build_ctx"),
    "losses": ("get_loss", "predictions, targets, build_ctx"),
    "transforms": ("transform", "transform_ctx"),
    "optimizers": ("get_optimizer", "lr"),
    "lr_policies": ("evaluate", "train_ctx"),
    "aux_ops": ("get_output_tensors", "predictions, label, build_ctx"),
    "inferers": ("infer", "model_input_values, input_shape_format, inference_ctx"),
    "writers": ("write", "input_file_name, data_dict"),
}
"""The method a component of a family must have, and the arguments it is called with, by position."""
DO_NOT_RUN = {
    "pipelines": "use a built-in pipeline, and do the work in a transform",
    "inferers": "use TFScanWindowInferer or TFSimpleInferer",
    "model_loaders": "use CheckpointLoader",
}
"""Families of which only the built-in components run, and what to do."""
_SINGULAR = {
    "models": "model",
    "losses": "loss",
    "transforms": "transform",
    "metrics": "metric",
    "optimizers": "optimizer",
    "lr_policies": "learning rate policy",
    "aux_ops": "auxiliary operation",
    "inferers": "inferer",
    "writers": "writer",
    "handlers": "handler",
    "pipelines": "data pipeline",
    "model_loaders": "model loader",
}
_GRAPH_FAMILIES = frozenset({"models", "losses", "aux_ops", "optimizers"})
_PORTED = {
    "losses": {
        "generalized": "monai.losses.GeneralizedDiceLoss",
        "generalised": "monai.losses.GeneralizedDiceLoss",
        "dicefocal": "monai.losses.DiceFocalLoss",
        "focaldice": "monai.losses.DiceFocalLoss",
        "focaltversky": "monai.losses.TverskyLoss",
        "dicece": "monai.losses.DiceCELoss",
        "crossentropydice": "monai.losses.DiceCELoss",
        "dicecrossentropy": "monai.losses.DiceCELoss",
        "tversky": "monai.losses.TverskyLoss",
        "focal": "monai.losses.FocalLoss",
        "hausdorff": "monai.losses.HausdorffDTLoss",
        "boundary": "monai.losses.HausdorffDTLoss",
        "ssim": "monai.losses.SSIMLoss",
        "dice": "monai.losses.DiceLoss",
        "crossentropy": "torch.nn.CrossEntropyLoss",
    },
    "models": {
        "attentionunet": "monai.networks.nets.AttentionUnet",
        "segresnet": "monai.networks.nets.SegResNet",
        "dynunet": "monai.networks.nets.DynUNet",
        "nnunet": "monai.networks.nets.DynUNet",
        "vnet": "monai.networks.nets.VNet",
        "unet": "monai.networks.nets.UNet",
        "densenet": "monai.networks.nets.DenseNet121",
        "resnet": "monai.networks.nets.ResNet",
        "highres": "monai.networks.nets.HighResNet",
        "ahnet": "monai.networks.nets.AHNet",
    },
}
"""What MONAI has for a component whose name says what it is; the first that fits."""
_CLARA = ("ai4med.", "clara_compat.")
"""Where a component's base may be imported from."""
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]")


@dataclass(frozen=True)
class _Found:
    definition: ast.ClassDef
    user: UserClass
    family: str
    base: str
    """The legacy class it derives from, as far as its own file says; empty when it is none of Clara's."""
    is_base: bool
    """Whether another class of the file derives from it."""


def components(module: Module, findings: Sequence[Finding]) -> Iterator[Component]:
    """Yield each component of a file with whether it runs, given what was found in the file."""
    for found in _all(module):
        noun = _SINGULAR[found.family]
        reached = lines_of(module.tree, found.definition)
        broken = sorted({one.line for one in findings if not one.status.passes and one.line in reached})
        uses = any(one.symbol.startswith("tensorflow.") and one.line in reached for one in findings)
        status = Status.RUNS
        if found.family in DO_NOT_RUN:
            status = Status.FAILS
            how = f"{noun}s of your own are not run: {DO_NOT_RUN[found.family]}"
        elif broken:
            status = Status.FAILS
            how = f"see line {', '.join(map(str, broken[:5]))}{' and more' if len(broken) > 5 else ''}"
        elif uses and found.family in _GRAPH_FAMILIES:
            how = "runs unmodified; its TensorFlow is computed by torch"
        else:
            how = "runs as it is"
        name = found.definition.name
        yield Component(found.definition.lineno, name, found.family, status, f"{noun} {name}: {how}", _ported(found))


def structure_findings(module: Module) -> Iterator[Finding]:
    """Yield what is wrong with the shape of the components: a method that is missing, a base that is not set up."""
    for found in _all(module):
        if found.family in METHODS and found.family not in DO_NOT_RUN:
            yield from _method(module, found)
        yield from _base_init(found)


def _all(module: Module) -> list[_Found]:
    """Return the components of a file."""
    found: list[_Found] = []
    parts = module.file.relative_to(module.root).with_suffix("").parts
    dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    definitions = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    bases = {base.id for one in definitions for base in one.bases if isinstance(base, ast.Name)}
    for definition in definitions:
        known = [module.names.meaning(base) or "" for base in definition.bases]
        if any(one and not one.startswith(_CLARA) and _is_foreign(module, one) for one in known):
            continue
        try:
            user = find_user_class(f"{dotted}.{definition.name}", UserRoots((module.root,)), None, built_in_family)
        except ClaraError:  # a class that is no component, or one in a file that no config could name
            continue
        family = user.family
        if family in _SINGULAR:
            base = next((one.rpartition(".")[2] for one in known if one.startswith(_CLARA)), "")
            found.append(_Found(definition, user, family, base, definition.name in bases))
    return found


def _is_foreign(module: Module, name: str) -> bool:
    """Whether a base is a class of TensorFlow or torch: a layer, a module."""
    top = module.table.canonical(name).partition(".")[0]
    return top in ("tensorflow", "torch", "monai", "ignite")


def _method(module: Module, found: _Found) -> Iterator[Finding]:
    name, arguments = METHODS[found.family]
    definition = found.definition
    own = next((one for one in definition.body if isinstance(one, ast.FunctionDef) and one.name == name), None)
    line, column = at(definition if own is None else own)
    noun = _SINGULAR[found.family]
    if own is None:
        seen = {name, "build"} & found.user.methods
        if not found.is_base and not seen and _is_all_seen(module, found):
            text = f"{noun} {definition.name} has no method {name}({arguments})"
            yield Finding(line, column, Status.FAILS, text)
        return
    if own.decorator_list:
        return
    given = [*own.args.posonlyargs, *own.args.args]
    least = len(given) - len(own.args.defaults)
    wanted = len(arguments.split(", ")) + 1
    if least > wanted or (len(given) < wanted and own.args.vararg is None):
        text = f"{definition.name}.{name} takes {len(given) - 1} arguments, it is called with ({arguments}) by position"
        yield Finding(line, column, Status.FAILS, text)


def _is_all_seen(module: Module, found: _Found) -> bool:
    """Whether all bases are seen, and none of them is a built-in that has the method already."""
    source = read_source(module.file)
    return all(
        name in BASES or name == "object" or source.find(name, module.root) is not None for name in found.user.ancestors
    )


def _base_init(found: _Found) -> Iterator[Finding]:
    """Find a constructor that does not call that of its legacy base."""
    definition = found.definition
    init = next((one for one in definition.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    if init is None or not found.base:
        return
    calls = [node.func for node in ast.walk(init) if isinstance(node, ast.Call)]
    if any(isinstance(call, ast.Attribute) and call.attr == "__init__" for call in calls):
        return
    line, column = at(init)
    text = f"{definition.name}.__init__ does not call {found.base}.__init__(self"
    written = {
        node.attr for node in ast.walk(init) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    missing = [name for name in BASES.get(found.base, ()) if name not in written]
    if not missing:
        yield Finding(
            line, column, Status.DIFFERS, f"{text}): that does nothing here, but Clara's examples all call it"
        )
    else:
        names = " and ".join(f"self.{name}" for name in missing)
        yield Finding(line, column, Status.FAILS, f"{text}, ...), which sets {names}")


def _ported(found: _Found) -> str:
    words = _WORD.findall(found.definition.name)
    rests = ["".join(words[start:]).lower() for start in range(len(words))]
    known = _PORTED.get(found.family, {})
    return next((path for word, path in known.items() if any(rest.startswith(word) for rest in rests)), "")
