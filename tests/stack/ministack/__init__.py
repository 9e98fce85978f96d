"""The built stack in an AWS account that `tests.rigs.ministack` emulates."""
