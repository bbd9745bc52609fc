"""Environments in processes of their own: what runs there, and the pipes to them.

A request is a pickle of a verb and what it needs, an answer one of whether it went well and what came of it; an empty request
ends the process. Nothing spins, and nothing waits for ever: the pipe of a process that has ended says so, and a process whose
parent has ended ends too.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import select
import signal
import threading
import traceback
import weakref
import zlib
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from .environments import EnvironmentLanes
from .errors import OffPolicyError

#: seconds for processes to close their environments before they are ended
PATIENCE = 5.0


class EnvironmentProcessError(OffPolicyError):
    """An environment's process has ended, or cannot be asked."""


class RemoteTraceback(Exception):
    """The traceback of an error in an environment's process: the cause of the error that is raised here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Workers:
    """A process for each function that makes an environment.

    :param start_method: "fork", "forkserver" or "spawn"; None: Python's default
    """

    def __init__(self, makers: Sequence[Callable[[], Any]], start_method: Optional[str] = None) -> None:
        context = multiprocessing.get_context(start_method)
        self.method = context.get_start_method()
        self.pipes: List[Any] = []
        self.processes: List[Any] = []
        #: answers that somebody stopped waiting for
        self.owed = [0] * len(makers)
        self._finalizer = weakref.finalize(self, _end, self.pipes, self.processes, self.owed, os.getpid())
        for i, make in enumerate(makers):
            here, there = context.Pipe()
            # a forked child has all that is open here: it must not keep alive what others wait for
            inherited = self.pipes + [here] if self.method == "fork" else []
            given = make if self.method == "fork" else _Pickled(make)
            process = context.Process(
                target=_serve, args=(there, given, list(inherited), _seed(i)), name=f"environment {i}", daemon=True
            )
            try:
                process.start()
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise EnvironmentProcessError(
                    f"the function that makes environment {i} cannot be given to another process ({error}); define it at "
                    'the top of a file, or pip install cloudpickle, or use start_method="fork"'
                ) from None
            there.close()
            self.pipes.append(here)
            self.processes.append(process)
        self._poll = [select.poll() for _ in self.pipes]
        for poll, pipe in zip(self._poll, self.pipes):
            poll.register(pipe.fileno(), select.POLLIN)

    @property
    def is_closed(self) -> bool:
        """Whether the processes were told to end."""
        return not self._finalizer.alive

    def ask(self, indices: Sequence[int], verb: str, requests: Sequence[Any]) -> List[Any]:
        """Asks processes all at once; the first error among the answers is raised when all have come."""
        for i in indices:
            while self.owed[i]:
                self._receive(i)
        for i, request in zip(indices, requests):
            try:
                content = pickle.dumps((verb, request), protocol=pickle.HIGHEST_PROTOCOL)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise EnvironmentProcessError(f"{verb}: what is asked of environment {i} cannot be pickled: {error}") from None
            self._send(i, content)
        answers = [self._receive(i) for i in indices]
        for i, (went_well, value) in zip(indices, answers):
            if not went_well:
                raise _error(i, value)
        return [value for _, value in answers]

    def _send(self, i: int, content: bytes) -> None:
        if self.is_closed:
            raise EnvironmentProcessError("the environments were closed")
        try:
            with _Whole():
                self.pipes[i].send_bytes(content)
                self.owed[i] += 1
        except OSError:
            raise self._ended(i) from None

    def _receive(self, i: int) -> Any:
        # an interrupt comes while nothing has been read, and leaves the answer for later
        self._poll[i].poll()
        try:
            with _Whole():
                content = self.pipes[i].recv_bytes()
                self.owed[i] -= 1
        except (EOFError, OSError):
            raise self._ended(i) from None
        return pickle.loads(content)

    def _ended(self, i: int) -> EnvironmentProcessError:
        process = self.processes[i]
        process.join(1)
        code = process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in {int(s) for s in signal.Signals} else "unknown"
            how = f"by signal {-code} ({name})"
        else:
            how = f"with exit code {code}"
        hint = ""
        if self.method != "fork" and code == 1:
            hint = '; a script that starts processes needs `if __name__ == "__main__":` around what it runs'
        return EnvironmentProcessError(f"the process of environment {i} ended {how}{hint}")

    def close(self) -> None:
        """Closes the environments and ends the processes; a second call does nothing."""
        self._finalizer()


class _Whole:
    """Ctrl-C waits until a message that has begun is through: half of one would be taken for the next."""

    def __enter__(self) -> None:
        self.came: Any = None
        self.handler: Any = None
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self.handler = handler
                signal.signal(signal.SIGINT, self._keep)

    def _keep(self, *arguments: Any) -> None:
        self.came = arguments

    def __exit__(self, *_: Any) -> None:
        if self.handler is not None:
            signal.signal(signal.SIGINT, self.handler)
            if self.came is not None:
                self.handler(*self.came)


def _error(i: int, told: Dict[str, Any]) -> BaseException:
    """The error that an environment raised, with its traceback there as the cause."""
    error = None
    if told["error"] is not None:
        try:
            error = pickle.loads(told["error"])
        except Exception:
            error = None
    if not isinstance(error, BaseException):
        error = EnvironmentProcessError(f"environment {i}: {told['summary']}")
    error.__cause__ = RemoteTraceback(f"in the process of environment {i}:\n{told['traceback']}")
    return error


def _end(pipes: List[Any], processes: List[Any], owed: List[int], owner: int) -> None:
    """Ends processes: by asking, then by SIGTERM, then by SIGKILL."""
    if os.getpid() != owner:
        # a fork of the process that they belong to
        return
    for pipe in pipes:
        try:
            pipe.send_bytes(b"")
        except OSError:
            pass
    for step in ("join", "terminate", "kill"):
        limit = PATIENCE if step == "join" else 1.0
        for process in processes:
            if step != "join" and process.is_alive():
                getattr(process, step)()
        for process in processes:
            process.join(limit)
            # the limit is for all of them
            limit = limit if not process.is_alive() else 0.1
    for pipe in pipes:
        pipe.close()


class _Pickled:
    """A function that is pickled by cloudpickle, where there is one: closures and functions of scripts too."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function

    def __getstate__(self) -> bytes:
        try:
            import cloudpickle
        except ImportError:
            return pickle.dumps(self.function)
        return cloudpickle.dumps(self.function)

    def __setstate__(self, state: bytes) -> None:
        self.function = pickle.loads(state)

    def __call__(self) -> Any:
        return self.function()


