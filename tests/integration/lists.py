"""What tests of imports and exports share: the answer of an import, the labels that it brought, values compared with their types."""

import json


def imported(inlet, *args, ok=(0,), **kw):
    """The answer of `inlet import --json`."""
    return json.loads(inlet.cli("import", *args, "--json", ok=ok, **kw).stdout)


def exported(inlet, form, *args, left=""):
    """The export in a format; left: what it says that it left out."""
    done = inlet.cli("export", "--format", form, *args)
    assert done.stderr.decode() == (f"inlet: left out: {left}\n" if left else "")
    return done.stdout.decode()


def revision(inlet):
    return inlet.status()["store"]["revision"]


def labels(inlet, key):
    """(concept, status) of the imported labels that came with this row or file."""
    item = inlet.item(key)
    return sorted((a["concept"], a["status"].removeprefix("ANNOTATION_")) for a in item["annotations"]
                  if a["worker"] == "imported" and a.get("reference", "").endswith(":" + key))


def typed(value):
    """As the value, but 1, 1.0 and True are three things."""
    if isinstance(value, dict):
        return {k: typed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [typed(v) for v in value]
    return (type(value).__name__, value)
