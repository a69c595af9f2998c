"""make bench: Inlet beside its peers on the same tree in the same run. Ratios and medians are what counts; absolute times are
this machine's. Each timed run starts warm, the variants alternate, own CPU stands beside wall time, memory is the peak of
RssAnon + RssShmem with file-backed pages beside it. Nothing here is a test: it only reports.

INLET_BENCH_DIR: where the trees are made (default: a temporary folder); INLET_BENCH: parts to run, e.g. "cold,noop" (s3-small,
s3-large, s3-noop and s3-million are parts of their own too, see s3.py);
INLET_BENCH_SCALE: share of the full size (1.0), INLET_BENCH_RUNS: timed runs a variant (3)."""

import csv
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("INLET_BUILD", REPO / "build"))
SCALE = float(os.environ.get("INLET_BENCH_SCALE", "1"))
RUNS = int(os.environ.get("INLET_BENCH_RUNS", "3"))
PARTS = os.environ.get("INLET_BENCH", "cold,index,noop,large,label,manifest,s3").split(",")
CORES = os.cpu_count() or 1


class Memory(threading.Thread):
    """The peak of a process's anonymous and shared memory, and of its file-backed pages, looked at every 20 ms."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.status, self.own, self.file, self.over = f"/proc/{pid}/status", 0, 0, False

    def run(self):
        while not self.over:
            try:
                rows = dict(line.split(":", 1) for line in open(self.status).read().splitlines())
                kib = {k: int(rows[k].split()[0]) for k in ("RssAnon", "RssShmem", "RssFile")}
            except (OSError, KeyError, ValueError):
                return
            self.own = max(self.own, kib["RssAnon"] + kib["RssShmem"])
            self.file = max(self.file, kib["RssFile"])
            time.sleep(0.02)


def timed(command, limit_s=None, **kw):
    """(wall s, own CPU s, peak own MiB, peak file MiB) of one command; None: it was not done after limit_s, and was ended."""
    start = time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **kw)
    memory = Memory(p.pid)
    memory.start()
    limit = threading.Timer(limit_s or threading.TIMEOUT_MAX, p.kill)
    limit.daemon = True
    limit.start()
    errors = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    wall = time.monotonic() - start
    limit.cancel()
    memory.over = True
    memory.join()
    if limit_s and wall >= limit_s:
        return None
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        sys.exit(f"{command} failed:\n{errors.decode(errors='replace')[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, memory.own / 1024, memory.file / 1024


def compare(title, variants, base, warm, limit_s=None):
    """variants: name -> (prepare, command). Alternates them, prints medians and the ratio to `base`. Who takes longer than limit_s is
    named and left out."""
    seen = {name: [] for name in variants}
    for _ in range(RUNS):
        for name in list(seen):
            prepare, command, kw = variants[name]
            prepare()
            os.sync()
            warm()
            result = timed(command, limit_s, **kw)
            if result:
                seen[name].append(result)
            else:
                print(f"{title}: {name} was not done after {limit_s} s: left out")
                del seen[name]
    median = {name: [statistics.median(run[i] for run in runs) for i in range(4)] for name, runs in seen.items()}
    print(f"\n{title}\n{'':34} {'wall s':>8} {'ratio':>7} {'CPU s':>8} {'MiB':>7} {'+file':>7}   all walls")
    for name, (wall, cpu, own, file) in median.items():
        walls = " ".join(f"{run[0]:.2f}" for run in seen[name])
        print(f"{name:34} {wall:8.2f} {wall / median[base][0]:7.2f} {cpu:8.2f} {own:7.1f} {file:7.1f}   {walls}")
    sys.stdout.flush()
    return median


def make_tree(root, files, size, per_dir):
    if root.exists():
        return
    rng = random.Random(1)
    block = rng.randbytes(1 << 20)
    for n in range(files):
        if n % per_dir == 0:
            folder = root / f"d{n // per_dir:05}"
            folder.mkdir(parents=True)
        with open(folder / f"f{n:07}.bin", "wb") as f:
            if size:
                at = rng.randrange(len(block) - size)
                f.write(n.to_bytes(8, "little") + block[at:at + size - 8])
    os.sync()


def warm_tree(root):
    def warm():
        subprocess.run(f"find {root} -type f -print0 | xargs -0 -P{CORES} -n500 cat >/dev/null", shell=True, check=True)
    return warm


def config(work, tree, **more):
    settings = {"state_dir": str(work / "state"), "sources": [{"name": "tree", "folder": {"path": str(tree), "settle": "0s"}}],
                "models": [], "normalize": False, "limits": {"reserve": "64MiB"}}
    settings.update(more)
    path = work / "inlet.yaml"
    path.write_text(json.dumps(settings))
    return path


def remove(*paths):
    def prepare():
        for p in paths:
            shutil.rmtree(p, ignore_errors=True)
    return prepare


def shell(text):
    return ["sh", "-c", text]


def cold(work):
    files = int(100_000 * SCALE)
    tree = work / "cold"
    make_tree(tree, files, 10_000, 1000)
    conf = config(work, tree)
    xargs = f"find {tree} -type f -print0 | xargs -0 -P{CORES} -n500"
    variants = {
        "find | xargs sha256sum": (lambda: None, shell(f"{xargs} sha256sum"), {}),
        "find | xargs openssl dgst": (lambda: None, shell(f"{xargs} openssl dgst -sha256 -r"), {}),
        "inletd --once": (remove(work / "state"), [BUILD / "inletd", "--config", conf, "--once"], {}),
        "cp -r": (remove(work / "copy"), ["cp", "-r", tree, work / "copy"], {}),
    }
    if shutil.which("restic"):
        env = dict(os.environ, RESTIC_PASSWORD="bench", RESTIC_REPOSITORY=str(work / "restic"), RESTIC_CACHE_DIR=str(work / "cache"))

        def init():
            remove(work / "restic", work / "cache")()
            subprocess.run(["restic", "init"], env=env, check=True, capture_output=True)
        variants["restic backup"] = (init, ["restic", "backup", tree], {"env": env})
    else:
        print("restic is not installed: left out (apt install restic)")
    compare(f"cold ingest, {files} files of 10 KB, durable", variants, "find | xargs sha256sum", warm_tree(tree))
    remove(work / "copy", work / "restic", work / "state", work / "cache", tree)()


def index(work):
    """The committer alone, on objects whose bytes stay where they are."""
    count = int(1_000_000 * SCALE)
    print(f"\nindex, {count} new items, durable")
    for _ in range(RUNS):
        remove(work / "index")()
        (work / "index").mkdir()
        subprocess.run([BUILD / "bench-index", work / "index", str(count)], check=True)
    remove(work / "index")()


def noop(work):
    files = int(1_000_000 * SCALE)
    tree = work / "noop"
    make_tree(tree, files, 0, 1000)
    conf = config(work, tree)
    remove(work / "state")()
    timed([BUILD / "inletd", "--config", conf, "--once"])

    def warm():
        subprocess.run(["find", tree, "-printf", "%s %T@\\n"], stdout=subprocess.DEVNULL, check=True)
    compare(f"no-op rescan, {files} files", {
        "find -printf": (lambda: None, ["find", tree, "-printf", "%s %T@\\n"], {}),
        "inletd --once": (lambda: None, [BUILD / "inletd", "--config", conf, "--once"], {}),
    }, "find -printf", warm)
    remove(work / "state", tree)()


def large(work):
    size = int((4 << 30) * SCALE)
    tree = work / "large"
    tree.mkdir(exist_ok=True)
    block = random.Random(2).randbytes(1 << 20)
    with open(tree / "big.bin", "wb") as f:
        for n in range(size >> 20):
            f.write(n.to_bytes(8, "little") + block[8:])
    os.sync()
    copy, ref = work / "copy.d", work / "ref.d"
    copy.mkdir(exist_ok=True)
    ref.mkdir(exist_ok=True)
    by_copy = config(copy, tree)
    by_ref = config(ref, tree, sources=[{"name": "tree", "folder": {"path": str(tree), "settle": "0s", "store": "reference"}}])
    compare(f"one file of {size >> 20} MiB", {
        "openssl dgst -sha256": (lambda: None, ["openssl", "dgst", "-sha256", tree / "big.bin"], {}),
        "inletd, store: reference": (remove(ref / "state"), [BUILD / "inletd", "--config", by_ref, "--once"], {}),
        "dd conv=fdatasync": (lambda: (work / "dd").unlink(missing_ok=True),
                              ["dd", f"if={tree / 'big.bin'}", f"of={work / 'dd'}", "bs=1M", "conv=fdatasync"], {}),
        "inletd, store: copy": (remove(copy / "state"), [BUILD / "inletd", "--config", by_copy, "--once"], {}),
    }, "openssl dgst -sha256", lambda: subprocess.run(["cat", tree / "big.bin"], stdout=subprocess.DEVNULL, check=True))
    (work / "dd").unlink(missing_ok=True)
    remove(copy, ref, tree)()


def label(work):
    """Photos of the samples, each made different; decode and model alone are the same program with a part left out."""
    photos = [p for p in (REPO / "inbox").glob("*") if p.suffix in (".jpg", ".jpeg")]
    if not photos:
        print("no photos in ./inbox: `make inbox` puts some there; pre-labeling left out")
        return
    count = int(600 * SCALE)
    tree = work / "photos"
    tree.mkdir(exist_ok=True)
    for n in range(count):
        data = photos[n % len(photos)].read_bytes()
        (tree / f"p{n:05}.jpg").write_bytes(data + n.to_bytes(8, "little"))  # bytes after the end marker: new content, same picture
    full, decode = work / "full.d", work / "decode.d"
    full.mkdir(exist_ok=True)
    decode.mkdir(exist_ok=True)
    card = {"models": [{"card": str(REPO / "config/models/image-default.yaml")}], "normalize": True}
    with_model, alone = config(full, tree, **card), config(decode, tree, normalize=True)
    bench = BUILD / "bench-model"
    variants = {
        "decode alone (no model)": (remove(decode / "state"), [BUILD / "inletd", "--config", alone, "--once"], {}),
        "inletd with the model": (remove(full / "state"), [BUILD / "inletd", "--config", with_model, "--once"], {}),
    }
    if bench.exists():
        variants["model alone, ready tensors"] = (lambda: None, [bench, REPO / "config/models/image-default.yaml", str(count)], {})
    median = compare(f"pre-labeling, {count} photos", variants, "inletd with the model", warm_tree(tree))
    if bench.exists():
        both = median["decode alone (no model)"][0] + median["model alone, ready tensors"][0]
        print(f"what decode and model on their own allow on {CORES} cores: {count / both:.1f}/s; "
              f"inletd: {count / median['inletd with the model'][0]:.1f}/s = {both / median['inletd with the model'][0]:.0%}")
    remove(full, decode, tree)()


PYTHON = "python csv.reader"
SDK = """import sys
from clarifai.client.input import Inputs
Inputs.get_inputs_from_csv(csv_path=sys.argv[1], input_type="image", csv_type="url", labels=True)"""


def manifest(work):
    """A Clarifai CSV of local paths: every row made, labels and metadata read, beside Python's csv, which cuts fields only, and the
    Clarifai SDK's reader, which makes its requests (as of URLs: so it opens no file). And all of `inlet import`, where the rows name
    1,000 files over and over, each row an item's reference of its own: read, hashed, durable, labelled."""
    rows, path, files = int(1_000_000 * SCALE), work / "clarifai.csv", work / "images"
    for n in range(1000):
        (files / f"{n:03}.jpg").parent.mkdir(parents=True, exist_ok=True)
        (files / f"{n:03}.jpg").write_bytes(b"image %d" % n * 20)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["inputid", "input", "concepts", "metadata", "geopoints"])
        for n in range(rows):
            k = n % 1000
            out.writerow([f"item-{n:07}", files / f"{k:03}.jpg", "cat,dog" if k % 3 else "cat", "{'source': 'camera %d'}" % (n % 7),
                          "8.55,47.37" if n % 5 == 0 else ""])
    python = "import csv, sys\nfor row in csv.reader(open(sys.argv[1], newline='')): pass"
    settings, state = config(work, files, sources=[]), work / "state"
    variants = {
        PYTHON: (lambda: None, [sys.executable, "-c", python, path], {}),
        "manifest reader": (lambda: None, [BUILD / "bench-manifest", path], {}),
    }
    own = os.environ.get("INLET_BENCH_CLARIFAI", sys.executable)  # a Python that has the SDK, which brings 270 MB
    if subprocess.run([own, "-c", "import clarifai"], capture_output=True).returncode == 0:
        variants["clarifai SDK's reader"] = (lambda: None, [own, "-c", SDK, path], {})
    else:
        print("clarifai SDK: not installed (INLET_BENCH_CLARIFAI names a Python that has it)")
    median = compare(f"manifest, {rows} rows of Clarifai CSV", variants, PYTHON, lambda: path.read_bytes())
    for name, (wall, cpu, _, _) in median.items():
        print(f"{name}: {rows / wall:,.0f} rows a second, {rows / cpu:,.0f} of its own CPU")
    wall, cpu, own_mib, _ = timed([BUILD / "inlet", "--config", settings, "import", path])  # once: it takes minutes
    print(f"inlet import of the same, 1,000 files over and over: {wall:.1f} s, {rows / wall:,.0f} rows a second, {wall / median[PYTHON][0]:.0f}x "
          f"csv.reader; the client {cpu:.1f} s of CPU and {own_mib:.1f} MiB")
    path.unlink()
    remove(state, files)()


def s3(*parts):
    def run(work):
        import s3 as part  # its servers and clients are not needed by the rest
        part.run(work, parts)
    return run


def main():
    base = os.environ.get("INLET_BENCH_DIR")
    work = pathlib.Path(base or tempfile.mkdtemp(prefix="inlet-bench-"))
    work.mkdir(exist_ok=True)
    try:
        for part in PARTS:
            {"cold": cold, "index": index, "noop": noop, "large": large, "label": label,
             "manifest": manifest, "s3": s3("s3-small", "s3-large", "s3-noop"), "s3-small": s3("s3-small"),
             "s3-large": s3("s3-large"), "s3-noop": s3("s3-noop"), "s3-million": s3("s3-million")}[part](work)
    finally:
        if not base:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
