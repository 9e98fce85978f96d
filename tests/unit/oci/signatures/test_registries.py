"""Registries that are unavailable, have no referrers API, or have many signatures."""

import json
import re

import pytest

from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.signatures.stored_signatures import MAX_SIGNATURES
from tests.support.faulty_registry import Fault
from tests.support.images.manifests import OCI_MANIFEST
from tests.support.images.signatures import (
    FALLBACK,
    REFERRER,
    bundled,
    simple_signing,
    statement,
)
from tests.unit.oci.signatures.signed_image import INDEX, KEY, OTHER_KEY, REPOSITORY, Subject

pytestmark = pytest.mark.system


@pytest.mark.parametrize("step", ["manifest", "referrers", "blob"])
def test_registry_that_is_unavailable_for_a_moment_is_asked_again(subject: Subject, step: str) -> None:
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=REFERRER)
    of = f"{INDEX.digest.replace(':', '-')}.sig" if step == "manifest" else ""
    subject.faulty.faults.append(Fault(step, times=2, status=503, of=of))
    assert INDEX.digest == subject.verify().digest
    assert 0 == subject.faulty.faults[0].times


@pytest.mark.parametrize(("step", "status"), [("manifest", 503), ("referrers", 503), ("referrers", 403)])
def test_registry_that_stays_unavailable_is_not_an_unsigned_image(subject: Subject, step: str, status: int) -> None:
    of = f"{INDEX.digest.replace(':', '-')}.sig" if step == "manifest" else ""
    subject.faulty.faults.append(Fault(step, times=100, status=status, of=of))
    with pytest.raises(RegistryError, match=re.escape(f"{subject.faulty.host} answers {status}")):
        subject.verify()


@pytest.mark.parametrize("status", [400, 404, 405, 406])
def test_registry_without_referrers_api_has_them_under_a_tag(subject: Subject, status: int) -> None:
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=FALLBACK)
    subject.faulty.faults.append(Fault("referrers", status=status))
    assert INDEX.digest == subject.verify().digest


@pytest.mark.parametrize("step", ["manifest", "referrers"])
def test_registry_that_redirects_to_nothing_has_no_signature_there(subject: Subject, step: str) -> None:
    """As registries do that are spread over regions, or that answer with a page for people."""
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=FALLBACK)
    of = f"{INDEX.digest.replace(':', '-')}.sig" if step == "manifest" else ""
    nowhere = f"{subject.faulty.storage}/v2/elsewhere/manifests/none"
    subject.faulty.faults.append(Fault(step, times=100, status=307, headers={"Location": nowhere}, of=of))
    subject.faulty.faults.append(Fault("storage", times=100, status=404, of="/none"))
    assert INDEX.digest == subject.verify().digest


def test_web_page_in_place_of_referrers_is_no_referrers_api(subject: Subject) -> None:
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=FALLBACK)
    subject.faulty.faults.append(Fault("referrers", status=200, headers={"Content-Type": "text/html"}, body=b"<html>"))
    assert INDEX.digest == subject.verify().digest


def test_number_of_signatures_read_is_limited(subject: Subject) -> None:
    junk = [simple_signing(OTHER_KEY, f"sha256:{number:064}") for number in range(MAX_SIGNATURES)]
    subject.attach(INDEX, *junk, simple_signing(KEY, INDEX.digest))
    assert subject.refusal().endswith(f"; and {MAX_SIGNATURES - 4} more")


def test_all_pages_of_a_list_of_referrers_are_read(subject: Subject) -> None:
    for number in range(5):
        subject.attach(INDEX, bundled(KEY, statement(f"sha256:{number:064}")), where=REFERRER)
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=REFERRER)
    subject.faulty.referrers_on_page = 2
    assert INDEX.digest == subject.verify().digest


@pytest.mark.parametrize("form", ["simple", "bundle"])
def test_registry_may_name_the_configs_type(subject: Subject, form: str) -> None:
    layer = simple_signing(KEY, INDEX.digest) if form == "simple" else bundled(KEY, statement(INDEX.digest))
    subject.attach(INDEX, layer, where=REFERRER)
    subject.faulty.names_configs = True
    assert INDEX.digest == subject.verify().digest


def test_other_referrers_are_not_read(subject: Subject) -> None:
    sbom = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/spdx+json"}
    sbom |= {"config": {"mediaType": "x"}, "layers": [], "subject": {"digest": INDEX.digest}}
    subject.faulty.add_manifest(REPOSITORY, "sbom", OCI_MANIFEST, json.dumps(sbom).encode())
    subject.faulty.has_referrers = True
    assert subject.refusal().startswith("the registry has no signature of ")
