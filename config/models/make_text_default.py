#!/usr/bin/env python3
"""Writes text-default.{onnx,ngram.bin,labels}: language identification, from the PyPI package py3langid (BSD-3-Clause).

    pip install onnx numpy py3langid
    make_text_default.py [FOLDER]           FOLDER: where the files go (default: beside this script)

The package's model is naive Bayes over byte n-grams: an automaton that says which n-gram ends at each byte, and a log
probability per n-gram and language. The automaton is an Aho-Corasick one, kept as a table of next states (40 MB); here it
becomes the trie it was made from, 9 bytes a state, in the format of daemon/infer/ngram.h. The probabilities stay half
precision in a table of which the graph gathers a text's rows:

    features int64 [1,K], weights float [1,K]  ->  Softmax(sum over K of weights * table[features])  ->  scores [1,labels]

The last row of the table is the prior. The package's own calibration divides the log posterior by the square root of the
text's length in bytes, without which nearly every answer is 0 or 1; daemon/infer/ngram.c divides the weights instead, the
prior's included, which is the same.

Languages that the package knows in two scripts are two columns under one name; their probabilities are added.
"""
import importlib.util
import io
import lzma
import math
import os
import sys

import numpy
import onnx
from onnx import helper, numpy_helper, reference

SENTENCES = {
    "en": "The ship left the harbour before sunrise.", "de": "Das Schiff verließ den Hafen vor Sonnenaufgang.",
    "fr": "Le navire a quitté le port avant le lever du soleil.", "es": "El barco salió del puerto antes del amanecer.",
    "it": "La nave ha lasciato il porto prima dell'alba.", "pt": "O navio deixou o porto antes do nascer do sol.",
    "nl": "Het schip verliet de haven voor zonsopgang.", "sv": "Fartyget lämnade hamnen före soluppgången.",
    "pl": "Statek opuścił port przed wschodem słońca.", "cs": "Loď opustila přístav před východem slunce.",
    "hu": "A hajó napkelte előtt elhagyta a kikötőt.", "fi": "Laiva lähti satamasta ennen auringonnousua.",
    "tr": "Gemi gün doğmadan önce limandan ayrıldı.", "ru": "Корабль покинул гавань до восхода солнца.",
    "uk": "Корабель залишив гавань до сходу сонця.", "el": "Το πλοίο έφυγε από το λιμάνι πριν την ανατολή.",
    "ar": "تعتبر اللغة العربية من أكثر اللغات انتشارا في العالم.", "he": "הספינה עזבה את הנמל לפני הזריחה.",
    "hi": "जहाज सूर्योदय से पहले बंदरगाह से चला गया।", "ja": "船は日の出前に港を出ました。",
    "zh": "这艘船在日出之前离开了港口。", "ko": "배는 해가 뜨기 전에 항구를 떠났습니다.",
    "vi": "Con tàu rời cảng trước khi mặt trời mọc.", "th": "เรือออกจากท่าก่อนพระอาทิตย์ขึ้น",
}


def read_model():
    spec = importlib.util.find_spec("py3langid")
    if not spec:
        raise SystemExit("the model is missing: pip install py3langid")
    path = os.path.join(spec.submodule_search_locations[0], "data", "model.npz.xz")
    if not os.path.exists(path):
        raise SystemExit(f"there is no {path}: this script reads py3langid 0.4")
    with lzma.open(path) as file:
        arrays = numpy.load(io.BytesIO(file.read()), allow_pickle=False)
    return {name: arrays[name] for name in ("ptc", "pc", "classes", "nextmove", "nextmove_row", "out_feat")}


