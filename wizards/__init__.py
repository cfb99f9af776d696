from . import dunning_send
from . import dunning_start
