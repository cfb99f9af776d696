"""What a colour means on every screen: one scale from calm to serious, and colours of their own for waiting and done.

The numbers are those of Odoo's palette. Blue, yellow, orange and red differ in lightness as well, and each stands
beside a word: no colour tells anything alone.
"""

CALM, CLOSE, LATE, SERIOUS = 4, 3, 2, 1
# A promise, an arrangement or a dispute is waited for; done is done; what lapsed counts no more.
WAITS, DONE, LAPSED = 11, 10, 28
