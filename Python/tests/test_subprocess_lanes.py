"""SubprocVecEnv: the bits of one process; errors, deaths and interrupts of processes; nothing is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from offpolicy import SAC, BuiltInEnvironment, OffPolicyError, UnsupportedError, spaces
from offpolicy.common.vec_env import DummyVecEnv, SubprocVecEnv
from offpolicy.worker_processes import EnvironmentProcessError

SMALL = dict(policy_kwargs=dict(net_arch=[16, 16]), seed=3)
METHODS = [method for method in ("fork", "forkserver", "spawn") if method in multiprocessing.get_all_start_methods()]
TIMEOUT = 240  # s; a process that starts imports all again, on a machine that may be busy


class Trouble:
    """An environment that does something at its 30th step."""

    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Box(-1, 1, (1,))
    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(self, what=None, number=0):
        self.what, self.number, self.steps = what, number, 0

    def reset(self, seed=None, options=None):
        self.steps = 0
        return np.full(2, self.number, np.float32), {"seed": seed}

    def step(self, action):
        self.steps += 1
        if self.steps == 30 and self.what is not None:
            self.what()
        return np.full(2, self.steps / 100, np.float32), 1.0, False, self.steps == 50, {"number": self.number}

    def render(self):
        return np.full((2, 2, 3), self.number, np.uint8)


def broken():
    raise ValueError("joint 3 is broken")


class NeedsTwo(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def odd():
    raise NeedsTwo("a", "b")


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def left():
    sys.exit(3)


def pendulum():
    return BuiltInEnvironment("Pendulum-v1")


def vector(what=None, count=3, method="fork", troubled=1):
    return SubprocVecEnv([lambda i=i: Trouble(what if i == troubled else None, i) for i in range(count)], method)


@pytest.mark.parametrize("method", METHODS)
def test_four_processes_learn_the_bits_of_one(method):
    alone = SAC("MlpPolicy", DummyVecEnv([pendulum] * 4), **SMALL).learn(900).digest
    env = SubprocVecEnv([pendulum] * 4, start_method=method)
    began = time.monotonic()
    assert SAC("MlpPolicy", env, **SMALL).learn(900).digest == alone
    assert time.monotonic() - began < TIMEOUT
    env.close()
    assert not any(process.is_alive() for process in env.processes)
    env.close()
    with pytest.raises(EnvironmentProcessError, match="were closed"):
        env.reset()


def test_a_saved_model_goes_on_exactly_in_the_middle_of_episodes(tmp_path):
    straight = SAC("MlpPolicy", SubprocVecEnv([pendulum] * 2, "fork"), **SMALL).learn(500)
    SAC("MlpPolicy", SubprocVecEnv([pendulum] * 2, "fork"), **SMALL).learn(300).save(tmp_path / "half")
    model = SAC.load(tmp_path / "half", env=SubprocVecEnv([pendulum] * 2, "fork"))
    assert model.learn(200, reset_num_timesteps=False).digest == straight.digest


def test_a_model_is_saved_after_its_environments_were_closed_or_given_up(tmp_path):
    for give_up in (lambda model: model.env.close(), lambda model: delattr(model, "env")):
        model = SAC("MlpPolicy", SubprocVecEnv([pendulum] * 2, "fork"), **SMALL).learn(300)
        give_up(model)
        model.save(tmp_path / "model")
        assert SAC.load(tmp_path / "model").digest == model.digest
        model.set_env(SubprocVecEnv([pendulum] * 2, "fork"))
        assert model.learn(100).num_timesteps == 100
    del model.env
    with pytest.raises(UnsupportedError, match="the model has no environment: give it one with set_env"):
        model.learn(10)


def test_an_error_of_an_environment_comes_with_its_traceback_and_training_can_go_on():
    env = vector(broken)
    model = SAC("MlpPolicy", env, **SMALL)
    with pytest.raises(ValueError, match="joint 3 is broken") as caught:
        model.learn(500)
    assert "in the process of environment 1" in str(caught.value.__cause__) and "in broken" in str(caught.value.__cause__)
    env.set_attr("what", None)
    model.learn(300)
    assert model.num_timesteps == 300
    env.close()


def test_an_error_that_cannot_be_pickled_is_told_in_words():
    env = vector(odd)
    with pytest.raises(EnvironmentProcessError, match="environment 1: NeedsTwo: a and b"):
        SAC("MlpPolicy", env, **SMALL).learn(500)
    env.close()


@pytest.mark.parametrize("what, how", [(killed, r"by signal 9 \(SIGKILL\)"), (left, "with exit code 3")])
def test_a_process_that_dies_is_named_and_the_others_end(what, how):
    env = vector(what)
    with pytest.raises(OffPolicyError, match="the process of environment 1 ended " + how):
        SAC("MlpPolicy", env, **SMALL).learn(500)
    env.close()
    assert not any(process.is_alive() for process in env.processes)


def test_an_environment_that_cannot_be_made_says_why():
    with pytest.raises(ValueError, match="joint 3 is broken"):
        SubprocVecEnv([pendulum, broken], "fork")
    with pytest.raises(UnsupportedError, match="environment 1 has the observation_space"):
        SubprocVecEnv([pendulum, Trouble], "fork")
    with pytest.raises(UnsupportedError, match="empty list"):
        SubprocVecEnv([])


def test_single_environments_can_be_asked_and_told():
    env = vector()
    assert env.get_attr("number") == [0, 1, 2] and env.get_attr("number", [2, 0]) == [2, 0]
    env.set_attr("number", 7, indices=1)
    assert env.env_method("render", indices=[1])[0][0, 0, 0] == 7 and env.render().shape == (2, 2, 3)
    assert [image[0, 0, 0] for image in env.get_images()] == [0, 7, 2]
    with pytest.raises(AttributeError, match="no attribute nothing"):
        env.get_attr("nothing")
    env.seed(5)
    assert env.reset()[:, 0].tolist() == [0, 7, 2] and [info["seed"] for info in env.reset_infos] == [5, 6, 7]
    for _ in range(50):
        observations, rewards, dones, infos = env.step(np.zeros((3, 1), np.float32))
    assert dones.all() and observations[:, 0].tolist() == [0, 7, 2] and infos[1]["terminal_observation"][0] == np.float32(0.5)
    assert infos[1]["TimeLimit.truncated"] and infos[1]["episode"]["l"] == 50 and env.reset_infos[1]["seed"] is None
    env.close()


class Global:
    """Its observation is drawn from NumPy's global generator."""

    observation_space, action_space = spaces.Box(0, 1, (1,)), spaces.Box(-1, 1, (1,))

    def reset(self, seed=None, options=None):
        return np.random.random(1).astype(np.float32), {}

    def step(self, action):
        return np.random.random(1).astype(np.float32), 0.0, False, False, {}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_global_generators_of_processes_differ_and_repeat(method):
    seen = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        env = SubprocVecEnv([Global] * 2, method)
        seen.append(env.reset()[:, 0].tolist())
        env.close()
    assert seen[0] == seen[1] != seen[2] and seen[0][0] != seen[0][1]


