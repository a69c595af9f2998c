"""The watched folder, against a running daemon: whatever is done to a tree, the ledger tells it as it is."""

import base64
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from conftest import PLAIN_USER, sha256, wait_for

IN_Q_OVERFLOW = 0x4000
IN_EVENTS = 0x0FFF


def wait_for_keys(inlet, *keys):
    wait_for(f"exactly {keys}, last {inlet.keys()}", lambda: inlet.keys() == sorted(keys))


def contents(inlet):
    return {i["sha256"] for i in inlet.items()}


# ---- what appears ----

def test_nested_directories_made_at_once(inlet):
    inlet.start()
    subprocess.run("for n in 1 2 3 4 5; do mkdir -p $n/b/c && echo $n > $n/b/c/f; done", shell=True, cwd=inlet.inbox, check=True)
    wait_for_keys(inlet, *(f"{n}/b/c/f" for n in range(1, 6)))


def test_a_hard_link_is_a_reference_more(inlet):
    inlet.put("sub/a.txt", "linked")
    inlet.start()
    wait_for_keys(inlet, "sub/a.txt")
    os.link(inlet.inbox / "sub/a.txt", inlet.inbox / "b.txt")
    wait_for_keys(inlet, "b.txt", "sub/a.txt")
    assert len(inlet.items()) == 1


@pytest.mark.parametrize("closed_first", [True, False], ids=["linked-after-writing", "closed-after-linking"])
def test_an_unnamed_file_that_gets_its_name(inlet, closed_first):
    inlet.start()
    fd = os.open(inlet.inbox, os.O_TMPFILE | os.O_WRONLY, 0o644)
    os.write(fd, b"no name at first")
    source = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    links = os.open("/proc/self/fd", os.O_RDONLY)
    if closed_first:
        os.close(fd)
    os.link(str(source), inlet.inbox / "named.txt", src_dir_fd=links, follow_symlinks=True)
    if not closed_first:
        os.close(fd)
    os.close(source)
    os.close(links)
    wait_for_keys(inlet, "named.txt")
    assert contents(inlet) == {sha256(b"no name at first")}


def test_a_file_renamed_into_the_folder(inlet):
    inlet.start()
    outside = inlet.root / "outside.txt"
    outside.write_text("moved in")
    outside.rename(inlet.inbox / "inside.txt")
    wait_for_keys(inlet, "inside.txt")


def test_a_directory_renamed_into_the_folder(inlet):
    inlet.start()
    tree = inlet.root / "tree"
    (tree / "deep/er").mkdir(parents=True)
    (tree / "a.txt").write_text("a")
    (tree / "deep/er/b.txt").write_text("b")
    tree.rename(inlet.inbox / "tree")
    wait_for_keys(inlet, "tree/a.txt", "tree/deep/er/b.txt")
    (inlet.inbox / "tree/deep/er/c.txt").write_text("watched as well")
    wait_for_keys(inlet, "tree/a.txt", "tree/deep/er/b.txt", "tree/deep/er/c.txt")


def test_a_directory_of_another_name_keeps_its_items(inlet):
    for n in range(20):
        inlet.put(f"old/{n % 3}/{n}.txt", f"text {n}")
    inlet.start()
    wait_for("20 files", lambda: len(inlet.keys()) == 20)
    before = {i["id"]: i["sha256"] for i in inlet.items()}
    (inlet.inbox / "old").rename(inlet.inbox / "new")
    wait_for_keys(inlet, *(f"new/{n % 3}/{n}.txt" for n in range(20)))
    assert {i["id"]: i["sha256"] for i in inlet.items()} == before
    inlet.put("new/1/more.txt", "more")
    wait_for("a file in the renamed directory", lambda: "new/1/more.txt" in inlet.keys())


def test_a_name_taken_by_another_file(inlet):
    """What editors do to save: write beside, rename over."""
    inlet.put("doc.txt", "first")
    inlet.start()
    wait_for_keys(inlet, "doc.txt")
    inlet.put("doc.txt.new", "second")
    (inlet.inbox / "doc.txt.new").rename(inlet.inbox / "doc.txt")
    wait_for("the new content", lambda: (inlet.item("doc.txt") or {}).get("sha256") == sha256(b"second"))
    wait_for_keys(inlet, "doc.txt")


# ---- what changes ----

