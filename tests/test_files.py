"""What the room offers by its own name."""

from headstart import files
from headstart.files import digests, locations, seals, writing


def test_what_its_modules_make_is_offered_by_its_name_but_for_locks() -> None:
    made = {}
    for module in (digests, locations, seals, writing):
        for name, value in vars(module).items():
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__:
                made[name] = value
    offered = {name: getattr(files, name) for name in files.__all__}
    assert made.items() <= offered.items()
    assert set(offered) - set(made) == {"DATA", "DELETE_IT", "PARTIAL", "SEAL", "UNSEALED"}
