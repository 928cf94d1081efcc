"""Control flow, variables, functions of Python's, sessions: what TensorFlow 1 code does besides computing."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.network import LegacyNetwork
from clara_compat.tensorflow.store import VariableStore


@pytest.fixture
def run(user_module):
    """Runs the body of a function ``f(x, training)`` of a user's and returns what it returns."""

    def execute(source: str, x=None, *, store=None, training=True, building=True, conditions=None):
        body = "".join(f"    {line}\n" for line in source.strip().splitlines())
        module = user_module(
            f"import numpy as np\nimport tensorflow as tf\nfrom tensorflow.keras import backend as K\n"
            f"def f(x, training):\n{body}"
        )
        store = VariableStore() if store is None else store
        graph = Graph(store, training=training, building=building, conditions=conditions)
        with entered(graph):
            found = module.f(x, training)
        return found if conditions is None else (found, graph.branches.conditions)

    return execute


def names_of(run, source: str) -> list[str]:
    store = VariableStore()
    run(source, store=store)
    return list(store)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for _ in range(2): tf.Variable(1.0)", ["Variable", "Variable_1"]),
        ("with tf.name_scope('N'):\n for _ in range(2): tf.Variable([1.0], name='v')", ["N/v", "N/v_1"]),
        ("with tf.variable_scope('A'): tf.Variable(1.0, name='v')", ["A/v"]),
        ("K.variable(1.0, name='kv'); K.zeros((2, 3)); K.ones((1,), name='o')", ["kv", "Variable", "o_1"]),
        ("with tf.variable_scope('A'): tf.cond(True, lambda: tf.Variable(1.0), lambda: tf.Variable(2.0))",
         ["A/cond/Variable", "A/cond/Variable_1"]),
        ("t = tf.make_template('T', lambda: tf.get_variable('w', [1]))\nt(); t()", ["T/w"]),
        (("a = tf.make_template('T', lambda: tf.get_variable('w', [1])); a()\n"
          "b = tf.make_template('T', lambda: tf.get_variable('w', [1])); b()"), ["T/w", "T_1/w"]),
    ],
)  # fmt: skip
def test_variables_are_named_as_in_tensorflow(run, source, expected):
    assert names_of(run, source) == expected


def test_a_variable_is_trained_unless_it_shall_not(run):
    store = VariableStore()
    source = "tf.Variable(1.0, name='a'); tf.Variable(2.0, trainable=False, name='b')\nreturn tf.trainable_variables()"
    found = run(source, store=store)
    assert [store.name_of(one) for one in found] == ["a"]
    assert (store.is_trainable("a"), store.is_trainable("b")) == (True, False)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("tf.assign(v, [5.0, 6.0])", [5, 6]),
        ("tf.assign_add(v, [1.0, 1.0])", [2, 3]),
        ("tf.assign_sub(v, v * 0.5)", [0.5, 1]),
        ("K.update(v, np.array([7.0, 8.0]))", [7, 8]),
        ("K.update_add(v, 1.0)", [2, 3]),
        ("K.moving_average_update(v, tf.constant([3.0, 4.0]), 0.75)", [1.5, 2.5]),
        ("K.set_value(v, [0.0, 9.0])", [0, 9]),
        ("v.assign(v + 1.0)", [2, 3]),
    ],
)
def test_assignments_change_a_variable_in_a_step_and_not_while_it_is_built(run, change, expected):
    store = VariableStore()
    source = "v = tf.Variable([1.0, 2.0], trainable=False, name='v')\n"
    source += f"with tf.control_dependencies([{change}]):\n return K.get_value(v)"
    np.testing.assert_array_equal(run(source, store=store), [1, 2])
    np.testing.assert_allclose(run(source, store=store, building=False), expected)


