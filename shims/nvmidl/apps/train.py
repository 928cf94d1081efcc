"""``python -m nvmidl.apps.train`` with Clara's own flags."""

from clara_compat.cli.legacy import train_main as main

if __name__ == "__main__":
    main()
