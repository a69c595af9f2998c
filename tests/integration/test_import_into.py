"""inlet import again.csv --into N: the rows of an import that failed come back mended, and nothing else of it changes."""

import csv
import io
import json
import signal
import subprocess

import pytest
from conftest import BUILD, DEADLINE, sha256, wait_for
from lists import imported, labels, revision
from test_import import HEADER, data, served, write_csv  # noqa: F401


def failed_rows(inlet, number):
    done = inlet.cli("failures", "--import", number, "--format", "csv")
    assert f"`inlet import FILE --into {number}` takes them in" in done.stderr.decode()
    return done.stdout.decode()


def numbers(inlet, number):
    return sorted(f["id"] for f in inlet.lines("failures", "--import", number))


def test_mended_rows_take_their_places(served, data, tmp_path):
    (data / "a.txt").write_text("a")
    manifest = write_csv(data / "M.csv", [["one", "./a.txt", "cat", "", ""], ["two", "./none.txt", "dog", "", ""],
                                          ["three", "./typo.txt", "cow", "", ""], ["four", "a text", "hen", "", ""]])
    first = imported(served, manifest, ok=(3,))
    n = first["import"]
    said = served.cli("import", manifest, ok=(3,)).stdout.decode()
    assert f"inlet import again.csv --into {n}" in said
    assert numbers(served, n) == [f"r{n}.3", f"r{n}.4"]
    (data / "three.txt").write_text("three")
    again = tmp_path / "again.csv"  # not beside the list: paths begin where the list's do
    again.write_text(failed_rows(served, n).replace("typo", "three"))
    answer = imported(served, again, "--into", n, ok=(3,))
    assert (answer["import"], answer["rows"], answer["failed"], answer["written"]) == (n, 2, 1, 1)
    assert (answer["mended"], answer["left"], answer["vanished"]) == (1, 1, 0)
    assert served.item("three")["sha256"] == sha256(b"three") and labels(served, "three") == [("cow", "SUCCESS")]
    row, = json.loads(served.text("show", served.item("three")["id"], "--json"))["rows"]
    assert (row["import"], row["line"]) == (n, 4)
    assert labels(served, "one") == [("cat", "SUCCESS")] and labels(served, "four") == [("hen", "SUCCESS")]
    failure, = served.lines("failures", "--import", n)
    assert (failure["id"], failure["line"], failure["values"]["inputid"]) == (f"r{n}.3", 3, "two")
    before = revision(served)
    assert imported(served, again, "--into", n, ok=(3,))["written"] == 0  # the same again
    assert revision(served) == before
    (data / "none.txt").write_text("there now")
    answer = imported(served, "-", "--into", manifest, input=failed_rows(served, n).encode())  # by name, from a pipe
    assert (answer["mended"], answer["left"]) == (1, 0)
    assert served.failures() == [] and len(served.items()) == 4
    source = served.source(str(manifest))
    assert source["objects"]["present"] == 4 and source["state"] == "imported"
    assert served.lines("verify")[-1]["problems"] == 0


def test_rows_left_out_stay_failed_and_order_tells_what_nothing_else_does(served, data):
    names = [f"n{i}" for i in range(6)]
    manifest = write_csv(data / "M.csv", [[f"./{n}.txt", n] for n in names], ["path", "label"])
    n = imported(served, manifest, ok=(3,))["import"]
    header, *rows = failed_rows(served, n).splitlines()
    for i in range(6):
        (data / f"here{i}.txt").write_text(f"file {i}")
    again = data / "again.csv"
    again.write_text("\n".join([header, *(r.replace("/n", "/here") for r in rows[:2])]) + "\n")
    answer = imported(served, again, "--into", n, ok=(3,))  # two of six, and nothing of them is as it was: which were they?
    assert (answer["written"], answer["mended"], answer["left"]) == (2, 0, 6)
    assert sorted(i["references"][0]["key"] for i in served.items()) == ["./here0.txt", "./here1.txt"]
    again.write_text("\n".join([header, *(r.replace("/n", "/here") for r in rows)]) + "\n")
    answer = imported(served, again, "--into", n)  # all six
    assert (answer["written"], answer["mended"], answer["left"]) == (4, 6, 0)
    assert served.failures() == [] and len(served.items()) == 6
    lines = {r["key"]: r["line"] for i in served.items() for r in json.loads(served.text("show", i["id"], "--json"))["rows"]}
    assert [lines[f"./here{i}.txt"] for i in range(2, 6)] == [4, 5, 6, 7]


def test_boxes_of_rows_that_stood_are_not_lost(served, data):
    (data / "a.jpg").write_text("a")
    header = ["image", "class", "xmin", "ymin", "xmax", "ymax"]
    columns = ["--columns", "path=image,label=class"]
    manifest = write_csv(data / "B.csv", [["a.jpg", "cat", 1, 2, 30, 40], ["a.jpg", "cat", "five", 6, 70, 80],
                                          ["a.jpg", "dog", 9, 9, 90, 90]], header)
    n = imported(served, manifest, *columns, ok=(3,))["import"]
    again = data / "again.csv"
    again.write_text(failed_rows(served, n).replace("five", "5"))
    answer = imported(served, again, "--into", n, *columns)
    assert (answer["written"], answer["mended"], answer["left"]) == (1, 1, 0)
    item, = served.items()
    assert sorted(tuple(a["geometry"]["box"]) for a in item["annotations"]) == [(1, 2, 30, 40), (5, 6, 70, 80), (9, 9, 90, 90)]


