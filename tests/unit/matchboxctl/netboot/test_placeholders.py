"""Placeholders that are left in configurations, and texts that only look like them."""

import base64
import gzip

import pytest

from matchboxctl.netboot.configuration import read_configuration
from matchboxctl.netboot.placeholders import in_json, in_kickstart, in_program, in_value


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("<cluster-join-token>", ["<cluster-join-token>"]),
        (" <token> ", ["<token>"]),
        ("<your ssh key>", ["<your ssh key>"]),
        ("https://<control-plane-ip>:6443", ["<control-plane-ip>"]),
        ("https://<ip>:6443", ["<ip>"]),
        ("node-<node_name>.example", ["<node_name>"]),
        ("talos-demo-${uuid}", ["${uuid}"]),
        ("{{ .hostname }}", ["{{ .hostname }}"]),
        ("CHANGEME", ["CHANGEME"]),
        ("change-me", ["change-me"]),
        ("ssh-ed25519 AAAAIREPLACE-ME operator@example", ["REPLACE-ME"]),
        ("YOUR_TOKEN_HERE", ["YOUR_TOKEN_HERE"]),
        ("a <no value> b", ["<no value>"]),
    ],
)
def test_value_has_placeholders(value: str, found: list[str]) -> None:
    assert found == in_value(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a < b > c",
        "<br>",
        "<b>bold</b>",
        "<strong-text>x</strong-text>",
        "Jane Doe <jane@example.org>",
        "sort <input>output",
        "$UPTIME seconds",
        "$1$salt$hash",
        "interchange me",
        "EXCHANGE",
        "FOURYOUR",
        "<<",
        "->",
    ],
)
def test_value_without_placeholders(value: str) -> None:
    assert [] == in_value(value)


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("#!/bin/sh\nTOKEN=<join-token>\n", [("<join-token>", 2)]),
        ('export TOKEN="<join-token>"\n', [("<join-token>", 1)]),
        ("a: 1\n  token: 'CHANGEME'\n", [("CHANGEME", 2)]),
        ('[Service]\nEnvironment="TOKEN=<token>"\n', [("<token>", 2)]),
        ("<cluster-join-token>\n", [("<cluster-join-token>", 1)]),
        ("echo <no value>\n", [("<no value>", 1)]),
        ("echo CHANGEME\ncurl -H 'X: REPLACE_ME' http://h\n", [("CHANGEME", 1), ("REPLACE_ME", 2)]),
        ("x CHANGEME\n", [("CHANGEME", 1)]),
    ],
)
def test_program_assigns_placeholders(program: str, found: list[tuple[str, int]]) -> None:
    assert found == in_program(program)


def test_programs_have_no_false_alarms() -> None:
    program = """#!/bin/bash
# token: <join-token>
set -e
while read line; do echo "${line}"; done <input >output
cat <file1 >file2
sort <in-file >out-file
x=$(jq .a <config.json)
if [ "$TOKEN" = CHANGEME ]; then echo "replace CHANGEME in ${0}" >&2; exit 1; fi
sed -i s/CHANGEME/$HOSTNAME/ /etc/x
grep -q CHANGEME /etc/x && exit 1
# echo CHANGEME
echo "$YOUR_NAME" ${YOUR_TOKEN} /opt/YOUR_DIR
[ "$A" -lt 3 ] && cat <<EOF >/var/www/index.html
<html><body><p class="x">Hello <b>${HOSTNAME}</b></p><br>
{{ .Values.x }} <script>if (a<b && c>d) {}</script></body>
EOF
docker ps --format '{{.Names}}'
title: <br>
ExecStart=/usr/bin/env NAME=${NAME} <
curl "https://x/${uuid}?a=<b>"
awk '{ print $1 }' <<<"$x"
"""
    assert [] == in_program(program)


