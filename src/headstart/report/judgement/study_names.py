"""What studies are called beside one another."""

from collections.abc import Sequence

from headstart.looks.competitors import family

LONGEST = 60
"""Characters of a task that a study may be called by."""


def labels(studies: Sequence[tuple[str, str, str]]) -> list[str]:
    """What to call studies, given the task, the model and the title of each: no more than tells
    them apart.

    >>> labels([("digits(test=3)", "mlp", "A"), ("cifar10", "cnn", "B"), ("cifar10", "mlp", "C")])
    ['digits', 'cifar10, cnn', 'cifar10, mlp']
    >>> labels([("digits", "mlp", "A"), ("digits", "mlp", "B"), ("digits", "mlp", "B")])
    ['A', 'B (2)', 'B (3)']

    A task with many parameters is no name: its family stands for it.
    """
    bare, tasks, both, titles = [], [], [], []
    for task, model, title in studies:
        bare.append(family(task))
        tasks.append(task if len(task) <= LONGEST else family(task))
        both.append(f"{tasks[-1]}, {model}")
        titles.append(title or both[-1])
    found = []
    for i, title in enumerate(titles):
        alone = [names[i] for names in (bare, tasks, both, titles) if names.count(names[i]) == 1]
        found.append(alone[0] if alone else f"{title} ({i + 1})")
    return found
