import base64

import pytest
import yaml

from matchboxctl.talos.machine_config import MachineConfig, Path, scalars, values_in
from matchboxctl.talos.secret_values import Secrets, SecretValue, action, bundle_secret, flat, is_secret
from matchboxctl.talos.template import edited, secret_edits
from tests.support.talos_files import KEY
from tests.unit.matchboxctl.talos.rendering import rendered

PEM = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"


def secret_paths(text: str) -> list[Path]:
    (document,) = MachineConfig(text).documents
    return [path for path, node in scalars(document.node) if is_secret(path, node)]


@pytest.mark.parametrize(
    "text",
    [
        "machine: {registries: {config: {ghcr.io: {auth: {password: x}}}}}",
        "machine: {registries: {config: {ghcr.io: {auth: {auth: x}}}}}",
        "machine: {registries: {config: {ghcr.io: {auth: {identityToken: x}}}}}",
        "machine: {network: {interfaces: [{wireguard: {privateKey: x}}]}}",
        "machine: {systemDiskEncryption: {state: {keys: [{static: {passphrase: 12345}}]}}}",
        "machine: {env: {https_proxy: 'https://user:word@proxy:3128/'}}",
        "machine: {env: {AWS_SECRET_ACCESS_KEY: x}}",
        "machine: {install: {extraKernelArgs: ['a.token=x']}}",
        "machine: {files: [{content: \"[a]\\nb = 1\\n  password = 'x'\\n\"}]}",
        f"machine: {{files: [{{content: {PEM!r}}}]}}",
        "cluster: {extraManifestHeaders: {X-Any: x}}",
        'cluster: {inlineManifests: [{contents: "apiVersion: v1\\nkind: Secret\\n"}]}',
        "cluster: {apiServer: {extraArgs: {oidc-client-secret: x}}}",
        "{kind: ExtensionServiceConfig, environment: [TS_AUTHKEY=tskey-x]}",
        "{kind: WireguardConfig, peers: [{presharedKey: x}]}",
        "{kind: RegistryAuthConfig, password: x}",
        f"{{kind: RegistryTLSConfig, clientIdentity: {{key: {base64.b64encode(PEM.encode()).decode()}}}}}",
        "{kind: SideroLinkConfig, apiUrl: 'https://siderolink.api/?jointoken=x'}",
        "{kind: VolumeConfig, encryption: {keys: [{static: {passphrase: x}}]}}",
    ],
)
def test_secrets_are_recognised(text: str) -> None:
    assert 1 == len(secret_paths(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "machine: {certSANs: [a], kubelet: {image: 'ghcr.io/siderolabs/kubelet:v1.34.1'}}",
        "machine: {registries: {config: {ghcr.io: {tls: {ca: x}, auth: {username: x}}}}}",
        "machine: {nodeTaints: {a: 'b:NoSchedule'}, kubelet: {extraArgs: {rotate-server-certificates: true}}}",
        "machine: {pods: [{spec: {tolerations: [{key: node-role.kubernetes.io/control-plane}]}}]}",
        "machine: {sysctls: {net.ipv4.ip_forward: '1'}, files: [{content: 'a = 1', path: /etc/token}]}",
        "cluster: {apiServer: {extraArgs: {service-account-key-file: /etc/key, tls-private-key: /etc/k}}}",
        "cluster: {apiServer: {auditPolicy: {rules: [{resources: [{resources: [secrets]}]}]}}}",
        "{kind: WireguardConfig, peers: [{publicKey: x}], privateKey: ''}",
        "{kind: TrustedRootsConfig, certificates: '-----BEGIN CERTIFICATE-----'}",
        "machine: {env: {http_proxy: 'http://proxy:3128/', token: null}}",
    ],
)
def test_other_values_stay(text: str) -> None:
    assert [] == secret_paths(text)


def test_service_account_key_is_stored_as_what_it_encodes() -> None:
    secret = bundle_secret(("cluster", "serviceAccount", "key"), KEY["account"])
    assert secret is not None
    assert base64.b64decode(KEY["account"]).decode() == secret.value
    assert '{{secret "talos/demo/certs/k8sserviceaccount" | b64enc | toJson}}' == action("demo", secret)
    with pytest.raises(ValueError, match="not the base64 of a key"):
        bundle_secret(("cluster", "serviceAccount", "key"), "<key>")


def test_equal_values_are_stored_once_and_others_under_keys_of_their_own() -> None:
    secrets = Secrets()
    path = ("machine", "env", "a.token")
    first = secrets.add_other(path, "", "x")
    assert first == secrets.add_other(("machine", "other"), "", "x")
    second = secrets.add_other(path, "", "y")
    assert ["machine-env-a-token", "machine-env-a-token-2"] == [first.key, second.key]
    assert "z-A-machine-other" == secrets.add_other(("machine", "other"), "z A", "w").key


def test_what_is_stored_is_kept_beside_what_is_added() -> None:
    secrets = Secrets()
    secrets.add(SecretValue("cluster", "cluster.id", "new"), "f")
    stored = {"cluster": "cluster: {id: old, more: kept}\n"}
    assert ["cluster cluster.id"] == secrets.replaced(stored)
    assert {"cluster": ["cluster.id"]} == secrets.added(stored) == secrets.added({})
    assert [] == secrets.replaced({})
    assert {"cluster.id": "new", "cluster.more": "kept"} == flat(secrets.texts(stored)["cluster"])
    same = {"cluster": "cluster: {more: kept, id: new}\n"}
    assert same == secrets.texts(same)
    assert {"cluster": {"id": "new"}} == yaml.safe_load(secrets.texts({})["cluster"])


def test_two_values_of_one_secret_are_refused_without_showing_them() -> None:
    secrets = Secrets()
    secrets.add(SecretValue("cluster", "cluster.id", "one"), "a.yaml: line 1")
    with pytest.raises(ValueError, match=r"^is not that of a\.yaml: line 1: they are of different clusters$"):
        secrets.add(SecretValue("cluster", "cluster.id", "two"), "b.yaml")


def test_value_that_parameter_store_refuses_is_stored_in_base64() -> None:
    text = "machine: {token: '', env: {TOKEN: 'a {{ long value }}'}}"
    secrets = Secrets()
    edits, _ = secret_edits(MachineConfig(text), "demo", secrets, "f.yaml")
    assert "{{" not in secrets.texts({})["other"]
    assert values_in(text) == values_in(rendered(edited(text, edits), secrets, {}))
    assert ["a {{ long value }}"] == [value for _, value in secrets.in_files()]
