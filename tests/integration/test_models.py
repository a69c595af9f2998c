"""Labels: from the shipped models, through bands and people's decisions, to the lines that scripts read."""

import json
import re

import media
from conftest import BUILD, wait_for

IMAGE = "models/image-default.yaml"
TEXT = "models/text-default.yaml"
GERMAN = "Die Katze sitzt auf dem Dach und schaut den Vögeln zu, die über den Garten fliegen, während es langsam Abend wird.\n"
FRENCH = "Le chat est assis sur le toit et regarde les oiseaux qui volent au-dessus du jardin pendant que le soir tombe.\n"
ENGLISH = "The cat sits on the roof and watches the birds that fly over the garden while evening slowly falls.\n"
SUCCESS, REVIEW, DENIED = "ANNOTATION_SUCCESS", "ANNOTATION_AWAITING_REVIEW", "ANNOTATION_REVIEW_DENIED"


def image_model(inlet, **bands):
    inlet.write_config(models=[{"card": IMAGE, "bands": bands}])


def labels(inlet, key):
    return {a["concept"]: a["status"] for a in inlet.item(key)["annotations"]}


def runs(inlet, key):
    return json.loads(inlet.text("show", inlet.item(key)["id"], "--json"))["runs"]


def put_photos(inlet):
    inlet.put("cat.jpg", media.CAT)
    inlet.put("coffee.jpg", media.COFFEE)
    inlet.put("camera.jpg", media.CAMERA)


# ---- the shipped models ----

def test_photos_get_their_labels(inlet):
    put_photos(inlet)
    image_model(inlet, accept=0.6, review=0.15)
    inlet.once()
    assert labels(inlet, "coffee.jpg")["espresso"] == SUCCESS
    cat = labels(inlet, "cat.jpg")
    assert {"tiger cat", "Egyptian cat"} <= cat.keys() and set(cat.values()) == {REVIEW}
    assert "tripod" in labels(inlet, "camera.jpg")
    assert inlet.status()["items"]["by_state"]["routed"] == 3


def test_texts_get_their_language(inlet):
    for name, text in ("de", GERMAN), ("fr", FRENCH), ("en", ENGLISH):
        inlet.put(f"{name}.txt", text)
    inlet.put("photo.jpg", media.CAT)
    inlet.write_config(models=[{"card": TEXT}])
    inlet.once()
    for name in ("de", "fr", "en"):
        assert labels(inlet, f"{name}.txt") == {name: SUCCESS}
    assert inlet.item("photo.jpg")["state"] == "normalized", "no model looks at pictures"


def test_both_models_at_once_in_a_running_daemon(inlet):
    inlet.write_config(models=[{"card": IMAGE, "bands": {"accept": 0.5, "review": 0.15}}, {"card": TEXT}])
    inlet.start()
    put_photos(inlet)
    inlet.put("de.txt", GERMAN)
    inlet.put("again/coffee.jpg", media.COFFEE)
    wait_for("four items", lambda: inlet.status()["items"]["by_state"]["routed"] == 4)
    assert labels(inlet, "coffee.jpg")["espresso"] == SUCCESS and labels(inlet, "de.txt") == {"de": SUCCESS}
    assert len(inlet.item("coffee.jpg")["references"]) == 2


def test_more_items_than_a_batch_holds(inlet):
    inlet.write_config(models=[{"card": TEXT}], inference={"batch": 8})
    for n in range(100):
        inlet.put(f"{n}.txt", f"{GERMAN}Nummer {n} von hundert Texten.\n")
    inlet.once()
    assert all([a["concept"] for a in i["annotations"]] == ["de"] for i in inlet.items())


def test_what_no_model_takes_waits_and_is_no_work(inlet):
    """Nobody works on it: status, metrics and wait say so, with a daemon and without, until a model is configured."""
    def infer():
        return inlet.status()["work"]["infer"]
    inlet.put("de.txt", GERMAN)
    inlet.put("photo.jpg", media.CAT)
    assert b"2 items wait: no model of their kind is configured" in inlet.once().stdout
    assert infer() == {"queued": 0, "retrying": 0, "waiting": 2}
    text = inlet.text("status")
    assert "nothing to do" in text and "2 items for a model" in text
    inlet.start()
    assert infer() == {"queued": 0, "retrying": 0, "waiting": 2}
    assert "2 items wait: no model of their kind is configured" in inlet.text("wait")
    inlet.stop()
    inlet.write_config(models=[{"card": TEXT}])
    assert infer() == {"queued": 1, "retrying": 0, "waiting": 1}, "a stand-in reads the card"
    inlet.once()
    assert labels(inlet, "de.txt") == {"de": SUCCESS} and infer() == {"queued": 0, "retrying": 0, "waiting": 1}
    assert "1 item waits: no model" in inlet.text("wait")
    inlet.write_config(normalize=False)
    inlet.put("fr.txt", FRENCH)
    inlet.once()
    assert inlet.status()["work"]["normalize"] == {"queued": 0, "retrying": 0, "waiting": 1}
    assert "1 item for `normalize: on`" in inlet.text("status")
    inlet.write_config(normalize=True, models=[{"card": TEXT}, {"card": IMAGE}])
    inlet.once()
    assert inlet.status()["items"]["by_state"]["routed"] == 3 and infer()["waiting"] == 0


