from __future__ import annotations

import pytest

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.checkpoint.bundle import Entry
from clara_compat.tensorflow.checkpoint.matching import NameMatch, match_names, weights_of
from clara_compat.tensorflow.checkpoint.reader import open_checkpoint
from clara_compat.tensorflow.checkpoint.training import belongs_to_training

CONV = "CustomNetwork/conv3d/kernel"


@pytest.fixture
def checkpoint(checkpoints):
    return open_checkpoint(checkpoints / "network")


def test_a_match(checkpoint):
    found = match_names(
        checkpoint,
        {"v.kernel": CONV, "v.step": "global_step", "v.new": "CustomNetwork/new/kernel"},
        {"v.kernel": (3, 3, 3, 1, 4), "v.step": (), "v.new": (2,)},
    )
    left = [name for name in weights_of(checkpoint) if name != CONV]
    assert len(left) == 7
    assert found == NameMatch({"v.kernel": CONV, "v.step": "global_step"}, ["CustomNetwork/new/kernel"], left, 18)


def test_another_shape_is_an_error(checkpoint):
    message = (
        rf"the variable '{CONV}' of '.*network' is float32 \(3, 3, 3, 1, 4\), the network's 'v.kernel' is "
        r"\(3, 3, 3, 2, 4\): name the checkpoint of this network, or mend its arguments"
    )
    with pytest.raises(ClaraError, match=message):
        match_names(checkpoint, {"v.kernel": CONV}, {"v.kernel": (3, 3, 3, 2, 4)})


def test_a_text_is_no_weight(checkpoints):
    checkpoint = open_checkpoint(checkpoints / "dtypes")
    with pytest.raises(ClaraError, match=r"the variable 'text' of '.*dtypes' is string \(2\), the network's 'v' is"):
        match_names(checkpoint, {"v": "text"}, {"v": (2,)})
    assert match_names(checkpoint, {"v": "scalar"}, {"v": ()}).of_training == 1


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        ("net/conv/kernel", False),
        ("net/conv/kernel/Adam", True),
        ("net/conv/kernel/Adam_1", True),
        ("train/net/conv/kernel/Momentum", True),
        ("net/conv/kernel/RMSProp_2", True),
        ("net/conv/kernel/NovoGrad", True),
        ("net/conv/kernel/ExponentialMovingAverage", True),
        ("net/conv/kernel/m", True),
        ("net/gate/m", False),
        ("beta1_power", True),
        ("train/beta2_power_1", True),
        ("global_step", True),
        ("NV_LR/learning_rate", True),
        ("net/momentum", False),
        ("optimizer/layer/m/.ATTRIBUTES/VARIABLE_VALUE", True),
        ("layer/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE", True),
        ("layer/kernel/.ATTRIBUTES/VARIABLE_VALUE", False),
        ("save_counter/.ATTRIBUTES/VARIABLE_VALUE", True),
        ("net/Adam_block/kernel", False),
    ],
)
def test_what_belongs_to_the_training(name, belongs):
    variables = {"net/conv/kernel": Entry(shape=(3,)), name: Entry(shape=(3,) if name == "net/momentum" else ())}
    assert belongs_to_training(name, variables) == belongs
