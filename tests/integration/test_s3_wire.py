"""inletd against a strict S3 server that misbehaves: the form of each request, and every trap that a server can set."""

import base64
import hashlib
import os
import time
import zlib

import pytest
from conftest import sha256, wait_for
from lists import imported
from s3_verifier import Throttle, Verifier, chunked, cut_off, refuse, replies
from test_import import write_csv

BIG = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture
def server():
    it = Verifier()
    yield it
    it.close()
    assert not it.violations, "\n".join(it.violations[:10])


@pytest.fixture
def lake(inlet, server):
    """The dataset with this server's bucket as its one source."""
    inlet.credentials = inlet.root / "credentials"
    inlet.set_keys = lambda key="AKIDTEST", secret="canary-secret-key", token="": write_keys(inlet, key, secret, token)
    inlet.set_keys()

    def s3(**options):
        at = {"bucket": server.bucket, "endpoint": server.url, "credentials": str(inlet.credentials), "region": server.region}
        inlet.write_config(normalize=False, sources=[{"name": "lake", "s3": {k: v for k, v in (at | options).items() if v is not None}}])
    inlet.s3 = s3
    s3()
    return inlet


def write_keys(inlet, key, secret, token):
    inlet.credentials.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
                                 + (f"aws_session_token = {token}\n" if token else ""))
    inlet.credentials.chmod(0o600)


def held(inlet):
    """{key: sha256} as the dataset has it; keys are bytes."""
    return {(base64.b64decode(r["key_base64"]) if "key_base64" in r else r["key"].encode()): i["sha256"]
            for i in inlet.items() for r in i["references"]}


def assert_holds(inlet, server, but=()):
    assert held(inlet) == {k: sha256(o.data) for k, o in server.objects.items() if k not in but}


def by_key(server, faults):
    """{key: [fault, ...]}: each read of a key takes its next fault; when there are no more, it is answered properly."""
    faults = {k: list(f) for k, f in faults.items()}

    def act(v, h, r):
        with v.lock:
            fault = faults[r.key].pop(0) if faults.get(r.key) else None
        fault(v, h, r) if fault else v.proper(h, r)

    server.on("get", act, times=None)


def reads(server, key):
    return [r for r in server.log if r.kind == "get" and r.key == key]


def fails(inlet, ok=(3,)):
    """One run; what it says."""
    return inlet.once(ok=ok).stderr.decode()


# ---- the form of requests ----

HARD = [b"plain", b"a=b:c+d e", b"100%25 %2F %zz", "ü/日本語 \U0001F600".encode(), b"!()*'~;@&$,?#[]{}|\\^`\"<>", b"../x", b"a/../b",
        b"a/./b", b"./", b"..", b"a//b", b"//", b"/lead", b"x", b"x/y", b"x/", b"\x01\x02\x1f\x7f", b"tab\tnew\nline\r", b" ", b"+",
        b"k" * 1023, b"l" * 1024, b"m" * 255 + b"/" + b"n" * 768, b"\xe2\x82\xac" * 341, b"\xe2\x82\xac" * 341 + b"A", b"%" * 1024]


