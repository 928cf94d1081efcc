"""``python -m nvmidl.apps.…`` as legacy scripts call it."""
