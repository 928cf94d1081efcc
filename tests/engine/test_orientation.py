from __future__ import annotations

import itertools

import nibabel
import numpy as np
import pytest

from clara_compat.engine.orientation import reoriented
from clara_compat.errors import ClaraError

TURNS = [(axes, signs) for axes in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)]


@pytest.mark.parametrize(("axes", "signs"), TURNS[::5])
def test_a_volume_runs_as_another_and_voxels_keep_their_place(oblique_affine, world, axes, signs):
    affine = oblique_affine.copy()
    affine[:3, :3] = oblique_affine[:3, axes] * signs
    data = world(affine, (3, 4, 5))
    turned, turned_affine, order = reoriented(data, affine, oblique_affine)
    np.testing.assert_allclose(turned, world(turned_affine, turned.shape[1:]), atol=1e-9)
    np.testing.assert_allclose(turned_affine[:3, :3], oblique_affine[:3, :3])
    assert turned.shape[1:] == tuple((3, 4, 5)[axis] for axis in order)
    back, back_affine, _ = reoriented(turned, turned_affine, affine)
    np.testing.assert_array_equal(back, data)
    np.testing.assert_allclose(back_affine, affine)


@pytest.mark.parametrize(("axes", "signs"), TURNS[::7])
def test_canonical_is_nibabels(oblique_affine, axes, signs):
    affine = oblique_affine.copy()
    affine[:3, :3] = oblique_affine[:3, axes] * signs
    data = np.arange(60.0).reshape(3, 4, 5)
    expected = nibabel.as_closest_canonical(nibabel.Nifti1Image(data, affine))
    turned, turned_affine, _ = reoriented(data[np.newaxis], affine)
    np.testing.assert_array_equal(turned[0], expected.get_fdata())
    np.testing.assert_allclose(turned_affine, expected.affine)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_a_plane(world, swap, signs):
    affine = np.array([[2.0, 0.3, 0, 5], [-0.3, 3, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]])
    like = affine.copy()
    affine[:3, :3] = affine[:3, [1, 0, 2] if swap else [0, 1, 2]] * signs
    data = world(affine, (3, 4))
    turned, turned_affine, order = reoriented(data, affine, like)
    np.testing.assert_allclose(turned, world(turned_affine, turned.shape[1:]), atol=1e-9)
    np.testing.assert_allclose(turned_affine[:3, :3], like[:3, :3])
    assert order == ([1, 0] if swap else [0, 1])


def test_what_cannot_be_turned():
    with pytest.raises(ClaraError, match="its affine is singular"):
        reoriented(np.zeros((1, 2, 2, 2)), np.diag([1.0, 0, 1, 1]))
    with pytest.raises(ClaraError, match="its affine is singular"):
        reoriented(np.zeros((1, 2, 2, 2)), np.eye(4), np.zeros((4, 4)))
    with pytest.raises(ClaraError, match="it is 2-D and its plane is not the one"):
        reoriented(np.zeros((1, 2, 2)), np.eye(4)[[2, 0, 1, 3]])
