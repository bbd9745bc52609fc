"""The replay buffer as scripts for Stable-Baselines3 use it: arrays, add, extend, sample; and parts of a policy in files."""

from __future__ import annotations

import copy

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Drawn, Reach  # noqa: E402

import offpolicy  # noqa: E402
from offpolicy import DQN, SAC, TD3, HerReplayBuffer, UnsupportedError  # noqa: E402
from offpolicy.common.vec_env import DummyVecEnv  # noqa: E402
from offpolicy.policy import Actor, Policy, QNetwork  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[16, 16]), seed=3, batch_size=16, buffer_size=500, learning_starts=10)


def make(env, cls=SAC, **more):
    return cls("MlpPolicy", env, **{**SMALL, **more})


def given(count, first=0.0, ends=False):
    """Transitions of one environment: observations first, first + 1, … in both numbers, action 0.5, reward 2."""
    for i in range(count):
        observation = np.full((1, 2), first + i, np.float32)
        done = ends and i + 1 == count
        yield observation, observation + 1, np.array([[0.5]]), np.array([2.0]), np.array([done]), [{}]


def test_arrays_have_a_row_for_each_step_and_a_column_for_each_environment():
    buffer = make([Counter(4), Counter(5)]).learn(24).replay_buffer
    assert buffer.size() == buffer.pos == 12 and len(buffer) == 24 and not buffer.full and buffer.buffer_size == 250
    assert buffer.observations.shape == buffer.next_observations.shape == (12, 2, 2)
    assert buffer.actions.shape == (12, 2, 1) and buffer.rewards.shape == buffer.dones.shape == (12, 2)
    assert buffer.observations[:, 0, 1].tolist() == [0, 1, 2, 3] * 3
    assert buffer.observations[:, 1, 1].tolist() == [0, 1, 2, 3, 4] * 2 + [0, 1]
    assert buffer.dones[:, 0].tolist() == [0, 0, 0, 1] * 3
    # terminated, truncated, both, by turns: a time-out is an end that is no termination
    assert buffer.timeouts[[3, 7, 11], 0].tolist() == [1, 0, 0]
    assert np.abs(buffer.actions).max() <= 1 and np.abs(buffer.actions).max() > 0.5


def test_a_buffer_that_is_full_begins_with_its_oldest_row():
    buffer = make(Counter(4), buffer_size=10).learn(25).replay_buffer
    assert buffer.full and buffer.pos == 0 and buffer.size() == 10
    assert buffer.observations[-1, 0, 1] == 0 and buffer.dones[-2, 0] == 1


def test_what_is_added_is_held_and_learned_from():
    model = make(Counter())
    for row in given(5, ends=True):
        model.replay_buffer.add(*row)
    for row in given(3, first=50):
        model.replay_buffer.add(*row)
    buffer = model.replay_buffer
    assert buffer.size() == 8
    assert buffer.observations[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 50, 51, 52]
    assert buffer.next_observations[:, 0, 0].tolist() == [1, 2, 3, 4, 5, 51, 52, 53]
    assert buffer.dones[:, 0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0] and not buffer.timeouts.any()
    np.testing.assert_allclose(buffer.actions, 0.5, rtol=1e-6)
    assert (buffer.rewards == 2).all() and model.num_timesteps == 0
    before = model.digest
    model.learn(20)
    assert buffer.size() == 28 and model.num_timesteps == 20 and model.digest != before


def test_actions_are_given_in_the_scale_of_the_policy():
    model = make(Drawn(gym.spaces.Box(-1, 1, (2,))))
    for row in given(2):
        model.replay_buffer.add(*row)
    # the environment's bounds are −2 and 2
    np.testing.assert_allclose(model.replay_buffer.transitions()["actions"], 1.0, rtol=1e-6)


