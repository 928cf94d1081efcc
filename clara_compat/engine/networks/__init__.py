"""Networks that Clara had and MONAI lacks, written as MONAI writes its own."""
