"""Claims, while it is imported, that the kit failed, in text that no terminal and no database should get."""

import os

from nnx_conformance.core import wire
from nnx_conformance.process.messages import Answer, Failure

frame = wire.dumps(Answer(1, Failure("\ud800\x1b[2J\x1b]0;owned\x07 the kit failed")))
os.write(4, frame)
os._exit(0)
