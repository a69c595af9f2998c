"""`inlet export --format yolo`: a folder that a trainer can use as it is, and the tar of its labels."""

import json
import os
import resource
import signal
import subprocess
import tarfile

import pytest
from conftest import BUILD
from lists import imported
from media import png

YAML = "train: images/train\nval: images/val\nnames: [cat, dog]\n"


@pytest.fixture
def data(tmp_path):
    it = tmp_path / "data"
    it.mkdir()
    return it


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def dataset(data, files, yaml=YAML):
    """A YOLO dataset of pictures, each with its label lines, or None for no file of labels."""
    pictures = {}
    for split in ("train", "val"):
        (data / "images" / split).mkdir(parents=True)
    (data / "data.yaml").write_text(yaml)
    for n, (name, lines) in enumerate(files.items()):
        pictures[name] = png(64, 48, (n % 256, n // 256, 7))
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(pictures[name])
        if lines is not None:
            labels = data / (name.replace("images/", "labels/").rsplit(".", 1)[0] + ".txt")
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_text(lines)
    return pictures


def listed(*names):
    """As JSON spells it, for data.yaml."""
    return "names:\n" + "".join(f"  {n}: {json.dumps(name)}\n" for n, name in enumerate(names))


def test_a_folder_for_a_trainer_that_reads_back_as_it_is(inlet, make_inlet, data):
    long = "long name " * 20
    pictures = dataset(data, {"images/train/a.png": "0 0.5 0.5 0.25 0.10\n1 0.1 0.1 0.9 0.1 0.5 0.5\n", f"images/train/sub/{long}.png": "1 0.5 0.5 1 1\n",
                              "images/val/b.png": "", "images/val/none.png": None})
    inlet.cli("import", data / "data.yaml")
    out = inlet.root / "out"
    done = inlet.cli("export", "--format", "yolo", "-o", out)
    assert done.stderr.decode() == "inlet: left out: 1 picture without such labels\n"
    assert done.stdout.decode().startswith(f"{out}: 3 pictures, ")
    got = tree(out)
    assert got.pop("data.yaml").decode() == 'train: "images/train"\nval: "images/val"\n' + listed("cat", "dog")
    del pictures["images/val/none.png"]
    assert {n: b for n, b in got.items() if n.startswith("images/")} == pictures
    assert {n: b.decode() for n, b in got.items() if n.startswith("labels/")} == {
        "labels/train/a.txt": "0 0.5 0.5 0.25 0.10\n1 0.1 0.1 0.9 0.1 0.5 0.5\n", f"labels/train/sub/{long}.txt": "1 0.5 0.5 1 1\n",
        "labels/val/b.txt": ""}
    assert not (inlet.root / "out.part").exists() and not (out / ".inlet-export").exists()
    other = make_inlet("other")
    assert imported(other, out / "data.yaml")["failed"] == 0
    other.cli("export", "--format", "yolo", "-o", other.root / "again")
    assert tree(other.root / "again") == tree(out)


def test_every_picture_keeps_its_name_and_no_two_have_one(inlet, data):
    """Watched files, two lists and three folders that all have an a.png."""
    inlet.put("a.png", png(9, 9, (1, 1, 1)))
    inlet.put("sub/a.png", png(9, 9, (2, 2, 2)))
    inlet.once()
    for part in ("one", "two"):
        (data / part).mkdir()
    first = dataset(data / "one", {"images/train/a.png": "0 0.5 0.5 1 1\n"})
    second = dataset(data / "two", {"images/train/a.png": "1 0.5 0.5 1 1\n", "images/train/b.png": "1 0.5 0.5 0.5 0.5\n"})
    second["images/train/a.png"] = png(64, 48, (9, 9, 9))
    (data / "two/images/train/a.png").write_bytes(second["images/train/a.png"])
    (data / "B.csv").write_text(f"path,label,split,xmin,ymin,xmax,ymax\n{inlet.inbox}/a.png,cat,val,1,1,5,5\n{inlet.inbox}/sub/a.png,cat,val,1,1,5,5\n")
    inlet.cli("import", data / "one/data.yaml")
    inlet.cli("import", data / "two/data.yaml")
    inlet.cli("import", data / "B.csv", "--root", inlet.inbox)
    outs = [inlet.root / f"out{n}" for n in range(2)]
    for out in outs:
        inlet.cli("export", "--format", "yolo", "-o", out)
    got = tree(outs[0])
    assert got == tree(outs[1])
    images = {n: b for n, b in got.items() if n.startswith("images/")}
    assert images["images/train/a.png"] == first["images/train/a.png"]
    assert images["images/train/b.png"] == second["images/train/b.png"]
    assert sorted(images.values()) == sorted([*first.values(), *second.values(), png(9, 9, (1, 1, 1)), png(9, 9, (2, 2, 2))])
    numbered = sorted(n for n in images if n.endswith("-a.png"))
    assert [n.split("/")[1] for n in numbered] == ["train", "val", "val"]
    for name in images:
        assert got[name.replace("images/", "labels/").replace(".png", ".txt")]


def test_where_a_folder_may_come(inlet, data):
    dataset(data, {"images/train/a.png": "0 0.5 0.5 1 1\n"})
    inlet.cli("import", data / "data.yaml")
    out = inlet.root / "out"

    def refused(name, words):
        done = inlet.cli("export", "--format", "yolo", "-o", name, ok=(1,), cwd=inlet.root)
        assert words in done.stderr.decode()

    out.mkdir()
    (out / "mine").write_text("mine")
    refused(out, "is not empty")
    assert tree(out) == {"mine": b"mine"}
    refused(inlet.inbox / "out", "lies inside the folder that source 'drop' watches")
    refused(inlet.config, "is there and is no folder")
    refused(".", "cannot be made anew")
    refused(inlet.root / "nowhere/out", "No such file or directory")
    (inlet.root / "link").symlink_to(data)
    refused("link", "is there and is no folder")
    (out / "mine").unlink()
    part = inlet.root / "out.part"
    part.mkdir()
    (part / "theirs").write_text("theirs")
    refused(out, "remove it, or name another folder")
    assert tree(part) == {"theirs": b"theirs"}
    (part / "theirs").unlink()
    inlet.cli("export", "--format", "yolo", "-o", f"{out}/")  # an empty folder of the name is no hindrance
    assert set(tree(out)) == {"data.yaml", "images/train/a.png", "labels/train/a.txt"} and not part.exists()
    assert (out / "images/val").is_dir()
    inlet.cli("export", "--format", "yolo", "-o", inlet.root / "labels.tar")
    assert tarfile.is_tarfile(inlet.root / "labels.tar")


def test_killed_while_it_writes_the_same_command_makes_it_whole(inlet, data):
    pictures = dataset(data, {f"images/train/{n}.png": "0 0.5 0.5 1 1\n" for n in range(9)})
    pictures["images/train/5.png"] += os.urandom(200_000)
    (data / "images/train/5.png").write_bytes(pictures["images/train/5.png"])
    inlet.write_config(normalize=False)  # what nobody has looked at yet is a picture because its list says so
    inlet.cli("import", data / "data.yaml")
    out, part = inlet.root / "out", inlet.root / "out.part"
    command = [BUILD / "inlet", "--config", inlet.config, "export", "--format", "yolo", "-o", out]
    killed = subprocess.run(command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    assert killed.returncode == -signal.SIGXFSZ
    assert not out.exists() and "images/train/4.png" in tree(part) and "images/train/6.png" not in tree(part)
    inlet.cli("export", "--format", "yolo", "-o", out)
    assert {n: b for n, b in tree(out).items() if n.startswith("images/")} == pictures
    assert not part.exists() and not (out / ".inlet-export").exists()


def test_a_picture_whose_bytes_are_damaged_is_told_and_the_others_are_there(inlet, data):
    pictures = dataset(data, {"images/train/good.png": "0 0.5 0.5 1 1\n", "images/train/bad.png": "1 0.5 0.5 1 1\n"})
    inlet.cli("import", data / "data.yaml")
    bad = pictures["images/train/bad.png"]
    segment, = (p for p in inlet.state.rglob("*.tar") if bad in p.read_bytes())
    segment.write_bytes(segment.read_bytes().replace(bad, bad[:-1] + b"?"))
    out = inlet.root / "out"
    done = inlet.cli("export", "--format", "yolo", "-o", out, ok=(3,))
    number, = (i["id"] for i in inlet.items() for a in i["annotations"] if a["concept"] == "dog")
    assert done.stderr.decode() == (f"inlet: left out with their labels: 1 picture that could not be read: item {number}: "
                                    "what came are not its bytes; `inlet verify` tells more\n")
    assert set(tree(out)) == {"images/train/good.png", "labels/train/good.txt", "data.yaml"}


def test_the_tar_has_long_names_and_a_folder_for_the_split_that_nobody_has(inlet, make_inlet, data):
    long = "/".join(["a folder of forty characters, or nearly.", "ü" * 100, "x" * 60])
    pictures = dataset(data, {f"images/train/{long}.png": "0 0.5 0.5 1 1\n", "images/train/a.png": "1 0.5 0.5 1 1\n"})
    inlet.cli("import", data / "data.yaml")
    text = inlet.cli("export", "--format", "yolo").stdout
    listed = subprocess.run(["tar", "t", "--quoting-style=literal"], input=text, capture_output=True, check=True)
    assert listed.stderr == b""
    assert set(listed.stdout.decode().splitlines()) == {f"labels/train/{long}.txt", "labels/train/a.txt", "images/val/", "data.yaml"}
    other = make_inlet("other")
    there = other.root / "dataset"
    for name, bytes_ in pictures.items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(bytes_)
    subprocess.run(["tar", "x", "-C", there], input=text, check=True)
    answer = imported(other, there / "data.yaml")
    assert (answer["failed"], len(other.items())) == (0, 2)
    assert other.cli("export", "--format", "yolo").stdout == text
