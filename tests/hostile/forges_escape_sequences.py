"""Puts sequences that steer a terminal, and text that is none, wherever a report shows text."""

import os

from nnx_conformance.core import wire
from nnx_conformance.process.messages import Answer
from nnx_conformance.core.candidate.loaded import NotLoaded
from nnx_conformance.core.facts import Line, Raised

EVIL = "\x1b[2J\x1b]0;owned\x07\ud800 conforms"
line = Line(EVIL, 1, EVIL)
raised = Raised(EVIL, EVIL, line, (line,), False)
os.write(4, wire.dumps(Answer(1, NotLoaded(False, EVIL, EVIL, raised, EVIL))))
os._exit(0)