# ---- in the process of an environment


def _seed(i: int) -> int:
    """What global generators of the i-th process begin with: each another one's, all the same after `np.random.seed`."""
    state = np.random.get_state()[1]
    return zlib.crc32(np.asarray(state, dtype=np.uint32).tobytes() + i.to_bytes(4, "little"))


def _serve(pipe: Any, make: Callable[[], Any], inherited: List[Any], seed: int) -> None:
    """Makes an environment and answers until the pipe is closed."""
    # a forked process would draw what all others draw
    random.seed(seed)
    np.random.seed(seed)
    # Ctrl-C is the parent's business: it reaches every process of a terminal
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in inherited:
        other.close()
    lanes: Any = None
    try:
        lanes = EnvironmentLanes([make()])
        failed = None
    except Exception as error:
        failed = _told(error)
    while True:
        try:
            asked = pipe.recv_bytes()
            if not asked:
                break
            pipe.send_bytes(_answer(lanes, asked, failed))
        except (EOFError, OSError):
            break
    if lanes is not None:
        lanes.close()


def _answer(lanes: Any, asked: bytes, failed: Optional[Dict[str, Any]]) -> bytes:
    try:
        verb, request = pickle.loads(asked)
        answer = (True, _VERBS[verb](lanes, request)) if failed is None else (False, failed)
        return pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((False, _told(error)))


def _told(error: Exception) -> Dict[str, Any]:
    try:
        pickled: Optional[bytes] = pickle.dumps(error)
    except Exception:
        pickled = None
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {"error": pickled, "summary": f"{type(error).__name__}: {error}", "traceback": "".join(lines)}


def _facts(lanes: Any, _: Any) -> Any:
    return lanes.observation_space, lanes.action_space, dict(lanes.metadata), lanes.render_mode


def _start(lanes: Any, request: Any) -> Any:
    lanes._seeds[0], lanes._options[0] = request
    lanes.start()
    return lanes._current[0], lanes.reset_infos[0]


def _step(lanes: Any, row: Any) -> Any:
    lanes.advance(row)
    begun = lanes.reset_infos[0] if lanes.has_ends else None
    return lanes._current[0], float(lanes.rewards[0]), int(lanes.flags[0]), lanes.infos[0], begun


def _restore(lanes: Any, saved: Any) -> Any:
    from .restoring import restore_lanes

    exact = restore_lanes(lanes, [saved])[0]
    return exact, lanes._current[0]


def _save(lanes: Any, _: Any) -> Any:
    from .restoring import save_lanes

    return save_lanes(lanes)[0]


def _call(lanes: Any, request: Any) -> Any:
    name, arguments, keywords = request
    return lanes.env_method(name, *arguments, indices=[0], **keywords)[0]


_VERBS: Dict[str, Callable[[Any, Any], Any]] = {
    "facts": _facts,
    "prepare": lambda lanes, goals: lanes.prepare(goals),
    "start": _start,
    "step": _step,
    "save": _save,
    "restore": _restore,
    "call": _call,
    "get": lambda lanes, name: lanes.get_attr(name, [0])[0],
    "set": lambda lanes, request: lanes.set_attr(request[0], request[1], [0]),
    "has": lambda lanes, name: lanes.has_method(name),
    "wrapped": lambda lanes, wrapper: lanes.env_is_wrapped(wrapper, [0])[0],
}
