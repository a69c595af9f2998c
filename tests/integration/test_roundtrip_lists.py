"""Lists come in and go out again the same: what a parser of the format reads from the export is what it read from the original."""

import ast
import csv
import io
import json
import tarfile

import pytest
from lists import exported, typed
from media import png


@pytest.fixture
def data(tmp_path):
    it = tmp_path / "data"
    it.mkdir()
    return it


def files(data, *names):
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(f"the content of {name}")


def there_and_back(inlet, manifest, form, *args, importing=(), left=""):
    """Takes the manifest in and gives the export of its format."""
    inlet.cli("import", manifest, "--format", form, *importing)
    return exported(inlet, form, *args, left=left)


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
        ["t3", "another text", "x", "broken, too", "1.5,2.5"],
        ["", " a text with blanks around ", "x", "", ""],
    ]
    manifest = data / "M.csv"
    with open(manifest, "w", newline="") as f:
        csv.writer(f).writerows([["inputid", "input", "concepts", "metadata", "geopoints"], *rows])
    text = there_and_back(inlet, manifest, "clarifai", "--review")
    assert clarifai_rows(text) == clarifai_rows(manifest.read_text())
    sdk = [json.loads(r["metadata"].replace("'", '"')) for r in csv.DictReader(io.StringIO(text)) if r["metadata"][:2] == "{\""]
    assert sdk[1] == {"it": "it's"}


def test_clarifai_of_a_watched_folder(inlet):
    inlet.put("a, b.txt", "one")
    inlet.put("c.txt", "two")
    inlet.once()
    inlet.cli("label", inlet.item("c.txt")["id"], "a, b")
    inlet.cli("label", inlet.item("c.txt")["id"], "c")
    rows = {r["input"]: r for r in csv.DictReader(io.StringIO(inlet.text("export", "--format", "clarifai")))}
    assert set(rows) == {str(inlet.inbox / "a, b.txt"), str(inlet.inbox / "c.txt")}
    assert json.loads(rows[str(inlet.inbox / "c.txt")]["concepts"]) == ["a, b", "c"]
    again = inlet.root / "again.csv"
    inlet.cli("export", "--format", "clarifai", "-o", again)
    inlet.cli("import", again, "--root", inlet.inbox)
    assert {a["concept"] for a in inlet.item("c.txt")["annotations"] if a["worker"] != "imported"} == {"a, b", "c"}


def test_paths_of_another_list_stay_paths_in_clarifai_csv(inlet, data):
    files(data, "cats/a.txt", "b.txt")
    manifest, again = data / "M.csv", data / "again.csv"
    manifest.write_text("path,label\ncats/a.txt,cat\n./b.txt,dog\n")
    inlet.cli("import", manifest)
    inlet.cli("export", "--format", "clarifai", "-o", again)
    assert [r["input"] for r in csv.DictReader(io.StringIO(again.read_text()))] == ["./cats/a.txt", "./b.txt"]
    inlet.cli("import", again)
    assert [sorted(a["concept"] for a in i["annotations"]) for i in inlet.items()] == [["cat", "cat"], ["dog", "dog"]]


def test_texts_that_look_like_paths_are_told_of_in_clarifai_csv(inlet, make_inlet, data):
    """The format has no place to say which they are; whoever imports it has."""
    texts = ["/etc/hosts is a file", "./and so on", "https://example.org/ is down", "plain"]
    (data / "M.csv").write_text("inputid,input,concepts\n" + "".join(f"{n},{t},x\n" for n, t in enumerate(texts)))
    inlet.cli("import", data / "M.csv", "--input", "raw")
    again = data / "again.csv"
    done = inlet.cli("export", "--format", "clarifai", "-o", again)
    assert done.stderr.decode() == ("inlet: left out: nothing; but 3 texts begin as paths or URLs do, and are read back so: "
                                    "import it with --input raw\n")
    other = make_inlet("other")
    other.cli("import", again, "--input", "raw")
    assert exported(other, "clarifai", left=done.stderr.decode().strip().removeprefix("inlet: left out: ")) == again.read_bytes().decode()
    assert [i["media_type"] for i in other.items()] == ["text/plain"] * 4


