"""Manifests written by the tools themselves (tests/data/tools/make.py): what is imported is what the tool reads back."""

import json
import pathlib
import shutil
import struct

import pytest
from conftest import REPO

TOOLS = REPO / "tests/data/tools"
SIZE = (64, 48)


@pytest.fixture
def imported(inlet, tmp_path):
    """A function that imports a manifest beside the files that it names, and gives the labels by reference."""
    inlet.write_config(normalize=False)

    def run(path, *files):
        folder = tmp_path / "data"
        shutil.copytree(TOOLS / pathlib.Path(path).parent, folder, dirs_exist_ok=True)
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        answer = json.loads(inlet.cli("import", folder / pathlib.Path(path).name, "--json").stdout)
        assert answer["failed"] == 0
        return {r["key"]: i["annotations"] for i in inlet.items() for r in i["references"]}
    return run


def said(tool):
    return json.loads((TOOLS / tool / "says.json").read_text())


def single(numbers):
    """As a tool reads them that keeps 32 bits of each."""
    return [struct.unpack("f", struct.pack("f", n))[0] for n in numbers]


def as_datumaro(label):
    """A COCO annotation is one label here, and a box and a shape there."""
    concept, geometry, more = label["concept"], label["geometry"], label["attributes"]
    crowd = {"is_crowd": bool(more["iscrowd"]), **more.get("attributes", {})}
    if geometry["kind"] == "box":
        return [[concept, "bbox", single(geometry["box"]), crowd]]
    box = [concept, "bbox", single(more["bbox"]), crowd]
    if geometry["kind"] == "polygon":
        ring, = geometry["rings"]
        return [box, [concept, "polygon", ring, {}]]
    if geometry["kind"] == "keypoints":
        points = [n for i, n in enumerate(geometry["points"]) if i % 3 < 2]
        assert geometry["names"] == ["nose", "tail", "ear"] and geometry["points"][2::3] == [2, 1, 0]
        return [box, [concept, "points", points, {}]]
    from pycocotools import mask
    run = mask.frPyObjects({"counts": geometry["counts"], "size": geometry["rle_size"]}, *geometry["rle_size"])
    return [box, [concept, "mask", [int(mask.area(run))], {}]]


@pytest.mark.parametrize("part, manifest", [("coco", "instances_train.json"), ("keypoints", "person_keypoints_train.json")])
def test_coco_by_datumaro(imported, part, manifest):
    labels = imported(f"datumaro/{part}/annotations/{manifest}", "a.jpg", "sub/b.jpg", "zebra é.jpg")
    assert {k.removesuffix(".jpg"): sorted(one for a in v for one in as_datumaro(a)) for k, v in labels.items()} == said("datumaro")[part]


def test_yolo_by_datumaro(imported):
    labels = imported("datumaro/yolo/data.yaml")
    for name, boxes in said("datumaro")["yolo"].items():
        path, = (p for p in (TOOLS / "datumaro/yolo/images").rglob("*.jpg") if p.stem == name)
        lines = pathlib.Path(str(path.with_suffix(".txt")).replace("/images/", "/labels/")).read_text().split("\n")
        here = labels[f"./{path.relative_to(TOOLS / 'datumaro/yolo')}"]
        assert [a["geometry"]["box"] for a in here] == [list(map(float, line.split()[1:])) for line in lines if line]
        seen = sorted([a["concept"], "bbox", *pixels(a["geometry"]["box"])] for a in here)
        assert seen == [[concept, kind, *(round(n, 2) for n in box)] for concept, kind, box, _ in boxes]


def pixels(box):
    x, y, w, h = box
    return [round(n, 2) for n in ((x - w / 2) * SIZE[0], (y - h / 2) * SIZE[1], w * SIZE[0], h * SIZE[1])]


# ---- Label Studio ----