def test_urls_that_could_not_be_fetched(web, served, data):  # noqa: F811
    web.pages = {"/good": b"good", "/right": b"right", "/late": b"late"}
    web.broken = {"/late": 404}
    rows = [["good", f"{web.base}/good", "cat"], ["typo", f"{web.base}/wrogn", "dog"], ["late", f"{web.base}/late", "cow"]]
    manifest = write_csv(data / "M.csv", rows, ["id", "url", "label"])
    n = imported(served, manifest, ok=(3,))["import"]
    web.broken = {}
    again = data / "again.csv"
    again.write_text(failed_rows(served, n).replace("wrogn", "right"))
    answer = imported(served, again, "--into", n)
    assert (answer["rows"], answer["not_fetched"], answer["left"]) == (2, 0, 0)
    assert served.item("typo")["sha256"] == sha256(b"right") and labels(served, "typo") == [("dog", "SUCCESS")]
    assert served.item("late")["sha256"] == sha256(b"late")
    assert served.failures() == []
    assert [path for path, *_ in web.said].count("/good") == 1


def test_a_url_that_is_its_own_identity_is_replaced(web, inlet, data):  # noqa: F811
    web.pages = {"/right": b"right"}
    manifest = write_csv(data / "M.csv", [[f"{web.base}/wrogn", "dog"]], ["url", "label"])
    n = imported(inlet, manifest, ok=(3,))["import"]
    again = data / "again.csv"
    again.write_text(failed_rows(inlet, n).replace("wrogn", "right"))
    answer = imported(inlet, again, "--into", n)
    assert (answer["mended"], answer["left"], answer["not_fetched"]) == (1, 0, 0)
    item, = inlet.items()
    assert item["sha256"] == sha256(b"right") and [a["concept"] for a in item["annotations"]] == ["dog"]
    assert inlet.failures() == []
    before = [inlet.text("items", "--full", "--json"), inlet.text("failures", "--json"), inlet.text("sources", "--json")]
    inlet.cli("rebuild-index")
    assert [inlet.text("items", "--full", "--json"), inlet.text("failures", "--json"), inlet.text("sources", "--json")] == before
    assert inlet.lines("verify")[-1]["problems"] == 0


BOX_HEADER = ["image", "class", "xmin", "ymin", "xmax", "ymax"]


def boxes_of(base):
    """Four boxes of one picture, of which three stand together, and one of another."""
    return [[f"{base}/wrogn", "cat", 1, 2, 30, 40], [f"{base}/wrogn", "cat", 5, 6, 70, 80], [f"{base}/wrogn", "dog", 9, 9, 90, 90],
            [f"{base}/good", "hen", 1, 1, 20, 20], [f"{base}/wrogn", "dog", 3, 3, 30, 30]]


def boxes(inlet, key):
    return sorted((a["concept"], *a["geometry"]["box"]) for a in inlet.item(key)["annotations"])


FOUR = [("cat", 1, 2, 30, 40), ("cat", 5, 6, 70, 80), ("dog", 3, 3, 30, 30), ("dog", 9, 9, 90, 90)]


@pytest.mark.parametrize("mended", ["the-url", "the-server"])
@pytest.mark.parametrize("known_by", ["url", "id"])
def test_all_boxes_of_a_picture_that_could_not_be_fetched_come_back(web, inlet, data, known_by, mended):  # noqa: F811
    web.pages = {"/good": b"good", "/right": b"right"}
    header, rows, columns = BOX_HEADER, boxes_of(web.base), ["--columns", "url=image,label=class"]
    if known_by == "id":
        header, rows = ["id", *header], [["g" if "good" in row[0] else "p", *row] for row in rows]
    manifest = write_csv(data / "B.csv", rows, header)
    n = imported(inlet, manifest, *columns, ok=(3,))["import"]
    failure, = inlet.lines("failures", "--import", n)
    assert [failure["line"], *(f["line"] for f in failure["more"])] == [2, 3, 4, 6]
    assert [f["values"]["xmin"] for f in [failure, *failure["more"]]] == ["1", "5", "9", "3"]
    assert all(f["offset"] for f in failure["more"])
    text = failed_rows(inlet, n)
    assert [row["xmin"] for row in csv.DictReader(io.StringIO(text))] == ["1", "5", "9", "3"]
    if mended == "the-url":
        text = text.replace("wrogn", "right")
    else:
        web.pages["/wrogn"] = b"right"
    again = data / "again.csv"
    again.write_text(text)
    answer = imported(inlet, again, "--into", n, *columns)
    assert (answer["rows"], answer["failed"], answer["left"], answer["not_fetched"]) == (4, 0, 0, 0)
    key = "p" if known_by == "id" else f"{web.base}/{'right' if mended == 'the-url' else 'wrogn'}"
    assert inlet.item(key)["sha256"] == sha256(b"right") and boxes(inlet, key) == FOUR
    assert inlet.failures() == [] and len(inlet.items()) == 2
    assert boxes(inlet, "g" if known_by == "id" else f"{web.base}/good") == [("hen", 1, 1, 20, 20)]
    before = revision(inlet)
    assert imported(inlet, again, "--into", n, *columns)["written"] == 0
    assert revision(inlet) == before
    before = [inlet.text("items", "--full", "--json"), inlet.text("failures", "--json"), inlet.text("sources", "--json")]
    inlet.cli("rebuild-index")
    assert [inlet.text("items", "--full", "--json"), inlet.text("failures", "--json"), inlet.text("sources", "--json")] == before


