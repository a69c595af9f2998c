"""inlet import: rows of manifests come in with their files and labels, once, whatever is done to the manifest or the programs."""

import csv
import gzip
import io
import json
import os
import re
import signal
import subprocess

import pytest
from conftest import BUILD, DEADLINE, sha256, wait_for
from lists import imported, labels, revision

HEADER = ["inputid", "input", "concepts", "metadata", "geopoints"]


@pytest.fixture(params=["daemon", "stand-in"])
def served(request, inlet):
    """A dataset that a daemon owns, or nobody."""
    if request.param == "daemon":
        inlet.start()
    return inlet


@pytest.fixture
def data(tmp_path):
    it = tmp_path / "data"
    it.mkdir()
    return it


def write_csv(path, rows, header=HEADER):
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(header)
        out.writerows(rows)
    return path


# ---- rows ----

def test_rows_come_in_with_files_texts_and_labels(served, data):
    (data / "cats").mkdir()
    (data / "cats/a.txt").write_text("a cat")
    manifest = write_csv(data / "M.csv", [
        ["one", "./cats/a.txt", "cat,pet", "{'k': 'v'}", ""],
        ["two", "a text, in full\nof two lines", "dog", "", ""],
    ])
    answer = imported(served, manifest)
    assert (answer["rows"], answer["failed"], answer["written"], answer["vanished"]) == (2, 0, 2, 0)
    assert served.item("one")["sha256"] == sha256(b"a cat")
    assert served.item("two")["sha256"] == sha256(b"a text, in full\nof two lines")
    assert labels(served, "one") == [("cat", "SUCCESS"), ("pet", "SUCCESS")]
    assert labels(served, "two") == [("dog", "SUCCESS")]
    assert all(r["source"] == str(manifest) for i in served.items() for r in i["references"])
    row, = json.loads(served.text("show", served.item("one")["id"], "--json"))["rows"]
    assert (row["line"], row["row"]["where"], row["row"]["metadata"]) == (2, "./cats/a.txt", {"k": "v"})
    source = served.source(str(manifest))
    assert (source["kind"], source["state"], source["objects"]["present"]) == ("manifest", "imported", 2)
    assert served.lines("verify")[-1]["problems"] == 0


def test_the_same_manifest_again_does_nothing(served, data):
    (data / "a.txt").write_text("a")
    manifest = write_csv(data / "M.csv", [["one", "./a.txt", "cat", "", ""], ["two", "text", "dog", "", ""],
                                          ["bad", "./none.txt", "x", "", ""]])
    first = imported(served, manifest, ok=(3,))
    before = revision(served)
    again = imported(served, manifest, ok=(3,))
    assert (again["import"], again["written"], again["failed"]) == (first["import"], 0, 1)
    assert revision(served) == before


def test_an_edited_manifest_updates_what_changed(served, data):
    (data / "a.txt").write_text("a")
    manifest = write_csv(data / "M.csv", [["one", "./a.txt", "cat", "", ""], ["two", "text two", "dog", "", ""],
                                          ["three", "text three", "cow", "", ""]])
    imported(served, manifest)
    write_csv(manifest, [["new", "text new", "hen", "", ""], ["one", "./a.txt", "lynx,cat", "", ""],
                         ["three", "text three, mended", "cow", "", ""]])
    answer = imported(served, manifest)
    assert (answer["rows"], answer["written"], answer["vanished"]) == (3, 2, 1)
    assert labels(served, "one") == [("cat", "SUCCESS"), ("lynx", "SUCCESS")]
    assert labels(served, "two") == [("dog", "SUCCESS")]  # the row has gone, what it said has not
    assert served.item("three")["sha256"] == sha256(b"text three, mended")
    assert labels(served, "three") == [("cow", "SUCCESS")]
    assert labels(served, "new") == [("hen", "SUCCESS")]


def test_a_file_that_changed_is_read_again(served, data):
    (data / "a.txt").write_text("before")
    manifest = write_csv(data / "M.csv", [["one", "./a.txt", "cat", "", ""]])
    imported(served, manifest)
    (data / "a.txt").write_text("after, and longer")
    assert imported(served, manifest)["written"] == 0
    assert served.item("one")["sha256"] == sha256(b"after, and longer")
    assert labels(served, "one") == [("cat", "SUCCESS")]


def boxes(inlet, key):
    return sorted(tuple(a["geometry"]["box"]) for a in inlet.item(key)["annotations"])


