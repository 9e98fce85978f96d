"""The app's stores over the table and bucket of a service that runs locally."""

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.web import wiring
from lambda_matchbox.web.routes import Stores
from lambda_matchbox.web.settings import Settings
from tests.rigs.service import Service

_CALL_SECONDS = 60.0


def table_stores(service: Service, name: str, http: HttpClient, endpoint: str | None = None) -> Stores:
    """The stores over the table and the bucket `name`, at another endpoint if one is given, with long time limits."""
    address = endpoint or service.endpoint
    settings = Settings.from_environment(
        {
            "MATCHBOX_TABLE": name,
            "MATCHBOX_BUCKET": name,
            "AWS_REGION": service.region,
            "AWS_ENDPOINT_URL_DYNAMODB": address,
            "AWS_ENDPOINT_URL_S3": address,
        }
    )
    credentials = Credentials(service.access_key, service.secret_key, service.session_token)
    return wiring.stores(settings, lambda: credentials, http, _CALL_SECONDS)