def test_an_episode_that_runs_goes_on_after_others_were_added():
    model = make(Counter(4)).learn(6)
    for row in given(3, first=100):
        model.replay_buffer.add(*row)
    model.learn(6, reset_num_timesteps=False)
    buffer = model.replay_buffer
    assert buffer.observations[:, 0, 1].tolist() == [0, 1, 2, 3, 0, 1, 100, 101, 102, 2, 3, 0, 1, 2, 3]
    assert buffer.next_observations[:, 0, 1].tolist() == [1, 2, 3, 4, 1, 2, 101, 102, 103, 3, 4, 1, 2, 3, 4]
    assert model.num_timesteps == 12


def test_a_time_out_that_is_added_is_no_termination():
    model = make(Counter())
    one = np.zeros((1, 2))
    model.replay_buffer.add(one, one + 1, [[0.0]], [1.0], [True], [{"TimeLimit.truncated": True}])
    model.replay_buffer.add(one, one + 1, [[0.0]], [1.0], [True], [{"TimeLimit.truncated": False}])
    assert model.replay_buffer.timeouts[:, 0].tolist() == [1, 0] and model.replay_buffer.dones.all()
    assert model.replay_buffer.terminated[:, 0].tolist() == [False, True]


def test_choices_and_one_hot_observations_come_back_as_they_were_added():
    space = gym.spaces.Discrete(3, start=2)
    model = make(Drawn(gym.spaces.Discrete(5), space), cls=DQN)
    model.replay_buffer.add(np.array([4]), np.array([1]), np.array([3]), np.array([0.5]), np.array([False]), [{}])
    buffer = model.replay_buffer
    assert buffer.observations.tolist() == [[4]] and buffer.next_observations.tolist() == [[1]]
    assert buffer.actions.tolist() == [[[3]]]


@pytest.mark.parametrize("choice", [1, 5, 2.5])
def test_a_choice_that_there_is_not_is_refused_and_the_model_goes_on(tmp_path, choice):
    model = make(Drawn(gym.spaces.Discrete(5), gym.spaces.Discrete(3, start=2)), cls=DQN)
    with pytest.raises(UnsupportedError, match="was given the choices .*, expected 2 to 4"):
        model.replay_buffer.add(np.array([4]), np.array([1]), np.array([choice]), np.array([0.5]), np.array([False]), [{}])
    model.learn(12).save(tmp_path / "model")
    assert model.replay_buffer.size() == 12


@pytest.mark.parametrize("which, what", [(0, "an observation"), (1, "an observation"), (2, "an action"), (3, "a reward")])
@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e300])
def test_numbers_that_are_not_finite_are_refused_and_the_model_goes_on(tmp_path, which, what, value):
    env = [Counter(), Counter()]
    model = make(env)
    rows = [np.zeros((2, 2)), np.ones((2, 2)), np.zeros((2, 1)), np.zeros(2), np.zeros(2), [{}, {}]]
    rows[which][1] = value
    with pytest.raises(UnsupportedError, match=f"was given {what} with NaN or infinity"):
        model.replay_buffer.add(*rows)
    model.learn(20).save(tmp_path / "model")
    assert len(model.replay_buffer) == 20


def test_a_copy_of_another_buffer_can_be_added():
    old = copy.deepcopy(make([Counter(4), Counter(5)]).learn(24).replay_buffer)
    model = make([Counter(), Counter()], seed=5)
    infos = [[{"TimeLimit.truncated": cut} for cut in row] for row in old.timeouts]
    model.replay_buffer.extend(
        old.observations, old.next_observations, old.actions, old.rewards, old.dones, infos)
    for name in ("observations", "next_observations", "rewards", "dones", "timeouts"):
        assert np.array_equal(getattr(model.replay_buffer, name), getattr(old, name)), name
    np.testing.assert_allclose(model.replay_buffer.actions, old.actions, atol=1e-6)


def test_what_was_added_is_saved(tmp_path):
    model = make(Counter())
    model.replay_buffer.extend(*zip(*given(7)))
    model.save(tmp_path / "model")
    assert SAC.load(tmp_path / "model", env=Counter()).replay_buffer.size() == 7
    other = make(Counter())
    other.replay_buffer.extend(*zip(*given(9)))
    other.save_replay_buffer(tmp_path / "buffer")
    model.load_replay_buffer(tmp_path / "buffer")
    assert model.replay_buffer.size() == 9