def test_a_file_in_the_hands_of_its_writer_is_left_alone(inlet):
    inlet.start()
    with open(inlet.inbox / "slow.txt", "wb", buffering=0) as slow:
        slow.write(b"one half, ")
        inlet.put("quick.txt", "whole")
        wait_for("the file beside it", lambda: "quick.txt" in inlet.keys())
        assert inlet.keys() == ["quick.txt"]
        slow.write(b"and the other")
    wait_for_keys(inlet, "quick.txt", "slow.txt")
    assert contents(inlet) == {sha256(b"whole"), sha256(b"one half, and the other")}


def test_a_growing_file_settles_first(inlet):
    inlet.folder(settle="2s")
    inlet.start()
    for n in range(15):  # opened and closed each time: only the settle time protects it
        with open(inlet.inbox / "grows.txt", "ab") as f:
            f.write(b"line %d\n" % n)
        time.sleep(0.1)
    whole = (inlet.inbox / "grows.txt").read_bytes()
    wait_for_keys(inlet, "grows.txt")
    assert [i["sha256"] for i in inlet.items()] == [sha256(whole)]


def test_a_file_truncated_in_place(inlet):
    inlet.put("log.txt", "long " * 1000)
    inlet.start()
    wait_for_keys(inlet, "log.txt")
    os.truncate(inlet.inbox / "log.txt", 10)
    wait_for("the short content", lambda: (inlet.item("log.txt") or {}).get("sha256") == sha256(b"long long "))
    assert [len(i["references"]) for i in inlet.items()] == [0, 1]
    assert inlet.source()["objects"]["present"] == 1


def test_a_change_that_keeps_size_and_time(inlet):
    path = inlet.put("same.txt", "AAAA")
    inlet.start()
    wait_for_keys(inlet, "same.txt")
    times = os.stat(path)
    path.write_bytes(b"BBBB")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    wait_for("the other content", lambda: inlet.item("same.txt")["sha256"] == sha256(b"BBBB"))


def test_deleted_files_leave_items_and_labels(inlet):
    inlet.put("keep/a.txt", "labelled")
    inlet.start()
    wait_for_keys(inlet, "keep/a.txt")
    inlet.cli("label", 1, "mine")
    shutil.rmtree(inlet.inbox / "keep")
    wait_for_keys(inlet)
    item = inlet.items()[0]
    assert item["references"] == [] and [a["concept"] for a in item["annotations"]] == ["mine"]
    assert inlet.source()["objects"] | {"present": 0, "gone": 1} == inlet.source()["objects"]


def test_a_file_that_comes_back_is_known(inlet):
    inlet.put("a.txt", "back again")
    inlet.start()
    wait_for_keys(inlet, "a.txt")
    (inlet.inbox / "a.txt").rename(inlet.root / "away")
    wait_for_keys(inlet)
    (inlet.root / "away").rename(inlet.inbox / "a.txt")
    wait_for_keys(inlet, "a.txt")
    assert len(inlet.items()) == 1
    assert inlet.source()["objects"] | {"present": 1, "gone": 0} == inlet.source()["objects"]


def test_a_file_becomes_a_directory_and_a_file_again(inlet):
    inlet.put("x", "a file")
    inlet.start()
    wait_for_keys(inlet, "x")
    (inlet.inbox / "x").unlink()
    inlet.put("x/y", "below")
    wait_for_keys(inlet, "x/y")
    shutil.rmtree(inlet.inbox / "x")
    inlet.put("x", "a file")
    wait_for_keys(inlet, "x")


# ---- what is no file ----

def test_links_never_lead_out_nor_around(inlet):
    (inlet.root / "secret.txt").write_text("not in the folder")
    inlet.put("d/real.txt", "real")
    (inlet.inbox / "self").symlink_to("self")
    (inlet.inbox / "d/up").symlink_to("..")
    (inlet.inbox / "out.txt").symlink_to(inlet.root / "secret.txt")
    (inlet.inbox / "dir-out").symlink_to(inlet.root)
    inlet.start()
    wait_for_keys(inlet, "d/real.txt")
    (inlet.inbox / "later").symlink_to("d")
    inlet.put("d/next.txt", "next")
    wait_for_keys(inlet, "d/next.txt", "d/real.txt")
    wait_for("five links skipped", lambda: inlet.source()["objects"]["skipped"] == 5)


