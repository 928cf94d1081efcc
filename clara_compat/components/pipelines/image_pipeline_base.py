"""What all image pipelines have in common: a data list, a chain of transforms, batches."""

# The annotations below are objects, not text: the constructors that dataclasses make in other modules carry them.

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from clara_compat.common.label_format import LabelFormat
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.errors import ClaraError

__all__ = ["BaseImagePipeline", "CachedImagePipeline"]


@dataclass(eq=False)
class BaseImagePipeline(Component):
    """Feeds an engine with batches of ``image`` and ``label``.

    ``output_crop_size`` declares the spatial shape the network is built for; it does not crop. ``num_workers`` and
    ``prefetch_size`` change the speed, never the result. Source: clara-3.1 facts, engine section 2.5.

    Args:
        data_list_file_path: Decathlon-style data list file.
        data_file_base_dir: folder its relative paths start from.
        data_list_key: which list of the file.
        output_crop_size: declared spatial shape of an item; -1 where it varies.
        transforms: the chain; in a config it stands in ``pre_transforms`` instead.
        output_data_format: ``channels_first`` or ``channels_last``, as the model's own code sees it; inside, data are
            always channel-first.
        output_data_dims: 2 or 3; by default the length of ``output_crop_size``.
        output_image_channels: channels of the image, and so of the network's input.
        output_image_dtype: type of the image handed to the network; only ``float32``.
        output_label_format: classification: classes per label (1 for a binary one).
        output_batch_size: items per step; descriptive when ``batched_by_transforms``.
        batched_by_transforms: a crop transform makes the batch: a step comes from one scan.
        num_workers: loader processes.
        prefetch_size: batches prepared ahead.
        shuffle: a new order each epoch.
        repeat: accepted; an epoch is one pass over the items either way.
        duplicate_count: how often an item is repeated in an epoch.
        extra_inputs: further network inputs, fed from fields of the item.
        batch_transforms: the batch's chain; in a config it stands in ``batch_transforms`` of the section instead.
        items_per_category: items drawn per category and epoch.
        category_weights: weights of the categories.
        sampling: ``automatic`` draws from all categories alike.
        caches_data: accepted; what can be cached is cached.
        multiprocessing: accepted; the loader uses processes in any case.
    """

    task: ClassVar[str] = "segmentation"

    data_list_file_path: str
    data_file_base_dir: str
    data_list_key: str
    output_crop_size: list[int] | None = None
    transforms: Any = None
    output_data_format: str = "channels_first"
    output_data_dims: int | None = None
    output_image_channels: int = 1
    output_image_dtype: str = "float32"
    output_label_format: list[int] | None = None
    output_batch_size: int = 10
    batched_by_transforms: bool = False
    num_workers: int = 4
    prefetch_size: int = 20
    shuffle: bool = True
    repeat: bool = True
    duplicate_count: int = 1
    extra_inputs: Any = None
    batch_transforms: Any = None
    items_per_category: int | list[int] | dict[str, int] | None = None
    category_weights: list[float] | dict[str, float] | None = None
    sampling: str | None = None
    caches_data: bool | None = None
    multiprocessing: bool | None = None

    def __post_init__(self) -> None:
        self.spatial_dims = self.output_data_dims or len(self.output_crop_size or (0, 0, 0))
        if self.spatial_dims not in (2, 3):
            raise ClaraError(f"images have 2 or 3 dimensions, got {self.spatial_dims}: mend output_data_dims")
        if self.output_crop_size is not None and len(self.output_crop_size) != self.spatial_dims:
            raise ClaraError(
                f"output_crop_size {self.output_crop_size} has {len(self.output_crop_size)} numbers, expected "
                f"{self.spatial_dims} (output_data_dims)"
            )
        for name, least in (
            ("output_batch_size", 0 if self.batched_by_transforms else 1),
            ("num_workers", 0),
            ("prefetch_size", 0),
            ("duplicate_count", 1),
            ("output_image_channels", 1),
        ):
            if getattr(self, name) < least:
                raise ClaraError(f"{name} is {getattr(self, name)}, expected at least {least}")
        for name, known in (
            ("output_data_format", ("channels_first", "channels_last")),
            ("output_image_dtype", ("float32",)),
            ("sampling", (None, "automatic")),
        ):
            if getattr(self, name) not in known:
                words = " or ".join(str(one) for one in known if one)
                raise ClaraError(f"{name} is '{getattr(self, name)}', expected {words}")
        self.label_format  # noqa: B018 -- refuses what it cannot read
        for name, section in (("transforms", "pre_transforms"), ("batch_transforms", "batch_transforms")):
            if getattr(self, name):
                raise ClaraError(f"argument '{name}' is filled from the section: put its transforms into {section}")

    @property
    def label_format(self) -> LabelFormat | None:
        """How the label vector of a classification item is made up, or None when nothing was declared.

        Raises:
            ClaraError: the declaration is none.
        """
        if self.output_label_format is None:
            return None
        try:
            return LabelFormat(self.output_label_format)
        except (TypeError, ValueError) as error:
            raise ClaraError(f"output_label_format: {error}") from None

    @property
    def label_channels(self) -> int:
        """Channels of the label image; 0 when the label is no image."""
        return 0

    @property
    def num_cached(self) -> int | None:
        """Items of the window an epoch passes over, or None for the whole list."""
        return None

    @property
    def replaced_fraction(self) -> float:
        """Fraction of the window that is replaced after every epoch."""
        return 0.0

    @property
    def batch_size(self) -> int:
        """Items of the data list per step."""
        return 1 if self.batched_by_transforms else self.output_batch_size

    def notices(self, context: BundleContext) -> list[str]:
        """Say what of the pipeline does not do what a reader may expect.

        Args:
            context: where it stands.
        """
        found = []
        if self.items_per_category or self.category_weights or self.sampling:
            found.append("how Clara balanced categories is not documented: a category is an item's 'category' or label")
        if context.crops is not None and not self.batched_by_transforms and not context.merges:
            found.append(
                f"every item becomes {context.crops} crops and MergeBatchDims is not among the batch_transforms: the "
                f"crops of {self.batch_size} items make a batch, as if it were"
            )
        if context.crops is None and self.batched_by_transforms and context.chain_is_known:
            found.append("batched_by_transforms is true, but no transform makes a batch: a step has one item")
        return found

    def data_entry(self) -> Entry:
        """Return the entry that reads the data list."""
        return Entry(
            "clara_compat.engine.data.datalist.load_datalist",
            data_list_file_path=self.data_list_file_path,
            data_list_key=self.data_list_key,
            base_dir=self.data_file_base_dir,
            duplicate_count=self.duplicate_count,
        )

    def plan_entry(self, context: BundleContext) -> Entry:
        """Return the entry that says which items an epoch has; it refers to the section's ``data`` and to ``seed``.

        Args:
            context: where it stands.
        """
        training = context.section == "train"
        given = {
            "cached": self.num_cached,
            "replace_percent": self.replaced_fraction if training else None,
            "items_per_category": self.items_per_category if training else None,
            "category_weights": self.category_weights if training else None,
            "sampling": self.sampling if training else None,
        }
        return Entry(
            "clara_compat.engine.data.epoch_plan.EpochPlan",
            data=Expression(f"@{context.section}#data"),
            shuffle=self.shuffle and training,
            seed=Expression("@seed"),
            **{name: value for name, value in given.items() if value},
        )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the entry of the loader; it refers to the section's ``dataset`` and ``plan``.

        Args:
            context: where it stands.
        """
        training = context.section == "train"
        size = self.output_crop_size if training else None  # validation declares it, too, and takes whole scans
        channels = self.output_image_channels + self.label_channels
        items = context.crops or 1
        known = {"item_bytes": 4 * channels * items * math.prod(size)} if size and min(size) > 0 else {}
        return Entry(
            "clara_compat.engine.data.loader.data_loader",
            dataset=Expression(f"@{context.section}#dataset"),
            plan=Expression(f"@{context.section}#plan"),
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            prefetch_size=self.prefetch_size,
            keep_workers=training,
            **known,
        )


@dataclass(eq=False)
class CachedImagePipeline(BaseImagePipeline):
    """A pipeline ``WithCache``: an epoch is one pass over a window of the data list, whose items are held.

    Takes the arguments of :class:`BaseImagePipeline`, too.

    Args:
        num_cache_objects: items of the window.
        replace_percent: fraction (0.25, not 25) of the window that is replaced after every epoch; 0 replaces nothing.
    """

    num_cache_objects: int = field(kw_only=True)
    replace_percent: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_cache_objects < 1:
            raise ClaraError(f"num_cache_objects is {self.num_cache_objects}, expected at least 1")
        if not 0 <= self.replace_percent <= 1:
            raise ClaraError(
                f"replace_percent is {self.replace_percent}, expected a fraction from 0 to 1 (0.25 for a quarter)"
            )

    @property
    def num_cached(self) -> int | None:
        """Items of the window."""
        return self.num_cache_objects

    @property
    def replaced_fraction(self) -> float:
        """Fraction of the window that is replaced after every epoch."""
        return self.replace_percent