@pytest.mark.parametrize(
    ("use", "evaluated", "trained"),
    [
        ("move", 0, 1),  # who uses its value is not seen
        ("tf.add_to_collection('mine', move)", 0, 0),
        ("tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, move)", 0, 1),
        ("tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.group(move, tf.no_op()))", 0, 1),
        ("self.updates = [tf.group([move])]", 0, 1),
        ("with tf.control_dependencies([move]): x = tf.identity(x)", 1, 1),
        ("with tf.control_dependencies([tf.group(move)]): x = tf.identity(x)", 1, 1),
        ("with tf.control_dependencies([move, move]): tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, move)", 1, 1),
        ("x = tf.cond(training, lambda: x * 1.0, lambda: x)", 0, 1),
    ],
)
def test_an_assignment_runs_when_it_is_asked_for(user_folder, use, evaluated, trained):
    user_folder(
        mine=f"""
import tensorflow as tf
from ai4med.components.models.model import Model
class Net(Model):
    updates = []
    def get_predictions(self, x, training, ctx):
        count = tf.get_variable('count', [], initializer=tf.zeros_initializer(), trainable=False)
        move = tf.assign_add(count, 1.0)
        {use}
        return x * tf.get_variable('own', [])
    def get_update_ops(self):
        return Model.get_update_ops(self) + self.updates
"""
    )
    net = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])
    count = net.variables["count"]
    assert count.item() == 0
    net.eval()(torch.zeros(1, 1, 2, 2, 2))
    net.extra_loss()
    assert count.item() == evaluated
    net.train()(torch.zeros(1, 1, 2, 2, 2))
    net.extra_loss()
    assert count.item() == evaluated + trained


NORM = """
import tensorflow as tf
from ai4med.components.models.model import Model
def norm(x, training, decay):
    mean, variance = tf.nn.moments(x, [0, 2, 3, 4], name='moments')
    average = tf.train.ExponentialMovingAverage(decay=decay)
    def moved():
        with tf.control_dependencies([average.apply([mean, variance])]):
            return tf.identity(mean), tf.identity(variance)
    return tf.cond(training, moved, lambda: (average.average(mean), average.average(variance)))
class Net(Model):
    def get_predictions(self, x, training, ctx):
        with tf.variable_scope('a'):
            mean, variance = norm(x, training, 0.75)
        with tf.variable_scope('b'):
            norm(x * 2.0, training, 0.5)
        weight = tf.get_variable('w', [], initializer=tf.ones_initializer())
        tf.train.ExponentialMovingAverage(0.9, num_updates=2).apply([weight])
        return x * weight * variance + mean
"""


def test_averages_over_steps_are_tensorflows_variables(user_folder):
    user_folder(mine=NORM)
    net = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])
    means, variances = (
        [f"{s}/{s}/moments/{o}/ExponentialMovingAverage" for s in "ab"] for o in ("Squeeze", "Squeeze_1")
    )
    assert list(net.variables) == [means[0], variances[0], means[1], variances[1], "w", "w/ExponentialMovingAverage"]
    assert [name for name in net.variables if net.store.is_trainable(name)] == ["w"]
    x = torch.arange(8.0).reshape(1, 1, 2, 2, 2)
    found = net(x)
    torch.testing.assert_close(found, x * 5.25 + 3.5)  # while it trains: of the batch
    assert net.variables[means[0]].item() == pytest.approx(0.25 * 3.5)
    assert net.variables[variances[1]].item() == pytest.approx(0.5 * 4 * 5.25)
    torch.testing.assert_close(net.eval()(x), x * (0.25 * 5.25) + 0.25 * 3.5)
    assert net.variables[means[0]].item() == pytest.approx(0.25 * 3.5)
    assert net.variables["w/ExponentialMovingAverage"].item() == 1.0


def test_an_average_of_a_tensor_without_a_name_is_refused(run):
    with pytest.raises(ClaraError, match="of a tensor whose operation has no name: take tf.nn.moments"):
        run("tf.train.ExponentialMovingAverage(0.9).apply([x + 1.0])", torch.zeros(1))
    run("tf.train.ExponentialMovingAverage(0.9).apply([tf.identity(x + 1.0, name='m')])", torch.zeros(1))
    with pytest.raises(ClaraError, match="zero_debias=True"):
        run("tf.train.ExponentialMovingAverage(0.9, zero_debias=True)")


