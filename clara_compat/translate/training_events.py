"""The optimizer, the learning rate policy, the handlers and the early end of a training as MONAI entries."""

from __future__ import annotations

from collections.abc import Iterator

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.config.components import ComponentSpec
from clara_compat.config.problems import Notice
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.translate.chain import built_in_base, component_entries, component_entry, user_component

__all__ = ["needless", "optimizer_entry", "train_events"]


def optimizer_entry(spec: ComponentSpec, context: BundleContext) -> Entry:
    """Return the entry of the optimizer; a user's own makes it with its ``get_optimizer``.

    A user's subclass of a built-in that changes neither constructor nor ``get_optimizer`` is that built-in.

    Raises:
        ClaraError: it refuses its arguments.
    """
    changed = {"get_optimizer", "build"} & (spec.user.methods if spec.user is not None else frozenset())
    if spec.cls is not None or (spec.base is not None and not changed):
        return component_entry(spec, context)
    return Entry(
        "clara_compat.engine.legacy.optimizer.legacy_optimizer",
        optimizer=user_component(spec),
        params=context.parameters,
        lr=context.learning_rate,
    )


def train_events(
    workflow: TrainWorkflow, context: BundleContext, evaluator: Expression | None, writer: Expression
) -> Entry | None:
    """Return what runs the learning rate policy and the handlers and ends the training early, or None without those.

    Raises:
        ClaraError: a component refuses its arguments.
    """
    train, threshold = workflow.train, workflow.settings.stop_threshold
    handlers = [entry for spec in train.handlers for entry in _entries(spec, context)]
    policy = None if train.lr_policy is None else _entries(train.lr_policy, context)[0]
    if not handlers and policy is None and threshold is None:
        return None
    return Entry(
        "clara_compat.engine.handlers.train_events.TrainEvents",
        optimizer=Expression("@optimizer"),
        learning_rate=context.learning_rate,
        evaluator=evaluator,
        policy=policy,
        handlers=handlers,
        stop_threshold=threshold,
        writer=writer,
    )


def needless(workflow: TrainWorkflow) -> Iterator[Notice]:
    """Say what waits for a key metric, in a run that never computes one."""
    train = workflow.train
    for spec in [train.lr_policy, *train.handlers]:
        cls = None if spec is None else spec.cls or (built_in_base(spec.user) if spec.user else None)
        if spec is not None and getattr(cls, "follows_key_metric", False):
            yield Notice(spec.address, f"{spec.name} has no effect: this run computes no key metric")
    if workflow.settings.stop_threshold is not None:
        yield Notice(
            workflow.address("stop_threshold"), "stop_threshold has no effect: this run computes no key metric"
        )


def _entries(spec: ComponentSpec, context: BundleContext) -> list[Entry]:
    return [user_component(spec)] if spec.cls is None else component_entries(spec, context)
