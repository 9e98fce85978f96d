from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.boots import Boot
from lambda_matchbox.machines.events import Event
from matchboxctl.console.timeline import STEPS, Timeline, timeline

_PROFILE = Profile("p", generic_id="g", boot=NetBoot("/assets/k", ("/assets/i",)))


def _boot(*events: Event, start: int = 1_700_000_000_000, release: str = "") -> Boot:
    return Boot(tuple(event._replace(time=start + event.time, release=release, profile="p") for event in events))


def _request(time: int, what: str = "/ipxe", **fields: object) -> Event:
    return Event(time, "request", what, status=200, address="10.0.0.5")._replace(**fields)


def _asset(time: int, what: str) -> Event:
    return Event(time, "asset", what, status=200, inferred=True)


def _picture(*boots: Boot, sizes: dict[str, int] | None = None) -> Timeline:
    return timeline(boots, lambda profile: _PROFILE if profile == "p" else None, sizes or {})


def _facts(picture: Timeline, boot: int = 0) -> list[str]:
    return [mark.fact for mark in picture.lines[boot].marks]


def test_boots_are_side_by_side_with_a_mark_for_each_step() -> None:
    one, other = _picture(_boot(_request(0)), _boot(_request(0), start=1_600_000_000_000)).lines
    assert one.x < other.x
    assert [mark.y for mark in one.marks] == [mark.y for mark in other.marks]
    assert [*STEPS] == [mark.step.name for mark in one.marks]


def test_line_goes_to_the_last_step_and_says_whether_it_is_stuck() -> None:
    done = _picture(_boot(_request(0), _asset(2000, "/assets/k"))).lines[0]
    assert (done.marks[1].y, False) == (done.end, done.is_stuck)
    for stuck in (_request(0, verdict="wait"), _request(0, verdict="refuse"), _request(0, status=404)):
        line = _picture(_boot(stuck)).lines[0]
        assert (line.marks[0].y, True) == (line.end, line.is_stuck)


def test_marks_say_when_how_long_after_and_what() -> None:
    boot = _boot(_request(0), _asset(2100, "/assets/k"), _request(41_000, "/generic"), _request(41_500, "/generic"))
    line = _picture(boot).lines[0]
    assert ["", "+2.1 s", "", "+41 s", ""] == [mark.took for mark in line.marks]
    assert ["200", "200, inferred", "cannot be seen", "200, 2 times", ""] == [mark.fact for mark in line.marks]
    assert ["10.0.0.5", "", "", "10.0.0.5", ""] == [mark.address for mark in line.marks]
    assert "kernel at 2023-11-14T22:13:22.100Z, 200, inferred" == line.marks[1].spoken
    assert "report: not reached" == line.marks[4].spoken


def test_sizes_are_those_of_the_release_that_is_known() -> None:
    sizes = {"/assets/k": 19_200_000}
    new, old = _boot(_request(0), _asset(9, "/assets/k"), release="b"), _boot(_request(0), _asset(9, "/assets/k"))
    picture = _picture(new, old, sizes=sizes)
    assert ("200, 19.2 MB, inferred", "200, inferred") == (_facts(picture)[1], _facts(picture, 1)[1])
    missing = _boot(_request(0), _asset(9, "/assets/k")._replace(status=404), release="b")
    assert "failed, 404, inferred" == _facts(_picture(missing, sizes=sizes))[1]
    twice = _boot(_request(0), _asset(9, "/assets/k"), _asset(8, "/assets/k"))
    assert "200, 2 times, 19.2 MB" == _facts(_picture(twice, sizes=sizes))[1]


def test_reason_is_read_aloud() -> None:
    waiting = _request(0, verdict="wait", reason="it waits for approval")
    [mark, *_] = _picture(_boot(waiting, waiting._replace(time=9000))).lines[0].marks
    assert "waits, 200, 2 times" == mark.fact
    assert mark.spoken.endswith("waits, 200, 2 times, it waits for approval, 10.0.0.5")


def test_long_address_is_cut_and_read_aloud_whole() -> None:
    address = "2001:db8:1111:2222:3333:4444:5555:6666"
    [mark, *_] = _picture(_boot(_request(0, address=address))).lines[0].marks
    assert ("2001:db8:1111:2222:33…", True) == (mark.address, mark.spoken.endswith(address))
