"""Copies of the examples with secrets, as their READMEs say to make them."""

import re
import shutil
from contextlib import redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.secrets.references import references_in
from matchboxctl.main import main
from tests.support.paths import EXAMPLES
from tests.support.serving import Serve

JOIN_TOKEN = "the-join-token-of-a-test"
NOT_COPIED = frozenset({"assets", "releases", "secrets"})
"""What the operator or a server puts beside the documents."""

_CLUSTER = re.compile(r"talos/([^/]+)/")


def example_with_secrets(example: str, directory: Path) -> Path:
    """A copy in `directory`, which must not exist, without what serving leaves and without kernels."""
    data = shutil.copytree(
        EXAMPLES / example, directory, ignore=shutil.ignore_patterns(*NOT_COPIED, "state.*", "history.*")
    )
    templates = [path for kind in TEMPLATE_KINDS for path in (data / kind).glob("*")]
    names = {reference.name for path in templates for reference in references_in(path.read_bytes())}
    for cluster in {found[1] for name in names if (found := _CLUSTER.match(name))}:
        _run("talos", "secrets", "--cluster", cluster, "--data-path", str(data))
    value = data.with_name("join-token")
    value.write_text(JOIN_TOKEN)
    for name in names:
        if not _CLUSTER.match(name):
            _run("secret", "set", name, "-f", str(value), "--data-path", str(data))
    return data


def with_token(serve: Serve, query: str) -> str:
    """The query of a machine with the token that its boot script sets."""
    token = re.search(r"^set token ([\w-]+)$", serve.get(f"/ipxe?{query}").body.decode(), re.MULTILINE)
    assert token is not None
    return f"{query}&token={token[1]}"


def _run(*arguments: str) -> None:
    with redirect_stdout(TextIOWrapper(BytesIO())):
        assert 0 == main(arguments)
