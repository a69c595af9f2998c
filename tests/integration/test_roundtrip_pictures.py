"""Labels on pictures come in and go out again the same, and from one format into another where both can say them."""

import json
import pathlib
import struct

import pytest
from lists import exported, typed
from media import CAT, png, wav

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)
PYCOCOTOOLS = pathlib.Path(__file__).resolve().parents[1] / "data/manifest/pycocotools.json"


@pytest.fixture
def data(tmp_path):
    it = tmp_path / "data"
    it.mkdir()
    return it


# ---- COCO ----

def coco(text):
    """A COCO file whose lists are in the order of ids, which COCO leaves open."""
    it = json.loads(text)
    for name in "images", "annotations", "categories":
        if name in it:
            it[name] = sorted(it[name], key=lambda entry: entry["id"])
    return it


RICH = {
    "info": {"year": 2017, "version": "1.0", "description": "all that COCO can say", "contributors": [{"name": "ann", "share": 0.10}]},
    "licenses": [{"id": 7, "name": "CC", "url": "http://h/"}],
    "videos": [{"id": 1, "frames": 12345678901234567890}],
    "categories": [{"id": 18, "name": "dog", "supercategory": "animal"},
                   {"id": 1, "name": "person", "supercategory": "person", "keypoints": ["nose", "eye"], "skeleton": [[1, 2]]},
                   {"id": 3, "name": "dog", "supercategory": "toy"}, {"id": 90, "name": "never seen"}],
    "images": [{"id": 900, "file_name": "a/x.jpg", "width": 64, "height": 48, "license": 7, "date_captured": "2013-11-14 17:02:52"},
               {"id": 12, "file_name": "b.jpg", "width": 64, "height": 48, "flickr_url": "http://f/b.jpg", "score": 1.0},
               {"id": 13, "file_name": "b again.jpg", "width": 64, "height": 48},  # the same picture
               {"id": 14, "file_name": "./none.jpg", "width": 64, "height": 48.0}],
    "annotations": [
        {"id": 5, "image_id": 900, "category_id": 18, "bbox": [1, 2.5, 30.000000000000004, 40], "area": 1200.5, "iscrowd": 0,
         "segmentation": [], "score": 0.12345678901234566},
        {"id": 9007199254740993, "image_id": 900, "category_id": 3, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "ignore": 0},
        {"id": 6, "image_id": 900, "category_id": 18, "iscrowd": 0, "area": 40.5, "bbox": [0, 0, 9, 9.5],
         "segmentation": [[0, 0, 9, 0, 9, 9.5], [1, 1, 2, 1, 2, 2]]},
        {"id": 7, "image_id": 900, "category_id": 1, "iscrowd": 1, "area": 5, "bbox": [0, 0, 1, 5],
         "segmentation": {"counts": [0, 5, 3067], "size": [48, 64]}},
        {"id": 8, "image_id": 12, "category_id": 1, "iscrowd": 1, "area": 5, "bbox": [0, 0, 1, 5],
         "segmentation": {"size": [48, 64], "counts": "05oo2"}, "attributes": {"occluded": True, "note": None}},
        {"id": 11, "image_id": 12, "category_id": 1, "keypoints": [1, 2, 2, 0, 0, 0], "num_keypoints": 1, "bbox": [0, 0, 2, 2],
         "area": 4, "iscrowd": 0, "segmentation": [[0, 0, 2, 0, 2, 2.25]]},
        {"id": 20, "image_id": 13, "category_id": 18, "bbox": [1, 1, 1, 1], "area": 1, "iscrowd": 0},
        {"id": 21, "image_id": 13, "category_id": 18, "bbox": [1, 1, 1, 1], "area": 1, "iscrowd": 0},  # drawn twice
        {"id": 22, "image_id": 12, "category_id": 18, "bbox": [0, 0, 64, 48], "area": 3072, "iscrowd": 0,
         "attributes": {"image_level": True}}],
}


def rich_files(data):
    (data / "a").mkdir()
    (data / "a/x.jpg").write_bytes(png(64, 48, RED))
    for name in "b.jpg", "b again.jpg":
        (data / name).write_bytes(png(64, 48, BLUE))
    (data / "none.jpg").write_bytes(png(64, 48, GREEN))


