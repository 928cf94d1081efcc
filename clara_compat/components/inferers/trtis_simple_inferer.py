"""Clara's ``TRTISSimpleInferer``."""

from __future__ import annotations

from clara_compat.components.component import approximate
from clara_compat.components.inferers._server import ServerInferer
from clara_compat.components.inferers.tf_simple_inferer import TFSimpleInferer

__all__ = ["TRTISSimpleInferer"]


class TRTISSimpleInferer(ServerInferer, TFSimpleInferer):
    """Gives the whole input to the network at once, which Clara had a Triton server do.

    Source: clara-3.1 engine facts, section 2.9; the defaults are assumed.

    Args:
        model_name: name of the model on the server.
        ip: address of the server.
        port: its port.
        protocol: ``HTTP`` or ``GRPC``.
    """

    fidelity = approximate("the network runs here: no server is asked")
    undocumented = True

    def __init__(self, model_name: str = "", ip: str = "localhost", port: int = 8000, protocol: str = "HTTP") -> None:
        TFSimpleInferer.__init__(self)
        ServerInferer.__init__(self, model_name, ip, port, protocol)
