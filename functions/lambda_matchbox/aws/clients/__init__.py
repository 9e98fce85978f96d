"""Clients of AWS services, light ones for the boot path and boto3's for operators."""
