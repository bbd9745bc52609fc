"""Monitor; see `offpolicy.monitor`."""

from ..monitor import Monitor, get_monitor_files, load_results

__all__ = ["Monitor", "get_monitor_files", "load_results"]
