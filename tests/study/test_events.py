"""What a run says of its end."""

from tests.study.small_studies import study

from headstart.engine.measurements import Measurements
from headstart.study.events import Ended, Failed


def test_an_end_has_the_status_of_its_record() -> None:
    (run,) = study().runs
    assert Ended(run, {"status": "diverged"}, Measurements(), b"").status == "diverged"
    assert Failed(run, "it raised ValueError").status == "failed: it raised ValueError"
