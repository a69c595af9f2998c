"""Writes the manifests in this folder with the tools themselves, and says.json beside them: what each tool reads back from its own
file. Each part runs where its package is installed, for together they are gigabytes:

    python3 make.py datumaro       # datumaro 1.13.12
    python3 make.py labelstudio    # label-studio-sdk 2.1.2
    python3 make.py datasets       # datasets 5.2.0
"""

import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
SIZE = (64, 48)
NAMES = ["a", "sub/b", "zebra é"]


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def says(folder, what):
    (folder / "says.json").write_text(json.dumps(what, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


# ---- datumaro: COCO with boxes, polygons, masks, keypoints and attributes; YOLO as Ultralytics reads it ----

def datumaro():
    import datumaro as dm
    import numpy as np
    mask = np.zeros(SIZE[::-1], dtype=np.uint8)
    mask[5:20, 10:30] = 1
    mask[12:15, 14:22] = 0
    boxes = [dm.Bbox(1.5, 2.25, 10.125, 7, label=0, id=1, group=1, attributes={"occluded": True, "color": "red"}),
             dm.Bbox(0, 0, 64, 48, label=2, id=2, group=2)]
    shapes = [dm.Polygon([1, 2, 30, 4, 20, 40.5], label=1, id=3, group=3), dm.Mask(mask, label=0, id=4, group=4)]
    points = [dm.Points([1, 2, 3, 4, 5, 6], [2, 1, 0], label=0, id=5, group=5), dm.Bbox(1, 2, 9, 8, label=0, id=5, group=5)]

    def dataset(per_item, with_points=False, subsets=("train",) * 3, names=NAMES):
        items = [dm.DatasetItem(id=name, subset=s, media=dm.Image.from_numpy(np.full((*SIZE[::-1], 3), n * 40, np.uint8)), annotations=a)
                 for n, (name, a, s) in enumerate(zip(names, per_item, subsets))]
        categories = {dm.AnnotationType.label: dm.LabelCategories.from_iterable(["cat", "dog", "a, b"])}
        if with_points:
            categories[dm.AnnotationType.points] = dm.PointsCategories.from_iterable([(0, ["nose", "tail", "ear"])])
        return dm.Dataset.from_iterable(items, categories=categories, media_type=dm.Image)

    def read(path, kind):
        back = dm.Dataset.import_from(str(path), kind)
        names = [c.name for c in back.categories()[dm.AnnotationType.label]]
        return {item.id: sorted(one(a, names) for a in item.annotations) for item in back}

    def one(a, names):
        kind = a.type.name
        if kind == "bbox":
            return [names[a.label], kind, list(a.get_bbox()), {k: v for k, v in sorted(a.attributes.items())}]
        if kind == "mask":
            return [names[a.label], kind, [int(a.image.sum())], {}]
        return [names[a.label], kind, list(map(float, a.points)), {}]

    folder = fresh("datumaro")  # fractions are rounded and folders within YOLO lost by datumaro itself: it reads back what it wrote
    everything = dataset([boxes, shapes, []])
    everything.export(str(folder / "coco"), "coco_instances", save_media=False)
    dataset([points, [], []], True).export(str(folder / "keypoints"), "coco_person_keypoints", save_media=False)
    dataset([boxes, [], boxes[1:]], subsets=("train", "train", "val"), names=["a", "b", "zebra é"]).export(str(folder / "yolo"), "yolo_ultralytics", save_media=True)
    said = {"coco": read(folder / "coco", "coco_instances"), "keypoints": read(folder / "keypoints", "coco_person_keypoints"),
            "yolo": read(folder / "yolo", "yolo")}
    says(folder, said)
    for part in ("coco", "keypoints"):
        (folder / part / "images").rmdir()


# ---- Label Studio: tasks by its SDK, and what its converter makes of COCO and of its own tasks ----

IMAGE_CONFIG = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels></View>"""
TEXT_CONFIG = """<View><Text name="text" value="$text"/>
<Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices>
<Labels name="ner" toName="text"><Label value="PER"/><Label value="LOC"/></Labels></View>"""


def labelstudio():
    import numpy as np
    from label_studio_sdk.converter import Converter, brush
    from label_studio_sdk.converter.imports.coco import convert_coco_to_ls
    from label_studio_sdk.label_interface import LabelInterface
    from label_studio_sdk.label_interface.objects import AnnotationValue, PredictionValue, TaskValue
    folder = fresh("labelstudio")
    images, texts = LabelInterface(IMAGE_CONFIG), LabelInterface(TEXT_CONFIG)
    box = images.get_control("label").label(["cat"], x=10.5, y=20.25, width=30, height=40.125, rotation=15)
    second = images.get_control("label").label(["dog"], x=0, y=0, width=100, height=100, rotation=0)
    mood = texts.get_control("mood").label(["good"])
    span = texts.get_control("ner").label(["PER"], start=0, end=4)
    tasks = [TaskValue(id=7, data={"image": "./a.png"},
                       annotations=[AnnotationValue(result=[box], completed_by=1)],
                       predictions=[PredictionValue(model_version="m1", score=0.75, result=[second])]),
             TaskValue(id=8, data={"text": "Anna lives in Rome"}, annotations=[AnnotationValue(result=[mood, span], completed_by=1)])]
    plain = [json.loads(t.model_dump_json()) for t in tasks]
    (folder / "sdk.json").write_text(json.dumps(plain, indent=1))
    mask = np.zeros(SIZE[::-1], dtype=np.uint8)
    mask[5:20, 10:30] = 255
    brushed = [{"id": 9, "data": {"image": "./a.png"}, "annotations": [{"result": [{
        "id": "m1", "from_name": "tag", "to_name": "image", "type": "brushlabels", "original_width": SIZE[0], "original_height": SIZE[1],
        "image_rotation": 0, "value": {"format": "rle", "rle": brush.mask2rle(mask), "brushlabels": ["cat"]}}]}]}]
    (folder / "brush.json").write_text(json.dumps(brushed))
    source = folder / "tasks.json"
    shown = {"original_width": SIZE[0], "original_height": SIZE[1], "image_rotation": 0}
    regions = [{**r, **shown} for part in (plain[0]["annotations"], plain[0]["predictions"]) for r in part[0]["result"]]
    source.write_text(json.dumps([{"id": 7, "data": {"image": "./a.png"},
                                   "annotations": [{"id": 1, "completed_by": {"id": 1}, "result": regions}]}]))
    converter = Converter(IMAGE_CONFIG, str(folder), download_resources=False)
    for kind in ("to_coco", "to_json_min", "to_csv"):
        to = folder / kind
        getattr(converter, "convert_" + kind)(str(source), str(to), is_dir=False, **({"sep": ","} if kind == "to_csv" else {}))
    convert_coco_to_ls(str(folder / "to_coco/result.json"), str(folder / "from-coco.json"), use_super_categories=False, image_root_url=".")
    (folder / "from-coco.label_config.xml").unlink()
    (folder / "to_coco/images").rmdir()
    decoded = brush.decode_rle(brushed[0]["annotations"][0]["result"][0]["value"]["rle"]).reshape(*SIZE[::-1], 4)
    said = {"mask": int((decoded[:, :, 3] > 0).sum())}
    says(folder, said)


# ---- datasets: lists beside files ----

def datasets():
    import datasets as hf
    folder = fresh("datasets")
    rows = {"file_name": ["a.png", "b.png"], "label": ["cat", "a, \"quoted\" dog"], "text": ["one\ntwo", "zebra é"],
            "objects": [{"bbox": [[1.5, 2.0, 3.0, 4.25]], "categories": [0]}, {"bbox": [], "categories": []}]}
    data = hf.Dataset.from_dict(rows)
    for kind in ("jsonl", "csv"):
        (folder / kind).mkdir()
    data.to_json(str(folder / "jsonl/metadata.jsonl"))
    data.remove_columns(["objects"]).to_csv(str(folder / "csv/metadata.csv"))
    back = hf.load_dataset("json", data_files=str(folder / "jsonl/metadata.jsonl"), split="train", cache_dir=str(folder / "cache"))
    table = hf.load_dataset("csv", data_files=str(folder / "csv/metadata.csv"), split="train", cache_dir=str(folder / "cache"))
    says(folder, {"jsonl": list(back), "csv": list(table)})
    shutil.rmtree(folder / "cache")


if __name__ == "__main__":
    {"datumaro": datumaro, "labelstudio": labelstudio, "datasets": datasets}[sys.argv[1]]()
