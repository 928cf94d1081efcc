"""Legacy path of ``MergeBatchDims``."""

from clara_compat.components.transforms.merge_batch_dims import MergeBatchDims as MergeBatchDims
