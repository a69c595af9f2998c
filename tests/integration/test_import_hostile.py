"""Lists of URLs from strangers: servers that cut, lie and never end, spellings of inner addresses, names that change their answer."""

import fcntl
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading

import pytest
from conftest import BUILD, DEADLINE, sha256

BODY = bytes(range(256)) * 400


def answer(path, head, earlier):
    """What the server says to a request, and whether it goes on for ever; earlier: requests for this path before."""
    whole = b"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    if path == "/cut":  # and resumed
        if earlier == 0:
            return whole + BODY[:70000], False
        assert b"\r\nRange: bytes=70000-\r\n" in head and b"\r\nIf-Range: \"v1\"\r\n" in head, head
        rest = BODY[70000:]
        return b"HTTP/1.1 206 Rest\r\nETag: \"v1\"\r\nContent-Range: bytes 70000-%d/%d\r\nContent-Length: %d\r\n\r\n" % (
            len(BODY) - 1, len(BODY), len(rest)) + rest, False
    if path == "/endless":
        return b"HTTP/1.1 200 OK\r\n\r\n", True
    if path == "/headers":
        return b"HTTP/1.1 200 OK\r\n" + b"X-Header: more\r\n" * 10000, False
    if path == "/huge":
        return b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n", True
    if path == "/away":  # to the same name again, which by then means this host
        return b"HTTP/1.1 302 There\r\nLocation: http://rebind.example:8081/plain\r\nContent-Length: 0\r\n\r\n", False
    if path == "/page":  # a lie about what it is
        return b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 6\r\n\r\n<html>", False
    return whole + BODY, False


class Stranger:
    """A server of raw sockets: one connection a request."""

    def __init__(self, address="127.0.0.1", port=0):
        self.asked = {}
        self.listener = socket.create_server((address, port))
        self.port = self.listener.getsockname()[1]
        self.base = f"http://{address}:{self.port}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=[peer], daemon=True).start()

    def talk(self, peer):
        with peer:
            head = b""
            while b"\r\n\r\n" not in head:
                more = peer.recv(65536)
                if not more:
                    return
                head += more
            path = head.split()[1].decode().split("?")[0]
            earlier = self.asked.get(path, 0)
            self.asked[path] = earlier + 1
            try:
                said, endless = answer(path, head, earlier)
                peer.sendall(said)
                while endless:
                    peer.sendall(BODY)
            except OSError:
                pass

    def close(self):
        self.listener.close()


@pytest.fixture
def stranger():
    it = Stranger()
    yield it
    it.close()


def imported(inlet, manifest, ok):
    return json.loads(inlet.cli("import", manifest, "--json", ok=ok).stdout)


def test_hostile_servers(stranger, inlet, tmp_path):
    inlet.write_config(fetch={"networks": ["127.0.0.1"]}, limits={"reserve": "16MiB", "map": "4GiB", "object": "8MiB"})
    rows = {name: f"{stranger.base}/{name}?token=s3cr3t" for name in ("cut", "endless", "huge", "headers", "page", "plain")}
    manifest = tmp_path / "M.csv"
    manifest.write_text("id,url\n" + "".join(f"{name},{url}\n" for name, url in rows.items()))
    done = imported(inlet, manifest, ok=(3,))
    failures = {f["values"]["id"]: f for f in inlet.lines("failures", "--import", done["import"]) if f.get("stage") == "fetch"}
    assert sorted(failures) == ["endless", "headers", "huge"]
    assert {n: failures[n]["class"] for n in failures} == {"endless": "quarantined", "huge": "quarantined", "headers": "retry"}
    assert all("s3cr3t" not in f["reason"] + f["cure"] for f in failures.values())
    assert inlet.item("cut")["sha256"] == inlet.item("plain")["sha256"] == sha256(BODY)
    assert stranger.asked["/cut"] == 2
    assert inlet.item("page")["sha256"] == sha256(b"<html>")
    assert inlet.lines("verify")[-1]["problems"] == 0


def test_the_address_is_the_reason_and_not_its_port(inlet, tmp_path):
    manifest = tmp_path / "M.csv"
    manifest.write_text("id,url\nnear,http://127.0.0.1:1/\nfar,http://192.0.78.9:22/\n")
    done = imported(inlet, manifest, ok=(3,))
    failures = {f["values"]["id"]: f for f in inlet.lines("failures", "--import", done["import"])}
    assert "address 127.0.0.1: loopback" in failures["near"]["reason"] and "fetch.networks" in failures["near"]["cure"]
    assert "port" in failures["far"]["reason"] and "fetch.networks" not in failures["far"]["cure"]


