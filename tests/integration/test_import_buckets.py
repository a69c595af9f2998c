"""Rows that name objects of buckets: read through a configured source, and nothing else of what its credentials could open."""

import pytest
from buckets import KEY_ID, REGION, SECRET
from conftest import sha256, wait_for
from fault_proxy import answer, cut
from lists import imported, labels, revision
from test_import import data, served, write_csv  # noqa: F401

SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
BIG = bytes(range(256)) * 50000  # 12.8 MB: more than one member of an arena


@pytest.fixture
def keys(inlet):
    path = inlet.root / "keys"
    path.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def s3(inlet, keys, minio):
    """s3(bucket, prefix): the configuration's one source lists nothing, so that only rows bring objects."""
    def configure(bucket, prefix, endpoint=None):
        inlet.write_config(normalize=False, sources=[{"name": "lake", "s3": {
            "bucket": bucket.name, "prefix": prefix, "endpoint": endpoint or minio.url, "credentials": keys, "region": REGION,
            "include": ["no such key"]}}])
    return configure


def failures(inlet, answer):
    """By the id of the row."""
    return {f["values"]["id"]: f for f in inlet.lines("failures", "--import", answer["import"])}


def test_objects_of_a_configured_bucket_come_in_once(minio, s3, inlet, data, proxied):  # noqa: F811
    bucket, proxy = minio.bucket(), proxied(minio)
    objects = {"in/a.txt": b"a", "in/b c+%25=é.txt": b"b", "in/big": BIG, "in/empty": b""}
    bucket.put_all(objects)
    s3(bucket, "in/", proxy.url)
    manifest = write_csv(data / "M.csv", [[f"s3://{bucket.name}/{k}", f"c{n}"] for n, k in enumerate(objects)], ["url", "label"])
    inlet.start()
    answer_of = imported(inlet, manifest)
    assert (answer_of["rows"], answer_of["failed"], answer_of["not_fetched"], answer_of["to_fetch"]) == (4, 0, 0, 0)
    for n, (key, content) in enumerate(objects.items()):
        assert inlet.item(f"s3://{bucket.name}/{key}")["sha256"] == sha256(content)
        assert labels(inlet, f"s3://{bucket.name}/{key}") == [(f"c{n}", "SUCCESS")]
    assert proxy.counts()["GET"] == 4
    before = revision(inlet)
    assert imported(inlet, manifest)["written"] == 0
    assert revision(inlet) == before and proxy.counts()["GET"] == 4
    assert inlet.lines("verify")[-1]["problems"] == 0


def test_a_bucket_that_only_the_daemons_credentials_could_open(minio, s3, served, data):  # noqa: F811
    configured, other = minio.bucket(), minio.bucket()
    for bucket in (configured, other):
        bucket.put_all({"in/a.txt": f"in of {bucket.name}".encode(), "out/a.txt": b"secret"})
    s3(configured, "in/")
    if served.daemon:
        served.stop()
        served.start()
    own, foreign = f"s3://{configured.name}", f"s3://{other.name}"
    rows = {"outside": f"{own}/out/a.txt", "dots": f"{own}/in/../out/a.txt", "encoded": f"{own}/in/%2e%2e/out/a.txt",
            "other": f"{foreign}/in/a.txt", "gs": f"gs://{configured.name}/in/a.txt", "user": f"s3://x@{configured.name}/in/a.txt",
            "climb": f"{own}/in/../../{other.name}/in/a.txt", "none": f"{own}/in/none", "bucket": f"{own}/"}
    manifest = write_csv(data / "M.csv", [*rows.items(), ("good", f"{own}/in/a.txt")], ["id", "url"])
    answer_of = imported(served, manifest, ok=(3,))
    why = failures(served, answer_of)
    assert set(why) == set(rows)
    assert {i["sha256"] for i in served.items()} == {sha256(f"in of {configured.name}".encode())}
    for row in ("outside", "dots", "climb", "other", "gs", "user"):
        assert "no source of the configuration covers" in why[row]["reason"] and "configure its bucket" in why[row]["cure"]
    assert all(f["class"] == "quarantined" and f["line"] for f in why.values())
    # What the cure says helps.
    s3(configured, "")
    if served.daemon:
        served.stop()
        served.start()
    served.cli("retry", why["outside"]["id"], ok=(0, 3))
    wait_for("the row that was outside", lambda: served.item("outside"))
    assert served.item("outside")["sha256"] == sha256(b"secret")


def test_a_row_of_a_bucket_survives_what_servers_do(minio, s3, inlet, data, proxied):  # noqa: F811
    bucket, proxy = minio.bucket(), proxied(minio)
    bucket.put_all({"big": BIG, "busy": b"busy"})
    s3(bucket, "", proxy.url)
    proxy.on("GET", cut(5 << 20), times=1, when=lambda r: "/big" in r.target)
    proxy.on("GET", answer(503, body=SLOW_DOWN), times=1, when=lambda r: "/busy" in r.target)
    manifest = write_csv(data / "M.csv", [[k, f"s3://{bucket.name}/{k}"] for k in ("big", "busy")], ["id", "url"])
    inlet.start()
    imported(inlet, manifest, ok=(0, 3))
    wait_for("both", lambda: len(inlet.items()) == 2)
    assert (inlet.item("big")["sha256"], inlet.item("busy")["sha256"]) == (sha256(BIG), sha256(b"busy"))


def test_objects_of_cloud_storage(fake_gcs, inlet, data):  # noqa: F811
    bucket, other = fake_gcs.bucket(), fake_gcs.bucket()
    for name, content in {"in/a.txt": b"a", "in/big": BIG, "in/empty": b"", "out/a.txt": b"secret"}.items():
        bucket.blob(name).upload_from_string(content)
    other.blob("in/a.txt").upload_from_string(b"secret")
    inlet.write_config(normalize=False, sources=[{"name": "lab", "gcs": {
        "bucket": bucket.name, "prefix": "in/", "endpoint": fake_gcs.url, "anonymous": True, "include": ["no such key"]}}])
    rows = {"a": f"gs://{bucket.name}/in/a.txt", "big": f"gs://{bucket.name}/in/big", "empty": f"gs://{bucket.name}/in/empty",
            "outside": f"gs://{bucket.name}/out/a.txt", "other": f"gs://{other.name}/in/a.txt", "none": f"gs://{bucket.name}/in/none"}
    manifest = write_csv(data / "M.csv", rows.items(), ["id", "url"])
    answer_of = imported(inlet, manifest, ok=(3,))
    assert set(failures(inlet, answer_of)) == {"outside", "other", "none"}
    assert {k: inlet.item(k)["sha256"] for k in ("a", "big", "empty")} == \
        {"a": sha256(b"a"), "big": sha256(BIG), "empty": sha256(b"")}
    assert len(inlet.items()) == 3
