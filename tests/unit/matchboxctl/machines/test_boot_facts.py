"""What one boot tells of all boots."""

from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.boots import boots
from lambda_matchbox.machines.events import Event
from matchboxctl.machines.boot_facts import STOPPED_AFTER, BootFacts, Failure, Way, boot_facts

PROFILE = Profile("p", generic_id="g", boot=NetBoot("/assets/k", ("/assets/i.cpio",)))
WITHOUT = Profile("p", boot=NetBoot("/assets/k"))


def asked(time: int, what: str = "/ipxe", **fields: object) -> Event:
    kind = "asset" if what.startswith("/assets/") else "report" if what == "/report" else "request"
    return Event(time, kind, what, mac="m", status=200)._replace(**fields)  # type: ignore[arg-type]


def facts(*events: Event, profile: Profile | None = PROFILE, now: int = 10) -> BootFacts:
    [boot] = boots(events)
    return boot_facts("m", boot, profile, now)


def test_boot_that_went_well_has_its_times() -> None:
    config = asked(9000, "/generic", release="os=1")
    found = facts(asked(1000, group="g"), asked(2000, "/assets/k"), asked(5000, "/assets/i.cpio"), config)
    ways = (Way("script", "kernel", 1000), Way("kernel", "initramfs", 3000), Way("initramfs", "configuration", 4000))
    assert BootFacts("m", 1000, 9000, ways=ways, group="g", release="os=1") == found


def test_boot_begins_with_the_script_after_waiting() -> None:
    waits = [asked(time, verdict="wait", status=404) for time in (1000, 61_000)]
    found = facts(*waits, asked(90_000, verdict="allow"), asked(91_000, "/assets/k"))
    assert (90_000, (1000, 61_000), ()) == (found.begun, found.waits, found.failures)
    assert (Way("script", "kernel", 1000),) == found.ways


def test_steps_out_of_order_have_no_times() -> None:
    found = facts(asked(1), asked(2, "/assets/i.cpio"), asked(3, "/assets/k"), asked(4, "/generic"))
    assert (Way("script", "kernel", 2), Way("initramfs", "configuration", 2)) == found.ways


def test_boot_without_a_script_did_not_begin() -> None:
    for event in (asked(1, status=404), asked(1, verdict="disk"), asked(1, "/generic")):
        assert (0, ()) == (facts(event).begun, facts(event).ways)


def test_failing_steps_say_what_happened() -> None:
    refused = asked(3, "/generic", status=403, verdict="refuse", reason="its token has ended")
    found = facts(asked(1), asked(2, "/assets/k", status=404, inferred=True), refused)
    assert (
        Failure(2, "kernel", "/assets/k 404"),
        Failure(3, "configuration", "/generic 403 refuse: its token has ended"),
    ) == found.failures
    assert (0, ()) == (found.delivered, found.ways)
    failed = facts(asked(1), asked(2, "/report", reported="failed", reason="no disk"))
    assert (Failure(2, "report", "/report 200 failed (no disk)"),) == failed.failures


def test_step_that_went_well_at_last_has_not_failed() -> None:
    assert () == facts(asked(1), asked(2, "/assets/k", status=503), asked(3, "/assets/k")).failures


def test_boot_that_does_not_go_on_has_stopped() -> None:
    boot = (asked(1), asked(2, "/assets/k"))
    late = 3 + STOPPED_AFTER
    assert (Failure(2, "kernel", "nothing came after it"),) == facts(*boot, now=late).failures
    assert () == facts(*boot, now=late - 1).failures
    # It has no configuration, or may have none.
    assert () == facts(*boot, profile=WITHOUT, now=late).failures
    assert () == facts(*boot, profile=None, now=late).failures
    assert () == facts(*boot, asked(3, "/generic"), now=late).failures
    assert () == facts(asked(1, verdict="wait"), now=late).failures
