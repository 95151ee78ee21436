"""What the chain of today needs: a real S3 server, and the aws command in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config


def aws_command() -> str:
    """The aws command line, installed once into a cache (its botocore is not ours)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tangthu" / "awscli"
    command = cache / "bin" / "aws"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        subprocess.run([str(cache / "bin" / "pip"), "install", "--quiet", "awscli"], check=True)
    return str(command)


@contextmanager
def chain_endpoint(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server with a bucket, and the aws command to reach it."""
    aws = aws_command()
    command = [sys.executable, "-m", "tests.services.ceph"]
    state = str(folder / "s3")
    started = subprocess.run([*command, "up", "--state", state], check=True, stdout=subprocess.PIPE, text=True)
    try:
        server = json.loads(started.stdout)
        client = boto3.client(
            "s3",
            endpoint_url=server["http"],
            aws_access_key_id=server["access_key"],
            aws_secret_access_key=server["secret_key"],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        client.create_bucket(Bucket="bench")
        yield {
            "endpoint": server["http"],
            "access_key": server["access_key"],
            "secret_key": server["secret_key"],
            "bucket": "bench",
            "aws": aws,
        }
    finally:
        subprocess.run([*command, "down", "--state", state], check=True)
