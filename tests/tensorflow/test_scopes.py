"""Names as TensorFlow 2.21's ``tf.compat.v1`` gives them; the expected ones were read off real graphs."""

from __future__ import annotations

import pytest
import torch

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.store import VariableStore


@pytest.fixture
def names(user_module):
    """Runs the body of a function ``f`` of a user's in a building pass and returns the variables' names."""

    def run(source: str, store: VariableStore | None = None, building: bool = True) -> list[str]:
        body = "".join(f"    {line}\n" for line in source.strip().splitlines())
        module = user_module(f"import tensorflow as tf\ndef f():\n{body}")
        store = VariableStore() if store is None else store
        with entered(Graph(store, training=True, building=building)):
            module.f()
        return list(store)

    return run


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tf.get_variable('w', [1])", ["w"]),
        ("with tf.variable_scope('A'): tf.get_variable('w', [1])", ["A/w"]),
        ("with tf.variable_scope('A'):\n with tf.variable_scope('B'): tf.get_variable('w', [1])", ["A/B/w"]),
        ("with tf.name_scope('N'): tf.get_variable('w', [1])", ["w"]),
        ("for _ in range(3):\n with tf.variable_scope(None, 'blk'): tf.get_variable('w', [1])",
         ["blk/w", "blk_1/w", "blk_2/w"]),
        ("for n in 'AB':\n with tf.variable_scope(n):\n  with tf.variable_scope(None, 'b'): tf.get_variable('w', [1])",
         ["A/b/w", "B/b/w"]),
        ("for _ in range(2):\n with tf.variable_scope('A', reuse=tf.AUTO_REUSE): tf.get_variable('w', [1])", ["A/w"]),
        (("with tf.variable_scope('A') as s: tf.get_variable('w', [1])\n"
         "with tf.variable_scope(s, reuse=True): tf.get_variable('w', [1])"),
         ["A/w"]),
        (("with tf.variable_scope('A') as s: pass\n"
         "with tf.variable_scope('B'):\n with tf.variable_scope(s): tf.get_variable('w', [1])"),
         ["A/w"]),
        ("with tf.variable_scope('A/B'): tf.get_variable('w', [1])", ["A/B/w"]),
        (("with tf.variable_scope('A') as s:\n"
         " for i in range(2):\n  if i: s.reuse_variables()\n  tf.get_variable('w', [1])\n"
         "tf.get_variable('w', [1])"),
         ["A/w", "w"]),
        (("for i in range(2):\n"
         " if i: tf.get_variable_scope().reuse_variables()\n"
         " with tf.variable_scope('A'): tf.layers.dense(tf.zeros([1, 1]), 1, name='d')"),
         ["A/d/kernel", "A/d/bias"]),
        (("with tf.variable_scope('A') as s: pass\n"
         "with tf.variable_scope('B'):\n"
         " with tf.name_scope(s.original_name_scope): tf.Variable([1.0], name='v')\n"
         " with tf.variable_scope('C') as c: tf.Variable([1.0], name=c.original_name_scope.rstrip('/').split('/')[0])"),
         ["A/v", "B/C/B"]),
    ],
)  # fmt: skip
def test_variables_are_named_by_their_variable_scope(names, source, expected):
    assert names(source) == expected


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("for _ in range(2): tf.get_variable('w', [1])", "the variable 'w' exists already: pass reuse=True"),
        ("with tf.variable_scope('A', reuse=True): tf.get_variable('w', [1])", "the variable 'A/w' does not exist"),
        (
            "with tf.variable_scope('A', reuse=tf.AUTO_REUSE):\n tf.get_variable('w', [1]); tf.get_variable('w', [2])",
            r"the variable 'A/w' has the shape \[1\], here it is shared as \[2\]",
        ),
        ("tf.get_variable('w')", "a variable needs a shape"),
        ("with tf.variable_scope(None): pass", "needs a name or a default_name"),
        ("with tf.variable_scope('A', custom_getter=print): pass", "custom_getter=...\\) is not provided"),
    ],
)
def test_what_tensorflow_refuses_too(names, source, words):
    with pytest.raises(ClaraError, match=rf"user\.py:\d+: .*{words}"):
        names(source)


def test_outside_of_a_pass_nothing_is_made(user_module):
    module = user_module("import tensorflow as tf\ndef f(): tf.get_variable('w', [1])")
    with pytest.raises(ClaraError, match=r"user\.py:2: a variable is made outside of get_predictions and get_loss"):
        module.f()


def test_a_later_pass_finds_the_same_variables(names):
    store = VariableStore()
    source = "with tf.variable_scope('A'): tf.get_variable('w', [2, 3])"
    names(source, store)
    first = store["A/w"]
    names(source, store, building=False)
    assert list(store) == ["A/w"]
    assert store["A/w"] is first


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ("tf.get_variable('v', [1])", "the variable 'v' is made after the component was built"),
        (
            "tf.get_variable('w', [2])",
            r"'w' has the shape \[1\], here it is asked for as \[2\]: a variable's shape cannot",
        ),
    ],
)
def test_a_later_pass_makes_none(names, later, words):
    store = VariableStore()
    names("tf.get_variable('w', [1])", store)
    with pytest.raises(ClaraError, match=words):
        names(later, store, building=False)


def test_a_scope_hands_down_initializer_and_regularizer(names, user_module):
    module = user_module(
        """
        import tensorflow as tf
        def f():
            with tf.variable_scope('A', initializer=lambda shape, dtype=None, partition_info=None: [7.0, 8.0],
                                   regularizer=lambda w: w.sum()):
                with tf.variable_scope('B'):
                    tf.get_variable('w', [2])
            tf.get_variable('v', initializer=3.0, trainable=False)
            return tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES), tf.trainable_variables(), \
                tf.global_variables('A'), tf.get_variable_scope().name
        """
    )
    store = VariableStore()
    with entered(Graph(store, training=True, building=True)):
        losses, trainable, of_a, scope = module.f()
    assert [loss.item() for loss in losses] == [15.0]
    assert [store.name_of(one) for one in trainable] == ["A/B/w"]
    assert [store.name_of(one) for one in of_a] == ["A/B/w"]
    assert scope == ""
    assert store["v"].item() == 3.0
    assert [name for name, _ in store.named_buffers()] == ["v"]


class TestStore:
    def test_kernels_lie_as_torch_wants_them(self):
        store = VariableStore()
        value = torch.arange(3 * 3 * 2 * 4, dtype=torch.float32).reshape(3, 3, 2, 4)
        store.create("conv/kernel", value, trainable=True)
        assert torch.equal(store["conv/kernel"], value)
        assert store["conv/kernel"].permute(3, 2, 0, 1).is_contiguous()

    @pytest.mark.parametrize("name", ["training", "a.b/kernel", "forward", "w"])
    def test_any_name_of_tensorflow_is_kept(self, name):
        store = VariableStore()
        store.create(name, torch.ones(2), trainable=True)
        other = VariableStore()
        other.create(name, torch.zeros(2), trainable=True)
        other.load_state_dict(store.state_dict())
        assert list(other) == [name]
        assert other[name].tolist() == [1, 1]
        assert store.is_trainable(name)
        assert store.name_of(store[name]) == name
        assert store.name_of(torch.ones(2)) is None
        assert store.training is True