# ---- bands ----

def test_bands_decide_the_status_of_a_score(inlet):
    inlet.put("cat.jpg", media.CAT)
    image_model(inlet, accept=0.9, review=0.9)
    inlet.once()
    assert labels(inlet, "cat.jpg") == {}
    scores = {name: value for name, value in runs(inlet, "cat.jpg")[0]["scores"]}
    first, second = sorted(scores, key=scores.get, reverse=True)[:2]
    accept, review = (scores[first] + scores[second]) / 2, scores[second] - 0.005
    image_model(inlet, accept=accept, review=review)
    inlet.once()
    expected = {name: SUCCESS if value >= accept else REVIEW for name, value in scores.items() if value >= review}
    assert labels(inlet, "cat.jpg") == expected and expected[first] == SUCCESS and expected[second] == REVIEW


def test_a_concept_has_bands_of_its_own(inlet):
    inlet.put("cat.jpg", media.CAT)
    image_model(inlet, accept=0.99, review=0.15, concepts={"tiger cat": {"accept": 0.2}, "Egyptian cat": {"review": 0.98}})
    inlet.once()
    found = labels(inlet, "cat.jpg")
    assert found["tiger cat"] == SUCCESS and "Egyptian cat" not in found


def test_a_band_of_a_label_that_the_model_has_not_is_told(inlet):
    image_model(inlet, accept=0.99, review=0.15, concepts={"tiger cta": {"accept": 0.2}, "espresso": {"accept": 0.2}})
    told = [line for line in inlet.once().stderr.decode().splitlines() if "bands.concepts" in line]
    assert len(told) == 1 and "'tiger cta' is none of its labels; did you mean 'tiger cat'?" in told[0]


def test_changed_bands_route_again_without_inference(inlet):
    put_photos(inlet)
    image_model(inlet, accept=0.99, review=0.3)
    inlet.once()
    before, scored = inlet.status()["store"]["revision"], runs(inlet, "coffee.jpg")
    assert labels(inlet, "coffee.jpg") == {"espresso": REVIEW}
    image_model(inlet, accept=0.6, review=0.3)
    done = inlet.once()
    assert b"read 0 objects" in done.stdout or b"read 3 objects" in done.stdout  # rows that were still racy are read again
    assert labels(inlet, "coffee.jpg") == {"espresso": SUCCESS}
    assert runs(inlet, "coffee.jpg") == scored
    show = json.loads(inlet.text("show", inlet.item("coffee.jpg")["id"], "--json"))
    assert inlet.status()["store"]["revision"] > before and len(show["runs"]) == 1
    settled = inlet.status()["store"]["revision"]
    inlet.once()
    assert inlet.status()["store"]["revision"] == settled, "the same bands change nothing"


def test_changed_bands_need_no_look_at_the_bytes(inlet):
    """The picture is gone, and its bytes were never kept: the stored scores are enough."""
    inlet.folder(store="reference")
    inlet.put("coffee.jpg", media.COFFEE)
    image_model(inlet, accept=0.99, review=0.3)
    inlet.once()
    (inlet.inbox / "coffee.jpg").unlink()
    inlet.once()
    image_model(inlet, accept=0.6, review=0.3)
    inlet.once()
    assert [(a["concept"], a["status"]) for a in inlet.items()[0]["annotations"]] == [("espresso", SUCCESS)]


# ---- people ----

def test_people_decide_and_nothing_takes_it_back(inlet):
    put_photos(inlet)
    image_model(inlet, accept=0.99, review=0.15)
    inlet.once()
    cat, coffee = inlet.item("cat.jpg")["id"], inlet.item("coffee.jpg")["id"]
    inlet.cli("reject", cat, "tiger cat")
    inlet.cli("accept", coffee)
    inlet.cli("label", cat, "tabby")
    decided = {key: labels(inlet, key) for key in ("cat.jpg", "coffee.jpg")}
    assert decided["cat.jpg"]["tiger cat"] == DENIED and decided["cat.jpg"]["tabby"] == SUCCESS
    assert decided["coffee.jpg"]["espresso"] == SUCCESS
    users = {a["worker"] for key in decided for a in inlet.item(key)["annotations"] if a["status"] != REVIEW}
    assert len(users) == 1 and users.pop().startswith("user:")
    image_model(inlet, accept=0.1, review=0.1)  # routes again
    inlet.once()
    inlet.cli("relabel")
    cat_now = labels(inlet, "cat.jpg")
    assert cat_now["tiger cat"] == DENIED and cat_now["tabby"] == SUCCESS and cat_now["Egyptian cat"] == SUCCESS
    assert [a["worker"] for a in inlet.item("coffee.jpg")["annotations"] if a["concept"] == "espresso"][0].startswith("user:")