class Trie:
    """The automaton's trie, its states numbered breadth first: parent, byte and feature of each."""

    def __init__(self, model):
        rows, row = model["nextmove"].reshape(-1, 256), model["nextmove_row"]
        old, number = [0], {0: 0}
        self.parent, self.byte = [0], [0]
        for state in old:
            for byte, target in enumerate(rows[row[state]]):
                if int(target) not in number:
                    number[int(target)] = len(old)
                    self.parent.append(number[state])
                    self.byte.append(byte)
                    old.append(int(target))
        self.feature = model["out_feat"][old]
        self.prove(rows[row[old]], numpy.array([number[s] for s in range(len(old))]))

    def prove(self, rows, number):
        """The table of next states holds nothing that the trie does not say."""
        children = [[] for _ in self.parent]
        for state in range(1, len(self.parent)):
            children[self.parent[state]].append(state)
        fail = [0] * len(self.parent)
        for state in range(1, len(self.parent)):
            parent = self.parent[state]
            fail[state] = int(number[rows[fail[parent]][self.byte[state]]]) if parent else 0
            expected = number[rows[fail[state]]]
            expected[[self.byte[child] for child in children[state]]] = children[state]
            if not numpy.array_equal(expected, number[rows[state]]):
                raise SystemExit(f"state {state} is not an Aho-Corasick state: this script reads py3langid 0.4")
        self.children = [{self.byte[child]: child for child in group} for group in children]
        self.fail = fail

    def counts(self, text):
        state, counts = 0, {}
        for byte in text:
            while state and byte not in self.children[state]:
                state = self.fail[state]
            state = self.children[state].get(byte, 0)
            if self.feature[state] >= 0:
                counts[int(self.feature[state])] = counts.get(int(self.feature[state]), 0) + 1
        return counts

    def save(self, path, features):
        with open(path + ".part", "wb") as file:
            file.write(b"INLETNG1" + numpy.array([len(self.parent), features], "<u4").tobytes())
            for values, kind in ((self.parent, "<u4"), (self.feature, "<i4"), (self.byte, "u1")):
                file.write(numpy.array(values, kind).tobytes())
        os.replace(path + ".part", path)


def build(model, labels):
    table = numpy.vstack([model["ptc"], model["pc"].astype(numpy.float16)[None]])
    fold = numpy.array([[1.0 if name == label else 0.0 for label in labels] for name in model["classes"]], numpy.float32)
    constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(fold, "fold"),
                 numpy_helper.from_array(numpy.array([1], numpy.int64), "one")]
    nodes = [helper.make_node("Gather", ["table", "features"], ["half"], axis=0),
             helper.make_node("Cast", ["half"], ["rows"], to=onnx.TensorProto.FLOAT),
             helper.make_node("Unsqueeze", ["weights", "one"], ["row"]),
             helper.make_node("MatMul", ["row", "rows"], ["sums"]),
             helper.make_node("Squeeze", ["sums", "one"], ["posterior"]),
             helper.make_node("Softmax", ["posterior"], ["languages"], axis=1),
             helper.make_node("MatMul", ["languages", "fold"], ["scores"])]
    graph = helper.make_graph(nodes, "language", [
        helper.make_tensor_value_info("features", onnx.TensorProto.INT64, [1, "K"]),
        helper.make_tensor_value_info("weights", onnx.TensorProto.FLOAT, [1, "K"])],
        [helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, [1, len(labels)])], constants)
    result = helper.make_model(graph, producer_name="inlet", ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(result, full_check=True)
    return result


def check(trie, onnx_model, labels, prior):
    """Each sentence gets its language, with the probability that the package itself gives."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier
    theirs = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    ours = reference.ReferenceEvaluator(onnx_model)
    for language, sentence in SENTENCES.items():
        text = sentence.encode()
        counts = trie.counts(text)
        features = numpy.array([list(counts) + [prior]], numpy.int64)
        weights = numpy.array([[math.log1p(n) for n in counts.values()] + [1.0]], numpy.float32) / math.sqrt(len(text))
        scores = ours.run(None, {"features": features, "weights": weights.astype(numpy.float32)})[0][0]
        label, confidence = theirs.classify(sentence)
        got = labels[int(scores.argmax())]
        if got != language or got != label or abs(float(scores.max()) - confidence) > 0.005:
            raise SystemExit(f"{sentence!r}: {got} {scores.max():.4f}, but py3langid says {label} {confidence:.4f}")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    model = read_model()
    labels = list(dict.fromkeys(model["classes"].tolist()))
    trie, result, prior = Trie(model), build(model, labels), len(model["ptc"])
    check(trie, result, labels, prior)
    target = os.path.join(folder, "text-default")
    trie.save(target + ".ngram.bin", prior + 1)
    with open(target + ".labels", "w", encoding="utf-8") as file:
        file.write("".join(label + "\n" for label in labels))
    onnx.save(result, target + ".onnx.part")
    os.replace(target + ".onnx.part", target + ".onnx")
    print(f"{target}.onnx: {os.path.getsize(target + '.onnx')} bytes, {len(labels)} languages")


if __name__ == "__main__":
    main()
