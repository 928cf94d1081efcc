"""``python -m nvmidl.apps.evaluate``, as validate.sh and infer.sh call it."""

from clara_compat.cli.legacy import evaluate_main as main

if __name__ == "__main__":
    main()
