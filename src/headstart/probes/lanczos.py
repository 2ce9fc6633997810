"""The largest eigenvalues of a symmetric matrix, and its trace, from products with vectors alone.

Lanczos with full reorthogonalisation (Golub and Van Loan, "Matrix Computations", 4th edition,
section 10.3), with thick restarts where only so many vectors fit in memory (Wu and Simon, SIAM J.
Matrix Anal. Appl. 22, 2000). With orthonormal V_m and T = V_m' H V_m, the recurrence H V_m = V_m T
+ w e_m' holds, so a Ritz pair (theta, V_m s) of T s = theta s leaves the residual |H V_m s - theta
V_m s| = |w| |s_m|, known without a further product. Some eigenvalue of H lies within the residual
of theta; that it is the largest is not proven, but a random start has a part of every eigenvector.
One start vector finds one copy of a multiple eigenvalue, until its own space is exhausted.

The trace: Hutchinson, Communications in Statistics 18, 1989: E[z' H z] = tr H for entries of z that
are +1 or -1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]
"""v [n] -> H v [n]."""


@dataclass(frozen=True)
class Spectrum:
    """The largest eigenvalues, in falling order, each with its residual |H u - value u| / |value|
    for |u| = 1.

    `converged`: whether every residual is within the tolerance asked for. NaN where a product was
    not finite.
    """

    values: list[float]
    residuals: list[float]
    products: int
    converged: bool


def top_eigenvalues(
    product: Product,
    start: Tensor,
    *,
    count: int = 1,
    tolerance: float = 1e-3,
    products: int = 100,
    basis: int = 64,
    generator: torch.Generator,
) -> Spectrum:
    """The `count` largest eigenvalues (with their sign) of a symmetric matrix.

    Args:
        start: the first vector [n], of the type in which vectors are kept; a random one.
        tolerance: of the residual relative to its eigenvalue; the test of ARPACK's `eigsh(tol=)`,
            made at every step.
        products: at most so many.
        basis: vectors held at once, at least count + 2; when they are full, the better half of them
            is kept.
        generator: for a new vector where the space of the start vector is exhausted.

    >>> diagonal = torch.tensor([3.0, -5.0, 1.0, 2.0], dtype=torch.float64)
    >>> start, draw = torch.ones(4).double(), torch.Generator()
    >>> found = top_eigenvalues(lambda v: diagonal * v, start, count=2, generator=draw)
    >>> [round(value, 6) for value in found.values], found.converged
    ([3.0, 2.0], True)
    """
    n = len(start)
    count, basis = min(count, n), min(max(basis, count + 2), n)
    V_MN = start.new_empty((basis, n))
    T = np.zeros((basis, basis))
    tiny = torch.finfo(start.dtype).eps
    V_MN[0] = start / start.norm()
    done, m = 0, 0  # products, and vectors that have had theirs
    while True:
        w = product(V_MN[m])
        done, m = done + 1, m + 1
        scale = float(w.norm())
        w, along = _orthogonal_to(V_MN[:m], w)
        T[:m, m - 1] = T[m - 1, :m] = along
        length = float(w.norm())
        if not np.isfinite(length) or not np.isfinite(T[:m, :m]).all():
            return Spectrum([float("nan")] * count, [float("nan")] * count, done, False)
        exhausted = length <= 10 * tiny * scale  # what is left is rounding
        theta, S = (a[..., ::-1] for a in np.linalg.eigh(T[:m, :m]))
        floor = tiny ** (2 / 3) * np.abs(theta).max()  # ARPACK's, for values near 0
        size = np.maximum(np.abs(theta), floor)
        left = 0.0 if exhausted else length
        residuals = np.divide(left * np.abs(S[-1]), size, out=np.zeros(m), where=size > 0)
        converged = m >= count and bool((residuals[:count] <= tolerance).all())
        if converged or done >= products or m == n:
            short = [float("nan")] * max(0, count - m)  # fewer products than eigenvalues asked for
            return Spectrum(
                theta[:count].tolist() + short, residuals[:count].tolist() + short, done, converged
            )
        if exhausted:
            w, _ = _orthogonal_to(V_MN[:m], torch.randn(n, generator=generator).to(start))
            length = float(w.norm())
        if m == basis:
            m = count + (basis - count) // 2
            V_MN[:m] = torch.from_numpy(S[:, :m].T.copy()).to(start) @ V_MN
            T[:] = np.diag(np.r_[theta[:m], np.zeros(basis - m)])
        V_MN[m] = w / length


def _orthogonal_to(
    V_MN: Tensor, w: Tensor
) -> tuple[Tensor, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """w without its part in the span of orthonormal rows, and that part's coefficients; twice is
    enough.

    Giraud, Langou, Rozloznik, van den Eshof, Numerische Mathematik 101, 2005.
    """
    along = np.zeros(len(V_MN))
    for _ in range(2):
        part = V_MN @ w
        w = w - part @ V_MN
        along += part.double().cpu().numpy()
    return w, along


def trace(product: Product, like: Tensor, vectors: int, generator: torch.Generator) -> list[float]:
    """z' H z for `vectors` independent z of random signs, each [n] as `like`: their mean estimates
    tr H without bias.

    The standard error of the mean is their standard deviation over the root of their number.
    """
    found = []
    for _ in range(vectors):
        z = torch.randint(2, like.shape, generator=generator).to(like).mul_(2).sub_(1)
        found.append(float((z * product(z)).sum(dtype=torch.float64)))
    return found
