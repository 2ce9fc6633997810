"""Panels of questions that the paper did not ask, for studies that measured what they need."""

from headstart.report.panels.base import Build
from headstart.report.panels.further.clients import build as clients
from headstart.report.panels.further.own_metrics import build as own_metrics

FURTHER: tuple[Build, ...] = (clients, own_metrics)
