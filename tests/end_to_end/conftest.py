"""The marked buyer is that of the tests of privacy; mails are built as in those of the mailbox."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in ("privacy", "mail")]
