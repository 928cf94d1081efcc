#!/usr/bin/env bash
# Write the best model as TorchScript and ONNX, beside its weights. What follows the command is added to its flags.

. "$(dirname "$0")/set_env.sh"
echo "MMAR_ROOT set to $MMAR_ROOT"

python3 -u -m nvmidl.apps.export \
    --model_file_path "$MMAR_ROOT/models" \
    --model_name model \
    --input_node_names NV_MODEL_INPUT \
    --output_node_names NV_MODEL_OUTPUT \
    --trt_precision_mode FP32 \
    "$@"