def test_samples_are_rows_of_the_buffer():
    model = make([Counter(4), Counter(5)]).learn(40)
    rows = model.replay_buffer.transitions()
    known = {tuple(row) for row in np.concatenate([rows["observations"], rows["next_observations"]], axis=1).tolist()}
    drawn = model.replay_buffer.sample(200)
    seen = np.concatenate([np.asarray(drawn.observations), np.asarray(drawn.next_observations)], axis=1)
    assert {tuple(row) for row in seen.tolist()} == known  # 200 of 40 rows: one is missed in 4,000 tries
    assert drawn.actions.shape == drawn.rewards.shape == drawn.dones.shape == (200, 1)
    with pytest.raises(ValueError, match="empty"):
        make(Counter()).replay_buffer.sample(3)


def test_infos_for_hindsight_are_refused_because_compute_reward_gets_none():
    keywords = dict(copy_info_dict=True)
    with pytest.raises(UnsupportedError, match="copy_info_dict=True is not supported.*leave it out"):
        SAC("MultiInputPolicy", Reach(), replay_buffer_class=HerReplayBuffer, replay_buffer_kwargs=keywords, **SMALL)


@pytest.mark.parametrize("strategy", ["future", "final", "episode"])
def test_hindsight_has_all_strategies(strategy):
    keywords = dict(n_sampled_goal=2, goal_selection_strategy=strategy)
    model = SAC("MultiInputPolicy", Reach(), replay_buffer_class=HerReplayBuffer, replay_buffer_kwargs=keywords, **SMALL)
    model.learn(60)
    name = {"future": "hindsight", "final": "hindsightFinal", "episode": "hindsightEpisode"}[strategy]
    assert model._hindsight.sampler() == {name: {"goals": 2}} and model._n_updates == 50


def test_hindsight_takes_a_batch_that_is_larger_than_the_buffer():
    model = SAC("MultiInputPolicy", Reach(), replay_buffer_class=HerReplayBuffer, **{**SMALL, "buffer_size": 12})
    assert model.learn(60)._n_updates == 50


def test_hindsight_warns_where_a_running_episode_ends_with_a_buffer_that_is_read(tmp_path):
    model = SAC("MultiInputPolicy", Reach(), replay_buffer_class=HerReplayBuffer, **SMALL).learn(25)
    model.save_replay_buffer(tmp_path / "buffer")
    with pytest.warns(UserWarning, match="truncated"):
        model.load_replay_buffer(tmp_path / "buffer")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.load_replay_buffer(tmp_path / "buffer", truncate_last_traj=False)
    assert model.learn(10).replay_buffer.size() == 35


# ---- parts of a policy


@pytest.mark.parametrize("cls", [SAC, TD3])
def test_a_policy_and_its_actor_are_saved_and_loaded_by_themselves(cls, tmp_path):
    model = make(Counter(), cls=cls).learn(30)
    rows = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    expected = model.predict(rows, deterministic=True)[0]
    model.policy.save(tmp_path / "policy.pkl")
    model.actor.save(tmp_path / "actor.safetensors")
    policy, actor = Policy.load(tmp_path / "policy.pkl"), Actor.load(tmp_path / "actor.safetensors")
    for part in (policy, actor, policy.actor):
        assert np.array_equal(part.predict(rows, deterministic=True)[0], expected)
    assert np.array_equal(policy(rows, deterministic=True), expected)
    for name, value in model.policy.state_dict().items():
        assert np.array_equal(policy.state_dict()[name], value), name
    assert set(model.actor.state_dict()) < set(model.policy.state_dict())
    with pytest.raises(ValueError, match="no critics"):
        actor.state_dict()


def test_the_values_of_choices_are_a_part_of_dqn(tmp_path):
    model = make("CartPole-v1", cls=DQN).learn(40)
    model.q_net.save(tmp_path / "q_net.pkl")
    loaded = QNetwork.load(tmp_path / "q_net.pkl")
    for name, value in model.q_net.state_dict().items():
        assert name.startswith("critic.") and np.array_equal(loaded.state_dict()[name], value)
    with pytest.raises(AttributeError, match="has no actor"):
        model.policy.actor


