"""The page of the TensorFlow facade: what stands where."""

from __future__ import annotations

from clara_compat.report.tensorflow import Provided, tensorflow_page

SYMBOLS = [
    Provided("tensorflow.nn.relu"),
    Provided("tensorflow.nn.elu", "differs at ``0|1``."),
    Provided("tensorflow.add"),
    Provided("tensorflow.nn.crelu", "differs at ``0|1``."),
    Provided("tensorflow.Session", "does nothing."),
]


def test_symbols_stand_in_their_modules_and_notes_are_written_once() -> None:
    page = tensorflow_page(SYMBOLS, {"keras": "tensorflow.keras"})
    assert "These 5 symbols are provided" in page
    assert "| `keras` | `tensorflow.keras` |" in page
    assert "[tensorflow](#tensorflow) · [tensorflow nn](#tensorflow-nn)" in page
    _, first, second = page.split("\n### ")
    assert first == (
        "tensorflow\n\nIn `tensorflow`: `Session`, `add`.\n\n"
        "| symbol | note |\n| --- | --- |\n| `Session` | does nothing. |\n"
    )
    assert second == (
        "tensorflow nn\n\nIn `tensorflow.nn`: `crelu`, `elu`, `relu`.\n\n"
        "| symbol | note |\n| --- | --- |\n| `crelu`, `elu` | differs at `0\\|1`. |\n"
    )


def test_a_module_without_notes_has_no_table() -> None:
    page = tensorflow_page([Provided("tensorflow.add")], {})
    assert page.endswith("### tensorflow\n\nIn `tensorflow`: `add`.\n")
