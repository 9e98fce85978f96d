"""Butane configs, translated to Ignition configs as Butane translates them."""

from lambda_matchbox.ignition.butane.report import ButaneError, Position, Report, ReportEntry
from lambda_matchbox.ignition.butane.translation import Translation, translate

__all__ = ["ButaneError", "Position", "Report", "ReportEntry", "Translation", "translate"]
