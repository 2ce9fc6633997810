"""What is taken out of a recording moves no number, and what is written through one name is read
under the other.
"""

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from headstart.kernels.views import without_idle_operations, without_repeated_views


def operations(module: torch.fx.GraphModule) -> list[str]:
    return [str(node.target) for node in module.graph.nodes if node.op == "call_function"]


def test_a_transpose_of_a_transpose_is_what_it_was_of() -> None:
    def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a.transpose(0, 1).transpose(1, 0) @ b.reshape(2, 3).reshape(6).reshape(2, 3)

    a, b = torch.randn(4, 2), torch.randn(6)
    module = make_fx(product, tracing_mode="fake")(a, b)
    without_repeated_views(module)
    assert operations(module) == ["aten.view.default", "aten.mm.default"]
    assert torch.equal(module(a, b), a @ b.view(2, 3))


def test_views_that_show_other_numbers_stay() -> None:
    """A square looks the same transposed, but for the order of its strides."""

    def difference(a: torch.Tensor) -> torch.Tensor:
        return a.transpose(0, 1) - a

    a = torch.randn(3, 3)
    module = make_fx(difference, tracing_mode="fake")(a)
    without_repeated_views(module)
    assert operations(module) == ["aten.transpose.int", "aten.sub.Tensor"]
    assert torch.equal(module(a), a.T - a)


def test_one_view_stands_for_another_also_after_it_was_written_to() -> None:
    def written(a: torch.Tensor) -> torch.Tensor:
        first = a.view(2, 3)
        first.add_(1.0)
        return a.view(2, 3) * 2

    a = torch.zeros(6)
    module = make_fx(written, tracing_mode="fake")(a)
    without_repeated_views(module)
    assert operations(module).count("aten.view.default") == 1
    assert module(torch.zeros(6)).tolist() == [[2.0] * 3] * 2


def test_two_arguments_that_share_memory_are_two() -> None:
    a = torch.ones(2)
    b = a.detach()
    module = make_fx(lambda one, two: one.view(1, 2) - two.view(1, 2), tracing_mode="fake")(a, b)
    without_repeated_views(module)
    assert module(torch.tensor([3.0, 5.0]), a).tolist() == [[2.0, 4.0]]


def test_what_does_nothing_is_taken_out() -> None:
    module = make_fx(lambda a: a.view(2, 3) + a.expand(2, 3), tracing_mode="fake")(torch.ones(2, 3))
    without_idle_operations(module)
    assert operations(module) == ["aten.add.Tensor"]
