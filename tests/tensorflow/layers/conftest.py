"""Passes over a store of variables, as a component makes them."""

import contextlib

import pytest
import torch

from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.names import Names
from clara_compat.tensorflow.namespace import all_symbols, facade_module
from clara_compat.tensorflow.store import VariableStore

all_symbols()


class Passes:
    """A store, and passes over it."""

    def __init__(self):
        self.store = VariableStore()
        self.names = Names()

    @contextlib.contextmanager
    def going(self, *, building=False, training=False):
        with entered(Graph(self.store, training=training, building=building, names=self.names)) as graph:
            yield graph

    def build(self, function):
        with self.going(building=True), torch.no_grad():
            return function()

    def run(self, function, **options):
        with self.going(**options):
            return function()


@pytest.fixture
def passes():
    return Passes()


@pytest.fixture(scope="session")
def tf():
    return facade_module("tensorflow")


@pytest.fixture(scope="session")
def kl(tf):
    return tf.keras.layers
