"""`offpolicy.common`: what scripts import by the names of Stable-Baselines3, and what they are told where it is not here."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

import offpolicy  # noqa: E402
import offpolicy.common  # noqa: E402
from offpolicy import DQN, SAC, HerReplayBuffer, check_env  # noqa: E402
from offpolicy.common import buffers, preprocessing, utils  # noqa: E402
from offpolicy.common.base_class import BaseAlgorithm  # noqa: E402
from offpolicy.common.env_util import is_wrapped, unwrap_wrapper  # noqa: E402
from offpolicy.common.envs import BitFlippingEnv, IdentityEnv, IdentityEnvBox  # noqa: E402
from offpolicy.common.monitor import Monitor  # noqa: E402
from offpolicy.common.off_policy_algorithm import OffPolicyAlgorithm  # noqa: E402
from offpolicy.common.vec_env import VecTransposeImage  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[16]), seed=3, learning_starts=20, batch_size=16)


def test_every_name_that_a_module_promises_is_there():
    found = 0
    for module in pkgutil.walk_packages(offpolicy.common.__path__, "offpolicy.common."):
        loaded = importlib.import_module(module.name)
        for name in getattr(loaded, "__all__", []):
            assert getattr(loaded, name) is not None or name == "tqdm"  # which may not be installed
            found += 1
    assert found > 60


@pytest.mark.parametrize(
    "line, words",
    [
        ("from offpolicy.common.env_util import make_atari_env", "there are no convolutional networks"),
        ("from offpolicy.common.torch_layers import BaseFeaturesExtractor", "policy_kwargs"),
        ("from offpolicy.common.policies import ActorCriticPolicy", "there are no on-policy algorithms"),
        ("from offpolicy.common.buffers import RolloutBuffer", "there are no on-policy algorithms"),
        ("from offpolicy.common.save_util import load_from_pkl", "load_replay_buffer"),
        ("from offpolicy.common.vec_env import Nonsense", "cannot import name 'Nonsense'"),
    ],
)
def test_an_import_of_what_is_not_here_says_what_there_is_instead(line, words):
    with pytest.raises(ImportError, match=words):
        exec(line)


def test_replay_buffers_have_the_class_that_scripts_ask_for():
    assert type(SAC("MlpPolicy", "Pendulum-v1", **SMALL).replay_buffer) is buffers.ReplayBuffer
    model = SAC("MlpPolicy", "Pendulum-v1", n_steps=3, replay_buffer_class=buffers.NStepReplayBuffer, **SMALL)
    assert type(model.replay_buffer) is buffers.NStepReplayBuffer and model.replay_buffer.n_steps == 3
    for kind in (HerReplayBuffer, "HerReplayBuffer"):
        model = DQN("MultiInputPolicy", BitFlippingEnv(4), replay_buffer_class=kind, **SMALL)
        assert type(model.replay_buffer) is HerReplayBuffer and isinstance(model.replay_buffer, buffers.DictReplayBuffer)
    for arguments in ((100, model.observation_space, model.action_space), ()):
        with pytest.raises(ValueError, match="a ReplayBuffer belongs to a model, which makes it"):
            buffers.ReplayBuffer(*arguments, **({} if arguments else {"buffer_size": 100}))
    assert isinstance(model, BaseAlgorithm) and OffPolicyAlgorithm is BaseAlgorithm


def test_small_helpers_give_what_their_names_say(tmp_path):
    for name in ("a_1", "a_10", "a_b_3", "a_x"):
        (tmp_path / name).mkdir()
    assert [utils.get_latest_run_id(str(tmp_path), name) for name in ("a", "a_b", "c")] == [10, 3, 0]
    assert utils.get_linear_fn(1.0, 0.1, 0.5)(0.75) == pytest.approx(0.55) and utils.constant_fn(3.0)(0.2) == 3
    assert utils.get_schedule_fn(lambda rest: 2 * rest)(0.5) == 1 and utils.get_schedule_fn(0.25)(0.1) == 0.25
    assert utils.safe_mean([1, 3]) == 2 and np.isnan(utils.safe_mean([]))
    assert utils.get_device("cuda").type == "cpu" and utils.get_system_info(print_info=False)[0]["NumPy"] == np.__version__
    box, picture = gym.spaces.Box(0, 1, (2, 3)), gym.spaces.Box(0, 255, (8, 9, 3), np.uint8)
    assert preprocessing.is_image_space(picture) and not preprocessing.is_image_space(box)
    assert not preprocessing.is_image_space(gym.spaces.Box(0, 255, (8, 9, 7), np.uint8), check_channels=True)
    assert not preprocessing.is_image_space_channels_first(picture)
    assert preprocessing.is_image_space_channels_first(gym.spaces.Box(0, 255, (3, 8, 9), np.uint8))
    with pytest.raises(ValueError, match="VecTransposeImage is not supported"):
        VecTransposeImage(None)
    parts = gym.spaces.Dict(a=box, b=gym.spaces.Discrete(4))
    assert preprocessing.get_flattened_obs_dim(parts) == 10
    assert preprocessing.get_obs_shape(parts) == {"a": (2, 3), "b": (1,)}
    assert [preprocessing.get_action_dim(space) for space in (box, gym.spaces.Discrete(4))] == [6, 1]
    env = Monitor(gym.make("Pendulum-v1"))
    assert is_wrapped(env, Monitor) and unwrap_wrapper(env, gym.wrappers.TimeLimit) is env.env
    assert not is_wrapped(env.env, Monitor)


@pytest.mark.parametrize("arguments", [{}, {"continuous": True}, {"discrete_obs_space": True}])
def test_bits_are_flipped_until_all_are_ones(arguments):
    env = BitFlippingEnv(n_bits=5, **arguments)
    check_env(env)
    observation, _ = env.reset(seed=1)
    again, _ = BitFlippingEnv(n_bits=5, **arguments).reset(seed=1)
    assert str(again) == str(observation)
    zeros = np.flatnonzero(env.state == 0)
    assert 1 < len(zeros) < 5
    for i, bit in enumerate(zeros):
        action = np.where(np.arange(5) == bit, 0.5, -0.5) if env.continuous else bit
        observation, reward, terminated, _, info = env.step(action)
        assert reward == (0 if i == len(zeros) - 1 else -1) and terminated == info["is_success"] == (reward == 0)
    assert np.array_equal(observation["achieved_goal"], observation["desired_goal"])
    goals = np.ones((3, 5), np.int8) if not env.discrete_obs_space else np.full(3, 31)
    others = goals.copy()
    others[1] -= 1
    assert env.compute_reward(others, goals, None).tolist() == [0, -1, 0]


def test_the_action_that_is_the_observation_earns_one():
    env = IdentityEnv(4, ep_length=3)
    check_env(env)
    observation, _ = env.reset(seed=0)
    earned = []
    for step in range(3):
        right = step != 1
        observation, reward, _, cut, _ = env.step(observation if right else (observation + 1) % 4)
        earned.append(reward)
    assert earned == [1, 0, 1] and cut
    env = IdentityEnvBox(eps=0.1)
    observation, _ = env.reset(seed=0)
    assert env.step(observation + 0.09)[1] == 1
    assert env.step(env.state + 0.11)[1] == 0
    with pytest.raises(ValueError, match="one of them"):
        IdentityEnv(4, space=gym.spaces.Discrete(4))


def test_small_environments_need_no_gymnasium():
    code = """
import sys
sys.modules["gymnasium"] = None
from offpolicy import DQN
from offpolicy.common.envs import BitFlippingEnv
env = BitFlippingEnv(4)
assert (env.reset(seed=1)[0]["observation"] == BitFlippingEnv(4).reset(seed=1)[0]["observation"]).all()
arguments = dict(policy_kwargs=dict(net_arch=[16]), learning_starts=20)
DQN("MultiInputPolicy", env, replay_buffer_class="HerReplayBuffer", **arguments).learn(60)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
