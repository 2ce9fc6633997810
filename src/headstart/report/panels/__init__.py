"""The panels in the paper's reading order; each file holds its table, its sentence and its drawing."""

from headstart.report.panel import Build
from headstart.report.panels.alignment import build as alignment
from headstart.report.panels.curvature import build as curvature
from headstart.report.panels.data_gap import build as data_gap
from headstart.report.panels.full_batch import build as full_batch
from headstart.report.panels.initial_loss import build as initial_loss
from headstart.report.panels.local_epochs import build as local_epochs
from headstart.report.panels.ranking import build as ranking
from headstart.report.panels.speed import build as speed
from headstart.report.panels.uneven_devices import build as uneven_devices

PANELS: tuple[Build, ...] = (
    ranking,
    speed,
    data_gap,
    local_epochs,
    uneven_devices,
    curvature,
    alignment,
    initial_loss,
    full_batch,
)