@pytest.mark.parametrize("training", [False, True])
def test_a_condition_runs_the_branch_that_its_names_were_built_for(run, training):
    store, conditions = VariableStore(), {}
    source = """
a = lambda: x * tf.Variable(2.0, name='a')
b = lambda: x * tf.Variable(3.0, name='b')
y = tf.cond(training, true_fn=a, false_fn=b)
return y + tf.cond(tf.reduce_sum(x) > 100.0, fn1=lambda: tf.Variable(5.0), fn2=lambda: tf.Variable(7.0))
"""
    x = torch.ones(2)
    built, conditions = run(source, x, store=store, training=training, conditions=conditions)
    assert list(store) == ["cond/a", "cond/b", "cond_1/Variable", "cond_1/Variable_1"]
    again, _ = run(source, x, store=store, training=training, building=False, conditions=conditions)
    assert built.tolist() == again.tolist() == [9 if training else 10] * 2
    larger, _ = run(source, 100 * x, store=store, training=training, building=False, conditions=conditions)
    assert larger.tolist() == [205 if training else 305] * 2


def test_a_template_made_in_init_starts_anew_in_every_pass(run):
    store = VariableStore()
    source = """
global T
try:
    T
except NameError:
    T = tf.make_template('T', lambda: tf.get_variable('w', [1], initializer=tf.ones_initializer()))
return T() + T()
"""
    module_run = [run(source, store=store, building=building) for building in (True, False)]
    assert [one.tolist() for one in module_run] == [[2], [2]]
    assert list(store) == ["T/w"]


def test_loops_stop_after_a_number_of_rounds(run):
    source = "return tf.while_loop(lambda i: i < 10, lambda i: i + 1, [0], maximum_iterations=4)"
    assert int(run(source)) == 4


def test_py_function_gives_what_numpy_and_scipy_take_whatever_depends_on_it(run):
    source = """
from scipy import ndimage
def distance(a):
    return ndimage.distance_transform_edt(a > 0).astype(np.float32) + np.asarray(a)
return tf.py_function(distance, [x], tf.float32)
"""
    x = torch.tensor([[0.0, 1.0, 1.0]], requires_grad=True)
    found = run(source, x)
    assert found.tolist() == [[0, 2, 3]]
    assert type(found) is torch.Tensor
    assert not found.requires_grad


def test_gradients_pass_through_tensorflow_inside_py_function(run):
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    found = run("return tf.py_function(lambda a: tf.square(a) * 2.0, [x], tf.float32)", x)
    assert type(found) is torch.Tensor
    found.sum().backward()
    assert x.grad.tolist() == [8, 12]


def test_gradients_stop_at_py_func(run):
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    found = run("return tf.py_func(lambda a: a * 2, [x], tf.float32)", x)
    assert found.tolist() == [4, 6]
    assert not found.requires_grad


def test_a_gradient_of_ones_own_is_used(run):
    source = """
@tf.custom_gradient
def flipped(a, b):
    return a * b, lambda g: (-g * b, tf.zeros_like(b))
return flipped(x, tf.constant([2.0, 5.0]))
"""
    x = torch.tensor([1.0, 1.0], requires_grad=True)
    run(source, x).sum().backward()
    assert x.grad.tolist() == [-2, -5]


def test_gradients_of_variables_can_be_part_of_a_loss(run):
    store = VariableStore()
    source = """
v = tf.Variable([1.0, 3.0], name='v')
slope = tf.gradients(tf.reduce_sum(v * v * x), [v])[0]
return tf.reduce_sum(tf.square(slope))
"""
    with torch.no_grad():
        assert float(run(source, torch.ones(2), store=store)) == 0  # gradients are off while it is built
    found = run(source, torch.ones(2), store=store, building=False)
    found.backward()
    assert found.item() == 40
    assert store["v"].grad.tolist() == [8, 24]


def test_a_session_gives_values(run):
    source = """
config = tf.ConfigProto()
config.gpu_options.allow_growth = True
tf.reset_default_graph()
with tf.Session(config=config) as session:
    session.run(tf.global_variables_initializer())
    K.set_session(session)
    values = session.run([x, {'twice': x * 2}])
tf.train.Saver().save(session, 'nowhere')
tf.summary.scalar('loss', x)
with tf.device('/gpu:0'), tf.Graph().as_default(), tf.control_dependencies([x]):
    return values, tf.get_default_graph().get_collection('losses'), tf.__version__
"""
    (first, second), losses, version = run(source, torch.ones(2))
    assert isinstance(first, np.ndarray)
    np.testing.assert_array_equal(second["twice"], [2, 2])
    assert (losses, version) == ([], "1.15.0")


