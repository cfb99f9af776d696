from . import dunning_time_machine
from . import dunning_time_machine_row
from . import dunning_why
