"""Corrections of p-values where several questions are tested at once.

Sources: Holm, Scand. J. Statist. 6 (1979), the step-down correction; Shaffer, J. Am. Stat. Assoc.
81 (1986) 826-831, the same where not all hypotheses can be true at once.
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values: with the p sorted, `max_{j<=i} min(1, (m - j + 1) p_(j))`.

    Rejecting where the adjusted value is below 0.05 errs anywhere among the m with probability at
    most 0.05, whatever the dependence. None (one seed: no test) stays None, yet counts in m.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    questions = [[p] for p in p_values]
    return [found for (found,) in adjusted(questions)]


def adjusted(questions: Sequence[Sequence[float | None]]) -> list[list[float | None]]:
    """The adjusted p-values of questions, of each of which at most one hypothesis is true.

    A difference is not both zero and as large as its margin. With all p sorted, each is multiplied
    by the number of questions that have a hypothesis which is not rejected before it: as many can
    be true at once. Rejecting where the adjusted value is below 0.05 errs anywhere among all with
    probability at most 0.05, whatever the dependence. With one hypothesis a question it is `holm`.
    None (no test) stays None, yet its question counts.

    >>> adjusted([[0.01, 0.8], [0.9, 0.02]])
    [[0.02, 1.0], [1.0, 0.04]]
    """
    order = []
    for question, p_values in enumerate(questions):
        order += [(p, question, i) for i, p in enumerate(p_values) if p is not None]
    left = [len(p_values) for p_values in questions]
    found: list[list[float | None]] = [[None] * len(p_values) for p_values in questions]
    running = 0.0
    for p, question, i in sorted(order):
        can_be_true = sum(many > 0 for many in left)
        running = max(running, min(1.0, can_be_true * p))
        found[question][i] = running
        left[question] -= 1
    return found
