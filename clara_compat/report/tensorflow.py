"""The page of the TensorFlow facade as Markdown: what it provides, and how that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clara_compat.report.markdown import code_span, link, prose, table

__all__ = ["Provided", "tensorflow_page"]

_PAGE = """# TensorFlow

<!-- Made by `make docs` from the table of symbols: change the notes beside the code, not this page. -->

Models and losses written for Clara Train 3.1 in TensorFlow 1 or Keras run as they are, on torch. In the modules of the
user, `import tensorflow`, `import keras` and what lies below them give the facade; nothing else in the process sees it,
and neither TensorFlow nor Keras is needed. Tensors are plain torch tensors. Variables have TensorFlow's names and
layouts, so that a checkpoint of TensorFlow loads by name. These {} symbols are provided; any other is an error with the
file and line of its first use, and importing it is none. `clara-compat lint FILE` says beforehand what a file uses.

## What differs everywhere

- TensorFlow builds a graph once; here `get_predictions` and `get_loss` run in every step, on real tensors. What an
  object's attributes held after `__init__` is put back before each call. What it prints appears once, when the
  component is built, tensors as TensorFlow writes them; prints inside `tf.py_func` appear each time, as there.
- Layers must be the same in every call: a variable that is new after the model was built is an error.
- Shapes are known, the batch size too, where TensorFlow has `None`. `tf.shape` gives them as numbers, so an exported
  network has a fixed spatial size where it asks for one.
- `is_training` is a Python boolean, and so is what is computed from it: `tf.cond` and `if` do the same.
- Random numbers come from torch, other ones than TensorFlow's from the same laws. The configuration's determinism seeds
  them; seeds of single operations mean nothing, except that an initializer with a seed always draws the same values.
- Moving averages of `tf.layers` and `slim` change in the forward pass of training, and are not in the collection
  `UPDATE_OPS`. Those of Keras's BatchNormalization change only if `get_update_ops` returns the layer's `updates`, as in
  TensorFlow 1.
- `tf.assign` runs when `tf.control_dependencies`, `tf.group`, `UPDATE_OPS` or a layer's updates ask for it; one that
  was put nowhere runs at the end of a training step, and not in an evaluation.
- The moving variance is, as in TensorFlow 1, unbiased for images of two dimensions and biased for volumes.
- Penalties count where they did: those of `tf.layers`, `slim` and variable scopes are in
  `tf.losses.get_regularization_loss()`, those of Keras layers in the layer's `losses` only.
- Constraints of variables are applied after each step of the training, as by TensorFlow's optimizers.
- Python's numbers and numpy's arrays take the type of the tensor beside them; alone, a Python number is `float32` or
  `int32`.
- Gradients stop at `tf.py_func`, as in TensorFlow.
- Under AMP, convolutions run in 16 bits as torch's autocast has it; variables stay `float32`.
"""
_SAME = """## Modules of the same content

The module on the left is the one on the right, with everything in it.
"""


@dataclass(frozen=True)
class Provided:
    """One symbol of the facade.

    Args:
        name: its full name: ``tensorflow.nn.relu``.
        note: how it differs from TensorFlow's, or what was chosen; empty when there is nothing to say.
    """

    name: str
    note: str = ""


def tensorflow_page(symbols: Sequence[Provided], same: Mapping[str, str]) -> str:
    """Return ``TENSORFLOW.md``: what differs everywhere, and every symbol with what differs of it.

    Args:
        symbols: everything that is provided.
        same: modules that are another one, by name.
    """
    modules: dict[str, list[Provided]] = {}
    for one in sorted(symbols, key=lambda each: each.name):
        modules.setdefault(one.name.rpartition(".")[0], []).append(one)
    lines = [_PAGE.format(len(symbols)), _SAME]
    lines += table(("module", "is"), [(code_span(name), code_span(of)) for name, of in sorted(same.items())])
    lines += ["", "## Symbols", "", " · ".join(link(name.replace(".", " ")) for name in sorted(modules))]
    for name in sorted(modules):
        lines += _module(name, modules[name])
    return "\n".join(lines) + "\n"


def _module(name: str, symbols: Sequence[Provided]) -> Iterator[str]:
    """Yield the section of a module: its symbols, and a table of those of which there is something to say."""
    yield from ("", f"### {name.replace('.', ' ')}", "")
    yield f"In `{name}`: {', '.join(code_span(_last(one)) for one in symbols)}."
    by_note: dict[str, list[str]] = {}
    for one in symbols:
        if one.note:
            by_note.setdefault(one.note, []).append(code_span(_last(one)))
    if by_note:
        yield ""
        yield from table(("symbol", "note"), [(", ".join(names), prose(note)) for note, names in by_note.items()])


def _last(one: Provided) -> str:
    return one.name.rpartition(".")[2]
