"""Experiment trackers that follow a study: TensorBoard, MLflow, Weights & Biases. They change no
run and no key.
"""
