"""A few bytes that announce, or unpack to, far more than there is: one sentence, soon, and without the memory."""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from clara_compat.engine.data.budget import reachable_memory
from clara_compat.engine.model_files import exported_network
from clara_compat.engine.readers.array_file import read_array
from clara_compat.engine.readers.dicom import find_series
from clara_compat.engine.readers.intact import check_intact
from clara_compat.engine.readers.limits import MORE, check_memory, unpacked
from clara_compat.engine.readers.picture import picture_header, read_picture
from clara_compat.engine.readers.scan import read_scan
from clara_compat.engine.weights import read_weights
from clara_compat.errors import ClaraError

ZEROS = bytes(1 << 24)
MANY = 8
"""Times :data:`ZEROS`: 128 MB, which pack to 130 kB."""


@pytest.fixture
def frugal() -> Iterator[None]:
    """Fails where Python objects take more memory than a bomb may."""
    import itk

    itk.ImageFileReader, itk.ImageIOFactory  # noqa: B018 -- what ITK loads when it is first asked is no matter here
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MORE


def nifti(shape: tuple[int, ...], content: bytes, kind: type = nibabel.Nifti1Header) -> bytes:
    header = kind()
    header.set_data_dtype(np.float32)
    header.set_data_shape(shape)
    header["vox_offset"] = 352 if kind is nibabel.Nifti1Header else 544
    header["magic"] = b"n+1" if kind is nibabel.Nifti1Header else b"n+2"
    return header.binaryblock + bytes(4) + content


def zipped(start: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as stream:
        stream.write(start)
        for _ in range(MANY):
            stream.write(ZEROS)
    return buffer.getvalue()


def png(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + content + chunk(b"IEND", b"")


def meta(size: str, more: str = "") -> bytes:
    lines = ["ObjectType = Image", "NDims = 3", f"DimSize = {size}", "ElementType = MET_FLOAT", more]
    return "\n".join([*filter(None, lines), "ElementDataFile = LOCAL", ""]).encode()


def packed_zeros() -> bytes:
    packer = zlib.compressobj()
    return b"".join(packer.compress(ZEROS) for _ in range(MANY)) + packer.flush()


HUGE = (30000, 30000, 30000)
NRRD = b"NRRD0004\ntype: float\ndimension: 3\nsizes: 30000 30000 30000\nencoding: %s\nendian: little\n\n"
NPY = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 100000, 100000), }"
TOO_LARGE = r"takes 1?\d\d,\d{3}\.\d GB of memory by what its header says, but there are [\d.,]+ GB: mend the file"
SCANS: dict[str, tuple[Callable[[], bytes], str]] = {
    "huge.nii": (lambda: nifti(HUGE, bytes(1000)), r"the file is cut off \(1352 of 108000000000352 bytes are there\)"),
    "huge2.nii": (lambda: nifti((2**33, 1, 1), b"", nibabel.Nifti2Header), r"cut off \(544 of 34359738912 bytes"),
    "huge.nii.gz": (lambda: gzip.compress(nifti(HUGE, bytes(1000))), TOO_LARGE),
    "short.nii.gz": (lambda: gzip.compress(nifti((64, 64, 64), b"")), r"cut off \(352 of 1048928 bytes are there\)"),
    "bomb.nii.gz": (lambda: zipped(nifti((4, 4, 4), b"")), "it unpacks to far more than the 608 bytes that its header"),
    "huge.mha": (lambda: meta("30000 30000 30000") + bytes(1000), r"takes 216,000\.0 GB of memory"),
    "bomb.mha": (
        lambda: meta("4 4 4", "CompressedData = True") + packed_zeros(),
        "it unpacks to far more than the 256 bytes that its header announces",
    ),
    "huge.nrrd": (lambda: NRRD % b"raw" + bytes(1000), r"takes 216,000\.0 GB of memory"),
    "zipped.nrrd": (lambda: NRRD % b"gzip" + gzip.compress(bytes(1000)), r"takes 216,000\.0 GB of memory"),
}


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.usefixtures("frugal")
def test_scans(tmp_path: Path, name: str) -> None:
    content, message = SCANS[name]
    file = tmp_path / name
    file.write_bytes(content())
    with pytest.raises(ClaraError, match=f"'{re.escape(str(file))}'.*{message}") as caught:
        read_scan(str(file), np.float32)
    assert "\n" not in str(caught.value)


def test_a_scan_that_a_stranger_lists(hostile_mmar: Callable, run: Callable, small_scans: Path) -> None:
    mmar = hostile_mmar()
    items = json.loads((small_scans / "dataset.json").read_text())
    (mmar / "bomb.nii.gz").write_bytes(zipped(nifti((24, 22, 20), b"")))
    items["training"][0]["image"] = str(mmar / "bomb.nii.gz")
    (mmar / "list.json").write_text(json.dumps(items))
    outcome = run("train", "-m", mmar, "--set", f"DATASET_JSON={mmar / 'list.json'}")
    assert outcome.code == 2
    assert "unpacks to far more than the 42592 bytes that its header announces" in " ".join(outcome.text.split())


