"""Lanczos and Hutchinson on matrices whose spectrum is known."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from headstart.probes.lanczos import Spectrum, top_eigenvalues, trace


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def symmetric(eigenvalues: list[float], seed: int = 1) -> Tensor:
    """A dense matrix with these eigenvalues, in an orthonormal basis drawn at random."""
    n = len(eigenvalues)
    Q, _ = torch.linalg.qr(torch.randn(n, n, generator=draw(seed), dtype=torch.float64))
    return Q @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ Q.T


def found(matrix: Tensor, **options: Any) -> Spectrum:
    start = torch.randn(len(matrix), generator=draw(2), dtype=matrix.dtype)
    return top_eigenvalues(lambda v: matrix @ v, start, generator=draw(3), **options)


QUADRATIC = [100.0, 40.0, 39.0, 5.0, *np.linspace(2, -1, 80).tolist(), -50.0]


def test_top_eigenvalues_of_a_quadratic() -> None:
    spectrum = found(symmetric(QUADRATIC), count=4, tolerance=1e-9)
    assert spectrum.values == pytest.approx([100, 40, 39, 5], rel=1e-12)
    assert spectrum.converged
    assert max(spectrum.residuals) <= 1e-9


def test_the_largest_is_meant_with_its_sign() -> None:
    assert found(symmetric([1.0, -2.0, -300.0, -4.0])).values == pytest.approx([1.0], rel=1e-9)
    assert found(symmetric([-1.0, -2.0, -3.0])).values == pytest.approx([-1.0], rel=1e-9)


def test_residual_is_the_residual_of_its_vector_and_bounds_the_error() -> None:
    """On the way: after so many products, |H u - theta u| of the best u in the Krylov space,
    made without Lanczos.
    """
    H = symmetric(QUADRATIC)
    start = torch.randn(len(H), generator=draw(2), dtype=torch.float64)
    for products in (3, 6, 9):
        spectrum = found(H, tolerance=1e-15, products=products)
        assert not spectrum.converged
        assert spectrum.products == products
        krylov = torch.stack(
            [torch.linalg.matrix_power(H / 100, power) @ start for power in range(products)], 1
        )
        Q, _ = torch.linalg.qr(krylov)
        theta, S = torch.linalg.eigh(Q.T @ H @ Q)
        u = Q @ S[:, -1]
        assert spectrum.values[0] == pytest.approx(float(theta[-1]), rel=1e-8)
        assert spectrum.residuals[0] == pytest.approx(
            float((H @ u - theta[-1] * u).norm() / theta[-1]), rel=1e-4
        )
        assert abs(spectrum.values[0] - 100) <= spectrum.residuals[0] * spectrum.values[0]


@pytest.mark.parametrize("count", [1, 3])
def test_restarts_find_the_same_with_fewer_vectors_held(count: int) -> None:
    # Evenly spaced: slow, so that restarts are needed.
    H = symmetric(np.linspace(1, 0, 300).tolist())
    whole = found(H, count=count, tolerance=1e-6, products=300, basis=300)
    restarted = found(H, count=count, tolerance=1e-6, products=1000, basis=20)
    assert whole.converged
    assert restarted.converged
    assert restarted.products > 20
    expected = [1 - i / 299 for i in range(count)]
    assert restarted.values == pytest.approx(expected, abs=1e-6)
    assert whole.values == pytest.approx(expected, abs=1e-6)


def test_vectors_stay_orthogonal_in_single_precision() -> None:
    """Without reorthogonalisation a converged eigenvalue comes back as a ghost:
    100 would be found twice.
    """
    spectrum = found(
        symmetric([100.0, *np.linspace(1, 0, 200).tolist()]).float(),
        count=2,
        products=200,
        tolerance=1e-4,
    )
    assert spectrum.values == pytest.approx([100, 1], rel=1e-3)


def test_exhausted_spaces_give_multiple_eigenvalues_and_no_more_than_there_are() -> None:
    identity = found(torch.eye(5, dtype=torch.float64), count=3)
    assert identity.values == pytest.approx([1, 1, 1], rel=1e-12)
    assert identity.products == 3
    assert found(torch.eye(2, dtype=torch.float64), count=9).values == pytest.approx(
        [1, 1], rel=1e-12
    )
    low_rank = found(symmetric([7.0, 3.0, *[0.0] * 20]), count=4, tolerance=1e-10)
    assert low_rank.values == pytest.approx([7, 3, 0, 0], abs=1e-9)


def test_nothing_bends_a_flat_function() -> None:
    spectrum = found(torch.zeros(6, 6, dtype=torch.float64), count=2)
    assert spectrum.values == [0.0, 0.0]
    assert spectrum.converged


def test_what_is_not_finite_is_no_number_and_not_converged() -> None:
    for broken in (float("nan"), float("inf")):
        spectrum = found(torch.full((4, 4), broken, dtype=torch.float64), count=2)
        assert np.isnan(spectrum.values).all()
        assert not spectrum.converged


def test_fewer_products_than_eigenvalues_are_not_converged() -> None:
    spectrum = found(symmetric(QUADRATIC), count=3, products=2)
    assert np.isnan(spectrum.values).tolist() == [False, False, True]
    assert not spectrum.converged


def test_hutchinson_is_exact_for_diagonals_and_unbiased_with_the_variance_of_its_paper() -> None:
    diagonal = torch.tensor([3.0, -1.0, 5.0], dtype=torch.float64)
    assert trace(lambda v: diagonal * v, diagonal, 4, draw()) == [7.0] * 4
    H = symmetric([5.0, 1.0, -2.0, 0.5, 0.25])
    values = np.array(trace(lambda v: H @ v, H[0], 20_000, draw()))
    off_diagonal = H - torch.diag(torch.diag(H))
    variance = 2 * float((off_diagonal**2).sum())  # Hutchinson 1989
    assert values.mean() == pytest.approx(4.75, abs=4 * np.sqrt(variance / 20_000))
    assert values.var() == pytest.approx(variance, rel=0.05)
