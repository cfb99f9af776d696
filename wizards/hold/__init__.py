from . import dunning_hold_place
from . import dunning_hold_close
