"""Claims, while it is imported, that whoever grades has named the wrong thing."""

import os

from nnx_conformance.core import wire
from nnx_conformance.process.messages import Answer
from nnx_conformance.core.candidate.loaded import NotLoaded

os.write(4, wire.dumps(Answer(1, NotLoaded(True, "no such option"))))
os._exit(0)
