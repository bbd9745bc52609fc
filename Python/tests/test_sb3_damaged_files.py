"""Damaged and hostile model files end in one sentence, and nothing in them is run."""

import base64
import io
import json
import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from offpolicy._sb3pickle import Call, ForeignFileError, Name, Persistent, read, write
from offpolicy._sb3tensors import read_pth, write_pth
from offpolicy._sb3zip import read_cleanrl, read_sb3

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
STORAGE = Name("torch", "FloatStorage")
REBUILD = Name("torch._utils", "_rebuild_tensor_v2")


def changed(path, tmp_path, **entries):
    """The zip with some of its entries replaced; None leaves one out."""
    out = tmp_path / "changed.zip"
    entries = {name.replace("_pth", ".pth"): content for name, content in entries.items()}
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = entries[name] if name in entries else source.read(name)
            if content is not None:
                target.writestr(name, content)
    return out


def pth(pickled, **data):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, content in data.items():
            archive.writestr(f"archive/data/{key[1:]}", content)
    return output.getvalue()


def tensor(shape, strides, count, offset=0):
    reference = Persistent(("storage", STORAGE, "0", "cpu", count))
    return Call(REBUILD, (reference, offset, shape, strides, False, Call(Name("collections", "OrderedDict"), ())))


class Marker:
    """Pickled, it makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("place", ["policy.pth", "data", "pytorch_variables.pth", "actor.optimizer.pth"])
def test_code_in_a_file_is_not_run(protocol, place, tmp_path):
    folder = str(tmp_path / "made")
    evil = pickle.dumps(Marker(folder), protocol)
    if place == "data":
        data = json.loads(zipfile.ZipFile(FIXTURES / "sac.zip").read("data"))
        for entry in data.values():
            if isinstance(entry, dict) and ":serialized:" in entry:
                entry[":serialized:"] = base64.b64encode(evil).decode()
        read_sb3(changed(FIXTURES / "sac.zip", tmp_path, data=json.dumps(data)))
    else:
        path = changed(FIXTURES / "sac.zip", tmp_path, **{place.replace(".pth", "_pth"): pth(evil)})
        with pytest.raises(ForeignFileError, match="mkdir.*was not run|instruction"):
            read_sb3(path)
    assert not os.path.exists(folder)


def test_other_globals_are_named():
    with pytest.raises(ForeignFileError, match="a file names builtins.eval, .* it was not run"):
        read_pth(pth(write(Call(Name("builtins", "eval"), ("1",)))), "a file")


@pytest.mark.parametrize(
    "shape, strides, count, offset",
    [
        ((1000,), (1,), 4, 0), ((2, 3), (3, 1), 4, 0), ((4,), (1,), 4, 1), ((10**9,), (0,), 4, 0),
        ((2**40, 2**40), (0, 0), 4, 0), ((-4,), (1,), 4, 0), ((2,), (10**9,), 4, 0), ((4,), (1,), 10**12, 0),
        ((4, 1), (1,), 4, 0), ((2.0,), (1,), 4, 0), (("a",), (1,), 4, 0), ((2,), (-1,), 4, 1),
    ],
)  # fmt: skip
def test_a_tensor_is_not_larger_than_its_numbers(shape, strides, count, offset):
    with pytest.raises(ForeignFileError):
        read_pth(pth(write({"w": tensor(shape, strides, count, offset)}), _0=bytes(16)), "a file")


def test_tensors_with_strides_and_offsets_are_read():
    numbers = np.arange(12, dtype=np.float32)
    content = pth(write({"w": tensor((2, 3), (1, 4), 12, 1), "s": tensor((), (), 12, 5)}), _0=numbers.tobytes())
    found = read_pth(content, "a file")
    np.testing.assert_array_equal(found["w"], [[1, 5, 9], [2, 6, 10]])
    assert found["s"] == 5


def test_big_endian_numbers_are_read():
    content = io.BytesIO(write_pth({"w": np.arange(3, dtype=np.float32)}))
    with zipfile.ZipFile(content) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    entries["archive/byteorder"], entries["archive/data/0"] = b"big", np.arange(3, dtype=">f4").tobytes()
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as target:
        for name, value in entries.items():
            target.writestr(name, value)
    np.testing.assert_array_equal(read_pth(output.getvalue(), "a file")["w"], [0, 1, 2])


def test_a_zip_that_grows_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", bytes(50_000_000))
        archive.writestr("policy.pth", b"")
    with pytest.raises(ForeignFileError, match="holds 50000000 bytes, which a file of [0-9]+ bytes cannot"):
        read_sb3(path)


def test_lengths_beyond_the_pickle_are_refused():
    for content in (
        b"X\xff\xff\xff\xffab",
        b"B\xff\xff\xff\x7f",
        b"\x8a\xff",
        b"r\xff\xff\xff\xff",
        b"j\x01\x00\x00\x00.",
    ):
        with pytest.raises(ForeignFileError):
            read(b"\x80\x02" + content)


def test_deep_pickles_and_deep_json_end(tmp_path):
    deep = b"\x80\x02)" + b"\x85" * 100_000 + b"."
    with pytest.raises(ForeignFileError):
        read_sb3(changed(FIXTURES / "sac.zip", tmp_path, policy_pth=pth(deep)))
    key = b"\x80\x02}" + b")" + b"\x85" * 100_000 + b"K\x01s."
    with pytest.raises(ForeignFileError, match="a key of the type tuple"):
        read_pth(pth(key), "a file")
    with pytest.raises(ForeignFileError, match="not JSON"):
        read_sb3(changed(FIXTURES / "sac.zip", tmp_path, data="[" * 100_000))


@pytest.mark.parametrize("name", ["sac", "dqn"])
def test_files_cut_anywhere_end_in_a_sentence(name, tmp_path):
    content = (FIXTURES / f"{name}.zip").read_bytes()
    for length in range(0, len(content), 1999):
        (tmp_path / "cut.zip").write_bytes(content[:length])
        with pytest.raises(ForeignFileError):
            read_sb3(tmp_path / "cut.zip")


@pytest.mark.parametrize("name", ["sac.zip", "dqn.zip", "sac_dict.zip", "cleanrl_td3.cleanrl_model"])
def test_flipped_bytes_read_the_same_or_end_in_a_sentence(name, tmp_path):
    generator = np.random.default_rng(0)
    content = (FIXTURES / name).read_bytes()
    for _ in range(100):
        damaged = bytearray(content)
        for place in generator.integers(len(content), size=generator.integers(1, 4)):
            damaged[place] ^= 1 << int(generator.integers(8))
        (tmp_path / "flipped.zip").write_bytes(damaged)
        try:
            (read_cleanrl if name.endswith("model") else read_sb3)(tmp_path / "flipped.zip")
        except ForeignFileError as error:
            assert "\n" not in str(error) and len(str(error)) < 400


@pytest.mark.parametrize(
    "name", ["policy.pth", "actor.optimizer.pth", "pytorch_variables.pth", "ent_coef_optimizer.pth"]
)
def test_flipped_bytes_inside_pickles_end_in_a_sentence(name, tmp_path):
    # as above, but checksums fit
    generator = np.random.default_rng(1)
    inner = zipfile.ZipFile(io.BytesIO(zipfile.ZipFile(FIXTURES / "sac.zip").read(name)))
    entries = {entry: inner.read(entry) for entry in inner.namelist()}
    for _ in range(50):
        damaged = bytearray(entries["archive/data.pkl"])
        for place in generator.integers(len(damaged), size=generator.integers(1, 4)):
            damaged[place] = int(generator.integers(256))
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w") as target:
            for entry, content in {**entries, "archive/data.pkl": bytes(damaged)}.items():
                target.writestr(entry, content)
        try:
            read_sb3(changed(FIXTURES / "sac.zip", tmp_path, **{name.replace(".pth", "_pth"): output.getvalue()}))
        except ForeignFileError as error:
            assert "\n" not in str(error)


def test_changed_data_reads_or_ends_in_a_sentence(tmp_path):
    generator = np.random.default_rng(2)
    data = json.loads(zipfile.ZipFile(FIXTURES / "sac_dict.zip").read("data"))
    values = [None, True, -1, 1e400, "x", [], {}, [[1]], {":type:": "x"}, {":type:": 3, ":serialized:": 3}, 2**70]
    for _ in range(100):
        copy = json.loads(json.dumps(data))
        for key in generator.choice(list(copy), size=2):
            value = values[generator.integers(len(values))]
            if isinstance(copy[key], dict) and copy[key] and generator.random() < 0.7:
                copy[key][str(generator.choice(list(copy[key])))] = value
            else:
                copy[key] = value
        try:
            read_sb3(changed(FIXTURES / "sac_dict.zip", tmp_path, data=json.dumps(copy)))
        except ForeignFileError as error:
            assert "\n" not in str(error)


def test_missing_entries_are_named(tmp_path):
    for name in ("data", "policy.pth", "pytorch_variables.pth"):
        path = changed(FIXTURES / "sac.zip", tmp_path, **{name.replace(".pth", "_pth"): None})
        with pytest.raises(ForeignFileError, match=f"no entry {name}"):
            read_sb3(path)
    read = read_sb3(changed(FIXTURES / "sac.zip", tmp_path, **{"actor.optimizer_pth": None}))
    assert read.notes == ["actor.optimizer.pth is missing: the optimiser starts anew"]


@pytest.mark.parametrize(
    "weights, sentence",
    [
        ({"actor.log_std": np.zeros(2)}, "gSDE"),
        ({"mlp_extractor.policy_net.0.weight": np.zeros((2, 2))}, "on-policy"),
        ({"actor.features_extractor.cnn.0.weight": np.zeros((2, 2))}, "feature extractor"),
        ({"actor.latent_pi.1.weight": np.zeros((2, 2))}, "dense layers with ReLU"), ({}, "no weights"),
        ({"actor.latent_pi.0.weight": np.zeros((2, 2))}, "biases"), ([], "no weights"),
    ],
)  # fmt: skip
def test_networks_of_other_kinds_are_refused(weights, sentence, tmp_path):
    with pytest.raises(ForeignFileError, match=sentence):
        read_sb3(changed(FIXTURES / "sac.zip", tmp_path, policy_pth=write_pth(weights)))


def test_what_is_no_model_is_refused(tmp_path):
    for content in (b"", b"PK", b"hello" * 100, struct.pack("<Q", 100) + b"{}"):
        (tmp_path / "x.zip").write_bytes(content)
        for function in (read_sb3, read_cleanrl):
            with pytest.raises(ForeignFileError):
                function(tmp_path / "x.zip")
