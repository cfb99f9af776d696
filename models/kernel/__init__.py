from . import dunning_recorded
from . import ir_attachment
