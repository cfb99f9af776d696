from . import dunning_arrangement_scan
from . import dunning_promise_make
from . import dunning_promise_cancel
from . import dunning_arrangement_make
from . import dunning_arrangement_cancel
