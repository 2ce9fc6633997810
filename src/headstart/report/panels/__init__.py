"""The panels in the paper's reading order; each file holds its question, its sentence and its
table.
"""

from headstart.report.panels.alignment import build as alignment
from headstart.report.panels.base import Build
from headstart.report.panels.curvature import build as curvature
from headstart.report.panels.devices import build as devices
from headstart.report.panels.gd_vs_sgd import build as gd_vs_sgd
from headstart.report.panels.iid_gap import build as iid_gap
from headstart.report.panels.initial_loss import build as initial_loss
from headstart.report.panels.local_epochs import build as local_epochs
from headstart.report.panels.ranking import build as ranking
from headstart.report.panels.speedup import build as speedup

PANELS: tuple[Build, ...] = (
    ranking,
    speedup,
    iid_gap,
    local_epochs,
    devices,
    curvature,
    alignment,
    initial_loss,
    gd_vs_sgd,
)
