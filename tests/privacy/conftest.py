"""Mails are built as in the tests of the mailbox."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "mail"))