def program(code):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def ended(pids, seconds=30):
    """Whether all these processes have ended within so many seconds."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if not any(os.path.exists(f"/proc/{pid}") and "zombie" not in open(f"/proc/{pid}/status").read() for pid in pids):
            return True
        time.sleep(0.05)
    return False


WITHOUT_CLOSE = """
    import signal, time
    from offpolicy import SAC, BuiltInEnvironment
    from offpolicy.common.vec_env import SubprocVecEnv
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
    env = SubprocVecEnv([lambda: BuiltInEnvironment("Pendulum-v1")] * 3, "fork")
    other = SubprocVecEnv([lambda: BuiltInEnvironment("Pendulum-v1")] * 2, "fork")
    model = SAC("MlpPolicy", env, policy_kwargs=dict(net_arch=[16, 16]), seed=3).learn(200)
    print(*[process.pid for process in env.processes + other.processes], flush=True)
"""


def test_processes_end_with_a_program_that_does_not_close_them():
    worker = program(WITHOUT_CLOSE)
    out, err = worker.communicate(timeout=TIMEOUT)
    assert worker.returncode == 0 and err == "" and ended(out.split())


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="it looks into /proc")
def test_processes_end_with_a_program_that_is_killed():
    worker = program(WITHOUT_CLOSE + "\n    model.learn(100_000_000)")
    pids = worker.stdout.readline().split()
    worker.kill()
    worker.wait()
    worker.stdout.close()
    worker.stderr.close()
    assert len(pids) == 5 and ended(pids)


def test_ctrl_c_in_a_terminal_ends_training_once_and_it_can_go_on():
    worker = program(
        WITHOUT_CLOSE
        + """
    try:
        print("begins", flush=True)
        model.learn(100_000_000)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    model.learn(200)
    print(model.num_timesteps, flush=True)
    env.close()
    """
    )
    pids = worker.stdout.readline().split()
    assert worker.stdout.readline() == "begins\n"
    time.sleep(1)
    os.killpg(worker.pid, signal.SIGINT)
    out, err = worker.communicate(timeout=TIMEOUT)
    assert out.split() == ["interrupted", "201"] and err == "" and ended(pids), err
