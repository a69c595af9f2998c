"""A Cloud Storage bucket as a source: fake-gcs-server, filled by Google's own client, behind a proxy that counts and misbehaves."""

import base64
import bisect
import gzip
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import killed_with_a_core, sha256, wait_for
from fault_proxy import FaultProxy, answer, cut, reset, slow, vanish
from http2_front import Front

BIG = bytes(range(256)) * 4096  # 1 MiB

# What Cloud Storage allows: 1 to 1,024 bytes of UTF-8 without line ends.
ODD_KEYS = ["x", "x/y", "x/", "..", ".", "../up", "a/../b", "a//b", "//", "/lead", "trail/", "tab\there", "\x01", "\x7f", "q?#%+&=;,@!",
            "%2F", "%", "a b", "+", "ü", "日本/語", "\U0001f600", "k" * 1024, "é" * 512, "日" * 341, "s/" * 512, "*", "'\"\\", "~"]


class Lab:
    """One dataset, one bucket, and a proxy between them."""

    def __init__(self, inlet, bucket, proxy):
        self.inlet, self.bucket, self.proxy = inlet, bucket, proxy
        inlet.settings["normalize"] = "off"
        self.configure()

    def configure(self, **options):
        gcs = {"bucket": self.bucket.name, "endpoint": self.proxy.url, "anonymous": True} | options
        self.inlet.settings["sources"] = [{"name": "lab", "gcs": {k: v for k, v in gcs.items() if v is not None}}]
        self.inlet.write_config()

    def put(self, key, data, **kw):
        blob = self.bucket.blob(key)
        for name, value in kw.items():
            setattr(blob, name, value)
        blob.upload_from_string(data if isinstance(data, bytes) else data.encode())
        return blob

    def put_all(self, objects):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda item: self.put(*item), objects.items()))

    def delete(self, key):
        self.bucket.blob(key).delete()

    def once(self, ok=(0,)):
        """One pass; what was asked of the bucket meanwhile."""
        before = len(self.proxy.seen())
        self.output = self.inlet.once(ok=ok).stderr.decode()
        kinds = [r.kind for r in self.proxy.seen()[before:]]
        return {kind: kinds.count(kind) for kind in set(kinds)}

    def contents(self):
        """{key: SHA-256} of what the dataset believes to be in the bucket."""
        return {r["key"]: item["sha256"] for item in self.inlet.items() for r in item["references"] if not r.get("gone")}

    def source(self):
        return self.inlet.source("lab")

    def assert_synced(self, objects):
        assert self.contents() == {key: sha256(data) for key, data in objects.items()}


@pytest.fixture
def lab(inlet, fake_gcs, proxied):
    return Lab(inlet, fake_gcs.bucket(), proxied(fake_gcs))


def test_first_sync_then_only_listings(lab):
    objects = {f"cats/{n:03}.bin": b"%d" % n * 100 for n in range(40)} | {"empty": b"", "big": BIG}
    lab.put_all(objects)
    assert lab.once() == {"LIST": 1, "GET": 42}
    lab.assert_synced(objects)
    assert lab.once() == {"LIST": 1}
    assert lab.source()["objects"]["present"] == 42


def test_changes_deletes_and_returns(lab):
    lab.put_all({"a": b"one", "b": b"two", "c": b"three"})
    lab.once()
    lab.put("a", b"ONE")
    lab.delete("b")
    lab.put("d", b"three")  # known bytes under another name
    assert lab.once() == {"LIST": 1, "GET": 2}
    lab.assert_synced({"a": b"ONE", "c": b"three", "d": b"three"})
    assert len(lab.inlet.items()) == 4 and lab.source()["objects"] == lab.source()["objects"] | {"present": 3, "gone": 1}
    lab.put("b", b"two")
    lab.once()
    lab.assert_synced({"a": b"ONE", "b": b"two", "c": b"three", "d": b"three"})
    assert len(lab.inlet.items()) == 4
    for key in "abcd":
        lab.delete(key)
    assert lab.once() == {"LIST": 1}
    lab.assert_synced({})
    assert len(lab.inlet.items()) == 4  # kept


