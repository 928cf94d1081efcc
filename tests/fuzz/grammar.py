"""Configs as people and strangers write them: a whole one, with anything in it wrong.

Everything is drawn from a ``random.Random``: the generator's own for the bulk, hypothesis' where a failure is to
shrink.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from random import Random
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from clara_compat.components.catalogue import components, family

__all__ = ["Grammar"]

CALL = "$__import__('os').system('touch canary')"

NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 3, 7, 255, -(2**31), 2**31, 2**32, 2**63, 2**64, 10**12, 10**18, -(10**30), 10**400),
    *(0.0, -0.0, 0.5, 1e-3, 1e-320, 1e16, 1e300, -1e300, 1e308, float("nan"), float("inf"), float("-inf"), 2.5, 3.0),
]
WORDS = [
    *("", " ", "x", "image", "label", "model", "0", "-1", "3", "1e400", "nan", "inf", "-Infinity", "true", "None"),
    *("image,label", "16,16,16", "4,4,4,4", "1,", "[1,2", "(1,)", "NaN", "9" * 5000, "1_000", "0x10", "١٢٣"),
    *(
        "\x00",
        "a\x00b",
        "\x1b[31mred",
        "\ud800",
        "a\udfffb",
        "\u202eabc",
        "\ufeff",
        "é",
        "日本語",
        "🩻",
        "\n",
        "a\nb\t",
    ),
    *(CALL, "$1+1", "@network", "@train::canary", "%/etc/passwd", "%canary.json::x", "a::b", "a#b", "#", "##", "x#y#z"),
    *(
        "{",
        "}",
        "{{",
        "}}",
        "{{}}",
        "{}",
        "{0}",
        "{DATA_ROOT}",
        "{NOPE}",
        "{a.b}",
        "{a[0]}",
        "{a!r}",
        "{a:9999999999d}",
    ),
    *("{A}", "{B}", "{A}{A}{A}", "x{B}y", "{DATA_ROOT}/../..", "{epochs}", "{ DATA_ROOT }", "{é}", "{日本}", "{A-B}"),
    *(
        "..",
        "../../../canary",
        "/",
        "/etc/passwd",
        "/dev/null",
        "/dev/zero",
        "/proc/self/mem",
        "~",
        "~root",
        "a/" * 3000,
    ),
    *("n" * 300, "n" * 300 + "/x", ".", "./", "C:\\x", "http://localhost/x", "file:///etc/passwd", "models", "eval"),
    *("mine.Mine", "mine.NoSuch", "broken.Broken", "os.system", "monai.losses.DiceLoss", "torch.nn.Linear", "a" * 5000),
]
KEYS = [
    *("_target_", "_requires_", "_mode_", "_disabled_", "_desc_", "__class__", "", " ", "name", "path", "ref", "args"),
    *(
        "disabled",
        "search",
        "apply",
        "_parked",
        CALL,
        "@network",
        "a::b",
        "a#b",
        "é",
        "x.y",
        "x[0]",
        "class_attributes",
    ),
    *("fields", "field", "size", "nam", "Args", "epochs", "train", "validate", "\x00", "\ud800", "{A}", "self", "cls"),
]
_USUAL = [
    *("ScaleByFactor", "ScaleByResolution", "ScaleToShape", "ScaleIntensityOscillation", "ScaleShiftIntensity"),
    *("RandomSpatialFlip", "RandomZoom", "RandomRotate3D", "AddGaussianNoise", "NormalizeNonzeroIntensities"),
    *(
        "AdjustContrast",
        "CenterData",
        "ThresholdValues",
        "CropForegroundObject",
        "RandomAxisFlip",
        "SymmetricPadderDiv",
    ),
]
"""Transforms that fit into many chains."""
_TEXTS = {
    **dict.fromkeys(("fields", "field", "image_field", "label_field", "from_field"), ("image", "label", "model")),
    **dict.fromkeys(("data_format", "output_data_format"), ("channels_first", "channels_last")),
    **dict.fromkeys(("dtype", "output_image_dtype", "output_label_dtype"), ("float32", "float32", "uint8", "int16")),
    "final_activation": ["softmax", "sigmoid", "linear"],
    "shape": ["DHW", "DHW", "CDHW", "DHWC", "HW"],
    "protocol": ["HTTP", "GRPC"],
    "task": ["segmentation", "classification"],
    "nf_enc": ["4,4,4,4", "8,8,8,8"],
    "nf_dec": ["4,4,4,4,4,4,4", "8,8,8,8,8,8,8"],
    "sampling": ["automatic", "element"],
}
"""What some arguments take."""
_PLAIN: dict[Any, list[Any]] = {
    bool: [True, False, "true", "false"],
    int: [0, 1, 1, 2, 3, 8, 16, 16, -1, "2", 2.0],
    float: [0, 0.1, 0.5, 1, 1.5, 2, -1.0, 100, 1e-3, "0.5"],
    str: ["image", "label", "model", "softmax", "relu", "valid", "nearest", "x", "debug"],
    dict: [{"1": 2}],
    type(None): [None],
    object: [0, 1, 0.5, "image", [16, 16, 16], ["image"], True, None],
}
"""What fits a type."""


class Grammar:
    """Draws configs.

    Args:
        random: of the draws.
        wildness: how likely a part is replaced by something hostile.
    """

    def __init__(self, random: Random, wildness: float = 0.02) -> None:
        self.random = random
        self.wildness = wildness
        self.tame = wildness == 0

    def training(self) -> dict[str, Any]:
        """Return a training config."""
        draw = self.random
        keras = draw.random() < 0.1
        three = draw.random() < (0.95 if self.tame else 0.8)
        size = draw.choice([[16, 16, 16], [16] * 3 if self.tame else [32, 16, 16]]) if three else [16, 16]
        train: dict[str, Any] = {
            "loss": self.component("losses", ["Dice", "CrossEntropy", "Focal", "CrossEntropyDice", "FocalDice"]),
            "model": self.component("models", ["Unet", "SegResnet", "SegAhnet"], {"num_classes": 2}),
            "pre_transforms": self.chain(size),
            "image_pipeline": self.pipeline(size, "training", keras=keras),
        }
        optional: list[tuple[str, Callable[[], Any]]] = [
            ("optimizer", lambda: self.component("optimizers", ["Adam", "NovoGrad", "Momentum"])),
            ("lr_policy", lambda: self.component("lr_policies", ["DecayOnStep", "ReducePoly", "ReduceCosine"])),
            ("aux_ops", lambda: self.several("aux_ops", 2)),
            ("handlers", lambda: self.several("handlers", 2)),
            ("batch_transforms", lambda: self.several("transforms", 1)),
        ]
        for name, make in optional:
            if draw.random() < 0.4:
                train[name] = make()
        config: dict[str, Any] = {**self.settings(), "train": train}
        if draw.random() < 0.8:
            config["validate"] = {
                "metrics": self.several("metrics", 2, {"name": "mean_dice", "field": "model", "label_field": "label"}),
                "pre_transforms": self.validated(train["pre_transforms"], size),
                "image_pipeline": self.pipeline(size, "validation", keras=keras),
            }
            if draw.random() < 0.7:
                config["validate"]["inferer"] = self.component("inferers", None, {"roi_size": size})
        return self.spoiled(config)

    def evaluation(self) -> dict[str, Any]:
        """Return a config for evaluation, or one of the annotation server."""
        draw = self.random
        size = [16, 16, 16]
        config: dict[str, Any] = {
            "batch_size": draw.choice([1, 2]),
            "pre_transforms": self.chain(size, train=False),
            "inferer": self.component("inferers", None, {"roi_size": size}),
            "model_loader": self.component("model_loaders", None, {"checkpoint_dir": "{MMAR_CKPT_DIR}"}),
            "post_transforms": self.several("transforms", 2, {"fields": "model", "field": "model"}),
            "label_transforms": self.several("transforms", 1, {"fields": "label"}),
            "val_metrics": self.several("metrics", 2, {"name": "dice", "field": "model", "label_field": "label"}),
            "writers": self.several("writers", 1, {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}),
            "do_validation": draw.random() < 0.5,
        }
        for name in [*config]:
            if name != "pre_transforms" and draw.random() < 0.15:
                del config[name]
        if draw.random() < 0.15:
            config = {"version": draw.choice(["2", "3", 3]), "inference": {"image_size": size, "args": {}}, **config}
        if draw.random() < 0.1:
            config = {draw.choice(["segmentation_spleen", "épée", "a b", "train"]): config}
        return self.spoiled(config)

    def settings(self) -> dict[str, Any]:
        """Return the top level of a training config."""
        draw = self.random
        found: dict[str, Any] = {"epochs": draw.choice([1, 2, 3]), "learning_rate": draw.choice([1e-3, 1e-4, "1e-3"])}
        more: dict[str, Callable[[], Any]] = {
            "num_training_epoch_per_valid": lambda: draw.choice([0, 1, 2, 20]),
            "multi_gpu": lambda: draw.choice([True, False, "false", 0]),
            "use_amp": lambda: draw.choice([True, False]),
            "determinism": lambda: {name: draw.choice([1, "7", None]) for name in ("python_seed", "numpy_seed")},
            "dynamic_input_shape": lambda: draw.choice([True, "true"]),
            "train_summary_recording_interval": lambda: draw.choice([0, 1, 10]),
            "stop_threshold": lambda: draw.choice([0.5, 1, None]),
            "use_scanning_window": lambda: True,
            "extra_inputs": lambda: [{"args": {"name": "weight", "shape": [1], "data_key": "weight"}}],
            "A": lambda: draw.choice(["{B}", "x" * 1000, "{A}", 3]) if not self.tame else 3,
            "B": lambda: draw.choice(["{A}", "{A}{A}", 2.5]),
            "on_bad_item": lambda: draw.choice(["stop", "skip"]),
            "continue_from_ckpt_epoch": lambda: draw.choice([True, False]),
        }
        if self.tame:
            more = {name: make for name, make in more.items() if name not in ("A", "B", "multi_gpu", "extra_inputs")}
        return found | {name: make() for name, make in more.items() if draw.random() < 0.2}

    def pipeline(self, size: list[int], key: str, *, keras: bool = False) -> dict[str, Any]:
        """Return an image pipeline."""
        name = self.random.choice(
            [
                *(
                    ["SegmentationKerasImagePipeline"]
                    if keras
                    else ["SegmentationImagePipeline"] * (20 if self.tame else 4)
                ),
                "SegmentationImagePipelineWithCache",
                "ClassificationImagePipeline",
            ]
        )
        given = {
            "data_list_file_path": "{DATASET_JSON}",
            "data_file_base_dir": "{DATA_ROOT}",
            "data_list_key": key,
            "output_crop_size": size,
            **({} if len(size) == 3 else {"output_data_dims": 2}),
            "output_batch_size": self.random.choice([1, 2]),
            "num_workers": 0,
        }
        return self.element(name, given)

    def chain(self, size: list[int], *, train: bool = True) -> list[Any]:
        """Return transforms that mostly fit together."""
        draw = self.random
        both = ["image", "label"] if train else ["image"]
        crop = draw.choice(["CropFixedSizeRandomCenter", "FastPosNegRatioCropROI", "CropByPosNegRatio"])
        found: list[Any] = [
            self.element(
                draw.choice(["LoadNifti"] * (40 if self.tame else 6) + ["LoadPng", "LoadNumpy"]), {"fields": both}
            )
        ]
        found.append(self.element("ConvertToChannelsFirst", {"fields": both}))
        found += [
            self.component("transforms", _USUAL, {"fields": draw.choice(["image", both])})
            for _ in range(draw.randint(0, 3))
        ]
        if train and draw.random() < (1 if self.tame else 0.8):
            given = {"size": size, "image_field": "image", "label_field": "label", "fields": both}
            found.append(self.element(crop, {**given, "pos": 1, "neg": 1, "deform": False, "rotation": False}))
        return found

    def validated(self, chain: list[Any], size: list[int]) -> list[Any]:
        """Return transforms of a validation: references to those of the training, or its own."""
        if self.random.random() < 0.3:
            return self.chain(size, train=True)
        named = [one["name"] for one in chain if isinstance(one, dict) and isinstance(one.get("name"), str)]
        return [{"ref": self.random.choice([name, name.rpartition("#")[2], name.partition("#")[0]])} for name in named]

    def several(self, family_name: str, most: int, given: dict[str, Any] | None = None) -> list[Any]:
        """Return components of a family."""
        return [self.component(family_name, None, given) for _ in range(self.random.randint(0, most))]

    def component(self, family_name: str, names: list[str] | None, given: dict[str, Any] | None = None) -> Any:
        """Return a component of a family, mostly one of ``names``."""
        draw = self.random
        kin = _kin()[family_name]
        name = draw.choice(names) if names and draw.random() < 0.7 else draw.choice(kin)
        return self.element(name, given or {})

    def element(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Return one component with the arguments it takes."""
        draw = self.random
        args: dict[str, Any] = {}
        for argument, (annotation, required, default) in _arguments().get(name, {}).items():
            if argument in given and not (self.tame and argument == "name"):
                args[argument] = copy.deepcopy(given[argument])
            elif required or (draw.random() < 0.2 and not self.tame):
                usual = draw.random() < 0.6 and not required
                args[argument] = default if usual else self.fitting(argument, annotation)
        element: dict[str, Any] = {"name": name, "args": args}
        if draw.random() < 0.1:
            element["name"] += draw.choice(["#one", "#", "#a#b", "# x ", "#é"])
        if draw.random() < 0.03 and not self.tame:
            element["disabled"] = draw.choice([True, True, False, "true", 1])
        if draw.random() < 0.02 and not self.tame:
            element["path"] = draw.choice(
                ["mine.Mine", "mine.Mine", "mine.Network", "monai.losses.DiceLoss", "broken.Broken"]
            )
            element["args"] = {"fields": "image"}
            if draw.random() < 0.8:
                del element["name"]
        if draw.random() < 0.02 and not self.tame:
            element = {"ref": element.get("name", "x")}
        return element

    def fitting(self, name: str, annotation: Any) -> Any:
        """Return a value of an annotated type."""
        draw = self.random
        if draw.random() < self.wildness:
            return self.hostile()
        origin, inner = get_origin(annotation), get_args(annotation)
        if origin in (Union, UnionType):
            return self.fitting(name, draw.choice(inner))
        if origin is Literal:
            return draw.choice(inner)
        if origin in (list, tuple):
            part = inner[0] if inner else Any
            return [self.fitting(name, part) for _ in range(3 if self.tame else draw.choice([1, 2, 3, 3, 3, 4]))]
        if annotation is str and self.tame and name in ("tag", "name"):
            return f"{name}{draw.randrange(1000)}"
        if annotation is str:
            usual = name in _TEXTS and draw.random() < 0.9
            return draw.choice(_TEXTS[name] if usual else _PLAIN[str])
        if annotation in (int, float) and self.tame:
            return draw.choice([1, 2, 2, 0.5 if annotation is float else 3])
        return copy.deepcopy(draw.choice(_PLAIN.get(origin or annotation, _PLAIN[object])))

    def hostile(self, depth: int = 0) -> Any:
        """Return a value that nobody meant."""
        draw = self.random
        kind = draw.random()
        if kind < 0.3:
            return copy.deepcopy(draw.choice(NUMBERS))
        if kind < 0.65:
            return draw.choice(WORDS)
        if kind < 0.7:
            return draw.choice([True, False, None])
        if kind < 0.8 and depth < 4:
            return [self.hostile(depth + 1) for _ in range(draw.randint(0, 4))]
        if kind < 0.9 and depth < 4:
            return {draw.choice(KEYS): self.hostile(depth + 1) for _ in range(draw.randint(0, 3))}
        if kind < 0.92:
            return _nested(draw.choice([5, 50, 200, 400]), draw.choice([[], {}, 1, "x"]), draw.random() < 0.5)
        if kind < 0.94:
            return [draw.choice([0, 1, "image", None])] * draw.choice([17, 1001, 20_000])
        return draw.choice(
            [[16, 16, 16], [1e9] * 3, [10**6] * 3, [10**12] * 3, [0] * 3, [-1] * 3, [0.5] * 3, ["16"] * 3]
        )

    def spoiled(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return a config of which a few parts are replaced, removed, moved or added."""
        draw = self.random
        for _ in range(0 if self.tame else draw.choice([0, 0, 1, 1, 2, 4])):
            places = list(_places(config))
            if not places:
                break
            holder, key = draw.choice(places)
            kind = draw.random()
            if kind < 0.55:
                holder[key] = self.hostile()
            elif kind < 0.7:
                del holder[key]
            elif kind < 0.85:
                other, name = draw.choice(places)
                if name in other if isinstance(other, dict) else name < len(other):
                    try:
                        holder[key] = copy.deepcopy(other[name])
                    except RecursionError:
                        holder[key] = None
            elif isinstance(holder, dict):
                holder[draw.choice(KEYS)] = self.hostile()
            else:
                holder.insert(0, draw.choice([self.hostile(), {"name": draw.choice(sorted(_arguments()))}]))
        return config

    def environment(self, usual: dict[str, Any]) -> dict[str, Any]:
        """Return an environment file like the usual one."""
        draw = self.random
        found = dict(usual)
        if draw.random() < 0.15:
            for _ in range(draw.randint(1, 3)):
                name = draw.choice([*usual, "MMAR_CKPT", "PRETRAIN_WEIGHTS_FILE", "epochs", "A", "B", *KEYS])
                found[name] = self.hostile()
        return found

    def data_list(self, usual: dict[str, Any]) -> dict[str, Any]:
        """Return a data list like the usual one."""
        found = copy.deepcopy(usual)
        return self.spoiled(found) if self.random.random() < 0.7 else found

    def sets(self) -> list[str]:
        """Return what stands behind ``--set``."""
        draw = self.random
        return [self.set_item() for _ in range(draw.choice([0, 0, 0, 1, 1, 2, 3]))]

    def set_item(self) -> str:
        """Return one ``KEY=VALUE``, or what is none."""
        draw = self.random
        key = draw.choice(
            [
                *(
                    "epochs",
                    "learning_rate",
                    "multi_gpu",
                    "DATA_ROOT",
                    "MMAR_CKPT_DIR",
                    "A",
                    "",
                    "x y",
                    "é",
                    "determinism",
                ),
                *("train.loss.args.x", "train.pre_transforms[0].args.fields", "train.pre_transforms[999999999].args.x"),
                *(
                    "train.pre_transforms[-1]",
                    "train.pre_transforms[99999999999999999999]",
                    "train..x",
                    "[0]",
                    "[",
                    "]",
                    ".",
                ),
                *(
                    'train["loss"].name',
                    'train["lo\\u0073s"]',
                    'train["',
                    "train.model",
                    "validate",
                    "train.model.args",
                ),
                *("train.model.args.num_classes.x", "train[0]", "pre_transforms[0].name", "train.optimizer.disabled"),
            ]
        )
        value = self.hostile()
        shown = json.dumps(value) if draw.random() < 0.6 or not isinstance(value, str) else value
        shown = shown[:20_000].replace("\x00", "")  # no command line has that
        return draw.choice([f"{key}={shown}", f"{key}={shown}", f"{key} = {shown}", key, f"{key}==", f"{key}={key}"])

    def log_config(self, usual: str) -> str:
        """Return a logging configuration like the usual one."""
        draw = self.random
        lines = usual.splitlines()
        for _ in range(draw.randint(0, 3)):
            place = draw.randrange(len(lines))
            lines[place : place + draw.randint(0, 1)] = [
                draw.choice(
                    [
                        *(
                            "[handlers]",
                            "keys=",
                            "keys=a,b",
                            "class=FileHandler",
                            "class=handlers.SMTPHandler",
                            "[",
                            "x",
                        ),
                        *(
                            "args=(open('canary','w'),)",
                            "args=('../canary','w')",
                            "args=(sys.stdout,)*9",
                            "args=" + "(" * 500,
                        ),
                        *(
                            "args=(1e999,)",
                            "kwargs={'filename':'x','maxBytes':10**9}",
                            "level=LOUD",
                            "propagate=2",
                            "é=é",
                        ),
                        *(
                            "format=%(nope)s %(asctime",
                            "format=ext://os.system",
                            "style={",
                            "datefmt=%Q",
                            "qualname=\x00",
                        ),
                        *(
                            "args=({[]: 1},)",
                            "args=('x', 'r')",
                            "args=(b'x',)",
                            "kwargs={1: 2}",
                            "args=({1,2},)",
                            "delay=x",
                        ),
                        *(lines[draw.randrange(len(lines))], f"args=({'9' * 5000},)", "  continued", "keys=root,root"),
                    ]
                )
            ]
        return "\n".join(lines)


def _nested(depth: int, core: Any, objects: bool) -> Any:
    for _ in range(depth):
        core = {"x": core} if objects else [core]
    return core


def _places(value: Any) -> Any:
    pending = [value]
    while pending:
        holder = pending.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], (dict, list)) and len(holder[key]) < 100:
                pending.append(holder[key])


@cache
def _kin() -> dict[str, list[str]]:
    kin: dict[str, list[str]] = {}
    for name, cls in components().items():
        kin.setdefault(family(cls), []).append(name)
    return kin


@cache
def _arguments() -> dict[str, dict[str, tuple[Any, bool, Any]]]:
    """Return of each component the arguments it takes: their types, whether they must be given, their defaults."""
    import inspect

    found: dict[str, dict[str, tuple[Any, bool, Any]]] = {}
    for name, cls in components().items():
        hints = get_type_hints(cls.__init__) if cls.__init__ is not object.__init__ else {}
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:] if hints else []
        found[name] = {
            one.name: (hints.get(one.name, Any), one.default is one.empty, one.default)
            for one in parameters
            if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
        }
    return found
