"""Values under keys that name a secret are masked in bodies of any kind, and nothing else is."""

import base64
import gzip
import json
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from matchboxctl.render.body_masks import masked_body

TALOS = """\
# ünïcode before
version: v1alpha1
machine:
  type: controlplane
  token: CANARY.1 # a comment
  ca:
    crt: LS0tcert
    key: "CANARY2"
  certSANs: [10.0.0.1]
  files:
    - content: |
        user: a
        password: CANARY3
        path: /etc/x
      path: /var/x
cluster:
  secret: 'CANARY4'
  aescbcEncryptionSecret: >-
    CANARY5
    CANARY6
  acceptedCAs: []
  id: visible
---
apiVersion: v1alpha1
kind: TrustedRootsConfig
token: CANARY7
"""


def test_talos_configuration_keeps_all_but_the_secrets() -> None:
    masked = masked_body(TALOS)
    assert "CANARY" not in masked
    for kept in ("# ünïcode before", "type: controlplane", "token: *** # a comment", "crt: LS0tcert", 'key: "***"'):
        assert kept in masked
    for kept in ("certSANs: [10.0.0.1]", "user: a", "path: /etc/x", "path: /var/x", "secret: '***'", "id: visible"):
        assert kept in masked
    assert TALOS.count("---") == masked.count("---")


def test_json_stays_json() -> None:
    text = json.dumps({"passwd": {"users": [{"name": "core", "passwordHash": "CANARY"}]}, "x": [1, {"token": 12345}]})
    masked = masked_body(text)
    assert "CANARY" not in masked
    assert "12345" not in masked
    assert '"name": "core"' in masked
    assert '"passwordHash": "***"' in masked


def files(text: str) -> list[str]:
    """Ignition configs with a file, as Butane and as others write it."""
    packed = base64.b64encode(gzip.compress(text.encode())).decode()
    sources = [f"data:,{quote(text)}", f"data:;base64,{base64.b64encode(text.encode()).decode()}"]
    contents = [{"source": one} for one in sources]
    contents.append({"source": f"data:;base64,{packed}", "compression": "gzip"})
    return [json.dumps({"storage": {"files": [{"path": "/x", "contents": one}]}}) for one in contents]


@pytest.mark.parametrize("config", files("name: a\ntoken: CANARY\n"))
def test_file_of_an_ignition_config_with_a_secret_is_masked(config: str) -> None:
    masked = json.loads(masked_body(config))
    assert "data:,***" == masked["storage"]["files"][0]["contents"]["source"]
    assert "/x" == masked["storage"]["files"][0]["path"]


