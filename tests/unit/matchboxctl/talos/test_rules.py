import pytest

from matchboxctl.talos.machine_config import ConfigError, MachineConfig, documents_in, value_of
from matchboxctl.talos.rules import problems, unknown_names
from tests.support.talos_files import HOSTNAME_CONFIG, VALUES, role_file


def found(text: str) -> list[str]:
    config = MachineConfig(text)
    return [*problems(config), *unknown_names(config)]


@pytest.mark.parametrize("role", ["controlplane", "worker"])
def test_what_talosctl_writes_has_no_problem(role: str) -> None:
    assert [] == found(role_file(role, documents=HOSTNAME_CONFIG))


@pytest.mark.parametrize(
    ("role", "before", "after", "problem"),
    [
        ("worker", "type: worker", "type: join", "machine.type is 'join', not controlplane or worker"),
        ("worker", "version: v1alpha1", "version: v1", "line 1: version is not v1alpha1"),
        ("worker", "debug:", "debg:", "line 2: Talos 1.12 knows no key debg; did you mean 'debug'?"),
        ("worker", "nodeLabels:", "labels:", "line 24: Talos 1.12 knows no key machine.labels"),
        (
            "worker",
            "kubelet:\n",
            "kubelet:\n        registerWithTaints: [a]\n",
            "line 14: Talos 1.12 knows no key machine.kubelet.registerWithTaints; use machine.nodeTaints",
        ),
        ("worker", "kind: HostnameConfig", "kind: HostConfig", "Talos 1.12 knows no kind 'HostConfig'"),
        ("worker", "apiVersion: v1alpha1", "apiVersion: v1", "apiVersion is not v1alpha1"),
        ("worker", "disk: /dev/sda", "wipe2: false", "neither machine.install.disk nor machine.install.diskSelector"),
        ("worker", "https://10.0.0.10:6443", "10.0.0.10", "cluster.controlPlane.endpoint is not an address"),
        ("worker", "/dev/sda", "<disk>", "line 17: placeholder <disk> is left: replace it"),
        ("worker", VALUES["cluster-token"], "abc", "cluster.token is not of the form abcdef.0123456789abcdef"),
        ("worker", VALUES["machine-token"], "''", "machine.token is missing"),
        ("controlplane", "aggregatorCA", "aggregatorCa", "cluster.aggregatorCA.key is missing"),
        (
            "worker",
            "    clusterName",
            "    secretboxEncryptionSecret: x\n    clusterName",
            "a worker must not have cluster.sec",
        ),
        ("worker", "---\n", f"{HOSTNAME_CONFIG}---\n", "a second document HostnameConfig"),
        ("worker", "auto: stable", "$patch: delete", "HostnameConfig: $patch is for patches only"),
        ("worker", "debug:", "nodeTaints: {$patch: delete}\ndebug:", "nodeTaints.$patch is for patches only"),
    ],
)
def test_problem_is_named(role: str, before: str, after: str, problem: str) -> None:
    text = role_file(role, documents=HOSTNAME_CONFIG)
    assert before in text
    assert [one for one in found(text.replace(before, after, 1)) if problem in one]


def test_placeholders_in_secrets_are_named_by_their_lines() -> None:
    """What looks like one may be part of a password."""
    for value in ("<Tr0ub4dor>", "x<Tr0ub-4dor>y"):
        problems = found(role_file("worker", token=value))
        assert "line 6: a placeholder is left: replace it" in problems
        assert "Tr0ub" not in "".join(problems)


def test_keys_that_are_not_base64_are_named_without_their_value() -> None:
    problems = found(role_file("controlplane", etcd_key="c2VjcmV0LXRleHQ=", os_crt="not base64"))
    assert 2 == sum("is not the base64 of a certificate or key" in one for one in problems)
    assert not [one for one in problems if "c2Vj" in one or "not base64" in one]


def test_accepted_authorities_are_enough_for_a_worker() -> None:
    text = role_file("worker", os_crt="''").replace("    certSANs", "    acceptedCAs: [{crt: x}]\n    certSANs")
    assert [] == found(text)
    assert ["machine.ca.crt is missing"] == found(role_file("worker", os_crt="''"))


def test_one_main_document_is_needed() -> None:
    text = role_file("worker")
    assert ["no document with machine and cluster"] == found(HOSTNAME_CONFIG)
    assert [f"line {text.count(chr(10)) + 2}: a second main document"] == found(f"{text}---\n{text}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "line 1: not YAML: "),
        ("a: 1\na: 2\n", "line 2: not YAML: the key 'a' is given twice"),
        ("a: &x 1\nb: *x\n", "line 2: not YAML: aliases are not supported: write the value out"),
        ("- a\n", "line 1: a document is not a mapping"),
        ("[a]: b\n", "line 1: not YAML: a key is not a text"),
        ("token: !pa!ss", "line 1: not YAML: a tag is not defined: put a value that begins with '!' in quotes"),
        ("a: \x01\n", "not YAML: it contains characters that YAML does not allow"),
        ("[" * 2000, "nested too deeply"),
    ],
)
def test_text_that_is_no_configuration_is_refused_without_its_values(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        MachineConfig(text)
    assert str(error.value).startswith(reason)
    assert "!pa" not in str(error.value)


def test_a_time_that_is_none_is_refused() -> None:
    [node] = documents_in("!!timestamp soon")
    with pytest.raises(ConfigError, match=r"^line 1: a value that JSON cannot represent$"):
        value_of(node)