def test_another_model_relabels_on_request_and_supersedes_its_own_only(inlet):
    inlet.put("cat.jpg", media.CAT)
    inlet.put("coffee.jpg", media.COFFEE)
    image_model(inlet, accept=0.6, review=0.15)
    inlet.once()
    cat, coffee = inlet.item("cat.jpg")["id"], inlet.item("coffee.jpg")["id"]
    inlet.cli("accept", cat, "tiger cat")
    text = (BUILD.parent / "config" / IMAGE).read_text()
    other = re.sub(r"crop: [0-9.]+", "crop: 0.8", text)
    for name in ("image-default.onnx", "image-default.labels"):
        other = other.replace(f" {name}", f" {BUILD.parent / 'config/models' / name}")
    (inlet.root / "other.yaml").write_text(other)
    inlet.write_config(models=[{"card": "other.yaml", "bands": {"accept": 0.6, "review": 0.15}}])
    inlet.once()
    old = {a["model_version"] for a in inlet.item("coffee.jpg")["annotations"]}
    assert len(runs(inlet, "coffee.jpg")) == 1, "a changed model does nothing by itself"
    inlet.cli("relabel")
    new = {a["model_version"] for a in inlet.item("coffee.jpg")["annotations"]}
    assert len(new) == 1 and new != old and len(runs(inlet, "coffee.jpg")) == 2
    assert "espresso" in labels(inlet, "coffee.jpg")
    mine = [a for a in inlet.item("cat.jpg")["annotations"] if a["concept"] == "tiger cat"]
    assert len(mine) == 1 and mine[0]["status"] == SUCCESS and mine[0]["worker"].startswith("user:")
    history = json.loads(inlet.text("show", coffee, "--json"))
    assert all(a["model_version"] in new for a in history["annotations"])
    assert history["superseded"], "what a new model replaces is still to be seen"
    assert all(a["model_version"] in old and a["since"] < a["until"] for a in history["superseded"])
    before = inlet.status()["store"]["revision"]
    inlet.cli("relabel")
    assert inlet.status()["store"]["revision"] == before, "everybody has seen the model"


def test_rebuilt_labels_are_the_same(inlet):
    put_photos(inlet)
    image_model(inlet, accept=0.6, review=0.15)
    inlet.once()
    inlet.cli("reject", inlet.item("cat.jpg")["id"], "tiger cat")
    image_model(inlet, accept=0.9, review=0.1)
    inlet.once()
    before = inlet.text("items", "--json"), [runs(inlet, key) for key in ("cat.jpg", "coffee.jpg", "camera.jpg")]
    inlet.cli("rebuild-index")
    assert (inlet.text("items", "--json"), [runs(inlet, key) for key in ("cat.jpg", "coffee.jpg", "camera.jpg")]) == before
    inlet.cli("verify")


# ---- what comes later ----

def test_a_model_that_comes_takes_up_what_waited(inlet):
    inlet.put("coffee.jpg", media.COFFEE)
    inlet.once()
    assert inlet.item("coffee.jpg")["state"] == "normalized" and labels(inlet, "coffee.jpg") == {}
    image_model(inlet, accept=0.6, review=0.3)
    inlet.once()
    assert inlet.item("coffee.jpg")["state"] == "routed" and labels(inlet, "coffee.jpg") == {"espresso": SUCCESS}


def test_normalize_off_keeps_items_committed_and_on_takes_them_up(inlet):
    inlet.write_config(normalize="off")
    inlet.put("coffee.jpg", media.COFFEE)
    inlet.put("cut.jpg", media.CAT[:3000])
    image_model(inlet, accept=0.6, review=0.3)
    inlet.once()
    assert {i["state"] for i in inlet.items()} == {"committed"} and inlet.failures() == []
    assert {i["media_type"] for i in inlet.items()} == {"application/octet-stream"}
    inlet.write_config(normalize="on")
    inlet.once(ok=(3,))
    assert inlet.item("coffee.jpg")["state"] == "routed" and inlet.item("cut.jpg")["state"] == "quarantined"


