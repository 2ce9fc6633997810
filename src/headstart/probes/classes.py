"""Accuracy that counts every class the same, however many test rows it has: balanced accuracy, and
macro F1.

With n(c, d) test rows of class c that are taken for class d,

    balanced accuracy = mean over c of  n(c, c) / sum_d n(c, d)
    macro F1          = mean over c of  2 n(c, c) / (sum_d n(c, d) + sum_d n(d, c)),

the first over classes with a test row, the second also over those with a prediction: the mean of
recalls (Brodersen et al., ICPR 2010) and the mean of F1 scores, not the F1 of mean precision and
mean recall (Opitz and Burst, arXiv 1911.03347). Both are those of scikit-learn.

Shape suffixes: C classes, N test rows.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from headstart.engine.federation import Federation
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.probes.predictions.rows import Ints, labels_of_rows, refuse_no_classes


@PROBES.register("classes", source="Brodersen et al., ICPR 2010; Opitz and Burst, arXiv 1911.03347")
def classes(
    federation: Federation,
    *,
    batch: Annotated[int, Field(ge=1, description="rows evaluated at once")] = 1024,
) -> Probe:
    """test_balanced_accuracy and test_f1_macro, on the test rows.

    Raises:
        HeadstartError: targets are not one class a row.
    """
    task, network = federation.task, federation.network
    refuse_no_classes(task, "classes")
    truth_N = task.test.targets.cpu().numpy()

    def measure(moment: Moment) -> Metrics:
        predicted_N = labels_of_rows(network, moment.state.x, task.test, batch)
        return by_class(truth_N, predicted_N, task.outputs)

    return Probe(measure)


def by_class(truth_N: Ints, predicted_N: Ints, outputs: int) -> Metrics:
    """Both metrics of true and predicted labels.

    >>> by_class(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 3)["test_balanced_accuracy"]
    0.8333333333333333
    """
    right_N = truth_N[truth_N == predicted_N]
    counts = [
        np.bincount(labels_N, minlength=outputs) for labels_N in (right_N, truth_N, predicted_N)
    ]
    right_C, true_C, predicted_C = counts
    present_C, seen_C = true_C > 0, true_C + predicted_C > 0
    recall = right_C[present_C] / true_C[present_C]
    f1 = 2 * right_C[seen_C] / (true_C + predicted_C)[seen_C]
    return {"test_balanced_accuracy": float(recall.mean()), "test_f1_macro": float(f1.mean())}
