"""A rig's endpoint and fake credentials."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_ssm import SSMClient

REGION = "eu-west-1"
"""Not us-east-1, which S3 and botocore treat specially."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that serves until its rig is left."""

    endpoint: str
    """`http://127.0.0.1:PORT`"""
    region: str
    access_key: str
    secret_key: str
    session_token: str | None
    pid: int
    """The process that serves; the test's own where that is a thread."""
    authority: Path | None = None
    """The file of the authority whose certificate it has, if it speaks TLS."""

    @overload
    def client(self, name: Literal["dynamodb"], config: Config | None = None) -> "DynamoDBClient": ...

    @overload
    def client(self, name: Literal["s3"], config: Config | None = None) -> "S3Client": ...

    @overload
    def client(self, name: Literal["ssm"], config: Config | None = None) -> "SSMClient": ...

    @overload
    def client(self, name: Literal["secretsmanager"], config: Config | None = None) -> "SecretsManagerClient": ...

    def client(
        self, name: Literal["dynamodb", "s3", "secretsmanager", "ssm"], config: Config | None = None
    ) -> "DynamoDBClient | S3Client | SecretsManagerClient | SSMClient":
        """A new boto3 client of this service, without retries unless `config` says so."""
        plain = Config(
            signature_version="s3v4" if name == "s3" else "v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
        )
        return boto3.Session().client(
            name,
            endpoint_url=self.endpoint,
            verify=None if self.authority is None else str(self.authority),
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.session_token,
            config=plain.merge(config) if config else plain,
        )
