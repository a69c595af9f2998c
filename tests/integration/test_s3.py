"""S3 buckets, filled by boto3, on MinIO and on versitygw, with a proxy between that counts and misbehaves."""

import os
import random
import signal
import subprocess

import pytest
from buckets import KEY_ID, REGION, SECRET, UNKNOWN_HOST
from conftest import killed_with_a_core, sha256, wait_for
from fault_proxy import answer, cut, meanwhile, reset, slow, vanish
from forward_proxy import ForwardProxy

EXPIRED = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@pytest.fixture(params=["minio", "versitygw"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def lake(inlet):
    """lake(bucket, **options): the dataset's one source is this bucket, its keys in a file."""
    keys = inlet.root / "keys"

    def make(bucket, key_id=KEY_ID, secret=SECRET, normalize=False, **options):
        keys.write_text(f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n")
        keys.chmod(0o600)
        settings = {"bucket": bucket.name, "endpoint": bucket.server.url, "credentials": str(keys), "region": REGION} | options
        inlet.write_config(normalize=normalize, sources=[{"name": "lake", "s3": {k: v for k, v in settings.items() if v is not None}}])
        return inlet

    return make


def objects_of(inlet):
    return inlet.source("lake")["objects"]


def contents(inlet):
    """key -> sha256 of what the dataset has for it."""
    return {r["key"]: i["sha256"] for i in inlet.items() for r in i["references"]}


def hashes(objects):
    return {key: sha256(data) for key, data in objects.items()}


def gets(proxy):
    return [r.target.partition("?")[0].split("/", 2)[2] for r in proxy.seen("GET")]


def refusal(inlet):
    """What a running daemon says of a source that it cannot reach."""
    inlet.start()
    wait_for("the source to be offline", lambda: inlet.source("lake")["state"] == "offline")
    source = inlet.source("lake")
    assert inlet.stop() == 0
    assert source["objects"]["present"] == 0 or source["objects"]["gone"] == 0
    return source["message"]


def some(count, prefix="f"):
    return {f"{prefix}/{n:05}.txt": f"object {n} of {prefix}\n".encode() for n in range(count)}


# ---- what a pass does ----

def test_objects_are_fetched_while_the_listing_runs(minio, lake, proxied):
    """The second page does not come before objects of the first are in the dataset."""
    bucket, proxy = minio.bucket(), proxied(minio)
    bucket.put_all(some(1010))
    inlet = lake(bucket, endpoint=proxy.url, include=["*9.txt"])
    proxy.on("LIST", slow(600), skip=1)
    inlet.start()
    wait_for("the objects of the first page", lambda: objects_of(inlet)["present"] == 100)
    assert proxy.counts() == {"LIST": 2, "GET": 100}
    proxy.released.set()
    wait_for("the others", lambda: objects_of(inlet)["present"] == 101)
    assert inlet.stop() == 0



def test_first_sync_changes_and_an_unchanged_bucket_costs_listings_only(server, lake, proxied):
    bucket, proxy = server.bucket(), proxied(server)
    objects = some(30) | {"empty": b"", "twin": b"object 3 of f\n", "deep/a b+c%25=é&?#.txt": b"odd"}
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url)
    inlet.once()
    assert contents(inlet) == hashes(objects)
    assert len(inlet.items()) == len(set(objects.values()))
    assert proxy.counts() == {"LIST": 1, "GET": len(objects)}

    proxy.clear()
    revision = inlet.status()["store"]["revision"]
    inlet.once()
    assert proxy.counts() == {"LIST": 1} and inlet.status()["store"]["revision"] == revision

    changed = {"f/00001.txt": b"another", "new": b"new", "f/00002.txt": b"Object 2 of f\n"}  # the last: as long as before
    bucket.put_all(changed)
    bucket.delete("f/00003.txt", "empty")
    proxy.clear()
    inlet.once()
    assert sorted(gets(proxy)) == sorted(changed) and proxy.counts()["LIST"] == 1
    objects = {k: v for k, v in (objects | changed).items() if k not in ("f/00003.txt", "empty")}
    assert contents(inlet) == hashes(objects)
    assert objects_of(inlet)["present"] == len(objects) and objects_of(inlet)["gone"] == 2

    bucket.put("empty", b"")  # it returns
    proxy.clear()
    inlet.once()
    assert contents(inlet) == hashes(objects | {"empty": b""})
    inlet.cli("verify")
    for item in inlet.items()[:3]:
        assert sha256(inlet.cli("cat", item["id"]).stdout) == item["sha256"]


def test_a_running_daemon_polls_and_syncs_on_demand(server, lake):
    bucket = server.bucket()
    bucket.put("a", "first")
    inlet = lake(bucket, poll="1s")
    inlet.start()
    wait_for("the first object", lambda: "a" in contents(inlet))
    bucket.put("b", "second")
    wait_for("the poll", lambda: "b" in contents(inlet))
    inlet.stop()
    lake(bucket, poll="30d")
    inlet.start()
    bucket.put("c", "third")
    inlet.cli("sync", "lake")
    wait_for("what sync was asked for", lambda: "c" in contents(inlet))
    assert inlet.stop() == 0


def test_versions_and_delete_markers(minio, lake):
    bucket = minio.bucket(versioned=True)
    bucket.put("a", "one")
    bucket.put("a", "two")
    bucket.put("b", "other")
    inlet = lake(bucket)
    inlet.once()
    assert contents(inlet) == hashes({"a": b"two", "b": b"other"})
    bucket.put("a", "three")
    bucket.delete("b")
    inlet.once()
    assert contents(inlet) == {"a": sha256(b"three")}
    assert objects_of(inlet)["gone"] == 1


def test_multipart_uploads(server, lake):
    from boto3.s3.transfer import TransferConfig
    import io
    bucket, data = server.bucket(), random.Random(5).randbytes(12 << 20)
    bucket.s3.upload_fileobj(io.BytesIO(data), bucket.name, "large", Config=TransferConfig(multipart_threshold=5 << 20,
                                                                                          multipart_chunksize=5 << 20))
    assert "-" in bucket.s3.head_object(Bucket=bucket.name, Key="large")["ETag"]
    inlet = lake(bucket)
    inlet.once()
    assert contents(inlet) == {"large": sha256(data)}


def test_fifty_thousand_keys(versitygw, lake, proxied):
    """Written beside the gateway, as files are that somebody else puts there; its listing is what counts."""
    bucket, proxy, count = versitygw.bucket(), proxied(versitygw), 50_000
    for n in range(count):
        path = versitygw.data / bucket.name / f"d{n % 50:02}" / f"{n:06}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"%d" % (n % 100))
        os.setxattr(path, "user.etag", b"%032x" % (n % 100))
    inlet = lake(bucket)
    inlet.once()
    assert objects_of(inlet)["present"] == count and inlet.status()["items"]["total"] == 100
    lake(bucket, endpoint=proxy.url)
    inlet.once()
    assert proxy.counts() == {"LIST": count // 1000}
    assert objects_of(inlet)["present"] == count


def test_three_messages_for_three_kinds_of_nothing(minio, lake):
    bucket = minio.bucket()
    said = set()
    for objects, options in (({}, {}), ({"a/x.txt": b"x"}, {"prefix": "b/"}), ({}, {"include": ["*.jpg"]})):
        bucket.put_all(objects)
        inlet = lake(bucket, **options)
        inlet.start()
        said.add(wait_for("a message", lambda: inlet.source("lake")["message"]))
        assert inlet.stop() == 0
    assert len(said) == 3, said
    inlet = lake(bucket, prefix="a/", include=["*.txt"], exclude=["y*"])
    bucket.put("a/y.txt", "excluded")
    inlet.once()
    assert contents(inlet) == {"a/x.txt": sha256(b"x")}


# ---- what servers and networks do ----

def test_an_overwrite_during_the_download_never_mixes(server, lake, proxied):
    bucket, proxy = server.bucket(), proxied(server)
    old, new = random.Random(1).randbytes(8 << 20), random.Random(2).randbytes(8 << 20)
    bucket.put("x", old)
    inlet = lake(bucket, endpoint=proxy.url)
    # Once while the body is on its way; once between a body that broke off and the rest of it.
    proxy.on("GET", meanwhile(lambda: bucket.put("x", new), after=1 << 20), times=1)
    inlet.once(ok=(0, 3))
    assert set(contents(inlet).values()) <= {sha256(old), sha256(new)}
    inlet.once()
    assert contents(inlet) == {"x": sha256(new)}

    def overwrite_and_break_off(handler):
        bucket.put("x", old)
        handler.drop()
    bucket.put("x", new + b"!")
    proxy.clear()
    proxy.on("GET", cut(1 << 20), times=1)
    proxy.on("GET", overwrite_and_break_off, times=1)
    inlet.once(ok=(0, 3))
    inlet.once()
    assert contents(inlet) == {"x": sha256(old)}
    assert all(i["sha256"] in (sha256(old), sha256(new)) for i in inlet.items())


@pytest.mark.parametrize("fault", [cut(1000), cut(0), reset(1000), reset(100_000)], ids=["cut", "cut at 0", "reset", "late reset"])
def test_broken_bodies_are_resumed_and_whole(minio, lake, proxied, fault):
    bucket, proxy, rng = minio.bucket(), proxied(minio), random.Random(3)
    objects = {f"k{n}": rng.randbytes(300_000) for n in range(6)}
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url)
    rule = proxy.on("GET", fault, times=8)
    inlet.start()
    wait_for("every object", lambda: contents(inlet) == hashes(objects))
    assert rule.acted == 8 and inlet.stop() == 0
    assert len(inlet.items()) == len(objects)


def test_storms_of_503_and_latency(server, lake, proxied):
    bucket, proxy, objects = server.bucket(), proxied(server), some(60)
    bucket.put_all(objects)
    storm = answer(503, {"Retry-After": "1", "Content-Type": "application/xml"}, SLOW_DOWN)
    list_rule, get_rule = proxy.on("LIST", storm, times=2), proxy.on("GET", storm, times=12)
    proxy.on("*", slow(0.02))
    inlet = lake(bucket, endpoint=proxy.url)
    inlet.start()
    wait_for("every object", lambda: contents(inlet) == hashes(objects))
    assert list_rule.acted == 2 and get_rule.acted == 12
    assert inlet.failures() == []
    assert inlet.stop() == 0


def test_a_server_that_dies_while_it_is_listed_takes_nothing_with_it(minio, lake, proxied):
    bucket, proxy, objects = minio.bucket(), proxied(minio), some(2_300)
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url)
    inlet.once()
    assert objects_of(inlet)["present"] == 2_300
    bucket.delete("f/00000.txt", "f/02299.txt")
    proxy.clear()
    lake(bucket, endpoint=proxy.url, poll="1s")
    inlet.start()
    wait_for("a pass", lambda: objects_of(inlet)["gone"] == 2)
    bucket.delete("f/00001.txt", "f/02298.txt")
    proxy.on("LIST", vanish, skip=1)
    wait_for("the source to be offline", lambda: inlet.source("lake")["state"] == "offline")
    assert objects_of(inlet)["gone"] == 2, "something was concluded from half a listing"
    assert inlet.source("lake")["message"]
    proxy.clear()
    proxy.revive()
    wait_for("the source to be back", lambda: inlet.source("lake")["state"] != "offline")
    wait_for("what went meanwhile", lambda: objects_of(inlet)["gone"] == 4)
    assert objects_of(inlet)["present"] == 2_296
    assert inlet.stop() == 0


def test_a_listing_cut_inside_is_no_listing(minio, lake, proxied):
    bucket, proxy, objects = minio.bucket(), proxied(minio), some(50)
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url)
    inlet.once()
    for fault in (answer(200, {"Content-Type": "application/xml"}, b"<?xml version='1.0'?><ListBucketResult></List"),
                  answer(200, {"Content-Type": "text/html"}, b"<html>sign in to the network</html>"), answer(404), answer(403)):
        proxy.clear()
        rule = proxy.on("LIST", fault)
        assert refusal(inlet)
        assert rule.acted and objects_of(inlet)["gone"] == 0 and objects_of(inlet)["present"] == 50
    proxy.clear()
    inlet.once()
    assert objects_of(inlet)["present"] == 50


