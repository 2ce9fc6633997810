"""The place that is a Ray cluster: the driver holds the folder and writes, nodes compute.

Ray is imported only where a study is carried out here.
"""
