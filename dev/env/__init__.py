"""How this project gets and runs the real Odoo 19, with nothing but Python's standard library.

One module per thing that has to be there; each offers `ensure()`, which does nothing when it is
there already. Everything lands in one cache folder (see `paths`); the machine itself is not changed.
"""

# This file alone is written for any Python 3: it is where an old one, or one too new for Odoo 19, is noticed.
import os
import shutil
import sys

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    for _name in ("python3.13", "python3.12", "python3.11", "python3.10"):
        _found = shutil.which(_name)
        if _found:
            os.execv(_found, [_found] + sys.argv)
    sys.exit(
        "✗ This needs Python 3.10 to 3.13, and %s is %s; install a newer one (for example python3.12)."
        % (sys.executable, sys.version.split()[0])
    )
