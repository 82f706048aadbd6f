"""Networks with data: what a probe and a training need."""

from collections.abc import Callable

from workbench.probes.tasks.gpt import gpt_task
from workbench.probes.tasks.images import cnn_task, mlp_task
from workbench.probes.tasks.task import Task
from workbench.probes.tasks.user import TaskError, load_task

__all__ = ["TASKS", "Task", "TaskError", "cnn_task", "gpt_task", "load_task", "mlp_task"]

TASKS: dict[str, Callable[..., Task]] = {"gpt": gpt_task, "cnn": cnn_task, "mlp": mlp_task}
"""By name; each takes seed, size, data, rows, fixed_rows and held_out_rows, and options of its own."""
