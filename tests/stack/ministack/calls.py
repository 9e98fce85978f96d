"""Calls of AWS, and which of them the stack's roles need: each other one has to be denied."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lambda_matchbox.aws.keys import KEY
from tests.rigs.ministack import ACCOUNT, Ministack
from tests.stack.ministack.deployment import Deployed

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
PREFIXES = ("answers", "assets", "releases", "served", "templates", "others")
ROLES = ("BootApiRole", "SignedApiRole", "AssetSyncRole", "BootHistoryRole", "ScheduleRole")

READS = {f"GetObject {prefix}" for prefix in ("assets", "releases", "templates")} | {"ListObjectsV2"}
ITEMS = {"GetItem", "TransactGetItems"}
PUTS = {"PutItem", "TransactWriteItems Put"}
NEEDED: Mapping[str, set[str]] = {
    "BootApiRole": READS | ITEMS | PUTS | {"BatchGetItem", "GetObject answers", "PutObject answers"},
    "SignedApiRole": READS | ITEMS | {"BatchGetItem", "GetSecretValue"},
    "AssetSyncRole": ITEMS
    | PUTS
    | {"UpdateItem", "TransactWriteItems Update", "TransactWriteItems ConditionCheck", "SendMessage", "ListObjectsV2"}
    | {f"{action} releases" for action in ("GetObject", "PutObject", "DeleteObject")}
    | {f"{action} served" for action in ("PutObject", "DeleteObject")},
    "BootHistoryRole": {f"{action} history" for action in (*ITEMS, *PUTS, "SendMessage", "ReceiveMessage")},
    "ScheduleRole": {"Invoke AssetSync", "SendMessage"},
}


class Call(NamedTuple):
    """A method of one of boto3's clients, with its arguments."""

    service: str
    method: str
    arguments: Mapping[str, Any]


class Neighbours(NamedTuple):
    """What the account has beside the stack, and what a key of the stack's has encrypted."""

    bucket: str
    table: str
    secret: str
    encrypted: bytes


