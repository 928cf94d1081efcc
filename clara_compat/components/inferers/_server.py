"""What the inferers have in common that asked a Triton server."""

from __future__ import annotations

from clara_compat.components.entry import BundleContext
from clara_compat.errors import ClaraError

__all__ = ["ServerInferer"]


class ServerInferer:
    """Keeps the address of the server, which is not asked: the network of this config runs here.

    Whoever evaluates a model wants the same masks with or without a server beside it; a server that is not there any
    more, or that holds another version of the model, would only stand in the way.

    Args:
        model_name: name of the model on the server.
        ip: address of the server.
        port: its port.
        protocol: ``HTTP`` or ``GRPC``.

    Raises:
        ClaraError: another protocol.
    """

    def __init__(self, model_name: str, ip: str, port: int, protocol: str) -> None:
        if protocol.upper() not in ("HTTP", "GRPC"):
            raise ClaraError(f"protocol is '{protocol}', expected HTTP or GRPC")
        self.model_name = model_name
        self.ip = ip
        self.port = port
        self.protocol = protocol

    def notices(self, context: BundleContext) -> list[str]:
        """Say that the server is not asked."""
        server = f"the server at {self.ip}:{self.port} is not asked"
        return [f"{server}: the network of this config runs here, not the server's model '{self.model_name}'"]
