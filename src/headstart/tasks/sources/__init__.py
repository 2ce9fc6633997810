"""Files and folders of data as columns of cells, with every fault in one line that names its
row.
"""
