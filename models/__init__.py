# The order follows the way of the data: the rates of the law, the ladder, the due items, the planner
# that judges them, the notices it leads to, the dispatcher that lets them go.
from . import dunning_interest_rate
from . import dunning_policy
from . import dunning_level
from . import res_company
from . import res_config_settings
from . import res_partner
from . import dunning_hold
from . import dunning_hold_report
from . import dunning_planner
from . import dunning_claim
from . import dunning_notice
from . import dunning_notice_line
from . import ir_attachment
from . import account_move
from . import account_move_line
from . import dunning_hold_target
from . import account_partial_reconcile
from . import dunning_letter
from . import dunning_letter_text
from . import dunning_letter_pdf
from . import dunning_letter_print
from . import dunning_dispatcher
from . import dunning_run
