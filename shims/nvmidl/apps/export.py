"""``python -m nvmidl.apps.export``, as export.sh calls it."""

from clara_compat.cli.legacy import export_main as main

if __name__ == "__main__":
    main()
