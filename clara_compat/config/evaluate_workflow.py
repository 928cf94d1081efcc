"""The typed evaluation workflow: what a config of ``nvmidl.apps.evaluate`` or of the annotation server says.

Keys: clara-3.1 engine facts, section 1.8. How the annotation server's files are laid out is known from a few examples
only (`assumed`): the same keys at the top, below ``inference``, or (version 2) below the name of the model; one
``writer`` in place of ``writers``; the size of the windows as ``roi`` of ``inference``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clara_compat.config.arguments import check_arguments
from clara_compat.config.components import Catalogue, ComponentResolver, ComponentSpec, Slot
from clara_compat.config.loading import Loading, Workflow, open_config
from clara_compat.config.paths import JSONPath, format_path
from clara_compat.config.settings import EvaluateSettings
from clara_compat.config.variables import because
from clara_compat.config.workflow import evaluation_key
from clara_compat.errors import Address, ClaraError

__all__ = ["EvaluateWorkflow", "is_evaluation", "load_evaluate_workflow"]

_FAMILIES = {
    "pre_transforms": "transforms",
    "post_transforms": "transforms",
    "label_transforms": "transforms",
    "inferer": "inferers",
    "model_loader": "model_loaders",
    "val_metrics": "metrics",
    "writers": "writers",
}
_SINGLE = ("inferer", "model_loader", "writer")
_OTHER_NAMES = {"writers": ("writer",), "inferer": ("inference",)}
_WINDOW_KEYS = ("roi_size", "roi")


@dataclass(frozen=True, kw_only=True)
class EvaluateWorkflow(Workflow):
    """A config for evaluation or inference, resolved.

    Args:
        settings: the typed top level.
        pre_transforms: of the image.
        post_transforms: of the prediction, field ``model``.
        label_transforms: of the label.
        inferer: how the network sees an image; None for the whole image at once.
        model_loader: where the network comes from, or None.
        val_metrics: metrics of fields that the chains leave.
        writers: writers of such fields.
        annotation: the file is one of the annotation server's.
    """

    settings: EvaluateSettings
    pre_transforms: list[ComponentSpec]
    post_transforms: list[ComponentSpec] = field(default_factory=list)
    label_transforms: list[ComponentSpec] = field(default_factory=list)
    inferer: ComponentSpec | None = None
    model_loader: ComponentSpec | None = None
    val_metrics: list[ComponentSpec] = field(default_factory=list)
    writers: list[ComponentSpec] = field(default_factory=list)
    annotation: bool = False

    @property
    def specs(self) -> list[ComponentSpec]:
        """All components in the order of the keys."""
        single = [self.inferer, self.model_loader]
        chains = [*self.pre_transforms, *self.post_transforms, *self.label_transforms]
        return [*(spec for spec in single if spec is not None), *chains, *self.val_metrics, *self.writers]


def is_evaluation(data: Mapping[str, Any]) -> bool:
    """Whether a document is a config for evaluation, or the annotation server's."""
    return evaluation_key(data) is not None or ("train" not in data and _pick(data) is not None)


def load_evaluate_workflow(
    config: str | Path,
    *,
    mmar: str | Path | None = None,
    env: str | Path | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    user_code_required: bool = True,
    user_code: bool = True,
    catalogue: Catalogue | None = None,
) -> EvaluateWorkflow:
    """Read, resolve and check a config for evaluation or inference. User code is never imported, nothing is run.

    Args:
        config: the config file; a relative one is looked up from here, then from the MMAR.
        mmar: the MMAR's folder; by default the parent of the config's folder when that is called ``config``, else the
            config's folder.
        env: the environment file, looked up like the config; by default ``config/environment.json`` of the MMAR.
        overrides: ``K=V`` texts of ``--set``, or a mapping of typed values.
        user_code_required: whether a user module that is not found is an error rather than a notice.
        user_code: whether the config may name user code.
        catalogue: the built-in components; those of this package when None.

    Raises:
        ClaraError: what is wrong; several things at once as :class:`~clara_compat.config.problems.ConfigErrors`.
    """
    loading = open_config(
        config,
        mmar=mmar,
        env=env,
        overrides=overrides,
        user_code_required=user_code_required,
        user_code=user_code,
        catalogue=catalogue,
    )
    try:
        return _workflow(loading)
    except RecursionError as error:
        raise ClaraError("lists and objects are nested too deeply", Address(str(config))) from error


