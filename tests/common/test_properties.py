"""Constants, data and label properties, training context and handler, graph component."""

from __future__ import annotations

import inspect
import math

import pytest

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.constants import ActivationFunc, DataElementKey, ImageProperty
from clara_compat.common.data_format import DataFormat
from clara_compat.common.data_prop import DataProperty
from clara_compat.common.graph_component import GraphComponent
from clara_compat.common.label_format import LabelFormat
from clara_compat.common.train_ctx import TrainContext
from clara_compat.common.train_handler import TrainHandler


def test_constants_have_the_strings_configs_use():
    assert (DataElementKey.IMAGE, DataElementKey.LABEL) == ("image", "label")
    assert (ActivationFunc.SOFTMAX, ActivationFunc.SIGMOID, ActivationFunc.LINEAR) == ("softmax", "sigmoid", "linear")
    assert (DataFormat.CHANNELS_FIRST, DataFormat.CHANNELS_LAST) == ("channels_first", "channels_last")
    assert ImageProperty.FILENAME == "file_name"
    assert ImageProperty.ORIGINAL_SHAPE == "original_shape"
    assert ImageProperty.AFFINE == "affine"
    assert ImageProperty.ORIGINAL_AFFINE == "original_affine"
    assert ImageProperty.IS_CANONICAL == "as_canonical"
    assert ImageProperty.SPACING == "spacing"


def test_data_property():
    prop = DataProperty(crop_size=(64, 64), num_data_dims=2, num_channels=4, label_format=LabelFormat([1, 3]))
    assert (prop.task, prop.data_format, prop.num_label_channels) == ("segmentation", "channels_first", 1)
    with pytest.raises(AttributeError):
        prop.num_channels = 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data_format": "NCHW"}, "'NCHW' is not a data format, expected one of channels_first, channels_last"),
        ({"num_data_dims": 4}, "dimensions must be 2 or 3, got 4"),
        ({"num_channels": 0}, "num_channels must be at least 1, got 0"),
        ({"num_label_channels": -1}, "num_label_channels must be at least 1, got -1"),
        ({"crop_size": [64, 64]}, r"crop size \[64, 64\] has 2 numbers, but the data have 3 dimensions"),
    ],
)
def test_bad_data_property(arguments, message):
    with pytest.raises(ValueError, match=message):
        DataProperty(**arguments)


def test_label_format():
    labels = LabelFormat([1, 3, 1])
    assert labels.get_number_of_labels() == 3
    assert labels.get_number_of_outputs() == 5
    assert [labels.is_binary(index) for index in range(3)] == [True, False, True]
    assert labels == LabelFormat((1, 3, 1)) != LabelFormat([1])
    assert len({labels, LabelFormat([1, 3, 1])}) == 1
    assert repr(labels) == "LabelFormat([1, 3, 1])"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], ValueError, "at least one number"),
        ([1, 0], ValueError, r"none below 1, got \[1, 0\]: write 1 for a binary label"),
        ([1.5], TypeError, r"list of integers, got \[1.5\]"),
        ([True], TypeError, "list of integers"),
        (3, TypeError, "list of integers, got 3"),
        ("1,1", TypeError, "list of integers, got '1,1'"),
    ],
)
def test_bad_label_format(given, error, message):
    with pytest.raises(error, match=message):
        LabelFormat(given)


def test_train_context_starts_before_everything():
    ctx = TrainContext()
    assert (ctx.current_epoch, ctx.current_iteration, ctx.total_steps, ctx.best_validation_epoch) == (0, 0, 0, 0)
    assert ctx.best_validation_metric == -math.inf
    assert all(math.isnan(v) for v in (ctx.current_train_loss, ctx.current_learning_rate, ctx.initial_learning_rate))
    assert (ctx.graph, ctx.session, ctx.tf_config, ctx.summary_writer) == (None, None, None, None)
    assert ctx.train_summaries_dict == ctx.validation_summaries_dict == {}
    assert ctx.train_summaries_dict is not TrainContext().train_summaries_dict
    ctx.users_own = 1


def test_every_event_of_a_handler_does_nothing():
    handler = TrainHandler()
    events = [name for name, _ in inspect.getmembers(handler, inspect.ismethod) if not name.startswith("_")]
    assert set(events) == {
        *("start_train", "end_train", "start_epoch", "end_epoch", "start_iteration", "end_iteration"),
        "key_metric_computed",
    }
    ctx = TrainContext()
    assert [getattr(handler, name)(ctx) for name in events] == [None] * len(events)


def test_graph_component_must_be_overridden():
    class Mine(GraphComponent):
        pass

    with pytest.raises(NotImplementedError, match=r"Mine does not implement build\(build_ctx\)"):
        Mine().build(BuildContext())
