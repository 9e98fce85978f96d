"""Butane configs, translated to Ignition configs as Butane does it, without Butane."""

from matchbox.butane.report import ButaneError, Entry, Place, Report
from matchbox.butane.translation import Translation, translate

__all__ = ["ButaneError", "Entry", "Place", "Report", "Translation", "translate"]