def test_rows_of_one_identity_are_one_item_with_all_labels(served, data):
    header = ["image", "class", "xmin", "ymin", "xmax", "ymax"]
    for name in ("a.jpg", "b.jpg"):
        (data / name).write_text(name)
    columns = ["--columns", "path=image,label=class"]
    rows = [["a.jpg", "cat", 1, 2, 30, 40], ["a.jpg", "cat", 5, 6, 70, 80], ["b.jpg", "dog", 1, 1, 20, 20],
            ["a.jpg", "dog", 9, 9, 90, 90]]  # one of them stands apart
    manifest = write_csv(data / "boxes.csv", rows, header)
    assert imported(served, manifest, *columns)["rows"] == 4
    assert len(served.items()) == 2
    assert boxes(served, "a.jpg") == [(1, 2, 30, 40), (5, 6, 70, 80), (9, 9, 90, 90)]
    before = revision(served)
    assert imported(served, manifest, *columns)["written"] == 0
    assert revision(served) == before
    write_csv(manifest, [*rows[:3], ["a.jpg", "dog", 9, 9, 91, 90]], header)
    imported(served, manifest, *columns)
    assert boxes(served, "a.jpg") == [(1, 2, 30, 40), (5, 6, 70, 80), (9, 9, 91, 90)]
    write_csv(manifest, rows[1:3], header)
    imported(served, manifest, *columns)
    assert boxes(served, "a.jpg") == [(5, 6, 70, 80)]
    assert boxes(served, "b.jpg") == [(1, 1, 20, 20)]


def contradictions(inlet, number):
    return {f["line"]: (f["reason"], f["cure"], f["class"]) for f in inlet.lines("failures", "--import", number)}


def test_rows_of_one_id_that_contradict_each_other(web, served, data):
    for name in "abc":
        (data / f"{name}.txt").write_text(name)
    (data / "same.txt").hardlink_to(data / "a.txt")
    web.pages = {"/a": b"page a", "/b": b"page b"}
    own = "give each row an id of its own"
    rows = [["file", "./a.txt", "one"], ["text", "a text", "one"], ["url", f"{web.base}/a", "one"],  # lines 2, 3, 4
            ["file", "./b.txt", "two"], ["text", "other", "two"], ["url", f"{web.base}/b", "two"],  # 5, 6, 7
            ["file", "a text", "x"], ["text", "./a.txt", "x"], ["url", "./c.txt", "x"],  # 8, 9, 10
            ["file", "./same.txt", "three"], ["text", "a text", "three"], ["url", f"{web.base}/a", "three"]]  # they agree
    manifest = write_csv(data / "M.csv", [[*row, "", ""] for row in rows])
    answer = imported(served, manifest, ok=(3,))
    assert (answer["rows"], answer["failed"], answer["written"]) == (12, 6, 6)
    first = "line {} gives the id '{}' to {}, this row gives it to {}"
    url = f"'{web.base}/{{}}'"
    assert contradictions(served, answer["import"]) == {
        5: (first.format(2, "file", "the file './a.txt'", "the file './b.txt'"), own, "quarantined"),
        6: (first.format(3, "text", "the text 'a text'", "another text, 'other'"), own, "quarantined"),
        7: (first.format(4, "url", url.format("a"), url.format("b")), own, "quarantined"),
        8: (first.format(2, "file", "the file './a.txt'", "the text 'a text'"), own, "quarantined"),
        9: (first.format(3, "text", "the text 'a text'", "the file './a.txt'"), own, "quarantined"),
        10: (first.format(4, "url", url.format("a"), "the file './c.txt'"), own, "quarantined")}
    assert {k: served.item(k)["sha256"] for k in ("file", "text", "url")} == {
        "file": sha256(b"a"), "text": sha256(b"a text"), "url": sha256(b"page a")}
    assert len(served.items()) == 3
    for key in ("file", "text", "url"):
        assert [c for c, _ in labels(served, key)] == ["one", "three"]
    before, said = revision(served), served.failures()
    again = imported(served, manifest, ok=(3,))
    assert (again["written"], again["failed"]) == (0, 6)
    assert (revision(served), served.failures()) == (before, said)
    # The ids mended: what the rows said of other bytes comes in, and no failure stays.
    mended = [[row[0] + str(n) if 3 <= n < 9 else row[0], *row[1:], "", ""] for n, row in enumerate(rows)]
    write_csv(manifest, mended)
    assert imported(served, manifest)["written"] == 6
    assert served.failures() == [] and served.item("file3")["sha256"] == sha256(b"b")
    assert served.lines("verify")[-1]["problems"] == 0