def test_coco_comes_back_as_it_was(inlet, data):
    rich_files(data)
    (data / "C.json").write_text(json.dumps(RICH))
    inlet.cli("import", data / "C.json")
    text = exported(inlet, "coco", "--review")
    assert typed(coco(text)) == typed(coco(json.dumps(RICH)))
    inlet.cli("rebuild-index")
    assert exported(inlet, "coco", "--review") == text


def test_coco_as_pycocotools_writes_it(inlet, data):
    it = json.loads(PYCOCOTOOLS.read_text())
    for i, image in enumerate(it["images"]):
        (data / image["file_name"]).write_bytes(png(image["width"], image["height"], [RED, GREEN, BLUE][i]))
    (data / "C.json").write_bytes(PYCOCOTOOLS.read_bytes())
    inlet.cli("import", data / "C.json")
    text = exported(inlet, "coco")
    assert typed(coco(text)) == typed(coco(PYCOCOTOOLS.read_text()))


def test_coco_files_with_the_same_ids_are_one_dataset(inlet, data):
    """Ids of the second file are moved behind those of the first, categories of one name are one."""
    for name, colour, category in ("one", RED, 1), ("two", BLUE, 2):
        (data / f"{name}.jpg").write_bytes(png(64, 48, colour))
        (data / f"{name}.json").write_text(json.dumps({
            "images": [{"id": 4, "file_name": f"{name}.jpg", "width": 64, "height": 48}],
            "categories": [{"id": 1, "name": name}, {"id": category + 1, "name": "both"}],
            "annotations": [{"id": 6, "image_id": 4, "category_id": category + 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0},
                            {"id": 7, "image_id": 4, "category_id": 1, "bbox": [1, 2, 3, 5], "area": 15, "iscrowd": 0}]}))
        inlet.cli("import", data / f"{name}.json")
    it = coco(exported(inlet, "coco"))
    assert [(i["id"], i["file_name"]) for i in it["images"]] == [(4, "one.jpg"), (8, "two.jpg")]
    assert [(c["id"], c["name"]) for c in it["categories"]] == [(1, "one"), (2, "both"), (3, "two")]
    assert [(a["id"], a["image_id"], a["category_id"]) for a in it["annotations"]] == [(6, 4, 2), (7, 4, 1), (13, 8, 2), (14, 8, 3)]


def test_coco_images_of_one_file_stay_apart(inlet, data):
    """As datasets have them that were made of several: no label of either is lost, and each is its own image again."""
    (data / "a.jpg").write_bytes(png(64, 48, RED))
    it = {"images": [{"id": n, "file_name": "a.jpg", "width": 64, "height": 48} for n in (7, 30, 4)],
          "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
          "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0},
                          {"id": 2, "image_id": 30, "category_id": 2, "bbox": [5, 6, 7, 8], "area": 56, "iscrowd": 0},
                          {"id": 3, "image_id": 30, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}]}
    (data / "C.json").write_text(json.dumps(it))
    done = inlet.cli("import", data / "C.json")
    for second in 7, 30:
        assert f"the images 4 and {second} are both 'a.jpg': one picture gets the labels of both" in done.stderr.decode()
    assert len(inlet.items()) == 1
    assert typed(coco(exported(inlet, "coco"))) == typed(coco(json.dumps(it)))
    before = inlet.status()["store"]["revision"]
    inlet.cli("import", data / "C.json")
    assert inlet.status()["store"]["revision"] == before


# ---- Label Studio ----

SIZE = {"original_width": 64, "original_height": 48, "image_rotation": 0}


def result(name, kind, value, **more):
    return {"id": name, "from_name": "l", "to_name": "image", "type": kind, "value": value, **more}


