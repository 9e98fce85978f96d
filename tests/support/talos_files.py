"""Files of a Talos cluster, as `talosctl gen config` writes them, with secrets that are none."""

import base64
from collections.abc import Mapping

CERTIFICATE, KEY = (
    {
        name: base64.b64encode(f"-----BEGIN {kind}-----\n{name}\n-----END {kind}-----\n".encode()).decode()
        for name in ("os", "k8s", "aggregator", "etcd", "account")
    }
    for kind in ("CERTIFICATE", "PRIVATE KEY")
)
VALUES = {
    "machine-token": "abcdef.0123456789abcdef",
    "cluster-id": "aWQtb2YtdGhlLWNsdXN0ZXItYWFhYWFhYWFhYWFhYQ==",
    "cluster-secret": "c2VjcmV0LW9mLXRoZS1jbHVzdGVyLWFhYWFhYWFhYQ==",
    "cluster-token": "fedcba.fedcba9876543210",
    "secretbox": "c2VjcmV0Ym94LWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ==",
}
SECRETS = (*VALUES.values(), *KEY.values())

_MACHINE = """version: v1alpha1 # Indicates the schema.
debug: false
persist: true
machine:
    type: {role} # Defines the role.
    token: {token} # The `token` is used by a machine to join.
    ca:
        crt: {os_crt}
        key: {os_key}
    certSANs: []
    #   - 10.0.0.10

    kubelet:
        image: ghcr.io/siderolabs/kubelet:v1.34.1 # An image.
    network: {{}}
    install:
        disk: /dev/sda # The disk used for installations.
        image: ghcr.io/siderolabs/installer:v1.12.0
        wipe: false

        # # Look up disk using disk attributes.
        # diskSelector:
        #     size: 4GB
    nodeLabels:
        zone: "{{{{ a }}}}"
cluster:
    id: {id}
    secret: {secret}
    controlPlane:
        endpoint: https://10.0.0.10:6443
    clusterName: demo
    network:
        podSubnets:
            - 10.244.0.0/16
    token: {cluster_token}
    ca:
        crt: {k8s_crt}
        key: {k8s_key}
"""
_CONTROLPLANE = """    secretboxEncryptionSecret: {secretbox}
    aggregatorCA:
        crt: {aggregator_crt}
        key: {aggregator_key}
    serviceAccount:
        key: {account_key}
    apiServer:
        image: registry.k8s.io/kube-apiserver:v1.34.1
    etcd:
        ca:
            crt: {etcd_crt}
            key: {etcd_key}
"""
HOSTNAME_CONFIG = """---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable # A method to generate a hostname.

# hostname: controlplane1
"""


def role_file(role: str, *, documents: str = "", **values: str) -> str:
    """A role's configuration with these documents behind it; `values` are others than those above, by their names."""
    is_worker = role == "worker"
    fields = {
        "role": role,
        "token": VALUES["machine-token"],
        "id": VALUES["cluster-id"],
        "secret": VALUES["cluster-secret"],
        "cluster_token": VALUES["cluster-token"],
        "secretbox": VALUES["secretbox"],
        **{f"{name}_crt": text for name, text in CERTIFICATE.items()},
        **{f"{name}_key": '""' if is_worker else text for name, text in KEY.items()},
    }
    text = _MACHINE if is_worker else _MACHINE + _CONTROLPLANE
    return text.format(**{**fields, **values}) + documents


def nodes_file(*rows: Mapping[str, str]) -> str:
    """A CSV of nodes."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    return "".join(f"{','.join(line)}\n" for line in lines)
