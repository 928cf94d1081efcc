"""Names of Clara 3.1 (and of its 1.x and 2.x configs) that the catalogue does not hold yet.

A config that uses one is right; the message must say so instead of suggesting another component. Source: clara-3.1
facts, transforms section 3 and 6, engine section 2.
"""

from __future__ import annotations

__all__ = ["NOT_YET"]

# fmt: off
NOT_YET = frozenset({
    "LoadPng", "LoadJpg", "LoadNumpy", "LoadImageMasks", "ConvertToChannelsLast", "RepeatChannel",
    "VolumeTo4DArray", "ScaleBySpacing", "ScaleByFactor", "ScaleToShape", "RestoreOriginalShape", "ResampleVolume",
    "LoadResolutionFromNifty", "NPResize3D", "Load3DShapeFromNumpy", "NormalizeNonzeroIntensities", "CenterData",
    "AddGaussianNoise", "AdjustContrast", "AugmentIntensityRandomScaleShift", "RandomSharpen",
    "RandomGaussianSmooth", "RandomRotate2D", "RandomRotate3D", "RandomAxisFlip", "FlipAxisRandom",
    "NPRandomFlip3D", "NPRandomRot90_XY", "CropFixedSizeRandomCenter", "CropRandomSizeWithDisplacement",
    "CropRandomSubVolumeInPosNegRatio", "CropSubVolumeCenter", "CropForegroundObject", "CropByPosNegRatio",
    "CropByPosNegRatioLabelOnly", "FastCropByPosNegRatio", "CropSubVolumeBatchPosNegRatio",
    "CropSubVolumeRandomWithinBounds", "TransformVolumeCropROIFastPosNegRatio", "SymmetricPadderDiv",
    "ReplaceLabels", "ConvertToMultiChannelBasedOnBratsClasses", "ConvertToMultiChannelBasedOnLabel",
    "SplitBasedOnBratsClasses", "BratsConvertLabels", "MaskImage", "AddExtremePointsChannel",
    "ArgmaxAcrossChannels", "ThresholdValues", "SplitBasedOnLabel", "SplitAcrossChannels", "CopyProperties",
    "KeepLargestCC", "FetchExtremePoints", "ProcessMulticlassPreds", "MergeBatchDims", "SegAhnet", "SegResnet",
    "UnetParallel", "DenseNet121", "Alexnet", "CrossEntropy", "FocalDice", "CrossEntropyDice",
    "BinaryClassificationLoss", "MulticlassClassificationLoss", "WeightedMulticlassClassificationLoss", "Momentum",
    "NovoGrad", "SGD", "RMSProp", "DecayOnStep", "ReduceCosine", "ReduceOnPlateau", "ReducePoly", "ReduceLRPoly",
    "ImagePipeline", "ClassificationImagePipeline", "ClassificationKerasImagePipeline",
    "SegmentationKerasImagePipeline", "SegmentationImagePipelineWithCache", "ClassificationImagePipelineWithCache",
    "SegmentationKerasImagePipelineWithCache", "ClassificationKerasImagePipelineWithCache", "ComputeAUC",
    "ComputeMulticlassAverage", "MetricAverage", "ComputeAccuracy", "DiceMaskedOutput", "ComputeDice",
    "ComputeBinaryPreds", "ComputeMulticlassPreds", "ComputeMulticlassAccuracy", "ReduceMeanMasked", "EarlyStop",
    "AdjustLayerLRs", "TFSimpleInferer", "TRTISScanWindowInferer", "TRTISSimpleInferer", "CheckpointLoader",
    "FrozenGraphModelLoader", "TRTISModelLoader", "WriteNifti", "NiftyWriter", "WriteClassificationResult",
    "WritePng",
})
# fmt: on
