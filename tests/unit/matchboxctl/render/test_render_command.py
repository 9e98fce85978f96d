"""`matchboxctl render`, as an operator runs it."""

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from urllib.parse import quote, urlencode

import pytest
import yaml

from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.main import main
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.data_files import write_files
from tests.support.serving import serving
from tests.unit.matchboxctl.render.rendered import Rendered

MAC = "52:54:00:12:34:56"
ROUTES = ("ipxe", "grub", "ignition", "cloud", "generic", "metadata")
GROUPS: dict[str, dict[str, object]] = {
    "default": {"profile": "worker"},
    "worker": {
        "profile": "worker",
        "selector": {"role": "worker"},
        "metadata": {"image": "talos", "join": {"token": "hunter2", "port": 6443}, "password_hash": "$6$x&y"},
    },
    "worker-too": {"profile": "worker", "selector": {"role": "worker"}},
    "zone": {"profile": "worker", "selector": {"zone": "a"}},
    "controller": {"profile": "worker", "selector": {"role": "controller", "mac": MAC}},
    "sealed": {"profile": "worker", "selector": {"api_key": "swordfish", "role": "worker"}},
    "absent": {"profile": "nowhere", "selector": {"is": "absent"}},
    "broken": {"profile": "broken", "selector": {"is": "broken"}},
    "long": {"profile": "long", "selector": {"is": "long"}},
}
FILES = {
    "profiles/worker.json": json.dumps(
        {
            "boot": {"kernel": "/assets/vmlinuz", "args": ["quiet"]},
            "generic_id": "worker.txt",
            "cloud_id": "worker.yaml",
            "ignition_id": "talos.yaml",
        }
    ),
    "profiles/broken.json": json.dumps({"generic_id": "broken.txt"}),
    "profiles/long.json": json.dumps({"generic_id": "long.txt"}),
    "generic/worker.txt": "{{.image}} {{.join.token}} {{.join.token | b64enc}} {{toJson .password_hash}}\n",
    "cloud/worker.yaml": "#cloud-config\nimage: {{.image}}\n",
    "ignition/talos.yaml": "machine:\n  token: {{.join.token}}\n",
    "generic/broken.txt": "one\n{{.is}}\n{{.missing}}\n",
    "generic/long.txt": "{{.is}}" + "x" * 800_000,
    "assets/vmlinuz": "kernel",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    files = FILES | {f"groups/{name}.json": json.dumps(group) for name, group in GROUPS.items()}
    write_files(root, files)
    return root


@pytest.fixture(scope="module")
def port(root: Path) -> Iterator[int]:
    with serving(root) as port:
        yield port


@pytest.fixture
def rendered(capsys: pytest.CaptureFixture[str], root: Path) -> Rendered:
    return Rendered(capsys, "--data-path", str(root))


WORKER = """\
labels    role=worker
group     worker, by role=worker
          not worker-too: it matches too, but it has the same selectors, and the smaller id wins
          not default: it matches too, but it has fewer selectors
          not sealed: it selects api_key=*** (the machine has no such label)
          and 5 more
profile   worker
template  generic/worker.txt
data      {
            "image": "talos",
            "join": {
              "port": 6443,
              "token": "***"
            },
            "password_hash": "***",
"""


def test_report_shows_labels_to_response_without_secrets(rendered: Rendered) -> None:
    code, text = rendered("generic", "--others", "3", role="worker")
    assert (0, "") == (code, rendered.error)
    assert text.startswith(WORKER)
    assert "\nresponse  200, text/plain; charset=utf-8, " in text
    assert 'talos *** *** "***"' == text.splitlines()[-1]


def test_show_secrets_masks_nothing(rendered: Rendered) -> None:
    found = rendered.document("generic", "--show-secrets", role="worker")
    assert GROUPS["worker"]["metadata"] == {key: found["data"][key] for key in ("image", "join", "password_hash")}
    assert found["body"].startswith("talos hunter2 aHVudGVyMg== ")


@pytest.mark.system
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "labels",
    [
        {"role": "worker"},
        {"mac": MAC.upper()},
        {"is": "absent"},
        {"is": "broken"},
        {"is": "long"},
        {"zone": "a b&c=d+"},
    ],
    ids=str,
)
def test_responses_equal_those_of_serve(rendered: Rendered, port: int, route: str, labels: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/{route}?{urlencode(labels, quote_via=quote, safe=':')}")
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    found = rendered.document(f"/{route}", "--show-secrets", **labels)
    assert (response.status, response.getheader("content-type"), body) == (
        found["status"],
        found["headers"].get("content-type"),
        found["body"],
    )


def test_template_that_does_not_render_ends_with_exit_code_1(rendered: Rendered) -> None:
    """The reason has the template and the line."""
    code, text = rendered("generic", "--others", "0", **{"is": "broken"})
    reason = "template 'broken.txt', line 3: there is no value for missing"
    assert 1 == code
    assert (
        f"response  500, text/plain; charset=utf-8, {len(reason) + 1} bytes\nreason    {reason}\n\n{reason}\n" in text
    )
    assert f"matchboxctl: 500: {reason}\n" == rendered.error


def test_absent_profile_is_a_404_and_is_named(rendered: Rendered) -> None:
    code, text = rendered("ipxe", "--others", "0", **{"is": "absent"})
    assert 1 == code
    assert "profile   nowhere, which is absent\n" in text
    assert "reason    group 'absent' names profile 'nowhere', which is absent\n" in text


def test_group_without_a_selector_is_said_to_have_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups" / "all.json").write_text('{"profile": "p"}')
    code, text = Rendered(capsys, "--data-path", str(tmp_path))("ipxe")
    assert (1, "group     all, which has no selector") == (code, text.splitlines()[1])


def test_machine_without_a_group_shows_the_nearest_groups(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the labels that the machine has instead."""
    (tmp_path / "groups").mkdir()
    for name, selector in {
        "near": {"role": "worker", "zone": "b"},
        "far": {"role": "controller", "zone": "b", "rack": "7"},
        "other": {"os": "installed"},
    }.items():
        (tmp_path / "groups" / f"{name}.json").write_text(json.dumps({"profile": "p", "selector": selector}))
    rendered = Rendered(capsys, "--data-path", str(tmp_path))
    code, text = rendered("ipxe", "--others", "2", role="worker", zone="a", mac="nonsense")
    assert 1 == code
    assert text.splitlines() == [
        "labels    role=worker zone=a",
        "          ignored: mac=nonsense",
        "group     none matches",
        "          not near: it selects zone=b (the machine has a)",
        "          not other: it selects os=installed (the machine has no such label)",
        "          and 1 more",
        "profile   none",
        "response  404, text/plain; charset=utf-8, 19 bytes",
        "reason    no group matches these labels",
        "",
        "404 page not found",
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nonsense",), "unknown route 'nonsense': use one of ipxe, grub, ignition, cloud, generic, metadata"),
        (
            ("assets/vmlinuz",),
            "unknown route 'assets/vmlinuz': use one of ipxe, grub, ignition, cloud, generic, metadata",
        ),
        (("ipxe", "--label", "mac"), "invalid --label 'mac': use KEY=VALUE, such as mac=52:54:00:12:34:56"),
        (("ipxe", "--label", "=x"), "invalid --label '=x': use KEY=VALUE, such as mac=52:54:00:12:34:56"),
        (
            ("ipxe", "--data-path", "/nowhere"),
            "/nowhere is not a directory: set --data-path to matchbox's data directory",
        ),
    ],
)
def test_invalid_arguments_end_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], root: Path, arguments: tuple[str, ...], error: str
) -> None:
    path = () if "--data-path" in arguments else ("--data-path", str(root))
    assert 2 == main(["render", *arguments, *path])
    written = capsys.readouterr()
    assert ("", f"matchboxctl: {error}\n") == (written.out, written.err)


def test_yaml_has_the_document_of_json(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    documents = []
    for output in ("json", "yaml"):
        assert 0 == main(["render", "ipxe", "--label", "role=worker", "-o", output, "--data-path", str(root)])
        documents.append(yaml.safe_load(capsys.readouterr().out))
    assert documents[0] == documents[1]
    assert "worker" == documents[0]["group"]["id"]


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["render", "--help"])
    assert "matchboxctl render ignition --label mac=52:54:00:12:34:56\n" in capsys.readouterr().out


@pytest.fixture(scope="module")
def stores(moto_server: Service, root: Path) -> Stores:
    filled = new_stores(moto_server, moto_server)
    filled.fill(root)
    return filled


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("labels", [{"role": "worker"}, {"is": "broken"}, {"is": "long"}], ids=str)
def test_store_mode_shows_the_same_report(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    root: Path,
    stores: Stores,
    route: str,
    labels: dict[str, str],
) -> None:
    """It writes no response to the bucket."""
    expected = Rendered(capsys, "--data-path", str(root)).document(route, **labels)
    for name, value in stores.environment().items():
        monkeypatch.setenv(name, value)
    assert expected == Rendered(capsys).document(route, **labels)
    objects = stores.buckets.client("s3").list_objects_v2(Bucket=stores.name, Prefix="answers/")
    assert 0 == objects["KeyCount"]


def test_absent_table_is_reported_with_advice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, moto_server: Service
) -> None:
    for name, value in new_stores(moto_server, moto_server).environment().items():
        monkeypatch.setenv(name, value)
    for others in ("10", "0"):
        assert 1 == main(["render", "ipxe", "--others", others])
        written = capsys.readouterr()
        assert "" == written.out
        assert "create it with `matchboxctl init`" in written.err


def test_unavailable_table_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stores: Stores
) -> None:
    for name, value in stores.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    assert 1 == main(["render", "ipxe", "--others", "0", "--label", "role=worker", "--label", "token=127.0.0.1:1"])
    written = capsys.readouterr()
    assert "" == written.out
    assert "check the endpoint and the network" in written.err
    assert "127.0.0.1:1" not in written.err


def test_group_is_selected_once(rendered: Rendered) -> None:
    selected = 0

    def called(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal selected
        selected += event == "call" and frame.f_code is DirectoryCatalog.select.__code__

    sys.setprofile(called)
    try:
        rendered("metadata", role="worker")
    finally:
        sys.setprofile(None)
    assert 1 == selected