def test_rows_nested_deep(inlet, tmp_path):
    deep = "[" * 100_000 + "]" * 100_000
    manifest = tmp_path / "M.jsonl"
    manifest.write_text('{"text":"one"}\n{"text":"two","metadata":%s}\n{"text":"three"}\n{"text":"four","x":%s\n' % (deep, "[" * 100_000))
    done = imported(inlet, manifest, ok=(3,))
    assert (done["rows"], done["failed"]) == (4, 2)
    assert sorted(f["line"] for f in inlet.failures()) == [2, 4]
    assert {i["sha256"] for i in inlet.items()} == {sha256(b"one"), sha256(b"three")}


def write_rows_too_long(folder):
    """Name to (rows, of which fail): one row of each is longer than what the store keeps of a row, or nearly so."""
    lists = {
        "failed.csv": ('text,k\n"' + "x" * 900_000 + '",y,z\none,\n', 2, 1),
        "controls.csv": ("text,k\n" + "\x01" * 60_000 + "," + "\x02" * 60_000 + ",z\ntwo,\n", 2, 1),
        "path.csv": ("path\n" + "x" * 700_000 + "\n./none.png\n", 2, 2),
        "label.csv": ("text,label\nq," + "x" * 700_000 + "\nthree,\n", 2, 1),
        "commas.csv": ("text,k\n" + "," * 5_000_000 + "\nfour,\n", 2, 1),
        "url.csv": ("url,label\nhttp://127.0.0.1:1/" + "x" * 300_000 + ",c\n", 1, 1),
        "boxes.csv": ("text,label\n" + f"five,{'x' * 200_000}\n" * 4, 4, 0),
        "metadata.jsonl": (json.dumps({"text": "a", "metadata": {"k": "x" * 600_000}}) + '\n{"text":"six"}\n', 2, 1),
        "labels.jsonl": (json.dumps({"text": "b", "labels": [f"c{i}" + "y" * 100 for i in range(6000)]}) + '\n{"text":"seven"}\n', 2, 1),
        "row.jsonl": ('{"textx":"' + "y" * 9_000_000 + '"}\n{"text":"eight"}\n', 2, 1),
        "place.jsonl": (json.dumps({"text": "nine", "k": "x" * 300_000}) + "\n", 1, 0),
    }
    for name, (text, _, _) in lists.items():
        (folder / name).write_text(text)
    return {name: counts for name, (_, *counts) in lists.items()}


def test_rows_longer_than_what_is_kept_fail_alone(inlet, tmp_path):
    inlet.start()
    for name, counts in write_rows_too_long(tmp_path).items():
        done = imported(inlet, tmp_path / name, ok=(0, 3))
        assert [done["rows"], done["failed"]] == counts, name
    failures = {(f["file"].rsplit("/", 1)[1], f["line"]): f for f in inlet.failures()}
    assert "shorten the metadata" in failures["metadata.jsonl", 1]["cure"] and "longer than" in failures["labels.jsonl", 1]["reason"]
    assert "65536 fields" in failures["commas.csv", 2]["reason"]
    assert "URL" in failures["url.csv", 2]["reason"]
    told = inlet.cli("failures", "--import", failures["failed.csv", 2]["import"], "--format", "csv", ok=(3,))
    assert told.stdout == b"text,k\n" and b"1 row is too long to be kept" in told.stderr  # the beginning alone would be another row
    numbers = "one two three four five six seven eight nine".split()
    assert {i["sha256"] for i in inlet.items()} == {sha256(n.encode()) for n in numbers}
    assert inlet.lines("verify")[-1]["problems"] == 0


def test_what_a_list_says_of_all_its_rows_may_be_long(inlet, tmp_path):
    categories = [{"id": n, "name": f"c{n}", "def": "what \"it\" is " * 12} for n in range(1203)]
    said = {"images": [], "annotations": [], "categories": categories, "info": {"description": "as LVIS has it"}}
    (tmp_path / "lvis.json").write_text(json.dumps(said))
    assert imported(inlet, tmp_path / "lvis.json", ok=(0,))["rows"] == 0
    assert json.loads(inlet.text("export", "--format", "coco"))["categories"] == categories
    (tmp_path / "wide.csv").write_text("text," + ",".join(f"c{n}" + "y" * 1000 for n in range(100)) + "\na" + "," * 100 + "\n")
    assert b"header is longer than 65536 bytes" in inlet.cli("import", tmp_path / "wide.csv", ok=(1,)).stderr


