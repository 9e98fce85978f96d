"""A group's boot policy in gRPC's message, which has no field for it: Terraform's plans stay empty."""

import json

import pytest
from grpc import StatusCode

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.machines.policy import Policy
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.messages import group_in, group_message
from matchboxctl.rpc.status_codes import StatusError

GROUP = Group("g", "", "p", {"os": "a"}, {"site": "north"}, Policy(approve=True, from_networks=("10.0.0.0/8",)))


def test_a_policy_is_a_key_of_the_metadata() -> None:
    """Its text is that of Terraform's jsonencode."""
    message = group_message(GROUP)
    assert json.loads(message.metadata) == {
        "matchbox_boot": '{"approve":true,"from":["10.0.0.0/8"]}',
        "site": "north",
    }
    assert group_in(message) == GROUP
    assert group_message(group_in(message)) == message


def test_a_group_without_a_policy_has_no_such_key() -> None:
    message = group_message(GROUP._replace(boot=None))
    assert json.loads(message.metadata) == {"site": "north"}
    assert group_in(message).boot is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yes", "Expecting value"),
        ({"approve": True}, "not the JSON of an object"),
        ("[]", "not the JSON of an object"),
        ('{"onze": true}', "onze: unknown"),
    ],
)
def test_an_invalid_policy_is_refused(value: object, reason: str) -> None:
    message = pb.Group(id="g", profile="p", metadata=json.dumps({"matchbox_boot": value}).encode())
    with pytest.raises(StatusError, match=reason) as caught:
        group_in(message)
    assert caught.value.code is StatusCode.INVALID_ARGUMENT
