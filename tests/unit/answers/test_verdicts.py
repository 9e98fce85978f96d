import pytest

from lambda_matchbox.answers.verdicts import MAX_WAIT, MIN_WAIT, from_disk, refused, waiting
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.machines.identities import Identities

GROUP = Group("g")
SERIAL = Identities(serial="a' ; $(x) ${y} \\ \"z")


def test_grub_reads_a_reason_as_one_word() -> None:
    """A quotation mark would take the rest of the script into a string."""
    lines = refused("/grub", "its UUID is another machine's").body.decode().splitlines()
    assert lines[0] == 'echo "This machine is not booted: its UUID is another machine\'s."'


def test_machines_wait_differently_and_each_always_the_same() -> None:
    """A signature is that of another response than the machine has."""
    scripts = [waiting("/ipxe", Identities(mac=f"52:54:00:00:00:{n:02x}"), GROUP, "").body for n in [*range(99)] * 2]
    assert scripts[:99] == scripts[99:]
    waits = {int(script.decode().partition("sleep ")[2].split()[0]) for script in scripts}
    assert len(waits) > 30
    assert min(waits) >= MIN_WAIT
    assert max(waits) <= MAX_WAIT


@pytest.mark.parametrize(
    ("selector", "flag"),
    [({}, ""), ({"MAC": "x"}, ""), ({"uuid": "x"}, " --group 'g 1'"), ({"mac": "x", "os": "y"}, " --group 'g 1'")],
)
def test_a_waiting_machine_names_its_group_where_its_id_alone_selects_another(
    selector: dict[str, str], flag: str
) -> None:
    script = waiting("/grub", Identities(mac="52:54:00:00:00:01"), Group("g 1", selector=selector), "").body.decode()
    assert f'echo "matchboxctl machine approve 52-54-00-00-00-01{flag}"' in script.splitlines()


@pytest.mark.parametrize("route", ["/ipxe", "/grub"])
def test_a_serial_number_is_no_command(route: str) -> None:
    responses = [
        waiting(route, SERIAL, GROUP, ""),
        from_disk(route, SERIAL, "exit"),
        refused(route, SERIAL.serial),
    ]
    for response in responses:
        assert response is not None
        shown = [line for line in response.body.decode().splitlines() if line.startswith("echo ")]
        assert any("a' ? ?(x) ??y? ? ?z" in line for line in shown)