@pytest.mark.parametrize("name", ["bomb.nii.gz", "bomb.mha"])
@pytest.mark.usefixtures("frugal")
def test_what_a_conversion_checks(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(SCANS[name][0]())
    with pytest.raises(ClaraError, match="it unpacks to far more than the"):
        check_intact(tmp_path / name)


@pytest.mark.parametrize(("depth", "colour"), [(8, 0), (8, 2), (16, 0), (16, 2)])
@pytest.mark.usefixtures("frugal")
def test_pictures(tmp_path: Path, depth: int, colour: int) -> None:
    (tmp_path / "huge.png").write_bytes(png(60_000, 60_000, depth, colour))
    for read in (lambda file: read_picture(file, np.float32), picture_header):
        with pytest.raises(ClaraError, match=r"cannot be read: by its header it has more than 178,956,970 pixels, the"):
            read(str(tmp_path / "huge.png"))


@pytest.mark.usefixtures("frugal")
def test_arrays(tmp_path: Path) -> None:
    head = NPY + b" " * (117 - len(NPY)) + b"\n"
    (tmp_path / "huge.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(1000))
    with pytest.raises(ClaraError, match=r"cannot be read: .*damaged \(mmap length is greater than file size\)"):
        read_array(str(tmp_path / "huge.npy"), "DHW", np.float32)
    np.savez_compressed(tmp_path / "many.npz", a=np.zeros(10), b=np.zeros(10))
    with pytest.raises(ClaraError, match=r"holds several arrays \(.npz\), expected a numpy file"):
        read_array(str(tmp_path / "many.npz"), "DHW", np.float32)


def test_what_fits_the_file_but_not_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "large.npy"
    np.save(file, np.zeros((1, 4, 5_000_000), np.uint8))
    monkeypatch.setattr("clara_compat.engine.readers.limits.reachable_memory", lambda: 70_000_000)
    with pytest.raises(
        ClaraError, match=r"large.npy' takes 0\.1 GB of memory by what its header says, but there are 0"
    ):
        read_array(str(file), "DHW", np.float32)
    assert read_array(str(file), "DHW", np.uint8).data.shape == (1, 1, 4, 5_000_000)


def test_memory_is_what_the_machine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = reachable_memory()
    assert 1e8 < there < 1e14
    check_memory("x", 1000)
    with pytest.raises(ClaraError, match="'x' takes"):
        check_memory("x", 10**15)
    (tmp_path / "limit").write_text("123456789")
    (tmp_path / "none").write_text("max")
    limits = ((str(tmp_path / "none"), ""), (str(tmp_path / "limit"), ""), (str(tmp_path / "absent"), ""))
    monkeypatch.setattr("clara_compat.engine.data.budget._CGROUPS", limits)
    assert reachable_memory() == 123456789


def test_running_out_of_memory_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.nii").write_bytes(nifti((4, 4, 4), bytes(256)))

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("clara_compat.engine.readers.nifti._check_kind", full)
    with pytest.raises(ClaraError, match=r"there is not enough memory to read '.*a\.nii': end other programs"):
        read_scan(str(tmp_path / "a.nii"), np.float32)


@pytest.mark.parametrize("members", [1, 2, 3])
@pytest.mark.parametrize("padding", [b"", bytes(1000)])
def test_gzip_files_of_several_parts_are_whole(members: int, padding: bytes) -> None:
    parts = [np.random.default_rng(number).bytes(5000) for number in range(members)]
    assert unpacked(b"".join(map(gzip.compress, parts)) + padding, 100) == b"".join(parts)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda packed: packed[:-4], EOFError, "it ends before its compressed data do"),
        (lambda packed: packed[:-8] + bytes(4) + packed[-4:], gzip.BadGzipFile, "CRC check failed"),
        (lambda packed: packed[:-4] + b"\xff" * 4, gzip.BadGzipFile, "CRC check failed"),
        (lambda packed: packed + b"more", zlib.error, "incorrect header"),
        (lambda packed: packed[:20] + bytes(b ^ 0x55 for b in packed[20:]), zlib.error, "Error -3"),
    ],
)
def test_damaged_gzip_files(change: Callable[[bytes], bytes], error: type[Exception], message: str) -> None:
    packed = gzip.compress(np.random.default_rng(0).integers(0, 4, 50_000, np.uint8).tobytes())
    with pytest.raises(error, match=message):
        unpacked(change(packed), 50_000)


def bombed(file: Path, ending: str) -> None:
    """Pack zeros in the place of one record of an archive of torch."""
    with zipfile.ZipFile(file) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in records.items():
            archive.writestr(name, ZEROS * MANY if name.endswith(ending) else content)


def test_archives_of_torch(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(4)}, tmp_path / "model.pt")
    assert read_weights(tmp_path / "model.pt")["a"].shape == (4,)
    bombed(tmp_path / "model.pt", "data/0")
    with pytest.raises(
        ClaraError, match=r"model.pt' unpacks from \d{6} to \d{9} bytes, as nothing does that torch wrote"
    ):
        read_weights(tmp_path / "model.pt")
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "model.ts")
    assert exported_network(tmp_path / "model.ts", "cpu")(torch.zeros(1, 2)).shape == (1, 2)
    bombed(tmp_path / "model.ts", ".py")
    with pytest.raises(ClaraError, match=r"model.ts' unpacks from \d{6} to \d{9} bytes, as nothing does that torch"):
        exported_network(tmp_path / "model.ts", "cpu")


def test_a_folder_of_very_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (tmp_path / f"{number}.dcm").touch()
    monkeypatch.setattr("clara_compat.engine.readers.dicom._MOST_FILES", 3)
    with pytest.raises(ClaraError, match=r"holds more than 3 files, expected a folder with one DICOM series: move the"):
        find_series(str(tmp_path))
