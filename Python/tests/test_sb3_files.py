"""Model files of Stable-Baselines3 and CleanRL are read to the numbers that they hold, without PyTorch.

The files and the actions are of Scripts/fixtures/sb3_zips.py: Stable-Baselines3 2.9.2, PyTorch 2.15.0, seed 20261128.
"""

import pathlib

import numpy as np
import pytest

import offpolicy
from offpolicy._sb3zip import read_cleanrl, read_sb3, write_sb3

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
PREDICTIONS = np.load(FIXTURES / "predictions.npz")
CLASSES = {
    "sac": "SAC",
    "sac_pendulum": "SAC",
    "sac_fixed": "SAC",
    "sac_dict": "SAC",
    "td3": "TD3",
    "ddpg": "DDPG",
    "dqn": "DQN",
}


def observations(name):
    if name == "sac_dict":
        return {key: PREDICTIONS[f"{name}.observations.{key}"] for key in "abc"}
    return PREDICTIONS[f"{name}.observations"]


def load(name, **arguments):
    return getattr(offpolicy, CLASSES[name]).load(FIXTURES / f"{name}.zip", **arguments)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_loaded_model_gives_stable_baselines3s_actions(name):
    actions, _ = load(name).predict(observations(name), deterministic=True)
    np.testing.assert_allclose(actions, PREDICTIONS[f"{name}.actions"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name, class_name", [("cleanrl_td3", "TD3"), ("cleanrl_ddpg", "DDPG")])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_cleanrl_model_gives_cleanrls_actions_and_values(name, class_name):
    model = getattr(offpolicy, class_name).load(FIXTURES / f"{name}.cleanrl_model")
    actions, _ = model.predict(observations(name), deterministic=True)
    np.testing.assert_allclose(actions, PREDICTIONS[f"{name}.actions"], rtol=0, atol=1e-6)
    read = read_cleanrl(FIXTURES / f"{name}.cleanrl_model")
    low, high = (np.array(read.action_space[bound]) for bound in ("low", "high"))
    x = np.concatenate([observations(name), 2 * (actions - low) / (high - low) - 1], axis=1)
    for layer in range(3):
        weight, bias = (read.tensors[f"critic.0.layer.{layer}.{kind}"] for kind in ("weight", "bias"))
        x = x @ weight.T + bias
        x = np.maximum(x, 0) if layer < 2 else x
    np.testing.assert_allclose(x[:, 0], PREDICTIONS[f"{name}.values"], rtol=1e-5, atol=1e-6)


def test_arguments_spaces_and_counts_are_read():
    read = read_sb3(FIXTURES / "td3.zip")
    assert (read.algorithm, read.notes, read.updates) == ("td3", [], int(read.tensors["count.updates"][0]))
    assert read.num_timesteps >= 60 and read.updates > 0 and read.episodes > 0
    assert read.settings["train_freq"] == (1, "episode")
    assert read.settings["policy_kwargs"] == {"net_arch": {"pi": [8, 4], "qf": [8, 4]}, "n_critics": 2}
    assert read.settings["action_noise"] == {"class": "NormalActionNoise", "mean": [0, 0], "sigma": [0.1, 0.1]}
    assert (read.settings["batch_size"], read.settings["policy_delay"], read.settings["learning_rate"]) == (8, 2, 1e-3)
    np.testing.assert_allclose(read.action_space["low"], [-1.5, -0.017453292], rtol=1e-6)
    assert read.observation_space == {
        "kind": "Box", "low": [-1.0] * 3, "high": [1.0] * 3, "shape": [3], "dtype": "float32",
    }  # fmt: skip


def test_cart_poles_spaces_are_read():
    read = read_sb3(FIXTURES / "dqn.zip")
    assert read.action_space == {"kind": "Discrete", "n": 2, "start": 0}
    assert read.observation_space["low"][1] == "-inf" and read.settings["train_freq"] == 4


def test_a_dictionary_of_observations_is_read_in_its_order():
    read = read_sb3(FIXTURES / "sac_dict.zip")
    assert [key for key, _ in read.observation_space["spaces"]] == ["a", "b", "c"]
    assert read.observation_space["spaces"][2][1] == {"kind": "MultiDiscrete", "nvec": [2, 3], "start": [0, 0]}


def test_a_schedule_leaves_its_last_rate_and_a_note():
    read = read_sb3(FIXTURES / "sac_fixed.zip")
    assert 1e-4 <= read.settings["learning_rate"] < 2e-4 and "learning_rate is a function" in read.notes[0]
    assert read.settings["ent_coef"] == 0.2
    np.testing.assert_allclose(read.tensors["log_temperature"], np.log(0.2), rtol=1e-6)


@pytest.mark.parametrize("name", CLASSES)
def test_moments_are_read_beside_each_weight(name):
    tensors = read_sb3(FIXTURES / f"{name}.zip").tensors
    for weight in [key for key in tensors if key.startswith(("policy.", "critic."))]:
        network, rest = weight.split(".", 1)
        number, rest = rest.split(".", 1) if rest[0].isdigit() else ("0", rest)
        for moment in ("first", "second"):
            assert tensors[f"{network}_optimizer.{number}.{moment}.{rest}"].shape == tensors[weight].shape
    assert tensors["count.critic_optimizer.steps"][0] > 0
    assert any(np.any(values) for key, values in tensors.items() if ".second." in key)


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "sac_fixed"])
def test_a_file_that_is_read_and_written_holds_the_same(name, tmp_path):
    read = read_sb3(FIXTURES / f"{name}.zip")
    write_sb3(read, tmp_path / "copy")
    again = read_sb3(tmp_path / "copy.zip")
    assert (again.algorithm, again.settings, again.updates) == (read.algorithm, read.settings, read.updates)
    assert again.tensors.keys() == read.tensors.keys()
    for key, values in read.tensors.items():
        np.testing.assert_array_equal(again.tensors[key], values)
    # the text has fewer digits than the numbers
    assert again.observation_space["kind"] == read.observation_space["kind"]


@pytest.mark.parametrize("name", ["sac", "td3", "ddpg", "dqn"])
def test_what_the_library_takes_over_it_gives_back(name, tmp_path):
    model = load(name)
    model.save_sb3(tmp_path / "copy.zip")
    given, back = read_sb3(FIXTURES / f"{name}.zip").tensors, read_sb3(tmp_path / "copy.zip").tensors
    assert given.keys() == back.keys()
    for key, values in given.items():
        np.testing.assert_array_equal(back[key], values, err_msg=key)


def test_another_algorithms_file_is_refused_with_the_right_name():
    with pytest.raises(ValueError, match="use TD3.load"):
        offpolicy.SAC.load(FIXTURES / "td3.zip")
