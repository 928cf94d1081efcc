"""Functions that launch scripts call."""

from clara_compat.cli.legacy import evaluate_mmar as evaluate_mmar
from clara_compat.cli.legacy import train_mmar as train_mmar