TASKS = [
    {"id": 7, "data": {"image": "a%20b.png", "note": "x", "meta": 3}, "meta": {"k": 1.0}, "project": 4, "total_annotations": 2, "drafts": [],
     "file_upload": None, "created_at": "2024-01-01T00:00:00Z",
     "predictions": [{"id": 3, "model_version": "v1", "score": 0.9, "result": [
         result("r1", "rectanglelabels", {"x": 1.50, "y": 2, "width": 10.000000000000002, "height": 20.125, "rotation": 15.5,
                                          "rectanglelabels": ["cat", "pet"]}, score=0.12345678901234566, **SIZE),
         {"from_name": "c", "to_name": "image", "type": "choices", "value": {"choices": ["indoor", "day"]}, **SIZE}]},
         {"model_version": "v2", "result": []}],
     "annotations": [
         {"id": 1, "completed_by": {"id": 3, "email": "a@b"}, "lead_time": 12.75, "ground_truth": False, "was_cancelled": False,
          "result": [
              result("r1", "rectanglelabels", {"x": 1, "y": 2, "width": 10, "height": 20, "rotation": 0, "rectanglelabels": ["dog"]}, **SIZE),
              result("p", "polygonlabels", {"points": [[1, 2.5], [3, 4], [5, 6.0]], "closed": True, "polygonlabels": ["road"]}, **SIZE),
              result("k", "keypointlabels", {"x": 1, "y": 2, "width": 0.5, "keypointlabels": ["nose"]}, **SIZE),
              result("e", "ellipselabels", {"x": 1, "y": 2, "radiusX": 3, "radiusY": 4, "rotation": 5, "ellipselabels": ["ball"]}, parentID=None),
              result("b", "brushlabels", {"format": "rle", "rle": [0, 1, 2, 255], "brushlabels": ["sky"]}, **SIZE),
              result("n", "rectangle", {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0}, origin="manual", **SIZE),
              result("t", "textarea", {"text": ["hello", "again"]}, meta={"text": ["a remark"]}),
              result("g", "rating", {"rating": 4}), result("x", "taxonomy", {"taxonomy": [["a", "b"], ["c"]]}),
              {"from_id": "p", "to_id": "k", "type": "relation", "direction": "right", "labels": ["has", "holds"]},
              {"from_id": "p", "to_id": "r1", "type": "relation"},
              result("r2", "rectanglelabels", {"x": 1, "y": 2, "width": 10, "height": 20, "rotation": 0, "rectanglelabels": ["dog"]}, **SIZE)]},
         {"id": 2, "completed_by": 9, "was_cancelled": True, "result": [result("c2", "choices", {"choices": ["bad"]})]},
         {"id": 5, "completed_by": 9, "result": []}]},
    {"id": "eight", "data": {"text": "To be \u00e9 or not", "lang": "en"}, "annotations": [{"completed_by": 2, "result": [
        {"id": "s", "from_name": "l", "to_name": "text", "type": "labels", "value": {"start": 0, "end": 2, "text": "To", "labels": ["V"]}},
        {"id": "h", "from_name": "l", "to_name": "text", "type": "hypertextlabels",
         "value": {"start": "/p[1]", "end": "/p[1]", "startOffset": 1, "endOffset": 2, "hypertextlabels": ["N"]}}]}]},
    {"id": 9, "data": {"audio": "/data/local-files/?d=a%20b.wav"}, "annotations": [{"result": [
        {"id": "s", "from_name": "l", "to_name": "audio", "type": "labels", "original_length": 3.5,
         "value": {"start": 0.5, "end": 2.25, "channel": 0, "labels": ["Speech"]}}]}], "predictions": []},
    {"id": 10, "data": {"video": "v.mp4", "frames_per_second": 25}, "annotations": [{"result": [
        {"id": "v", "from_name": "l", "to_name": "video", "type": "videorectangle", "value": {"framesCount": 9, "duration": 0.36, "labels": ["car"],
         "sequence": [{"frame": 1, "enabled": True, "x": 1.5, "y": 2, "width": 3, "height": 4, "rotation": 0, "time": 0.04}]}}]}]},
    {"text": "without data", "kind": 1},
]


def task_files(data):
    (data / "a%20b.png").write_bytes(png(64, 48, RED))
    (data / "a b.wav").write_bytes(wav())
    (data / "v.mp4").write_bytes(b"not really a video")


