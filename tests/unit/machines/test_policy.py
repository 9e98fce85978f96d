import pytest

from lambda_matchbox.machines.policy import Policy, PolicyError, policy_in

WHOLE = {"approve": True, "once": True, "token": True, "from": ["10.0.0.0/8"], "on_disk": "sanboot", "done": "report"}


def test_every_field_is_read_and_written() -> None:
    assert policy_in(WHOLE) == Policy(True, True, True, ("10.0.0.0/8",), "sanboot", "report")
    assert Policy(True, True, True, ("10.0.0.0/8",), "sanboot", "report").fields() == WHOLE


def test_defaults_are_not_written() -> None:
    assert policy_in({"once": True, "approve": False, "on_disk": "exit"}) == Policy(once=True)
    assert Policy(once=True).fields() == {"once": True}


def test_a_policy_of_defaults_is_none() -> None:
    assert policy_in({}) is None
    assert policy_in({"once": False, "done": "config"}) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"approve": "yes"}, "approve: neither true nor false"),
        ({"once": None}, "once: neither true nor false"),
        ({"on_disk": "disk"}, 'on_disk: neither "exit" nor "sanboot" nor "404"'),
        ({"done": True}, 'done: neither "config" nor "report"'),
        ({"from": "10.0.0.0/8"}, 'from: not a list of networks, such as ["10.20.13.0/24"]'),
        ({"from": []}, 'from: not a list of networks, such as ["10.20.13.0/24"]'),
        ({"from": [10]}, "from: a network is not a string"),
        ({"from": ["10.0.0.1/8"]}, "from: 10.0.0.1/8 has host bits set"),
        ({"from": ["999.1.1.1/8"]}, "from: '999.1.1.1/8' does not appear to be an IPv4 or IPv6 network"),
        ({"onze": True}, "onze: unknown; a policy has approve, once, token, from, on_disk, done"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy_in(fields)
    assert str(caught.value) == message