def test_keys_as_they_are(lab):
    refused = []
    objects = {}
    for key in ODD_KEYS:
        try:
            lab.put(key, key.encode() * 2)
            objects[key] = key.encode() * 2
        except Exception as e:  # Google's client has a family of them
            refused.append((key, e))
    assert not refused  # name what the server refuses here, so that nothing is left out silently
    lab.once()
    lab.assert_synced(objects)
    for key in ("..", "a/../b", "日" * 341):
        assert lab.inlet.cli("cat", lab.inlet.item(key)["id"]).stdout == objects[key]
    assert lab.once() == {"LIST": 1}


def test_objects_stored_as_gzip_stay_gzip(lab):
    packed = gzip.compress(b"plain text " * 1000)
    lab.put("text.gz", packed, content_encoding="gzip")
    lab.once()
    lab.assert_synced({"text.gz": packed})


def test_broken_transfers_go_on_where_they_stopped(lab):
    lab.put("big", BIG)
    lab.proxy.on("GET", cut(300_000), times=1)
    lab.proxy.on("GET", reset(200_000), times=1)
    lab.once()
    lab.assert_synced({"big": BIG})
    asked = [r.headers.get("Range") for r in lab.proxy.seen("GET")]
    starts = [int(re.fullmatch(r"bytes=(\d+)-", r)[1]) for r in asked[1:]]
    assert asked[0] is None and len(starts) == 2 and 0 < starts[0] <= 300_000 and starts[0] <= starts[1] <= 500_000
    assert all("generation=" in r.target for r in lab.proxy.seen("GET"))


def test_an_object_replaced_while_it_is_read_is_never_mixed(lab):
    new = BIG[::-1]
    lab.put("big", BIG)

    def replace(handler):
        handler.forward(stop_after=500_000, pause_after=400_000, pause=lambda: lab.put("big", new))
    lab.proxy.on("GET", replace, times=1)
    lab.once(ok=(0, 3))
    lab.once()
    lab.assert_synced({"big": new})
    assert [i["sha256"] for i in lab.inlet.items()] == [sha256(new)]


def test_an_object_deleted_between_listing_and_reading(lab):
    lab.put_all({"a": b"1", "b": b"2"})
    lab.proxy.on("LIST", lambda handler: (handler.forward(), lab.delete("b")), times=1)
    lab.once(ok=(0, 3))
    lab.once()
    lab.assert_synced({"a": b"1"})
    assert lab.inlet.failures() == []


def test_throttling_and_errors_are_waited_out(lab):
    objects = {f"{n:02}": b"%d" % n for n in range(20)}
    lab.put_all(objects)
    lab.proxy.on("LIST", answer(503), times=1)
    lab.proxy.on("GET", answer(429, {"Retry-After": "1"}), times=3)
    lab.proxy.on("GET", answer(503), times=3)
    lab.inlet.start()
    wait_for("all objects", lambda: len(lab.inlet.items()) == 20)
    lab.assert_synced(objects)
    assert lab.inlet.stop() == 0


def test_damaged_bytes_are_not_taken(lab):
    lab.put("a", b"good bytes")
    lab.proxy.on("GET", answer(200, {"x-goog-hash": "crc32c=AAAAAA=="}, b"evil bytes"), times=1)
    lab.once()
    lab.assert_synced({"a": b"good bytes"})


# ---- many keys: fake-gcs-server takes minutes for 12,000, so these come from a server of our own ----

class Shelf(http.server.ThreadingHTTPServer):
    """objects.list and media of one bucket as Google documents them; an object holds its own key."""
    daemon_threads = True
    name = "shelf"

    def __init__(self, keys, certificate=None):
        self.keys = sorted(keys)
        super().__init__(("127.0.0.1", 0), ShelfHandler)
        self.port = self.server_address[1]
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def proxy(self):
        return FaultProxy("127.0.0.1", self.port)

    def page(self, query):
        first = bisect.bisect_left(self.keys, query.get("pageToken") or query.get("startOffset", ""))
        last = bisect.bisect_left(self.keys, query["endOffset"]) if "endOffset" in query else len(self.keys)
        found = self.keys[first:min(last, first + int(query["maxResults"]))]
        more = {"nextPageToken": self.keys[first + len(found)]} if first + len(found) < last else {}
        return {"items": [{"name": k, "generation": "5", "size": str(len(k))} for k in found]} | more


class ShelfHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_GET(self):
        path, _, query = self.path.partition("?")
        key = urllib.parse.unquote(path.partition("/o/")[2])
        body = key.encode() if key else json.dumps(self.server.page(dict(urllib.parse.parse_qsl(query)))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def shelf(inlet, proxied):
    made = []

    def make(keys, certificate=None):
        made.append(Shelf(keys, certificate))
        return Lab(inlet, made[-1], proxied(made[-1]))
    yield make
    for server in made:
        server.shutdown()
        server.server_close()


def test_many_keys_are_listed_in_ranges(shelf):
    lab = shelf(f"class-{n % 12}/{n:06}.txt" for n in range(12_000))
    lab.configure(include=["*00.txt"], user_project="who/pays")
    asked = lab.once()
    assert all("userProject=who%2Fpays" in r.target for r in lab.proxy.seen())
    assert asked["GET"] == 120 and 12 <= asked["LIST"] <= 30
    assert any("endOffset=" in r.target for r in lab.proxy.seen())
    assert lab.source()["objects"]["present"] == len(lab.inlet.items()) == 120
    for key in ("class-0/000000.txt", "class-4/006700.txt", "class-8/011900.txt"):
        lab.bucket.keys.remove(key)
    asked = lab.once()
    assert set(asked) == {"LIST"} and 12 <= asked["LIST"] <= 30
    assert lab.source()["objects"] == lab.source()["objects"] | {"present": 117, "gone": 3}
    lab.configure(include=["*00.txt"], concurrency=1)
    assert lab.once() == {"LIST": 12}


def test_objects_are_fetched_while_the_listing_runs(shelf):
    """No page but the first comes before objects of that are in the dataset."""
    lab = shelf(f"{n:05}" for n in range(2500))
    lab.configure(include=["*00"])
    lab.proxy.on("LIST", slow(600), skip=1)
    lab.inlet.start()
    wait_for("the objects of the first page", lambda: lab.source()["objects"]["present"] == 10)
    assert lab.proxy.counts() == {"LIST": 2, "GET": 10}
    lab.proxy.released.set()
    wait_for("the others", lambda: lab.source()["objects"]["present"] == 25)


def test_a_server_that_dies_within_the_listing_loses_nothing(shelf):
    lab = shelf(f"{n:05}" for n in range(2500))
    lab.configure(include=["*00"])
    assert lab.once() == {"LIST": 3, "GET": 25}
    lab.bucket.keys.remove("00100")
    lab.bucket.keys.remove("02400")
    lab.proxy.on("LIST", vanish, skip=1)
    lab.once(ok=(3,))
    assert lab.source()["objects"] == lab.source()["objects"] | {"present": 25, "gone": 0}
    lab.proxy.clear()
    lab.proxy.revive()
    assert lab.once() == {"LIST": 3}
    assert lab.source()["objects"] == lab.source()["objects"] | {"present": 23, "gone": 2}


def test_a_certificate_nobody_knows(shelf, tmp_path):
    pem = tmp_path / "server.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=inlet test", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", pem, "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    pem.write_text(pem.read_text() + (tmp_path / "cert.pem").read_text())
    lab = shelf(["a", "b"], pem)
    lab.configure(endpoint=lab.bucket.url)
    lab.once(ok=(3,))
    assert "certificate" in lab.output and lab.source()["objects"]["present"] == 0
    assert "ca_file" in lab.inlet.cli("doctor", ok=(1, 3)).stdout.decode()
    lab.configure(endpoint=lab.bucket.url, ca_file=str(tmp_path / "cert.pem"))
    lab.once()
    assert sorted(lab.contents()) == ["a", "b"]


@pytest.fixture
def front(fake_gcs, tmp_path):
    made = []

    def make(*protocols):
        made.append(Front(tmp_path, fake_gcs, list(protocols)))
        return made[-1]
    yield make
    for it in made:
        it.close()


@pytest.mark.parametrize("offered, spoken", [(["h2", "http/1.1"], "2"), (["http/1.1"], "1.1")], ids=["offered", "not offered"])
def test_http2_where_the_server_offers_it_and_connections_are_used_again(lab, front, offered, spoken):
    server = front(*offered)
    objects = {f"{n:02}.bin": b"%d" % n * 1000 for n in range(60)} | {"big": BIG}
    lab.put_all(objects)
    lab.configure(endpoint=server.url, ca_file=str(server.certificate), concurrency=4)
    server.breaks = 2
    lab.once()
    lab.assert_synced(objects)
    assert {r.version for r in server.seen} == {spoken}
    assert server.breaks == 0
    ranges = [r.headers["range"] for r in server.seen if "range" in r.headers]
    assert len(ranges) == 2 and all(0 < int(r[len("bytes="):-1]) <= 200_000 for r in ranges), "a broken stream goes on where it stopped"
    assert len(server.seen) == 1 + 61 + 2
    assert len({r.connection for r in server.seen}) <= 4 + 1 + 2, "those that fetch, one that lists, and one more for each break at most"


def test_every_request_names_who_pays(lab):
    lab.configure(user_project="who-pays", store="reference")
    objects = {"a": b"1", "big": BIG}
    lab.put_all(objects)
    lab.proxy.on("GET", cut(200_000), times=1, when=lambda r: "/big" in r.target)
    lab.once()
    lab.assert_synced(objects)
    assert lab.inlet.cli("cat", lab.inlet.item("a")["id"]).stdout == b"1"
    lab.inlet.cli("doctor")
    asked = lab.proxy.seen()
    assert set(lab.proxy.counts()) == {"LIST", "GET"} and any("Range" in r.headers for r in asked)
    assert [urllib.parse.parse_qs(r.target.partition("?")[2]).get("userProject") for r in asked] == [["who-pays"]] * len(asked)


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "http://127.0.0.1:{}/"])
def test_the_emulator_that_the_environment_names(lab, monkeypatch, form):
    lab.put("a", b"1")
    lab.configure(endpoint=None, anonymous=None)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", form.format(lab.proxy.port))
    assert lab.once() == {"LIST": 1, "GET": 1}
    lab.assert_synced({"a": b"1"})
    assert not any("Authorization" in r.headers for r in lab.proxy.seen())
    assert f"http://127.0.0.1:{lab.proxy.port} (STORAGE_EMULATOR_HOST)" in lab.inlet.text("doctor")
    lab.configure()  # what is configured goes first
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:1")
    assert lab.once() == {"LIST": 1}


