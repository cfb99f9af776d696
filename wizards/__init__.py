from . import dunning_claim
from . import dunning_hold
from . import dunning_receipt_enter
from . import dunning_send
from . import dunning_start
from . import dunning_why
from . import dunning_withdrawal
from . import dunning_booking_waive
