"""Butane configs, translated to Ignition configs as Butane does it, without Butane."""

from lambda_matchbox.ignition.butane.report import ButaneError, Entry, Place, Report
from lambda_matchbox.ignition.butane.translation import Translation, translate

__all__ = ["ButaneError", "Entry", "Place", "Report", "Translation", "translate"]