def test_three_ways_to_find_nothing_are_told_apart(lab):
    lab.once()
    assert f"the bucket is empty: gs://{lab.bucket.name}" in lab.output
    lab.put("photos/a.png", b"1")
    lab.configure(prefix="photo/")
    lab.once()
    assert "the prefix does not exist" in lab.output and "'photo/'" in lab.output
    lab.configure(prefix="photos/", include=["*.jpg"])
    lab.once()
    assert "the filters match 0 of 1 keys" in lab.output and "'a.png'" in lab.output
    lab.configure(prefix="photos/", include=["*.png"], exclude=["thumb/*"])
    lab.put("photos/thumb/a.png", b"2")
    lab.once()
    lab.assert_synced({"photos/a.png": b"1"})
    assert "source" not in lab.output  # nothing to warn of


def test_by_reference_nothing_is_copied(lab):
    objects = {f"{n}.txt": b"words %d" % n * 1000 for n in range(5)}
    lab.put_all(objects)
    lab.configure(store="reference")
    lab.once()
    lab.assert_synced(objects)
    stored = b"".join(p.read_bytes() for p in (lab.inlet.state / "store").rglob("*.tar"))
    assert not any(data in stored for data in objects.values())
    item = lab.inlet.item("3.txt")
    assert lab.inlet.cli("cat", item["id"]).stdout == objects["3.txt"]
    exported = [json.loads(line) for line in lab.inlet.text("export").splitlines()]
    assert {r["key"] for entry in exported for r in entry["references"]} == set(objects)
    lab.put("3.txt", b"other words")  # and not listed again yet
    assert lab.inlet.cli("cat", item["id"], ok=(1,)).stdout == b""


# ---- credentials ----

