"""Mails are built as in the tests of the mailbox, pages are visited as in those of the web."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in ("mail", "web")]
