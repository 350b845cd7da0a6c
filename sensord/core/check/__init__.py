"""The proof that flows fit together: `prove` takes CheckedFlows and gives Findings.

ranges and profile say what is mapped on every tick of the horizon, faults and suggest what is wrong with it and what
would mend it, circles and deadlocks which runs would wait for themselves.
"""

from sensord.core.check.finding import CounterExample, Finding, FindingKind, Severity
from sensord.core.check.proof import prove
from sensord.core.check.subject import CheckedFlow, CheckedSensor

__all__ = ["CheckedFlow", "CheckedSensor", "CounterExample", "Finding", "FindingKind", "Severity", "prove"]
