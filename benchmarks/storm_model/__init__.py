"""Storms on paper: the scenarios of docs/performance.md and their pictures."""
