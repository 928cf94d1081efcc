#!/usr/bin/env bash
# Train from new weights. What follows the command is added to --set: commands/train.sh epochs=2

. "$(dirname "$0")/set_env.sh"
echo "MMAR_ROOT set to $MMAR_ROOT"
additional_options="$*"

CONFIG_FILE=config/config_train.json
ENVIRONMENT_FILE=config/environment.json

python3 -u -m nvmidl.apps.train \
    -m "$MMAR_ROOT" \
    -c $CONFIG_FILE \
    -e $ENVIRONMENT_FILE \
    --write_train_stats \
    --set \
    DATA_ROOT="$MMAR_ROOT/data" \
    DATASET_JSON="$MMAR_ROOT/data/dataset.json" \
    MMAR_CKPT_DIR=models \
    ${additional_options}
