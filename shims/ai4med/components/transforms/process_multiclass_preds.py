"""Legacy path of ``ProcessMulticlassPreds``."""

from clara_compat.components.transforms.process_multiclass_preds import ProcessMulticlassPreds as ProcessMulticlassPreds