def test_prints_and_messages_go_to_the_log(run, caplog):
    source = """
tf.logging.info('seen %d', 3)
tf.print('values', x, summarize=2)
return tf.Print(x, [tf.reduce_sum(x)], message='sum: ')
"""
    with caplog.at_level(logging.INFO, "clara_compat.user"):
        run(source, torch.arange(3.0))
        assert [record.getMessage() for record in caplog.records] == ["seen 3"]  # made-up data say nothing
        assert run(source, torch.arange(3.0), building=False).tolist() == [0, 1, 2]
    assert [record.getMessage() for record in caplog.records][1:] == ["seen 3", "values [0.0 1.0...]", "sum:  3"]


def test_files_are_found_through_gfile(run, tmp_path):
    (tmp_path / "a.txt").write_text("text")
    source = """
tf.gfile.MakeDirs(x + '/b/c')
with tf.gfile.GFile(x + '/a.txt') as stream:
    text = stream.read()
return text, tf.gfile.Exists(x), tf.io.gfile.listdir(x), tf.gfile.Glob(x + '/*.txt'), tf.gfile.IsDirectory(x + '/b/c')
"""
    folder = str(tmp_path)
    text, exists, listed, found, made = run(source, folder)
    assert (text, exists, made, found) == ("text", True, True, [f"{folder}/a.txt"])
    assert [name for name in listed if name != "user.py"] == ["a.txt", "b"]


def test_structures_are_flattened_and_mapped(run):
    source = """
pairs = {'b': [1, (2, 3)], 'a': 4}
return tf.nest.flatten(pairs), tf.contrib.framework.nest.map_structure(lambda a, b: a + b, pairs, pairs)
"""
    assert run(source) == ([4, 1, 2, 3], {"b": [2, (4, 6)], "a": 8})


def test_the_session_is_set_through_keras_inner_module_too(run):
    run("from keras.backend.tensorflow_backend import set_session\nset_session(tf.Session())")


PASSED = [
    "tf.assert_equal(x, [1.0, 2.0])",
    "tf.assert_less(x, 3.0)",
    "tf.debugging.assert_positive(x)",
    "tf.assert_rank(x, 1)",
    "tf.debugging.assert_near(x, x + 1e-7)",
    "tf.Assert(tf.reduce_all(x > 0.0), [x])",
    "tf.debugging.check_numerics(x, 'x')",
]
FAILED = [
    ("tf.assert_equal(x, [1.0, 3.0], message='labels')", r"user.py:\d+: the assertion x == y failed: labels"),
    ("tf.assert_greater_equal(x, 2.0)", r"the assertion x >= y failed$"),
    ("tf.debugging.assert_negative(x)", "all values are negative failed"),
    ("tf.Assert(tf.reduce_all(x > 1.0), ['too small', x])", "the assertion failed: too small"),
    ("tf.debugging.check_numerics(x / 0.0, 'x')", "values that are not finite. x"),
]


@pytest.mark.parametrize("source", PASSED)
def test_assertions_that_hold_say_nothing(run, source):
    run(source, torch.tensor([1.0, 2.0]), building=False)


@pytest.mark.parametrize(("source", "words"), FAILED)
def test_assertions_look_at_the_data_of_a_step_only(run, source, words):
    x = torch.tensor([1.0, 2.0])
    run(source, x)
    with pytest.raises(ClaraError, match=words):
        run(source, x, building=False)


LOOPED = """
y = tf.map_fn(lambda one: tf.cond(tf.reduce_sum(one) > 0, lambda: tf.layers.dense(one[None], 1)[0, 0], lambda: 0.0), x)
_, z = tf.while_loop(lambda i, total: i < tf.shape(x)[0],
                     lambda i, total: (i + 1, total + tf.reduce_sum(tf.layers.dense(x, 1))), [0, 0.0])
return tf.layers.dense(x, 1) + z
"""