def test_script_and_text_have_what_they_assign() -> None:
    script = b"#!/bin/sh\nusage='\n  --token: <token>\n'\nTOKEN=<token>\n"
    assert ["<token> (line 5)"] == [str(one) for one in read_configuration(script).placeholders]
    script = b"#!/bin/sh\necho CHANGEME\n"
    assert ["CHANGEME (line 2)"] == [str(one) for one in read_configuration(script).placeholders]
    assert () == read_configuration(b"NAME=${NAME}\n").placeholders
    assert ["<name> (line 1)"] == [str(one) for one in read_configuration(b"NAME=<name>\n").placeholders]


def test_commands_and_files_in_yaml_are_programs() -> None:
    text = b"""#cloud-config
hostname: ${hostname}
runcmd:
  - sed -i "s/<old-name>/${NEW}/" /etc/x
  - [sh, -c, "echo {{x}} ${HOME}"]
write_files:
  - path: /etc/token
    content: |
      # <comment>
      PATH=${PATH}:/x
      TOKEN=<join-token>
  - path: /etc/y
    content: "<key-of-y>"
final_message: "<b>up</b> after $UPTIME"
users:
  - &user {name: <user-name>}
  - *user
"""
    found = [str(one) for one in read_configuration(text).placeholders]
    assert [
        "${hostname} (line 2)",
        "<join-token> (line 11)",
        "<key-of-y> (line 13)",
        "<user-name> (line 16)",
    ] == found


def test_template_that_was_not_rendered_has_placeholders() -> None:
    text = b'version: v1alpha1\nmachine:\n  token: {{.token}}\n  ca: {a: {b: c}, ? {d: e} : f}\n  type: "{{ .type }}"\n'
    found = [str(one) for one in read_configuration(text).placeholders]
    assert ["{{.token}} (line 3)", "{{ .type }} (line 5)"] == found


def test_jinja_of_cloud_init_is_no_placeholder() -> None:
    text = b"## template: jinja\n#cloud-config\nhostname: '{{ ds.meta_data.name }}'\nlocale: <locale>\n"
    assert ["<locale> (line 4)"] == [str(one) for one in read_configuration(text).placeholders]


def test_files_and_units_of_ignition_are_programs() -> None:
    packed = base64.b64encode(gzip.compress(b"TOKEN=<token>\n")).decode()
    config = {
        "passwd": {"users": [{"name": "core", "sshAuthorizedKeys": ["<your-key>"]}]},
        "storage": {
            "files": [
                {"path": "/a", "contents": {"source": "data:,TOKEN%3D%3Ctoken%3E%0AA%3D%24%7BB%7D%0A"}},
                {"path": "/b", "contents": {"source": "data:;base64,PHRva2VuPgo="}},
                {"path": "/c", "contents": {"compression": "gzip", "source": f"data:;base64,{packed}"}},
                {"path": "/d", "contents": {"source": "http://h/${uuid}"}},
            ]
        },
        "systemd": {"units": [{"name": "a.service", "contents": "[Service]\nExecStart=/bin/echo ${A} <b-c>\n"}]},
    }
    assert [
        "<your-key> ($.passwd.users.0.sshAuthorizedKeys.0)",
        "<token> ($.storage.files.0.contents.source)",
        "<token> ($.storage.files.1.contents.source)",
        "<token> ($.storage.files.2.contents.source)",
        "${uuid} ($.storage.files.3.contents.source)",
    ] == [str(one) for one in in_json(config)]


def test_kickstart_sections_are_programs() -> None:
    text = """# <comment>
rootpw --iscrypted <password-hash>
url --url=http://<mirror>/fedora
lang en_US.UTF-8
%packages
@^server <group>
%end
%post
cat <in >out
TOKEN=<token>
echo ${TOKEN} CHANGEME now
%end
user --name=CHANGEME
"""
    assert [
        "<password-hash> (line 2)",
        "<mirror> (line 3)",
        "<token> (line 10)",
        "CHANGEME (line 11)",
        "CHANGEME (line 13)",
    ] == [str(one) for one in in_kickstart(text)]