def test_pipes_and_sockets_are_counted_and_passed_over(inlet):
    inlet.start()
    os.mkfifo(inlet.inbox / "pipe")
    with socket.socket(socket.AF_UNIX) as s:
        here = os.open(inlet.inbox, os.O_RDONLY)
        s.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
        inlet.put("file.txt", "a file")
        wait_for_keys(inlet, "file.txt")
        wait_for("two skipped", lambda: inlet.source()["objects"]["skipped"] == 2)
    assert inlet.failures() == []
    (inlet.inbox / "pipe").unlink()
    wait_for("one skipped", lambda: inlet.source()["objects"]["skipped"] == 1)


def test_names_of_unfinished_files_are_passed_over(inlet):
    inlet.folder(ignore=["*.bak"])
    for name in ("a.part", "b.crdownload", ".c.txt.Zk3xQ9", "d.bak", "e.txt~"):
        inlet.put(name, name)
    inlet.put("f.txt", "taken")
    inlet.start()
    wait_for_keys(inlet, "f.txt")
    (inlet.inbox / "a.part").rename(inlet.inbox / "a.txt")
    wait_for_keys(inlet, "a.txt", "f.txt")


def test_names_of_any_bytes_in_a_running_daemon(inlet):
    inlet.start()
    names = [b"new\nline/in\ndir", b"bad\xff\xfe/\xc3\x28", b"n" * 255 + b"/" + b"m" * 255, b"\x1b[31mred", b"-rf"]
    root = os.fsencode(inlet.inbox)
    for n, name in enumerate(names):
        os.makedirs(os.path.dirname(root + b"/" + name), exist_ok=True)
        with open(root + b"/" + name, "wb") as f:
            f.write(b"content %d" % n)

    def keys():
        refs = [r for i in inlet.items() for r in i["references"]]
        return {r["key"].encode() if "key" in r else base64.b64decode(r["key_base64"]) for r in refs}

    wait_for("every name, to the byte", lambda: keys() == set(names))
    table = inlet.cli("items").stdout
    assert b"\x1b" not in table and len(table.splitlines()) == len(names) + 1, "a name drives no terminal"
    os.unlink(root + b"/" + names[1])
    wait_for("one less", lambda: keys() == set(names) - {names[1]})


# ---- what cannot be read ----

def test_an_unreadable_file_is_told_and_taken_up_when_readable(inlet):
    inlet.prefix = PLAIN_USER
    inlet.put("closed.txt", "closed").chmod(0)
    inlet.put("open.txt", "open")
    inlet.start()
    wait_for_keys(inlet, "open.txt")
    failure = wait_for("the failure", lambda: inlet.failure("closed.txt"))
    assert failure["class"] == "retry" and "closed.txt" in failure["reason"] and "Permission denied" in failure["reason"]
    assert "chmod" in failure["cure"]
    (inlet.inbox / "closed.txt").chmod(0o600)
    wait_for_keys(inlet, "closed.txt", "open.txt")
    assert inlet.failures() == []


def test_an_unreadable_directory_hides_nothing_else_and_nothing_is_gone(inlet):
    inlet.prefix = PLAIN_USER
    inlet.put("closed/a.txt", "a")
    inlet.put("open/b.txt", "b")
    inlet.once()
    (inlet.inbox / "closed").chmod(0)
    try:
        inlet.put("open/c.txt", "c")
        inlet.start()
        wait_for("the file beside it", lambda: "open/c.txt" in inlet.keys())
        message = wait_for("the message", lambda: inlet.source()["message"])
        assert "folder 'closed'" in message and "setfacl" in message
        assert inlet.keys() == ["closed/a.txt", "open/b.txt", "open/c.txt"]
        (inlet.inbox / "closed").chmod(0o700)
        inlet.put("closed/d.txt", "d")
        wait_for("the directory again", lambda: "closed/d.txt" in inlet.keys())
        wait_for("no message any more", lambda: not inlet.source()["message"])
    finally:
        (inlet.inbox / "closed").chmod(0o700)


# ---- the root ----

def test_a_root_that_was_never_there(inlet):
    inlet.inbox.rmdir()
    assert b"1 source offline" in inlet.once(ok=(3,)).stdout
    assert inlet.source()["kind"] == "folder", "also where no pass has told the ledger"


