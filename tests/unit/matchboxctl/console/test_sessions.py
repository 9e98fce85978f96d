from matchboxctl.console.sessions import Note, Session, Sessions

_HOUR = 3600.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_session_ends_when_it_was_not_used_for_long() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    name = sessions.begin()
    for _ in range(3):
        clock.now += 11 * _HOUR
        assert sessions.find(name) is not None
    clock.now += 13 * _HOUR
    assert sessions.find(name) is None
    assert sessions.find("") is None


def test_session_that_was_not_used_longest_makes_room() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    first, second = sessions.begin(), sessions.begin()
    clock.now = 1
    sessions.find(first)
    for _ in range(63):
        clock.now += 1
        sessions.begin()
    assert (True, False) == (sessions.find(first) is not None, sessions.find(second) is not None)


def test_notes_are_bounded_and_tokens_differ() -> None:
    one, other = Session(0), Session(0)
    names = [one.keep(Note(str(number))) for number in range(40)]
    assert [*map(str, range(36, 40))] == [one.notes[name].text for name in names if name in one.notes]
    assert (True, False, False, False) == (one.sent(one.csrf), one.sent(other.csrf), one.sent(""), one.sent("é"))