# ---- JSON lines ----

def lines(text):
    return [typed(json.loads(line)) for line in text.splitlines() if line.strip()]


def check_lines(inlet, data, form, rows, **kw):
    """Lines out as they came in: every member, number and order."""
    manifest = data / "M.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = there_and_back(inlet, manifest, form, **kw)
    assert lines(text) == lines(manifest.read_text())


def pictures(data, *names):
    """Each is another content; what they show does not matter."""
    for i, name in enumerate(names):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(png(640, 480, (i, i, i)))


def meta(kind, **more):
    return {"type": f"groundtruth/{kind}", "human-annotated": "yes", "creation-date": "2018-10-18T22:18:13.527256",
            "job-name": "labeling-job/x", **more}


def test_ground_truth(inlet, data):
    pictures(data, "a.png", "b.png", "c.png", "d.png")
    check_lines(inlet, data, "groundtruth", [
        {"source-ref": "a.png", "id": 12345678901234567890, "animal": 0,
         "animal-metadata": meta("image-classification", **{"class-name": "dog", "confidence": 0.00})},
        {"source": "a text of its own", "tags": [0, 3, 7], "tags-metadata": meta("text-classification-multilabel", **{
            "class-map": {"0": "good", "3": "bad", "7": "ugly"}, "confidence-map": {"0": 1, "3": 0.1, "7": 0.30000000000000004}})},
        {"source-ref": "d.png", "box": {"image_size": [{"width": 640, "height": 480, "depth": 3}], "annotations": [
            {"class_id": 1, "left": 111, "top": 134, "width": 61, "height": 128, "extra": {"occluded": True}},
            {"class_id": 1, "left": 111, "top": 134, "width": 61, "height": 128, "extra": {"occluded": True}},
            {"class_id": 0, "left": 161.5, "top": 250, "width": 30, "height": 30}]},
         "box-metadata": meta("object-detection", objects=[{"confidence": 0.8}, {"confidence": 1}, {"confidence": 0.9, "k": [1]}],
                              **{"class-map": {"0": "dog", "1": "cat", "9": "never seen"}}), "extra": [1, 2.0, None]},
        {"source-ref": "b.png", "box": {"image_size": [{"width": 640, "height": 480, "depth": 1}], "annotations": []},
         "box-metadata": meta("object-detection", objects=[], **{"class-map": {}})},
        {"source-ref": "c.png", "seg-ref": "s3://b/mask.png", "seg-ref-metadata": meta("semantic-segmentation", **{
            "internal-color-map": {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.5},
                                   "1": {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0.25}}})},
        {"source": "Ann lives in Oslo", "ner": {"annotations": {"entities": [
            {"endOffset": 3, "startOffset": 0, "label": "person"}, {"endOffset": 17, "startOffset": 13, "label": "place"}],
            "labels": [{"label": "person", "shortDisplayName": "p"}]}},
         "ner-metadata": meta("text-span", entities=[{"confidence": 0}, {"confidence": 0.5}])},
    ])


def test_ground_truth_of_labels_that_came_otherwise(inlet, data):
    pictures(data, "a.png", "b.png")
    (data / "B.csv").write_text("path,label,xmin,ymin,xmax,ymax\na.png,cat,0.25,0.5,0.5,0.75\na.png,dog,1,2,11,22\nb.png,owl,,,,\n")
    inlet.cli("import", data / "B.csv")
    a, b = [json.loads(x) for x in inlet.text("export", "--format", "groundtruth", "--attribute", "x").splitlines()]
    assert a["source-ref"] == "a.png"
    assert a["x-boxes"]["image_size"] == [{"width": 640, "height": 480, "depth": 3}]
    cat, dog = a["x-boxes"]["annotations"]
    assert [cat[k] for k in ("left", "top", "width", "height")] == [160, 240, 160, 120]
    assert [dog[k] for k in ("left", "top", "width", "height")] == [1, 2, 10, 20]
    names = a["x-boxes-metadata"]["class-map"]
    assert [names[str(k["class_id"])] for k in (cat, dog)] == ["cat", "dog"]
    assert len(a["x-boxes-metadata"]["objects"]) == 2
    assert b["x-metadata"]["class-name"] == "owl"


