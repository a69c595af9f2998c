"""Labels on pictures come in and go out again the same, and from one format into another where both can say them."""

import json
import pathlib

import pytest
from media import png

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)
PYCOCOTOOLS = pathlib.Path(__file__).resolve().parents[1] / "data/manifest/pycocotools.json"


@pytest.fixture
def data(tmp_path):
    it = tmp_path / "data"
    it.mkdir()
    return it


def typed(value):
    """As the value, but 1, 1.0 and True are three things."""
    if isinstance(value, dict):
        return {k: typed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [typed(v) for v in value]
    return (type(value).__name__, value)


def export(inlet, form, *args, left=""):
    done = inlet.cli("export", "--format", form, *args)
    assert done.stderr.decode() == (f"inlet: left out: {left}\n" if left else "")
    return done.stdout.decode()


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
    text = export(inlet, "coco", "--review")
    assert typed(coco(text)) == typed(coco(json.dumps(RICH)))
    inlet.cli("rebuild-index")
    assert export(inlet, "coco", "--review") == text


def test_coco_as_pycocotools_writes_it(inlet, data):
    it = json.loads(PYCOCOTOOLS.read_text())
    for i, image in enumerate(it["images"]):
        (data / image["file_name"]).write_bytes(png(image["width"], image["height"], [RED, GREEN, BLUE][i]))
    (data / "C.json").write_bytes(PYCOCOTOOLS.read_bytes())
    inlet.cli("import", data / "C.json")
    text = export(inlet, "coco")
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
    it = coco(export(inlet, "coco"))
    assert [(i["id"], i["file_name"]) for i in it["images"]] == [(4, "one.jpg"), (8, "two.jpg")]
    assert [(c["id"], c["name"]) for c in it["categories"]] == [(1, "one"), (2, "both"), (3, "two")]
    assert [(a["id"], a["image_id"], a["category_id"]) for a in it["annotations"]] == [(6, 4, 2), (7, 4, 1), (13, 8, 2), (14, 8, 3)]
