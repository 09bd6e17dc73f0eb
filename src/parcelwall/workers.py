"""Work that is spread over processes of this machine, or over the machines of a Ray cluster. No piece needs another."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from parcelwall.errors import Trouble

HERE = "local"  # the address of a cluster that is this machine alone, for as long as the work takes


def workers(jobs: int, ray: str = "", before: Callable[[], None] | None = None) -> Executor:
    """So many processes; or, with the address of a Ray cluster, whatever cores that has. `before` is called in each
    process before its first work, there perhaps more often.

    Raises Trouble for a number that makes no sense, and where Ray is not installed or does not answer.
    """
    if not 1 <= jobs <= 256:
        raise Trouble("--jobs is the number of processes, 1 to 256")
    if ray:
        return RayWorkers(ray, before)
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=before)


class RayWorkers(Executor):
    """A Ray cluster: each piece of work takes one core of it, and every machine needs this same Parcelwall installed.

    Source: https://docs.ray.io/en/latest/ray-core/tasks.html
    """

    def __init__(self, address: str, before: Callable[[], None] | None = None) -> None:
        try:
            import ray  # optional: the only place that names it
        except ImportError:
            raise Trouble("Ray is not installed here: pip install -r requirements/ray.txt") from None
        try:
            ray.init(None if address == HERE else address, include_dashboard=False, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError) as no:
            raise Trouble(f"no Ray cluster answers at {address}: {str(no).splitlines()[0]}") from no
        self._ray, self._before = ray, before
        self._one = ray.remote(num_cpus=1, max_retries=3)(_one_piece)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Sends one piece of work on its way. What it raises comes with its answer, as Ray's own error."""
        answer: Future[Any] = self._one.remote(self._before, fn, args, kwargs).future()
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Lets go of the cluster; what has not been answered is given up."""
        self._ray.shutdown()


def _one_piece(before: Callable[[], None] | None, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    if before:
        before()
    return fn(*args, **kwargs)
