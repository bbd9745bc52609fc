"""Stable-Baselines3 opens our files, predicts the same and trains on. Skipped where it is not installed."""

import gymnasium
import numpy as np
import pytest

import offpolicy

sb3 = pytest.importorskip(
    "stable_baselines3", reason="Stable-Baselines3 is not installed: its own loading was not tried"
)

IDS = {"SAC": "Pendulum-v1", "TD3": "Pendulum-v1", "DDPG": "Pendulum-v1", "DQN": "CartPole-v1"}
ARGUMENTS = {
    "learning_starts": 20,
    "batch_size": 16,
    "buffer_size": 500,
    "policy_kwargs": {"net_arch": [16, 8]},
    "seed": 3,
}


def rows(model):
    return np.random.default_rng(0).normal(size=(64, *model.observation_space.shape)).astype(np.float32)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("steps", [0, 120])
def test_it_predicts_our_actions_and_trains_on(name, steps, tmp_path):
    model = getattr(offpolicy, name)("MlpPolicy", gymnasium.make(IDS[name]), **ARGUMENTS)
    if steps:
        model.learn(steps)
    model.save_sb3(tmp_path / "model")
    theirs = getattr(sb3, name).load(tmp_path / "model", env=gymnasium.make(IDS[name]), device="cpu")
    expected = model.predict(rows(model), deterministic=True)[0]
    np.testing.assert_allclose(theirs.predict(rows(model), deterministic=True)[0], expected, rtol=0, atol=1e-6)
    assert (theirs.num_timesteps, theirs._n_updates) == (model.num_timesteps, model._n_updates)
    theirs.learn(60, reset_num_timesteps=False)


@pytest.mark.parametrize("name", IDS)
def test_what_it_trained_goes_through_us_and_back(name, tmp_path):
    arguments = {**ARGUMENTS, "policy_kwargs": {"net_arch": [16, 8]}}
    theirs = getattr(sb3, name)("MlpPolicy", IDS[name], device="cpu", **arguments)
    theirs.learn(100)
    theirs.save(tmp_path / "theirs")
    ours = getattr(offpolicy, name).load(tmp_path / "theirs", env=gymnasium.make(IDS[name]))
    np.testing.assert_allclose(
        ours.predict(rows(ours), deterministic=True)[0], theirs.predict(rows(ours), deterministic=True)[0],
        rtol=0, atol=1e-6)  # fmt: skip
    ours.save_sb3(tmp_path / "back")
    back = getattr(sb3, name).load(tmp_path / "back", device="cpu")
    given = theirs.get_parameters()
    for part, values in back.get_parameters().items():
        if "optimizer" not in part:
            assert all(np.array_equal(value.numpy(), given[part][key].numpy()) for key, value in values.items()), part
            continue
        assert values["param_groups"][0]["lr"] == given[part]["param_groups"][0]["lr"]
        for index, slot in values["state"].items():
            for key, value in slot.items():
                np.testing.assert_allclose(value.numpy(), given[part]["state"][index][key].numpy(), rtol=1e-6)
    ours.learn(40, reset_num_timesteps=False)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("activation", ["Tanh", "ELU", "SiLU"])
def test_activations_go_there_and_come_back(name, activation, tmp_path):
    import torch

    kwargs = {"net_arch": [16, 8], "activation_fn": getattr(torch.nn, activation)}
    model = getattr(offpolicy, name)("MlpPolicy", gymnasium.make(IDS[name]), **{**ARGUMENTS, "policy_kwargs": kwargs})
    model.learn(60)
    model.save_sb3(tmp_path / "ours")
    theirs = getattr(sb3, name).load(tmp_path / "ours", env=gymnasium.make(IDS[name]), device="cpu")
    assert theirs.policy_kwargs["activation_fn"] is kwargs["activation_fn"]
    expected = model.predict(rows(model), deterministic=True)[0]
    np.testing.assert_allclose(theirs.predict(rows(model), deterministic=True)[0], expected, rtol=0, atol=1e-6)
    theirs.learn(60, reset_num_timesteps=False)
    theirs.save(tmp_path / "theirs")
    again = getattr(offpolicy, name).load(tmp_path / "theirs", env=gymnasium.make(IDS[name]))
    np.testing.assert_allclose(
        again.predict(rows(model), deterministic=True)[0], theirs.predict(rows(model), deterministic=True)[0],
        rtol=0, atol=1e-6)  # fmt: skip
    with pytest.raises(offpolicy.UnsupportedError, match="use activation_fn"):
        settings = {"criticActivation": {"tanh": {}}}
        getattr(offpolicy, name)("MlpPolicy", IDS[name], configuration=settings, **ARGUMENTS).save_sb3(tmp_path / "x")


def test_dictionaries_and_noise_open_there(tmp_path):
    from gymnasium import spaces

    class Parts(gymnasium.Env):
        observation_space = spaces.Dict({"b": spaces.Box(-1, 1, (2,)), "a": spaces.Discrete(3)})
        action_space = spaces.Box(np.array([-2, 0.1], np.float32), np.array([1, 0.3], np.float32))

        def reset(self, seed=None, options=None):
            return self.observation_space.sample(), {}

        def step(self, action):
            return self.observation_space.sample(), 0.0, False, False, {}

    noise = offpolicy.NormalActionNoise(np.zeros(2), np.full(2, 0.3))
    model = offpolicy.TD3("MultiInputPolicy", Parts(), action_noise=noise, train_freq=(1, "episode"), **ARGUMENTS)
    model.save_sb3(tmp_path / "model.zip")
    theirs = sb3.TD3.load(tmp_path / "model.zip", env=Parts(), device="cpu")
    assert type(theirs.action_noise).__name__ == "NormalActionNoise" and theirs.action_noise._sigma[0] == 0.3
    assert (theirs.train_freq.frequency, theirs.train_freq.unit.value) == (1, "episode")
    observation = {"b": np.array([[0.1, -0.2]], np.float32), "a": np.array([2])}
    np.testing.assert_allclose(
        theirs.predict(observation, deterministic=True)[0], model.predict(observation, deterministic=True)[0], atol=1e-6
    )
    assert np.array_equal(theirs.action_space.low, Parts.action_space.low)
    again = offpolicy.TD3.load(tmp_path / "model.zip", env=Parts())
    assert again.action_noise._sigma[0] == 0.3


def test_a_goal_model_keeps_its_actions(tmp_path):
    from gymnasium import spaces

    box = spaces.Box(-10, 10, (2,))

    class Reach(gymnasium.Env):
        observation_space = spaces.Dict(
            {"observation": spaces.Box(-1, 1, (3,)), "achieved_goal": box, "desired_goal": box}
        )
        action_space = spaces.Box(-1, 1, (2,))

        def compute_reward(self, achieved, desired, info):
            return -np.linalg.norm(achieved - desired, axis=-1)

        def reset(self, seed=None, options=None):
            return self.observation_space.sample(), {}

        def step(self, action):
            return self.observation_space.sample(), 0.0, False, False, {}

    model = offpolicy.SAC("MultiInputPolicy", Reach(), replay_buffer_class="HerReplayBuffer", **ARGUMENTS)
    model.save_sb3(tmp_path / "model.zip")
    theirs = sb3.SAC.load(tmp_path / "model.zip", device="cpu")
    model.observation_space.seed(0)
    observation = model.observation_space.sample()
    np.testing.assert_allclose(
        theirs.predict(observation, deterministic=True)[0], model.predict(observation, deterministic=True)[0], atol=1e-6
    )
