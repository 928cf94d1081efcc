"""The migration report as a page and as JSON, from data."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from clara_compat.errors import Address
from clara_compat.report.migration import (
    DOES_NOT_RUN,
    FIDELITIES,
    LOOK,
    MEND,
    NOTHING,
    PORT,
    REPLACE,
    ComponentReport,
    ConfigReport,
    EntryText,
    FileReport,
    FindingReport,
    MigrationReport,
    NativeText,
    Remark,
    SettingReport,
    fidelity_counts,
)
from clara_compat.report.migration_page import as_json, page, write_report
from clara_compat.report.migration_summary import outcome, tasks, verdict

EFFORTS = {"exact": NOTHING, "approximate": LOOK, "assumed": LOOK, "user code": PORT, DOES_NOT_RUN: REPLACE}


def component(fidelity: str = "exact", name: str = "Flip", index: int = 0, **more: Any) -> ComponentReport:
    fields: dict[str, Any] = {
        "address": Address("config/config_train.json", 10 + index, f"train.pre_transforms[{index}]"),
        "name": name,
        "legacy": f'{{\n  "name": "{name}"\n}}',
        "becomes": "monai.transforms.Flipd",
        "fidelity": fidelity,
        "difference": "" if fidelity == "exact" else f"it is {fidelity}",
        "effort": EFFORTS[fidelity],
        "reason": f"because it is {fidelity}",
        "entries": (EntryText(f"train#preprocessing#transforms#{index}", '{"_target_": "Flipd"}'),),
    }
    return ComponentReport(**{**fields, **more})


def report(*components: ComponentReport, **config: Any) -> MigrationReport:
    files = config.pop("files", ())
    native = config.pop("native", False)
    one = ConfigReport("config/config_train.json", "training", components, **config)
    versions = {"Python": "3.11.7", "clara-compat": "0.1.0", "monai": "1.6.1"}
    return MigrationReport("my_mmar", (one,), files, versions, "2025-06-30 14:05 UTC", native)


class Text(HTMLParser):
    """What a page says, its ids and its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.said: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.said).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if given.get("id"):
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"] or "")

    def handle_data(self, data: str) -> None:
        self.said.append(data)


FILE = FileReport("custom/mine.py", ("Mine",), 20, (FindingReport(3, "runs", "tf.cast", "x.to()"),), PORT, "Port it.")
FAILING = replace(FILE, effort=MEND, todo="Mend line 3 first.", findings=(FindingReport(3, "does not run", "no", ""),))


@pytest.mark.parametrize("fidelity", FIDELITIES)
def test_each_level_is_told(fidelity: str) -> None:
    made = report(component(fidelity))
    said = Text(page(made)).text
    assert f"1 {fidelity} – {FIDELITIES[fidelity]}" in said
    assert f"Left to do: {EFFORTS[fidelity]} (because it is {fidelity})." in said
    assert fidelity == "exact" or f"It is {fidelity}." in said
    assert fidelity_counts(made) == {level: int(level == fidelity) for level in FIDELITIES}


DIFFERS, SAME = NativeText("e", "clara_compat.X", "", "it is left out"), NativeText("e", "clara_compat.X", "Y", "")


@pytest.mark.parametrize(
    ("made", "ends", "sentence"),
    [
        (report(component()), "ready", "All of it runs: 1 component, each as documented or as you wrote it."),
        (
            report(component(), component("assumed"), component("user code")),
            "ready",
            (
                "All of it runs: 2 of 3 components as documented or as you wrote them, 1 with a difference or a choice "
                "that you should know."
            ),
        ),
        (
            report(component(), component(DOES_NOT_RUN)),
            "in part",
            "Not all of it runs: 1 of 2 components has no counterpart.",
        ),
        (
            report(component("user code"), component(DOES_NOT_RUN), component(DOES_NOT_RUN), files=(FAILING,)),
            "in part",
            (
                "Not all of it runs: 2 of 3 components have no counterpart and 1 file of your own code has lines that "
                "do not run."
            ),
        ),
        (
            report(component(), limits=(Remark("multi_gpu is not supported yet"),)),
            "in part",
            "Not all of it runs: it asks for what is not accepted.",
        ),
        (
            report(component(), component(DOES_NOT_RUN), errors=(Remark("a"), Remark("b"))),
            "blocked",
            "Not yet: 2 things must be mended before this can run.",
        ),
        (
            report(component(), component("assumed", native=(DIFFERS, SAME)), component(native=(SAME,)), native=True),
            "ready",
            "All of it runs in plain MONAI: 1 of 3 components with other results than before.",
        ),
        (
            report(
                component("user code", "a.Mine", native=(DIFFERS,)), component("user code", native=(SAME,)), native=True
            ),
            "in part",
            (
                "Not all of it runs: 1 of your own components is left out of this bundle or has a stand-in there, "
                "until you port it."
            ),
        ),
        (
            report(
                *(component("user code", name, native=(DIFFERS,)) for name in ("a.Mine", "a.Mine", "a.Other")),
                files=(FAILING,),
                native=True,
            ),
            "in part",
            (
                "Not all of it runs: 1 file of your own code has lines that do not run and 2 of your own components "
                "are left out of this bundle or have stand-ins there, until you port them."
            ),
        ),
        (report(errors=(Remark("a"),)), "blocked", "Not yet: 1 thing must be mended before this can run."),
    ],
)
def test_verdict(made: MigrationReport, ends: str, sentence: str) -> None:
    assert (outcome(made), verdict(made)) == (ends, sentence)
    assert sentence in Text(page(made)).text


