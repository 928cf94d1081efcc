"""``nvmidl-dataconvert``: a folder of scans into another format, at another resolution."""

from clara_compat.run.dataconvert.conversion import Answer, Outcome, convert
from clara_compat.run.dataconvert.plan import Job, Request, plan

__all__ = ["Answer", "Job", "Outcome", "Request", "convert", "plan"]
