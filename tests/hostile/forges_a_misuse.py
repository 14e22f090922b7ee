"""Claims, while it is imported, that whoever grades has named the wrong thing."""

import os

from nnx_conformance import wire
from nnx_conformance.messages import Answer
from nnx_conformance.loaded import NotLoaded

os.write(4, wire.dumps(Answer(1, not_loaded=NotLoaded(True, "no such option"))))
os._exit(0)
