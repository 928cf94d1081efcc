"""Clara's ``TRTISScanWindowInferer``."""

from __future__ import annotations

from clara_compat.components.component import approximate
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.inferers._server import ServerInferer
from clara_compat.components.inferers.tf_scan_window_inferer import TFScanWindowInferer
from clara_compat.errors import ClaraError

__all__ = ["TRTISScanWindowInferer"]


class TRTISScanWindowInferer(ServerInferer, TFScanWindowInferer):
    """Scans a volume window by window, which Clara had a Triton server predict.

    Source: clara-3.1 engine facts, section 2.9; the defaults are assumed.

    Args:
        model_name: name of the model on the server.
        ip: address of the server.
        port: its port.
        protocol: ``HTTP`` or ``GRPC``.
        roi_size: size of a window; by default the size the pipeline declares. With a server, the model's description
            there said it.
        batch_size: windows per forward pass.
        overlap: overlap of neighbouring windows as a fraction of their size.
    """

    fidelity = approximate("the network runs here, with the windows of TFScanWindowInferer: no server is asked")
    undocumented = True

    def __init__(
        self,
        model_name: str = "",
        ip: str = "localhost",
        port: int = 8000,
        protocol: str = "HTTP",
        roi_size: list[int] | None = None,
        batch_size: int = 1,
        overlap: float = 0.0,
    ) -> None:
        TFScanWindowInferer.__init__(self, roi_size or [-1], batch_size, overlap)
        ServerInferer.__init__(self, model_name, ip, port, protocol)
        self.roi_size = list(roi_size or [])

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the inferer.

        Raises:
            ClaraError: neither it nor the pipeline says the size of a window.
        """
        size = self.roi_size or list(context.crop_size or ())
        if not self.roi_size and (not size or min(size) < 1):
            pipeline = "" if context.section == "evaluate" else ", or the pipeline an output_crop_size"
            raise ClaraError(
                "the size of a window is not known: the server's description of the model said it; give roi_size here"
                f"{pipeline}"
            )
        return TFScanWindowInferer(size, self.batch_size, self.overlap).bundle_entry(context)
