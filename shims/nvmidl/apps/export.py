"""``python -m nvmidl.apps.export``, as export.sh call it."""

from clara_compat.cli.legacy import export_main as main

if __name__ == "__main__":
    main()
