"""Lists come in and go out again the same: what a parser of the format reads from the export is what it read from the original."""

import ast
import csv
import io
import json

import pytest


@pytest.fixture
def data(tmp_path):
    it = tmp_path / "data"
    it.mkdir()
    return it


def files(data, *names):
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(f"the content of {name}")


def exported(inlet, manifest, form, *args, importing=(), left=""):
    """Takes the manifest in and gives the export of its format; left: what it says that it left out."""
    inlet.cli("import", manifest, "--format", form, *importing)
    done = inlet.cli("export", "--format", form, *args)
    assert done.stderr.decode() == (f"inlet: left out: {left}\n" if left else "")
    return done.stdout.decode()


def typed(value):
    """As the value, but 1, 1.0 and True are three things."""
    if isinstance(value, dict):
        return {k: typed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [typed(v) for v in value]
    return (type(value).__name__, value)


# ---- Clarifai ----

def clarifai_rows(text):
    """What the columns say, as the SDK reads them: the metadata once every apostrophe has become a quote."""
    rows = []
    for row in csv.DictReader(io.StringIO(text, newline="")):
        metadata = row["metadata"]
        try:
            parsed = ast.literal_eval(metadata) if metadata else {}
        except (ValueError, SyntaxError):
            parsed = json.loads(metadata) if metadata.startswith("{\"") else metadata
        rows.append((row["inputid"], row["input"], row["concepts"].split(",") if row["concepts"] else [], typed(parsed),
                     row["geopoints"].replace(" ", "")))
    return rows


def test_clarifai_csv(inlet, data):
    files(data, "cats/a.txt", "b.txt", "c.txt")
    # The same text twice under two ids, files and texts in turn: rows keep their order, whatever the items' is.
    rows = [
        ["one", "./cats/a.txt", "cat,pet", "{'k': 'v', 'n': 12345678901234567890, 'x': 0.1, 'deep': {'l': [1, 2.0, True, None]}}",
         "-122.4194, 37.7749"],
        ["t1", "a text, in full\nof \"two\" lines", "dog", "", ""],
        ["two", "./b.txt", "", "{'it': \"it's\"}", ""],
        ["t2", "a text, in full\nof \"two\" lines", "cat", "{'k': 1}", "1e1,-0.5"],
        ["./c.txt", "./c.txt", "ünïcode concept,b", "{broken", ""],
        ["", " a text with blanks around ", "x", "", ""],
    ]
    manifest = data / "M.csv"
    with open(manifest, "w", newline="") as f:
        csv.writer(f).writerows([["inputid", "input", "concepts", "metadata", "geopoints"], *rows])
    text = exported(inlet, manifest, "clarifai", "--review")
    assert clarifai_rows(text) == clarifai_rows(manifest.read_text())
    sdk = [json.loads(r["metadata"].replace("'", '"')) for r in csv.DictReader(io.StringIO(text)) if r["metadata"][:2] == "{\""]
    assert sdk[1] == {"it": "it's"}


def test_clarifai_of_a_watched_folder(inlet):
    inlet.put("a, b.txt", "one")
    inlet.put("c.txt", "two")
    inlet.once()
    inlet.cli("label", inlet.item("c.txt")["id"], "a, b")
    inlet.cli("label", inlet.item("c.txt")["id"], "c")
    rows = list(csv.DictReader(io.StringIO(inlet.text("export", "--format", "clarifai"))))
    assert [r["input"] for r in rows] == [str(inlet.inbox / "a, b.txt"), str(inlet.inbox / "c.txt")]
    assert json.loads(rows[1]["concepts"]) == ["a, b", "c"]
    again = inlet.root / "again.csv"
    inlet.cli("export", "--format", "clarifai", "-o", again)
    inlet.cli("import", again, "--root", inlet.inbox)
    assert {a["concept"] for a in inlet.item("c.txt")["annotations"] if a["worker"] != "imported"} == {"a, b", "c"}
