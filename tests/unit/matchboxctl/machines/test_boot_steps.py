from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.boots import Boot
from lambda_matchbox.machines.events import Event
from matchboxctl.machines.boot_steps import Outcome, boot_steps

PROFILE = Profile("p", generic_id="g", boot=NetBoot("/assets/a/bz", ("--name i /assets/a/rd?x=1",)))


def request(time: int, what: str = "/ipxe", status: int = 200, **fields: str) -> Event:
    return Event(time, "request", what, status=status, address="10.0.0.5")._replace(**fields)


def asset(time: int, path: str, status: int = 200) -> Event:
    return Event(time, "asset", path, status=status, address="10.0.0.5", inferred=True)


def outcomes(*events: Event, profile: Profile | None = PROFILE) -> list[Outcome]:
    return [step.outcome for step in boot_steps(Boot(events), profile)]


def test_whole_boot_is_done() -> None:
    events = (
        request(1),
        asset(2, "/assets/a/bz"),
        asset(3, "/assets/a/rd"),
        request(4, "/generic"),
        Event(5, "report", "/report", status=200, reported="installed"),
    )
    assert ["done"] * 5 == outcomes(*events)
    steps = boot_steps(Boot(events), PROFILE)
    assert [False, True, True, False, False] == [step.is_inferred for step in steps]
    assert [1, 2, 3, 4, 5] == [step.events[0].time for step in steps]


def test_boot_is_open_where_it_has_not_come() -> None:
    assert ["done", "done", "open", "open", "open"] == outcomes(request(1), asset(2, "/assets/a/bz"))


def test_files_that_nobody_saw_were_fetched_where_a_later_step_was_made() -> None:
    assert ["done", "unseen", "unseen", "done", "open"] == outcomes(request(1), request(4, "/generic"))
    assert ["done", "open", "open", "open", "open"] == outcomes(request(1))


def test_verdicts_and_errors_are_what_the_last_event_says() -> None:
    assert "waits" == outcomes(request(1, verdict="wait"), request(2, verdict="wait"))[0]
    assert "done" == outcomes(request(1, verdict="wait"), request(2, verdict="allow"))[0]
    assert "disk" == outcomes(request(1, verdict="disk"))[0]
    assert "refused" == outcomes(request(1), request(2, "/generic", 403, verdict="refuse"))[3]
    assert "failed" == outcomes(request(1), asset(2, "/assets/a/bz", 404))[1]
    assert "failed" == outcomes(request(1), Event(2, "report", "/report", status=200, reported="failed"))[4]


def test_profile_says_what_there_is_to_be_done() -> None:
    small = Profile("p", boot=NetBoot("/assets/k"))
    assert ["done", "unseen", "none", "none", "done"] == outcomes(
        request(1), Event(2, "report", "/report", status=200, reported="installed"), profile=small
    )


def test_names_tell_kernel_and_initramfs_where_the_profile_is_not_known() -> None:
    for kernel, initramfs in (
        ("talos/arm64/vmlinuz", "talos/arm64/initramfs.xz"),
        ("debian/linux", "debian/initrd.gz"),
        ("fcos/live-kernel-x86_64", "fcos/live-rootfs.x86_64.img"),
    ):
        found = outcomes(request(1), asset(2, f"/assets/{kernel}"), asset(3, f"/assets/{initramfs}"), profile=None)
        assert ["done", "done", "done", "open", "open"] == found
    assert "open" == outcomes(request(1), asset(2, "/assets/motd"), profile=None)[1]


def test_signatures_and_operators_are_no_steps() -> None:
    found = boot_steps(Boot((request(1), request(2, "/ipxe.sig"), Event(3, "command", "hold"))), PROFILE)
    assert 2 == len(found[0].events)
    assert [0, 0, 0, 0] == [len(step.events) for step in found[1:]]