def test_kill_minus_nine_in_the_middle_of_a_sync(minio, lake, proxied):
    bucket, proxy = minio.bucket(), proxied(minio)
    objects = {f"k{n:04}": b"content %d" % (n % 700) * 50 for n in range(900)}
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url)
    rng = random.Random(11)
    for _ in range(3):
        proxy.clear()
        before = len(contents(inlet)) if (inlet.state / "index").exists() else 0
        inlet.start()
        target = before + rng.randint(50, 250)
        wait_for("some objects", lambda: objects_of(inlet)["present"] >= min(target, 900))
        inlet.stop(signal.SIGKILL)
        acknowledged = set(contents(inlet))
        proxy.clear()
        if len(acknowledged) == 900:
            break
    inlet.once()
    assert acknowledged.isdisjoint(gets(proxy)), "fetched again what was acknowledged"
    assert contents(inlet) == hashes(objects)
    assert len(inlet.items()) == 700
    inlet.cli("verify")


# ---- credentials, regions, certificates ----

def test_wrong_credentials(server, lake):
    bucket = server.bucket()
    bucket.put("a", "x")
    for key_id, secret in ((KEY_ID, "wrong-secret-canary"), ("nobody", SECRET)):
        inlet = lake(bucket, key_id=key_id, secret=secret)
        message = refusal(inlet)
        assert "key" in message and "inlet doctor" in message and "canary" not in message, message
        found = inlet.cli("doctor", ok=None).stdout.decode()
        assert f"profile 'default' in {inlet.root}/keys" in found and "canary" not in found, found
    lake(bucket, credentials="/nonexistent/keys")
    assert "/nonexistent/keys" in refusal(inlet)
    assert inlet.once(ok=(3,)).stderr.count(b"/nonexistent/keys")
    lake(bucket)
    inlet.once()
    assert contents(inlet) == {"a": sha256(b"x")}


