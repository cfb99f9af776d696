"""The states of an arrangement, in the order of its life."""

STATES = [
    ('draft', "Draft"),
    ('offered', "Offered"),
    ('signed', "Signed by Debtor"),
    ('active', "Running"),
    ('kept', "Kept"),
    ('broken', "Broken"),
    ('cancelled', "Cancelled"),
    ('replaced', "Replaced"),
]
# An item is in one of these at a time: what was offered can be signed any moment.
LIVE_STATES = ('offered', 'signed', 'active')
OPEN_STATES = ('draft', *LIVE_STATES)
# Whether a debtor keeps to what was agreed shows in these only.
DECIDED_STATES = ('kept', 'broken')
CLOSED_STATES = (*DECIDED_STATES, 'cancelled', 'replaced')
# An instalment is announced so many days on which banks settle before its date: in time for a transfer by hand.
REMIND_DAYS = 3
# What the ledger ended, it may take back: values of ``close_code``.
ENDED_BY_LEDGER = ('paid', 'credited', 'missed')