class TokenServer(http.server.ThreadingHTTPServer):
    """Google's token endpoint: checks the signature of each assertion with OpenSSL."""
    daemon_threads = True

    def __init__(self, folder):
        self.key, self.public, self.issued = folder / "key.pem", folder / "public.pem", 0
        run = {"check": True, "capture_output": True}
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.key], **run)
        subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-out", self.public], **run)
        self.folder, self.refuse = folder, None
        super().__init__(("127.0.0.1", 0), TokenHandler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/token"

    def file(self):
        path = self.folder / "account.json"
        path.write_text(json.dumps({"type": "service_account", "client_email": "lab@inlet.example", "private_key_id": "k",
                                    "private_key": self.key.read_text(), "token_uri": self.url}))
        path.chmod(0o600)
        return str(path)

    def federated_file(self):
        path = self.folder / "federated.json"
        path.write_text(json.dumps({"type": "external_account", "audience": "//iam.googleapis.com/pool",
                                    "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request", "token_url": self.url,
                                    "credential_source": {
                                        "environment_id": "aws1", "regional_cred_verification_url":
                                        "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"}}))
        return str(path)

    def is_signed(self, subject_token):
        """As Google asks AWS: botocore, which is AWS's own, makes the signature once more."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        question = json.loads(urllib.parse.unquote(subject_token))
        headers = {h["key"]: h["value"] for h in question["headers"]}
        authorization = headers.pop("Authorization")
        if question["method"] != "POST" or headers["x-goog-cloud-target-resource"] != "//iam.googleapis.com/pool":
            return False
        request = AWSRequest("POST", question["url"], headers={k: v for k, v in headers.items() if k != "host"})
        request.context["timestamp"] = headers["x-amz-date"]
        theirs = SigV4Auth(Credentials("AKIDLAB", "secret-canary", "session"), "sts", "eu-central-1")
        signature = theirs.signature(theirs.string_to_sign(request, theirs.canonical_request(request)), request)
        return authorization.endswith(f"Signature={signature}")

    def verified(self, assertion):
        signed, _, signature = assertion.rpartition(".")
        (self.folder / "signature").write_bytes(base64.urlsafe_b64decode(signature + "=="))
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.public, "-signature", self.folder / "signature"],
                              input=signed.encode(), capture_output=True)
        claims = signed.split(".")[1]
        return done.returncode == 0 and json.loads(base64.urlsafe_b64decode(claims + "=="))


class TokenHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if "subject_token" in form:
            ok = self.server.is_signed(form["subject_token"][0])
        else:
            claims = self.server.verified(form["assertion"][0])
            ok = claims and claims["aud"] == self.server.url and claims["iss"] == "lab@inlet.example" and not self.server.refuse
        if ok:
            self.server.issued += 1
        body = json.dumps({"access_token": f"token-canary-{self.server.issued}", "expires_in": 3600, "token_type": "Bearer"} if ok else
                          {"error": "invalid_grant", "error_description": self.server.refuse or "Invalid JWT Signature."}).encode()
        self.send_response(200 if ok else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def tokens(tmp_path):
    folder = tmp_path / "google"
    folder.mkdir()
    server = TokenServer(folder)
    yield server
    server.shutdown()
    server.server_close()


def only_with(proxy, good):
    """The bucket is closed to whoever does not show one of the good tokens."""
    shown = {f"Bearer {token}" for token in good}
    return proxy.on("*", answer(401), when=lambda r: r.headers.get("Authorization") not in shown)


def test_a_service_account_reads_the_bucket(lab, tokens):
    objects = {f"{n}": b"%d" % n for n in range(10)}
    lab.put_all(objects)
    lab.configure(anonymous=None, credentials=tokens.file())
    only_with(lab.proxy, ["token-canary-1"])
    assert lab.once() == {"LIST": 1, "GET": 10}
    lab.assert_synced(objects)
    assert tokens.issued == 1


def test_an_identity_at_aws_reads_the_bucket(lab, tokens, monkeypatch):
    lab.put("a", b"1")
    lab.configure(anonymous=None, credentials=tokens.federated_file())
    for name, value in {"ACCESS_KEY_ID": "AKIDLAB", "SECRET_ACCESS_KEY": "secret-canary", "SESSION_TOKEN": "session",
                        "REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    only_with(lab.proxy, ["token-canary-1"])
    assert lab.once() == {"LIST": 1, "GET": 1}
    lab.assert_synced({"a": b"1"})
    assert tokens.issued == 1
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-canary")
    lab.once(ok=(3,))
    assert "workload identity federation" in lab.output and "invalid_grant" in lab.output and "canary" not in lab.output


def test_a_token_that_ends_within_the_listing_is_renewed(shelf, tokens):
    lab = shelf(f"{n:05}" for n in range(1500))
    lab.configure(anonymous=None, credentials=tokens.file(), include=["*00"])
    good = {"Bearer token-canary-1"}

    def end_first(handler):
        good.clear()
        good.add("Bearer token-canary-2")
        handler.forward()
    lab.proxy.on("LIST", end_first, times=1)
    lab.proxy.on("*", answer(401), when=lambda r: r.headers.get("Authorization") not in good)
    lab.once()
    assert lab.source()["objects"]["present"] == 15 and tokens.issued == 2


def test_wrong_credentials_are_explained_and_never_shown(lab, tokens):
    lab.put("a", b"1")
    lab.configure(anonymous=None, credentials=tokens.file())
    tokens.refuse = "Invalid JWT Signature."
    lab.once(ok=(3,))
    doctor = lab.inlet.cli("doctor", ok=(1, 3)).stdout.decode()
    for text in (lab.output, doctor):
        assert "lab@inlet.example" in text and "invalid_grant: Invalid JWT Signature." in text
    tokens.refuse = None
    only_with(lab.proxy, ["nobody's"])
    lab.once(ok=(3,))
    assert "the credentials are not accepted" in lab.output
    seen = lab.output + doctor + lab.inlet.text("status", "--json") + lab.inlet.text("doctor", ok=(1, 3))
    secret = tokens.key.read_text().splitlines()[2]
    assert "canary" not in seen and secret not in seen


def test_no_object_is_to_blame_for_credentials_that_fail(lab, tokens):
    """However few tries an object has: it waits until they are good again."""
    lab.put("a", b"1")
    lab.configure(anonymous=None, credentials=tokens.file())
    lab.inlet.write_config(limits={"attempts": 1})

    def withdraw(handler):
        tokens.refuse = "withdrawn"
        handler.reply(401, {}, b"")
    lab.proxy.on("GET", withdraw, times=1)
    lab.once(ok=(3,))
    failure = lab.inlet.failure("a")
    assert failure["class"] == "retry" and "withdrawn" in failure["reason"], failure
    tokens.refuse = None
    wait_for("the object", lambda: lab.inlet.once(ok=(0, 3)) and lab.contents())
    lab.assert_synced({"a": b"1"})


def test_no_core_file_holds_a_secret(lab, tokens):
    unlimited = ["prlimit", "--core=unlimited"]
    plain = subprocess.Popen([*unlimited, "sleep", "60"], cwd=lab.inlet.root)
    wait_for("sleep", lambda: b"sleep" == pathlib.Path(f"/proc/{plain.pid}/cmdline").read_bytes().split(b"\0")[0])
    if not killed_with_a_core(plain):
        pytest.skip("nothing leaves a core file here (/proc/sys/kernel/core_pattern)")
    lab.put("a", b"1")
    lab.configure(anonymous=None, credentials=tokens.file())
    lab.inlet.prefix = unlimited
    lab.inlet.start()
    wait_for("the object", lambda: lab.contents())
    assert b"canary" not in pathlib.Path(f"/proc/{lab.inlet.daemon.pid}/cmdline").read_bytes()
    assert not killed_with_a_core(lab.inlet.daemon)
    assert b"canary" not in lab.inlet.log.read_bytes()


def test_doctor_names_each_failure_and_its_cure(lab, tokens):
    def doctor(*codes):
        return lab.inlet.cli("doctor", ok=codes).stdout.decode()
    lab.put("a", b"1")
    text = doctor(0)
    assert re.search(r"source lab: credentials +none are sent: anonymous: true", text)
    assert re.search(rf"source lab: list +allowed; the first key is gs://{lab.bucket.name}/a", text)
    assert "the first object can be read" in text
    lab.configure(bucket="nowhere-at-all")
    text = doctor(1, 3)
    assert "404" in text and "check `bucket` for its spelling" in text
    lab.once(ok=(3,))
    assert "gs://nowhere-at-all is not there: is `bucket` spelled right" in lab.output
    lab.configure()
    lab.proxy.on("*", answer(403, {}, b'{"error": {"message": "lab does not have storage.objects.list access"}}'))
    text = doctor(1, 3)
    assert "does not have storage.objects.list access" in text and "roles/storage.objectViewer" in text
    lab.proxy.vanish()
    assert "nobody answers" in doctor(1, 3)
    lab.configure(anonymous=None, credentials="/nowhere/key.json")
    assert "/nowhere/key.json" in doctor(1, 3)
