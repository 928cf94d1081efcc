"""Legacy path of ``WriteClassificationResult``."""

from clara_compat.components.writers.write_classification_result import (
    WriteClassificationResult as WriteClassificationResult,
)