@contextmanager
def neighbours(account: Ministack, key: str) -> Iterator[Neighbours]:
    """Make them; `key` is KMS's that encrypts the signing key's secret."""
    name = f"elsewhere-{uuid.uuid4()}"
    with (
        closing(account.client("s3")) as s3,
        closing(account.client("dynamodb")) as dynamodb,
        closing(account.client("secretsmanager")) as secrets,
        closing(account.client("kms")) as kms,
    ):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.region})
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        secret = secrets.create_secret(Name=name, SecretString="another's")["ARN"]
        yield Neighbours(name, name, secret, kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"])


def calls(stack: Deployed, beside: Neighbours, secret: str) -> dict[str, Call]:
    """The calls by name; `secret` holds the signing key.

    Not among them: CreateLogStream and PutLogEvents, for which the emulator takes the resource to be the group without
    the `:*` that AWS wants in policies; Publish, which the default policy of a topic allows to the whole account; and
    GetParameters, for which it takes the resource to be `*`.
    """
    table, bucket = stack.outputs["TableName"], stack.outputs["BucketName"]
    resources = stack.resources
    return {
        **_of_tables(table, ""),
        **_of_tables(stack.outputs["HistoryTableName"], " history"),
        **_of_tables(beside.table, " elsewhere"),
        **_of_objects(bucket, ""),
        **_of_objects(beside.bucket, " elsewhere"),
        "ListBuckets": Call("s3", "list_buckets", {}),
        "GetSecretValue": Call("secretsmanager", "get_secret_value", {"SecretId": secret}),
        "GetSecretValue elsewhere": Call("secretsmanager", "get_secret_value", {"SecretId": beside.secret}),
        "PutSecretValue": Call("secretsmanager", "put_secret_value", {"SecretId": secret, "SecretString": "changed"}),
        "ListSecrets": Call("secretsmanager", "list_secrets", {}),
        # The key is for Secrets Manager only: kms:ViaService.
        "Decrypt": Call("kms", "decrypt", {"CiphertextBlob": beside.encrypted}),
        **{
            f"Invoke {name}": Call("lambda", "invoke", {"FunctionName": resources[name], "InvocationType": "Event"})
            for name in ("AssetSync", "BootApi", "SignedApi", "BootHistory")
        },
        "GetFunction": Call("lambda", "get_function", {"FunctionName": resources["SignedApi"]}),
        "UpdateFunctionConfiguration": Call(
            "lambda", "update_function_configuration", {"FunctionName": resources["BootApi"], "Description": "changed"}
        ),
        **_of_queues(resources["DeadLetters"], ""),
        **_of_queues(resources["HistoryDeadLetters"], " history"),
        "GetRole": Call("iam", "get_role", {"RoleName": resources["BootApiRole"]}),
        "PutRolePolicy": Call(
            "iam",
            "put_role_policy",
            {"RoleName": resources["ScheduleRole"], "PolicyName": "wider", "PolicyDocument": _ALL},
        ),
        **{
            f"AssumeRole {name}": Call(
                "sts",
                "assume_role",
                {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{resources[name]}", "RoleSessionName": "other"},
            )
            for name in ROLES
        },
        "DescribeStacks": Call("cloudformation", "describe_stacks", {}),
        "DeleteStack": Call("cloudformation", "delete_stack", {"StackName": stack.name}),
        "GetSchedule": Call("scheduler", "get_schedule", {"Name": resources["Schedule"]}),
        "GetParameter": Call("ssm", "get_parameter", {"Name": f"/matchbox/{stack.name}/token"}),
        "PutParameter": Call(
            "ssm", "put_parameter", {"Name": f"/matchbox/{stack.name}/token", "Value": "x", "Type": "String"}
        ),
        "CreateLogGroup": Call("logs", "create_log_group", {"logGroupName": "another"}),
        "FilterLogEvents": Call("logs", "filter_log_events", {"logGroupName": resources["SignedApiLog"]}),
        "DescribeLoadBalancers": Call("elbv2", "describe_load_balancers", {}),
        "ListDistributions": Call("cloudfront", "list_distributions", {}),
        "DescribeVpcs": Call("ec2", "describe_vpcs", {}),
    }


_ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def _of_tables(table: str, where: str) -> dict[str, Call]:
    key, name = {KEY: {"S": "R#call"}}, {"TableName": table}
    one = {**name, "Key": key}
    condition = {"ConditionExpression": "attribute_not_exists(absent)"}
    update = {**one, "UpdateExpression": "SET called = :yes", "ExpressionAttributeValues": {":yes": {"BOOL": True}}}
    writes = {
        "Put": {**name, "Item": key},
        "Update": update,
        "Delete": one,
        "ConditionCheck": {**one, **condition},
    }
    query = {"KeyConditionExpression": f"{KEY} = :key", "ExpressionAttributeValues": {":key": {"S": "I"}}}
    found = {
        "GetItem": ("get_item", one),
        "BatchGetItem": ("batch_get_item", {"RequestItems": {table: {"Keys": [key]}}}),
        "TransactGetItems": ("transact_get_items", {"TransactItems": [{"Get": one}]}),
        "PutItem": ("put_item", {**name, "Item": key}),
        "UpdateItem": ("update_item", update),
        "DeleteItem": ("delete_item", one),
        "BatchWriteItem": ("batch_write_item", {"RequestItems": {table: [{"DeleteRequest": {"Key": key}}]}}),
        **{
            f"TransactWriteItems {kind}": ("transact_write_items", {"TransactItems": [{kind: write}]})
            for kind, write in writes.items()
        },
        "Scan": ("scan", name),
        "Query": ("query", {**name, **query}),
        "ExecuteStatement": ("execute_statement", {"Statement": f'SELECT * FROM "{table}"'}),
        "DescribeTable": ("describe_table", name),
        "UpdateTable": ("update_table", {**name, "DeletionProtectionEnabled": False}),
        "DeleteTable": ("delete_table", name),
    }
    return {action + where: Call("dynamodb", *call) for action, call in found.items()}


def _of_queues(queue: str, where: str) -> dict[str, Call]:
    name = {"QueueUrl": queue}
    return {
        f"SendMessage{where}": Call("sqs", "send_message", {**name, "MessageBody": "{}"}),
        f"ReceiveMessage{where}": Call("sqs", "receive_message", name),
        f"PurgeQueue{where}": Call("sqs", "purge_queue", name),
    }


def _of_objects(bucket: str, where: str) -> dict[str, Call]:
    name = {"Bucket": bucket}
    found: dict[str, tuple[str, Mapping[str, Any]]] = {
        f"{action} {prefix}": (method, {**name, "Key": f"{prefix}/call"})
        for action, method in (
            ("PutObject", "put_object"),
            ("GetObject", "get_object"),
            ("DeleteObject", "delete_object"),
        )
        for prefix in PREFIXES
    }
    found |= {
        "ListObjectsV2": ("list_objects_v2", name),
        "GetBucketPolicy": ("get_bucket_policy", name),
        "PutBucketPolicy": ("put_bucket_policy", {**name, "Policy": "{}"}),
        "DeleteBucketPolicy": ("delete_bucket_policy", name),
        "DeletePublicAccessBlock": ("delete_public_access_block", name),
        "DeleteBucket": ("delete_bucket", name),
    }
    return {action + where: Call("s3", *call) for action, call in found.items()}


def permitted(role: Ministack, wanted: Mapping[str, Call]) -> set[str]:
    """The names of the calls that are not denied; what else AWS says to them does not matter."""
    clients = {service: role.client(service) for service in {call.service for call in wanted.values()}}
    try:
        return {name for name, call in wanted.items() if not _is_denied(clients[call.service], call)}
    finally:
        for client in clients.values():
            client.close()


def _is_denied(client: Any, call: Call) -> bool:
    try:
        getattr(client, call.method)(**call.arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False
