"""How this project gets and runs the real Odoo 19, with nothing but Python's standard library.

One module per thing that has to be there; each offers `ensure()`, which does nothing when it is
there already. Everything lands in one cache folder (see `paths`); the machine itself is not changed.
"""