def test_a_loop_is_built_once_and_met_with_any_number_of_items(run):
    store, conditions = VariableStore(), {}
    run(LOOPED, torch.ones(1, 2), store=store, conditions=conditions)
    assert list(store) == [f"{name}/{part}" for name in ("dense", "dense_1", "dense_2") for part in ("kernel", "bias")]
    rows = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [3.0, 4.0]])
    (found, _) = run(LOOPED, rows, store=store, building=False, conditions=conditions)
    kernel, bias = store["dense_2/kernel"], store["dense_2/bias"]
    looped = 3 * (rows @ store["dense_1/kernel"] + store["dense_1/bias"]).sum()
    torch.testing.assert_close(found, rows @ kernel + bias + looped)


BRANCHES = """
def inner(): return tf.cond(x.shape[0] > 0, lambda: tf.layers.dense(x, 1), lambda: tf.layers.dense(x, 1))
y = tf.cond(training, inner, lambda: x)
z = tf.cond(training, lambda: x, lambda: tf.layers.dense(x, 1, name='other'))
return tf.layers.dense(x, 1, name='last')
"""


def test_a_condition_inside_a_branch_that_is_not_taken_does_not_shift_the_next_ones(run):
    store, conditions = VariableStore(), {}
    x = torch.ones(1, 2)
    run(BRANCHES, x, store=store, conditions=conditions)
    for training in (False, True):
        found, _ = run(BRANCHES, x, store=store, training=training, building=False, conditions=conditions)
        torch.testing.assert_close(found, x @ store["last/kernel"] + store["last/bias"])


def test_a_loop_without_rounds_when_it_was_built(run):
    source = (
        "return tf.while_loop(lambda i: i < x.shape[0] - 1, lambda i: i + tf.cond(i > 5, lambda: 2, lambda: 1), [0])"
    )
    _, conditions = run(source, torch.ones(1), conditions={})
    found, _ = run(source, torch.ones(9), building=False, conditions=conditions)
    assert int(found) == 8


def test_scan_can_run_backwards(run):
    assert run("return tf.scan(lambda a, b: a * 2 + b, tf.constant([1.0, 2.0, 3.0]), reverse=True)").tolist() == [
        17,
        8,
        3,
    ]


def test_a_tensor_array_is_written_in_a_loop(run):
    source = """
array = tf.TensorArray(tf.float32, size=tf.shape(x)[0])
_, array = tf.while_loop(lambda i, *_: i < tf.shape(x)[0], lambda i, a: (i + 1, a.write(i, x[i] * 2)), (0, array))
return array.stack(), array.read(1), array.gather([2, 0]), array.concat(), array.size(), array.unstack(x).stack()
"""
    x = torch.arange(6.0).reshape(3, 2).requires_grad_()
    stacked, second, chosen, joined, size, whole = run(source, x)
    assert (stacked.tolist(), size) == ((x * 2).tolist(), 3)
    assert (second.tolist(), joined.tolist()) == ([4.0, 6.0], (x * 2).flatten().tolist())
    assert chosen.tolist() == [[8.0, 10.0], [0.0, 2.0]]
    assert whole.tolist() == x.tolist()
    stacked.sum().backward()
    assert x.grad.unique().tolist() == [2.0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tf.scatter_update(v, [0, 2], [[5.0, 6.0], [7.0, 8.0]])", [[5, 6], [1, 1], [7, 8]]),
        ("tf.scatter_add(v, [1, 1], x)", [[1, 1], [5, 7], [1, 1]]),
        ("tf.scatter_sub(v, 1, [3.0, 4.0])", [[1, 1], [-2, -3], [1, 1]]),
        ("tf.scatter_nd_update(v, [[0, 1], [2, 0]], [5.0, 6.0])", [[1, 5], [1, 1], [6, 1]]),
        ("tf.scatter_nd_add(v, [[2], [2]], x)", [[1, 1], [1, 1], [5, 7]]),
        ("tf.scatter_nd_sub(v, [[1, 1]], [4.0])", [[1, 1], [1, -3], [1, 1]]),
    ],
)
def test_items_of_a_variable_are_changed_by_index_outside_of_the_building_pass(run, source, expected):
    text = f"v = tf.get_variable('v', [3, 2], initializer=tf.ones_initializer())\nreturn {source}"
    store, x = VariableStore(), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert run(text, x, store=store).tolist() == [[1, 1]] * 3
    assert run(text, x, store=store, building=False).tolist() == expected
    assert store["v"].tolist() == expected