def test_the_first_row_of_an_id_counts_in_the_order_of_the_manifest(served, data):
    for name in "ab":
        (data / f"{name}.txt").write_text(name)
    manifest = write_csv(data / "M.csv", [["x", "./a.txt", "cat", "", ""]])
    imported(served, manifest)
    # Now the file that is known stands behind one that must be sent first.
    write_csv(manifest, [["y", "text", "", "", ""], ["x", "./b.txt", "dog", "", ""], ["x", "./a.txt", "cat", "", ""]])
    answer = imported(served, manifest, ok=(3,))
    assert answer["failed"] == 1 and served.item("x")["sha256"] == sha256(b"b") and labels(served, "x") == [("dog", "SUCCESS")]
    assert list(contradictions(served, answer["import"])) == [4]
    before = revision(served)
    assert imported(served, manifest, ok=(3,))["written"] == 0
    assert revision(served) == before
    # A row above moved all of them: nothing of them is written, so the line that the index has is not named.
    write_csv(manifest, [["new", "new text", "", "", ""], ["x", "./b.txt", "dog", "", ""], ["x", "./a.txt", "cat", "", ""]])
    imported(served, manifest, ok=(3,))
    assert "line 3 gives" in contradictions(served, answer["import"])[4][0]
    write_csv(manifest, [["new", "new text", "", "", ""], ["z", "text z", "", "", ""], ["x", "./b.txt", "dog", "", ""],
                         ["x", "./a.txt", "cat", "", ""]])
    imported(served, manifest, ok=(3,))
    (line, (reason, _, _)), = contradictions(served, answer["import"]).items()
    assert line == 5 and reason.startswith("an earlier row gives the id 'x' to the file './b.txt'")


def test_texts_that_contradict_are_quoted(served, data):
    """How they begin, and in one line; also where the earlier one's line is not known any more."""
    long, control = "\u00e4" * 40, "two\nlines and a \x1b[1mbold one"
    rows = [["x", long + "1"], ["y", control], ["x", long + "2"], ["y", "one"]]
    manifest = write_csv(data / "M.csv", rows, ["id", "text"])
    n = imported(served, manifest, ok=(3,))["import"]
    said = ["gives the id 'x' to the text '" + "\u00e4" * 30 + "...', this row gives it to another text, '" + "\u00e4" * 30 + "...'",
            "gives the id 'y' to the text 'two\\x0alines and a \\x1b[1mbold one', this row gives it to another text, 'one'"]
    assert {line: reason for line, (reason, _, _) in contradictions(served, n).items()} == {5: f"line 2 {said[0]}", 6: f"line 3 {said[1]}"}
    write_csv(manifest, [["new", "a new row above"], *rows], ["id", "text"])
    imported(served, manifest, ok=(3,))
    assert [reason for reason, _, _ in contradictions(served, n).values()] == [f"an earlier row {text}" for text in said]