def test_a_learning_rate_above_one_is_refused_when_training_begins():
    model = make(Counter(), learning_rate=2.0)
    assert model.learning_rate == 2.0
    with pytest.raises(ValueError, match="learning_rate=2 is not supported"):
        model.learn(10)


def test_parameters_are_arrays_where_nobody_imported_pytorch():
    import sys

    if "torch" in sys.modules:
        pytest.skip("PyTorch is imported here")
    assert all(type(value) is np.ndarray for value in make(Counter()).policy.state_dict().values())
    assert offpolicy.tensors.as_used(np.arange(3)).tolist() == [0, 1, 2]


def test_a_full_buffer_has_as_many_transitions_of_each_environment():
    buffer = make([Counter, Counter, Counter], buffer_size=100).learn(150).replay_buffer
    assert (buffer.buffer_size, buffer.size(), len(buffer)) == (33, 33, 99)
    # the second number of a next observation is never 0
    assert buffer.observations.shape == (33, 3, 2) and buffer.next_observations[..., 1].min() == 1


def test_a_buffer_that_does_not_fit_is_refused_and_the_model_goes_on(tmp_path):
    make([Counter, Counter]).learn(30).save_replay_buffer(tmp_path / "two")
    make(Drawn(gym.spaces.Box(-1, 1, (5,)))).learn(30).save_replay_buffer(tmp_path / "wide")
    model = make(Counter()).learn(30)
    for name in ("two", "wide"):
        with pytest.raises(UnsupportedError, match="does not fit this model with n_envs=1 and observations Box"):
            model.load_replay_buffer(tmp_path / name)
    assert model.learn(10, reset_num_timesteps=False).replay_buffer.size() == 40


@pytest.mark.parametrize(
    "env",
    [
        lambda: Counter(4), lambda: [Counter(4), Counter(5)], lambda: gym.vector.SyncVectorEnv([lambda: Counter(4)] * 2),
        lambda: DummyVecEnv([lambda: Counter(4)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("callback", [None, lambda _locals, _globals: True])
def test_without_handle_timeout_termination_a_timeout_is_an_end(env, callback):
    def learned(**kwargs):
        return make(env(), replay_buffer_kwargs=kwargs).learn(60, callback=callback)

    usual, ends = learned(), learned(handle_timeout_termination=False)
    assert usual.digest == learned(handle_timeout_termination=True).digest != ends.digest
    assert usual.replay_buffer.timeouts.sum() > 0 == ends.replay_buffer.timeouts.sum()
    assert np.array_equal(usual.replay_buffer.dones, ends.replay_buffer.dones)
    assert np.array_equal(ends.replay_buffer.terminated, ends.replay_buffer.dones)
    assert usual._episode_num == ends._episode_num


def test_without_handle_timeout_termination_a_timeout_is_an_end_in_a_built_in_environment():
    kwargs = dict(handle_timeout_termination=False)
    built_in, gymnasiums = (make(env, replay_buffer_kwargs=kwargs).learn(205) for env in ("Pendulum-v1", gym.make("Pendulum-v1")))
    assert built_in.digest == gymnasiums.digest != make("Pendulum-v1").learn(205).digest
    assert built_in.replay_buffer.terminated.ravel()[199] and built_in.replay_buffer.timeouts.sum() == 0


@pytest.mark.parametrize("kwargs, is_end", [({}, False), (dict(handle_timeout_termination=False), True)])
def test_a_timeout_that_is_added_is_an_end_only_where_the_model_says_so(kwargs, is_end):
    model = make(Counter(), replay_buffer_kwargs=kwargs)
    zeros = np.zeros((1, *model.observation_space.shape), np.float32)
    model.replay_buffer.add(zeros, zeros, np.zeros((1, 1)), np.zeros(1), np.ones(1), [{"TimeLimit.truncated": True}])
    assert model.replay_buffer.terminated.ravel()[0] == is_end
