"""An S3 server on loopback: moto's, which speaks the protocol over HTTP and verifies who signed each request."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx

from tests.ports import free_port

# What moto lets through before it asks who is there: the three calls that make a user.
UNASKED = "3"
ALL_OF_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@dataclass(frozen=True, slots=True)
class S3:
    """A bucket on a running server, and a key that may use it."""

    address: str
    key: str
    secret: str
    bucket: str

    @property
    def client(self) -> Any:
        return _client("s3", self.address, self.key, self.secret)

    def settings(self, prefix: str = "runs") -> dict[str, str]:
        return {
            "archive_folder": f"s3://{self.bucket}/{prefix}",
            "aws_endpoint_url": self.address,
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
        }

    def names_under(self, prefix: str) -> list[str]:
        return [name.removeprefix(f"{prefix}/") for name in self.names() if name.startswith(f"{prefix}/")]

    def names(self) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.bucket)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=name)


@contextmanager
def s3_bucket() -> Iterator[S3]:
    """An empty bucket. `TESTS_S3` (address, key, secret) names a server that runs already, for many short runs."""
    with ExitStack() as stack:
        running = os.environ.get("TESTS_S3")
        address, key, secret = running.split() if running else stack.enter_context(s3_server())
        yield new_bucket(address, key, secret)


def new_bucket(address: str, key: str, secret: str) -> S3:
    s3 = S3(address, key, secret, f"ci-archive-{uuid.uuid4().hex}")
    s3.client.create_bucket(Bucket=s3.bucket)
    return s3


@contextmanager
def s3_server() -> Iterator[tuple[str, str, str]]:
    """Its address, and the key and secret of one who may do anything there."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": UNASKED}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment) as process:
        try:
            _wait_for(address)
            yield address, *_set_up(address)
        finally:
            process.kill()


def _set_up(address: str) -> tuple[str, str]:
    users = _client("iam", address, "nobody", "asks")
    users.create_user(UserName="dashboard")
    key = users.create_access_key(UserName="dashboard")["AccessKey"]
    users.put_user_policy(UserName="dashboard", PolicyName="bucket", PolicyDocument=json.dumps(ALL_OF_S3))
    return key["AccessKeyId"], key["SecretAccessKey"]


def _client(service: str, address: str, key: str, secret: str) -> Any:
    return boto3.client(
        service, endpoint_url=address, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
    )


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{address}/moto-api/").raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
