"""What a model collects from: vectors in every mode, spaces of every kind, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Drawn  # noqa: E402
from gymnasium import spaces  # noqa: E402
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv  # noqa: E402

from offpolicy import DQN, SAC, TD3, BuiltInEnvironment, UnsupportedError  # noqa: E402
from offpolicy.common.env_util import make_vec_env  # noqa: E402
from offpolicy.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor  # noqa: E402
from offpolicy.flatten import ActionMap, Flattener  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), seed=0)


def collected(env):
    """The transitions of 300 steps with random actions, without these."""
    model = SAC("MlpPolicy", env, learning_starts=10_000, **SMALL).learn(300)
    b = model.replay_buffer.transitions()
    cut = (b["truncated"] != 0) & (b["terminated"] == 0)
    columns = [b["rewards"][:, None], b["terminated"][:, None], cut[:, None]]
    return np.concatenate([b["observations"], b["next_observations"]] + columns, axis=1)


def makers():
    return [lambda: Counter(4), lambda: Counter(5)]


def by_hand(lengths, steps):
    """What two counters give in so many steps each."""
    rows = []
    for length in lengths:
        for step in range(steps):
            episode, count = step // length + 1, step % length
            ends = count + 1 == length
            terminated, truncated = ends and episode % 3 != 1, ends and episode % 3 == 1
            rows.append([episode, count, episode, count + 1, count + 1, terminated, truncated])
    return np.array(rows, dtype=np.float32)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED, None])
def test_vectors_that_reset_at_once_fill_the_buffer_as_single_environments_do(mode):
    env = [make() for make in makers()] if mode is None else SyncVectorEnv(makers(), autoreset_mode=mode)
    assert np.array_equal(collected(env), by_hand([4, 5], 150))


def test_the_step_after_an_end_is_no_transition_where_vectors_reset_one_step_late():
    found = collected(SyncVectorEnv(makers(), autoreset_mode=AutoresetMode.NEXT_STEP))
    for length, rows in ((4, found[:_second_lane(found)]), (5, found[_second_lane(found) :])):
        assert np.array_equal(rows, by_hand([length], len(rows)))
    assert len(found) == 300


def _second_lane(found):
    # where episodes begin anew with the first
    return int(np.flatnonzero((found[1:, 0] == 1) & (found[:-1, 0] > 1))[0]) + 1


def test_one_environment_in_a_late_resetting_vector_works():
    found = collected(SyncVectorEnv(makers()[:1], autoreset_mode=AutoresetMode.NEXT_STEP))
    assert np.array_equal(found, by_hand([4], 300))


def test_a_vec_env_of_stable_baselines3_fills_the_same_buffer():
    vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
    assert np.array_equal(collected(vec_env.DummyVecEnv(makers())), by_hand([4, 5], 150))


SPACES = [
    spaces.Box(-1, 1, (2, 3), np.float64),
    spaces.Box(0, 200, (4,), np.uint8),
    spaces.Box(-np.inf, np.inf, (1,), np.float32),
    spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([2, 4]),
    spaces.MultiDiscrete(np.array([[2, 3], [4, 5]])),
    spaces.MultiBinary(3),
    spaces.MultiBinary((2, 2)),
    spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 1, (2,))]),
    spaces.Dict(b=spaces.Box(-1, 1, (2,)), a=spaces.Dict(c=spaces.Discrete(2), d=spaces.MultiBinary(2))),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_observations_are_flattened_as_gymnasium_does(space):
    space.seed(1)
    flattener = Flattener(space)
    samples = [space.sample() for _ in range(5)]
    row = np.empty(flattener.size, np.float32)
    for sample in samples:
        flattener.write(sample, row)
        assert np.array_equal(row, spaces.flatten(space, sample).astype(np.float32))
    rows = np.empty((5, flattener.size), np.float32)
    flattener.write_batch(flattener.stack(samples), rows)
    assert np.array_equal(rows, [spaces.flatten(space, sample).astype(np.float32) for sample in samples])
    assert flattener.batch_size(samples[0]) is None and flattener.batch_size(flattener.stack(samples)) == 5


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_every_space_of_observations_trains_and_predicts(tmp_path, space):
    env = Drawn(space)
    policy = "MultiInputPolicy" if isinstance(space, spaces.Dict) else "MlpPolicy"
    model = SAC(policy, env, learning_starts=20, **SMALL).learn(40)
    sample = space.sample()
    action, _ = model.predict(sample, deterministic=True)
    assert action.shape == (1,)
    model.save(tmp_path / "model")
    again, _ = SAC.load(tmp_path / "model").predict(sample, deterministic=True)
    assert np.array_equal(action, again)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(np.array([[-1, 0], [2, 3]]), np.array([[1, 5], [4, 9]]), dtype=np.float64),
        spaces.Box(-0.1, 0.1, (3,), np.float64),
        spaces.Box(-3, 3, (2,), np.int32),
    ],
    ids=str,
)
def test_actions_reach_the_environment_in_its_shape_and_type(space):
    env = Drawn(spaces.Box(-1, 1, (2,)), space)
    TD3("MlpPolicy", env, learning_starts=10, **SMALL).learn(30)
    assert len(env.actions) == 30 and all(a.dtype == space.dtype and a.shape == space.shape for a in env.actions)


def test_discrete_actions_begin_at_the_spaces_start():
    env = Drawn(spaces.Box(-1, 1, (2,)), spaces.Discrete(3, start=7))
    model = DQN("MlpPolicy", env, learning_starts=10, **SMALL).learn(60)
    assert set(int(action) for action in env.actions) == {7, 8, 9}
    assert int(model.predict(np.zeros(2, np.float32))[0]) in (7, 8, 9)
    assert model.predict(np.zeros((4, 2), np.float32))[0].shape == (4,)


def test_actions_map_back_and_forth():
    box = spaces.Box(np.array([-1.0, 0.0]), np.array([1.0, 10.0]), dtype=np.float32)
    actions = ActionMap(box)
    rows = np.array([[0.5, 5.0]], np.float32)
    assert np.allclose(actions.scaled(rows), [[0.5, 0.0]]) and np.allclose(actions.unscaled(actions.scaled(rows)), rows)


class Wrong(Counter):
    """A counter with one thing changed."""

    def __init__(self, **changes):
        super().__init__()
        for name, value in changes.items():
            setattr(self, name, value)

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        if self.count == 3 and hasattr(self, "third"):
            return self.third
        return observation, reward, terminated, truncated, info


BOX2 = np.zeros(2, np.float32)


@pytest.mark.parametrize(
    "env,words",
    [
        (dict(action_space=spaces.Box(-np.inf, np.inf, (1,))), "finite bounds, number 0"),
        (dict(action_space=spaces.Discrete(2)), "needs a Box action space, the environment has Discrete"),
        (dict(action_space=spaces.MultiDiscrete([2, 2])), "only Box and Discrete"),
        (dict(observation_space=spaces.Box(0, 255, (36, 36, 3), np.uint8)), "pictures of the shape"),
        (dict(observation_space=spaces.Text(5)), "Text are not supported"),
        (dict(third=(BOX2, np.nan, False, False, {})), "reward of lane 0 is nan"),
        (dict(third=(BOX2, "much", False, False, {})), "reward 'much', expected a number"),
        (dict(third=(np.array([np.nan, 0], np.float32), 0.0, False, False, {})), "lane 0"),
        (dict(third=(np.zeros(3, np.float32), 0.0, False, False, {})), r"shape \(2,\), one of the shape \(3,\) came"),
        (dict(third=(BOX2, 0.0, False, {})), "returned 4 values, expected the 5 of Gymnasium"),
    ],
    ids=str,
)
def test_what_is_wrong_with_an_environment_is_said_in_a_sentence(env, words):
    with pytest.raises(ValueError, match=words):
        SAC("MlpPolicy", Wrong(**env), **SMALL).learn(20)


@pytest.mark.parametrize(
    "arguments,words",
    [
        (dict(use_sde=True), "use_sde=True.*action_noise"),
        (dict(policy_kwargs=dict(activation_fn="GELU")), "activation_fn=GELU"),
        (dict(policy_kwargs=dict(n_critics=3)), "n_critics=3 is not supported: this algorithm has 2; REDQ and TQC have any"),
        (dict(policy_kwargs=dict(optimizer_class="SGD")), "optimizer_class=SGD"),
        (dict(policy_kwargs=dict(features_extractor_class="NatureCNN")), "features_extractor_class"),
        (dict(replay_buffer_class="Mine"), "replay_buffer_class=Mine"),
        (dict(train_freq=(1, "day")), "'step' or 'episode'"),
        (dict(configuration=dict(discuont=1)), "discuont"),
        (dict(policy_kwargs=dict(netarch=[8])), r"netarch is not supported \(did you mean 'net_arch'\?\)"),
        (dict(policy_kwargs=dict(net_arch="8")), "net_arch='8' is no list"),
        (dict(seed=-1), "seed=-1: a seed is a whole number"), (dict(seed="a"), "seed='a'"),
        (dict(batch_size="a"), "batch_size='a' is not a number"), (dict(gamma=None), "gamma=None is not a number"),
        (dict(ent_coef="atuo"), "ent_coef='atuo': it is"), (dict(learning_rate=-1), "a rate is at least 0"),
    ],
    ids=str,
)
def test_what_is_not_supported_is_refused_by_name_before_the_first_step(arguments, words):
    with pytest.raises(ValueError, match=words):
        SAC("MlpPolicy", Counter(), **arguments)
    with pytest.raises(ValueError, match="CnnPolicy is not supported"):
        SAC("CnnPolicy", Counter())
    with pytest.raises(ImportError, match="has no PPO: it has off-policy algorithms, SAC"):
        from offpolicy import PPO  # noqa: F401


def test_predict_refuses_what_reset_returns_and_other_shapes():
    model = SAC("MlpPolicy", Counter(), **SMALL)
    with pytest.raises(ValueError, match="obs, info = env.reset"):
        model.predict(Counter().reset())
    with pytest.raises(ValueError, match=r"one of the shape \(5,\) came"):
        model.predict(np.zeros(5))


def test_arguments_of_another_kind_are_named():
    for arguments in (dict(policy_kwargs=[8]), dict(configuration="x"), dict(action_noise=0.1)):
        with pytest.raises(TypeError, match=next(iter(arguments))):
            SAC("MlpPolicy", Counter(), **arguments)
    with pytest.raises(ValueError, match="did you mean 'MlpPolicy'"):
        SAC("MlpPolcy", Counter())


def test_a_class_makes_its_environments():
    assert SAC("MlpPolicy", Counter, n_envs=2, **SMALL).n_envs == 2
    assert SAC("MlpPolicy", [Counter, Counter()], **SMALL).learn(20).num_timesteps == 20


def test_an_environment_that_is_wrapped_twice_is_one():
    env = Counter()
    with pytest.raises(ValueError, match="the same environment is in the list twice"):
        make_vec_env(lambda: env, n_envs=2)


def test_another_way_of_rendering_than_the_environments_own_is_a_warning():
    env = DummyVecEnv([lambda: BuiltInEnvironment("Pendulum-v1")])
    with pytest.warns(UserWarning, match="made with render_mode=None"):
        env.render("human")


def test_an_unknown_id_names_those_that_are_built_in():
    with pytest.raises(Exception, match="Pendulun"):
        SAC("MlpPolicy", "Pendulun-v1")


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
def test_an_attribute_is_set_in_the_environments_of_a_vector_that_are_named(kind):
    env = SAC("MlpPolicy", kind([Counter] * 3), **SMALL).get_env()
    env.set_attr("length", 7, indices=[1])
    assert env.get_attr("length") == [4, 7, 4]
    env.set_attr("length", [5, 6, 7])
    assert env.get_attr("length") == [[5, 6, 7]] * 3
    env.close()


@pytest.mark.parametrize("name", ["g", "options", "maximum_steps"])
def test_an_attribute_of_a_built_in_environment_cannot_be_set_where_that_has_no_effect(name):
    env = SAC("MlpPolicy", "Pendulum-v1", **SMALL).get_env()
    with pytest.raises(UnsupportedError, match=f"'{name}' of the built-in Pendulum-v1 cannot be set, .* environment_options"):
        env.set_attr(name, 0.0)
    assert not env.has_attr("g") and env.get_attr("maximum_steps") == [200]
    env.set_attr("render_mode", None)


def test_no_observations_give_no_actions():
    assert SAC("MlpPolicy", Counter(), **SMALL).predict(np.zeros((0, 2)))[0].shape == (0, 1)


class Reusing(Counter):
    """Gives the same array always."""

    def __init__(self):
        super().__init__()
        self.array = np.zeros(2, np.float32)

    def reset(self, *, seed=None, options=None):
        self.array[:] = super().reset(seed=seed)[0]
        return self.array, {}

    def step(self, action):
        observation, *rest = super().step(action)
        self.array[:] = observation
        return (self.array, *rest)


@pytest.mark.parametrize("make", [
    DummyVecEnv, SubprocVecEnv, lambda makers: VecMonitor(DummyVecEnv(makers)), lambda makers: VecMonitor(SubprocVecEnv(makers)),
])  # fmt: skip
def test_last_observations_are_true_ones_where_an_environment_writes_into_one_array_always(make):
    env = make([Reusing])
    rows = SAC("MlpPolicy", env, **SMALL).learn(9).replay_buffer.transitions()
    assert rows["next_observations"].tolist() == [[1 + i // 4, 1 + i % 4] for i in range(9)]
    env.close()
