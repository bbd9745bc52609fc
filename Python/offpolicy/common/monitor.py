"""Monitor; see `offpolicy.monitor`."""

from ..monitor import LoadMonitorResultsError, Monitor, get_monitor_files, load_results

__all__ = ["LoadMonitorResultsError", "Monitor", "get_monitor_files", "load_results"]