def test_rows_of_one_id_far_apart(inlet, data):
    """Over many uploads, and over an import that was killed: labels are united, contradictions found."""
    inlet.write_config(normalize=False)
    (data / "a.txt").write_text("a")
    (data / "b.txt").write_text("b")
    rows = [["x", "./a.txt", "c0", "", ""]]
    rows += [[f"r{n}", f"text {n}", "", "", ""] for n in range(2500)] + [["x", "./a.txt", "c1", "", ""], ["x", "./b.txt", "c2", "", ""]]
    rows += [[f"s{n}", f"text s{n}", "", "", ""] for n in range(2500)] + [["x", "./a.txt", "c3", "", ""], ["x", "./b.txt", "c4", "", ""]]
    manifest = write_csv(data / "M.csv", rows)
    inlet.start()
    client = subprocess.Popen([BUILD / "inlet", "--config", inlet.config, "import", manifest], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    wait_for("some rows", lambda: client.poll() is not None or len(inlet.items()) > 0)
    client.kill()
    client.wait(DEADLINE)
    answer = imported(inlet, manifest, ok=(3,))
    assert (answer["rows"], answer["failed"]) == (len(rows), 2)
    assert [c for c, _ in labels(inlet, "x")] == ["c0", "c1", "c3"]
    assert inlet.item("x")["sha256"] == sha256(b"a")
    failures = contradictions(inlet, answer["import"])
    assert list(failures) == [2504, 5006] and all("line 2 gives the id 'x'" in f[0] for f in failures.values())
    before = revision(inlet)
    assert imported(inlet, manifest, ok=(3,))["written"] == 0
    assert revision(inlet) == before


def test_a_large_file_that_contradicts_is_not_kept(inlet, data):
    inlet.write_config(normalize=False)
    (data / "small.bin").write_bytes(b"small")
    (data / "large.bin").write_bytes(os.urandom(9 << 20))
    manifest = write_csv(data / "M.csv", [["x", "./small.bin", "", "", ""], ["x", "./large.bin", "", "", ""]])
    assert imported(inlet, manifest, ok=(3,))["failed"] == 1
    assert [i["sha256"] for i in inlet.items()] == [sha256(b"small")]
    assert not [p for p in (inlet.state / "store/large").rglob("*") if p.is_file()]


def test_two_lists_that_disagree_are_a_conflict_that_a_person_decides(inlet, data):
    (data / "a.txt").write_text("is it a cat?")
    one = write_csv(data / "one.csv", [["p", "./a.txt", "cat,animal", "", ""]])
    two = write_csv(data / "two.csv", [["q", "./a.txt", "dog,animal", "", ""]])
    imported(inlet, one)
    imported(inlet, two)
    item, = inlet.items()
    waiting = [a for a in item["annotations"] if a["status"] == "ANNOTATION_AWAITING_REVIEW"]
    assert sorted((a["concept"], a["reason"]) for a in waiting) == [("cat", "conflict"), ("dog", "conflict")]
    inlet.cli("accept", item["id"], "cat")
    inlet.cli("reject", item["id"], "dog")
    write_csv(two, [["q", "./a.txt", "dog,animal,brown", "", ""]])
    imported(inlet, two)
    item, = inlet.items()
    standing = {(a["concept"], a["worker"].split(":")[0], a["status"].removeprefix("ANNOTATION_")) for a in item["annotations"]}
    assert {("cat", "user", "SUCCESS"), ("dog", "user", "REVIEW_DENIED")} <= standing
    assert not {c for c, worker, _ in standing if worker == "imported"} & {"cat", "dog"}


def test_an_index_made_anew_says_the_same(inlet, data):
    (data / "a.txt").write_text("a")
    manifest = write_csv(data / "M.csv", [["one", "./a.txt", "cat", "{'a': 1}", ""], ["two", "text", "dog", "", ""],
                                          ["bad", "./none.txt", "x", "", ""]])
    imported(inlet, manifest, ok=(3,))
    write_csv(manifest, [["one", "./a.txt", "lynx", "", ""], ["bad", "./none.txt", "x", "", ""]])
    imported(inlet, manifest, ok=(3,))
    before = [inlet.text("items", "--json"), inlet.text("items", "--full", "--json"), inlet.text("failures", "--json")]
    inlet.cli("rebuild-index")
    assert [inlet.text("items", "--json"), inlet.text("items", "--full", "--json"), inlet.text("failures", "--json")] == before
    inlet.cli("sync", ok=(3,))  # what is only in the index, like thumbnails, is made again
    at = revision(inlet)
    assert imported(inlet, manifest, ok=(3,))["written"] == 0
    assert revision(inlet) == at


# ---- rows that fail ----

def test_failed_rows_say_where_and_why_and_come_back_as_a_manifest(served, data):
    text = ("inputid,input,concepts,metadata,geopoints\n"
            "good,some text,cat,,\n"
            "gone,./none.txt,dog,,\n"
            "short,other text\n"
            'torn,"never closed\n')
    manifest = data / "M.csv"
    manifest.write_text(text)
    answer = imported(served, manifest, ok=(3,))
    assert (answer["rows"], answer["failed"]) == (4, 3)
    by_line = {f["line"]: f for f in served.failures()}
    assert sorted(by_line) == [3, 4, 5]
    gone = by_line[3]
    assert (gone["import"], gone["file"], gone["offset"]) == (answer["import"], str(manifest), text.index("gone"))
    assert (gone["class"], gone["values"]["input"]) == ("retry", "./none.txt")
    assert "none.txt" in gone["reason"] and gone["cure"] and gone["id"] == f"r{answer['import']}.3"
    assert by_line[5]["class"] == "quarantined" and by_line[5]["column"] == len("torn,") + 1
    assert served.lines("failures", "--import", answer["import"]) == served.failures()
    assert "import again" in served.cli("retry", gone["id"], ok=(1,)).stderr.decode() or \
        "import the manifest again" in served.cli("retry", gone["id"], ok=(1,)).stderr.decode()
    rows = served.text("failures", "--format", "csv", "--import", answer["import"])
    assert rows == text.split("good,")[0] + text[text.index("gone"):]
    (data / "none.txt").write_text("here now")
    mended = data / "mended.csv"
    mended.write_text(rows.replace("short,other text", "short,other text,,,").replace('"never closed', "closed,,,"))
    assert imported(served, mended)["failed"] == 0
    # The first manifest knows that one of its rows is good by now.
    assert imported(served, manifest, ok=(3,))["failed"] == 2
    assert sorted(f["line"] for f in served.failures()) == [4, 5]


def test_what_a_row_may_reach(served, data):
    (data.parent / "outside.txt").write_text("outside")
    (data / "out").symlink_to("/etc")
    (data / "in.txt").write_text("inside")
    (data / "to-in").symlink_to("in.txt")
    os.mkfifo(data / "fifo")
    served.put("seed.txt", "seed")
    served.cli("sync")
    store = next((served.state / "store/segments").glob("*.tar"))
    (data / "store").symlink_to("../state")
    rows = {"shadow": "/etc/shadow", "url": "file:///etc/shadow", "above": "../outside.txt", "deep": "./x/../../outside.txt",
            "link": "./out/shadow", "fifo": "./fifo", "folder": "./", "self": "./store/lock", "absolute": str(store)}
    good = {"link-in": "./to-in", "absolute-in": str(data / "in.txt")}
    manifest = write_csv(data / "M.csv", [[k, v, "x", "", ""] for k, v in {**rows, **good}.items()])
    answer = imported(served, manifest, ok=(3,))
    assert answer["failed"] == len(rows)
    assert {f["values"]["inputid"] for f in served.failures()} == set(rows)
    assert {i["sha256"] for i in served.items()} == {sha256(b"inside"), sha256(b"seed")}
    # With a root that holds the store, too, all but the store is reached that lies beneath it.
    answer = imported(served, manifest, "--root", data.parent, "--name", "wider", ok=(3,))
    wider = [f for f in served.lines("failures", "--import", answer["import"])]
    assert {f["values"]["inputid"] for f in wider} >= {"shadow", "url", "link", "self", "absolute"}
    assert {f["values"]["inputid"]: f["reason"] for f in wider}["absolute"].endswith("part of Inlet's own store")


def test_paths_that_lead_up_from_the_list_to_its_root(inlet, data):
    for name in ("lists", "pictures"):
        (data / name).mkdir()
    (data / "pictures/a.txt").write_text("a")
    (data / "lists/b.txt").write_text("b")
    manifest = write_csv(data / "lists/M.csv", [["up", "../pictures/a.txt", "x", "", ""], ["root", "./pictures/a.txt", "x", "", ""],
                                                ["beside", "./b.txt", "x", "", ""], ["out", "../../outside.txt", "x", "", ""]])
    (data.parent / "outside.txt").write_text("outside")
    assert imported(inlet, manifest, "--root", data, ok=(3,))["failed"] == 1
    assert [f["values"]["inputid"] for f in inlet.failures()] == ["out"]
    assert {i["sha256"] for i in inlet.items()} == {sha256(b"a"), sha256(b"b")}


def test_a_row_that_fails_now_is_not_called_gone(inlet, data):
    (data / "a.txt").write_text("a")
    manifest = write_csv(data / "M.csv", [["one", "./a.txt", "x", "", ""]])
    imported(inlet, manifest)
    (data / "a.txt").unlink()
    assert "not in the manifest any more, or only in what failed;" in inlet.text("import", manifest, ok=(3,))
    write_csv(manifest, [])
    assert "not in the manifest any more; nothing" in inlet.text("import", manifest)


def test_wrong_words_are_answered_with_the_right_ones(inlet, data):
    manifest = write_csv(data / "M.csv", [])
    for option, word in (("--format", b"groundtruth"), ("--columns", b"xmax")):
        assert word in inlet.cli("import", manifest, option, "qqqqqqqq=b", ok=(2,)).stderr


# ---- URLs ----

def test_urls_are_fetched_once_and_labelled(web, served, data):
    web.pages = {f"/{n}.txt": f"page {n}".encode() for n in range(20)}
    web.pages["/big"] = big = os.urandom(12 << 20)
    manifest = write_csv(data / "M.csv", [[f"{web.base}/{n}.txt", f"c{n % 3}"] for n in range(20)] + [[f"{web.base}/big", "large"]],
                         ["url", "label"])
    answer = imported(served, manifest)
    assert (answer["rows"], answer["written"], answer["not_fetched"]) == (21, 21, 0)
    assert served.item(f"{web.base}/3.txt")["sha256"] == sha256(b"page 3")
    assert served.item(f"{web.base}/big")["sha256"] == sha256(big)
    item = served.item(f"{web.base}/4.txt")
    assert [(a["concept"], a["worker"], a["status"]) for a in item["annotations"]] == [("c1", "imported", "ANNOTATION_SUCCESS")]
    before, asked = revision(served), len(web.said)
    assert imported(served, manifest)["written"] == 0
    assert (revision(served), len(web.said)) == (before, asked)


def test_a_list_of_urls_signed_anew_is_the_same_list(web, inlet, data):
    web.pages = {"/a.txt": b"a"}
    signed = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={0}&X-Amz-Signature={0}"
    manifest = data / "urls.txt"
    manifest.write_text(f"{web.base}/a.txt{signed.format('1')}\n{web.base}/b.txt{signed.format('1')}\n")
    assert imported(inlet, manifest, ok=(3,))["not_fetched"] == 1
    web.pages["/b.txt"] = b"b"
    manifest.write_text(f"{web.base}/a.txt{signed.format('2')}\n{web.base}/b.txt{signed.format('2')}\n")
    assert imported(inlet, manifest)["not_fetched"] == 0
    assert [p[-1] for p, *_ in web.said if p.startswith("/a.txt")] == ["1"]  # it was there: nobody asked again
    assert sorted(p[-1] for p, *_ in web.said if p.startswith("/b.txt")) == ["1", "2"]
    assert inlet.keys() == [f"{web.base}/a.txt", f"{web.base}/b.txt"]


def test_urls_that_cannot_be_fetched(web, served, data):
    web.pages = {"/good": b"good", "/away": "http://169.254.169.254/latest/meta-data/"}
    web.broken = {"/away": 302, "/busy": 503}
    rows = [["good", f"{web.base}/good"], ["gone", f"{web.base}/gone"], ["away", f"{web.base}/away"],
            ["inside", "http://10.0.0.1/secret"], ["v6", "http://[::ffff:10.0.0.1]/"], ["busy", f"{web.base}/busy"]]
    manifest = write_csv(data / "M.csv", rows, ["id", "url"])
    answer = imported(served, manifest, ok=(3,))
    assert (answer["failed"], answer["not_fetched"], answer["to_fetch"]) == (0, 4, 1)
    by_id = {f["values"]["id"]: f for f in served.lines("failures", "--import", answer["import"])}
    assert sorted(by_id) == ["away", "busy", "gone", "inside", "v6"]
    assert (by_id["gone"]["line"], by_id["gone"]["file"], by_id["gone"]["stage"]) == (3, str(manifest), "fetch")
    assert "404" in by_id["gone"]["reason"]
    assert all("fetch.networks" in by_id[k]["cure"] for k in ("away", "inside", "v6"))
    assert by_id["busy"]["class"] == "retry"
    text = served.text("failures", "--format", "csv", "--import", answer["import"])
    assert sorted(r["id"] for r in csv.DictReader(io.StringIO(text))) == sorted(by_id)
    web.pages["/gone"] = b"back"
    served.cli("retry", by_id["gone"]["id"], ok=(3,))
    wait_for("the page that is back", lambda: served.item("gone"))
    assert served.item("gone")["sha256"] == sha256(b"back")


def test_rows_that_wait_survive_the_index(web, inlet, data):
    web.broken = {f"/{n}": 503 for n in range(3)}
    manifest = write_csv(data / "M.csv", [[f"r{n}", f"{web.base}/{n}", "cat"] for n in range(3)], ["id", "url", "label"])
    assert imported(inlet, manifest, "--no-wait")["written"] == 3
    assert not [f["due"] for f in inlet.failures() if (f["due"] or "").startswith("1970")], "what waits for its first try"
    inlet.cli("rebuild-index")
    web.pages = {f"/{n}": f"page {n}".encode() for n in range(3)}
    web.broken = {}
    inlet.start()
    wait_for("the pages", lambda: len(inlet.items()) == 3)
    assert {a["concept"] for i in inlet.items() for a in i["annotations"]} == {"cat"}
    assert inlet.lines("verify")[-1]["problems"] == 0


# ---- manifests of all kinds ----

def geometry(inlet, key):
    return [(a["concept"], a["geometry"]["kind"]) for a in inlet.item(key)["annotations"] if "geometry" in a]


def test_annotations_of_other_tools(inlet, data):
    for name in ("a.jpg", "b.jpg"):
        (data / name).write_text(name)
    coco = data / "coco.json"
    coco.write_text(json.dumps({
        "annotations": [{"id": 1, "image_id": 8, "category_id": 3, "bbox": [1, 2, 3.5, 4], "iscrowd": 0},
                        {"id": 2, "image_id": 7, "category_id": 3, "segmentation": [[1, 2, 3, 4, 5, 6]]},
                        *({"id": n, "image_id": 7, "category_id": c, "bbox": [n, 2, 3, 4]} for n, c in ((3, 3), (4, 4), (5, 3)))],
        "categories": [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}],
        "images": [{"id": 7, "file_name": "a.jpg", "width": 640, "height": 480}, {"id": 8, "file_name": "b.jpg"}]}))
    assert imported(inlet, coco)["written"] == 2
    assert geometry(inlet, "b.jpg") == [("cat", "box")]
    assert geometry(inlet, "a.jpg") == [("cat", "polygon"), ("cat", "box"), ("dog", "box"), ("cat", "box")]
    assert re.search(r"a\.jpg +cat x3, dog$", inlet.text("items"), re.M), "a concept once, however many boxes"
    tasks = data / "tasks.json"
    choice = {"from_name": "s", "to_name": "t", "type": "choices"}
    tasks.write_text(json.dumps([{"id": 7, "data": {"text": "a great film"},
                                  "annotations": [{"result": [{**choice, "id": "x", "value": {"choices": ["good"]}}]}],
                                  "predictions": [{"model_version": "m", "score": 0.7,
                                                   "result": [{**choice, "id": "y", "value": {"choices": ["bad"]}}]}]}]))
    assert imported(inlet, tasks)["written"] == 1
    assert sorted((a["concept"], a["maker"], a["status"].removeprefix("ANNOTATION_")) for a in inlet.item("7")["annotations"]) == [
        ("bad", "machine", "AWAITING_REVIEW"), ("good", "human", "SUCCESS")]
    lines = data / "rows.jsonl"
    lines.write_text('{"path": "a.jpg", "label": "fox"}\n{"path": "none.jpg", "label": "fox"}\n')
    number = imported(inlet, lines, ok=(3,))["import"]
    assert inlet.text("failures", "--format", "csv", "--import", number) == '{"path": "none.jpg", "label": "fox"}\n'