def test_a_token_that_expires_in_the_middle_of_a_listing(minio, lake, proxied):
    bucket, proxy, objects = minio.bucket(), proxied(minio), some(2_100)
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url)
    proxy.on("LIST", answer(400, {"Content-Type": "application/xml"}, EXPIRED), skip=1, times=1)
    proxy.on("GET", answer(400, {"Content-Type": "application/xml"}, EXPIRED), skip=100, times=1)
    inlet.once()
    assert contents(inlet) == hashes(objects)
    assert proxy.counts()["LIST"] == 4 and proxy.counts()["GET"] == 2_101


def test_a_role_by_a_real_sts(minio, lake, inlet, monkeypatch):
    """MinIO is STS too, and checks the signature."""
    bucket = minio.bucket()
    bucket.put("a", "by role")
    home = inlet.root / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(f"[base]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    (home / ".aws/config").write_text(f"[profile lab]\nregion = {REGION}\nrole_arn = arn:xxx:xxx:xxx:xxxx\nsource_profile = base\n"
                                      f"endpoint_url = {minio.url}\n")
    monkeypatch.setenv("HOME", str(home))
    lake(bucket, credentials=None, profile="lab")
    inlet.once()
    assert contents(inlet) == {"a": sha256(b"by role")}


def test_a_wrong_region_is_learned(server, lake):
    bucket = server.bucket()
    bucket.put("a", "x")
    inlet = lake(bucket, region="us-west-2")
    inlet.once()
    assert contents(inlet) == {"a": sha256(b"x")}


