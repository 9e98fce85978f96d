import json

import pytest

from lambda_matchbox.ignition.butane.report import ButaneError
from tests.support.butane_form import outcome, translate
from lambda_matchbox.answers.butane import respond
from lambda_matchbox.answers.errors import InvalidConfigError
from tests.conformance.butane_vectors import order, vectors, without_forms

VECTORS = {vector["name"]: vector for vector in vectors()}
# OpenShift's output is a MachineConfig in YAML, not a config for a machine.
REFUSED_BY_NAME = frozenset({"openshift-4.14", "openshift-errors"})


@pytest.mark.parametrize("name", sorted(VECTORS.keys() - REFUSED_BY_NAME))
def test_config_and_report_are_butanes(name: str) -> None:
    """Data URLs may be encoded in another form."""
    vector = VECTORS[name]
    config, report, status = outcome(vector["butane"])
    assert vector["stderr_raw"] == report
    assert vector["exit"] == status
    if status == 0:
        assert without_forms(json.loads(vector["stdout"])) == without_forms(config)
        assert order(json.loads(vector["stdout"])) == order(config)


@pytest.mark.parametrize("name", sorted(REFUSED_BY_NAME))
def test_openshift_is_refused_by_name(name: str) -> None:
    with pytest.raises(ButaneError, match="^openshift configs become a MachineConfig"):
        translate(VECTORS[name]["butane"])


def test_all_vectors_are_compared() -> None:
    assert 232 == len(VECTORS)
    assert VECTORS.keys() >= REFUSED_BY_NAME


# Output of an experimental version is refused; matchbox serves an empty config.
EXPERIMENTAL = frozenset(
    {
        "files-mode-special-flatcar-1.2.0-experimental",
        "version-fcos-experimental",
        "version-flatcar-experimental",
    }
)
RECORDED_BY_MATCHBOX = sorted(name for name, vector in VECTORS.items() if "matchbox" in vector)


@pytest.mark.parametrize("name", RECORDED_BY_MATCHBOX)
def test_responses_are_matchboxs(name: str) -> None:
    """Except for the compression of data, and for 404s, which are errors here; newer versions are served too."""
    vector = VECTORS[name]
    wanted = vector["matchbox"]
    if vector["exit"] or name in REFUSED_BY_NAME:
        with pytest.raises(InvalidConfigError) as caught:
            respond("a", vector["butane"].encode())
        assert caught.value.report
        return
    if name in EXPERIMENTAL:
        with pytest.raises(InvalidConfigError, match="is not supported"):
            respond("a", vector["butane"].encode())
        return
    served = respond("a", vector["butane"].encode())
    got = served.body
    if wanted["status"] == 404:
        assert json.loads(got)["ignition"]["version"] in {"3.5.0", "3.6.0"}
    elif "H4sI" in wanted["body"]:
        assert without_forms(json.loads(wanted["body"])) == without_forms(json.loads(got))
    else:
        assert wanted["body"] == got.decode()
    assert len(vector["stderr_raw"].splitlines()) == len(served.report)