def test_each_failed_row_of_a_document_in_one_line_is_kept(inlet, data):
    (data / "a.jpg").write_text("a")
    coco = data / "coco.json"
    names = ["none1.jpg", "none2.jpg", "a.jpg", "none3.jpg"]
    coco.write_text(json.dumps({"annotations": [], "categories": [],
                                "images": [{"id": i, "file_name": name} for i, name in enumerate(names)]}))

    def failures(number):
        return [(f["id"], f["values"]["file_name"]) for f in inlet.lines("failures", "--import", number)]

    number = imported(inlet, coco, ok=(3,))["import"]
    assert failures(number) == [(f"r{number}.{i}", f"none{i}.jpg") for i in (1, 2, 3)]
    assert imported(inlet, coco, ok=(3,))["failed"] == 3
    assert failures(number) == [(f"r{number}.{i}", f"none{i}.jpg") for i in (1, 2, 3)], "the same again"
    (data / "none1.jpg").write_text("b")
    assert imported(inlet, coco, ok=(3,))["failed"] == 2
    assert [name for _, name in failures(number)] == ["none2.jpg", "none3.jpg"]


def test_a_yolo_folder_is_read_beneath_its_root(inlet, data):
    for part in ("images", "labels"):
        (data / part / "train").mkdir(parents=True)
    (data / "images/train/1.jpg").write_text("one")
    (data / "labels/train/1.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    (data.parent / "outside").mkdir()
    (data.parent / "outside/2.jpg").write_text("two")
    (data / "images/val").symlink_to("../../outside")
    description = data / "data.yaml"
    description.write_text("train: images/train\nnames: [zebra]\n")
    assert imported(inlet, description)["written"] == 1
    item, = inlet.items()
    assert [(a["concept"], a["geometry"]["box"]) for a in item["annotations"]] == [("zebra", [0.5, 0.5, 0.25, 0.25])]
    description.write_text("train: images/train\ntest: images/test\nnames: [zebra]\n")
    assert imported(inlet, description, ok=(3,))["failed"] == 1
    failure, = inlet.failures()
    assert (failure["class"], failure["reason"]) == ("retry", "there is no folder 'images/test' beside it")
    description.write_text("train: images/train\nval: images/val\nnames: [zebra]\n")
    inlet.cli("import", description, ok=(1, 3))
    assert len(inlet.items()) == 1


def test_two_images_of_one_id(inlet, data):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (data / name).write_text(name)
    coco = data / "coco.json"
    images = [(7, "a.jpg"), (8, "c.jpg"), (7, "b.jpg"), (8, "c.jpg")]
    coco.write_text(json.dumps({"images": [{"id": i, "file_name": name} for i, name in images],
                                "annotations": [{"id": 1, "image_id": i, "category_id": 3, "bbox": [1, 2, 3, 4]} for i in (7, 8)],
                                "categories": [{"id": 3, "name": "cat"}]}, indent=1))
    answer = imported(inlet, coco, ok=(3,))
    assert (answer["rows"], answer["failed"]) == (3, 1)
    failure, = inlet.failures()
    assert failure["values"]["file_name"] == "a.jpg" and failure["cure"] == "give each image an id of its own"
    assert failure["reason"] == "line 11 gives the id 7 to the image 'b.jpg', and the annotations with it"
    assert geometry(inlet, "b.jpg") == geometry(inlet, "c.jpg") == [("cat", "box")]


def test_texts_that_look_like_files(inlet, data):
    manifest = write_csv(data / "M.csv", [["1", "cats/a.jpg", "", "", ""], ["2", "B.PNG", "", "", ""], ["3", "a text.", "", "", ""]])
    (data / "cats").mkdir()
    (data / "cats/a.jpg").write_text("a")
    said = inlet.cli("import", manifest).stderr.decode()
    assert "2 inputs were taken for texts and look like names of files; if so, import again with --input file_path" in said
    assert "look like" not in inlet.cli("import", manifest, "--input", "raw").stderr.decode()
    assert "look like" not in inlet.cli("import", manifest, "--input", "file_path", ok=(3,)).stderr.decode()
    assert inlet.item("1")["sha256"] == sha256(b"a")


def test_standard_input_and_names(inlet, data):
    assert inlet.cli("import", "-", ok=(2,), input=b"x").returncode == 2
    (data / "a.txt").write_text("a")
    rows = io.StringIO(newline="")
    csv.writer(rows).writerows([HEADER, ["one", "./a.txt", "cat", "", ""]])
    text = gzip.compress(rows.getvalue().encode())
    assert imported(inlet, "-", "--name", "list", input=text, cwd=data)["written"] == 1
    assert imported(inlet, "-", "--name", "list", input=text, cwd=data)["written"] == 0
    assert labels(inlet, "one") == [("cat", "SUCCESS")]
    assert inlet.source("list")["kind"] == "manifest"
    refused = inlet.cli("import", "-", "--name", "drop", ok=(1,), input=text, cwd=data)
    assert b"name of a source" in refused.stderr


def test_without_waiting_it_says_how_to_wait(inlet, data):
    (data / "u.csv").write_text("text,label\n" + "".join(f"text {i},cat\n" for i in range(500)))
    said = inlet.text("import", data / "u.csv", "--no-wait")
    assert "500 rows, 500 new or changed, 0 failed" in said and "inlet wait" in said and "not done yet" not in said
    inlet.cli("wait")  # with no daemon it works on what is queued itself
    assert inlet.status()["work"]["normalize"]["queued"] == 0
    assert {i["state"] for i in inlet.items()} <= {"normalized", "inferred", "routed"}


def test_large_and_many(inlet, data):
    inlet.write_config(normalize=False)
    big = os.urandom(1 << 20) * 20
    (data / "big.bin").write_bytes(big)
    rows = [["big", "./big.bin", "large", "", ""]]
    for n in range(3000):
        (data / f"{n}.txt").write_text(f"file {n % 2900}")
        rows.append([f"f{n}", f"./{n}.txt", f"c{n % 7}", "", ""])
    manifest = write_csv(data / "M.csv", rows)
    assert imported(inlet, manifest)["written"] == 3001
    assert inlet.item("big")["sha256"] == sha256(big)
    assert len(inlet.items()) == 2901
    assert inlet.lines("verify")[-1]["problems"] == 0
    assert imported(inlet, manifest)["written"] == 0


def test_what_is_no_manifest(inlet, data):
    (data / "M.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert inlet.cli("import", data / "M.csv", ok=(1,)).stderr
    assert inlet.cli("import", data / "none.csv", ok=(1,)).stderr
    assert b"did you mean 'csv'" in inlet.cli("import", data / "M.csv", "--format", "csw", ok=(2,)).stderr
    assert inlet.items() == []


# ---- broken off ----

def test_killed_and_begun_again(inlet, data):
    """kill -9 of the client, of the daemon and of both, over and over: the same command ends with each row there once."""
    inlet.write_config(normalize=False)
    rows = []
    for n in range(4000):
        (data / f"{n}.txt").write_text(f"file {n}")
        rows.append([f"f{n}", f"./{n}.txt", f"c{n % 5}", "", ""])
    manifest = write_csv(data / "M.csv", rows)
    inlet.start()
    seen = 0
    for victim in ("client", "daemon", "both"):
        client = subprocess.Popen([BUILD / "inlet", "--config", inlet.config, "import", manifest], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        wait_for("some rows", lambda: client.poll() is not None or len(inlet.items()) > seen)
        if victim != "daemon":
            client.kill()
        if victim != "client":
            inlet.stop(signal.SIGKILL)
            inlet.start()
        client.wait(DEADLINE)
        seen = len(inlet.items())
    answer = imported(inlet, manifest)
    assert answer["rows"] == 4000 and answer["written"] <= 4000 - seen
    items = inlet.items()
    assert len(items) == 4000
    assert all(len(i["references"]) == 1 and len(i["annotations"]) == 1 for i in items)
    before = revision(inlet)
    assert imported(inlet, manifest)["written"] == 0
    assert revision(inlet) == before
    assert inlet.lines("verify")[-1]["problems"] == 0


def test_two_at_once_do_not_mix(inlet, data):
    inlet.write_config(normalize=False)
    manifest = write_csv(data / "M.csv", [[f"r{n}", f"text {n}", "cat", "", ""] for n in range(20000)])
    inlet.start()
    command = [BUILD / "inlet", "--config", inlet.config, "import", manifest]
    clients = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    codes = sorted(c.wait(DEADLINE) for c in clients)
    assert codes in ([0, 0], [0, 1])  # one after the other, or the second one took over
    assert imported(inlet, manifest)["written"] == 0
    assert len(inlet.items()) == 20000
