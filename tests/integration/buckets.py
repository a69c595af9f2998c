"""Real servers of buckets, on free ports and in folders of their own, and the official clients that fill them.

One instance a session: minio, minio_tls (a certificate that nobody knows), versitygw, fake_gcs, moto. Make one more
(MinIO(folder)) for a test that ends it. `make servers` builds what is run here; a server that is not there fails the tests
that need it."""

import itertools
import os
import shutil
import socket
import subprocess
import sys
import uuid

import pytest
from conftest import wait_for
from fault_proxy import FaultProxy

KEY_ID, SECRET = "inlet-test-key", "inlet-test-secret-canary"
REGION = "eu-central-1"
UNKNOWN_HOST = "s3.inlet.invalid"  # no resolver knows it: a proxy does
names = itertools.count(1)


def program(name):
    found = shutil.which(name, path=os.environ.get("INLET_SERVERS", ""))
    if not found:
        pytest.fail(f"{name} is not built: make servers (make test and make pytest do it, and say where it is by INLET_SERVERS)")
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connects(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A process that answers on a port. Its output is in log."""
    scheme = "http"
    environment = {}

    def __init__(self, root):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.log = root / "log"
        self.data = root / "data"
        self.data.mkdir(exist_ok=True)
        self.port = free_port()
        self.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def answers(self):
        return True

    def start(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MINIO_", "GOOGLE_"))} | self.environment
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=env, cwd=self.root)
        wait_for(f"{type(self).__name__} on port {self.port}", self.ready, 60)

    def ready(self):
        if self.process.poll() is not None:
            pytest.fail(f"{type(self).__name__} ended {self.process.returncode}\n{self.log.read_text(errors='replace')[-2000:]}")
        return connects(self.port) and self.answers()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def proxy(self):
        return FaultProxy("127.0.0.1", self.port)


class S3Server(Server):
    key_id, secret = KEY_ID, SECRET
    verify = None
    made = None

    def client(self, **kw):
        """boto3's client; one a thread is not needed."""
        import boto3
        from botocore.config import Config
        settings = {"endpoint_url": self.url, "region_name": REGION, "aws_access_key_id": self.key_id,
                    "aws_secret_access_key": self.secret, "verify": self.verify,
                    "config": Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required",
                                     max_pool_connections=32, retries={"max_attempts": 3})} | kw
        return boto3.client("s3", **settings)

    @property
    def s3(self):
        self.made = self.made or self.client()
        return self.made

    def answers(self):
        try:
            self.s3.list_buckets()
            return True
        except Exception:  # any kind of not yet
            return False

    def bucket(self, versioned=False):
        """A new, empty bucket."""
        name = f"inlet-{next(names)}-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        if versioned:
            self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Bucket(self, name)


class Bucket:
    def __init__(self, server, name):
        self.server, self.name, self.s3 = server, name, server.s3

    def put(self, key, data, **kw):
        return self.s3.put_object(Bucket=self.name, Key=key, Body=data if isinstance(data, bytes) else data.encode(), **kw)

    def put_all(self, objects, threads=16):
        """{key: bytes}, many at once."""
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(lambda item: self.put(*item), objects.items()):
                pass

    def delete(self, *keys):
        for key in keys:
            self.s3.delete_object(Bucket=self.name, Key=key)

    def keys(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [o["Key"] for page in pages for o in page.get("Contents", ())]


class MinIO(S3Server):
    environment = {"MINIO_ROOT_USER": KEY_ID, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
                   "MINIO_REGION": REGION, "MINIO_SITE_REGION": REGION}

    def command(self):
        return [program("minio"), "server", self.data, "--address", f"127.0.0.1:{self.port}", "--certs-dir", self.root / "certs",
                "--quiet"]


class MinIOTLS(MinIO):
    scheme = "https"

    def command(self):
        certs = self.root / "certs"
        certs.mkdir(exist_ok=True)
        self.verify = str(certs / "public.crt")
        if not (certs / "public.crt").exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=inlet test",
                            "-addext", f"subjectAltName=IP:127.0.0.1,DNS:{UNKNOWN_HOST}", "-keyout", certs / "private.key", "-out",
                            certs / "public.crt"], check=True, capture_output=True)
        return super().command()


class VersityGW(S3Server):
    def command(self):
        return [program("versitygw"), "--access", self.key_id, "--secret", self.secret, "--region", REGION, "--port",
                f"127.0.0.1:{self.port}", "--keep-alive", "--quiet", "posix", self.data]


class Moto(S3Server):
    """Checks no signature, takes any key."""

    def command(self):
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]


class FakeGCS(Server):
    def command(self):
        return [program("fake-gcs-server"), "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port), "-public-host",
                f"127.0.0.1:{self.port}", "-backend", "memory", "-log-level", "error"]

    def client(self):
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage
        return storage.Client(project="inlet", credentials=AnonymousCredentials(), client_options={"api_endpoint": self.url})

    def bucket(self):
        """A new, empty bucket of google-cloud-storage's."""
        return self.client().create_bucket(f"inlet-{next(names)}-{uuid.uuid4().hex[:8]}")


def session_fixture(kind, name):
    @pytest.fixture(scope="session", name=name)
    def server(tmp_path_factory):
        it = kind(tmp_path_factory.mktemp(kind.__name__))
        yield it
        it.stop()
    return server


minio = session_fixture(MinIO, "minio")
minio_tls = session_fixture(MinIOTLS, "minio_tls")
versitygw = session_fixture(VersityGW, "versitygw")
moto = session_fixture(Moto, "moto")
fake_gcs = session_fixture(FakeGCS, "fake_gcs")


@pytest.fixture
def proxied():
    """proxied(server): a fault proxy in front of it, gone with the test."""
    made = []

    def make(server):
        made.append(server.proxy())
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()