def test_failed_rows_with_nul_bytes_are_listed(inlet, tmp_path):
    rows = b"path,label\np1.png,c\0at\n"
    (tmp_path / "M.csv").write_bytes(rows)
    done = imported(inlet, tmp_path / "M.csv", ok=(3,))
    assert "NUL byte" in inlet.text("failures", "--import", done["import"])
    assert inlet.cli("failures", "--import", done["import"], "--format", "csv").stdout == rows


def test_a_row_of_odd_json_fails_alone(inlet, tmp_path):
    odd = ['{"text":"a","m":1,"m":2}', '{"text":"b","m":1e999}', '{"text":"c","m\\u0000":1}', '{"text":"d","m":{"k":1,"k":1}}']
    (tmp_path / "M.jsonl").write_text("\n".join(odd) + '\n{"text":"good"}\n')
    done = imported(inlet, tmp_path / "M.jsonl", ok=(3,))
    assert (done["rows"], done["failed"]) == (5, 4)
    assert [f["line"] for f in inlet.failures()] == [1, 2, 3, 4]
    assert [i["sha256"] for i in inlet.items()] == [sha256(b"good")]


def test_spellings_of_inner_addresses(stranger, inlet, tmp_path):
    hosts = ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f000001", "127.1", "[::ffff:127.0.0.1]", "[::1]", "localhost", "0.0.0.0",
             "①②⑦.0.0.1", "127.0.0.1.", "user@127.0.0.1", "[64:ff9b::127.0.0.1]"]
    manifest = tmp_path / "M.csv"
    manifest.write_text("id,url\n" + "".join(f"{n},http://{host}:{stranger.port}/plain\n" for n, host in enumerate(hosts)))
    done = imported(inlet, manifest, ok=(3,))
    failures = {f["values"]["id"]: f["class"] for f in inlet.lines("failures", "--import", done["import"])}
    assert failures == {str(n): "quarantined" for n in range(len(hosts))}
    assert stranger.asked == {}


# ---- a name server of our own: runs as a program, in a network and a mount namespace ----

def name_server(answers):
    """Answers each A question for a name with its next address; the last one stands. Others are answered with nothing."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 53))

    def serve():
        while True:
            question, client = udp.recvfrom(512)
            end = question.index(b"\0", 12) + 5
            left = answers.get(question[13:13 + question[12]].decode(), [])
            known = bool(left) and question[end - 4:end - 2] == b"\0\1"
            said = question[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, known, 0, 0) + question[12:end]
            if known:
                address = left.pop(0) if len(left) > 1 else left[0]
                said += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
            udp.sendto(said, client)
    threading.Thread(target=serve, daemon=True).start()


def inside(folder, config, manifest):
    """In the namespaces: 127.0.0.2 is the world outside, 127.0.0.1 this host."""
    up = struct.pack("16sH14x", b"lo", 1)  # struct ifreq, IFF_UP
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, up)  # SIOCSIFFLAGS
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", folder / "resolv.conf", os.path.realpath("/etc/resolv.conf")], check=True)
    name_server({"steady": ["127.0.0.2"], "rebind": ["127.0.0.2", "127.0.0.1"]})
    outside = Stranger("127.0.0.2", 8080)
    own = Stranger("127.0.0.1", 8081)
    done = subprocess.run([BUILD / "inlet", "--config", config, "import", manifest, "--json"], capture_output=True, timeout=DEADLINE)
    print(json.dumps({"code": done.returncode, "outside": outside.asked, "own": own.asked, "said": done.stderr.decode()}))


def test_a_name_that_changes_its_answer(inlet, tmp_path):
    namespaces = ["unshare", "--map-root-user", "--net", "--mount"]
    if subprocess.run([*namespaces, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs user, network and mount namespaces")
    inlet.write_config(fetch={"networks": ["127.0.0.2"]})
    manifest = tmp_path / "M.csv"
    manifest.write_text("id,url\nsteady,http://steady.example:8080/plain\nrebind,http://rebind.example:8080/away\n")
    done = subprocess.run([*namespaces, sys.executable, __file__, tmp_path, inlet.config, manifest], capture_output=True,
                          timeout=2 * DEADLINE, cwd=pathlib.Path(__file__).parent)
    assert done.returncode == 0, done.stderr.decode()
    seen = json.loads(done.stdout)
    assert (seen["code"], seen["outside"], seen["own"]) == (3, {"/plain": 1, "/away": 1}, {}), seen
    failure, = inlet.failures()
    assert (failure["values"]["id"], failure["class"]) == ("rebind", "quarantined")
    assert "127.0.0.1: loopback" in failure["reason"]
    assert inlet.item("steady")["sha256"] == sha256(BODY)


if __name__ == "__main__":
    inside(*map(pathlib.Path, sys.argv[1:4]))
