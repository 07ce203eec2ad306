"""A real Redis of the tests' own, on a free port, which keeps nothing on disk."""

import shutil
import subprocess
from dataclasses import dataclass, field

import redis

from tests.ports import free_port


@dataclass
class RedisServer:
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        program = shutil.which("redis-server")
        if not program:
            raise FileNotFoundError("redis-server is not installed: sh tests/services.sh")
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with redis.Redis.from_url(
            self.url, retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 200)
        ) as client:
            client.ping()
        return self

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
