"""Legacy path of ``NovoGrad``."""

from clara_compat.components.optimizers.novo_grad import NovoGrad as NovoGrad
