from . import dunning_hold_reason
from . import dunning_hold
from . import dunning_hold_report
from . import dunning_policy
from . import account_move
from . import account_move_line
from . import res_partner
from . import dunning_notice
