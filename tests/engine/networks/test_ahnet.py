"""Clara's SegAhnet: what the wrapper adds to MONAI's network."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets import AHNet

from clara_compat.engine.networks.ahnet import ClaraAHNet


@pytest.mark.parametrize(("axis", "shape"), [(0, (1, 1, 32, 64, 64)), (1, (1, 1, 64, 32, 96)), (2, (1, 1, 64, 32, 32))])
def test_the_slices_lie_along_the_axis(axis, shape):
    network = ClaraAHNet(3, 1, 2, anisotropic_axis=axis, final_activation="linear").eval()
    image = torch.rand(shape)
    others = [n for n in range(3) if n != axis]
    turned = image.permute(0, 1, *[2 + n for n in (*others, axis)])
    with torch.no_grad():
        found, expected = network(image), network.net(turned)
    assert found.shape == (1, 2, *shape[2:])
    back = [(*others, axis).index(n) for n in range(3)]
    assert torch.equal(found, expected.permute(0, 1, *[2 + n for n in back]))


def test_the_first_halving_along_the_slices_is_a_pooling():
    network = ClaraAHNet(3, 1, 2, anisotropic_axis=1)
    assert network.net.conv1.stride == (2, 2, 1)
    assert network.axis == 3


def test_the_pyramid_is_of_monais_four_windows():
    counts = {}
    for psp in (False, True):
        ours = ClaraAHNet(2, 1, 3, psp=psp)
        monais = AHNet(spatial_dims=2, out_channels=3, psp_block_num=4 * psp, upsample_mode="bilinear")
        counts[psp] = sum(p.numel() for p in ours.parameters())
        assert [p.shape for p in ours.net.parameters()] == [p.shape for p in monais.parameters()]
    # four projections of the 124 last features to one, with bias; 4 more channels in the final norm and convolution
    assert counts[True] - counts[False] == 4 * (124 + 1) + 4 * 2 + 4 * 3 * 3


def test_no_loss_of_its_own():
    assert ClaraAHNet(2, 1, 2).extra_loss().item() == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anisotropic_axis": 3}, "anisotropic_axis must be one of 3 axes from 0 but is 3"),
        ({"anisotropic_axis": -2}, "but is -2"),
        ({"final_activation": "soft"}, "did you mean 'softmax'"),
        ({"in_channels": 0}, "at least 1"),
    ],
)
def test_refused_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        ClaraAHNet(**{"spatial_dims": 3, "in_channels": 1, "out_channels": 2} | options)