@pytest.mark.parametrize("config", files("name: a\n"))
def test_other_files_stay(config: str) -> None:
    assert config == masked_body(config)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("#!/bin/sh\nTOKEN=CANARY\nHOST=a\n", "#!/bin/sh\nTOKEN=***\nHOST=a\n"),
        ('export API_KEY="CAN ARY" X=1', 'export API_KEY="***" X=1'),
        ("kubeadm join --token CANARY 10.0.0.1", "kubeadm join --token *** 10.0.0.1"),
        ("kubeadm join --certificate-key=CANARY 10.0.0.1", "kubeadm join --certificate-key=*** 10.0.0.1"),
        ("curl https://a/x?id=1&token=CANARY&b=2", "curl https://a/x?id=1&token=***&b=2"),
        ("curl https://a/x?token=CANARY", "curl https://a/x?token=***"),
        ("inst.ks=https://a.example/ks?token=CANARY&b=2", "inst.ks=https://a.example/ks?token=***&b=2"),
        ("args='a token=CANARY b'", "args='a token=*** b'"),
        ("inst.ks=https://ada:CANARY@a.example/ks", "inst.ks=https://ada:***@a.example/ks"),
        ("[wifi]\npassword = CANARY\nssid = a\n", "[wifi]\npassword = ***\nssid = a\n"),
        ("a: {b\ntoken: |\n  CANARY\n  CANARY\nc: d\n", "a: {b\ntoken: |\n  ***\nc: d\n"),
        ("token: CANARY # not YAML: {", "token: *** # not YAML: {"),
        ("x: |\n  -----BEGIN PRIVATE KEY-----\n  CANARY\n  -----END PRIVATE KEY-----\ny: 1\n", "x: |\n  ***\ny: 1\n"),
        ("# token: CANARY\na: b\n", "# token: ***\na: b\n"),
        ("a: 'kubeadm join --token CANARY'\n", "a: 'kubeadm join --token ***'\n"),
        ('{"emoji": "\\ud83d\\ude00", "token": "CANARY"}', '{"emoji": "\\ud83d\\ude00", "token": "***"}'),
        ("a: &x CANARY\ntoken: *x\n", "a: &x ***\ntoken: *x\n"),
        ("a: &x b --token CANARY\ntoken: *x\n", "a: &x ***\ntoken: *x\n"),
        (
            '#cloud-config\nusers:\n- {name: a, "passwd": CANARY}\n',
            '#cloud-config\nusers:\n- {name: a, "passwd": ***}\n',
        ),
        (
            "#cloud-config\nruncmd:\n- [sh, -c, 'TOKEN=CANARY x']\n",
            "#cloud-config\nruncmd:\n- [sh, -c, 'TOKEN=*** x']\n",
        ),
        ('w: "TOKEN=CANARY\\nA=b\\n"\n', 'w: "TOKEN=***\\nA=b\\n"\n'),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert masked == masked_body(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token:\nkey: null\nsecret: true\n",
        "crt: LS0t\ncerts:\n  a: b\ncertificate: x\n",
        "#!ipxe\nkernel /a talos.config=${base}ignition?uuid=${uuid}&token=${token}\nboot\n",
        "https://a:80/b@c https://ada:${pw}@a https://ada:{{.pw}}@a",
        "TOKEN=$TOKEN\nKEY=$(cat /etc/key)\n",
        "passwd:\n  users:\n  - name: core\n    ssh_authorized_keys: [ssh-ed25519 AAAA]\npublicKey: x\n",
        "monkeypatch: no\nname: a\n",
        "\udcff\udcfe",
        "a: b: c\n",
    ],
)
def test_other_texts_are_unchanged(text: str) -> None:
    assert text == masked_body(text)


NAMES = st.sampled_from(["a", "b", "token", "key", "password", "crt", "x y", "ü", "secretName"])
SECRETS = ("token", "key", "password", "secretName")
TREES = st.recursive(
    st.text(max_size=20) | st.integers() | st.booleans() | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3),
    max_leaves=12,
)


def canaries(tree: object, *, hidden: bool = False) -> object:
    """The tree, with a canary for each text below a key that names a secret."""
    if isinstance(tree, dict):
        return {key: canaries(value, hidden=(hidden or key in SECRETS) and key != "crt") for key, value in tree.items()}
    if isinstance(tree, list):
        return [canaries(value, hidden=hidden) for value in tree]
    return f"CANARY\n {tree}: é😀" if hidden and isinstance(tree, str) else tree


@given(TREES, st.sampled_from(["json", "compact", "tabs", "ascii", "yaml", "flow"]))
def test_no_value_under_such_a_key_is_left(tree: object, kind: str) -> None:
    with_canaries = canaries(tree)
    match kind:
        case "json" | "ascii":
            text = json.dumps(with_canaries, ensure_ascii=kind == "ascii")
        case "compact":
            text = json.dumps(with_canaries, separators=(",", ":"))
        case "tabs":
            text = json.dumps(with_canaries, indent="\t")
        case _:
            text = yaml.safe_dump(with_canaries, allow_unicode=True, default_flow_style=kind == "flow")
    masked = masked_body(text)
    assert "CANARY" not in masked
    if "CANARY" not in text and not isinstance(tree, str):
        assert sorted(text) == sorted(masked) or "***" in masked