def test_label_studio_tasks_come_back_as_they_were(inlet, data):
    task_files(data)
    (data / "T.json").write_text(json.dumps(TASKS, indent=1))
    inlet.cli("import", data / "T.json")
    text = exported(inlet, "labelstudio")
    assert typed(json.loads(text)) == typed(TASKS)
    inlet.cli("rebuild-index")
    assert exported(inlet, "labelstudio") == text


def test_a_file_url_stays_one(inlet, data):
    task_files(data)
    tasks = [{"data": {"image": f"file://{data}/a%2520b.png"}}]
    (data / "T.json").write_text(json.dumps(tasks))
    inlet.cli("import", data / "T.json")
    assert json.loads(exported(inlet, "labelstudio")) == tasks


def test_what_a_person_makes_of_a_prediction_is_an_annotation(inlet, data):
    task_files(data)
    (data / "T.json").write_text(json.dumps([TASKS[0]]))
    inlet.cli("import", data / "T.json")
    number, = {i["id"] for i in inlet.items()}
    inlet.cli("accept", number, "pet")
    inlet.cli("reject", number, "indoor")
    task, = json.loads(exported(inlet, "labelstudio"))
    assert task["annotations"][:3] == TASKS[0]["annotations"]
    accepted, = task["annotations"][3:]
    assert accepted["worker"].startswith("user:")
    assert accepted["result"] == [{**TASKS[0]["predictions"][0]["result"][0], "value": {
        **TASKS[0]["predictions"][0]["result"][0]["value"], "rectanglelabels": ["pet"]}}]
    assert [r["value"].get("rectanglelabels") or r["value"]["choices"] for r in task["predictions"][0]["result"]] == [["cat"], ["day"]]


# ---- from one into the other ----

def test_text_files_stay_files_in_label_studio(inlet, data):
    (data / "a.txt").write_text("good day")
    (data / "M.csv").write_text("path,label\na.txt,x\n")
    inlet.cli("import", data / "M.csv")
    inlet.cli("export", "--format", "labelstudio", "-o", data / "T.json")
    inlet.cli("import", data / "T.json")
    item, = inlet.items()
    assert [a["concept"] for a in item["annotations"]] == ["x", "x"]


def test_coco_into_label_studio(inlet, data):
    rich_files(data)
    boxes = {**RICH, "annotations": [a for a in RICH["annotations"] if a["image_id"] == 900]}
    (data / "C.json").write_text(json.dumps(boxes))
    inlet.cli("import", data / "C.json")
    tasks = json.loads(exported(inlet, "labelstudio", left="2 labels that labelstudio cannot say"))  # two rings, run lengths
    first, = (t for t in tasks if t["data"]["image"] == "a/x.jpg")
    shapes = [r["value"] for r in first["annotations"][0]["result"]]
    assert shapes[0] == {"x": 1 / 64 * 100, "y": 2.5 / 48 * 100, "width": pytest.approx(30 / 64 * 100), "height": pytest.approx(40 / 48 * 100),
                         "rotation": 0, "rectanglelabels": ["dog"]}
    assert len(tasks) == 4 and len(shapes) == 2


def test_label_studio_into_coco(inlet, data):
    task_files(data)
    (data / "T.json").write_text(json.dumps([TASKS[0]]))
    inlet.cli("import", data / "T.json")
    it = json.loads(exported(inlet, "coco", left="6 labels that coco cannot say"))
    name = {c["id"]: c["name"] for c in it["categories"]}
    boxes = {(name[a["category_id"]], *a["bbox"]) for a in it["annotations"] if not a["attributes"]["image_level"]}
    assert ("dog", 0.64, 0.96, 6.4, 9.6) in {(n, *(round(v, 9) for v in box)) for n, *box in boxes}
    assert [(i["file_name"], i["width"], i["height"]) for i in it["images"]] == [("a%20b.png", 64, 48)]


# ---- CVAT ----