def test_what_cannot_be_mended_so(inlet, data):
    (data / "a.txt").write_text("a")
    again = write_csv(data / "again.csv", [["one", "./a.txt", "cat", "", ""]])

    def refused(*args, ok=(1,)):
        return inlet.cli("import", again, "--into", *args, ok=ok).stderr.decode()

    assert "there is no import '7'" in refused("7")
    assert "there is no import 'M.csv'" in refused("M.csv")
    assert "does not go with --into" in refused("1", "--name", "x", ok=(2,))
    (data / "tree").mkdir()
    (data / "tree/f.txt").write_text("f")
    folder = imported(inlet, data / "tree")["import"]
    assert "do not stand alone" in refused(folder)
    assert inlet.cli("import", data / "tree", "--into", folder, ok=(1,)).stderr
    coco = data / "coco.json"
    coco.write_text(json.dumps({"images": [{"id": 1, "file_name": "none.jpg", "width": 4, "height": 4}], "annotations": [],
                                "categories": []}))
    number = imported(inlet, coco, ok=(3,))["import"]
    assert "do not stand alone" in refused(number)
    assert "--into" not in inlet.cli("import", coco, ok=(3,)).stdout.decode()
    assert inlet.cli("failures", "--import", number, "--format", "csv").stderr == b""


def test_not_while_the_list_is_read(inlet, data):
    inlet.write_config(normalize=False)
    inlet.start()
    pipe = subprocess.Popen([BUILD / "inlet", "--config", inlet.config, "import", "-", "--name", "slow"], stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rows = io.StringIO()
    csv.writer(rows).writerows([HEADER, *([f"r{n}", f"text {n}", "", "", ""] for n in range(12000))])
    pipe.stdin.write(rows.getvalue().encode())
    pipe.stdin.flush()
    wait_for("some rows", lambda: len(inlet.items()) > 0)
    again = write_csv(data / "again.csv", [["r1", "text one", "cat", "", ""]])
    assert "is being read, or was broken off" in inlet.cli("import", again, "--into", "slow", ok=(1,)).stderr.decode()
    pipe.stdin.close()
    assert pipe.wait(DEADLINE) == 0
    assert imported(inlet, again, "--into", "slow")["written"] == 1
    assert inlet.item("r1")["sha256"] == sha256(b"text one")  # known by its id: told anew


@pytest.mark.parametrize("victim", ["client", "both"])
def test_killed_and_begun_again(inlet, data, victim):
    inlet.write_config(normalize=False)
    total = 1000
    rows = [[f"f{n}", f"./{n}.txt", f"c{n % 5}", "", ""] for n in range(total)]
    manifest = write_csv(data / "M.csv", rows)
    inlet.start()
    n = imported(inlet, manifest, ok=(3,))["import"]
    again = data / "again.csv"
    again.write_text(failed_rows(inlet, n).replace("./", "./x"))
    for i in range(total):
        (data / f"x{i}.txt").write_text(f"file {i}")
    client = subprocess.Popen([BUILD / "inlet", "--config", inlet.config, "import", again, "--into", str(n)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("some rows", lambda: client.poll() is not None or len(inlet.items()) > 0)
    client.kill()
    if victim == "both":
        inlet.stop(signal.SIGKILL)
        inlet.start()
    client.wait(DEADLINE)
    seen = len(inlet.items())
    answer = imported(inlet, again, "--into", n)
    assert answer["rows"] == total and answer["written"] <= total - seen
    assert answer["left"] == 0 and answer["mended"] <= total  # fewer where the daemon was at the pass's end already
    assert inlet.failures() == [] and len(inlet.items()) == total
    assert all(len(i["references"]) == 1 and len(i["annotations"]) == 1 for i in inlet.items())
    inlet.stop()
    before = [inlet.text("items", "--full", "--json"), inlet.text("sources", "--json")]
    inlet.cli("rebuild-index")
    assert [inlet.text("items", "--full", "--json"), inlet.text("sources", "--json")] == before
    assert inlet.lines("verify")[-1]["problems"] == 0