def test_tasks_the_most_pressing_first() -> None:
    refused = component(DOES_NOT_RUN, "Odd", 3)
    native = NativeText("train#preprocessing#transforms#1", "clara_compat.X", "Y", "by a voxel")
    made = report(
        component(),
        component("assumed", "Load", 1, native=(native, replace(native, text=""))),
        component("assumed", "Load", 2),
        refused,
        errors=(Remark("a"),),
        limits=(Remark("no Odd", refused.address), Remark("no multi_gpu", Address("c.json", 3, "multi_gpu"))),
        files=(FILE, replace(FAILING, file="custom/long.py", lines=101), replace(FILE, effort=NOTHING)),
        native=True,
        elsewhere=(NativeText("train#trainer", "clara_compat.T", "", "nothing is kept"),),
    )
    told = [(one.size, one.text, [link.text for link in one.links]) for one in tasks(made)]
    assert told == [
        ("small", "Mend 1 error.", ["config/config_train.json"]),
        ("large", "Replace what is not accepted, or leave it out.", ["Odd"]),
        ("small", "Change 1 setting that is not accepted.", ["config/config_train.json"]),
        ("large", "Mend lines of your own code that do not run.", ["custom/long.py"]),
        ("medium", "Port 20 lines of your own code: this bundle does without them.", ["custom/mine.py"]),
        ("large", "Port 101 lines of your own code: this bundle does without them.", ["custom/long.py"]),
        ("small", "Read the differences and choices, and decide whether they matter to you.", ["Load"]),
        ("medium", "Compare results before you use the bundle of plain MONAI: 2 entries of it differ.", ["Load"]),
    ]
    parsed = Text(page(made))
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert "left out" in parsed.text
    assert "by a voxel" in parsed.text


def test_nothing_left_to_do() -> None:
    assert tasks(report(component())) == []
    assert "What is left to do Nothing." in Text(page(report(component()))).text


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'></style></pre>&amp;{{ 7 * 7 }}{% raw %}"


def test_strangers_words_stay_words() -> None:
    """Names, arguments, file names and messages with markup in them add no tag to the page."""
    remark = Remark(HOSTILE, Address(HOSTILE, 1, HOSTILE), HOSTILE)
    made = MigrationReport(
        HOSTILE,
        (
            ConfigReport(
                HOSTILE,
                "training",
                (
                    ComponentReport(
                        Address(HOSTILE, 1, HOSTILE),
                        *[HOSTILE] * 3,
                        "exact",
                        HOSTILE,
                        NOTHING,
                        HOSTILE,
                        overridden=(HOSTILE,),
                        entries=(EntryText(HOSTILE, HOSTILE),),
                        needs=(HOSTILE,),
                        native=(NativeText(*[HOSTILE] * 4),),
                    ),
                ),
                (
                    SettingReport(
                        HOSTILE, Address(HOSTILE, 1, HOSTILE), HOSTILE, (EntryText(HOSTILE, HOSTILE),), HOSTILE
                    ),
                ),
                (remark,),
                (remark,),
                (remark,),
                (NativeText(*[HOSTILE] * 4),),
            ),
        ),
        (FileReport(HOSTILE, (HOSTILE,), 1, (FindingReport(1, HOSTILE, HOSTILE, HOSTILE),), PORT, HOSTILE),),
        {HOSTILE: HOSTILE},
        HOSTILE,
    )
    html = page(made)
    parsed = Text(html)
    assert not {"script", "img"} & set(parsed.tags)
    assert parsed.tags.count("style") == 1
    assert html.count("</style>") == 1
    assert parsed.text.count(HOSTILE) > 30
    assert "49" not in parsed.text


