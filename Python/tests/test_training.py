"""Training: built-in environments, environments in Python, callbacks and restarts give the same bits."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Reach  # noqa: E402

from offpolicy import DDPG, DQN, REDQ, SAC, TD3, TQC, XQC, CrossQ, DiscreteSAC, HerReplayBuffer, LinearSchedule  # noqa: E402
from offpolicy import NormalActionNoise  # noqa: E402
from offpolicy.callbacks import BaseCallback  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[16, 16]), seed=3)
ALL = [
    (SAC, "Pendulum-v1"), (TQC, "Pendulum-v1"), (TD3, "Pendulum-v1"), (DDPG, "Pendulum-v1"), (DQN, "CartPole-v1"),
    (REDQ, "Pendulum-v1"), (CrossQ, "Pendulum-v1"), (XQC, "Pendulum-v1"), (DiscreteSAC, "CartPole-v1"),
]  # fmt: skip


def make(cls, env, **more):
    if cls in (TD3, DDPG):
        more.setdefault("action_noise", NormalActionNoise(np.zeros(1), 0.1 * np.ones(1)))
    return cls("MlpPolicy", env, **{**SMALL, **more})


class SaveAt(BaseCallback):
    """Saves the model at a step, and ends training there."""

    def __init__(self, step, path):
        super().__init__()
        self.step, self.path = step, path

    def _on_step(self):
        if self.num_timesteps >= self.step:
            self.model.save(self.path)
            return False
        return True


@pytest.mark.parametrize("cls,id", [(SAC, "Pendulum-v1"), (TD3, "Pendulum-v1"), (DiscreteSAC, "CartPole-v1")])
def test_a_built_in_environment_and_gymnasiums_give_the_same_parameters(cls, id):
    starts = dict(learning_starts=100)
    native = make(cls, id, **starts).learn(400)
    looked_at = make(cls, id, **starts).learn(400, callback=lambda _locals, _globals: True)
    driven = make(cls, gym.make(id), **starts).learn(400)
    assert native.digest == looked_at.digest == driven.digest
    assert native._n_updates == 300


def test_tqc_takes_the_arguments_of_sb3_contrib():
    kwargs = dict(net_arch=dict(pi=[16], qf=[24, 8]), n_critics=3, n_quantiles=7)
    model = TQC("MlpPolicy", "Pendulum-v1", top_quantiles_to_drop_per_net=1, policy_kwargs=kwargs, seed=3)
    tensors = model.get_parameters()["policy"]
    assert tensors["critic.2.layer.2.bias"].shape == (7,) and "critic.3.layer.0.bias" not in tensors
    assert tensors["policy.mean.weight"].shape == (1, 16)
    assert model.log_ent_coef == 0
    with pytest.raises(Exception, match="a target would have no atom"):
        TQC("MlpPolicy", "Pendulum-v1", top_quantiles_to_drop_per_net=25)


def test_crossq_takes_the_arguments_of_sb3_contrib():
    model = CrossQ("MlpPolicy", "Pendulum-v1", seed=3, buffer_size=100)
    tensors = model.get_parameters()["policy"]
    shapes = {name: value.shape for name, value in tensors.items()}
    assert shapes["critic.1.layer.1.weight"] == (1024, 1024) and shapes["policy.layer.1.weight"] == (256, 256)
    assert shapes["policy.batch_norm.0.running_mean"] == (3,) and shapes["critic.0.batch_norm.0.running_mean"] == (4,)
    assert not any(name.startswith("target") for name in shapes)

    def learned(**kwargs):
        arguments = dict(learning_starts=20, policy_delay=2, gradient_steps=2, seed=3)
        model = CrossQ("MlpPolicy", "Pendulum-v1", policy_kwargs=dict(net_arch=[8, 16], **kwargs), **arguments)
        return model.learn(60)

    model = learned()
    tensors = model.get_parameters()["policy"]
    assert tensors["policy.layer.1.weight"].shape == tensors["critic.0.layer.1.weight"].shape == (16, 8)
    assert model._n_updates == 80 and model.ent_coef_tensor < 1
    digests = {model.digest}
    for name, value in [("batch_norm_momentum", 0.1), ("batch_norm_eps", 1e-5), ("renorm_warmup_steps", 5)]:
        digests.add(learned(**{name: value}).digest)
    digests.add(learned(optimizer_kwargs=dict(eps=1e-8)).digest)
    assert len(digests) == 5
    assert learned(optimizer_kwargs=dict(betas=(0.5, 0.999))).digest == model.digest
    with pytest.raises(ValueError, match="without batch normalisation use SAC"):
        learned(batch_norm=False)
    with pytest.raises(ValueError, match="n_critics=3 is not supported"):
        learned(n_critics=3)
    with pytest.raises(ValueError, match="Stable-Baselines3 has no CrossQ"):
        model.save_sb3("model.zip")


def test_xqc_has_the_librarys_defaults_and_its_own_arguments():
    model = XQC("MlpPolicy", "Pendulum-v1", seed=3, buffer_size=100)
    tensors = model.get_parameters()["policy"]
    assert tensors["critic.1.layer.4.bias"].shape == (101,) and tensors["policy.layer.3.weight"].shape == (256, 256)
    assert model.lr_schedule(1.0) == 3e-4 and abs(model.lr_schedule(0.0) - 3e-5) < 1e-12
    assert abs(model.ent_coef_tensor - 0.01) < 1e-8 and model._temperature_loss({"temperature": 0.01, "entropy": -0.5}) == 0

    def learned(net_arch=(8, 16), **more):
        kwargs = dict(net_arch=list(net_arch), **more.pop("kwargs", {}))
        arguments = dict(learning_starts=20, policy_delay=2, n_atoms=11, seed=3, policy_kwargs=kwargs)
        return XQC("MlpPolicy", "Pendulum-v1", **{**arguments, **more}).learn(60)

    model = learned()
    tensors = model.get_parameters()["policy"]
    assert tensors["policy.layer.1.weight"].shape == tensors["critic.0.layer.1.weight"].shape == (16, 8)
    assert tensors["critic.0.layer.2.bias"].shape == (11,) and model._n_updates == 40
    digests = {model.digest}
    for changed in [
        dict(n_atoms=21), dict(v_min=-9), dict(v_max=9), dict(policy_delay=3), dict(target_entropy=-1.0),
        dict(kwargs=dict(batch_norm_momentum=0.1)), dict(kwargs=dict(batch_norm_eps=1e-5)), dict(learning_rate=3e-4),
        dict(configuration={"scaleRewards": False}),
    ]:  # fmt: skip
        digests.add(learned(**changed).digest)
    assert len(digests) == 10
    assert learned(target_entropy=-0.5).digest == model.digest
    with pytest.raises(ValueError, match="ReLU as its only activation_fn"):
        learned(kwargs=dict(activation_fn="Tanh"))
    with pytest.raises(Exception, match="maximumValue"):
        learned(v_min=5)
    with pytest.raises(ValueError, match="Stable-Baselines3 has no XQC"):
        model.save_sb3("model.zip")


def test_redq_has_any_number_of_critics_and_with_dropout_is_droq():
    kwargs = dict(net_arch=dict(pi=[16], qf=[24]), n_critics=5)
    arguments = dict(learning_starts=20, gradient_steps=4, policy_delay=2, seed=3)
    model = REDQ("MlpPolicy", "Pendulum-v1", n_critics_in_target=3, policy_kwargs=kwargs, **arguments).learn(40)
    tensors = model.get_parameters()["policy"]
    assert tensors["critic.4.layer.1.bias"].shape == (1,) and "critic.5.layer.0.bias" not in tensors
    assert model._n_updates == 80
    droq = REDQ("MlpPolicy", "Pendulum-v1", policy_kwargs={**kwargs, "dropout_rate": 0.01, "layer_norm": True}, **arguments)
    assert droq.learn(40).digest != REDQ("MlpPolicy", "Pendulum-v1", policy_kwargs=kwargs, **arguments).learn(40).digest
    assert sum("norm" in name for name in droq.get_parameters()["policy"]) > 0
    with pytest.raises(ValueError, match="a target cannot have more of them"):
        REDQ("MlpPolicy", "Pendulum-v1", n_critics_in_target=6, policy_kwargs=kwargs)
    with pytest.raises(ValueError, match="Stable-Baselines3 has no REDQ"):
        model.save_sb3("model.zip")


class Tanh:  # as torch.nn has it: only the name matters
    pass


@pytest.mark.parametrize("cls,id", [case for case in ALL if case[0] is not XQC])  # it has ReLU alone
@pytest.mark.parametrize("activation", ["tanh", "SiLU", Tanh])
def test_an_activation_is_taken_by_its_class_or_its_name_and_kept(tmp_path, cls, id, activation):
    def build(**more):
        return make(cls, id, learning_starts=30, policy_kwargs=dict(net_arch=[16, 16], **more))

    model = build(activation_fn=activation).learn(60)
    assert model.digest != build().learn(60).digest
    model.save(tmp_path / "model")
    loaded = cls.load(tmp_path / "model")
    assert loaded.digest == model.digest
    rows = np.random.default_rng(0).normal(size=(8, *model.observation_space.shape)).astype(np.float32)
    assert np.array_equal(loaded.predict(rows, deterministic=True)[0], model.predict(rows, deterministic=True)[0])


@pytest.mark.parametrize("cls,id", ALL)
@pytest.mark.parametrize("is_built_in", [True, False])
@pytest.mark.parametrize("step", [111, 202])
def test_going_on_after_load_gives_the_bits_of_never_having_stopped(tmp_path, cls, id, is_built_in, step):
    def env():
        return id if is_built_in else gym.make(id)

    whole = make(cls, env(), learning_starts=60).learn(320)
    stopped = make(cls, env(), learning_starts=60).learn(320, callback=SaveAt(step, tmp_path / "model"))
    loaded = cls.load(tmp_path / "model", env=None if is_built_in else env())
    for model in (stopped, loaded):
        assert model.num_timesteps >= step and model.digest != whole.digest
        model.learn(320 - model.num_timesteps, reset_num_timesteps=False)
        assert model.digest == whole.digest


@pytest.mark.parametrize("env", [lambda: [Counter(4), Counter(5)], lambda: gym.make("Pendulum-v1"), Reach])
@pytest.mark.parametrize("more", [{}, {"gradient_steps": 2}, {"gradient_steps": -1, "n_steps": 2}])
def test_rounds_in_one_call_of_the_library_are_those_of_single_calls(env, more):
    policy = "MultiInputPolicy" if env is Reach else "MlpPolicy"
    plain = SAC(policy, env(), learning_starts=30, **{**SMALL, **more}).learn(150)
    looked_at = SAC(policy, env(), learning_starts=30, **{**SMALL, **more}).learn(150, callback=lambda _l, _g: True)
    assert plain.digest == looked_at.digest and plain._n_updates == looked_at._n_updates > 0
    assert plain.num_timesteps == looked_at.num_timesteps and plain._episode_num == looked_at._episode_num
    for model in (plain, looked_at):
        model.learn(33, reset_num_timesteps=False)
    assert plain.digest == looked_at.digest


def test_a_restart_in_episode_units_makes_the_updates_that_were_owed(tmp_path):
    def new():
        return make(SAC, Counter(4), learning_starts=10, train_freq=(2, "episode"), gradient_steps=-1)

    whole = new().learn(64)
    stopped = new().learn(64, callback=SaveAt(24, tmp_path / "model"))
    stopped.learn(64 - stopped.num_timesteps, reset_num_timesteps=False)
    assert stopped.digest == whole.digest
    assert whole._n_updates == 64 - 8  # no updates after the first 8 steps


def test_updates_begin_after_learning_starts_and_keep_their_ratio():
    assert make(SAC, Counter(), learning_starts=50).learn(80)._n_updates == 30
    assert make(SAC, Counter(), learning_starts=50, train_freq=10, gradient_steps=3).learn(80)._n_updates == 9
    assert make(SAC, Counter(), learning_starts=50, gradient_steps=0).learn(80)._n_updates == 0
    assert make(SAC, [Counter(), Counter(5)], learning_starts=50, gradient_steps=-1).learn(80)._n_updates == 30


def test_steps_are_a_lower_bound():
    model = make(DQN, "CartPole-v1").learn(50)
    assert model.num_timesteps == 52
    assert make(SAC, [Counter(), Counter()]).learn(51).num_timesteps == 52


def test_learn_counts_on_where_it_is_asked_to():
    model = make(SAC, Counter()).learn(20)
    model.learn(20, reset_num_timesteps=False)
    assert model.num_timesteps == 40 and model.replay_buffer.size() == 40
    model.learn(20)
    assert model.num_timesteps == 20 and model.replay_buffer.size() == 60


def test_a_learning_rate_that_is_a_function_is_followed():
    seen = []

    def rate(progress):
        seen.append(progress)
        return 1e-3 * progress

    model = make(SAC, Counter(), learning_rate=rate, learning_starts=5).learn(20)
    assert min(seen) == 0 and model.lr_schedule(0.5) == 5e-4
    constant = make(SAC, Counter(), learning_rate=1e-3, learning_starts=5).learn(20)
    assert model.digest != constant.digest


def test_a_schedule_in_a_built_in_environment_does_not_depend_on_how_long_chunks_take():
    digests = {make(SAC, "Pendulum-v1", learning_rate=LinearSchedule(1e-3, 0, 1)).learn(300).digest for _ in range(2)}
    looked_at = make(SAC, "Pendulum-v1", learning_rate=LinearSchedule(1e-3, 0, 1))
    digests.add(looked_at.learn(300, callback=lambda _locals, _globals: None).digest)
    assert len(digests) == 1


def test_epsilon_falls_over_the_fraction_of_the_run():
    model = make(DQN, gym.make("CartPole-v1"), exploration_fraction=0.5)
    rates = []
    model.learn(200, callback=lambda _locals, _globals: rates.append(model.exploration_rate))
    assert rates[0] == 1 and abs(rates[50] - 0.525) < 1e-6 and abs(rates[-1] - 0.05) < 1e-6


def test_hindsight_asks_the_environment_for_rewards():
    env = Reach()
    model = SAC("MultiInputPolicy", env, replay_buffer_class=HerReplayBuffer, learning_starts=30, **SMALL)
    model.learn(60)
    assert env.calls > 60  # besides the steps' own
    assert len(model.ep_success_buffer) == 6
    action, _ = model.predict(env.reset()[0])
    assert action.shape == (1,)


def test_an_exception_of_compute_reward_comes_with_its_traceback():
    env = Reach()
    model = SAC("MultiInputPolicy", env, replay_buffer_class="HerReplayBuffer", learning_starts=30, **SMALL)
    steps = env.compute_reward

    def fails(achieved, desired, info):
        if np.ndim(achieved) > 1:
            raise ZeroDivisionError("in compute_reward")
        return steps(achieved, desired, info)

    env.compute_reward = fails
    with pytest.raises(ZeroDivisionError, match="in compute_reward"):
        model.learn(60)


def test_an_environment_that_breaks_leaves_a_model_that_can_go_on():
    class Breaks(Counter):
        broken = True

        def step(self, action):
            if self.broken and self.episode == 5 and self.count == 2:
                raise OSError("the robot is gone")
            return super().step(action)

    env = Breaks()
    model = make(SAC, env, learning_starts=5)
    with pytest.raises(OSError, match="the robot is gone"):
        model.learn(100)
    assert model.num_timesteps == 18
    env.broken = False
    model.learn(20, reset_num_timesteps=False)
    assert model.num_timesteps == 38
    buffer = model.replay_buffer
    assert buffer.size() == 38 and (buffer.observations[..., 0] == buffer.next_observations[..., 0]).all()


def test_the_replay_buffer_and_the_parameters_go_in_and_out(tmp_path):
    model = make(SAC, Counter(), learning_starts=5).learn(30)
    model.save_replay_buffer(tmp_path / "buffer")
    other = make(SAC, Counter(), learning_starts=5, seed=4)
    other.load_replay_buffer(tmp_path / "buffer")
    assert (other.replay_buffer.observations == model.replay_buffer.observations).all()
    other.set_parameters(model.get_parameters())
    assert other.digest == model.digest
    other.learn(30)
    other.set_parameters({"policy": {"policy.mean.bias": np.array([3.0])}, "optimizer": {}}, exact_match=False)
    assert other.get_parameters()["policy"]["policy.mean.bias"][0] == 3
    with pytest.raises(ValueError, match="exist_not"):
        other.set_parameters({"exist_not": {}})


def test_a_model_is_pickled_and_copied_through_its_file():
    import copy
    import pickle

    model = make(SAC, Counter(), learning_starts=5).learn(30)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert other.digest == model.digest and other.num_timesteps == 30
        assert other.replay_buffer.size() == 30
        other.set_env(Counter())
        other.learn(5, reset_num_timesteps=False)


def test_a_model_moves_between_built_in_environments_and_gymnasiums(tmp_path):
    native = make(SAC, "Pendulum-v1").learn(150)
    native.save(tmp_path / "native")
    driven = SAC.load(tmp_path / "native", env=gym.make("Pendulum-v1"))
    assert driven.digest == native.digest and driven.replay_buffer.size() == 150
    driven.learn(50, reset_num_timesteps=False).save(tmp_path / "driven")
    with pytest.warns(UserWarning, match="does not fit"):
        back = SAC.load(tmp_path / "driven", env="Pendulum-v1")
    assert back.digest == driven.digest and back.replay_buffer.size() == 200
    assert back.learn(50, reset_num_timesteps=False).num_timesteps == 250
    native.set_env(gym.make("Pendulum-v1"))
    assert native.learn(50, reset_num_timesteps=False).replay_buffer.size() == 200


def test_another_number_of_environments_takes_the_networks(tmp_path):
    model = make(SAC, [Counter(), Counter()], learning_starts=10).learn(40)
    model.save(tmp_path / "model")
    one = SAC.load(tmp_path / "model", env=Counter())
    assert one.digest == model.digest and one.n_envs == 1
    with pytest.raises(ValueError, match="has 2 environments, 1 were given"):
        model.set_env(Counter())
    one.learn(20)


def test_a_file_without_its_replay_buffer_goes_on(tmp_path):
    model = make(SAC, Counter(), learning_starts=10).learn(40)
    model.save(tmp_path / "model", exclude=["replay_buffer"])
    loaded = SAC.load(tmp_path / "model", env=Counter())
    assert loaded.digest == model.digest and loaded.num_timesteps == 40 and loaded.replay_buffer.size() == 0
    loaded.learn(20, reset_num_timesteps=False)
    assert loaded.replay_buffer.size() == 20
