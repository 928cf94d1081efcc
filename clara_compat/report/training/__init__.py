"""The report of a training: curves, cases, pictures and configuration on one page."""