def test_a_page_is_one_file_without_script() -> None:
    html = page(report(component()))
    assert not re.search(r"<script|<iframe|<object|@import|url\(|https?://", html)
    assert set(re.findall(r'(?:src|href)="(?!#)([^"]*)"', html)) == {"data:,"}


def test_a_long_config_is_cut_on_the_page_only(tmp_path: Path) -> None:
    made = report(*(component(index=index) for index in range(503)))
    paths = write_report(made, tmp_path)
    html = paths["html"].read_text()
    assert html.count("<details") == 500
    assert "3 more components are in report.json." in Text(html).text
    assert len(json.loads(paths["json"].read_text())["configs"][0]["components"]) == 503


def test_write_report(tmp_path: Path) -> None:
    made = report(component("assumed"), files=(FILE,))
    paths = write_report(made, tmp_path / "docs")
    assert paths == {"html": tmp_path / "docs/report.html", "json": tmp_path / "docs/report.json"}
    assert paths["html"].read_text() == page(made)
    assert json.loads(paths["json"].read_text()) == json.loads(json.dumps(as_json(made)))
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == ["report.html", "report.json"]


def test_keys_of_the_json() -> None:
    """Programs read these: one may be added, none changed or removed without another ``format``."""
    native = NativeText("e", "w", "n", "t")
    made = report(
        component("assumed", native=(native,), overridden=("a",), needs=("b",)),
        settings=(SettingReport("epochs", Address("c", 1, "epochs"), "2", (EntryText("epochs", "2"),)),),
        errors=(Remark("e", Address("c")),),
        limits=(Remark("l"),),
        notices=(Remark("n"),),
        elsewhere=(native,),
        files=(FILE,),
    )
    told = json.loads(json.dumps(as_json(made)))
    [config] = told["configs"]
    remark = {"text", "address", "lines"}
    entry = {"id", "text"}
    assert told["format"] == 1
    assert set(told) == {"format", "summary", "name", "configs", "files", "versions", "date", "native"}
    assert set(told["summary"]) == {"outcome", "verdict", "fidelity", "tasks"}
    assert set(told["summary"]["tasks"][0]) == {"size", "text", "links"}
    assert set(told["summary"]["tasks"][0]["links"][0]) == {"text", "anchor"}
    assert set(config) == {
        *("file", "kind", "components", "settings", "errors", "limits", "notices", "elsewhere"),
    }
    assert set(config["components"][0]) == {
        *("address", "name", "legacy", "becomes", "fidelity", "difference", "effort", "reason"),
        *("overridden", "entries", "needs", "native"),
    }
    assert config["components"][0]["address"] == {
        "file": "config/config_train.json",
        "line": 10,
        "path": "train.pre_transforms[0]",
    }
    assert set(config["components"][0]["entries"][0]) == entry
    assert set(config["components"][0]["native"][0]) == {"entry", "was", "now", "text"}
    assert set(config["settings"][0]) == {"name", "address", "value", "entries", "note"}
    assert all(set(config[key][0]) == remark for key in ("errors", "limits", "notices"))
    assert set(told["files"][0]) == {"file", "classes", "lines", "findings", "effort", "todo"}
    assert set(told["files"][0]["findings"][0]) == {"line", "status", "message", "port"}


def test_the_page_of_a_native_bundle_says_what_is_in_it() -> None:
    made = report(
        component("user code", "a.Mine", native=(DIFFERS,)),
        component(
            "assumed",
            "Load",
            1,
            becomes="OurLoader",
            needs=("clara_compat.L",),
            native=(SAME, SAME, replace(SAME, now="Z")),
        ),
        component("assumed", "Odd", 2, becomes="OurOdd", native=(replace(SAME, now=""),)),
        component("assumed", "Kept", 3, becomes="OurKept"),
        native=True,
    )
    text = " ".join(Text(page(made)).text.split())
    for row in ("a.Mine → left out", "Load → Y, Z", "Odd → not needed", "Kept → OurKept"):
        assert row in text
    assert "3 of 4 give the same results in plain MONAI" in text
    assert "need clara_compat installed" not in text
    assert "Needs clara_compat for" not in text