@pytest.mark.parametrize("encodes", [True, False])
@pytest.mark.parametrize("page", [1000, 3])
def test_hard_keys_come_whole_across_pages(lake, server, encodes, page):
    for n, key in enumerate(HARD):
        server.put(key, b"%d" % n * 10)
    server.encodes, server.page, server.quoted = encodes, page, encodes
    lake.once()
    assert_holds(lake, server)
    assert server.count("get") == len(HARD)
    server.log.clear()
    lake.once()
    assert (server.count("get"), server.count("list")) == (0, -(-len(HARD) // page))


def test_every_option_is_signed(lake, server):
    """Session token, request-payer, prefix, a range: all of it in the signature, or the server refuses."""
    token = "FwoGZXIvYXdzEBY//////////+=="
    server.keys["AKIDTEST"] = ("canary-secret-key", token)
    server.known_headers.add("x-amz-request-payer")
    lake.set_keys(token=token)
    lake.s3(prefix="in a+b=ü/%2F&/", request_payer=True)
    server.put("in a+b=ü/%2F&/one", BIG)
    server.put("out/two", b"2")
    server.on("get", cut_off(300_000))
    lake.once()
    assert held(lake) == {"in a+b=ü/%2F&/one".encode(): sha256(BIG)}
    assert all(r.headers["x-amz-request-payer"] == "requester" for r in server.log)
    assert [r.headers.get("range") for r in server.log if r.kind == "get"][1].startswith("bytes=")


def test_virtual_host(lake, server):
    """libcurl leads every name below localhost to this host."""
    server.put("a b/c", b"1")
    lake.s3(endpoint=f"http://s3.localhost:{server.port}", path_style=False)
    lake.once()
    assert_holds(lake, server)
    assert {r.headers["host"] for r in server.log} == {f"bucket.s3.localhost:{server.port}"}
    assert "/a%20b/c" in {r.target for r in server.log}


def test_proxy(lake, server):
    """It is asked with whole URLs; the name, which nobody resolves, is its to resolve."""
    server.put("a b/c", b"1")
    lake.s3(endpoint="http://s3.inlet.invalid", proxy=server.url)
    lake.once()
    assert_holds(lake, server)
    assert {r.headers["host"] for r in server.log} == {"s3.inlet.invalid"}
    assert all(r.proxied for r in server.log)


def test_anonymous_sends_no_signature(lake, server, monkeypatch):
    """Not even where there are keys."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret-key")
    server.anonymous = True
    lake.s3(anonymous=True, credentials=None)
    server.put("k", b"1")
    lake.once()
    assert_holds(lake, server)
    assert not any("authorization" in r.headers or "x-amz-date" in r.headers for r in server.log)


def test_without_credentials_nothing_is_asked(lake, server):
    """Anonymous only when it is said."""
    lake.s3(credentials=None)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {
        "HOME": str(lake.root), "AWS_EC2_METADATA_DISABLED": "true"}
    heard = lake.run("--once", ok=(3,), env=environment).stderr.decode()
    assert "no AWS credentials" in heard and "say anonymous: true" in heard
    assert server.count() == 0


def test_a_closed_bucket_is_no_fault_of_keys_where_none_were_sent(lake, server):
    lake.s3(anonymous=True, credentials=None)
    assert "asked without credentials (anonymous: true)" in fails(lake)
    assert not any("authorization" in r.headers for r in server.log)


def test_connections_are_kept(lake, server):
    for n in range(200):
        server.put(f"k{n}", b"%d" % n)
    lake.once()
    assert server.count("get") == 200 and server.connections < 70


# ---- listings ----

def test_empty_pages_in_the_middle_are_legal(lake, server):
    for key in "abc":
        server.put(key, key)
    server.page = 1
    beginning = base64.b64encode(b"\xfb\xff\xbe").decode()
    server.on("list", lambda v, h, r: v.answer(h, 200, v.page_xml([], True, True, token=beginning)))
    lake.once()
    assert_holds(lake, server)
    assert server.count("list") == 4


def assert_nothing_concluded(inlet, server, said):
    """A dataset that was whole before stays as it is, and says why."""
    before = held(inlet)
    heard = fails(inlet)
    assert held(inlet) == before
    assert "offline" in heard and said in heard, heard


def cut_page(v, h, r):
    whole = v.listing(r)
    v.answer(h, 200, whole[:len(whole) * 2 // 3])


def repeated(v, h, r):
    v.answer(h, 200, v.page_xml(sorted(v.objects)[:2], True, True))


def endless(v, h, r):
    v.answer(h, 200, v.page_xml([], True, True, token="again"))


def huge(v, h, r):
    v.answer(h, 200, b"<ListBucketResult>" + b" " * (17 << 20) + b"</ListBucketResult>")


def nested(v, h, r):
    v.answer(h, 200, b"<ListBucketResult>" + b"<a>" * 100000)


LIES = [(cut_page, "no listing"), (replies(200, b"<!DOCTYPE html><html><body>Log in</body></html>"), "not the XML"),
        (replies(200, b"<Error><Code>InternalError</Code></Error>"), "no listing"), (replies(200), "no listing"),
        (repeated, "again or out of order"), (endless, "does not get on"), (huge, ""), (nested, "nested"),
        (refuse(404, "NoSuchBucket"), "NoSuchBucket"), (refuse(403, "AccessDenied"), "s3:ListBucket")]


@pytest.mark.parametrize("fault, said", LIES, ids=range(len(LIES)))
def test_nothing_is_concluded_from_a_listing_that_lies(lake, server, fault, said):
    for key in ("a", "b", "c"):
        server.put(key, key)
    lake.once()
    server.on("list", fault, times=None)
    assert_nothing_concluded(lake, server, said)
    server.rules.clear()
    lake.once()
    assert_holds(lake, server)


def test_a_page_is_asked_again_before_the_pass_is_lost(lake, server):
    for n in range(30):
        server.put(f"k{n:02}", b"%d" % n)
    server.page = 10
    server.on("list", refuse(503, "SlowDown", Retry_After=1), skip=1)
    server.on("list", cut_page)
    server.on("list", refuse(500, "InternalError"))
    lake.once()
    assert_holds(lake, server)
    assert server.count("list") == 6


def test_archived_objects_wait_until_they_are_restored(lake, server):
    server.known_headers.add("x-amz-optional-object-attributes")
    server.put("cold", b"cold", storage_class="GLACIER")
    server.put("warm", b"warm")
    heard = fails(lake, ok=(0,))
    assert_holds(lake, server, but=(b"cold",))
    assert "archive" in heard
    assert [r.key for r in server.log if r.kind == "get"] == [b"warm"]
    server.objects[b"cold"].restore = ("<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
                                       "<RestoreExpiryDate>2040-01-01T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>")
    lake.once()
    assert_holds(lake, server)
    assert not lake.failures()


def test_archived_though_the_listing_does_not_say_so(lake, server):
    """Intelligent tiering: only the read tells."""
    server.put("tiered", b"t")
    server.on("get", refuse(403, "InvalidObjectState", "<StorageClass>INTELLIGENT_TIERING</StorageClass>"), times=None)
    lake.once(ok=(0, 3))
    assert held(lake) == {} and "InvalidObjectState" in lake.failure("tiered")["reason"]
    assert server.count("get") == 1


# ---- signatures that are cured ----

def test_region_is_learned_and_kept(lake, server):
    server.put("k", BIG)
    lake.s3(region="us-west-2")
    lake.once()
    assert_holds(lake, server)
    assert server.count() == 3  # one refusal for both requests


def test_region_comes_with_a_redirect_without_location(lake, server):
    server.put("k", b"1")
    lake.s3(region="us-west-2")
    server.on("list", refuse(301, "PermanentRedirect", x_amz_bucket_region="eu-central-1"))
    lake.once()
    assert_holds(lake, server)


def test_regions_that_lead_in_circles_end(lake, server):
    server.put("k", b"1")
    flip = iter(range(10**6))
    server.on("list", lambda v, h, r: v.refuse(h, 301, "PermanentRedirect", headers={"x-amz-bucket-region": f"eu-west-{next(flip) % 2}"}),
              times=None)
    heard = fails(lake)
    assert server.count("list") < 20
    assert "`region`" in heard


def test_regions_that_never_end_are_not_followed(lake, server):
    server.put("k", b"1")
    fresh = iter(range(10**6))
    server.on("list", lambda v, h, r: v.refuse(h, 301, "PermanentRedirect", headers={"x-amz-bucket-region": f"eu-west-{next(fresh)}"}),
              times=None)
    heard = fails(lake)
    assert server.count("list") < 20
    assert "`region`" in heard


def test_redirect_without_a_region_is_said(lake, server):
    server.on("list", refuse(301, "PermanentRedirect"), times=None)
    heard = fails(lake)
    assert "`region`" in heard and "`endpoint`" in heard


def test_redirect_is_never_followed(lake, server):
    other = Verifier()
    try:
        server.on("list", refuse(307, "TemporaryRedirect", Location=other.url + "/bucket/"), times=None)
        lake.once(ok=(3,))
        assert other.count() == 0
    finally:
        other.close()


@pytest.mark.parametrize("skew", [-7200, 86400])
def test_clock_is_taken_from_the_server(lake, server, skew):
    server.put("k", b"1")
    server.skew = skew
    lake.once()
    assert_holds(lake, server)
    assert server.count() == 3


def test_token_that_expires_in_the_middle_of_a_listing(lake, server):
    server.keys = {"OLD": ("old-secret", "old-token"), "NEW": ("new-secret", "new-token")}
    for n in range(25):
        server.put(f"k{n:02}", b"%d" % n)
    server.page = 10
    lake.set_keys("OLD", "old-secret", "old-token")

    def expire(v, h, r):
        v.expired.add("OLD")
        lake.set_keys("NEW", "new-secret", "new-token")
        v.proper(h, r)

    server.on("list", expire, skip=1)
    lake.once()
    assert_holds(lake, server)


@pytest.mark.parametrize("keys, said", [(("AKIDTEST", "wrong"), "secret key is wrong"), (("NOBODY", "x"), "does not know this access key")])
def test_wrong_keys_are_said_and_cost_little(lake, server, keys, said):
    server.put("k", b"1")
    lake.set_keys(*keys)
    assert said in fails(lake)
    assert server.count() <= 8


def test_one_object_that_may_not_be_read(lake, server):
    """Tried again, with the cure of a bucket; the others come."""
    server.put("closed", b"1")
    server.put("open", b"2")
    server.on("get", lambda v, h, r: v.refuse(h, 403, "AccessDenied") if r.key == b"closed" else v.proper(h, r), times=None)
    lake.once(ok=(3,))
    assert_holds(lake, server, but=(b"closed",))
    failure = lake.failure("closed")
    assert "s3:GetObject" in failure["reason"] and "doctor" in failure["cure"], failure


# ---- bodies ----

def test_a_broken_transfer_goes_on_where_it_stopped(lake, server):
    cases = {b"%d %d" % (after, hard): (after, hard) for after in (0, 1, 500_000) for hard in (False, True)}
    for n, key in enumerate(cases):
        server.put(key, BIG + b"%d" % n)
    by_key(server, {key: [cut_off(*case)] * 2 for key, case in cases.items()})
    lake.once()
    assert_holds(lake, server)
    for key in cases:
        assert {r.headers["if-match"] for r in reads(server, key)} == {server.objects[key].etag}
    # A reset may take bytes back that were on their way; an end does not.
    assert [r.headers.get("range") for r in reads(server, b"500000 0")] == [None, "bytes=500000-", "bytes=1000000-"]


def test_a_server_that_ignores_ranges(lake, server):
    server.put("big", BIG)
    server.on("get", cut_off(700_000))
    server.on("get", lambda v, h, r: v.answer(h, 200, BIG, v.head_of(v.objects[r.key])))
    lake.once()
    assert_holds(lake, server)
    assert server.count("get") == 2


def wrong_range(v, h, r):
    o = v.objects[r.key]
    v.answer(h, 206, o.data[5:], v.head_of(o) | {"Content-Range": f"bytes 5-{len(o.data) - 1}/{len(o.data)}"})


def other_bytes(v, h, r):
    """Overwritten meanwhile, on a server that ignores If-Match."""
    v.put(r.key, BIG[::-1])
    o = v.objects[r.key]
    start = int(r.headers["range"][6:-1])
    v.answer(h, 206, o.data[start:], v.head_of(o) | {"Content-Range": f"bytes {start}-{len(o.data) - 1}/{len(o.data)}"})


def test_parts_of_two_versions_are_never_put_together(lake, server):
    faults = [wrong_range, other_bytes, replies(206, b"x" * 10), replies(200, b"<html>Log in</html>"), replies(204),
              refuse(412, "PreconditionFailed")]
    whole = {b"%d" % n: {sha256(BIG + b"%d" % n), sha256(BIG[::-1])} for n in range(len(faults))}
    for key in whole:
        server.put(key, BIG + key)
    by_key(server, {key: [cut_off(700_000), fault] for key, fault in zip(whole, faults)})
    lake.once(ok=(0, 3))
    assert all(digest in whole[key] for key, digest in held(lake).items())
    lake.start()
    wait_for("all objects", lambda: held(lake) == {k: sha256(o.data) for k, o in server.objects.items()})
    lake.stop()
    assert not lake.failures()


def test_a_part_is_not_the_object_where_no_version_says_how_long_it_is(lake, server):
    """A row names an object that was never listed: the answer says which version it is, and must be all of it."""
    def part(v, h, r):
        o = v.objects[r.key]
        v.answer(h, 206, o.data[:70_000], v.head_of(o) | {"Content-Range": f"bytes 0-69999/{len(o.data)}"})

    lake.s3(include=["no such key"])
    server.put("k", BIG)
    server.on("get", part)
    manifest = write_csv(lake.root / "M.csv", [[f"s3://{server.bucket}/k", "a"]], ["url", "label"])
    lake.start()
    imported(lake, manifest, ok=(0, 3))
    wait_for("the object", lambda: held(lake))
    assert {i["sha256"] for i in lake.items()} == {sha256(BIG)}


def test_overwritten_between_listing_and_read(lake, server):
    server.put("k", b"old")

    def overwrite(v, h, r):
        v.put("k", b"newer")
        v.proper(h, r)

    server.on("get", overwrite)
    lake.once(ok=(0, 3))
    assert held(lake) in ({}, {b"k": sha256(b"newer")})
    lake.once()
    assert_holds(lake, server)
    assert not lake.failures()


def test_deleted_between_listing_and_read(lake, server):
    server.put("k", b"1")
    server.put("stays", b"2")

    def delete(v, h, r):
        v.objects.pop(b"k")
        v.refuse(h, 404, "NoSuchKey")

    server.on("get", lambda v, h, r: delete(v, h, r) if r.key == b"k" else v.proper(h, r), times=2)
    lake.once(ok=(0, 3))
    lake.once()
    assert_holds(lake, server)
    assert not lake.failures()


def test_bodies_without_a_length(lake, server):
    server.put("whole", BIG)
    server.on("get", chunked(lambda o: o.data))
    lake.once()
    assert_holds(lake, server)


def test_a_body_of_another_length_is_no_object(lake, server):
    faults = [chunked(lambda o: o.data[:-1]), chunked(lambda o: o.data, ends=False), chunked(lambda o: o.data + b"x"),
              chunked(lambda o: b""), replies(200, b""), replies(200, BIG)]
    for n in range(len(faults)):
        server.put(f"{n}", BIG + b"%d" % n)
    by_key(server, {b"%d" % n: [fault] * 1000 for n, fault in enumerate(faults)})
    lake.once(ok=(3,))
    assert held(lake) == {}


def test_what_failed_comes_when_the_server_is_well_again(lake, server):
    server.put("big", BIG)
    server.on("get", cut_off(0), times=None)
    lake.once(ok=(3,))
    server.rules.clear()
    lake.start()
    wait_for("the object", lambda: held(lake))
    lake.stop()
    assert_holds(lake, server)
    assert not lake.failures()


def test_hundreds_of_metadata_headers(lake, server):
    """More than 157 overrun libs3's array."""
    server.put("k", b"1", **{f"x_amz_meta_{n:03}": "v" * 100 for n in range(400)})
    lake.once()
    assert_holds(lake, server)


def test_zero_bytes(lake, server):
    server.put("placeholder/", b"")
    lake.once()
    assert_holds(lake, server)


def crc(data, polynomial, bits):
    """Bit by bit, as it is defined: slow."""
    ones = (1 << bits) - 1
    crc = ones
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
    return base64.b64encode((crc ^ ones).to_bytes(bits // 8, "big")).decode()


def checksums(data):
    return {"x_amz_checksum_crc32c": crc(data, 0x82F63B78, 32), "x_amz_checksum_crc64nvme": crc(data, 0x9A6C9329AC4BC9B5, 64),
            "x_amz_checksum_crc32": base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode(),
            "x_amz_checksum_sha256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
            "x_amz_checksum_sha1": base64.b64encode(hashlib.sha1(data).digest()).decode()}


def test_checksums_that_cover_the_object_are_verified(lake, server):
    for n, kind in enumerate(("crc32", "crc32c", "crc64nvme", "sha256", "sha1")):
        header, data = "x_amz_checksum_" + kind, BIG[n:20_000]
        server.put(kind + " right", data, **{header: checksums(data)[header], "x_amz_checksum_type": "FULL_OBJECT"})
        server.put(kind + " resumed", data + b"2", **{header: checksums(data + b"2")[header]})
        server.put(kind + " wrong", data + b"3", **{header: checksums(data)[header]})
        server.put(kind + " composite", data + b"4", **{header: checksums(data)[header] + "-3", "x_amz_checksum_type": "COMPOSITE"})
    by_key(server, {k: [cut_off(7_000)] for k in server.objects if k.endswith(b"resumed")})
    lake.once(ok=(3,))
    assert_holds(lake, server, but=[k for k in server.objects if k.endswith(b"wrong")])


def test_a_server_that_knows_no_checksum_mode(lake, server):
    server.put("k", b"1")
    server.put("l", b"2")
    server.on("get", lambda v, h, r: v.refuse(h, 501, "NotImplemented") if "x-amz-checksum-mode" in r.headers else v.proper(h, r),
              times=None)
    lake.once()
    assert_holds(lake, server)


# ---- ranges read ahead ----

LARGE = b"".join(hashlib.sha256(b"%d" % n).digest() * 2048 for n in range(80 << 4))  # 80 MiB, no piece of 64 KiB like another
RANGE = 2 << 20


def is_bounded(request):
    return not request.headers.get("range", "-").endswith("-")


def throttled(server, fault=None):
    """Every connection is slow; the third range that is asked for, among those read ahead, gets the fault."""
    throttle, ranges = Throttle(), []

    def act(v, h, r):
        with v.lock:
            if is_bounded(r):
                ranges.append(r)
            faulty = fault and len(ranges) == 3 and ranges[2] is r
        (fault if faulty else throttle)(v, h, r)

    server.on("get", act, times=None)
    return throttle, ranges


def ignore_range(v, h, r):
    v.rules.clear()  # what follows comes fast
    v.answer(h, 200, LARGE, v.head_of(v.objects[r.key]))


@pytest.mark.parametrize("fault", [None, cut_off(500_000, hard=True), refuse(500, "InternalError")])
def test_a_slow_connection_is_helped_by_ranges(lake, server, fault):
    server.put("large", LARGE, x_amz_checksum_crc32=base64.b64encode(zlib.crc32(LARGE).to_bytes(4, "big")).decode())
    throttle, ranges = throttled(server, fault)
    lake.once()
    assert_holds(lake, server)
    assert 2 <= throttle.most <= 5  # the window's four, and the one connection that it took over from
    assert reads(server, b"large")[0].headers.get("range") is None
    first = min(int(r.headers["range"][6:].partition("-")[0]) for r in ranges)
    assert len(ranges) == -(-(len(LARGE) - first) // RANGE) + bool(fault)
    assert {r.headers["if-match"] for r in ranges} == {server.objects[b"large"].etag}


def test_ranges_that_a_server_ignores_are_given_up_for_one_connection(lake, server):
    server.put("large", LARGE)
    throttle, ranges = throttled(server, ignore_range)
    lake.once()
    assert_holds(lake, server)
    assert throttle.most >= 2 and len(ranges) < 10
    assert reads(server, b"large")[-1].headers["range"].endswith("-")


@pytest.mark.parametrize("strict", [True, False])
def test_an_object_that_changes_under_the_ranges_is_not_mixed(lake, server, strict):
    """strict: the server obeys If-Match."""
    server.put("large", LARGE)
    old = server.objects[b"large"].etag

    def change(v, h, r):
        v.rules.clear()  # what follows comes fast
        v.put(r.key, LARGE[::-1])
        if not strict:
            del r.headers["if-match"]
        v.read(h, r)

    throttle, ranges = throttled(server, change)
    lake.once(ok=(0, 3))
    assert throttle.most >= 2
    assert sum(is_bounded(r) and r.headers.get("if-match") == old for r in server.log) < 10
    assert held(lake) in ({}, {b"large": sha256(LARGE[::-1])})
    lake.once()
    assert_holds(lake, server)
    assert not lake.failures()


def test_stops_at_once_while_ranges_are_read(lake, server):
    server.put("large", LARGE)
    throttle, ranges = throttled(server)
    lake.start()
    wait_for("ranges", lambda: len(ranges) >= 6)
    assert lake.stop() == 0
    assert len(ranges) < 30 and throttle.most >= 2
    server.rules.clear()
    lake.once()
    assert_holds(lake, server)


# ---- pace ----

def test_slow_down_is_obeyed(lake, server):
    for n in range(20):
        server.put(f"k{n}", b"%d" % n)
    server.on("get", refuse(503, "SlowDown", Retry_After=1), times=5)
    lake.start()
    wait_for("all objects", lambda: len(held(lake)) == 20)
    lake.stop()
    assert_holds(lake, server)
    assert not lake.failures()


def test_stops_at_once_in_the_middle_of_a_silent_answer(lake, server):
    server.put("k", BIG)
    asked = []

    def silent(v, h, r):
        h.send_response(200)
        for name, value in v.head_of(v.objects[r.key]).items():
            h.send_header(name, value)
        h.send_header("Content-Length", str(len(BIG)))
        h.end_headers()
        h.wfile.write(BIG[:1000])
        h.wfile.flush()
        asked.append(1)
        while not done:
            time.sleep(0.05)

    done = []
    server.on("get", silent, times=None)
    lake.start()
    wait_for("a read", lambda: asked)
    code = lake.stop()
    done.append(1)
    assert code == 0


# ---- what people see ----

def test_secrets_are_in_no_message(lake, server):
    token = "canary-session-token"
    server.keys["AKIDTEST"] = ("canary-secret-key", token)
    lake.set_keys(token=token)
    server.put("k", b"1")
    server.on("get", refuse(403, "SignatureDoesNotMatch", f"<StringToSign>{token}</StringToSign>"), times=1)
    lake.start()
    wait_for("the object", lambda: held(lake))
    said = lake.text("status", "--json") + lake.text("failures", "--json") + lake.text("doctor", ok=None)
    lake.stop()
    said += lake.log.read_text(errors="replace")
    assert "canary" not in said


def test_three_kinds_of_nothing(lake, server):
    def said():
        lake.start()
        wait_for("a pass", lambda: lake.source("lake")["message"])
        heard = lake.source("lake")["message"]
        lake.stop()
        return heard

    assert "is empty" in said()
    server.put("in/a.jpg", b"1")
    lake.s3(prefix="out/")
    assert "prefix does not exist" in said()
    lake.s3(include=["*.png"])
    assert "match 0 of 1 keys" in said()


def test_doctor_looks_at_each_thing(lake, server):
    def look():
        return {f["check"].removeprefix("source lake: "): f for f in lake.lines("doctor", ok=None)}

    server.put("k", b"1")
    found = look()
    for name in ("endpoint", "credentials", "region", "clock", "list", "read"):
        assert found[name]["level"] == "ok", found
    lake.set_keys(secret="wrong")
    found = look()
    assert found["list"]["level"] == "fail" and "secret key" in found["list"]["found"]
    assert "read" not in found
    lake.credentials.unlink()
    found = look()
    assert found["credentials"]["level"] == "fail" and str(lake.credentials) in found["credentials"]["found"]
    assert "list" not in found