def test_cvat_manifest_comes_back_as_it_was(inlet, data):
    (data / "dir").mkdir()
    (data / "dir/img1.jpg").write_bytes(png(64, 48, RED))
    (data / "img.2.png").write_bytes(png(64, 48, BLUE))
    lines = [{"version": "1.0"}, {"type": "images"},
             {"name": "dir/img1", "extension": ".jpg", "width": 64, "height": 48, "meta": {"related_images": [1.50]}, "checksum": "abc"},
             {"name": "img.2", "extension": ".png", "width": 64, "height": 48, "meta": {}}]
    (data / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    inlet.cli("import", data / "manifest.jsonl")
    text = exported(inlet, "cvat")
    assert [typed(json.loads(line)) for line in text.splitlines()] == [typed(line) for line in lines]


def test_cvat_manifest_of_other_pictures(inlet, data):
    """It lists pictures and nothing else; what it cannot say is counted."""
    rich_files(data)
    (data / "C.json").write_text(json.dumps(RICH))
    inlet.cli("import", data / "C.json")
    text = exported(inlet, "cvat", left="9 labels that cvat cannot say")
    assert [json.loads(line) for line in text.splitlines()[:3]] == [
        {"version": "1.1"}, {"type": "images"}, {"name": "b", "extension": ".jpg", "width": 64, "height": 48, "meta": {}}]
    assert len(text.splitlines()) == 6


# ---- pictures that EXIF turns ----

def turned_photo(orientation):
    """The cat, 288 by 192 as it is stored, with an EXIF orientation."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    return CAT[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + CAT[2:]


def test_numbers_of_the_raw_picture_become_those_of_the_upright_one(inlet, data):
    (data / "cat.jpg").write_bytes(turned_photo(6))
    (data / "C.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "cat.jpg", "width": 288, "height": 192}], "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 144, 48], "area": 6912, "iscrowd": 0}]}))
    inlet.cli("import", data / "C.json")
    item, = inlet.items()
    assert (item["width"], item["height"]) == (192, 288)
    task, = json.loads(exported(inlet, "labelstudio"))
    shape = task["annotations"][0]["result"][0]
    assert (shape["original_width"], shape["original_height"]) == (192, 288)
    assert [shape["value"][k] for k in ("x", "y", "width", "height")] == pytest.approx([75, 0, 25, 50])
    assert json.loads(exported(inlet, "coco"))["annotations"][0]["bbox"] == [0, 0, 144, 48]  # of the size that the file declares


def test_numbers_of_the_upright_picture_are_coco_s_of_the_upright_one(inlet, data):
    (data / "cat.jpg").write_bytes(turned_photo(6))
    (data / "T.json").write_text(json.dumps([{"data": {"image": "./cat.jpg"}, "annotations": [{"result": [
        {"id": "a", "from_name": "l", "to_name": "image", "type": "rectanglelabels", "original_width": 192, "original_height": 288,
         "value": {"x": 75, "y": 0, "width": 25, "height": 50, "rotation": 0, "rectanglelabels": ["cat"]}}]}]}]))
    inlet.cli("import", data / "T.json")
    it = json.loads(exported(inlet, "coco"))
    assert [(i["width"], i["height"]) for i in it["images"]] == [(192, 288)]
    assert it["annotations"][0]["bbox"] == pytest.approx([144, 0, 48, 144])


def test_numbers_that_no_picture_has_do_not_end_an_export(inlet, data):
    for name, color in ("a.png", RED), ("b.png", GREEN):
        (data / name).write_bytes(png(64, 48, color))
    (data / "C.json").write_text('{"images":[{"id":1,"file_name":"a.png","width":1e300,"height":1e300}],"annotations":[],"categories":[]}')
    (data / "T.json").write_text(json.dumps([{"data": {"image": "./b.png"}, "annotations": [{"result": [
        {"id": "a", "from_name": "l", "to_name": "image", "type": "rectanglelabels", "original_width": 64, "original_height": 48,
         "value": {"x": 10, "y": 10, "width": 25, "height": 50, "rotation": 1.7e308, "rectanglelabels": ["cat"]}}]}]}]))
    inlet.cli("import", data / "C.json", "--format", "coco")
    item, = inlet.items()
    inlet.cli("label", item["id"], "dog")
    inlet.cli("import", data / "T.json")
    it = json.loads(exported(inlet, "coco", left="1 label that coco cannot say"))
    assert [a["area"] for a in it["annotations"]] == [64 * 48]
