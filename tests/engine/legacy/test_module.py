import pytest
from torch import nn

from clara_compat.engine.legacy.module import user_module
from clara_compat.errors import ClaraError


def test_a_module_is_taken_as_it_is():
    layer = nn.ReLU()
    assert user_module(layer, "Mine") is layer


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (print, r"'Mine' is no torch.nn.Module: derive it from that, or from Clara's Model \(with get_predictions\)"),
        (nn.Module(), "'Mine' has no method forward"),
    ],
)
def test_anything_else_is_refused(value, message):
    with pytest.raises(ClaraError, match=message):
        user_module(value, "Mine")
