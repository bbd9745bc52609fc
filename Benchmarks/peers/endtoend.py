"""Times training end to end (E): steps of HalfCheetah-v5 with one update each, after random first steps.

    endtoend.py CONTENDER THREADS [FIRST TIMED]

CONTENDER: sb3, sbx, torch-eager, torch-compile. 5,000 random steps are not timed, the next 20,000 are: act, step the
task, store, sample, update. Gymnasium 1.4.0, MuJoCo 4.0.0, default hyperparameters with 256 × 256 and batch 256.
"""

import os
import sys

CONTENDER, THREADS = sys.argv[1], int(sys.argv[2])
FIRST, TIMED = (int(x) for x in (sys.argv[3:] or (5_000, 20_000)))
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(THREADS)
if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import json
import time
from importlib.metadata import version

import gymnasium

WARM_UP = 200  # updates within the untimed part, for what compiles at the first


def baselines(algorithm):
    from stable_baselines3.common.callbacks import BaseCallback

    class Clock(BaseCallback):
        """Notes the time at the end of the untimed steps."""

        def _on_step(self):
            if self.num_timesteps == FIRST:
                self.since = time.perf_counter()
            return True

    model = algorithm(
        "MlpPolicy", gymnasium.make("HalfCheetah-v5"), learning_rate=3e-4, buffer_size=1_000_000, batch_size=256,
        learning_starts=FIRST - WARM_UP, ent_coef="auto_1.0", policy_kwargs={"net_arch": [256, 256]}, seed=1,
        device="cpu",
    )
    clock = Clock()
    model.learn(FIRST + TIMED, callback=clock)
    return time.perf_counter() - clock.since


def lean_torch(compiled):
    import torch
    from lean_sac import Buffer, LeanSAC

    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    task = gymnasium.make("HalfCheetah-v5")
    task.action_space.seed(1)
    learner, buffer = LeanSAC(17, 6, [256, 256], compiled), Buffer(1_000_000, 17, 6)
    s, _ = task.reset(seed=1)
    for step in range(FIRST + TIMED):
        if step == FIRST:
            since = time.perf_counter()
        if step < FIRST - WARM_UP:
            a = task.action_space.sample()
        else:
            a = learner.act(torch.as_tensor(s, dtype=torch.float32)[None])[0].numpy()
        s2, r, terminated, truncated, _ = task.step(a)
        buffer.add(s, a, r, s2, terminated)
        s = task.reset()[0] if terminated or truncated else s2
        if step >= FIRST - WARM_UP:
            learner.update(*buffer.batch(256))
    return time.perf_counter() - since


def run():
    if CONTENDER == "sb3":
        import torch
        from stable_baselines3 import SAC

        torch.set_num_threads(THREADS)
        return baselines(SAC), f"stable-baselines3 {version('stable-baselines3')}, torch {version('torch')}"
    if CONTENDER == "sbx":
        from sbx import SAC

        return baselines(SAC), f"sbx-rl {version('sbx-rl')}, jax {version('jax')}"
    return lean_torch(CONTENDER == "torch-compile"), f"torch {version('torch')}"


def main():
    seconds, versions = run()
    print(json.dumps({
        "contender": CONTENDER, "what": "E", "threads": THREADS, "stepsPerSecond": round(TIMED / seconds, 3),
        "seconds": round(seconds, 3), "steps": TIMED,
        "version": f"{versions}, gymnasium {version('gymnasium')}, mujoco {version('mujoco')}",
    }))


if __name__ == "__main__":
    main()
