#!/usr/bin/env python3
"""samples.py - makes a first inbox of real photos and texts that packages carry: samples.py INBOX SCRATCH-FOLDER."""
import gzip
import os
import shutil
import subprocess
import sys
import zipfile

WHEEL = "scikit-image==0.26.0"  # ships its example photographs, all in the public domain or CC0
PHOTOS = ["chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png", "motorcycle_left.png", "camera.png"]
DEBS = {  # Debian's FAQ in other languages
    "debian-faq-de": ("usr/share/doc/debian/FAQ/debian-faq.de.txt.gz", "fragen.txt"),
    "debian-faq-fr": ("usr/share/doc/debian/FAQ/debian-faq.fr.txt.gz", "questions.txt"),
}
LICENCE = "/usr/share/common-licenses/Artistic"  # of base-files, on every Debian


def photos(inbox, scratch):
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", scratch, WHEEL]
    subprocess.run(pip, check=True)
    wheel = next(name for name in os.listdir(scratch) if name.startswith("scikit_image") and name.endswith(".whl"))
    with zipfile.ZipFile(os.path.join(scratch, wheel)) as archive:
        for name in PHOTOS:
            with archive.open(f"skimage/data/{name}") as source, open(os.path.join(inbox, name), "wb") as copy:
                shutil.copyfileobj(source, copy)
    shutil.copy(os.path.join(inbox, "coffee.png"), os.path.join(inbox, "coffee-again.png"))  # one item, two references


def texts(inbox, scratch):
    shutil.copy(LICENCE, os.path.join(inbox, "artistic-licence.txt"))
    for package, (path, name) in DEBS.items():
        tree = os.path.join(scratch, package)
        if not os.path.exists(os.path.join(tree, path)):
            subprocess.run(["apt-get", "download", "-qq", package], check=True, cwd=scratch, stderr=subprocess.DEVNULL)
            deb = next(name for name in os.listdir(scratch) if name.startswith(package + "_"))
            subprocess.run(["dpkg-deb", "-x", os.path.join(scratch, deb), tree], check=True)
        with gzip.open(os.path.join(tree, path)) as source, open(os.path.join(inbox, name), "wb") as copy:
            shutil.copyfileobj(source, copy)


def main():
    inbox, scratch = sys.argv[1], os.path.abspath(sys.argv[2])
    if os.path.isdir(inbox):
        return 0  # it is the user's
    os.makedirs(scratch, exist_ok=True)
    fresh = inbox + ".part"  # appears whole or not at all
    shutil.rmtree(fresh, ignore_errors=True)
    os.mkdir(fresh)
    print(f"  INBOX {inbox}/: {len(PHOTOS) + 1} photos, {len(DEBS) + 1} texts")
    photos(fresh, scratch)
    try:
        texts(fresh, scratch)
    except subprocess.CalledProcessError:
        print("  INBOX texts in other languages left out: apt-get download failed (apt-get update may help)")
    os.rename(fresh, inbox)
    return 0


if __name__ == "__main__":
    sys.exit(main())
