#!/usr/bin/env bash
# Measure the best model on the validation scans; the reports go to eval/.

. "$(dirname "$0")/set_env.sh"
echo "MMAR_ROOT set to $MMAR_ROOT"
additional_options="$*"

CONFIG_FILE=config/config_validation.json
ENVIRONMENT_FILE=config/environment.json

python3 -u -m nvmidl.apps.evaluate \
    -m "$MMAR_ROOT" \
    -c $CONFIG_FILE \
    -e $ENVIRONMENT_FILE \
    --set \
    DATA_ROOT="$MMAR_ROOT/data" \
    DATASET_JSON="$MMAR_ROOT/data/dataset.json" \
    MMAR_CKPT_DIR=models \
    do_validation=true \
    output_infer_result=false \
    ${additional_options}
