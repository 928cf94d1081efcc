"""Says of the user's source, line by line, what runs, what does not, and what it is in torch or MONAI.

The source is parsed and never run or imported.
"""