def _workflow(loading: Loading) -> EvaluateWorkflow:
    raw, address = loading.document.data, loading.document.address
    if "train" in raw:
        raise ClaraError("this is a config for training: run it with clara-compat train", address("train"))
    prefix = _prefix(loading)
    annotation = bool(prefix) or "inference" in raw or "version" in raw
    known = {*_FAMILIES, "inference", "writer"} | (set(raw) if annotation else set())
    settings = loading.typed(EvaluateSettings, known)
    slots = {name: slot for name in _FAMILIES if (slot := _slot(loading, prefix, name)) is not None}
    resolver = ComponentResolver(
        loading.document,
        loading.undefined,
        loading.roots,
        loading.catalogue,
        loading.problems,
        loading.user_code_required,
        ref_section=None,
    )
    by_path = resolver.resolve(list(slots.values()))
    found = {name: by_path[slot.path] for name, slot in slots.items()}
    if "inferer" not in found and (windows := _annotation_windows(loading, prefix)) is not None:
        found["inferer"] = [windows]
    if annotation:
        _give_folder(found.get("writers", ()), loading.variables["MMAR_EVAL_OUTPUT_PATH"])
    check_arguments((spec for specs in found.values() for spec in specs), loading.problems)
    if not found.get("pre_transforms") and not loading.problems.errors:
        path = slots["pre_transforms"].path if "pre_transforms" in slots else ("pre_transforms",)
        loading.problems.error(
            f"there are no 'pre_transforms', which load the image{because(loading.undefined, path)}",
            loading.document.address(*path),
        )
    fields = loading.workflow_fields()
    if settings is None:
        raise RuntimeError("a workflow without settings, and no error that says so")
    for name in _FAMILIES:
        specs = found.get(name, [])
        fields[name] = next(iter(specs), None) if name in _SINGLE else specs
    return EvaluateWorkflow(settings=settings, annotation=annotation, **fields)


def _pick(data: Mapping[str, Any]) -> JSONPath | None:
    """Return where the transforms stand: at the top, below the only model; None when there are none or several."""
    if any(key in data for key in ("pre_transforms", "inference")):
        return ()
    names = list(_models(data))
    return (names[0],) if len(names) == 1 else None


def _models(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        if isinstance(value, dict) and any(key in value for key in ("pre_transforms", "post_transforms", "inference")):
            yield name


def _prefix(loading: Loading) -> JSONPath:
    data = loading.document.data
    found = _pick(data)
    if found is None and (names := list(_models(data))):
        raise ClaraError(
            f"this file describes several models ({', '.join(names)}): keep one of them in a file of its own",
            loading.document.address(names[1]),
        )
    return found or ()


def _slot(loading: Loading, prefix: JSONPath, name: str) -> Slot | None:
    """Return where the components of a kind stand in the document."""
    data = loading.document.data
    for key in (name, *_OTHER_NAMES.get(name, ())):
        for path in ((*prefix, key), (*prefix, "inference", key)):
            value: Any = data
            for part in path:
                value = value.get(part) if isinstance(value, dict) else None
            if value is None or (key == "inference" and not _is_inferer(value, loading.catalogue)):
                continue
            return Slot(path, _FAMILIES[name], single=key in _SINGLE or key == "inference")
    return None


def _is_inferer(value: Any, catalogue: Catalogue) -> bool:
    """Whether ``inference`` holds one of the catalogue's inferers, not one of the annotation server's own."""
    name = value.get("name") if isinstance(value, dict) else None
    return isinstance(name, str) and catalogue.family_of(name.partition("#")[0]) == "inferers"


def _annotation_windows(loading: Loading, prefix: JSONPath) -> ComponentSpec | None:
    """Return the inferer that the annotation server's ``inference`` stands for; None for the whole image at once."""
    value: Any = loading.document.data
    for part in (*prefix, "inference"):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return None
    args: dict[str, Any] = value["args"] if isinstance(value.get("args"), dict) else {}
    given = {**value, **args}
    size = next((given[key] for key in _WINDOW_KEYS if given.get(key) is not None), None)
    if size is None or given.get("scanning_window") in (False, "false", "False"):
        return None
    path: JSONPath = (*prefix, "inference", *(["args"] if args else []))
    windows = {"roi_size": size, **({"batch_size": args["batch_size"]} if "batch_size" in args else {})}
    name = "TFScanWindowInferer"
    return ComponentSpec(
        name,
        (),
        loading.catalogue.components[name],
        None,
        windows,
        loading.document.address(*prefix, "inference"),
        format_path((*prefix, "inference")),
        name,
        document=loading.document,
        args_path=path,
    )


def _give_folder(writers: Sequence[ComponentSpec], folder: Any) -> None:
    """Let the writers of the annotation server, which sent its results away, write into the evaluation's folder."""
    for spec in writers:
        if spec.cls is not None:
            spec.args.setdefault("write_path", folder)
