"""Clara's ``SplitAcrossChannels``."""

from __future__ import annotations

from collections.abc import Mapping

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._names import new_fields
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["SplitAcrossChannels"]


class SplitAcrossChannels(NativeTransform, Transformer):
    """Make one new field per channel of an image.

    Source: clara-3.1-transforms facts, section 4.10.

    Args:
        field: field with the image; it stays.
        channel_names: names of the new fields, one per channel.

    Raises:
        ClaraError: a name is empty, there twice, or the field's own.
    """

    fidelity = assumed(
        "not documented: channel i becomes the field channel_names[i] with one channel, which carries the image's "
        "properties; another number of names than channels is an error"
    )
    becomes = "clara_compat.engine.transforms.split_channels.SplitChannelsd"

    def __init__(self, field: str, channel_names: list[str]) -> None:
        Transformer.__init__(self)
        self.field = field
        self.channel_names = new_fields(channel_names, "channel_names", field)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the split."""
        return Entry(self.becomes, key=self.field, output_keys=self.channel_names)

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the new fields.

        Raises:
            ClaraError: there is not one name per channel.
        """
        if self.field not in geometry:
            return dict(geometry)
        source = geometry[self.field]
        if source.channels != len(self.channel_names):
            raise ClaraError(
                f"argument 'channel_names' has {len(self.channel_names)} names, but field '{self.field}' has "
                f"{source.channels} channels at this point: expected one name per channel"
            )
        return {**geometry, **dict.fromkeys(self.channel_names, source._replace(channels=1))}
