"""Why did it go as it did? The rows of an execution in, one document out, in plain words. Pure.

The REST door serves the document, the console draws it, the command line prints it; none of them adds to it.
"""
