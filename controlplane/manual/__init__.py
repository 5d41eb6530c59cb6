"""The pages of the book that are made from the code: `python -m controlplane.manual` writes them.

A test asks of each page whether it is what the code makes now, so none can lag behind.
"""
