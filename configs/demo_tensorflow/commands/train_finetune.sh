#!/usr/bin/env bash
# Train on from the best model that train.sh left, with a smaller learning rate, into a folder of its own.

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
    MMAR_CKPT=models/model.pt \
    MMAR_CKPT_DIR=models_finetune \
    learning_rate=5e-4 \
    epochs=12 \
    ${additional_options}