def test_a_root_that_is_missing_at_the_start_is_offline(inlet):
    inlet.put("a.txt", "alpha")
    inlet.once()
    inlet.inbox.rename(inlet.root / "away")
    inlet.start()
    source = wait_for("offline", lambda: inlet.source() if inlet.source()["state"] == "offline" else None)
    assert str(inlet.inbox) in source["message"] and source["objects"]["present"] == 1
    assert inlet.keys() == ["a.txt"]
    (inlet.root / "away").rename(inlet.inbox)
    wait_for("live", lambda: inlet.source()["state"] == "live")
    inlet.put("b.txt", "beta")
    wait_for_keys(inlet, "a.txt", "b.txt")


def test_a_root_that_never_was_is_watched_once_it_is_made(inlet):
    inlet.inbox.rmdir()
    inlet.start()
    wait_for("offline", lambda: inlet.source()["state"] == "offline")
    inlet.put("first/a.txt", "alpha")
    wait_for_keys(inlet, "first/a.txt")


def test_a_root_deleted_and_made_anew(inlet):
    inlet.put("a.txt", "alpha")
    inlet.put("sub/b.txt", "beta")
    inlet.start()
    wait_for_keys(inlet, "a.txt", "sub/b.txt")
    held = os.open(inlet.inbox, os.O_RDONLY)  # so that the new one cannot get its inode number
    inlet.inbox.rename(inlet.root / "dying")
    shutil.rmtree(inlet.root / "dying")
    wait_for("offline", lambda: inlet.source()["state"] == "offline")
    assert inlet.keys() == ["a.txt", "sub/b.txt"], "a root that vanished is not an empty one"
    inlet.inbox.mkdir()
    os.close(held)
    source = wait_for("word of the empty root", lambda: inlet.source() if "empty" in inlet.source()["message"] else None)
    assert source["state"] == "offline" and inlet.keys() == ["a.txt", "sub/b.txt"]
    inlet.put("c.txt", "gamma")
    wait_for_keys(inlet, "c.txt")
    wait_for("the end of the pass", lambda: inlet.source()["state"] == "live")
    assert len(inlet.items()) == 3


def test_an_unmounted_root_is_offline(mount_tmpfs, inlet):
    mount_tmpfs(inlet.inbox)
    inlet.put("a.txt", "on the disk that goes")
    inlet.start()
    wait_for_keys(inlet, "a.txt")
    wait_for("umount, which the daemon does not hinder",
             lambda: subprocess.run(["umount", inlet.inbox], stderr=subprocess.DEVNULL).returncode == 0)
    wait_for("offline", lambda: inlet.source()["state"] == "offline")
    assert inlet.keys() == ["a.txt"]
    mount_tmpfs(inlet.inbox)
    inlet.put("b.txt", "another disk")
    wait_for_keys(inlet, "b.txt")


def test_an_unmounted_directory_is_not_an_emptied_one(mount_tmpfs, inlet):
    inlet.put("stays.txt", "on the root's disk")
    mount_tmpfs(inlet.inbox / "disk")
    inlet.put("disk/a.txt", "on the other")
    inlet.start()
    wait_for_keys(inlet, "disk/a.txt", "stays.txt")
    subprocess.run(["umount", "-l", inlet.inbox / "disk"], check=True)
    inlet.put("new.txt", "after that")
    wait_for("a file beside it", lambda: "new.txt" in inlet.keys())
    inlet.cli("sync", ok=(0, 3))
    assert inlet.keys() == ["disk/a.txt", "new.txt", "stays.txt"]


def test_a_directory_unmounted_while_nobody_looked_is_not_an_emptied_one(mount_tmpfs, inlet):
    mount_tmpfs(inlet.inbox / "disk")
    inlet.put("disk/sub/a.txt", "on the other")
    inlet.once()
    subprocess.run(["umount", inlet.inbox / "disk"], check=True)
    done = inlet.once(ok=(3,))
    assert b"1 unsettled or unreadable" in done.stdout and inlet.keys() == ["disk/sub/a.txt"]
    mount_tmpfs(inlet.inbox / "disk")
    inlet.put("disk/b.txt", "another disk")
    inlet.once()
    assert inlet.keys() == ["disk/b.txt"], "a file system is there again and says what is on it"


# ---- events that do not come ----

