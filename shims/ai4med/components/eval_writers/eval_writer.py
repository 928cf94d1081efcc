"""Legacy path of ``EvalWriter``."""

from clara_compat.components.writers.eval_writer import EvalWriter as EvalWriter