def test_http_and_https_mixed_up(minio, minio_tls, lake):
    inlet = lake(minio.bucket(), endpoint=minio.url.replace("http:", "https:"))
    assert "speaks no TLS" in refusal(inlet)
    lake(minio_tls.bucket(), endpoint=minio_tls.url.replace("https:", "http:"))
    message = refusal(inlet)
    assert "HTTP request to an HTTPS server" in message and "`endpoint`" in message, message
    said = [c for c in inlet.lines("doctor", ok=(1,)) if c["check"] == "source lake: list"]
    assert said[0]["level"] == "fail" and "http or https" in said[0]["cure"], said


def test_a_certificate_nobody_knows(minio_tls, lake):
    bucket = minio_tls.bucket()
    bucket.put("a", "over TLS")
    inlet = lake(bucket)
    assert "ca_file" in refusal(inlet)
    lake(bucket, ca_file=minio_tls.verify)
    inlet.once()
    assert contents(inlet) == {"a": sha256(b"over TLS")}


@pytest.fixture
def forward():
    """forward(port): a forward proxy to that port, gone with the test."""
    made = []

    def make(port):
        made.append(ForwardProxy(UNKNOWN_HOST, port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.mark.parametrize("kind", ["minio", "minio_tls"])
def test_a_forward_proxy(request, lake, forward, monkeypatch, kind):
    """Whole URLs for http, tunnels for https; the environment's proxies are nobody's."""
    server = request.getfixturevalue(kind)
    bucket, objects = server.bucket(), some(20) | {"big": os.urandom(3_000_000)}
    bucket.put_all(objects)
    proxy, strange = forward(server.port), forward(server.port)
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, strange.url)
    monkeypatch.setenv("NO_PROXY", "*")
    at = {"ca_file": server.verify, "endpoint": f"{server.scheme}://{UNKNOWN_HOST}:{server.port}"}
    inlet = lake(bucket, **at, proxy=proxy.url)
    inlet.once()
    assert contents(inlet) == hashes(objects)
    counts = proxy.counts()
    if kind == "minio":
        assert counts == {"LIST": 1, "GET": 21}
    else:
        assert set(counts) == {"CONNECT"} and {r.target for r in proxy.seen()} == {proxy.authority}
    assert all("Authorization" not in r.headers for r in proxy.seen("CONNECT")), "keys go through the tunnel, not to the proxy"
    proxy.on("*", answer(407, {"Proxy-Authenticate": "Basic realm=x"}))
    assert "`proxy` names none" in refusal(inlet)
    lake(bucket, **at)
    assert UNKNOWN_HOST in refusal(inlet)
    assert strange.seen() == []


def as_another(path):
    """What another user reads there; where we are no root, this user, who is stopped by the process alone."""
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    return subprocess.run([*prefix, "cat", path], capture_output=True)


@pytest.mark.parametrize("secret", [SECRET, "wrong-canary"], ids=["right", "wrong"])
def test_secrets_stay_inside(minio, lake, monkeypatch, secret):
    bucket = minio.bucket()
    bucket.put("a", "x")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    inlet = lake(bucket, credentials=None, poll="1s")
    (inlet.root / "keys").unlink()
    inlet.prefix = ["prlimit", "--core=unlimited"]
    inlet.start("--verbose")
    wait_for("the object, or why not", lambda: objects_of(inlet)["present"] or inlet.source("lake")["message"])
    doctor = inlet.cli("doctor", ok=None).stdout
    assert b"the environment (AWS_ACCESS_KEY_ID)" in doctor
    said = doctor + b"".join(inlet.cli(*verb, ok=None).stdout for verb in (["status", "--json"], ["sources"], ["failures", "--json"],
                                                                          ["items", "--json"], ["check-config"]))
    assert b"canary" not in said
    process = f"/proc/{inlet.daemon.pid}"
    cmdline, environ = as_another(f"{process}/cmdline"), as_another(f"{process}/environ")
    assert b"inletd" in cmdline.stdout and b"canary" not in cmdline.stdout
    assert environ.returncode != 0 and environ.stdout == b""
    core = killed_with_a_core(inlet.daemon)
    assert not core
    left = [p for p in inlet.root.rglob("*") if p.is_file() and b"canary" in p.read_bytes()]
    assert left == [], left


# ---- keys as they are ----

ODD_KEYS = ["x", "x/y", "a/../b", "a/./b", "..", ".", "/lead", "//", "d//e", "placeholder/", "ctl\x01\x1f", "tab\tand\nline", "é€𝄞",
            "100%25 + a=b:c;d@e,f?g#h&i'j\"k", "<tag>&amp;", "back\\slash", "~tilde*star()!", "soap", "n" * 1023, "m" * 1024,
            "€" * 341, "€" * 341 + "z", "seg/" * 200 + "end", "%2e%2e/%2F", "trailing space ", "+", " "]


@pytest.mark.parametrize("name", ["minio", "versitygw", "moto"])
def test_keys_of_all_kinds(name, request, lake, capsys):
    server = request.getfixturevalue(name)
    bucket, objects, refused = server.bucket(), {}, []
    for n, key in enumerate(ODD_KEYS):
        data = b"" if key.endswith("placeholder/") else b"odd %d" % n
        try:
            bucket.put(key, data)
            objects[key] = data
        except Exception as why:  # what this server does not take is said by name
            refused.append(f"{key[:20]!r} ({type(why).__name__})")
    listed = set(bucket.keys())
    changed = {key for key in objects if key not in listed}  # taken, and stored as another, or in another's place
    with capsys.disabled():
        print(f"\n{name} refuses {', '.join(refused) or 'none'}; stores otherwise {', '.join(repr(k[:20]) for k in sorted(changed)) or 'none'}")
    if name == "moto":
        assert len(refused) <= 1 and not changed  # the line feed
    objects = {key: data for key, data in objects.items() if key in listed}
    assert len(objects) >= 12
    inlet = lake(bucket)
    inlet.once(ok=(0, 3))
    found = contents(inlet)
    assert {key: found.get(key) for key in objects} == hashes(objects)
    inlet.once(ok=(0, 3))
    assert contents(inlet) == found


def test_the_longest_keys_at_the_edge_of_a_page(moto, lake, proxied):
    bucket, proxy = moto.bucket(), proxied(moto)
    objects = {f"a{n:04}": b"filler" for n in range(998)}
    objects |= {"b" * 1023: b"1", "c" * 1024: b"2", "€" * 341: b"3", "€" * 341 + "z": b"4", "€" * 340 + "𝄞": b"5"}
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url)
    inlet.once()
    assert contents(inlet) == hashes(objects)
    proxy.clear()
    inlet.once()
    assert proxy.counts() == {"LIST": 2}


# ---- in place ----

def test_by_reference_nothing_is_copied_and_every_read_is_checked(minio, lake, proxied):
    bucket, proxy, objects = minio.bucket(), proxied(minio), some(5)
    bucket.put_all(objects)
    inlet = lake(bucket, endpoint=proxy.url, store="reference", normalize=True)
    inlet.once()
    assert contents(inlet) == hashes(objects)
    segments = b"".join(p.read_bytes() for p in (inlet.state / "store").rglob("*") if p.is_file())
    assert objects["f/00001.txt"] not in segments
    item = inlet.item("f/00001.txt")
    assert inlet.cli("cat", item["id"]).stdout == objects["f/00001.txt"]
    inlet.cli("label", item["id"], "greeting")
    assert '"greeting"' in inlet.text("export", "--format", "jsonl")
    bucket.put("f/00001.txt", b"changed below us!")
    done = inlet.cli("cat", item["id"], ok=(1, 3))
    assert done.stdout == b"" and done.stderr
