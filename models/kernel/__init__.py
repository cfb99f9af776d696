from . import dunning_bulk
from . import dunning_recorded
from . import ir_attachment
from . import ir_cron
from . import dunning_paper
