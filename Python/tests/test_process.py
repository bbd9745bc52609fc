"""The package in a process that does other things: interrupts, threads, forks, settings of the processor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from offpolicy import SAC, BuiltInEnvironment

SMALL = dict(policy_kwargs=dict(net_arch=[16, 16]), seed=3)


def run(code, timeout=120):
    """Runs a program in a process of its own; returns the process with its output."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=timeout, env=dict(os.environ)
    )


@pytest.mark.parametrize("env", ["'Pendulum-v1'", "lambda: BuiltInEnvironment('Pendulum-v1')"])
def test_an_interrupt_ends_training_soon_and_leaves_a_model_that_goes_on(env):
    done = run(
        f"""
        import os, signal, threading, time
        from offpolicy import SAC, BuiltInEnvironment
        signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
        model = SAC("MlpPolicy", {env}, policy_kwargs=dict(net_arch=[64, 64]), seed=0)
        model.learn(200)
        sent = []
        def interrupt():
            time.sleep(1)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            model.learn(10_000_000)
        except KeyboardInterrupt:
            print("after", time.monotonic() - sent[0])
        steps = model.num_timesteps
        model.learn(200, reset_num_timesteps=False)
        print("went on", model.num_timesteps - steps >= 200)
        """
    )
    assert "went on True" in done.stdout, done.stderr
    assert float(done.stdout.split()[1]) < 2  # s; the machine may be busy with other things


def test_two_models_learn_in_two_threads_as_each_alone():
    alone = SAC("MlpPolicy", "Pendulum-v1", **SMALL).learn(400).digest
    models = [SAC("MlpPolicy", lambda: BuiltInEnvironment("Pendulum-v1"), **SMALL) for _ in range(2)]
    threads = [threading.Thread(target=model.learn, args=(400,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [model.digest for model in models] == [alone, alone]


def test_a_model_that_is_busy_in_another_thread_says_so(tmp_path):
    path = tmp_path / "model"
    model = SAC("MlpPolicy", "Pendulum-v1", policy_kwargs=dict(net_arch=[256, 256]), seed=0)
    done, errors = [], []
    thread = threading.Thread(target=lambda: done.append(model.learn(600)))
    thread.start()
    while thread.is_alive():
        for touch in (lambda: model.predict(np.zeros(3)), lambda: model.digest, model.get_parameters, lambda: model.save(path)):
            try:
                touch()
            except RuntimeError as error:
                errors.append(str(error))
        time.sleep(0.001)
    thread.join()
    assert errors and all("in use by another thread" in error for error in errors)
    # the thread that trains is never the one that is refused
    assert done == [model] and model.num_timesteps >= 600
    model.predict(np.zeros(3))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_learns_on_with_the_same_bits(threads):
    # in a process of its own: what else has threads there is not our business
    done = run(
        f"""
        import os, sys, warnings
        from offpolicy import SAC
        warnings.simplefilter("ignore")
        model = SAC("MlpPolicy", "Pendulum-v1", policy_kwargs=dict(net_arch=[128, 128]), seed=0, threads={threads})
        model.learn(300)
        child = os.fork()
        model.learn(300, reset_num_timesteps=False)
        os.write(1, (model.digest + "\\n").encode())  # in one piece: both write at the same time
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        """
    )
    digests = done.stdout.split()
    assert len(digests) == 2 and digests[0] == digests[1], done.stderr


def _digest(queue):
    queue.put(SAC("MlpPolicy", "Pendulum-v1", **SMALL).learn(200).digest)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_of_multiprocessing_learn(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method} here")
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    worker = context.Process(target=_digest, args=(queue,))
    worker.start()
    assert queue.get(timeout=120) == SAC("MlpPolicy", "Pendulum-v1", **SMALL).learn(200).digest
    worker.join()


def test_subnormal_numbers_and_signal_handlers_stay_as_they_were():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV, signal.SIGFPE)]
    SAC("MlpPolicy", "Pendulum-v1", threads=2, **SMALL).learn(300)
    assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV, signal.SIGFPE)]
    smallest = np.float64(5e-324)
    assert smallest * np.float64(1.0) > 0 and np.float32(1e-40) * np.float32(0.5) > 0


def test_a_killed_process_leaves_the_last_whole_file(tmp_path):
    path = tmp_path / "model.zip"
    program = textwrap.dedent(
        f"""
        from offpolicy import SAC
        model = SAC("MlpPolicy", "Pendulum-v1", policy_kwargs=dict(net_arch=[16]), seed=0)
        model.learn(100)
        while True:
            model.learn(20, reset_num_timesteps=False)
            model.save({str(path)!r})
            print(model.num_timesteps, flush=True)
        """
    )
    for delay in (0.0, 0.01, 0.03):
        worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3):
            worker.stdout.readline()
        time.sleep(delay)
        worker.kill()
        worker.wait()
        worker.stdout.close()
        model = SAC.load(path)
        other = SAC("MlpPolicy", "Pendulum-v1", policy_kwargs=dict(net_arch=[16]), seed=0).learn(100)
        while other.num_timesteps < model.num_timesteps:
            other.learn(20, reset_num_timesteps=False)
        assert model.digest == other.digest
