"""A folder has the weights of a run and their card; what goes to the hub is what it has."""

from pathlib import Path
from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.export.model_folder import write
from headstart.results.model_file import found

huggingface_hub = pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")


class Hub:
    """Notes what would be sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def create_repo(self, repository: str, private: bool, exist_ok: bool) -> str:
        self.sent.append(("made", (repository, private, exist_ok)))
        return f"https://huggingface.co/{repository}"

    def upload_folder(self, repo_id: str, folder_path: str, commit_message: str) -> None:
        if repo_id == "not/mine":
            raise PermissionError("403 Forbidden\nsomething else")
        names = sorted(path.name for path in Path(folder_path).iterdir())
        self.sent.append((repo_id, names))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    one = Hub()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: one)
    return one


def test_a_folder_has_the_weights_and_a_card(out: Path, tmp_path: Path) -> None:
    into = tmp_path / "model"
    run = found(out, "random", "nova + adam")
    lines = write(run, out, into)
    assert sorted(path.name for path in into.iterdir()) == ["README.md", "model.safetensors"]
    assert (into / "model.safetensors").read_bytes() == run.content
    assert (into / "README.md").read_text().startswith("---\nlibrary_name: pytorch\n")
    assert lines[0].startswith("nova + adam from random")
    with pytest.raises(HeadstartError, match="model is there already"):
        write(run, out, into)


@pytest.mark.parametrize("public", [True, False])
def test_the_folder_is_pushed(public: bool, hub: Hub, out: Path, tmp_path: Path) -> None:
    lines = write(found(out), out, tmp_path / "model", "team/net", public)
    assert hub.sent == [
        ("made", ("team/net", not public, True)),
        ("team/net", ["README.md", "model.safetensors"]),
    ]
    assert lines[-1] == "pushed: https://huggingface.co/team/net"


def test_what_the_hub_refuses_is_one_line_and_the_folder_stays(
    hub: Hub, out: Path, tmp_path: Path
) -> None:
    with pytest.raises(HeadstartError, match=r"refused not/mine \(403 Forbidden\)") as caught:
        write(found(out), out, tmp_path / "model", "not/mine")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "model" / "README.md").exists()


def test_bad_input_leaves_nothing(hub: Hub, out: Path, tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match="--push: expected owner/name, got 'net'"):
        write(found(out), out, tmp_path / "model", "net")
    with pytest.raises(HeadstartError, match="pair: expected one of"):
        write(found(out, pair="sgd + yogi"), out, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    assert hub.sent == []
