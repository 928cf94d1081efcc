"""A training's network is exported into its folder."""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from clara_compat import export, train
from clara_compat.engine.export import compare
from clara_compat.errors import ClaraError
from clara_compat.run.export import ExportOptions

Make = Callable[..., Path]

UNET = {
    "_target_": "clara_compat.engine.networks.unet.ClaraUNet",
    "spatial_dims": 2,
    "in_channels": 1,
    "out_channels": 2,
    "encoder_channels": [2, 4],
    "decoder_channels": [4, 4, 2, 2],
    "final_activation": "sigmoid",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The output folder of a training of a small 2-D network."""
    from clara_compat.engine.networks.unet import ClaraUNet

    torch.manual_seed(0)
    network = ClaraUNet(**{name: value for name, value in UNET.items() if name != "_target_"})
    made = tmp_path / "models"
    (made / "configs").mkdir(parents=True)
    config = {"network_def": UNET, "validate": {"inferer": {"inferer": {"roi_size": [40, 48]}}}}
    (made / "configs/train.json").write_text(json.dumps(config))
    torch.save(network.state_dict(), made / "model.pt")
    torch.save({name: 2 * value for name, value in network.state_dict().items()}, made / "final_model.pt")
    return made


def _predictions(folder: Path, image: np.ndarray, model: str = "model") -> list[np.ndarray]:
    """What the two files make of an image."""
    script = torch.jit.load(folder / f"{model}.ts")
    session = onnxruntime.InferenceSession(folder / f"{model}.onnx")
    return [script(torch.as_tensor(image)).numpy(), session.run(["NV_MODEL_OUTPUT"], {"NV_MODEL_INPUT": image})[0]]


def test_a_training_is_exported(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    trained = train(mmar)
    trained.network.load_state_dict(torch.load(trained.paths["model"], weights_only=True))
    models = mmar / "models"
    with caplog.at_level(logging.INFO, "clara_compat"):
        result = export(models, triton_model="ball")
    assert result.paths == {
        "torchscript": models / "model.ts",
        "onnx": models / "model.onnx",
        "triton": models / "ball/config.pbtxt",
    }
    assert max(result.differences.values()) <= 1e-4
    image = np.random.default_rng(0).random((2, 1, 32, 16, 48), dtype=np.float32)
    with torch.inference_mode():
        expected = trained.network.cpu().eval()(torch.as_tensor(image)).numpy()
    for found in _predictions(models, image):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert (models / "ball/1/model.onnx").read_bytes() == (models / "model.onnx").read_bytes()
    config = (models / "ball/config.pbtxt").read_text()
    assert re.findall(r"dims: \[ (.*) \]", config) == ["1, -1, -1, -1", "2, -1, -1, -1"]
    for kind, name in (("TorchScript", "model.ts"), ("ONNX", "model.onnx")):
        assert re.search(
            rf"{name}: {kind} for any number of images, of any size the network takes; largest difference from the "
            r"network \d\.\de[+-]\d\d",
            caplog.text,
        )
    assert (
        "no TensorRT plan is made, as TensorRT is not installed here; where it is, run: trtexec --onnx=model.onnx "
        "--saveEngine=model.plan --minShapes=NV_MODEL_INPUT:1x1x16x16x16 "
    ) in result.notices[0]
    assert not [path.name for path in models.iterdir() if path.name.startswith(".")]
    train(mmar)
    assert sorted(path.name for path in (models / "previous_1").iterdir() if path.suffix in {".ts", ".onnx"}) == [
        "model.onnx",
        "model.ts",
    ]
    assert (models / "previous_1/ball/1/model.onnx").is_file()
    assert not (models / "model.ts").exists()


def test_the_names_of_a_2d_export(folder: Path) -> None:
    result = export(
        folder,
        ExportOptions(triton_model="net-2", input_shape=[1, 44, 52]),
        input_name="image",
        output_name="mask",
        max_batch_size=16,
    )
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert ([tensor.name for tensor in session.get_inputs()], [tensor.name for tensor in session.get_outputs()]) == (
        ["image"],
        ["mask"],
    )
    config = result.paths["triton"].read_text()
    assert re.findall(r'name: "(.*)"', config) == ["net-2", "image", "mask"]
    assert re.findall(r"dims: \[ (.*) \]", config) == ["1, 44, 52", "2, 44, 52"]
    assert "max_batch_size: 16" in config
    assert "--maxShapes=image:16x1x44x52" in result.notices[0]


def test_the_last_weights(folder: Path) -> None:
    image = np.random.default_rng(0).random((1, 1, 8, 8), dtype=np.float32)
    export(folder)
    export(folder, model_name="model_final")
    best, last = _predictions(folder, image), _predictions(folder, image, "model_final")
    np.testing.assert_allclose(last[0], last[1], atol=1e-5)
    assert abs(best[0] - last[0]).max() > 1e-3


def test_a_training_without_validation(folder: Path) -> None:
    (folder / "model.pt").unlink()
    result = export(folder, onnx=False)
    assert result.paths == {"torchscript": folder / "model.ts"}
    [notice] = result.notices
    assert re.fullmatch(r"there is no .*model.pt, as the training had no validation: final_model.pt is taken.*", notice)


def _config(folder: Path, **network: object) -> None:
    (folder / "configs/train.json").write_text(json.dumps({"network_def": {**UNET, **network}}))


@pytest.mark.parametrize(
    ("spoil", "options", "message"),
    [
        (shutil.rmtree, {}, "the folder .*models does not exist: name the MMAR_CKPT_DIR of a training"),
        (lambda f: (f / "configs/train.json").unlink(), {}, r"configs/train.json is missing, .* \(MMAR_CKPT_DIR\)"),
        (lambda f: _config(f, _target_="os.system"), {}, "network_def is os.system: only networks of this package"),
        (
            lambda f: _config(f, _target_="clara_compat.engine.networks.unet.torch.load"),
            {},
            "network_def is clara_compat.engine.networks.unet.torch.load: only networks of this package",
        ),
        (
            lambda f: _config(f, _target_="clara_compat.engine.networks.unet.Sequence"),
            {},
            "network_def is clara_compat.engine.networks.unet.Sequence: only networks of this package",
        ),
        (lambda f: _config(f, encoder_channels=[0]), {}, "ClaraUNet of the training cannot be made: .*at least"),
        (lambda f: _config(f, depth=3), {}, "ClaraUNet of the training cannot be made: .*depth"),
        (
            lambda f: _config(f, out_channels=3),
            {},
            r"model.pt' are not those of the ClaraUNet: head.weight: \(2, 2, 1, 1\) in the file, .* and 1 more",
        ),
        (lambda f: (f / "model.pt").write_bytes(b"x"), {}, "model.pt' is damaged or no file of weights"),
        (lambda f: None, {"model_name": "modle"}, r"modle.ckpt' do not exist; did you mean 'model.pt'\?"),
        (lambda f: None, {"model_name": "../models/model"}, "--model_name is '../models/model', expected a name of"),
        (lambda f: None, {"triton_model": "a b"}, "--trtis_model_name is 'a b', expected a name of letters, digits"),
        (lambda f: None, {"input_name": 'x"'}, "--input_node_names is 'x\"', expected a name"),
        (lambda f: None, {"output_name": ""}, "--output_node_names is '', expected a name"),
        (lambda f: None, {"max_batch_size": 0}, "--max_batch_size is 0, expected at least 1"),
        (lambda f: None, {"precision": "INT8"}, r"--trt_precision_mode is INT8, expected one of FP32, FP16 \(INT8 "),
        (lambda f: None, {"onnx": False, "triton_model": "a"}, "Triton is given the ONNX file: leave --no-onnx or"),
        (lambda f: None, {"input_shape": [1, 8, 8, 8]}, r"is 1 8 8 8, expected 1 \(channels\) and 2 sizes"),
        (lambda f: None, {"input_shape": [3, 8, 8]}, r"is 3 8 8, expected 1 \(channels\)"),
        (lambda f: None, {"input_shape": [1, 8, 10]}, r"does not take an image of \[8, 10\] voxels: .*multiple of 4"),
    ],
)
def test_what_is_refused_writes_nothing(folder: Path, spoil: Callable, options: dict, message: str) -> None:
    spoil(folder)
    before = sorted(folder.rglob("*"))
    with pytest.raises(ClaraError, match=message):
        export(folder, **options)
    assert sorted(folder.rglob("*")) == before


def test_what_costs_nothing_is_checked_before_torch_is_imported(folder: Path) -> None:
    given = [{"precision": "INT8"}, {"model_name": "modle"}, {"input_shape": [3, 8, 8]}, {"triton_model": "a b"}]
    code = (
        "import sys; from clara_compat.errors import ClaraError; from clara_compat.run.export import export\n"
        f"for options in {given}:\n"
        f"    try: export({str(folder)!r}, **options)\n"
        "    except ClaraError: print('refused')\n"
        "print([name for name in ('torch', 'monai', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["refused"] * len(given) + ["[]"]


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    weights = torch.load(folder / "model.pt", weights_only=True)
    weights["head.bias"].fill_(float("nan"))
    torch.save(weights, folder / "model.pt")
    with pytest.raises(ClaraError, match="the network gives values that are not finite for random images"):
        export(folder)
    assert not (folder / "model.ts").exists()


def test_a_file_that_differs_is_not_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "model.ts").write_bytes(b"an earlier one")
    load = torch.jit.load
    monkeypatch.setattr(torch.jit, "load", lambda *given, **more: _Wrong(load(*given, **more)))
    with pytest.raises(ClaraError, match="the TorchScript file differs from the network by 0.1"):
        export(folder)
    assert (folder / "model.ts").read_bytes() == b"an earlier one"
    assert not (folder / "model.onnx").exists()
    assert compare.TOLERANCE == 1e-4


class _Wrong:
    def __init__(self, network: Callable) -> None:
        self.network = network

    def eval(self) -> _Wrong:
        return self

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return self.network(image) + 0.1


def test_a_plan_where_tensorrt_is_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clara_compat.engine.export import tensorrt_plan
    from clara_compat.engine.export.compare import Exported

    monkeypatch.setattr(tensorrt_plan, "is_installed", lambda: True)
    [notice] = export(folder).notices
    assert notice.startswith("no TensorRT plan is made: TensorRT is installed but torch sees no GPU")
    assert notice.endswith("--maxShapes=NV_MODEL_INPUT:4x1x40x48")
    seen = []
    monkeypatch.setattr(tensorrt_plan, "plan_file", lambda *given: seen.append(given) or Exported(b"plan", 1e-3, False))
    result = export(folder, precision="FP16")
    assert result.paths["tensorrt"].read_bytes() == b"plan"
    assert result.notices == []
    [(content, probed, name, most, precision)] = seen
    assert content == (folder / "model.onnx").read_bytes()
    assert (probed.size, name, most, precision) == ((40, 48), "NV_MODEL_INPUT", 4, "FP16")


def test_nothing_of_a_strangers_weights_is_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pickle

    class Harmful:
        def __reduce__(self) -> tuple:
            return (print, ("ran",))

    stream = io.BytesIO()
    pickle.dump({"network": Harmful()}, stream)
    (folder / "model.pt").write_bytes(stream.getvalue())
    with pytest.raises(ClaraError, match="is damaged or no file of weights"):
        export(folder)
    assert "ran" not in capsys.readouterr().out


def test_a_difference_that_is_rounding_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clara_compat.engine.export import onnx_file

    given = compare.Exported(b"onnx", 5e-4, any_size=True)
    monkeypatch.setattr(onnx_file, "onnx_file", lambda *arguments: given)
    notice = export(folder).notices[0]
    assert re.fullmatch(
        r"model.onnx is 5.0e-04 from the network, more than 1e-04: its weights magnify rounding, the network itself is "
        r"\d.\de-\d\d from its values in double precision",
        notice,
    )
