"""``python -m nvmidl.apps.convert_medical_image``, which is also the command ``nvmidl-dataconvert``."""

from clara_compat.cli.dataconvert import main

if __name__ == "__main__":
    main()
