"""Times training from Python (P): steps per second of Gymnasium's environments, whatever learns from them.

    from_python.py CONTENDER CASE THREADS [SECONDS]

CONTENDER: offpolicy-python (the package), sb3, sbx, torch-eager. CASE:

pendulum   Pendulum-v1, 64 × 64, batch 256, one update a step
cheetah    HalfCheetah-v5, 256 × 256, batch 256, one update a step
slow       Pendulum-v1 whose step sleeps 5 ms, four of them in processes; 64 × 64, batch 256, four updates a round
null       an environment that does nothing, random actions, no updates: what a step costs besides those

Nobody has a callback. 1,000 steps are random, 300 warm up; so many as take SECONDS (6) by then are timed.
"""

import os
import sys

CONTENDER, CASE, THREADS = sys.argv[1], sys.argv[2], int(sys.argv[3])
SECONDS = float(sys.argv[4]) if len(sys.argv) > 4 else 6.0
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(THREADS)
if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import json
import time
from importlib.metadata import version

import gymnasium
import numpy as np
import slow_environment

FIRST, WARM_UP = 1_000, 300
HIDDEN = [256, 256] if CASE == "cheetah" else [64, 64]
COUNT = 4 if CASE == "slow" else 1


class Null(gymnasium.Env):
    """An environment that does nothing."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self):
        self.observation, self.info = np.zeros(3, np.float32), {}

    def reset(self, *, seed=None, options=None):
        return self.observation, self.info

    def step(self, action):
        return self.observation, 0.0, False, False, self.info


def make():
    if CASE == "null":
        return Null()
    if CASE == "slow":
        return slow_environment.make()
    return gymnasium.make("HalfCheetah-v5" if CASE == "cheetah" else "Pendulum-v1")


def environments():
    """One environment, or a VecEnv of several in processes."""
    if COUNT == 1:
        return make()
    from stable_baselines3.common.vec_env import SubprocVecEnv

    return SubprocVecEnv([make] * COUNT)


def baselines(algorithm, **more):
    # no step is after the random ones where neither policy nor updates are timed
    starts = 10**8 if CASE == "null" else FIRST
    model = algorithm(
        "MlpPolicy", environments(), learning_rate=3e-4, buffer_size=1_000_000, batch_size=256, learning_starts=starts,
        gradient_steps=-1, policy_kwargs={"net_arch": HIDDEN}, seed=1, **more,
    )  # fmt: skip
    model.learn(FIRST)
    return lambda steps: model.learn(steps, reset_num_timesteps=False, log_interval=None)


def lean_torch():
    import torch
    from lean_sac import Buffer, LeanSAC

    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    task = make() if COUNT == 1 else gymnasium.vector.AsyncVectorEnv(
        [make] * COUNT, autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP)
    observations = task.observation_space if COUNT == 1 else task.single_observation_space
    actions = task.action_space if COUNT == 1 else task.single_action_space
    sizes, high = (observations.shape[0], actions.shape[0]), actions.high
    learner, buffer = LeanSAC(*sizes, HIDDEN, False), Buffer(1_000_000, *sizes)
    task.action_space.seed(1)
    place = [task.reset(seed=1)[0], 0]

    def act(s):
        if place[1] < FIRST or CASE == "null":
            return task.action_space.sample() / high
        rows = torch.as_tensor(s, dtype=torch.float32)
        return learner.act(rows[None])[0].numpy() if COUNT == 1 else learner.act(rows).numpy()

    def step_one(s):
        a = act(s)
        s2, r, terminated, truncated, _ = task.step(a * high)
        buffer.add(s, a, r, s2, terminated)
        return task.reset()[0] if terminated or truncated else s2

    def step_several(s):
        a = act(s)
        s2, r, terminated, truncated, infos = task.step(a * high)
        final = infos.get("final_obs", s2)
        for i in range(COUNT):
            ended = terminated[i] or truncated[i]
            buffer.add(s[i], a[i], r[i], final[i] if ended else s2[i], terminated[i])
        return s2

    def learn(steps):
        step = step_one if COUNT == 1 else step_several
        for _ in range(0, steps, COUNT):
            place[:] = step(place[0]), place[1] + COUNT
            if place[1] > FIRST and CASE != "null":
                for _ in range(COUNT):
                    learner.update(*buffer.batch(256))

    learn(FIRST)
    return learn


def contender():
    """A function that takes so many steps, after the random ones."""
    if CONTENDER == "offpolicy-python":
        import offpolicy

        return baselines(offpolicy.SAC, threads=THREADS), f"offpolicy {offpolicy.__version__}"
    if CONTENDER == "sb3":
        import torch
        from stable_baselines3 import SAC

        torch.set_num_threads(THREADS)
        versions = f"stable-baselines3 {version('stable-baselines3')}, torch {version('torch')}"
        return baselines(SAC, device="cpu"), versions
    if CONTENDER == "sbx":
        from sbx import SAC

        return baselines(SAC), f"sbx-rl {version('sbx-rl')}, jax {version('jax')}"
    return lean_torch(), f"torch {version('torch')}"


def main():
    learn, versions = contender()
    learn(WARM_UP)
    since = time.perf_counter()
    learn(WARM_UP)
    steps = max(WARM_UP, round(WARM_UP * SECONDS / (time.perf_counter() - since) / COUNT) * COUNT)
    since = time.perf_counter()
    learn(steps)
    seconds = time.perf_counter() - since
    print(json.dumps({
        "contender": CONTENDER, "what": f"P-{CASE}", "threads": THREADS, "stepsPerSecond": round(steps / seconds, 3),
        "seconds": round(seconds, 3), "steps": steps,
        "version": f"{versions}, gymnasium {version('gymnasium')}",
    }), flush=True)
    # worker processes and compilers' threads are not waited for
    os._exit(0)


if __name__ == "__main__":
    main()
