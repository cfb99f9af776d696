from . import dunning_specification
from . import dunning_waive
from . import dunning_remainder
from . import dunning_booking_waive