def test_items_by_reference_are_labelled_too(inlet):
    inlet.folder(store="reference")
    put_photos(inlet)
    image_model(inlet, accept=0.6, review=0.3)
    inlet.once()
    assert labels(inlet, "coffee.jpg") == {"espresso": SUCCESS}
    status = inlet.status()["store"]
    assert status["bytes"] < len(media.CAT), "only the log is stored"
    assert inlet.cli("cat", inlet.item("coffee.jpg")["id"]).stdout == media.COFFEE
    inlet.put("coffee.jpg", media.CAT)
    assert b"coffee.jpg" in inlet.cli("cat", inlet.item("coffee.jpg")["id"], ok=(1,)).stderr
    (inlet.inbox / "coffee.jpg").unlink()


def test_the_smaller_forms_of_a_picture(inlet):
    """A thumbnail, and the canonical form of a picture that lies on its side."""
    inlet.put("coffee.jpg", media.COFFEE)
    inlet.once()
    item = inlet.items()[0]
    thumbnail = inlet.cli("cat", item["id"], "--thumbnail").stdout
    assert thumbnail.startswith(b"\xff\xd8") and len(thumbnail) > 500
    inlet.put("dos.txt", "Zeile eins\r\nZeile zwei mit é\r\n".encode("latin-1"))
    inlet.once()
    assert inlet.cli("cat", inlet.item("dos.txt")["id"], "--canonical").stdout == "Zeile eins\nZeile zwei mit é\n".encode()


# ---- the lines that scripts rely on ----

def test_items_json_has_exactly_these_members(inlet):
    inlet.put("cat.jpg", media.CAT)
    inlet.put("a.txt", "no pixels\n")
    inlet.put(b"bad\xff.txt", "no UTF-8\n")
    image_model(inlet, accept=0.3, review=0.15)
    inlet.once()
    inlet.cli("label", inlet.item("a.txt")["id"], "mine")
    lines = inlet.items()
    assert [i["id"] for i in lines] == sorted(i["id"] for i in lines)
    cat, text = inlet.item("cat.jpg"), inlet.item("a.txt")
    common = ["id", "sha256", "media_type", "bytes", "state", "references", "annotations"]
    assert list(text) == common
    assert list(cat) == common[:4] + ["width", "height"] + common[4:]
    assert list(cat["references"][0]) == ["source", "key", "version"]
    odd = next(i for i in lines if "key_base64" in i["references"][0])
    assert list(odd["references"][0]) == ["source", "key_base64", "version"]
    for a in cat["annotations"]:
        assert list(a) == ["concept", "confidence", "status", "worker", "model", "model_version"]
        assert a["worker"] == "model" and a["model"] == "image-default" and 0 <= a["confidence"] <= 1
        assert re.fullmatch("[0-9a-f]{64}", a["model_version"])
    mine = text["annotations"][0]
    assert list(mine) == ["concept", "confidence", "status", "worker"] and mine["confidence"] is None


def test_status_json_has_these_members(inlet):
    put_photos(inlet)
    image_model(inlet, accept=0.6, review=0.15)
    inlet.once()
    status = inlet.status()
    source = status["sources"][0]
    assert {"name", "kind", "state", "watching", "objects"} <= source.keys()
    assert (source["name"], source["kind"], source["watching"]) == ("drop", "folder", "inotify")
    assert {"present", "gone", "skipped", "quarantined"} <= source["objects"].keys() and source["objects"]["present"] == 3
    assert status["items"]["total"] == 3
    assert status["items"]["by_state"] == {"committed": 0, "parked": 0, "normalized": 0, "inferred": 0, "routed": 3,
                                           "quarantined": 0}
    counted = {SUCCESS: 0, REVIEW: 0}
    for item in inlet.items():
        for a in item["annotations"]:
            counted[a["status"]] += 1
    assert {name: status["annotations"][name] for name in counted} == counted and min(counted.values()) > 0
    assert set(status["work"]) == {"fetch", "normalize", "infer", "route"}
    assert all(work == {"queued": 0, "retrying": 0, "waiting": 0} for work in status["work"].values())
    assert {"segments", "large", "bytes", "revision"} <= status["store"].keys() and status["store"]["segments"] == 1


def test_people_read_the_same_in_tables(inlet):
    put_photos(inlet)
    image_model(inlet, accept=0.6, review=0.15)
    inlet.once()
    table = inlet.text("items")
    assert re.search(r"espresso 0\.\d\d", table) and re.search(r"tiger cat\? 0\.\d\d", table)
    assert "inlet items --status ANNOTATION_AWAITING_REVIEW" in inlet.text("status")
    waiting = inlet.text("items", "--status", REVIEW)
    assert "cat.jpg" in waiting