def as_region(label):
    """The members of a rectangle's value."""
    geometry = label["geometry"]
    assert (geometry["kind"], geometry["unit"], geometry["form"]) == ("box", "percent", "xywh")
    return {**dict(zip(("x", "y", "width", "height"), geometry["box"])), "rotation": geometry["rotation"],
            "rectanglelabels": [label["concept"]]}


def results(task, part="annotations"):
    return task[part][0]["result"]


def test_tasks_by_the_sdk_of_label_studio(imported):
    image, text = json.loads((TOOLS / "labelstudio/sdk.json").read_text())
    labels = imported("labelstudio/sdk.json", "a.png")
    human, machine = labels.pop("./a.png")
    assert (as_region(human), human["status"]) == (results(image)[0]["value"], "ANNOTATION_SUCCESS")
    assert (as_region(machine), machine["status"]) == (results(image, "predictions")[0]["value"], "ANNOTATION_AWAITING_REVIEW")
    assert (machine["confidence"], machine["maker"], human["maker"]) == (0.75, "machine", "human")
    (mood, span), = labels.values()
    choice, name = (r["value"] for r in results(text))
    assert ([mood["concept"]], "geometry" in mood) == (choice["choices"], False)
    assert ([span["concept"]], span["geometry"]["start"], span["geometry"]["end"]) == (name["labels"], name["start"], name["end"])
    assert [a["attributes"]["id"] for a in (human, machine, mood, span)] == [
        r["id"] for r in (*results(image), *results(image, "predictions"), *results(text))]


@pytest.mark.parametrize("export", ["tasks.json", "to_json_min/result.json", "to_csv/result.csv"])
def test_a_task_and_its_exports_say_the_same(imported, export):
    task, = json.loads((TOOLS / "labelstudio/tasks.json").read_text())
    labels, = imported(f"labelstudio/{export}", "a.png").values()
    assert [as_region(a) for a in labels] == [r["value"] for r in results(task)]
    assert all(a["geometry"]["size"] == list(SIZE) for a in labels)


def test_a_brushed_mask_of_label_studio(imported):
    task, = json.loads((TOOLS / "labelstudio/brush.json").read_text())
    (label,), = imported("labelstudio/brush.json", "a.png").values()
    assert (label["geometry"]["encoding"], label["geometry"]["counts"]) == ("labelstudio", results(task)[0]["value"]["rle"])


def test_coco_by_the_converter_of_label_studio(imported):
    """It is written over many lines."""
    coco = json.loads((TOOLS / "labelstudio/to_coco/result.json").read_text())
    name = coco["images"][0]["file_name"]
    labels = imported("labelstudio/to_coco/result.json", name)[name]
    names = {c["id"]: c["name"] for c in coco["categories"]}
    assert [(a["concept"], a["geometry"]["box"]) for a in labels] == [(names[a["category_id"]], a["bbox"]) for a in coco["annotations"]]


def test_tasks_that_the_converter_makes_of_coco(imported):
    task, = json.loads((TOOLS / "labelstudio/from-coco.json").read_text())
    labels, = imported("labelstudio/from-coco.json", task["data"]["image"]).values()
    assert [as_region(a) for a in labels] == [r["value"] for r in results(task)]


# ---- Hugging Face ----

@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_lists_by_datasets(inlet, imported, kind):
    rows = said("datasets")[kind]
    labels = imported(f"datasets/{kind}/metadata.{kind}", *(r["file_name"] for r in rows))
    assert list(labels) == [r["file_name"] for r in rows]
    for row in rows:
        whole = [a["concept"] for a in labels[row["file_name"]] if "geometry" not in a]
        boxes = [(a["geometry"]["box"], a["concept"]) for a in labels[row["file_name"]] if "geometry" in a]
        objects = row.get("objects", {"bbox": [], "categories": []})
        assert whole == [row["label"]]
        assert boxes == [(b, str(c)) for b, c in zip(objects["bbox"], objects["categories"])]
        shown, = json.loads(inlet.text("show", inlet.item(row["file_name"])["id"], "--json"))["rows"]
        assert shown["row"]["metadata"] == {"text": row["text"]}