class Witness:
    """An inotify instance that nobody reads."""

    def __init__(self, path):
        libc = ctypes.CDLL(None)
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.fd, os.fsencode(path), IN_EVENTS) >= 0

    def overflowed(self):
        try:
            while data := os.read(self.fd, 1 << 20):
                at = 0
                while at < len(data):
                    _, mask, _, length = struct.unpack_from("iIII", data, at)
                    if mask & IN_Q_OVERFLOW:
                        return True
                    at += 16 + length
        except BlockingIOError:
            return False
        finally:
            os.close(self.fd)


def test_an_overflow_of_the_event_queue_loses_nothing(inlet):
    limit = int(pathlib.Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 200_000:
        pytest.skip(f"fs.inotify.max_queued_events is {limit}: filling it would take long")
    for n in range(10):
        inlet.put(f"d{n}/old.txt", f"old {n}")
    inlet.start()
    wait_for("10 files", lambda: len(inlet.keys()) == 10)
    inlet.daemon.send_signal(signal.SIGSTOP)
    witness = Witness(inlet.inbox)
    a, b = inlet.inbox / "a", inlet.inbox / "b"
    for _ in range(limit // 6 + 100):  # at least six events each, none like the one before
        for path in (a, b):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        for path in (a, b):
            os.unlink(path)
    assert witness.overflowed()
    inlet.put("new/deep/f.txt", "new")
    inlet.put("d1/old.txt", "changed")
    (inlet.inbox / "d2/old.txt").unlink()
    shutil.rmtree(inlet.inbox / "d3")
    (inlet.inbox / "d4").rename(inlet.inbox / "e4")
    inlet.daemon.send_signal(signal.SIGCONT)
    wait_for_keys(inlet, *(f"d{n}/old.txt" for n in (0, 1, 5, 6, 7, 8, 9)), "e4/old.txt", "new/deep/f.txt")
    assert sha256(b"changed") in contents(inlet)
    inlet.put("e4/later.txt", "events come again")
    wait_for("a file in the renamed directory", lambda: "e4/later.txt" in inlet.keys())


def test_out_of_watches_means_polling_and_says_so(inlet):
    limited = ["unshare", "--user", "--map-root-user", "sh", "-c",
               'echo 6 > /proc/sys/user/max_inotify_watches && exec "$@"', "sh"]
    if subprocess.run([*limited, "true"], capture_output=True).returncode:
        pytest.skip("no user namespace with its own max_inotify_watches")
    inlet.prefix = limited
    for n in range(20):
        inlet.put(f"d{n}/f.txt", f"text {n}")
    inlet.start()
    wait_for("20 files", lambda: len(inlet.keys()) == 20)
    wait_for("mixed", lambda: inlet.source()["watching"] == "mixed")
    wait_for("the end of the pass", lambda: inlet.source()["state"] == "live")
    assert "sysctl -w user.max_inotify_watches=" in inlet.source()["message"]
    for n in range(20):
        inlet.put(f"d{n}/g.txt", f"later {n}")
    wait_for("20 more, found without watches", lambda: len(inlet.keys()) == 40)


def test_a_polled_source(inlet):
    inlet.folder(poll="1s")
    inlet.put("a.txt", "alpha")
    inlet.start()
    wait_for_keys(inlet, "a.txt")
    assert inlet.source()["watching"] == "poll"
    inlet.put("sub/b.txt", "beta")
    (inlet.inbox / "a.txt").unlink()
    wait_for_keys(inlet, "sub/b.txt")


# ---- several, and forbidden ones ----

def test_what_lies_too_deep_is_told(inlet):
    """A path that no call takes, and a folder deeper than is looked at: neither is passed over in silence."""
    inlet.put("a.txt", "alpha")
    at = os.open(inlet.inbox, os.O_RDONLY)
    for n in range(140):
        name = f"{n}".ljust(250 if n < 16 else 1, "x")
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
        if n in (2, 15):
            with open(os.open("long" * 40, os.O_CREAT | os.O_WRONLY, dir_fd=at), "w") as f:
                f.write("beta")
    os.close(at)
    done = inlet.once(ok=(3,))
    assert b"1 quarantined" in done.stdout and b"1 unsettled or unreadable" in done.stdout
    assert b"too deep: move it up" in done.stderr
    source = inlet.source()
    assert "too deep: move it up" in source["message"] and source["objects"]["skipped"] == 0
    failure, = (f for f in inlet.failures() if f["stage"] == "fetch")
    assert "has too long a path" in failure["reason"] and "shorter path" in failure["cure"] and "long" in failure["reason"]
    assert "a.txt" in inlet.keys()
    inlet.start()
    wait_for("word of it", lambda: "too deep" in inlet.source()["message"])


def test_two_sources_share_an_item(inlet):
    second = inlet.root / "second"
    second.mkdir()
    inlet.settings["sources"].append({"name": "other", "folder": {"path": "./second", "settle": "0s"}})
    inlet.write_config()
    inlet.start()
    inlet.put("a.txt", "in both")
    (second / "b.txt").write_text("in both")
    wait_for_keys(inlet, "a.txt", "b.txt")
    items = inlet.items()
    assert len(items) == 1
    assert {(r["source"], r["key"]) for r in items[0]["references"]} == {("drop", "a.txt"), ("other", "b.txt")}
    (second / "b.txt").unlink()
    wait_for_keys(inlet, "a.txt")
    assert (inlet.source("drop")["objects"]["present"], inlet.source("other")["objects"]["present"]) == (1, 0)


def test_a_source_at_another_place_is_asked_about(inlet):
    inlet.put("a.txt", "at the first place")
    inlet.once()
    elsewhere = inlet.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.txt").write_text("at the second place")
    first, moved = inlet.settings["sources"], [{"name": "drop", "folder": {"path": "./elsewhere", "settle": "0s"}}]
    inlet.write_config(sources=moved)
    inlet.once(ok=(3,))
    source = inlet.source()
    assert str(inlet.inbox) in source["message"] and str(elsewhere) in source["message"], source
    assert "inlet sync drop --rebind" in source["message"] and source["state"] == "offline"
    assert inlet.keys() == ["a.txt"], "nothing is taken from there, nor concluded"
    inlet.write_config(sources=first)
    inlet.once()
    assert inlet.source()["message"] == "" and inlet.keys() == ["a.txt"]
    inlet.write_config(sources=moved)
    assert b"--rebind" in inlet.cli("sync", "--rebind", ok=(2,)).stderr, "of one source only"
    inlet.cli("sync", "drop", "--rebind")
    assert inlet.keys() == ["b.txt"] and len(inlet.items()) == 2
    inlet.once()
    assert inlet.source()["message"] == "", "it is asked once"


def test_a_renamed_folder_is_followed_by_its_configuration(inlet):
    inlet.put("a.txt", "stays")
    inlet.once()
    inlet.inbox.rename(inlet.root / "elsewhere")
    inlet.write_config(sources=[{"name": "drop", "folder": {"path": "./elsewhere", "settle": "0s"}}])
    inlet.once()
    assert inlet.source()["message"] == "" and inlet.keys() == ["a.txt"]


def test_a_source_taken_out_of_the_configuration_is_detached(inlet):
    inlet.put("a.txt", "stays")
    inlet.once()
    elsewhere = inlet.root / "elsewhere"
    elsewhere.mkdir()
    inlet.write_config(sources=[{"name": "next", "folder": {"path": "./elsewhere", "settle": "0s"}}])
    inlet.start()
    assert inlet.source("drop")["state"] == "detached"
    assert inlet.keys() == ["a.txt"]


@pytest.mark.parametrize("path", [".", "./state/inside"], ids=["store-inside-folder", "folder-inside-store"])
def test_store_and_folder_inside_each_other_are_refused(inlet, path):
    inlet.folder(path=path)
    done = inlet.run("--check", ok=(2,))
    text = done.stderr.decode()
    assert "inlet.yaml:1:" in text and "sources[0].folder.path" in text and "store" in text and "inside" in text


def test_a_link_does_not_hide_the_store_in_the_folder(inlet):
    (inlet.inbox / "hidden").mkdir()
    (inlet.root / "state").symlink_to(inlet.inbox / "hidden")
    done = inlet.run("--check", ok=(2,))
    assert b"sources[0].folder.path" in done.stderr


def test_files_that_come_while_the_daemon_starts_are_found(inlet):
    stop = threading.Event()
    made = []

    def writer():
        while not stop.is_set() and len(made) < 400:
            name = f"w{len(made) % 7}/{len(made)}.txt"
            inlet.put(name, name)
            made.append(name)

    thread = threading.Thread(target=writer)
    thread.start()
    inlet.start()
    stop.set()
    thread.join()
    wait_for_keys(inlet, *made)