def test_what_a_person_rejects_is_not_there_and_back(inlet, data):
    pictures(data, "a.png")
    row = {"source-ref": "a.png", "box": {"image_size": [{"width": 640, "height": 480, "depth": 3}], "annotations": [
        {"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}, {"class_id": 1, "left": 5, "top": 6, "width": 7, "height": 8}]},
        "box-metadata": meta("object-detection", objects=[{"confidence": 0.5}, {"confidence": 0.6}],
                             **{"class-map": {"0": "dog", "1": "cat"}})}
    (data / "M.manifest").write_text(json.dumps(row) + "\n")
    inlet.cli("import", data / "M.manifest")
    inlet.cli("reject", inlet.item("a.png")["id"], "dog")
    got, = [json.loads(x) for x in inlet.text("export", "--format", "groundtruth").splitlines()]
    assert got["box"]["annotations"] == row["box"]["annotations"][1:]
    assert got["box-metadata"]["objects"] == [{"confidence": 0.6}]


def test_vertex(inlet, data):
    pictures(data, "a.png", "b.png", "c.png", "d.png")
    (data / "t.txt").write_text("some text")
    use = "aiplatform.googleapis.com/ml_use"
    check_lines(inlet, data, "vertex", [
        {"imageGcsUri": "c.png", "classificationAnnotation": {"displayName": "daisy", "annotationResourceLabels": {
            "aiplatform.googleapis.com/annotation_set_name": "s"}}, "dataItemResourceLabels": {use: "test"}},
        {"imageGcsUri": "a.png", "classificationAnnotations": [{"displayName": "daisy"}, {"displayName": "rose", "n": 1.0}],
         "dataItemResourceLabels": {use: "unassigned"}},
        {"imageGcsUri": "b.png", "boundingBoxAnnotations": [
            {"displayName": "Tomato", "xMin": 0.3, "yMin": 0.1, "xMax": 0.7000000000000001, "yMax": 1},
            {"displayName": "Salad", "xMin": 0, "yMin": 0.0, "xMax": 1.0, "yMax": 0.5, "annotationResourceLabels": {"k": "v"}},
            {"displayName": "Baked", "xMin": "0.25", "yMin": "0", "xMax": "1.0", "yMax": "0.50"}, {"displayName": "Cheese", "xMax": 0.5, "yMax": 1}],
         "dataItemResourceLabels": {use: "training", "mine": "yes"}, "other": 12345678901234567890},
        {"imageGcsUri": "d.png", "boundingBoxAnnotations": []},
        {"textContent": "Ann lives in Oslo", "textSegmentAnnotations": [
            {"startOffset": 0, "endOffset": 3, "displayName": "person"}], "dataItemResourceLabels": {use: "validation"}},
        {"textGcsUri": "t.txt", "sentimentAnnotation": {"sentiment": 2, "sentimentMax": 4, "k": "v"}},
    ])


def test_vertex_leaves_out_what_it_cannot_say(inlet, data):
    pictures(data, "a.png")
    inlet.put("b.txt", "in a folder")
    inlet.once()
    inlet.cli("label", inlet.item("b.txt")["id"], "x")
    (data / "B.csv").write_text("path,label,xmin,ymin,xmax,ymax\na.png,cat,160,240,320,360\n")
    inlet.cli("import", data / "B.csv")
    done = inlet.cli("export", "--format", "vertex")
    assert done.stderr.decode() == "inlet: left out: 1 item that vertex cannot say\n"
    row, = lines(done.stdout.decode())
    assert row == typed({"imageGcsUri": "a.png", "boundingBoxAnnotations": [
        {"displayName": "cat", "xMin": 0.25, "yMin": 0.5, "xMax": 0.5, "yMax": 0.75}]})


def test_hugging_face(inlet, data):
    pictures(data, "train/c.png", "train/a.png", "test/b.png", "d.png", "e.png", "f.png", "g.png")
    check_lines(inlet, data, "huggingface", [
        {"file_name": "train/c.png", "label": 3, "class": "other", "caption": "a dog"},
        {"file_name": "train/a.png", "label": "cat", "extra": {"n": 12345678901234567890, "x": [1, 1.0, None]}},
        {"file_name": "g.png", "labels": "a; b", "metadata": "no object", "other": 1},
        {"file_name": "test/b.png", "labels": ["a", "b"], "metadata": {"k": 1}, "id": "own id"},
        {"file_name": "d.png", "objects": {"bbox": [[302.0, 109.0, 73, 52], [810.5, 1e2, 0.1, 28]], "categories": [0, 1],
                                           "area": [3796, 1596.5], "id": [114, None]}},
        {"image_file_name": "e.png", "objects": {"bbox": [[1, 2, 3, 4]], "category": ["dog"]}, "split": "validation"},
        {"file_name": "f.png", "objects": {"bbox": [], "categories": []}},
    ])


def test_hugging_face_of_what_came_otherwise(inlet, data):
    pictures(data, "a.png")
    inlet.put("sub/b.txt", "in a folder")
    inlet.once()
    inlet.cli("label", inlet.item("sub/b.txt")["id"], "x")
    (data / "B.csv").write_text("path,label,split,xmin,ymin,xmax,ymax\na.png,cat,train,0.25,0.5,0.5,0.75\n")
    inlet.cli("import", data / "B.csv")
    (data / "T.csv").write_text("text,label\nno file at all,x\n")
    inlet.cli("import", data / "T.csv")
    done = inlet.cli("export", "--format", "huggingface")
    assert done.stderr.decode() == "inlet: left out: 1 item that huggingface cannot say\n"
    assert [json.loads(x) for x in done.stdout.decode().splitlines()] == [
        {"file_name": "a.png", "objects": {"bbox": [[160, 240, 160, 120]], "categories": ["cat"]}, "split": "train"},
        {"file_name": "sub/b.txt", "label": "x"}]


# ---- YOLO ----

def test_yolo(inlet, data):
    pictures(data, "images/train/sub/b.png", "images/train/a.png", "images/val/c.png", "images/val/none.png", "images/val/empty.png")
    (data / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  3: 'a dog'\n  1: \"bird's\"\n")
    labels = {"labels/train/sub/b.txt": "3 0.5 0.25 0.10 1e-3\n0 0.30000000000000004 0.5 0.1 0.2\n",
              "labels/train/a.txt": "1 0.1 0.1 0.9 0.1 0.9 0.9000 0.5 0.5\n", "labels/val/c.txt": "0 0.5 0.5 1 1\n",
              "labels/val/empty.txt": ""}
    for name, text in labels.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)
    inlet.cli("import", data / "data.yaml", "--format", "yolo")
    with tarfile.open(fileobj=io.BytesIO(inlet.cli("export", "--format", "yolo").stdout)) as tar:
        got = {m.name: tar.extractfile(m).read().decode() for m in tar}
    classes = got.pop("data.yaml")
    assert got == labels
    for line in ('train: "images/train"', 'val: "images/val"', '  0: "cat"', '  1: "bird\'s"', '  3: "a dog"'):
        assert line in classes.splitlines()
    assert "test:" not in classes


def test_yolo_of_boxes_in_pixels(inlet, data):
    pictures(data, "a.png", "b.png")
    (data / "B.csv").write_text("path,label,split,xmin,ymin,xmax,ymax\na.png,cat,val,160,240,320,360\nb.png,owl,,,,,\n")
    inlet.cli("import", data / "B.csv")
    done = inlet.cli("export", "--format", "yolo")
    assert done.stderr.decode() == "inlet: left out: 1 label that yolo cannot say\n"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        got = {m.name: tar.extractfile(m).read().decode() for m in tar}
    name, = [n for n in got if n.startswith("labels/val/") and n.endswith("-a.txt")]
    assert [float(x) for x in got[name].split()] == [0, 0.375, 0.625, 0.25, 0.25]
    assert len(got) == 2 and '  0: "cat"' in got["data.yaml"]
